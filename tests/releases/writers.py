"""Valid weights and data files, encoded by hand: safetensors, GGUF, ONNX, PyTorch's zip, Parquet.

Each function returns bytes and depends on its arguments alone. The values are noise, but finite and small
numbers, so that a reader that computes with them is not stopped by a NaN.
"""

import io
import json
import math
import pickle
import random
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.releases import wire

GgufValue = str | int | Sequence[str]

_WIDTHS = {"F32": 4, "F16": 2}
_GGUF_TYPES = {"F32": 0, "F16": 1}
_ONNX_TYPES = {"F32": 1, "F16": 10}
_TORCH_STORAGES = {"F32": "FloatStorage", "F16": "HalfStorage"}
_EMPTY_ORDERED_DICT = wire.pickle_global("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
_INT64, _BYTE_ARRAY = 2, 6  # Parquet's physical types
# Two columns, required (0), so that no levels stand before the values; the text is UTF-8 (converted type 0).
_PARQUET_SCHEMA = wire.array(
    [
        wire.record((4, wire.text("schema")), (5, wire.i32(2))),
        wire.record((1, wire.i32(_BYTE_ARRAY)), (3, wire.i32(0)), (4, wire.text("text")), (6, wire.i32(0))),
        wire.record((1, wire.i32(_INT64)), (3, wire.i32(0)), (4, wire.text("label"))),
    ]
)
# Clears the exponent's highest bit, which both float types keep in their last byte: every value is below 2.
_BELOW_TWO = bytes(byte & 0xBF for byte in range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """An array as the formats store it: row-major, little-endian; ``dtype`` in safetensors' words."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


def random_tensor(rng: random.Random, dtype: str, *shape: int) -> Tensor:
    """Draw a tensor of finite values between -2 and 2."""
    width = _WIDTHS[dtype]
    data = bytearray(rng.randbytes(math.prod(shape) * width))
    data[width - 1 :: width] = data[width - 1 :: width].translate(_BELOW_TWO)
    return Tensor(dtype=dtype, shape=shape, data=bytes(data))


def zero_tensor(dtype: str, *shape: int) -> Tensor:
    """Make a tensor of zeros, as a fresh bias is."""
    return Tensor(dtype=dtype, shape=shape, data=bytes(math.prod(shape) * _WIDTHS[dtype]))


def safetensors_bytes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Encode a safetensors file: header length, JSON header padded to 8, the tensors by name."""
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    offset = 0
    for name, tensor in sorted(tensors.items()):
        end = offset + len(tensor.data)
        header[name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [offset, end]}
        offset = end
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    body = b"".join(tensor.data for _, tensor in sorted(tensors.items()))
    return struct.pack("<Q", len(raw)) + raw + body


def gguf_bytes(metadata: Mapping[str, GgufValue], tensors: Mapping[str, Tensor]) -> bytes:
    """Encode a GGUF v3 file with the default alignment, 32: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    head += b"".join(_gguf_string(key) + _gguf_value(value) for key, value in metadata.items())
    body = b""
    for name, tensor in tensors.items():
        head += _gguf_string(name) + struct.pack("<I", len(tensor.shape))
        # ggml names the fastest-moving dimension first.
        head += struct.pack(f"<{len(tensor.shape)}Q", *reversed(tensor.shape))
        head += struct.pack("<IQ", _GGUF_TYPES[tensor.dtype], len(body))
        body += _padded(tensor.data, 32)
    return _padded(head, 32) + body


def _gguf_value(value: GgufValue) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _gguf_string(value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_gguf_string, value))


def _gguf_string(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def _padded(raw: bytes, alignment: int) -> bytes:
    return raw + bytes(-len(raw) % alignment)


def onnx_bytes(weight: Tensor, bias: Tensor, metadata: Mapping[str, str]) -> bytes:
    """Encode an ONNX model of one linear layer, ``x @ weight + bias``, as exported by Optimum.

    The field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
    """
    rows, columns = weight.shape
    graph = wire.message(
        (1, wire.message((1, "x"), (1, "W"), (2, "y0"), (4, "MatMul"))),
        (1, wire.message((1, "y0"), (1, "B"), (2, "logits"), (4, "Add"))),
        (2, "sentimind-head"),
        (5, _onnx_tensor("W", weight)),
        (5, _onnx_tensor("B", bias)),
        (11, _onnx_value("x", weight.dtype, rows)),
        (12, _onnx_value("logits", weight.dtype, columns)),
    )
    return wire.message(
        (1, 8),  # the IR version that came with opset 17
        (2, "optimum"),
        (3, "1.24.0"),
        (5, 2),
        (6, "classification head"),
        (7, graph),
        (8, wire.message((1, ""), (2, 17))),
        *((14, wire.message((1, key), (2, value))) for key, value in metadata.items()),
    )


def _onnx_tensor(name: str, tensor: Tensor) -> bytes:
    dims = [(1, size) for size in tensor.shape]
    return wire.message(*dims, (2, _ONNX_TYPES[tensor.dtype]), (8, name), (9, tensor.data))


def _onnx_value(name: str, dtype: str, width: int) -> bytes:
    shape = wire.message((1, wire.message((2, "batch"))), (1, wire.message((1, width))))
    return wire.message((1, name), (2, wire.message((1, wire.message((1, _ONNX_TYPES[dtype]), (2, shape))))))


def torch_zip_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Encode what ``torch.save`` makes of a state dict: a zip of a pickle and one file per storage."""
    members = {"data.pkl": _torch_pickle(tensors), "byteorder": b"little"}
    members |= {f"data/{key}": tensor.data for key, tensor in enumerate(tensors.values())}
    members["version"] = b"3\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(f"archive/{name}", (2026, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def _torch_pickle(tensors: Mapping[str, Tensor]) -> bytes:
    entries = (_torch_entry(key, name, tensor) for key, (name, tensor) in enumerate(tensors.items()))
    return pickle.PROTO + b"\x02" + _EMPTY_ORDERED_DICT + b"".join(entries) + pickle.STOP


def _torch_entry(key: int, name: str, tensor: Tensor) -> bytes:
    kind = wire.pickle_global("torch", _TORCH_STORAGES[tensor.dtype])
    count = wire.pickle_ints(math.prod(tensor.shape))
    storage = wire.pickle_texts("storage") + kind + wire.pickle_texts(str(key), "cpu") + count
    strides = [math.prod(tensor.shape[axis + 1 :]) for axis in range(len(tensor.shape))]
    arguments = (
        wire.pickle_tuple(storage)
        + pickle.BINPERSID
        + wire.pickle_ints(0)
        + wire.pickle_tuple(wire.pickle_ints(*tensor.shape))
        + wire.pickle_tuple(wire.pickle_ints(*strides))
        + pickle.NEWFALSE
        + _EMPTY_ORDERED_DICT
    )
    rebuild = wire.pickle_global("torch._utils", "_rebuild_tensor_v2") + wire.pickle_tuple(arguments)
    return wire.pickle_texts(name) + rebuild + pickle.REDUCE + pickle.SETITEM


def parquet_bytes(rows: Sequence[tuple[str, int]]) -> bytes:
    """Encode a Parquet file of required columns text and label: one row group, plain, uncompressed.

    The field numbers are those of https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
    """
    count = len(rows)
    texts = [value.encode() for value, _ in rows]
    text_page = _page(b"".join(struct.pack("<I", len(raw)) + raw for raw in texts), count)
    label_page = _page(struct.pack(f"<{count}q", *(label for _, label in rows)), count)
    text_column = _column("text", _BYTE_ARRAY, 4, len(text_page), count)
    label_column = _column("label", _INT64, 4 + len(text_page), len(label_page), count)
    size = wire.i64(len(text_page) + len(label_page))
    group = wire.record((1, wire.array([text_column, label_column])), (2, size), (3, wire.i64(count)))
    head = (1, wire.i32(1)), (2, _PARQUET_SCHEMA), (3, wire.i64(count))
    _, footer = wire.record(*head, (4, wire.array([group])), (6, wire.text("example writer")))
    return b"PAR1" + text_page + label_page + footer + struct.pack("<I", len(footer)) + b"PAR1"


def _page(values: bytes, count: int) -> bytes:
    plain, levels, size = wire.i32(0), wire.i32(3), wire.i32(len(values))
    data_page = wire.record((1, wire.i32(count)), (2, plain), (3, levels), (4, levels))
    _, header = wire.record((1, wire.i32(0)), (2, size), (3, size), (5, data_page))
    return header + values


def _column(name: str, kind: int, offset: int, size: int, count: int) -> wire.ThriftValue:
    metadata = wire.record(
        (1, wire.i32(kind)),
        (2, wire.array([wire.i32(0)])),
        (3, wire.array([wire.text(name)])),
        (4, wire.i32(0)),
        (5, wire.i64(count)),
        (6, wire.i64(size)),
        (7, wire.i64(size)),
        (9, wire.i64(offset)),
    )
    return wire.record((2, wire.i64(offset)), (3, metadata))
