"""CycloneDX 1.7 as 1.6: whatever 1.7 added is moved or left out, and what is left out is said."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.core.errors import InputError
from aibom.cyclonedx.schema import schema_problems
from aibom.cyclonedx.versions import ADDED_KEYS, ADDED_VALUES, DOCUMENT, MAX_DEPTH, TYPES, dropped, to_version
from aibom.cyclonedx.xml import to_xml
from aibom.cyclonedx.xml_shapes import shapes
from tests.unit.test_cyclonedx_xml import bom, component, everything, json_schema, shipped, xsd_problems

Place = tuple[dict[str, Any], Any]  # a schema document and a part of it


class Comparison:
    """Walks the schemas of 1.6 and 1.7 in step, and collects what only the later one has."""

    def __init__(self) -> None:
        self.keys: set[tuple[str, str]] = set()
        self.values: set[tuple[str, str, str]] = set()
        self.removed: set[tuple[str, ...]] = set()
        self._seen: set[tuple[frozenset[int], frozenset[int]]] = set()
        self._files: dict[str, dict[str, Any]] = {}
        old, new = json_schema("1.6"), json_schema("1.7")
        self._compare([(old, old)], [(new, new)], "", DOCUMENT)

    def _compare(self, old: list[Place], new: list[Place], parent: str, key: str) -> None:
        pair = (frozenset(id(part) for _, part in old), frozenset(id(part) for _, part in new))
        if pair in self._seen:
            return
        self._seen.add(pair)
        old_keys, old_values = self._merged(old)
        new_keys, new_values = self._merged(new)
        type_of, holder = TYPES.get(key, key), TYPES.get(parent, parent)
        self.keys |= {(type_of, name) for name in new_keys.keys() - old_keys.keys()}
        self.values |= {(holder, key, value) for value in new_values - old_values}
        self.removed |= {(key, name) for name in old_keys.keys() - new_keys.keys()}
        self.removed |= {(parent, key, value) for value in old_values - new_values}
        for name in old_keys.keys() & new_keys.keys():
            self._compare(old_keys[name], new_keys[name], key, name)

    def _merged(self, places: list[Place]) -> tuple[dict[str, list[Place]], set[str]]:
        """Keys and values of all branches, references and items together."""
        keys: dict[str, list[Place]] = {}
        values: set[str] = set()
        pending, seen = list(places), set[int]()
        while pending:
            root, part = pending.pop()
            if not isinstance(part, dict) or id(part) in seen:
                continue
            seen.add(id(part))
            values |= {str(value) for value in part.get("enum", [])}
            for name, inner in part.get("properties", {}).items():
                keys.setdefault(name, []).append((root, inner))
            pending += [(root, inner) for inner in inner_schemas(part)]
            if "$ref" in part:
                pending.append(self._target(root, part["$ref"]))
        return keys, values

    def _target(self, root: dict[str, Any], reference: str) -> Place:
        file, _, path = reference.partition("#")
        if file:
            root = self._files.setdefault(file, json.loads(shipped(file).read_bytes()))
        part = root
        for step in path.split("/")[1:]:
            part = part[step]
        return root, part


def inner_schemas(part: dict[str, Any]) -> Iterator[Any]:
    for word in ("oneOf", "anyOf", "allOf"):
        yield from part.get(word, [])
    items = part.get("items", [])
    yield from items if isinstance(items, list) else [items]


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return Comparison()


def test_the_tables_name_every_key_that_1_7_added_and_no_other(comparison: Comparison) -> None:
    ours = {(type_of, key) for type_of, keys in ADDED_KEYS.items() for key in keys}
    assert ours == comparison.keys


def test_the_tables_name_every_value_that_1_7_added_and_no_other(comparison: Comparison) -> None:
    ours = {(*place, value) for place, values in ADDED_VALUES.items() for value in values}
    assert ours == comparison.values


def test_1_7_took_nothing_away(comparison: Comparison) -> None:
    assert comparison.removed == set()


def test_the_xml_form_knows_the_same_keys_as_new() -> None:
    names = {
        DOCUMENT: "bom",
        "external reference": "reference",
        "licence expression": "expression_detailed",
        "algorithm": "crypto_algorithm",
        "certificate": "crypto_certificate",
        "cryptographic material": "crypto_material",
        "cipher suite": "cipher_suite",
        "IKEv2 transform": "transform",
    }
    old, new = shapes("1.6"), shapes("1.7")
    assert old.keys() == new.keys()
    assert {(name, key) for name in new for key in new[name].keys - old[name].keys} == {
        (names.get(type_of, type_of), key)
        for type_of, keys in ADDED_KEYS.items()
        for key in keys
        if (type_of, key) != ("protocol", "relatedCryptographicAssets")  # the XSD has no place for it
    }


@pytest.mark.parametrize("index", range(len(everything("1.7", xml=False))))
def test_a_document_with_every_key_of_1_7_becomes_a_valid_1_6(index: int) -> None:
    document = everything("1.7", xml=False)[index]
    assert schema_problems(document) == []
    older = to_version(document, "1.6")
    assert (older["specVersion"], older["$schema"]) == ("1.6", "http://cyclonedx.org/schema/bom-1.6.schema.json")
    assert schema_problems(older) == []
    assert xsd_problems(to_xml(older), "1.6") == []


@pytest.mark.parametrize("index", range(len(everything("1.6", xml=False))))
def test_a_document_of_what_both_have_changes_only_its_version(index: int) -> None:
    older = everything("1.6", xml=False)[index]
    newer = older | {"$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json", "specVersion": "1.7"}
    assert schema_problems(newer) == []
    assert to_version(newer, "1.6") == older
    assert dropped(newer, "1.6") == ()


def test_every_key_that_is_left_out_is_said() -> None:
    said = " ".join(sentence for document in everything("1.7", xml=False) for sentence in dropped(document, "1.6"))
    kept = {
        ("component", "versionRange"),
        ("component", "isExternal"),
        ("metadata", "distributionConstraints"),
        # the samples have expressions beside licences, which keep these as a licence does
        ("licence expression", "licensing"),
        ("licence expression", "properties"),
    }
    for type_of, keys in ADDED_KEYS.items():
        for key in keys if type_of != "IKEv2 transform" else {"all but its algorithm"}:
            assert (f"{type_of}, {key}" in said) is ((type_of, key) not in kept)


def test_a_range_of_versions_becomes_a_property_beside_the_others() -> None:
    document = component(versionRange="vers:pypi/>=1", isExternal=True, properties=[{"name": "a", "value": "b"}])
    assert to_version(document, "1.6")["components"] == [
        {
            "type": "file",
            "name": "a",
            "properties": [
                {"name": "a", "value": "b"},
                {"name": "aibom:version-range", "value": "vers:pypi/>=1"},
                {"name": "aibom:external", "value": "true"},
            ],
        }
    ]
    assert dropped(document, "1.6") == ()


def test_what_is_not_external_is_so_without_saying() -> None:
    assert to_version(component(isExternal=False), "1.6")["components"] == [{"type": "file", "name": "a"}]


def test_a_component_anywhere_is_found() -> None:
    part = {"type": "file", "name": "p", "versionRange": "vers:pypi/>=1", "isExternal": True}
    document = bom(
        metadata={"tools": {"components": [part]}, "component": part | {"components": [part]}},
        components=[{"type": "file", "name": "a", "pedigree": {"ancestors": [part], "variants": [part]}}],
        formulation=[{"components": [part], "bom-ref": "f"}],
        annotations=[
            {"subjects": ["f"], "annotator": {"component": part}, "timestamp": "2026-01-02T03:04:05Z", "text": "t"}
        ],
    )
    assert schema_problems(document) == []
    older = to_version(document, "1.6")
    assert schema_problems(older) == []
    assert json.dumps(older).count("aibom:version-range") == 7


def test_who_may_see_it_becomes_a_property_of_the_metadata() -> None:
    document = bom(metadata={"distributionConstraints": {"tlp": "AMBER"}})
    assert to_version(document, "1.6")["metadata"] == {"properties": [{"name": "aibom:tlp", "value": "AMBER"}]}
    assert to_version(bom(metadata={"distributionConstraints": {}}), "1.6")["metadata"] == {}


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [(*place, value) for place, values in ADDED_VALUES.items() for value in sorted(values) if place != ("hash", "alg")],
)
def test_a_value_that_1_6_lacks_is_other_and_said(kind: str, key: str, value: str) -> None:
    if kind == "external reference":
        document = component(externalReferences=[{"url": "https://example.org/", key: value}])
    elif kind == "algorithm":
        document = component(cryptoProperties={"assetType": "algorithm", "algorithmProperties": {key: value}})
    else:
        document = component(cryptoProperties={"assetType": "protocol", "protocolProperties": {key: value}})
    assert schema_problems(document) == []
    older = to_version(document, "1.6")
    assert schema_problems(older) == []
    assert json.dumps(older) == json.dumps(document).replace("1.7", "1.6").replace(f'"{value}"', '"other"')
    assert dropped(document, "1.6") == (f"{kind}, {key} {value!r}: 1 left out or replaced, because 1.6 lacks it",)


def test_a_digest_by_an_algorithm_that_1_6_lacks_is_left_out() -> None:
    kept = {"alg": "SHA-256", "content": "0" * 64}
    document = component(hashes=[{"alg": "Streebog-256", "content": "1" * 64}, kept])
    assert to_version(document, "1.6")["components"][0]["hashes"] == [kept]
    assert dropped(document, "1.6") == ("hash, alg 'Streebog-256': 1 left out or replaced, because 1.6 lacks it",)


def test_older_names_are_used_where_1_6_has_them() -> None:
    algorithm = {"ellipticCurve": "nist/P-256"}
    certificate = {"certificateFileExtension": "crt"}
    crypto = {"assetType": "certificate", "algorithmProperties": algorithm, "certificateProperties": certificate}
    document = component(cryptoProperties=crypto)
    found = to_version(document, "1.6")["components"][0]["cryptoProperties"]
    assert found["algorithmProperties"] == {"curve": "nist/P-256"}
    assert found["certificateProperties"] == {"certificateExtension": "crt"}
    assert dropped(document, "1.6") == ()
    algorithm["curve"] = "P-256"
    found = to_version(document, "1.6")["components"][0]["cryptoProperties"]
    assert found["algorithmProperties"] == {"curve": "P-256"}
    assert dropped(document, "1.6")[0].startswith("algorithm, ellipticCurve: 1 ")


def test_a_transform_is_referred_to() -> None:
    transforms = {
        "encr": [{"name": "AES", "algorithm": "ref"}, {"name": "X"}],
        "prf": ["old"],
        "ke": [{"algorithm": "k"}],
    }
    document = component(
        cryptoProperties={"assetType": "protocol", "protocolProperties": {"ikev2TransformTypes": transforms}}
    )
    found = to_version(document, "1.6")["components"][0]["cryptoProperties"]["protocolProperties"]
    assert found["ikev2TransformTypes"] == {"encr": ["ref"], "prf": ["old"], "ke": ["k"]}
    assert dropped(document, "1.6")[0].startswith("IKEv2 transform, all but its algorithm: 2 ")


def test_an_expression_beside_other_licences_is_kept_as_a_name() -> None:
    expression = {"expression": "MIT OR ISC", "acknowledgement": "declared", "expressionDetails": []}
    document = component(licenses=[{"license": {"id": "MIT"}}, expression])
    older = to_version(document, "1.6")
    assert older["components"][0]["licenses"] == [
        {"license": {"id": "MIT"}},
        {"license": {"name": "MIT OR ISC", "acknowledgement": "declared"}},
    ]
    assert schema_problems(older) == []
    assert [sentence.partition(":")[0] for sentence in dropped(document, "1.6")] == [
        "licence expression beside others (kept as a licence name)",
        "licence expression, expressionDetails",
    ]


def test_an_expression_alone_stays_one() -> None:
    document = component(
        licenses=[{"expression": "MIT OR ISC", "expressionDetails": [], "licensing": {}, "properties": []}]
    )
    assert to_version(document, "1.6")["components"][0]["licenses"] == [{"expression": "MIT OR ISC"}]
    lost = {sentence.partition(":")[0] for sentence in dropped(document, "1.6")}
    assert lost == {f"licence expression, {key}" for key in ("expressionDetails", "licensing", "properties")}


def test_licences_without_an_expression_are_left_alone() -> None:
    licences = [{"license": {"id": "MIT", "licensing": {"altIds": ["a"]}}}, {"license": {"name": "Own"}}]
    assert to_version(component(licenses=licences), "1.6")["components"][0]["licenses"] == licences


def test_a_signature_over_the_1_7_form_is_left_out_and_said() -> None:
    document = component(signature={"algorithm": "ES256"}) | {"signature": {"algorithm": "ES256"}}
    older = to_version(document, "1.6")
    assert "signature" not in json.dumps(older)
    assert dropped(document, "1.6")[0].startswith("signature (it was made over the 1.7 form): 2 ")


def test_a_document_in_the_version_asked_for_is_returned_as_it_is() -> None:
    for version in ("1.6", "1.7"):
        document = bom(version)
        assert to_version(document, version) is document
        assert dropped(document, version) == ()


def test_the_document_given_is_not_changed() -> None:
    document = everything("1.7", xml=False)[0]
    before = json.dumps(document)
    to_version(document, "1.6")
    assert json.dumps(document) == before


@pytest.mark.parametrize(
    ("found", "wanted"), [("1.6", "1.7"), ("1.7", "1.5"), ("1.5", "1.5"), (None, "1.6"), ([], "1.6")]
)
def test_other_conversions_are_refused(found: Any, wanted: str) -> None:
    with pytest.raises(InputError, match=r"only 1\.6 from 1\.7"):
        to_version(bom() | {"specVersion": found}, wanted)


def test_a_document_nested_without_end_is_refused() -> None:
    value: Any = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    to_version(bom(properties=value), "1.6")
    with pytest.raises(InputError, match=f"more than {MAX_DEPTH} levels"):
        to_version(bom(properties=[value]), "1.6")


def test_properties_that_are_no_list_are_refused() -> None:
    with pytest.raises(InputError, match="expected an array, found an object"):
        to_version(component(isExternal=True, properties={}), "1.6")


_KEYS = st.sampled_from(sorted({*TYPES, *(key for keys in ADDED_KEYS.values() for key in keys), "alg", "tlp"}))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["patent", "Streebog-256", "MIT"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.dictionaries(_KEYS, _JSON, max_size=4))
def test_any_document_gives_a_1_6_or_an_input_error(parts: dict[str, Any]) -> None:
    try:
        older = to_version(bom(**parts), "1.6")
    except InputError as error:
        assert error.where  # noqa: PT017 - either outcome is right; a crash is not
    else:
        assert older["specVersion"] == "1.6"
        assert "citations" not in older
