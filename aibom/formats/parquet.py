"""The footer of a Parquet file: columns, rows, row groups and who wrote it, without touching the data.

A footer may send a reader to other files for its data, and may be encrypted; both are said rather than passed over,
because an account that counts the rows of data that is not here would be false. Specification: Apache Parquet, "File
format" and `parquet.thrift` (FileMetaData and what it holds).
"""

from dataclasses import dataclass, field

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats.table import MAX_COLUMNS, Column, Table
from aibom.formats.thrift import BINARY, STRUCT, CompactReader

MAX_FOOTER = 64 * 1024 * 1024
_MAX_DEPTH = 32
_MAX_ELEMENTS = 4 * MAX_COLUMNS
_MAX_NAME = 1000
_MAX_PATHS = 8 * 1024 * 1024
_MAX_KEYS = 1000
_MAX_OTHER_FILES = 1000
_HINT = "the file is damaged or was not written by a Parquet library; download or export it again"
_PHYSICAL = ("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
_CONVERTED = (
    "UTF8", "MAP", "MAP_KEY_VALUE", "LIST", "ENUM", "DECIMAL", "DATE", "TIME_MILLIS", "TIME_MICROS",
    "TIMESTAMP_MILLIS", "TIMESTAMP_MICROS", "UINT_8", "UINT_16", "UINT_32", "UINT_64", "INT_8", "INT_16", "INT_32",
    "INT_64", "JSON", "BSON", "INTERVAL",
)  # fmt: skip
_LOGICAL = {
    1: "STRING", 2: "MAP", 3: "LIST", 4: "ENUM", 5: "DECIMAL", 6: "DATE", 7: "TIME", 8: "TIMESTAMP", 10: "INTEGER",
    11: "UNKNOWN", 12: "JSON", 13: "BSON", 14: "UUID", 15: "FLOAT16", 16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY",
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _Element:
    """One node of the schema, which is written as a flat list, each parent before its children."""

    name: str = ""
    physical: int | None = None
    children: int = 0
    converted: int | None = None
    logical: int | None = None

    @property
    def type(self) -> str:
        base = _PHYSICAL[self.physical] if self.physical is not None else ""
        meaning = _LOGICAL.get(self.logical, "") if self.logical is not None else ""
        converted = _CONVERTED[self.converted] if self.converted is not None else ""
        # INTEGER alone does not say how wide; the older annotation beside it does.
        meaning = converted or meaning if meaning in {"", "INTEGER"} else meaning
        return f"{base} ({meaning})" if meaning else base


@dataclass(slots=True, kw_only=True)
class _Footer:
    """What has been read of the footer so far."""

    elements: list[_Element] = field(default_factory=list)
    rows: int | None = None
    groups: int | None = None
    group_rows: int = 0
    keys: list[str] = field(default_factory=list)
    created_by: str = ""
    other_files: dict[str, None] = field(default_factory=dict)
    encrypted: bool = False


def parse_parquet(source: ByteSource, where: str) -> Table:
    """Read the footer. Raises InputError with the byte or field at fault for anything the format does not allow."""
    footer = _read_footer(CompactReader(_footer_bytes(source, where), f"{where}, footer"), where)
    if not footer.elements or footer.rows is None or footer.groups is None:
        raise InputError("expected a schema, a number of rows and row groups", where=f"{where}, footer", hint=_HINT)
    if footer.rows < 0 or footer.rows != footer.group_rows:
        raise InputError(
            f"the footer counts {footer.rows} rows, its row groups {footer.group_rows}",
            where=f"{where}, footer",
            hint=_HINT,
        )
    return Table(
        kind="parquet",
        columns=_columns(footer.elements, where),
        rows=footer.rows,
        parts=footer.groups,
        created_by=footer.created_by,
        metadata_keys=tuple(dict.fromkeys(footer.keys)),
        other_files=tuple(footer.other_files),
        problems=_problems(footer),
    )


def _problems(footer: _Footer) -> tuple[str, ...]:
    found = []
    if footer.encrypted:
        found.append("some columns are encrypted")
    if footer.other_files:
        found.append(f"data lies in other files: {', '.join(list(footer.other_files)[:3])[:300]}")
    if len(set(footer.keys)) != len(footer.keys):
        found.append("a metadata key is given twice")
    return tuple(found)


def _footer_bytes(source: ByteSource, where: str) -> bytes:
    if source.size < 12:
        raise InputError(f"too short for Parquet: {source.size} bytes", where=where, hint=_HINT)
    head, tail = source.read(0, 4), source.read(source.size - 8, 8)
    if head == b"PARE" or tail[4:] == b"PARE":
        raise InputError(
            "the footer is encrypted, so neither columns nor rows can be read",
            where=where,
            hint="describe the data set in its card, or publish the file with a plaintext footer",
        )
    if head != b"PAR1" or tail[4:] != b"PAR1":
        place = f"{where}, byte {0 if head != b'PAR1' else source.size - 4}"
        raise InputError("expected PAR1 at both ends of the file", where=place, hint=_HINT)
    length = int.from_bytes(tail[:4], "little")
    if not 0 < length <= min(MAX_FOOTER, source.size - 12):
        raise InputError(
            f"the footer is said to be {length} bytes long; the file has {source.size} and {MAX_FOOTER} are read",
            where=f"{where}, byte {source.size - 8}",
            hint=_HINT,
        )
    return source.read(source.size - 8 - length, length)


def _read_footer(reader: CompactReader, where: str) -> _Footer:
    footer = _Footer()
    for number, kind in reader.fields():
        if number == 2:
            footer.elements = _elements(reader, kind, where)
        elif number == 3:
            footer.rows = reader.integer(kind)
        elif number == 4:
            footer.groups = reader.items(kind, STRUCT)
            for _ in range(footer.groups):
                _read_group(reader, footer, where)
        elif number == 5:
            footer.keys = _keys(reader, kind, where)
        elif number == 6:
            footer.created_by = reader.text(kind)[:_MAX_NAME]
        else:
            footer.encrypted |= number == 8
            reader.skip(kind)
    return footer


def _elements(reader: CompactReader, kind: int, where: str) -> list[_Element]:
    count = reader.items(kind, STRUCT)
    if count > _MAX_ELEMENTS:
        raise InputError(f"a schema of {count} elements; at most {_MAX_ELEMENTS} are read", where=f"{where}, footer")
    return [_element(reader, f"{where}, footer, schema element {index}") for index in range(count)]


def _element(reader: CompactReader, place: str) -> _Element:
    element = _Element()
    for number, kind in reader.fields():
        if number == 1:
            element.physical = _within(reader.integer(kind), len(_PHYSICAL), "physical type", place)
        elif number == 4:
            element.name = reader.text(kind)
        elif number == 5:
            element.children = _within(reader.integer(kind), _MAX_ELEMENTS, "number of children", place)
        elif number == 6:
            element.converted = _within(reader.integer(kind), len(_CONVERTED), "converted type", place)
        elif number == 10 and kind == STRUCT:
            for choice, inner in reader.fields():
                element.logical = choice
                reader.skip(inner)
        else:
            reader.skip(kind)
    if len(element.name) > _MAX_NAME:
        raise InputError(f"a name of {len(element.name)} characters; at most {_MAX_NAME} are read", where=place)
    return element


def _within(value: int, limit: int, what: str, place: str) -> int:
    if not 0 <= value < limit:
        raise InputError(f"unknown {what} {value}", where=place, hint=_HINT)
    return value


def _columns(elements: list[_Element], where: str) -> tuple[Column, ...]:
    """The leaves of the schema, by their paths; the first element is its root."""
    place = f"{where}, footer, schema"
    columns: list[Column] = []
    length = 0
    parents: list[list[int]] = [[elements[0].children]]
    path: list[str] = []
    for element in elements[1:]:
        if not parents or not parents[-1][0]:
            raise InputError("an element that belongs to no other", where=place, hint=_HINT)
        parents[-1][0] -= 1
        if element.children:
            path.append(element.name)
            parents.append([element.children])
        else:
            columns.append(Column(name=".".join([*path, element.name]), type=element.type))
            length += len(columns[-1].name)
        if len(parents) > _MAX_DEPTH or len(columns) > MAX_COLUMNS or length > _MAX_PATHS:
            raise InputError("a schema that is too deep or too wide", where=place)
        while parents and not parents[-1][0]:
            parents.pop()
            del path[-1:]
    if any(left for (left,) in parents):
        raise InputError("the schema ends before all children are given", where=place, hint=_HINT)
    return tuple(columns)


def _read_group(reader: CompactReader, footer: _Footer, where: str) -> None:
    for number, kind in reader.fields():
        if number == 1:
            for _ in range(reader.items(kind, STRUCT)):
                _read_chunk(reader, footer, where)
        elif number == 3:
            footer.group_rows += reader.integer(kind)
        else:
            reader.skip(kind)


def _read_chunk(reader: CompactReader, footer: _Footer, where: str) -> None:
    for number, kind in reader.fields():
        if number == 1 and kind == BINARY:
            footer.other_files[reader.text(kind)[:_MAX_NAME]] = None
            if len(footer.other_files) > _MAX_OTHER_FILES:
                raise InputError(f"data in more than {_MAX_OTHER_FILES} other files", where=f"{where}, footer")
        else:
            reader.skip(kind)


def _keys(reader: CompactReader, kind: int, where: str) -> list[str]:
    count = reader.items(kind, STRUCT)
    if count > _MAX_KEYS:
        raise InputError(f"{count} metadata keys; at most {_MAX_KEYS} are read", where=f"{where}, footer")
    found = []
    for _ in range(count):
        for number, inner in reader.fields():
            if number == 1:
                found.append(reader.text(inner)[:_MAX_NAME])
            else:
                reader.skip(inner)
    return found
