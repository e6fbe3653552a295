"""Sign with a key and the certificate that an authority issued for it, with a timestamp that outlives it.

Whatever a verifier would refuse later is refused here first, before anything is signed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from aibom.core.errors import SigningError
from attest.bundle import certificate_bundle_bytes, pre_authentication_encoding
from attest.certificate_chain import Authorities, build_chain, is_issued_by
from attest.certificates import UNREADABLE, is_valid_at, names_of, strictly, unfit_for_signing
from attest.signing.signer import KeyHolder, Stamper

_MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class CertificateChain:
    """The signer's certificate, then who issued each; the root is left to the verifier."""

    certificates: tuple[x509.Certificate, ...]
    root: x509.Certificate | None = None
    """If it was given; it only serves to check the others."""

    @property
    def unknown_issuer(self) -> str:
        """If the signer's own certificate is all there is: who issued it."""
        is_alone = len(self.certificates) == 1 and self.root is None
        return self.leaf.issuer.rfc4514_string() if is_alone else ""

    @property
    def leaf(self) -> x509.Certificate:
        """The signer's own."""
        return self.certificates[0]


class CertificateSigner:
    """Signs with a key for which an authority vouches."""

    def __init__(self, holder: KeyHolder, chain: CertificateChain, timestamps: Stamper | None, now: datetime) -> None:
        """Take what `certificate_signer` found to belong together."""
        self._holder = holder
        self._chain = chain
        self._timestamps = timestamps
        self._now = now

    def sign(self, payload: bytes) -> bytes:
        """Sign a statement, and have the signature timestamped if there is a service for it."""
        signature = self._holder.sign_message(pre_authentication_encoding(payload))
        stamps = []
        if self._timestamps is not None:
            stamp = self._timestamps.stamp(signature)
            self._require_lifetime(stamp.time)
            stamps.append(stamp.response)
        certificates = [certificate.public_bytes(Encoding.DER) for certificate in self._chain.certificates]
        return certificate_bundle_bytes(payload, signature, certificates, stamps)

    def describe(self) -> str:
        """The subject of the certificate, and who issued it."""
        leaf = self._chain.leaf
        stamped = f"; {self._timestamps.describe()}" if self._timestamps is not None else ""
        return f"the certificate of {' or '.join(names_of(leaf))}, issued by {leaf.issuer.rfc4514_string()}{stamped}"

    def _require_lifetime(self, stamped: datetime) -> None:
        for certificate in self._chain.certificates:
            if not is_valid_at(certificate, stamped):
                raise SigningError(
                    f"the time-stamping authority says {_text(stamped)}, when the certificate was not valid "
                    f"({_lifetime(certificate)}); this computer's clock says {_text(self._now)}",
                    where=certificate.subject.rfc4514_string(),
                    hint="find out which clock is wrong, then run the same command again; nothing was written",
                )


def certificate_signer(
    holder: KeyHolder, chain: CertificateChain, timestamps: Stamper | None, *, now: datetime, where: str
) -> CertificateSigner:
    """Make a signer, if key and certificate belong together and are fit to sign now. Raises SigningError."""
    leaf = chain.leaf
    try:
        belongs = leaf.public_key() == holder.public.key
        problem = unfit_for_signing(leaf)
        if not problem and not names_of(leaf):
            problem = "names nobody whom a buyer could expect (subject alternative name)"
    except UNREADABLE:
        raise _malformed(where) from None
    if not belongs:
        raise SigningError(
            "the key does not belong to the certificate",
            where=where,
            hint="give the key that the certificate was issued for, or the certificate that was issued for this key",
        )
    if problem:
        raise SigningError(
            f"the certificate {problem}",
            where=where,
            hint="ask your authority for a code-signing certificate with your e-mail address or URI in it",
        )
    for certificate in chain.certificates:
        _require_strong(certificate, where)
        _require_valid(certificate, now, where)
    _require_path(chain, now, where)
    return CertificateSigner(holder, chain, timestamps, now)


def load_chain(certificate: Path, chain: Path | None) -> CertificateChain:
    """Read the signer's certificate, and who issued it, from PEM files. Raises SigningError.

    The order in the chain does not matter, a root in it is left out, and every certificate must have its place.
    """
    leaf, *others = load_certificates(certificate)
    others += load_certificates(chain) if chain is not None else []
    where = str(chain or certificate)
    try:
        if is_issued_by(leaf, leaf):
            raise SigningError(
                "the certificate signed itself: no authority vouches for it",
                where=str(certificate),
                hint="sign with the key alone (no --certificate), or have an authority issue a certificate",
            )
        return _linked(leaf, [other for other in others if other != leaf], where)
    except UNREADABLE:
        raise _malformed(where) from None


def load_certificates(path: Path) -> list[x509.Certificate]:
    """Read at least one certificate from a PEM file. Raises SigningError."""
    try:
        with path.open("rb") as file, strictly():
            found = x509.load_pem_x509_certificates(file.read(_MAX_BYTES))
    except OSError as error:
        raise SigningError(
            f"cannot read the certificate: {error.strerror}", where=str(path), hint="check the path"
        ) from error
    except UNREADABLE:
        raise _malformed(str(path)) from None
    return found


def _linked(leaf: x509.Certificate, others: list[x509.Certificate], where: str) -> CertificateChain:
    chain, rest = [leaf], list(dict.fromkeys(others))
    while rest:
        issuer = next((other for other in rest if is_issued_by(chain[-1], other)), None)
        if issuer is None:
            raise SigningError(
                f"the chain does not link up: {rest[0].subject.rfc4514_string()} issued nothing in it; "
                f"the issuer of {chain[-1].subject.rfc4514_string()} is {chain[-1].issuer.rfc4514_string()}",
                where=where,
                hint="give exactly the certificates between the signer's own and the root",
            )
        rest.remove(issuer)
        chain.append(issuer)
    root = chain[-1] if is_issued_by(chain[-1], chain[-1]) else None
    return CertificateChain(tuple(chain[:-1] if root else chain), root)


def _require_path(chain: CertificateChain, now: datetime, where: str) -> None:
    """Refuse what verifiers refuse, by their own rules: up to the root, or to the highest certificate that is there."""
    *below, top = (*chain.certificates, chain.root) if chain.root else chain.certificates
    if not below:
        return
    found = build_chain(chain.leaf, below[1:], Authorities((top,)), now)
    if found.problem:
        raise SigningError(
            f"verifiers refuse this chain: {found.reason or found.problem}",
            where=where,
            hint="have the certificates of the chain issued again, as those of authorities (X.509 v3, RFC 5280)",
        )


def _require_strong(certificate: x509.Certificate, where: str) -> None:
    """Refuse what verifiers refuse by the rules of the web: SHA-1, and authorities with keys of Edwards curves."""
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        digest = None
    if not isinstance(digest, (hashes.SHA256, hashes.SHA384, hashes.SHA512)):
        raise SigningError(
            f"the certificate of {certificate.subject.rfc4514_string() or 'the signer'} was signed with "
            f"{digest.name.upper() if digest else 'a kind of key'}, which verifiers refuse",
            where=where,
            hint="have it issued by an authority with an ECDSA or RSA key, with SHA-256, SHA-384 or SHA-512",
        )


def _require_valid(certificate: x509.Certificate, now: datetime, where: str) -> None:
    if is_valid_at(certificate, now):
        return
    what = "has expired" if now > certificate.not_valid_after_utc else "is not valid yet"
    raise SigningError(
        f"the certificate of {certificate.subject.rfc4514_string() or 'the signer'} {what}: {_lifetime(certificate)}; "
        f"this computer's clock says {_text(now)}",
        where=where,
        hint="set the clock if it is wrong; else have the certificate renewed",
    )


def _lifetime(certificate: x509.Certificate) -> str:
    return f"valid from {_text(certificate.not_valid_before_utc)} to {_text(certificate.not_valid_after_utc)}"


def _malformed(where: str) -> SigningError:
    return SigningError(
        "not certificates in PEM form",
        where=where,
        hint="expected a file that starts with -----BEGIN CERTIFICATE-----",
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
