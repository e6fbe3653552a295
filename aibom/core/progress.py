"""How long work tells that it advances. The terminal version lives in the command line."""

from typing import Protocol


class Progress(Protocol):
    """Receives the bytes and files done; called from worker threads."""

    def advance(self, *, bytes_read: int = 0, files: int = 0) -> None:
        """Count more work as done."""


class NullProgress:
    """Says nothing."""

    def advance(self, *, bytes_read: int = 0, files: int = 0) -> None:
        """Ignore it."""
