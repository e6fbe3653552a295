"""The BOM that belongs to these files: which bytes it is, that an expected signer signed them, that it is well formed.

A BOM is bound when a verified statement covers the BOM file, or when a verified BOM attestation carries it. When both
are there, they must be the same BOM.
"""

import hashlib
from dataclasses import dataclass

from aibom.core.errors import InputError
from aibom.core.finding import Finding, contradiction
from aibom.core.layout import BOM_NAME
from aibom.core.strictjson import dump_compact, parse_json_object
from aibom.cyclonedx.schema import schema_problems
from aibom.cyclonedx.view import Bom, bom_of
from attest.bom_attestation import is_bom_type
from verify.signature import VerifiedStatement

_HINT = "ask the publisher to build and sign the release again"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundBom:
    """A BOM that a verified signature stands behind."""

    path: str
    sha256: str
    bom: Bom
    attested: bool
    """Whether a BOM attestation, not only the file's digest, was signed."""


def bind_bom(
    statements: tuple[VerifiedStatement, ...], data: bytes | None, *, covered: bool
) -> tuple[BoundBom | None, tuple[Finding, ...]]:
    """Find the one BOM. `data` is the BOM file's bytes, `covered` whether a verified manifest has just these bytes."""
    attestations = [s for s in statements if is_bom_type(s.statement.predicate_type)]
    if data is None and not attestations:
        return None, ()
    if data is not None and not covered and not attestations:
        return None, (
            contradiction(
                "bom.unbound",
                "the BOM is not covered by any verified signature, so anybody may have written it",
                where=BOM_NAME,
                hint=_HINT,
            ),
        )
    try:
        return _parse(attestations, data if covered else None, beside=data)
    except InputError as error:
        return None, (contradiction("bom.invalid", error.message, where=error.where, hint=error.hint or _HINT),)


def _parse(
    attestations: list[VerifiedStatement], data: bytes | None, *, beside: bytes | None
) -> tuple[BoundBom | None, tuple[Finding, ...]]:
    """`data` is the BOM file if somebody signed just these bytes, else None: then the attested BOM is the one."""
    if data is not None:
        document, path, digest = parse_json_object(data, BOM_NAME), BOM_NAME, hashlib.sha256(data).hexdigest()
    else:
        document, path = dict(attestations[0].statement.predicate), attestations[0].path
        digest = hashlib.sha256(dump_compact(document)).hexdigest()
    findings = [_differs(a.path) for a in attestations if dict(a.statement.predicate) != document]
    if data is None and beside is not None and _read_loosely(beside) != document:
        findings.append(_differs(path))
    bom = bom_of(document, path)
    problems = schema_problems(document)
    if problems:  # what breaks the schema is not looked into any further
        invalid = [contradiction("bom.invalid", f"not valid CycloneDX: {p}", where=path, hint=_HINT) for p in problems]
        return None, (*findings, *invalid)
    return BoundBom(path=path, sha256=digest, bom=bom, attested=bool(attestations)), tuple(findings)


def _read_loosely(data: bytes) -> object:
    """The BOM file's content for the comparison alone; whatever cannot be read differs."""
    try:
        return parse_json_object(data, BOM_NAME)
    except InputError:
        return None


def _differs(path: str) -> Finding:
    return contradiction(
        "bom.differs",
        "the BOM beside the files is not the BOM that was attested",
        where=f"{BOM_NAME} and {path}",
        hint=_HINT,
    )
