"""Certificates, timestamps and addresses of keys that were broken: a finding or an error of ours, never a crash."""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aibom.core.errors import InputError, SigningError, UsageError
from aibom.core.finding import Finding
from attest.bundle import certificate_bundle_bytes, parse_bundle
from attest.certificate_chain import parse_authorities
from attest.signing.pkcs11_uri import parse_pkcs11_uri
from attest.signing.timestamps import TimestampService
from tests.authority import HOUR, InProcessStamper, Pki, certificate_policy, make_pki, make_signer
from tests.sigstore_instance.server import Answer, LoopbackServer
from verify.policy import ExpectedCertificate, Policy
from verify.signature import VerifiedStatement, verify_bundle
from verify.timestamp import TimestampAuthority, verify_timestamps
from verify.trust import TrustRoot

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
NOW = datetime.now(UTC)
PAYLOAD = (
    b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"' + b"0" * 64 + b'"}}],'
    b'"predicateType":"https://example.com/a","predicate":{}}'
)


@cache
def pki() -> Pki:
    return make_pki()


@cache
def stamper() -> InProcessStamper:
    return InProcessStamper.at(lambda: NOW - HOUR)


@cache
def signed() -> bytes:
    return make_signer(pki(), stamper()).sign(PAYLOAD)


@cache
def policy() -> Policy:
    return certificate_policy(pki().authorities, timestamps=stamper().roots)


def no_trust() -> TrustRoot:
    raise AssertionError("no trust root belongs to this")


def judge(data: bytes) -> VerifiedStatement | Finding:
    return verify_bundle(parse_bundle(data, "x"), "x", policy(), no_trust, NOW)


@st.composite
def broken(draw: st.DrawFn, whole: bytes) -> bytes:
    """Some bytes changed, cut or put in; sometimes none."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        data[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


def test_the_whole_one_is_accepted() -> None:
    assert isinstance(judge(signed()), VerifiedStatement)


@SETTINGS
@given(st.data())
def test_broken_material(data: st.DataObject) -> None:
    """Nothing but the very bytes is accepted: a certificate or timestamp is signed in all of its parts."""
    bundle = parse_bundle(signed(), "x")
    parts = [bundle.certificate, *bundle.chain, *bundle.timestamps]
    which = data.draw(st.integers(0, len(parts) - 1))
    bent = [data.draw(broken(part)) if number == which else part for number, part in enumerate(parts)]
    certificates, stamps = bent[: 1 + len(bundle.chain)], bent[1 + len(bundle.chain) :]
    found = judge(certificate_bundle_bytes(PAYLOAD, bundle.signature, certificates, stamps))
    if isinstance(found, VerifiedStatement):
        assert found.signer.identity
        assert certificates == parts[: len(certificates)]


@SETTINGS
@given(st.data())
def test_broken_timestamps(data: st.DataObject) -> None:
    signature = base64.b64decode(json.loads(signed())["dsseEnvelope"]["signatures"][0]["sig"])
    whole = parse_bundle(signed(), "x").timestamps[0]
    raw = data.draw(st.one_of(st.binary(max_size=400), broken(whole)))
    (authority,) = policy().expected
    assert isinstance(authority, ExpectedCertificate)
    assert authority.timestamps
    times = verify_timestamps([raw], signature, [TimestampAuthority(authorities=authority.timestamps)])
    assert bool(times.verified) != bool(times.problem)
    if times.verified:
        assert times.verified == ((NOW - HOUR).replace(microsecond=0),)


@SETTINGS
@given(st.one_of(st.binary(max_size=400), st.deferred(lambda: broken(pki().root.pem + pki().issuing.pem))))
def test_broken_authorities(pem: bytes) -> None:
    with suppress(InputError):  # anything else fails the test
        assert parse_authorities(pem, "ca.pem").roots


@SETTINGS
@given(st.one_of(st.text(), st.text(alphabet=";?&=%:/a0é-").map("pkcs11:token=a".__add__)))
def test_addresses_of_keys(text: str) -> None:
    with suppress(UsageError):
        parse_pkcs11_uri(text)


def test_broken_answers_of_an_authority() -> None:
    replies: list[bytes] = []
    server = LoopbackServer()
    server.start({("POST", "/"): lambda _: Answer(replies[-1])})
    service = TimestampService(f"{server.url}/", [pki().root.certificate])
    whole = stamper().stamp(b"x").response

    @settings(SETTINGS, max_examples=60)
    @given(st.one_of(st.binary(max_size=200), broken(whole)))
    def each(raw: bytes) -> None:
        replies.append(raw)
        with pytest.raises(SigningError):
            service.stamp(b"x")

    try:
        each()
    finally:
        server.stop()


def test_certificates_are_pem_or_der_by_their_place() -> None:
    """A PEM in a bundle is not a certificate there."""
    bundle = parse_bundle(signed(), "x")
    pem = pki().signer.certificate.public_bytes(Encoding.PEM)
    found = judge(certificate_bundle_bytes(PAYLOAD, bundle.signature, [pem], bundle.timestamps))
    assert isinstance(found, Finding)
