"""What is said of weights: whose they are, whether they are whole, and whatever can be unpickled is looked into."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from aibom.build.account import Account, Model, ModelKind, Relation
from aibom.build.assemble import assemble
from aibom.build.collect import CollectedFile, collect
from aibom.build.completeness import dependencies_are_known, is_whole
from aibom.build.readers import reader_of
from aibom.build.weight_names import half_of, plain_name, shard_of
from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats.detect import classify, contradicts_name, is_plainly_text
from aibom.formats.loading import NotLookedInto, examiner_of, safety_of
from aibom.formats.pickle_globals import Safety
from aibom.formats.torch_zip import TorchArchive
from aibom.formats.weights_index import WeightsIndex, index_problems
from tests.releases.files import put, put_json
from tests.releases.wire import message, pickle_global
from tests.releases.writers import gguf_bytes, onnx_bytes, safetensors_bytes, tar_bytes, zero_tensor, zip_bytes
from verify.content import look

EVIL = b"\x80\x02" + pickle_global("posix", "system") + b"X\x02\x00\x00\x00id\x85R."
OLD = b"cos\nsystem\n(S'true'\ntR."
ARRAY = (
    b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n" + EVIL
)
WEIGHTS = safetensors_bytes({"w": zero_tensor("F32", 2, 3)}, {"format": "pt"})
CARD = "---\nlicense: mit\n---\n# Tall Tales\n"
DANGEROUS = {
    "training_args.bin": EVIL,
    "optimizer.bin": zip_bytes({"a/data.pkl": EVIL}),
    "checkpoint-1/scheduler.bin": EVIL,
    "foo.bin": OLD,
    "model.pth.tar": zip_bytes({"a/data.pkl": EVIL}),
    "model.dill": EVIL,
    "model.p": OLD,
    "weights.dat": EVIL,
    "model.pkl.gz": gzip.compress(EVIL),
    "model.pkl.1": OLD,
    "pytorch_model.bin.bak": OLD,
    "model.nemo": tar_bytes({"model_weights.ckpt": EVIL}),
    "odd.nemo": tar_bytes({"inner": zip_bytes({"a/data.pkl": EVIL})}),
    "a.npy": ARRAY,
    "data/a.npy": ARRAY,
    "a.npz": zip_bytes({"a.npy": ARRAY}),
    "data/a.npz": zip_bytes({"a.npy": ARRAY}),
    "extra/anything": zip_bytes({"a/data.pkl": EVIL}),
}


def write(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        put(folder / name, content) if isinstance(content, (str, bytes)) else put_json(folder / name, content)
    return folder


def account(folder: Path, files: dict[str, Any]) -> Account:
    return assemble(collect(write(folder, files)))


def gguf(name: str = "Tall Tales", file_type: int | None = 2, **more: Any) -> bytes:
    fields: dict[str, Any] = {"general.architecture": "llama"} | ({"general.name": name} if name else {})
    fields |= {} if file_type is None else {"general.file_type": file_type}
    fields |= {key.replace("__", "."): value for key, value in more.items()}
    return gguf_bytes(fields, {"a": zero_tensor("F16", 2, 32)})


def graph_outside(location: str) -> bytes:
    outside = message((1, "location"), (2, location))
    tensor = message((1, 4), (2, 1), (8, "w"), (13, outside), (14, 1))
    return message((1, 8), (7, message((5, tensor))), (8, message((1, ""), (2, 17))))


def onnx() -> bytes:
    return onnx_bytes(zero_tensor("F32", 4, 2), zero_tensor("F32", 2), {})


def names(files: tuple[CollectedFile, ...]) -> list[str]:
    return [file.name for file in files]


def by_ref(found: Account) -> dict[str, Model]:
    return {model.ref: model for model in found.models}


# --- whatever can be unpickled --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DANGEROUS)
def test_what_a_loader_would_unpickle_is_looked_into_by_builder_and_verifier(tmp_path: Path, name: str) -> None:
    found = account(tmp_path, {"README.md": CARD, "model.safetensors": WEIGHTS, name: DANGEROUS[name]})
    assert [text.split(":")[0] for text in found.dangers] == [name]
    seen = look(name, BytesSource(DANGEROUS[name]))
    assert seen is not None
    assert seen.safety is Safety.DANGEROUS
    assert any("system" in reason for reason in seen.reasons)


@pytest.mark.parametrize("name", ["training_args.bin", "optimizer.pt", "rng_state_0.pth", "checkpoint-2/scheduler.pt"])
def test_the_state_of_a_training_is_no_weights(name: str) -> None:
    assert classify(name, 99, EVIL).category == "model/metadata"


@pytest.mark.parametrize("name", ["model.pt", "pytorch_model.bin", "model.ckpt", "model.pkl", "model.joblib"])
def test_what_is_unpickled_by_its_name_is_read_so_whatever_its_first_bytes_are(tmp_path: Path, name: str) -> None:
    content = b"U\x06\0\0TFL3" + OLD + bytes(64)  # a text of six bytes, as a pickle; a model, as TensorFlow Lite
    assert classify(name, len(content), content).format == "tflite"
    found = account(tmp_path, {"README.md": CARD, name: content})
    assert found.dangers
    assert any("begins as tflite does" in text for text in found.warnings)
    assert not is_whole(found.model)


def test_weights_under_the_name_of_another_format_are_read_and_told(tmp_path: Path) -> None:
    found = account(tmp_path, {"README.md": CARD, "pytorch_model.bin": WEIGHTS})
    assert found.model.weights is not None
    assert found.model.weights.parameters == 6
    assert found.warnings == ("pytorch_model.bin: begins as safetensors does, which its name does not allow",)


@pytest.mark.parametrize(
    ("name", "shown", "wrong"),
    [
        ("model.pt", "gguf", True),
        ("model.pt", "zip", False),
        ("model.pt", "", False),
        ("model.pt", "7z", False),
        ("weights", "gguf", False),
        ("model.mlmodel", "coreml", False),
    ],
)
def test_only_a_known_format_can_contradict_a_name(name: str, shown: str, wrong: bool) -> None:
    assert contradicts_name(name, shown) is wrong


def test_a_file_that_is_only_called_so_keeps_quiet(tmp_path: Path) -> None:
    files = {
        "model.safetensors": WEIGHTS,
        "openvino.bin": bytes(range(256)),
        "notes.p": "program x;\n",
        "a.zip": b"PK\3\4",
    }
    found = account(tmp_path, {"README.md": CARD, **files})
    assert (found.dangers, found.warnings) == ((), ())
    assert look("openvino.bin", BytesSource(bytes(range(256)))) is None


@pytest.mark.parametrize("name", ["model.pt", "model.pkl", "model.nemo"])
def test_what_is_packed_in_a_way_that_is_not_opened_is_not_known(name: str) -> None:
    content = gzip.compress(b"no pickle") if name == "model.nemo" else b"7z\xbc\xaf\x27\x1c" + bytes(64)
    seen = look(name, BytesSource(content))
    assert seen is not None
    assert seen.safety is Safety.UNKNOWN
    assert "not looked at" in seen.reasons[0]


def test_an_archive_of_nemo_s_without_a_checkpoint_is_no_model() -> None:
    read = examiner_of("m.nemo", "tar")
    assert read is not None
    with pytest.raises(InputError):
        read(BytesSource(tar_bytes({"config.yaml": b"a: 1\n"})), "m.nemo")


def test_harmless_members_of_an_archive_are_clean() -> None:
    read = examiner_of("m.nemo", "tar")
    assert read is not None
    found = read(BytesSource(tar_bytes({"w.ckpt": b"\x80\x02}.", "config.yaml": b"a: 1\n"})), "m.nemo")
    assert isinstance(found, TorchArchive)
    assert safety_of(found) == (Safety.CLEAN, ())


def test_numbers_have_no_safety() -> None:
    assert examiner_of("model.safetensors", "safetensors") is None
    assert safety_of(b"") is None


# --- weights that nobody reads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["flax_model.msgpack", "model.pte", "model.mlmodel", "pytorch_model.bin"])
def test_weights_that_no_reader_takes_are_a_problem_at_the_file(tmp_path: Path, name: str) -> None:
    found = account(tmp_path, {"README.md": CARD, name: b"\xdf\0\1\2" + bytes(60)})
    assert [text for text in found.warnings if name in text and "not looked at" in text]
    assert not is_whole(found.model)
    assert isinstance(found.model.files[0].fact, NotLookedInto)


@pytest.mark.parametrize("name", ["flax_model.msgpack", "pytorch_model.bin", "adapter_model.bin", "model.pth.tar"])
@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><p>not found", b"version: 1\nname: x\n"])
def test_plain_text_or_nothing_is_no_weights(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(InputError):
        account(tmp_path, {"README.md": CARD, name: content})


def test_text_that_the_publisher_says_is_weights_is_believed(tmp_path: Path) -> None:
    stated = '[categories]\n"booster.txt" = "model/weights"\n'
    found = account(tmp_path, {"README.md": CARD, "booster.txt": "tree\nversion=v4\n", "aibom.toml": stated})
    assert any("not looked at" in text for text in found.warnings)


@pytest.mark.parametrize(("head", "plain"), [(b"", True), ("é\n".encode(), True), (b"\x80", False), (b"a\x01", False)])
def test_text_is_what_holds_no_control_characters(head: bytes, plain: bool) -> None:
    assert is_plainly_text(head) is plain


def test_a_character_that_the_beginning_cuts_in_two_is_still_text() -> None:
    assert is_plainly_text("aé".encode()[:-1])


def test_the_variables_of_a_saved_model_need_no_reader() -> None:
    name = "variables/variables.index"
    assert reader_of(name, classify(name, 9, b"123456789"), b"123456789") is None


# --- what is missing ------------------------------------------------------------------------------------------------


def test_an_index_says_nothing_of_tensors_that_are_not_known() -> None:
    index = WeightsIndex(weight_map={"a": "1.bin", "b": "2.bin"})
    assert index_problems(index, {"1.bin": None}) == ["shard 2.bin is named by the index but not in the release"]


def test_all_shards_without_an_index_are_added_up(tmp_path: Path) -> None:
    files = {f"model-0000{n}-of-00002.safetensors": WEIGHTS for n in (1, 2)}
    model = account(tmp_path, {"README.md": CARD, **files}).model
    assert model.weights is not None
    assert model.weights.parameters == 12
    assert is_whole(model)


@pytest.mark.parametrize("name", ["model-00001-of-00003.safetensors", "deep/pytorch_model-00002-of-00003.bin"])
def test_a_lone_shard_is_one_of_several(tmp_path: Path, name: str) -> None:
    content = WEIGHTS if name.endswith("safetensors") else zip_bytes({"a/data.pkl": b"\x80\x02}."})
    model = account(tmp_path, {"README.md": CARD, name: content}).model
    assert not is_whole(model)
    assert any("1 of 3 parts" in text for text in model.problems)


def test_parts_of_a_gguf_are_counted_by_their_headers_too(tmp_path: Path) -> None:
    more: dict[str, Any] = {"split__no": 0, "split__count": 2, "split__tensors__count": 2}
    model = account(tmp_path, {"README.md": CARD, "t.gguf": gguf(**more)}).model
    assert any("1 of 2 parts" in text for text in model.problems)


def test_two_graphs_that_share_their_data_both_find_them(tmp_path: Path) -> None:
    files = {"a.onnx": graph_outside("w.data"), "b.onnx": graph_outside("./w.data"), "w.data": bytes(16)}
    found = account(tmp_path, {"README.md": CARD, "model.safetensors": WEIGHTS, **files})
    assert found.warnings == ()
    assert [name for model in found.models for name in names(model.files)].count("w.data") == 1


def test_a_graph_takes_no_document_for_its_data(tmp_path: Path) -> None:
    found = account(tmp_path, {"model.onnx": graph_outside("README.md"), "README.md": CARD})
    assert "README.md" in names(found.documents)


def test_a_part_with_a_configuration_and_no_weights_is_missing_them(tmp_path: Path) -> None:
    index = {"_class_name": "P", "vae": ["diffusers", "A"], "unet": ["diffusers", "B"], "none": [None, None]}
    files = {"model_index.json": index, "vae/config.json": {}, "unet/model.safetensors": WEIGHTS}
    assert account(tmp_path, files).model.problems == (
        "model_index.json names the part vae, which has a configuration and no weights",
    )


@pytest.mark.parametrize("written", ["torch>=2\n", "torch\n"])
def test_a_library_beside_the_lock_that_is_not_pinned_leaves_the_list_open(tmp_path: Path, written: str) -> None:
    lock = 'version = 1\n[[package]]\nname = "rich"\nversion = "13.9.4"\nsource = {registry = "https://index.example/simple"}\n'
    files = {"model.safetensors": WEIGHTS, "uv.lock": lock, "requirements.txt": "rich\n"}
    assert dependencies_are_known(account(tmp_path / "a", files))
    assert not dependencies_are_known(account(tmp_path / "b", {**files, "requirements.txt": f"rich\n{written}"}))


# --- parts, versions, alternatives ----------------------------------------------------------------------------------


def test_files_that_nothing_tells_apart_are_the_model_s_and_not_added_up(tmp_path: Path) -> None:
    found = account(tmp_path, {"README.md": CARD, "best.safetensors": WEIGHTS, "last.safetensors": WEIGHTS})
    assert names(found.model.files) == ["best.safetensors", "last.safetensors"]
    assert found.model.parts == ()
    assert found.model.weights is not None
    assert found.model.weights.parameters is None
    assert is_whole(found.model)


def test_graphs_that_differ_do_not_speak_for_the_model(tmp_path: Path) -> None:
    ports = message((1, "x"), (2, message((1, message((1, 1))))))
    other = message((1, 8), (7, message((11, ports))), (8, message((1, ""), (2, 17))))
    found = account(tmp_path, {"README.md": CARD, "small.onnx": onnx(), "large.onnx": other})
    assert (found.model.inputs, found.model.outputs) == ((), ())
    assert names(found.model.files) == ["large.onnx", "small.onnx"]


def test_a_quantised_graph_was_made_from_the_plain_one(tmp_path: Path) -> None:
    found = by_ref(account(tmp_path, {"README.md": CARD, "model.onnx": onnx(), "model_quantized.onnx": onnx()}))
    assert names(found["model"].files) == ["model.onnx"]
    (ancestor,) = found["model:model_quantized.onnx"].ancestors
    assert (ancestor.relation, ancestor.within) == (Relation.QUANTIZED, "model")


@pytest.mark.parametrize(
    ("name", "half"),
    [("a/encoder_model.onnx", "encoder"), ("autoencoder.pt", ""), ("encoder-decoder.pt", ""), ("small.pt", "")],
)
def test_a_half_is_told_by_a_word_of_its_own(name: str, half: str) -> None:
    assert half_of(name) == half


def test_names_tell_shards_and_versions() -> None:
    assert shard_of("a/m-00002-of-00010.bin") is not None
    assert shard_of("a/m.bin") is None
    first, second = shard_of("variables.data-00000-of-00001"), shard_of("x-00001-of-00002.gguf")
    assert first is not None
    assert second is not None
    assert (first[0].count, first[1], second[0].after) == (1, 0, ".gguf")
    assert plain_name("o/model_fp16.onnx") == plain_name("o/model_q4f16.onnx") == "o/model.onnx"


def test_modules_are_added_up_unless_one_of_them_cannot_be_counted(tmp_path: Path) -> None:
    module = "sentence_transformers.models.Transformer"
    steps = [{"idx": n, "name": str(n), "path": path, "type": module} for n, path in enumerate(("", "1_D"))]
    files = {"README.md": CARD, "modules.json": steps, "model.safetensors": WEIGHTS, "1_D/model.safetensors": WEIGHTS}
    counted = account(tmp_path / "a", files).model.weights
    assert counted is not None
    assert counted.parameters == 12
    del files["1_D/model.safetensors"]
    uncounted = account(tmp_path / "b", {**files, "1_D/a.safetensors": WEIGHTS, "1_D/b.safetensors": WEIGHTS}).model
    assert uncounted.weights is not None
    assert uncounted.weights.parameters is None


# --- what a header says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "file_type", "relation"),
    [
        ("Tall Tales", 2, Relation.QUANTIZED),
        ("Tall Tales", 1, Relation.CONVERSION),
        ("Tall Tales", None, Relation.CONVERSION),
        ("Tall Tales", 999, Relation.CONVERSION),
        ("", 2, Relation.QUANTIZED),
        ("Totally different", 2, Relation.UNSTATED),
    ],
)
def test_a_conversion_says_no_more_of_its_origin_than_its_header(
    tmp_path: Path, name: str, file_type: int | None, relation: Relation
) -> None:
    files = {"README.md": CARD, "model.safetensors": WEIGHTS, "t.gguf": gguf(name, file_type)}
    (ancestor,) = by_ref(account(tmp_path, files))["model:t.gguf"].ancestors
    assert (ancestor.relation, ancestor.within) == (relation, "model")


def test_a_header_that_names_the_model_as_its_base_states_where_it_is_from(tmp_path: Path) -> None:
    base: dict[str, Any] = {"general__base_model__count": 1, "general__base_model__0__name": "Tall Tales"}
    files = {"README.md": CARD, "model.safetensors": WEIGHTS, "t.gguf": gguf("Tall Tales Q4", 2, **base)}
    (ancestor,) = by_ref(account(tmp_path, files))["model:t.gguf"].ancestors
    assert (ancestor.relation, ancestor.source.place) == (Relation.QUANTIZED, "general.base_model.0")


def test_the_header_of_the_file_that_is_the_model_speaks_for_it(tmp_path: Path) -> None:
    model = account(tmp_path, {"README.md": CARD, "t.gguf": gguf(general__organization="Lab")}).model
    assert model.family is not None
    assert model.family.source.place == "general.architecture"
    assert model.identity.producer is not None
    assert str(model.identity.producer.source) == "t.gguf, general.organization"


def test_quantisations_that_do_not_agree_name_nothing(tmp_path: Path) -> None:
    found = account(tmp_path, {"a.gguf": gguf("One"), "b.gguf": gguf("Two")})
    assert found.model.identity.name.value == "unnamed-model"


def test_an_adapter_that_was_saved_during_training_is_a_checkpoint(tmp_path: Path) -> None:
    config = {"peft_type": "LORA", "base_model_name_or_path": "lab/base", "revision": "abc"}
    files = {"adapter_config.json": config, "adapter_model.safetensors": WEIGHTS}
    card = CARD.replace("mit\n", "mit\nbase_model: lab/base\n")
    steps = {f"checkpoint-9/{name}": content for name, content in files.items()}
    found = by_ref(account(tmp_path, {"README.md": card, **files, **steps}))
    assert {ref: model.kind for ref, model in found.items()} == {
        "model": ModelKind.MAIN,
        "model:checkpoint-9": ModelKind.CHECKPOINT,
    }
    (ancestor,) = found["model"].ancestors
    assert ancestor.relation is Relation.ADAPTER
    assert ancestor.revision is not None
    assert ancestor.revision.value == "abc"
    assert names(found["model"].files) == ["adapter_config.json", "adapter_model.safetensors"]
