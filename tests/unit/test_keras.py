"""Keras' archives and HDF5 files, the latter written message by message: no library of either is needed."""

import io
import json
import struct
import zipfile
from collections.abc import Sequence

import pytest

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats import hdf5
from aibom.formats.hdf5 import Hdf5File, parse_hdf5
from aibom.formats.keras import KerasArchive, KerasConfig, parse_keras, parse_keras_config, parse_keras_hdf5
from aibom.formats.pickle_globals import Safety

UNDEFINED = b"\xff" * 8
Message = tuple[int, bytes]
DENSE = {"class_name": "Dense", "module": "keras.layers", "config": {"units": 3}, "registered_name": None}
LAMBDA = {"class_name": "Lambda", "config": {"function": ["4wEAAAA=", None, None]}}


def model(*layers: object) -> dict[str, object]:
    return {"class_name": "Sequential", "module": "keras", "config": {"layers": list(layers)}}


def config(*layers: object) -> KerasConfig:
    return parse_keras_config(json.dumps(model(*layers)).encode(), "x")


def word(number: int) -> bytes:
    return struct.pack("<Q", number)


def header1(messages: Sequence[Message]) -> bytes:
    """An object header of the older kind."""
    body = b""
    for kind, content in messages:
        padded = content + bytes(-len(content) % 8)
        body += struct.pack("<HHB3x", kind, len(padded), 0) + padded
    return struct.pack("<BBHII4x", 1, 0, len(messages), 1, len(body)) + body


def header2(messages: Sequence[Message]) -> bytes:
    """An object header of the newer kind, with four bytes for its length."""
    body = b"".join(struct.pack("<BHB", kind, len(content), 0) + content for kind, content in messages)
    return b"OHDR\x02\x02" + struct.pack("<I", len(body)) + body + bytes(4)


def file0(*blocks: bytes) -> bytes:
    """A file with the oldest superblock; the first block, at byte 96, is the root's header."""
    head = hdf5.MAGIC + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + bytes(8) + word(0) + UNDEFINED * 3
    return head + word(0) + word(96) + bytes(24) + b"".join(blocks)


def file3(*blocks: bytes) -> bytes:
    """A file with the newest superblock; the root's header is at byte 48."""
    head = hdf5.MAGIC + bytes([3, 8, 8, 0]) + word(0) + UNDEFINED * 2 + word(48) + bytes(4)
    return head + b"".join(blocks)


def fixed(name: str, text: str, version: int = 1) -> Message:
    """An attribute whose text stands in place."""
    raw = text.encode()
    kind = bytes([0x13, 0, 0, 0]) + struct.pack("<I", len(raw))
    return attribute(name, kind, raw, version)


def attribute(name: str, kind: bytes, value: bytes, version: int = 1) -> Message:
    label, space = name.encode() + b"\0", bytes([1, 0, 0, 0, 0, 0, 0, 0])
    parts = [label, kind, space]
    if version == 1:
        parts = [part + bytes(-len(part) % 8) for part in parts]
    head = struct.pack("<BBHHH", version, 0, len(label), len(kind), len(space)) + (b"\0" if version == 3 else b"")
    return 0x0C, head + b"".join(parts) + value


def heap_text(name: str, length: int, address: int, index: int = 1) -> Message:
    """An attribute whose text stands in the global heap."""
    kind = bytes([0x19, 1, 0, 0]) + struct.pack("<I", 16) + bytes(8)
    return attribute(name, kind, struct.pack("<IQI", length, address, index), 3)


def heap(*texts: bytes) -> bytes:
    body = b"".join(
        struct.pack("<HHIQ", number, 1, 0, len(text)) + text + bytes(-len(text) % 8)
        for number, text in enumerate(texts, 1)
    )
    return b"GCOL\x01\0\0\0" + word(16 + len(body)) + body


def hard_link(name: str, address: int) -> Message:
    return 0x06, bytes([1, 0, len(name)]) + name.encode() + word(address)


def external_link(name: str, file: str, path: str) -> Message:
    target = b"\0" + file.encode() + b"\0" + path.encode() + b"\0"
    return 0x06, bytes([1, 0x08, 64, len(name)]) + name.encode() + struct.pack("<H", len(target)) + target


def parse(data: bytes) -> Hdf5File:
    return parse_hdf5(BytesSource(data), "x.h5")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_texts_at_the_root_are_read(version: int) -> None:
    messages = [fixed("keras_version", "2.9.0", version), fixed("backend", "tensorflow", version)]
    for data in (file0(header1(messages)), file3(header2(messages)), bytes(512) + file3(header2(messages))):
        shifted = data.replace(word(0) + UNDEFINED, word(512) + UNDEFINED, 1) if data[:1] == b"\0" else data
        result = parse(shifted)
        assert dict(result.attributes) == {"backend": "tensorflow", "keras_version": "2.9.0"}
        assert (result.examined, result.safety, result.objects) == (True, Safety.CLEAN, 1)


def test_long_texts_in_the_heap_are_read() -> None:
    text = json.dumps(model(DENSE)).encode()
    size = len(header2([heap_text("model_config", len(text), 0, 2)]))
    root = header2([heap_text("model_config", len(text), 48 + size, 2)])
    result = parse_keras_hdf5(BytesSource(file3(root, heap(b"other", text))), "x.h5")
    assert result.config is not None
    assert (result.config.layers, result.config.layer_classes, result.safety) == (1, ("Dense",), Safety.CLEAN)
    lost = parse(file3(root, heap(b"other")))
    assert "no object 2 in the global heap" in lost.problems[0]
    assert "no global heap" in parse(file3(root, b"X" * 100)).problems[0]


def test_a_model_and_its_lambda_are_found() -> None:
    data = file0(header1([fixed("model_config", json.dumps(model(DENSE, LAMBDA))), fixed("keras_version", "2.9.0")]))
    result = parse_keras_hdf5(BytesSource(data), "x.h5")
    assert (result.keras_version, result.safety) == ("2.9.0", Safety.DANGEROUS)
    assert result.reasons == ("a Lambda layer carries Python code",)
    broken = parse_keras_hdf5(BytesSource(file0(header1([fixed("model_config", "{")]))), "x.h5")
    assert (broken.config, broken.safety) == (None, Safety.UNKNOWN)
    assert broken.reasons[0].startswith("model_config cannot be read")


def test_groups_of_the_older_kind_are_followed() -> None:
    tree_at = 96 + len(header1([(0x11, bytes(16))]))
    node_at = tree_at + 24 + 24
    leaf_at = node_at + 8 + 80
    tree = b"TREE\0\0\x01\0" + UNDEFINED * 2 + word(0) + word(node_at) + word(0)
    entries = word(0) + word(leaf_at) + bytes(24) + word(0) + UNDEFINED + b"\x02" + bytes(23)
    leaf = header1([(0x07, bytes(8)), (0x08, b"\x03\x01")])
    result = parse(file0(header1([(0x11, word(tree_at) + word(0))]), tree, b"SNOD\x01\0\x02\0" + entries, leaf))
    assert (result.objects, result.datasets, result.external_storage, result.problems) == (2, 1, 1, ())
    assert result.reasons == ("1 datasets lie in other files",)
    assert result.safety is Safety.DANGEROUS


def test_links_into_other_files_are_found() -> None:
    root = header2([external_link("x", "other.h5", "/a"), hard_link("loop", 48)])
    result = parse(file3(root))
    assert (result.external_links, result.safety, result.objects) == (("other.h5: /a",), Safety.DANGEROUS, 1)
    assert result.reasons == ("links to another file: other.h5: /a",)


def test_virtual_datasets_are_found() -> None:
    assert parse(file3(header2([(0x08, b"\x04\x03" + bytes(12))]))).external_storage == 1
    assert parse(file3(header2([(0x08, b"\x04\x02" + bytes(12))]))).safety is Safety.CLEAN


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ((0x02, b"\0\0" + word(500) + UNDEFINED), "links of a large group"),
        ((0x02, b"\0\x01" + word(3) + word(500) + UNDEFINED), "links of a large group"),
        ((0x15, b"\0\0" + word(500) + UNDEFINED), "attributes of an object with many"),
        ((0x15, b"\0\x01\0\0" + word(500) + UNDEFINED), "attributes of an object with many"),
        ((0x11, word(40) + word(0)), "no group node at 40"),
        ((0x11, word(10**6) + word(0)), "lie outside the file"),
        (hard_link("a", 8), "no object header at 8"),
        ((0x10, word(2**63) + word(9)), "lie outside the file"),
        ((0x10, b""), "unpack"),
    ],
)
def test_what_is_not_followed_is_said(message: Message, words: str) -> None:
    result = parse(file3(header2([message])))
    assert (result.examined, result.safety) == (False, Safety.UNKNOWN)
    assert words in result.problems[0]


def test_what_is_absent_is_not_said() -> None:
    assert parse(file3(header2([(0x02, b"\0\0" + UNDEFINED * 2), (0x15, b"\0\0" + UNDEFINED * 2)]))).examined


def test_continued_headers_are_followed() -> None:
    kind, body = fixed("keras_version", "3")
    padded = body + bytes(-len(body) % 8)
    size = len(header1([(0x10, bytes(16))]))
    more = struct.pack("<HHB3x", kind, len(padded), 0) + padded
    result = parse(file0(header1([(0x10, word(96 + size) + word(len(more)))]), more))
    assert dict(result.attributes) == {"keras_version": "3"}
    newer = b"OCHK" + struct.pack("<BHB", kind, len(body), 0) + body + bytes(4)
    size = len(header2([(0x10, bytes(16))]))
    result = parse(file3(header2([(0x10, word(48 + size) + word(len(newer)))]), newer))
    assert dict(result.attributes) == {"keras_version": "3"}


@pytest.mark.parametrize(
    ("bound", "value", "words"),
    [
        ("MAX_OBJECTS", 1, "more than 1 objects"),
        ("MAX_MESSAGES", 1, "more than 1 messages"),
        ("MAX_HEADER", 10, "more than 10 bytes"),
        ("MAX_READ", 40, "more than 40 bytes of structure"),
    ],
)
def test_bounds_stop_the_reading(monkeypatch: pytest.MonkeyPatch, bound: str, value: int, words: str) -> None:
    monkeypatch.setattr(hdf5, bound, value)
    at = 48 + len(header2([hard_link("a", 0), hard_link("b", 0)]))
    result = parse(file3(header2([hard_link("a", at), hard_link("b", at)]), header2([(0, b"12345678")])))
    assert words in result.problems[0]


def test_attributes_and_links_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5, "MAX_ATTRIBUTES", 1)
    monkeypatch.setattr(hdf5, "MAX_LINKS", 1)
    links = [external_link("a", "f", "a"), external_link("b", "f", "b")]
    result = parse(file3(header2([fixed("a", "1"), fixed("b", "2"), *links])))
    assert (len(result.attributes), len(result.external_links)) == (1, 1)


@pytest.mark.parametrize("data", [b"", b"\x89HDF", hdf5.MAGIC, hdf5.MAGIC + b"\x04" + bytes(200)])
def test_what_is_not_hdf5_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError, match=r"HDF5 signature|superblock version"):
        parse(data)


def test_other_widths_are_not_followed() -> None:
    data = file3(header2([])).replace(b"\x03\x08\x08", b"\x03\x04\x08")
    assert parse(data).problems == ("offsets and lengths of (4, 8) bytes are not followed",)


def test_a_plain_model_is_clean() -> None:
    result = config(DENSE, DENSE, {"class_name": "Flatten", "config": {}})
    assert (result.class_name, result.layers, result.layer_classes) == ("Sequential", 3, ("Dense", "Flatten"))
    assert (result.safety, result.reasons) == (Safety.CLEAN, ())
    listed = parse_keras_config(json.dumps({"class_name": "Sequential", "config": [DENSE]}).encode(), "x")
    assert listed.layers == 1


@pytest.mark.parametrize(
    ("layer", "level", "reason"),
    [
        (LAMBDA, Safety.DANGEROUS, "a Lambda layer carries Python code"),
        ({"class_name": "X", "registered_name": "keras>Lambda"}, Safety.DANGEROUS, "a Lambda layer carries"),
        ({"class_name": "__lambda__", "config": {"value": "x"}}, Safety.DANGEROUS, "a lambda carries Python code"),
        ({"class_name": "TorchModuleWrapper", "module": "keras.layers"}, Safety.DANGEROUS, "a TorchModuleWrapper"),
        ({"class_name": "system", "module": "os", "config": {}}, Safety.DANGEROUS, "needs system of the module os"),
        ({"class_name": "Mine", "module": "pkg.layers"}, Safety.UNKNOWN, "needs Mine of the module pkg.layers"),
        ({"class_name": "get_file", "module": "keras.utils"}, Safety.DANGEROUS, "needs keras.utils.get_file, which"),
        ({"class_name": "M", "registered_name": "mine>M"}, Safety.UNKNOWN, "needs the registered class mine>M"),
        ({"class_name": "function", "module": "builtins", "config": "f"}, Safety.UNKNOWN, "needs the function f"),
        ({"class_name": "TFOpLambda", "config": {"function": "io.write_file"}}, Safety.DANGEROUS, "runs the TensorFl"),
        ({"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}, Safety.UNKNOWN, "reads a vocabulary"),
    ],
)
def test_what_is_not_keras_own_is_flagged(layer: dict[str, object], level: Safety, reason: str) -> None:
    nested = {"class_name": "Bidirectional", "config": {"layer": [layer]}}
    for result in (config(layer), config(DENSE, nested)):
        assert result.safety is level
        assert result.reasons[0].startswith(reason)


def test_harmless_forms_are_not_flagged() -> None:
    assert config({"class_name": "TFOpLambda", "config": {"function": "math.add"}}).safety is Safety.CLEAN
    assert config({"class_name": "__numpy__", "module": "builtins", "config": {}}).safety is Safety.CLEAN
    assert config({"class_name": "D", "registered_name": "keras>D"}).safety is Safety.CLEAN


def archive(members: dict[str, bytes]) -> KerasArchive:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
    return parse_keras(BytesSource(buffer.getvalue()), "x.keras")


def test_an_archive_is_read_with_its_weights() -> None:
    metadata = {"keras_version": "3.6.0", "date_saved": "2026-01-01@00:00:00"}
    members = {"metadata.json": json.dumps(metadata).encode(), "config.json": json.dumps(model(DENSE)).encode()}
    clean = archive(members | {"model.weights.h5": file3(header2([]))})
    assert (clean.keras_version, clean.date_saved) == ("3.6.0", "2026-01-01@00:00:00")
    assert (clean.config.layers, clean.weights, clean.safety) == (1, ("model.weights.h5",), Safety.CLEAN)
    reaching = archive(members | {"model.weights.h5": file3(header2([external_link("a", "f", "/")]))})
    assert (reaching.safety, reaching.reasons) == (
        Safety.DANGEROUS,
        ("model.weights.h5: links to another file: f: /",),
    )
    damaged = archive(members | {"model.weights.h5": b"x"})
    assert (damaged.safety, len(damaged.problems)) == (Safety.UNKNOWN, 1)


def test_an_archive_without_a_configuration_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"without config\.json"):
        archive({"a": b""})
    with pytest.raises(InputError, match="not JSON"):
        archive({"config.json": b"{"})


def test_files_of_weights_are_counted() -> None:
    with pytest.raises(InputError, match="at most 16 are read"):
        archive({f"{number}.h5": b"" for number in range(17)} | {"config.json": b"{}"})
