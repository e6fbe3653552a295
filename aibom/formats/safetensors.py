"""The safetensors header, read strictly: shapes, types and metadata without touching the tensor data.

Written for this project because the readers in the field accept what a signed account must not: leading white space,
two equal keys (two licences in one header), unknown fields in an entry. Format: 8 bytes little-endian header length N,
N bytes of JSON, then the data, without holes or overlap (safetensors format description, "Format").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import parse_json_object

MAX_HEADER = 100_000_000
_MAX_INT = 2**63
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64,
    "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
_HINT = "the file is damaged or was not written by a safetensors library; download or export it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One tensor's entry: its name, element type, shape, and size in bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    size: int

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        count = 1
        for dimension in self.shape:
            count *= dimension
        return count


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetensorsHeader:
    """What a header says, checked against the size of its file."""

    tensors: tuple[Tensor, ...]
    metadata: Mapping[str, str]

    @property
    def parameters(self) -> int:
        """Numbers in all tensors."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Element types that occur, sorted."""
        return tuple(sorted({tensor.dtype for tensor in self.tensors}))


def header_end(head: bytes, file_size: int) -> int:
    """Offset at which the tensor data starts, from the first 8 bytes; 0 if these bytes cannot start a header."""
    if len(head) < 8:
        return 0
    length = int.from_bytes(head[:8], "little")
    return 8 + length if 2 <= length <= MAX_HEADER and 8 + length <= file_size else 0


def parse_safetensors(prefix: bytes, file_size: int, where: str) -> SafetensorsHeader:
    """Read the header from a file's leading bytes (at least up to `header_end`).

    Raises InputError with the byte or entry at fault for anything the format does not allow.
    """
    end = _require_end(prefix, file_size, where)
    raw = prefix[8:end]
    if raw[:1] != b"{":
        raise InputError("the header does not start with '{'", where=f"{where}, byte 8", hint=_HINT)
    place = f"{where}, header"
    try:
        document = parse_json_object(raw.rstrip(b" "), place, max_bytes=MAX_HEADER, max_depth=8)
    except InputError as error:
        raise InputError(error.message, where=error.where, hint=_HINT) from error
    metadata = _metadata(document.pop("__metadata__", {}), place)
    entries = sorted((_entry(name, value, place, file_size) for name, value in document.items()), key=lambda e: e[1:])
    _require_contiguous(entries, file_size - end, place)
    return SafetensorsHeader(tensors=tuple(entry[0] for entry in entries), metadata=metadata)


def _require_end(prefix: bytes, file_size: int, where: str) -> int:
    if file_size < 10 or len(prefix) < 8:
        raise InputError(f"too short for safetensors: {file_size} bytes", where=where, hint=_HINT)
    length = int.from_bytes(prefix[:8], "little")
    end = header_end(prefix, file_size)
    if not end or len(prefix) < end:
        raise InputError(
            f"the header is said to be {length} bytes long, but the file has {file_size} bytes "
            f"and at most {MAX_HEADER} are read",
            where=f"{where}, byte 0",
            hint=_HINT,
        )
    return end


def _metadata(value: Any, place: str) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise InputError("__metadata__ must map names to strings", where=place, hint=_HINT)
    return value


def _entry(name: str, value: Any, place: str, file_size: int) -> tuple[Tensor, int, int]:
    where = f"{place}, tensor {name[:120]!r}"
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise InputError("an entry must hold exactly dtype, shape and data_offsets", where=where, hint=_HINT)
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise InputError(f"unknown element type {str(dtype)[:40]!r}", where=where, hint=_HINT)
    if not _whole_numbers(shape) or not _whole_numbers(offsets) or len(offsets) != 2 or len(shape) > 64:
        raise InputError("shape and data_offsets must be lists of whole numbers", where=where, hint=_HINT)
    begin, end = offsets
    tensor = Tensor(name=name, dtype=dtype, shape=tuple(shape), size=end - begin)
    if any(dimension > file_size * 8 for dimension in tensor.shape) and 0 not in tensor.shape:
        raise InputError("a dimension is larger than the file could hold", where=where, hint=_HINT)
    bits = tensor.elements * _BITS[dtype]
    if bits % 8 or bits // 8 != end - begin:
        raise InputError(
            f"shape and type need {bits} bits, data_offsets give {end - begin} bytes",
            where=where,
            hint=_HINT,
        )
    return tensor, begin, end


def _whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < _MAX_INT for item in value)


def _require_contiguous(entries: list[tuple[Tensor, int, int]], data_size: int, place: str) -> None:
    position = 0
    for tensor, begin, end in entries:
        if begin != position:
            what = "overlaps the tensor before it" if begin < position else "leaves a hole before it"
            raise InputError(
                f"tensor {tensor.name[:120]!r} {what}: expected offset {position}, found {begin}",
                where=place,
                hint=_HINT,
            )
        position = end
    if position != data_size:
        raise InputError(
            f"the header describes {position} bytes of tensor data, the file holds {data_size}",
            where=place,
            hint=_HINT,
        )
