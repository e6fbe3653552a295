"""Whatever goes wrong on the way to a keyless signature: said clearly, nothing written, no secret shown."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

import attest.signing.bounded
from tests.conftest import Ran
from tests.sigstore_instance import SigstoreInstance
from tests.sigstore_instance.server import Answer, LoopbackServer, Request

Aibom = Callable[..., Ran]
IDENTITY = "release@example.com"
AUTHORITY, LOG, TIME = "(Fulcio)", "(Rekor)", "the timestamp authority"
# Key in the signing configuration, generation of Rekor, words for the service.
SERVICES = {
    "fulcio": ("caUrls", 1, AUTHORITY),
    "rekor 1": ("rekorTlogUrls", 1, LOG),
    "rekor 2": ("rekorTlogUrls", 2, LOG),
    "tsa": ("tsaUrls", 2, TIME),
    "tsa beside rekor 1": ("tsaUrls", 1, TIME),
}


class Attempt:
    """Signs with a configuration of which one thing is bent, and knows what must not have happened."""

    def __init__(self, aibom: Aibom, release: Path, folder: Path, sigstore: SigstoreInstance) -> None:
        self._aibom, self._release, self._folder, self._sigstore = aibom, release, folder, sigstore

    def sign(self, document: dict[str, Any], token: str = "") -> Ran:
        config, file = self._folder / "trust.json", self._folder / "token"
        config.write_text(json.dumps(document))
        file.write_text(token or self._sigstore.identity_token(IDENTITY))
        options = ["--build", "--keyless", "--trust-config", config, "--identity-token-file", file]
        return self._aibom("sign", self._release, *options)

    def fails(self, document: dict[str, Any], token: str = "") -> str:
        before = sorted(self._release.rglob("*"))
        ran = self.sign(document, token)
        words = " ".join(ran.err.split())
        assert ran.code == 3, words
        assert words.count("error:") == 1
        assert "hint:" in words
        assert "eyJ" not in words
        assert (token or "eyJ") not in words
        assert sorted(self._release.rglob("*")) == before
        return words


@pytest.fixture
def attempt(aibom: Aibom, release: Path, tmp_path: Path, sigstore: SigstoreInstance) -> Attempt:
    return Attempt(aibom, release, tmp_path, sigstore)


def bent(sigstore: SigstoreInstance, service: str, url: str) -> dict[str, Any]:
    key, rekor, _ = SERVICES[service]
    document = sigstore.trust_config(rekor=rekor, timestamps=True)
    document["signingConfig"][key][0]["url"] = url
    return document


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("service", SERVICES)
def test_one_service_is_down_and_the_others_are_up(
    attempt: Attempt, sigstore: SigstoreInstance, service: str, closed_port: str
) -> None:
    words = attempt.fails(bent(sigstore, service, closed_port))
    assert SERVICES[service][2] in words
    assert closed_port in words
    assert "run the same command again" in words
    assert "cannot be reached: Connection refused" in words
    _, rekor, _ = SERVICES[service]
    unbent = attempt.sign(sigstore.trust_config(rekor=rekor, timestamps=True))
    assert unbent.code == 0, unbent.err


@pytest.fixture
def silent() -> Iterator[str]:
    """A service that takes a connection, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("service", ["fulcio", "rekor 1", "rekor 2"])
def test_a_service_that_hangs_is_not_waited_for(
    attempt: Attempt, sigstore: SigstoreInstance, service: str, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attest.signing.bounded, "SECONDS", 0.5)
    words = attempt.fails(bent(sigstore, service, silent))
    assert f"{SERVICES[service][2]} did not answer in time" in words
    assert "run the same command again" in words


def serve(answer: Callable[[Request], Answer]) -> LoopbackServer:
    server = LoopbackServer()
    paths = ("/api/v2/signingCert", "/api/v1/log/entries", "/api/v2/log/entries", "/api/v1/timestamp", "/")
    server.start({("POST", path): answer for path in paths})
    return server


ANSWERS = {
    "an error": (Answer(b'{"code": 13, "message": "the disk is full"}', 500), "answered 500"),
    "an error in HTML": (Answer(b"<html>Bad Gateway</html>", 502, "text/html"), "answered 502"),
    "HTML": (Answer(b"<html>Welcome</html>", 200, "text/html"), "cannot be used"),
    "another document": (Answer(b'{"hello": 1}', 200), "cannot be used"),
    "a list": (Answer(b"[]", 200), "cannot be used"),
    "nothing": (Answer(b"", 200), "cannot be used"),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("service", ["fulcio", "rekor 1", "rekor 2", "tsa"])
def test_a_service_that_answers_something_else(
    attempt: Attempt, sigstore: SigstoreInstance, service: str, answer: str
) -> None:
    given, told = ANSWERS[answer]
    server = serve(lambda _: given)
    try:
        words = attempt.fails(bent(sigstore, service, server.url))
    finally:
        server.stop()
    assert SERVICES[service][2] in words
    assert "run the same command again" in words
    assert told.replace("cannot be used", "is not one" if service == "tsa" else "cannot be used") in words
    assert ("the disk is full" in words) == (answer == "an error")


def test_a_timestamp_authority_that_wants_a_login(attempt: Attempt, sigstore: SigstoreInstance) -> None:
    server = serve(lambda _: Answer(b"", 401))
    try:
        words = attempt.fails(bent(sigstore, "tsa", server.url))
    finally:
        server.stop()
    assert "the timestamp authority did not sign: it answered 401" in words
    assert "tsaUrls" in words
    assert "again" not in words


def test_a_timestamp_authority_that_fails_once(attempt: Attempt, sigstore: SigstoreInstance) -> None:
    """It had to be asked again to find out why; that it answers now is said."""
    asked: list[Request] = []

    def recover(request: Request) -> Answer:
        asked.append(request)
        return Answer(b"", 503) if len(asked) == 1 else proxied(request)

    def proxied(request: Request) -> Answer:
        answer = requests.post(
            f"{sigstore.url}/api/v1/timestamp",
            request.body,
            headers={"Content-Type": "application/timestamp-query"},
            timeout=60,
        )
        return Answer(answer.content, 201, "application/timestamp-reply")

    server = serve(recover)
    try:
        words = attempt.fails(bent(sigstore, "tsa", f"{server.url}/api/v1/timestamp"))
    finally:
        server.stop()
    assert "gave no timestamp, and gives one now" in words
    assert "run the same command again" in words
    assert len(asked) >= 2


def test_what_a_service_repeats_of_the_token_is_not_shown(attempt: Attempt, sigstore: SigstoreInstance) -> None:
    def repeat(request: Request) -> Answer:
        return Answer(json.dumps({"message": f"refused: {request.headers['authorization']}"}).encode(), 401)

    server = serve(repeat)
    try:
        words = attempt.fails(bent(sigstore, "fulcio", server.url))
    finally:
        server.stop()
    assert "it answered 401: refused: Bearer (token)" in words
    assert "get a fresh identity token" in words


def test_a_user_and_password_in_an_address_are_not_shown(attempt: Attempt, sigstore: SigstoreInstance) -> None:
    words = attempt.fails(bent(sigstore, "fulcio", "http://user:hunter2@127.0.0.1:9"))
    assert "http://127.0.0.1:9" in words
    assert "hunter2" not in words


def test_the_second_of_two_signatures_is_refused(attempt: Attempt, sigstore: SigstoreInstance) -> None:
    """The model signature was made and logged; the attestation of the BOM was not: neither is written."""
    asked: list[int] = []

    def once(request: Request) -> Answer:
        asked.append(len(asked))
        if len(asked) > 1:
            return Answer(b'{"code": 503, "message": "overloaded"}', 503)
        onward = urllib.request.Request(  # noqa: S310 -- to our own instance
            f"{sigstore.url}{request.path}", request.body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(onward) as reply:  # noqa: S310
            return Answer(reply.read(), reply.status)

    server = serve(once)
    try:
        words = attempt.fails(bent(sigstore, "rekor 1", server.url))
    finally:
        server.stop()
    assert asked == [0, 1]
    assert "it answered 503: overloaded" in words


TOKENS: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"lifetime": -60}, "it expired at 20"),
    "for another audience": ({"aud": "https://vault.example"}, "it is for the audience 'https://vault.example'"),
    "for no audience": ({"aud": []}, "it is for the audience '[]'"),
    "from the future": ({"iat": 9_000_000_000, "exp": 9_000_000_300}, "it is valid only from 2255-"),
    "not yet": ({"nbf": 9_000_000_000, "exp": 9_000_000_300}, "it is valid only from 2255-"),
    "without a subject": ({"sub": None}, "it lacks what every identity token has"),
    "with no time that makes sense": ({"exp": "tomorrow"}, "it lacks what every identity token has"),
}


@pytest.mark.parametrize("case", TOKENS)
def test_a_token_that_cannot_be_used(attempt: Attempt, sigstore: SigstoreInstance, case: str) -> None:
    claims, told = TOKENS[case]
    words = attempt.fails(sigstore.trust_config(), sigstore.identity_token(IDENTITY, **claims))
    assert told in words
    assert "get a fresh token with the audience 'sigstore'" in words
    if told.startswith(("it expired", "it is valid")):
        assert f"this machine's clock says {datetime.now(UTC).year}" in words


def test_a_token_that_expires_while_the_files_are_read(
    attempt: Attempt, sigstore: SigstoreInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attest.signing.keyless import KeylessSigner

    sign = KeylessSigner.sign

    def late(signer: KeylessSigner, payload: bytes) -> bytes:
        monkeypatch.setattr(KeylessSigner, "sign", sign)
        time.sleep(1.1)
        return signer.sign(payload)

    monkeypatch.setattr(KeylessSigner, "sign", late)
    words = attempt.fails(sigstore.trust_config(), sigstore.identity_token(IDENTITY, lifetime=1))
    assert "the identity token has expired" in words


def ago(**parts: int) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) - timedelta(**parts)


CLOCKS: dict[str, tuple[dict[str, Any], str]] = {
    "a certificate from the past": ({"fulcio_clock": ago(hours=2)}, "the certificate had expired when it arrived"),
    "a certificate from the future": ({"fulcio_clock": ago(hours=-2)}, "does not verify"),
    "a timestamp from the past": ({"tsa_clock": ago(hours=2)}, "does not verify"),
    "a timestamp from the future": ({"tsa_clock": ago(hours=-2)}, "does not verify"),
}


@pytest.mark.parametrize("case", CLOCKS)
def test_clocks_that_are_far_apart(aibom: Aibom, release: Path, tmp_path: Path, case: str) -> None:
    """Logged and signed, and worthless to any buyer: not written."""
    clocks, told = CLOCKS[case]
    with SigstoreInstance(**clocks) as skewed:
        words = Attempt(aibom, release, tmp_path, skewed).fails(skewed.trust_config(rekor=2, timestamps=True))
    assert told in words
    if "expired" in told:
        year, gone = datetime.now(UTC).year, ago(hours=1, minutes=50)()
        assert "it is valid from 20" in words
        assert f" to {gone:%Y-%m-%dT%H:}" in words
        assert f"and this computer has {year}-" in words
    assert "check that the clocks of this machine and of the services agree" in words


def test_services_that_do_not_belong_to_the_trust_configuration(
    aibom: Aibom, release: Path, tmp_path: Path, sigstore: SigstoreInstance
) -> None:
    with SigstoreInstance() as other:
        document = other.trust_config()
        document["signingConfig"] = sigstore.signing_config()
        words = Attempt(aibom, release, tmp_path, sigstore).fails(document)
    assert AUTHORITY in words


def test_a_trust_configuration_without_services(attempt: Attempt, sigstore: SigstoreInstance) -> None:
    for key in ("caUrls", "rekorTlogUrls"):
        document = sigstore.trust_config()
        document["signingConfig"][key] = []
        assert "not a Sigstore client trust configuration" in attempt.fails(document)


def test_rekor_2_without_any_timestamp_would_never_verify(attempt: Attempt, sigstore: SigstoreInstance) -> None:
    words = attempt.fails(sigstore.trust_config(rekor=2, timestamps=False))
    assert "this log gives no time, and no timestamp authority is configured" in words
