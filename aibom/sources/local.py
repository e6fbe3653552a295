"""Read every file of a release once while digesting it, and let a reader of its format look at it meanwhile.

A file that changes while it is read is an error, never a digest of a mixture. What a format's reader sees are the bytes
that were digested: in memory if the file is small, else through the same open file, which must not change meanwhile.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aibom.core.bytesource import ByteSource, BytesSource
from aibom.core.errors import InputError, UnsafeEntryError
from aibom.core.manifest import FileEntry
from aibom.core.progress import NullProgress, Progress
from aibom.sources.hub_cache import BLOBS, HubSnapshot, blob_name, hub_snapshot
from aibom.sources.listing import is_single_file
from aibom.sources.opening import Below

CHUNK = 1024 * 1024
_LARGE = 4 * CHUNK
_BATCH = 256
_SHA256_NAME = 64

# Name, size, first bytes → how many leading bytes of the file to hand on with its digest.
Retain = Callable[[str, int, bytes], int]
# Name, bytes → whatever a reader of the format finds there.
Inspect = Callable[[str, ByteSource], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """A digested file, the leading bytes that were asked for, and what the inspector found."""

    entry: FileEntry
    kept: bytes = b""
    seen: object = None


@dataclass(frozen=True, slots=True)
class _Reading:
    """How to read: where the files are, and what is wanted of each."""

    root: Path
    retain: Retain
    inspect: Inspect | None
    algorithms: tuple[str, ...]
    progress: Progress
    snapshot: HubSnapshot | None
    single: bool

    @property
    def root_folder(self) -> Path:
        """The folder that names are in; a single file's own."""
        return self.root.parent if self.single else self.root

    @property
    def cache(self) -> Path:
        """The folder of the hub cache that the blobs lie in; the release itself if it is no snapshot."""
        return self.snapshot.blobs.parent if self.snapshot else self.root_folder


@dataclass(frozen=True, slots=True)
class _OpenFile:
    """The bytes of an open file."""

    handle: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self.handle, length, offset)


def keep_nothing(name: str, size: int, head: bytes) -> int:
    """Hand on digests only."""
    return 0


def read_release(
    root: Path,
    files: Iterable[tuple[str, int]],
    *,
    retain: Retain = keep_nothing,
    inspect: Inspect | None = None,
    algorithms: tuple[str, ...] = ("sha256",),
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[ReadFile]:
    """Read each file once, in no particular order. Raises InputError naming the file that cannot be read."""
    reading = _Reading(
        root, retain, inspect, algorithms, progress or NullProgress(), hub_snapshot(root), is_single_file(root)
    )
    read = partial(_read_batch, reading)
    batches = _batches(files)
    for batch in executor.map(read, batches) if executor else map(read, batches):
        yield from batch


def _batches(files: Iterable[tuple[str, int]]) -> list[list[str]]:
    """Large files one by one and first, small ones together: threads lose more to hand-over than small files cost."""
    by_size = sorted(files, key=lambda item: (-item[1], item[0]))
    large = [[name] for name, size in by_size if size >= _LARGE]
    small = [name for name, size in by_size if size < _LARGE]
    return large + [sorted(small[i : i + _BATCH]) for i in range(0, len(small), _BATCH)]


def _read_batch(reading: _Reading, names: list[str]) -> list[ReadFile]:
    buffer = bytearray(CHUNK)
    with Below(reading.root_folder) as release, Below(reading.cache) as cache:
        return [_read_file(reading, release, cache, name, buffer) for name in names]


def _read_file(reading: _Reading, release: Below, cache: Below, name: str, buffer: bytearray) -> ReadFile:
    blob = blob_name(release.link(name), name) if reading.snapshot else ""
    try:
        fd = cache.open(f"{BLOBS}/{blob}") if blob else release.open(name)
    except OSError as error:
        raise InputError(
            f"cannot open the file: {error.strerror}", where=name, hint="check that it is there and readable"
        ) from error
    try:
        file = _digest(reading, fd, name, buffer)
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=name) from error
    finally:
        os.close(fd)
    if blob:
        _require_blob(file.entry, blob)
    return file


def _digest(reading: _Reading, fd: int, name: str, buffer: bytearray) -> ReadFile:
    before = os.fstat(fd)
    if not stat.S_ISREG(before.st_mode):
        raise UnsafeEntryError("no longer a regular file", where=name)
    hashers = [hashlib.new(algorithm) for algorithm in reading.algorithms]
    kept, wanted, total, reads = bytearray(), -1, 0, 0
    while count := os.readv(fd, [buffer]):
        part = memoryview(buffer)[:count]
        if wanted < 0:
            wanted = reading.retain(name, before.st_size, bytes(part[:CHUNK]))
        if total < wanted:
            kept += part[: wanted - total]
        for hasher in hashers:
            hasher.update(part)
        total, reads = total + count, reads + 1
        reading.progress.advance(bytes_read=count)
    _require_unchanged(name, before, os.fstat(fd), total)
    whole = memoryview(buffer)[:total] if reads <= 1 else None
    seen = _look(reading, fd, name, total, whole) if reading.inspect else None
    if whole is None:
        _require_unchanged(name, before, os.fstat(fd), total)
    reading.progress.advance(files=1)
    digests = {a: h.hexdigest() for a, h in zip(reading.algorithms, hashers, strict=True)}
    return ReadFile(entry=FileEntry(name=name, size=total, digests=digests), kept=bytes(kept), seen=seen)


def _look(reading: _Reading, fd: int, name: str, size: int, whole: memoryview | None) -> object:
    """Let the inspector look; a file that was read at once is still in memory."""
    source: ByteSource = _OpenFile(fd, size) if whole is None else BytesSource(bytes(whole))
    return reading.inspect(name, source) if reading.inspect else None


def _require_unchanged(name: str, before: os.stat_result, after: os.stat_result, total: int) -> None:
    stamp = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not stamp or total != before.st_size:
        raise InputError(
            "the file changed while it was being read",
            where=name,
            hint="wait until nothing writes to the release, then run the command again",
        )


def _require_blob(entry: FileEntry, blob: str) -> None:
    """A blob that is named by its SHA-256 must have it: a damaged download must not become a release."""
    if len(blob) == _SHA256_NAME and entry.digests.get("sha256", blob) != blob:
        raise InputError(
            f"the hub cache is damaged: expected sha256 {blob}, found {entry.digests['sha256']}",
            where=entry.name,
            hint="remove the file from the cache and download it again",
        )
