"""HDF5, just enough of it: the text attributes of the root group, and every way in which a file reaches outside itself.

Keras keeps a whole model in HDF5: its configuration is one attribute. A link or a dataset can name another file, which
is then read when this one is. All groups are visited for that; what is stored in a form that is not followed (a dense
group, in a fractal heap) is said so. Format: HDF5 File Format Specification 3.0, sections II to IV.
"""

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats.pickle_globals import Safety

MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_OBJECTS = 100_000
MAX_MESSAGES = 500_000
MAX_HEADER = 4 * 1024 * 1024
MAX_READ = 256 * 1024 * 1024
MAX_TEXT = 64 * 1024 * 1024
MAX_ATTRIBUTES = 1000
MAX_LINKS = 100
_MAX_HEAP_OBJECTS = 65_536
_USER_BLOCKS = (0, 512, 1024, 2048, 4096)
_UNDEFINED = 2**64 - 1
_DATASPACE, _LINK_INFO, _LINK, _EXTERNAL, _LAYOUT, _ATTRIBUTE = 0x01, 0x02, 0x06, 0x07, 0x08, 0x0C
_CONTINUATION, _SYMBOL_TABLE, _ATTRIBUTE_INFO = 0x10, 0x11, 0x15
_SHARED, _NULL_SPACE, _MAX_RANK, _MAX_ELEMENTS = 2, 2, 32, 2**63
_EXTERNAL_LINK, _HARD_LINK, _VIRTUAL = 64, 0, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdf5File:
    """What a file says about itself and what it reaches for."""

    superblock: int
    attributes: Mapping[str, str]
    """Texts at the root group, as `keras_version` and `model_config`."""
    objects: int
    datasets: int
    elements: int | None
    """Numbers in all datasets, whatever they are for: weights, and the state of an optimiser. None if not all that are
    stored here could be counted."""
    external_links: tuple[str, ...]
    """Targets of links into other files, as `file: object`."""
    external_storage: int
    """Datasets whose numbers lie in other files."""
    examined: bool
    """Whether all groups and attributes were followed; if not, `problems` says what was not."""
    problems: tuple[str, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """One sentence for each thing that is not known to be harmless."""
        links = tuple(f"links to another file: {link}" for link in self.external_links)
        stored = (f"{self.external_storage} datasets lie in other files",) if self.external_storage else ()
        return (*links, *stored, *self.problems)

    @property
    def safety(self) -> Safety:
        """Reaching outside is dangerous, what was not followed is unknown."""
        if self.external_links or self.external_storage:
            return Safety.DANGEROUS
        return Safety.CLEAN if self.examined else Safety.UNKNOWN


def parse_hdf5(source: ByteSource, where: str) -> Hdf5File:
    """Read a file. Raises InputError if it is not HDF5; what is damaged further in is a problem."""
    reader = _Reader(source)
    for start in _USER_BLOCKS:
        if source.read(start, 8) == MAGIC:
            break
    else:
        raise InputError("no HDF5 signature at any place where it may be", where=f"{where}, byte 0")
    head = source.read(start, 128)
    version = head[8] if len(head) > 8 else 255
    place = {0: 24, 1: 28, 2: 12, 3: 12}.get(version)
    if place is None or len(head) < place + 48:
        raise InputError(
            f"superblock version {version}, or cut off; 0 to 3 are read", where=f"{where}, byte {start + 8}"
        )
    widths = tuple(head[13:15]) if version < 2 else tuple(head[9:11])
    if widths != (8, 8):
        return reader.result(version, [f"offsets and lengths of {widths} bytes are not followed"])
    reader.base = int.from_bytes(head[place : place + 8], "little")
    root_at = place + (40 if version < 2 else 24)
    try:
        reader.visit(int.from_bytes(head[root_at : root_at + 8], "little"))
    except (_DamagedError, struct.error) as error:
        return reader.result(version, [f"not all could be followed: {error}"])
    return reader.result(version, [])


class _DamagedError(Exception):
    """Something does not follow the format; never leaves this module."""


@dataclass(slots=True)
class _Reader:
    """The file, and what was found in it."""

    source: ByteSource
    base: int = 0
    attributes: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    problems: dict[str, None] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    pending: list[int] = field(default_factory=list)
    stored: int = 0
    datasets: int = 0
    elements: int = 0
    uncounted: int = 0
    messages: int = 0
    objects: int = 0
    spent: int = 0

    def result(self, version: int, more: list[str]) -> Hdf5File:
        problems = (*self.problems, *more)
        return Hdf5File(
            superblock=version,
            attributes=dict(sorted(self.attributes.items())),
            objects=self.objects,
            datasets=self.datasets,
            elements=None if problems or self.stored or self.uncounted else self.elements,
            external_links=tuple(self.links),
            external_storage=self.stored,
            examined=not problems,
            problems=problems,
        )

    def read(self, address: int, length: int) -> bytes:
        self.spent += length
        if self.spent > MAX_READ:
            raise _DamagedError(f"more than {MAX_READ} bytes of structure, which is where we stop")
        if address + self.base + length > self.source.size:
            raise _DamagedError(f"{length} bytes at {address} lie outside the file")
        return self.source.read(address + self.base, length)

    def visit(self, root: int) -> None:
        """Every object once, however the links run."""
        self.pending.append(root)
        while self.pending:
            address = self.pending.pop()
            if address in self.seen or address == _UNDEFINED:
                continue
            self.seen.add(address)
            self.objects += 1
            if self.objects > MAX_OBJECTS:
                raise _DamagedError(f"more than {MAX_OBJECTS} objects, which is where we stop")
            datasets, size = self.datasets, None
            for kind, flags, body in self.header(address):
                self.message(kind, flags, body, is_root=address == root)
                if kind == _DATASPACE and not flags & _SHARED:
                    size = _elements(body)
            if self.datasets > datasets:
                self.elements += size or 0
                self.uncounted += size is None

    def header(self, address: int) -> Iterator[tuple[int, int, bytes]]:
        """The messages of an object header: type, flags and content."""
        head = self.read(address, 8)
        if head[:4] == b"OHDR":
            flags = head[5]
            at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            blocks = [(at + width, int.from_bytes(self.read(at, width), "little"))]
            prefix, order = 0, 2 if flags & 4 else 0
        elif head[0] == 1:
            blocks, prefix, order = [(address + 16, int.from_bytes(self.read(address + 8, 4), "little"))], -1, 0
        else:
            raise _DamagedError(f"no object header at {address}")
        total = 0
        while blocks:
            start, size = blocks.pop()
            total += size
            if total > MAX_HEADER:
                raise _DamagedError(f"an object header of more than {MAX_HEADER} bytes")
            for kind, flags, body in self.block(self.read(start, size), prefix, order):
                if kind == _CONTINUATION:
                    after, length = struct.unpack_from("<QQ", body)
                    # A continuation of the newer kind has a signature before its messages and a checksum behind them.
                    blocks.append((after, length) if prefix else (after + 4, max(0, length - 8)))
                else:
                    yield kind, flags, body

    def block(self, raw: bytes, prefix: int, order: int) -> Iterator[tuple[int, int, bytes]]:
        at, size = 0, 8 if prefix else 4 + order
        while at + size <= len(raw):
            self.messages += 1
            if self.messages > MAX_MESSAGES:
                raise _DamagedError(f"more than {MAX_MESSAGES} messages, which is where we stop")
            kind, length, flags = struct.unpack_from("<HHB" if prefix else "<BHB", raw, at)
            yield kind, flags, raw[at + size : at + size + length]
            at += size + length

    def message(self, kind: int, flags: int, body: bytes, *, is_root: bool) -> None:
        if kind in {_EXTERNAL, _LAYOUT}:
            self.datasets += kind == _LAYOUT
            # A virtual dataset is put together from others, which can lie in other files.
            self.stored += kind == _EXTERNAL or (body[:1] >= b"\x04" and body[1:2] == bytes([_VIRTUAL]))
        elif kind == _SYMBOL_TABLE:
            self.tree(int.from_bytes(body[:8], "little"))
        elif kind == _LINK:
            self.link(body)
        elif kind in {_LINK_INFO, _ATTRIBUTE_INFO}:
            # Flag 1 puts a creation index before the heap's address: of 8 bytes for links, of 2 for attributes.
            skipped = 2 + ((8 if kind == _LINK_INFO else 2) if body[1:2] != b"" and body[1] & 1 else 0)
            if int.from_bytes(body[skipped : skipped + 8], "little") != _UNDEFINED:
                what = "links of a large group" if kind == _LINK_INFO else "attributes of an object with many"
                self.problems[f"the {what} are stored in a form that is not looked into"] = None
        elif kind == _ATTRIBUTE and is_root and len(self.attributes) < MAX_ATTRIBUTES:
            self.attribute(body, shared=bool(flags & _SHARED))

    def tree(self, address: int) -> None:
        """The members of a group of the older kind: a B-tree whose leaves are symbol nodes."""
        nodes = [address]
        while nodes:
            at = nodes.pop()
            if at in self.seen or at == _UNDEFINED:
                continue
            self.seen.add(at)
            if len(self.seen) > MAX_OBJECTS * 2:
                raise _DamagedError(f"more than {MAX_OBJECTS} objects, which is where we stop")
            head = self.read(at, 8)
            count = int.from_bytes(head[6:8], "little")
            if head[:4] == b"TREE":
                raw = self.read(at + 24, 8 + count * 16)
                nodes += [int.from_bytes(raw[8 + i * 16 : 16 + i * 16], "little") for i in range(count)]
            elif head[:4] == b"SNOD":
                raw = self.read(at + 8, count * 40)
                entries = [raw[i * 40 : i * 40 + 20] for i in range(count)]
                # Cache type 2 is a link within the file, by name.
                self.pending += [int.from_bytes(e[8:16], "little") for e in entries if e[16:20] != b"\2\0\0\0"]
            else:
                raise _DamagedError(f"no group node at {at}")

    def link(self, body: bytes) -> None:
        flags, at = body[1] if len(body) > 1 else 0, 2
        kind = body[at] if flags & 8 and len(body) > at else _HARD_LINK
        at += (1 if flags & 8 else 0) + (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        at += width + int.from_bytes(body[at : at + width], "little")
        if kind == _HARD_LINK:
            self.pending.append(int.from_bytes(body[at : at + 8].ljust(8, b"\xff"), "little"))
        elif kind == _EXTERNAL_LINK and len(self.links) < MAX_LINKS:
            file, _, path = body[at + 3 :].partition(b"\0")
            self.links.append(f"{_printable(file)}: {_printable(path.rstrip(bytes(1)))}")

    def attribute(self, body: bytes, *, shared: bool) -> None:
        if shared or len(body) < 9 or (body[0] > 1 and body[1] & 3):
            return
        version = body[0]
        named, typed, spaced = struct.unpack_from("<HHH", body, 2)
        at = 9 if version == 3 else 8
        step = [(size + 7) & ~7 if version == 1 else size for size in (named, typed, spaced)]
        name, kind = body[at : at + named].split(b"\0", 1)[0], body[at + step[0] : at + step[0] + typed]
        space = body[at + step[0] + step[1] : at + sum(step[:2]) + spaced]
        value = body[at + sum(step) :]
        if len(kind) < 8 or len(space) < 2 or space[1] > 0:  # the texts that we want are single, not arrays
            return
        text = self.text(kind, value)
        if text is not None:
            self.attributes[_printable(name)] = text

    def text(self, kind: bytes, value: bytes) -> str | None:
        """A text by its datatype: in place, or in the global heap."""
        if kind[0] & 0x0F == 3:
            raw = value[: int.from_bytes(kind[4:8], "little")].rstrip(b"\0 ")
        elif kind[0] & 0x0F == 9 and kind[1] & 0x0F == 1 and len(value) >= 16:
            length, address, index = struct.unpack_from("<IQI", value)
            raw = self.heap(address, index)[:length]
        else:
            return None
        return raw.decode("utf-8", "replace")

    def heap(self, address: int, index: int) -> bytes:
        head = self.read(address, 16)
        if head[:4] != b"GCOL":
            raise _DamagedError(f"no global heap at {address}")
        at, end = address + 16, address + int.from_bytes(head[8:16], "little")
        for _ in range(_MAX_HEAP_OBJECTS):
            if at + 16 > end:
                break
            number, _, _, size = struct.unpack("<HHIQ", self.read(at, 16))
            if number == index and size <= MAX_TEXT:
                return self.read(at + 16, size)
            if number == 0:
                break
            at += 16 + ((size + 7) & ~7)
        raise _DamagedError(f"no object {index} in the global heap at {address}")


def _elements(space: bytes) -> int | None:
    """How many elements a dataspace has: one if it has no dimensions, none if it is null; None if it cannot be told."""
    version, rank = space[:2] if len(space) >= 4 else (0, 0)
    start = {1: 8, 2: 4}.get(version)
    raw = space[start : start + rank * 8] if start else b""
    if start is None or rank > _MAX_RANK or len(raw) < rank * 8:
        return None
    if version == 2 and space[3] == _NULL_SPACE:
        return 0
    count = math.prod(struct.unpack(f"<{rank}Q", raw))
    return count if count < _MAX_ELEMENTS else None


def _printable(raw: bytes) -> str:
    text = raw[:200].decode("utf-8", "replace")
    return text if text.isprintable() else ascii(text)[1:-1]
