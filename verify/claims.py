"""Who *claims* to have signed, for a reader who has not said whom to expect. Nothing here was authenticated."""

from dataclasses import dataclass
from pathlib import Path

from aibom.core.errors import InputError
from attest.bundle import parse_bundle
from verify.attached import Attached, find_attached, read_bundle_file
from verify.certificate import claimed_names, is_from_sigstore, read_identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One bundle's claim: a key fingerprint, an identity and issuer, names and authority, or why it cannot be read."""

    path: str
    fingerprint: str = ""
    identity: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    """The names in a certificate that is not Sigstore's; any of them may be expected."""
    authority: str = ""
    problem: str = ""


def read_claims(root: Path, attached: Path | None) -> tuple[Claim, ...]:
    """Read the claims of every bundle that belongs to a release, without verifying any."""
    return tuple(_claim(found) for found in find_attached(root, attached).bundles)


def _claim(found: Attached) -> Claim:
    try:
        bundle = parse_bundle(read_bundle_file(found), found.name)
    except InputError as error:
        return Claim(path=found.name, problem=error.message)
    if bundle.has_certificate and not is_from_sigstore(bundle.certificate):
        certified, authority = claimed_names(bundle.certificate)
        return Claim(path=found.name, names=certified, authority=authority)
    if bundle.has_certificate:
        names = read_identity(bundle.certificate)
        return Claim(path=found.name, identity=names.identity, issuer=names.issuer)
    return Claim(path=found.name, fingerprint=bundle.key_hint)
