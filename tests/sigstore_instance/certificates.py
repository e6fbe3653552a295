"""X.509: the certificate authorities of Fulcio and of the timestamp authority, and what all certificates share."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.sigstore_instance.crypto import new_p256_key, new_p384_key, utc_now

ORGANIZATION = "sigstore-instance.example"
# Authorities begin a day ago, so that a test may turn the timestamp authority's clock back and still be told about
# the signing certificate, not about the authority.
BACKDATED = timedelta(days=1)
_AUTHORITY_LIFETIME = timedelta(days=3650)


@dataclass(frozen=True)
class Authority:
    """A certificate together with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def root(cls, common_name: str) -> Self:
        key = new_p384_key()
        builder = _authority_builder(common_name, key, path_length=None).issuer_name(_name(common_name))
        return cls(builder.sign(key, hashes.SHA384()), key)

    def intermediate(self, common_name: str) -> "Authority":
        """Make an authority for signing certificates only, below this one."""
        key = new_p384_key()
        builder = _authority_builder(common_name, key, path_length=0).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
        )
        return Authority(self.sign(builder), key)

    def timestamp_signer(
        self,
        common_name: str,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING,
        *,
        critical: bool = True,
    ) -> "Authority":
        """Make the leaf that signs timestamps; RFC 3161 wants its one extended usage to be critical."""
        key = new_p256_key()
        builder = (
            _builder(common_name, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=critical)
        )
        return Authority(self.sign(builder), key)

    def sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        """Sign as issuer, naming this authority and its key."""
        return (
            builder.issuer_name(self.certificate.subject)
            .add_extension(self._key_identifier(), critical=False)
            .sign(self.key, hashes.SHA384())
        )

    def _key_identifier(self) -> x509.AuthorityKeyIdentifier:
        own = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own.value)


def key_usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def certificate_der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def certificate_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(common_name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = utc_now()
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + _AUTHORITY_LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _authority_builder(
    common_name: str, key: ec.EllipticCurvePrivateKey, *, path_length: int | None
) -> x509.CertificateBuilder:
    return (
        _builder(common_name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
    )
