"""The BOM as a consumer reads it: the example release, a small one, and what must never be in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from aibom.build.account import Library
from aibom.build.assemble import assemble
from aibom.build.collect import collect
from aibom.build.render.identifiers import vers_range
from aibom.core.errors import InputError
from aibom.cyclonedx.schema import schema_problems
from aibom.formats.requirements import Dependency
from tests.factory import build_bom_bytes, make_release, read_manifest
from tests.reading import Json, bom_of, nested, one, properties
from tests.releases.files import put
from tests.releases.writers import Tensor, safetensors_bytes


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Json:
    return bom_of(make_release(tmp_path_factory.mktemp("example") / "r", "example"))


def test_the_root_is_the_release(example: Json) -> None:
    root = example["metadata"]["component"]
    assert (root["name"], root["type"]) == ("sentimind-small-v2", "application")
    assert example["metadata"]["timestamp"] == "2026-01-01T00:00:00Z"
    assert example["metadata"]["tools"]["components"][0]["name"] == "aibom"


def test_one_model_with_its_card(example: Json) -> None:
    models = [
        c for c in nested(example) if c["type"] == "machine-learning-model" and not properties(c, "aibom:model-kind")
    ]
    assert [m["name"] for m in models] == ["sentimind-small-v2"]
    parameters = models[0]["modelCard"]["modelParameters"]
    assert parameters["task"] == "text-classification"
    assert parameters["architectureFamily"] == "distilbert"
    assert parameters["modelArchitecture"] == "DistilBertForSequenceClassification"
    assert models[0]["licenses"] == [{"license": {"id": "Apache-2.0", "acknowledgement": "declared"}}]
    metrics = models[0]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert [(m["type"], m["value"]) for m in metrics[:2]] == [("accuracy", "0.9312"), ("f1", "0.9309")]
    assert "IMDB test" in metrics[0]["slice"]
    assert "retail analytics" in models[0]["modelCard"]["considerations"]["useCases"][0]
    assert "sarcasm" in models[0]["modelCard"]["considerations"]["technicalLimitations"][0]


def test_shards_are_one_model(example: Json) -> None:
    model = one(example, "machine-learning-model", "sentimind-small-v2")
    assert properties(model, "aibom:tensor-count") == ["44"]
    shards = [c for c in model["components"] if c["name"].startswith("model-0000")]
    assert len(shards) == 2
    assert sum(int(properties(s, "aibom:tensor-count")[0]) for s in shards) == 44
    total = sum(int(properties(s, "aibom:parameter-count")[0]) for s in shards)
    assert properties(model, "aibom:parameter-count") == [str(total)]


def test_the_base_model_is_an_ancestor_and_takes_nothing_of_the_fine_tune(example: Json) -> None:
    model = one(example, "machine-learning-model", "sentimind-small-v2")
    (ancestor,) = model["pedigree"]["ancestors"]
    assert ancestor["name"] == "distilbert/distilbert-base-uncased"
    assert ancestor["purl"].startswith("pkg:huggingface/distilbert/distilbert-base-uncased@12040accade4")
    assert "licenses" not in ancestor
    assert "modelCard" not in ancestor
    assert set(properties(ancestor, "aibom:unknown")) >= {"hash", "license"}
    assert all(c["name"] != "distilbert/distilbert-base-uncased" for c in nested(example))


def test_every_file_once_with_its_digest(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r", "example")
    files = {c["name"]: c for c in nested(bom_of(release)) if c["type"] == "file"}
    manifest = read_manifest(release).by_name()
    assert set(files) == set(manifest)
    assert len(files) == 37
    for name, component in files.items():
        assert component["hashes"] == [{"alg": "SHA-256", "content": manifest[name].sha256}]
        assert properties(component, "aibom:size") == [str(manifest[name].size)]


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("train.py", "code/training"),
        ("sentimind/serve.py", "code/inference"),
        ("model-00001-of-00002.safetensors", "model/weights"),
        ("gguf/sentimind-small-v2-f16.gguf", "model/weights"),
        ("onnx/model.onnx", "model/weights"),
        ("adapters/nl-lora/adapter_model.safetensors", "model/adapter"),
        ("tokenizer.json", "model/tokenizer"),
        ("config.json", "model/architecture"),
        ("README.md", "docs/model-card"),
        ("data/README.md", "docs/data-card"),
        ("data/train.parquet", "data/training"),
        ("docs/risk-assessment.md", "docs/risk-assessment"),
        ("LICENSE", "docs/license"),
        ("SECURITY.md", "security/contact"),
        ("requirements.txt", "code/libraries"),
        ("eval/all_results.json", "docs/evaluation-results"),
    ],
)
def test_code_weights_data_and_docs(example: Json, name: str, category: str) -> None:
    assert properties(one(example, "file", name), "aibom:category") == [category]


def test_data_sets(example: Json) -> None:
    local = one(example, "data", "acme-ai/internal-reviews")
    assert {c["name"] for c in local["components"]} == {"data/train.csv", "data/test.jsonl", "data/train.parquet"}
    external = one(example, "data", "stanfordnlp/imdb")
    assert "hashes" not in external
    assert "hash" in properties(external, "aibom:unknown")
    assert external["externalReferences"][0]["url"] == "https://huggingface.co/datasets/stanfordnlp/imdb"
    refs = one(example, "machine-learning-model", "sentimind-small-v2")["modelCard"]["modelParameters"]["datasets"]
    assert {"ref": external["bom-ref"]} in refs


def test_dependencies_keep_pins_and_ranges_apart(example: Json) -> None:
    torch = one(example, "library", "torch")
    assert (torch["version"], torch["purl"]) == ("2.6.0", "pkg:pypi/torch@2.6.0")
    accelerate = one(example, "library", "accelerate")
    assert "version" not in accelerate
    assert accelerate["versionRange"] == "vers:pypi/>=1.3|<2"
    assert accelerate["purl"] == "pkg:pypi/accelerate"
    assert "versionRange" not in one(example, "library", "numpy")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (">=4.40,<5", "vers:pypi/>=4.40|<5"),
        ("<2.10,>=2.9", "vers:pypi/>=2.9|<2.10"),
        ("~=1.3", "vers:pypi/>=1.3|<2"),
        ("~=1.3.2", "vers:pypi/>=1.3.2|<1.4"),
        ("==1.*", "vers:pypi/>=1|<2"),
        ("!=1.5,>1", "vers:pypi/>1|!=1.5"),
        ("===1.0-odd", ""),
        ("", ""),
    ],
)
def test_ranges_as_vers(written: str, expected: str) -> None:
    assert vers_range(Library(dependency=Dependency(name="x", version="", range=written))) == expected


def test_documents_are_typed_references_with_digests(example: Json) -> None:
    references = {r["url"]: r for r in example["metadata"]["component"]["externalReferences"]}
    assert references["README.md"]["type"] == "model-card"
    assert references["SECURITY.md"]["type"] == "security-contact"
    assert references["docs/risk-assessment.md"]["type"] == "risk-assessment"
    assert all(r["hashes"][0]["alg"] == "SHA-256" for url, r in references.items() if "://" not in url)
    assert references["https://github.com/acme-ai/sentimind"]["type"] == "vcs"
    assert "README.md" in references["https://arxiv.org/abs/1910.01108"]["comment"]


def test_every_reference_resolves(example: Json) -> None:
    refs = [c["bom-ref"] for c in nested(example) if "bom-ref" in c]
    assert len(refs) == len(set(refs))
    known = set(refs) | {service["bom-ref"] for service in example["services"]}
    for node in example["dependencies"]:
        assert node["ref"] in known
        assert set(node["dependsOn"]) <= known
    for composition in example["compositions"]:
        assert set(composition.get("assemblies", [])) | set(composition.get("dependencies", [])) <= known
    listed = {node["ref"] for node in example["dependencies"]}
    assert {c["bom-ref"] for c in nested(example) if c["type"] != "file"} <= listed


def test_completeness_is_said_by_area(example: Json) -> None:
    said = {c["assemblies"][0]: c["aggregate"] for c in example["compositions"] if "assemblies" in c}
    assert said["release"] == "complete"
    assert said["model"] == "complete"
    assert said["data-named:stanfordnlp/imdb"] == "unknown"


def test_git_history_is_never_content(tmp_path: Path) -> None:
    first, second = make_release(tmp_path / "first", "example"), make_release(tmp_path / "second", "example")
    put(second / ".git" / "HEAD", "x")
    assert build_bom_bytes(first) == build_bom_bytes(second)


def test_generated_files_never_become_content(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    before = build_bom_bytes(release)
    for name in ("aibom.cdx.json", "model.sig", "attestations/bom.sigstore.json"):
        put(release / name, "{}")
    assert build_bom_bytes(release) == before


def test_a_licence_that_sources_disagree_on_is_reported(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    put(
        release / "LICENSE",
        "Apache License\nVersion 2.0, January 2004\nTERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION",
    )
    account = assemble(collect(release))
    assert [licence.name for licence in account.model.identity.licences] == ["MIT"]
    (conflict,) = account.conflicts
    assert "README.md" in conflict
    assert "LICENSE" in conflict
    root = bom_of(release)["metadata"]["component"]
    assert properties(root, "aibom:conflict") == [conflict]


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (
            "license: other\nlicense_name: acme-terms\nlicense_link: https://example.com/terms\n",
            {"name": "acme-terms", "url": "https://example.com/terms"},
        ),
        (
            "license: llama3.1\n",
            {"name": "Llama 3.1 Community License Agreement", "url": "https://www.llama.com/llama3_1/license/"},
        ),
        ("license: unknown\n", None),
        ("license: bsd-3-clause\n", {"id": "BSD-3-Clause"}),
    ],
)
def test_a_licence_that_spdx_does_not_know_is_a_name(tmp_path: Path, card: str, expected: Json | None) -> None:
    put(tmp_path / "README.md", f"---\n{card}---\n# Model\n")
    put(tmp_path / "model.safetensors", safetensors_bytes({"a": Tensor(dtype="F32", shape=(1,), data=bytes(4))}, {}))
    model = one(bom_of(tmp_path), "machine-learning-model", "Model")
    if expected is None:
        assert "licenses" not in model
        assert "license" in properties(model, "aibom:unknown")
    else:
        assert model["licenses"] == [{"license": {**expected, "acknowledgement": "declared"}}]


METADATA = (
    "Metadata-Version: 2.4\nName: packed-teller\nVersion: 9.9\nAuthor: A Packer\nLicense-Expression: Apache-2.0\n\n"
)


def test_a_package_around_a_model_keeps_its_version_author_and_licence_to_itself(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    (release / "LICENSE").unlink()
    put(release / "packed_teller-9.9.dist-info" / "METADATA", METADATA)
    bom = bom_of(release)
    root = bom["metadata"]["component"]
    assert (root["name"], root["version"], root["manufacturer"]["name"]) == ("packed-teller", "9.9", "A Packer")
    model = one(bom, "machine-learning-model", "tiny-teller")
    assert "version" not in model
    assert "manufacturer" not in model
    assert model["licenses"][0]["license"]["id"] == "MIT"
    code = one(bom, "application", "packed-teller code")
    assert code["licenses"][0]["license"]["id"] == "Apache-2.0"
    assert {item["license"]["id"] for item in root["licenses"]} == {"MIT", "Apache-2.0"}
    assert "MIT" in properties(root, "aibom:conflict")[0]


def test_files_that_cannot_be_understood_are_still_accounted_for(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    put(release / "config.json", '{"a": 1, "a": 2}')
    put(release / "blob.xyz", b"\x00\x01\x02")
    bom = bom_of(release)
    assert "twice" in properties(one(bom, "file", "config.json"), "aibom:problem")[0]
    assert properties(one(bom, "file", "blob.xyz"), "aibom:category") == []
    assert any("twice" in text for text in properties(bom["metadata"]["component"], "aibom:problem"))


def test_a_long_licence_file_is_recognised_by_its_beginning(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    put(release / "LICENSE", (release / "LICENSE").read_text() + "\nAnd of what is in it:\n" + "more text\n" * 20_000)
    account = assemble(collect(release))
    assert account.warnings == ()
    assert [licence.name for licence in account.model.identity.licences] == ["MIT"]


def test_a_shard_that_is_missing_is_a_problem_of_the_weights(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r", "example")
    (release / "model-00002-of-00002.safetensors").unlink()
    bom = bom_of(release)
    problems = properties(bom["metadata"]["component"], "aibom:problem")
    assert any("model-00002-of-00002.safetensors" in text for text in problems)
    assert {"aggregate": "incomplete", "assemblies": ["model"]} in bom["compositions"]


def test_a_large_data_set_is_counted_not_listed(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    for n in range(1001):
        put(release / "data" / f"part-{n:05}.csv", f"a,b\n{n},1\n")
    component = one(bom_of(release), "data", "data")
    assert "components" not in component
    assert properties(component, "aibom:file-count") == ["1002"]
    assert len(properties(component, "aibom:tree-digest")[0]) == len("sha256:") + 64


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "model.safetensors",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
            "Git LFS pointer",
        ),
        ("data/big.parquet", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "Git LFS pointer"),
        ("model.safetensors", b"\x00\x10\0\0\0\0\0\0{}}}}}", "header"),
        ("x.gguf", b"nothing", "GGUF"),
        ("x.onnx", b"\x00\xff" * 50, "cannot be read"),
        ("x.pt", b"#!/bin/sh", "cannot be read"),
    ],
)
def test_weights_that_cannot_be_read_end_the_build(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    release = make_release(tmp_path / "r")
    put(release / name, content)
    with pytest.raises(InputError, match=words) as caught:
        build_bom_bytes(release)
    assert caught.value.where.startswith(name)
    assert caught.value.hint


BROKEN: dict[str, Any] = {
    "unknown member": lambda d: d.update(extra=1),
    "no type": lambda d: d["components"][0].pop("type"),
    "false licence id": lambda d: d["components"][0].update(licenses=[{"license": {"id": "unknown"}}]),
    "serial number": lambda d: d.update(serialNumber="x"),
    "aggregate": lambda d: d["compositions"][0].update(aggregate="all"),
    "metric value": lambda d: d["components"][0]["modelCard"].update(
        quantitativeAnalysis={"performanceMetrics": [{"value": 1}]}
    ),
    "hash": lambda d: d["components"][0].update(hashes=[{"alg": "SHA-256", "content": "zz"}]),
    "nothing": lambda d: d,
}


@pytest.mark.parametrize("name", BROKEN, ids=list(BROKEN))
def test_the_fast_schema_check_agrees_with_the_library(tmp_path: Path, name: str) -> None:
    document = json.loads(build_bom_bytes(make_release(tmp_path / "r")))
    BROKEN[name](document)
    judged = JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(document))
    assert bool(schema_problems(document)) == (judged is not None) == (name != "nothing")
