"""What a time-stamping authority may answer, over HTTP on loopback; each bent answer comes from an accepted one."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from aibom.core.errors import SigningError, UsageError
from attest.signing.timestamps import TimestampService, load_timestamp_roots
from tests.authority import HOUR, make_root
from tests.factory import private_pem
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
    return caught.value


def says_to_retry(error: SigningError) -> bool:
    return "again" in error.hint


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


STATUSES = {
    204: "check that --timestamp-url",
    302: "check that --timestamp-url",  # without a Location
    400: "check that --timestamp-url",
    401: "wants a login",
    403: "wants a login",
    404: "check that --timestamp-url",
    429: "again later",
    500: "again later",
    503: "again later",
}


@pytest.mark.parametrize("status", STATUSES)
def test_another_status(authority: TimestampAuthority, status: int) -> None:
    """Even above a body that would be accepted; and only what may pass is worth another attempt."""

    def serve(request: Request) -> Answer:
        return Answer(authority.reply(request.body), status)

    error = failed(serve)
    assert f"HTTP status {status}" in error.message
    assert STATUSES[status] in error.hint
    assert says_to_retry(error) == ("again" in STATUSES[status])


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://user:secret@tsa.example/new", "elsewhere: https://tsa.example/new"),
        ("https://tsa.example/" + "x" * 5000, "elsewhere: https://tsa.example/xxx"),
        ("https://[::1", "elsewhere: at an address that is none"),
    ],
)
def test_an_authority_that_has_moved(authority: TimestampAuthority, location: str, told: str) -> None:
    error = failed(lambda request: Answer(authority.reply(request.body), 301, headers={"Location": location}))
    assert told in error.message
    assert "secret" not in error.message
    assert len(error.message) < 400
    assert "give it as --timestamp-url" in error.hint
    assert not says_to_retry(error)


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b"\x30\x82", b"\x30\x03\x02\x01\x00", b"{}"])
def test_rubbish(body: bytes) -> None:
    error = failed(answers(body))
    assert "not a timestamp" in error.message
    assert "check that --timestamp-url" in error.hint
    assert not says_to_retry(error)


def test_a_cut_or_prolonged_answer(authority: TimestampAuthority) -> None:
    def cut(request: Request) -> Answer:
        return Answer(authority.reply(request.body)[:-7])

    def prolonged(request: Request) -> Answer:
        return Answer(authority.reply(request.body) + b"\0")

    for serve in (cut, prolonged):
        assert "not a timestamp" in failed(serve).message


def test_the_body_of_a_redirect_is_not_read() -> None:
    """It may have no end. The rest of this one never comes: who waits for it, sees the time run out."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: https://tsa.example/\r\nContent-Length: 9999\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        taken = pool.submit(_begin, server, moved)
        with pytest.raises(SigningError, match="is elsewhere"):
            TimestampService(f"http://127.0.0.1:{server.getsockname()[1]}/", seconds=1).stamp(MESSAGE)
        taken.result().close()


def _begin(server: socket.socket, answer: bytes) -> socket.socket:
    connection, _ = server.accept()
    connection.sendall(answer)
    return connection


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
    error = failed(honest(authority), other)
    assert "does not hold against --timestamp-ca" in error.message
    assert f"by {authority.chain[0].subject.rfc4514_string()!r}" in error.message
    assert "check --timestamp-ca" in error.hint
    assert other.chain[-1].subject.rfc4514_string() in error.hint
    assert not says_to_retry(error)


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
        with pytest.raises(SigningError, match="cannot be reached: Connection refused") as caught:
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
            with pytest.raises(SigningError, match="did not answer in time"):
                TimestampService(url, seconds=0.1).stamp(MESSAGE)
        finally:
            done.set()


def test_a_name_that_nobody_has() -> None:
    """Reserved by RFC 6761: no resolver may know it."""
    with pytest.raises(SigningError, match=r"cannot be reached: .*(ame|resolution)") as caught:
        TimestampService("http://tsa.invalid/").stamp(MESSAGE)
    assert "check the network" in caught.value.hint


def test_an_authority_behind_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    host = make_root().issue("tsa", 20, names=(x509.IPAddress(ipaddress.ip_address("127.0.0.1")),))
    (tmp_path / "host.pem").write_bytes(host.pem)
    (tmp_path / "host.key").write_bytes(private_pem(host.key, ""))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "host.pem", tmp_path / "host.key")
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_greet, args=(server, context))
        thread.start()
        with pytest.raises(SigningError, match="certificate verify failed") as caught:
            TimestampService(f"https://127.0.0.1:{server.getsockname()[1]}/").stamp(MESSAGE)
        thread.join()
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint


def _greet(server: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        context.wrap_socket(server.accept()[0], server_side=True).close()


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
