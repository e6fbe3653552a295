"""Verification as numbered steps. Each hands findings on; only step 2 can make a verified statement.

1. bundles     find the signature and the attestations that belong to the release
2. signatures  each must be by an expected signer (`verify.signature`)
3. statements  read what each verified statement covers
4. files       list the release safely and digest every file, once
5. coverage    files on disk = files signed (`verify.coverage`)
6. BOM         bound to a signature, well formed, and accounting for every file
7. content     what claims to be weights is
8. profiles    evidence against the checks that were asked for (`verify.assessment`)
9. decision    one verdict (`verify.decision`)
"""

from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aibom.core.errors import InputError, TrustError
from aibom.core.finding import Finding, Outcome, contradiction, note, undecided
from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME, is_content, is_outside
from aibom.core.manifest import Manifest
from aibom.core.progress import Progress
from aibom.core.verdict import Verdict
from aibom.cyclonedx import properties
from aibom.sources.local import Listing, list_release, read_release
from attest.bom_attestation import is_bom_type, parse_bom_attestation
from attest.bundle import parse_bundle
from attest.model_signature import PREDICATE_TYPE as MODEL_TYPE
from attest.model_signature import parse_model_signature
from verify import content
from verify.assessment import ProfileResult, assess
from verify.attached import Attached, AttachedFiles, find_attached, read_bundle_file
from verify.bom_accounting import check_accounting
from verify.bom_binding import BoundBom, bind_bom
from verify.coverage import Coverage, SignedFiles, check_coverage, union
from verify.decision import decide
from verify.policy import Policy
from verify.profile import Profile
from verify.report import AttestationRecord, Report, Subject
from verify.rules.evidence import EvidenceBase
from verify.signature import VerifiedStatement, verify_bundle
from verify.trust import TrustRoot, load_trust_root, public_trust_root

_MAX_BOM = 256 * 1024 * 1024
_UNSAFE = "content.unsafe-entry"
_OTHER_SIGNER = frozenset({"signature.wrong-key", "signature.wrong-identity", "signature.wrong-signer"})
_RECORDED = {
    Outcome.CONTRADICTED: "rejected",
    Outcome.UNDECIDED: "undecided",
    Outcome.NOTE: "not checked",
    Outcome.MISSING: "not checked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to verify, against what, and with which means."""

    root: Path
    policy: Policy
    profiles: tuple[Profile, ...]
    now: datetime
    tool_version: str
    attached: Path | None = None
    trust_path: Path | None = None
    executor: Executor | None = None
    progress: Progress | None = None


@dataclass(slots=True)
class _Trust:
    """Loads the trust root at most once, and only if a certificate asks for it."""

    path: Path | None
    now: datetime
    loaded: TrustRoot | None = field(default=None)

    def __call__(self) -> TrustRoot:
        if self.loaded is None:
            self.loaded = load_trust_root(self.path, self.now) if self.path else public_trust_root()
        return self.loaded


@dataclass(frozen=True, slots=True)
class _Signatures:
    statements: tuple[VerifiedStatement, ...]
    records: tuple[AttestationRecord, ...]
    signed: tuple[SignedFiles, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Files:
    manifest: Manifest
    bom: bytes | None
    outside: tuple[str, ...]
    findings: tuple[Finding, ...]
    complete: bool = True
    """Whether every file could be read; if not, nothing is said about any."""


def verify_release(request: Request) -> Report:
    """Carry out the steps above.

    Raises InputError if the release cannot be read, UsageError for a policy that cannot be meant.
    """
    trust = _Trust(request.trust_path, request.now)
    attached = find_attached(request.root, request.attached)
    signatures = _signatures(attached, request.policy, trust)
    files = _read_files(request, signatures, attached)
    coverage = check_coverage(signatures.signed if files.complete else (), files.manifest, files.outside)
    not_as_signed = frozenset({*coverage.diff.extra, *coverage.diff.missing, *coverage.diff.changed})
    bound, bom_findings = _bom(signatures, files, not_as_signed, inside=attached.bom is None)
    content_findings = [f for f in files.findings if not _follows(f, not_as_signed)]
    findings = [*signatures.findings, *coverage.findings, *content_findings, *bom_findings]
    profiles = _profiles(request, signatures, files, coverage, bound)
    verdict = decide(findings, profiles, signers=len(signatures.statements), files=len(files.manifest.entries))
    tree = Manifest(tuple(entry for entry in files.manifest.entries if is_content(entry.name)))
    return Report(
        verdict=verdict,
        time=request.now,
        tool_version=request.tool_version,
        subject=Subject(name=request.root.resolve().name, tree_digest=tree.tree_digest, manifest=files.manifest),
        policy=request.policy,
        trust=trust.loaded,
        bom=bound,
        attestations=signatures.records,
        coverage=coverage,
        findings=tuple(sorted(findings, key=_urgency)),
        profiles=profiles,
        not_checked=tuple(_not_checked(request, signatures, bound, verdict)),
    )


def _signatures(attached: AttachedFiles, policy: Policy, trust: _Trust) -> _Signatures:
    """Steps 1 to 3."""
    statements, records, signed = [], [], []
    findings = [_stranger(name) for name in attached.strangers]
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
        statement = _verify_one(found, policy, trust)
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
        statements.append(statement)
        outcome = "verified" if isinstance(files, SignedFiles) else "rejected" if files else "not checked"
        kind = statement.statement.predicate_type
        records.append(AttestationRecord(path=found.name, type=kind, signer=statement.signer, outcome=outcome))
    return _Signatures(tuple(statements), tuple(records), tuple(signed), tuple(findings))


def _by_somebody_else(finding: Finding, found: Attached) -> Finding:
    """A third party may add an attestation of its own: it counts for nothing, and is no contradiction."""
    if found.name in {SIGNATURE_NAME, BOM_BUNDLE_NAME} or finding.rule not in _OTHER_SIGNER:
        return finding
    text = f"ignored: {finding.message} (found: {finding.found})"
    return note("attestation.other-signer", text, where=found.name)


def _verify_one(found: Attached, policy: Policy, trust: _Trust) -> VerifiedStatement | Finding:
    try:
        bundle = parse_bundle(read_bundle_file(found), found.name)
    except InputError as error:
        return contradiction(
            "signature.malformed", f"not a usable signature: {error.message}", where=error.where, hint=error.hint
        )
    try:
        return verify_bundle(bundle, found.name, policy, trust)
    except TrustError as error:
        return undecided("trust.missing", error.message, where=error.where or found.name, hint=error.hint)


def _covered_files(statement: VerifiedStatement) -> SignedFiles | Finding | None:
    """What a verified statement says about files; None for a kind that this version does not read."""
    kind = statement.statement.predicate_type
    try:
        if kind == MODEL_TYPE:
            manifest = parse_model_signature(statement.statement, statement.path)
            return SignedFiles(
                path=statement.path, files=manifest.files, is_bom_attestation=False, ignored=manifest.ignored
            )
        if is_bom_type(kind):
            attested = parse_bom_attestation(statement.statement, statement.path)
            return SignedFiles(path=statement.path, files=attested.files, is_bom_attestation=True)
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


def _read_files(request: Request, signatures: _Signatures, attached: AttachedFiles) -> _Files:
    """Step 4. A file that cannot be read leaves everything about files undecided."""
    try:
        return _read_all(request, signatures, attached)
    except InputError as error:
        finding = undecided("input.unreadable", error.message, where=error.where, hint=error.hint)
        return _Files(Manifest(()), None, (), (finding,), complete=False)


def _read_all(request: Request, signatures: _Signatures, attached: AttachedFiles) -> _Files:
    """Step 4, and step 7 on the way: every file is read once."""
    listing = list_release(request.root)
    findings = [_unsafe(problem.message, problem.where) for problem in listing.refused]
    entries, bom = [], None
    read = read_release(
        request.root,
        _to_read(request.root, listing, signatures),
        retain=_retain,
        executor=request.executor,
        progress=request.progress,
    )
    for file in read:
        entries.append(file.entry)
        if file.entry.name == BOM_NAME:
            bom = file.kept
        elif is_content(file.entry.name):
            findings += content.check_content(file)
    if attached.bom:
        bom = read_bundle_file(attached.bom, _MAX_BOM)
    outside = tuple(sorted({*listing.outside, *listing.hub_records}))
    return _Files(Manifest.of(entries), bom, outside, tuple(findings))


def _retain(name: str, size: int, head: bytes) -> int:
    return min(size, _MAX_BOM) if name == BOM_NAME else content.retain(name, size, head)


def _to_read(root: Path, listing: Listing, signatures: _Signatures) -> list[tuple[str, int]]:
    """All covered files, and those outside the rule that somebody signed all the same."""
    named = {n for n in union(signatures.signed) if is_outside(n) or n in listing.hub_records}
    return [*listing.files, *((n, 0) for n in sorted(named) if n in {*listing.outside, *listing.hub_records})]


def _bom(
    signatures: _Signatures, files: _Files, not_as_signed: frozenset[str], *, inside: bool
) -> tuple[BoundBom | None, list[Finding]]:
    """Step 6. A BOM file inside the release is covered when a verified manifest has just its bytes."""
    if not files.complete:
        return None, []
    entry = files.manifest.by_name().get(BOM_NAME)
    covered = inside and entry is not None and union(signatures.signed).get(BOM_NAME) == entry.sha256
    if files.bom is not None and not signatures.statements:
        return None, []
    bound, findings = bind_bom(signatures.statements, files.bom, covered=covered)
    if bound is None:
        return None, list(findings)
    try:
        accounting = check_accounting(bound.bom, files.manifest, explained=not_as_signed)
        return bound, [*findings, *accounting, *_said_by_publisher(bound)]
    except InputError as error:
        return None, [*findings, contradiction("bom.invalid", error.message, where=error.where)]


def _said_by_publisher(bound: BoundBom) -> list[Finding]:
    """Conflicts and problems that the signed BOM itself reports."""
    root = bound.bom.root
    texts = [*root.properties(properties.CONFLICT), *root.properties(properties.PROBLEM)] if root else []
    return [note("bom.conflict", text, where=bound.path) for text in texts[:20]]


def _profiles(
    request: Request, signatures: _Signatures, files: _Files, coverage: Coverage, bound: BoundBom | None
) -> tuple[ProfileResult, ...]:
    expected = union(signatures.signed)
    actual = {entry.name: entry.sha256 for entry in files.manifest.entries}
    base = EvidenceBase(
        bom=bound.bom if bound else None,
        bom_path=bound.path if bound else "",
        bom_sha256=bound.sha256 if bound else "",
        authenticated=bool(signatures.statements),
        files={name: value for name, value in actual.items() if expected.get(name) == value},
        predicate_types={s.statement.predicate_type: s.path for s in signatures.statements},
        whole=bool(signatures.signed) and not coverage.diff,
    )
    return tuple(assess(profile, request.policy.context, base) for profile in request.profiles)


def _not_checked(request: Request, signatures: _Signatures, bound: BoundBom | None, verdict: Verdict) -> list[str]:
    """What a reader might take for checked, and was not."""
    said = []
    if bound is None:
        said.append("no BOM: nothing is known here about data, licences, training or documents")
    if not request.profiles:
        said.append("no profile: whether the release is complete enough for your purpose was not judged")
    said += [
        f"{r.path}: signed by an expected signer, but this version does not judge statements of the type {r.type}"
        for r in signatures.records
        if r.outcome == "not checked" and r.signer
    ]
    said.append("whether code in the release, or files that can run code when loaded, are harmless")
    said.append("how the model behaves, and whether its data was poisoned before it was signed")
    said.append("whether the publisher has withdrawn this release since it was signed")
    return said if verdict is not Verdict.REJECTED else said[-3:]


def _follows(finding: Finding, not_as_signed: frozenset[str]) -> bool:
    """Whether a finding on content only follows from a file not being the one that was signed."""
    return finding.rule != _UNSAFE and finding.where.partition(",")[0] in not_as_signed


def _urgency(finding: Finding) -> int:
    return [Outcome.CONTRADICTED, Outcome.UNDECIDED, Outcome.MISSING, Outcome.NOTE].index(finding.outcome)


def _stranger(name: str) -> Finding:
    return contradiction(
        "attestation.stranger",
        f"{name} is not a signature bundle, and no signature covers this folder",
        where=name,
        hint="remove it, or ask the publisher what it is for",
    )


def _unsafe(message: str, where: str) -> Finding:
    return contradiction(_UNSAFE, message, where=where, hint="remove it, and report it to the publisher")
