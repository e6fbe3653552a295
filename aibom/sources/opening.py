"""Open what lies below a folder and nothing else: no part of the way may be a link, and nothing is ever waited for.

A name was safe when the folder was listed; by the time its file is opened, a folder on the way may have become a link.
So each part is opened in the one before it. The folder opened last stays open: files come folder by folder.
"""

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Below:
    """Opens by name what lies below one folder, which itself may be reached through links. For one thread."""

    def __init__(self, root: Path) -> None:
        """Open nothing yet."""
        self.root = root
        self._folder = ""
        self._handle = -1

    def __enter__(self) -> Self:
        """Return this; the folder that is open at the end is closed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the folder that is open."""
        self._close()

    def open(self, name: str) -> int:
        """A descriptor of a file, to be closed by the caller; that it is a regular one is his to check."""
        folder, _, base = name.rpartition("/")
        if not folder:
            return os.open(self.root / base, _FILE)
        return os.open(base, _FILE, dir_fd=self._enter(folder))

    def link(self, name: str) -> str:
        """Where a link leads, as written; empty if it is none."""
        folder, _, base = name.rpartition("/")
        try:
            return os.readlink(base, dir_fd=self._enter(folder)) if folder else str((self.root / base).readlink())
        except OSError:
            return ""

    def names(self, folder: str) -> list[str]:
        """What a folder holds; nothing if it cannot be listed."""
        try:
            with os.scandir(self._enter(folder)) as entries:
                return [entry.name for entry in entries]
        except OSError:
            return []

    def read(self, name: str, limit: int) -> bytes:
        """The first bytes of a regular file; nothing if there is none, or it cannot be read."""
        try:
            handle = self.open(name)
        except (OSError, ValueError):
            return b""
        try:
            return os.read(handle, limit) if is_regular(handle) else b""
        except OSError:
            return b""
        finally:
            os.close(handle)

    def _enter(self, folder: str) -> int:
        """The descriptor of a folder, part by part from the root unless it is the one that is open."""
        if self._handle < 0 or folder != self._folder:
            self._close()
            handle = os.open(self.root, _FOLDER)
            for part in folder.split("/"):
                outer = handle
                try:
                    handle = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=outer)
                finally:
                    os.close(outer)
            self._handle, self._folder = handle, folder
        return self._handle

    def _close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1


def is_regular(handle: int) -> bool:
    """Whether an open file is a regular one: a pipe or a device would be waited for, or never end."""
    return stat.S_ISREG(os.fstat(handle).st_mode)
