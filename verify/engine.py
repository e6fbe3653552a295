"""Verification as numbered steps. Each hands findings on; only step 2 can make a verified statement.

1. bundles     find the signature and the attestations that belong to the release (`verify.bundles`)
2. signatures  each must be by an expected signer (`verify.signature`)
3. statements  read what each verified statement covers; those of other types after step 4 (`verify.statement_kinds`)
4. files       list the release safely and digest every file, once (`verify.reading`)
5. coverage    files on disk = files signed (`verify.coverage`)
6. BOM         bound to a signature, well formed, accounting for every file, leaving out nothing declared
7. content     what claims to be weights is (`verify.content`)
8. steps       how it was made: recorded steps fit together and end in these files (`verify.supply_chain`)
9. profiles    evidence against the checks that were asked for (`verify.assessment`)
10. decision   one verdict (`verify.decision`)
"""

from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aibom.core.errors import InputError
from aibom.core.finding import Finding, Outcome, contradiction, note
from aibom.core.layout import BOM_NAME, is_content
from aibom.core.manifest import Manifest
from aibom.core.progress import Progress
from aibom.core.verdict import Verdict
from aibom.cyclonedx import properties
from aibom.cyclonedx.view import Bom
from attest.bom_attestation import is_bom_type
from verify.assessment import ProfileResult, assess
from verify.attached import find_attached
from verify.bom_accounting import check_accounting
from verify.bom_binding import BoundBom, bind_bom
from verify.bom_declarations import check_declared
from verify.bundles import Signatures, verify_bundles
from verify.chain_files import GivenLayout
from verify.coverage import Coverage, check_coverage, union
from verify.decision import decide
from verify.policy import Policy
from verify.profile import Profile
from verify.reading import UNSAFE, Readings, read_files
from verify.report import Report, Subject
from verify.revocation import unchecked_certificates
from verify.rules.evidence import EvidenceBase
from verify.statement_kinds import settle
from verify.supply_chain import check_supply_chain
from verify.trust import TrustRoot, load_trust_root, public_trust_root


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to verify, against what, and with which means."""

    root: Path
    policy: Policy
    profiles: tuple[Profile, ...]
    now: datetime
    tool_version: str
    attached: Path | None = None
    layout: GivenLayout | None = None
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


def verify_release(request: Request) -> Report:
    """Carry out the steps above.

    Raises InputError if the release cannot be read, UsageError for a policy that cannot be meant.
    """
    trust = _Trust(request.trust_path, request.now)
    attached = find_attached(request.root, request.attached)
    signatures = verify_bundles(attached, request.policy, trust, request.now)
    files = read_files(
        request.root,
        union(signatures.signed),
        attached.bom,
        algorithms=_attested_algorithms(signatures),
        executor=request.executor,
        progress=request.progress,
    )
    signatures = settle(signatures, files)
    coverage = check_coverage(signatures.signed if files.complete else (), files.manifest, files.outside, files.unread)
    not_as_signed = frozenset({*coverage.diff.extra, *coverage.diff.missing, *coverage.diff.changed})
    bound, bom_findings = _bom(signatures, files, not_as_signed, inside=attached.bom is None)
    content_findings = [f for f in files.findings if not _follows(f, not_as_signed)]
    chain = check_supply_chain(attached, request.policy, files, request.now, request.layout)
    chain_findings = [f for f in chain.findings if not _follows(f, not_as_signed)]
    findings = [*signatures.findings, *coverage.findings, *content_findings, *bom_findings, *chain_findings]
    profiles = _profiles(request, signatures, files, coverage, bound)
    verdict = decide(findings, profiles, signers=len(signatures.signed), files=len(files.manifest.entries))
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
        not_checked=(*chain.not_checked, *_not_checked(request, signatures, bound, verdict)),
        supply_chain=chain.record,
    )


def _attested_algorithms(signatures: Signatures) -> set[str]:
    """The digests that attested BOMs give their files."""
    predicates = [s.statement for s in signatures.statements if is_bom_type(s.statement.predicate_type)]
    try:
        return {name for statement in predicates for name in Bom(dict(statement.predicate)).file_algorithms}
    except InputError:
        return set()  # step 6 says what is wrong with it


def _bom(
    signatures: Signatures, files: Readings, not_as_signed: frozenset[str], *, inside: bool
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
        declared = [item for item in files.declared if item.file not in not_as_signed]
        return bound, [*findings, *accounting, *check_declared(bound.bom, declared), *_said_by_publisher(bound)]
    except InputError as error:
        return None, [*findings, contradiction("bom.invalid", error.message, where=error.where)]


def _said_by_publisher(bound: BoundBom) -> list[Finding]:
    """Conflicts and problems that the signed BOM itself reports."""
    root = bound.bom.root
    texts = [*root.properties(properties.CONFLICT), *root.properties(properties.PROBLEM)] if root else []
    return [note("bom.conflict", text, where=bound.path) for text in texts[:20]]


def _profiles(
    request: Request, signatures: Signatures, files: Readings, coverage: Coverage, bound: BoundBom | None
) -> tuple[ProfileResult, ...]:
    expected = union(signatures.signed)
    actual = {entry.name: entry.sha256 for entry in files.manifest.entries}
    base = EvidenceBase(
        bom=bound.bom if bound else None,
        bom_path=bound.path if bound else "",
        bom_sha256=bound.sha256 if bound else "",
        authenticated=bool(signatures.signed),
        files={name: value for name, value in actual.items() if expected.get(name) == value},
        predicate_types=signatures.predicate_types,
        whole=bool(signatures.signed) and not coverage.diff,
    )
    return tuple(assess(profile, request.policy.context, base) for profile in request.profiles)


def _not_checked(request: Request, signatures: Signatures, bound: BoundBom | None, verdict: Verdict) -> list[str]:
    """What a reader might take for checked, and was not."""
    said = []
    if bound is None:
        said.append("no BOM: nothing is known here about data, licences, training or documents")
    if not request.profiles:
        said.append("no profile: whether the release is complete enough for your purpose was not judged")
    said += signatures.not_judged
    said += unchecked_certificates((r.path, r.signer) for r in signatures.records if r.signer)
    said.append("whether code in the release, or files that can run code when loaded, are harmless")
    said.append("how the model behaves, and whether its data was poisoned before it was signed")
    said.append("whether the publisher has withdrawn this release since it was signed")
    return said if verdict is not Verdict.REJECTED else said[-3:]


def _follows(finding: Finding, not_as_signed: frozenset[str]) -> bool:
    """Whether a finding on content only follows from a file not being the one that was signed."""
    return finding.rule != UNSAFE and finding.where.partition(",")[0] in not_as_signed


def _urgency(finding: Finding) -> int:
    return [Outcome.CONTRADICTED, Outcome.UNDECIDED, Outcome.MISSING, Outcome.NOTE].index(finding.outcome)
