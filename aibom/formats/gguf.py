"""The GGUF header, read strictly: what llama.cpp's format says about a model, and its tensors without their data.

The readers in the field make an object of each of the 150 000 texts of a vocabulary, and believe the counts in the
header. Here arrays are skipped, and each count is held against the bytes that are left. Format, versions 2 and 3:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

import math
import re
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError

GgufScalar = str | int | float | bool

MAX_HEADER = 256 * 1024 * 1024
MAX_KEYS = 65_536
MAX_TENSORS = 200_000
MAX_TEXTS = 8_000_000  # in arrays, all together: several times the largest vocabulary
MAX_TEXT = 64 * 1024  # bytes of one metadata text; a longer one is only named, in `omitted`
MAX_TEMPLATE = 1024 * 1024
MAX_KEPT = 64 * 1024 * 1024
MAX_KEY = 65_535
MAX_TENSOR_NAME = 256
_MAX_LIST, _MAX_DIMENSIONS, _MAX_COUNT = 64, 4, 2**63
_LEAST_PAIR, _LEAST_TENSOR = 13, 24  # bytes of an entry with an empty name and the shortest value
_WINDOW = 1024 * 1024
_STRING, _ARRAY, _BOOL, _UINT32 = 8, 9, 7, 4
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
# ggml's types: number -> name, elements of a block, bytes of a block. 31 to 33 are gone from ggml, but not from files.
_TYPES = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 31: ("Q4_0_4_4", 32, 18), 32: ("Q4_0_4_8", 32, 18),
    33: ("Q4_0_8_8", 32, 18), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip
# llama.cpp's llama_ftype, without the "MOSTLY_" before it: what most of the tensors are.
_FILE_TYPES = {
    1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 33: "Q4_0_4_4", 34: "Q4_0_4_8", 35: "Q4_0_8_8", 36: "TQ1_0",
    37: "TQ2_0", 38: "MXFP4_MOE", 39: "NVFP4", 40: "Q1_0",
}  # fmt: skip
_REFERENCE = re.compile(r"general\.(base_model|dataset)\.(0|[1-9][0-9]{0,8})\.([a-z_]{1,40})")
_TEXTS = (
    "architecture", "name", "author", "organization", "version", "description", "license", "license_name",
    "license_link", "quantized_by",
)  # fmt: skip
_TEMPLATE = "tokenizer.chat_template"
_HINT = "the file is damaged, cut off, or was not written by a GGUF library; download or convert it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufReference:
    """A base model or a dataset, as a header names it."""

    name: str = ""
    author: str = ""
    organization: str = ""
    version: str = ""
    url: str = ""
    repo_url: str = ""
    doi: str = ""
    uuid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufTensor:
    """One tensor's entry: `shape` as ggml has it, the fastest-moving dimension first; `offset` within the data."""

    name: str
    type: str
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """What a header says, checked against the size of its file; the texts first, `version` being the model's own."""

    architecture: str
    name: str
    author: str
    organization: str
    version: str
    description: str
    license: str
    license_name: str
    license_link: str
    quantized_by: str
    format_version: int
    big_endian: bool
    metadata: Mapping[str, GgufScalar]
    """Single values by key, without chat templates, over-long texts, NaN and infinities."""
    lists: Mapping[str, tuple[str, ...]]
    """Short lists of texts under `general.`: tags, languages, datasets."""
    omitted: tuple[str, ...]
    """Keys of single values that `metadata` leaves out, other than chat templates."""
    chat_templates: Mapping[str, str]
    """Name of a template ("default" for the nameless one) -> SHA-256 of its text, hexadecimal."""
    tensors: tuple[GgufTensor, ...]

    @property
    def parameters(self) -> int:
        """Numbers in all tensors."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors)

    @property
    def element_types(self) -> Mapping[str, int]:
        """ggml's names of the element types that occur -> number of tensors, sorted by name."""
        return dict(sorted(Counter(tensor.type for tensor in self.tensors).items()))

    @property
    def context_length(self) -> int | None:
        """Tokens that the model was trained for."""
        return self.number(f"{self.architecture}.context_length")

    @property
    def quantization_version(self) -> int | None:
        """Of ggml's block layouts."""
        return self.number("general.quantization_version")

    @property
    def file_type(self) -> str:
        """llama.cpp's name for the quantisation, such as "MOSTLY_Q4_K_M"; the number itself if it has none."""
        number = self.number("general.file_type")
        if number in _FILE_TYPES:
            return f"MOSTLY_{_FILE_TYPES[number]}"
        return "" if number is None else "ALL_F32" if number == 0 else str(number)

    @property
    def split(self) -> tuple[int, int, int] | None:
        """For a model in several files: (number of this part from 0, how many parts, tensors in all of them)."""
        part, count, total = (self.number(f"split.{name}") for name in ("no", "count", "tensors.count"))
        return None if part is None or count is None else (part, count, total or 0)

    @property
    def base_models(self) -> tuple[GgufReference, ...]:
        """What the model was made from."""
        return self._references("base_model")

    @property
    def datasets(self) -> tuple[GgufReference, ...]:
        """What it was trained on, in either of the two ways to say it."""
        listed = self.lists.get("general.datasets", ())
        return (*self._references("dataset"), *(GgufReference(name=name) for name in listed))

    def number(self, key: str) -> int | None:
        """A metadata whole number; None if there is none."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def _references(self, kind: str) -> tuple[GgufReference, ...]:
        found: dict[int, dict[str, str]] = {}
        for key, value in self.metadata.items():
            match = _REFERENCE.fullmatch(key)
            if match and match[1] == kind and isinstance(value, str) and match[3] in GgufReference.__slots__:
                found.setdefault(int(match[2]), {})[match[3]] = value
        return tuple(GgufReference(**found[number]) for number in sorted(found))


def parse_gguf(source: ByteSource, where: str) -> GgufHeader:
    """Read the header of a GGUF file.

    Raises InputError with the byte, key or tensor at fault for anything the format does not allow.
    """
    reader = _Reader(source, where)
    format_version = reader.start()
    tensor_count = reader.count("tensors", _LEAST_TENSOR, MAX_TENSORS)
    pairs = _Pairs(reader)
    for _ in range(reader.count("metadata entries", _LEAST_PAIR, MAX_KEYS)):
        pairs.read_one()
    entries = [_tensor(reader) for _ in range(tensor_count)]
    _check_layout(reader, entries, int(pairs.metadata.get("general.alignment", 32)))
    texts = {name: pairs.metadata.get(f"general.{name.replace('license_', 'license.')}") for name in _TEXTS}
    return GgufHeader(
        **{name: text if isinstance(text, str) else "" for name, text in texts.items()},
        format_version=format_version,
        big_endian=reader.order == ">",
        metadata=pairs.metadata,
        lists=pairs.lists,
        omitted=tuple(pairs.omitted),
        chat_templates=pairs.templates,
        tensors=tuple(entries),
    )


class _Reader:
    """A position in the header, and the bytes around it."""

    def __init__(self, source: ByteSource, where: str) -> None:
        self.source, self.where = source, where
        self.position, self.order = 0, "<"
        self._base, self._window = 0, b""
        self._texts_left, self._kept_left = MAX_TEXTS, MAX_KEPT

    @property
    def left(self) -> int:
        return min(self.source.size, MAX_HEADER) - self.position

    def fail(self, message: str) -> NoReturn:
        raise InputError(message, where=f"{self.where}, byte {self.position}", hint=_HINT)

    def start(self) -> int:
        """Read magic and version; a big-endian file is known by its version."""
        if self.take(4) != b"GGUF":
            self.position = 0
            self.fail("does not start with GGUF")
        raw = self.take(4)
        self.order = "<" if int.from_bytes(raw, "little") < int.from_bytes(raw, "big") else ">"
        version: int = struct.unpack(f"{self.order}I", raw)[0]
        if version not in {2, 3}:
            self.position -= 4
            self.fail(f"GGUF version {version}; 2 and 3 are read")
        return version

    def take(self, length: int) -> bytes:
        start = self.position
        self.skip(length)
        index = start - self._base
        if index < 0 or index + length > len(self._window):
            self._window, self._base, index = self.source.read(start, max(_WINDOW, length)), start, 0
        raw = self._window[index : index + length]
        if len(raw) != length:
            self.fail("the file became shorter while it was read")
        return raw

    def word(self, code: str) -> Any:
        return struct.unpack(self.order + code, self.take(struct.calcsize(f"={code}")))[0]

    def count(self, what: str, least: int, most: int) -> int:
        """How many follow, each of at least `least` bytes."""
        count: int = self.word("Q")
        if count > min(most, self.left // least):
            self.fail(f"{count} {what}; at most {min(most, self.left // least)} can be in the {self.left} bytes left")
        return count

    def text(self, length: int) -> str:
        self._kept_left -= length
        if self._kept_left < 0:
            self.fail(f"more than {MAX_KEPT} bytes of names and texts")
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            self.position -= length
            self.fail("not valid UTF-8")

    def name(self, what: str, limit: int) -> str:
        length = self.word("Q")
        if not 0 < length <= limit:
            self.fail(f"a {what} of {length} bytes; 1 to {limit} are allowed")
        return self.text(length)

    def skip(self, length: int) -> None:
        if length > self.left:
            self.fail(f"{length} bytes are expected here, {self.left} are left of the file or of {MAX_HEADER} read")
        self.position += length

    def skip_texts(self, count: int) -> None:
        """Pass over `count` texts. One tight loop a window, because there may be a million of them."""
        self._texts_left -= count
        if self._texts_left < 0:
            self.fail(f"more than {MAX_TEXTS} texts in arrays")
        length_at = struct.Struct(f"{self.order}Q").unpack_from
        while count:
            self.take(8)
            self.position -= 8
            window, index = self._window, self.position - self._base
            last = len(window) - 8
            while count and index <= last:
                index += 8 + length_at(window, index)[0]
                count -= 1
            self.skip(self._base + index - self.position)


class _Pairs:
    """The metadata as it is read."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._seen: set[str] = set()
        self.metadata: dict[str, GgufScalar] = {}
        self.lists: dict[str, tuple[str, ...]] = {}
        self.templates: dict[str, str] = {}
        self.omitted: list[str] = []

    def read_one(self) -> None:
        reader = self._reader
        key = reader.name("metadata key", MAX_KEY)
        if key in self._seen:
            reader.fail(f"the key {key[:80]!r} appears twice")
        self._seen.add(key)
        kind = reader.word("I")
        if key == "general.alignment" and kind != _UINT32:
            reader.fail(f"general.alignment must be an unsigned 32-bit number (type 4), found type {kind}")
        if kind == _ARRAY:
            self._array(key)
        elif kind == _STRING:
            self._text(key)
        elif kind in _SCALARS:
            self._scalar(key, kind)
        else:
            reader.fail(f"the key {key[:80]!r} has the unknown type {kind}")

    def _scalar(self, key: str, kind: int) -> None:
        value: int | float = self._reader.word(_SCALARS[kind])
        if kind == _BOOL:
            if value > 1:
                self._reader.fail(f"the key {key[:80]!r} must be 0 or 1, found {value}")
            value = bool(value)
        if math.isfinite(value):
            self.metadata[key] = value
        else:
            self.omitted.append(key)

    def _text(self, key: str) -> None:
        reader = self._reader
        length = reader.word("Q")
        if key == _TEMPLATE or key.startswith(f"{_TEMPLATE}."):
            if length > MAX_TEMPLATE:
                reader.fail(f"a chat template of {length} bytes; at most {MAX_TEMPLATE} are read")
            name = key[len(_TEMPLATE) + 1 :] or "default"
            if name in self.templates:
                reader.fail(f"the chat template {name[:80]!r} appears twice")
            self.templates[name] = sha256(reader.text(length).encode()).hexdigest()
        elif length > MAX_TEXT:
            reader.skip(length)
            self.omitted.append(key)
        else:
            self.metadata[key] = reader.text(length)

    def _array(self, key: str) -> None:
        reader = self._reader
        kind = reader.word("I")
        if kind == _STRING:
            count = reader.count("texts", 8, MAX_TEXTS)
            if key.startswith("general.") and count <= _MAX_LIST:
                self.lists[key] = tuple(reader.text(reader.word("Q")) for _ in range(count))
            else:
                reader.skip_texts(count)
            return
        if kind not in _SCALARS:
            what = "nested arrays are not read" if kind == _ARRAY else f"unknown element type {kind}"
            reader.fail(f"the array {key[:80]!r}: {what}")
        width = struct.calcsize(f"={_SCALARS[kind]}")
        reader.skip(reader.count("array elements", width, _MAX_COUNT) * width)


def _tensor(reader: _Reader) -> GgufTensor:
    name = reader.name("tensor name", MAX_TENSOR_NAME)
    axes = reader.word("I")
    if axes > _MAX_DIMENSIONS:
        reader.fail(f"tensor {name!r} has {axes} dimensions; at most {_MAX_DIMENSIONS} are allowed")
    shape = tuple(reader.word("Q") for _ in range(axes))
    kind, offset = reader.word("I"), reader.word("Q")
    if kind not in _TYPES:
        reader.fail(f"tensor {name!r} has the unknown element type {kind}")
    word, block, block_size = _TYPES[kind]
    elements = math.prod(shape)
    if max(shape, default=1) >= _MAX_COUNT or elements >= _MAX_COUNT:
        reader.fail(f"tensor {name!r} has more elements than a signed 64-bit number can count")
    if (shape[0] if shape else 1) % block:
        reader.fail(f"tensor {name!r} has rows of {(*shape, 1)[0]}, which {word} cannot cut into blocks of {block}")
    return GgufTensor(name=name, type=word, shape=shape, offset=offset, size=elements // block * block_size)


def _check_layout(reader: _Reader, tensors: list[GgufTensor], alignment: int) -> None:
    """Offsets start where the header ends, rounded up; the order of the data may differ from that of the entries."""
    if alignment < 1 or alignment & (alignment - 1):
        raise InputError(f"{alignment} is not a power of two", where=f"{reader.where}, general.alignment", hint=_HINT)
    available = reader.source.size - -(-reader.position // alignment) * alignment
    names: set[str] = set()
    end = 0
    for tensor in sorted(tensors, key=lambda tensor: (tensor.offset, tensor.size)):
        problem = ""
        if tensor.name in names:
            problem = "appears twice"
        elif tensor.offset % alignment:
            problem = f"has the offset {tensor.offset}, which is not a multiple of {alignment}"
        elif tensor.offset < end:
            problem = f"overlaps the one before it: expected an offset of at least {end}, found {tensor.offset}"
        elif tensor.size and tensor.offset + tensor.size > available:
            problem = f"ends at {tensor.offset + tensor.size}, the file holds {max(available, 0)} bytes of tensor data"
        if problem:
            raise InputError(problem, where=f"{reader.where}, tensor {tensor.name!r}", hint=_HINT)
        names.add(tensor.name)
        end = tensor.offset + tensor.size
