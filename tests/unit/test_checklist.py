"""The example release, point by point: what the most complete AI-BOM of it holds, read as a consumer reads it."""

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.validation.xml import XmlValidator
from lxml import etree
from packageurl import PackageURL

from aibom.build.assemble import assemble
from aibom.build.collect import collect
from aibom.build.emit import Format, emit
from aibom.core.verdict import Verdict
from tests.factory import BUILT, build_bom_bytes, make_release, read_manifest, sign_release, verify_signed
from tests.reading import Json, bom_of, nested, of_type, one, properties, references, referred, resolve
from tests.releases.files import put

BASE = "distilbert/distilbert-base-uncased"
NAME = "sentimind-small-v2"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_release(tmp_path_factory.mktemp("example") / "r", "example")


@pytest.fixture(scope="module")
def bom(release: Path) -> Json:
    return bom_of(release)


@pytest.fixture(scope="module")
def model(bom: Json) -> Json:
    return one(bom, "machine-learning-model", NAME)


# 1. Valid, unique references, none dangling, deterministic.


def test_valid_with_unique_references_none_of_which_dangle(bom: Json) -> None:
    refs = [c["bom-ref"] for c in nested(bom)]
    assert len(refs) == len(set(refs))
    assert set(referred(bom)) <= references(bom)


@pytest.mark.parametrize("version", ["1.6", "1.7"])
def test_valid_in_every_version_and_format(release: Path, version: str) -> None:
    account = assemble(collect(release))
    data = emit(account, tool_version="0.1.0", timestamp=BUILT, spec_version=version).data
    assert JsonStrictValidator(SchemaVersion.from_version(version)).validate_str(data.decode()) is None
    form = Format.CYCLONEDX_XML
    xml = emit(account, tool_version="0.1.0", timestamp=BUILT, form=form, spec_version=version).data
    root = etree.fromstring(xml)
    assert root.tag == f"{{http://cyclonedx.org/schema/bom/{version}}}bom"
    names = {c["name"] for c in nested(json.loads(data))}
    assert {e.text for e in root.iterfind(".//{*}component/{*}name")} >= names
    assert XmlValidator(SchemaVersion.from_version(version)).validate_str(xml.decode()) is None


def test_the_serial_number_follows_from_the_content(release: Path, tmp_path: Path) -> None:
    first, second = json.loads(build_bom_bytes(release)), json.loads(build_bom_bytes(release))
    assert first["serialNumber"] == second["serialNumber"]
    other = make_release(tmp_path / "r", "example")
    put(other / "SECURITY.md", "# Security\n\nelsewhere\n")
    assert json.loads(build_bom_bytes(other))["serialNumber"] != first["serialNumber"]


# 2. The release: name, version, supplier, manufacturer, lifecycle, tool.


def test_the_release(bom: Json) -> None:
    root = bom["metadata"]["component"]
    assert (root["name"], root["version"], root["type"]) == (NAME, "2.1.0", "application")
    assert root["supplier"]["name"] == "Acme AI B.V."
    assert root["manufacturer"]["name"].startswith("Acme AI B.V.")
    assert bom["metadata"]["lifecycles"] == [{"phase": "post-build"}]
    assert bom["metadata"]["tools"]["components"][0]["name"] == "aibom"


# 3. One model; its licence with everything that states it; its name on a hub.


def test_one_component_for_the_model(bom: Json, model: Json) -> None:
    kinds = {m["name"]: properties(m, "aibom:model-kind") for m in of_type(bom, "machine-learning-model")}
    assert [name for name, kind in kinds.items() if not kind] == [NAME]
    assert model["licenses"] == [{"license": {"id": "Apache-2.0", "acknowledgement": "declared"}}]
    assert set(properties(model, "aibom:source:licenses")) == {
        "README.md, front matter, license",
        "LICENSE, text",
        "pyproject.toml, license",
    }
    assert model["purl"] == "pkg:huggingface/acme-ai/sentimind-small-v2"
    assert properties(model, "aibom:source:purl") == ["sentimind/serve.py, line 8"]
    assert model["version"] == "2.1.0"


# 4. Files with digest, size, role, format, and what their headers say.


def test_every_file_with_digest_size_and_format(release: Path, bom: Json) -> None:
    manifest = read_manifest(release).by_name()
    files = {c["name"]: c for c in nested(bom) if c["type"] == "file"}
    assert files.keys() == manifest.keys()
    for name, component in files.items():
        assert {h["alg"]: h["content"] for h in component["hashes"]} == {"SHA-256": manifest[name].sha256}
        assert properties(component, "aibom:size") == [str(manifest[name].size)]


def test_shards_are_summed(bom: Json, model: Json) -> None:
    shards = [one(bom, "file", f"model-0000{n}-of-00002.safetensors") for n in (1, 2)]
    for name in ("aibom:tensor-count", "aibom:parameter-count"):
        assert int(properties(model, name)[0]) == sum(int(properties(shard, name)[0]) for shard in shards)
    assert properties(model, "aibom:tensor-count") == ["44"]


def test_pickles_tell_what_they_would_import(bom: Json) -> None:
    weights, scaler = one(bom, "file", "pytorch_model.bin"), one(bom, "file", "legacy/scaler.pkl")
    assert properties(weights, "aibom:safety") == ["clean"]
    assert "torch._utils._rebuild_tensor_v2" in properties(weights, "aibom:global")
    assert properties(weights, "aibom:tensor-count") == ["44"]
    assert properties(scaler, "aibom:safety") == ["dangerous"]
    assert properties(scaler, "aibom:global") == ["posix.system"]
    assert any("legacy/scaler.pkl" in text for text in properties(bom["metadata"]["component"], "aibom:problem"))


def test_exported_files_tell_their_header(bom: Json) -> None:
    onnx, gguf = one(bom, "file", "onnx/model.onnx"), one(bom, "file", "gguf/sentimind-small-v2-f16.gguf")
    assert properties(onnx, "aibom:setting:onnx.opsets") == ["ai.onnx 17"]
    assert properties(onnx, "aibom:setting:producer") == ["optimum 1.24.0"]
    assert properties(gguf, "aibom:setting:quantization") == ["MOSTLY_F16"]
    assert properties(gguf, "aibom:setting:architecture") == ["bert"]
    assert properties(one(bom, "file", "tokenizer.json"), "aibom:setting:tokenizer") == ["WordPiece"]


# 5. Variants with their own pedigree.


def test_variants_are_models_of_their_own(bom: Json) -> None:
    gguf = one(bom, "machine-learning-model", "Sentimind Small v2 (sentimind-small-v2-f16.gguf)")
    onnx = one(bom, "machine-learning-model", "model.onnx")
    adapter = one(bom, "machine-learning-model", "nl-lora")
    assert [properties(m, "aibom:model-kind") for m in (gguf, onnx, adapter)] == [
        ["conversion"],
        ["conversion"],
        ["adapter"],
    ]
    for variant in (gguf, onnx):
        (source,) = [a for a in variant["pedigree"]["ancestors"] if a["name"] == NAME]
        assert properties(source, "aibom:same-as") == ["model"]
    assert {a["name"]: properties(a, "aibom:source:name") for a in gguf["pedigree"]["ancestors"]} == {
        NAME: ["gguf/sentimind-small-v2-f16.gguf, general.name"],
        BASE: ["gguf/sentimind-small-v2-f16.gguf, general.base_model.0"],
    }
    assert [a["name"] for a in adapter["pedigree"]["ancestors"]] == [BASE]
    assert properties(adapter, "aibom:setting:r") == ["8"]
    assert properties(adapter, "aibom:setting:lora_alpha") == ["16"]
    assert properties(adapter, "aibom:setting:target_modules") == ["q_lin, v_lin"]
    assert properties(gguf, "aibom:setting:context_length") == ["512"]
    assert gguf["version"] == "v2"
    assert gguf["licenses"][0]["license"]["id"] == "Apache-2.0"


def test_what_the_card_says_stays_with_the_model(bom: Json) -> None:
    for other in of_type(bom, "machine-learning-model"):
        if other["name"] != NAME:
            card = other.get("modelCard", {})
            assert "quantitativeAnalysis" not in card
            assert "considerations" not in card
            assert "datasets" not in card.get("modelParameters", {})


# 6. The model card.


def test_parameters_of_the_model(model: Json) -> None:
    parameters = model["modelCard"]["modelParameters"]
    assert parameters["approach"] == {"type": "supervised"}
    assert parameters["task"] == "text-classification"
    assert parameters["architectureFamily"] == "distilbert"
    assert parameters["modelArchitecture"] == "DistilBertForSequenceClassification"
    assert {item["ref"] for item in parameters["datasets"]} == {"data:data", "data-named:stanfordnlp/imdb"}
    assert parameters["inputs"] == [{"format": "text"}]
    assert parameters["outputs"] == [{"format": "class labels with scores"}]


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("accuracy", "0.9312", ("IMDB test", "e6281661ce1c48d982bc483cf8a173c1bbeb5d31")),
        ("f1", "0.9309", ("IMDB test", "e6281661ce1c48d982bc483cf8a173c1bbeb5d31")),
        ("accuracy", "0.9021", ("internal-reviews test",)),
        ("f1", "0.8990", ("internal-reviews test",)),
        ("acc", "0.91", ("sst2",)),
    ],
)
def test_metrics_with_their_slices(model: Json, kind: str, value: str, words: tuple[str, ...]) -> None:
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    (found,) = [m for m in metrics if (m["type"], m["value"]) == (kind, value)]
    assert all(word in found["slice"] for word in words)


def test_a_standard_error_becomes_an_interval_and_says_so(model: Json) -> None:
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    place = next(n for n, m in enumerate(metrics) if m["type"] == "acc")
    interval = metrics[place]["confidenceInterval"]
    assert Decimal(interval["lowerBound"]) == Decimal("0.91") - Decimal("1.96") * Decimal("0.009")
    assert Decimal(interval["upperBound"]) == Decimal("0.91") + Decimal("1.96") * Decimal("0.009")
    (source,) = properties(model, f"aibom:source:modelCard.quantitativeAnalysis.performanceMetrics.{place}")
    assert source.startswith("eval/lm_eval_results.json, results.sst2.acc,none")
    assert "1.96" in source


def test_sources_that_agree_are_one_metric(model: Json) -> None:
    sources = properties(model, "aibom:source:modelCard.quantitativeAnalysis.performanceMetrics.0")
    assert [source.partition(",")[0] for source in sources] == ["README.md", "README.md", "eval/all_results.json"]


def test_considerations(model: Json) -> None:
    said = model["modelCard"]["considerations"]
    assert "retail analytics" in said["useCases"][0]
    assert "sarcasm" in said["technicalLimitations"][0]
    assert "under 5 tokens" in said["technicalLimitations"][0]
    assert said["ethicalConsiderations"]


def test_energy_in_the_typed_fields(model: Json) -> None:
    (spent,) = model["modelCard"]["considerations"]["environmentalConsiderations"]["energyConsumptions"]
    assert spent["activity"] == "fine-tuning"
    assert spent["activityEnergyCost"] == {"value": 3.1, "unit": "kWh"}
    assert spent["co2CostEquivalent"] == {"value": 0.00124, "unit": "tCO2eq"}
    (provider,) = spent["energyProviders"]
    assert provider["organization"]["address"] == {"country": "Netherlands", "locality": "Eemshaven"}
    assert provider["energySource"] == "unknown"
    assert "A100" in properties(spent, "aibom:hardware")[0]


# 7. The base model: pinned, its licence unknown.


def test_the_base_model_is_pinned_and_not_guessed_at(model: Json) -> None:
    (base,) = model["pedigree"]["ancestors"]
    assert base["name"] == BASE
    assert base["version"] == "12040accade4e8a0f71eabdb258fecc2e7e948be"
    assert base["purl"] == f"pkg:huggingface/{BASE}@{base['version']}"
    assert properties(base, "aibom:source:version") == ["train.py, line 18"]
    assert "license" in properties(base, "aibom:unknown")
    assert not {"licenses", "modelCard", "manufacturer", "components"} & base.keys()


# 8. Data sets.


def test_the_data_set_of_somebody_else(bom: Json) -> None:
    imdb = one(bom, "data", "stanfordnlp/imdb")
    assert imdb["isExternal"] is True
    assert "hashes" not in imdb
    assert {"aggregate": "unknown", "assemblies": [imdb["bom-ref"]]} in bom["compositions"]
    assert imdb["externalReferences"][0]["url"] == "https://huggingface.co/datasets/stanfordnlp/imdb"


def test_the_data_set_of_the_release(bom: Json) -> None:
    data = one(bom, "data", "acme-ai/internal-reviews")
    assert data["version"] == "1.2.0"
    assert data["licenses"][0]["license"]["id"] == "CC-BY-4.0"
    assert {c["name"] for c in data["components"]} == {"data/train.csv", "data/train.parquet", "data/test.jsonl"}
    (content,) = data["data"]
    assert content["sensitiveData"] == ["None after scrubbing"]
    assert content["governance"]["owners"] == [{"organization": {"name": "Acme AI B.V."}}]
    assert properties(data, "aibom:setting:dataBiases") == ["70% electronics reviews"]
    assert properties(data, "aibom:setting:digests-checked") == ["2"]
    assert properties(data, "aibom:setting:rows of data/train.csv") == ["400"]
    assert properties(data, "aibom:setting:columns of data/train.parquet")[0].startswith("text: BYTE_ARRAY")
    assert not properties(data, "aibom:problem")


def test_a_croissant_digest_that_is_not_the_files_is_told(tmp_path: Path) -> None:
    changed = make_release(tmp_path / "r", "example")
    with (changed / "data" / "train.csv").open("a") as file:
        file.write("more,1\n")
    document = bom_of(changed)
    (problem,) = properties(one(document, "data", "acme-ai/internal-reviews"), "aibom:problem")
    assert "train.csv" in problem
    assert read_manifest(changed).by_name()["data/train.csv"].sha256 in problem
    assert any(problem in text for text in properties(document["metadata"]["component"], "aibom:conflict"))


# 9. Code, dependencies, base image, hosted services.


@pytest.mark.parametrize(
    ("name", "version", "ranged", "group"),
    [
        ("torch", "2.6.0", None, None),
        ("openai", "1.59.0", None, None),
        ("evaluate", None, "vers:pypi/>=0.4", None),
        ("accelerate", None, "vers:pypi/>=1.3|<2", None),
        ("numpy", None, None, None),
        ("onnxruntime", "1.20.1", None, "serve"),
        ("fastapi", None, "vers:pypi/>=0.115", "serve"),
        ("hatchling", None, None, "build-system"),
    ],
)
def test_pins_are_versions_and_ranges_are_ranges(
    bom: Json, name: str, version: str | None, ranged: str | None, group: str | None
) -> None:
    library = one(bom, "library", name)
    assert library.get("version") == version
    assert library.get("versionRange") == ranged
    assert library["purl"] == f"pkg:pypi/{name}{f'@{version}' if version else ''}"
    assert properties(library, "aibom:group") == ([group] if group else [])
    assert library.get("scope") == ("optional" if group else None)


def test_two_manifests_are_one_list(bom: Json) -> None:
    torch = one(bom, "library", "torch")
    assert properties(torch, "aibom:declared-in") == ["pyproject.toml", "requirements.txt"]


def test_the_base_image(bom: Json) -> None:
    image = one(bom, "container", "pytorch/pytorch")
    assert image["version"] == "2.6.0-cuda12.4-cudnn9-runtime"
    assert PackageURL.from_string(image["purl"]).to_dict()["namespace"] == "pytorch"
    assert "hash" in properties(image, "aibom:unknown")


def test_the_hosted_service(bom: Json) -> None:
    (service,) = bom["services"]
    assert service["provider"]["name"] == "OpenAI"
    assert service["x-trust-boundary"] is True
    assert properties(service, "aibom:served-model") == ["gpt-4o-mini"]
    assert service["data"][0]["flow"] == "bi-directional"
    assert properties(service, "aibom:declared-in")[0].startswith("sentimind/serve.py, line ")


def test_edges(bom: Json) -> None:
    graph = {node["ref"]: set(node["dependsOn"]) for node in bom["dependencies"]}
    assert {"model", "code"} <= graph["release"]
    assert graph["model"] == {"data:data", "data-named:stanfordnlp/imdb"}
    assert {"model", "library:pypi/torch==2.6.0", bom["services"][0]["bom-ref"]} <= graph["code"]
    assert graph["model:gguf/sentimind-small-v2-f16.gguf"] == {"model"}


def test_imports_that_nothing_declares(tmp_path: Path, bom: Json) -> None:
    code = one(bom, "application", "sentimind")
    assert properties(code, "aibom:undeclared-import") == []
    other = make_release(tmp_path / "r", "example")
    put(other / "plot.py", "import matplotlib.pyplot as plt\nimport sentimind\nimport json\n")
    found = properties(one(bom_of(other), "application", "sentimind"), "aibom:undeclared-import")
    assert found == ["matplotlib (plot.py, line 1)"]


# 10. Formulation.


def test_how_it_was_trained(bom: Json) -> None:
    (formula,) = bom["formulation"]
    (workflow,) = formula["workflows"]
    assert workflow["name"] == "fine-tuning"
    taken = {item["resource"]["ref"] for item in workflow["inputs"] if "resource" in item}
    assert taken == {f"ancestor:{BASE}", "data:data", "data-named:stanfordnlp/imdb", "file:train.py"}
    given = {p["name"]: p["value"] for item in workflow["inputs"] for p in item.get("parameters", [])}
    assert Decimal(given["learning_rate"]) == Decimal("2e-5")
    expected = {"batch_size": "32", "epochs": "3", "precision": "fp16", "seed": "42", "optimizer": "AdamW"}
    assert {key: value.removesuffix(".0") for key, value in given.items() if key in expected} == expected
    assert {item["resource"]["ref"] for item in workflow["outputs"]} == {
        "model",
        "file:model-00001-of-00002.safetensors",
        "file:model-00002-of-00002.safetensors",
    }
    assert {source.partition(",")[0] for source in properties(workflow, "aibom:setting-source:seed")} == {
        "README.md",
        "train.py",
        "training_args.json",
    }


# 11. Documents and addresses.


def test_documents_and_addresses(bom: Json) -> None:
    found = {r["url"]: r["type"] for r in bom["metadata"]["component"]["externalReferences"]}
    assert found["README.md"] == "model-card"
    assert found["docs/datasheet.md"] == "documentation"
    assert found["docs/risk-assessment.md"] == "risk-assessment"
    assert found["SECURITY.md"] == "security-contact"
    assert found["CITATION.cff"] == "documentation"
    assert found["https://arxiv.org/abs/1910.01108"] == "documentation"
    assert found["https://github.com/acme-ai/sentimind"] == "vcs"


# 12. Completeness by area; where each value was read.


def test_completeness_by_area(bom: Json) -> None:
    said = {ref: c["aggregate"] for c in bom["compositions"] for ref in c.get("assemblies", [])}
    assert said["model"] == said["data:data"] == said["code"] == "complete"
    assert said["data-named:stanfordnlp/imdb"] == "unknown"
    (dependencies,) = [c for c in bom["compositions"] if "dependencies" in c]
    assert dependencies == {"aggregate": "incomplete", "dependencies": ["code"]}


def leaves(value: Any, path: str) -> list[str]:
    """Paths of everything in a model card that states something: an entry of a list, or a value."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in leaves(item, f"{path}.{key}")]
    if isinstance(value, list):
        return [f"{path}.{number}" for number in range(len(value))]
    return [path]


def test_every_value_of_the_card_has_a_source(model: Json) -> None:
    named = {p["name"].removeprefix("aibom:source:") for p in model["properties"]}
    for path in leaves(model["modelCard"], "modelCard"):
        if not path.startswith("modelCard.modelParameters.datasets"):  # those are references
            assert path in named or path.rpartition(".")[0] in named, path


def test_citations_lead_from_the_value_to_the_file(bom: Json) -> None:
    cited = {c["pointers"][0]: c for c in bom["citations"]}
    refs = references(bom)
    for pointer, citation in cited.items():
        assert resolve(bom, pointer) is not None
        assert citation["attributedTo"] in refs
        assert citation["timestamp"] == "2026-01-01T00:00:00Z"
    task = next(c for p, c in cited.items() if p.endswith("/modelCard/modelParameters/task"))
    assert (task["attributedTo"], task["note"]) == ("file:README.md", "front matter, pipeline_tag")


# 13. Conflicts.


@pytest.mark.parametrize(
    ("path", "old", "new", "words"),
    [
        ("eval/all_results.json", "0.9312", "0.95", ("metric", "accuracy", "0.9312", "0.95", "eval/all_results.json")),
        ("README.md", "license: apache-2.0", "license: mit", ("licence", "MIT", "Apache-2.0", "LICENSE")),
        ("pyproject.toml", 'license = "Apache-2.0"', 'license = "MIT"', ("licence", "pyproject.toml", "MIT")),
        ("CITATION.cff", "version: 2.1.0", "version: 3.0.0", ("version", "3.0.0", "CITATION.cff", "v2")),
        ("training_args.json", '"seed": 42', '"seed": 7', ("seed", "42", "7", "training_args.json")),
        ("requirements.txt", "torch==2.6.0", "torch==2.5.0", ("torch", "2.6.0", "2.5.0")),
        ("emissions.csv", ",1.24,3.1,", ",1.24,9.9,", ("energy", "3.1", "9.9", "emissions.csv")),
        ("config.json", '"_name_or_path": "distilbert/', '"_name_or_path": "google/', ("base model", "google/")),
    ],
)
def test_conflicts_between_sources(tmp_path: Path, path: str, old: str, new: str, words: tuple[str, ...]) -> None:
    assert assemble(collect(make_release(tmp_path / "same", "example"))).conflicts == ()
    release = make_release(tmp_path / "r", "example")
    text = (release / path).read_text()
    assert text.count(old) == 1
    put(release / path, text.replace(old, new))
    told = properties(bom_of(release)["metadata"]["component"], "aibom:conflict")
    assert any(all(word in line for word in words) for line in told), told


def test_the_licence_inside_a_conversion_is_compared(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r", "example")
    file = release / "gguf" / "sentimind-small-v2-f16.gguf"
    data = file.read_bytes()
    assert data.count(b"apache-2.0") == 1
    file.write_bytes(data.replace(b"apache-2.0", b"cc-by-nc-4"))
    document = bom_of(release)
    told = properties(document["metadata"]["component"], "aibom:conflict")
    assert any("general.license" in line and "Apache-2.0" in line for line in told)
    assert one(document, "machine-learning-model", NAME)["licenses"][0]["license"]["id"] == "Apache-2.0"


# 14. Signed, and bound to the files.


def test_signed_and_verified(tmp_path: Path) -> None:
    signed = sign_release(make_release(tmp_path / "r", "harmless"))
    assert verify_signed(signed).verdict is Verdict.ACCEPTED
    put(signed / "data" / "train.csv", "text,label\n")
    assert verify_signed(signed).verdict is Verdict.REJECTED


def test_the_account_does_not_change_by_being_read(release: Path) -> None:
    account = assemble(collect(release))
    before = copy.deepcopy(account)
    for form in Format:
        emit(account, tool_version="0.1.0", timestamp=BUILT, form=form)
    assert account == before
