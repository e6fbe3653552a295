"""Croissant descriptions: what they say, under which spellings, and what contradicts the files beside them."""

import json
from typing import Any

import pytest

from aibom.core.errors import InputError
from aibom.formats import croissant
from aibom.formats.croissant import (
    Agent,
    Croissant,
    FileObject,
    FileSet,
    RecordField,
    RecordSet,
    digest_problems,
    is_croissant,
    local_name,
    parse_croissant,
)  # fmt: skip
from tests.releases import documents

DIGEST, OTHER = "ab" * 32, "cd" * 32
EXAMPLE = documents.croissant({"train.csv": DIGEST, "train.parquet": OTHER})


def read(**fields: object) -> Croissant:
    return parse_croissant(json.dumps({"@type": "sc:Dataset"} | fields).encode(), "c.json")


def read_file(**fields: object) -> FileObject:
    (file,) = read(distribution=[{"@type": "cr:FileObject"} | fields]).files
    return file


def test_the_description_of_the_example_release_is_read() -> None:
    found = parse_croissant(json.dumps(EXAMPLE).encode(), "data/croissant.json")
    assert found.conforms_to == ("http://mlcommons.org/croissant/1.0",)
    assert (found.name, found.version, found.date_published) == ("internal-reviews", "1.2.0", "2025-11-02")
    assert found.licenses == ("https://creativecommons.org/licenses/by/4.0/",)
    assert found.creators == (Agent(name="Acme AI B.V."),)
    assert [(file.content_url, file.sha256) for file in found.files] == [
        ("train.csv", DIGEST),
        ("train.parquet", OTHER),
    ]
    assert found.files[0].encoding_format == "text/csv"
    fields = (RecordField(name="text", data_types=("sc:Text",)),)
    assert found.record_sets == (RecordSet(name="reviews", fields=fields),)
    assert found.rai == {
        "dataCollection": ("Web shop review export",),
        "personalSensitiveInformation": ("None after scrubbing",),
        "dataBiases": ("70% electronics reviews",),
    }
    assert (found.is_live, found.problems) == (None, ())


@pytest.mark.parametrize("prefix", ["", "sc:", "schema:", "https://schema.org/", "http://schema.org/"])
def test_schema_org_properties_may_have_any_of_their_prefixes(prefix: str) -> None:
    fields = {f"{prefix}name": "a", f"{prefix}license": "mit"}
    assert (read(**fields).name, read(**fields).licenses) == ("a", ("mit",))


@pytest.mark.parametrize("name", ["conformsTo", "dct:conformsTo", "http://purl.org/dc/terms/conformsTo"])
def test_the_version_of_croissant_may_be_text_or_a_reference(name: str) -> None:
    stated = [{"@id": "http://mlcommons.org/croissant/1.1"}, "http://mlcommons.org/croissant/RAI/1.0"]
    found = read(**{name: stated}).conforms_to
    assert found == ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")


@pytest.mark.parametrize(
    "name",
    [
        "rai:dataBiases", "http://mlcommons.org/croissant/RAI/dataBiases", "dataBiases", "cr:dataBiases",
        "https://mlcommons.org/croissant/RAI/dataBiases",
    ],
)  # fmt: skip
def test_responsible_ai_terms_are_read_under_each_spelling(name: str) -> None:
    assert read(**{name: ["a", {"@value": "b"}, ""]}).rai == {"dataBiases": ("a", "b")}


def test_properties_of_other_vocabularies_are_left_alone() -> None:
    assert (read(**{"x:name": "a", "prov:dataBiases": "b"}).name, read(**{"prov:dataBiases": "b"}).rai) == ("", {})


def test_a_responsible_ai_term_without_text_is_left_out() -> None:
    assert read(**{"rai:dataUseCases": "", "rai:dataLimitations": []}).rai == {}


def test_values_may_be_things_numbers_or_lists() -> None:
    found = read(
        license=[{"@type": "sc:CreativeWork", "name": "MIT", "url": "https://spdx.org/licenses/MIT"}, {"name": "own"}],
        version=2,
        keywords="reviews",
        isLiveDataset=True,
        citeAs="@misc{a}",
        url={"@id": "https://a.example"},
        inLanguage=["en", "nl", "en"],
    )
    assert found.licenses == ("https://spdx.org/licenses/MIT", "own")
    assert (found.version, found.keywords, found.is_live) == ("2", ("reviews",), True)
    assert (found.citation, found.url, found.languages) == ("@misc{a}", "https://a.example", ("en", "nl"))


@pytest.mark.parametrize(
    ("value", "expected"), [(False, False), ("true", True), ({"@value": "False"}, False), ("perhaps", None), (1, None)]
)
def test_whether_a_data_set_is_live_is_never_guessed(value: object, expected: bool | None) -> None:
    assert read(isLiveDataset=value).is_live is expected


def test_makers_may_be_names_or_things() -> None:
    found = read(creator=["A", {"name": "B", "url": "https://b.example"}, 3, {}], publisher={"sc:name": "C"})
    assert found.creators == (Agent(name="A"), Agent(name="B", url="https://b.example"), Agent(name="3"))
    assert found.publishers == (Agent(name="C"),)


def test_file_sets_are_told_from_files() -> None:
    found = read(
        distribution=[
            {"@type": "cr:FileObject", "@id": "z", "contentUrl": "z.zip", "contentSize": "3 kB", "md5": "0a"},
            {"@type": "cr:FileSet", "@id": "s", "includes": "*.csv", "excludes": ["b"], "containedIn": {"@id": "z"}},
        ]
    )
    assert (found.files[0].size, found.files[0].md5) == ("3 kB", "0a")
    assert found.file_sets == (
        FileSet(id="s", name="", includes=("*.csv",), excludes=("b",), encoding_format="", contained_in=("z",)),
    )


def test_a_digest_is_compared_in_lower_case_and_a_false_one_is_a_problem() -> None:
    assert read_file(sha256=DIGEST.upper()).sha256 == DIGEST
    found = read(distribution=[{"@type": "cr:FileObject", "@id": "repo", "sha256": "https://a.example/issues/80"}])
    assert found.files[0].sha256 == ""
    assert found.problems == ("the sha256 of 'repo' is not a SHA-256: 'https://a.example/issues/80'",)


def test_fields_in_fields_are_named_by_their_path() -> None:
    inner = {"name": "x", "dataType": ["sc:Float", "sc:Text"]}
    (records,) = read(
        recordSet={"@id": "r", "field": [{"name": "box", "subField": [inner]}, {"@id": "r/y"}]}
    ).record_sets
    assert records.name == "r"
    assert records.fields == (
        RecordField(name="box", data_types=()),
        RecordField(name="box/x", data_types=("sc:Float", "sc:Text")),
        RecordField(name="r.y", data_types=()),
    )


def _nested_field(depth: int) -> dict[str, Any]:
    field: dict[str, Any] = {"name": "a"}
    for _ in range(depth):
        field = {"name": "a", "subField": field}
    return field


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"[]", "expected a JSON object"),
        (b"{", "not JSON"),
        (b'{"name": "a"}', "expected @type Dataset"),
        (b'{"@type": "sc:Dataset", "name": "a", "name": "b"}', "appears twice"),
        (b'{"@type": "sc:Dataset", "license": "mit", "sc:license": "gpl"}', "under two spellings"),
        (b'{"@type": "sc:Dataset", "rai:dataBiases": "a", "dataBiases": "b"}', "under two spellings"),
        (b'{"@type": "sc:Dataset", "distribution": {"sha256": "a", "sc:sha256": "b"}}', "under two spellings"),
        (b'{"@type": "sc:Dataset", "creator": {"name": "a", "sc:name": "b"}}', "under two spellings"),
        (b'{"@type": "sc:Dataset", "x": ' + b"[" * 64 + b"]" * 64 + b"}", "nested more than 64"),
        (json.dumps({"@type": "Dataset", "recordSet": {"field": _nested_field(10)}}).encode(), "more than 8 deep"),
    ],
)
def test_what_is_no_description_is_refused(document: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parse_croissant(document, "c.json")
    assert caught.value.where.startswith("c.json")


def test_the_bounds_of_a_description_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(croissant, "_MAX_FIELDS", 1)
    with pytest.raises(InputError, match="more than 1 fields"):
        read(recordSet=[{"field": {"name": "a"}}, {"field": {"name": "b"}}])
    monkeypatch.setattr(croissant, "MAX_BYTES", 10)
    with pytest.raises(InputError, match="at most 10 are read"):
        read()


def problems(found: dict[str, str], **file: object) -> list[str]:
    described = {"@type": "cr:FileObject", "contentUrl": "a.csv", "sha256": DIGEST} | file
    return digest_problems(read(distribution=[described]), found)


def test_a_file_with_another_digest_is_named_with_both() -> None:
    (problem,) = problems({"a.csv": OTHER})
    assert problem == f"'a.csv' is described with SHA-256 {DIGEST}, the file has {OTHER}"
    assert problems({"a.csv": DIGEST.upper()}) == []


def test_a_described_file_must_be_there() -> None:
    assert problems({}) == ["'a.csv' is described, but is not there"]
    assert problems({}, sha256="") == ["'a.csv' is described, but is not there"]
    assert problems({"a.csv": OTHER}, sha256="") == []


def test_a_file_inside_another_need_not_be_there_but_must_match_if_it_is() -> None:
    assert problems({}, containedIn={"@id": "z"}) == []
    assert len(problems({"a.csv": OTHER}, containedIn={"@id": "z"})) == 1


@pytest.mark.parametrize("url", ["https://a.example/a.csv", "hf://a/b", "//a.example/a.csv", "data:text/csv,a", ""])
def test_a_file_at_a_url_is_not_expected_beside_the_description(url: str) -> None:
    assert local_name(read_file(contentUrl=url)) == ""
    assert problems({}, contentUrl=url) == []


@pytest.mark.parametrize("url", ["./a b.csv", "a%20b.csv", "x/../a b.csv", "a b.csv#part"])
def test_local_names_are_found_in_each_way_of_writing_them(url: str) -> None:
    assert problems({"a b.csv": DIGEST}, contentUrl=url) == []


def test_a_description_is_recognised_by_its_vocabulary() -> None:
    assert is_croissant(json.dumps(EXAMPLE).encode())
    assert is_croissant(b' \n{"conformsTo": "http:\\/\\/mlcommons.org\\/croissant\\/1.1"')
    assert not is_croissant(b'{"@type": "sc:Dataset"}')
    assert not is_croissant(b"see http://mlcommons.org/croissant/1.0")
