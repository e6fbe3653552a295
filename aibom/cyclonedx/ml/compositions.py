"""`compositions`, `annotations` and `citations`: what the BOM says about itself. Source: CycloneDX 1.7."""

from dataclasses import dataclass
from enum import StrEnum

from aibom.cyclonedx.ml.rendering import Json, without_empty


class Aggregate(StrEnum):
    """What a composition says about completeness (`aggregateType`)."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    FIRST_PARTY = "incomplete_first_party_only"
    FIRST_PARTY_PROPRIETARY = "incomplete_first_party_proprietary_only"
    FIRST_PARTY_OPEN_SOURCE = "incomplete_first_party_opensource_only"
    THIRD_PARTY = "incomplete_third_party_only"
    THIRD_PARTY_PROPRIETARY = "incomplete_third_party_proprietary_only"
    THIRD_PARTY_OPEN_SOURCE = "incomplete_third_party_opensource_only"
    UNKNOWN = "unknown"
    NOT_SPECIFIED = "not_specified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A statement on how complete the listed assemblies or dependencies are."""

    aggregate: Aggregate
    assemblies: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    ref: str = ""

    def to_json(self) -> Json:
        """Render `compositions[]`."""
        parts = {
            "bom-ref": self.ref,
            "aggregate": str(self.aggregate),
            "assemblies": self.assemblies,
            "dependencies": self.dependencies,
        }
        return without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What somebody, or some tool, remarks on parts of the BOM; `annotator` is one of the four forms allowed."""

    subjects: tuple[str, ...]
    annotator: Json
    timestamp: str
    text: str
    ref: str = ""

    def to_json(self) -> Json:
        """Render `annotations[]`."""
        parts = {
            "bom-ref": self.ref,
            "subjects": self.subjects,
            "annotator": self.annotator,
            "timestamp": self.timestamp,
            "text": self.text,
        }
        return without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where values of the BOM come from: JSON pointers, and the reference of what states them (1.7 only)."""

    pointers: tuple[str, ...]
    attributed_to: str
    timestamp: str
    note: str = ""

    def to_json(self) -> Json:
        """Render `citations[]`."""
        parts = {
            "pointers": self.pointers,
            "timestamp": self.timestamp,
            "attributedTo": self.attributed_to,
            "note": self.note,
        }
        return without_empty(parts)
