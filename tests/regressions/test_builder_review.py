"""What a hostile reading of the builder found: one test a defect, each of which fails without its repair."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aibom.build.publisher import parse_publisher
from aibom.build.render.addresses import address, file_address, named_package_url, package_url
from aibom.core.errors import InputError
from aibom.core.verdict import Verdict
from aibom.cyclonedx.schema import schema_problems
from tests.factory import build_bom_bytes, make_release, rules_of, sign_release, verify_signed
from tests.reading import Json, bom_of, nested, of_type, one, properties
from tests.releases.files import put
from tests.releases.writers import safetensors_bytes, zero_tensor


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://example.com/a#b", "https://example.com/a#b"),
        ("git@host.example:a/b.git", "ssh://git@host.example/a/b.git"),
        ("git+https://host.example/a.git@v1", "git+https://host.example/a.git@v1"),
        ("https://é.example/ü", "https://é.example/ü"),
        ("https://x.example/a b", None),
        ("https://x.example/%zz", None),
        ("https://x.example/{region}/v1", None),
        ("https://x.example/a\tb", None),
        ("https://x.example/#a#b", None),
        ("https://x.example:port/", None),
        ("http://[", None),
        ("javascript:alert(1)", None),
        ("\\", None),
        ("", None),
    ],
)
def test_addresses_in_the_form_of_the_schema_or_not_at_all(written: str, expected: str | None) -> None:
    found = address(written)
    assert (str(found) if found else None) == expected


@pytest.mark.parametrize("name", ["a b.md", "a:b", "1a:b/c", "x%20.md", "名前.md", "x<y", "a#b", "?"])
def test_any_file_name_is_a_valid_reference(tmp_path: Path, name: str) -> None:
    assert str(file_address(name))
    release = make_release(tmp_path / "r")
    put(release / "docs" / name / "risk.md", "# Risk\n")
    document = bom_of(release)
    (reference,) = [r for r in document["metadata"]["component"]["externalReferences"] if r["url"].endswith("risk.md")]
    assert reference["type"] == "risk-assessment"


def test_package_urls_read_back_or_are_left_out() -> None:
    assert package_url("generic", None, "/") is None
    assert package_url("generic", None, "Yes / No") is None
    assert package_url("pypi", None, " ") is None
    assert named_package_url("Yes / No", None, {}) is None
    found = named_package_url("acme/data", "1", {})
    assert found is not None
    assert found.to_string() == "pkg:generic/acme/data@1"


_PROJECT = """[project]
name = "n"
version = "1"
dependencies = ["a>=1"]
[project.optional-dependencies]
x = ["a"]
"""
_LOCK = """version = 1
[[package]]
name = "a"
version = "{}"
source = {{ registry = "https://packages.example/simple" }}
"""
_CITED = "cff-version: 1.2.0\ntitle: T\nrepository-code: "
_CALL = "from openai import OpenAI\nc = OpenAI(base_url={})\nc.chat.completions.create(model='m')\n"
_LONG = f'[project]\nname = "n"\nversion = "1"\ndependencies = ["a=={"1" * 900}.{"1" * 90}"]\n'
_LINK = "---\nlicense: other\nlicense_name: x\nlicense_link: 'http://a b'\n---\n# M\n"
ODD: dict[str, tuple[str, str]] = {
    "image without a name": ("Dockerfile", "FROM a/:latest\n"),
    "project called blank": ("pyproject.toml", '[project]\nname = " "\nversion = "1"\n'),
    "title of a slash": ("README.md", "---\nlicense: mit\n---\n# /\n"),
    "address of a licence": ("README.md", _LINK),
    "service at a pattern": ("s.py", _CALL.format("'https://x/{r}/v1'")),
    "version without end": ("pyproject.toml", _LONG),
    "repository in short form": ("CITATION.cff", f"{_CITED}git@host.example:a/b.git\n"),
    "repository that is none": ("CITATION.cff", f"{_CITED}'ht%tp://[::1'\n"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_text_does_not_make_the_bom_invalid(tmp_path: Path, name: str) -> None:
    release = make_release(tmp_path / "r")
    put(release / ODD[name][0], ODD[name][1])
    bom_of(release)  # judged by the strict validator
    assert schema_problems(json.loads(build_bom_bytes(release))) == []
    assert verify_signed(sign_release(release)).verdict is Verdict.ACCEPTED


def test_what_could_not_be_written_is_said(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    put(release / "CITATION.cff", "cff-version: 1.2.0\ntitle: T\nrepository-code: 'https://a.example/%zz'\n")
    told = properties(bom_of(release)["metadata"]["component"], "aibom:unusable")
    assert told == ["https://a.example/%zz (CITATION.cff, repository-code)"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[release]\ndate = 0001-01-01T00:00:00+10:00", "the year 1"),
        ("[release]\ndate = 9999-12-31T23:59:59-10:00", "the year 9999"),
        ('[author]\nname = "J"\nemail = "J at x"', "no e-mail address"),
        ('[[link]]\ntype = "vcs"\nurl = "http://x:y"', "no address"),
        ('[[data]]\nname = "d"\nurl = "%"', "no address"),
    ],
)
def test_what_the_publisher_states_must_fit_the_bom(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_publisher(text.encode())


def test_two_ranges_that_a_lock_settles_are_one_library(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    put(release / "pyproject.toml", _PROJECT)
    put(release / "uv.lock", _LOCK.format("1.5"))
    document = bom_of(release)
    library = one(document, "library", "a")
    assert library["version"] == "1.5"
    assert properties(library, "aibom:specifier") == [">=1"]
    assert "externalReferences" not in library  # the index is not where the library is
    assert properties(library, "aibom:group") == []
    assert verify_signed(sign_release(release)).verdict is Verdict.ACCEPTED


def test_a_lock_of_an_example_does_not_settle_the_rest(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    put(release / "requirements.txt", "a>=1\n")
    put(release / "examples" / "uv.lock", _LOCK.format("9"))
    found = {c.get("version") for c in of_type(bom_of(release), "library") if c["name"] == "a"}
    assert found == {None, "9"}


def test_two_addresses_of_one_service_are_two_services(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    lines = (
        f'c{n} = OpenAI(base_url="https://{n}.example/v1")\nc{n}.chat.completions.create(model="m{n}")\n' for n in "ab"
    )
    put(release / "s.py", "from openai import OpenAI\n" + "".join(lines))
    services = bom_of(release)["services"]
    assert len({service["bom-ref"] for service in services}) == len(services) == 2
    assert all("authenticated" not in service for service in services)
    assert verify_signed(sign_release(release)).verdict is Verdict.ACCEPTED


def component(document: Json, kind: str, name: str) -> Json:
    return next(c for c in nested(document) if (c["type"], c["name"]) == (kind, name))


LIES: dict[str, Callable[[Json], Any]] = {
    "another version of a library": lambda d: component(d, "library", "torch").update(version="99.0"),
    "another tag of the image": lambda d: component(d, "container", "pytorch/pytorch").update(version="1.0"),
    "another address of the service": lambda d: d["services"][0].update(endpoints=["https://elsewhere.example"]),
    "another base model": lambda d: component(d, "machine-learning-model", "sentimind-small-v2")["pedigree"][
        "ancestors"
    ][0].update(name="evil/base"),
    "the owner of the base model": lambda d: [
        a.update(name="distilbert-base-uncased")
        for m in of_type(d, "machine-learning-model")
        for a in m.get("pedigree", {}).get("ancestors", [])
    ],
    "the owner of a data set": lambda d: component(d, "data", "stanfordnlp/imdb").update(name="imdb"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_signed_bom_that_says_otherwise_than_the_files(tmp_path: Path, name: str) -> None:
    def edit(document: Json) -> None:
        LIES[name](document)

    honest = verify_signed(sign_release(make_release(tmp_path / "a", "harmless")))
    assert honest.verdict is Verdict.ACCEPTED
    report = verify_signed(sign_release(make_release(tmp_path / "b", "harmless"), edit=edit))
    assert report.verdict is Verdict.REJECTED
    assert rules_of(report) & {"bom.declared-otherwise", "bom.left-out"}


def test_an_expression_and_a_name_stand_side_by_side(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    put(release / "README.md", "---\nlicense:\n- mit OR apache-2.0\n- llama3.1\n---\n# Tiny\n## Uses\nx\n")
    licences = one(bom_of(release), "machine-learning-model", "Tiny")["licenses"]
    assert {item.get("expression") or item["license"]["name"] for item in licences} == {
        "MIT OR Apache-2.0",
        "Llama 3.1 Community License Agreement",
    }


def test_a_licence_link_to_a_file_of_the_release_is_kept(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    put(release / "README.md", "---\nlicense: other\nlicense_name: x\nlicense_link: LICENSE\n---\n# Tiny\n## Uses\nx\n")
    (licence,) = one(bom_of(release), "machine-learning-model", "Tiny")["licenses"]
    assert licence["license"]["url"] == "LICENSE"


_WEIGHTS = safetensors_bytes({"a": zero_tensor("F32", 4)}, {})
_CARD = "---\nlicense: mit\n---\n# M\n"
_BASE = "---\nlicense: mit\nbase_model: {}\n---\n# M\n"
_LOADS = "from datasets import load_dataset\nfrom transformers import AutoModel\n"
HONEST: dict[str, dict[str, str | bytes]] = {
    "a project called blank": {"README.md": _CARD, "pyproject.toml": '[project]\nname = " "\n', "a.py": "x = 1\n"},
    "a card called blank": {"README.md": '---\nlicense: mit\nmodel-index:\n- name: "  "\n  results: []\n---\n# M\n'},
    "a data card called slash": {
        "README.md": _CARD,
        "data/x.csv": "a\n",
        "data/README.md": '---\npretty_name: "/"\n---\n',
    },
    "odd names in conda": {"README.md": _CARD, "environment.yml": 'dependencies: ["/", "a/b", "//", " ", "::"]\n'},
    "a base without an owner in aibom.toml": {
        "README.md": _BASE.format("b/x"),
        "aibom.toml": '[model]\nbase-model = "x"\n',
    },
    "a base in another case in aibom.toml": {
        "README.md": _BASE.format("b/x"),
        "aibom.toml": '[model]\nbase-model = "B/X"\n',
    },
    "one base in two cases": {"README.md": _BASE.format("[a/b, A/B]")},
    "names that no hub has": {
        "README.md": _CARD,
        "a.py": _LOADS
        + 'load_dataset("a/b c")\nload_dataset("a/")\nload_dataset("/b")\nAutoModel.from_pretrained("a/é")\n',
    },
    "a card that is stated to be something else": {
        "README.md": _BASE.format("b/x"),
        "aibom.toml": '[categories]\n"README.md" = "docs/usage"\n',
    },
    "code that is stated to be something else": {
        "README.md": _CARD,
        "a.py": _LOADS + 'load_dataset("a/b")\n',
        "aibom.toml": '[categories]\n"a.py" = "docs/usage"\n',
    },
    "code that is no text": {"README.md": _CARD, "a.py": _LOADS + 'load_dataset("a/b")\n\0'},
    "an adapter of another case": {
        "README.md": _BASE.format("x/Y"),
        "ad/adapter_config.json": '{"peft_type": "LORA", "base_model_name_or_path": "x/y"}',
        "ad/adapter_model.safetensors": _WEIGHTS,
    },
    "an adapter whose card is the only one": {
        "ad/README.md": _BASE.format("x/y"),
        "ad/adapter_config.json": '{"peft_type": "LORA", "base_model_name_or_path": "x/y"}',
        "ad/adapter_model.safetensors": _WEIGHTS,
    },
    "a hub name with a plus": {"README.md": _CARD, "aibom.toml": '[model]\nhub = "acme/th+ing"\n'},
    "one image three times": {
        "README.md": _CARD,
        "Dockerfile": "FROM a/b:1\nFROM a/b:2\nFROM a/b@sha256:" + "0" * 64 + "\n",
    },
    "one library thrice": {"README.md": _CARD, "requirements.txt": "a==1\n", "requirements-dev.txt": "a==2\n"},
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_what_we_sign_we_accept(tmp_path: Path, name: str) -> None:
    put(tmp_path / "model.safetensors", _WEIGHTS)
    for path, content in HONEST[name].items():
        put(tmp_path / path, content)
    report = verify_signed(sign_release(tmp_path))
    assert report.verdict is Verdict.ACCEPTED, report.findings
