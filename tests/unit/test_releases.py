"""The releases that tests are made from: complete, the same in every run, and valid where they should be."""

import hashlib
import json
import os
import pickletools
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from safetensors import SafetensorError, deserialize

from tests.releases.example import write_example
from tests.releases.files import MTIME
from tests.releases.hostile import HOSTILE, write_hostile
from tests.releases.small import write_small
from tests.releases.wire import array, i32, record, varint

EXAMPLE_FILES = [
    ".gitattributes",
    "CITATION.cff",
    "Dockerfile",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "adapters/nl-lora/adapter_config.json",
    "adapters/nl-lora/adapter_model.safetensors",
    "config.json",
    "data/README.md",
    "data/croissant.json",
    "data/test.jsonl",
    "data/train.csv",
    "data/train.parquet",
    "docs/datasheet.md",
    "docs/risk-assessment.md",
    "emissions.csv",
    "eval/all_results.json",
    "eval/lm_eval_results.json",
    "generation_config.json",
    "gguf/sentimind-small-v2-f16.gguf",
    "legacy/scaler.pkl",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
    "onnx/model.onnx",
    "pyproject.toml",
    "pytorch_model.bin",
    "requirements.txt",
    "sentimind/__init__.py",
    "sentimind/serve.py",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "train.py",
    "training_args.json",
    "vocab.txt",
]

SMALL_FILES = [
    ".gitattributes",
    "LICENSE",
    "README.md",
    "config.json",
    "data/train.csv",
    "docs/usage.md",
    "inference.py",
    "model.safetensors",
    "requirements.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "train.py",
]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example")
    write_example(folder)
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_small(tmp_path)
    return tmp_path


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    write_hostile(tmp_path)
    return tmp_path


def tensors(content: bytes) -> dict[str, dict[str, Any]]:
    """Return what the safetensors library reads: shape, dtype and data by name.

    Not ``safe_open``, which wants an array library.
    """
    return dict(deserialize(content))  # type: ignore[no-untyped-call]


def snapshot(folder: Path) -> dict[str, tuple[float, bytes]]:
    """Return time and content of every file and link, by path, without following links."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(parent, name)
            if path.is_symlink():
                content = os.fsencode(path.readlink())
            elif path.is_file():
                content = path.read_bytes()
            else:
                continue
            found[path.relative_to(folder).as_posix()] = (path.lstat().st_mtime, content)
    return found


@pytest.mark.parametrize("write", [write_example, write_small, write_hostile])
def test_two_calls_write_the_same_files(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "first")
    write(tmp_path / "second")
    first = snapshot(tmp_path / "first")
    assert first == snapshot(tmp_path / "second")
    assert {time for time, _ in first.values()} == {MTIME}
    write(tmp_path / "first")
    assert first == snapshot(tmp_path / "first")


def test_example_holds_the_expected_files_in_less_than_three_megabytes(example: Path) -> None:
    found = snapshot(example)
    assert sorted(found) == EXAMPLE_FILES
    assert sum(len(content) for _, content in found.values()) < 3_000_000


def test_scale_multiplies_the_largest_tensor_and_its_configuration(example: Path, tmp_path: Path) -> None:
    write_example(tmp_path, scale=3)
    name = "distilbert.embeddings.word_embeddings.weight"
    rows = {}
    for folder in (example, tmp_path):
        shard = tensors((folder / "model-00001-of-00002.safetensors").read_bytes())
        rows[folder] = shard[name]["shape"][0]
        assert json.loads((folder / "config.json").read_bytes())["vocab_size"] == rows[folder]
    assert rows[tmp_path] == 3 * rows[example] == 6000


def test_index_says_which_tensor_is_in_which_shard(example: Path) -> None:
    index = json.loads((example / "model.safetensors.index.json").read_bytes())
    weight_map: dict[str, str] = {}
    size = 0
    for path in sorted(example.glob("model-*.safetensors")):
        shard = tensors(path.read_bytes())
        weight_map |= dict.fromkeys(shard, path.name)
        size += sum(len(tensor["data"]) for tensor in shard.values())
    assert len(set(weight_map.values())) == 2
    assert index == {"metadata": {"total_size": size}, "weight_map": weight_map}


def test_weights_carry_their_metadata_and_finite_values(example: Path) -> None:
    content = (example / "adapters" / "nl-lora" / "adapter_model.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0
    assert json.loads(content[8 : 8 + length])["__metadata__"] == {"format": "pt"}
    ((name, tensor),) = tensors(content).items()
    assert (name, tensor["dtype"], tensor["shape"]) == (
        "base_model.model.q_lin.lora_A.weight",
        "F32",
        [8, 32],
    )
    values = struct.unpack("<256f", tensor["data"])
    assert all(abs(value) < 2 for value in values)
    assert len(set(values)) > 250


def test_torch_file_is_a_sound_zip_that_names_only_tensor_globals(example: Path) -> None:
    with zipfile.ZipFile(example / "pytorch_model.bin") as archive:
        assert archive.testzip() is None
        stream = archive.read("archive/data.pkl")
    assert pickled_globals(stream) == {
        "collections OrderedDict",
        "torch FloatStorage",
        "torch._utils _rebuild_tensor_v2",
    }


def test_legacy_pickle_calls_the_shell(example: Path) -> None:
    assert pickled_globals((example / "legacy" / "scaler.pkl").read_bytes()) == {"posix system"}


def pickled_globals(stream: bytes) -> set[object]:
    # genops reads without running anything, and refuses a stream that does not end in STOP.
    return {value for opcode, value, _ in pickletools.genops(stream) if opcode.name == "GLOBAL"}


def test_gguf_is_version_3_and_aligned(example: Path) -> None:
    content = (example / "gguf" / "sentimind-small-v2-f16.gguf").read_bytes()
    counts = [int.from_bytes(content[start : start + 8], "little") for start in (8, 16)]
    assert content[:8] == b"GGUF\x03\0\0\0"
    assert counts == [6, 21]
    assert len(content) % 32 == 0
    assert b"general.base_model.0.repo_url" in content


def test_onnx_starts_with_its_versions_and_ends_with_its_licence(example: Path) -> None:
    content = (example / "onnx" / "model.onnx").read_bytes()
    assert content.startswith(b"\x08\x08\x12\x07optimum\x1a\x061.24.0")
    assert content.endswith(b"\x72\x15\x0a\x07license\x12\x0aapache-2.0")


def test_parquet_footer_lies_between_the_pages_and_the_last_magic(example: Path) -> None:
    content = (example / "data" / "train.parquet").read_bytes()
    length = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - length : -8]
    assert content[:4] == content[-4:] == b"PAR1"
    assert footer.startswith(b"\x15\x02\x19\x3c")  # version 1, then a list of three structs: the schema
    assert footer.endswith(b"\0")


def test_croissant_digests_are_those_of_the_files(example: Path) -> None:
    described = json.loads((example / "data" / "croissant.json").read_bytes())["distribution"]
    assert [entry["name"] for entry in described] == ["train.csv", "train.parquet"]
    for entry in described:
        content = (example / "data" / entry["contentUrl"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()


def test_small_release_holds_the_expected_files_and_two_tensors(small: Path) -> None:
    assert sorted(snapshot(small)) == SMALL_FILES
    shapes = {name: tensor["shape"] for name, tensor in tensors((small / "model.safetensors").read_bytes()).items()}
    assert shapes == {"model.embed_tokens.weight": [8, 8], "model.norm.weight": [8]}


def test_small_card_names_licence_base_model_data_set_and_metric(small: Path) -> None:
    card = yaml.safe_load((small / "README.md").read_text().split("---\n")[1])
    assert (card["license"], card["pipeline_tag"]) == ("mit", "text-generation")
    assert (card["base_model"], card["datasets"]) == ("example-lab/tiny-base", ["example-lab/tiny-tales"])
    assert [metric["value"] for metric in card["model-index"][0]["results"][0]["metrics"]] == [12.5]


def test_small_requirements_have_every_kind_of_line(small: Path) -> None:
    lines = (small / "requirements.txt").read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert len(lines) - len(requirements) == 2
    assert [str(requirement.specifier) for requirement in requirements] == [
        "==2.6.0",
        "<5,>=4.48",
        "==0.34.0",
        "",
    ]
    assert [bool(requirement.extras and requirement.marker) for requirement in requirements].count(True) == 1


def test_hostile_folders_are_those_listed(hostile: Path) -> None:
    assert sorted(path.name for path in hostile.iterdir()) == sorted(HOSTILE)
    assert len(HOSTILE) == 13
    assert not any((hostile / "empty_dir").iterdir())


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("trunc_header", "invalid header length"),
        ("huge_header", "header too large"),
        ("junk_header", "invalid UTF-8 in header"),
        ("deep_json", "invalid type: sequence"),
        ("lfs_pointer", "header too large"),
    ],
)
def test_hostile_weights_are_refused_by_safetensors(hostile: Path, case: str, reason: str) -> None:
    with pytest.raises(SafetensorError, match=reason):
        tensors((hostile / case / "model.safetensors").read_bytes())


def test_hostile_gguf_announces_more_than_it_holds(hostile: Path) -> None:
    content = (hostile / "trunc_gguf" / "m.gguf").read_bytes()
    assert content[:8] == b"GGUF\x03\0\0\0"
    assert int.from_bytes(content[8:16], "little") == int.from_bytes(content[16:], "little") == 2**60


def test_hostile_onnx_starts_with_a_field_number_that_no_message_has(hostile: Path) -> None:
    # A key of zero: field 0, which Protocol Buffers reserves.
    assert (hostile / "bad_onnx" / "m.onnx").read_bytes()[0] == 0


def test_file_with_a_name_outside_utf8_is_otherwise_valid(hostile: Path) -> None:
    (path,) = (hostile / "nonutf8_name").iterdir()
    assert os.fsencode(path.name) == b"m\xff\xe9.safetensors"
    assert list(tensors(path.read_bytes())) == ["a"]


def test_links_lead_round_in_circles_and_out(hostile: Path) -> None:
    links = {path.name: str(path.readlink()) for path in (hostile / "symlink_loop").iterdir() if path.is_symlink()}
    assert links == {"self": ".", "l1": "l2", "l2": "l1", "up": "..", "passwd.safetensors": "/etc/passwd"}


@pytest.mark.parametrize("case", ["nonutf8_readme", "bad_yaml"])
def test_hostile_texts_are_broken(hostile: Path, case: str) -> None:
    with pytest.raises((UnicodeDecodeError, json.JSONDecodeError)):
        json.loads((hostile / case / "config.json").read_bytes())
    with pytest.raises((UnicodeDecodeError, yaml.YAMLError)):
        yaml.safe_load((hostile / case / "README.md").read_bytes().decode().split("---\n")[1])


def test_yaml_bomb_is_small_and_nests_nine_times(hostile: Path) -> None:
    content = (hostile / "yaml_bomb" / "README.md").read_text()
    assert len(content) < 1000
    # Aliases are shared while loading, so this stays small; only a walk through it would explode.
    value = yaml.safe_load(content.split("---\n")[1])["i"]
    depth = 0
    while isinstance(value, list):
        assert len(value) == 9
        value, depth = value[0], depth + 1
    assert depth == 9


@pytest.mark.parametrize(("number", "encoded"), [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02")])
def test_varint_carries_seven_bits_a_byte(number: int, encoded: str) -> None:
    assert varint(number).hex() == encoded


@pytest.mark.parametrize("items", [0, 15])
def test_thrift_list_refuses_what_a_short_header_cannot_say(items: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 14 items is expected, not {items}"):
        array([i32(1)] * items)


@pytest.mark.parametrize("second", [1, 17])
def test_thrift_record_refuses_what_a_short_header_cannot_say(second: int) -> None:
    with pytest.raises(ValueError, match=f"field {second} cannot follow field 1"):
        record((1, i32(0)), (second, i32(0)))
