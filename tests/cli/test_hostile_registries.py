"""A registry that lies: one thing of a valid exchange is bent, nothing is written, and no secret goes astray."""

import base64
import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aibom.core.layout import BOM_NAME, SIGNATURE_NAME
from aibom.registry import referrers
from aibom.registry.manifests import MAX_MANIFEST
from tests.conftest import Ran
from tests.oci_registry import INDEX, Bend, OciRegistry, Reply, Seen, digest_of

Aibom = Callable[..., Ran]
NAME = "models/teller"
PASSWORD = "s3cret-of-the-publisher"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture(autouse=True)
def _no_configuration_and_no_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(referrers, "PAUSE", 0)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIBOM_REGISTRY_USERNAME", "publisher")
    monkeypatch.setenv("AIBOM_REGISTRY_PASSWORD", PASSWORD)


@pytest.fixture
def registry(aibom: Aibom, signed: Path) -> Iterator[OciRegistry]:
    """A registry with a release in it."""
    with OciRegistry() as running:
        running.put_image(NAME, "1.0")
        assert aibom("push", f"{running.host}/{NAME}:1.0", signed, "--plain-http").code == 0
        running.seen.clear()
        yield running


@pytest.fixture
def elsewhere() -> Iterator[OciRegistry]:
    """Another host, which must never see a secret."""
    with OciRegistry() as running:
        yield running


@pytest.fixture
def weights(tmp_path: Path, signed: Path) -> Path:
    folder = tmp_path / "bought"
    shutil.copytree(signed, folder, ignore=shutil.ignore_patterns(BOM_NAME, SIGNATURE_NAME, "attestations"))
    return folder


def pull(aibom: Aibom, registry: OciRegistry, release: Path, *options: object) -> Ran:
    return aibom("pull", f"{registry.host}/{NAME}:1.0", release, "--plain-http", *options)


def refused(aibom: Aibom, registry: OciRegistry, weights: Path, *words: str) -> None:
    """The bent exchange is refused and writes nothing; the same exchange unbent is not."""
    before = sorted(weights.rglob("*"))
    ran = pull(aibom, registry, weights)
    assert ran.code == 3, ran.out + ran.err
    said = " ".join(ran.err.split())
    for word in (*words, "hint:"):
        assert word in said
    assert sorted(weights.rglob("*")) == before
    registry.bend = lambda seen, reply: reply
    assert pull(aibom, registry, weights).code == 0


def at(part: str, change: Callable[[Reply], Reply]) -> Bend:
    """Change the answers to requests for some kind of thing."""
    return lambda seen, reply: change(reply) if part in seen.path else reply


def edited(part: str, change: Callable[[dict[str, Any]], object]) -> Bend:
    """Change the JSON of some answers."""

    def edit(reply: Reply) -> Reply:
        document = json.loads(reply.body)
        change(document)
        return Reply(reply.status, json.dumps(document).encode(), {"Content-Type": reply.headers["Content-Type"]})

    return at(part, edit)


def headers(part: str, **more: str) -> Bend:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return at(part, lambda reply: Reply(reply.status, reply.body, {**reply.headers, **named}))


def many(body: bytes) -> bytes:
    document = json.loads(body)
    return json.dumps({**document, "manifests": document["manifests"] * 300}).encode()


LIST = "/referrers/"
BLOB = "/blobs/"
MILLION = b'{"schemaVersion":2,"manifests":[' + b"{}," * 1_000_000 + b"{}]}"

BENT: dict[str, tuple[Bend, str]] = {
    "a blob of other bytes": (at(BLOB, lambda r: Reply(200, b"x" * len(r.body))), "other bytes than it names"),
    "a shorter blob": (at(BLOB, lambda r: Reply(200, r.body[:-1])), "other bytes than it names"),
    "a longer blob": (at(BLOB, lambda r: Reply(200, r.body + b" ")), "answered with more than"),
    "a blob that is gone": (at(BLOB, lambda r: Reply(404)), "refused a file (404)"),
    "a manifest of other bytes": (edited("/manifests/sha256", lambda d: d.update(x=1)), "other bytes than it names"),
    "a digest that is not that of the bytes": (
        headers("/manifests/1.0", Docker_Content_Digest="sha256:" + "0" * 64),
        "other bytes than it names",
    ),
    "a manifest of no type that is one": (headers("/manifests/1.0", Content_Type="text/html"), "which is no manifest"),
    "a manifest of two types": (headers("/manifests/1.0", Content_Type=INDEX), "the manifest calls itself"),
    "a manifest that is too long": (at("/manifests/", lambda r: Reply(200, b" " * (MAX_MANIFEST + 1))), "more than"),
    "a list that is too long": (at(LIST, lambda r: Reply(200, b" " * (MAX_MANIFEST + 1), r.headers)), "more than"),
    "a list of a million": (at(LIST, lambda r: Reply(200, MILLION, r.headers)), "at most 1000 manifests"),
    "a list that unpacks to gigabytes": (
        at(LIST, lambda r: Reply(200, gzip.compress(bytes(64 << 20)), {**r.headers, "Content-Encoding": "gzip"})),
        "answered with more than",
    ),
    "a list that is none": (headers(LIST, Content_Type="application/json"), "no list of referrers"),
    "a list of another kind": (edited(LIST, lambda d: d.update(mediaType=MANIFEST)), "expected application/vnd.oci"),
    "a list with a key twice": (
        at(LIST, lambda r: Reply(200, b'{"schemaVersion":2,' + r.body[1:], r.headers)),
        "schemaVersion",
    ),
    "a list that is very deep": (at(LIST, lambda r: Reply(200, b"[" * 100_000, r.headers)), "hint"),
    "a list with another size": (edited(LIST, lambda d: d["manifests"][0].update(size=7)), "another size"),
    "a list with a size that is no number": (edited(LIST, lambda d: d["manifests"][0].update(size=-1)), "a size"),
    "a digest that leads elsewhere": (
        edited(LIST, lambda d: d["manifests"][0].update(digest="sha256:../../x")),
        "expected a sha256 digest",
    ),
    "an empty list": (edited(LIST, lambda d: d.update(manifests=[])), "nothing that aibom pushed"),
    "a list that goes on for ever": (headers(LIST, Link='<?again=1>; rel="next"'), "more than 100 pages"),
    "pages of many entries": (
        at(LIST, lambda r: Reply(200, many(r.body), {"Content-Type": INDEX, "Link": '<?again=1>; rel="next"'})),
        "more than 1000 referrers",
    ),
    "redirects for ever": (at(LIST, lambda r: Reply(307, b"", {"Location": "?again=1"})), "more than 5 redirects"),
    "a redirect to nowhere": (at(BLOB, lambda r: Reply(307, b"", {"Location": "http://[::1"})), "hint"),
    "a redirect to a file": (at(BLOB, lambda r: Reply(307, b"", {"Location": "file:///etc/passwd"})), "elsewhere"),
    "an answer that says how long and is not": (headers(BLOB, Content_Length="100000000"), "hint"),
    "a refusal in many words": (
        at(LIST, lambda r: Reply(403, b'{"errors":[{"code":"\\u001b[31m evil","message":"call 555"}]}')),
        "refused access (403)",
    ),
    "a challenge that never ends": (
        at(LIST, lambda r: Reply(401, b"", {"WWW-Authenticate": "Bearer " + "a" * 60_000})),
        "no token service",
    ),
}


@pytest.mark.parametrize("what", BENT)
def test_one_thing_is_bent(aibom: Aibom, registry: OciRegistry, weights: Path, what: str) -> None:
    registry.bend, said = BENT[what]
    refused(aibom, registry, weights, said)


def test_a_body_that_never_ends(aibom: Aibom, registry: OciRegistry, weights: Path) -> None:
    """Without a length, and longer than the descriptor says: reading stops where it was to end."""
    registry.endless = BLOB
    before = sorted(weights.rglob("*"))
    ran = pull(aibom, registry, weights)
    assert ran.code == 3
    assert "answered with more than" in " ".join(ran.err.split())
    assert sorted(weights.rglob("*")) == before
    registry.endless = ""
    assert pull(aibom, registry, weights).code == 0


def add_referrer(registry: OciRegistry, signed: Path, path: str, data: bytes, **more: Any) -> str:
    """Attach bytes under a name, as whoever can write to the repository may."""
    subject = registry.tags[NAME, "1.0"]
    first = next(
        d for d in registry.documents().values() if d.get("annotations", {}).get("org.aibom.path") == SIGNATURE_NAME
    )
    layer = {**first["layers"][0], "digest": digest_of(data), "size": len(data)}
    document = {**first, "layers": [layer], "annotations": {**first["annotations"], "org.aibom.path": path}, **more}
    assert document["subject"]["digest"] == subject or "subject" in more
    registry.blobs[digest_of(data)] = data
    return registry.store(NAME, "", json.dumps(document).encode())


@pytest.mark.parametrize(
    "path",
    ["../evil.sigstore.json", "/etc/evil", "attestations/../model.sig", "model.safetensors", "a\x1b[31mb", "x" * 9999],
)
def test_a_name_that_leads_elsewhere_stays_there(
    aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path, path: str
) -> None:
    before = {file: file.read_bytes() for file in weights.rglob("*") if file.is_file()}
    add_referrer(registry, signed, path, b"evil")
    ran = pull(aibom, registry, weights)
    assert ran.code == 0
    assert "is not a name that we write" in " ".join(ran.err.split())
    assert "\x1b" not in ran.err
    assert all(file.read_bytes() == data for file, data in before.items())
    after = {str(file.relative_to(weights)) for file in weights.rglob("*") if file.is_file() and file not in before}
    assert after == {BOM_NAME, SIGNATURE_NAME, "attestations/bom.sigstore.json"}
    assert sorted(entry.name for entry in weights.parent.iterdir() if "evil" in entry.name) == []


def test_two_files_of_one_name(aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path) -> None:
    digest = add_referrer(registry, signed, SIGNATURE_NAME, b"{}")
    before = sorted(weights.rglob("*"))
    ran = pull(aibom, registry, weights)
    assert ran.code == 3
    assert "two different files are attached" in ran.err
    assert sorted(weights.rglob("*")) == before
    del registry.manifests[digest]
    assert pull(aibom, registry, weights).code == 0


def test_a_file_too_large_is_not_fetched(aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path) -> None:
    layer = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "digest": digest_of(b"x"), "size": 1 << 50}
    digest = add_referrer(registry, signed, "attestations/x.sigstore.json", b"x", layers=[layer])
    ran = pull(aibom, registry, weights)
    assert ran.code == 3
    assert not any("/blobs/" in seen.path for seen in registry.seen)
    del registry.manifests[digest]
    assert pull(aibom, registry, weights).code == 0


def test_what_refers_to_another_artifact_is_not_taken(
    aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path
) -> None:
    """As a list may claim: each manifest is asked for its subject."""
    other = {"mediaType": MANIFEST, "digest": "sha256:" + "0" * 64, "size": 1}
    digest = add_referrer(registry, signed, "attestations/x.sigstore.json", b"x", subject=other)
    entry = {"mediaType": MANIFEST, "digest": digest, "size": len(registry.manifests[digest][1])}
    registry.bend = edited(LIST, lambda document: document["manifests"].append(entry))
    ran = pull(aibom, registry, weights)
    assert ran.code == 0
    assert "its subject is another artifact" in " ".join(ran.err.split())
    assert not (weights / "attestations" / "x.sigstore.json").exists()


def leaked(*registries: OciRegistry) -> list[Seen]:
    """Requests that hold something to be kept secret."""
    basic = base64.b64encode(f"publisher:{PASSWORD}".encode()).decode()
    return [
        seen
        for registry in registries
        for seen in registry.seen
        if any(secret in f"{seen.path} {seen.headers}" for secret in (basic, PASSWORD, "a-token"))
    ]


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("token_service", [False, True])
def test_credentials(aibom: Aibom, registry: OciRegistry, weights: Path, token_service: bool) -> None:
    registry.password, registry.token_service = PASSWORD, token_service
    ran = pull(aibom, registry, weights)
    assert ran.code == 0, ran.err
    assert leaked(registry)
    assert PASSWORD not in ran.out + ran.err


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("token_service", [False, True])
def test_a_wrong_password(aibom: Aibom, registry: OciRegistry, weights: Path, token_service: bool) -> None:
    registry.password, registry.token_service = "another", token_service
    ran = pull(aibom, registry, weights)
    assert ran.code == 3
    said = " ".join(ran.err.split())
    assert "refused access (401 UNAUTHORIZED)" in said
    assert "AIBOM_REGISTRY_PASSWORD" in said
    assert PASSWORD not in said


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "lead",
    [
        lambda url: headers(LIST, Link=f'<{url}/v2/x/referrers/y>; rel="next"'),
        lambda url: at(BLOB, lambda reply: Reply(307, b"", {"Location": f"{url}/v2/x/blobs/y"})),
        lambda url: at(LIST, lambda reply: Reply(302, b"", {"Location": f"{url}/v2/x/referrers/y"})),
    ],
    ids=["pagination", "redirect of a blob", "redirect of the list"],
)
def test_credentials_do_not_go_to_another_host(
    aibom: Aibom, registry: OciRegistry, elsewhere: OciRegistry, weights: Path, lead: Callable[[str], Bend]
) -> None:
    registry.password = PASSWORD
    bend = lead(f"http://{elsewhere.host}")
    registry.bend = lambda seen, reply: reply if reply.status == 401 else bend(seen, reply)
    before = sorted(weights.rglob("*"))
    ran = pull(aibom, registry, weights)
    assert ran.code == 3
    assert leaked(registry)
    assert elsewhere.seen == []
    assert sorted(weights.rglob("*")) == before


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("location", ["http://{other}/upload", "@{other}/upload", "", "http://[::1"])
def test_an_upload_does_not_go_to_another_host(
    aibom: Aibom, registry: OciRegistry, elsewhere: OciRegistry, signed: Path, location: str
) -> None:
    registry.password = PASSWORD
    there = location.format(other=elsewhere.host)

    def bend(seen: Seen, reply: Reply) -> Reply:
        return Reply(202, b"", {"Location": there}) if seen.method == "POST" and reply.status != 401 else reply

    registry.bend = bend
    registry.blobs.clear()
    registry.manifests = {d: m for d, m in registry.manifests.items() if d == registry.tags[NAME, "1.0"]}
    command = ("push", f"{registry.host}/{NAME}:1.0", signed, "--plain-http")
    ran = aibom(*command)
    assert ran.code == 3, ran.err
    assert "hint:" in ran.err
    assert elsewhere.seen == []
    registry.bend = lambda seen, reply: reply
    assert aibom(*command).code == 0


@pytest.mark.usefixtures("credentials")
def test_a_password_is_not_sent_over_plain_http_to_another_machine(
    aibom: Aibom, registry: OciRegistry, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor to a token service with TLS: whoever reads along can forge the challenge that names it."""
    registry.password = PASSWORD
    monkeypatch.setenv("http_proxy", f"http://{registry.host}")  # where registry.example is
    for challenge in ('Basic realm="x"', 'Bearer realm="https://token.example/x",service="y"'):
        registry.bend = headers("/", WWW_Authenticate=challenge)
        ran = aibom("pull", f"registry.example/{NAME}:1.0", weights, "--plain-http")
        assert ran.code == 3
        assert "a password would be sent over plain HTTP" in " ".join(ran.err.split())
    assert registry.seen
    assert leaked(registry) == []


@pytest.mark.parametrize("configuration", ["{", "[]", '{"auths": 7}', '{"auths": {"HOST": {"auth": 7}}}'])
def test_a_docker_configuration_that_is_broken(
    aibom: Aibom, registry: OciRegistry, weights: Path, tmp_path: Path, configuration: str
) -> None:
    registry.password = PASSWORD
    (tmp_path / "home" / ".docker").mkdir(parents=True)
    file = tmp_path / "home" / ".docker" / "config.json"
    file.write_text(configuration.replace("HOST", registry.host))
    ran = pull(aibom, registry, weights)
    assert ran.code == 3
    assert "hint:" in ran.err


def test_without_plain_http_there_is_no_plain_http(aibom: Aibom, registry: OciRegistry, weights: Path) -> None:
    ran = aibom("pull", f"{registry.host}/{NAME}:1.0", weights)
    assert ran.code == 3
    assert "--plain-http" in ran.err
    assert registry.seen == []


def test_a_place_that_cannot_be_written_leaves_nothing(aibom: Aibom, registry: OciRegistry, weights: Path) -> None:
    (weights / "attestations").write_text("a file where a folder must be")
    before = sorted(weights.rglob("*"))
    ran = pull(aibom, registry, weights)
    assert ran.code == 3
    assert sorted(weights.rglob("*")) == before
    (weights / "attestations").unlink()
    assert pull(aibom, registry, weights).code == 0
