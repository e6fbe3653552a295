"""What evidence is, and everything a rule may look at to find some."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aibom.cyclonedx.view import Bom, ComponentView
from verify.vocabulary import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One place that speaks to a question, and how far it reaches."""

    where: str
    state: State
    digest: str = ""
    by_tool: bool = False
    """Whether the verifier itself established it, rather than the supplier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer to one identifier of the vocabulary."""

    evidence: tuple[Evidence, ...] = ()
    lacking: tuple[str, ...] = ()
    """What should have it and has not, when the question is asked of several components."""
    unknown: tuple[str, ...] = ()
    """What says explicitly that it is not known."""
    withheld: tuple[str, ...] = ()
    """What says explicitly that it is kept back."""
    contradiction: str = ""

    @property
    def state(self) -> State:
        """How far the answer reaches as a whole: one component that lacks it is enough to lack it."""
        if self.lacking:
            return State.ABSENT
        if self.withheld:
            return State.WITHHELD
        if self.unknown:
            return State.UNKNOWN
        return max((item.state for item in self.evidence), default=State.ABSENT)


ABSENT = Found()


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceBase:
    """What was verified and what the BOM says; all that rules see."""

    bom: Bom | None
    bom_path: str = ""
    bom_sha256: str = ""
    authenticated: bool = False
    """Whether a verified signature stands behind the BOM."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Name → sha256 of files that are on disk exactly as signed."""
    predicate_types: Mapping[str, str] = field(default_factory=dict)
    """Predicate type → bundle, of verified statements."""
    whole: bool = False
    """Whether no file was extra, missing or changed."""

    @property
    def own_components(self) -> tuple[ComponentView, ...]:
        """Components that have a version, producer and licence of their own: all but plain files."""
        return tuple(c for c in self.bom.components if c.type != "file") if self.bom else ()


FactRule = Callable[[EvidenceBase], Found]


def declared(where: str, value: object) -> Found:
    """Evidence that the BOM states something, if it does."""
    return Found(evidence=(Evidence(where=where, state=State.DECLARED),)) if value else ABSENT
