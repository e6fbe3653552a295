"""Certificate authorities for tests: roots, intermediates and signers, each with one thing that a test may bend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

from attest.bundle import certificate_bundle_bytes, pre_authentication_encoding
from attest.certificate_chain import Authorities
from attest.keys import PrivateKey, sign_message
from attest.signing.certificate import CertificateChain, CertificateSigner, certificate_signer
from attest.signing.key import KeyInMemory
from attest.signing.signer import Stamp, Stamper
from tests.factory import make_key, private_pem
from tests.sigstore_instance.timestamps import TimestampAuthority
from verify.policy import ExpectedCertificate, Policy

IDENTITY = "release@example.com"
HOUR = timedelta(hours=1)
CODE_SIGNING = ExtendedKeyUsageOID.CODE_SIGNING
MAIL = (x509.RFC822Name(IDENTITY),)
Extra = tuple[x509.ExtensionType, bool]


@dataclass(frozen=True)
class Certified:
    """A key and its certificate."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(
        self,
        subject: str = "Release",
        number: int = 10,
        *,
        kind: str = "p256",
        names: Sequence[x509.GeneralName] = MAIL,
        usages: Sequence[x509.ObjectIdentifier] = (CODE_SIGNING,),
        is_authority: bool = False,
        start: datetime | None = None,
        end: datetime | None = None,
        digital_signature: bool = True,
        extra: Sequence[Extra] = (),
    ) -> "Certified":
        """Issue a certificate for a throw-away key; without anything given it is fit to sign releases."""
        key = make_key(kind, number)
        return Certified(
            _certificate(
                subject, key, self.certificate.subject, self.key, names, usages, (start, end),
                is_authority=is_authority, digital_signature=digital_signature, extra=extra,
            ),
            key,
        )  # fmt: skip

    def authority(self, subject: str = "Issuing CA", number: int = 11, **bent: object) -> "Certified":
        """Issue the certificate of an authority below this one."""
        given: dict[str, object] = {"names": (), "usages": (), "is_authority": True, **bent}
        return self.issue(subject, number, **given)  # type: ignore[arg-type]


def make_root(
    subject: str = "Root CA",
    number: int = 12,
    *,
    kind: str = "p256",
    start: datetime | None = None,
    end: datetime | None = None,
) -> Certified:
    """An authority that vouches for itself."""
    key = make_key(kind, number)
    return Certified(_certificate(subject, key, _name(subject), key, (), (), (start, end), is_authority=True), key)


@dataclass(frozen=True)
class Pki:
    """A root, an issuing authority below it, and a signer: what most tests bend."""

    root: Certified
    issuing: Certified
    signer: Certified

    @property
    def authorities(self) -> Authorities:
        return Authorities((self.root.certificate,))


def make_pki(**signer: object) -> Pki:
    root = make_root()
    issuing = root.authority()
    return Pki(root, issuing, issuing.issue(**signer))  # type: ignore[arg-type]


class InProcessStamper:
    """Asks the tests' time-stamping authority without a network."""

    def __init__(self, authority: TimestampAuthority) -> None:
        self.authority = authority

    @classmethod
    def at(cls, clock: Callable[[], datetime]) -> "InProcessStamper":
        return cls(TimestampAuthority(clock))

    @property
    def roots(self) -> Authorities:
        return Authorities((self.authority.chain[-1],))

    def describe(self) -> str:
        return "timestamped in this process"

    def stamp(self, message: bytes) -> Stamp:
        request = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()
        raw = self.authority.reply(request.as_bytes())
        return Stamp(raw, decode_timestamp_response(raw).tst_info.gen_time)


def make_signer(pki: Pki, stamper: Stamper | None = None, *, now: datetime | None = None) -> CertificateSigner:
    """The project's own signer, which refuses what is not fit."""
    chain = CertificateChain((pki.signer.certificate, pki.issuing.certificate))
    return certificate_signer(KeyInMemory(pki.signer.key), chain, stamper, now=now or datetime.now(UTC), where="test")


@dataclass(frozen=True)
class CarelessSigner:
    """A signer that checks nothing, as an attacker's."""

    key: PrivateKey
    certificates: tuple[x509.Certificate, ...]
    stamper: Stamper | None = None

    def sign(self, payload: bytes) -> bytes:
        signature = sign_message(self.key, pre_authentication_encoding(payload))
        stamps = [self.stamper.stamp(signature).response] if self.stamper else []
        certificates = [certificate.public_bytes(Encoding.DER) for certificate in self.certificates]
        return certificate_bundle_bytes(payload, signature, certificates, stamps)

    def describe(self) -> str:
        return "somebody"


def certificate_policy(
    authorities: Authorities,
    identity: str = IDENTITY,
    timestamps: Authorities | None = None,
    *,
    timestamps_by_trust_root: bool = False,
) -> Policy:
    expected = ExpectedCertificate(
        authorities=authorities,
        identity=identity,
        timestamps=timestamps,
        timestamps_by_trust_root=timestamps_by_trust_root,
    )
    return Policy(expected=(expected,))


@dataclass(frozen=True)
class PkiFiles:
    """What a publisher has on disk, and what a buyer has."""

    key: Path
    certificate: Path
    chain: Path
    ca: Path

    @property
    def sign(self) -> list[object]:
        return ["--key", self.key, "--certificate", self.certificate, "--chain", self.chain]

    @property
    def expect(self) -> list[object]:
        return ["--ca", self.ca, "--identity", IDENTITY]


def write_pki(folder: Path, pki: Pki, passphrase: str = "") -> PkiFiles:
    folder.mkdir(parents=True, exist_ok=True)
    files = PkiFiles(folder / "signer.key", folder / "signer.pem", folder / "chain.pem", folder / "ca.pem")
    files.key.write_bytes(private_pem(pki.signer.key, passphrase))
    files.certificate.write_bytes(pki.signer.pem)
    files.chain.write_bytes(pki.issuing.pem + pki.root.pem)
    files.ca.write_bytes(pki.root.pem)
    return files


def _certificate(
    subject: str,
    key: PrivateKey,
    issuer: x509.Name,
    issuer_key: PrivateKey,
    names: Sequence[x509.GeneralName],
    usages: Sequence[x509.ObjectIdentifier],
    lifetime: tuple[datetime | None, datetime | None],
    *,
    is_authority: bool = False,
    digital_signature: bool = True,
    extra: Sequence[Extra] = (),
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(issuer_name=issuer, subject_name=_name(subject), public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(lifetime[0] or now - 24 * HOUR)
        .not_valid_after(lifetime[1] or now + 24 * HOUR)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority, digital_signature), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    hashing = None if isinstance(issuer_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(issuer_key, hashing)


def _usage(is_authority: bool, digital_signature: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority and digital_signature,
        content_commitment=False,
        key_encipherment=not digital_signature,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])
