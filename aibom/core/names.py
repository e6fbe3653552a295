"""Names of files in a release: checked before any of them is opened.

The rules are those that a signed manifest must obey anywhere: relative, POSIX, no way out of the folder, no two names
that some file system would take for one (OpenSSF Model Signing 1.0, section 6; attacks 5, 7 and 8 of our list).
"""

import re
import unicodedata
from collections.abc import Iterable

from aibom.core.errors import UnsafeEntryError

MAX_NAME_BYTES = 4096
MAX_PARTS = 64
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
_RENAME = "rename the file, then build and sign the release again"


def require_name(name: str, where: str = "") -> str:
    """Return `name` if it can stand for a file of a release, else raise UnsafeEntryError."""
    problem = name_problem(name)
    if problem:
        raise UnsafeEntryError(f"file name {printable(name)} {problem}", where=where, hint=_RENAME)
    return name


def name_problem(name: str) -> str:
    """Say why `name` cannot be a release file's name; empty if it can."""
    if not name or len(name.encode("utf-8", "surrogateescape")) > MAX_NAME_BYTES:
        return f"is empty or longer than {MAX_NAME_BYTES} bytes"
    if any("\udc80" <= c <= "\udcff" for c in name):
        return "is not valid UTF-8"
    if name.startswith("/") or (len(name) > 1 and name[1] == ":"):
        return "is absolute"
    if "\\" in name:
        return "contains a backslash, which some systems read as a folder"
    if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in name):
        return "contains a control or invisible character"
    if name.count("/") >= MAX_PARTS:
        return f"has more than {MAX_PARTS} parts"
    return _part_problem(name)


def _part_problem(name: str) -> str:
    for part in name.split("/"):
        if part in {"", ".", ".."}:
            return "has an empty, '.' or '..' part"
        if part[-1] in ". ":
            return "has a part that ends in a dot or a space, which some systems drop"
    return ""


def collisions(names: Iterable[str], *, reserved: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Pairs of names, or of folders in them, that differ only in Unicode form or case: one file on some systems.

    A name that so meets one of the `reserved` is a collision as well.
    """
    seen = {_folded(name): name for name in reserved}
    pairs = []
    for name in sorted(names):
        parts = name.split("/")
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            first = seen.setdefault(_folded(path), path)
            if first != path:
                pairs.append((first, name))
                break
    return pairs


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def printable(name: str) -> str:
    """A quoted form of any name that is safe to show on a terminal or in a report."""
    shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    safe = "".join(
        c if unicodedata.category(c)[0] not in "C" and c not in "\u2028\u2029" else _escape(c) for c in shown
    )
    return f"'{safe}'"


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def is_hub_name(name: str) -> bool:
    """`owner/name` as model hubs allow it; no path on a disk, no blanks, nothing that an address would have to hide."""
    return _HUB_NAME.fullmatch(name) is not None
