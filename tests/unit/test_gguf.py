"""The GGUF header: what it says is kept, what it cannot say is refused with the place at fault."""

import hashlib
import math
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats import gguf
from aibom.formats.gguf import GgufHeader, GgufReference, parse_gguf
from tests.releases.writers import Tensor, gguf_bytes

U8, U32, FLOAT, BOOL, STRING, ARRAY, U64, DOUBLE = 0, 4, 6, 7, 8, 9, 10, 12
F32, Q8_0 = 0, 8


def string(value: str | bytes, order: str = "<") -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(f"{order}Q", len(raw)) + raw


def pair(key: str | bytes, kind: int, payload: bytes, order: str = "<") -> bytes:
    return string(key, order) + struct.pack(f"{order}I", kind) + payload


def text(key: str, value: str | bytes, order: str = "<") -> bytes:
    return pair(key, STRING, string(value, order), order)


def number(key: str, value: int) -> bytes:
    return pair(key, U32, struct.pack("<I", value))


def tensor(name: str | bytes, shape: Sequence[int], kind: int = F32, offset: int = 0, order: str = "<") -> bytes:
    layout = f"{order}I{len(shape)}QIQ"
    return string(name, order) + struct.pack(layout, len(shape), *shape, kind, offset)


def file_of(
    pairs: Sequence[bytes] = (),
    tensors: Sequence[bytes] = (),
    data: bytes = b"",
    *,
    version: int = 3,
    order: str = "<",
    counts: tuple[int, int] | None = None,
    alignment: int = 32,
) -> bytes:
    tensor_count, pair_count = counts or (len(tensors), len(pairs))
    head = b"GGUF" + struct.pack(f"{order}IQQ", version, tensor_count, pair_count) + b"".join([*pairs, *tensors])
    return head + (bytes(-len(head) % alignment) + data if data else b"")


def read(data: bytes) -> GgufHeader:
    return parse_gguf(BytesSource(data), "m.gguf")


def test_what_a_header_says() -> None:
    keys = ["architecture", "name", "author", "organization", "version", "description", "license", "license.name"]
    keys += ["license.link", "quantized_by"]
    header = read(
        file_of(
            [
                *(text(f"general.{key}", f"the {key} é") for key in keys),
                text("general.architecture.x", "other"),
                number("the architecture é.context_length", 4096),
                number("general.quantization_version", 2),
                pair("a", BOOL, b"\1"),
                pair("b", DOUBLE, struct.pack("<d", 0.5)),
            ],
            [tensor("t", [32, 2], Q8_0), tensor("u", [], offset=96)],
            bytes(100),
        )
    )
    assert (header.format_version, header.big_endian) == (3, False)
    stated = [getattr(header, key.replace("license.", "license_")) for key in keys]
    assert stated == [f"the {key} é" for key in keys]
    assert (header.metadata["a"], header.metadata["b"], header.context_length) == (True, 0.5, 4096)
    assert header.quantization_version == 2
    assert [(t.name, t.type, t.shape, t.offset, t.size) for t in header.tensors] == [
        ("t", "Q8_0", (32, 2), 0, 68),
        ("u", "F32", (), 96, 4),
    ]
    assert (header.parameters, header.element_types) == (65, {"F32": 1, "Q8_0": 1})


def test_what_is_not_said_stays_empty() -> None:
    header = read(file_of())
    assert (header.license, header.name, header.file_type, header.context_length, header.split) == (
        "",
        "",
        "",
        None,
        None,
    )
    assert (header.base_models, header.datasets, header.tensors, header.parameters) == ((), (), (), 0)


def test_a_licence_that_is_a_number_is_not_a_licence() -> None:
    assert read(file_of([number("general.license", 7)])).license == ""


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [2, 3])
def test_both_versions_and_byte_orders_are_read(version: int, order: str) -> None:
    array = pair("x", ARRAY, struct.pack(f"{order}IQ", STRING, 1) + string("tok", order), order)
    data = file_of(
        [array, text("general.name", "n", order)],
        [tensor("t", [2], order=order)],
        bytes(8),
        version=version,
        order=order,
    )
    header = read(data)
    assert (header.format_version, header.big_endian, header.name) == (version, order == ">", "n")
    assert header.tensors[0].shape == (2,)


def test_the_example_release_is_read() -> None:
    weight = Tensor(dtype="F16", shape=(2, 3), data=bytes(12))
    header = read(gguf_bytes({"general.architecture": "bert", "tokenizer.ggml.tokens": ["a", "b"]}, {"w": weight}))
    assert (header.architecture, header.tensors[0].shape, header.element_types) == ("bert", (3, 2), {"F16": 1})


def test_base_models_and_datasets() -> None:
    languages = pair("general.datasets", ARRAY, struct.pack("<IQ", STRING, 1) + string("org/old"))
    header = read(
        file_of(
            [
                text("general.base_model.10.name", "second"),
                text("general.base_model.2.name", "first"),
                text("general.base_model.2.organization", "o"),
                text("general.base_model.2.version", "v"),
                text("general.base_model.2.repo_url", "https://example.org/r"),
                text("general.base_model.2.doi", "10.1/x"),
                text("general.base_model.2.unheard_of", "x"),
                text("general.base_model.02.name", "x"),
                number("general.base_model.count", 2**32 - 1),
                text("general.dataset.0.uuid", "u"),
                languages,
            ]
        )
    )
    first = GgufReference(name="first", organization="o", version="v", repo_url="https://example.org/r", doi="10.1/x")
    assert header.base_models == (first, GgufReference(name="second"))
    assert header.datasets == (GgufReference(uuid="u"), GgufReference(name="org/old"))


@pytest.mark.parametrize(("stated", "name"), [(0, "ALL_F32"), (15, "MOSTLY_Q4_K_M"), (1024, "1024")])
def test_the_file_type_has_a_name_or_keeps_its_number(stated: int, name: str) -> None:
    assert read(file_of([number("general.file_type", stated)])).file_type == name


def test_a_part_of_a_split_model() -> None:
    parts = [number("split.no", 1), number("split.count", 3), number("split.tensors.count", 9)]
    assert read(file_of(parts)).split == (1, 3, 9)
    assert read(file_of(parts[:1])).split is None


def test_chat_templates_are_known_by_their_digest() -> None:
    header = read(file_of([text("tokenizer.chat_template", "{{ é }}"), text("tokenizer.chat_template.tool_use", "t")]))
    assert header.chat_templates == {
        "default": hashlib.sha256("{{ é }}".encode()).hexdigest(),
        "tool_use": hashlib.sha256(b"t").hexdigest(),
    }
    assert not header.metadata


def test_over_long_texts_and_values_without_json_are_only_named() -> None:
    header = read(
        file_of(
            [
                text("long", "x" * (gguf.MAX_TEXT + 1)),
                text("fits", "x" * gguf.MAX_TEXT),
                pair("nan", FLOAT, struct.pack("<f", math.nan)),
                pair("infinite", DOUBLE, struct.pack("<d", -math.inf)),
            ]
        )
    )
    assert header.omitted == ("long", "nan", "infinite")
    assert set(header.metadata) == {"fits"}


def test_only_short_lists_about_the_model_are_kept() -> None:
    def texts(key: str, count: int) -> bytes:
        return pair(key, ARRAY, struct.pack("<IQ", STRING, count) + string("en") * count)

    header = read(file_of([texts("general.tags", 2), texts("general.languages", 65), texts("tokenizer.tokens", 2)]))
    assert header.lists == {"general.tags": ("en", "en")}


@dataclass
class CountingSource:
    """Bytes that know how often they were asked for."""

    data: bytes
    reads: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        self.reads.append(length)
        return self.data[offset : offset + length]


def test_a_large_vocabulary_is_passed_over_in_few_reads() -> None:
    count = 150_000
    words = b"".join(string(f"token {n}") for n in range(count))
    numbers = pair("scores", ARRAY, struct.pack("<IQ", FLOAT, count) + bytes(4 * count))
    source = CountingSource(
        file_of([pair("tokens", ARRAY, struct.pack("<IQ", STRING, count) + words), numbers, text("general.name", "n")])
    )
    start = time.perf_counter()
    header = parse_gguf(source, "m")
    assert time.perf_counter() - start < 1
    assert header.name == "n"
    assert len(source.reads) < 10


def test_a_text_longer_than_the_window_is_passed_over() -> None:
    words = string("a" * 3_000_000) + string("b") + string("c" * 1_200_000)
    header = read(file_of([pair("t", ARRAY, struct.pack("<IQ", STRING, 3) + words), text("general.name", "n")]))
    assert header.name == "n"


def test_the_order_of_the_data_may_differ_from_that_of_the_entries() -> None:
    header = read(file_of([], [tensor("b", [8], offset=32), tensor("a", [8])], bytes(64)))
    assert [t.name for t in header.tensors] == ["b", "a"]


def test_the_stated_alignment_holds() -> None:
    data = file_of(
        [number("general.alignment", 8)], [tensor("a", [1]), tensor("b", [1], offset=8)], bytes(12), alignment=8
    )
    assert len(read(data).tensors) == 2


def test_a_tensor_without_elements_needs_no_data() -> None:
    assert read(file_of([], [tensor("a", [0, 5])])).tensors[0].size == 0


ONE = [tensor("t", [8])]
BAD: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "4 bytes are expected", "byte 0"),
    "another magic": (b"GGML" + bytes(20), "start with GGUF", "byte 0"),
    "version 1": (file_of(version=1), "version 1", "byte 4"),
    "version 4, big-endian": (file_of(version=4, order=">"), "version 4", "byte 4"),
    "cut off": (file_of([text("a", "b")])[:-1], "left", "byte 45"),
    "2^60 tensors": (file_of(counts=(2**60, 0)), "1152921504606846976 tensors", "byte 16"),
    "2^60 entries": (file_of(counts=(0, 2**60)), "1152921504606846976 metadata entries", "byte 24"),
    "more tensors than bytes": (file_of([], ONE, counts=(3, 0)), "3 tensors; at most 1 can", "byte 16"),
    "more entries than bytes": (file_of([number("a", 1)], counts=(0, 2)), "2 metadata entries; at most 1", "byte 24"),
    "an empty key": (file_of([number("", 1)]), "metadata key of 0 bytes", ""),
    "a key of 65536 bytes": (file_of([number("k" * 65_536, 1)]), "metadata key of 65536 bytes", ""),
    "a key that is not UTF-8": (file_of([pair(b"\xff", U8, b"1")]), "UTF-8", "byte 32"),
    "a key twice": (file_of([number("a", 1), number("a", 1)]), "'a' appears twice", ""),
    "an unknown value type": (file_of([pair("a", 13, bytes(8))]), "unknown type 13", ""),
    "a boolean of 2": (file_of([pair("a", BOOL, b"\2")]), "must be 0 or 1", ""),
    "a text past the end": (file_of([pair("a", STRING, struct.pack("<Q", 2**63))]), "9223372036854775808 bytes", ""),
    "a text that is not UTF-8": (file_of([text("a", b"\xc3")]), "UTF-8", ""),
    "an array of 2^60 texts": (
        file_of([pair("a", ARRAY, struct.pack("<IQ", STRING, 2**60))]),
        "1152921504606846976 texts",
        "",
    ),
    "an array of 2^60 numbers": (
        file_of([pair("a", ARRAY, struct.pack("<IQ", U64, 2**60))]),
        "1152921504606846976 array elements",
        "",
    ),
    "a text in an array past the end": (
        file_of([pair("a", ARRAY, struct.pack("<IQQ", STRING, 1, 2**62))]),
        "bytes are expected",
        "",
    ),
    "nested arrays": (file_of([pair("a", ARRAY, struct.pack("<IQIQ", ARRAY, 1, U8, 0))]), "nested", ""),
    "an array of an unknown type": (file_of([pair("a", ARRAY, struct.pack("<IQ", 99, 0))]), "type 99", ""),
    "an alignment of 3": (file_of([number("general.alignment", 3)]), "3 is not a power of two", "general.alignment"),
    "an alignment of 0": (file_of([number("general.alignment", 0)]), "0 is not a power of two", "general.alignment"),
    "an alignment in 64 bits": (file_of([pair("general.alignment", U64, struct.pack("<Q", 32))]), "32-bit", ""),
    "a large chat template": (
        file_of([text("tokenizer.chat_template", "x" * (gguf.MAX_TEMPLATE + 1))]),
        "chat template of 1048577 bytes",
        "",
    ),
    "two default chat templates": (
        file_of([text("tokenizer.chat_template", "x"), text("tokenizer.chat_template.default", "y")]),
        "'default' appears twice",
        "",
    ),
    "a tensor without a name": (file_of([], [tensor("", [8])], bytes(32)), "tensor name of 0 bytes", ""),
    "a tensor with a long name": (file_of([], [tensor("n" * 257, [8])], bytes(32)), "name of 257", ""),
    "five dimensions": (file_of([], [tensor("t", [1] * 5)], bytes(32)), "5 dimensions", ""),
    "an unknown element type": (file_of([], [tensor("t", [8], 4)], bytes(32)), "unknown element type 4", ""),
    "an overflowing shape": (file_of([], [tensor("t", [2**32, 2**31])], bytes(32)), "64-bit", ""),
    "an overflow hidden by a zero": (file_of([], [tensor("t", [0, 2**63])], bytes(32)), "64-bit", ""),
    "half a block": (file_of([], [tensor("t", [33], Q8_0)], bytes(99)), "blocks of 32", ""),
    "two equal tensors": (file_of([], [*ONE, tensor("t", [8], offset=32)], bytes(64)), "twice", "tensor 't'"),
    "an unaligned offset": (file_of([], [tensor("t", [8], offset=4)], bytes(64)), "multiple of 32", "tensor 't'"),
    "overlapping tensors": (
        file_of([], [tensor("t", [16]), tensor("u", [8], offset=32)], bytes(64)),
        "expected an offset of at least 64, found 32",
        "tensor 'u'",
    ),
    "a tensor past the end": (file_of([], ONE, bytes(31)), "holds 31 bytes", "tensor 't'"),
    "a tensor and no data": (file_of([], ONE), "holds 0 bytes", "tensor 't'"),
}


@pytest.mark.parametrize("name", BAD, ids=list(BAD))
def test_what_the_format_does_not_allow_is_refused(name: str) -> None:
    data, words, place = BAD[name]
    with pytest.raises(InputError) as caught:
        read(data)
    assert words in caught.value.message
    assert caught.value.where.startswith("m.gguf, ")
    assert place in caught.value.where
    assert caught.value.hint


@pytest.mark.parametrize(
    ("bound", "value", "data"),
    [
        ("MAX_HEADER", 40, file_of([text("a", "b" * 40)])),
        ("MAX_KEYS", 1, file_of([number("a", 1), number("b", 1)])),
        ("MAX_TENSORS", 1, file_of([], [tensor("a", [8]), tensor("b", [8], offset=32)], bytes(64))),
        ("MAX_KEPT", 8, file_of([text("a", "b" * 8)])),
        (
            "MAX_TEXTS",
            3,
            file_of([pair(k, ARRAY, struct.pack("<IQ", STRING, 2) + string("x") * 2) for k in ("a", "b")]),
        ),
    ],
)
def test_bounds_hold(monkeypatch: pytest.MonkeyPatch, bound: str, value: int, data: bytes) -> None:
    read(data)
    monkeypatch.setattr(gguf, bound, value)
    with pytest.raises(InputError):
        read(data)


def test_a_file_that_shrinks_is_refused() -> None:
    class Shrunk(CountingSource):
        @property
        def size(self) -> int:
            return len(self.data) + 100

    with pytest.raises(InputError, match="shorter"):
        parse_gguf(Shrunk(file_of([number("a", 1)], counts=(0, 2))), "m")
