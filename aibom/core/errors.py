"""One tree of errors, each with what happened, where, and what to do next.

An error means "could not finish". An expected bad outcome of a check is a `Finding` instead.
Every error carries its exit code, so that the command line maps them in one place.
"""

from aibom.core.verdict import ExitCode


class AibomError(Exception):
    """Base of everything that we raise on purpose."""

    exit_code: ExitCode = ExitCode.UNDECIDED

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        """Take the three lines that a user sees: what, where, and the next step."""
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def within(self, place: str) -> "AibomError":
        """Return this error with `place` put before its location, as it rises through nested data."""
        where = f"{place}: {self.where}" if self.where else place
        return type(self)(self.message, where=where, hint=self.hint)


class UsageError(AibomError):
    """The command line asks for something that cannot be meant."""

    exit_code = ExitCode.USAGE


class InputError(AibomError):
    """A file or folder that was given to us cannot be read, or is not what it must be."""


class UnsafeEntryError(InputError):
    """A directory entry that no release may hold: a link, a device, a name that escapes or collides."""


class SigningError(AibomError):
    """A signature could not be made: key, passphrase, identity token or service."""


class TrustError(AibomError):
    """The trust root is missing, stale or unreadable, so that nothing can be decided."""


class SourceError(AibomError):
    """A release could not be fetched from where it lives."""


class MismatchError(AibomError):
    """What was asked to be signed contradicts what is there."""

    exit_code = ExitCode.REJECTED


class SpecError(AibomError):
    """Data shipped with this program (profile, schema) is missing or malformed: our bug."""

    exit_code = ExitCode.BUG
