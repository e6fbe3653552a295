"""The safetensors header: what the library accepts we accept, and what it should refuse we refuse."""

import json
import struct
from typing import Any

import pytest
import safetensors

from aibom.core.errors import InputError
from aibom.formats.safetensors import header_end, parse_safetensors
from tests.releases.writers import Tensor, safetensors_bytes

GOOD = safetensors_bytes(
    {
        "a": Tensor(dtype="F32", shape=(2, 3), data=bytes(24)),
        "b": Tensor(dtype="I64", shape=(), data=bytes(8)),
    },
    {"format": "pt"},
)


def file_of(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: object = "F32", shape: object = (1,), offsets: object = (0, 4), **more: object) -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}}


def test_a_good_file() -> None:
    header = parse_safetensors(GOOD, len(GOOD), "m")
    assert [(t.name, t.dtype, t.shape) for t in header.tensors] == [("a", "F32", (2, 3)), ("b", "I64", ())]
    assert (header.parameters, header.dtypes, header.metadata) == (7, ("F32", "I64"), {"format": "pt"})
    assert len(safetensors.deserialize(GOOD)) == 2  # type: ignore[no-untyped-call]


def test_only_the_header_is_needed() -> None:
    end = header_end(GOOD[:100], len(GOOD))
    assert 8 < end < len(GOOD)
    assert parse_safetensors(GOOD[:end], len(GOOD), "m").parameters == 7


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "too short"),
    "header longer than the file": (struct.pack("<Q", 4096) + b'{"a":', "4096 bytes long"),
    "header of 2^62 bytes": (struct.pack("<Q", 2**62) + b"{}", "bytes long"),
    "leading white space": (file_of(b" {}"), "start with '{'"),
    "not JSON": (file_of(b"{nonsense}"), "not JSON"),
    "not UTF-8": (file_of(b'{"\xff": 1}  '), "UTF-8"),
    "two equal tensors": (
        file_of(
            b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
        ),
        "twice",
    ),
    "two licences": (file_of(b'{"__metadata__":{"license":"mit","license":"other"}}'), "twice"),
    "deep": (file_of(b'{"__metadata__":' + b"[" * 1000 + b"]" * 1000 + b"}"), "deep"),
    "metadata with a number": (file_of({"__metadata__": {"a": 1}}), "__metadata__"),
    "unknown type": (file_of(entry("F13"), bytes(4)), "element type"),
    "unknown field": (file_of(entry(extra=1), bytes(4)), "exactly"),
    "negative dimension": (file_of(entry(shape=[-1]), bytes(4)), "whole numbers"),
    "boolean dimension": (file_of(entry(shape=[True]), bytes(4)), "whole numbers"),
    "fractional offset": (file_of(entry(offsets=[0, 4.0]), bytes(4)), "whole numbers"),
    "three offsets": (file_of(entry(offsets=[0, 4, 8]), bytes(4)), "whole numbers"),
    "size mismatch": (file_of(entry(shape=[2]), bytes(4)), "need 64 bits"),
    "overflow": (file_of(entry(shape=[2**62, 2**62]), bytes(4)), "larger than the file"),
    "half a byte": (file_of(entry("F4", [1], [0, 1]), bytes(1)), "need 4 bits"),
    "hole at the start": (file_of(entry(offsets=[4, 8]), bytes(8)), "hole"),
    "trailing bytes": (file_of(entry(), bytes(5)), "holds 5"),
    "data cut off": (file_of(entry(), bytes(3)), "holds 3"),
    "overlap": (
        file_of({**entry(), "b": {"dtype": "F32", "shape": [1], "data_offsets": [2, 6]}}, bytes(6)),
        "overlaps",
    ),
}


@pytest.mark.parametrize("case", BAD, ids=list(BAD))
def test_refused(case: str) -> None:
    data, words = BAD[case]
    with pytest.raises(InputError, match=words) as caught:
        parse_safetensors(data, len(data), "w.safetensors")
    assert "w.safetensors" in caught.value.where
    assert caught.value.hint
