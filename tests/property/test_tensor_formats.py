"""Arbitrary bytes give a value or an input error, nothing else, from every reader of tensor containers.

Half of the examples start from something valid and break it, because random bytes rarely get past the first check.
"""

import json
import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats.gguf import parse_gguf
from aibom.formats.onnx import parse_onnx
from aibom.formats.saved_model import parse_saved_model
from aibom.formats.tflite import parse_tflite
from tests.releases.wire import message
from tests.releases.writers import GgufValue, Tensor, gguf_bytes, onnx_bytes
from tests.unit.test_tensorflow import MODEL, flat, function, meta_graph, saved

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
_WEIGHT = Tensor(dtype="F32", shape=(2, 3), data=bytes(24))
_BIAS = Tensor(dtype="F16", shape=(3,), data=bytes(6))
_METADATA: dict[str, GgufValue] = {
    "general.architecture": "bert",
    "general.alignment": 32,
    "general.tags": ["a"],
    "tokenizer.ggml.tokens": ["a", "é"],
    "general.base_model.0.name": "b",
}
_SUBGRAPH = message((1, 8), (7, message((1, message((4, "If"), (5, message((6, message((5, message((1, 2))))))))))))

PARSERS: dict[str, tuple[Callable[[BytesSource, str], object], bytes]] = {
    "gguf": (parse_gguf, gguf_bytes(_METADATA, {"w": _WEIGHT, "b": _BIAS})),
    "onnx": (parse_onnx, onnx_bytes(_WEIGHT, _BIAS, {"license": "mit"})),
    "onnx subgraph": (parse_onnx, _SUBGRAPH),
    "saved model": (
        parse_saved_model,
        saved(meta_graph("Add", "f", library=[function("f", "ReadFile")], more=[(5, message((1, "s")))])),
    ),
    "tflite": (parse_tflite, flat(MODEL)),
}


@st.composite
def broken(draw: st.DrawFn, valid: bytes) -> bytes:
    """Something valid with a few short slices replaced, or its magic and then anything at all."""
    if draw(st.integers(0, 3)) == 0:
        return valid[: draw(st.integers(0, 24))] + draw(st.binary(max_size=400))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(valid)))
        end = draw(st.integers(start, min(start + 8, len(valid))))
        valid = valid[:start] + draw(st.binary(max_size=8)) + valid[end:]
    return valid


@pytest.mark.parametrize("name", PARSERS, ids=list(PARSERS))
def test_a_value_or_an_input_error(name: str) -> None:
    parse, valid = PARSERS[name]
    parse(BytesSource(valid), "x")  # otherwise every example would stop at the same place

    @SETTINGS
    @given(broken(valid))
    def check(data: bytes) -> None:
        with suppress(InputError):  # anything else fails the test
            parse(BytesSource(data), "x")

    check()


@pytest.mark.parametrize("name", PARSERS, ids=list(PARSERS))
def test_every_cut_gives_a_value_or_an_input_error(name: str) -> None:
    parse, valid = PARSERS[name]
    for end in range(len(valid)):
        with suppress(InputError):
            parse(BytesSource(valid[:end]), "x")


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
shapes = st.lists(st.integers(0, 5), max_size=4).map(tuple)


@SETTINGS
@given(
    st.dictionaries(names.map("x.{}".format), st.text(st.characters(exclude_categories=["Cs"])), max_size=5),
    st.dictionaries(names, shapes, max_size=5),
)
def test_a_gguf_that_we_write_is_read_as_written(
    metadata: dict[str, GgufValue], tensors: dict[str, tuple[int, ...]]
) -> None:
    made = {name: Tensor(dtype="F32", shape=shape, data=bytes(4 * _count(shape))) for name, shape in tensors.items()}
    header = parse_gguf(BytesSource(gguf_bytes(metadata, made)), "x")
    assert header.metadata == metadata
    assert {tensor.name: tensor.shape[::-1] for tensor in header.tensors} == tensors
    assert header.parameters == sum(map(_count, tensors.values()))
    json.dumps(header.metadata, allow_nan=False)


@SETTINGS
@given(st.binary(min_size=12, max_size=12))
def test_no_number_reaches_the_metadata_that_json_cannot_hold(raw: bytes) -> None:
    data = b"GGUF" + struct.pack("<IQQ", 3, 0, 2)
    data += struct.pack("<Q", 1) + b"a" + struct.pack("<I", 6) + raw[:4]
    data += struct.pack("<Q", 1) + b"b" + struct.pack("<I", 12) + raw[4:]
    header = parse_gguf(BytesSource(data), "x")
    json.dumps(header.metadata, allow_nan=False)
    assert len(header.metadata) + len(header.omitted) == 2


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
