"""The unlike releases and the places they may lie in: complete, the same in every run, consistent with themselves."""

import ast
import csv
import hashlib
import io
import json
import math
import os
import pickletools
import shutil
import struct
import subprocess
import tarfile
import tomllib
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from safetensors import deserialize

from tests.releases import diffusion, git_checkout, hub_cache, language_model, tabular
from tests.releases.diffusion import write_diffusion
from tests.releases.files import MTIME, put
from tests.releases.git_checkout import COMMIT_TIME, REMOTE, TAG, Form, head_commit, write_git_checkout
from tests.releases.hub_cache import OUTSIDE, write_hub_cache
from tests.releases.language_model import write_language_model
from tests.releases.small import write_small
from tests.releases.tabular import write_tabular
from tests.releases.writers import Tensor, gguf_bytes, npy_bytes, png_bytes, tensor_of, values_of

LANGUAGE_MODEL_FILES = [
    ".gitattributes",
    "CITATION.cff",
    "Dockerfile",
    "LICENSE",
    "README.md",
    "USE_POLICY.md",
    "chat_template.jinja",
    "config.json",
    "fjord-1b-chat-F16.gguf",
    "fjord-1b-chat-Q4_0.gguf",
    "generation_config.json",
    "model-00001-of-00003.safetensors",
    "model-00002-of-00003.safetensors",
    "model-00003-of-00003.safetensors",
    "model.safetensors.index.json",
    "modeling_fjord.py",
    "pyproject.toml",
    "results/lm_eval_2026-03-01.json",
    "special_tokens_map.json",
    "src/fjord_chat/__init__.py",
    "src/fjord_chat/serve.py",
    "src/fjord_chat/train.py",
    "tokenizer.json",
    "tokenizer_config.json",
    "uv.lock",
]

DIFFUSION_FILES = [
    ".gitattributes",
    "LICENSE",
    "README.md",
    "loras/pixel-art/README.md",
    "loras/pixel-art/pytorch_lora_weights.safetensors",
    "model_index.json",
    "requirements.txt",
    "samples/harbour.png",
    "samples/lantern.png",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "textual_inversion/lantern-style/learned_embeds.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json",
    "train/shard-000000.tar",
    "train/shard-000001.tar",
    "train_text_to_image.py",
    "unet/config.json",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
]

TABULAR_FILES = [
    "LICENSE",
    "MLmodel",
    "README.md",
    "conda.yaml",
    "data/README.md",
    "data/croissant.json",
    "data/test.csv",
    "data/train.parquet",
    "input_example.json",
    "metrics.json",
    "model.joblib",
    "model.onnx",
    "model.skops",
    "notebooks/train.ipynb",
    "params.yaml",
    "python_env.yaml",
    "requirements.txt",
]


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("language")
    write_language_model(folder)
    return folder


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    write_diffusion(folder)
    return folder


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    write_tabular(folder)
    return folder


def snapshot(folder: Path) -> dict[str, tuple[float, bytes]]:
    """Return time and content of every file and link, by path, without following links."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_symlink():
            content = os.fsencode(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        else:
            continue
        found[path.relative_to(folder).as_posix()] = (path.lstat().st_mtime, content)
    return found


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def front_matter(path: Path) -> Any:
    return yaml.safe_load(path.read_text().split("---\n")[1])


def tensors(path: Path) -> dict[str, dict[str, Any]]:
    """Return what the safetensors library reads: shape, dtype and data by name."""
    return dict(deserialize(path.read_bytes()))  # type: ignore[no-untyped-call]


def cached(folder: Path) -> None:
    write_hub_cache(folder, write_small, escape=True)


def checked_out(form: Form) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        write_git_checkout(folder, write_small, form=form)

    return write


@pytest.mark.parametrize(
    "write",
    [
        write_language_model,
        write_diffusion,
        write_tabular,
        cached,
        checked_out("branch"),
        checked_out("packed"),
        checked_out("separate"),
    ],
)
def test_two_calls_write_the_same_files(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "first")
    write(tmp_path / "second")
    first = snapshot(tmp_path / "first")
    assert first == snapshot(tmp_path / "second")
    assert {time for time, _ in first.values()} == {MTIME}
    write(tmp_path / "first")
    assert first == snapshot(tmp_path / "first")


@pytest.mark.parametrize(
    ("release", "expected"),
    [("language", LANGUAGE_MODEL_FILES), ("images", DIFFUSION_FILES), ("tables", TABULAR_FILES)],
)
def test_releases_hold_the_expected_files_in_less_than_300_kilobytes(
    release: str, expected: list[str], request: pytest.FixtureRequest
) -> None:
    found = snapshot(request.getfixturevalue(release))
    assert sorted(found) == expected
    assert sum(len(content) for _, content in found.values()) < 300_000


# The language model


def shards(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    return {path.name: tensors(path) for path in sorted(folder.glob("model-*.safetensors"))}


def test_index_says_which_tensor_is_in_which_of_three_shards(language: Path) -> None:
    found = shards(language)
    weight_map = {name: shard for shard, members in found.items() for name in members}
    size = sum(len(tensor["data"]) for members in found.values() for tensor in members.values())
    assert len(found) == 3
    assert read_json(language / "model.safetensors.index.json") == {
        "metadata": {"total_parameters": size // 2, "total_size": size},
        "weight_map": weight_map,
    }


def test_shapes_of_the_language_model_are_those_of_its_configuration(language: Path) -> None:
    config = read_json(language / "config.json")
    found = {name: tensor for members in shards(language).values() for name, tensor in members.items()}
    hidden, head = config["hidden_size"], config["head_dim"]
    queries, keys = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    layer = "model.layers.1"
    assert {tensor["dtype"] for tensor in found.values()} == {"BF16"}
    assert found["model.embed_tokens.weight"]["shape"] == [config["vocab_size"], hidden] == [64, 16]
    assert found[f"{layer}.self_attn.q_proj.weight"]["shape"] == [queries, hidden]
    assert found[f"{layer}.self_attn.k_proj.weight"]["shape"] == [keys, hidden]
    assert found[f"{layer}.self_attn.o_proj.weight"]["shape"] == [hidden, queries]
    assert found[f"{layer}.mlp.down_proj.weight"]["shape"] == [hidden, config["intermediate_size"]]
    assert {name.split(".")[2] for name in found if ".layers." in name} == {"0", "1"}
    assert config["num_hidden_layers"] == 2
    assert config["tie_word_embeddings"]
    assert "lm_head.weight" not in found


def test_vocabulary_has_the_size_that_the_configuration_says(language: Path) -> None:
    tokenizer = read_json(language / "tokenizer.json")
    index = tokenizer["model"]["vocab"]
    assert sorted(index.values()) == list(range(read_json(language / "config.json")["vocab_size"]))
    assert all(index[token["content"]] == token["id"] for token in tokenizer["added_tokens"])
    assert set(read_json(language / "special_tokens_map.json").values()) <= set(index)


def test_configuration_names_the_class_in_the_code_beside_it(language: Path) -> None:
    module, name = read_json(language / "config.json")["auto_map"]["AutoModelForCausalLM"].split(".")
    tree = ast.parse((language / f"{module}.py").read_text())
    assert [node.name for node in tree.body if isinstance(node, ast.ClassDef)] == [name]


def test_the_first_of_two_chat_templates_is_the_one_in_its_own_file_and_in_gguf(language: Path) -> None:
    templates = read_json(language / "tokenizer_config.json")["chat_template"]
    assert [entry["name"] for entry in templates] == ["default", "tool_use"]
    default = (language / "chat_template.jinja").read_text()
    metadata, _ = read_gguf(language / "fjord-1b-chat-F16.gguf")
    assert templates[0]["template"] == default == metadata["tokenizer.chat_template"]
    assert templates[1]["template"] == metadata["tokenizer.chat_template.tool_use"] != default


def read_gguf(path: Path) -> tuple[dict[str, Any], dict[str, tuple[int, tuple[int, ...], bytes]]]:
    """Return the metadata, and type, shape and data of the tensors by name."""
    stream = io.BytesIO(path.read_bytes())

    def number(code: str) -> Any:
        return struct.unpack(f"<{code}", stream.read(struct.calcsize(code)))[0]

    def text() -> str:
        return stream.read(number("Q")).decode()

    def value(kind: int) -> Any:
        if kind == 9:
            inner, count = number("I"), number("Q")
            return [value(inner) for _ in range(count)]
        return text() if kind == 8 else number({4: "I", 6: "f", 7: "?"}[kind])

    assert stream.read(8) == b"GGUF\x03\0\0\0"
    tensor_count, count = number("Q"), number("Q")
    metadata = {text(): value(number("I")) for _ in range(count)}
    infos = []
    for _ in range(tensor_count):
        name, rank = text(), number("I")
        infos.append((name, tuple(number("Q") for _ in range(rank))[::-1], number("I"), number("Q")))
    start = -(-stream.tell() // 32) * 32
    found = {}
    end = 0
    for name, shape, kind, offset in infos:
        assert offset == -(-end // 32) * 32
        block, size = {0: (1, 4), 1: (1, 2), 2: (32, 18)}[kind]
        assert shape[-1] % block == 0
        end = offset + math.prod(shape) // block * size
        stream.seek(start + offset)
        found[name] = (kind, shape, stream.read(end - offset))
    assert stream.seek(0, io.SEEK_END) == start + -(-end // 32) * 32
    return metadata, found


@pytest.mark.parametrize(
    ("name", "file_type", "kinds"), [("F16", 1, {"0": 5, "1": 15}), ("Q4_0", 2, {"0": 5, "1": 11, "2": 4})]
)
def test_conversions_hold_every_tensor_in_their_own_types(
    language: Path, name: str, file_type: int, kinds: dict[str, int]
) -> None:
    metadata, found = read_gguf(language / f"fjord-1b-chat-{name}.gguf")
    occurring = [str(kind) for kind, _, _ in found.values()]
    assert metadata["general.file_type"] == file_type
    assert {kind: occurring.count(kind) for kind in set(occurring)} == kinds
    ours = [tensor["shape"] for members in shards(language).values() for tensor in members.values()]
    assert sorted(list(shape) for _, shape, _ in found.values()) == sorted(ours)


def test_conversion_agrees_with_card_and_configuration(language: Path) -> None:
    metadata, _ = read_gguf(language / "fjord-1b-chat-Q4_0.gguf")
    config, card = read_json(language / "config.json"), front_matter(language / "README.md")
    assert metadata["general.base_model.0.repo_url"].endswith(language_model.MODEL)
    assert metadata["general.license"] == card["license_name"] == "llama3.1"
    assert metadata["general.datasets"] == card["datasets"]
    assert metadata["llama.attention.head_count_kv"] == config["num_key_value_heads"]
    assert metadata["llama.rope.freq_base"] == config["rope_theta"]
    assert len(metadata["tokenizer.ggml.tokens"]) == metadata["llama.vocab_size"] == config["vocab_size"]
    assert metadata["tokenizer.ggml.add_bos_token"] is True


def bfloat16(tensor: dict[str, Any]) -> tuple[float, ...]:
    return values_of(Tensor(dtype="BF16", shape=tuple(tensor["shape"]), data=bytes(tensor["data"])))


def test_converted_weights_are_those_of_the_shards(language: Path) -> None:
    first = shards(language)["model-00001-of-00003.safetensors"]
    halves, (_, quarters) = (
        read_gguf(language / "fjord-1b-chat-F16.gguf")[1],
        read_gguf(language / "fjord-1b-chat-Q4_0.gguf"),
    )
    embedding = bfloat16(first["model.embed_tokens.weight"])
    assert struct.unpack("<1024e", halves["token_embd.weight"][2]) == pytest.approx(embedding, abs=1e-3)
    queries = bfloat16(first["model.layers.0.self_attn.q_proj.weight"])
    rows = [queries[start : start + 16] for start in range(0, len(queries), 16)]
    reordered = [
        value for head in range(4) for pair in range(4) for half in (0, 4) for value in rows[head * 8 + pair + half]
    ]
    assert struct.unpack("<512e", halves["blk.0.attn_q.weight"][2]) == pytest.approx(reordered, abs=1e-3)
    output = bfloat16(first["model.layers.0.self_attn.o_proj.weight"])
    assert four_bits(quarters["blk.0.attn_output.weight"][2]) == pytest.approx(output, abs=0.27)


def four_bits(data: bytes) -> list[float]:
    """Undo Q4_0: a block is a scale, then the codes of the first half in low bits, of the second in high bits."""
    values = []
    for start in range(0, len(data), 18):
        (scale,) = struct.unpack("<e", data[start : start + 2])
        packed = data[start + 2 : start + 18]
        values += [scale * ((byte & 15) - 8) for byte in packed] + [scale * ((byte >> 4) - 8) for byte in packed]
    return values


def test_four_bit_block_of_zeros_and_of_one_step_each_is_exact() -> None:
    # ggml divides by -8, which makes of a zero a negative one.
    assert tensor_of("Q4_0", (32,), [0.0] * 32).data == struct.pack("<e", -0.0) + b"\x88" * 16
    steps = [float(number % 16 - 8) for number in range(32)]
    assert four_bits(tensor_of("Q4_0", (32,), steps).data) == steps


def test_card_shows_the_scores_of_the_results_in_bold(language: Path) -> None:
    results = read_json(language / "results" / "lm_eval_2026-03-01.json")
    card = (language / "README.md").read_text()
    assert len(results["results"]) == 2
    for task, scores in results["results"].items():
        score, error = scores["acc_norm,none"], scores["acc_norm_stderr,none"]
        assert f"| {task} | acc_norm | **{score}** ± {error} |" in card
        count = results["n-samples"][task]["effective"]
        assert error == pytest.approx(math.sqrt(score * (1 - score) / count), abs=1e-4)


def test_card_of_the_language_model_has_the_headings_of_its_kind(language: Path) -> None:
    lines = (language / "README.md").read_text().splitlines()
    headings = [line.lstrip("# ") for line in lines if line.startswith("##")]
    expected = ["Model Details", "Uses", "Out-of-Scope Use", "Training Data", "Training Hyperparameters", "Evaluation"]
    assert [heading for heading in headings if heading in expected] == expected
    assert any("412 kWh" in line for line in lines)
    card = front_matter(language / "README.md")
    assert (card["license"], card["license_link"], card["base_model_relation"]) == ("other", "LICENSE", "finetune")
    assert (tuple(card["base_model"]), tuple(card["datasets"])) == (language_model.BASES, language_model.DATA_SETS)
    assert "Llama 3.1 Community License" in (language / "LICENSE").read_text()


def test_lock_pins_what_the_project_asks_for(language: Path) -> None:
    project = tomllib.loads((language / "pyproject.toml").read_text())["project"]
    lock = {package["name"]: package for package in tomllib.loads((language / "uv.lock").read_text())["package"]}
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    for requirement in map(Requirement, project["dependencies"] + extras):
        assert requirement.specifier.contains(lock[requirement.name]["version"])
    assert lock[project["name"]]["version"] == project["version"]
    assert list(lock[project["name"]]["optional-dependencies"]) == list(project["optional-dependencies"])
    assert all(len(package["wheels"][0]["hash"]) == 71 for package in lock.values() if "wheels" in package)


def test_citation_alone_names_an_older_version(language: Path) -> None:
    citation = yaml.safe_load((language / "CITATION.cff").read_text())
    project = tomllib.loads((language / "pyproject.toml").read_text())["project"]
    metadata, _ = read_gguf(language / "fjord-1b-chat-F16.gguf")
    assert len(citation["authors"]) == 2
    assert project["version"] == metadata["general.version"].removeprefix("v") == "1.3.0"
    assert citation["version"] == "1.2.0"


# The image model


def test_every_part_that_the_pipeline_names_has_its_folder(images: Path) -> None:
    index = read_json(images / "model_index.json")
    parts = {name: value for name, value in index.items() if isinstance(value, list)}
    present = {name: kind for name, (_, kind) in parts.items() if kind}
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert parts["safety_checker"] == [None, None]
    assert sorted(present) == ["scheduler", "text_encoder", "tokenizer", "unet", "vae"]
    for name in ("unet", "vae"):
        assert read_json(images / name / "config.json")["_class_name"] == present[name]
    assert read_json(images / "text_encoder" / "config.json")["architectures"] == [present["text_encoder"]]
    assert read_json(images / "scheduler" / "scheduler_config.json")["_class_name"] == present["scheduler"]
    assert read_json(images / "tokenizer" / "tokenizer_config.json")["tokenizer_class"] == present["tokenizer"]


def test_half_precision_variant_is_the_full_one_rounded(images: Path) -> None:
    full = tensors(images / "unet" / "diffusion_pytorch_model.safetensors")
    half = tensors(images / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    assert set(half) == set(full)
    for name, tensor in full.items():
        count = math.prod(tensor["shape"])
        assert (tensor["dtype"], half[name]["dtype"], half[name]["shape"]) == ("F32", "F16", tensor["shape"])
        values = struct.unpack(f"<{count}f", tensor["data"])
        assert struct.unpack(f"<{count}e", half[name]["data"]) == pytest.approx(values, abs=1e-3)


def test_text_encoder_has_a_row_for_each_word(images: Path) -> None:
    words = read_json(images / "tokenizer" / "vocab.json")
    config = read_json(images / "text_encoder" / "config.json")
    embedding = tensors(images / "text_encoder" / "model.safetensors")["text_model.embeddings.token_embedding.weight"]
    assert embedding["shape"] == [len(words), config["hidden_size"]] == [config["vocab_size"], 16]


def test_adapter_and_learned_word_fit_the_model(images: Path) -> None:
    path = images / "loras" / "pixel-art" / "pytorch_lora_weights.safetensors"
    name = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    down, up = (tensors(path)[f"unet.{name}.lora_{side}.weight"] for side in "AB")
    layer = tensors(images / "unet" / "diffusion_pytorch_model.safetensors")[f"{name}.weight"]
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    rank = json.loads(header["__metadata__"]["lora_adapter_metadata"])["unet.r"]
    assert [up["shape"][0], down["shape"][1]] == layer["shape"]
    assert down["shape"][0] == up["shape"][1] == rank == 4
    ((word, vector),) = tensors(images / "textual_inversion/lantern-style/learned_embeds.safetensors").items()
    assert (word, vector["shape"]) == ("<lantern-style>", [1, 16])


def test_card_of_the_image_model_says_how_to_run_it(images: Path) -> None:
    card = front_matter(images / "README.md")
    assert (card["license"], card["pipeline_tag"]) == ("creativeml-openrail-m", "text-to-image")
    assert card["tags"] == ["text-to-image", "stable-diffusion"]
    assert card["inference"]["parameters"] == {"num_inference_steps": 30, "guidance_scale": 7.5}
    assert (images / card["widget"][0]["output"]["url"]).is_file()
    assert front_matter(images / "loras" / "pixel-art" / "README.md")["base_model"] == diffusion.MODEL


def png_chunks(content: bytes) -> dict[bytes, bytes]:
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    found, position = {}, 8
    while position < len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        kind, body = content[position + 4 : position + 8], content[position + 8 : position + 8 + length]
        assert int.from_bytes(content[position + 8 + length : position + 12 + length], "big") == zlib.crc32(kind + body)
        found[kind] = body
        position += 12 + length
    return found


def test_samples_are_sound_pictures(images: Path) -> None:
    for path in (images / "samples").iterdir():
        chunks = png_chunks(path.read_bytes())
        assert list(chunks) == [b"IHDR", b"tEXt", b"IDAT", b"IEND"]
        assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (8, 8, 8, 2, 0, 0, 0)
        assert len(zlib.decompress(chunks[b"IDAT"])) == 8 * (1 + 3 * 8)
        assert chunks[b"tEXt"].startswith(b"parameters\0")


def test_picture_keeps_its_rows() -> None:
    rows = zlib.decompress(png_chunks(png_bytes([b"abc", b"def"], {}))[b"IDAT"])
    assert rows == b"\0abc\0def"


def test_training_shards_hold_five_samples_of_picture_text_and_description(images: Path) -> None:
    keys = []
    for number in range(2):
        with tarfile.open(images / "train" / f"shard-{number:06}.tar") as archive:
            names = archive.getnames()
            assert {(member.mtime, member.uid, member.uname) for member in archive} == {(MTIME, 0, "")}
            picture, described = archive.extractfile(names[0]), archive.extractfile(names[2])
            assert picture is not None
            assert described is not None
            assert png_chunks(picture.read())[b"IHDR"][:8] == struct.pack(">II", 8, 8)
            assert json.load(described)["key"] == names[2].split(".")[0]
        assert [name.split(".")[1] for name in names] == ["jpg", "txt", "json"] * 5
        keys += [name.split(".")[0] for name in names[::3]]
    assert keys == [f"{number:08}" for number in range(10)]


def test_requirements_of_the_image_model_have_extras_and_markers(images: Path) -> None:
    requirements = [Requirement(line) for line in (images / "requirements.txt").read_text().splitlines()]
    assert [requirement.name for requirement in requirements if requirement.extras] == ["diffusers", "transformers"]
    assert [requirement.name for requirement in requirements if requirement.marker] == ["peft", "xformers"]
    imported = imports((images / "train_text_to_image.py").read_text())
    assert imported - {"argparse"} <= {requirement.name for requirement in requirements}


def imports(code: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


# The model for tables


def joblib_parts(content: bytes) -> tuple[list[tuple[str, Any]], bytes, list[tuple[str, Any]]]:
    """Return the opcodes before the array, the array, and the opcodes after it."""
    before: list[tuple[str, Any]] = []
    stream = io.BytesIO(content)
    with pytest.raises(ValueError, match=r"opcode b'.+' unknown"):
        walk(stream, before)
    start = stream.tell() - 1
    first = start + 1 + content[start]
    after: list[tuple[str, Any]] = []
    walk(io.BytesIO(content[first + 16 :]), after)
    return before, content[start : first + 16], after


def walk(stream: io.BytesIO, found: list[tuple[str, Any]]) -> None:
    for opcode, value, _ in pickletools.genops(stream):
        found.append((opcode.name, value))


def test_joblib_file_can_be_walked_up_to_its_array_and_after_it(tables: Path) -> None:
    content = (tables / "model.joblib").read_bytes()
    before, array, after = joblib_parts(content)
    texts = [value for name, value in before if name == "SHORT_BINUNICODE"]
    assert [name for name, _ in before][:2] == ["PROTO", "FRAME"]
    assert before[-1][0] == "BUILD"
    assert before[1][1] == content.index(array) - 11  # the frame ends where the array begins
    assert texts[:2] == ["sklearn.ensemble._forest", "RandomForestClassifier"]
    assert "NumpyArrayWrapper" in texts
    assert array == bytes([len(array) - 17]) + b"\xff" * (len(array) - 17) + struct.pack("<2d", 0, 1)
    assert (content.index(array) + len(array)) % 16 == 0
    assert [value for name, value in after if name == "SHORT_BINUNICODE"] == ["_sklearn_version", "1.6.1"]
    assert [name for name, _ in after][-3:] == ["SETITEMS", "BUILD", "STOP"]


def test_joblib_file_names_only_what_a_forest_needs(tables: Path) -> None:
    before, _, _ = joblib_parts((tables / "model.joblib").read_bytes())
    pairs = [
        (before[number - 2][1], before[number - 1][1])
        for number, (name, _) in enumerate(before)
        if name == "STACK_GLOBAL"
    ]
    assert pairs == [
        ("sklearn.ensemble._forest", "RandomForestClassifier"),
        ("sklearn.tree._classes", "DecisionTreeClassifier"),
        ("joblib.numpy_pickle", "NumpyArrayWrapper"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
    ]


def test_skops_file_is_a_sound_zip_whose_schema_names_its_array(tables: Path) -> None:
    with zipfile.ZipFile(tables / "model.skops") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["classes.npy", "schema.json"]
        schema, array = json.loads(archive.read("schema.json")), archive.read("classes.npy")
    content = schema["content"]["content"]
    assert (schema["__module__"], schema["__class__"]) == ("sklearn.ensemble._forest", "RandomForestClassifier")
    assert len(schema["content"]["key_types"]["content"]) == len(content)
    assert content["_sklearn_version"]["content"] == '"1.6.1"'
    assert content["classes_"]["file"] == "classes.npy"
    assert array.endswith(struct.pack("<2d", 0, 1))


def test_numpy_file_starts_its_values_at_a_multiple_of_64() -> None:
    content = npy_bytes(tensor_of("F32", (2, 3), [0.5] * 6))
    length = int.from_bytes(content[8:10], "little")
    literal = content[10 : 10 + length]
    assert content[:8] == b"\x93NUMPY\x01\x00"
    assert (10 + length) % 64 == 0
    assert literal.endswith(b"\n")
    assert ast.literal_eval(literal.decode()) == {"descr": "<f4", "fortran_order": False, "shape": (2, 3)}
    assert content[10 + length :] == struct.pack("<6f", *[0.5] * 6)


def test_onnx_file_is_made_by_skl2onnx_and_has_its_trees(tables: Path) -> None:
    content = (tables / "model.onnx").read_bytes()
    assert content.startswith(b"\x08\x08\x12\x08skl2onnx\x1a\x061.18.0\x22\x07ai.onnx")
    assert b"\x22\x16TreeEnsembleClassifier" in content
    assert content.endswith(b"\x42\x04\x0a\x00\x10\x11")  # opset 17 of the plain operators


def test_mlflow_model_points_at_what_is_there(tables: Path) -> None:
    model = yaml.safe_load((tables / "MLmodel").read_text())
    python, sklearn = model["flavors"]["python_function"], model["flavors"]["sklearn"]
    named = [python["model_path"], *python["env"].values(), sklearn["pickled_model"]]
    named.append(model["saved_input_example_info"]["artifact_path"])
    assert all((tables / name).is_file() for name in named)
    inputs = [column["name"] for column in json.loads(model["signature"]["inputs"])]
    assert inputs == read_json(tables / "input_example.json")["columns"] == list(tabular.FEATURES)
    assert sklearn["sklearn_version"] == "1.6.1"


def test_pip_and_conda_ask_for_the_same(tables: Path) -> None:
    lines = (tables / "requirements.txt").read_text().splitlines()
    conda = yaml.safe_load((tables / "conda.yaml").read_text())["dependencies"]
    environment = yaml.safe_load((tables / "python_env.yaml").read_text())
    assert conda[-1]["pip"] == lines
    assert conda[0] == f"python={environment['python']}"
    assert environment["dependencies"] == ["-r requirements.txt"]


def test_notebook_alone_knows_of_pandas(tables: Path) -> None:
    notebook = read_json(tables / "notebooks" / "train.ipynb")
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert imports("\n".join(code)) == {"pandas", "sklearn", "joblib"}
    for path in tables.rglob("*"):
        if path.is_file() and path.suffix != ".ipynb":
            assert b"pandas" not in path.read_bytes().replace(b"pandas_orient", b""), path.name


def test_data_description_agrees_with_the_data(tables: Path) -> None:
    croissant = read_json(tables / "data" / "croissant.json")
    assert {entry["name"] for entry in croissant["distribution"]} == {"train.parquet", "test.csv"}
    for entry in croissant["distribution"]:
        content = (tables / "data" / entry["contentUrl"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["@type"] == "cr:FileObject"
    columns = [field["name"] for field in croissant["recordSet"][0]["field"]]
    with (tables / "data" / "test.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == columns == [*tabular.FEATURES, "failed"]
    assert {len(row) for row in rows} == {5}
    assert {row[4] for row in rows[1:]} == {"0", "1"}
    assert len([term for term in croissant if term.startswith("rai:")]) == 8


def test_licence_of_the_data_is_not_that_of_the_model(tables: Path) -> None:
    assert front_matter(tables / "data" / "README.md")["license"] == "cc-by-nc-4.0"
    assert "by-nc/4.0" in read_json(tables / "data" / "croissant.json")["license"]
    assert (tables / "LICENSE").read_text().startswith("BSD 3-Clause License")
    assert "Neither the name of" in (tables / "LICENSE").read_text()


def test_card_of_the_table_model_has_no_front_matter_and_the_figures_of_the_metrics(tables: Path) -> None:
    card = (tables / "README.md").read_text()
    metrics = read_json(tables / "metrics.json")
    assert "---\n" not in card
    assert card.startswith("# ")
    assert f"ROC AUC {metrics['roc_auc']}, accuracy {metrics['accuracy']}" in card
    assert metrics["roc_auc"] == 0.91
    settings = yaml.safe_load((tables / "params.yaml").read_text())["train"]
    assert f"{settings['n_estimators']} trees of depth {settings['max_depth']}" in card


def test_parquet_columns_are_those_described(tables: Path) -> None:
    content = (tables / "data" / "train.parquet").read_bytes()
    footer = content[-8 - int.from_bytes(content[-8:-4], "little") : -8]
    positions = [footer.index(name.encode()) for name in (*tabular.FEATURES, "failed")]
    assert content[:4] == content[-4:] == b"PAR1"
    assert positions == sorted(positions)
    assert footer.startswith(b"\x15\x02\x19\x6c")  # version 1, then a list of six structs: the schema and its columns


# Where releases lie


def git_name(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def test_snapshot_reads_as_the_release_itself(tmp_path: Path) -> None:
    write_small(tmp_path / "plain")
    found = write_hub_cache(tmp_path, write_small)
    plain = {name: content for name, (_, content) in snapshot(tmp_path / "plain").items()}
    links = [path for path in found.rglob("*") if not path.is_dir()]
    assert {path.relative_to(found).as_posix(): path.read_bytes() for path in links} == plain
    assert all(path.is_symlink() and not path.readlink().is_absolute() for path in links)
    blobs = found.parents[1] / "blobs"
    assert {path.resolve() for path in links} == {path.resolve() for path in blobs.iterdir()}


def test_links_climb_as_far_as_they_lie_deep(tmp_path: Path) -> None:
    found = write_hub_cache(tmp_path, write_small)
    assert str((found / "LICENSE").readlink()).startswith("../../blobs/")
    assert str((found / "docs" / "usage.md").readlink()).startswith("../../../blobs/")


def test_blobs_are_named_by_sha256_in_lfs_and_by_git_otherwise(tmp_path: Path) -> None:
    found = write_hub_cache(tmp_path, write_small)
    weights, card = found / "model.safetensors", found / "README.md"
    assert weights.readlink().name == hashlib.sha256(weights.read_bytes()).hexdigest()
    content = card.read_bytes()
    assert card.readlink().name == git_name(b"blob %d\0" % len(content) + content)


def test_cache_names_repository_and_revision(tmp_path: Path) -> None:
    found = write_hub_cache(tmp_path, write_small, repository="org/name", commit="a" * 40)
    home = tmp_path / "hub" / "models--org--name"
    assert found == home / "snapshots" / ("a" * 40)
    assert (home / "refs" / "main").read_text() == "a" * 40
    assert len(hub_cache.COMMIT) == 40
    assert sorted(path.name for path in home.iterdir()) == ["blobs", "refs", "snapshots"]


def test_equal_files_share_a_blob(tmp_path: Path) -> None:
    def write_twins(folder: Path) -> None:
        put(folder / "a.txt", "same")
        put(folder / "deep" / "b.txt", "same")

    found = write_hub_cache(tmp_path, write_twins)
    assert (found / "a.txt").resolve() == (found / "deep" / "b.txt").resolve()


def test_a_link_leaves_the_cache_only_when_asked_for(tmp_path: Path) -> None:
    inside = write_hub_cache(tmp_path / "tame", write_small)
    assert not (inside / OUTSIDE).is_symlink()
    escaping = write_hub_cache(tmp_path / "wild", write_small, escape=True)
    assert (escaping / OUTSIDE).resolve() == (tmp_path / "wild" / OUTSIDE).resolve()
    assert (escaping / OUTSIDE).read_text() == "not part of any release\n"


def test_git_sorts_a_folder_as_if_its_name_ended_in_a_slash(tmp_path: Path) -> None:
    def write_alike(folder: Path) -> None:
        put(folder / "a" / "b", "1")
        put(folder / "a.txt", "2")

    objects = write_git_checkout(tmp_path, write_alike) / ".git" / "objects"
    contents = [zlib.decompress(path.read_bytes()) for path in objects.glob("??/*")]
    (tree,) = (content for content in contents if content.startswith(b"tree ") and b"a.txt" in content)
    assert tree.index(b"100644 a.txt\0") < tree.index(b"40000 a\0")


FORMS: list[Form] = ["branch", "packed", "separate"]


def repository_of(checkout: Path, form: Form) -> Path:
    return checkout.parent / "modules" / "release" if form == "separate" else checkout / ".git"


@pytest.mark.parametrize("form", FORMS)
def test_objects_are_named_by_their_content(form: Form, tmp_path: Path) -> None:
    checkout = write_git_checkout(tmp_path, write_small, form=form)
    kinds = []
    for path in (repository_of(checkout, form) / "objects").glob("??/*"):
        content = zlib.decompress(path.read_bytes())
        assert git_name(content) == path.parent.name + path.name
        kinds.append(content.split(b" ")[0])
    assert (kinds.count(b"commit"), kinds.count(b"tree"), kinds.count(b"blob")) == (1, 3, 12)


@pytest.mark.parametrize("form", FORMS)
def test_head_leads_to_a_commit_of_known_time(form: Form, tmp_path: Path) -> None:
    checkout = write_git_checkout(tmp_path, write_small, form=form)
    name = head_commit(checkout)
    content = zlib.decompress((repository_of(checkout, form) / "objects" / name[:2] / name[2:]).read_bytes())
    assert f"committer Acme AI <release@acme.example> {COMMIT_TIME} +0100\n".encode() in content
    assert f"url = {REMOTE}\n" in (repository_of(checkout, form) / "config").read_text()


def test_forms_keep_their_references_in_different_places(tmp_path: Path) -> None:
    loose, packed, separate = (write_git_checkout(tmp_path / form, write_small, form=form) for form in FORMS)
    commit = head_commit(loose)
    assert commit == head_commit(packed) == head_commit(separate)
    assert (loose / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert (loose / ".git" / "refs" / "heads" / "main").read_text() == f"{commit}\n"
    assert (packed / ".git" / "HEAD").read_text() == f"{commit}\n"
    assert f"{commit} refs/heads/main\n" in (packed / ".git" / "packed-refs").read_text()
    assert not any((packed / ".git" / "refs").iterdir())
    assert (separate / ".git").read_text() == "gitdir: ../modules/release\n"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("form", FORMS)
def test_git_itself_finds_no_fault(form: Form, tmp_path: Path) -> None:
    checkout = write_git_checkout(tmp_path, write_small, form=form, remote="https://git.example/other.git")

    def git(*words: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", "-C", checkout, *words], env=environment, capture_output=True, check=True, text=True
        )
        return done.stdout.strip()

    git("fsck", "--strict", "--no-dangling")
    assert git("log", "--format=%H %ct %s") == f"{head_commit(checkout)} {COMMIT_TIME} Release {TAG}"
    assert git("remote", "get-url", "origin") == "https://git.example/other.git"
    assert git("describe", "--tags") == TAG
    git("read-tree", "HEAD")
    assert git("status", "--porcelain") == ""
    assert git("branch", "--show-current") == ("" if form == "packed" else "main")


# What the writers of these releases share


def test_gguf_value_types_are_told_apart() -> None:
    content = gguf_bytes({"a": True, "b": 1, "c": 0.5, "d": [1, 2]}, {})
    types = [struct.unpack("<I", content[start + 9 : start + 13])[0] for start in find_keys(content, "abcd")]
    assert types == [7, 4, 6, 9]
    assert content.count(struct.pack("<IQII", 4, 2, 1, 2)) == 1


def find_keys(content: bytes, names: str) -> list[int]:
    return [content.index(struct.pack("<Q", 1) + name.encode()) for name in names]


def test_commit_time_is_the_time_on_the_files() -> None:
    assert git_checkout.COMMIT_TIME == MTIME
