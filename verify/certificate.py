"""Who a certificate says it is for: the identity (subject alternative name) and the issuer that vouched for it."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

# Fulcio certificate extensions, documented in Sigstore's OID information.
_ISSUER_V2 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_ISSUER_V1 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_MAX_TEXT = 2000


@dataclass(frozen=True, slots=True)
class CertificateIdentity:
    """The two names, as text; empty where the certificate has none."""

    identity: str
    issuer: str

    def __str__(self) -> str:
        return f"{self.identity or 'nobody'}, vouched for by {self.issuer or 'nobody'}"


def read_identity(der: bytes) -> CertificateIdentity:
    """Read both names without checking any signature; empty for anything that is not a certificate."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        extensions = {extension.oid: extension.value for extension in certificate.extensions}
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.InvalidVersion):
        return CertificateIdentity("", "")
    names = extensions.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    return CertificateIdentity(_identity(names), _issuer(extensions))


def _identity(names: object) -> str:
    if not isinstance(names, x509.SubjectAlternativeName):
        return ""
    values = [n.value for n in names if isinstance(n, (x509.RFC822Name, x509.UniformResourceIdentifier))]
    return values[0][:_MAX_TEXT] if len(values) == 1 else ""


def _issuer(extensions: dict[x509.ObjectIdentifier, x509.ExtensionType]) -> str:
    current = extensions.get(_ISSUER_V2)
    if isinstance(current, x509.UnrecognizedExtension):
        return _utf8_string(current.value)
    older = extensions.get(_ISSUER_V1)
    return older.value.decode("utf-8", "replace")[:_MAX_TEXT] if isinstance(older, x509.UnrecognizedExtension) else ""


def _utf8_string(der: bytes) -> str:
    """Decode a DER UTF8String (tag 0x0c) with a short or one- to two-byte long length."""
    if len(der) < 2 or der[0] != 0x0C:
        return ""
    start = 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)
    length = int.from_bytes(der[2:start], "big") if der[1] & 0x80 else der[1]
    return der[start:].decode("utf-8", "replace")[:_MAX_TEXT] if len(der) == start + length else ""
