"""From a leaf certificate to a CA that the reader expects, at one moment. Pure; never the system's own CAs.

The path is built by `cryptography.x509.verification`, whose rules for the authorities are those of the web (RFC 5280
and the CA/Browser Forum: critical basic constraints, key usage for certificates, no SHA-1, no Ed25519 authority).
For the leaf they are ours: code signing among its extended key usages, and no authority itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from aibom.core.errors import InputError
from attest.certificates import UNREADABLE, is_valid_at, strictly, unfit_for_signing
from attest.keys import ACCEPTED, MAX_RSA_BITS, key_problem

_MAX_DEPTH = 8
_NOBODY_FITS = "all candidates exhausted"  # the library's words if no certificate is there that could be next
_MAX_CERTIFICATES = 500
_CHECKED_CONSTRAINTS = (x509.DNSName, x509.RFC822Name, x509.IPAddress)


@dataclass(frozen=True, slots=True)
class Authorities:
    """The certificates of one file: roots, which are trusted, and others, which only help to reach a root."""

    roots: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...] = ()

    @property
    def digests(self) -> list[str]:
        """SHA-256 of each certificate in hexadecimal, sorted: for the record of the policy."""
        return sorted(c.fingerprint(hashes.SHA256()).hex() for c in (*self.roots, *self.intermediates))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain from the leaf to a root, or why there is none."""

    certificates: tuple[x509.Certificate, ...] = ()
    problem: str = ""
    reason: str = ""
    """What is wrong on the way, in the library's words, if it has any."""
    outside: x509.Certificate | None = None
    """If only the moment was wrong: the certificate that was not valid then."""
    unknown_issuer: str = ""
    """If the certificate of somebody on the way is not there: who that is, by the certificate below it."""


def parse_authorities(pem: bytes, where: str) -> Authorities:
    """Read roots, and intermediates if there are any, from PEM. Raises InputError."""
    try:
        with strictly():
            found = x509.load_pem_x509_certificates(pem)
        roots = tuple(certificate for certificate in found if is_issued_by(certificate, certificate))
        weak = [certificate for certificate in found if not _is_authority(certificate)]
        edwards = [one for one in found if isinstance(one.public_key(), ed25519.Ed25519PublicKey)]
    except UNREADABLE as error:
        raise InputError(
            "not certificates in PEM form that can be read",
            where=where,
            hint="expected a file that starts with -----BEGIN CERTIFICATE-----",
        ) from error
    if weak:
        raise InputError(
            f"not the certificate of an authority: {subject(weak[0])}",
            where=where,
            hint="give the root certificate of the authority, not that of the signer",
        )
    if edwards:
        raise InputError(
            "an authority with an Ed25519 key, whose certificates are not accepted here",
            where=where,
            hint="give an authority with an ECDSA or RSA key; only the signer's own key may be Ed25519",
        )
    if not roots:
        raise InputError(
            "there is no root certificate (one that signed itself) in it",
            where=where,
            hint="add the root; intermediates alone are trusted by nobody",
        )
    if len(found) > _MAX_CERTIFICATES:
        raise InputError(
            f"more than {_MAX_CERTIFICATES} certificates", where=where, hint="give only the roots you mean"
        )
    return Authorities(roots, tuple(certificate for certificate in found if certificate not in roots))


def build_chain(
    leaf: x509.Certificate, others: Iterable[x509.Certificate], authorities: Authorities, moment: datetime
) -> Chain:
    """Find a path from the leaf to a root, all of it valid at `moment`; `others` are believed nothing."""
    between = [*others, *authorities.intermediates]
    problem = leaf_problem(leaf)
    if problem:
        return Chain(problem=problem)
    if any(_is_too_costly(one) for one in between):
        return Chain(problem=f"a certificate of its chain has an RSA key of more than {MAX_RSA_BITS} bits")
    found = _path(leaf, between, authorities, moment)
    if isinstance(found, tuple):
        return Chain(certificates=found)
    unknown = _unknown_issuer(leaf, between, authorities.roots)
    if unknown:  # then no other time helps
        return _no_chain(found, unknown)
    # A chain whose certificates were ever valid together was so at the moment when the last of them began.
    for other in sorted({c.not_valid_before_utc for c in (leaf, *between, *authorities.roots)}):
        path = _path(leaf, between, authorities, other)
        if isinstance(path, tuple):
            outside = next((c for c in path if not is_valid_at(c, moment)), None)
            return Chain(problem=f"not valid at {moment:%Y-%m-%d %H:%M:%S} UTC", outside=outside)
    return _no_chain(found)


def _no_chain(reason: str, unknown_issuer: str = "") -> Chain:
    why = f" ({reason})" if reason else ""
    text = f"its certificate does not lead to an authority that you expect{why}"
    return Chain(problem=text, reason=reason, unknown_issuer=unknown_issuer)


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` signed `certificate` and is named in it; nothing is said of whether it may."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def leaf_problem(leaf: x509.Certificate) -> str:
    """Why a certificate is not one to sign releases with; empty if it is."""
    try:
        key, use = key_problem(leaf.public_key()), unfit_for_signing(leaf)
    except UNREADABLE:
        return "its certificate cannot be read"
    if key:
        return f"its certificate is for {key}; accepted are {ACCEPTED}"
    return f"its certificate {use}" if use else ""


def _is_too_costly(certificate: x509.Certificate) -> bool:
    """Whether a check of a signature by its key would take long: anybody may put such a certificate into a bundle."""
    try:
        key = certificate.public_key()
    except UNREADABLE:
        return False  # of no use to anybody
    return isinstance(key, rsa.RSAPublicKey) and key.key_size > MAX_RSA_BITS


def subject(certificate: x509.Certificate) -> str:
    """The subject as RFC 4514 text."""
    return _text_of(certificate.subject)


def _text_of(name: x509.Name) -> str:
    try:
        return name.rfc4514_string()
    except UNREADABLE:
        return ""


def _path(
    leaf: x509.Certificate, between: list[x509.Certificate], authorities: Authorities, moment: datetime
) -> tuple[x509.Certificate, ...] | str:
    leaf_policy = ExtensionPolicy.permit_all().require_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
    ca_policy = (
        ExtensionPolicy.webpki_defaults_ca()
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _require_code_signing)
        .may_be_present(x509.NameConstraints, Criticality.AGNOSTIC, _require_checked_constraints)
    )
    builder = (
        PolicyBuilder()
        .store(Store(list(authorities.roots)))
        .time(moment)
        .max_chain_depth(_MAX_DEPTH)
        .extension_policies(ca_policy=ca_policy, ee_policy=leaf_policy)
    )
    try:
        return tuple(builder.build_client_verifier().verify(leaf, between).chain)
    except (VerificationError, *UNREADABLE) as error:
        reason = str(error).removeprefix("validation failed: ").removeprefix("candidates exhausted: ")
        return "" if reason.startswith(_NOBODY_FITS) else reason[:200]


def _unknown_issuer(leaf: x509.Certificate, others: list[x509.Certificate], roots: Iterable[x509.Certificate]) -> str:
    """Go up from the leaf by signatures alone, on every way; empty if one ends at a root."""
    ends, rest, reached = list(roots), list(dict.fromkeys(others)), [leaf]
    for current in reached:  # which grows
        if any(is_issued_by(current, root) for root in ends):
            return ""
        issuers = [other for other in rest if is_issued_by(current, other)]
        rest = [other for other in rest if other not in issuers]
        reached += issuers
    return _text_of(reached[-1].issuer)


def _require_code_signing(_: Policy, certificate: x509.Certificate, usages: x509.ExtendedKeyUsage | None) -> None:
    """An authority that limits itself to other purposes does not vouch for signers."""
    wanted = {ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if usages is not None and not wanted & set(usages):
        raise ValueError("an authority in the chain is not for code signing")


def _require_checked_constraints(_: Policy, certificate: x509.Certificate, names: x509.NameConstraints | None) -> None:
    """The library checks names of these kinds; a limit of another kind, which older versions overlook, is refused."""
    if names is None:
        return
    limits = (*(names.permitted_subtrees or ()), *(names.excluded_subtrees or ()))
    if not all(isinstance(name, _CHECKED_CONSTRAINTS) for name in limits):
        raise ValueError("an authority in the chain limits names in a way that is not checked here")


def _is_authority(certificate: x509.Certificate) -> bool:
    values = [extension.value for extension in certificate.extensions]
    return any(isinstance(value, x509.BasicConstraints) and value.ca for value in values)
