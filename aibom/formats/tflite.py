"""TensorFlow Lite models: operators, tensors and metadata from the FlatBuffer, with every offset checked.

A FlatBuffer is read by jumping: each table, vector and text is found through an offset in the file, so a hostile one
points outside, in circles, or a million times at one place. All jumps lead through one reader that bounds them. Layout:
https://flatbuffers.dev/internals/; tables: tensorflow/lite/schema/schema.fbs, file identifier "TFL3".
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError

MAX_READS = 2_000_000
MAX_TENSORS = 200_000
MAX_OPERATORS = 10_000
MAX_SUBGRAPHS = 1000
MAX_PORTS = 1000
MAX_TEXT = 4096
MAX_DIMENSIONS = 64
_MAX_METADATA = 1000
_MAX_BUFFERS = 200_000
_MAX_COUNT = 2**63
_PAGE = 4096
_MAX_PAGES = 4096
_CUSTOM = 32  # BuiltinOperator.CUSTOM: the operator is named by its text
# TensorType by number.
_TYPES = (
    "FLOAT32", "FLOAT16", "INT32", "UINT8", "INT64", "STRING", "BOOL", "INT16", "COMPLEX64", "INT8", "FLOAT64",
    "COMPLEX128", "UINT64", "RESOURCE", "VARIANT", "UINT32", "UINT16", "INT4", "BFLOAT16", "INT2", "UINT4",
)  # fmt: skip
_HINT = "the file is damaged or was not written by a TensorFlow Lite converter; convert the model again"


@dataclass(frozen=True, slots=True, kw_only=True)
class TfliteOperator:
    """One operator that a runtime must have: a built-in by its number, or a custom one by its name."""

    builtin: int
    custom: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TfliteModel:
    """What a model says about itself."""

    version: int
    description: str
    operators: tuple[TfliteOperator, ...]
    """In file order."""
    metadata_names: tuple[str, ...]
    """Names of metadata blocks, in file order; their content is not read."""
    tensor_count: int
    """In all subgraphs, with those that are computed."""
    elements: int
    """Numbers in all of them."""
    parameters: int
    """Numbers in those that are stored in the file."""
    element_types: tuple[str, ...]
    inputs: tuple[str, ...]
    """Tensor names, of the first subgraph."""
    outputs: tuple[str, ...]

    @property
    def custom_operators(self) -> tuple[str, ...]:
        """Names of operators that are no part of TensorFlow Lite, sorted."""
        return tuple(sorted({operator.custom for operator in self.operators if operator.builtin == _CUSTOM}))


def parse_tflite(source: ByteSource, where: str) -> TfliteModel:
    """Read a model. Raises InputError with the byte at fault for any offset or count that cannot be."""
    buffer = _FlatBuffer(source, where)
    if source.size < 8 or buffer.take(4, 4) != b"TFL3":
        raise InputError("not TensorFlow Lite: bytes 4 to 7 are not TFL3", where=where, hint=_HINT)
    model = buffer.table(buffer.jump(0))
    buffers = buffer.tables(model, 4, _MAX_BUFFERS)
    subgraphs = list(buffer.tables(model, 2, MAX_SUBGRAPHS))
    tensors = _Tensors(buffer, buffers)
    for subgraph in subgraphs:
        tensors.add(subgraph)
    return TfliteModel(
        version=buffer.integer(model, 0, 4),
        description=buffer.text(model, 3),
        operators=tuple(_operator(buffer, table) for table in buffer.tables(model, 1, MAX_OPERATORS)),
        metadata_names=tuple(buffer.text(table, 0) for table in buffer.tables(model, 6, _MAX_METADATA)),
        tensor_count=tensors.count,
        elements=tensors.elements,
        parameters=tensors.parameters,
        element_types=tuple(sorted(tensors.types)),
        inputs=_ports(buffer, subgraphs, 1),
        outputs=_ports(buffer, subgraphs, 2),
    )


def _operator(buffer: "_FlatBuffer", table: "_Table") -> TfliteOperator:
    # Numbers above 126 did not fit the first field; whichever is larger counts (schema.fbs, OperatorCode).
    builtin = max(buffer.integer(table, 0, 1, signed=True), buffer.integer(table, 3, 4, signed=True))
    version = buffer.integer(table, 2, 4, signed=True, default=1)
    return TfliteOperator(builtin=builtin, custom=buffer.text(table, 1), version=version)


def _ports(buffer: "_FlatBuffer", subgraphs: list["_Table"], slot: int) -> tuple[str, ...]:
    if not subgraphs:
        return ()
    start, count = buffer.vector(subgraphs[0], 0, 4, MAX_TENSORS)
    names = []
    for index in buffer.integers(subgraphs[0], slot, MAX_PORTS):
        if not 0 <= index < count:
            raise buffer.error(f"an input or output is tensor {index}; there are {count}", subgraphs[0].position)
        names.append(buffer.text(buffer.table(buffer.jump(start + 4 * index)), 3))
    return tuple(names)


class _Tensors:
    """Sums over the tensors of all subgraphs."""

    def __init__(self, buffer: "_FlatBuffer", buffers: Iterable["_Table"]) -> None:
        self.count = self.elements = self.parameters = 0
        self.types: set[str] = set()
        self._buffer = buffer
        self._stored = [_has_data(buffer, table) for table in buffers]

    def add(self, subgraph: "_Table") -> None:
        for table in self._buffer.tables(subgraph, 0, MAX_TENSORS - self.count):
            self.count += 1
            shape = self._buffer.integers(table, 0, MAX_DIMENSIONS)
            elements = math.prod(shape)
            if min(shape, default=0) < 0 or elements >= _MAX_COUNT:
                raise self._buffer.error(f"a tensor cannot have the shape {shape[:8]}", table.position)
            place = self._buffer.integer(table, 2, 4)
            if place >= len(self._stored):
                raise self._buffer.error(
                    f"a tensor lies in buffer {place}; there are {len(self._stored)}", table.position
                )
            number = self._buffer.integer(table, 1, 1)
            self.types.add(_TYPES[number] if number < len(_TYPES) else str(number))
            self.elements += elements
            self.parameters += elements if self._stored[place] else 0


def _has_data(buffer: "_FlatBuffer", table: "_Table") -> bool:
    """Whether a buffer holds bytes: here, or (in files over 2 GB) after the FlatBuffer."""
    _, inline = buffer.vector(table, 0, 1, buffer.size)
    offset, size = buffer.integer(table, 1, 8), buffer.integer(table, 2, 8)
    if offset > 1 and offset + size > buffer.size:
        raise buffer.error(
            f"{size} bytes at {offset} are outside the file, which has {buffer.size} bytes", table.position
        )
    return inline > 0 or (offset > 1 and size > 0)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table: where it is, and the offsets of its fields from there (0 for an absent one)."""

    position: int
    slots: tuple[int, ...]
    size: int


class _FlatBuffer:
    """Checked reads anywhere in a file, from pages that are kept."""

    def __init__(self, source: ByteSource, where: str) -> None:
        self.size = source.size
        self._source = source
        self._where = where
        self._pages: dict[int, bytes] = {}
        self._left = MAX_READS

    def error(self, message: str, position: int) -> InputError:
        return InputError(message, where=f"{self._where}, byte {position}", hint=_HINT)

    def take(self, position: int, length: int) -> bytes:
        if position < 0 or position + length > self.size:
            raise self.error(f"{length} bytes are outside the file, which has {self.size} bytes", position)
        self._left -= 1
        if self._left < 0:
            raise self.error(f"more than {MAX_READS} values", position)
        raw = self._cached(position, length)
        if len(raw) != length:
            raise self.error("the file became shorter while it was read", position)
        return raw

    def number(self, position: int, width: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(position, width), "little", signed=signed)

    def jump(self, position: int) -> int:
        """The place to which the offset at `position` points: always forward."""
        offset = self.number(position, 4)
        if not offset or position + offset >= self.size:
            raise self.error(f"the offset {offset} leads nowhere in a file of {self.size} bytes", position)
        return position + offset

    def table(self, position: int) -> _Table:
        layout = position - self.number(position, 4, signed=True)
        width, size = self.number(layout, 2), self.number(layout + 2, 2)
        if width < 4 or width % 2 or size < 4 or position + size > self.size:
            raise self.error(f"a table cannot have a layout of {width} bytes and a size of {size}", layout)
        # The tables that are read here have fewer than 16 fields.
        raw = self.take(layout + 4, min(width - 4, 32))
        slots = tuple(int.from_bytes(raw[i : i + 2], "little") for i in range(0, len(raw), 2))
        return _Table(position, slots, size)

    def place(self, table: _Table, slot: int, width: int) -> int:
        """Where a field is; 0 if it is absent."""
        offset = table.slots[slot] if slot < len(table.slots) else 0
        if offset and offset + width > table.size:
            raise self.error(f"field {slot} lies outside its table of {table.size} bytes", table.position)
        return table.position + offset if offset else 0

    def integer(self, table: _Table, slot: int, width: int, *, signed: bool = False, default: int = 0) -> int:
        place = self.place(table, slot, width)
        return self.number(place, width, signed=signed) if place else default

    def vector(self, table: _Table, slot: int, width: int, at_most: int) -> tuple[int, int]:
        """Where the elements of a vector start, and how many there are; none if the field is absent."""
        place = self.place(table, slot, 4)
        if not place:
            return 0, 0
        start = self.jump(place) + 4
        count = self.number(start - 4, 4)
        if count > at_most or start + count * width > self.size:
            raise self.error(f"{count} elements; at most {at_most} are read, and must be in the file", start - 4)
        return start, count

    def integers(self, table: _Table, slot: int, at_most: int) -> list[int]:
        """A vector of 32-bit integers."""
        start, count = self.vector(table, slot, 4, at_most)
        raw = self.take(start, 4 * count) if count else b""
        return [int.from_bytes(raw[i : i + 4], "little", signed=True) for i in range(0, len(raw), 4)]

    def tables(self, table: _Table, slot: int, at_most: int) -> Iterator[_Table]:
        """A vector of tables, one at a time: four bytes of file can name a table that takes far more memory."""
        start, count = self.vector(table, slot, 4, at_most)
        return (self.table(self.jump(start + 4 * index)) for index in range(count))

    def text(self, table: _Table, slot: int) -> str:
        start, length = self.vector(table, slot, 1, MAX_TEXT)
        try:
            return self.take(start, length).decode("utf-8") if length else ""
        except UnicodeDecodeError as error:
            raise self.error("not valid UTF-8", start + error.start) from error

    def _cached(self, position: int, length: int) -> bytes:
        number, index = divmod(position, _PAGE)
        if index + length > _PAGE:
            return self._source.read(position, length)
        page = self._pages.get(number)
        if page is None:
            if len(self._pages) == _MAX_PAGES:
                self._pages.clear()
            page = self._pages[number] = self._source.read(number * _PAGE, _PAGE)
        return page[index : index + length]
