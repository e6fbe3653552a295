"""X.509 certificates of signers: whom they are for, for what, and when. Nothing here checks who issued them.

One place for both sides, so that what is signed with is what a verifier takes.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID

_ATTRIBUTE = re.compile(r"(?:[A-Za-z]+|[0-9.]+)=")
"""How a subject begins as RFC 4514 text."""
_NAMES = (x509.RFC822Name, x509.UniformResourceIdentifier, x509.DNSName)
_FORMS: dict[type[x509.GeneralName], Callable[[str], bool]] = {
    x509.RFC822Name: lambda text: "@" in text and ":" not in text and not _ATTRIBUTE.match(text),
    x509.UniformResourceIdentifier: lambda text: ":" in text,
    x509.DNSName: lambda text: not set(text) & set("@:="),
}
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
    CryptographyDeprecationWarning,
)
"""What `strictly` lets the library raise for a certificate, or a part of one, that it cannot read."""


@contextmanager
def strictly() -> Iterator[None]:
    """What the library only warns of, such as a serial number that RFC 5280 forbids, is an error of `UNREADABLE`."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        yield


def load_certificate(der: bytes) -> x509.Certificate:
    """Read a certificate of a bundle. Raises one of `UNREADABLE`."""
    with strictly():
        return x509.load_der_x509_certificate(der)


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Every e-mail address, URI and DNS name that it is for; if there is none, its subject as RFC 4514 text.

    A name that has not the form of its kind is left out, so that none passes for one of another kind.
    Raises one of `UNREADABLE`.
    """
    extensions = [e.value for e in certificate.extensions if isinstance(e.value, x509.SubjectAlternativeName)]
    names = [name for extension in extensions for name in extension]
    found = [name.value for name in names if isinstance(name, _NAMES) and _FORMS[type(name)](name.value)]
    if any(isinstance(name, _NAMES) for name in names):
        return tuple(dict.fromkeys(found))
    subject = certificate.subject.rfc4514_string()
    return (subject,) if subject else ()


def unfit_for_signing(leaf: x509.Certificate) -> str:
    """Why a certificate is not one to sign releases with; empty if it is. Raises one of `UNREADABLE`."""
    found = {type(extension.value): extension.value for extension in leaf.extensions}
    usages, constraints = found.get(x509.ExtendedKeyUsage), found.get(x509.BasicConstraints)
    usage = found.get(x509.KeyUsage)
    if not isinstance(usages, x509.ExtendedKeyUsage) or ExtendedKeyUsageOID.CODE_SIGNING not in usages:
        return "is not for code signing (extended key usage)"
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        return "is that of an authority, not of a signer (basic constraints)"
    if isinstance(usage, x509.KeyUsage) and not usage.digital_signature:
        return "is not for digital signatures (key usage)"
    return ""


def is_valid_at(certificate: x509.Certificate, moment: datetime) -> bool:
    """Whether `moment` lies in the certificate's lifetime, both ends included; certificates count in seconds."""
    whole = moment.replace(microsecond=0)
    return certificate.not_valid_before_utc <= whole <= certificate.not_valid_after_utc
