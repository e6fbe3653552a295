"""Which reader looks at a file for the code that loading it would run: one answer, for the builder and the verifier.

A loader goes by the name that it is given: `torch.load` unpickles whatever stands in a `.pt` file, and a file can begin
as another format does and still be a pickle. So what is unpickled by its name is read as a pickle first, whatever its
first bytes are. What shows itself to be a pickle, an archive with pickles in it or an array of objects is read as that
under any name and in any folder.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats.detect import PACKED, PICKLE_SUFFIXES, unpickled_suffix
from aibom.formats.keras import parse_keras, parse_keras_hdf5
from aibom.formats.numpy_array import NpyArray, NpzArchive, parse_npy, parse_npz
from aibom.formats.pickle_globals import Safety, worst
from aibom.formats.pickle_stream import PickleScan, is_compressed, scan_compressed_pickle, scan_pickle
from aibom.formats.skops import parse_skops
from aibom.formats.tar_shard import TarMember, tar_members
from aibom.formats.torch_export import parse_torch_export
from aibom.formats.torch_zip import TorchArchive, parse_torch, parse_torch_zip

Look = Callable[[ByteSource, str], Any]
MAX_PARTS = 1000
_HEAD = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class NotLookedInto:
    """A file that nothing looked into: what it holds, and what loading it would run, is not known."""

    reasons: tuple[str, ...]
    safety: Safety = Safety.UNKNOWN

    @property
    def problems(self) -> tuple[str, ...]:
        """That it was not looked into is a problem of the file, for nobody can say that it is whole."""
        return self.reasons


def examiner_of(name: str, shown: str) -> Look | None:
    """The reader for a file of this name and format that can run code when it is loaded; None for any other file.

    The reader raises InputError if the file is nothing of the kind after all.
    """
    base = name.rpartition("/")[2].lower()
    own = next((read for suffix, read in _OWN_FORMATS if base.endswith(suffix) and shown == "zip"), None)
    if own is not None:
        return own
    if base.endswith(".nemo"):
        return read_nemo
    if base.endswith(".npz") and shown == "zip":
        return parse_npz
    suffix = unpickled_suffix(name)
    if not suffix:
        return _BY_FORMAT.get(shown)
    if shown in PACKED:
        return partial(_read_packed, shown)
    return read_pickle if suffix in PICKLE_SUFFIXES and shown not in {"zip", "tar"} else parse_torch


def read_pickle(source: ByteSource, where: str) -> PickleScan:
    """Scan a pickle, compressed or not, as joblib writes both."""
    scan = scan_compressed_pickle if is_compressed(source.read(0, _HEAD)) else scan_pickle
    return scan(source, where)


def read_nemo(source: ByteSource, where: str) -> TorchArchive | NotLookedInto:
    """Scan what PyTorch would load from a NeMo archive: a tar archive of a checkpoint and its configuration."""
    if is_compressed(source.read(0, _HEAD)):
        return not_opened("gzip")
    if not any(_loadable(source, where)):
        raise InputError("a tar archive without a checkpoint in it", where=where)
    scans: list[tuple[str, PickleScan]] = []
    doubts: list[str] = []
    levels: list[Safety] = []
    for found, member in enumerate(_loadable(source, where)):
        if found == MAX_PARTS:
            doubts.append(f"more than {MAX_PARTS} members that may be pickles; the rest was not looked at")
            break
        try:
            inner = parse_torch(_Part(source, member.offset, member.size), f"{where}, member {member.name[:120]!r}")
        except InputError as error:
            doubts.append(f"{member.name[:120]!r} cannot be scanned: {error.message}")
            continue
        scans += [(f"{member.name}/{place}".rstrip("/"), scan) for place, scan in inner.scans]
        doubts += inner.reasons
        levels.append(inner.safety)
    return _archive(scans, tuple(dict.fromkeys(doubts)), worst(*levels, *([Safety.UNKNOWN] if doubts else [])))


def not_opened(packed: str) -> NotLookedInto:
    """What is said of a file that is packed in a way that no reader opens."""
    return NotLookedInto(reasons=(f"packed as {packed}: what is inside was not looked at",))


def safety_of(fact: object) -> tuple[Safety, tuple[str, ...]] | None:
    """What loading a file would do, as its reader found, and why; None for what cannot run anything."""
    level = getattr(fact, "safety", None)
    if not isinstance(level, Safety):
        return None
    arrays = [array for _, array in fact.arrays] if isinstance(fact, NpzArchive) else [fact]
    scans = [array.scan for array in arrays if isinstance(array, NpyArray) and array.scan]
    reasons = [*getattr(fact, "reasons", ()), *(reason for scan in scans for reason in scan.reasons)]
    return level, tuple(dict.fromkeys(reasons)) or tuple(getattr(fact, "problems", ()))


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of a source, as a source."""

    source: ByteSource
    start: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        return self.source.read(self.start + offset, max(0, min(length, self.size - offset)))


def _loadable(source: ByteSource, where: str) -> Iterator[TarMember]:
    """The members that are unpickled by their name, or begin as a pickle or a zip archive does."""
    for member in tar_members(source, where):
        head = source.read(member.offset, min(member.size, 4))
        if unpickled_suffix(member.name) or head[:2] in _PICKLE_STARTS or head == b"PK\x03\x04":
            yield member


def _archive(scans: list[tuple[str, PickleScan]], reasons: tuple[str, ...], level: Safety) -> TorchArchive:
    tensors = [tensor for _, scan in scans for tensor in scan.tensors]
    stored = [storage for _, scan in scans for storage in scan.storages]
    return TorchArchive(
        format="tar",
        safety=level,
        reasons=reasons,
        scans=tuple(scans),
        version="",
        byteorder="",
        storages=len(stored),
        storage_bytes=0,
        element_types=tuple(sorted({storage.kind.removesuffix("Storage") for storage in stored})),
        tensors=len(tensors),
        parameters=sum(tensor.elements for tensor in tensors),
        code=(),
        extra=(),
        problems=(),
    )


def _read_packed(shown: str, source: ByteSource, where: str) -> PickleScan | NotLookedInto:
    """A pickle that is packed as joblib packs it is scanned; what else is packed, or packed otherwise, is not known."""
    if not is_compressed(source.read(0, _HEAD)):
        return not_opened(shown)
    try:
        return scan_compressed_pickle(source, where)
    except InputError:
        if unpickled_suffix(where) in PICKLE_SUFFIXES:
            raise
        return not_opened(shown)


_PICKLE_STARTS = {bytes((0x80, protocol)) for protocol in range(6)}
_OWN_FORMATS: tuple[tuple[str, Look], ...] = (
    (".keras", parse_keras),
    (".skops", parse_skops),
    (".pt2", parse_torch_export),
)
_BY_FORMAT: dict[str, Look] = {
    "pickle": parse_torch,
    "zip": parse_torch_zip,
    "numpy": parse_npy,
    "hdf5": parse_keras_hdf5,
}
