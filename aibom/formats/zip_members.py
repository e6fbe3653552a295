"""What a zip archive holds, told twice: by the central directory and by the headers in front of the data.

Readers disagree about damaged archives: one trusts the directory, another the local headers, one stops at a wrong
checksum, another does not look. What only one of them sees can hide from a scan, so nothing is refused that could be
listed, and every disagreement is a problem. Format: PKWARE's APPNOTE, sections 4.3 and 4.5 (Zip64).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats.inflated import CHUNK, DAMAGED, ChunkedSource, deflated, held

MAX_MEMBERS = 100_000
MAX_DIRECTORY = 64 * 1024 * 1024
MAX_PROBLEMS = 100
STORED, DEFLATED = 0, 8
_LOCAL, _END = b"PK\x03\x04", b"PK\x05\x06"
_END_SIZE, _LOCAL_SIZE, _ENTRY_SIZE, _MAX_COMMENT = 22, 30, 46, 65535
_MAX_GAPS_READ = 16 * 1024 * 1024
_MAX_DESCRIPTOR = 24
_ENCRYPTED, _LATER, _UTF8 = 0x1, 0x8, 0x800


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipMember:
    """One member. Sizes and checksum are those of the central directory, if it is listed there."""

    name: str
    offset: int
    """Where its data starts."""
    compressed: int
    size: int
    method: int
    crc: int
    encrypted: bool
    """Whether either header says so; readers that look at one only may read it all the same."""
    header: int
    """Where its local header starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipListing:
    """All members, in the order of their place in the file, and what does not fit together."""

    members: tuple[ZipMember, ...]
    problems: tuple[str, ...]

    def named(self, name: str) -> ZipMember | None:
        """The last member of a name, which is the one that most readers take."""
        return next((member for member in reversed(self.members) if member.name == name), None)


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of a source, as a source."""

    source: ByteSource
    start: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Those of the bytes that lie in the stretch."""
        return self.source.read(self.start + offset, max(0, min(length, self.size - offset)))


def list_zip(source: ByteSource, where: str) -> ZipListing:
    """List an archive. Raises InputError if it has no members in either account, or too many."""
    problems: list[str] = []
    try:
        entries = _directory(source, where, problems)
    except InputError as error:
        entries = list(_walk_local(source, 0, source.size, where))
        problems.append(f"only local headers can be read: {error.message}")
        if not entries:
            raise
    members = [_placed(source, entry, problems) for entry in entries]
    members.sort(key=lambda member: (member.header, member.name))
    _check_names(members, problems)
    hidden = _check_places(source, members, problems, where)
    placed = sorted([*members, *hidden], key=lambda member: member.header)
    return ZipListing(members=tuple(placed), problems=tuple(dict.fromkeys(problems))[:MAX_PROBLEMS])


def read_member(source: ByteSource, member: ZipMember, limit: int, where: str, *, partial: bool = False) -> bytes:
    """A member's content, at most `limit` bytes; `partial`: its beginning will do. The checksum is not looked at."""
    place = f"{where}, member {member.name[:120]!r}"
    if member.offset > source.size:
        raise InputError("its data lies outside the file", where=place)
    if member.method == STORED:
        if member.compressed > limit and not partial:
            raise InputError(f"{member.compressed} bytes; at most {limit} are read", where=place)
        return source.read(member.offset, min(member.compressed, limit))
    return _inflate(source, member, limit, place, partial).read(0, limit)


def member_source(source: ByteSource, member: ZipMember, limit: int, where: str) -> ByteSource:
    """A member's content as a source: a stored one stays where it is, another is inflated up to `limit` bytes."""
    if member.method == STORED:
        start = min(member.offset, source.size)
        return Slice(source, start, min(member.compressed, source.size - start))
    return _inflate(source, member, limit, f"{where}, member {member.name[:120]!r}", partial=False)


def _inflate(source: ByteSource, member: ZipMember, limit: int, place: str, partial: bool) -> ChunkedSource:
    if member.offset > source.size:
        raise InputError("its data lies outside the file", where=place)
    if member.method != DEFLATED:
        raise InputError(f"compression method {member.method} is not read; stored and deflated are", where=place)
    content = held(_pieces(source, member, min(CHUNK, limit + 1), place, partial), limit)
    if content.size > limit and not partial:
        raise InputError(f"more than {limit} bytes when inflated, which is where we stop", where=place)
    return content


def _pieces(source: ByteSource, member: ZipMember, most: int, place: str, partial: bool) -> Iterator[bytes]:
    try:
        yield from deflated(source, member.offset, member.offset + member.compressed).pieces(most)
    except DAMAGED as error:
        if not partial:
            raise InputError("the compressed data is damaged", where=place) from error


@dataclass(frozen=True, slots=True)
class _Entry:
    """One header's account of a member; `header` is where the local header should be."""

    name: str
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    header: int


def _directory(source: ByteSource, where: str, problems: list[str]) -> list[_Entry]:
    """The central directory's entries."""
    start = max(0, source.size - _END_SIZE - _MAX_COMMENT)
    tail = source.read(start, _END_SIZE + _MAX_COMMENT)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise InputError("no end of a central directory: not a zip archive, or cut off", where=where)
    count, size, offset, comment = struct.unpack_from("<HIIH", tail, at + 10)
    end, behind = start + at, len(tail) - at - _END_SIZE - comment
    if (record := _zip64_end(source, end)) is not None:
        # Also where the plain record would do, as PyTorch's writer leaves it: the directory ends at the larger record.
        plain, (count, size, offset, end) = (count, size, offset), record
        if any(old not in {new, 0xFFFF, 0xFFFFFFFF} for old, new in zip(plain, record, strict=False)):
            problems.append("the two end records describe different directories")
    if count > MAX_MEMBERS or size > MAX_DIRECTORY:
        raise InputError(f"{count} members in {size} bytes of directory; at most {MAX_MEMBERS} are read", where=where)
    base = end - size - offset
    if base < 0:
        raise InputError("the central directory lies outside the file", where=f"{where}, byte {offset}")
    problems += [f"{base} bytes stand before the archive"] if base else []
    problems += [f"{behind} bytes stand behind the archive"] if behind else []
    return _directory_entries(source.read(base + offset, size), count, base, f"{where}, byte {base + offset}")


def _zip64_end(source: ByteSource, end: int) -> tuple[int, int, int, int] | None:
    """Count, size and offset by the Zip64 end record, and where that record starts."""
    locator = source.read(end - 20, 20) if end >= 76 else b""
    if locator[:4] != b"PK\x06\x07":
        return None
    for at in (int.from_bytes(locator[8:16], "little"), end - 76):
        record = source.read(at, 56) if at < source.size else b""
        if len(record) == 56 and record[:4] == b"PK\x06\x06":
            count, size, offset = struct.unpack_from("<QQQ", record, 32)
            return count, size, offset, at
    return None


def _directory_entries(raw: bytes, count: int, base: int, where: str) -> list[_Entry]:
    entries: list[_Entry] = []
    at = 0
    for _ in range(count):
        if raw[at : at + 4] != b"PK\x01\x02" or at + _ENTRY_SIZE > len(raw):
            raise InputError(f"the central directory breaks after {len(entries)} of {count} entries", where=where)
        flags, method, _, crc, compressed, size, named, extra, comment = struct.unpack_from("<HHIIIIHHH", raw, at + 8)
        (header,) = struct.unpack_from("<I", raw, at + 42)
        at += _ENTRY_SIZE
        name, more = raw[at : at + named], raw[at + named : at + named + extra]
        size, compressed, header = _zip64(more, [size, compressed, header])
        entries.append(_Entry(_decode(name, flags), flags, method, crc, compressed, size, header + base))
        at += named + extra + comment
    return entries


def _zip64(extra: bytes, values: list[int]) -> list[int]:
    """Replace each value that says 'see the extra field' by the one there, in order (4.5.3)."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        field = extra[at + 4 : at + 4 + length]
        if kind == 1:
            for index, value in enumerate(values):
                if value == 0xFFFFFFFF and len(field) >= 8:
                    values[index], field = int.from_bytes(field[:8], "little"), field[8:]
            break
        at += 4 + length
    return values


def _decode(raw: bytes, flags: int) -> str:
    return raw.decode("utf-8" if flags & _UTF8 else "cp437", "replace")


def _local(source: ByteSource, at: int) -> tuple[_Entry, int] | None:
    """The local header at a place, and where its data starts."""
    raw = source.read(at, _LOCAL_SIZE) if at < source.size else b""
    if len(raw) < _LOCAL_SIZE or raw[:4] != _LOCAL:
        return None
    flags, method, _, crc, compressed, size, named, extra = struct.unpack_from("<HHIIIIHH", raw, 6)
    rest = source.read(at + _LOCAL_SIZE, named + extra)
    size, compressed = _zip64(rest[named:], [size, compressed])
    name = _decode(rest[:named], flags)
    return _Entry(name, flags, method, crc, compressed, size, at), at + _LOCAL_SIZE + named + extra


def _walk_local(source: ByteSource, at: int, end: int, where: str) -> Iterator[_Entry]:
    """Local headers one after another, as a streaming reader meets them."""
    count = 0
    while at < end and (found := _local(source, at)):
        entry, data = found
        count += 1
        if count > MAX_MEMBERS:
            raise InputError(f"more than {MAX_MEMBERS} members", where=where)
        yield entry
        at = data + entry.compressed


def _placed(source: ByteSource, entry: _Entry, problems: list[str]) -> ZipMember:
    found = _local(source, entry.header)
    name = entry.name[:120]
    local, data = found or (entry, entry.header)
    if found is None:
        problems.append(f"{name!r} is only in the central directory")
    if local.name != entry.name:
        problems.append(f"{name!r} is called {local.name[:120]!r} in its local header")
    if (local.flags ^ entry.flags) & _ENCRYPTED:
        problems.append(f"{name!r} is encrypted by one header and not by the other")
    if local.method != entry.method:
        problems.append(f"{name!r} has compression method {entry.method} or {local.method}, by header")
    accounts = (local.crc, local.compressed, local.size), (entry.crc, entry.compressed, entry.size)
    if accounts[0] != accounts[1] and not local.flags & _LATER:
        problems.append(f"{name!r} has two sizes or checksums, by header")
    if data + entry.compressed > source.size:
        problems.append(f"{name!r} reaches beyond the end of the file")
    encrypted = bool((local.flags | entry.flags) & _ENCRYPTED)
    return ZipMember(
        name=entry.name, offset=data, compressed=entry.compressed, size=entry.size, method=entry.method, crc=entry.crc,
        encrypted=encrypted, header=entry.header,
    )  # fmt: skip


def _check_names(members: list[ZipMember], problems: list[str]) -> None:
    seen: set[str] = set()
    for member in members:
        name, shown = member.name.replace("\\", "/"), repr(member.name[:120])
        if member.name in seen:
            problems.append(f"{shown} occurs twice")
        seen.add(member.name)
        if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
            problems.append(f"{shown} is a path out of the archive")
        if not name or any(char < " " or char == "\x7f" for char in name):
            problems.append(f"{shown} is no name: readers cut it differently")
        if member.encrypted:
            problems.append(f"{shown} is encrypted")


def _check_places(source: ByteSource, members: list[ZipMember], problems: list[str], where: str) -> list[ZipMember]:
    """Overlaps, and local headers in the gaps that the directory leaves."""
    hidden: list[ZipMember] = []
    position, budget = 0, _MAX_GAPS_READ
    end = source.size
    for header, name, after in [*((m.header, m.name, m.offset + m.compressed) for m in members), (end, "", end)]:
        if name and header < position:
            problems.append(f"{name[:120]!r} overlaps the member before it")
        gap = source.read(position, min(header - position, budget)) if header > position else b""
        budget -= len(gap)
        at = gap.find(_LOCAL)
        if at >= 0:
            for entry in _walk_local(source, position + at, header, where):
                problems.append(f"{entry.name[:120]!r} is only in a local header")
                hidden.append(_placed(source, entry, problems))
                if len(hidden) + len(members) > MAX_MEMBERS:
                    raise InputError(f"more than {MAX_MEMBERS} members", where=where)
        elif len(gap) > _MAX_DESCRIPTOR and name and gap.strip(b"\0"):
            problems.append(f"{len(gap)} bytes before {name[:120]!r} belong to no member")
        position = max(position, after)
    return hidden
