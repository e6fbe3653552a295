"""Valid weights and data files, encoded by hand: safetensors, GGUF, ONNX, PyTorch's zip, NumPy, Parquet, PNG, tar.

Each function returns bytes and depends on its arguments alone. The values are noise, but finite and small
numbers, so that a reader that computes with them is not stopped by a NaN.
"""

import io
import json
import math
import pickle
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.releases import wire
from tests.releases.files import MTIME

GgufScalar = str | bool | int | float
GgufValue = GgufScalar | Sequence[str] | Sequence[int] | Sequence[float]
Column = Sequence[str] | Sequence[int] | Sequence[float]
"""The values of a Parquet column, all of one type."""

_WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_CODES = {"F64": "d", "F32": "f", "F16": "e"}
_GGUF_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "BF16": 30}
_ONNX_TYPES = {"F32": 1, "F16": 10, "BF16": 16}
_TORCH_STORAGES = {"F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage"}
Q4_0_BLOCK = 32
"""Numbers that share a scale in GGUF's type Q4_0; a row must be a multiple of it."""
_EMPTY_ORDERED_DICT = wire.pickle_global("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
_INT64, _DOUBLE, _BYTE_ARRAY = 2, 5, 6  # Parquet's physical types
# Clears the exponent's highest bit, which both float types keep in their last byte: every value is below 2.
_BELOW_TWO = bytes(byte & 0xBF for byte in range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """An array as the formats store it: row-major, little-endian; ``dtype`` in safetensors' words, or ggml's."""

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


def tensor_of(dtype: str, shape: tuple[int, ...], values: Sequence[float]) -> Tensor:
    """Store numbers, row by row, as F64, F32, F16 or Q4_0."""
    if dtype == "Q4_0":
        blocks = (values[start : start + Q4_0_BLOCK] for start in range(0, len(values), Q4_0_BLOCK))
        return Tensor(dtype=dtype, shape=shape, data=b"".join(map(_q4_0_block, blocks)))
    return Tensor(dtype=dtype, shape=shape, data=struct.pack(f"<{len(values)}{_CODES[dtype]}", *values))


def values_of(tensor: Tensor) -> tuple[float, ...]:
    """Return the numbers of an F32 or BF16 tensor, row by row."""
    wide = bytearray(tensor.data)
    if tensor.dtype == "BF16":  # the upper half of an F32
        wide = bytearray(2 * len(tensor.data))
        wide[2::4], wide[3::4] = tensor.data[::2], tensor.data[1::2]
    return struct.unpack(f"<{len(wide) // 4}f", wide)


def _q4_0_block(values: Sequence[float]) -> bytes:
    """Give the largest number the code 0, and so -8 times the scale; the lower halves of the bytes come first."""
    scale = max(values, key=abs) / -8
    codes = [min(15, int(value / scale + 8.5)) if scale else 8 for value in values]
    half = Q4_0_BLOCK // 2
    return struct.pack("<e", scale) + bytes(codes[i] | codes[i + half] << 4 for i in range(half))


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
    if isinstance(value, GgufScalar):
        kind, raw = _gguf_scalar(value)
        return struct.pack("<I", kind) + raw
    items = [_gguf_scalar(item) for item in value]
    return struct.pack("<IIQ", 9, items[0][0], len(items)) + b"".join(raw for _, raw in items)


def _gguf_scalar(value: GgufScalar) -> tuple[int, bytes]:
    """Return the type's code and the bytes; whole numbers are u32."""
    if isinstance(value, str):
        return 8, _gguf_string(value)
    if isinstance(value, bool):
        return 7, bytes([value])
    return (4, struct.pack("<I", value)) if isinstance(value, int) else (6, struct.pack("<f", value))


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
    return zip_bytes({f"archive/{name}": content for name, content in members.items()})


def zip_bytes(members: Mapping[str, bytes]) -> bytes:
    """Pack a zip of uncompressed members that all have one fixed time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def tar_bytes(members: Mapping[str, bytes]) -> bytes:
    """Pack a tar of plain files without an owner that all have one fixed time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), MTIME
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def png_bytes(rows: Sequence[bytes], texts: Mapping[str, str]) -> bytes:
    """Encode a PNG of 8-bit RGB rows of equal length, with texts: https://www.w3.org/TR/png-3/."""
    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    keywords = (_png_chunk(b"tEXt", f"{key}\0{value}".encode("latin-1")) for key, value in texts.items())
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))  # each row unfiltered (0)
    chunks = (_png_chunk(b"IHDR", header), *keywords, _png_chunk(b"IDAT", pixels), _png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def npy_bytes(tensor: Tensor) -> bytes:
    """Encode a NumPy array file, version 1.0: magic, a Python literal padded to 64, the values."""
    kind = f"<f{_WIDTHS[tensor.dtype]}"
    literal = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tensor.shape}, }}"
    literal += " " * (-(len(literal) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(literal)) + literal.encode() + tensor.data


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
    """Encode a Parquet file of required columns text and label."""
    return parquet_table({"text": [text for text, _ in rows], "label": [label for _, label in rows]})


def parquet_table(columns: Mapping[str, Column]) -> bytes:
    """Encode a Parquet file of required columns: one row group, plain, uncompressed.

    The field numbers are those of https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
    """
    count = len(next(iter(columns.values())))
    schema = [wire.record((4, wire.text("schema")), (5, wire.i32(len(columns))))]
    chunks, body = [], b"PAR1"
    for name, values in columns.items():
        kind, raw = _parquet_values(values)
        # Required (0), so that no levels stand before the values; a text is UTF-8 (converted type 0).
        utf8 = [(6, wire.i32(0))] if kind == _BYTE_ARRAY else []
        schema.append(wire.record((1, wire.i32(kind)), (3, wire.i32(0)), (4, wire.text(name)), *utf8))
        page = _page(raw, count)
        chunks.append(_column(name, kind, len(body), len(page), count))
        body += page
    group = wire.record((1, wire.array(chunks)), (2, wire.i64(len(body) - 4)), (3, wire.i64(count)))
    head = (1, wire.i32(1)), (2, wire.array(schema)), (3, wire.i64(count))
    _, footer = wire.record(*head, (4, wire.array([group])), (6, wire.text("example writer")))
    return body + footer + struct.pack("<I", len(footer)) + b"PAR1"


def _parquet_values(values: Column) -> tuple[int, bytes]:
    if isinstance(values[0], str):
        texts = [str(value).encode() for value in values]
        return _BYTE_ARRAY, b"".join(struct.pack("<I", len(raw)) + raw for raw in texts)
    whole = isinstance(values[0], int)
    return (_INT64 if whole else _DOUBLE), struct.pack(f"<{len(values)}{'q' if whole else 'd'}", *values)


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
