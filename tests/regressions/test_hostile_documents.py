"""BOMs made to break their reader or to play with a terminal: `inspect` and `diff` answer in words, or refuse them."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aibom.cli.inspect import read_bom
from aibom.cli.render.explain import explanation
from aibom.cli.render.layout import WIDTH, heading, row, safe
from aibom.core.errors import InputError
from aibom.cyclonedx.diff import Kind, compare_boms
from aibom.cyclonedx.sources import stated_values
from tests.conftest import Ran
from tests.releases.files import put

Json = dict[str, Any]
Aibom = Callable[..., Ran]
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
HEAD = {"bomFormat": "CycloneDX", "specVersion": "1.7", "version": 1}
WHOLE: Json = HEAD | {
    "metadata": {"component": {"type": "application", "name": "r", "bom-ref": "r", "version": "1"}},
    "components": [
        {
            "type": "machine-learning-model",
            "name": "m",
            "licenses": [{"license": {"id": "MIT"}}],
            "hashes": [{"alg": "SHA-256", "content": "ab" * 32}],
            "externalReferences": [{"type": "website", "url": "https://a.example", "hashes": []}],
            "properties": [
                {"name": "aibom:source:licenses.0", "value": "README.md, license"},
                {"name": "aibom:source:modelCard.quantitativeAnalysis", "value": "x"},
                {"name": "aibom:setting:lr", "value": "1"},
                {"name": "aibom:setting-source:lr", "value": "train.py"},
            ],
            "modelCard": {"quantitativeAnalysis": {"performanceMetrics": [{"type": "f1", "value": "1", "slice": "a"}]}},
            "pedigree": {"ancestors": [{"type": "machine-learning-model", "name": "base"}]},
            "components": [{"type": "file", "name": "w", "version": "2"}],
        }
    ],
    "services": [
        {"name": "s", "endpoints": ["https://b.example"], "data": [{"flow": "inbound", "classification": "public"}]}
    ],
    "compositions": [{"aggregate": "complete", "assemblies": ["r"], "dependencies": ["r"]}],
}
ESCAPE = "\x1b[31mred\x1b[0m\x1b]0;title\x07\u202egnp\nverdict: accepted"
JUNK: tuple[Any, ...] = (
    None,
    0,
    -1.5,
    True,
    "",
    "x",
    [],
    {},
    [None],
    [1, "a"],
    {"a": 1},
    [[]],
    [{}],
    {"name": {}},
    ESCAPE,
    "9" * 5000,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every inner value stands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*at, key)
        yield from places(inner, (*at, key))


PLACES = list(places(WHOLE))


def changed(place: tuple[Any, ...], value: Any) -> Json:
    document = copy.deepcopy(WHOLE)
    inner: Any = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return document


def use(document: Json) -> str:
    """All that the two commands make of a document."""
    assert compare_boms(document, document) == ()
    compare_boms(WHOLE, document)
    compare_boms(document, WHOLE)
    assert all(isinstance(item.source, str) for item in stated_values(document))
    return "\n".join(explanation(document))


def is_tame(text: str) -> bool:
    plain = re.sub(r"\x1b\[\d*m", "", text)  # our own bold and colour
    return "\n verdict" not in text and all(c == "\n" or (c.isprintable() and c != "\u202e") for c in plain)


def one(**fields: Any) -> Json:
    return HEAD | {"components": [{"type": "file", "name": "a"} | fields]}


def source_of(path: str) -> list[Json]:
    return [{"name": f"aibom:source:{path}", "value": "x"}]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_any_value_in_any_place_is_passed_over_or_shown(place: tuple[Any, ...]) -> None:
    for value in JUNK:
        use(changed(place, value))


@SETTINGS
@given(st.data())
def test_several_wrong_values_at_once_are_no_worse(data: st.DataObject) -> None:
    document = copy.deepcopy(WHOLE)
    for place in data.draw(st.lists(st.sampled_from(PLACES), min_size=2, max_size=6)):
        inner: Any = document
        try:
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = data.draw(st.sampled_from(JUNK) | st.text(max_size=20))
        except (TypeError, KeyError, IndexError):  # what stood there was replaced already
            continue
    assert is_tame(use(document))


@pytest.mark.parametrize("path", ["licenses.²", "licenses." + "9" * 5000, "licenses.-1", "licenses.00", "..", "\ud800"])
def test_a_path_that_is_no_path_finds_nothing(path: str) -> None:
    document = one(licenses=[{"license": {"id": "MIT"}}], properties=source_of(path))
    assert [item.value for item in stated_values(document)] == [None]
    use(document)


def test_a_pointer_escapes_what_pointers_must() -> None:
    document = one(**{"a/b~c": "v"}, properties=source_of("a/b~c"))
    assert [(item.pointer, item.value) for item in stated_values(document)] == [("/components/0/a~1b~0c", "v")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"components": None},
        {"components": [1, "a", None]},
        {"metadata": []},
        {"components": [{"type": "file", "name": "a", "properties": None}]},
        {"components": [{"type": "file", "name": "a", "properties": [{"name": 1}]}]},
        {"components": [{"type": [1], "name": {"a": 1}}]},
        {"components": [{"type": "file", "name": "a", "version": 10**399}]},
        {"services": {"a": 1}},
        {"compositions": 5},
        {"components": [{"type": f"file{ESCAPE}", "name": "a"}]},
    ],
    ids=lambda wrong: str(wrong)[:60],
)
def test_a_bom_that_breaks_its_schema_is_refused_with_its_first_problem(
    aibom: Aibom, tmp_path: Path, wrong: Json
) -> None:
    put(tmp_path / "whole.json", json.dumps(WHOLE))
    put(tmp_path / "wrong.json", json.dumps(HEAD | wrong))
    whole, path = tmp_path / "whole.json", tmp_path / "wrong.json"
    assert aibom("diff", whole, whole).out.strip() == "Nothing changed."
    for arguments in (["inspect", path], ["inspect", path, "--json"], ["diff", whole, path], ["diff", path, whole]):
        ran = aibom(*arguments)
        assert ran.code == 3
        assert ran.out == ""
        assert "not valid CycloneDX 1.7" in ran.err
        assert is_tame(ran.err)


def test_control_characters_of_a_valid_bom_reach_no_terminal(aibom: Aibom, tmp_path: Path) -> None:
    hostile = one(
        name=ESCAPE,
        version=ESCAPE,
        hashes=[{"alg": "SHA-256", "content": "0" * 64}],
        properties=[{"name": f"aibom:source:{ESCAPE}", "value": ESCAPE}, {"name": f"aibom:{ESCAPE}", "value": ESCAPE}],
    )
    put(tmp_path / "a.json", json.dumps(HEAD))
    put(tmp_path / "b.json", json.dumps(hostile))
    hostile["components"][0]["version"] = "2"
    put(tmp_path / "c.json", json.dumps(hostile))
    a, b, c = (tmp_path / f"{name}.json" for name in "abc")
    for arguments in (["inspect", b], ["diff", a, b], ["diff", b, a], ["diff", b, c]):
        for form in ([], ["--json"]):
            ran = aibom(*arguments, *form)
            assert ran.code == 0, ran.err
            assert is_tame(ran.out)
            assert ran.out.isascii() or not form
            assert max(map(len, ran.out.splitlines())) <= WIDTH or form


def test_a_type_in_a_heading_is_escaped_like_a_value() -> None:
    lines = explanation(one(type=f"x{ESCAPE}", properties=source_of("name")))
    assert is_tame("\n".join(lines))
    assert "\\x1b[31mred" in lines[0]


@pytest.mark.parametrize("length", [10, 11, 12, 13, 35, 36, 40, 70, 80, 200, 5000])
@pytest.mark.parametrize("column", [14, 30, 60, 79, 80, 81, 6000])
def test_a_label_of_any_length_leaves_room_for_its_text(length: int, column: int) -> None:
    lines = row(
        "k" * length,
        "some text that is a little longer than one line has room for, so that it is folded",
        column=column,
    )
    assert max(map(len, lines)) <= WIDTH
    assert " ".join("".join(lines).split()).startswith("k" * min(length, 60))
    assert "is folded" in " ".join(" ".join(lines).split())


def test_a_long_label_in_a_bom_is_shown(aibom: Aibom, tmp_path: Path) -> None:
    put(tmp_path / "b.json", json.dumps(one(properties=source_of("z" * 100))))
    ran = aibom("inspect", tmp_path / "b.json")
    assert ran.code == 0, ran.err
    assert ran.out.count("z") == 100


def test_labels_and_headings_are_escaped() -> None:
    assert is_tame("\n".join([*row(ESCAPE, "x"), *row("x", ESCAPE), *heading(ESCAPE)]))


def test_half_of_a_surrogate_pair_is_shown_as_what_it_is() -> None:
    assert safe("a\ud800b\udfffc") == "a\\ud800b\\udfffc"
    assert safe("a\udcffb") == "a\\xffb"


def test_very_many_components_of_one_name_take_no_time() -> None:
    # Trying one number after the other for each took minutes for these.
    items = [{"type": "file", "name": "a", "version": str(n)} for n in range(50_000)]
    assert compare_boms(HEAD | {"components": items}, HEAD | {"components": items[::-1]}) == ()


def test_a_real_name_that_looks_numbered_is_another_component() -> None:
    twice = [{"type": "file", "name": "a", "version": "1"}, {"type": "file", "name": "a", "version": "2"}]
    third = {"type": "file", "name": "a (2)", "version": "3"}
    (change,) = compare_boms(HEAD | {"components": twice}, HEAD | {"components": [*twice, third]})
    assert (change.kind, change.name, change.new) == (Kind.ADDED, "a (2)", "3")


def test_of_two_items_called_alike_neither_hides_the_other() -> None:
    def with_urls(*kinds: str) -> Json:
        return one(externalReferences=[{"type": kind, "url": "https://a.example"} for kind in kinds])

    (change,) = compare_boms(with_urls("website", "vcs"), with_urls("website", "documentation"))
    assert (change.old, change.new) == ("vcs", "documentation")


def test_a_long_name_is_not_multiplied_by_the_values_under_it() -> None:
    service = {"name": "n" * 1_000_000, "data": [{"flow": "inbound", "name": str(n)} for n in range(1000)]}
    found = compare_boms(HEAD, HEAD | {"services": [service]})
    assert sum(len(change.field) for change in found) < 1_000_000


def test_one_large_value_named_again_and_again_is_not_written_without_end(
    aibom: Aibom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aibom.cli.inspect._MAX_VALUES", 100_000)
    tags = [f"tag-{n}" for n in range(1000)]
    put(tmp_path / "b.json", json.dumps(one(tags=tags, properties=source_of("tags") * 100)))
    ran = aibom("inspect", tmp_path / "b.json", "--json")
    assert ran.code == 3
    assert "larger than" in ran.err


def test_a_large_value_is_only_begun() -> None:
    value: Any = ["x" * 50] * 10
    for _ in range(5):
        value = [value] * 10  # the same list again and again: a million strings
    lines = explanation(one(x=value, properties=source_of("x")))
    assert sum(map(len, lines)) < 1000


def test_a_folder_with_the_name_of_a_bom_is_an_error_in_words(aibom: Aibom, tmp_path: Path) -> None:
    (tmp_path / "b.json").mkdir()
    assert aibom("inspect", tmp_path / "b.json").code == 3
    with pytest.raises(InputError, match="cannot read"):
        read_bom(tmp_path / "b.json")
