"""Which files are which model, on layouts that are easy to get wrong: asked of `group_models` directly."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest

from aibom.build.account import ModelKind
from aibom.build.collect import CollectedFile
from aibom.build.grouping import ModelGroup, folder_of, group_models
from aibom.core.bytesource import BytesSource
from aibom.core.manifest import FileEntry
from aibom.formats.adapter_config import parse_adapter_config
from aibom.formats.detect import ADAPTER, CHECKPOINT, WEIGHTS, Classification
from aibom.formats.onnx import ExternalData, parse_onnx
from aibom.formats.pipeline_index import PipelineComponent, PipelineIndex
from tests.releases.wire import message

Groups = tuple[ModelGroup, tuple[ModelGroup, ...], tuple[ModelGroup, ...]]
GRAPH = parse_onnx(BytesSource(message((1, 8), (7, b""))), "g")
LORA = parse_adapter_config(b'{"peft_type": "LORA"}', "a")
MAIN, PART = ModelKind.MAIN, ModelKind.PART
CONVERSION, CHECKPOINTS, ADAPTERS = ModelKind.CONVERSION, ModelKind.CHECKPOINT, ModelKind.ADAPTER


def made(name: str, category: str = "", shown: str = "", fact: object = None) -> CollectedFile:
    """A file of a category, by its suffix and folder if none is given."""
    base = name.rpartition("/")[2]
    suffix = base.rpartition(".")[2]
    known = {"safetensors": WEIGHTS, "gguf": WEIGHTS, "onnx": WEIGHTS, "bin": WEIGHTS, "json": "model/architecture"}
    found = category or known.get(suffix, "")
    if not category and found == WEIGHTS:
        in_checkpoint = any(part.startswith("checkpoint-") for part in name.split("/")[:-1])
        found = (
            ADAPTER if base.startswith(("adapter_model", "learned_embeds")) else CHECKPOINT if in_checkpoint else found
        )
    kind = Classification(category=found, format=shown or suffix)
    return CollectedFile(
        entry=FileEntry(name=name, size=1, digests={"sha256": "0" * 64}), classification=kind, fact=fact
    )


def adapter(folder: str) -> list[CollectedFile]:
    at = f"{folder}/" if folder else ""
    return [
        made(f"{at}adapter_config.json", "model/metadata", fact=LORA),
        made(f"{at}adapter_model.safetensors"),
    ]


def onnx(name: str, *locations: str) -> CollectedFile:
    outside = tuple(ExternalData(location=location, offset=0, length=None, tensor="w") for location in locations)
    return made(name, fact=replace(GRAPH, external_data=outside))


def pipeline(name: str, *parts: str) -> CollectedFile:
    components = tuple(PipelineComponent(name=part, library="diffusers", class_name="X") for part in parts)
    index = PipelineIndex(
        pipeline_class="P", pipeline_module="", diffusers_version="", starting_point="", components=components
    )
    return made(name, "model/architecture", fact=index)


def grouped(*files: CollectedFile) -> Groups:
    """The groups, after a look that every file of the model is in exactly one of them."""
    main, parts, derived = group_models(files)
    listed = Counter(file.name for group in (main, *parts, *derived) for file in group.files)
    assert listed == Counter(file.name for file in files if file.classification.category.startswith("model/"))
    assert main.kind is MAIN
    assert all(group.files for group in (*parts, *derived))
    for group in (main, *parts, *derived):
        assert list(group.files) == sorted(group.files, key=lambda file: file.name)
    return main, parts, derived


def names(group: ModelGroup) -> list[str]:
    return [file.name for file in group.files]


def keys(groups: Iterable[ModelGroup]) -> dict[str, ModelKind]:
    return {group.key: group.kind for group in groups}


def shards(stem: str, suffix: str, count: int) -> list[CollectedFile]:
    return [made(f"{stem}-{number + 1:05}-of-{count:05}.{suffix}") for number in range(count)]


def test_nothing_is_one_empty_model() -> None:
    main, parts, derived = grouped()
    assert (main.files, parts, derived) == ((), (), ())


def test_only_the_model_s_files_are_grouped() -> None:
    main, _, _ = grouped(
        made("model.safetensors"), made("train.py", "code/training"), made("README.md", "docs/model-card")
    )
    assert names(main) == ["model.safetensors"]


def test_shards_and_their_index_are_one_model() -> None:
    main, parts, derived = grouped(*shards("model", "safetensors", 3), made("model.safetensors.index.json"))
    assert len(main.weights) == 3
    assert (parts, derived) == ((), ())


def test_two_formats_of_the_same_weights_are_one_model() -> None:
    main, parts, derived = grouped(made("model.safetensors"), made("pytorch_model.bin", shown="zip"))
    assert len(main.weights) == 2
    assert (parts, derived) == ((), ())


def test_the_order_of_the_files_does_not_matter() -> None:
    files = [
        made("model.safetensors"), *adapter("adapters/a"), *adapter("adapters/b"), *shards("g/t", "gguf", 2),
        onnx("onnx/model.onnx"), made("checkpoint-5/model.safetensors"), made("config.json"),
    ]  # fmt: skip
    first = grouped(*files)
    for turn in range(1, len(files)):
        assert grouped(*files[turn:], *files[:turn]) == first
    assert grouped(*reversed(files)) == first
    assert keys(first[2]) == {
        "adapters/a": ADAPTERS, "adapters/b": ADAPTERS, "checkpoint-5": CHECKPOINTS, "g/t.gguf": CONVERSION,
        "onnx/model.onnx": CONVERSION,
    }  # fmt: skip


# --- adapters -------------------------------------------------------------------------------------------------------


def test_a_release_that_is_an_adapter_is_the_main_model_with_all_its_files() -> None:
    main, parts, derived = grouped(*adapter(""), made("tokenizer.json", "model/tokenizer"))
    assert names(main) == ["adapter_config.json", "adapter_model.safetensors", "tokenizer.json"]
    assert (parts, derived) == ((), ())


def test_an_adapter_alone_in_a_folder_is_the_main_model() -> None:
    main, _, derived = grouped(*adapter("lora"))
    assert len(main.weights) == 1
    assert derived == ()


def test_two_adapters_and_no_model_are_two_adapters() -> None:
    main, _, derived = grouped(*adapter("a"), *adapter("b"), made("config.json"))
    assert main.weights == ()
    assert keys(derived) == {"a": ADAPTERS, "b": ADAPTERS}


def test_an_adapter_with_checkpoints_is_the_main_model() -> None:
    main, _, derived = grouped(*adapter(""), *adapter("checkpoint-100"), *adapter("checkpoint-200"))
    assert names(main) == ["adapter_config.json", "adapter_model.safetensors"]
    assert set(keys(derived)) == {"checkpoint-100", "checkpoint-200"}


def test_an_adapter_s_folder_belongs_to_it_but_its_neighbours_do_not() -> None:
    files = [made("a/config.json"), made("ab/config.json"), made("a/sub/tokenizer.json", "model/tokenizer")]
    main, _, (one,) = grouped(made("model.safetensors"), *adapter("a"), *files)
    assert names(one) == [
        "a/adapter_config.json",
        "a/adapter_model.safetensors",
        "a/config.json",
        "a/sub/tokenizer.json",
    ]
    assert names(main) == ["ab/config.json", "model.safetensors"]


def test_an_adapter_inside_the_folder_of_another_is_its_own() -> None:
    _, _, derived = grouped(made("model.safetensors"), *adapter("a"), *adapter("a/b"))
    assert {group.key: names(group) for group in derived} == {
        "a": ["a/adapter_config.json", "a/adapter_model.safetensors"],
        "a/b": ["a/b/adapter_config.json", "a/b/adapter_model.safetensors"],
    }


def test_a_configuration_without_weights_makes_no_adapter() -> None:
    main, _, derived = grouped(made("model.safetensors"), made("a/adapter_config.json", "model/metadata", fact=LORA))
    assert names(main) == ["a/adapter_config.json", "model.safetensors"]
    assert derived == ()


def test_full_weights_in_an_adapter_s_folder_stay_the_model_s() -> None:
    main, _, (one,) = grouped(made("m/model.safetensors"), made("m/config.json"), *adapter("m"))
    assert names(main) == ["m/config.json", "m/model.safetensors"]
    assert names(one) == ["m/adapter_config.json", "m/adapter_model.safetensors"]


def test_every_group_but_the_main_one_has_a_key() -> None:
    _, _, derived = grouped(made("model.safetensors"), made("config.json"), *adapter(""))
    assert [group.kind for group in derived] == [ADAPTERS]
    assert all(group.key for group in derived)


def test_two_learned_words_in_one_folder_are_accounted_for() -> None:
    _, _, derived = grouped(made("model.safetensors"), made("w/learned_embeds-a.bin"), made("w/learned_embeds-b.bin"))
    assert sum(len(group.weights) for group in derived) == 2


# --- several files of weights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names_of_three", [("pnet.pt", "rnet.pt", "onet.pt"), ("vad.safetensors", "asr.bin", "tts.pt")]
)
def test_weights_of_several_networks_are_never_added_to_one_file_s_name(names_of_three: tuple[str, ...]) -> None:
    main, parts, derived = grouped(*(made(name, WEIGHTS, "zip") for name in names_of_three))
    assert Counter(file.name for group in (main, *parts) for file in group.weights) == Counter(names_of_three)
    assert derived == ()


@pytest.mark.parametrize(
    "pair",
    [
        ("best.pt", "last.pt"),
        ("epoch=1.ckpt", "epoch=2.ckpt"),
        ("v1-5-pruned.safetensors", "v1-5-pruned-emaonly.safetensors"),
        ("detect-small.pt", "detect-large.pt"),
    ],
)
def test_two_states_of_one_network_are_not_called_its_parts(pair: tuple[str, ...]) -> None:
    _, parts, _ = grouped(*(made(name, WEIGHTS, "zip") for name in pair))
    assert parts == ()


# --- exports --------------------------------------------------------------------------------------------------------


def test_one_export_alone_is_the_model() -> None:
    for file in (made("t.gguf"), onnx("m.onnx"), made("m.tflite", WEIGHTS, "tflite")):
        main, parts, derived = grouped(file, made("config.json"))
        assert file.name in names(main)
        assert (parts, derived) == ((), ())


def test_an_export_beside_the_model_is_a_conversion() -> None:
    main, _, derived = grouped(made("model.safetensors"), made("t.gguf"), onnx("onnx/m.onnx"))
    assert names(main) == ["model.safetensors"]
    assert keys(derived) == {"t.gguf": CONVERSION, "onnx/m.onnx": CONVERSION}


def test_gguf_in_parts_is_one_model_and_several_quantisations_are_several() -> None:
    main, parts, derived = grouped(*shards("t-Q4", "gguf", 2), *shards("t-Q8", "gguf", 3))
    assert {group.key: len(group.weights) for group in derived} == {"t-Q4.gguf": 2, "t-Q8.gguf": 3}
    assert (main.weights, parts) == ((), ())
    assert len(grouped(*shards("t", "gguf", 12))[0].weights) == 12


def test_the_same_name_in_two_folders_is_two_models() -> None:
    _, _, derived = grouped(*shards("a/t", "gguf", 2), *shards("b/t", "gguf", 2))
    assert {group.key: len(group.weights) for group in derived} == {"a/t.gguf": 2, "b/t.gguf": 2}


def test_external_data_go_with_the_graph_that_names_them() -> None:
    files = [onnx("o/a.onnx", "a.data"), onnx("o/b.onnx", "b.data"), made("o/a.data", WEIGHTS, "x")]
    files += [made("o/b.data", WEIGHTS, "x"), made("b.data", WEIGHTS, "x")]
    main, parts, derived = grouped(made("model.safetensors"), *files)
    assert {group.key: names(group) for group in derived} == {
        "o/a.onnx": ["o/a.data", "o/a.onnx"],
        "o/b.onnx": ["o/b.data", "o/b.onnx"],
    }
    assert names(main) == ["b.data", "model.safetensors"]
    assert parts == ()


def test_external_data_of_two_graphs_are_listed_once() -> None:
    _, _, derived = grouped(
        made("model.safetensors"), onnx("a.onnx", "w.data"), onnx("b.onnx", "w.data"), made("w.data", WEIGHTS)
    )
    assert Counter(name for group in derived for name in names(group)) == Counter(["a.onnx", "b.onnx", "w.data"])


@pytest.mark.parametrize("location", ["../../outside", "/etc/passwd", "", ".", "model.safetensors/../x", "config.json"])
def test_a_location_that_leads_elsewhere_takes_nothing_that_is_not_there(location: str) -> None:
    main, _, derived = grouped(made("model.safetensors"), onnx("o/a.onnx", location))
    assert names(main) == ["model.safetensors"]
    assert [names(group) for group in derived] == [["o/a.onnx"]]


def test_the_parts_of_an_exported_model_are_parts() -> None:
    main, parts, derived = grouped(onnx("encoder.onnx"), onnx("decoder.onnx"), made("config.json"))
    assert keys(parts) == {"decoder.onnx": PART, "encoder.onnx": PART}
    assert names(main) == ["config.json"]
    assert derived == ()


@pytest.mark.parametrize("variant", ["model_quantized.onnx", "model_fp16.onnx", "model_int8.onnx", "model_q4.onnx"])
def test_variants_of_one_graph_are_no_parts(variant: str) -> None:
    _, parts, _ = grouped(onnx("onnx/model.onnx"), onnx(f"onnx/{variant}"))
    assert parts == ()


def test_onnx_and_gguf_without_the_model_are_not_parts_of_each_other() -> None:
    _, parts, derived = grouped(onnx("m.onnx"), made("t.gguf"))
    assert "t.gguf" in keys(derived)
    assert "t.gguf" not in keys(parts)


# --- pipelines ------------------------------------------------------------------------------------------------------


def test_the_folders_that_a_pipeline_names_and_that_hold_weights_are_its_parts() -> None:
    index = pipeline("model_index.json", "unet", "scheduler", "vae", "absent")
    files = [
        made("unet/model.safetensors"),
        made("unet/config.json"),
        made("vae/model.safetensors"),
        made("scheduler/c.json"),
    ]
    main, parts, derived = grouped(index, *files, made("unet2/model.safetensors"))
    assert {group.key: names(group) for group in parts} == {
        "unet": ["unet/config.json", "unet/model.safetensors"],
        "vae": ["vae/model.safetensors"],
    }
    assert names(main) == ["model_index.json", "scheduler/c.json", "unet2/model.safetensors"]
    assert derived == ()


def test_a_pipeline_in_a_folder_names_folders_beside_it() -> None:
    _, parts, _ = grouped(
        pipeline("p/model_index.json", "unet"), made("p/unet/model.safetensors"), made("unet/model.safetensors")
    )
    assert [names(group) for group in parts] == [["p/unet/model.safetensors"]]


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "/"])
def test_an_odd_name_in_an_index_takes_nothing_or_only_below_its_own_folder(name: str) -> None:
    _, parts, _ = grouped(
        pipeline("p/model_index.json", name), made("p/unet/model.safetensors"), made("unet/model.safetensors")
    )
    assert all(file.startswith("p/") for group in parts for file in names(group))


def test_an_empty_name_in_an_index_does_not_take_the_whole_release() -> None:
    main, parts, _ = grouped(pipeline("model_index.json", ""), made("model.safetensors"), made("config.json"))
    assert parts == ()
    assert names(main) == ["config.json", "model.safetensors", "model_index.json"]


def test_an_adapter_inside_a_part_stays_an_adapter() -> None:
    _, parts, derived = grouped(
        pipeline("model_index.json", "unet"), made("unet/model.safetensors"), *adapter("unet/lora")
    )
    assert [names(group) for group in parts] == [["unet/model.safetensors"]]
    assert keys(derived) == {"unet/lora": ADAPTERS}


# --- checkpoints ----------------------------------------------------------------------------------------------------


def test_each_checkpoint_is_one_model_with_all_that_lies_below_it() -> None:
    below = [made("out/checkpoint-5/model.safetensors"), made("out/checkpoint-5/deep/optimizer.bin")]
    files = [*below, made("out/checkpoint-5/config.json"), made("out/checkpoint-50/model.safetensors")]
    main, _, derived = grouped(made("model.safetensors"), *files)
    assert keys(derived) == {"out/checkpoint-5": CHECKPOINTS, "out/checkpoint-50": CHECKPOINTS}
    assert len(derived[0].files) == 3
    assert names(main) == ["model.safetensors"]


def test_one_checkpoint_alone_is_the_model_and_two_are_not() -> None:
    main, _, derived = grouped(made("checkpoint-5/model.safetensors"))
    assert (len(main.weights), derived) == (1, ())
    main, _, derived = grouped(made("checkpoint-5/model.safetensors"), made("checkpoint-9/model.safetensors"))
    assert (main.weights, len(derived)) == ((), 2)


def test_a_checkpoint_inside_a_checkpoint_belongs_to_the_outer_one() -> None:
    _, _, derived = grouped(made("model.safetensors"), made("checkpoint-5/checkpoint-6/model.safetensors"))
    assert keys(derived) == {"checkpoint-5": CHECKPOINTS}


def test_checkpoint_folders_nest_without_taking_a_file_twice() -> None:
    inner = [made("checkpoint-5/model.safetensors"), made("checkpoint-5/x/checkpoint-6/model.safetensors")]
    _, _, derived = grouped(made("model.safetensors"), *inner)
    assert keys(derived) == {"checkpoint-5": CHECKPOINTS}


def test_an_export_in_a_checkpoint_belongs_to_the_checkpoint() -> None:
    _, _, derived = grouped(
        made("model.safetensors"), made("checkpoint-5/model.safetensors"), made("checkpoint-5/t.gguf")
    )
    assert keys(derived) == {"checkpoint-5": CHECKPOINTS}


@pytest.mark.parametrize(("name", "folder"), [("a", ""), ("a/b", "a"), ("a/b/c", "a/b"), ("", "")])
def test_the_folder_of_a_name(name: str, folder: str) -> None:
    assert folder_of(name) == folder
