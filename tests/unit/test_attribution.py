"""Whose word it is: what a file says is said of the model it lies with, and of no other."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from aibom.build.account import Account, Dataset
from aibom.build.assemble import assemble
from aibom.build.collect import collect
from aibom.build.datasets import EVALUATION, OTHER, TRAINING
from aibom.build.evidence import is_path
from aibom.core.names import is_hub_name
from aibom.formats.hosted_services import HostedService, hosted_services
from aibom.formats.python_source import read_python
from tests.factory import build_bom_bytes
from tests.releases.files import put, put_json
from tests.releases.writers import gguf_bytes, safetensors_bytes, zero_tensor

Json = dict[str, Any]
WEIGHTS = safetensors_bytes({"w": zero_tensor("F32", 2, 3)}, {"format": "pt"})
CARD = "---\nlicense: mit\n---\n# Tall Tales\n\nTells tales.\n"
CSV = "a,b\n1,2\n"
EMISSIONS = "timestamp,emissions,energy_consumed\n2026-01-01,0.5,1.5\n"
CITATION = "cff-version: 1.2.0\ntitle: Other\nauthors:\n- family-names: Else\n  given-names: Somebody\n"
ADAPTER = {"peft_type": "LORA", "base_model_name_or_path": "lab/tiny-base", "r": 8}


def account(folder: Path, files: Json, weights: str = "model.safetensors") -> Account:
    for name, content in ({weights: WEIGHTS} | files).items():
        if isinstance(content, (str, bytes)):
            put(folder / name, content)
        else:
            put_json(folder / name, content)
    return assemble(collect(folder))


def bom(folder: Path) -> Json:
    document: Json = json.loads(build_bom_bytes(folder))
    return document


def values(found: Account) -> list[str]:
    return [result.value for result in found.model.metrics]


def indexed(name: str, value: object, more: str = "", dataset: str = "imdb", metric: str = "accuracy") -> str:
    place = f"dataset: {{name: {dataset}, type: {dataset}{more}}}"
    return (
        f"- name: {name}\n  results:\n  - task: {{type: t}}\n    {place}\n"
        f"    metrics: [{{type: {metric}, value: {value}}}]\n"
    )


def card(front: str) -> str:
    return f"---\nlicense: mit\n{front}---\n# Tall Tales\n\nTells tales.\n"


def harness(model: str, results: Json) -> Json:
    settings = {"model": "hf", "model_args": f"pretrained={model}"}
    return {"results": results, "versions": dict.fromkeys(results, 1.0), "config": settings}


ACC = {"arc": {"acc,none": 0.99}}

# --- folders --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["checkpoint-5", "base", "third_party/other"])
def test_a_card_in_a_folder_without_the_weights_is_not_the_model_s(tmp_path: Path, folder: str) -> None:
    found = account(tmp_path, {f"{folder}/README.md": card("base_model: lab/else\ndatasets: [lab/x]\n")})
    assert found.model.identity.name.value == "unnamed-model"
    assert (found.model.identity.licences, found.model.ancestors, found.model.datasets) == ((), (), ())


@pytest.mark.parametrize("name", ["models/tales/README.md", "models/README.md", "README.md"])
def test_a_card_beside_the_weights_or_above_them_is_the_model_s(tmp_path: Path, name: str) -> None:
    found = account(tmp_path, {name: CARD}, weights="models/tales/model.safetensors")
    assert found.model.identity.name.value == "Tall Tales"


def test_a_model_in_a_folder_called_examples_speaks_for_itself(tmp_path: Path) -> None:
    files = {"examples/README.md": CARD, "examples/training_args.json": {"learning_rate": 0.001}}
    found = account(tmp_path, files, weights="examples/model.safetensors")
    assert found.model.identity.name.value == "Tall Tales"
    assert found.training is not None


@pytest.mark.parametrize("folder", ["third_party", "examples", "docs"])
def test_a_citation_and_emissions_from_elsewhere_are_not_the_model_s(tmp_path: Path, folder: str) -> None:
    found = account(
        tmp_path, {"README.md": CARD, f"{folder}/CITATION.cff": CITATION, f"{folder}/emissions.csv": EMISSIONS}
    )
    assert found.model.identity.producer is None
    assert found.model.energy == ()


def test_a_citation_and_emissions_in_the_root_are_the_model_s(tmp_path: Path) -> None:
    found = account(tmp_path, {"README.md": CARD, "CITATION.cff": CITATION, "emissions.csv": EMISSIONS})
    assert found.model.identity.producer is not None
    assert str(found.model.energy[0].kwh) == "1.5"


@pytest.mark.parametrize("folder", ["a", "examples/a"])
def test_settings_of_another_model_s_folder_are_not_the_model_s(tmp_path: Path, folder: str) -> None:
    files: Json = {f"{folder}/adapter_config.json": ADAPTER, f"{folder}/adapter_model.safetensors": WEIGHTS}
    found = account(tmp_path, {**files, f"{folder}/training_args.json": {"learning_rate": 0.001}})
    assert found.training is None


# --- measurements ---------------------------------------------------------------------------------------------------


def test_a_further_entry_of_a_card_is_not_the_model_s_and_that_is_said(tmp_path: Path) -> None:
    front = f"model-index:\n{indexed('Tall Tales', 0.5)}{indexed('Somebody Else', 0.99, dataset='sst')}"
    found = account(tmp_path, {"README.md": card(front)})
    assert values(found) == ["0.5"]
    assert any("model-index[1]" in text for text in found.conflicts)


@pytest.mark.parametrize("state", ["other/trainer_state.json", "out/run/trainer_state.json"])
def test_a_trainer_s_state_in_another_folder_is_not_the_model_s(tmp_path: Path, state: str) -> None:
    log = {"log_history": [{"eval_accuracy": 0.7, "step": 1}], "num_train_epochs": 9}
    found = account(tmp_path, {"README.md": CARD, state: log})
    assert (values(found), found.training) == ([], None)


@pytest.mark.parametrize("model", ["/data/other", "./out", ".", "a/b/c", "C:\\out"])
def test_results_of_a_path_are_left_out_and_that_is_said(tmp_path: Path, model: str) -> None:
    found = account(tmp_path, {"README.md": CARD, "lm_eval.json": harness(model, ACC)})
    assert values(found) == []
    assert any(f"by its path ({model})" in text for text in found.conflicts)


@pytest.mark.parametrize("model", ["tall-tales", "lab/tall-tales", "./out/tall-tales", "Lab/Tall_Tales"])
def test_results_under_the_model_s_own_name_are_its_own(tmp_path: Path, model: str) -> None:
    found = account(tmp_path, {"README.md": CARD, "lm_eval.json": harness(model, ACC)})
    assert values(found) == ["0.99"]
    assert found.conflicts == ()


def test_results_of_the_base_model_of_the_same_name_are_not_the_fine_tune_s(tmp_path: Path) -> None:
    files = {"README.md": card("base_model: lab/tall-tales\n"), "lm_eval.json": harness("lab/tall-tales", ACC)}
    found = account(tmp_path, files)
    assert (values(found), found.model.identity.hub) == ([], None)


def test_what_says_less_of_its_place_finds_the_one_that_it_means(tmp_path: Path) -> None:
    results = {"gsm8k": {"exact_match,strict-match": 0.41, "exact_match,flexible-extract": 0.48}}
    front = f"model-index:\n{indexed('Tall Tales', 0.48, dataset='gsm8k', metric='exact_match')}"
    found = account(tmp_path, {"README.md": card(front), "lm_eval.json": harness("lab/tall-tales", results)})
    assert sorted(values(found)) == ["0.41", "0.48"]
    assert found.conflicts == ()


@pytest.mark.parametrize("value", ["1e5000000", "-1e999999", "sNaN", "Infinity", "9" * 5000, "1e-99999999"])
def test_a_number_of_any_size_is_compared_without_harm(tmp_path: Path, value: str) -> None:
    front = f"model-index:\n{indexed('Tall Tales', json.dumps(value))}"
    found = account(tmp_path, {"README.md": card(front), "all_results.json": {"eval_accuracy": 0.5}})
    assert values(found) == [value, "0.5"]


def test_a_loss_above_one_is_not_taken_for_per_cent(tmp_path: Path) -> None:
    front = f"model-index:\n{indexed('Tall Tales', 0.5, metric='loss')}"
    found = account(tmp_path, {"README.md": card(front), "all_results.json": {"eval_loss": 50}})
    assert values(found) == ["0.5", "50"]
    assert len(found.conflicts) == 1


# --- names on a hub -------------------------------------------------------------------------------------------------

LOADS = "from transformers import AutoModel\n\nm = AutoModel.from_pretrained('{}')\n"
TRAINS = LOADS + "from transformers import TrainingArguments\n\na = TrainingArguments(learning_rate=1e-3)\n"


def hub(found: Account) -> str:
    return found.model.identity.hub.value if found.model.identity.hub else ""


def test_code_that_uses_the_model_tells_its_name_on_a_hub(tmp_path: Path) -> None:
    assert hub(account(tmp_path, {"README.md": CARD, "run.py": LOADS.format("lab/tall-tales")})) == "lab/tall-tales"


@pytest.mark.parametrize(
    ("name", "text"), [("train.py", LOADS), ("evaluate.py", LOADS), ("main.py", TRAINS), ("tests/run.py", LOADS)]
)
def test_what_training_and_evaluation_load_is_not_the_model(tmp_path: Path, name: str, text: str) -> None:
    assert hub(account(tmp_path, {"README.md": CARD, name: text.format("lab/tall-tales")})) == ""


def test_a_base_model_of_the_same_name_is_not_the_model(tmp_path: Path) -> None:
    files = {"README.md": card("base_model: lab/tall-tales\n"), "run.py": LOADS.format("Lab/tall-tales")}
    assert hub(account(tmp_path, files)) == ""


def test_where_two_owners_are_named_none_is_taken(tmp_path: Path) -> None:
    text = LOADS.format("lab/tall-tales") + LOADS.format("else/tall-tales")
    assert hub(account(tmp_path, {"README.md": CARD, "run.py": text})) == ""


@pytest.mark.parametrize("name", ["./base", "../base", "~/base", "/srv/base", "a/b/c", "base", "a /b", "a/", "/"])
def test_a_path_is_no_name_on_a_hub(name: str) -> None:
    assert not is_hub_name(name)
    assert is_hub_name("lab/base-1.0_b")
    assert is_path("./a")
    assert not is_path("a/b")


# --- ancestors ------------------------------------------------------------------------------------------------------


def adapted(front: str, base: str) -> Json:
    config = ADAPTER | {"base_model_name_or_path": base, "revision": "abc"}
    return {"README.md": card(front), "adapter_config.json": config}


def test_two_sources_of_one_base_model_are_one_ancestor_with_what_both_say(tmp_path: Path) -> None:
    found = account(tmp_path, adapted("base_model: lab/tiny-base\n", "lab/tiny-base"), "adapter_model.safetensors")
    (ancestor,) = found.model.ancestors
    assert (ancestor.relation, ancestor.revision and ancestor.revision.value) == ("adapter", "abc")
    assert found.conflicts == ()


def test_a_path_neither_contradicts_a_base_model_nor_is_lost(tmp_path: Path) -> None:
    found = account(tmp_path, adapted("base_model: lab/tiny-base\n", "/srv/run-7"), "adapter_model.safetensors")
    assert [ancestor.name for ancestor in found.model.ancestors] == ["lab/tiny-base", "/srv/run-7"]
    assert found.conflicts == ()


def test_the_header_of_a_lone_gguf_tells_base_model_and_maker(tmp_path: Path) -> None:
    fields: Json = {"general.architecture": "llama", "general.name": "Tall Tales", "general.organization": "Lab"}
    fields |= {"general.base_model.count": 1, "general.base_model.0.name": "Tiny Base"}
    put(tmp_path / "t.gguf", gguf_bytes(fields, {"a": zero_tensor("F16", 2, 32)}))
    model = assemble(collect(tmp_path)).model
    assert [ancestor.name for ancestor in model.ancestors] == ["Tiny Base"]
    assert model.identity.producer is not None
    assert model.identity.producer.value == "Lab"


# --- licences, uses, energy -----------------------------------------------------------------------------------------


def test_a_text_that_agrees_with_one_of_two_licences_is_no_conflict(tmp_path: Path) -> None:
    files = {
        "README.md": CARD.replace("mit", "[apache-2.0, mit]"),
        "t.gguf": gguf_bytes({"general.license": "mit"}, {}),
    }
    found = account(tmp_path, files)
    assert [licence.name for licence in found.model.identity.licences] == ["Apache-2.0", "MIT"]
    assert found.conflicts == ()


def test_a_package_that_is_only_shipped_along_licenses_nothing_else(tmp_path: Path) -> None:
    other = '[project]\nname = "other"\nversion = "1"\nlicense = "GPL-3.0-only"\n'
    found = account(tmp_path, {"README.md": CARD, "third_party/other/pyproject.toml": other})
    assert [licence.name for licence in found.code.identity.licences] == ["MIT"]
    assert found.conflicts == ()


def test_misuse_below_a_heading_on_uses_is_labelled_and_said_once(tmp_path: Path) -> None:
    body = "\n## Uses\n\n### Direct use\n\nFun.\n\n### Out-of-scope use\n\nDiagnosing people.\n"
    uses = [text.value for text in account(tmp_path, {"README.md": CARD + body}).model.card.use_cases]
    assert len(uses) == 2
    assert "Fun." in uses[0]
    assert uses[1] == "Out of scope: Diagnosing people."
    assert "Diagnosing" not in uses[0]


def test_emissions_alone_are_explained_by_their_source(tmp_path: Path) -> None:
    account(tmp_path, {"README.md": card("co2_eq_emissions: {emissions: 1240}\n")})
    (model,) = [c for c in bom(tmp_path)["components"] if c["bom-ref"] == "model"]
    path = "aibom:source:modelCard.considerations.environmentalConsiderations.properties"
    assert {"name": path, "value": "README.md, front matter, co2_eq_emissions"} in model["properties"]


# --- data -----------------------------------------------------------------------------------------------------------

USES_DATA = "from datasets import load_dataset\n\nd = load_dataset('lab/tales')\n"


def one(found: Account) -> Dataset:
    (dataset,) = found.datasets
    return dataset


@pytest.mark.parametrize(
    ("name", "used_for"),
    [("train.py", TRAINING), ("evaluate.py", EVALUATION), ("tests/load.py", OTHER), ("load.py", "")],
)
def test_code_tells_what_a_data_set_is_used_for(tmp_path: Path, name: str, used_for: str) -> None:
    found = account(tmp_path, {"README.md": CARD, name: USES_DATA, "training_args.json": {"learning_rate": 0.001}})
    assert one(found).used_for == used_for
    assert bool(found.model.datasets) is (used_for in {TRAINING, ""})
    assert found.training is not None
    assert (one(found).ref in found.training.inputs) is (used_for == TRAINING)


def test_data_that_training_and_evaluation_load_was_trained_on(tmp_path: Path) -> None:
    found = account(tmp_path, {"README.md": CARD, "train.py": USES_DATA, "evaluate.py": USES_DATA})
    assert one(found).used_for == TRAINING


def test_a_card_of_data_in_the_root_speaks_for_the_one_data_folder(tmp_path: Path) -> None:
    own = "---\nlicense: cc-by-4.0\ntask_categories: [text-classification]\n---\n# Tales\n"
    found = one(account(tmp_path, {"README.md": own, "data/train.csv": CSV}))
    assert (found.name, [licence.name for licence in found.licences]) == ("Tales", ["CC-BY-4.0"])


def test_a_note_in_a_sub_folder_makes_no_data_set_of_its_own(tmp_path: Path) -> None:
    files = {"data/a.csv": CSV, "data/raw/b.csv": CSV, "data/raw/README.md": "# Notes\n\nRaw.\n"}
    assert one(account(tmp_path, files)).folder == "data"


def test_many_folders_and_many_names_take_no_longer_than_both_together(tmp_path: Path) -> None:
    names = ", ".join(f"lab/n{number}" for number in range(3000))
    files: Json = {f"d{number}/x.csv": CSV for number in range(1500)}
    account(tmp_path, {**files, "README.md": card(f"datasets: [{names}]\n")})
    collection = collect(tmp_path)
    start = time.perf_counter()
    assert len(assemble(collection).datasets) == 4500
    assert time.perf_counter() - start < 5


# --- services -------------------------------------------------------------------------------------------------------


def service(text: str) -> HostedService:
    (found,) = hosted_services(read_python(text.encode(), "run.py"), "run.py")
    return found


@pytest.mark.parametrize(
    "text",
    [
        "import openai\nc = openai.OpenAI(base_url='gateway.corp:8080/v1')\n",
        "import anthropic\nc = anthropic.Anthropic(base_url='gateway.corp')\n",
    ],
)
def test_an_address_that_cannot_be_read_leaves_open_who_answers(text: str) -> None:
    found = service(text)
    assert (found.provider, found.endpoint, found.is_local) == ("", "", False)


def test_a_machine_of_one_s_own_needs_no_scheme() -> None:
    assert service("import ollama\nc = ollama.Client(host='localhost:11434')\n").is_local
    assert service("import openai\nc = openai.OpenAI(base_url=None)\n").endpoint == "https://api.openai.com/v1"
