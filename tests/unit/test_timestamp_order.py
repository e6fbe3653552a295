"""Certificates in a timestamp that are not in DER's order: as `openssl ts` writes them, and bent by hand."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

from aibom.core.errors import SigningError
from attest.certificate_chain import Authorities
from attest.signing.timestamps import TimestampService
from attest.timestamp_response import in_der_order
from tests.authority import HOUR, Certified, make_root
from tests.factory import private_pem
from tests.sigstore_instance.server import Answer, LoopbackServer, Request
from tests.sigstore_instance.timestamps import TimestampAuthority
from verify.timestamp import TimestampAuthority as Expected
from verify.timestamp import verify_timestamps

MESSAGE = b"a signature"
NOW = datetime.now(UTC).replace(microsecond=0)
CONFIGURATION = """\
[tsa]
default_tsa = stamp
[stamp]
serial = serial
signer_cert = signer.pem
certs = chain.pem
signer_key = signer.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.57264.2
digests = sha256
ess_cert_id_alg = sha256
"""


@contextmanager
def serving(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    def serve(request: Request) -> Answer:
        return Answer(answer(request.body), 200, "application/timestamp-reply")

    server = LoopbackServer()
    server.start({("POST", "/stamp"): serve})
    try:
        yield f"{server.url}/stamp"
    finally:
        server.stop()


def stamped(answer: Callable[[bytes], bytes], *roots: x509.Certificate) -> bytes:
    with serving(answer) as url:
        return TimestampService(url, roots).stamp(MESSAGE).response


def verified(token: bytes, root: x509.Certificate) -> bool:
    return bool(verify_timestamps([token], MESSAGE, [Expected(authorities=Authorities((root,)))]).verified)


def request() -> bytes:
    builder = TimestampRequestBuilder().data(MESSAGE).hash_algorithm(HashAlgorithm.SHA256)
    return builder.cert_request(cert_request=True).build().as_bytes()


class OpensslAuthority:
    """`openssl ts`, with a configuration as its manual has it: the issuer's certificate after the signer's."""

    def __init__(self, folder: Path) -> None:
        tool = shutil.which("openssl")
        if tool is None:
            pytest.skip("no openssl: install it (Debian: apt-get install openssl)")
        self._tool, self._folder = tool, folder
        usage = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)
        self.root = make_root()
        # Longer than its issuer's certificate, as real ones are: DER sorts it behind, openssl writes it first.
        self.signer: Certified = self.root.issue("TSA", 33, kind="rsa3072", usages=(), names=(), extra=[usage])
        (folder / "signer.pem").write_bytes(self.signer.pem)
        (folder / "chain.pem").write_bytes(self.root.pem)
        (folder / "signer.key").write_bytes(private_pem(self.signer.key, ""))
        (folder / "serial").write_text("01")
        (folder / "ts.cnf").write_text(CONFIGURATION)

    def reply(self, query: bytes) -> bytes:
        (self._folder / "query").write_bytes(query)
        command = [self._tool, "ts", "-reply", "-config", "ts.cnf", "-queryfile", "query", "-out", "reply"]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)
        return (self._folder / "reply").read_bytes()

    def judges(self, token: bytes) -> None:
        (self._folder / "kept").write_bytes(token)
        (self._folder / "message").write_bytes(MESSAGE)
        command = [self._tool, "ts", "-verify", "-in", "kept", "-data", "message", "-CAfile", "chain.pem"]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)


def test_a_timestamp_by_openssl(tmp_path: Path) -> None:
    authority = OpensslAuthority(tmp_path)
    raw = authority.reply(request())
    with pytest.raises(ValueError, match="InvalidSetOrdering"):
        decode_timestamp_response(raw)
    token = stamped(authority.reply, authority.root.certificate)
    decode_timestamp_response(token)  # what is kept is read by others, too
    authority.judges(token)
    assert verified(token, authority.root.certificate)
    assert verified(raw, authority.root.certificate)  # signed by somebody who kept it as it came
    assert not verified(raw, make_root("Root CA", 77).certificate)


@pytest.fixture(scope="module")
def authority() -> TimestampAuthority:
    return TimestampAuthority(lambda: NOW - HOUR)


def with_certificates(authority: TimestampAuthority, query: bytes, *, turned: bool) -> bytes:
    """An honest answer with both certificates of the authority, in DER's order or the other way round."""
    response = tsp.TimeStampResp.load(authority.reply(query))
    signed = response["time_stamp_token"]["content"]
    ders = sorted((c.public_bytes(Encoding.DER) for c in authority.chain), reverse=turned)
    # As a sequence, since asn1crypto would sort a set; the tag is the same, [0] IMPLICIT.
    content = b"".join(ders)
    both = cms.CertificateSet([cms.CertificateChoices({"certificate": asn1_x509.Certificate.load(d)}) for d in ders])
    signed["certificates"] = both
    whole = bytes(response.dump(force=True))
    ordered = b"".join(sorted(ders))
    assert whole.count(ordered) == 1
    return whole.replace(ordered, content)


def test_bent_and_unbent(authority: TimestampAuthority) -> None:
    straight = with_certificates(authority, request(), turned=False)
    turned = with_certificates(authority, request(), turned=True)
    decode_timestamp_response(straight)
    with pytest.raises(ValueError, match="InvalidSetOrdering"):
        decode_timestamp_response(turned)
    root = authority.chain[-1]
    assert in_der_order(straight) == straight
    for token in (straight, turned, in_der_order(turned)):
        assert verified(token, root)
    assert not verified(turned[:-5] + bytes([turned[-5] ^ 1]) + turned[-4:], root)
    for turn in (False, True):
        stamped(lambda query, turn=turn: with_certificates(authority, query, turned=turn), root)  # type: ignore[misc]


@pytest.fixture(scope="module")
def turned(authority: TimestampAuthority) -> bytes:
    return with_certificates(authority, request(), turned=True)


def test_sorting_keeps_every_byte(turned: bytes) -> None:
    assert sorted(in_der_order(turned)) == sorted(turned)
    assert len(in_der_order(turned)) == len(turned)


@given(st.data())
def test_whatever_comes(turned: bytes, data: st.DataObject) -> None:
    """Whatever comes, nothing is lost or added, and there is never an error."""
    bent = bytearray(turned)
    for _ in range(data.draw(st.integers(1, 4))):
        bent[data.draw(st.integers(0, 120))] = data.draw(st.integers(0, 255))
    for raw in (bytes(bent), data.draw(st.binary(max_size=40)), turned[: data.draw(st.integers(0, len(turned)))]):
        assert sorted(in_der_order(raw)) == sorted(raw)


def test_more_certificates_than_anybody_has() -> None:
    def answer(count: int) -> bytes:
        certificates = b"\x04\x01\x01" * (count - 1) + b"\x04\x01\x00"
        inner = b"\x02\x01\x03\x31\x00\x30\x00" + wrapped(0xA0, certificates)
        token = wrapped(0x30, b"\x06\x01\x01" + wrapped(0xA0, wrapped(0x30, inner)))
        return wrapped(0x30, b"\x30\x00" + token)

    assert in_der_order(answer(100)) != answer(100)
    assert in_der_order(answer(101)) == answer(101)


def wrapped(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content


def test_other_faults_are_still_refused(authority: TimestampAuthority) -> None:
    with pytest.raises(SigningError, match="not a timestamp"):
        stamped(lambda query: authority.reply(query) + b"\0")
