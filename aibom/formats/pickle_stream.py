"""A pickle scanned without running any of it: what it names, what it calls, and whether that is harmless.

A file may hold several pickles one after another (PyTorch before 1.6 wrote five), and other bytes behind them. Behind
the first pickle, bytes that are no pickle are no fault; names found in them are kept all the same, because a loader
that is told to go on would meet them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats.inflated import CHUNK, DAMAGED, MAX_INFLATED, Inflation, bzipped, held, xzipped, zipped
from aibom.formats.pickle_bytes import BrokenError
from aibom.formats.pickle_classes import acts_when_made
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
    """Scan what is in a compressed file, as joblib writes it; of one that inflates to too much, only the beginning.

    Raises InputError if it is damaged, or no pickle.
    """
    inflation = _inflation(source)
    try:
        content = held(inflation.pieces(min(CHUNK, MAX_INFLATED + 1)), MAX_INFLATED)
    except DAMAGED as error:
        raise InputError("the compressed data is damaged", where=where) from error
    if content.size > MAX_INFLATED:
        doubt = f"more than {MAX_INFLATED} bytes when inflated, which is where we stop"
    else:
        doubt = "" if inflation.is_whole else "more stands behind the compressed data, or its end is missing"
    try:
        scan = scan_pickle(content, f"{where}, inflated")
    except InputError as error:
        raise InputError(doubt or error.message, where=error.where) from error
    if not doubt:
        return scan
    return replace(scan, reasons=(*scan.reasons, doubt), safety=worst(scan.safety, Safety.UNKNOWN))


def _inflation(source: ByteSource) -> Inflation:
    head = source.read(0, 6)
    if head.startswith(_BZIP2):
        return bzipped(source)
    return xzipped(source) if head.startswith((_XZ, _LZMA)) else zipped(source)


def _result(found: Found, streams: int, end: int, script: bool) -> PickleScan:
    for (module, name), called in found.names.items():
        level = judge(module, name, script=script)
        if level is not Safety.CLEAN:
            found.note(f"{'calls' if called else 'names'} {shown(module, name)}", level)
        if found.blind and acts_when_made(module, name):
            found.note(f"may make {shown(module, name)} from what cannot be told", Safety.UNKNOWN)
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
