"""Steps 1 to 3: find the bundles of a release, verify each, and read what it covers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aibom.core.errors import InputError, TrustError
from aibom.core.finding import Finding, Outcome, contradiction, note, undecided
from aibom.core.layout import BOM_BUNDLE_NAME, SIGNATURE_NAME
from aibom.core.names import printable
from attest.bom_attestation import is_bom_type, parse_bom_attestation
from attest.bundle import parse_bundle
from attest.model_signature import PREDICATE_TYPE as MODEL_TYPE
from attest.model_signature import parse_model_signature
from verify.attached import Attached, AttachedFiles, read_bundle_file
from verify.coverage import SignedFiles
from verify.policy import Policy
from verify.report import AttestationRecord
from verify.signature import VerifiedStatement, verify_bundle
from verify.trust import TrustRoot

VERIFIED = "verified"
_OTHER_SIGNER = frozenset({"signature.wrong-key", "signature.wrong-identity", "signature.wrong-signer"})
_RECORDED = {
    Outcome.CONTRADICTED: "rejected",
    Outcome.UNDECIDED: "undecided",
    Outcome.NOTE: "not checked",
    Outcome.MISSING: "not checked",
}


@dataclass(frozen=True, slots=True)
class Signatures:
    """What was verified, what became of each bundle, which files are signed, and what was found."""

    statements: tuple[VerifiedStatement, ...]
    records: tuple[AttestationRecord, ...]
    signed: tuple[SignedFiles, ...]
    findings: tuple[Finding, ...]
    others: tuple[tuple[int, VerifiedStatement], ...] = ()
    """Statements of other types, each with the place of its record: what they are about is seen when files are read."""
    not_judged: tuple[str, ...] = ()
    """What was not judged of those."""
    predicate_types: Mapping[str, str] = field(default_factory=dict)
    """Predicate type → bundle, of verified statements that are about this release."""


def verify_bundles(
    attached: AttachedFiles, policy: Policy, trust: Callable[[], TrustRoot], now: datetime
) -> Signatures:
    """Verify every bundle of a release. `trust` may raise TrustError, which leaves a bundle undecided."""
    statements, records, signed, others = [], [], [], []
    findings = [_stranger(printable(name)[1:-1]) for name in attached.strangers]
    if not attached.bundles:
        findings.append(
            contradiction(
                "signature.missing",
                "there is no signature: nobody stands behind these files",
                where=SIGNATURE_NAME,
                hint="ask the publisher for the signed release, or for the folder with its signatures (--attached)",
            )
        )
    for found in attached.bundles:
        statement = _verify_one(found, policy, trust, now)
        if isinstance(statement, Finding):
            statement = _by_somebody_else(statement, found)
            findings.append(statement)
            outcome = _RECORDED[statement.outcome]
            records.append(AttestationRecord(path=found.name, type="", signer=None, outcome=outcome))
            continue
        files = _covered_files(statement)
        if isinstance(files, SignedFiles):
            signed.append(files)
        elif files:
            findings.append(files)
        else:
            others.append((len(records), statement))
        statements.append(statement)
        outcome = VERIFIED if isinstance(files, SignedFiles) else "rejected" if files else "not checked"
        kind = statement.statement.predicate_type
        records.append(AttestationRecord(path=found.name, type=kind, signer=statement.signer, outcome=outcome))
    if statements and not signed:
        findings.append(_nothing_signed(statements, [statement for _, statement in others], attached))
    return Signatures(tuple(statements), tuple(records), tuple(signed), tuple(findings), tuple(others))


def _nothing_signed(
    statements: list[VerifiedStatement], others: list[VerifiedStatement], attached: AttachedFiles
) -> Finding:
    """Statements of other types may be about these very files; none of them says that the release is whole."""
    nothing_else = len(others) == len(attached.bundles)
    text = (
        f"{'there is no' if nothing_else else 'no'} signature over the release{'' if nothing_else else ' is verified'}"
    )
    if others:
        kind = printable(others[0].statement.predicate_type[:200])[1:-1]
        text += f"; a statement of the type {kind} does not stand in for it"
    return contradiction(
        "coverage.nothing-signed",
        text,
        where=statements[0].path,
        hint=f"ask the publisher for the signature over the release ({SIGNATURE_NAME})",
    )


def _by_somebody_else(finding: Finding, found: Attached) -> Finding:
    """A third party may add an attestation of its own: it counts for nothing, and is no contradiction."""
    if found.name in {SIGNATURE_NAME, BOM_BUNDLE_NAME} or finding.rule not in _OTHER_SIGNER:
        return finding
    text = f"ignored: {finding.message} (found: {finding.found})"
    return note("attestation.other-signer", text, where=found.name)


def _verify_one(
    found: Attached, policy: Policy, trust: Callable[[], TrustRoot], now: datetime
) -> VerifiedStatement | Finding:
    try:
        bundle = parse_bundle(read_bundle_file(found), found.name)
    except InputError as error:
        return contradiction(
            "signature.malformed", f"not a usable signature: {error.message}", where=error.where, hint=error.hint
        )
    try:
        return verify_bundle(bundle, found.name, policy, trust, now)
    except TrustError as error:
        return undecided("trust.missing", error.message, where=error.where or found.name, hint=error.hint)


def _covered_files(statement: VerifiedStatement) -> SignedFiles | Finding | None:
    """What a verified statement says about files; None for a statement of another type."""
    kind = statement.statement.predicate_type
    try:
        if kind == MODEL_TYPE:
            manifest = parse_model_signature(statement.statement, statement.path)
            return SignedFiles(
                path=statement.path, files=manifest.files, is_bom_attestation=False, ignored=manifest.ignored
            )
        if is_bom_type(kind):
            attested = parse_bom_attestation(statement.statement, statement.path)
            return SignedFiles(
                path=statement.path,
                files=attested.files,
                is_bom_attestation=True,
                tree_digest=attested.tree_digest,
            )
    except InputError as error:
        return contradiction("statement.malformed", error.message, where=error.where, hint=error.hint)
    if statement.path == SIGNATURE_NAME:
        return contradiction(
            "statement.type",
            "the model signature holds another kind of statement",
            where=SIGNATURE_NAME,
            expected=MODEL_TYPE,
            found=kind[:200],
        )
    return None


def _stranger(name: str) -> Finding:
    return contradiction(
        "attestation.stranger",
        f"{name} is not a signature bundle, and no signature covers this folder",
        where=name,
        hint="remove it, or ask the publisher what it is for",
    )
