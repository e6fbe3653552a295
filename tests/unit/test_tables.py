"""Data files: Parquet, Arrow, delimited text, JSON Lines and WebDataset archives, each with its refusals."""

import io
import struct
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats import arrow, delimited, json_lines, parquet, table, tar_shard, thrift
from aibom.formats.arrow import is_arrow_stream, parse_arrow
from aibom.formats.delimited import parse_delimited
from aibom.formats.flatbuffer import FlatTable, root_table
from aibom.formats.json_lines import parse_json_lines
from aibom.formats.parquet import parse_parquet
from aibom.formats.table import Column, Table
from aibom.formats.tar_shard import TarShard, is_tar, parse_tar_shard
from aibom.formats.thrift import CompactReader
from tests.releases import wire
from tests.releases.writers import parquet_bytes

# --- writers -----------------------------------------------------------------------------------------------------


def footer_file(footer: bytes, magic: bytes = b"PAR1") -> bytes:
    return magic + footer + struct.pack("<I", len(footer)) + magic


def element(
    name: str,
    *,
    physical: int | None = None,
    children: int = 0,
    converted: int | None = None,
    logical: int | None = None,
) -> wire.ThriftValue:
    fields: list[tuple[int, wire.ThriftValue]] = [(4, wire.text(name))]
    fields += [(1, wire.i32(physical))] if physical is not None else []
    fields += [(5, wire.i32(children))] if children else []
    fields += [(6, wire.i32(converted))] if converted is not None else []
    fields += [(10, wire.record((logical, wire.record())))] if logical is not None else []
    return wire.record(*sorted(fields, key=lambda one: one[0]))


def footer_of(
    *elements: wire.ThriftValue, rows: int = 3, group_rows: int = 3, chunk: wire.ThriftValue | None = None,
    extra: Sequence[tuple[int, wire.ThriftValue]] = (),
) -> bytes:  # fmt: skip
    chunks = wire.array([chunk or wire.record((2, wire.i64(4)))])
    group = wire.record((1, chunks), (2, wire.i64(9)), (3, wire.i64(group_rows)))
    head = [(1, wire.i32(1)), (2, wire.array(list(elements))), (3, wire.i64(rows)), (4, wire.array([group]))]
    return wire.record(*head, *extra)[1]


def simple_footer(
    *,
    rows: int = 3,
    group_rows: int = 3,
    chunk: wire.ThriftValue | None = None,
    extra: Sequence[tuple[int, wire.ThriftValue]] = (),
) -> bytes:
    root, leaf = element("schema", children=1), element("a", physical=1)
    return footer_of(root, leaf, rows=rows, group_rows=group_rows, chunk=chunk, extra=extra)


def parquet_of(footer: bytes) -> Table:
    return parse_parquet(BytesSource(footer_file(footer)), "a.parquet")


@dataclass(frozen=True)
class Flat:
    """FlatBuffers bytes and where in them the thing itself stands; all offsets in them are relative."""

    data: bytes
    entry: int = 0


Field = tuple[int, int] | str | Flat | list[Flat]


def flat(fields: Mapping[int, Field]) -> Flat:
    """A table: its list of fields, the fields (a number as (width, value)), then what they point to."""
    count = max(fields, default=-1) + 1
    slots, inline = [0] * count, bytearray(4)
    pointers: list[tuple[int, Flat]] = []
    for index, value in fields.items():
        slots[index] = len(inline)
        if isinstance(value, tuple):
            width, number = value
            inline += number.to_bytes(width, "little", signed=True)
        else:
            pointers.append((len(inline), _pointed_to(value)))
            inline += bytes(4)
    vtable = struct.pack(f"<HH{count}H", 4 + 2 * count, len(inline), *slots)
    inline[0:4] = struct.pack("<i", len(vtable))
    tail = bytearray()
    for slot, target in pointers:
        inline[slot : slot + 4] = struct.pack("<I", len(inline) + len(tail) + target.entry - slot)
        tail += target.data
    return Flat(vtable + bytes(inline) + bytes(tail), len(vtable))


def _pointed_to(value: str | Flat | list[Flat]) -> Flat:
    if isinstance(value, Flat):
        return value
    if isinstance(value, str):
        return Flat(struct.pack("<I", len(value.encode())) + value.encode() + b"\0")
    head, tail = bytearray(struct.pack("<I", len(value))), bytearray()
    for place, one in enumerate(value):
        head += struct.pack("<I", 4 * (len(value) - place) + len(tail) + one.entry)
        tail += one.data
    return Flat(bytes(head + tail))


def rooted(one: Flat) -> bytes:
    return struct.pack("<I", 4 + one.entry) + one.data


def arrow_field(name: str, kind: int, detail: Mapping[int, Field] | None = None, children: Sequence[Flat] = ()) -> Flat:
    return flat({0: name, 2: (1, kind), 3: flat(detail or {}), 5: list(children)})


SCHEMA = flat(
    {
        1: [arrow_field("text", 5), arrow_field("label", 2, {0: (4, 64), 1: (1, 1)})],
        2: [flat({0: "huggingface", 1: "{}"})],
    }
)


def message(kind: int, header: Flat, body: bytes = b"", body_size: int | None = None) -> bytes:
    raw = rooted(flat({0: (2, 4), 1: (1, kind), 2: header, 3: (8, len(body) if body_size is None else body_size)}))
    return b"\xff\xff\xff\xff" + struct.pack("<i", len(raw)) + raw + body


def batch(rows: int) -> bytes:
    return message(3, flat({0: (8, rows)}), bytes(16))


def stream_bytes(*batches: bytes, schema: Flat = SCHEMA, end: bytes = b"\xff\xff\xff\xff\0\0\0\0") -> bytes:
    return message(1, schema) + b"".join(batches) + end


def file_bytes(*batches: bytes, schema: Flat = SCHEMA) -> bytes:
    data = b"ARROW1\0\0" + message(1, schema)
    blocks = struct.pack("<I", len(batches))
    for one in batches:
        blocks += struct.pack("<qiiq", len(data), len(one) - 16, 0, 16)
        data += one
    footer = rooted(flat({0: (2, 4), 1: schema, 3: Flat(blocks)}))
    return data + footer + struct.pack("<i", len(footer)) + b"ARROW1"


def arrow_of(data: bytes) -> Table:
    return parse_arrow(BytesSource(data), "a.arrow")


def tar_bytes(
    *members: tuple[str, bytes], form: int = tarfile.USTAR_FORMAT, info: Callable[[tarfile.TarInfo], None] | None = None
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            if info:
                info(entry)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


SHARD = (("a/0001.jpg", b"x" * 600), ("a/0001.cls", b"7"), ("a/0002.jpg", b"y"), ("a/0002.seg.png", b"z"))


def shard_of(data: bytes) -> TarShard:
    return parse_tar_shard(BytesSource(data), "a.tar")


def with_checksum(header: bytes) -> bytes:
    total = sum(header[:148]) + 8 * 32 + sum(header[156:512])
    return header[:148] + b"%06o\0 " % total + header[156:]


# --- Parquet -----------------------------------------------------------------------------------------------------


def test_a_parquet_footer_gives_columns_rows_groups_and_writer() -> None:
    found = parse_parquet(BytesSource(parquet_bytes([("good", 1), ("bad", 0)])), "train.parquet")
    assert found.columns == (Column(name="text", type="BYTE_ARRAY (UTF8)"), Column(name="label", type="INT64"))
    assert (found.rows, found.parts, found.created_by) == (2, 1, "example writer")
    assert not found.has_huggingface_metadata
    assert not found.problems


def test_nested_parquet_columns_are_named_by_their_paths() -> None:
    elements = (
        element("schema", children=3),
        element("tags", children=1, converted=3),
        element("list", children=1),
        element("element", physical=6, converted=0, logical=1),
        element("n", physical=1, converted=15, logical=10),
        element("half", physical=7, logical=15),
    )
    assert parquet_of(footer_of(*elements)).columns == (
        Column(name="tags.list.element", type="BYTE_ARRAY (STRING)"),
        Column(name="n", type="INT32 (INT_8)"),
        Column(name="half", type="FIXED_LEN_BYTE_ARRAY (FLOAT16)"),
    )


def test_parquet_metadata_keys_are_listed_without_their_values() -> None:
    pairs = wire.array([wire.record((1, wire.text("huggingface")), (2, wire.text("{}")))])
    found = parquet_of(simple_footer(extra=[(5, pairs)]))
    assert found.metadata_keys == ("huggingface",)
    assert found.has_huggingface_metadata


def test_parquet_data_in_another_file_is_reported() -> None:
    found = parquet_of(simple_footer(chunk=wire.record((1, wire.text("part-0.parquet")), (2, wire.i64(4)))))
    assert found.other_files == ("part-0.parquet",)
    assert found.problems == ("data lies in other files: part-0.parquet",)


def test_encrypted_parquet_columns_are_reported() -> None:
    assert parquet_of(simple_footer(extra=[(8, wire.record())])).problems == ("some columns are encrypted",)


def test_a_metadata_key_that_is_given_twice_is_reported() -> None:
    pair = wire.record((1, wire.text("licence")))
    found = parquet_of(simple_footer(extra=[(5, wire.array([pair, pair]))]))
    assert found.metadata_keys == ("licence",)
    assert found.problems == ("a metadata key is given twice",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PAR1", "too short for Parquet"),
        (footer_file(simple_footer(), magic=b"PARE"), "encrypted"),
        (b"PAR2" + footer_file(simple_footer())[4:], "PAR1 at both ends"),
        (footer_file(simple_footer())[:-1] + b"2", "PAR1 at both ends"),
        (b"PAR1" + struct.pack("<I", 0) + b"PAR1", "footer is said to be 0 bytes"),
        (b"PAR1" + b"\0" * 20 + struct.pack("<I", 21) + b"PAR1", "footer is said to be 21 bytes"),
        (footer_file(simple_footer(rows=4)), "counts 4 rows, its row groups 3"),
        (footer_file(simple_footer(rows=-1, group_rows=-1)), "counts -1 rows"),
        (footer_file(wire.record((1, wire.i32(1)))[1]), "expected a schema"),
        (footer_file(simple_footer()[:-1]), "end too soon"),
        (footer_file(wire.record((2, wire.array([element("s")])), (3, wire.i64(0)))[1]), "expected a schema"),
        (footer_file(footer_of(element("s", children=2), element("a", physical=1))), "before all children"),
        (footer_file(footer_of(element("s"), element("a", physical=1))), "belongs to no other"),
        (footer_file(footer_of(element("s", children=1), element("a", physical=8))), "unknown physical type 8"),
        (footer_file(footer_of(element("s", children=1), element("a", converted=22))), "unknown converted type 22"),
        (footer_file(footer_of(element("s", children=-1))), "unknown number of children -1"),
        (footer_file(footer_of(element("s", children=1), element("n" * 1001))), "name of 1001 characters"),
        (footer_file(simple_footer(extra=[(6, wire.i32(1))])), "expected a string"),
    ],
)
def test_a_parquet_file_that_is_not_as_it_must_be_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parse_parquet(BytesSource(data), "a.parquet")
    assert caught.value.where.startswith("a.parquet")


def test_the_bounds_of_a_parquet_schema_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    nested = [element("s", children=1) for _ in range(4)]
    monkeypatch.setattr(parquet, "_MAX_DEPTH", 3)
    assert parquet_of(footer_of(*nested[:3], element("a", physical=1))).columns[0].name == "s.s.a"
    with pytest.raises(InputError, match="too deep or too wide"):
        parquet_of(footer_of(*nested, element("a", physical=1)))
    monkeypatch.setattr(parquet, "_MAX_ELEMENTS", 3)
    with pytest.raises(InputError, match="a schema of 4 elements; at most 3"):
        parquet_of(footer_of(*nested[:3], element("a", physical=1)))


@pytest.mark.parametrize(("bound", "limit"), [("MAX_COLUMNS", 1), ("_MAX_PATHS", 3)])
def test_a_parquet_schema_may_not_be_too_wide(monkeypatch: pytest.MonkeyPatch, bound: str, limit: int) -> None:
    footer = footer_of(element("s", children=2), element("aa", physical=1), element("bb", physical=1))
    assert len(parquet_of(footer).columns) == 2
    monkeypatch.setattr(parquet, bound, limit)
    with pytest.raises(InputError, match="too deep or too wide"):
        parquet_of(footer)


def test_the_bounds_of_parquet_keys_other_files_and_footer_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = wire.array([wire.record((1, wire.text("k")))])
    monkeypatch.setattr(parquet, "_MAX_KEYS", 0)
    with pytest.raises(InputError, match="1 metadata keys; at most 0"):
        parquet_of(simple_footer(extra=[(5, pairs)]))
    monkeypatch.setattr(parquet, "_MAX_OTHER_FILES", 0)
    with pytest.raises(InputError, match="more than 0 other files"):
        parquet_of(simple_footer(chunk=wire.record((1, wire.text("b")))))
    monkeypatch.setattr(parquet, "MAX_FOOTER", 3)
    with pytest.raises(InputError, match="and 3 are read"):
        parquet_of(simple_footer())


# --- Thrift ------------------------------------------------------------------------------------------------------


def skip_struct(data: bytes) -> int:
    reader = CompactReader(data, "x")
    reader.skip(thrift.STRUCT)
    return reader.left


def test_every_kind_of_thrift_value_can_be_skipped() -> None:
    fields = b"\x11\x12\x13\x07\x14\x02\x17" + bytes(8) + b"\x18\x02ab"  # true, false, i8, i16, double, binary
    lists = b"\x19\x25\x01\x80\x01\x19\x21\x00\x01\x19\x28\x01a\x00\x1a\x00\x19\x2c\x00\x00\x09\x02\x00"
    assert skip_struct(fields + lists + b"\x00rest") == 4
    reader = CompactReader(b"rest", "x")
    reader.skip(thrift.TRUE)
    assert reader.left == 4


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "end too soon"),
        (b"\x18\x05ab", "value of 5 bytes, 2 are left"),
        (b"\x17\x00", "value of 8 bytes, 1 are left"),
        (b"\x19\xf5\xff\xff\xff\xff\x0f", "list of 4294967295 items, 0 bytes are left"),
        (b"\x1b\x00", "values of type 11 are not used"),
        (b"\x15" + b"\xff" * 11, "more than 64 bits"),
        (b"\x15" + b"\xff" * 9 + b"\x7f", "more than 64 bits"),
        (b"\x1c" * 65, "nested more than 64"),
        (b"\x19" + b"\x19" * 70, "nested more than 64"),
    ],
)
def test_broken_thrift_is_refused_while_skipping(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        skip_struct(data)


def test_a_thrift_field_may_not_come_twice() -> None:
    reader = CompactReader(b"\x12\x02\x02\x00", "x")  # field 1, then field 1 again in the long form
    with pytest.raises(InputError, match="field 1 after field 1"):
        list(reader.fields())


def test_thrift_values_have_the_type_and_length_they_should() -> None:
    with pytest.raises(InputError, match="expected an integer"):
        CompactReader(b"\x01", "x").integer(thrift.BINARY)
    with pytest.raises(InputError, match="expected a list, found"):
        CompactReader(b"\x01", "x").items(thrift.I32, thrift.STRUCT)
    with pytest.raises(InputError, match="list of type 12, found type 5"):
        CompactReader(b"\x15\x00", "x").items(thrift.LIST, thrift.STRUCT)
    with pytest.raises(InputError, match="not valid UTF-8"):
        CompactReader(b"\x01\xff", "x").text(thrift.BINARY)
    with pytest.raises(InputError, match="string of 9 bytes, 1 are left"):
        CompactReader(b"\x09a", "x").text(thrift.BINARY)


def test_the_number_of_thrift_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thrift, "_MAX_VALUES", 5)
    assert skip_struct(b"\x11" * 3 + b"\x00") == 0
    with pytest.raises(InputError, match="more than 5 values"):
        skip_struct(b"\x19\x65" + bytes(6) + b"\x00")
    with pytest.raises(InputError, match="more than 5 values"):
        list(CompactReader(b"\x11" * 6 + b"\x00", "x").fields())


# --- Arrow -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [file_bytes, stream_bytes])
def test_an_arrow_file_and_a_stream_tell_the_same(write: Callable[..., bytes]) -> None:
    found = arrow_of(write(batch(2), batch(40)))
    assert found.columns == (Column(name="text", type="string"), Column(name="label", type="int64"))
    assert (found.rows, found.parts, found.metadata_keys) == (42, 2, ("huggingface",))


def test_a_stream_may_end_without_a_mark_and_start_without_a_continuation() -> None:
    old = b"".join(one[4:] for one in (message(1, SCHEMA), batch(5)))
    assert arrow_of(old).rows == 5
    assert arrow_of(stream_bytes(batch(5), end=b"")).rows == 5


def test_a_batch_may_be_empty() -> None:
    assert (arrow_of(file_bytes(batch(0))).rows, arrow_of(stream_bytes(batch(0))).parts) == (0, 1)


def test_dictionaries_in_a_stream_hold_no_rows() -> None:
    found = arrow_of(stream_bytes(message(2, flat({0: (8, 1)}), bytes(8)), batch(1)))
    assert (found.rows, found.parts) == (1, 1)


ITEM = arrow_field("item", 5)
ENTRIES = arrow_field("entries", 13, children=[arrow_field("key", 5), arrow_field("value", 6)])


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (arrow_field("x", 1), "null"),
        (arrow_field("x", 2, {0: (4, 8)}), "uint8"),
        (arrow_field("x", 3, {0: (2, 1)}), "float32"),
        (arrow_field("x", 7, {0: (4, 10), 1: (4, 2)}), "decimal(10, 2)"),
        (arrow_field("x", 8, {0: (2, 0)}), "date32[day]"),
        (arrow_field("x", 8), "date64[ms]"),
        (arrow_field("x", 9), "time[ms]"),
        (arrow_field("x", 10), "timestamp[s]"),
        (arrow_field("x", 10, {0: (2, 2), 1: "UTC"}), "timestamp[us, UTC]"),
        (arrow_field("x", 18, {0: (2, 3)}), "duration[ns]"),
        (arrow_field("x", 15, {0: (4, 4)}), "fixed_size_binary[4]"),
        (arrow_field("x", 16, {0: (4, 3)}, [ITEM]), "fixed_size_list[3]<string>"),
        (arrow_field("x", 12, children=[ITEM]), "list<string>"),
        (arrow_field("x", 13, children=[ITEM, arrow_field("b", 6)]), "struct<item: string, b: bool>"),
        (arrow_field("x", 17, children=[ENTRIES]), "map<key: string, value: bool>"),
        (arrow_field("x", 17, children=[ITEM]), "map<string>"),
        (flat({0: "x", 2: (1, 5), 3: flat({}), 4: flat({})}), "dictionary<string>"),
    ],
)
def test_arrow_types_are_put_in_words(field: Flat, expected: str) -> None:
    assert arrow_of(stream_bytes(schema=flat({1: [field]}))).columns == (Column(name="x", type=expected),)


BATCH_ONLY = batch(1)
BAD_FOOTER = b"ARROW1\0\0" + rooted(flat({0: (2, 4)}))
FOOTER_SIZE = len(rooted(flat({0: (2, 4)})))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "ARROW1 or a schema"),
        (BATCH_ONLY, "ARROW1 or a schema"),
        (b"ARROW1\0\0", "ARROW1 at both ends"),
        (file_bytes(batch(1))[:-1] + b"2", "ARROW1 at both ends"),
        (b"ARROW1\0\0" + struct.pack("<i", 9) + b"ARROW1", "footer is said to be 9 bytes"),
        (b"ARROW1\0\0" + struct.pack("<i", -1) + b"ARROW1", "footer is said to be -1 bytes"),
        (BAD_FOOTER + struct.pack("<i", FOOTER_SIZE) + b"ARROW1", "no schema"),
        (file_bytes(message(2, flat({}), bytes(16))), "expected a record batch"),
        (stream_bytes(message(1, SCHEMA)), "a second schema"),
        (stream_bytes(batch(-1)), "record batch of -1 rows"),
        (stream_bytes(message(3, flat({}), body_size=99)), "99 bytes of data"),
        (stream_bytes(message(3, flat({}), body_size=-9)), "-9 bytes of data"),
        (stream_bytes(end=b"\xff\xff\xff\xff\x00\x01\x00\x00"), "said to be 256 bytes long"),
        (stream_bytes(end=b"\xff\xff\xff\xff\xf0\xff\xff\xff"), "said to be -16 bytes long"),
        (stream_bytes(end=b"\xff\xff"), "2 bytes are left"),
        (stream_bytes(end=b"\xff\xff\xff\xff\x04\0\0\0abcd"), "too short for a FlatBuffers table"),
        (stream_bytes(schema=flat({1: [arrow_field("x", 27)]})), "unknown type 27"),
        (stream_bytes(schema=flat({1: [arrow_field("x", 3, {0: (2, 3)})]})), "unknown type 3"),
        (stream_bytes(schema=flat({1: [arrow_field("x", 10, {0: (2, 4)})]})), "unknown type 10"),
    ],
)
def test_an_arrow_file_that_is_not_as_it_must_be_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        arrow_of(data)
    assert caught.value.where.startswith("a.arrow")


@pytest.mark.parametrize(
    ("bound", "limit", "words"),
    [
        ("_MAX_DEPTH", 0, "too deep or too wide"),
        ("MAX_COLUMNS", 1, "too deep or too wide"),
        ("_MAX_NAMES", 8, "too deep or too wide"),
        ("_MAX_KEYS", 0, "1 metadata keys; at most 0"),
        ("MAX_METADATA", 100, "metadata is said to be"),
    ],
)
def test_the_bounds_of_an_arrow_schema_hold(
    monkeypatch: pytest.MonkeyPatch, bound: str, limit: int, words: str
) -> None:
    monkeypatch.setattr(arrow, bound, limit)
    with pytest.raises(InputError, match=words):
        arrow_of(stream_bytes())


def test_fields_that_lie_in_one_another_too_deep_are_refused() -> None:
    nested = ITEM
    for _ in range(31):
        nested = arrow_field("n", 12, children=[nested])
    assert arrow_of(stream_bytes(schema=flat({1: [nested]}))).columns[0].type.startswith("list<list<")
    with pytest.raises(InputError, match="too deep or too wide"):
        arrow_of(stream_bytes(schema=flat({1: [arrow_field("n", 12, children=[nested])]})))


def test_one_field_that_many_offsets_lead_to_is_counted_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = arrow_field("leaf", 5)
    offsets = b"".join(struct.pack("<I", 4 * (50 - place) + shared.entry) for place in range(50))
    vector = Flat(struct.pack("<I", 50) + offsets + shared.data)
    assert len(arrow_of(stream_bytes(schema=flat({1: vector}))).columns) == 50
    monkeypatch.setattr(arrow, "MAX_COLUMNS", 49)
    with pytest.raises(InputError, match="too deep or too wide"):
        arrow_of(stream_bytes(schema=flat({1: vector})))


@pytest.mark.parametrize(("bound", "limit"), [("_MAX_MESSAGES", 1), ("_MAX_READ", 100)])
def test_rows_are_not_counted_when_that_takes_reading_too_much(
    monkeypatch: pytest.MonkeyPatch, bound: str, limit: int
) -> None:
    monkeypatch.setattr(arrow, bound, limit)
    batches = [batch(1)] * 9
    assert (arrow_of(file_bytes(*batches)).rows, arrow_of(file_bytes(*batches)).parts) == (None, 9)
    assert (arrow_of(stream_bytes(*batches)).rows, arrow_of(stream_bytes(*batches)).parts) == (None, None)


def test_the_number_of_record_batches_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "_MAX_BATCHES", 1)
    with pytest.raises(InputError, match="2 record batches; at most 1"):
        arrow_of(file_bytes(batch(1), batch(1)))


def test_a_stream_is_recognised_by_its_first_eight_bytes() -> None:
    assert is_arrow_stream(stream_bytes()[:8])
    assert not is_arrow_stream(stream_bytes()[:7])
    assert not is_arrow_stream(b"\xff" * 8)
    assert not is_arrow_stream(b"ARROW1\0\0")


@pytest.mark.parametrize(
    ("data", "use", "words"),
    [
        (bytes(7), lambda one: one, "too short"),
        (struct.pack("<I", 100) + bytes(8), lambda one: one.has(0), "expected 4 bytes"),
        (struct.pack("<Ii", 4, 100), lambda one: one.has(0), "outside the buffer"),
        (struct.pack("<Ii", 4, -100), lambda one: one.has(0), "outside the buffer"),
        (rooted(flat({0: (4, 99)})), lambda one: one.text(0), "expected 4 bytes"),
        (rooted(flat({0: Flat(struct.pack("<I", 99))})), lambda one: one.text(0), "string of 99 bytes"),
        (rooted(flat({0: Flat(struct.pack("<I", 1) + b"\xff")})), lambda one: one.text(0), "not valid UTF-8"),
        (rooted(flat({0: "abc"})), lambda one: one.text(0, limit=2), "at most 2 are read"),
        (rooted(flat({0: Flat(struct.pack("<I", 9))})), lambda one: one.vector(0, 1), "9 items reaches beyond"),
    ],
)
def test_broken_flatbuffers_are_refused(data: bytes, use: Callable[[FlatTable], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        use(root_table(data, "x"))


# --- delimited text ----------------------------------------------------------------------------------------------


def delimited_of(text: str | bytes, name: str = "a.csv") -> Table:
    return parse_delimited(BytesSource(text.encode() if isinstance(text, str) else text), name)


def names(found: Table) -> list[str]:
    return [column.name for column in found.columns]


def test_a_csv_gives_its_header_and_rows() -> None:
    found = delimited_of('text,label\n"a, ""b""\nsecond line",1\r\nplain,0')
    assert (found.kind, found.delimiter, names(found), found.rows) == ("csv", ",", ["text", "label"], 2)
    assert not found.problems


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_the_delimiter_is_the_one_that_cuts_all_rows_alike(delimiter: str) -> None:
    found = delimited_of(f"a{delimiter}b{delimiter}c\nx, y{delimiter}1{delimiter}2\n")
    assert (found.delimiter, len(found.columns)) == (delimiter, 3)


def test_a_tsv_is_cut_at_tabs_whatever_else_is_in_it() -> None:
    found = delimited_of("a,b,c\td\n1,2,3\t4\n", "a.TSV")
    assert (found.kind, found.delimiter, names(found)) == ("tsv", "\t", ["a,b,c", "d"])


def test_one_column_needs_no_delimiter() -> None:
    assert (names(delimited_of("text\na\nb\n")), delimited_of("text\na\nb\n").rows) == (["text"], 2)


@pytest.mark.parametrize("first", ["alice,7", "a,a", "x" * 201 + ",b", '"a\nb",c', ","])
def test_a_first_row_that_reads_as_data_names_nothing_and_counts(first: str) -> None:
    found = delimited_of(f"{first}\nq,r\n")
    assert (names(found), found.rows) == (["", ""], 2)


def test_an_index_column_may_have_no_name() -> None:
    assert names(delimited_of(",text,label\n0,a,1\n")) == ["", "text", "label"]


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert names(delimited_of(b"\xef\xbb\xbfa,b\n1,2\n")) == ["a", "b"]


def test_an_empty_table_has_no_columns_and_no_rows() -> None:
    assert (delimited_of("").columns, delimited_of("").rows) == ((), 0)


def test_rows_of_uneven_width_are_reported_with_a_line() -> None:
    found = delimited_of("a,b\n1,2\n3\n\n4,5,6\n")
    assert found.rows == 3
    assert found.problems == ("2 rows have another number of cells than the first row's 2, as in line 3",)


@pytest.mark.parametrize(
    ("data", "where", "words"),
    [
        (b"a,b\n1,2\n\xff,3\n", "a.csv, line 3", "not valid UTF-8, byte 0"),
        ("a,b\n1,2\n".encode("utf-16-le"), "a.csv, line 1", "zero byte"),
        (b"a,b\r1,2\r3,4\n", "a.csv, line 1", "not delimited text: new-line"),
    ],
)
def test_what_is_not_delimited_text_is_refused_with_its_line(data: bytes, where: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        delimited_of(data)
    assert caught.value.where == where


def test_a_quote_left_open_may_not_take_in_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_LINE", 100)
    text = "a,b\n" + "1,2\n" * 100
    assert delimited_of(text).rows == 100
    with pytest.raises(InputError, match="is a quote left open"):
        delimited_of(text + '"' + "1,2\n" * 100)


def test_a_cell_may_be_longer_than_the_csv_module_takes_by_default() -> None:
    assert delimited_of("a,b\n" + "x" * 200_000 + ",1\n").rows == 1


def test_rows_of_a_large_table_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_COUNTED", 10)
    found = delimited_of("a,b\n" + "1,2\n" * 5)
    assert (found.rows, names(found)) == (None, ["a", "b"])


def test_a_line_may_not_be_longer_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_LINE", 5)
    with pytest.raises(InputError, match="line of more than 5 bytes") as caught:
        list(table.text_lines(BytesSource(b"ab\nlonger line"), "a"))
    assert caught.value.where == "a, line 2"


def test_the_number_of_lines_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_LINES", 3)
    assert len(list(table.text_lines(BytesSource(b"\n" * 3), "a"))) == 3
    with pytest.raises(InputError, match="more than 3 lines in 4 bytes"):
        list(table.text_lines(BytesSource(b"\n" * 4), "a"))


def test_lines_are_whole_over_chunks_and_a_cut_one_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_CHUNK", 3)
    source = BytesSource(b"abcd\n\nefg\nhi")
    assert list(table.text_lines(source, "a")) == [b"abcd\n", b"\n", b"efg\n", b"hi"]
    assert list(table.text_lines(source, "a", max_bytes=8)) == [b"abcd\n", b"\n"]


def test_a_file_that_shrinks_while_it_is_read_is_refused() -> None:
    class Shrunk:
        size = 10

        def read(self, offset: int, length: int) -> bytes:
            return b""

    with pytest.raises(InputError, match="the file ends sooner"):
        list(table.text_lines(Shrunk(), "a"))


def test_a_very_wide_table_is_listed_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_COLUMNS", 2)
    found = delimited_of("a,b,c\n1,2,3\n")
    assert (names(found), found.problems) == (["a", "b"], ("3 columns; the first 2 are listed",))


# --- JSON Lines --------------------------------------------------------------------------------------------------


def json_lines_of(text: str | bytes) -> Table:
    return parse_json_lines(BytesSource(text.encode() if isinstance(text, str) else text), "a.jsonl")


def test_json_lines_give_keys_in_order_with_their_types() -> None:
    found = json_lines_of('{"b": "x", "a": 1}\n\n{"a": null, "c": [1], "d": {"e": 2}}\r\n{"f": true, "g": 1.5}')
    assert [(one.name, one.type) for one in found.columns] == [
        ("b", "string"), ("a", "integer | null"), ("c", "array"), ("d", "object"), ("f", "boolean"), ("g", "number"),
    ]  # fmt: skip
    assert (found.kind, found.rows) == ("json-lines", 3)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"[1]", "expected a JSON object"),
        (b"{", "not JSON"),
        (b'{"a": 1, "a": 2}', "appears twice"),
        (b'{"a": NaN}', "not a JSON number"),
        (b'{"a": "\xff"}', "not valid UTF-8"),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", "nested more than 100"),
    ],
)
def test_a_line_that_is_not_one_object_is_refused_with_its_number(line: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        json_lines_of(b'{"a": 1}\n\n' + line + b"\n")
    assert caught.value.where.startswith("a.jsonl, line 3")


def test_columns_are_those_of_the_first_lines_and_all_lines_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "SAMPLED_LINES", 2)
    found = json_lines_of('{"a": 1}\n{"b": 1}\n{"c": 1}\n')
    assert (names(found), found.rows) == (["a", "b"], 3)
    with pytest.raises(InputError, match="expected a JSON object"):
        json_lines_of('{"a": 1}\n{"b": 1}\n3\n')


def test_rows_of_large_json_lines_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_COUNTED", 10)
    monkeypatch.setattr(json_lines, "SAMPLED_LINES", 2)
    found = json_lines_of('{"a": 1}\n{"b": 1}\nnot read\n')
    assert (names(found), found.rows) == (["a", "b"], None)


def test_the_number_of_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_MAX_KEYS", 2)
    with pytest.raises(InputError, match="more than 2 different keys"):
        json_lines_of('{"a": 1}\n{"b": 1}\n{"c": 1}\n')


# --- WebDataset --------------------------------------------------------------------------------------------------


def test_a_shard_gives_samples_and_suffixes() -> None:
    found = shard_of(tar_bytes(*SHARD))
    assert (found.members, found.samples, found.size) == (4, 2, 603)
    assert found.suffixes == {"cls": 1, "jpg": 2, "seg.png": 1}
    assert found.is_webdataset
    assert found.problems == ()


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_are_read_in_each_format(form: int) -> None:
    name = "/".join(["d" * 60] * 3) + "/0001.txt"
    assert [member.name for member in tar_shard.tar_members(BytesSource(tar_bytes((name, b"x"), form=form)), "a")] == [
        name
    ]


def test_members_without_a_suffix_and_folders_belong_to_no_sample() -> None:
    def folder(entry: tarfile.TarInfo) -> None:
        entry.type = tarfile.DIRTYPE if entry.name == "d" else tarfile.REGTYPE

    found = shard_of(tar_bytes(("d", b""), ("README", b"x"), (".hidden", b"y"), info=folder))
    assert (found.members, found.samples, found.is_webdataset, found.problems) == (2, 0, False, ())


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (tarfile.SYMTYPE, "a symbolic link"), (tarfile.LNKTYPE, "a hard link"), (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"), (tarfile.FIFOTYPE, "a pipe"), (b"Z", "of the unknown type"),
    ],
)  # fmt: skip
def test_members_that_are_not_files_are_reported(kind: bytes, words: str) -> None:
    def change(entry: tarfile.TarInfo) -> None:
        entry.type, entry.linkname = kind, "/etc/passwd"

    (problem,) = shard_of(tar_bytes(("0001.txt", b""), info=change)).problems
    assert problem.startswith(f"'0001.txt' is {words}")


@pytest.mark.parametrize("name", ["/etc/0001.txt", "../0001.txt", "a/../../0001.txt", "..\\0001.txt", "a\n.txt"])
def test_names_that_lead_elsewhere_are_reported(name: str) -> None:
    (problem,) = shard_of(tar_bytes((name, b"x"))).problems
    assert "may lead outside" in problem


def test_a_name_that_comes_twice_and_a_torn_sample_are_reported() -> None:
    found = shard_of(tar_bytes(("1.a", b""), ("2.a", b""), ("1.b", b""), ("1.b", b"")))
    assert found.problems == ("the files of sample '1' do not follow one another", "the name '1.b' is given twice")
    assert found.samples == 2


def test_what_stands_after_the_end_of_an_archive_is_reported() -> None:
    whole = tar_bytes(*SHARD)
    assert "not all of them padding" in shard_of(whole + whole).problems[0]
    cut = whole.rstrip(b"\0")
    assert shard_of(cut + bytes(-len(cut) % 512 + 1024)).problems == ()
    assert shard_of(cut + bytes(-len(cut) % 512 + 512)).problems == ("the archive has no end mark",)
    assert shard_of(cut + bytes(-len(cut) % 512)).problems == ("the archive has no end mark",)


def test_an_archive_of_nothing_has_no_samples() -> None:
    assert shard_of(tar_bytes()).samples == 0


def pax(record: bytes, flag: bytes = b"x") -> bytes:
    header = with_checksum(tarfile.TarInfo("p").tobuf()[:156] + flag + tarfile.TarInfo("p").tobuf()[157:512])
    header = with_checksum(header[:124] + b"%011o\0" % len(record) + header[136:])
    return header + record + bytes(-len(record) % 512) + tar_bytes(("0001.txt", b"x"))


def test_extensions_that_say_nothing_of_name_or_size_are_passed_over() -> None:
    assert shard_of(pax(b"11 mtime=1\n")).members == 1
    assert shard_of(pax(b"11 mtime=1\n", b"g")).members == 1

    def link(entry: tarfile.TarInfo) -> None:
        entry.type, entry.linkname = tarfile.SYMTYPE, "l" * 200

    (member,) = tar_shard.tar_members(BytesSource(tar_bytes(("0.a", b""), form=tarfile.GNU_FORMAT, info=link)), "a")
    assert (member.name, member.kind) == ("0.a", "a symbolic link")


def test_a_pax_size_replaces_that_of_the_header() -> None:
    assert shard_of(pax(b"10 size=1\n")).size == 1
    with pytest.raises(InputError, match="a member of 9999999 bytes"):
        shard_of(pax(b"16 size=9999999\n"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x1f\x8b" + bytes(600), "valid checksum"),
        (tar_bytes(*SHARD)[:700], "a member of 600 bytes; 188 are left"),
        (tar_bytes(*SHARD)[:1600], "valid checksum"),
        (b"X" + tar_bytes(*SHARD)[1:], "valid checksum"),
        (with_checksum(tar_bytes(*SHARD)[:124] + b"9" * 11 + tar_bytes(*SHARD)[135:512]), "not an octal number"),
        (with_checksum(tar_bytes(*SHARD)[:124] + b"\x80" + b"\xff" * 11 + tar_bytes(*SHARD)[136:512]), "a member of"),
        (
            with_checksum(tar_bytes(("a", b"x"))[:156] + b"5" + tar_bytes(("a", b"x"))[157:512]) + bytes(512),
            "not a file",
        ),
        (with_checksum(bytes(100) + tar_bytes(("a", b""))[100:512]), "without a name"),
        (with_checksum(b"\xff" + tar_bytes(("a", b""))[1:512]), "not valid UTF-8"),
        (pax(b"5 a=b\n"), "expected a pax record"),
        (pax(b"x"), "expected a pax record"),
        (pax(b"9 path=ab"), "expected a pax record"),
        (pax(b"99 path=a\n"), "expected a pax record"),
        (pax(b"0 a=b\n"), "expected a pax record"),
        (pax(b"22 GNU.sparse.major=1\n"), "sparse"),
        (pax(b"10 size=x\n"), "size that is not a number"),
        (pax(b"10 path=a\n", b"g"), "global header"),
        (pax(b"10 path=a\n")[:1024], "long name without a member"),
    ],
)
def test_a_damaged_archive_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        shard_of(data)
    assert caught.value.where.startswith("a.tar")


@pytest.mark.parametrize(
    ("bound", "limit", "words"),
    [
        ("MAX_MEMBERS", 1, "more than 1 members"),
        ("_MAX_NAME", 3, "names that are longer"),
        ("_MAX_NAMES", 15, "names that are longer"),
        ("_MAX_EXTENSION", 3, "an extension of 10 bytes; at most 3"),
    ],
)
def test_the_bounds_of_an_archive_hold(monkeypatch: pytest.MonkeyPatch, bound: str, limit: int, words: str) -> None:
    data = pax(b"10 path=a\n") if bound == "_MAX_EXTENSION" else tar_bytes(*SHARD)
    shard_of(data)
    monkeypatch.setattr(tar_shard, bound, limit)
    with pytest.raises(InputError, match=words):
        shard_of(data)


def test_lists_of_suffixes_and_problems_stay_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_shard, "_MAX_SUFFIXES", 1)
    monkeypatch.setattr(tar_shard, "_MAX_PROBLEMS", 1)
    found = shard_of(tar_bytes(("/1.a", b""), ("/1.b", b""), ("/1.c", b"")))
    assert found.suffixes == {"(other)": 2, "a": 1}
    assert len(found.problems) == 1


def test_a_tar_is_recognised_by_its_checksum() -> None:
    data = tar_bytes(*SHARD)
    assert is_tar(data[:512])
    assert not is_tar(b"X" + data[1:512])
    assert not is_tar(data[:511])
    assert not is_tar(bytes(512))
