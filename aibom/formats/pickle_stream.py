"""A pickle scanned without running any of it: what it names, what it calls, and whether that is harmless.

A file may hold several pickles one after another (PyTorch before 1.6 wrote five), and other bytes behind them. Behind
the first pickle, bytes that are no pickle are no fault; names found in them are kept all the same, because a loader
that is told to go on would meet them.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from aibom.core.bytesource import ByteSource, BytesSource
from aibom.core.errors import InputError
from aibom.formats.pickle_bytes import BrokenError
from aibom.formats.pickle_globals import Safety, is_model_class, judge, shown, worst
from aibom.formats.pickle_machine import Found, Machine, PickledStorage, PickledTensor
from aibom.formats.pickle_opcodes import EFFECTS

__all__ = [
    "PickleScan",
    "PickledStorage",
    "PickledTensor",
    "Safety",
    "is_compressed",
    "scan_compressed_pickle",
    "scan_pickle",
]

MAX_STREAMS = 1000
MAX_INFLATED = 512 * 1024 * 1024
_MAX_LZMA_MEMORY = 128 * 1024 * 1024
_CHUNK = 64 * 1024
_XZ, _LZMA, _BZIP2 = b"\xfd7zXZ\0", b"\x5d\0\0", b"BZh"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b")
_MAX_REASONS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PickleScan:
    """What one pickle, or several one after another, would do when loaded."""

    safety: Safety
    reasons: tuple[str, ...]
    """One sentence for each thing that is not known to be harmless."""
    globals: tuple[str, ...]
    """Everything named, as `module.name`, sorted."""
    classes: tuple[str, ...]
    """Of these, the classes of models and their parts."""
    protocol: int
    """The highest that is said; 0 and 1 are never said."""
    streams: int
    """Pickles that were read to their end."""
    end: int
    """The byte after the last of them."""
    versions: Mapping[str, str]
    """Versions of libraries found as state, as `_sklearn_version`."""
    storages: tuple[PickledStorage, ...]
    tensors: tuple[PickledTensor, ...]
    arrays: int
    """Arrays whose bytes joblib wrote between the opcodes."""


def scan_pickle(source: ByteSource, where: str, *, offset: int = 0, script: bool = False) -> PickleScan:
    """Walk the pickles that start at `offset`. `script`: they belong to a TorchScript archive.

    Raises InputError if there is no pickle. One that breaks off is described as far as it goes.
    """
    found = Found()
    position, streams, started = offset, 0, source.read(offset, 1) == b"\x80"
    while position < source.size and streams < MAX_STREAMS:
        machine = Machine(source, position, EFFECTS, Found(opcodes=found.opcodes))
        try:
            machine.run()
        except BrokenError as broken:
            if streams:
                found.adopt(machine.found)
                break
            if not started and not machine.found.names and not machine.found.reasons:
                raise InputError(f"not a pickle: {broken}", where=f"{where}, byte {machine.position}") from broken
            found.merge(machine.found)
            found.note(f"breaks at byte {machine.position}: {broken}", Safety.UNKNOWN)
            break
        found.merge(machine.found)
        streams, position = streams + 1, machine.position
    else:
        if not streams:
            raise InputError("not a pickle: there are no bytes", where=f"{where}, byte {offset}")
        if position < source.size:
            found.note(f"holds more than {MAX_STREAMS} pickles", Safety.UNKNOWN)
    return _result(found, streams, position, script)


def is_compressed(head: bytes) -> bool:
    """Whether a file's first bytes are those of a compression that joblib reads."""
    return head.startswith((*_ZLIB, _BZIP2, _XZ, _LZMA))


def scan_compressed_pickle(source: ByteSource, where: str) -> PickleScan:
    """Scan what is in a compressed file, as joblib writes it. Raises InputError if it is damaged, or no pickle."""
    try:
        content, rest = _inflate(source)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        raise InputError("the compressed data is damaged", where=where) from error
    if len(content) > MAX_INFLATED:
        raise InputError(f"more than {MAX_INFLATED} bytes when inflated, which is where we stop", where=where)
    scan = scan_pickle(BytesSource(content), f"{where}, inflated")
    if not rest:
        return scan
    reasons = (*scan.reasons, "more stands behind the compressed data, or its end is missing")
    return replace(scan, reasons=reasons, safety=worst(scan.safety, Safety.UNKNOWN))


def _inflate(source: ByteSource) -> tuple[bytes, bool]:
    """The content, at most one byte more than we read, and whether the compressed data is not the whole file."""
    step, state = _engine(source.read(0, 6))
    out, position = bytearray(), 0
    while len(out) <= MAX_INFLATED and not state()[0]:
        chunk = source.read(position, _CHUNK)
        position += len(chunk)
        out += step(chunk, MAX_INFLATED + 1 - len(out))
        if not chunk:
            return bytes(out), True
    return bytes(out), position < source.size or bool(state()[1])


def _engine(head: bytes) -> tuple[Callable[[bytes, int], bytes], Callable[[], tuple[bool, bytes]]]:
    """How to inflate a chunk up to a limit; and whether the end was reached, with the bytes behind it."""
    if head.startswith(_BZIP2):
        bzip2 = bz2.BZ2Decompressor()
        return bzip2.decompress, lambda: (bzip2.eof, bzip2.unused_data)
    if head.startswith((_XZ, _LZMA)):
        xz = lzma.LZMADecompressor(memlimit=_MAX_LZMA_MEMORY)
        return xz.decompress, lambda: (xz.eof, xz.unused_data)
    inflater = zlib.decompressobj(47)  # zlib or gzip, whichever the header says
    return inflater.decompress, lambda: (inflater.eof, inflater.unused_data)


def _result(found: Found, streams: int, end: int, script: bool) -> PickleScan:
    for (module, name), called in found.names.items():
        level = judge(module, name, script=script)
        if level is not Safety.CLEAN:
            found.note(f"{'calls' if called else 'names'} {shown(module, name)}", level)
    names = sorted({shown(module, name) for module, name in found.names})
    ranked = sorted(found.reasons, key=lambda reason: (found.reasons[reason] is not Safety.DANGEROUS, reason))
    return PickleScan(
        safety=worst(*found.reasons.values()),
        reasons=tuple(ranked[:_MAX_REASONS]),
        globals=tuple(names),
        classes=tuple(name for name in names if is_model_class(name)),
        protocol=found.protocol,
        streams=streams,
        end=end,
        versions=dict(sorted(found.versions.items())),
        storages=tuple(sorted(found.storages.values())),
        tensors=tuple(found.tensors),
        arrays=found.arrays,
    )
