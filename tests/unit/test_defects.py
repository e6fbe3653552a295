"""Defects that other makers of AI-BOMs have been seen to have, each looked for in every example release of ours.

D1 facts given to the base model; D2 shards and roles; D3 false package URLs; D4 references to nothing; D5 ranges as
versions; D6 silence on unreadable weights; D7 links and odd names; D8 a BOM bound to no files; D9 false completeness;
D10 values without a source; D11 the network; D12 noise.
"""

import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packageurl import PackageURL

from aibom.build.assemble import assemble
from aibom.build.collect import collect
from aibom.core.errors import InputError, UnsafeEntryError
from aibom.core.verdict import Verdict
from aibom.cyclonedx.schema import schema_problems
from aibom.cyclonedx.sources import components_of, value_at
from tests.factory import build_bom_bytes, read_manifest, sign_release, verify_signed
from tests.releases.diffusion import write_diffusion
from tests.releases.example import write_example
from tests.releases.files import put, put_json, put_link
from tests.releases.git_checkout import write_git_checkout
from tests.releases.hostile import write_hostile
from tests.releases.hub_cache import COMMIT, write_hub_cache
from tests.releases.language_model import write_language_model
from tests.releases.small import write_small
from tests.releases.tabular import write_tabular
from tests.releases.writers import GgufValue, gguf_bytes, safetensors_bytes, zero_tensor

Json = dict[str, Any]
WRITERS: dict[str, Callable[[Path], None]] = {
    "small": write_small,
    "example": write_example,
    "language model": write_language_model,
    "diffusion": write_diffusion,
    "tabular": write_tabular,
}
NEW = ("language model", "diffusion", "tabular")
WEIGHTS = safetensors_bytes({"w": zero_tensor("F32", 2, 3)}, {"format": "pt"})
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d" * 32 + "\nsize 26843545600\n"
CARD = "---\nlicense: mit\n---\n# Tall Tales\n"


@dataclass(frozen=True)
class Built:
    """An example release and its BOM."""

    name: str
    folder: Path
    bom: Json


@pytest.fixture(scope="module", params=WRITERS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(str(request.param), tmp_path_factory.mktemp("built"))


def build(name: str, parent: Path) -> Built:
    folder = parent / "release"
    WRITERS[name](folder)
    return Built(name, folder, bom_of(folder))


def bom_of(folder: Path) -> Json:
    document: Json = json.loads(build_bom_bytes(folder))
    assert schema_problems(document) == []
    return document


def nested(document: Json) -> list[Json]:
    return [component for pointer, component in components_of(document) if "/pedigree/" not in pointer]


def values(component: Json, name: str) -> list[str]:
    return [p["value"] for p in component.get("properties", []) if p["name"] == name]


def models(document: Json) -> dict[str, Json]:
    return {c["bom-ref"]: c for c in nested(document) if c["type"] == "machine-learning-model"}


def main(document: Json) -> Json:
    return models(document)["model"]


def ancestors(component: Json) -> dict[str, Json]:
    return {a["name"]: a for a in component.get("pedigree", {}).get("ancestors", [])}


def aggregates(document: Json, area: str) -> dict[str, str]:
    return {ref: c["aggregate"] for c in document["compositions"] for ref in c.get(area, [])}


def everything(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object, by name."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name, item
            yield from everything(item)
    elif isinstance(value, list):
        for item in value:
            yield from everything(item)


# --- D1: whose facts ------------------------------------------------------------------------------------------------


def test_no_ancestor_says_more_than_its_name_and_revision(built: Built) -> None:
    for component in nested(built.bom):
        for ancestor in ancestors(component).values():
            assert set(ancestor) <= {"bom-ref", "type", "name", "version", "purl", "externalReferences", "properties"}
            names = {p["name"] for p in ancestor.get("properties", [])}
            known = {"aibom:relation", "aibom:same-as", "aibom:unknown", "aibom:source:name", "aibom:source:version"}
            assert names <= known


def test_no_model_is_its_own_ancestor(built: Built) -> None:
    own = {main(built.bom)["name"].lower().replace(" ", "-"), main(built.bom).get("purl")}
    for ancestor in ancestors(main(built.bom)).values():
        assert ancestor["name"].rpartition("/")[2].lower() not in own
        assert ancestor.get("purl") not in own


def test_the_card_of_the_example_is_the_fine_tune_s(tmp_path: Path) -> None:
    built = build("example", tmp_path)
    with_card = [c["name"] for c in nested(built.bom) if "performanceMetrics" in json.dumps(c.get("modelCard", {}))]
    assert with_card == ["sentimind-small-v2"]
    assert ["1240" in json.dumps(a) or "0.9312" in json.dumps(a) for a in ancestors(main(built.bom)).values()] == [
        False
    ]
    for ref, model in models(built.bom).items():
        if ref != "model":
            assert "considerations" not in model.get("modelCard", {})
            assert "quantitativeAnalysis" not in model.get("modelCard", {})


def test_a_package_around_a_fine_tune_whose_configuration_names_the_base(tmp_path: Path) -> None:
    put(tmp_path / "tales" / "model.safetensors", WEIGHTS)
    config = {"_name_or_path": "lab/tiny-base", "model_type": "bert", "architectures": ["BertModel"]}
    put_json(tmp_path / "tales" / "config.json", config)
    metadata = "Metadata-Version: 2.4\nName: tales\nVersion: 1.2\nLicense-Expression: MIT\nAuthor: A Packer\n\n"
    put(tmp_path / "tales-1.2.dist-info" / "METADATA", metadata)
    document = bom_of(tmp_path)
    assert document["metadata"]["component"]["name"] == "tales"
    assert main(document)["name"] == "tales"
    assert list(ancestors(main(document))) == ["lab/tiny-base"]
    assert "licenses" not in ancestors(main(document))["lab/tiny-base"]


def test_a_conversion_that_names_the_base_is_of_the_model_and_takes_nothing_from_its_card(tmp_path: Path) -> None:
    front = "---\nlicense: mit\nbase_model: lab/tiny-base\n---\n# Tall Tales\n\n- **Developed by:** Tale Team\n"
    put(tmp_path / "README.md", front)
    put(tmp_path / "model.safetensors", WEIGHTS)
    fields: dict[str, GgufValue] = {
        "general.architecture": "llama",
        "general.name": "Tiny Base",
        "general.base_model.count": 1,
    }
    fields |= {"general.base_model.0.name": "tiny-base", "general.base_model.0.organization": "lab"}
    put(tmp_path / "t.gguf", gguf_bytes(fields, {"a": zero_tensor("F16", 1, 32)}))
    found = models(bom_of(tmp_path))
    assert found["model"]["name"] == "Tall Tales"
    conversion = found["model:t.gguf"]
    assert "licenses" not in conversion
    assert "manufacturer" not in conversion
    by_name = ancestors(conversion)
    assert values(by_name["Tall Tales"], "aibom:same-as") == ["model"]
    assert values(by_name["lab/tiny-base"], "aibom:same-as") == []
    assert "its general.name differs" in values(by_name["Tall Tales"], "aibom:source:name")[0]


def test_an_adapter_s_card_says_nothing_of_the_model_it_adapts(tmp_path: Path) -> None:
    put(
        tmp_path / "README.md",
        "---\nlicense: mit\nbase_model: lab/tiny-base\npipeline_tag: text-generation\n---\n# Lilt\n",
    )
    put_json(
        tmp_path / "adapter_config.json", {"peft_type": "LORA", "base_model_name_or_path": "lab/tiny-base", "r": 4}
    )
    put(tmp_path / "adapter_model.safetensors", WEIGHTS)
    document = bom_of(tmp_path)
    assert [(m["name"], "modelCard" in m) for m in models(document).values()] == [("Lilt", True)]
    base = ancestors(main(document))["lab/tiny-base"]
    assert "licenses" not in base
    assert base["purl"] == "pkg:huggingface/lab/tiny-base"
    assert main(document)["purl"].startswith("pkg:generic/Lilt?checksum=sha256:")


def test_an_adapter_of_the_model_and_one_of_its_base_are_told_apart(tmp_path: Path) -> None:
    write_small(tmp_path)
    for name, base in (("own", "example-lab/tiny-teller"), ("base", "example-lab/tiny-base"), ("silent", "")):
        config = {"peft_type": "LORA", "r": 4} | ({"base_model_name_or_path": base} if base else {})
        put_json(tmp_path / name / "adapter_config.json", config)
        put(tmp_path / name / "adapter_model.safetensors", WEIGHTS)
    document = bom_of(tmp_path)
    found = {ref: ancestors(model) for ref, model in models(document).items()}
    assert [values(a, "aibom:same-as") for a in found["model:own"].values()] == [["model"]]
    assert {name: values(a, "aibom:same-as") for name, a in found["model:base"].items()} == {
        "example-lab/tiny-base": []
    }
    (silent,) = found["model:silent"].values()
    assert "no file says what it adapts" in values(silent, "aibom:source:name")[0]
    graph = {node["ref"]: node["dependsOn"] for node in document["dependencies"]}
    assert ("model" in graph["model:own"], "model" in graph["model:base"]) == (True, False)


def test_an_ancestor_from_elsewhere_says_what_is_not_known_of_it(built: Built) -> None:
    for component in nested(built.bom):
        for ancestor in ancestors(component).values():
            if not values(ancestor, "aibom:same-as"):
                assert set(values(ancestor, "aibom:unknown")) >= {"hash", "license", "producer"}
                assert ("version" in values(ancestor, "aibom:unknown")) is ("version" not in ancestor)


def test_an_evaluation_of_the_base_is_not_the_fine_tune_s(tmp_path: Path) -> None:
    write_small(tmp_path)
    report = {
        "results": {"arc": {"acc,none": 0.77}},
        "versions": {"arc": 1},
        "config": {"model_args": "pretrained=a/b"},
    }
    put_json(tmp_path / "eval" / "lm_eval_results.json", report)
    document = bom_of(tmp_path)
    assert "0.77" not in json.dumps(main(document).get("modelCard"))
    assert any("a/b" in text for text in values(document["metadata"]["component"], "aibom:conflict"))


def test_the_hub_cache_tells_who_a_fine_tune_is(tmp_path: Path) -> None:
    document = bom_of(write_hub_cache(tmp_path, write_example))
    model = main(document)
    assert model["purl"] == f"pkg:huggingface/acme-ai/sentimind-small-v2@{COMMIT}"
    assert all("acme-ai" not in a.get("purl", "") for a in ancestors(model).values())


# --- D2: one model, its roles and digests ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "shards"), [("example", 2), ("language model", 3)])
def test_shards_are_one_component_with_one_digest_and_each_its_own(tmp_path: Path, name: str, shards: int) -> None:
    built = build(name, tmp_path)
    model = main(built.bom)
    digests = {entry.name: entry.sha256 for entry in read_manifest(built.folder).entries}
    files = {c["name"]: c for c in model["components"]}
    named = [file for file in files if re.fullmatch(r"model-\d{5}-of-\d{5}\.safetensors", file)]
    assert len(named) == shards
    for file in named:
        assert files[file]["hashes"] == [{"alg": "SHA-256", "content": digests[file]}]
        assert values(files[file], "aibom:category") == ["model/weights"]
    aggregate = re.search(r"checksum=sha256:([0-9a-f]{64})", model["purl"])
    hub = model["purl"].startswith("pkg:huggingface/")
    assert hub or (aggregate and aggregate[1] not in digests.values())


def test_every_file_has_the_role_that_its_place_in_the_bom_says(built: Built) -> None:
    def check(component: Json, areas: tuple[str, ...]) -> None:
        for file in component.get("components", []):
            if file["type"] == "file":
                category = values(file, "aibom:category")[0]
                assert category.startswith(areas), file["name"]

    for component in nested(built.bom):
        if component["type"] == "machine-learning-model":
            check(component, ("model/",))
        elif component["type"] == "data":
            check(component, ("data/",))
        elif component["bom-ref"] == "code":
            check(component, ("code/",))


def test_completeness_is_said_of_every_area_and_of_nothing_twice(built: Built) -> None:
    listed = [ref for c in built.bom["compositions"] for ref in c.get("assemblies", [])]
    assert [ref for ref, count in Counter(listed).items() if count > 1] == []
    wanted = {"release"} | {
        m["bom-ref"] for m in built.bom["components"] if m["type"] in {"data", "machine-learning-model"}
    }
    assert wanted <= set(listed)


# --- D3: package URLs -----------------------------------------------------------------------------------------------


def purls(document: Json) -> list[tuple[Json, str]]:
    return [(component, component["purl"]) for _, component in components_of(document) if "purl" in component]


def test_every_package_url_is_canonical(built: Built) -> None:
    found = purls(built.bom)
    assert found
    for _, text in found:
        assert PackageURL.from_string(text).to_string() == text
        assert "%25" not in text


def test_only_libraries_are_packages_of_an_index(built: Built) -> None:
    for component, text in purls(built.bom):
        kind = PackageURL.from_string(text).type
        allowed = {
            "library": {"pypi", "conda"},
            "machine-learning-model": {"huggingface", "generic"},
            "data": {"generic"},
            "application": {"generic"},
            "container": {"docker"},
        }[component["type"]]
        assert kind in allowed, text


def test_a_package_url_says_what_its_component_says(built: Built) -> None:
    for component, text in purls(built.bom):
        purl = PackageURL.from_string(text)
        if component["type"] == "library":
            assert (purl.name, purl.version or "") == (component["name"], component.get("version", ""))
        if purl.type == "huggingface":
            assert purl.namespace
            assert "/" not in (purl.name or "")


def test_names_with_spaces_and_per_cent_signs_are_encoded_once(tmp_path: Path) -> None:
    put(
        tmp_path / "README.md",
        "---\nlicense: mit\nmodel-index:\n- name: 'Tall Tales, 100% é'\n  results: []\n---\n# T\n",
    )
    put(tmp_path / "model.safetensors", WEIGHTS)
    put(tmp_path / "data" / "x.csv", "a,b\n1,2\n")
    put(tmp_path / "data" / "README.md", "---\nsize_categories: [n<1K]\npretty_name: lab/My data\n---\n# D\n")
    document = bom_of(tmp_path)
    found = {component["type"]: text for component, text in purls(document)}
    assert PackageURL.from_string(found["machine-learning-model"]).name == "Tall Tales, 100% é"
    assert "/Tall%20Tales%2C%20100%25%20%C3%A9?" in found["machine-learning-model"]
    assert "%2520" not in found["data"]
    for text in found.values():
        assert PackageURL.from_string(text).to_string() == text


def test_a_name_with_a_slash_is_one_name(tmp_path: Path) -> None:
    put(tmp_path / "README.md", CARD.replace("Tall Tales", "Yes / No"))
    put(tmp_path / "model.safetensors", WEIGHTS)
    component = main(bom_of(tmp_path))
    assert component["name"] == "Yes / No"
    assert "purl" not in component  # no package URL, rather than one that makes a namespace of half the name
    assert "identifier" in values(component, "aibom:unknown")


# --- D4: references -------------------------------------------------------------------------------------------------


def test_every_reference_anywhere_is_to_one_thing(built: Built) -> None:
    pairs = list(everything(built.bom))
    defined = Counter(item for name, item in pairs if name == "bom-ref")
    assert [ref for ref, count in defined.items() if count > 1] == []
    single = [item for name, item in pairs if name in {"ref", "attributedTo"} and isinstance(item, str)]
    lists = [item for name, item in pairs if name in {"dependsOn", "provides", "assemblies", "dependencies"}]
    several = [ref for items in lists for ref in items if isinstance(ref, str)]
    assert len(single) > 3
    assert (set(single) | set(several)) - set(defined) == set()


def test_every_area_has_references_to_check(tmp_path: Path) -> None:
    document = build("language model", tmp_path).bom
    (workflow,) = document["formulation"][0]["workflows"]
    assert len(workflow["inputs"]) > 2
    assert main(document)["modelCard"]["modelParameters"]["datasets"]
    assert len(document["citations"]) > 10


def test_a_card_s_data_sets_are_data(built: Built) -> None:
    kinds = {c["bom-ref"]: c["type"] for c in nested(built.bom)}
    for model in models(built.bom).values():
        for item in model.get("modelCard", {}).get("modelParameters", {}).get("datasets", []):
            assert kinds[item["ref"]] == "data"


def test_every_component_that_may_depend_is_in_the_graph(built: Built) -> None:
    graph = {node["ref"]: set(node["dependsOn"]) for node in built.bom["dependencies"]}
    reached, pending = set(), ["release"]
    while pending:
        ref = pending.pop()
        if ref not in reached:
            reached.add(ref)
            pending += graph.get(ref, ())
    listed = {c["bom-ref"] for c in [*built.bom["components"], *built.bom.get("services", [])]}
    assert listed - reached == set()
    assert all(ref not in targets for ref, targets in graph.items())


# --- D5: ranges -----------------------------------------------------------------------------------------------------


def test_a_version_is_never_a_range(built: Built) -> None:
    libraries = [c for c in nested(built.bom) if c["type"] == "library"]
    for library in libraries:
        assert re.fullmatch(r"[A-Za-z0-9.+!_-]*", library.get("version", "")), library["name"]
        assert "version" not in library or "versionRange" not in library
        purl = PackageURL.from_string(library["purl"])
        assert purl.version == library.get("version")
        if "version" not in library:
            assert "version" in values(library, "aibom:unknown")
    assert libraries


@pytest.mark.parametrize(
    "written", ["accelerate>=1.3", "accelerate~=1.3", "accelerate==1.*", "accelerate>1,<2", "accelerate"]
)
def test_a_range_gives_no_version_to_match_a_vulnerability(tmp_path: Path, written: str) -> None:
    put(tmp_path / "model.safetensors", WEIGHTS)
    put(tmp_path / "requirements.txt", f"{written}\n")
    (library,) = [c for c in nested(bom_of(tmp_path)) if c["type"] == "library"]
    assert "version" not in library
    assert library["purl"] == "pkg:pypi/accelerate"


# --- D6: what cannot be read ----------------------------------------------------------------------------------------

UNREADABLE = (
    "model.safetensors",
    "model.gguf",
    "model.onnx",
    "model.h5",
    "model.keras",
    "model.pt",
    "model.pkl",
    "model.joblib",
    "model.skops",
    "model.tflite",
    "model.pt2",
    "saved_model.pb",
    "checkpoint-5/model.safetensors",
    "adapter_model.safetensors",
)
UNLOOKED = ("flax_model.msgpack", "model.mlmodel", "model.pte", "rust_model.ot", "model.ubj", "model.cbm")


@pytest.mark.parametrize(
    "content", [b"", POINTER.encode(), b"<!DOCTYPE html><p>not found"], ids=["empty", "lfs", "page"]
)
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_should_be_weights_and_is_not_ends_the_build(tmp_path: Path, name: str, content: bytes) -> None:
    put(tmp_path / "README.md", CARD)
    put(tmp_path / name, content)
    with pytest.raises(InputError) as caught:
        build_bom_bytes(tmp_path)
    assert caught.value.where.startswith(name)


@pytest.mark.parametrize("name", UNLOOKED)
def test_a_pointer_in_the_place_of_weights_that_no_reader_knows_ends_the_build(tmp_path: Path, name: str) -> None:
    put(tmp_path / name, POINTER)
    with pytest.raises(InputError, match="Git LFS"):
        build_bom_bytes(tmp_path)


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><p>not found"], ids=["empty", "page"])
@pytest.mark.parametrize("name", ["pytorch_model.bin", "adapter_model.bin"])
def test_a_bin_file_that_is_no_weights_ends_the_build(tmp_path: Path, name: str, content: bytes) -> None:
    put(tmp_path / "README.md", CARD)
    put(tmp_path / name, content)
    with pytest.raises(InputError):
        build_bom_bytes(tmp_path)


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><p>not found"], ids=["empty", "page"])
@pytest.mark.parametrize("name", UNLOOKED)
def test_weights_that_no_reader_knows_are_not_said_to_be_whole_when_they_are_none(
    tmp_path: Path, name: str, content: bytes
) -> None:
    put(tmp_path / "README.md", CARD)
    put(tmp_path / name, content)
    try:
        document = bom_of(tmp_path)
    except InputError:
        return
    assert aggregates(document, "assemblies")["model"] == "incomplete"


@pytest.mark.parametrize("cut", [1, 8, 40])
def test_weights_cut_short_end_the_build(tmp_path: Path, cut: int) -> None:
    put(tmp_path / "model.safetensors", WEIGHTS[:-cut])
    with pytest.raises(InputError) as caught:
        build_bom_bytes(tmp_path)
    assert caught.value.where.startswith("model.safetensors")


def test_no_folder_an_empty_one_and_one_of_empty_folders_are_errors(tmp_path: Path) -> None:
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    put(tmp_path / "only" / "aibom.cdx.json", "{}")
    for name in ("missing", "empty", "only"):
        with pytest.raises(InputError) as caught:
            collect(tmp_path / name)
        assert caught.value.message


@pytest.mark.parametrize("case", ["trunc_header", "huge_header", "junk_header", "deep_json", "trunc_gguf", "bad_onnx"])
def test_hostile_weights_end_the_build(tmp_path: Path, case: str) -> None:
    write_hostile(tmp_path)
    with pytest.raises(InputError):
        build_bom_bytes(tmp_path / case)


# --- D7: links and names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../outside.safetensors", "loop.safetensors", ".", "model.safetensors"]
)
def test_no_link_is_followed(tmp_path: Path, target: str) -> None:
    put(tmp_path / "outside.safetensors", WEIGHTS)
    put(tmp_path / "r" / "model.safetensors", WEIGHTS)
    put_link(tmp_path / "r" / "loop.safetensors", target)
    with pytest.raises(UnsafeEntryError) as caught:
        collect(tmp_path / "r")
    assert "loop.safetensors" in f"{caught.value.message} {caught.value.where}"


@pytest.mark.parametrize("case", ["symlink_loop", "nonutf8_name"])
def test_loops_and_names_outside_utf8_are_refused_in_words(tmp_path: Path, case: str) -> None:
    write_hostile(tmp_path)
    with pytest.raises(UnsafeEntryError) as caught:
        collect(tmp_path / case)
    assert str(caught.value).isprintable() or "\n" in str(caught.value)


@pytest.mark.parametrize("name", ["a\nb.safetensors", "a\x1b[2Jb.safetensors", "a\u202eb.safetensors"])
def test_a_name_that_plays_with_the_reader_is_refused(tmp_path: Path, name: str) -> None:
    put(tmp_path / name, WEIGHTS)
    with pytest.raises(UnsafeEntryError):
        collect(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    put(tmp_path / "model.safetensors", WEIGHTS)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnsafeEntryError):
        collect(tmp_path)


def test_a_git_checkout_gives_what_its_files_give(tmp_path: Path) -> None:
    write_git_checkout(tmp_path / "git", write_small, form="branch")
    write_small(tmp_path / "plain")
    one, other = bom_of(tmp_path / "git" / "release"), bom_of(tmp_path / "plain")
    assert main(one) == main(other)


# --- D8: bound to its files -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=NEW)
def signed_release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sign_release(build(str(request.param), tmp_path_factory.mktemp("signed")).folder)


def test_a_signed_release_is_accepted(signed_release: Path) -> None:
    assert verify_signed(signed_release).verdict is Verdict.ACCEPTED


def test_one_changed_byte_of_any_kind_of_file_is_rejected(signed_release: Path, tmp_path: Path) -> None:
    kinds = (
        ".safetensors",
        ".gguf",
        ".joblib",
        ".onnx",
        ".md",
        ".py",
        ".ipynb",
        ".json",
        ".tar",
        ".parquet",
        "LICENSE",
    )
    files = [path for path in sorted(signed_release.rglob("*")) if path.is_file() and "attestations" not in path.parts]
    chosen = [next((path for path in files if path.name.endswith(kind)), None) for kind in kinds]
    assert len([path for path in chosen if path]) >= 5
    for number, path in enumerate(path for path in chosen if path):
        copy = tmp_path / str(number)
        shutil.copytree(signed_release, copy)
        target = copy / path.relative_to(signed_release)
        content = bytearray(target.read_bytes())
        content[-1] ^= 1
        target.write_bytes(content)
        assert verify_signed(copy).verdict is Verdict.REJECTED, path.name
        shutil.rmtree(copy)


def test_a_file_more_or_less_is_rejected(signed_release: Path, tmp_path: Path) -> None:
    shutil.copytree(signed_release, tmp_path / "more")
    put(tmp_path / "more" / "extra.bin", b"x")
    shutil.copytree(signed_release, tmp_path / "less")
    (tmp_path / "less" / "README.md").unlink()
    assert verify_signed(tmp_path / "more").verdict is Verdict.REJECTED
    assert verify_signed(tmp_path / "less").verdict is Verdict.REJECTED


def test_one_release_s_bom_does_not_fit_another(tmp_path: Path) -> None:
    one, other = build("tabular", tmp_path / "one"), build("small", tmp_path / "other")
    sign_release(one.folder, bom=build_bom_bytes(other.folder))
    assert verify_signed(one.folder).verdict is Verdict.REJECTED


# --- D9: no false completeness --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["example", "language model"])
def test_a_model_with_a_missing_shard_is_incomplete(tmp_path: Path, name: str) -> None:
    built = build(name, tmp_path)
    next(built.folder.glob("model-00002-of-*.safetensors")).unlink()
    document = bom_of(built.folder)
    assert aggregates(document, "assemblies")["model"] == "incomplete"
    assert any("model-00002" in text for text in values(document["metadata"]["component"], "aibom:problem"))


def test_a_pipeline_without_one_of_its_parts_is_incomplete(tmp_path: Path) -> None:
    built = build("diffusion", tmp_path)
    shutil.rmtree(built.folder / "vae")
    assert aggregates(bom_of(built.folder), "assemblies")["model"] == "incomplete"


def test_a_pipeline_with_all_its_parts_is_complete(tmp_path: Path) -> None:
    assert aggregates(build("diffusion", tmp_path).bom, "assemblies")["model"] == "complete"


def test_data_without_files_is_unknown_and_code_without_a_lock_incomplete(built: Built) -> None:
    said = aggregates(built.bom, "assemblies")
    for component in nested(built.bom):
        if component["type"] == "data":
            external = not component.get("components")
            assert said[component["bom-ref"]] == ("unknown" if external else "complete")
            assert bool(component.get("isExternal")) is external
    locked = any(path.name.endswith(".lock") for path in built.folder.rglob("*"))
    undeclared = any(values(c, "aibom:undeclared-import") for c in nested(built.bom))
    if not locked or undeclared:
        assert set(aggregates(built.bom, "dependencies").values()) == {"incomplete"}


def test_a_lock_that_leaves_a_range_open_does_not_make_the_list_complete(tmp_path: Path) -> None:
    document = build("language model", tmp_path).bom
    open_ranges = [c["name"] for c in nested(document) if c["type"] == "library" and "version" not in c]
    assert (set(aggregates(document, "dependencies").values()) == {"complete"}) is (not open_ranges)


def test_weights_that_nobody_looked_into_are_not_said_to_be_whole(tmp_path: Path) -> None:
    put(tmp_path / "model.pt", b"7z\xbc\xaf\x27\x1c" + bytes(64))
    document = bom_of(tmp_path)
    assert aggregates(document, "assemblies")["model"] == "incomplete"
    assert any("not looked at" in text for text in values(document["metadata"]["component"], "aibom:problem"))


def test_what_nobody_states_is_named_as_unknown(tmp_path: Path) -> None:
    put(tmp_path / "model.safetensors", WEIGHTS)
    model = main(bom_of(tmp_path))
    assert set(values(model, "aibom:unknown")) >= {"license", "version", "producer"}
    assert not {"licenses", "version", "manufacturer", "description", "modelCard"} & set(model)


# --- D10: sources ---------------------------------------------------------------------------------------------------


def leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, f"{path}.{number}")
    else:
        yield path


def test_every_value_of_a_model_card_says_where_it_was_read(built: Built) -> None:
    for model in models(built.bom).values():
        stated = [p["name"].removeprefix("aibom:source:") for p in model["properties"]]
        for path in leaves(model.get("modelCard", {}), "modelCard"):
            if path.startswith("modelCard.modelParameters.datasets."):
                continue  # references, checked as such
            assert any(path == source or path.startswith(f"{source}.") for source in stated), (model["name"], path)


def test_every_name_version_licence_and_producer_says_where_it_was_read(built: Built) -> None:
    for pointer, component in components_of(built.bom):
        if component["type"] in {"file", "library"} or "/pedigree/" in pointer:
            continue
        stated = {p["name"].removeprefix("aibom:source:") for p in component["properties"]}
        declared = values(component, "aibom:declared-in")
        for member in ("name", "version", "licenses", "manufacturer", "supplier", "description"):
            if member in component:
                assert member in stated or declared, (component["name"], member)


def test_every_source_names_a_file_of_the_release(built: Built) -> None:
    files = {entry.name for entry in read_manifest(built.folder).entries}
    for _, component in components_of(built.bom):
        for item in component.get("properties", []):
            if item["name"].startswith(("aibom:source:", "aibom:setting-source:")):
                text = item["value"]
                parts = text.split(", ")
                beginnings = {", ".join(parts[:count]) for count in range(1, len(parts) + 1)}
                folders = {name.rpartition("/")[0] for name in files} | {str(Path(n).parent) for n in files}
                parents = {str(parent) for name in files for parent in Path(name).parents}
                assert beginnings & (files | folders | parents), text


def resolve(document: Json, pointer: str) -> Any:
    """RFC 6901, written out again so that our own reading of it is not the judge."""
    assert pointer.startswith("/")
    value: Any = document
    for token in pointer[1:].split("/"):
        key = token.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def test_every_citation_points_at_a_value_and_at_a_file(built: Built) -> None:
    files = {c["bom-ref"] for c in nested(built.bom) if c["type"] == "file"}
    cited = built.bom["citations"]
    assert cited
    for citation in cited:
        assert citation["attributedTo"] in files
        assert citation["timestamp"] == built.bom["metadata"]["timestamp"]
        for pointer in citation["pointers"]:
            assert resolve(built.bom, pointer) not in (None, "", [], {})


def test_what_is_cited_is_what_the_properties_say(built: Built) -> None:
    cited = {(pointer, c["attributedTo"]) for c in built.bom["citations"] for pointer in c["pointers"]}
    files = {c["name"] for c in nested(built.bom) if c["type"] == "file"}
    wanted = set()
    for pointer, component in components_of(built.bom):
        for item in component.get("properties", []):
            path = item["name"].removeprefix("aibom:source:")
            named = [file for file in files if item["value"] == file or item["value"].startswith(f"{file}, ")]
            if path != item["name"] and named and value_at(component, path) is not None:
                wanted.add((f"{pointer}/{path.replace('.', '/')}", f"file:{max(named, key=len)}"))
    assert wanted == cited


def test_every_setting_of_the_training_has_a_source(built: Built) -> None:
    for formula in built.bom.get("formulation", []):
        (workflow,) = formula["workflows"]
        sourced = {p["name"].removeprefix("aibom:setting-source:") for p in workflow.get("properties", [])}
        given = {p["name"] for item in workflow["inputs"] for p in item.get("parameters", [])}
        assert given <= sourced


# --- D11: no network ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITERS)
def test_a_build_reaches_nobody(tmp_path: Path, name: str, no_network: None) -> None:
    assert build(name, tmp_path).bom["bomFormat"] == "CycloneDX"


# --- D12: no noise --------------------------------------------------------------------------------------------------

MODELS = {
    "small": {"model"},
    "example": {
        "model",
        "model:adapters/nl-lora",
        "model:gguf/sentimind-small-v2-f16.gguf",
        "model:onnx/model.onnx",
    },
    "language model": {"model", "model:fjord-1b-chat-F16.gguf", "model:fjord-1b-chat-Q4_0.gguf"},
    "diffusion": {
        "model",
        "model:unet",
        "model:vae",
        "model:text_encoder",
        "model:loras/pixel-art",
        "model:textual_inversion/lantern-style",
    },
    "tabular": {"model", "model:model.onnx"},
}


def test_there_are_as_many_models_as_there_are(built: Built) -> None:
    assert set(models(built.bom)) == MODELS[built.name]


def test_every_file_is_listed_once_with_its_digest(built: Built) -> None:
    expected = {entry.name: entry.sha256 for entry in read_manifest(built.folder).entries}
    listed = [(c["name"], c["hashes"][0]["content"]) for c in nested(built.bom) if c["type"] == "file"]
    assert Counter(listed) == Counter(expected.items())
    for path in built.folder.rglob("*"):
        if path.is_file():
            name = path.relative_to(built.folder).as_posix()
            assert hashlib.sha256(path.read_bytes()).hexdigest() == expected[name]


def test_nothing_is_said_twice(built: Built) -> None:
    for component in nested(built.bom):
        given = [(p["name"], p["value"]) for p in component.get("properties", [])]
        assert len(given) == len(set(given)), component["name"]
    account = assemble(collect(built.folder))
    assert len(account.conflicts) == len(set(account.conflicts))
    assert len(account.warnings) == len(set(account.warnings))


CONFLICTS = {"small": 0, "diffusion": 0, "tabular": 0}


@pytest.mark.parametrize("name", CONFLICTS)
def test_a_release_that_agrees_with_itself_has_no_conflict(tmp_path: Path, name: str) -> None:
    root = build(name, tmp_path).bom["metadata"]["component"]
    assert values(root, "aibom:conflict") == []


def test_the_one_disagreement_of_the_language_model_is_the_one_reported(tmp_path: Path) -> None:
    root = build("language model", tmp_path).bom["metadata"]["component"]
    (conflict,) = values(root, "aibom:conflict")
    assert all(words in conflict for words in ("version", "1.2.0", "1.3.0", "CITATION.cff"))
