"""Signatures by certificates, of which one thing is bent. Each test first sees the whole one accepted."""

import base64
import json
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from aibom.core.errors import InputError, UsageError
from aibom.core.layout import BOM_BUNDLE_NAME, SIGNATURE_NAME
from aibom.core.verdict import Verdict
from attest.certificate_chain import Authorities, parse_authorities
from attest.signing.key import KeyInMemory, KeySigner
from attest.signing.signer import Signer
from tests.authority import (
    CODE_SIGNING,
    HOUR,
    IDENTITY,
    CarelessSigner,
    Certified,
    InProcessStamper,
    Pki,
    certificate_policy,
    make_pki,
    make_root,
    make_signer,
)
from tests.factory import key_policy, make_key, make_release, private_pem, rules_of, sign_release, verify_signed
from tests.sigstore_instance.timestamps import TimestampAuthority
from verify.policy import ExpectedCertificate, Policy
from verify.report import Report

Json = dict[str, Any]
NOW = datetime.now(UTC)
BOTH = (SIGNATURE_NAME, BOM_BUNDLE_NAME)
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH


@cache
def _template(base: Path) -> Path:
    return sign_release(make_release(base / "to-certify"))


class Releases:
    """Copies of one release; only its two signatures are made again, by another signer or bent."""

    def __init__(self, folder: Path, template: Path) -> None:
        self._folder, self._template, self._count = folder, template, 0

    def signed_by(self, signer: Signer, bend: Callable[[Json], None] = lambda _: None) -> Path:
        self._count += 1
        release = self._folder / f"release-{self._count}"
        shutil.copytree(self._template, release)
        for name in BOTH:
            payload = base64.b64decode(json.loads((release / name).read_bytes())["dsseEnvelope"]["payload"])
            document = json.loads(signer.sign(payload))
            bend(document)
            (release / name).write_text(json.dumps(document))
        return release


@pytest.fixture
def releases(tmp_path: Path, session_folder: Path) -> Releases:
    return Releases(tmp_path, _template(session_folder))


@pytest.fixture(scope="module")
def pki() -> Pki:
    return make_pki()


@pytest.fixture(scope="module")
def stamper() -> InProcessStamper:
    """Says that it was an hour ago."""
    return InProcessStamper.at(lambda: NOW - HOUR)


def accepted(release: Path, policy: Policy, now: datetime = NOW) -> Report:
    report = verify_signed(release, policy, now=now)
    assert report.verdict is Verdict.ACCEPTED, report.findings
    return report


def refused(release: Path, policy: Policy, now: datetime = NOW) -> set[str]:
    report = verify_signed(release, policy, now=now)
    assert report.verdict is Verdict.REJECTED
    assert report.signers == ()
    return {finding.rule for finding in report.findings if finding.where.startswith(BOTH)}


def careless(pki: Pki, signer: Certified, *between: Certified, stamper: InProcessStamper | None = None) -> Signer:
    """Sign with a certificate that our own signer would refuse."""
    others = [one.certificate for one in between or (pki.issuing,)]
    return CarelessSigner(signer.key, (signer.certificate, *others), stamper)


# What is accepted.


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "ed25519", "rsa3072"])
def test_a_certificate_for_any_accepted_key(releases: Releases, kind: str) -> None:
    pki = make_pki(kind=kind)
    report = accepted(releases.signed_by(make_signer(pki)), certificate_policy(pki.authorities))
    (signer,) = report.signers
    assert (signer.kind, signer.identity, signer.issuer, signer.time) == ("certificate", IDENTITY, "CN=Root CA", "")
    assert any("revoked" in text and IDENTITY in text for text in report.not_checked)
    undated = [text for text in report.not_checked if "no timestamp was checked" in text]
    assert undated == [
        f"when {IDENTITY} signed {name}: no timestamp was checked" for name in (SIGNATURE_NAME, BOM_BUNDLE_NAME)
    ]


def test_a_timestamp_gives_the_time(releases: Releases, pki: Pki, stamper: InProcessStamper) -> None:
    release = releases.signed_by(make_signer(pki, stamper))
    report = accepted(release, certificate_policy(pki.authorities, timestamps=stamper.roots))
    assert {signer.time for signer in report.signers} == {f"{NOW - HOUR:%Y-%m-%dT%H:%M:%SZ}"}
    assert not any("no timestamp" in text for text in report.not_checked)


def test_an_expired_certificate_with_a_timestamp_from_its_lifetime(
    releases: Releases, pki: Pki, stamper: InProcessStamper
) -> None:
    """Others check the chain at a time of the signer's choice."""
    later = NOW + 10_000 * HOUR
    stamped, bare = (releases.signed_by(make_signer(pki, one)) for one in (stamper, None))
    with_time = certificate_policy(pki.authorities, timestamps=stamper.roots)
    accepted(stamped, with_time, later)
    accepted(bare, with_time)
    assert refused(bare, with_time, later) == {"signature.certificate-expired"}
    report = verify_signed(stamped, certificate_policy(pki.authorities), now=later)
    assert (report.verdict, rules_of(report)) == (Verdict.UNDECIDED, {"signature.timestamp-unchecked"})
    assert "no time-stamping authority was given" in report.findings[0].message
    assert "--timestamp-ca" in report.findings[0].hint
    assert "no timestamp" in verify_signed(bare, with_time, now=later).findings[0].message


def test_the_intermediate_may_come_from_the_reader(releases: Releases, pki: Pki) -> None:
    """A bundle of version 0.3 has the leaf alone."""

    def alone(document: Json) -> None:
        material = document["verificationMaterial"]
        material["certificate"] = material.pop("x509CertificateChain")["certificates"][0]

    release = releases.signed_by(make_signer(pki), alone)
    both = parse_authorities(pki.issuing.pem + pki.root.pem, "ca.pem")
    assert both == Authorities((pki.root.certificate,), (pki.issuing.certificate,))
    accepted(release, certificate_policy(both))
    assert refused(release, certificate_policy(pki.authorities)) == {"signature.untrusted"}


def test_any_of_the_roots_and_any_of_the_expectations(releases: Releases, pki: Pki) -> None:
    release = releases.signed_by(make_signer(pki))
    other = make_root("Other CA", 20)
    roots = Authorities((other.certificate, pki.root.certificate))
    accepted(release, certificate_policy(roots))
    wrong = ExpectedCertificate(authorities=Authorities((other.certificate,)), identity=IDENTITY)
    accepted(release, Policy(expected=(wrong, *certificate_policy(pki.authorities).expected)))
    # An identity of one expectation and an authority of another do not make a third.
    mixed = ExpectedCertificate(authorities=pki.authorities, identity="other@example.com")
    assert refused(release, Policy(expected=(wrong, mixed))) == {"signature.untrusted"}


# Names.


def test_every_name_of_the_certificate_counts(releases: Releases) -> None:
    uri, host = "https://example.com/release", "sign.example.com"
    kinds = [x509.RFC822Name(IDENTITY), x509.UniformResourceIdentifier(uri), x509.DNSName(host)]
    pki = make_pki(names=kinds)
    release = releases.signed_by(make_signer(pki))
    for identity in (IDENTITY, uri, host):
        report = accepted(release, certificate_policy(pki.authorities, identity))
        assert report.signers[0].identity == identity
    assert refused(release, certificate_policy(pki.authorities, "CN=Release")) == {"signature.wrong-identity"}


def test_without_such_a_name_the_subject_counts(releases: Releases) -> None:
    pki = make_pki(names=())
    release = releases.signed_by(make_signer(pki))
    accepted(release, certificate_policy(pki.authorities, "CN=Release"))
    for identity in ("Release", "cn=release", "CN=Release ", "CN=Releas", "CN=Issuing CA"):
        assert refused(release, certificate_policy(pki.authorities, identity)) == {"signature.wrong-identity"}


@pytest.mark.parametrize(
    "identity",
    ["Release@example.com", "release@example.com.evil.example", "elease@example.com", "release@example.co", ".*",
     "release@EXAMPLE.com", " release@example.com", "release@example.com\0"],
)  # fmt: skip
def test_identities_are_compared_exactly(releases: Releases, pki: Pki, identity: str) -> None:
    release = releases.signed_by(make_signer(pki))
    accepted(release, certificate_policy(pki.authorities))
    report = verify_signed(release, certificate_policy(pki.authorities, identity), now=NOW)
    assert report.verdict is Verdict.REJECTED
    assert report.findings[0].rule == "signature.wrong-identity"
    assert identity in report.findings[0].expected
    assert report.findings[0].found == IDENTITY


def test_a_name_of_one_kind_does_not_pass_for_another(releases: Releases, pki: Pki) -> None:
    """An authority may let anybody choose a host name, and check only mail addresses."""
    accepted(releases.signed_by(make_signer(pki)), certificate_policy(pki.authorities))
    posing = pki.issuing.issue(names=[x509.DNSName(IDENTITY)])
    release = releases.signed_by(careless(pki, posing))
    assert refused(release, certificate_policy(pki.authorities)) == {"signature.wrong-identity"}


def test_an_authority_s_limits_on_names_hold(releases: Releases) -> None:
    def limited(limit: x509.GeneralName) -> Pki:
        root = make_root()
        issuing = root.authority(extra=[(x509.NameConstraints([limit], None), True)])
        return Pki(root, issuing, issuing.issue())

    def judge(pki: Pki) -> Report:
        release = releases.signed_by(careless(pki, pki.signer))
        return verify_signed(release, certificate_policy(pki.authorities), now=NOW)

    assert judge(limited(x509.RFC822Name("example.com"))).verdict is Verdict.ACCEPTED
    assert "signature.untrusted" in rules_of(judge(limited(x509.RFC822Name("example.org"))))
    directory = x509.DirectoryName(x509.Name([]))  # of a kind that some versions of the library overlook
    assert "signature.untrusted" in rules_of(judge(limited(directory)))


# Chains.


def chains(pki: Pki) -> Iterator[tuple[str, Callable[[], Signer], str]]:
    issue = pki.issuing.issue
    other = make_root("Root CA", 20)  # the same name, another key
    below = make_root().authority("Server CA", 21, usages=(SERVER_AUTH,))
    sub = pki.signer.issue(IDENTITY, 22)
    yield "only for servers", lambda: careless(pki, issue(usages=(SERVER_AUTH,))), "signature.untrusted"
    yield "for nothing in particular", lambda: careless(pki, issue(usages=())), "signature.untrusted"
    yield "an authority's own", lambda: careless(pki, issue(is_authority=True)), "signature.untrusted"
    yield "not for signatures", lambda: careless(pki, issue(digital_signature=False)), "signature.untrusted"
    yield "a short RSA key", lambda: careless(pki, issue(kind="rsa2048")), "signature.untrusted"
    yield "another root of that name", lambda: careless(pki, other.issue(), other), "signature.untrusted"
    yield "a signer as authority", lambda: careless(pki, sub, pki.signer, pki.issuing), "signature.untrusted"
    yield "an authority for servers", lambda: careless(pki, below.issue(), below), "signature.untrusted"
    yield "an unknown critical extension", lambda: careless(pki, issue(extra=[UNKNOWN])), "signature.untrusted"
    yield "signed itself", lambda: careless(pki, make_root("Release", 23)), "signature.wrong-identity"
    yield "no intermediate", lambda: CarelessSigner(pki.signer.key, (pki.signer.certificate,)), "signature.untrusted"


UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)


@pytest.mark.parametrize("name", [name for name, _, _ in chains(make_pki())])
def test_certificates_that_do_not_count(releases: Releases, pki: Pki, name: str) -> None:
    accepted(releases.signed_by(careless(pki, pki.signer)), certificate_policy(pki.authorities))
    make, rule = next((make, rule) for one, make, rule in chains(pki) if one == name)
    assert refused(releases.signed_by(make()), certificate_policy(pki.authorities)) == {rule}


def test_where_a_chain_ends_is_said(releases: Releases, pki: Pki) -> None:
    """Without its intermediate, and under another authority: who would have to be there, in words."""
    alone = releases.signed_by(CarelessSigner(pki.signer.key, (pki.signer.certificate,)))
    whole = releases.signed_by(make_signer(pki))
    other = Authorities((make_root("Other CA", 20).certificate,))
    accepted(whole, certificate_policy(pki.authorities))
    for release, authorities, ends_at in ((alone, pki.authorities, "CN=Issuing CA"), (whole, other, "CN=Root CA")):
        finding = verify_signed(release, certificate_policy(authorities), now=NOW).findings[0]
        assert finding.rule == "signature.untrusted"
        assert finding.found == f"it ends at {ends_at}, whose certificate is neither in the signature nor in --ca"
        assert "candidates" not in finding.message


def test_the_system_s_authorities_are_never_used(releases: Releases, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root of the reader's own choice does not let in what another one, trusted by the system, certified."""
    release = releases.signed_by(make_signer(pki))
    accepted(release, certificate_policy(pki.authorities))
    bundle = release.parent / "system.pem"
    bundle.write_bytes(pki.root.pem)
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(bundle))
    elsewhere = Authorities((make_root("Other CA", 20).certificate,))
    assert refused(release, certificate_policy(elsewhere)) == {"signature.untrusted"}


def swap(document: Json) -> None:
    document["verificationMaterial"]["x509CertificateChain"]["certificates"].reverse()


def drop_leaf(document: Json) -> None:
    document["verificationMaterial"]["x509CertificateChain"]["certificates"].pop(0)


def garbage(document: Json) -> None:
    document["verificationMaterial"]["x509CertificateChain"]["certificates"][0]["rawBytes"] = "AAAA"


def garbage_between(document: Json) -> None:
    document["verificationMaterial"]["x509CertificateChain"]["certificates"][1]["rawBytes"] = "AAAA"


def logged(document: Json) -> None:
    document["verificationMaterial"]["tlogEntries"] = [{"integratedTime": "1700000000"}]


def as_key(document: Json) -> None:
    document["verificationMaterial"] = {"publicKey": {"hint": ""}, "tlogEntries": []}


@pytest.mark.parametrize(
    ("bend", "rule"),
    [(swap, "signature.invalid"), (drop_leaf, "signature.invalid"), (garbage, "signature.malformed"),
     (garbage_between, "signature.malformed"), (as_key, "signature.wrong-signer")],
)  # fmt: skip
def test_bent_chains(releases: Releases, pki: Pki, bend: Callable[[Json], None], rule: str) -> None:
    accepted(releases.signed_by(make_signer(pki)), certificate_policy(pki.authorities))
    assert refused(releases.signed_by(make_signer(pki), bend), certificate_policy(pki.authorities)) == {rule}


def negative_serial(document: Json) -> None:
    """What RFC 5280 forbids and the library only warns of."""
    first = document["verificationMaterial"]["x509CertificateChain"]["certificates"][0]
    raw = bytearray(base64.b64decode(first["rawBytes"]))
    raw[raw.index(b"\xa0\x03\x02\x01\x02\x02") + 7] = 0x80
    first["rawBytes"] = base64.b64encode(raw).decode()


def test_what_the_library_only_warns_of_is_malformed(releases: Releases, pki: Pki) -> None:
    accepted(releases.signed_by(make_signer(pki)), certificate_policy(pki.authorities))
    release = releases.signed_by(make_signer(pki), negative_serial)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        assert refused(release, certificate_policy(pki.authorities)) == {"signature.malformed"}
    assert not heard


def test_a_root_whose_key_cannot_be_read(pki: Pki) -> None:
    raw = bytearray(pki.root.certificate.public_bytes(Encoding.DER))
    point = raw.index(b"\x03\x42\x00\x04") + 4
    raw[point : point + 4] = b"\xff\xff\xff\xff"
    body = base64.encodebytes(bytes(raw)).decode()
    with pytest.raises(InputError):
        parse_authorities(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n".encode(), "ca.pem")


def test_a_time_that_a_log_entry_claims_is_no_time(releases: Releases, pki: Pki) -> None:
    """Nobody checks the entry here, so nothing is decided, in or after the certificate's lifetime."""
    accepted(releases.signed_by(make_signer(pki)), certificate_policy(pki.authorities))
    release = releases.signed_by(make_signer(pki), logged)
    for now in (NOW, NOW + 10_000 * HOUR):
        report = verify_signed(release, certificate_policy(pki.authorities), now=now)
        assert report.verdict is Verdict.UNDECIDED
        assert rules_of(report) == {"signature.unsupported"}


def test_the_key_is_that_of_the_verified_leaf(releases: Releases, pki: Pki) -> None:
    """Neither another certificate of the same signer, nor another kind of key, fits the signature."""
    accepted(releases.signed_by(careless(pki, pki.signer)), certificate_policy(pki.authorities))
    for kind in ("p256", "p384", "rsa3072", "ed25519"):
        another = pki.issuing.issue(number=30, kind=kind)
        chain = (another.certificate, pki.issuing.certificate)
        release = releases.signed_by(CarelessSigner(pki.signer.key, chain))
        assert refused(release, certificate_policy(pki.authorities)) == {"signature.invalid"}


def test_a_certificate_and_a_key_are_different_expectations(releases: Releases, pki: Pki) -> None:
    by_certificate, by_key = (
        releases.signed_by(make_signer(pki)),
        releases.signed_by(KeySigner(KeyInMemory(make_key()))),
    )
    accepted(by_key, key_policy())
    assert refused(by_key, certificate_policy(pki.authorities)) == {"signature.wrong-signer"}
    assert refused(by_certificate, key_policy()) == {"signature.wrong-signer"}
    either = Policy(expected=(*key_policy().expected, *certificate_policy(pki.authorities).expected))
    accepted(by_key, either)
    accepted(by_certificate, either)


def test_a_certificate_signed_by_way_of_sha_1(releases: Releases, pki: Pki, tmp_path: Path) -> None:
    """The library makes no such certificate, so another tool does."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl, which makes the certificate, is not installed")

    def issue(digest: str) -> Signer:
        files = {name: tmp_path / f"{digest}.{name}" for name in ("key", "csr", "ca", "ca-key", "conf", "pem")}
        files["ca"].write_bytes(pki.issuing.pem)
        files["ca-key"].write_bytes(_pem(pki.issuing))
        files["key"].write_bytes(_pem(pki.signer))
        usages = "extendedKeyUsage=codeSigning\nkeyUsage=critical,digitalSignature\nbasicConstraints=CA:false\n"
        files["conf"].write_text(f"{usages}subjectAltName=email:{IDENTITY}\nauthorityKeyIdentifier=keyid\n")
        run: list[str | Path] = ["req", "-new", "-key", files["key"], "-subj", "/CN=Release", "-out", files["csr"]]
        subprocess.run([openssl, *run], check=True, capture_output=True)
        run = ["x509", "-req", "-in", files["csr"], "-CA", files["ca"], "-CAkey", files["ca-key"], f"-{digest}",
               "-days", "1", "-extfile", files["conf"], "-set_serial", "7", "-out", files["pem"]]  # fmt: skip
        subprocess.run([openssl, *run], check=True, capture_output=True)
        leaf = x509.load_pem_x509_certificate(files["pem"].read_bytes())
        return CarelessSigner(pki.signer.key, (leaf, pki.issuing.certificate))

    policy, later = certificate_policy(pki.authorities), datetime.now(UTC)
    accepted(releases.signed_by(issue("sha256")), policy, later)
    assert refused(releases.signed_by(issue("sha1")), policy, later) == {"signature.untrusted"}


def _pem(one: Certified) -> bytes:
    return private_pem(one.key)


# Time.


def lifetimes(start: int, end: int) -> dict[str, datetime]:
    return {"start": NOW + start * HOUR, "end": NOW + end * HOUR}


def built(root: dict[str, datetime], issuing: dict[str, datetime], signer: dict[str, datetime]) -> Pki:
    top = make_root(start=root.get("start"), end=root.get("end"))
    middle = top.authority(**issuing)  # type: ignore[arg-type]
    return Pki(top, middle, middle.issue(**signer))  # type: ignore[arg-type]


@pytest.mark.parametrize("which", [0, 1, 2], ids=["root", "issuer", "leaf"])
def test_every_certificate_must_be_valid_at_the_time(releases: Releases, stamper: InProcessStamper, which: int) -> None:
    """An issuer that had expired when the signature was made (the mistake of CVE-2026-24122)."""
    whole, timely = built({}, {}, {}), lifetimes(-3, -2)
    accepted(
        releases.signed_by(careless(whole, whole.signer, stamper=stamper)),
        certificate_policy(whole.authorities, timestamps=stamper.roots),
    )
    parts: list[dict[str, datetime]] = [{}, {}, {}]
    parts[which] = timely
    pki = built(*parts)
    release = releases.signed_by(careless(pki, pki.signer, stamper=stamper))
    with_time = certificate_policy(pki.authorities, timestamps=stamper.roots)
    assert refused(release, with_time) == {"signature.outside-lifetime"}
    bare = releases.signed_by(careless(pki, pki.signer))
    assert refused(bare, with_time) == {"signature.certificate-expired"}


def test_a_certificate_from_the_future(releases: Releases, pki: Pki, stamper: InProcessStamper) -> None:
    accepted(releases.signed_by(careless(pki, pki.signer)), certificate_policy(pki.authorities))
    early = Pki(pki.root, pki.issuing, pki.issuing.issue(**lifetimes(2, 3)))  # type: ignore[arg-type]
    release = releases.signed_by(careless(early, early.signer))
    report = verify_signed(release, certificate_policy(pki.authorities), now=NOW)
    assert report.verdict is Verdict.REJECTED
    assert report.findings[0].rule == "signature.outside-lifetime"
    assert "this computer's clock" in report.findings[0].found


def test_certificates_that_were_never_valid_together(releases: Releases, pki: Pki) -> None:
    never = built({}, lifetimes(-9, -8), lifetimes(-2, 2))
    accepted(releases.signed_by(careless(pki, pki.signer)), certificate_policy(pki.authorities))
    release = releases.signed_by(careless(never, never.signer))
    assert refused(release, certificate_policy(never.authorities)) == {"signature.untrusted"}


def stamps(document: Json) -> list[Json]:
    found: list[Json] = document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    return found


def bytes_of(stamp: Json) -> bytearray:
    return bytearray(base64.b64decode(stamp["signedTimestamp"]))


def set_stamp(document: Json, raw: bytes) -> None:
    stamps(document)[0]["signedTimestamp"] = base64.b64encode(raw).decode()


def flip(position: int) -> Callable[[Json], None]:
    def bend(document: Json) -> None:
        raw = bytes_of(stamps(document)[0])
        raw[position] ^= 1
        set_stamp(document, bytes(raw))

    return bend


REJECTION = b"\x30\x0f\x30\x0d\x02\x01\x02\x30\x08\x0c\x06no way"


@pytest.mark.parametrize(
    "bend",
    [flip(-5), flip(300), lambda d: set_stamp(d, b"<html>"), lambda d: set_stamp(d, REJECTION),
     lambda d: set_stamp(d, bytes(bytes_of(stamps(d)[0])) + b"x")],
    ids=["signature", "content", "garbage", "rejection", "more bytes"],
)  # fmt: skip
def test_a_damaged_timestamp_is_never_passed_over(
    releases: Releases, pki: Pki, stamper: InProcessStamper, bend: Callable[[Json], None]
) -> None:
    """Not even while the certificate is valid: somebody wanted it to be believed."""
    policy = certificate_policy(pki.authorities, timestamps=stamper.roots)
    accepted(releases.signed_by(make_signer(pki, stamper)), policy)
    assert refused(releases.signed_by(make_signer(pki, stamper), bend), policy) == {"signature.timestamp"}


def test_a_timestamp_of_another_signature(releases: Releases, pki: Pki, stamper: InProcessStamper) -> None:
    policy = certificate_policy(pki.authorities, timestamps=stamper.roots)
    accepted(releases.signed_by(make_signer(pki, stamper)), policy)
    other = stamper.stamp(b"another signature").response
    moved = releases.signed_by(make_signer(pki, stamper), lambda d: set_stamp(d, other))
    assert refused(moved, policy) == {"signature.timestamp"}
    assert "another signature" in verify_signed(moved, policy, now=NOW).findings[0].message
    beside = base64.b64encode(other).decode()
    both = releases.signed_by(make_signer(pki, stamper), lambda d: stamps(d).append({"signedTimestamp": beside}))
    assert refused(both, policy) == {"signature.timestamp"}


def test_a_timestamp_outside_the_certificate_s_lifetime(releases: Releases, pki: Pki) -> None:
    inside, before = (InProcessStamper.at(lambda t=t: t) for t in (NOW - HOUR, NOW - 23 * HOUR))  # type: ignore[misc]
    signer = pki.issuing.issue(start=NOW - 2 * HOUR)
    for stamper, rule in ((inside, None), (before, "signature.outside-lifetime")):
        policy = certificate_policy(pki.authorities, timestamps=stamper.roots)
        release = releases.signed_by(careless(pki, signer, stamper=stamper))
        found = verify_signed(release, policy, now=NOW)
        assert {f.rule for f in found.findings if f.where.startswith(BOTH)} == ({rule} if rule else set())
        assert found.verdict is (Verdict.REJECTED if rule else Verdict.ACCEPTED)


@pytest.mark.parametrize(
    "bent",
    [
        lambda clock: TimestampAuthority(clock, CODE_SIGNING),
        lambda clock: TimestampAuthority(clock, SERVER_AUTH),
        lambda clock: TimestampAuthority(clock, critical=False),
        lambda _: TimestampAuthority(lambda: NOW - 100 * HOUR),
    ],
    ids=["for code", "for servers", "not critical", "before its own lifetime"],
)
def test_a_time_stamping_authority_must_be_one(
    releases: Releases, stamper: InProcessStamper, bent: Callable[[Callable[[], datetime]], TimestampAuthority]
) -> None:
    """A certificate for another purpose must not certify times (the mistake of CVE-2025-52556)."""
    pki = built(lifetimes(-200, 200), lifetimes(-200, 200), lifetimes(-200, 200))
    release = releases.signed_by(make_signer(pki, stamper))
    accepted(release, certificate_policy(pki.authorities, timestamps=stamper.roots))
    other = InProcessStamper(bent(lambda: NOW - HOUR))
    release = releases.signed_by(make_signer(pki, other))
    assert refused(release, certificate_policy(pki.authorities, timestamps=other.roots)) == {"signature.timestamp"}


def test_an_authority_that_nobody_expects_counts_for_nothing(
    releases: Releases, pki: Pki, stamper: InProcessStamper
) -> None:
    policy = certificate_policy(pki.authorities, timestamps=stamper.roots)
    stranger = InProcessStamper.at(lambda: NOW - HOUR)
    assert refused(releases.signed_by(make_signer(pki, stranger)), policy) == {"signature.timestamp"}

    def add(document: Json) -> None:
        signature = base64.b64decode(document["dsseEnvelope"]["signatures"][0]["sig"])
        raw = stranger.stamp(signature).response
        stamps(document).insert(0, {"signedTimestamp": base64.b64encode(raw).decode()})

    report = accepted(releases.signed_by(make_signer(pki, stamper), add), policy)
    assert {signer.time for signer in report.signers} == {f"{NOW - HOUR:%Y-%m-%dT%H:%M:%SZ}"}


def test_every_verified_time_must_fit(releases: Releases, pki: Pki, stamper: InProcessStamper) -> None:
    late = InProcessStamper.at(lambda: NOW + 30 * HOUR)  # the signer's certificate ends before

    def add(document: Json) -> None:
        signature = base64.b64decode(document["dsseEnvelope"]["signatures"][0]["sig"])
        stamps(document).append({"signedTimestamp": base64.b64encode(late.stamp(signature).response).decode()})

    both = Authorities((*stamper.roots.roots, *late.roots.roots))
    policy = certificate_policy(pki.authorities, timestamps=both)
    accepted(releases.signed_by(make_signer(pki, stamper)), policy)
    release = releases.signed_by(make_signer(pki, stamper), add)
    assert refused(release, policy, NOW + 31 * HOUR) == {"signature.outside-lifetime"}


def test_a_timestamp_from_the_future_leaves_it_undecided(releases: Releases, pki: Pki) -> None:
    ahead = InProcessStamper.at(lambda: NOW + 2 * HOUR)
    release = releases.signed_by(make_signer(pki, ahead))
    policy = certificate_policy(pki.authorities, timestamps=ahead.roots)
    accepted(release, policy, NOW + 3 * HOUR)
    report = verify_signed(release, policy, now=NOW)
    assert report.verdict is Verdict.UNDECIDED
    assert rules_of(report) == {"signature.clock"}


# Bundles and policies.


def double(document: Json) -> None:
    stamps(document).append(dict(stamps(document)[0]))


def no_certificates(document: Json) -> None:
    document["verificationMaterial"]["x509CertificateChain"]["certificates"] = []


def many_certificates(document: Json) -> None:
    document["verificationMaterial"]["x509CertificateChain"]["certificates"] *= 6


@pytest.mark.parametrize(
    "bend",
    [double, no_certificates, many_certificates,
     lambda d: d["verificationMaterial"].update(timestampVerificationData=[]),
     lambda d: d["verificationMaterial"]["timestampVerificationData"].update(rfc3161Timestamps={}),
     lambda d: stamps(d).append({}),
     lambda d: stamps(d).extend({"signedTimestamp": base64.b64encode(b"%d" % n).decode()} for n in range(32)),
     lambda d: d["verificationMaterial"]["x509CertificateChain"]["certificates"].append({"rawBytes": 1})],
)  # fmt: skip
def test_bundles_are_read_strictly(
    releases: Releases, pki: Pki, stamper: InProcessStamper, bend: Callable[[Json], None]
) -> None:
    policy = certificate_policy(pki.authorities, timestamps=stamper.roots)
    accepted(releases.signed_by(make_signer(pki, stamper)), policy)
    assert refused(releases.signed_by(make_signer(pki, stamper), bend), policy) == {"signature.malformed"}


@pytest.mark.parametrize("make", [lambda p: b"", lambda p: b"garbage", lambda p: p.signer.pem, lambda p: p.issuing.pem])
def test_files_that_are_no_authorities(pki: Pki, make: Callable[[Pki], bytes]) -> None:
    assert parse_authorities(pki.root.pem, "ca.pem").roots
    with pytest.raises(InputError) as caught:
        parse_authorities(make(pki), "ca.pem")
    assert caught.value.where == "ca.pem"
    assert caught.value.hint


def test_an_ed25519_authority_is_refused_when_it_is_given() -> None:
    """The library refuses what such an authority signed; better to hear it before a release is judged."""
    with pytest.raises(InputError, match="Ed25519"):
        parse_authorities(make_root(kind="ed25519").pem, "ca.pem")


def test_a_policy_for_anybody_cannot_be_made(pki: Pki) -> None:
    certificate_policy(pki.authorities)
    with pytest.raises(UsageError):
        certificate_policy(pki.authorities, "")
    with pytest.raises(UsageError):
        certificate_policy(Authorities(()))


def test_the_policy_s_digest_depends_on_all_of_it(pki: Pki, stamper: InProcessStamper) -> None:
    other = Authorities((make_root("Other CA", 20).certificate,))
    policies = [
        certificate_policy(pki.authorities),
        certificate_policy(other),
        certificate_policy(pki.authorities, "other@example.com"),
        certificate_policy(pki.authorities, timestamps=stamper.roots),
        certificate_policy(pki.authorities, timestamps_by_trust_root=True),
    ]
    assert len({policy.sha256 for policy in policies}) == len(policies)
    assert certificate_policy(pki.authorities).sha256 == policies[0].sha256


def test_another_tool_accepts_our_timestamps(pki: Pki, stamper: InProcessStamper, tmp_path: Path) -> None:
    """`openssl ts` over the signature's bytes, as they stand in the bundle."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl, which judges the timestamp, is not installed")
    document = json.loads(make_signer(pki, stamper).sign(b"{}"))
    (tmp_path / "token").write_bytes(bytes_of(stamps(document)[0]))
    (tmp_path / "root.pem").write_bytes(stamper.roots.roots[0].public_bytes(Encoding.PEM))

    def judge(signature: bytes) -> int:
        (tmp_path / "signature").write_bytes(signature)
        command = [openssl, "ts", "-verify", "-in", "token", "-data", "signature", "-CAfile", "root.pem"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode

    signature = base64.b64decode(document["dsseEnvelope"]["signatures"][0]["sig"])
    assert judge(signature) == 0
    assert judge(signature + b"x") != 0
