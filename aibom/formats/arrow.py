"""Arrow IPC files and streams: schema, record batches and rows, without touching the data.

The Hugging Face `datasets` library keeps its data as streams under the name `.arrow`; a file has a footer besides. Both
are the same messages, so one reader takes them. Specification: Apache Arrow columnar format, "Serialization and
Interprocess Communication"; `Schema.fbs`, `Message.fbs` and `File.fbs`.
"""

from dataclasses import dataclass

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats.flatbuffer import FlatTable, root_table
from aibom.formats.table import MAX_COLUMNS, Column, Table

MAX_METADATA = 64 * 1024 * 1024
_MAX_MESSAGES = 100_000
_MAX_READ = 256 * 1024 * 1024
_MAX_BATCHES = 2_000_000
_MAX_DEPTH = 32
_MAX_NAMES = 1024 * 1024
_MAX_KEYS = 1000
_MAGIC = b"ARROW1"
_CONTINUED = b"\xff\xff\xff\xff"
_SCHEMA, _RECORD_BATCH = 1, 3
_HINT = "the file is damaged or was not written by an Arrow library; download or export it again"
_SIMPLE = {
    1: "null", 4: "binary", 5: "string", 6: "bool", 11: "interval", 12: "list", 13: "struct", 14: "union", 17: "map",
    19: "large_binary", 20: "large_string", 21: "large_list", 22: "run_end_encoded", 23: "binary_view",
    24: "string_view", 25: "list_view", 26: "large_list_view",
}  # fmt: skip
_INT, _FLOAT, _DECIMAL, _DATE, _TIME, _TIMESTAMP, _FIXED_BINARY, _FIXED_LIST, _DURATION = 2, 3, 7, 8, 9, 10, 15, 16, 18
_UNITS = ("s", "ms", "us", "ns")
_NAMED = {13, 14}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """One message: what it holds, how many bytes its metadata took, and where the next one starts."""

    kind: int
    header: FlatTable
    size: int
    end: int


def is_arrow_stream(head: bytes) -> bool:
    """Whether a file's first 8 bytes can start a stream of messages (a file with `ARROW1` is no stream)."""
    return len(head) >= 8 and head[:4] == _CONTINUED and 8 <= int.from_bytes(head[4:8], "little") <= MAX_METADATA


def parse_arrow(source: ByteSource, where: str) -> Table:
    """Read an IPC file or stream. Raises InputError with the byte at fault for anything the format does not allow."""
    if source.read(0, 6) == _MAGIC:
        return _parse_file(source, where)
    return _parse_stream(source, where)


def _parse_file(source: ByteSource, where: str) -> Table:
    footer = _footer(source, where)
    schema = footer.table(1)
    if schema is None:
        raise InputError("the footer has no schema", where=f"{where}, footer", hint=_HINT)
    columns, keys = read_schema(schema)
    start, count = footer.vector(3, 24)
    if count > _MAX_BATCHES:
        raise InputError(f"{count} record batches; at most {_MAX_BATCHES} are read", where=f"{where}, footer")
    rows = _file_rows(source, footer.data[start : start + 24 * count], where)
    return Table(kind="arrow", columns=columns, rows=rows, parts=count, metadata_keys=keys)


def _footer(source: ByteSource, where: str) -> FlatTable:
    tail = source.read(max(source.size - 10, 0), 10)
    if source.size < 18 or tail[4:] != _MAGIC:
        raise InputError(
            "expected ARROW1 at both ends of the file", where=f"{where}, byte {max(source.size - 6, 0)}", hint=_HINT
        )
    length = int.from_bytes(tail[:4], "little", signed=True)
    if not 0 < length <= min(MAX_METADATA, source.size - 18):
        raise InputError(
            f"the footer is said to be {length} bytes long; the file has {source.size} and {MAX_METADATA} are read",
            where=f"{where}, byte {source.size - 10}",
            hint=_HINT,
        )
    return root_table(source.read(source.size - 10 - length, length), f"{where}, footer")


def _file_rows(source: ByteSource, blocks: bytes, where: str) -> int | None:
    """Rows of all record batches; None if it would take reading too much to know."""
    if len(blocks) // 24 > _MAX_MESSAGES:
        return None
    rows = read = 0
    for at in range(0, len(blocks), 24):
        offset = int.from_bytes(blocks[at : at + 8], "little")
        message = _message(source, offset, where)
        if message is None or message.kind != _RECORD_BATCH:
            raise InputError("expected a record batch", where=f"{where}, byte {offset}", hint=_HINT)
        rows += _length(message)
        read += message.size
        if read > _MAX_READ:
            return None
    return rows


def _parse_stream(source: ByteSource, where: str) -> Table:
    message = _message(source, 0, where)
    if message is None or message.kind != _SCHEMA:
        raise InputError("expected ARROW1 or a schema at the start", where=f"{where}, byte 0", hint=_HINT)
    columns, keys = read_schema(message.header)
    rows = batches = read = 0
    for _ in range(_MAX_MESSAGES):
        read += message.size
        message = _message(source, message.end, where)
        if message is None:
            return Table(kind="arrow", columns=columns, rows=rows, parts=batches, metadata_keys=keys)
        if message.kind == _SCHEMA:
            raise InputError("a second schema in one stream", where=where, hint=_HINT)
        if message.kind == _RECORD_BATCH:
            rows += _length(message)
            batches += 1
        if read > _MAX_READ:
            break
    return Table(kind="arrow", columns=columns, rows=None, metadata_keys=keys)


def _length(message: _Message) -> int:
    rows = message.header.integer(0, 8)
    if rows < 0:
        raise InputError(f"a record batch of {rows} rows", where=message.header.where, hint=_HINT)
    return rows


def _message(source: ByteSource, offset: int, where: str) -> _Message | None:
    """The message at an offset; None at the end of the stream."""
    place = f"{where}, byte {offset}"
    head = source.read(offset, 8) if offset < source.size else b""
    if not head:
        return None
    # Before Arrow 0.15 a message began with its length alone.
    start = 8 if head[:4] == _CONTINUED else 4
    length = int.from_bytes(head[start - 4 : start], "little", signed=True)
    if length == 0 and len(head) >= start:
        return None
    if len(head) < start or not 0 < length <= min(MAX_METADATA, source.size - offset - start):
        raise InputError(
            f"a message whose metadata is said to be {length} bytes long; {source.size - offset} bytes are left",
            where=place,
            hint=_HINT,
        )
    table = root_table(source.read(offset + start, length), f"{place}, metadata")
    body, header = table.integer(3, 8), table.table(2)
    end = offset + start + length + body
    if header is None or body < 0 or end > source.size:
        raise InputError(f"a message with {body} bytes of data that the file does not hold", where=place, hint=_HINT)
    return _Message(kind=table.integer(1, 1), header=header, size=length, end=end)


class _Schema:
    """Columns of one schema. Counts all that it reads, since offsets may lead to one field many times."""

    def __init__(self) -> None:
        self.fields = 0
        self.names = 0

    def columns(self, schema: FlatTable) -> tuple[Column, ...]:
        return tuple(self._column(field, 1) for field in schema.tables(1))

    def _column(self, field: FlatTable, depth: int) -> Column:
        name = field.text(0)
        self.fields += 1
        self.names += len(name)
        if depth > _MAX_DEPTH or self.fields > MAX_COLUMNS or self.names > _MAX_NAMES:
            raise InputError("a schema that is too deep or too wide", where=field.where)
        children = [self._column(child, depth + 1) for child in field.tables(5)]
        kind = _type(field, children)
        return Column(name=name, type=f"dictionary<{kind}>" if field.has(4) else kind)


def read_schema(schema: FlatTable) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """(columns, names of the key-value metadata) of a Schema table."""
    _, count = schema.vector(2, 4)
    if count > _MAX_KEYS:
        raise InputError(f"{count} metadata keys; at most {_MAX_KEYS} are read", where=schema.where)
    keys = tuple(dict.fromkeys(pair.text(0) for pair in schema.tables(2)))
    return _Schema().columns(schema), keys


def _type(field: FlatTable, children: list[Column]) -> str:
    number, detail = field.integer(2, 1), field.table(3)
    base = _SIMPLE.get(number) or (_detailed(number, detail) if detail else "")
    if not base:
        raise InputError(f"unknown type {number}", where=field.where, hint=_HINT)
    if not children:
        return base
    if number == 17 and children[0].type.startswith("struct<"):  # a map is a list of structs of key and value
        return f"map{children[0].type.removeprefix('struct')}"
    inner = (f"{child.name}: {child.type}" if number in _NAMED else child.type for child in children)
    return f"{base}<{', '.join(inner)}>"


def _detailed(number: int, detail: FlatTable) -> str:
    """The name of a type that has a width, unit or size."""
    first = detail.integer(0, 4) if number in {_INT, _DECIMAL, _FIXED_BINARY, _FIXED_LIST} else detail.integer(0, 2)
    if number == _INT:
        return f"{'int' if detail.integer(1, 1) else 'uint'}{first}"
    if number == _FLOAT:
        return f"float{16 << first}" if first in {0, 1, 2} else ""
    if number == _DECIMAL:
        return f"decimal({first}, {detail.integer(1, 4)})"
    if number in {_FIXED_BINARY, _FIXED_LIST}:
        return f"{'fixed_size_binary' if number == _FIXED_BINARY else 'fixed_size_list'}[{first}]"
    return _of_time(number, detail)


def _of_time(number: int, detail: FlatTable) -> str:
    if number == _DATE:
        return "date32[day]" if detail.integer(0, 2, default=1) == 0 else "date64[ms]"
    # Seconds are the default of a timestamp's unit, milliseconds of the others'.
    unit = detail.integer(0, 2, default=0 if number == _TIMESTAMP else 1)
    if number not in {_TIME, _TIMESTAMP, _DURATION} or not 0 <= unit < len(_UNITS):
        return ""
    zone = detail.text(1) if number == _TIMESTAMP else ""
    name = {_TIME: "time", _TIMESTAMP: "timestamp", _DURATION: "duration"}[number]
    return f"{name}[{_UNITS[unit]}{', ' + zone if zone else ''}]"
