"""SavedModel and TensorFlow Lite: operators, versions and signatures; offsets and counts that cannot be are refused."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats import protobuf, saved_model, tflite
from aibom.formats.saved_model import SavedModel, is_saved_model, is_saved_model_part, parse_saved_model
from aibom.formats.tflite import TfliteModel, TfliteOperator, parse_tflite
from tests.releases.wire import message

Part = tuple[int, int | str | bytes]
FlatValue = bytes | str | Sequence[int] | Sequence["FlatTable"]
FlatTable = Mapping[int, FlatValue]


def node(operator: str) -> bytes:
    return message((1, "name"), (2, operator), (3, "input"))


def function(name: str, *operators: str) -> bytes:
    return message((1, message((1, name))), *((3, node(operator)) for operator in operators))


def meta_graph(*operators: str, library: Sequence[bytes] = (), more: Sequence[Part] = ()) -> bytes:
    info = message((4, "serve"), (4, "gpu"), (5, "2.4.1"), (6, "v2.4.1-0-g85c8b2a"))
    functions = message(*((1, one) for one in library))
    return message((1, info), (2, message(*((1, node(operator)) for operator in operators), (2, functions))), *more)


def saved(*graphs: bytes) -> bytes:
    return message((1, 1), *((2, graph) for graph in graphs))


def read(data: bytes) -> SavedModel:
    return parse_saved_model(BytesSource(data), "saved_model.pb")


def test_what_a_saved_model_says() -> None:
    signatures: list[Part] = [(5, message((1, name), (2, b""))) for name in ("serving_default", "classify")]
    assets: list[Part] = [(6, message((1, b""), (2, "vocab.txt")))]
    found = read(saved(meta_graph("MatMul", "Add", "MatMul", more=signatures + assets)))
    (graph,) = found.meta_graphs
    assert (found.schema_version, graph.tags) == (1, ("serve", "gpu"))
    assert (graph.tensorflow_version, graph.tensorflow_git_version) == ("2.4.1", "v2.4.1-0-g85c8b2a")
    assert (graph.signatures, graph.asset_files) == (("classify", "serving_default"), ("vocab.txt",))
    assert (graph.operators, graph.unsafe_operators) == (("Add", "MatMul"), ())


def test_a_graph_without_information_stays_empty() -> None:
    (graph,) = read(saved(b"")).meta_graphs
    assert (graph.tags, graph.tensorflow_version, graph.signatures, graph.operators) == ((), "", (), ())


def test_a_node_without_an_operator_is_none() -> None:
    assert read(saved(meta_graph("", library=[message((3, node("")), (4, b""))]))).operators == ()


def test_operators_that_reach_outside_are_found_in_functions_too() -> None:
    library = [function("inner", "ReadFile", "Const"), function("outer", "inner", "PyFunc")]
    found = read(saved(meta_graph("WriteFile", "outer", library=library), meta_graph("MatchingFiles")))
    assert found.meta_graphs[0].operators == ("Const", "PyFunc", "ReadFile", "WriteFile")
    assert found.meta_graphs[0].unsafe_operators == ("PyFunc", "ReadFile", "WriteFile")
    assert found.unsafe_operators == ("MatchingFiles", "PyFunc", "ReadFile", "WriteFile")
    assert found.operators == ("Const", "MatchingFiles", "PyFunc", "ReadFile", "WriteFile")


@pytest.mark.parametrize(
    ("name", "graphs", "part"),
    [
        ("m/saved_model.pb", True, False),
        ("m/fingerprint.pb", False, True),
        ("m/variables/variables.index", False, True),
        ("variables/variables.data-00000-of-00001", False, True),
        ("m/variables.index", False, False),
        ("m/variables/notes.txt", False, False),
        ("my_saved_model.pb", False, False),
    ],
)
def test_files_are_recognised_by_their_names(name: str, graphs: bool, part: bool) -> None:
    assert (is_saved_model(name), is_saved_model_part(name)) == (graphs, part)


BAD_SAVED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "saved_model_schema_version (field 1) is absent"),
    "no graph": (message((1, 1)), "meta_graphs (field 2) is absent"),
    "no schema version": (message((2, b"")), "(field 1) is absent"),
    "text": (b"hello", "not in use"),
    "cut off": (saved(meta_graph("Add"))[:-1], "are left in its message"),
    "65 graphs": (saved(*[b""] * 65), "more than 64 times"),
    "two graph definitions": (saved(meta_graph("Add", more=[(2, b"")])), "field 2 occurs more than 1 times"),
    "a node with two operators": (
        saved(message((2, message((1, message((2, "Add"), (2, "ReadFile"))))))),
        "field 2 occurs more than 1 times",
    ),
    "a function with two names": (
        saved(meta_graph(library=[message((1, message((1, "a"), (1, "b"))))])),
        "field 1 occurs more than 1 times",
    ),
    "two equal signatures": (saved(meta_graph(more=[(5, message((1, "a")))] * 2)), "'a' appears twice"),
    "an operator that is not UTF-8": (saved(message((2, message((1, message((2, b"\xff"))))))), "UTF-8"),
}


@pytest.mark.parametrize("name", BAD_SAVED, ids=list(BAD_SAVED))
def test_what_a_saved_model_cannot_be_is_refused(name: str) -> None:
    data, words = BAD_SAVED[name]
    with pytest.raises(InputError) as caught:
        read(data)
    assert words in caught.value.message
    assert caught.value.where.startswith("saved_model.pb")


def test_a_saved_model_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(meta_graph("A", "B"))
    read(data)
    monkeypatch.setattr(saved_model, "MAX_OPERATORS", 1)
    with pytest.raises(InputError, match="more than 1 different operators"):
        read(data)
    monkeypatch.setattr(protobuf, "MAX_FIELDS", 2)
    with pytest.raises(InputError, match="more than 2 fields"):
        read(data)


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def put(out: bytearray, value: FlatValue | FlatTable) -> int:
    """Append a text, vector, table or vector of tables; give its place. Scalars stand in their table, as bytes."""
    if isinstance(value, Mapping):
        return put_table(out, value)
    start = len(out)
    if isinstance(value, str):
        out += u32(len(value.encode())) + value.encode() + b"\0"
        return start
    out += u32(len(value))
    numbers = [item for item in value if isinstance(item, int)]
    tables = [item for item in value if isinstance(item, Mapping)]
    out += struct.pack(f"<{len(numbers)}i", *numbers) + bytes(4 * len(tables))
    for index, table in enumerate(tables):
        hole = start + 4 + 4 * index
        out[hole : hole + 4] = u32(put(out, table) - hole)
    return start


def put_table(out: bytearray, table: FlatTable) -> int:
    offsets, body, holes = [0] * (max(table, default=-1) + 1), bytearray(4), {}
    for slot, value in table.items():
        offsets[slot] = len(body)
        if not isinstance(value, bytes):
            holes[len(body)] = value
        body += value if isinstance(value, bytes) else bytes(4)
    layout = len(out)
    out += struct.pack(f"<HH{len(offsets)}H", 4 + 2 * len(offsets), len(body), *offsets)
    start = len(out)
    out += body
    out[start : start + 4] = struct.pack("<i", start - layout)
    for hole, value in holes.items():
        place = start + hole
        out[place : place + 4] = u32(put(out, value) - place)
    return start


def flat(model: FlatTable) -> bytes:
    """A FlatBuffer of TensorFlow Lite: each table after the one that refers to it, its layout before it."""
    out = bytearray(b"\0\0\0\0TFL3")
    start = put(out, model)
    out[:4] = u32(start)
    return bytes(out)


def tensor(name: str, shape: Sequence[int], kind: int = 0, buffer: int = 0) -> FlatTable:
    return {0: shape, 1: bytes([kind]), 2: u32(buffer), 3: name}


MODEL: FlatTable = {
    0: u32(3),
    1: [{0: b"\x03", 3: u32(3)}, {0: b"\x7f", 3: u32(150), 2: u32(2)}, {0: b"\x20", 1: "Own", 3: u32(32)}],
    2: [
        {0: [tensor("in", [1, 4]), tensor("w", [4, 2], 9, 1), tensor("out", [1, 2], 200)], 1: [0], 2: [2, 0]},
        {0: [tensor("", [])]},
    ],
    3: "MLIR Converted. é",
    4: [{}, {0: [1, 2]}],
    6: [{0: "min_runtime_version", 1: u32(0)}, {0: "licence"}],
}


def read_flat(data: bytes) -> TfliteModel:
    return parse_tflite(BytesSource(data), "m.tflite")


def changed(**slots: FlatValue) -> bytes:
    return flat({**MODEL, **{int(slot[1:]): value for slot, value in slots.items()}})


def test_what_a_lite_model_says() -> None:
    found = read_flat(flat(MODEL))
    assert (found.version, found.description) == (3, "MLIR Converted. é")
    assert found.operators == (
        TfliteOperator(builtin=3, custom="", version=1),
        TfliteOperator(builtin=150, custom="", version=2),
        TfliteOperator(builtin=32, custom="Own", version=1),
    )
    assert found.custom_operators == ("Own",)
    assert found.metadata_names == ("min_runtime_version", "licence")
    assert (found.tensor_count, found.elements, found.parameters) == (4, 15, 8)
    assert found.element_types == ("200", "FLOAT32", "INT8")
    assert (found.inputs, found.outputs) == (("in",), ("out", "in"))


def test_an_empty_lite_model() -> None:
    found = read_flat(flat({}))
    assert (found.version, found.description, found.operators, found.inputs, found.tensor_count) == (0, "", (), (), 0)


def test_weights_after_the_flatbuffer_count_as_stored() -> None:
    buffers: list[FlatTable] = [{}, {1: struct.pack("<Q", 8), 2: struct.pack("<Q", 8)}]
    assert read_flat(changed(_4=buffers)).parameters == 8


@dataclass
class CountingSource:
    """Bytes that know how many of them were asked for."""

    data: bytes
    total: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        self.total.append(length)
        return self.data[offset : offset + length]


def test_the_weights_of_a_lite_model_are_not_read() -> None:
    source = CountingSource(changed(_4=[{}, {0: range(1_000_000)}]))
    assert parse_tflite(source, "m").parameters == 8
    assert sum(source.total) < 100_000


def at(data: bytes, position: int, raw: bytes) -> bytes:
    return data[:position] + raw + data[position + len(raw) :]


GOOD = flat(MODEL)
ROOT = int.from_bytes(GOOD[:4], "little")
BAD_LITE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not TFL3"),
    "another identifier": (at(GOOD, 4, b"TFL2"), "not TFL3"),
    "a root outside the file": (at(GOOD, 0, u32(len(GOOD))), "leads nowhere"),
    "a root at 0": (at(GOOD, 0, u32(0)), "leads nowhere"),
    "a layout before the file": (at(GOOD, ROOT, struct.pack("<i", ROOT + 1)), "outside the file"),
    "a layout after the file": (at(GOOD, ROOT, struct.pack("<i", -len(GOOD))), "outside the file"),
    "a layout of 5 bytes": (at(GOOD, 8, b"\x05\0"), "layout of 5 bytes"),
    "a table past the end": (at(GOOD, 10, b"\xff\xff"), "size of 65535"),
    "a field outside its table": (at(GOOD, 12, b"\xf0\0"), "field 0 lies outside"),
    "cut off": (GOOD[:-40], "outside the file|in the file|leads nowhere|cannot have a layout"),
    "a description of 2^31 bytes": (
        at(GOOD, GOOD.index(b"MLIR") - 4, u32(2**31)),
        "2147483648 elements",
    ),
    "a long description": (changed(_3="x" * (tflite.MAX_TEXT + 1)), "4097 elements"),
    "a description that is not UTF-8": (GOOD.replace(b"MLIR", b"ML\xff\xff"), "UTF-8"),
    "a negative dimension": (changed(_2=[{0: [tensor("a", [2, -1])]}]), "the shape [2, -1]"),
    "an overflowing shape": (changed(_2=[{0: [tensor("a", [2**30] * 3)]}]), "the shape"),
    "65 dimensions": (changed(_2=[{0: [tensor("a", [1] * 65)]}]), "65 elements; at most 64"),
    "a buffer that is not there": (changed(_2=[{0: [tensor("a", [1], 0, 2)]}]), "buffer 2; there are 2"),
    "an input that is not there": (changed(_2=[{0: [tensor("a", [1])], 1: [1]}]), "tensor 1; there are 1"),
    "a negative input": (changed(_2=[{0: [tensor("a", [1])], 1: [-1]}]), "tensor -1; there are 1"),
    "weights outside the file": (
        changed(_4=[{}, {1: struct.pack("<Q", 2**62), 2: struct.pack("<Q", 1)}]),
        "outside the file",
    ),
}


@pytest.mark.parametrize("name", BAD_LITE, ids=list(BAD_LITE))
def test_what_a_lite_model_cannot_be_is_refused(name: str) -> None:
    data, words = BAD_LITE[name]
    with pytest.raises(InputError) as caught:
        read_flat(data)
    assert any(word in caught.value.message for word in words.split("|"))
    assert caught.value.where.startswith("m.tflite")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("bound", "value"),
    [
        ("MAX_READS", 20),
        ("MAX_TENSORS", 3),
        ("MAX_OPERATORS", 2),
        ("MAX_SUBGRAPHS", 1),
        ("MAX_PORTS", 1),
        ("_MAX_METADATA", 1),
        ("_MAX_BUFFERS", 1),
    ],
)
def test_a_lite_model_is_bounded(monkeypatch: pytest.MonkeyPatch, bound: str, value: int) -> None:
    monkeypatch.setattr(tflite, bound, value)
    with pytest.raises(InputError, match=r"at most|more than"):
        read_flat(GOOD)


def test_few_pages_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    data = changed(_4=[{}, {0: range(100_000)}], _3="x" * 4000)
    expected = read_flat(data)
    monkeypatch.setattr(tflite, "_MAX_PAGES", 1)
    assert read_flat(data) == expected


def test_a_lite_model_that_shrinks_is_refused() -> None:
    class Shrunk(CountingSource):
        @property
        def size(self) -> int:
            return len(self.data) + 5

    with pytest.raises(InputError, match="shorter"):
        parse_tflite(Shrunk(GOOD[:-5]), "m")
