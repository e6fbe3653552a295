"""List a release safely, before any of its files is opened.

Nothing is followed out of the folder: links, devices, sockets and unusable names are refused. A release is a folder, a
snapshot in a hub cache (whose links into the cache's own store stand for files), or a single file.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from aibom.core.errors import InputError, UnsafeEntryError
from aibom.core.layout import GENERATED, GIT_HISTORY, RESERVED, hub_leftovers, is_outside
from aibom.core.names import collisions, name_problem, printable
from aibom.sources.hub_cache import HubSnapshot, blob_of, hub_snapshot

MAX_FILES = 2_000_000
MAX_FOLDER_DEPTH = 64
# What is written into a snapshot afterwards, and says nothing against the rest being what the hub delivered.
_ADDED = GENERATED | {"aibom.toml"}

# Size, time of the last change of the content and of the entry in nanoseconds, inode. Whoever sets the first time back
# cannot set the second.
Stamp = tuple[int, int, int, int]
_NONE: Stamp = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a release holds, before any file is opened."""

    files: tuple[tuple[str, int], ...]
    """Names and sizes of the files a signature covers, sorted by name."""
    outside: tuple[str, ...]
    """Names that the fixed rule leaves outside, sorted; `.git` stands for all below it."""
    hub_records: tuple[str, ...]
    """The hub client's download records, also outside."""
    refused: tuple[UnsafeEntryError, ...]
    """Entries that no release may hold."""
    snapshot: HubSnapshot | None = None
    """The hub's snapshot that this is. A folder that only lies where one would, with files of its own, is none: a link
    into the cache's store is what the hub's client leaves, a plain file may have come from anywhere."""
    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    """What the file system says of each covered file, to be compared with what it says later."""


def is_single_file(root: Path) -> bool:
    """Whether a release is one file: a regular one, not a link to it."""
    try:
        return stat.S_ISREG(root.lstat().st_mode)
    except OSError:
        return False


def list_release(root: Path) -> Listing:
    """List the release at `root`. Raises InputError if it is missing, neither folder nor file, or cannot be listed."""
    if is_single_file(root):
        return _single(root)
    _require_folder(root)
    snapshot = hub_snapshot(root)
    files: dict[str, Stamp] = {}
    linked: set[str] = set()
    refused: list[UnsafeEntryError] = []
    outside: list[str] = []
    for name, stamp, problem, is_blob in _walk(root, snapshot):
        if problem:
            refused.append(problem)
        elif is_outside(name):
            outside.append(name)
        else:
            files[name] = stamp
        if is_blob:
            linked.add(name)
    refused += [_collision(a, b) for a, b in collisions(files, reserved=RESERVED)]
    records = hub_leftovers(files)
    kept = {name: files[name] for name in sorted(files.keys() - set(records))}
    return Listing(
        files=tuple((name, stamp[0]) for name, stamp in kept.items()),
        stamps=kept,
        outside=tuple(sorted(outside)),
        hub_records=records,
        refused=tuple(refused),
        snapshot=snapshot if linked and linked >= files.keys() - _ADDED - set(records) else None,
    )


def require_safe(listing: Listing, root: Path) -> Listing:
    """Return the listing if it holds at least one file and nothing unsafe; else raise the first problem."""
    if listing.refused:
        first = listing.refused[0]
        more = f" (and {len(listing.refused) - 1} more)" if len(listing.refused) > 1 else ""
        raise UnsafeEntryError(first.message + more, where=first.where or str(root), hint=first.hint)
    if not listing.files:
        raise InputError(
            "the folder holds no file", where=str(root), hint="give the folder that holds the model's files"
        )
    return listing


def _single(root: Path) -> Listing:
    problem = name_problem(root.name)
    refused = (_name_refused(root.name, problem),) if problem else ()
    stamp = _stamp(root.name, root.lstat)
    return Listing(
        files=((root.name, stamp[0]),), stamps={root.name: stamp}, outside=(), hub_records=(), refused=refused
    )


def require_unchanged(before: Listing, after: Listing, *, except_for: frozenset[str] = frozenset()) -> None:
    """Compare two listings of one release. Raises InputError naming the first file that came, went or changed."""
    if after.refused:
        raise _changed(after.refused[0].where, "an entry that no release may hold was put there")
    for name in sorted({*before.stamps, *after.stamps} - except_for):
        old, new = before.stamps.get(name), after.stamps.get(name)
        if old != new:
            what = "was added" if old is None else "was removed" if new is None else "was changed or replaced"
            raise _changed(name, f"the file {what}")


def _changed(name: str, what: str) -> InputError:
    return InputError(
        f"the release changed while it was being signed: {what}",
        where=name,
        hint="nothing was written; wait until nothing writes to the release, then run the command again",
    )


def _require_folder(root: Path) -> None:
    try:
        mode = root.stat().st_mode
    except FileNotFoundError as error:
        raise InputError("there is no such folder", where=str(root), hint="check the path") from error
    except OSError as error:
        raise InputError(f"cannot look at it: {error.strerror}", where=str(root)) from error
    if not stat.S_ISDIR(mode):
        raise InputError(
            "neither a folder nor a regular file", where=str(root), hint="give the folder that holds the model's files"
        )


def _walk(root: Path, snapshot: HubSnapshot | None) -> Iterator[tuple[str, Stamp, UnsafeEntryError | None, bool]]:
    """(Name, stamp, what is wrong with it, whether it is a link to a blob) of every entry that is no folder."""
    pending = [""]
    count = 0
    while pending:
        folder = pending.pop()
        for entry in _scan(root, folder):
            count += 1
            if count > MAX_FILES:
                raise InputError(f"more than {MAX_FILES} entries", where=str(root))
            name = f"{folder}/{entry.name}" if folder else entry.name
            if name == GIT_HISTORY:
                yield name, _NONE, None, False
                continue
            blob = blob_of(snapshot, root, name) if snapshot and entry.is_symlink() else None
            if blob is not None:
                yield name, _stamp(name, blob.lstat), _name_problem(name), True
                continue
            problem = _entry_problem(name, entry, snapshot)
            if problem is None and entry.is_dir(follow_symlinks=False):
                pending.append(name)
            else:
                stamp = _NONE if problem else _stamp(name, partial(entry.stat, follow_symlinks=False))
                yield name, stamp, problem, False


def _scan(root: Path, folder: str) -> list[os.DirEntry[str]]:
    if folder.count("/") >= MAX_FOLDER_DEPTH:
        raise InputError(f"folders nested more than {MAX_FOLDER_DEPTH} deep", where=printable(folder))
    try:
        with os.scandir(root / folder) as entries:
            return sorted(entries, key=lambda entry: entry.name, reverse=True)
    except OSError as error:
        raise InputError(
            f"cannot list the folder: {error.strerror}",
            where=folder or str(root),
            hint="check its permissions",
        ) from error


def _stamp(name: str, look: Callable[[], os.stat_result]) -> Stamp:
    try:
        found = look()
    except OSError as error:
        raise InputError(
            f"cannot look at the file: {error.strerror}", where=name, hint="check the permissions of its folder"
        ) from error
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _name_refused(name: str, problem: str) -> UnsafeEntryError:
    return UnsafeEntryError(f"file name {printable(name)} {problem}", where=printable(name), hint="rename the file")


def _name_problem(name: str) -> UnsafeEntryError | None:
    problem = name_problem(name)
    return _name_refused(name, problem) if problem else None


def _entry_problem(name: str, entry: os.DirEntry[str], snapshot: HubSnapshot | None) -> UnsafeEntryError | None:
    problem = _name_problem(name)
    if problem:
        return problem
    if entry.is_symlink():
        return _link_problem(name, entry, snapshot)
    if not entry.is_dir(follow_symlinks=False) and not entry.is_file(follow_symlinks=False):
        return UnsafeEntryError(
            "neither a regular file nor a folder (a device, pipe or socket)", where=name, hint="remove it"
        )
    return None


def _link_problem(name: str, entry: os.DirEntry[str], snapshot: HubSnapshot | None) -> UnsafeEntryError:
    if snapshot:
        return UnsafeEntryError(
            "a symbolic link that does not lead to a blob of this hub cache",
            where=name,
            hint="download the model again with the hub's client; a snapshot links to its own blobs only",
        )
    path = Path(entry.path)
    depth = name.count("/") + 1
    root = Path(os.path.realpath(path.parents[depth - 1]))
    target = Path(os.path.realpath(path))
    inside = target == root or root in target.parents
    leaves = "stays inside the release" if inside else "leaves the release"
    return UnsafeEntryError(
        f"a symbolic link, which {leaves}; a signed release holds regular files only",
        where=name,
        hint="replace the link by a copy of the file that is meant" if not inside else "replace the link by the file",
    )


def _collision(first: str, second: str) -> UnsafeEntryError:
    return UnsafeEntryError(
        f"{printable(first)} and {printable(second)} are one file on systems that ignore case or Unicode form",
        where=second,
        hint="rename one of them",
    )
