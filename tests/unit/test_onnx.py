"""ONNX models: every graph is visited, no tensor is read, and what cannot be is refused at its byte."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats import onnx, protobuf
from aibom.formats.onnx import ExternalData, OnnxModel, OnnxPort, parse_onnx
from tests.releases.wire import message, varint
from tests.releases.writers import Tensor, onnx_bytes

Part = tuple[int, int | str | bytes]
FLOAT, INT64, STRING, INT4 = 1, 7, 8, 22
NEGATIVE = 2**64 - 1


def model(*graph: Part, top: Sequence[Part] = ()) -> bytes:
    return message((1, 8), (7, message(*graph)), *top)


def tensor(*dims: int, kind: int = FLOAT, name: str = "w", more: Sequence[Part] = ()) -> bytes:
    return message(*((1, size) for size in dims), (2, kind), (8, name), *more)


def elsewhere(*dims: int, **entries: str) -> bytes:
    pairs = [(13, message((1, key), (2, value))) for key, value in entries.items()]
    return tensor(*dims, more=[*pairs, (14, 1)])


def node(operator: str, *more: Part) -> bytes:
    return message((4, operator), *more)


def read(data: bytes) -> OnnxModel:
    return parse_onnx(BytesSource(data), "m.onnx")


def test_the_example_release_is_read() -> None:
    weight = Tensor(dtype="F32", shape=(4, 2), data=bytes(32))
    bias = Tensor(dtype="F16", shape=(2,), data=bytes(4))
    found = read(onnx_bytes(weight, bias, {"license": "mit", "author": "é"}))
    assert (found.ir_version, found.producer_name, found.producer_version) == (8, "optimum", "1.24.0")
    assert (found.model_version, found.domain, found.doc_string) == (2, "", "classification head")
    assert (found.opsets, found.metadata) == ({"": 17}, {"license": "mit", "author": "é"})
    assert (found.operators, found.custom_domains, found.functions) == (("Add", "MatMul"), (), ())
    assert found.inputs == (OnnxPort(name="x", element_type="FLOAT", shape=("batch", "4")),)
    assert found.outputs == (OnnxPort(name="logits", element_type="FLOAT", shape=("batch", "2")),)
    assert [(t.name, t.element_type, t.shape) for t in found.tensors] == [
        ("W", "FLOAT", (4, 2)),
        ("B", "FLOAT16", (2,)),
    ]
    assert (found.parameters, found.element_types) == (10, ("FLOAT", "FLOAT16"))
    assert (found.external_data, found.problems, found.has_training_info) == ((), (), False)


def test_what_is_not_said_stays_empty() -> None:
    found = read(model())
    assert (found.producer_name, found.doc_string, found.model_version, found.opsets) == ("", "", None, {})


def test_a_long_documentation_is_cut_between_characters() -> None:
    found = read(model(top=[(6, "a" + "é" * onnx.MAX_DOC)]))
    assert found.doc_string == "a" + "é" * (onnx.MAX_DOC // 2 - 1)


@dataclass
class CountingSource:
    """Bytes, of which the middle is zeros that do not exist."""

    head: bytes
    size: int
    read_bytes: list[int] = field(default_factory=list)

    def read(self, offset: int, length: int) -> bytes:
        length = max(min(length, self.size - offset), 0)
        self.read_bytes.append(length)
        return self.head[offset : offset + length].ljust(length, b"\0")


def test_the_bytes_of_a_tensor_are_never_read() -> None:
    size = 2**40
    weights = b"\x08" + varint(size // 4) + b"\x10\x01\x4a" + varint(size)
    graph = b"\x2a" + varint(len(weights) + size) + weights
    head = b"\x08\x08\x3a" + varint(len(graph) + size) + graph
    source = CountingSource(head, len(head) + size)
    assert parse_onnx(source, "m").parameters == 2**38
    assert sum(source.read_bytes) < 1_000_000


def test_packed_and_single_dimensions_mean_the_same() -> None:
    packed = message((1, varint(3) + varint(4)), (2, FLOAT), (8, "w"))
    assert read(model((5, packed))).tensors[0].shape == (3, 4)


def test_elements_smaller_than_a_byte_are_packed() -> None:
    assert read(model((5, tensor(3, kind=INT4, more=[(9, bytes(2))])))).parameters == 3


def test_weights_in_constants_are_counted_apart() -> None:
    constant = node("Constant", (5, message((1, "value"), (5, tensor(5, more=[(9, bytes(20))])))))
    listed = node("X", (5, message((10, tensor(2)), (10, tensor(3)))))
    found = read(model((1, constant), (1, listed)))
    assert (found.constant_elements, found.parameters, found.tensors) == (10, 0, ())


def test_every_graph_is_visited() -> None:
    def graph(place: str) -> bytes:
        return message((5, elsewhere(1, location=place)), (1, node(f"In_{place}")))

    sparse = message((1, elsewhere(1, location="sparse")), (2, elsewhere(1, location="indices")))
    parts: list[Part] = [
        (1, node("If", (5, message((6, graph("branch")))))),
        (1, node("Many", (5, message((11, graph("first")), (11, graph("second")))))),
        (1, node("Constant", (5, message((5, elsewhere(1, location="constant")))))),
        (
            1,
            node(
                "Sparse",
                (
                    5,
                    message((22, sparse)),
                ),
            ),
        ),
        (15, sparse),
    ]
    function = message((1, "F"), (10, "local"), (7, node("Inner", (5, message((6, graph("function")))))))
    default = message((1, "G"), (10, "local"), (11, message((5, elsewhere(1, location="default")))))
    training = message((1, graph("initialization")), (2, graph("algorithm")))
    found = read(model(*parts, top=[(20, training), (25, function), (25, default)]))
    places = ["branch", "first", "second", "constant", "initialization", "algorithm", "function", "default"]
    places += ["sparse", "indices"] * 2  # once as an attribute, once as an initializer
    assert sorted(entry.location for entry in found.external_data) == sorted(places)
    assert {"In_branch", "In_second", "In_algorithm", "In_function", "Inner"} <= set(found.operators)
    assert found.has_training_info


def test_domains_that_a_runtime_must_bring() -> None:
    found = read(
        model(
            (1, node("Add", (7, "ai.onnx"))),
            (1, node("Gelu", (7, "com.microsoft"))),
            (1, node("Own", (7, "local"))),
            (1, node("Scaler", (7, "ai.onnx.ml"))),
            top=[
                (8, message((1, "imported.only"), (2, 1))),
                (8, message((1, "local"), (2, 1))),
                (8, message((2, 17))),
                (25, message((1, "Own"), (10, "local"))),
            ],
        )
    )
    assert found.operators == ("Add", "ai.onnx.ml.Scaler", "com.microsoft.Gelu")
    assert found.custom_domains == ("com.microsoft", "imported.only")
    assert found.functions == ("local.Own",)
    assert found.opsets == {"": 17, "imported.only": 1, "local": 1}


def test_an_initializer_is_no_input() -> None:
    found = read(model((11, message((1, "w"))), (11, message((1, "x"))), (5, tensor(1))))
    assert found.inputs == (OnnxPort(name="x", element_type="", shape=()),)


def test_ports_that_are_no_tensors_are_named_by_their_kind() -> None:
    sequence = message((1, "s"), (2, message((4, message((1, b""))))))
    shape = message((1, message((1, 3))), (1, b""), (1, message((2, "n"))))
    strange = message((1, "t"), (2, message((1, message((1, 99), (2, shape))))))
    found = read(model((12, sequence), (12, strange)))
    assert [(port.element_type, port.shape) for port in found.outputs] == [("sequence", ()), ("99", ("3", "", "n"))]


def test_external_data_says_where_it_lies() -> None:
    found = read(
        model((5, elsewhere(2, location="w.bin", offset="4096", length="8")), (5, elsewhere(2, location="sub/v.bin")))
    )
    assert found.external_data == (
        ExternalData(location="w.bin", offset=4096, length=8, tensor="w"),
        ExternalData(location="sub/v.bin", offset=0, length=None, tensor="w"),
    )
    assert not found.problems


@pytest.mark.parametrize(
    ("location", "fault"),
    [
        ("", "is empty"),
        ("/etc/passwd", "is absolute"),
        ("C:weights", "is absolute"),
        ("file://weights", "is absolute"),
        ("../w.bin", "leaves the folder"),
        ("a/../../w.bin", "leaves the folder"),
        ("..", "leaves the folder"),
        ("..\\w.bin", "has a backslash"),
        ("w\0.bin", "control character"),
    ],
)
def test_a_location_outside_the_release_is_reported(location: str, fault: str) -> None:
    found = read(model((5, elsewhere(2, location=location))))
    assert len(found.problems) == 1
    assert fault in found.problems[0]
    assert found.external_data[0].location == location


def test_external_data_without_a_location_is_reported() -> None:
    assert "is empty" in read(model((5, tensor(1, more=[(14, 1)])))).problems[0]


def test_two_dots_within_a_name_lead_nowhere() -> None:
    assert not read(model((5, elsewhere(2, location="a..b")))).problems


def test_a_length_that_does_not_fit_is_reported() -> None:
    assert "need 8 bytes, its place has 7" in read(model((5, elsewhere(2, location="w", length="7")))).problems[0]


def test_an_unknown_element_type_is_reported() -> None:
    found = read(model((5, tensor(2, kind=99, more=[(9, bytes(3))]))))
    assert "unknown element type 99" in found.problems[0]
    assert found.element_types == ("99",)


def test_problems_are_listed_up_to_a_bound() -> None:
    found = read(model(*[(5, elsewhere(1, location=""))] * (onnx.MAX_PROBLEMS + 5)))
    assert len(found.problems) == onnx.MAX_PROBLEMS


def nested(levels: int) -> bytes:
    graph = message()
    for _ in range(levels):
        graph = message((1, node("If", (5, message((6, graph))))))
    return message((1, 8), (7, graph))


def test_graphs_may_nest_up_to_a_bound() -> None:
    assert read(nested(onnx.MAX_DEPTH)).operators == ("If",)
    with pytest.raises(InputError, match="levels deep"):
        read(nested(onnx.MAX_DEPTH + 1))
    with pytest.raises(InputError, match="levels deep"):
        read(nested(2000))


GRAPH: Part = (7, b"")
BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "ir_version (field 1) is absent"),
    "text": (b"hello, world", "not in use"),
    "no IR version": (message(GRAPH), "ir_version (field 1) is absent"),
    "neither graph nor function": (message((1, 8)), "graph (field 7) is absent"),
    "two graphs": (message((1, 8), GRAPH, GRAPH), "field 7 occurs more than 1 times"),
    "two IR versions": (message((1, 8), (1, 9), GRAPH), "field 1 occurs more than 1 times"),
    "a graph that is a number": (message((1, 8), (7, 1)), "expected a message or text, found a number"),
    "an IR version that is a text": (message((1, "8"), GRAPH), "expected a number, found a message"),
    "a producer that is a number": (message((1, 8), (2, 1), GRAPH), "expected a message or text, found a number"),
    "a documentation that is a number": (message((1, 8), (6, 1), GRAPH), "expected a message or text, found a number"),
    "a dimension in four bytes": (model((5, b"\x0d1234")), "expected a message or text, found 4 bytes"),
    "a field past the end": (message((1, 8)) + b"\x3a\x05ab", "needs 5 bytes, 2 are left"),
    "a field past the end of its message": (
        model((5, b"\x42\x7fa"), top=[(2, "x" * 200)]),
        "needs 127 bytes, 1 are left",
    ),
    "eight bytes of which six are left": (message((1, 8)) + b"\x11123456", "needs 8 bytes, 6 are left"),
    "field number 0": (b"\0\0", "0 is not a field number"),
    "a group": (b"\x0b\x0c", "wire type 3"),
    "a number that does not end": (b"\x08" + b"\x80" * 20, "does not end"),
    "a number cut off": (b"\x08\x80", "does not end"),
    "a number of 70 bits": (b"\x08" + b"\xff" * 9 + b"\x7f", "more than 64 bits"),
    "a producer that is not UTF-8": (model(top=[(2, b"\xff")]), "UTF-8"),
    "a producer that ends within a character": (model(top=[(2, b"a\xc3")]), "UTF-8"),
    "a long producer": (model(top=[(2, "x" * (protobuf.MAX_NAME + 1))]), "text of 4097 bytes"),
    "two equal metadata keys": (
        model(top=[(14, message((1, "license"), (2, "mit"))), (14, message((1, "license"), (2, "other")))]),
        "'license' appears twice in metadata_props",
    ),
    "two opsets of one domain": (model(top=[(8, message((2, 17))), (8, message((2, 18)))]), "in two versions"),
    "a node with two operators": (model((1, node("Add", (4, "Evil")))), "two operators"),
    "a negative dimension": (model((5, tensor(2, NEGATIVE))), "shape [2, -1]"),
    "an overflowing shape": (model((5, tensor(2**32, 2**31))), "cannot have the shape"),
    "65 dimensions": (model((5, tensor(*[1] * 65))), "more than 64 times"),
    "65 packed dimensions": (model((5, message((1, bytes([1]) * 65)))), "more than 64 numbers"),
    "packed dimensions, twice": (model((5, message((1, bytes([1]) * 40), (1, bytes([1]) * 40)))), "the shape"),
    "raw data that is too short": (model((5, tensor(2, more=[(9, bytes(7))]))), "need 8 bytes, raw_data has 7"),
    "raw data of texts": (model((5, tensor(1, kind=STRING, more=[(9, b"abc")]))), "texts cannot hold raw data"),
    "data in two places": (model((5, tensor(1, more=[(9, bytes(4)), (14, 1)]))), "both here and in another file"),
    "two locations": (
        model((5, tensor(1, more=[(13, message((1, "location"), (2, "a")))] * 2))),
        "'location' appears twice in external_data",
    ),
    "a negative offset": (model((5, elsewhere(1, location="w", offset="-1"))), "offset of external data"),
    "a length in other digits": (model((5, elsewhere(1, location="w", length="٤"))), "length of external data"),
    "an endless offset": (model((5, elsewhere(1, location="w", offset="1" * 20))), "offset of external data"),
}


@pytest.mark.parametrize("name", BAD, ids=list(BAD))
def test_what_cannot_be_is_refused(name: str) -> None:
    data, words = BAD[name]
    with pytest.raises(InputError) as caught:
        read(data)
    assert words in caught.value.message
    assert caught.value.where.startswith("m.onnx")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("bound", "value", "data"),
    [
        ("onnx.MAX_TENSORS", 1, model((5, tensor(1)), (5, tensor(1)))),
        ("onnx.MAX_OPERATORS", 1, model((1, node("A")), (1, node("B")))),
        ("onnx._MAX_PORTS", 1, model((11, b""), (11, b""))),
        ("protobuf.MAX_FIELDS", 3, model((1, node("A")))),
        ("protobuf.MAX_FIELDS", 20, model((5, message((1, bytes([1]) * 30))))),
        ("protobuf.MAX_TEXT", 7, model((1, node("AAAA")), (1, node("BBBB")))),
    ],
)
def test_bounds_hold(monkeypatch: pytest.MonkeyPatch, bound: str, value: int, data: bytes) -> None:
    read(data)
    monkeypatch.setattr(f"aibom.formats.{bound}", value)
    with pytest.raises(InputError, match="more than"):
        read(data)


def test_a_graph_of_many_nodes_is_read_quickly() -> None:
    one = (1, node("Add", (1, "a"), (1, "b"), (2, "c"), (3, "name")))
    start = time.perf_counter()
    assert read(model(*[one] * 20_000)).operators == ("Add",)
    assert time.perf_counter() - start < 5


def test_a_file_that_shrinks_is_refused() -> None:
    class Shrunk(BytesSource):
        def read(self, offset: int, length: int) -> bytes:
            return self.data[:-2][offset : offset + length]

    with pytest.raises(InputError, match="shorter"):
        parse_onnx(Shrunk(model(top=[(2, "producer")])), "m")
