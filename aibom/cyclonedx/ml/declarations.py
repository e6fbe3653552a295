"""`declarations`: claims about targets, the evidence for them, and who assessed it. Source: CycloneDX 1.7, CDXA."""

from dataclasses import dataclass
from decimal import Decimal

from aibom.cyclonedx.ml.rendering import Json, number, without_empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessor:
    """Who assessed, and whether that is somebody other than the claimant."""

    ref: str
    organization: str
    third_party: bool

    def to_json(self) -> Json:
        """Render `assessors[]`."""
        return {"bom-ref": self.ref, "thirdParty": self.third_party, "organization": {"name": self.organization}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a claim rests on."""

    ref: str
    property_name: str = ""
    description: str = ""
    url: str = ""
    created: str = ""
    expires: str = ""

    def to_json(self) -> Json:
        """Render `evidence[]`."""
        data = [{"name": self.url, "contents": {"url": self.url}}] if self.url else []
        parts = {
            "bom-ref": self.ref,
            "propertyName": self.property_name,
            "description": self.description,
            "data": data,
            "created": self.created,
            "expires": self.expires,
        }
        return without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is said of a target."""

    ref: str
    target: str
    predicate: str
    reasoning: str = ""
    evidence: tuple[str, ...] = ()
    counter_evidence: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """Render `claims[]`."""
        parts = {
            "bom-ref": self.ref,
            "target": self.target,
            "predicate": self.predicate,
            "reasoning": self.reasoning,
            "evidence": self.evidence,
            "counterEvidence": self.counter_evidence,
        }
        return without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformance:
    """How claims meet one requirement of a standard; `score` from 0 to 1."""

    requirement: str
    claims: tuple[str, ...] = ()
    counter_claims: tuple[str, ...] = ()
    score: Decimal | None = None
    rationale: str = ""

    def to_json(self) -> Json:
        """Render `attestations[].map[]`."""
        score = {} if self.score is None else {"score": number(self.score)}
        conformance = score | without_empty({"rationale": self.rationale})
        parts = {
            "requirement": self.requirement,
            "claims": self.claims,
            "counterClaims": self.counter_claims,
            "conformance": conformance,
        }
        return without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """An assessor's map from requirements to claims."""

    summary: str
    assessor: str
    map: tuple[Conformance, ...]

    def to_json(self) -> Json:
        """Render `attestations[]`."""
        parts = {"summary": self.summary, "assessor": self.assessor, "map": [item.to_json() for item in self.map]}
        return without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """All of it, in the order of the specification; targets are components or organisations of this document."""

    assessors: tuple[Assessor, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    claims: tuple[Claim, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    def to_json(self) -> Json:
        """Render `declarations`."""
        parts = {
            "assessors": [item.to_json() for item in self.assessors],
            "attestations": [item.to_json() for item in self.attestations],
            "claims": [item.to_json() for item in self.claims],
            "evidence": [item.to_json() for item in self.evidence],
        }
        return without_empty(parts)
