"""The report: everything a verification came to, and its JSON form `aibom-report/1` (`specs/schemas/`)."""

from dataclasses import dataclass
from datetime import datetime

from aibom.core.finding import Finding
from aibom.core.manifest import Manifest
from aibom.core.strictjson import Json
from aibom.core.verdict import Verdict
from verify.assessment import CheckResult, ProfileResult
from verify.bom_binding import BoundBom
from verify.coverage import Coverage
from verify.policy import Policy
from verify.rules.evidence import Evidence
from verify.signature import Signer
from verify.supply_chain import ChainRecord
from verify.trust import TrustRoot

SCHEMA = "aibom-report/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationRecord:
    """One bundle: what it says it is, and what became of it."""

    path: str
    type: str
    signer: Signer | None
    outcome: str
    """`verified`, `rejected`, `undecided`, or `not checked`."""
    says: str = ""
    """What a verified statement of a type that we know says, in short: its signer's words, not judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The release as it lies there."""

    name: str
    tree_digest: str
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of one verification."""

    verdict: Verdict
    time: datetime
    tool_version: str
    subject: Subject
    policy: Policy
    trust: TrustRoot | None
    bom: BoundBom | None
    attestations: tuple[AttestationRecord, ...]
    coverage: Coverage
    findings: tuple[Finding, ...]
    profiles: tuple[ProfileResult, ...]
    not_checked: tuple[str, ...]
    supply_chain: ChainRecord | None = None

    @property
    def signers(self) -> tuple[Signer, ...]:
        """Verified signers, each once, in the order of the bundles."""
        return tuple(dict.fromkeys(a.signer for a in self.attestations if a.signer))


def report_json(report: Report) -> Json:
    """Render `aibom-report/1`."""
    context = report.policy.context
    return {
        "schema": SCHEMA,
        "tool": {"name": "aibom", "version": report.tool_version},
        "time": report.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verdict": str(report.verdict),
        "subject": {
            "name": report.subject.name,
            "tree_digest": f"sha256:{report.subject.tree_digest}",
            "files": len(report.subject.manifest.entries),
            "bytes": report.subject.manifest.size,
        },
        "context": {
            "outcome": context.outcome or None,
            "distribution": context.distribution,
            "role": context.role,
            "model": context.model or None,
        },
        "policy": {"sha256": report.policy.sha256, "source": report.policy.source},
        "trust_root": _trust(report.trust),
        "bom": {"path": report.bom.path, "sha256": report.bom.sha256} if report.bom else None,
        "signers": [_signer(signer) for signer in report.signers],
        "attestations": [_attestation(record) for record in report.attestations],
        "coverage": {
            "covered": report.coverage.covered,
            "missing": list(report.coverage.diff.missing),
            "extra": list(report.coverage.diff.extra),
            "changed": list(report.coverage.diff.changed),
            "notes": list(report.coverage.notes),
        },
        "findings": [_finding(finding) for finding in report.findings],
        "profiles": [_profile(result) for result in report.profiles],
        "not_checked": list(report.not_checked),
        "supply_chain": _chain(report.supply_chain),
    }


def _trust(trust: TrustRoot | None) -> Json | None:
    return {"sha256": trust.sha256 or None, "age_days": trust.age_days} if trust else None


def _signer(signer: Signer) -> Json:
    return {
        "kind": signer.kind,
        "identity": signer.identity,
        "issuer": signer.issuer or None,
        "time": signer.time or None,
    }


def _attestation(record: AttestationRecord) -> Json:
    return {
        "type": record.type or None,
        "path": record.path,
        "signer": record.signer.identity if record.signer else None,
        "outcome": record.outcome,
        "says": record.says or None,
    }


def _chain(chain: ChainRecord | None) -> Json | None:
    if chain is None:
        return None
    return {
        "path": chain.path,
        "outcome": chain.outcome,
        "owner": chain.owner or None,
        "expires": chain.expires or None,
        "steps": [
            {
                "name": step.name,
                "by": list(step.by),
                "links": list(step.links),
                "materials": step.materials,
                "products": step.products,
            }
            for step in chain.steps
        ],
    }


def _finding(finding: Finding) -> Json:
    return {
        "rule": finding.rule,
        "outcome": str(finding.outcome),
        "severity": str(finding.severity),
        "message": finding.message,
        "where": finding.where or None,
        "expected": finding.expected or None,
        "found": finding.found or None,
        "hint": finding.hint or None,
    }


def _profile(result: ProfileResult) -> Json:
    return {
        "id": result.profile.id,
        "version": result.profile.version,
        "sha256": result.profile.sha256,
        "title": result.profile.title,
        "result": str(result.verdict),
        "checks": [_check(check) for check in result.checks],
    }


def _check(result: CheckResult) -> Json:
    check = result.check
    return {
        "id": check.id,
        "verdict": str(result.verdict),
        "level": check.level,
        "text": check.text,
        "reason": result.reason,
        "assurance": result.assurance or None,
        "actor": check.actor,
        "ask": check.ask,
        "evidence": [_evidence(item) for item in result.evidence],
        "clause": check.clause,
        "clause_confidence": check.clause_confidence,
    }


def _evidence(item: Evidence) -> Json:
    return {"where": item.where, "digest": item.digest or None, "state": str(item.state)}
