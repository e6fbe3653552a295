"""Verdicts and exit codes: the only list of either."""

from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    """What the evidence allows somebody to decide."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNDECIDED = "undecided"
    INCOMPLETE = "incomplete"

    @property
    def exit_code(self) -> "ExitCode":
        """The process exit code that reports this verdict."""
        return _EXIT_CODES[self]

    @property
    def meaning(self) -> str:
        """One sentence for a reader outside the field."""
        return _MEANINGS[self]


class ExitCode(IntEnum):
    """What a process of ours may end with."""

    ACCEPTED = 0
    REJECTED = 1
    USAGE = 2
    UNDECIDED = 3
    INCOMPLETE = 4
    BUG = 70


EXIT_MEANINGS: dict[ExitCode, str] = {
    ExitCode.ACCEPTED: "accepted, or the command did what it was asked",
    ExitCode.REJECTED: "rejected: something contradicts (a digest, a signature, an identity, a claim, unsafe content)",
    ExitCode.USAGE: "usage: the command line cannot be meant",
    ExitCode.UNDECIDED: "undecided: an input is unreadable, or a trust root or service is missing",
    ExitCode.INCOMPLETE: "incomplete: authentic and intact, but required evidence is missing or waits for a reviewer",
    ExitCode.BUG: "a bug of ours, with where to report it",
}

_EXIT_CODES = {
    Verdict.ACCEPTED: ExitCode.ACCEPTED,
    Verdict.REJECTED: ExitCode.REJECTED,
    Verdict.UNDECIDED: ExitCode.UNDECIDED,
    Verdict.INCOMPLETE: ExitCode.INCOMPLETE,
}

_MEANINGS = {
    Verdict.ACCEPTED: "Signed by whom you expected, and every file is exactly what was signed.",
    Verdict.REJECTED: "Something contradicts what was signed or expected. Do not deploy this release.",
    Verdict.UNDECIDED: "Not enough could be read or reached to decide. Treat it as not verified.",
    Verdict.INCOMPLETE: "Authentic and intact, but evidence that you asked for is missing or needs a person.",
}
