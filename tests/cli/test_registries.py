"""`push` and `pull` against a small registry: what arrives, what stays, and what is refused."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from aibom.registry import referrers
from aibom.registry.client import RegistryClient
from aibom.registry.manifests import MANIFEST, Descriptor, describe
from aibom.registry.reference import parse_reference
from aibom.registry.referrers import write_tag
from attest.signing.key import KeyInMemory, KeySigner
from tests.conftest import Ran
from tests.factory import KeyFiles, make_key, make_signed, sign_release
from tests.oci_registry import INDEX, OciRegistry, Reply, Seen, digest_of

Aibom = Callable[..., Ran]
NAMES = (BOM_NAME, SIGNATURE_NAME, BOM_BUNDLE_NAME)
NAME = "models/teller"


@pytest.fixture(params=["api", "tag"])
def registry(request: pytest.FixtureRequest) -> Iterator[OciRegistry]:
    with OciRegistry(referrers_api=request.param == "api") as running:
        running.put_image(NAME, "1.0")
        yield running


@pytest.fixture
def by_tag() -> Iterator[OciRegistry]:
    with OciRegistry(referrers_api=False) as running:
        running.put_image(NAME, "1.0")
        yield running


@pytest.fixture(autouse=True)
def _no_configuration_and_no_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(referrers, "PAUSE", 0)


@pytest.fixture
def weights(tmp_path: Path, signed: Path) -> Path:
    """The release as a buyer has it before its documents come."""
    folder = tmp_path / "bought"
    shutil.copytree(signed, folder, ignore=shutil.ignore_patterns(BOM_NAME, SIGNATURE_NAME, "attestations"))
    return folder


def push(aibom: Aibom, registry: OciRegistry, release: Path, *options: object, tag: str = "1.0") -> Ran:
    return aibom("push", f"{registry.host}/{NAME}:{tag}", release, "--plain-http", *options)


def pull(aibom: Aibom, registry: OciRegistry, release: Path, *options: object, tag: str = "1.0") -> Ran:
    return aibom("pull", f"{registry.host}/{NAME}:{tag}", release, "--plain-http", *options)


def writes(registry: OciRegistry) -> list[str]:
    return [f"{seen.method} {seen.path}" for seen in registry.seen if seen.method not in {"GET", "HEAD"}]


def expect(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran.err
    for word in (*words, "hint:"):
        assert word in ran.err


def test_push_pull_verify(aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path, keys: KeyFiles) -> None:
    pushed = push(aibom, registry, signed)
    assert pushed.code == 0, pushed.err
    assert pushed.err == ""
    pulled = pull(aibom, registry, weights)
    assert pulled.code == 0, pulled.err
    assert "Nothing was verified" in pulled.out
    for name in NAMES:
        assert (weights / name).read_bytes() == (signed / name).read_bytes()
    assert aibom("verify", weights, "--public-key", keys.public).code == 0


def test_pushing_again_changes_nothing(aibom: Aibom, registry: OciRegistry, signed: Path) -> None:
    first = push(aibom, registry, signed)
    assert first.out.count("Attached") == 3
    state = dict(registry.manifests)
    registry.seen.clear()
    again = push(aibom, registry, signed)
    assert again.code == 0
    assert again.out.count("Was there") == 3
    assert writes(registry) == []
    assert registry.manifests == state


def test_weights_are_not_pushed(aibom: Aibom, registry: OciRegistry, signed: Path) -> None:
    before = set(registry.blobs)
    assert push(aibom, registry, signed).code == 0
    expected = {digest_of((signed / name).read_bytes()) for name in NAMES}
    assert set(registry.blobs) - before == expected


def test_a_push_that_broke_off_is_finished_by_the_next(
    aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path
) -> None:
    done: list[str] = []

    def fail_at_the_third_manifest(seen: Seen, reply: Reply) -> Reply:
        if seen.method == "PUT" and "/manifests/" in seen.path:
            done.append(seen.path)
            return Reply(503) if len(done) == 3 else reply
        return reply

    registry.bend = fail_at_the_third_manifest
    expect(push(aibom, registry, signed), 3, "503", "run the command again")
    assert pull(aibom, registry, weights).code in {0, 3}
    registry.bend = lambda seen, reply: reply
    assert push(aibom, registry, signed).code == 0
    assert pull(aibom, registry, weights).code == 0
    assert all((weights / name).exists() for name in NAMES)


def test_the_tag_lists_what_the_api_would(aibom: Aibom, by_tag: OciRegistry, signed: Path) -> None:
    assert push(aibom, by_tag, signed).code == 0
    subject = by_tag.tags[NAME, "1.0"]
    index = by_tag.documents()[by_tag.tags[NAME, subject.replace(":", "-")]]
    assert index["mediaType"] == INDEX
    assert len(index["manifests"]) == 3
    for entry in index["manifests"]:
        manifest = by_tag.documents()[entry["digest"]]
        assert entry["artifactType"] == manifest["artifactType"]
        assert entry["annotations"] == manifest["annotations"]
        assert entry["size"] == len(by_tag.manifests[entry["digest"]][1])


def put_index(registry: OciRegistry, entries: list[dict[str, object]], **more: object) -> None:
    subject = registry.tags[NAME, "1.0"]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries, **more}
    registry.store(NAME, subject.replace(":", "-"), json.dumps(index).encode())


def listed(registry: OciRegistry) -> dict[str, object]:
    return registry.documents()[registry.tags[NAME, registry.tags[NAME, "1.0"].replace(":", "-")]]


THEIRS: dict[str, object] = {
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "digest": "sha256:" + "a" * 64,
    "size": 5,
    "artifactType": "application/vnd.example",
    "annotations": {"certificate": "x" * 5000},
    "platform": {"os": "any"},
}


def test_what_others_put_into_the_tag_stays(aibom: Aibom, by_tag: OciRegistry, signed: Path, weights: Path) -> None:
    longer = {**THEIRS, "digest": "sha512:" + "a" * 128}
    put_index(by_tag, [THEIRS, longer], annotations={"of": "others"})
    assert push(aibom, by_tag, signed).code == 0
    document = listed(by_tag)
    assert isinstance(document["manifests"], list)
    assert document["manifests"][:2] == [THEIRS, longer]
    assert len(document["manifests"]) == 5
    assert document["annotations"] == {"of": "others"}
    assert pull(aibom, by_tag, weights).code == 0


def test_somebody_writes_the_tag_at_the_same_time(aibom: Aibom, by_tag: OciRegistry, signed: Path) -> None:
    raced: list[Seen] = []

    def overwrite_once(seen: Seen, reply: Reply) -> Reply:
        if seen.method == "PUT" and "/manifests/sha256-" in seen.path and not raced:
            raced.append(seen)
            put_index(by_tag, [THEIRS])
        return reply

    by_tag.bend = overwrite_once
    assert push(aibom, by_tag, signed).code == 0
    document = listed(by_tag)
    assert isinstance(document["manifests"], list)
    assert raced
    assert THEIRS in document["manifests"]
    assert len(document["manifests"]) == 4


def test_somebody_writes_the_tag_all_the_time(aibom: Aibom, by_tag: OciRegistry, signed: Path) -> None:
    def overwrite(seen: Seen, reply: Reply) -> Reply:
        if seen.method == "PUT" and "/manifests/sha256-" in seen.path:
            put_index(by_tag, [THEIRS])
        return reply

    by_tag.bend = overwrite
    expect(push(aibom, by_tag, signed), 3, "others write", "run the command again")
    assert len([line for line in writes(by_tag) if "/manifests/sha256-" in line]) == 8


def test_two_write_the_tag_at_once(aibom: Aibom, by_tag: OciRegistry, signed: Path, weights: Path) -> None:
    """Both have read before either writes, and both have written before either looks again: both end up listed."""
    assert push(aibom, by_tag, signed).code == 0
    names = ("first", "second")
    entries = [describe(name.encode(), MANIFEST) for name in names]
    both = {kind: threading.Barrier(2) for kind in ("GET", "PUT")}
    met: dict[str, int] = {"GET": 0, "PUT": 0}

    def meet(seen: Seen, reply: Reply) -> Reply:
        if "/manifests/sha256-" in seen.path and met[seen.method] < 2:
            met[seen.method] += 1
            both[seen.method].wait(timeout=30)
        return reply

    def attach(entry: Descriptor) -> None:
        reference = parse_reference(f"{by_tag.host}/{NAME}:1.0")
        client = RegistryClient(reference, agent="test", plain_http=True)
        found = client.manifest("1.0")
        assert found
        write_tag(client, found[1], [entry])
        client.close()

    by_tag.bend = meet
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(attach, entries))
    assert not any(barrier.broken for barrier in both.values())
    document = listed(by_tag)
    assert isinstance(document["manifests"], list)
    assert {entry["digest"] for entry in document["manifests"]} > {entry.digest for entry in entries}
    assert len(document["manifests"]) == 5


def test_a_registry_in_trouble_while_the_tag_is_written(aibom: Aibom, by_tag: OciRegistry, signed: Path) -> None:
    """docker-registry answers 500 to whoever reads a tag while another writes it."""
    seen_so_far: list[str] = []

    def trouble(seen: Seen, reply: Reply) -> Reply:
        if "/manifests/sha256-" not in seen.path:
            return reply
        seen_so_far.append(seen.method)
        return Reply(500) if len(seen_so_far) in {2, 3} else reply

    by_tag.bend = trouble
    assert push(aibom, by_tag, signed).code == 0
    assert len(seen_so_far) > 4
    by_tag.bend = lambda seen, reply: Reply(500) if "/manifests/sha256-" in seen.path else reply
    expect(push(aibom, by_tag, signed), 3, "(500)", "run the command again")


def test_a_tag_of_that_name_that_is_something_else(aibom: Aibom, by_tag: OciRegistry, signed: Path) -> None:
    subject = by_tag.tags[NAME, "1.0"]
    by_tag.tags[NAME, subject.replace(":", "-")] = subject
    expect(push(aibom, by_tag, signed), 3, "must hold a list of referrers")
    assert writes(by_tag) == []


@pytest.mark.parametrize("status", [400, 405, 501])
def test_other_ways_to_know_no_list(
    aibom: Aibom, by_tag: OciRegistry, signed: Path, weights: Path, status: int
) -> None:
    by_tag.bend = lambda seen, reply: Reply(status) if "/referrers/" in seen.path else reply
    assert "Found by   the tag sha256-" in push(aibom, by_tag, signed).out
    assert pull(aibom, by_tag, weights).code == 0


def test_a_registry_that_lists_and_does_not_say_so(aibom: Aibom, signed: Path, weights: Path) -> None:
    """As go-containerregistry's does: no `OCI-Subject`, and the type of the configuration for that of the artifact."""

    def bend(seen: Seen, reply: Reply) -> Reply:
        reply.headers.pop("OCI-Subject", None)
        if "/referrers/" in seen.path:
            document = json.loads(reply.body)
            for entry in document["manifests"]:
                entry["artifactType"] = "application/vnd.oci.empty.v1+json"
            reply.body = json.dumps(document).encode()
        return reply

    with OciRegistry() as registry:
        registry.put_image(NAME, "1.0")
        registry.bend = bend
        pushed = push(aibom, registry, signed)
        assert "list of referrers" in pushed.out
        assert len(registry.tags) == 1
        assert pull(aibom, registry, weights).code == 0


def test_a_registry_that_takes_and_does_not_list(aibom: Aibom, signed: Path) -> None:
    def bend(seen: Seen, reply: Reply) -> Reply:
        reply.headers.pop("OCI-Subject", None)
        empty = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()
        return Reply(200, empty, {"Content-Type": INDEX}) if "/referrers/" in seen.path else reply

    with OciRegistry() as registry:
        registry.put_image(NAME, "1.0")
        registry.bend = bend
        expect(push(aibom, registry, signed), 3, "does not list it")


def test_pages_are_followed(aibom: Aibom, signed: Path, weights: Path) -> None:
    with OciRegistry() as registry:
        registry.put_image(NAME, "1.0")
        registry.page_size = 1
        assert push(aibom, registry, signed).code == 0
        assert push(aibom, registry, signed).out.count("Was there") == 3
        assert pull(aibom, registry, weights).code == 0
        assert all((weights / name).exists() for name in NAMES)


def test_a_subject_is_made_only_when_asked_for(
    aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path
) -> None:
    expect(push(aibom, registry, signed, tag="2.0"), 3, "no such artifact", "--create")
    assert writes(registry) == []
    digest = f"{registry.host}/{NAME}@sha256:{'0' * 64}"
    expect(aibom("push", digest, signed, "--plain-http", "--create"), 2, "--create needs a tag")
    made = push(aibom, registry, signed, "--create", tag="2.0")
    assert made.code == 0
    assert "without weights" in " ".join(made.err.split())
    subject = registry.documents()[registry.tags[NAME, "2.0"]]
    assert subject["artifactType"] == "application/vnd.aibom.release.v1+json"
    assert [layer["digest"] for layer in subject["layers"]] == [digest_of((signed / BOM_NAME).read_bytes())]
    state = dict(registry.tags)
    assert push(aibom, registry, signed, "--create", tag="2.0").err == ""
    assert registry.tags == state
    assert pull(aibom, registry, weights, tag="2.0").code == 0


def test_by_digest(aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path) -> None:
    reference = f"{registry.host}/{NAME}@{registry.tags[NAME, '1.0']}"
    assert aibom("push", reference, signed, "--plain-http").code == 0
    assert aibom("pull", reference, weights, "--plain-http").code == 0


def test_what_cannot_be_pushed(aibom: Aibom, registry: OciRegistry, release: Path, signed: Path) -> None:
    expect(push(aibom, registry, release), 3, "not signed", "aibom sign")
    expect(push(aibom, registry, signed / "nowhere"), 3, "no such folder")
    (signed / "attestations" / "note.txt").write_text("x")
    expect(push(aibom, registry, signed), 3, "no attestation", "note.txt")
    (signed / "attestations" / "note.txt").rename(signed / "attestations" / "a b.sigstore.json")
    expect(push(aibom, registry, signed), 3, "a b.sigstore.json", "rename")
    (signed / "attestations" / "a b.sigstore.json").rename(signed / "attestations" / "x.sigstore.json")
    expect(push(aibom, registry, signed), 3, "x.sigstore.json", "not JSON")
    assert registry.seen == []
    (signed / "attestations" / "x.sigstore.json").unlink()
    assert push(aibom, registry, signed).code == 0


def test_without_a_bom(aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path) -> None:
    (signed / BOM_NAME).unlink()
    pushed = push(aibom, registry, signed)
    assert pushed.code == 0
    assert "no BOM" in pushed.err
    assert pull(aibom, registry, weights).code == 0
    assert not (weights / BOM_NAME).exists()


def test_documents_in_a_folder_of_their_own(
    aibom: Aibom, registry: OciRegistry, release: Path, keys: KeyFiles, tmp_path: Path
) -> None:
    aside, pulled = tmp_path / "aside", tmp_path / "pulled"
    assert aibom("build", release, "--output-dir", aside).code == 0
    assert aibom("sign", release, "--key", keys.private, "--output-dir", aside).code == 0
    expect(push(aibom, registry, release), 3, "--attached")
    assert push(aibom, registry, release, "--attached", aside).code == 0
    before = sorted(release.rglob("*"))
    expect(pull(aibom, registry, release, "--output-dir", release / "x"), 2, "inside the release")
    ran = pull(aibom, registry, release, "--output-dir", pulled)
    assert ran.code == 0
    assert f"--attached {pulled}" in ran.out
    assert sorted(release.rglob("*")) == before
    assert aibom("verify", release, "--attached", pulled, "--public-key", keys.public).code == 0


def test_a_release_of_one_file(
    aibom: Aibom, registry: OciRegistry, release: Path, keys: KeyFiles, tmp_path: Path
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    for folder in ("one", "two"):
        shutil.copy(release / "model.safetensors", tmp_path / folder / "m.safetensors")
    assert aibom("sign", tmp_path / "one" / "m.safetensors", "--build", "--key", keys.private).code == 0
    assert push(aibom, registry, tmp_path / "one" / "m.safetensors").code == 0
    bought = tmp_path / "two" / "m.safetensors"
    assert pull(aibom, registry, bought).code == 0
    assert (tmp_path / "two" / "m.safetensors.sig").exists()
    assert aibom("verify", bought, "--public-key", keys.public).code == 0


def other_version(folder: Path, session_folder: Path) -> Path:
    """The same release, signed by another key."""
    made = make_signed(folder, session_folder)
    (made / SIGNATURE_NAME).unlink()
    shutil.rmtree(made / "attestations")
    return sign_release(made, KeySigner(KeyInMemory(make_key(number=1))))


def test_another_signature_is_put_in_place_only_when_asked_for(
    aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path, tmp_path: Path, session_folder: Path
) -> None:
    other = other_version(tmp_path / "other", session_folder)
    assert push(aibom, registry, signed).code == 0
    state, tags = dict(registry.manifests), dict(registry.tags)
    expect(push(aibom, registry, other), 3, "another model.sig", "--replace")
    assert (registry.manifests, registry.tags) == (state, tags)
    replaced = push(aibom, registry, other, "--replace")
    assert replaced.code == 0, replaced.err
    assert "Replaced   model.sig" in replaced.out
    assert pull(aibom, registry, weights).code == 0
    assert (weights / SIGNATURE_NAME).read_bytes() == (other / SIGNATURE_NAME).read_bytes()


def test_a_registry_that_removes_nothing(aibom: Aibom, signed: Path, tmp_path: Path, session_folder: Path) -> None:
    other = other_version(tmp_path / "other", session_folder)
    with OciRegistry() as registry:
        registry.put_image(NAME, "1.0")
        assert push(aibom, registry, signed).code == 0
        state = dict(registry.manifests)
        registry.deletes = False
        expect(push(aibom, registry, other, "--replace"), 3, "cannot be replaced", "new version")
        assert registry.manifests == state


def test_nothing_is_overwritten_unasked(aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path) -> None:
    assert push(aibom, registry, signed).code == 0
    (weights / SIGNATURE_NAME).write_bytes(b"mine")
    expect(pull(aibom, registry, weights), 3, "differs", "--force")
    assert (weights / SIGNATURE_NAME).read_bytes() == b"mine"
    assert not (weights / BOM_NAME).exists()
    assert not (weights / "attestations").exists()
    assert pull(aibom, registry, weights, "--force").code == 0
    assert (weights / SIGNATURE_NAME).read_bytes() == (signed / SIGNATURE_NAME).read_bytes()
    assert pull(aibom, registry, weights).out.count("Was there") == 3


def test_no_link_leads_out_of_the_release(
    aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path, tmp_path: Path
) -> None:
    assert push(aibom, registry, signed).code == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "own.txt").write_bytes((signed / SIGNATURE_NAME).read_bytes())
    (weights / "attestations").symlink_to(elsewhere)
    expect(pull(aibom, registry, weights), 3, "symbolic link")
    (weights / "attestations").unlink()
    (weights / SIGNATURE_NAME).symlink_to(elsewhere / "own.txt")
    expect(pull(aibom, registry, weights), 3, "differs")
    assert pull(aibom, registry, weights, "--force").code == 0
    assert not (weights / SIGNATURE_NAME).is_symlink()
    assert sorted(path.name for path in elsewhere.iterdir()) == ["own.txt"]


def test_what_cannot_be_pulled(aibom: Aibom, registry: OciRegistry, weights: Path, tmp_path: Path) -> None:
    expect(pull(aibom, registry, tmp_path / "nowhere"), 3, "no such file or folder")
    expect(pull(aibom, registry, weights), 3, "nothing that aibom pushed")
    expect(pull(aibom, registry, weights, tag="9"), 3, "no such artifact")
    expect(aibom("pull", "teller:1.0", weights), 2, "no reference")


def test_nobody_is_there(aibom: Aibom, signed: Path) -> None:
    with OciRegistry() as registry:
        host = registry.host
    for command in ("push", "pull"):
        expect(aibom(command, f"{host}/{NAME}:1.0", signed, "--plain-http"), 3, "cannot reach", "again", host)


def test_help_does_not_import_what_talks(aibom: Aibom) -> None:
    for command in ("push", "pull"):
        ran = aibom(command, "--help")
        assert ran.code == 0
        assert "--plain-http" in ran.out
        assert "Examples:" in ran.out
        assert f"aibom {command} registry.example/teller:1.0 ./my-model" in ran.out
