"""The trust root: which certificate authorities and logs may vouch for an identity. Read from a file, no network."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aibom.core.errors import InputError, TrustError
from aibom.core.strictjson import Json, dump_compact, parse_json_object
from attest.certificate_chain import Authorities
from verify.timestamp import TimestampAuthority

if TYPE_CHECKING:
    from sigstore.models import TrustedRoot

_MAX_BYTES = 16 * 1024 * 1024
_HINT = "give --trust-config or --trusted-root with the file that the signer's Sigstore instance publishes"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRoot:
    """A trust root and, when it came from a file, its digest and age."""

    root: "TrustedRoot"
    sha256: str = ""
    age_days: int | None = None


def load_trust_root(path: Path, now: datetime) -> TrustRoot:
    """Read a trusted root, or a client trust configuration that holds one. Raises TrustError."""
    from sigstore.models import ClientTrustConfig, TrustedRoot  # heavy; only for certificates

    raw, modified = _read(path)
    try:
        document = parse_json_object(raw, str(path), max_bytes=_MAX_BYTES)
        if "trustedRoot" in document:
            root = ClientTrustConfig.from_json(raw.decode("utf-8")).trusted_root
        else:
            root = TrustedRoot.from_file(str(path))
    except InputError as error:
        raise TrustError(error.message, where=error.where, hint=_HINT) from error
    except Exception as error:  # the library leaks several types; without a root nothing is decided
        raise TrustError("not a Sigstore trusted root", where=str(path), hint=_HINT) from error
    age = max(0, int((now.timestamp() - modified) // 86400))
    return TrustRoot(root=root, sha256=hashlib.sha256(_root_bytes(document, raw)).hexdigest(), age_days=age)


def public_trust_root() -> TrustRoot:
    """The public Sigstore instance's root as cached or shipped by sigstore-python; not refreshed. Raises TrustError."""
    from sigstore.models import ClientTrustConfig  # heavy; only for certificates

    try:
        return TrustRoot(root=ClientTrustConfig.production(offline=True).trusted_root)
    except Exception as error:  # as above: whatever it is, there is no root
        raise TrustError("no trust root for the public Sigstore instance", hint=_HINT) from error


def timestamp_authorities(trust: TrustRoot) -> tuple[TimestampAuthority, ...]:
    """The time-stamping authorities that a trust root names, each with its time. Raises TrustError."""
    try:
        found = [
            (tuple(authority.certificates(allow_expired=True)), authority)
            for authority in trust.root.get_timestamp_authorities()
        ]
    except Exception as error:  # as above
        raise TrustError("the trust root's time-stamping authorities cannot be read", hint=_HINT) from error
    return tuple(
        TimestampAuthority(
            authorities=Authorities(roots=(chain[-1],), intermediates=chain[1:-1]),
            signer=chain[0],
            start=authority.validity_period_start,
            end=authority.validity_period_end,
        )
        for chain, authority in found
        if len(chain) > 1
    )


def _read(path: Path) -> tuple[bytes, float]:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES + 1), path.stat().st_mtime
    except OSError as error:
        raise TrustError(f"cannot read the trust root: {error.strerror}", where=str(path), hint=_HINT) from error


def _root_bytes(document: Json, raw: bytes) -> bytes:
    """The root alone: the same root gives the same digest in either kind of file, up to its JSON values."""
    return dump_compact(document.get("trustedRoot", document)) if document else raw
