"""What a check observed: data that every output format is a view of."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How an observation bears on the verdict."""

    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"
    MISSING = "missing"
    NOTE = "note"


class Severity(StrEnum):
    """How loudly to say it."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One observation of one rule."""

    rule: str
    outcome: Outcome
    message: str
    where: str = ""
    expected: str = ""
    found: str = ""
    hint: str = ""

    @property
    def severity(self) -> Severity:
        """Contradictions and open questions are errors; missing evidence warns; the rest is a note."""
        if self.outcome in {Outcome.CONTRADICTED, Outcome.UNDECIDED}:
            return Severity.ERROR
        return Severity.WARNING if self.outcome is Outcome.MISSING else Severity.NOTE


def contradiction(
    rule: str, message: str, *, where: str = "", expected: str = "", found: str = "", hint: str = ""
) -> Finding:
    """Make a finding that something contradicts: the release will be rejected."""
    return Finding(
        rule=rule,
        outcome=Outcome.CONTRADICTED,
        message=message,
        where=where,
        expected=expected,
        found=found,
        hint=hint,
    )


def undecided(rule: str, message: str, *, where: str = "", hint: str = "") -> Finding:
    """Make a finding that a check could not be carried out."""
    return Finding(rule=rule, outcome=Outcome.UNDECIDED, message=message, where=where, hint=hint)


def missing(rule: str, message: str, *, where: str = "", hint: str = "") -> Finding:
    """Make a finding that evidence is missing: the release is incomplete."""
    return Finding(rule=rule, outcome=Outcome.MISSING, message=message, where=where, hint=hint)


def note(rule: str, message: str, *, where: str = "", hint: str = "") -> Finding:
    """Make a finding that changes nothing but should be known."""
    return Finding(rule=rule, outcome=Outcome.NOTE, message=message, where=where, hint=hint)
