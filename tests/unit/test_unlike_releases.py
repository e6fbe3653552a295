"""Small releases that are unlike the examples: what a careful person would want their BOMs to say, and not to say."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aibom.build.account import Account
from aibom.build.assemble import assemble
from aibom.build.collect import collect
from aibom.build.publisher import LINK_TYPES
from aibom.core.errors import InputError
from aibom.cyclonedx.schema import schema_problems
from aibom.cyclonedx.sources import components_of
from tests.factory import build_bom_bytes, read_manifest
from tests.releases.files import put, put_json
from tests.releases.wire import message, pickle_global
from tests.releases.writers import GgufValue, gguf_bytes, onnx_bytes, safetensors_bytes, zero_tensor, zip_bytes

Json = dict[str, Any]
Files = Mapping[str, Any]
WEIGHTS = safetensors_bytes({"w": zero_tensor("F32", 2, 3)}, {"format": "pt"})
ADAPTER = safetensors_bytes({"q.lora_A.weight": zero_tensor("F32", 4, 8)}, {"format": "pt"})
MIT = "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of this software"
ONNX_OUTSIDE = message(
    (1, 8),
    (
        7,
        message(
            (5, message((1, 4), (2, 1), (8, "w"), (13, message((1, "location"), (2, "model.onnx_data"))), (14, 1)))
        ),
    ),
    (8, message((1, ""), (2, 17))),
)


def gguf(name: str = "Tall Tales", file_type: int | None = 1, **more: GgufValue) -> bytes:
    """A GGUF file of 64 parameters; further keys with `__` in the place of the dots."""
    fields: dict[str, GgufValue] = {"general.architecture": "llama", "general.name": name} if name else {}
    if file_type is not None:
        fields["general.file_type"] = file_type
    fields |= {key.replace("__", "."): value for key, value in more.items()}
    return gguf_bytes(fields, {"token_embd.weight": zero_tensor("F16", 2, 32)})


def onnx(metadata: Mapping[str, str] | None = None) -> bytes:
    return onnx_bytes(zero_tensor("F32", 4, 2), zero_tensor("F32", 2), metadata or {})


def card(front: str = "", body: str = "# Tall Tales\n\nTells tales.\n") -> str:
    return f"---\n{front}---\n{body}" if front else body


def write(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        if isinstance(content, (str, bytes)):
            put(folder / name, content)
        else:
            put_json(folder / name, content)
    return folder


def nested(document: Json) -> list[Json]:
    """Every component that is not in a pedigree."""
    return [component for pointer, component in components_of(document) if "/pedigree/" not in pointer]


def values(component: Json, name: str) -> list[str]:
    return [p["value"] for p in component.get("properties", []) if p["name"] == name]


def sources(component: Json, path: str) -> list[str]:
    return values(component, f"aibom:source:{path}")


def root(document: Json) -> Json:
    return dict(document["metadata"]["component"])


def conflicts(document: Json) -> list[str]:
    return values(root(document), "aibom:conflict")


def problems(document: Json) -> list[str]:
    return values(root(document), "aibom:problem")


def models(document: Json) -> dict[str, Json]:
    return {c["bom-ref"]: c for c in nested(document) if c["type"] == "machine-learning-model"}


def main(document: Json) -> Json:
    return models(document)["model"]


def ancestors(component: Json) -> dict[str, Json]:
    return {a["name"]: a for a in component.get("pedigree", {}).get("ancestors", [])}


def files_of(component: Json) -> list[str]:
    return [c["name"] for c in component.get("components", []) if c["type"] == "file"]


def data(document: Json) -> dict[str, Json]:
    return {c["name"]: c for c in nested(document) if c["type"] == "data"}


def licence_names(component: Json) -> list[str]:
    found = []
    for item in component.get("licenses", []):
        found.append(item.get("expression") or item["license"].get("id") or item["license"]["name"])
    return found


def aggregate(document: Json, ref: str, area: str = "assemblies") -> list[str]:
    return [c["aggregate"] for c in document["compositions"] if ref in c.get(area, [])]


def metrics(component: Json) -> list[tuple[str, str]]:
    listed = component.get("modelCard", {}).get("quantitativeAnalysis", {}).get("performanceMetrics", [])
    return [(metric.get("type", ""), metric["value"]) for metric in listed]


def considered(component: Json, what: str) -> list[Any]:
    return list(component.get("modelCard", {}).get("considerations", {}).get(what, []))


def stated_refs(value: Any, key: str = "") -> Iterator[str]:
    """Every reference to a component that a document makes anywhere."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name in {"ref", "attributedTo"} and isinstance(item, str):
                yield item
            else:
                yield from stated_refs(item, name)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, str) and key in {"dependsOn", "provides", "assemblies", "dependencies"}:
                yield item
            else:
                yield from stated_refs(item, key)


def defined_refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("bom-ref"), str):
            yield value["bom-ref"]
        for item in value.values():
            yield from defined_refs(item)
    elif isinstance(value, list):
        for item in value:
            yield from defined_refs(item)


def check(document: Json, release: Path) -> None:
    """What holds for every release: valid, each file once with its digest, each reference unique and to something."""
    assert schema_problems(document) == []
    expected = {entry.name: entry.sha256 for entry in read_manifest(release).entries}
    listed = Counter(c["name"] for c in nested(document) if c["type"] == "file")
    assert listed == Counter(expected.keys())
    for component in nested(document):
        if component["type"] == "file":
            assert component["hashes"] == [{"alg": "SHA-256", "content": expected[component["name"]]}]
        assert component["name"]
    defined = list(defined_refs(document))
    assert [ref for ref, count in Counter(defined).items() if count > 1] == []
    assert set(stated_refs(document)) - set(defined) == set()


def bom(folder: Path, files: Files) -> Json:
    """The BOM of a release of these files, checked for what holds for all."""
    document: Json = json.loads(build_bom_bytes(write(folder, files)))
    check(document, folder)
    return document


def account(folder: Path, files: Files) -> Account:
    return assemble(collect(write(folder, files)))


# --- one GGUF, several, split ---------------------------------------------------------------------------------------


def test_a_single_gguf_is_the_model(tmp_path: Path) -> None:
    document = bom(tmp_path, {"tall-tales.gguf": gguf(general__license="mit")})
    assert list(models(document)) == ["model"]
    model = main(document)
    assert model["name"] == "Tall Tales"
    assert sources(model, "name") == ["tall-tales.gguf, general.name"]
    assert licence_names(model) == ["MIT"]
    assert values(model, "aibom:parameter-count") == ["64"]
    assert files_of(model) == ["tall-tales.gguf"]
    assert aggregate(document, "model") == ["complete"]


def test_a_release_of_one_file_is_that_file(tmp_path: Path) -> None:
    put(tmp_path / "tall-tales.gguf", gguf())
    document: Json = json.loads(build_bom_bytes(tmp_path / "tall-tales.gguf"))
    assert schema_problems(document) == []
    assert files_of(main(document)) == ["tall-tales.gguf"]


def test_a_single_gguf_says_what_it_was_made_from(tmp_path: Path) -> None:
    base: dict[str, Any] = {"general__base_model__count": 1, "general__base_model__0__name": "Tiny Base"}
    base |= {"general__base_model__0__repo_url": "https://huggingface.co/lab/tiny-base"}
    document = bom(tmp_path, {"tall-tales.gguf": gguf(**base)})
    assert list(ancestors(main(document))) == ["lab/tiny-base"]


def test_a_single_gguf_says_its_architecture_and_who_made_it(tmp_path: Path) -> None:
    model = main(bom(tmp_path, {"tall-tales.gguf": gguf(general__organization="Example Lab")}))
    assert model["modelCard"]["modelParameters"]["architectureFamily"] == "llama"
    assert model["manufacturer"]["name"] == "Example Lab"


QUANTIZED = {"t-Q4_0.gguf": gguf(file_type=2), "t-Q8_0.gguf": gguf(file_type=7), "README.md": card("license: mit\n")}


def test_several_quantisations_are_several_models_and_are_not_added_up(tmp_path: Path) -> None:
    document = bom(tmp_path, QUANTIZED)
    found = models(document)
    assert set(found) == {"model", "model:t-Q4_0.gguf", "model:t-Q8_0.gguf"}
    assert values(found["model"], "aibom:parameter-count") == []
    for name in ("t-Q4_0.gguf", "t-Q8_0.gguf"):
        one = found[f"model:{name}"]
        assert files_of(one) == [name]
        assert values(one, "aibom:model-kind") == ["conversion"]
        assert values(one, "aibom:parameter-count") == ["64"]
        assert values(ancestors(one)["Tall Tales"], "aibom:relation") == ["quantized"]
        assert licence_names(one) == []
    assert values(found["model:t-Q4_0.gguf"], "aibom:setting:quantization") == ["MOSTLY_Q4_0"]


def test_a_model_without_files_has_no_purl_by_content(tmp_path: Path) -> None:
    model = main(bom(tmp_path, QUANTIZED))
    assert files_of(model) == []
    assert hashlib.sha256(b"").hexdigest() not in model.get("purl", "")
    assert "checksum" not in model.get("purl", "")


def test_quantisations_that_agree_on_a_name_give_it_to_the_model(tmp_path: Path) -> None:
    document = bom(tmp_path, {name: QUANTIZED[name] for name in ("t-Q4_0.gguf", "t-Q8_0.gguf")})
    assert main(document)["name"] == "Tall Tales"


def test_a_conversion_that_does_not_say_its_type_is_not_called_quantised(tmp_path: Path) -> None:
    files = {"model.safetensors": WEIGHTS, "t.gguf": gguf(file_type=None), "README.md": card("license: mit\n")}
    (ancestor,) = ancestors(models(bom(tmp_path, files))["model:t.gguf"]).values()
    assert values(ancestor, "aibom:relation") != ["quantized"]


def part(number: int, count: int = 2) -> bytes:
    split = {"split__no": number, "split__count": count, "split__tensors__count": count}
    return gguf("Tall Tales" if number == 0 else "", **split)


def test_two_parts_of_a_gguf_are_one_model(tmp_path: Path) -> None:
    files = {f"t-0000{n + 1}-of-00002.gguf": part(n) for n in range(2)}
    document = bom(tmp_path, files)
    assert list(models(document)) == ["model"]
    assert files_of(main(document)) == sorted(files)
    assert values(main(document), "aibom:parameter-count") == ["128"]
    assert aggregate(document, "model") == ["complete"]


def test_two_parts_beside_the_model_are_one_conversion(tmp_path: Path) -> None:
    files: Json = {f"g/t-0000{n + 1}-of-00002.gguf": part(n) for n in range(2)}
    found = models(bom(tmp_path, files | {"model.safetensors": WEIGHTS}))
    assert set(found) == {"model", "model:g/t.gguf"}
    assert values(found["model"], "aibom:parameter-count") == ["6"]
    assert values(found["model:g/t.gguf"], "aibom:parameter-count") == ["128"]


def test_a_missing_part_of_a_gguf_is_a_problem(tmp_path: Path) -> None:
    document = bom(tmp_path, {"t-00001-of-00002.gguf": part(0)})
    assert aggregate(document, "model") == ["incomplete"]
    assert problems(document)


# --- adapters -------------------------------------------------------------------------------------------------------

LORA = {"peft_type": "LORA", "base_model_name_or_path": "lab/tiny-base", "r": 8, "revision": "abc123"}
LORA_RELEASE: Json = {
    "adapter_config.json": LORA,
    "adapter_model.safetensors": ADAPTER,
    "tokenizer.json": {"version": "1.0", "model": {"type": "BPE", "vocab": {}, "merges": []}},
    "README.md": card("license: mit\nbase_model: lab/tiny-base\nlibrary_name: peft\n"),
}


def test_a_release_that_is_an_adapter_is_one_model_on_its_base(tmp_path: Path) -> None:
    document = bom(tmp_path, LORA_RELEASE)
    assert list(models(document)) == ["model"]
    model = main(document)
    assert model["name"] == "Tall Tales"
    assert licence_names(model) == ["MIT"]
    assert list(ancestors(model)) == ["lab/tiny-base"]
    assert "licenses" not in ancestors(model)["lab/tiny-base"]
    assert values(model, "aibom:setting:adapter_type") == ["LORA"]
    assert values(model, "aibom:parameter-count") == ["32"]
    assert aggregate(document, "model") == ["complete"]


def test_an_adapter_s_configuration_adds_to_what_its_card_says_of_the_base(tmp_path: Path) -> None:
    base = ancestors(main(bom(tmp_path, LORA_RELEASE)))["lab/tiny-base"]
    assert values(base, "aibom:relation") == ["adapter"]
    assert base["version"] == "abc123"


def test_checkpoints_of_an_adapter_do_not_take_its_place(tmp_path: Path) -> None:
    steps = {"checkpoint-500/adapter_config.json": LORA, "checkpoint-500/adapter_model.safetensors": ADAPTER}
    document = bom(tmp_path, {**LORA_RELEASE, **steps})
    assert "adapter_model.safetensors" in files_of(main(document))
    assert set(models(document)) == {"model", "model:checkpoint-500"}


def test_an_adapter_beside_the_weights_in_the_root_has_a_name(tmp_path: Path) -> None:
    files = {"model.safetensors": WEIGHTS, "adapter_config.json": LORA, "adapter_model.safetensors": ADAPTER}
    document = bom(tmp_path, {**files, "config.json": {"model_type": "llama"}})
    assert "model.safetensors" in files_of(main(document))
    (other,) = [model for ref, model in models(document).items() if ref != "model"]
    assert values(other, "aibom:model-kind") == ["adapter"]


def test_a_base_model_named_differently_in_card_and_adapter_is_a_conflict(tmp_path: Path) -> None:
    files = {**LORA_RELEASE, "adapter_config.json": LORA | {"base_model_name_or_path": "other/big-base"}}
    (conflict,) = conflicts(bom(tmp_path, files))
    assert "lab/tiny-base" in conflict
    assert "other/big-base" in conflict


@pytest.mark.parametrize("path", ["./base", "../base", "~/base", "/srv/models/base"])
def test_a_path_on_somebody_s_disk_is_nobody_on_a_hub(tmp_path: Path, path: str) -> None:
    files = {**LORA_RELEASE, "adapter_config.json": LORA | {"base_model_name_or_path": path}, "README.md": card()}
    for ancestor in ancestors(main(bom(tmp_path, files))).values():
        assert "purl" not in ancestor
        assert "externalReferences" not in ancestor


def test_an_adapter_s_own_card_is_not_the_model_s(tmp_path: Path) -> None:
    own = card("license: cc-by-nc-4.0\ndatasets: [lab/dutch]\nbase_model: lab/me\n", "# Dutch\n\nVersion 9.\n")
    files = {
        "model.safetensors": WEIGHTS,
        "adapters/nl/adapter_config.json": LORA,
        "adapters/nl/adapter_model.safetensors": ADAPTER,
        "adapters/nl/README.md": own,
    }
    model = main(bom(tmp_path, files))
    assert licence_names(model) == []
    assert model["name"] != "Dutch"
    assert "lab/me" not in ancestors(model)


def test_an_adapter_s_settings_and_energy_are_not_the_model_s(tmp_path: Path) -> None:
    files = {
        "model.safetensors": WEIGHTS,
        "README.md": card("license: mit\n"),
        "training_args.json": {"learning_rate": 2e-5},
        "adapters/nl/adapter_config.json": LORA,
        "adapters/nl/adapter_model.safetensors": ADAPTER,
        "adapters/nl/training_args.json": {"learning_rate": 1e-3},
        "adapters/nl/emissions.csv": "timestamp,emissions,energy_consumed\n2026-01-01,0.5,1.5\n",
    }
    document = bom(tmp_path, files)
    assert conflicts(document) == []
    assert considered(main(document), "environmentalConsiderations") == []


# --- ONNX -----------------------------------------------------------------------------------------------------------


def test_onnx_with_its_external_data_beside_it_is_whole(tmp_path: Path) -> None:
    document = bom(tmp_path, {"model.onnx": ONNX_OUTSIDE, "model.onnx_data": bytes(16)})
    assert problems(document) == []
    assert files_of(main(document)) == ["model.onnx", "model.onnx_data"]
    assert aggregate(document, "model") == ["complete"]


def test_onnx_without_its_external_data_is_incomplete(tmp_path: Path) -> None:
    document = bom(tmp_path, {"onnx/model.onnx": ONNX_OUTSIDE})
    assert aggregate(document, "model") == ["incomplete"]
    (problem,) = problems(document)
    assert "onnx/model.onnx_data" in problem


def test_an_onnx_variant_is_no_part_of_the_other(tmp_path: Path) -> None:
    document = bom(tmp_path, {"model.onnx": onnx(), "model_quantized.onnx": onnx()})
    assert all(values(model, "aibom:model-kind") != ["part"] for model in models(document).values())


def test_encoder_and_decoder_are_parts_whose_names_are_their_own(tmp_path: Path) -> None:
    document = bom(tmp_path, {"encoder_model.onnx": onnx(), "decoder_model.onnx": onnx()})
    found = models(document)
    assert set(found) == {"model", "model:encoder_model.onnx", "model:decoder_model.onnx"}
    assert {c["name"] for c in found["model"]["components"]} == {"encoder_model.onnx", "decoder_model.onnx"}


def test_a_part_that_no_pipeline_names_is_not_said_to_be_named_by_one(tmp_path: Path) -> None:
    document = bom(tmp_path, {"encoder_model.onnx": onnx(), "decoder_model.onnx": onnx()})
    for model in models(document).values():
        assert not any("pipeline" in source for source in sources(model, "name"))


# --- other forms of weights -----------------------------------------------------------------------------------------


def test_a_pickle_alone_is_the_model_and_its_danger_is_named(tmp_path: Path) -> None:
    evil = b"\x80\x02" + pickle_global("posix", "system") + b"X\x02\x00\x00\x00id\x85R."
    document = bom(tmp_path, {"model.pkl": evil})
    assert files_of(main(document)) == ["model.pkl"]
    assert any("dangerous" in text for text in problems(document))
    (file,) = [c for c in nested(document) if c["type"] == "file"]
    assert values(file, "aibom:safety") == ["dangerous"]


def test_a_saved_model_is_one_model_with_its_variables(tmp_path: Path) -> None:
    info = message((4, "serve"), (5, "2.18.0"))
    graph = message((1, info), (2, message((1, message((1, "n"), (2, "MatMul"))))))
    files = {
        "saved_model.pb": message((1, 1), (2, graph)),
        "variables/variables.index": bytes(range(40)),
        "variables/variables.data-00000-of-00001": bytes(64),
        "fingerprint.pb": message((1, 7)),
    }
    document = bom(tmp_path, files)
    assert list(models(document)) == ["model"]
    assert files_of(main(document)) == sorted(files)
    assert aggregate(document, "model") == ["complete"]


def test_a_saved_model_without_its_variables_is_incomplete(tmp_path: Path) -> None:
    info = message((4, "serve"), (5, "2.18.0"))
    files = {
        "saved_model.pb": message((1, 1), (2, message((1, info), (2, b"")))),
        "variables/variables.index": bytes(range(40)),
    }
    document = bom(tmp_path, files)
    assert aggregate(document, "model") == ["incomplete"]


def test_a_keras_archive_is_the_model(tmp_path: Path) -> None:
    config = {"class_name": "Sequential", "module": "keras", "config": {"layers": [{"class_name": "Dense"}]}}
    members = {
        "metadata.json": json.dumps({"keras_version": "3.8.0"}).encode(),
        "config.json": json.dumps(config).encode(),
        "model.weights.h5": b"\x89HDF\r\n\x1a\n" + bytes(200),
    }
    document = bom(tmp_path, {"model.keras": zip_bytes(members), "README.md": card()})
    assert files_of(main(document)) == ["model.keras"]
    (file,) = [c for c in nested(document) if c["name"] == "model.keras"]
    assert values(file, "aibom:setting:keras") == ["3.8.0"]
    assert aggregate(document, "model") == ["complete"]


def test_a_checkpoint_folder_is_a_model_of_its_own(tmp_path: Path) -> None:
    files = {
        "model.safetensors": WEIGHTS,
        "README.md": card("license: mit\n"),
        "checkpoint-500/model.safetensors": WEIGHTS,
        "checkpoint-500/trainer_state.json": {
            "global_step": 500,
            "log_history": [{"eval_accuracy": 0.11, "step": 500, "epoch": 1.0}],
        },
        "checkpoint-500/optimizer.pt": zip_bytes({"a/data.pkl": b"\x80\x02}.", "a/version": b"3\n"}),
    }
    document = bom(tmp_path, files)
    found = models(document)
    assert set(found) == {"model", "model:checkpoint-500"}
    assert values(found["model:checkpoint-500"], "aibom:model-kind") == ["checkpoint"]
    assert set(files_of(found["model:checkpoint-500"])) == {name for name in files if "/" in name}
    assert metrics(found["model"]) == []
    assert values(found["model"], "aibom:parameter-count") == ["6"]


def test_the_optimiser_of_a_checkpoint_is_not_counted_as_the_model(tmp_path: Path) -> None:
    files = {"checkpoint-500/model.safetensors": WEIGHTS, "checkpoint-500/config.json": {"model_type": "llama"}}
    model = main(bom(tmp_path, {**files, "README.md": card("license: mit\n")}))
    assert set(files_of(model)) == set(files)
    assert values(model, "aibom:parameter-count") == ["6"]


SENTENCE = {
    "README.md": card("license: mit\npipeline_tag: sentence-similarity\nlibrary_name: sentence-transformers\n"),
    "modules.json": [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    ],
    "config.json": {"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 8},
    "1_Pooling/config.json": {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True},
    "2_Dense/config.json": {"in_features": 8, "out_features": 4},
    "model.safetensors": WEIGHTS,
}


def test_a_sentence_transformer_is_one_model(tmp_path: Path) -> None:
    document = bom(tmp_path, SENTENCE)
    assert list(models(document)) == ["model"]
    parameters = main(document)["modelCard"]["modelParameters"]
    assert (parameters["architectureFamily"], parameters["modelArchitecture"]) == ("bert", "BertModel")
    assert parameters["outputs"] == [{"format": "embedding vector"}]
    assert aggregate(document, "model") == ["complete"]


def test_a_sentence_transformer_with_a_dense_layer_is_whole(tmp_path: Path) -> None:
    document = bom(tmp_path, {**SENTENCE, "2_Dense/model.safetensors": WEIGHTS})
    assert problems(document) == []
    assert aggregate(document, "model") == ["complete"]


# --- shards ---------------------------------------------------------------------------------------------------------


def test_a_lone_shard_without_an_index_is_not_the_whole_model(tmp_path: Path) -> None:
    document = bom(tmp_path, {"model-00001-of-00002.safetensors": WEIGHTS, "README.md": card()})
    assert aggregate(document, "model") == ["incomplete"]


def test_a_pytorch_index_whose_shard_is_missing_is_a_problem(tmp_path: Path) -> None:
    shards = {"a": "pytorch_model-00001-of-00002.bin", "b": "pytorch_model-00002-of-00002.bin"}
    archive = zip_bytes({"a/data.pkl": b"\x80\x02}.", "a/version": b"3\n"})
    files = {"pytorch_model.bin.index.json": {"metadata": {}, "weight_map": shards}, shards["a"]: archive}
    document = bom(tmp_path, files)
    assert any(shards["b"] in text for text in problems(document))
    assert aggregate(document, "model") == ["incomplete"]


# --- cards ----------------------------------------------------------------------------------------------------------


def metric_card(value: str, dataset: str = "IMDB", name: str = "", more: str = "") -> str:
    shown = f"- name: {name or 'Tall Tales'}\n  results:\n  - task: {{type: text-classification}}\n"
    shown += f"    dataset: {{name: {dataset}, type: {dataset.lower()}, split: test}}\n"
    return card(f"license: mit\nmodel-index:\n{shown}    metrics: [{{type: accuracy, value: {value}}}]\n{more}")


def test_a_second_card_does_not_speak_for_the_model(tmp_path: Path) -> None:
    second = metric_card("0.5", name="other-model").replace("mit", "cc-by-4.0")
    files = {"model.safetensors": WEIGHTS, "README.md": metric_card("0.9"), "examples/README.md": second}
    document = bom(tmp_path, files)
    assert licence_names(main(document)) == ["MIT"]
    assert metrics(main(document)) == [("accuracy", "0.9")]
    assert conflicts(document) == []


def test_a_card_without_front_matter_gives_what_its_headings_say(tmp_path: Path) -> None:
    body = "# Tall Tales\n\nTells tales.\n\n## Intended use\n\nFun.\n\n## Limitations\n\nLies.\n\n## License\n\nMIT\n"
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": body})
    model = main(document)
    assert model["name"] == "Tall Tales"
    assert sources(model, "name") == ["README.md, first heading"]
    assert considered(model, "useCases") == ["Fun."]
    assert considered(model, "technicalLimitations") == ["Lies."]
    assert "task" not in model["modelCard"].get("modelParameters", {})
    assert licence_names(model) in ([], ["MIT"])


@pytest.mark.parametrize("heading", ["Out-of-scope use", "Out-of-scope uses", "Misuse", "Misuses"])
def test_what_the_model_is_not_for_is_no_use_case(tmp_path: Path, heading: str) -> None:
    body = f"# Tall Tales\n\n## Intended use\n\nFun.\n\n## {heading}\n\nDiagnosing people.\n"
    model = main(bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": card("license: mit\n", body)}))
    plain = [text for text in considered(model, "useCases") if text == "Diagnosing people."]
    assert plain == []
    assert considered(model, "useCases")[0] == "Fun."


def test_a_card_that_only_says_what_it_is_not_for_has_no_use_case(tmp_path: Path) -> None:
    body = "# Tall Tales\n\n## Out-of-scope uses\n\nDiagnosing people.\n"
    model = main(bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": card("license: mit\n", body)}))
    assert "Diagnosing people." not in considered(model, "useCases")


# --- measurements ---------------------------------------------------------------------------------------------------


def measured(folder: Path, first: str, second: Json, **more: Any) -> Json:
    return bom(folder, {"model.safetensors": WEIGHTS, "README.md": first, "eval/all_results.json": second, **more})


def test_per_cent_and_fraction_are_one_result_of_two_sources(tmp_path: Path) -> None:
    document = measured(tmp_path, metric_card("93.1"), {"eval_accuracy": 0.9312, "eval_samples": 25000})
    assert metrics(main(document)) == [("accuracy", "93.1")]
    assert conflicts(document) == []
    named = sources(main(document), "modelCard.quantitativeAnalysis.performanceMetrics.0")
    assert [source.split(",")[0] for source in named] == ["README.md", "eval/all_results.json"]


def test_results_on_two_data_sets_are_no_conflict(tmp_path: Path) -> None:
    front = metric_card("0.91").replace(
        "---\n# Tall",
        "  - task: {type: text-classification}\n    dataset: {name: SST, type: sst, split: test}\n"
        "    metrics: [{type: accuracy, value: 0.5}]\n---\n# Tall",
    )
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": front})
    assert metrics(main(document)) == [("accuracy", "0.91"), ("accuracy", "0.5")]
    assert conflicts(document) == []


def test_results_that_truly_differ_are_both_given_and_reported(tmp_path: Path) -> None:
    document = measured(tmp_path, metric_card("0.9312"), {"eval_accuracy": 0.8712})
    assert metrics(main(document)) == [("accuracy", "0.9312"), ("accuracy", "0.8712")]
    (conflict,) = conflicts(document)
    assert all(words in conflict for words in ("accuracy", "README.md", "0.9312", "eval/all_results.json", "0.8712"))


def test_a_perplexity_is_never_in_per_cent(tmp_path: Path) -> None:
    first = metric_card("12.5").replace("accuracy", "perplexity")
    assert conflicts(measured(tmp_path, first, {"eval_perplexity": 1250.0})) != []


def test_two_configurations_of_one_benchmark_are_no_conflict(tmp_path: Path) -> None:
    results = "".join(
        f"  - task: {{type: text-classification}}\n"
        f"    dataset: {{name: GLUE, type: glue, config: {config}, split: validation}}\n"
        f"    metrics: [{{type: accuracy, value: {value}}}]\n"
        for config, value in (("sst2", 0.91), ("mnli", 0.84))
    )
    front = f"license: mit\nmodel-index:\n- name: Tall Tales\n  results:\n{results}"
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": card(front)})
    assert metrics(main(document)) == [("accuracy", "0.91"), ("accuracy", "0.84")]
    assert conflicts(document) == []


def harness(model: str, results: Json, shots: Json | None = None) -> Json:
    settings = {"model": "hf", "model_args": f"pretrained={model}"}
    return {"results": results, "versions": dict.fromkeys(results, 1.0), "n-shot": shots or {}, "config": settings}


def test_two_ways_to_read_an_answer_are_no_conflict(tmp_path: Path) -> None:
    found = {"gsm8k": {"exact_match,strict-match": 0.41, "exact_match,flexible-extract": 0.48}}
    files = {
        "model.safetensors": WEIGHTS,
        "README.md": card("license: mit\n"),
        "lm_eval.json": harness("lab/tall-tales", found),
    }
    document = bom(tmp_path, files)
    assert len(metrics(main(document))) == 2
    assert conflicts(document) == []


def test_more_examples_in_the_prompt_are_another_measurement(tmp_path: Path) -> None:
    files = {
        "model.safetensors": WEIGHTS,
        "README.md": card("license: mit\n"),
        "lm_eval_0.json": harness("lab/tall-tales", {"arc": {"acc,none": 0.31}}, {"arc": 0}),
        "lm_eval_25.json": harness("lab/tall-tales", {"arc": {"acc,none": 0.42}}, {"arc": 25}),
    }
    document = bom(tmp_path, files)
    assert len(metrics(main(document))) == 2
    assert conflicts(document) == []


@pytest.mark.parametrize(
    "other",
    ["other/big-model", "big-model"],
)
def test_results_of_another_model_are_left_out_and_that_is_said(tmp_path: Path, other: str) -> None:
    found = harness(other, {"arc": {"acc,none": 0.99}})
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": card("license: mit\n"), "lm_eval.json": found})
    assert metrics(main(document)) == []
    assert any(other in text for text in conflicts(document))


def test_results_of_a_namesake_of_another_owner_are_left_out(tmp_path: Path) -> None:
    files = {
        "model.safetensors": WEIGHTS,
        "README.md": card("license: mit\n"),
        "aibom.toml": '[model]\nhub = "lab/tall-tales"\n',
        "lm_eval.json": harness("somebody/tall-tales", {"arc": {"acc,none": 0.99}}),
    }
    assert metrics(main(bom(tmp_path, files))) == []


# --- training -------------------------------------------------------------------------------------------------------


def test_training_settings_that_disagree_are_both_given_and_reported(tmp_path: Path) -> None:
    body = "# Tall Tales\n\n## Training hyperparameters\n\n- learning_rate: 2e-5\n- num_epochs: 3\n"
    arguments = {"learning_rate": 5e-5, "num_train_epochs": 3.0}
    files = {"model.safetensors": WEIGHTS, "README.md": card("license: mit\n", body), "training_args.json": arguments}
    document = bom(tmp_path, files)
    (conflict,) = conflicts(document)
    assert all(words in conflict for words in ("learning_rate", "2e-5", "5e-05", "README.md", "training_args.json"))
    (workflow,) = document["formulation"][0]["workflows"]
    given = [(item["name"], item["value"]) for item in workflow["inputs"][-1].get("parameters", [])] or [
        (p["name"], p["value"]) for item in workflow["inputs"] for p in item.get("parameters", [])
    ]
    assert [value for name, value in given if name == "epochs"] == ["3"]
    assert sorted(value for name, value in given if name == "learning_rate") == ["2e-5", "5e-05"]


def test_data_for_evaluation_alone_is_no_input_of_the_training(tmp_path: Path) -> None:
    files = {
        "model.safetensors": WEIGHTS,
        "README.md": card("license: mit\n"),
        "training_args.json": {"learning_rate": 5e-5},
        "benchmark/held.csv": "a,b\n1,2\n",
    }
    document = bom(tmp_path, files)
    (held,) = data(document).values()
    assert values(held, "aibom:category") == ["data/evaluation"]
    used = [ref for workflow in document["formulation"][0]["workflows"] for ref in stated_refs(workflow["inputs"])]
    assert held["bom-ref"] not in used


def test_emissions_without_energy_have_a_source(tmp_path: Path) -> None:
    front = "license: mit\nco2_eq_emissions: {emissions: 1240, source: CodeCarbon}\n"
    model = main(bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": card(front)}))
    environment = model["modelCard"]["considerations"]["environmentalConsiderations"]
    assert {"name": "aibom:co2-tonnes", "value": "0.00124"} in environment["properties"]
    assert any("environmentalConsiderations" in p["name"] for p in model["properties"])


def test_the_activity_is_not_guessed_for_a_merge(tmp_path: Path) -> None:
    body = "# T\n\n## Environmental impact\n\n- **Energy consumed:** 4 kWh\n"
    front = "license: mit\nbase_model: [lab/a, lab/b]\nbase_model_relation: merge\n"
    model = main(bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": card(front, body)}))
    (consumption,) = (
        considered(model, "environmentalConsiderations")
        and model["modelCard"]["considerations"]["environmentalConsiderations"]["energyConsumptions"]
    )
    assert consumption["activity"] == "other"


# --- data -----------------------------------------------------------------------------------------------------------

CSV = "a,b\n1,2\n"


def croissant(content_url: str, digest: str, **more: Any) -> Json:
    file = {"@type": "cr:FileObject", "@id": "f", "name": "f", "contentUrl": content_url, "sha256": digest}
    terms = {"@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/"}
    head = {"@context": terms, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0"}
    return {**head, "name": "tales", "distribution": [file], **more}


def test_a_wrong_digest_in_a_data_set_s_description_is_reported(tmp_path: Path) -> None:
    described = croissant("train.csv", "0" * 64)
    files = {"model.safetensors": WEIGHTS, "data/train.csv": CSV, "data/croissant.json": described}
    document = bom(tmp_path, files)
    assert any("train.csv" in text for text in values(data(document)["tales"], "aibom:problem"))
    assert any("train.csv" in text and "tales" in text for text in conflicts(document))


def test_a_right_digest_is_said_to_be_checked(tmp_path: Path) -> None:
    described = croissant("train.csv", hashlib.sha256(CSV.encode()).hexdigest())
    files = {"model.safetensors": WEIGHTS, "data/train.csv": CSV, "data/croissant.json": described}
    document = bom(tmp_path, files)
    assert values(data(document)["tales"], "aibom:setting:digests-checked") == ["1"]
    assert conflicts(document) == []


def test_a_description_in_the_root_is_held_against_the_files_too(tmp_path: Path) -> None:
    described = croissant("data/train.csv", "0" * 64)
    files = {"model.safetensors": WEIGHTS, "data/train.csv": CSV, "croissant.json": described}
    assert any("train.csv" in text for text in conflicts(bom(tmp_path, files)))


def test_licences_of_data_that_differ_are_reported_and_are_not_the_model_s(tmp_path: Path) -> None:
    described = croissant("train.csv", hashlib.sha256(CSV.encode()).hexdigest(), license="CC-BY-4.0")
    files = {
        "model.safetensors": WEIGHTS,
        "README.md": card("license: mit\n"),
        "data/train.csv": CSV,
        "data/croissant.json": described,
        "data/README.md": card("license: cc-by-nc-4.0\nsize_categories: [n<1K]\n", "# Tales\n"),
    }
    document = bom(tmp_path, files)
    assert licence_names(data(document)["tales"]) == ["CC-BY-4.0"]
    (conflict,) = conflicts(document)
    assert all(words in conflict for words in ("CC-BY-4.0", "CC-BY-NC-4.0", "data/croissant.json", "data/README.md"))
    assert licence_names(main(document)) == ["MIT"]


def test_a_licence_text_in_the_data_folder_is_not_the_model_s(tmp_path: Path) -> None:
    files = {"model.safetensors": WEIGHTS, "data/x.csv": CSV, "data/LICENSE": MIT}
    assert licence_names(main(bom(tmp_path, files))) == []


def test_two_data_sets_in_one_folder_are_two(tmp_path: Path) -> None:
    files: Json = {"model.safetensors": WEIGHTS, "README.md": card("license: mit\n")}
    for name, licence in (("cats", "cc0-1.0"), ("dogs", "cc-by-4.0")):
        files[f"datasets/{name}/train.csv"] = CSV
        files[f"datasets/{name}/README.md"] = card(f"license: {licence}\nsize_categories: [n<1K]\n", f"# {name}\n")
    document = bom(tmp_path, files)
    assert {name: licence_names(one) for name, one in data(document).items()} == {
        "cats": ["CC0-1.0"],
        "dogs": ["CC-BY-4.0"],
    }
    assert conflicts(document) == []


def test_a_data_set_that_is_only_named_has_no_digest_and_is_not_said_to_be_known(tmp_path: Path) -> None:
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": card("datasets: [lab/tales]\n")})
    one = data(document)["lab/tales"]
    assert "hashes" not in one
    assert set(values(one, "aibom:unknown")) >= {"hash", "license", "version"}
    assert aggregate(document, one["bom-ref"]) == ["unknown"]


# --- aibom.toml -----------------------------------------------------------------------------------------------------

PUBLISHER = """
[release]
name = "tales-2026"
version = "3.1"
date = 2026-03-01
manufacturer = "Example Lab"
supplier = "Example Shop"
license = "Apache-2.0"
copyright = "2026 Example Lab"
tlp = "GREEN"
distribution = "local"

[model]
name = "Taller Tales"
version = "3.0"
hub = "lab/taller-tales"
developer = "Tale Team"
license = "Apache-2.0"
task = "text-generation"
approach = "self-supervised"
users = ["children", "parents"]
intended-use = "Bed time."
limitations = "Too long."
base-model = "lab/tiny-base"
base-revision = "abc123"

[author]
name = "A Person"
email = "a@lab.example"

[[person]]
name = "B Person"
role = "contact"

[[link]]
type = "support"
url = "https://lab.example/help"

[[data]]
name = "data"
version = "7"
license = "CC-BY-4.0"
owner = "Example Lab"
custodian = "C"
steward = "S"
classification = "public"
sensitive = ["names"]

[categories]
"notes.md" = "docs/governance"

[withheld]
energy = "not measured by us"

[unknown]
training = "lost"
"""
DISAGREEING: Json = {
    "aibom.toml": PUBLISHER,
    "model.safetensors": WEIGHTS,
    "notes.md": "# Notes\n",
    "data/train.csv": CSV,
    "README.md": card("license: mit\npipeline_tag: text-classification\nbase_model: other/base\n"),
}


def test_what_the_publisher_states_stands_with_its_source(tmp_path: Path) -> None:
    document = bom(tmp_path, DISAGREEING)
    release, model = root(document), main(document)
    assert (release["name"], release["version"], release["copyright"]) == ("tales-2026", "3.1", "2026 Example Lab")
    assert (release["manufacturer"]["name"], release["supplier"]["name"]) == ("Example Lab", "Example Shop")
    assert licence_names(release) == ["Apache-2.0"]
    assert (model["name"], model["version"], model["manufacturer"]["name"]) == ("Taller Tales", "3.0", "Tale Team")
    assert model["purl"] == "pkg:huggingface/lab/taller-tales"
    assert licence_names(model) == ["Apache-2.0"]
    for path in ("name", "version", "manufacturer", "licenses", "purl"):
        assert all(source.startswith("aibom.toml, ") for source in sources(model, path))
    parameters = model["modelCard"]["modelParameters"]
    assert (parameters["task"], parameters["approach"]) == ("text-generation", {"type": "self-supervised"})
    assert considered(model, "users") == ["children", "parents"]
    assert considered(model, "useCases") == ["Bed time."]
    assert considered(model, "technicalLimitations") == ["Too long."]
    assert ancestors(model)["lab/tiny-base"]["version"] == "abc123"
    assert document["metadata"]["authors"] == [{"name": "A Person", "email": "a@lab.example"}]
    assert document["metadata"]["distributionConstraints"] == {"tlp": "GREEN"}
    assert values(release, "aibom:distribution") == ["local"]
    assert values(release, "aibom:withheld") == ["energy: not measured by us"]
    assert values(release, "aibom:unknown-reason") == ["training: lost"]
    (folder,) = data(document).values()
    assert (folder["version"], licence_names(folder)) == ("7", ["CC-BY-4.0"])
    assert folder["data"][0]["classification"] == "public"
    assert folder["data"][0]["sensitiveData"] == ["names"]
    assert set(folder["data"][0]["governance"]) == {"owners", "custodians", "stewards"}


@pytest.mark.parametrize("what", ["license", "version", "task", "base-model"])
def test_where_publisher_and_files_disagree_both_are_reported(tmp_path: Path, what: str) -> None:
    wanted = {
        "license": ("Apache-2.0", "MIT"),
        "task": ("text-generation", "text-classification"),
        "base-model": ("lab/tiny-base", "other/base"),
        "version": ("3.0", "3.1"),
    }[what]
    assert any(all(word in text for word in wanted) for text in conflicts(bom(tmp_path, DISAGREEING)))


def test_a_data_licence_that_publisher_and_card_disagree_on_is_reported(tmp_path: Path) -> None:
    own = {"data/README.md": card("license: cc0-1.0\nsize_categories: [n<1K]\n", "# data\n")}
    document = bom(tmp_path, {**DISAGREEING, **own})
    assert any("CC0-1.0" in text and "CC-BY-4.0" in text for text in conflicts(document))


@pytest.mark.parametrize(
    ("text", "where", "message", "hint"),
    [
        ("[relase]\n", "aibom.toml", "unknown key 'relase'", "did you mean 'release'?"),
        ('[model]\nlicence = "MIT"\n', "aibom.toml, model", "unknown key 'licence'", "did you mean 'license'?"),
        ("[model]\nname = 3\n", "aibom.toml, model.name", "expected a text", "leave the key out"),
        ('[model]\nusers = "all"\n', "aibom.toml, model.users", "expected a list", ""),
        ('[release]\ndate = "2026"\n', "aibom.toml, release.date", "expected a date", "2026-03-01"),
        ('[release]\ntlp = "BLUE"\n', "aibom.toml, release.tlp", "'BLUE' is no tlp", "GREEN"),
        ('[[data]]\nname = "tale"\n', "aibom.toml, data[0].name", "no data set is called 'tale'", "known here: data"),
        ('[[data]]\nnam = "x"\n', "aibom.toml, data[0]", "unknown key 'nam'", "did you mean 'name'?"),
        ('[categories]\n"no/*.x" = "docs/usage"\n', "aibom.toml, categories", "no file of the release", "pattern"),
        ('[categories]\n"notes.md" = "docs/usag"\n', "aibom.toml, categories.'notes.md'", "no category", "docs/usage"),
        ('[withheld]\nenrgy = "x"\n', "aibom.toml, withheld", "unknown key 'enrgy'", "energy"),
        ('[[link]]\ntype = "wiki"\nurl = "https://a.example"\n', "aibom.toml, link[0].type", "no type of link", ""),
        ("model = 1\n", "aibom.toml, model", "expected a table", "[model]"),
        ("[model\n", "aibom.toml", "not TOML", "aibom init"),
    ],
)
def test_a_wrong_statement_ends_the_build_and_names_what_is_meant(
    tmp_path: Path, text: str, where: str, message: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        account(tmp_path, {**DISAGREEING, "aibom.toml": text})
    assert message in caught.value.message
    assert caught.value.where == where
    assert hint in caught.value.hint


def test_every_type_of_link_that_may_be_stated_can_be_written(tmp_path: Path) -> None:
    entries = (f'[[link]]\ntype = "{kind}"\nurl = "https://lab.example/{kind}?x=1"\n' for kind in LINK_TYPES)
    text = "".join(entries)
    references = root(bom(tmp_path, {"model.safetensors": WEIGHTS, "aibom.toml": text}))["externalReferences"]
    assert Counter(item["type"] for item in references) == Counter(LINK_TYPES)


# --- code -----------------------------------------------------------------------------------------------------------

POETRY = """[tool.poetry]
name = "tales"
version = "1.0.0"
description = "Tales"
authors = ["A <a@lab.example>"]

[tool.poetry.dependencies]
python = "^3.11"
requests = { version = "^2.31", extras = ["socks"] }
torch = { version = "2.6.0", optional = true }

[tool.poetry.extras]
gpu = ["torch"]
"""
POETRY_LOCK = """[[package]]
name = "requests"
version = "2.32.3"
description = ""
optional = false
python-versions = ">=3.8"
files = [{file = "requests-2.32.3-py3-none-any.whl", hash = "sha256:HASH"}]

[package.dependencies]
idna = ">=2.5,<4"

[[package]]
name = "idna"
version = "3.10"
description = ""
optional = false
python-versions = ">=3.6"
files = []

[[package]]
name = "torch"
version = "2.6.0"
description = ""
optional = true
python-versions = ">=3.9"
files = []

[metadata]
lock-version = "2.1"
python-versions = "^3.11"
content-hash = "HASH"
""".replace("HASH", "a" * 64)


def libraries(document: Json) -> list[tuple[str, str]]:
    return sorted((c["name"], c.get("version", "")) for c in nested(document) if c["type"] == "library")


def test_a_poetry_project_with_extras_and_lock(tmp_path: Path) -> None:
    files = {"model.safetensors": WEIGHTS, "pyproject.toml": POETRY, "poetry.lock": POETRY_LOCK}
    document = bom(tmp_path, files)
    assert libraries(document) == [("idna", "3.10"), ("requests", "2.32.3"), ("torch", "2.6.0")]
    found = {c["name"]: c for c in nested(document) if c["type"] == "library"}
    assert values(found["requests"], "aibom:extras") == ["socks"]
    assert values(found["requests"], "aibom:archive-digest") == [f"sha256:{'a' * 64}"]
    assert found["torch"].get("scope") == "optional"
    assert "versionRange" not in found["requests"]
    graph = {node["ref"]: node["dependsOn"] for node in document["dependencies"]}
    assert graph[found["requests"]["bom-ref"]] == [found["idna"]["bom-ref"]]


def test_a_lock_that_does_not_cover_everything_leaves_the_list_incomplete(tmp_path: Path) -> None:
    files = {"model.safetensors": WEIGHTS, "pyproject.toml": POETRY, "poetry.lock": POETRY_LOCK}
    document = bom(tmp_path, {**files, "requirements.txt": "datasets\n", "run.py": "import requests\n"})
    assert ("datasets", "") in libraries(document)
    assert aggregate(document, "code", "dependencies") == ["incomplete"]


def test_the_same_pin_with_and_without_digest_is_one_library(tmp_path: Path) -> None:
    files = {"model.safetensors": WEIGHTS, "requirements.txt": "torch==2.6.0\n"}
    document = bom(tmp_path, {**files, "requirements-all.txt": f"torch==2.6.0 --hash=sha256:{'b' * 64}\n"})
    assert libraries(document) == [("torch", "2.6.0")]
    (library,) = [c for c in nested(document) if c["type"] == "library"]
    assert values(library, "aibom:declared-in") == ["requirements-all.txt", "requirements.txt"]


def test_two_pins_of_one_library_are_a_conflict(tmp_path: Path) -> None:
    files = {"model.safetensors": WEIGHTS, "requirements.txt": "torch==2.6.0\n"}
    document = bom(tmp_path, {**files, "requirements-dev.txt": "torch==2.5.0\n"})
    assert libraries(document) == [("torch", "2.5.0"), ("torch", "2.6.0")]
    (conflict,) = conflicts(document)
    assert all(words in conflict for words in ("torch", "2.6.0", "2.5.0", "requirements-dev.txt"))


def test_an_import_that_nothing_declares_is_named_with_its_line(tmp_path: Path) -> None:
    source = "import os\nimport yaml\nimport torch\nfrom helper import x\n"
    source += "try:\n    import ujson\nexcept ImportError:\n    pass\n"
    files = {
        "model.safetensors": WEIGHTS,
        "run.py": source,
        "helper.py": "x = 1\n",
        "requirements.txt": "torch==2.6.0\n",
    }
    document = bom(tmp_path, files)
    (code,) = [c for c in nested(document) if c["bom-ref"] == "code"]
    (text,) = values(code, "aibom:undeclared-import")
    assert "yaml" in text.lower()
    assert "run.py, line 2" in text
    assert aggregate(document, "code", "dependencies") == ["incomplete"]


def test_an_image_pinned_by_digest_keeps_it(tmp_path: Path) -> None:
    digest = "c" * 64
    docker = f"FROM registry.example/lab/base:1.2@sha256:{digest} AS build\nFROM build\nRUN pip install rich==13.9.4\n"
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "Dockerfile": docker})
    (image,) = [c for c in nested(document) if c["type"] == "container"]
    assert image["name"] == "registry.example/lab/base"
    assert image["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert digest in image["purl"]
    assert image["purl"].count("%25") == 0
    assert libraries(document) == [("rich", "13.9.4")]


SERVED = """from openai import OpenAI

first = OpenAI()
first.chat.completions.create(model="gpt-4o-mini", messages=[])
"""


def test_a_hosted_service_is_named_with_the_model_that_is_asked_for(tmp_path: Path) -> None:
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "run.py": SERVED, "requirements.txt": "openai==1.60.0\n"})
    (service,) = document["services"]
    assert service["provider"] == {"name": "OpenAI"}
    assert values(service, "aibom:served-model") == ["gpt-4o-mini"]
    assert values(service, "aibom:declared-in")[0].startswith("run.py, line ")
    assert list(models(document)) == ["model"]


def test_two_services_of_one_kind_are_two(tmp_path: Path) -> None:
    source = "from openai import OpenAI\n\na = OpenAI(base_url='https://a.example/v1')\nb = OpenAI(base_url='https://b.example/v1')\n"
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "run.py": source})
    assert [item["endpoints"] for item in document["services"]] == [["https://a.example/v1"], ["https://b.example/v1"]]


def test_nobody_says_that_an_unknown_service_asks_who_calls(tmp_path: Path) -> None:
    source = "from openai import OpenAI\n\na = OpenAI(base_url='https://a.example/v1', api_key='none')\n"
    (service,) = bom(tmp_path, {"model.safetensors": WEIGHTS, "run.py": source})["services"]
    assert "authenticated" not in service


# --- licences -------------------------------------------------------------------------------------------------------

APACHE = "Apache License\nVersion 2.0, January 2004\nTERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION"


def test_four_sources_of_a_licence_that_disagree_are_each_reported(tmp_path: Path) -> None:
    files = {
        "README.md": card("license: mit\n"),
        "LICENSE": APACHE,
        "t.gguf": gguf(general__license="bsd-3-clause"),
        "pyproject.toml": '[project]\nname = "tales"\nversion = "1"\nlicense = "GPL-3.0-only"\n',
    }
    document = bom(tmp_path, files)
    assert licence_names(main(document)) == ["MIT"]
    assert sources(main(document), "licenses") == ["README.md, front matter, license"]
    told = conflicts(document)
    for file, licence in (("LICENSE", "Apache-2.0"), ("t.gguf", "BSD-3-Clause"), ("pyproject.toml", "GPL-3.0-only")):
        assert any(file in text and licence in text and "README.md" in text and "MIT" in text for text in told)


def test_a_conversion_keeps_its_own_licence_to_itself(tmp_path: Path) -> None:
    files = {"model.safetensors": WEIGHTS, "t.gguf": gguf(general__license="bsd-3-clause"), "README.md": card()}
    document = bom(tmp_path, files)
    assert licence_names(main(document)) == []
    assert licence_names(models(document)["model:t.gguf"]) == ["BSD-3-Clause"]


def test_a_card_with_two_licences_keeps_both(tmp_path: Path) -> None:
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": card("license: [mit, apache-2.0]\n")})
    assert sorted(licence_names(main(document))) == ["Apache-2.0", "MIT"]


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("openrail", "OpenRAIL licence family"),
        ("creativeml-openrail-m", "CreativeML Open RAIL-M"),
        ("bigscience-bloom-rail-1.0", "BigScience RAIL License v1.0"),
        ("gemma", "Gemma Terms of Use"),
        ("llama3.1", "Llama 3.1 Community License Agreement"),
    ],
)
def test_a_licence_that_restricts_use_is_flagged_and_has_no_false_identifier(
    tmp_path: Path, written: str, named: str
) -> None:
    model = main(bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": card(f"license: {written}\n")}))
    assert values(model, "aibom:use-restricted") == [named]
    (item,) = model["licenses"]
    assert item["license"].get("id") in (None, "CreativeML-OpenRAIL-M")
    assert item["license"]["name"] == named


@pytest.mark.parametrize("written", ["mit", "apache-2.0", "bsd-3-clause", "gpl-3.0"])
def test_a_licence_that_does_not_restrict_use_is_not_flagged(tmp_path: Path, written: str) -> None:
    model = main(bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": card(f"license: {written}\n")}))
    assert values(model, "aibom:use-restricted") == []


# --- names and neighbours -------------------------------------------------------------------------------------------


def test_a_starting_point_is_no_name(tmp_path: Path) -> None:
    config = {"_name_or_path": "lab/tiny-base", "model_type": "bert", "architectures": ["BertModel"]}
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "config.json": config})
    assert main(document)["name"] == root(document)["name"] == "unnamed-model"
    assert list(ancestors(main(document))) == ["lab/tiny-base"]
    assert "lab/tiny-base" not in json.dumps([main(document).get("purl"), root(document)])


def test_names_that_need_quoting_keep_every_file_apart(tmp_path: Path) -> None:
    names = ["a b.md", "a%20b.md", "ä.md", "x, y.md", "docs/q?#&.md", "100%.md", "docs/usage.md"]
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, **dict.fromkeys(names, "# T\n")})
    assert {c["name"] for c in nested(document) if c["type"] == "file"} == {"model.safetensors", *names}


def test_a_namesake_of_another_owner_is_an_ancestor(tmp_path: Path) -> None:
    files = {
        "model.safetensors": WEIGHTS,
        "README.md": card("license: mit\n"),
        "config.json": {"_name_or_path": "base-lab/tall-tales", "model_type": "bert"},
        "aibom.toml": '[model]\nhub = "lab/tall-tales"\n',
    }
    assert list(ancestors(main(bom(tmp_path, files)))) == ["base-lab/tall-tales"]


def test_a_model_without_a_name_is_not_told_from_others_by_name(tmp_path: Path) -> None:
    found = harness("lab/tall-tales", {"arc": {"acc,none": 0.5}})
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "lm_eval.json": found})
    assert not any("evaluates another model" in text for text in conflicts(document))


@pytest.mark.parametrize("path", ["/srv/out/run-7", "./out/run-7"])
def test_a_path_that_was_evaluated_is_not_said_to_be_another_model(tmp_path: Path, path: str) -> None:
    found = harness(path, {"arc": {"acc,none": 0.5}})
    document = bom(tmp_path, {"model.safetensors": WEIGHTS, "README.md": card("license: mit\n"), "lm_eval.json": found})
    assert not any("evaluates another model" in text for text in conflicts(document))


def test_a_licence_text_beside_an_adapter_is_the_adapter_s(tmp_path: Path) -> None:
    files = {
        "model.safetensors": WEIGHTS,
        "a/adapter_config.json": LORA,
        "a/adapter_model.safetensors": ADAPTER,
        "a/LICENSE": MIT,
    }
    assert licence_names(main(bom(tmp_path, files))) == []


@pytest.mark.parametrize("name", ["serve.py", "evaluate.py"])
def test_how_the_model_is_served_or_tested_is_no_setting_of_its_training(tmp_path: Path, name: str) -> None:
    source = "from transformers import pipeline\n\np = pipeline('text-classification', batch_size=16)\n"
    source += "from torch.utils.data import DataLoader\n\nd = DataLoader([], batch_size=16)\n"
    arguments = {"per_device_train_batch_size": 8}
    files = {"model.safetensors": WEIGHTS, name: source, "training_args.json": arguments}
    document = bom(tmp_path, files)
    assert "16" not in json.dumps(document["formulation"])
    assert not any("batch_size" in text for text in conflicts(document))


DATA_ONLY = {
    "README.md": card("license: cc-by-4.0\ntask_categories: [text-classification]\n", "# Tales\n"),
    "train.csv": CSV,
}


def test_a_release_of_data_alone_has_no_model(tmp_path: Path) -> None:
    assert models(bom(tmp_path, DATA_ONLY)) == {}


def test_a_data_card_in_the_root_speaks_for_the_data_in_the_root(tmp_path: Path) -> None:
    (one,) = data(bom(tmp_path, {**DATA_ONLY, "model.safetensors": WEIGHTS})).values()
    assert (one["name"], licence_names(one)) == ("Tales", ["CC-BY-4.0"])


# --- what a stranger writes -----------------------------------------------------------------------------------------

METADATA = "Metadata-Version: 2.4\nName: {}\nVersion: {}\n\n"
LONG = "9" * 1025
ODD: Mapping[str, Files] = {
    "a name that is a slash": {"README.md": card('model-index:\n- name: "/"\n  results: []\n')},
    "a package whose name is a slash": {"a-1.dist-info/METADATA": METADATA.format("/", "1")},
    "a data set whose name is a slash": {"README.md": card('license: mit\ndatasets: ["/"]\n')},
    "a part without a name": {"model_index.json": {"_class_name": "P", "": ["diffusers", "X"]}},
    "an image whose name is a slash": {"Dockerfile": "FROM /\n"},
    "a base model whose name ends in a blank": {
        "a/adapter_config.json": LORA | {"base_model_name_or_path": "a/ "},
        "a/adapter_model.safetensors": ADAPTER,
    },
    "a link of a licence that is no address": {
        "README.md": card('license: other\nlicense_name: x\nlicense_link: "100%"\n')
    },
    "a link of a licence with a tab": {"README.md": card('license: other\nlicense_name: x\nlicense_link: "a\\tb"\n')},
    "a repository that is no address": {
        "README.md": card("license: mit\n", "# T\n\n- **Repository:** [x](https://a.example/%zz)\n")
    },
    "a DOI that is none": {"CITATION.cff": 'cff-version: 1.2.0\ntitle: x\ndoi: "%"\n'},
    "a requirement from no address": {"requirements.txt": "x @ git+https://a.example/%zz\n"},
    "a requirement from half an address": {"requirements.txt": "x @ :\n"},
    "a service at no address": {"run.py": "from openai import OpenAI\nOpenAI(base_url='http://[')\n"},
    "a data set at no address": {"data/a.csv": CSV, "data/croissant.json": croissant("a.csv", "0" * 64, url="%")},
    "a version without an end": {"a-1.dist-info/METADATA": METADATA.format("x", LONG)},
    "a revision without an end": {
        "a/adapter_config.json": LORA | {"revision": LONG},
        "a/adapter_model.safetensors": ADAPTER,
    },
    "a number without an end": {
        "README.md": metric_card("1e5000000"),
        "lm_eval.json": harness("lab/tall-tales", {"imdb": {"accuracy,none": 0.5}}),
    },
    "a name with a per cent sign": {"README.md": card('model-index:\n- name: "100%"\n  results: []\n')},
    "a name of dots": {"README.md": card('model-index:\n- name: ".."\n  results: []\n')},
    "a task with a line break": {"README.md": card('license: mit\npipeline_tag: "a\\nb"\n')},
    "a metric without a number": {"README.md": metric_card('"much"')},
    "emissions below nothing": {"README.md": card("license: mit\nco2_eq_emissions: {emissions: -3}\n")},
}


HARMLESS = (
    "a name with a per cent sign",
    "a name of dots",
    "a task with a line break",
    "a metric without a number",
    "emissions below nothing",
)


@pytest.mark.parametrize("name", list(ODD))
def test_what_a_stranger_writes_gives_a_valid_bom(tmp_path: Path, name: str) -> None:
    assert bom(tmp_path, {"model.safetensors": WEIGHTS, **ODD[name]})["bomFormat"] == "CycloneDX"
