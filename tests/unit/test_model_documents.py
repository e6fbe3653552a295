"""Tokenisers, generation settings, adapters, pipelines, MLflow, citations, trainer states and configurations."""

import hashlib
import json

import pytest

from aibom.core.errors import InputError
from aibom.formats import adapter_config, citation_file, generation_config, mlflow_model, pipeline_index, tokenizer
from aibom.formats import trainer_state as trainer
from aibom.formats.adapter_config import parse_adapter_config
from aibom.formats.citation_file import CitedIdentifier, parse_citation
from aibom.formats.generation_config import parse_generation_config
from aibom.formats.mlflow_model import MlflowColumn, parse_mlflow_model
from aibom.formats.model_config import parse_model_config
from aibom.formats.pipeline_index import parse_pipeline_index, parse_sentence_modules
from aibom.formats.tokenizer import is_chat_template, parse_chat_template, parse_tokenizer, parse_tokenizer_config
from aibom.formats.trainer_state import parse_trainer_state, parse_training_arguments, setting_name
from tests.releases.documents import BASE, DOCUMENTS, model_config
from tests.releases.documents import tokenizer as tokenizer_document
from tests.releases.texts import TEXTS


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_example_tokeniser() -> None:
    config = parse_tokenizer_config(as_json(DOCUMENTS["tokenizer_config.json"]), "t")
    assert (config.tokenizer_class, config.model_max_length) == ("DistilBertTokenizer", 512)
    assert (config.chat_templates, config.remote_code) == ({}, ())
    found = parse_tokenizer(as_json(tokenizer_document(["[UNK]", "a", "b"])), "t")
    assert (found.version, found.model_type, found.vocabulary_size) == ("1.0", "WordPiece", 3)


def test_a_single_chat_template_is_the_default_one() -> None:
    config = parse_tokenizer_config(as_json({"chat_template": "{{ é }}"}), "t")
    assert config.chat_templates == {"default": sha256("{{ é }}")}


def test_named_chat_templates_keep_their_names() -> None:
    templates = [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]
    config = parse_tokenizer_config(as_json({"chat_template": templates}), "t")
    assert config.chat_templates == {"default": sha256("a"), "tool_use": sha256("b")}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (7, "expected a text or a list"),
        ([{"name": "a"}], "needs a name and a template"),
        (["a"], "needs a name and a template"),
        ([{"name": "a", "template": "1"}, {"name": "a", "template": "2"}], "appears twice"),
        ([{"name": str(n), "template": ""} for n in range(101)], "at most 100"),
    ],
)
def test_a_chat_template_that_can_be_read_in_two_ways_is_refused(template: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_tokenizer_config(as_json({"chat_template": template}), "t")


@pytest.mark.parametrize("length", [10**30, 1e30, -1, True, "512", 1.5])
def test_the_stand_in_for_no_limit_is_no_length(length: object) -> None:
    assert parse_tokenizer_config(as_json({"model_max_length": length}), "t").model_max_length is None


def test_a_pair_of_remote_tokenisers_is_two_targets() -> None:
    config = parse_tokenizer_config(as_json({"auto_map": {"AutoTokenizer": ["own.Slow", None]}}), "t")
    assert config.remote_code == ("own.Slow",)


def test_a_vocabulary_may_be_a_list_and_tokens_are_added() -> None:
    added = [{"content": "<s>", "special": True}, {"content": "x", "special": False}, 3]
    found = parse_tokenizer(as_json({"model": {"type": "Unigram", "vocab": [["a", 0.1]]}, "added_tokens": added}), "t")
    assert (found.vocabulary_size, found.added_tokens, found.special_tokens) == (1, 2, ("<s>",))


def test_a_tokeniser_without_a_model_is_refused() -> None:
    with pytest.raises(InputError, match="expected an object, found null"):
        parse_tokenizer(b"{}", "t")


def test_a_template_file_is_named_after_its_file() -> None:
    assert parse_chat_template(b"{{ x }}", "m/chat_template.jinja").name == "default"
    other = parse_chat_template(b"{{ x }}", "m/additional_chat_templates/rag.jinja")
    assert (other.name, other.sha256, other.size) == ("rag", sha256("{{ x }}"), 7)
    assert is_chat_template("a/chat_template.jinja")
    assert is_chat_template("additional_chat_templates/rag.jinja")
    assert not is_chat_template("docs/page.jinja")


def test_a_template_file_is_text_of_a_bounded_size() -> None:
    with pytest.raises(InputError, match="UTF-8") as caught:
        parse_chat_template(b"ab\xff", "chat_template.jinja")
    assert caught.value.where == "chat_template.jinja, byte 2"
    with pytest.raises(InputError, match="at most"):
        parse_chat_template(b"x" * (tokenizer.MAX_TEMPLATE_BYTES + 1), "chat_template.jinja")


def test_generation_settings_are_the_plain_values() -> None:
    document = {
        "temperature": 0.6, "do_sample": True, "top_k": 20, "eos_token_id": [1, 2], "transformers_version": "4.51.0",
        "_from_model_config": True, "cache_implementation": "static", "pad_token_id": None,
    }  # fmt: skip
    config = parse_generation_config(as_json(document), "g")
    assert config.parameters == {
        "cache_implementation": "static", "do_sample": True, "temperature": 0.6, "top_k": 20,
    }  # fmt: skip
    assert (config.transformers_version, config.from_model_config) == ("4.51.0", True)


def test_too_many_generation_settings_are_refused() -> None:
    with pytest.raises(InputError, match="at most 500"):
        parse_generation_config(as_json({str(n): n for n in range(501)}), "g")


def test_the_example_adapter() -> None:
    found = parse_adapter_config(as_json(DOCUMENTS["adapters/nl-lora/adapter_config.json"]), "a")
    assert (found.base_model, found.adapter_type, found.task) == (BASE, "LORA", "SEQ_CLS")
    assert (found.rank, found.alpha, found.dropout) == (8, 16, None)
    assert (found.target_modules, found.target_pattern) == (("q_lin", "v_lin"), "")


def test_a_pattern_of_modules_stays_text() -> None:
    document = {"peft_type": "LORA", "target_modules": "(a+)+$", "lora_dropout": 0.05, "r": True, "lora_alpha": True}
    found = parse_adapter_config(as_json(document), "a")
    assert (found.target_modules, found.target_pattern, found.dropout, found.rank) == ((), "(a+)+$", 0.05, None)
    assert found.alpha is None


@pytest.mark.parametrize(
    ("library", "foreign"),
    [("transformers.models.bert", ""), ("own_code.models", "own_code.models"), ("", "")],
)
def test_a_library_from_elsewhere_is_marked(library: str, foreign: str) -> None:
    mapping = {"base_model_class": "X", "parent_library": library or None}
    found = parse_adapter_config(as_json({"peft_type": "LORA", "auto_mapping": mapping}), "a")
    assert found.foreign_library == foreign


def test_an_adapter_without_a_type_or_with_endless_modules_is_refused() -> None:
    with pytest.raises(InputError, match="needs a text") as caught:
        parse_adapter_config(b"{}", "a")
    assert caught.value.where == "a, peft_type"
    with pytest.raises(InputError, match="at most 20000"):
        parse_adapter_config(as_json({"peft_type": "LORA", "target_modules": ["x"] * 20_001}), "a")


PIPELINE = {
    "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.31.0", "_name_or_path": "other/base",
    "requires_safety_checker": True, "image_size": [512, 512],
    "unet": ["diffusers", "UNet2DConditionModel"], "text_encoder": ["transformers", "CLIPTextModel"],
    "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"], "image_encoder": [None, None],
    "controlnet": ["os", "system"],
}  # fmt: skip


def test_a_pipeline_names_its_components_and_foreign_ones_are_marked() -> None:
    index = parse_pipeline_index(as_json(PIPELINE), "p")
    assert (index.pipeline_class, index.pipeline_module) == ("StableDiffusionPipeline", "")
    assert (index.diffusers_version, index.starting_point) == ("0.31.0", "other/base")
    assert [part.name for part in index.components if part.is_foreign] == ["controlnet"]
    assert [part.name for part in index.components if part.is_absent] == ["image_encoder"]
    assert len(index.components) == 5


def test_a_pipeline_may_bring_its_own_class_and_modular_components() -> None:
    document = {"_class_name": ["my_code", "Mine"], "vae": ["diffusers", "AutoencoderKL", {"subfolder": "vae"}]}
    index = parse_pipeline_index(as_json(document), "p")
    assert (index.pipeline_module, index.pipeline_class) == ("my_code", "Mine")
    assert index.components[0].class_name == "AutoencoderKL"


def test_half_a_component_is_neither_absent_nor_known() -> None:
    index = parse_pipeline_index(b'{"_class_name": "A", "x": [null, "B"], "y": ["own", null]}', "p")
    assert [(part.is_absent, part.is_foreign) for part in index.components] == [(False, True), (False, True)]


@pytest.mark.parametrize("name", [None, "", ["a"], ["a", None], ["a", "b", "c"], 3])
def test_a_pipeline_without_a_class_is_refused(name: object) -> None:
    with pytest.raises(InputError, match="expected a class name"):
        parse_pipeline_index(as_json({"_class_name": name}), "p")


def test_sentence_modules_are_ordered_and_foreign_ones_marked() -> None:
    modules = [
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers_evil.Transformer"},
    ]
    found = parse_sentence_modules(as_json(modules), "m")
    assert [(module.index, module.path, module.is_foreign) for module in found] == [
        (0, "", True),
        (1, "1_Pooling", False),
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "JSON array"),
        ([{}], "needs a type"),
        ([3], "needs a type"),
        ([{"type": "a.B", "idx": "0"}], "whole number"),
        ([{"type": "a.B"}] * 1001, "at most 1000"),
    ],
)
def test_malformed_sentence_modules_are_refused(value: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_sentence_modules(as_json(value), "m")


def test_too_many_parts_of_a_pipeline_are_refused() -> None:
    with pytest.raises(InputError, match="at most 1000"):
        parse_pipeline_index(as_json({str(n): 0 for n in range(1001)}), "p")


MLMODEL = b"""artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: own.loader
    model_path: model.pkl
    python_version: 3.10.12
    artifacts:
      words: {path: artifacts/words.txt, uri: 's3://x'}
  sklearn:
    code: null
    pickled_model: model.bin
    serialization_format: cloudpickle
    sklearn_version: 1.5
mlflow_version: 2.14.1
model_uuid: 0f0f
run_id: abc
signature:
  inputs: '[{"name": "text", "type": "string"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]'
utc_time_created: '2024-07-01 10:00:00.000000'
"""


def test_an_mlflow_model_names_what_loading_runs() -> None:
    model = parse_mlflow_model(MLMODEL, "MLmodel")
    function, sklearn = model.flavors
    assert (function.foreign_loader, function.python_version) == ("own.loader", "3.10.12")
    assert function.files == {
        "env.conda": "conda.yaml", "env.virtualenv": "python_env.yaml", "model_path": "model.pkl",
        "artifacts.words": "artifacts/words.txt",
    }  # fmt: skip
    assert (function.pickles, sklearn.pickles) == (("model.pkl",), ("model.bin",))
    assert (sklearn.versions, sklearn.foreign_loader) == ({"sklearn": "1.5"}, "")
    assert model.inputs == (MlflowColumn(name="text", type="string", shape=()),)
    assert model.outputs == (MlflowColumn(name="", type="float32", shape=(-1, 2)),)
    assert (model.mlflow_version, model.run_id, model.model_uuid) == ("2.14.1", "abc", "0f0f")
    assert (model.created, model.artifact_path) == ("2024-07-01 10:00:00.000000", "model")


@pytest.mark.parametrize(
    ("loader", "foreign"), [("mlflow", ""), ("mlflow.sklearn", ""), ("mlflow_own", "mlflow_own"), ("''", "")]
)
def test_a_loader_outside_mlflow_is_marked(loader: str, foreign: str) -> None:
    model = parse_mlflow_model(
        f"flavors: {{a: {{loader_module: {loader}, artifacts: {{x: {{path: 1}}}}}}}}".encode(), "m"
    )
    assert (model.flavors[0].foreign_loader, model.flavors[0].files) == (foreign, {})


def test_what_mlflow_loads_without_a_pickle_is_not_one() -> None:
    text = b"flavors:\n  sklearn: {pickled_model: m.skops, serialization_format: skops}\n  x: {python_model: m.py}\n"
    assert [flavor.pickles for flavor in parse_mlflow_model(text, "m").flavors] == [(), ()]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a: 1\n", "mapping of flavours"),
        (b"flavors: {}\n", "mapping of flavours"),
        (b"flavors: {a: {}}\nsignature: {inputs: '{'}\n", "not JSON"),
        (b"flavors: {a: {}}\nsignature: {inputs: '{}'}\n", "JSON array"),
        (b"flavors: {a: {}}\nsignature: {inputs: [1]}\n", "JSON in a text"),
        (b"flavors: {" + b", ".join(b"f%d: {}" % n for n in range(101)) + b"}\n", "at most 100"),
        (b"flavors: {a: {}}\nsignature: {inputs: '[" + b"1," * 20_000 + b"1]'}\n", "at most 20000"),
    ],
)
def test_an_mlflow_model_that_cannot_be_read_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_mlflow_model(text, "MLmodel")


CITATION = b"""cff-version: 1.2.0
title: A study
type: dataset
version: 1.10
date-released: 2025-03-01
license: [MIT, Apache-2.0]
authors:
- family-names: Haas
  given-names: Jo
  name-particle: de
  orcid: https://orcid.org/0000-0000-0000-0000
- name: Institute
  website: https://example.org
- {}
identifiers:
- {type: doi, value: 10.1/x}
repository-code: https://example.org/code
preferred-citation: {type: article, title: The paper, doi: 10.1/paper}
"""


def test_a_citation_file() -> None:
    found = parse_citation(CITATION, "CITATION.cff")
    assert (found.title, found.type, found.version, found.doi) == ("A study", "dataset", "1.10", "10.1/x")
    assert (found.date_released, found.licenses) == ("2025-03-01", ("MIT", "Apache-2.0"))
    assert [(author.name, author.is_person) for author in found.authors] == [("Jo de Haas", True), ("Institute", False)]
    assert found.authors[0].orcid.endswith("0000")
    assert found.identifiers == (CitedIdentifier(type="doi", value="10.1/x"),)
    assert (found.repository_code, found.url) == ("https://example.org/code", "")
    assert (found.preferred_title, found.preferred_doi) == ("The paper", "10.1/paper")


def test_the_example_citation_file() -> None:
    found = parse_citation(TEXTS["CITATION.cff"].encode(), "CITATION.cff")
    assert (found.title, found.version, found.cff_version) == ("Sentimind Small v2", "2.1.0", "1.2.0")
    assert [author.name for author in found.authors] == ["Acme AI B.V."]


@pytest.mark.parametrize("field", [b"title: x\n", b"cff-version: 1.2.0\n"])
def test_a_citation_file_needs_its_version_and_a_title(field: bytes) -> None:
    with pytest.raises(InputError, match="needs a text"):
        parse_citation(field, "c")


def test_endless_authors_are_refused() -> None:
    with pytest.raises(InputError, match="at most 5000"):
        parse_citation(b"cff-version: 1.2.0\ntitle: x\nauthors: [" + b"1," * 5001 + b"]\n", "c")


def test_a_trainer_state_gives_its_last_evaluation() -> None:
    history = [{"eval_loss": 9, "step": 1}, {"eval_loss": 0.5, "eval_runtime": 3, "step": 10}, {"loss": 0.1}]
    document = {
        "global_step": 10, "max_steps": 10, "epoch": 2.0, "num_train_epochs": 2, "best_metric": 0.5,
        "best_model_checkpoint": "out/checkpoint-10", "total_flos": 1e15, "train_batch_size": 8, "log_history": history,
    }  # fmt: skip
    state = parse_trainer_state(as_json(document), "s")
    assert (state.global_step, state.max_steps, state.epoch, state.num_train_epochs) == (10, 10, "2.0", "2")
    assert (state.best_metric, state.total_flos, state.train_batch_size, state.log_entries) == (
        "0.5",
        "1000000000000000.0",
        8,
        3,
    )
    assert [(m.type, m.value, m.source_field) for m in state.last_evaluation] == [
        ("loss", "0.5", "log_history[1].eval_loss")
    ]


def test_a_trainer_state_needs_its_steps() -> None:
    for value in ({}, {"global_step": True}, {"global_step": -1}):
        with pytest.raises(InputError, match="number of steps"):
            parse_trainer_state(as_json(value), "s")
    assert parse_trainer_state(b'{"global_step": 1}', "s").last_evaluation == ()


def test_the_example_training_arguments_get_common_names() -> None:
    found = parse_training_arguments(as_json(DOCUMENTS["training_args.json"]), "a")
    assert {(setting.name, setting.value, setting.label) for setting in found.hyperparameters} == {
        ("learning_rate", "2e-05", "learning_rate"), ("epochs", "3", "num_train_epochs"), ("precision", "fp16", "fp16"),
        ("per_device_train_batch_size", "32", "per_device_train_batch_size"), ("seed", "42", "seed"),
        ("optimizer", "adamw_torch", "optim"),
    }  # fmt: skip
    assert found.arguments["fp16"] is True


def test_an_argument_that_sets_nothing_is_no_setting() -> None:
    found = parse_training_arguments(as_json({"max_steps": -1, "bf16": False, "optim": "", "output_dir": "x"}), "a")
    assert (found.hyperparameters, len(found.arguments)) == ((), 4)
    assert setting_name("Mixed-Precision training") == "precision"


def test_endless_training_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="at most 2000"):
        parse_training_arguments(as_json({str(n): n for n in range(2001)}), "a")


def test_the_example_configuration_gives_sizes_and_labels() -> None:
    config = parse_model_config(as_json(model_config(1000)), "config.json")
    assert config.sizes == {
        "hidden_size": 128, "intermediate_size": 512, "max_position_embeddings": 512, "num_attention_heads": 4,
        "num_hidden_layers": 4, "vocab_size": 1000,
    }  # fmt: skip
    assert (config.labels, config.transformers_version) == (("NEGATIVE", "POSITIVE"), "4.48.3")
    assert (config.starting_point, config.dtype, config.quantization) == (BASE, "float32", None)


def test_labels_follow_their_numbers_and_sizes_may_lie_deeper() -> None:
    labels = {"10": "k", "2": "c", "x": "no", "0": "a", "1": 5}
    document = {
        "id2label": labels,
        "text_config": {"hidden_size": 64},
        "vocab_size": True,
        "problem_type": "regression",
    }
    config = parse_model_config(as_json(document), "c")
    assert (config.labels, config.sizes, config.problem_type) == (("a", "c", "k"), {"hidden_size": 64}, "regression")


@pytest.mark.parametrize(
    ("stated", "method", "bits"),
    [
        ({"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}}, "gptq", 4),
        (
            {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True, "x": False}},
            "bitsandbytes",
            4,
        ),
        ({"quantization_config": {"load_in_4bit": True, "load_in_8bit": True}}, "", None),
        ({"quantization": {"bits": 8, "group_size": 64}}, "", 8),
        ({"quantization_config": {"quant_method": "fp8", "bits": "many"}}, "fp8", None),
    ],
)
def test_quantisation(stated: dict[str, object], method: str, bits: int | None) -> None:
    found = parse_model_config(as_json(stated), "c").quantization
    assert found is not None
    assert (found.method, found.bits) == (method, bits)


def test_quantisation_keeps_its_other_settings() -> None:
    config = parse_model_config(b'{"quantization_config": {"bits": 4, "desc_act": false, "x": [1]}}', "c")
    assert config.quantization is not None
    assert config.quantization.settings == {"desc_act": "false"}


@pytest.mark.parametrize(
    ("parse", "limit"),
    [
        (parse_tokenizer_config, tokenizer.MAX_CONFIG_BYTES),
        (parse_generation_config, generation_config.MAX_BYTES),
        (parse_adapter_config, adapter_config.MAX_BYTES),
        (parse_pipeline_index, pipeline_index.MAX_BYTES),
        (parse_sentence_modules, pipeline_index.MAX_BYTES),
        (parse_mlflow_model, mlflow_model.MAX_BYTES),
        (parse_citation, citation_file.MAX_BYTES),
        (parse_training_arguments, trainer.MAX_ARGUMENT_BYTES),
        (parse_trainer_state, trainer.MAX_BYTES),
        (parse_tokenizer, tokenizer.MAX_BYTES),
    ],
)  # fmt: skip
def test_a_document_that_is_too_large_is_refused(parse: object, limit: int) -> None:
    assert callable(parse)
    with pytest.raises(InputError, match="at most"):
        parse(bytes(limit + 1), "x")
