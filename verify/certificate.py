"""Who a certificate says it is for, and who vouched for it. Nothing here checks a signature.

Sigstore's certificates have one identity (subject alternative name) and name the issuer that vouched for it. Those of
other authorities have names: e-mail addresses, URIs and DNS names, else the subject.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from attest.certificates import UNREADABLE, load_certificate, names_of

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
        certificate = load_certificate(der)
        extensions = {extension.oid: extension.value for extension in certificate.extensions}
    except UNREADABLE:
        return CertificateIdentity("", "")
    names = extensions.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    return CertificateIdentity(_identity(names), _issuer(extensions))


def is_from_sigstore(der: bytes) -> bool:
    """Whether a certificate names an issuer of identities as Sigstore's do; then it counts only with that issuer."""
    try:
        found = {extension.oid for extension in load_certificate(der).extensions}
    except UNREADABLE:
        return False
    return bool(found & {_ISSUER_V1, _ISSUER_V2})


def claimed_names(der: bytes) -> tuple[tuple[str, ...], str]:
    """The names and the authority that a certificate claims; empty for anything that is none."""
    try:
        certificate = load_certificate(der)
        return names_of(certificate), certificate.issuer.rfc4514_string()
    except UNREADABLE:
        return (), ""


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
