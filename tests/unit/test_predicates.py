"""What may be signed as a predicate of each type: a good one passes, one bend in each required field is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.core.errors import InputError
from attest.predicates.kinds import ALIASES, KINDS, NAMES, check_predicate, kind_of, type_uri
from attest.predicates.misspelt import misspelt_fields
from tests.predicates import GOOD, REQUIRED, good, having, without

OPENVEX = "https://openvex.dev/ns"
PROVENANCE = "https://slsa.dev/provenance/v1"
VULNS_1 = "https://in-toto.io/attestation/vulns/v0.1"
RESULT = "https://in-toto.io/attestation/test-result/v0.1"
RELEASE = "https://in-toto.io/attestation/release/v0.1"
REFERENCE = "https://in-toto.io/attestation/reference/v0.1"
SCAI = "https://in-toto.io/attestation/scai/v0.3"
SUMMARY = "https://slsa.dev/verification_summary/v1"
LINK = "https://in-toto.io/attestation/link/v0.3"
BENDS = [(uri, path) for uri, paths in REQUIRED.items() for path in paths]


def refusal(uri: str, document: object) -> InputError:
    with pytest.raises(InputError) as caught:
        check_predicate(uri, document, "predicate.json")
    return caught.value


def test_every_type_that_we_know_has_an_example_and_required_fields() -> None:
    assert {kind.uri for kind in KINDS} == GOOD.keys() == REQUIRED.keys()
    assert all(REQUIRED.values())


@pytest.mark.parametrize("uri", GOOD)
def test_a_good_one_passes_and_so_do_fields_that_nobody_knows(uri: str) -> None:
    assert check_predicate(uri, good(uri), "predicate.json")
    assert check_predicate(uri, good(uri) | {"x-own": {"a": [1]}}, "predicate.json")


@pytest.mark.parametrize(("uri", "path"), BENDS)
def test_each_required_field_is_missed_by_name(uri: str, path: str) -> None:
    error = refusal(uri, without(good(uri), path))
    assert error.where == f"predicate.json.{path}"
    assert "found nothing" in error.message


@pytest.mark.parametrize(("uri", "path"), BENDS)
@pytest.mark.parametrize("value", [None, 7.5, True, ""], ids=["null", "number", "boolean", "empty"])
def test_no_required_field_takes_anything(uri: str, path: str, value: object) -> None:
    error = refusal(uri, having(good(uri), path, value))
    assert error.where.startswith(f"predicate.json.{path}")


def test_what_is_found_is_shown_without_control_characters_and_in_short() -> None:
    error = refusal(RESULT, having(good(RESULT), "result", "\x1b[2J\u202e" + "x" * 10_000))
    assert "\x1b" not in error.message
    assert "\u202e" not in error.message
    assert len(error.message) < 200


@pytest.mark.parametrize("uri", GOOD)
@pytest.mark.parametrize("document", [[], "text", None, 3, {}], ids=str)
def test_a_predicate_is_an_object_with_something_in_it(uri: str, document: object) -> None:
    assert refusal(uri, document).where.startswith("predicate.json")


@pytest.mark.parametrize(
    ("uri", "path", "value"),
    [
        (PROVENANCE, "buildDefinition.buildType", "no uri"),
        (PROVENANCE, "buildDefinition.resolvedDependencies[0]", {"name": "neither uri nor digest nor content"}),
        (PROVENANCE, "buildDefinition.resolvedDependencies[0].digest.gitCommit", "main"),
        (PROVENANCE, "runDetails.builder.id", "builder"),
        (PROVENANCE, "runDetails.metadata.startedOn", "yesterday"),
        (PROVENANCE, "runDetails.metadata.finishedOn", "2026-02-30T12:00:00Z"),
        (PROVENANCE, "runDetails.metadata.finishedOn", "2026-01-31T12:00:00"),
        (RESULT, "result", "passed"),
        (RESULT, "result", ["PASSED"]),
        (RESULT, "configuration", {}),
        (RESULT, "configuration[0].digest.sha256", "AB" * 32),
        (RESULT, "configuration[0].digest.sha256", "ab" * 31),
        (RESULT, "failedTests", [""]),
        (RELEASE, "purl", "pkg:huggingface/acme/model"),
        (RELEASE, "purl", "pkg:huggingface/acme/model@"),
        (RELEASE, "purl", "https://example.com/model@1"),
        (RELEASE, "purl", "pkg:generic/" + "a" * 9000 + "@1"),
        (REFERENCE, "references", []),
        (REFERENCE, "references[0].downloadLocation", "bom.json"),
        (SCAI, "attributes", []),
        (SCAI, "attributes[0].evidence", {"mediaType": "text/plain"}),
        (OPENVEX, "@context", "https://openvex.dev/ns.evil.example"),
        (OPENVEX, "version", -1),
        (OPENVEX, "version", True),
        (OPENVEX, "statements", []),
        (OPENVEX, "statements[0].status", "fine"),
        (OPENVEX, "statements[0].justification", "because"),
        ("https://in-toto.io/attestation/vulns/v0.2", "scanner.result[0].severity[0].score", 9.8),
        (SUMMARY, "verificationResult", "passed"),
        (SUMMARY, "dependencyLevels.SLSA_BUILD_LEVEL_1", -1),
        (SUMMARY, "slsaVersion", "v1"),
        ("https://spdx.dev/Document/v3", "@context", "https://example.com/spdx-context.jsonld"),
        ("https://spdx.dev/Document", "spdxVersion", "SPDX-3.0"),
        ("https://spdx.dev/Document", "creationInfo.creators", []),
    ],
)
def test_values_that_a_type_does_not_allow(uri: str, path: str, value: object) -> None:
    assert check_predicate(uri, good(uri), "predicate.json")
    assert refusal(uri, having(good(uri), path, value)).where.startswith(f"predicate.json.{path}")


@pytest.mark.parametrize(
    ("status", "reason"),
    [("not_affected", {}), ("affected", {"justification": "component_not_present"}), ("affected", {})],
)
def test_a_status_needs_its_reason(status: str, reason: dict[str, str]) -> None:
    statement = {"vulnerability": {"name": "CVE-1"}, "status": status} | reason
    assert status in refusal(OPENVEX, having(good(OPENVEX), "statements", [statement])).message
    told = statement | {"impact_statement": "none", "action_statement": "update"}
    assert check_predicate(OPENVEX, having(good(OPENVEX), "statements", [told]), "predicate.json")


def test_versions_of_openvex_and_of_vulnerability_results_that_are_in_use() -> None:
    old = good(OPENVEX) | {
        "version": "1",
        "statements": [{"vulnerability": "CVE-1", "products": ["a"], "status": "fixed"}],
    }
    assert check_predicate(f"{OPENVEX}/v0.0.1", old, "predicate.json")
    nested = having(good(VULNS_1), "scanner.result", [{"vulnerability": {"id": "CVE-1", "severity": []}}])
    assert check_predicate(VULNS_1, nested, "predicate.json")
    bad = having(nested, "scanner.result[0].vulnerability.id", 1)
    assert refusal(VULNS_1, bad).where == "predicate.json.scanner.result[0].vulnerability.id"


def test_two_materials_of_one_name_are_refused() -> None:
    two = having(good(LINK), "materials", good(LINK)["materials"] * 2)
    assert refusal(LINK, two).where == "predicate.json.materials"


def test_short_names_mean_the_exact_uri() -> None:
    assert type_uri("provenance") == PROVENANCE
    assert type_uri("evaluation") == type_uri("test-result") == RESULT
    assert type_uri("vulnerabilities") == "https://in-toto.io/attestation/vulns/v0.2"
    assert type_uri("vex") == OPENVEX
    assert type_uri("vsa") == SUMMARY
    assert {type_uri(name) for name in (*NAMES, *ALIASES)} <= GOOD.keys()
    assert type_uri("urn:example:own") == "urn:example:own"


@pytest.mark.parametrize("word", ["provenence", "", "../x", "a b:c", "no-uri", "urn:" + "x" * 600])
def test_words_that_mean_nothing_are_refused_with_the_valid_ones(word: str) -> None:
    with pytest.raises(InputError, match="no type of attestation") as caught:
        type_uri(word)
    assert "provenance" in caught.value.hint


def test_a_type_that_we_do_not_know_is_not_said_to_be_checked() -> None:
    assert not check_predicate("urn:example:own", {"anything": 1}, "predicate.json")
    assert kind_of("https://slsa.dev/provenance/v1.1") is None
    assert kind_of(f"{PROVENANCE}/") is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(BENDS), _JSON)
def test_any_value_in_any_place_is_taken_or_refused_by_name(bend: tuple[str, str], value: object) -> None:
    uri, path = bend
    refused = ""
    try:
        assert check_predicate(uri, having(good(uri), path, value), "predicate.json")
    except InputError as error:
        refused = error.where
    assert refused == "" or refused.startswith("predicate.json.")


def bends_everywhere(value: Any, keys: list[str]) -> Iterator[Any]:
    """The value with another one in each place, and with a field more in each object, by names used elsewhere."""
    others: tuple[Any, ...] = (None, "", "x", "FAILED", 7, [], ["x"], {}, {"id": "x"})
    yield from others
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: item for name, item in value.items() if name != key}
            yield from ({**value, key: bent} for bent in bends_everywhere(inner, keys))
        yield from ({**value, key: other} for key in keys if key not in value for other in others)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from ([*value[:index], bent, *value[index + 1 :]] for bent in bends_everywhere(inner, keys))


def names_within(value: Any) -> set[str]:
    if isinstance(value, dict):
        return value.keys() | {name for inner in value.values() for name in names_within(inner)}
    return {name for inner in value for name in names_within(inner)} if isinstance(value, list) else set()


@pytest.mark.parametrize("uri", GOOD)
def test_whatever_passes_its_check_can_be_told_and_whatever_does_not_can_be_searched_for_typos(uri: str) -> None:
    kind = kind_of(uri)
    assert kind
    passed = 0
    for document in bends_everywhere(good(uri), sorted(names_within(GOOD[uri]) | {"vulnerability", "failedTests"})):
        misspelt_fields(uri, document, "predicate")
        try:
            check_predicate(uri, document, "predicate")
        except InputError:
            continue
        told = kind.tell(document)
        assert told.text
        assert len(told.text) <= 301
        passed += 1
    assert passed > 10


def test_telling_names_a_few_and_counts_the_rest() -> None:
    kind = kind_of(VULNS_1)
    assert kind
    document = good(VULNS_1)
    (result,) = document["scanner"]["result"]
    document["scanner"]["result"] = [{"vulnerability": result | {"id": f"CVE-{number}"}} for number in range(7)]
    assert kind.tell(document).text == (
        "7 found (CVE-0, CVE-1, CVE-2, CVE-3, CVE-4 and 2 more) by pkg:generic/scanner@1.2"
    )
    document["scanner"]["result"] = []
    assert kind.tell(document).text == "nothing found by pkg:generic/scanner@1.2"
