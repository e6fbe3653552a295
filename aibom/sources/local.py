"""A release in a folder: list it safely, then read every file once while digesting it.

Nothing is followed out of the folder: links, devices, sockets and unusable names are refused before any content is
opened, and a file that changes while it is read is an error, never a digest of a mixture.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aibom.core.errors import InputError, UnsafeEntryError
from aibom.core.layout import GIT_HISTORY, RESERVED, hub_leftovers, is_outside
from aibom.core.manifest import FileEntry
from aibom.core.names import collisions, name_problem, printable
from aibom.core.progress import NullProgress, Progress

CHUNK = 1024 * 1024
_LARGE = 4 * CHUNK
_BATCH = 256
MAX_FILES = 2_000_000
MAX_FOLDER_DEPTH = 64

# Name, size, first bytes → how many leading bytes of the file to hand on with its digest.
Retain = Callable[[str, int, bytes], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a folder holds, before any file is opened."""

    files: tuple[tuple[str, int], ...]
    """Names and sizes of the files a signature covers, sorted by name."""
    outside: tuple[str, ...]
    """Names that the fixed rule leaves outside, sorted; `.git` stands for all below it."""
    hub_records: tuple[str, ...]
    """The hub client's download records, also outside."""
    refused: tuple[UnsafeEntryError, ...]
    """Entries that no release may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """A digested file and the leading bytes that were asked for."""

    entry: FileEntry
    kept: bytes


def keep_nothing(name: str, size: int, head: bytes) -> int:
    """Hand on digests only."""
    return 0


def list_release(root: Path) -> Listing:
    """List the folder `root`. Raises InputError if it is missing, not a folder, or cannot be listed."""
    _require_folder(root)
    files: dict[str, int] = {}
    refused: list[UnsafeEntryError] = []
    outside: list[str] = []
    for name, size, problem in _walk(root):
        if problem:
            refused.append(problem)
        elif is_outside(name):
            outside.append(name)
        else:
            files[name] = size
    refused += [_collision(a, b) for a, b in collisions(files, reserved=RESERVED)]
    records = hub_leftovers(files)
    kept = sorted(files.items() - {(name, files[name]) for name in records})
    return Listing(files=tuple(kept), outside=tuple(sorted(outside)), hub_records=records, refused=tuple(refused))


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


def read_release(
    root: Path,
    files: Iterable[tuple[str, int]],
    *,
    retain: Retain = keep_nothing,
    algorithms: tuple[str, ...] = ("sha256",),
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[ReadFile]:
    """Read each file once, in no particular order. Raises InputError naming the file that cannot be read."""
    read = partial(_read_batch, root, retain, algorithms, progress or NullProgress())
    batches = _batches(files)
    for batch in executor.map(read, batches) if executor else map(read, batches):
        yield from batch


def _require_folder(root: Path) -> None:
    try:
        mode = root.stat().st_mode
    except FileNotFoundError as error:
        raise InputError("there is no such folder", where=str(root), hint="check the path") from error
    except OSError as error:
        raise InputError(f"cannot look at it: {error.strerror}", where=str(root)) from error
    if not stat.S_ISDIR(mode):
        raise InputError("not a folder", where=str(root), hint="give the folder that holds the model's files")


def _walk(root: Path) -> Iterator[tuple[str, int, UnsafeEntryError | None]]:
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
                yield name, 0, None
                continue
            problem = _entry_problem(name, entry)
            if problem is None and entry.is_dir(follow_symlinks=False):
                pending.append(name)
            else:
                yield name, 0 if problem else _size(name, entry), problem


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


def _size(name: str, entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError as error:
        raise InputError(
            f"cannot look at the file: {error.strerror}", where=name, hint="check the permissions of its folder"
        ) from error


def _entry_problem(name: str, entry: os.DirEntry[str]) -> UnsafeEntryError | None:
    problem = name_problem(name)
    if problem:
        return UnsafeEntryError(f"file name {printable(name)} {problem}", where=printable(name), hint="rename the file")
    if entry.is_symlink():
        return _link_problem(name, entry)
    if not entry.is_dir(follow_symlinks=False) and not entry.is_file(follow_symlinks=False):
        return UnsafeEntryError(
            "neither a regular file nor a folder (a device, pipe or socket)", where=name, hint="remove it"
        )
    return None


def _link_problem(name: str, entry: os.DirEntry[str]) -> UnsafeEntryError:
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


def _batches(files: Iterable[tuple[str, int]]) -> list[list[str]]:
    """Large files one by one and first, small ones together: threads lose more to hand-over than small files cost."""
    by_size = sorted(files, key=lambda item: (-item[1], item[0]))
    large = [[name] for name, size in by_size if size >= _LARGE]
    small = [name for name, size in by_size if size < _LARGE]
    return large + [small[i : i + _BATCH] for i in range(0, len(small), _BATCH)]


def _read_batch(
    root: Path, retain: Retain, algorithms: tuple[str, ...], progress: Progress, names: list[str]
) -> list[ReadFile]:
    buffer = bytearray(CHUNK)
    return [_read_file(root, name, retain, algorithms, progress, buffer) for name in names]


def _read_file(
    root: Path, name: str, retain: Retain, algorithms: tuple[str, ...], progress: Progress, buffer: bytearray
) -> ReadFile:
    try:
        fd = os.open(root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(
            f"cannot open the file: {error.strerror}", where=name, hint="check that it is there and readable"
        ) from error
    try:
        return _digest(fd, name, retain, algorithms, progress, buffer)
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=name) from error
    finally:
        os.close(fd)


def _digest(
    fd: int, name: str, retain: Retain, algorithms: tuple[str, ...], progress: Progress, buffer: bytearray
) -> ReadFile:
    before = os.fstat(fd)
    if not stat.S_ISREG(before.st_mode):
        raise UnsafeEntryError("no longer a regular file", where=name)
    hashers = [hashlib.new(algorithm) for algorithm in algorithms]
    kept, wanted, total = bytearray(), -1, 0
    while count := os.readv(fd, [buffer]):
        part = memoryview(buffer)[:count]
        if wanted < 0:
            wanted = retain(name, before.st_size, bytes(part[:CHUNK]))
        if total < wanted:
            kept += part[: wanted - total]
        for hasher in hashers:
            hasher.update(part)
        total += count
        progress.advance(bytes_read=count)
    _require_unchanged(name, before, os.fstat(fd), total)
    progress.advance(files=1)
    digests = {a: h.hexdigest() for a, h in zip(algorithms, hashers, strict=True)}
    return ReadFile(entry=FileEntry(name=name, size=total, digests=digests), kept=bytes(kept))


def _require_unchanged(name: str, before: os.stat_result, after: os.stat_result, total: int) -> None:
    stamp = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not stamp or total != before.st_size:
        raise InputError(
            "the file changed while it was being read",
            where=name,
            hint="wait until nothing writes to the release, then run the command again",
        )
