"""Tar archives, as WebDataset shards: members, samples and what a sample is made of, without unpacking anything.

A sample is the files that share a name up to its first full stop; the rest of the name says what each one is. Members
that unpacking would follow elsewhere (links, devices, names that escape) are reported. Written for this project because
tarfile forgives what a bill of materials must not: it takes a damaged header for the end of the archive. Format: POSIX
ustar and pax (IEEE 1003.1, "pax"), and GNU long names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError

BLOCK = 512
MAX_MEMBERS = 250_000
_MAX_NAME = 4096
_MAX_NAMES = 64 * 1024 * 1024
_MAX_EXTENSION = 64 * 1024
_MAX_SUFFIXES = 1000
_MAX_PROBLEMS = 100
_MAX_PADDING = 1024 * 1024
_HINT = "the archive is damaged or was cut off; download or make it again"
_FILES = {b"0", b"\0", b"7"}
_EMPTY = {b"1", b"2", b"3", b"4", b"5", b"6"}
_EXTENSIONS = {b"x", b"g", b"L", b"K"}
_KINDS = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"6": "a pipe"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TarMember:
    """One member: its name, its place and size, and what it is if it is not a file."""

    name: str
    offset: int
    """Where its content starts in the archive."""
    size: int
    kind: str
    """`file`, `directory`, or what else it is, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TarShard:
    """What a shard holds."""

    members: int
    """Files in it; directories are not counted."""
    size: int
    """Bytes in all files."""
    samples: int
    """Distinct names up to the first full stop."""
    suffixes: Mapping[str, int]
    """What follows the first full stop in a name → how many files."""
    problems: tuple[str, ...] = ()
    """One sentence for each member that unpacking could be harmed by, and for other irregularities."""

    @property
    def is_webdataset(self) -> bool:
        """Whether the members make samples."""
        return self.samples > 0


@dataclass(slots=True)
class _Tally:
    files: int = 0
    size: int = 0
    names: set[str] = field(default_factory=set)
    samples: set[str] = field(default_factory=set)
    latest: str = ""
    suffixes: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def report(self, problem: str) -> None:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(problem)


def is_tar(head: bytes) -> bool:
    """Whether a file's first 512 bytes are a tar header, by its checksum."""
    return len(head) >= BLOCK and any(head[:BLOCK]) and _checksum_fits(head[:BLOCK])


def parse_tar_shard(source: ByteSource, where: str) -> TarShard:
    """Walk the archive. Raises InputError with the byte at fault for a damaged or over-long archive."""
    tally, end = _Tally(), 0
    for member in tar_members(source, where):
        end = member.offset + _padded(member.size)
        _note(member, tally)
    trailing = _trailing(source, end)
    if trailing:
        tally.report(trailing)
    return TarShard(
        members=tally.files,
        size=tally.size,
        samples=len(tally.samples),
        suffixes=dict(sorted(tally.suffixes.items())),
        problems=tuple(tally.problems),
    )


def tar_members(source: ByteSource, where: str) -> Iterator[TarMember]:
    """The members up to the end mark or the end of the file, with long names put in."""
    position, count, length = 0, 0, 0
    extra: dict[str, str] = {}
    while position < source.size:
        header = source.read(position, BLOCK)
        place = f"{where}, byte {position}"
        if len(header) == BLOCK and not any(header):
            break
        if len(header) < BLOCK or not _checksum_fits(header):
            raise InputError("expected a tar header with a valid checksum", where=place, hint=_HINT)
        flag, size = header[156:157], _number(header[124:136], place)
        count += 1
        if flag not in _EXTENSIONS:
            size = _number_text(extra["size"], place) if "size" in extra else size
        _require_room(source, position, size, count, place)
        if size and flag in _EMPTY:
            # Some readers skip these bytes and some take them for the next header.
            raise InputError(f"a member of {size} bytes that is not a file", where=place, hint=_HINT)
        offset = position + BLOCK
        position = offset + _padded(size)
        if flag in _EXTENSIONS:
            extra |= _extension(flag, source, offset, size, place)
            continue
        member = TarMember(name=extra.get("path") or _name(header, place), offset=offset, size=size, kind=_kind(flag))
        length += len(member.name)
        if length > _MAX_NAMES or len(member.name) > _MAX_NAME:
            raise InputError("names that are longer than are read", where=place, hint=_HINT)
        extra = {}
        yield member
    if extra:
        raise InputError("a long name without a member after it", where=where, hint=_HINT)


def _require_room(source: ByteSource, position: int, size: int, count: int, place: str) -> None:
    if count > MAX_MEMBERS:
        raise InputError(f"more than {MAX_MEMBERS} members", where=place)
    if size > source.size - position - BLOCK:
        raise InputError(
            f"a member of {size} bytes; {max(source.size - position - BLOCK, 0)} are left", where=place, hint=_HINT
        )


def _extension(flag: bytes, source: ByteSource, offset: int, size: int, place: str) -> dict[str, str]:
    """What an extension header says of the next member's name and size. A global one must not say either."""
    if size > _MAX_EXTENSION:
        raise InputError(f"an extension of {size} bytes; at most {_MAX_EXTENSION} are read", where=place, hint=_HINT)
    data = source.read(offset, size)
    if flag == b"K":
        return {}
    if flag == b"L":
        return {"path": _text(data.split(b"\0", 1)[0], place)}
    records = _pax(data, place)
    if flag == b"g" and records:
        raise InputError("a global header that gives all members one name or size", where=place, hint=_HINT)
    return records


def _pax(data: bytes, place: str) -> dict[str, str]:
    """The path and size in pax records, each `length key=value` and a line feed."""
    found: dict[str, str] = {}
    position = 0
    while position < len(data):
        digits, space, _ = data[position : position + 8].partition(b" ")
        length = int(digits) if space and digits.isdigit() else 0
        record = data[position : position + length]
        key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if not equals or len(record) != length or record[-1:] != b"\n":
            raise InputError("expected a pax record: length, key and value", where=place, hint=_HINT)
        if key.startswith(b"GNU.sparse."):
            raise InputError("a sparse member, whose size is not that of its content", where=place)
        if key in {b"path", b"size"}:
            found[key.decode("ascii")] = _text(value, place)
        position += length
    return found


def _note(member: TarMember, tally: _Tally) -> None:
    shown = repr(member.name[:120])
    parts = member.name.split("/")
    if member.name.startswith("/") or ".." in parts or "\\" in member.name or not member.name.isprintable():
        tally.report(f"the name {shown} may lead outside the folder that it is unpacked in")
    if member.name in tally.names:
        tally.report(f"the name {shown} is given twice")
    tally.names.add(member.name)
    if member.kind not in {"file", "directory"}:
        tally.report(f"{shown} is {member.kind}, not a file")
    if member.kind == "file":
        tally.files += 1
        tally.size += member.size
        _note_sample(parts, tally)


def _note_sample(parts: list[str], tally: _Tally) -> None:
    stem, dot, suffix = parts[-1].partition(".")
    if not stem or not dot:
        return  # as the WebDataset readers do: a name without a suffix belongs to no sample
    key = "/".join([*parts[:-1], stem])
    if key in tally.samples and key != tally.latest:
        tally.report(f"the files of sample {key[:120]!r} do not follow one another")
    tally.samples.add(key)
    tally.latest = key
    listed = suffix if suffix in tally.suffixes or len(tally.suffixes) < _MAX_SUFFIXES else "(other)"
    tally.suffixes[listed] = tally.suffixes.get(listed, 0) + 1


def _trailing(source: ByteSource, end: int) -> str:
    """What is wrong with the end of the archive, if anything: readers stop at the mark, and miss what follows."""
    rest = source.size - end
    if rest < 2 * BLOCK:
        return "the archive has no end mark"
    if rest > _MAX_PADDING or any(source.read(end, rest)):
        return f"{rest} bytes follow the last member, not all of them padding"
    return ""


def _kind(flag: bytes) -> str:
    if flag in _FILES:
        return "file"
    return "directory" if flag == b"5" else _KINDS.get(flag, f"of the unknown type {flag!r}")


def _name(header: bytes, place: str) -> str:
    name = header[:100].split(b"\0", 1)[0]
    # GNU's own format keeps times where ustar keeps the start of a long name.
    prefix = header[345:500].split(b"\0", 1)[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name, place)


def _text(raw: bytes, place: str) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("a name that is not valid UTF-8", where=place) from error
    if not text:
        raise InputError("a member without a name", where=place, hint=_HINT)
    return text


def _checksum_fits(header: bytes) -> bool:
    """The sum of the header's bytes with the sum itself taken as spaces."""
    digits = header[148:156].strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        return False
    return int(digits, 8) == sum(header) - sum(header[148:156]) + 8 * ord(" ")


def _number(raw: bytes, place: str) -> int:
    """An octal field; GNU writes what is too large for one in base 256, with the first bit set."""
    if raw[0] == 0x80:
        return int.from_bytes(raw[1:], "big")
    digits = raw.strip(b" \0")
    if digits.strip(b"01234567"):
        raise InputError("a size that is not an octal number", where=place, hint=_HINT)
    return int(digits, 8) if digits else 0


def _number_text(text: str, place: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise InputError(f"a size that is not a number: {text[:40]!r}", where=place, hint=_HINT)
    return int(text)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
