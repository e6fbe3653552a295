"""Who signed the release and when, and what else was signed about it: for the head of the report."""

from collections.abc import Iterable

from cryptography.x509 import Name
from cryptography.x509.oid import NameOID

from attest.bom_attestation import is_bom_type
from attest.model_signature import PREDICATE_TYPE as MODEL_TYPE
from attest.predicates.kinds import kind_of
from verify.bundles import VERIFIED
from verify.report import AttestationRecord
from verify.signature import Signer

_SHOWN, _LONGEST_NAME = 8, 80


def signed_by(records: Iterable[AttestationRecord]) -> str:
    """Who signed the files or their BOM: each once, with the time or the span of times of their signatures."""
    listed = list(records)
    times: dict[Signer, list[str]] = {}
    for signer in _over_release(listed):
        times.setdefault(_person(signer), []).append(signer.time)
    nobody = "nobody, over the release" if any(map(_is_other, listed)) else "nobody whom you expect"
    return ", and ".join(f"{_name(signer)}{_when(found)}" for signer, found in times.items()) or nobody


def also_signed(records: Iterable[AttestationRecord]) -> str:
    """What verified statements of other types say, in their signers' words; empty without any. Bounded."""
    listed = list(records)
    others = [record for record in listed if _is_other(record)]
    signers = {_person(signer) for signer in _over_release(listed)}
    shown = [_statement(record, record.signer, signers) for record in others[:_SHOWN] if record.signer]
    more = [f"{len(others) - _SHOWN} more"] if len(others) > _SHOWN else []
    return f"{'; '.join([*shown, *more])} (the signer's words)" if shown else ""


def _statement(record: AttestationRecord, signer: Signer, signers: set[Signer]) -> str:
    """The signer is named where it is not the only signer of the release."""
    kind = kind_of(record.type)
    name = kind.name if kind else record.type[:_LONGEST_NAME]
    who = f"the key {signer.identity[:16]}…" if signer.kind == "key" else signer.identity[:_LONGEST_NAME]
    by = "" if signers == {_person(signer)} else f", by {who}"
    return f"{name}: {record.says or 'not read here'}{by}"


def _is_over_release(record: AttestationRecord) -> bool:
    return record.type == MODEL_TYPE or is_bom_type(record.type)


def _is_other(record: AttestationRecord) -> bool:
    return record.outcome == VERIFIED and not _is_over_release(record)


def _over_release(records: Iterable[AttestationRecord]) -> list[Signer]:
    return [record.signer for record in records if record.signer and _is_over_release(record)]


def _person(signer: Signer) -> Signer:
    """The signer without the moment."""
    return Signer(kind=signer.kind, identity=signer.identity, issuer=signer.issuer)


def _name(signer: Signer) -> str:
    if signer.kind == "key":
        return f"the key that you gave ({signer.identity[:16]}…)"
    if signer.kind == "certificate":
        return f"{signer.identity}, certified by {_authority(signer.issuer)}"
    return f"{signer.identity}, vouched for by {signer.issuer}"


def _authority(subject: str) -> str:
    """`CN=Root CA,O=Example` as `Root CA (O=Example)`; any other form of name as it is."""
    try:
        parts = list(Name.from_rfc4514_string(subject))
    except ValueError:
        return subject
    common = [part for part in parts if part.oid == NameOID.COMMON_NAME]
    if len(common) != 1:
        return subject
    rest = Name([part for part in parts if part is not common[0]]).rfc4514_string()
    return f"{common[0].value!s} ({rest})" if rest else str(common[0].value)


def _when(times: list[str]) -> str:
    """`; signed 2026-11-21 11:16:54 UTC`, the first and last of several, and whether one carried no time."""
    known = sorted({f"{time[:10]} {time[11:19]}" for time in times if time})
    if not known:
        return ""
    first, last = known[0], known[-1]
    until = last[11:] if last[:10] == first[:10] else last
    unknown = ", once at a time that was not checked" if "" in times else ""
    return f"; signed {first}{f' to {until}' if last != first else ''} UTC{unknown}"
