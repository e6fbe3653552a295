"""One object out of Git's packs: found by the index, its deltas applied, everything bounded. gitformat-pack(5)."""

import mmap
import zlib
from bisect import bisect_left
from pathlib import Path

_INDEX_MAGIC = b"\xfftOc\x00\x00\x00\x02"
_FANOUT_END = 8 + 256 * 4
_MAX_PACKS = 200
_MAX_INDEX = 1024**3
_MAX_OBJECT = 1024 * 1024
_MAX_CHAIN = 50
_COMMIT, _OFFSET_DELTA, _REFERENCE_DELTA = 1, 6, 7


def packed_object(folder: Path, identifier: str) -> bytes:
    """The content of a commit in one of the packs of `folder`; nothing if it is not there or not readable."""
    try:
        packs = sorted(path for path in folder.glob("pack-*.idx") if not path.is_symlink())[:_MAX_PACKS]
        for index in packs:
            found = _in_pack(index, bytes.fromhex(identifier))
            if found:
                return found
    except (OSError, ValueError, IndexError, zlib.error):
        return b""
    return b""


def _in_pack(index_path: Path, identifier: bytes) -> bytes:
    pack_path = index_path.with_suffix(".pack")
    if pack_path.is_symlink() or index_path.stat().st_size > _MAX_INDEX:
        return b""
    with (
        index_path.open("rb") as index_file,
        pack_path.open("rb") as pack_file,
        mmap.mmap(index_file.fileno(), 0, access=mmap.ACCESS_READ) as index,
        mmap.mmap(pack_file.fileno(), 0, access=mmap.ACCESS_READ) as pack,
    ):
        offset = _offset(index, identifier)
        kind, content = _object(index, pack, offset) if offset else (0, b"")
        return content if kind == _COMMIT else b""


def _offset(index: mmap.mmap, identifier: bytes) -> int:
    """Where an object stands in the pack; 0 if it does not (no object stands at 0)."""
    if index[:8] != _INDEX_MAGIC:
        return 0
    total = _number(index, _FANOUT_END - 4, 4)
    first = _number(index, 8 + 4 * (identifier[0] - 1), 4) if identifier[0] else 0
    last = _number(index, 8 + 4 * identifier[0], 4)
    if not first <= last <= total or _FANOUT_END + total * 28 > len(index):
        return 0
    place = bisect_left(range(total), identifier, first, last, key=lambda i: _identifier(index, i))
    if place >= last or _identifier(index, place) != identifier:
        return 0
    small = _number(index, _FANOUT_END + total * 24 + place * 4, 4)
    if small < 2**31:
        return small
    return _number(index, _FANOUT_END + total * 28 + (small - 2**31) * 8, 8)


def _identifier(index: mmap.mmap, place: int) -> bytes:
    return index[_FANOUT_END + place * 20 : _FANOUT_END + place * 20 + 20]


def _number(data: mmap.mmap, offset: int, length: int) -> int:
    return int.from_bytes(data[offset : offset + length], "big")


def _object(index: mmap.mmap, pack: mmap.mmap, offset: int) -> tuple[int, bytes]:
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
            offset = _offset(index, pack[start : start + 20])
        else:
            content = _inflate(pack, start, size)
            for delta in reversed(deltas):
                content = _apply(content, delta)
            return kind, content
        if offset <= 0:
            return 0, b""
    return 0, b""


def _header(pack: mmap.mmap, offset: int) -> tuple[int, int, int]:
    byte = pack[offset]
    kind, size, shift = (byte >> 4) & 7, byte & 15, 4
    while byte & 0x80 and shift < 64:
        offset += 1
        byte = pack[offset]
        size |= (byte & 0x7F) << shift
        shift += 7
    return kind, size, offset + 1


def _distance(pack: mmap.mmap, offset: int) -> tuple[int, int]:
    byte = pack[offset]
    value = byte & 0x7F
    while byte & 0x80 and value < 2**60:
        offset += 1
        byte = pack[offset]
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, offset + 1


def _inflate(pack: mmap.mmap, start: int, size: int) -> bytes:
    content = zlib.decompressobj().decompress(pack[start : start + size + _MAX_OBJECT], size + 1)
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
