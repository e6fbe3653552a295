"""What a time-stamping authority may answer, over HTTP on loopback; each bent answer comes from an accepted one."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography.hazmat.primitives.serialization import Encoding

from aibom.core.errors import SigningError, UsageError
from attest.signing.timestamps import TimestampService, load_timestamp_roots
from tests.authority import HOUR, make_root
from tests.sigstore_instance.server import Answer, LoopbackServer, Request
from tests.sigstore_instance.timestamps import TimestampAuthority

Serve = Callable[[Request], Answer]
MESSAGE = b"a signature"
NOW = datetime.now(UTC).replace(microsecond=0)
ACCEPTED = 200


@pytest.fixture(scope="module")
def authority() -> TimestampAuthority:
    return TimestampAuthority(lambda: NOW - HOUR)


@contextmanager
def serving(serve: Serve) -> Iterator[str]:
    server = LoopbackServer()
    server.start({("POST", "/stamp"): serve})
    try:
        yield f"{server.url}/stamp"
    finally:
        server.stop()


def answers(body: bytes, status: int = ACCEPTED) -> Serve:
    return lambda _: Answer(body, status, "application/timestamp-reply")


def honest(authority: TimestampAuthority) -> Serve:
    return lambda request: Answer(authority.reply(request.body), ACCEPTED, "application/timestamp-reply")


def asked(authority: TimestampAuthority, bend: Callable[[tsp.TimeStampReq], None]) -> Serve:
    """Answer another request than the one that came."""

    def serve(request: Request) -> Answer:
        query = tsp.TimeStampReq.load(request.body)
        bend(query)
        return Answer(authority.reply(query.dump(force=True)), ACCEPTED)

    return serve


def failed(serve: Serve, roots: TimestampAuthority | None = None) -> SigningError:
    with serving(serve) as url, pytest.raises(SigningError) as caught:
        TimestampService(url, roots.chain[-1:] if roots else ()).stamp(MESSAGE)
    assert caught.value.where == url
    assert "nothing was written" in caught.value.hint
    assert "run the same command again" in caught.value.hint
    return caught.value


def test_an_honest_answer(authority: TimestampAuthority) -> None:
    seen: list[Request] = []

    def serve(request: Request) -> Answer:
        seen.append(request)
        return honest(authority)(request)

    with serving(serve) as url:
        for roots in ((), authority.chain[-1:]):
            stamp = TimestampService(url, roots).stamp(MESSAGE)
            assert stamp.time == NOW - HOUR
            assert stamp.response.startswith(b"\x30")
    first, second = (tsp.TimeStampReq.load(request.body) for request in seen)
    assert first["nonce"].native != second["nonce"].native
    assert first["cert_req"].native
    assert seen[0].headers["content-type"] == "application/timestamp-query"
    assert MESSAGE not in seen[0].body


def test_who_checks_the_authority_is_said(authority: TimestampAuthority) -> None:
    assert "unchecked" in TimestampService("https://tsa.example").describe()
    assert "unchecked" not in TimestampService("https://tsa.example", authority.chain[-1:]).describe()


@pytest.mark.parametrize("status", [204, 302, 400, 401, 404, 429, 500, 503])
def test_another_status(authority: TimestampAuthority, status: int) -> None:
    """Even above a body that would be accepted."""

    def serve(request: Request) -> Answer:
        return Answer(authority.reply(request.body), status)

    assert f"HTTP status {status}" in failed(serve).message


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b"\x30\x82", b"\x30\x03\x02\x01\x00", b"{}"])
def test_rubbish(body: bytes) -> None:
    assert "not a timestamp" in failed(answers(body)).message


def test_a_cut_or_prolonged_answer(authority: TimestampAuthority) -> None:
    def cut(request: Request) -> Answer:
        return Answer(authority.reply(request.body)[:-7])

    def prolonged(request: Request) -> Answer:
        return Answer(authority.reply(request.body) + b"\0")

    for serve in (cut, prolonged):
        assert "not a timestamp" in failed(serve).message


def test_an_answer_without_end() -> None:
    assert "longer than" in failed(answers(b"\x30" * 300_000)).message


def test_a_refusal_says_why() -> None:
    error = failed(answers(b"\x30\x0f\x30\x0d\x02\x01\x02\x30\x08\x0c\x06no way"))
    assert "it refused" in error.message
    assert "no way" in error.message


def test_another_nonce(authority: TimestampAuthority) -> None:
    def bend(query: tsp.TimeStampReq) -> None:
        query["nonce"] = query["nonce"].native ^ 1

    assert "another request" in failed(asked(authority, bend)).message


def test_no_nonce(authority: TimestampAuthority) -> None:
    def bend(query: tsp.TimeStampReq) -> None:
        query["nonce"] = None

    assert "another request" in failed(asked(authority, bend)).message


def test_another_digest(authority: TimestampAuthority) -> None:
    def bend(query: tsp.TimeStampReq) -> None:
        query["message_imprint"]["hashed_message"] = bytes(32)

    assert "something else" in failed(asked(authority, bend)).message


def test_no_certificate(authority: TimestampAuthority) -> None:
    def bend(query: tsp.TimeStampReq) -> None:
        query["cert_req"] = False

    assert "certificate" in failed(asked(authority, bend)).message


def test_an_authority_that_is_not_the_expected_one(authority: TimestampAuthority) -> None:
    with serving(honest(authority)) as url:
        TimestampService(url, authority.chain[-1:]).stamp(MESSAGE)
    other = TimestampAuthority(lambda: NOW)
    assert "--timestamp-ca" in failed(honest(authority), other).message


def test_a_damaged_signature_of_the_expected_authority(authority: TimestampAuthority) -> None:
    def damaged(request: Request) -> Answer:
        body = bytearray(authority.reply(request.body))
        body[-5] ^= 1
        return Answer(bytes(body))

    assert "--timestamp-ca" in failed(damaged, authority).message


def test_an_authority_that_cannot_be_reached() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused, and nobody else takes it
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
        with pytest.raises(SigningError, match="cannot be reached") as caught:
            TimestampService(url).stamp(MESSAGE)
    assert caught.value.where == url
    assert "run the same command again" in caught.value.hint


def test_an_authority_that_never_answers() -> None:
    done = threading.Event()

    def hang(_: Request) -> Answer:
        done.wait()
        return Answer(b"")

    with serving(hang) as url:
        try:
            with pytest.raises(SigningError, match="cannot be reached"):
                TimestampService(url, seconds=0.1).stamp(MESSAGE)
        finally:
            done.set()


@pytest.mark.parametrize(
    "url", ["", "tsa.example", "ftp://tsa.example", "file:///etc/passwd", "https://", "https://user:secret@tsa.example",
            "https://[::1", "http://tsa.example:port/"]
)  # fmt: skip
def test_addresses_that_are_none(url: str) -> None:
    TimestampService("https://tsa.example/x?y")
    with pytest.raises(UsageError) as caught:
        TimestampService(url)
    assert caught.value.where == "--timestamp-url"
    assert "user:" not in f"{caught.value.message}{caught.value.hint}"


def test_roots_are_read_from_pem(tmp_path: Path) -> None:
    root = make_root().certificate
    file = tmp_path / "tsa.pem"
    file.write_bytes(root.public_bytes(Encoding.PEM))
    assert load_timestamp_roots(file) == (root,)
    file.write_bytes(b"rubbish")
    with pytest.raises(SigningError, match="PEM"):
        load_timestamp_roots(file)
