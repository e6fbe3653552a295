"""One object out of Git's packs: found by the index, its deltas applied, everything bounded. gitformat-pack(5).

A pack is read piece by piece, not mapped into memory: a file cut short under a mapping ends the process.
"""

import os
import zlib
from bisect import bisect_left
from dataclasses import dataclass

from aibom.sources.opening import Below, is_regular

_INDEX_MAGIC = b"\xfftOc\x00\x00\x00\x02"
_FANOUT_END = 8 + 256 * 4
_MAX_PACKS = 200
_MAX_INDEX = 1024**3
_MAX_OBJECT = 1024 * 1024
_MAX_CHAIN = 50
_COMMIT, _OFFSET_DELTA, _REFERENCE_DELTA = 1, 6, 7


@dataclass(frozen=True, slots=True)
class _Open:
    """An open file, read where it is asked for."""

    handle: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self.handle, length, offset)

    def byte(self, offset: int) -> int:
        return self.read(offset, 1)[0]


def packed_object(below: Below, folder: str, identifier: str) -> bytes:
    """The content of a commit in one of the packs of `folder`; nothing if it is not there or not readable."""
    names = sorted(n for n in below.names(folder) if n.startswith("pack-") and n.endswith(".idx"))[:_MAX_PACKS]
    try:
        for name in names:
            found = _in_pack(below, f"{folder}/{name.removesuffix('.idx')}", bytes.fromhex(identifier))
            if found:
                return found
    except (OSError, ValueError, IndexError, OverflowError, zlib.error):
        return b""
    return b""


def _in_pack(below: Below, path: str, identifier: bytes) -> bytes:
    index_handle = below.open(f"{path}.idx")
    try:
        pack_handle = below.open(f"{path}.pack")
        try:
            if not is_regular(index_handle) or not is_regular(pack_handle):
                return b""
            return _commit(_opened(index_handle), _opened(pack_handle), identifier)
        finally:
            os.close(pack_handle)
    finally:
        os.close(index_handle)


def _opened(handle: int) -> _Open:
    return _Open(handle, os.fstat(handle).st_size)


def _commit(index: _Open, pack: _Open, identifier: bytes) -> bytes:
    offset = _offset(index, identifier) if index.size <= _MAX_INDEX else 0
    kind, content = _object(index, pack, offset) if offset else (0, b"")
    return content if kind == _COMMIT else b""


def _offset(index: _Open, identifier: bytes) -> int:
    """Where an object stands in the pack; 0 if it does not (no object stands at 0)."""
    if index.read(0, 8) != _INDEX_MAGIC:
        return 0
    total = _number(index, _FANOUT_END - 4, 4)
    first = _number(index, 8 + 4 * (identifier[0] - 1), 4) if identifier[0] else 0
    last = _number(index, 8 + 4 * identifier[0], 4)
    if not first <= last <= total or _FANOUT_END + total * 28 > index.size:
        return 0
    place = bisect_left(range(total), identifier, first, last, key=lambda i: _identifier(index, i))
    if place >= last or _identifier(index, place) != identifier:
        return 0
    small = _number(index, _FANOUT_END + total * 24 + place * 4, 4)
    if small < 2**31:
        return small
    return _number(index, _FANOUT_END + total * 28 + (small - 2**31) * 8, 8)


def _identifier(index: _Open, place: int) -> bytes:
    return index.read(_FANOUT_END + place * 20, 20)


def _number(data: _Open, offset: int, length: int) -> int:
    return int.from_bytes(data.read(offset, length), "big")


def _object(index: _Open, pack: _Open, offset: int) -> tuple[int, bytes]:
    """An object's type and content; a chain of deltas is unwound without recursion."""
    deltas: list[bytes] = []
    for _ in range(_MAX_CHAIN):
        kind, size, start = _header(pack, offset)
        if size > _MAX_OBJECT:
            return 0, b""
        if kind == _OFFSET_DELTA:
            distance, start = _distance(pack, start)
            deltas.append(_inflate(pack, start, size))
            offset -= distance
        elif kind == _REFERENCE_DELTA:
            deltas.append(_inflate(pack, start + 20, size))
            offset = _offset(index, pack.read(start, 20))
        else:
            content = _inflate(pack, start, size)
            for delta in reversed(deltas):
                content = _apply(content, delta)
            return kind, content
        if offset <= 0:
            return 0, b""
    return 0, b""


def _header(pack: _Open, offset: int) -> tuple[int, int, int]:
    byte = pack.byte(offset)
    kind, size, shift = (byte >> 4) & 7, byte & 15, 4
    while byte & 0x80 and shift < 64:
        offset += 1
        byte = pack.byte(offset)
        size |= (byte & 0x7F) << shift
        shift += 7
    return kind, size, offset + 1


def _distance(pack: _Open, offset: int) -> tuple[int, int]:
    byte = pack.byte(offset)
    value = byte & 0x7F
    while byte & 0x80 and value < 2**60:
        offset += 1
        byte = pack.byte(offset)
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, offset + 1


def _inflate(pack: _Open, start: int, size: int) -> bytes:
    content = zlib.decompressobj().decompress(pack.read(start, size + _MAX_OBJECT), size + 1)
    if len(content) != size:
        raise ValueError("an object is not as long as it says")
    return content


def _apply(base: bytes, delta: bytes) -> bytes:
    """Apply a delta: copies out of the base, and insertions."""
    _, position = _size(delta, 0)
    expected, position = _size(delta, position)
    parts, length = [], 0
    while position < len(delta) and length <= _MAX_OBJECT:
        code = delta[position]
        position += 1
        if code & 0x80:
            part, position = _copy(base, delta, position, code)
        else:
            part, position = delta[position : position + code], position + code
        parts.append(part)
        length += len(part)
    if length != expected:
        raise ValueError("a delta does not give what it says")
    return b"".join(parts)


def _copy(base: bytes, delta: bytes, position: int, code: int) -> tuple[bytes, int]:
    numbers = []
    for bits, width in ((code & 0x0F, 4), ((code >> 4) & 7, 3)):
        value = 0
        for byte in range(width):
            if bits >> byte & 1:
                value |= delta[position] << (8 * byte)
                position += 1
        numbers.append(value)
    offset, size = numbers
    return base[offset : offset + (size or 0x10000)], position


def _size(delta: bytes, position: int) -> tuple[int, int]:
    value, shift = 0, 0
    while shift < 64:
        byte = delta[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            break
    return value, position
