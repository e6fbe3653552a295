"""A CI job signs with its own identity, as on each platform, against a private Sigstore instance."""

import builtins
import hashlib
import json
import os
import pty
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from tests.cli import platforms
from tests.conftest import Ran
from tests.sigstore_instance import SigstoreInstance
from tests.sigstore_instance.oidc import PERSON
from tests.sigstore_instance.server import Answer, LoopbackServer, Refused, Request

Aibom = Callable[..., Ran]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def config(sigstore: SigstoreInstance, tmp_path: Path) -> Path:
    file = tmp_path / "trust.json"
    file.write_text(json.dumps(sigstore.trust_config(rekor=2, timestamps=True)))
    return file


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Put this process into a job's environment."""

    def enter(environment: dict[str, str]) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return enter


def everything(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Name → mode, time of change and digest of all that is below, folders included."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        about = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (about.st_mode, about.st_mtime_ns, digest)
    return found


def test_a_github_job_signs_a_checkout_that_it_may_not_write_to(
    aibom: Aibom,
    release: Path,
    config: Path,
    sigstore: SigstoreInstance,
    tmp_path: Path,
    job: Callable[[dict[str, str]], None],
    request: pytest.FixtureRequest,
) -> None:
    for path in release.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    release.chmod(0o555)
    before = everything(release)
    job(platforms.github(sigstore))
    out = tmp_path / "out"
    signed = aibom("sign", release, "--build", "--keyless", "--trust-config", config, "--output-dir", out)
    assert signed.code == 0, signed.err
    assert "as GitHub Actions vouches for it" in signed.err
    assert platforms.REQUEST_TOKEN not in signed.out + signed.err
    assert "eyJ" not in signed.out + signed.err
    assert platforms.GITHUB_IDENTITY in "".join(signed.out.split())  # folded at the width of the terminal
    assert everything(release) == before
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()) == sorted(
        [BOM_NAME, SIGNATURE_NAME, BOM_BUNDLE_NAME]
    )
    request.getfixturevalue("no_network")
    expect = ["--attached", out, "--issuer", sigstore.url, "--trust-config", config, "--identity"]
    accepted = aibom("verify", release, *expect, platforms.GITHUB_IDENTITY)
    assert accepted.code == 0, accepted.out
    other = platforms.GITHUB_IDENTITY.replace("release.yml", "test.yml")
    assert aibom("verify", release, *expect, other).code == 1


def sign_and_verify(aibom: Aibom, release: Path, config: Path, identity: str, issuer: str, platform: str) -> None:
    signed = aibom("sign", release, "--build", "--keyless", "--trust-config", config)
    assert signed.code == 0, signed.err
    assert f"as {platform} vouches for it" in signed.err
    assert "eyJ" not in signed.out + signed.err
    expect = ["--trust-config", config, "--issuer", issuer, "--identity"]
    assert aibom("verify", release, *expect, identity).code == 0
    assert aibom("verify", release, *expect, f"{identity}x").code == 1


def test_a_gitlab_job(
    aibom: Aibom, release: Path, config: Path, sigstore: SigstoreInstance, job: Callable[[dict[str, str]], None]
) -> None:
    job(platforms.gitlab(sigstore))
    sign_and_verify(aibom, release, config, f"https://{platforms.GITLAB_CONFIG}", sigstore.url, "GitLab")


def test_a_buildkite_step(
    aibom: Aibom,
    release: Path,
    config: Path,
    sigstore: SigstoreInstance,
    tmp_path: Path,
    job: Callable[[dict[str, str]], None],
) -> None:
    job(platforms.buildkite(sigstore, tmp_path / "bin"))
    sign_and_verify(aibom, release, config, "https://buildkite.com/octo/models", sigstore.url, "Buildkite")


def test_a_circleci_job(
    aibom: Aibom,
    release: Path,
    config: Path,
    sigstore: SigstoreInstance,
    tmp_path: Path,
    job: Callable[[dict[str, str]], None],
) -> None:
    job(platforms.circleci(sigstore, tmp_path / "bin"))
    identity = "https://circleci.example/org/octo/project/models"
    sign_and_verify(aibom, release, config, identity, sigstore.url, "CircleCI")


@pytest.fixture
def metadata_server(sigstore: SigstoreInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Google's part: a file that names the machine, and a server that every machine knows as `metadata`."""

    def identity(request: Request) -> Answer:
        if request.headers.get("metadata-flavor") != "Google" or request.query.get("audience") != "sigstore":
            raise Refused("asked otherwise", 403)
        return Answer(sigstore.identity_token("builder@octo.iam.example.com").encode(), content_type="text/html")

    server = LoopbackServer()
    server.start({("GET", "/computeMetadata/v1/instance/service-accounts/default/identity"): identity})
    host, port = server.authority.split(":")
    resolve, read = socket.getaddrinfo, builtins.open
    product = tmp_path / "product_name"
    product.write_text("Google Compute Engine\n")

    def resolve_metadata(name: Any, *rest: Any, **more: Any) -> Any:
        if name == "metadata":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, int(port)))]
        return resolve(name, *rest, **more)

    def read_product(path: Any, *rest: Any, **more: Any) -> Any:
        return read(product if path == "/sys/class/dmi/id/product_name" else path, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_metadata)
    monkeypatch.setattr(builtins, "open", read_product)
    yield
    server.stop()


def test_a_machine_of_google_cloud(
    aibom: Aibom, release: Path, config: Path, sigstore: SigstoreInstance, metadata_server: None
) -> None:
    sign_and_verify(aibom, release, config, "builder@octo.iam.example.com", sigstore.url, "Google Cloud")


def test_a_token_at_hand_goes_before_the_job_s_own(
    aibom: Aibom,
    release: Path,
    config: Path,
    sigstore: SigstoreInstance,
    monkeypatch: pytest.MonkeyPatch,
    job: Callable[[dict[str, str]], None],
) -> None:
    job(platforms.github(sigstore))
    monkeypatch.setenv("SIGSTORE_IDENTITY_TOKEN", sigstore.identity_token("release@example.com"))
    signed = aibom("sign", release, "--build", "--keyless", "--trust-config", config)
    assert signed.code == 0
    assert "the identity token from SIGSTORE_IDENTITY_TOKEN" in signed.err
    assert "release@example.com" in signed.out


MISSING = {
    "github without permission": ({"GITHUB_ACTIONS": "true"}, "GitHub Actions gave this job no", "id-token: write"),
    "github without an address": (
        {"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": platforms.REQUEST_TOKEN},
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "id-token: write",
    ),
    "gitlab without id_tokens": ({"GITLAB_CI": "true"}, "SIGSTORE_ID_TOKEN not found", "`id_tokens:`"),
    "gitlab with garbage": ({"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": "glsecret"}, "Malformed token", "`id_tokens:`"),
    "buildkite without its agent": ({"BUILDKITE": "true", "PATH": ""}, "could not find Buildkite agent", "buildkite-"),
    "circleci without its command": ({"CIRCLECI": "true", "PATH": ""}, "could not find `circleci`", "circleci run"),
}


@pytest.mark.parametrize("case", MISSING, ids=list(MISSING))
def test_a_platform_that_does_not_vouch(
    aibom: Aibom, release: Path, config: Path, case: str, job: Callable[[dict[str, str]], None]
) -> None:
    environment, told, fix = MISSING[case]
    job(environment)
    refused(aibom, release, config, told, fix)


def refused(aibom: Aibom, release: Path, config: Path, *told: str) -> Ran:
    before = everything(release)
    ran = aibom("sign", release, "--build", "--keyless", "--trust-config", config)
    words = " ".join(ran.err.split())
    assert ran.code == 3, words
    assert [word for word in told if word not in words] == [], words
    assert platforms.REQUEST_TOKEN not in words
    assert "glsecret" not in words
    assert "eyJ" not in words
    assert everything(release) == before
    return ran


ANSWERS = {
    "refuses": (Answer(b'{"message": "no runner-secret-that-nobody-may-see"}', 403), "code=403"),
    "answers in HTML": (Answer(b"<html>sign in</html>"), "malformed or incomplete JSON"),
    "gives a token for somebody else": (Answer(b'{"value": "e30.eyJhdWQiOiAibm9ib2R5In0.e30"}'), "nobody"),
    "gives something else": (Answer(b'{"value": "glsecret"}'), "Malformed token"),
}


@pytest.mark.parametrize("case", ANSWERS, ids=list(ANSWERS))
def test_a_token_service_that_fails_half_way(
    aibom: Aibom, release: Path, config: Path, case: str, job: Callable[[dict[str, str]], None]
) -> None:
    answer, told = ANSWERS[case]
    server = LoopbackServer()
    server.start({("GET", "/token"): lambda _: answer})
    try:
        address = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{server.url}/token?api-version=2.0"}
        secret = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": platforms.REQUEST_TOKEN}
        job({"GITHUB_ACTIONS": "true", **address, **secret})
        refused(aibom, release, config, "GitHub Actions gave this job no identity token", told, "id-token: write")
    finally:
        server.stop()


def test_without_any_identity_every_way_to_one_is_named(aibom: Aibom, release: Path, config: Path) -> None:
    ways = ["SIGSTORE_IDENTITY_TOKEN", "--identity-token-file", "id-token: write", "id_tokens", "docs/ci.md", "browser"]
    refused(aibom, release, config, "there is no identity token", *ways)


def test_a_wish_that_is_none(aibom: Aibom, release: Path, config: Path, job: Callable[[dict[str, str]], None]) -> None:
    job({"AIBOM_LOGIN": "yes"})
    ran = aibom("sign", release, "--build", "--keyless", "--trust-config", config)
    assert ran.code == 2
    assert "browser, code, never" in ran.err


def test_a_job_whose_token_ran_out_while_files_were_read_gets_another(
    sigstore: SigstoreInstance, job: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sigstore.oidc import IdentityToken

    from attest.signing.identity import ambient_identity

    job(platforms.github(sigstore))
    source = ambient_identity()
    assert source is not None
    first = source.token()
    assert source.token() is first
    monkeypatch.setattr(IdentityToken, "in_validity_period", lambda token: token is not first)
    again = source.token()
    assert again is not first
    assert again.identity == first.identity


BROWSER = """
import sys, urllib.request
urllib.request.urlopen(sys.argv[1]).read()
"""


def on_terminal(command: list[object], environment: dict[str, str], typed: Callable[[str], str]) -> tuple[int, str]:
    """Run our command with a terminal as standard input and error; `typed` answers what it shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "aibom", *map(str, command)],
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**environment, "PYTHONPATH": str(ROOT), "NO_PROXY": "*"},
    )
    os.close(theirs)
    shown = ""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk.decode(errors="replace")
            answer = typed(shown)
            if answer:
                os.write(ours, f"{answer}\n".encode())
    except OSError:
        pass  # how Linux says that the other side of a terminal is gone
    os.close(ours)
    return process.wait(), shown


def login_command(release: Path, config: Path, wish: str, tmp_path: Path) -> tuple[list[object], dict[str, str]]:
    script = tmp_path / "browser.py"
    script.write_text(BROWSER)
    command: list[object] = ["sign", release, "--build", "--keyless", "--trust-config", config]
    return command, {
        **platforms.clean_environment(),
        "BROWSER": f"{sys.executable} {script} %s",
        **({"AIBOM_LOGIN": wish} if wish else {}),
    }


def test_a_person_logs_in_with_a_browser(
    aibom: Aibom, release: Path, config: Path, sigstore: SigstoreInstance, tmp_path: Path
) -> None:
    command, environment = login_command(release, config, "", tmp_path)
    code, shown = on_terminal(command, environment, lambda _: "")
    assert code == 0, shown
    assert f"{PERSON}: a login at {sigstore.url}" in shown
    assert "eyJ" not in shown
    expect = ["--identity", PERSON, "--issuer", sigstore.url, "--trust-config", config]
    assert aibom("verify", release, *expect).code == 0


def test_a_person_without_a_browser_types_a_code(
    aibom: Aibom, release: Path, config: Path, sigstore: SigstoreInstance, tmp_path: Path
) -> None:
    typed: list[str] = []

    def answer(shown: str) -> str:
        address = re.search(r"(http://\S+)\s", shown)
        if typed or not address or "verification code" not in shown:
            return ""
        page: str = urllib.request.urlopen(address.group(1)).read().decode()  # noqa: S310 -- of our own instance
        typed.append(page.rpartition(" ")[2])
        return typed[0]

    command, environment = login_command(release, config, "code", tmp_path)
    code, shown = on_terminal(command, environment, answer)
    assert code == 0, shown
    assert typed
    expect = ["--identity", PERSON, "--issuer", sigstore.url, "--trust-config", config]
    assert aibom("verify", release, *expect).code == 0


@pytest.mark.parametrize("wish", ["never", ""], ids=["never", "in a CI job"])
def test_nobody_is_asked(release: Path, config: Path, tmp_path: Path, wish: str) -> None:
    command, environment = login_command(release, config, wish, tmp_path)
    code, shown = on_terminal(command, {**environment, "CI": "true"}, lambda _: "")
    assert code == 3
    assert "there is no identity token" in shown
    assert not (release / SIGNATURE_NAME).exists()
