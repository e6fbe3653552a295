"""CycloneDX in XML: every key of the JSON schema arrives, in the order that the XML Schema wants, or is refused."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import files
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.output.json import JsonV1Dot7
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from aibom.core.errors import InputError, SpecError
from aibom.cyclonedx import xml_shapes
from aibom.cyclonedx.schema import schema_problems
from aibom.cyclonedx.xml import MAX_DEPTH, to_xml

VERSIONS = ("1.6", "1.7")
# The XSD has no element for it.
NO_XML_FORM = {("protocolProperties", "relatedCryptographicAssets")}
_LINK = "urn:cdx:f08a6ccd-4dce-4759-bd84-c626675d60a7/1"
_SAMPLES: dict[str, list[Any]] = {
    "$schema": [],
    "bomFormat": ["CycloneDX"],
    "specVersion": [],
    "serialNumber": ["urn:uuid:f08a6ccd-4dce-4759-bd84-c626675d60a7"],
    "mime-type": ["text/plain"],
    "cpe": ["cpe:2.3:a:acme:model:1.0:*:*:*:*:*:*:*"],
    "purl": ["pkg:pypi/a@1"],
    "swhid": [["swh:1:cnt:94a9ed024d3859793618152ea559a168bbcbb5e2"]],
    "omniborId": [["gitoid:blob:sha1:a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"]],
    "openCre": [["CRE:1-2"]],
    "localeType": ["en-GB"],
    "hash-content": ["0123456789abcdef" * 4],
    "bomLinkDocumentType": [_LINK],
    "bomLinkElementType": [f"{_LINK}#part"],
    "patentNumber": ["US1234567"],
    "publicationNumber": ["US1234567A1"],
    "patentApplicationNumber": ["US12/345,678".replace(",", "")],
    "jurisdiction": ["GB"],
    # JSON tells these two apart by the keys that only one of them has.
    "patentAssignee": [[{"name": "text", "url": ["https://example.org/"]}, {"name": "text", "email": "a@example.org"}]],
    "asserter": [{"name": "text", "url": ["https://example.org/"]}, {"name": "text", "phone": "text"}, "text"],
}
_FORMATS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "idn-email": "someone@example.org",
    "email": "someone@example.org",
    "iri-reference": "https://example.org/?a=1&b=2",
}
_SCALARS: dict[str, Any] = {"integer": 1, "number": 0.5, "boolean": True, "string": "text"}
_EXCLUSIVE = {"component": [("version",), ("versionRange", "isExternal")]}


@cache
def shipped(name: str) -> Path:
    return next(Path(str(file.locate())) for file in files("cyclonedx-python-lib") or [] if file.name == name)


@cache
def json_schema(version: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(shipped(f"bom-{version}.SNAPSHOT.schema.json").read_bytes())
    return schema


class Samples:
    """Documents that use every key of a JSON schema, made from the schema itself.

    Each type is written out in full where it first occurs, and with its required keys elsewhere. A choice gives
    variants: a list holds all of them, an object comes once for each.
    """

    def __init__(self, version: str, without: set[tuple[str, str]]) -> None:
        self._schema = json_schema(version)
        self._without = without
        self._seen: set[str] = set()

    def documents(self) -> list[dict[str, Any]]:
        return self._objects(self._schema, "")

    def _variants(self, schema: dict[str, Any], name: str) -> list[Any]:
        if name in _SAMPLES:
            return _SAMPLES[name]
        if "$ref" in schema:
            return self._referred(schema["$ref"])
        if "enum" in schema:
            return [schema["enum"][0], schema["enum"][-1]]
        branches = [b for word in ("oneOf", "anyOf") for b in schema.get(word, []) if b.keys() - {"required"}]
        if branches:
            return [value for branch in branches for value in self._variants(branch, name)]
        if "properties" in schema:
            return self._objects(schema, name)
        if schema["type"] == "array":
            if isinstance(schema["items"], list):  # 1.6: an array of exactly one licence expression
                return [[value] for value in self._variants(schema["items"][0], name + "[]")]
            return [self._variants(schema["items"], name + "[]")]
        return [_FORMATS[schema["format"]] if "format" in schema else _SCALARS[schema["type"]]]

    def _referred(self, reference: str) -> list[Any]:
        file, _, path = reference.partition("#")
        name = path.rpartition("/")[2]
        if file:
            other = json.loads(shipped(file).read_bytes())
            return [(other["definitions"][name] if name else other)["enum"][0]]
        target = self._schema["definitions"][name]
        if name in self._seen:
            return [self._least(target)]
        if "properties" in target:
            self._seen.add(name)
        return self._variants(target, name)

    def _least(self, schema: dict[str, Any]) -> dict[str, Any]:
        choice = [b["required"] for b in schema.get("oneOf", []) if b.keys() == {"required"}]
        needed = [*schema.get("required", []), *(choice[0] if choice else [])]
        return {key: self._variants(schema["properties"][key], key)[0] for key in needed}

    def _objects(self, schema: dict[str, Any], name: str) -> list[dict[str, Any]]:
        groups = _EXCLUSIVE.get(name) or [b["required"] for b in schema.get("oneOf", []) if b.keys() == {"required"}]
        groups = [group for group in groups if "signature" not in group]
        values = {
            key: self._variants(value, key)
            for key, value in schema["properties"].items()
            if key != "signature" and (name, key) not in self._without
        }
        values = {key: found for key, found in values.items() if found}
        choices = {key for group in groups for key in group}
        result = []
        for group in groups or [()]:
            present = [key for key in values if key in group or key not in choices]
            for index in range(max((len(values[key]) for key in present), default=1)):
                result.append({key: values[key][index % len(values[key])] for key in present})
        return result


def told_apart(value: Any, key: str, numbers: Iterator[int]) -> Any:
    """A copy in which every free text and every bom-ref is different."""
    if isinstance(value, dict):
        return {name: told_apart(item, name, numbers) for name, item in value.items()}
    if isinstance(value, list):
        return [told_apart(item, key, numbers) for item in value]
    return f"text-{next(numbers)}-" if value == "text" else value


@cache
def everything(version: str, xml: bool = True) -> list[dict[str, Any]]:
    """Documents that hold every key of a version between them; without what has no XML form if `xml`."""
    start = {"$schema": f"http://cyclonedx.org/schema/bom-{version}.schema.json", "specVersion": version}
    documents = Samples(version, NO_XML_FORM if xml else set()).documents()
    return [start | told_apart(document, "", count()) for document in documents]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in {"$schema", "bomFormat", "specVersion"}:
                yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    else:
        yield str(value).lower() if isinstance(value, bool) else str(value)


def bom(version: str = "1.7", **parts: Any) -> dict[str, Any]:
    return {"bomFormat": "CycloneDX", "specVersion": version, "version": 1, **parts}


def component(**parts: Any) -> dict[str, Any]:
    return bom(components=[{"type": "file", "name": "a", **parts}])


def read(xml: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(xml)  # noqa: S314 - our own output


def lines(document: dict[str, Any]) -> list[str]:
    return [line.strip() for line in to_xml(document).decode().splitlines()]


def xsd_problems(xml: bytes, version: str) -> list[str]:
    schema = _xsd(version)
    schema.validate(etree.fromstring(xml))
    return [f"line {entry.line}: {entry.message}" for entry in schema.error_log][:10]


@cache
def _xsd(version: str) -> Any:
    return etree.XMLSchema(etree.parse(str(shipped(f"bom-{version}.SNAPSHOT.xsd"))))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_samples_are_valid_json_and_use_every_key(version: str) -> None:
    assert [problem for document in everything(version) for problem in schema_problems(document)] == []
    missing = all_keys(json_schema(version)) - {k for d in everything(version, xml=False) for k in used_keys(d)}
    assert missing == {"signature"}


def all_keys(schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    named = {**schema.get("definitions", {}), **schema.get("properties", {})}
    items = schema.get("items", [])
    inner = [*named.values(), *(items if isinstance(items, list) else [items])]
    inner += [branch for word in ("oneOf", "anyOf") for branch in schema.get(word, [])]
    return set(schema.get("properties", {})).union(*map(all_keys, inner))


def used_keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(used_keys, value))
    return set(value).union(*map(used_keys, value.values())) if isinstance(value, dict) else set()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_key_has_an_xml_form_that_the_xsd_accepts(version: str) -> None:
    for document in everything(version):
        assert xsd_problems(to_xml(document), version) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_no_value_is_lost(version: str) -> None:
    for document in everything(version):
        found: list[str] = []
        for element in read(to_xml(document)).iter():
            found += [*element.attrib.values(), *([element.text] if element.text and element.text.strip() else [])]
        assert sorted(found) == sorted(text for text in texts(document))


def test_the_form_is_what_the_specification_shows() -> None:
    document = bom(
        serialNumber="urn:uuid:1",
        components=[
            {
                "type": "file",
                "bom-ref": "f",
                "name": "w.bin",
                "hashes": [{"alg": "SHA-256", "content": "00"}],
                "properties": [{"name": "size", "value": "1"}, {"name": "flag"}],
            }
        ],
        dependencies=[{"ref": "m", "dependsOn": ["f"], "provides": ["g"]}, {"ref": "f"}],
    )
    assert (
        to_xml(document).decode()
        == """\
<?xml version="1.0" encoding="UTF-8"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.7" serialNumber="urn:uuid:1" version="1">
  <components>
    <component type="file" bom-ref="f">
      <name>w.bin</name>
      <hashes>
        <hash alg="SHA-256">00</hash>
      </hashes>
      <properties>
        <property name="size">1</property>
        <property name="flag"/>
      </properties>
    </component>
  </components>
  <dependencies>
    <dependency ref="m">
      <dependency ref="f"/>
      <provides ref="g"/>
    </dependency>
    <dependency ref="f"/>
  </dependencies>
</bom>
"""
    )


def test_each_kind_of_licence_has_its_element() -> None:
    document = component(
        licenses=[
            {"license": {"id": "MIT", "acknowledgement": "declared"}},
            {"expression": "MIT OR ISC", "bom-ref": "e"},
            {"expression": "MIT AND X", "expressionDetails": [{"licenseIdentifier": "X", "url": "https://a"}]},
        ]
    )
    found = read(to_xml(document)).find("{*}components/{*}component/{*}licenses")
    assert found is not None
    assert [child.tag.partition("}")[2] for child in found] == ["license", "expression", "expression-detailed"]
    assert [child.attrib for child in found] == [
        {"acknowledgement": "declared"},
        {"bom-ref": "e"},
        {"expression": "MIT AND X"},
    ]
    assert '<details license-identifier="X">' in lines(document)
    assert xsd_problems(to_xml(document), "1.7") == []


def test_service_data_is_a_classification_or_a_data_flow() -> None:
    plain = {"flow": "inbound", "classification": "public"}
    assert '<classification flow="inbound">public</classification>' in lines(bom(services=[service(plain)]))
    assert not any("dataflow" in line for line in lines(bom(services=[service(plain)])))
    mixed = lines(bom(services=[service(plain, plain | {"name": "n", "source": ["https://a"]})]))
    assert (mixed.count("<dataflow>"), mixed.count('<dataflow name="n">')) == (1, 1)
    assert "<dataflow/>" in lines(bom(services=[service({"name": "n"} | plain, {})]))


def service(*data: dict[str, Any]) -> dict[str, Any]:
    return {"name": "s", "data": list(data)}


def test_who_asserts_is_told_by_what_is_said_of_them() -> None:
    def asserter(value: Any) -> str:
        document = component(patentAssertions=[{"assertionType": "ownership", "asserter": value}])
        found = lines(document)
        return found[found.index("<asserter>") + 1]

    assert asserter("someone") == "<ref>someone</ref>"
    assert asserter({"email": "a@example.org"}) == "<contact>"
    assert asserter({"name": "Acme", "url": []}) == "<organization>"


def test_one_identity_stands_for_a_list_of_one() -> None:
    identity = {"field": "name"}
    assert to_xml(component(evidence={"identity": identity})) == to_xml(component(evidence={"identity": [identity]}))


def test_legacy_tools_and_legacy_transforms_are_written() -> None:
    assert "<vendor>v</vendor>" in lines(bom(metadata={"tools": [{"vendor": "v"}]}))
    crypto = {"assetType": "protocol", "protocolProperties": {"ikev2TransformTypes": {"encr": ["ref"], "esn": False}}}
    assert {"<encr>ref</encr>", "<esn>false</esn>"} <= set(lines(component(cryptoProperties=crypto)))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("]]>", "]]&gt;"),
        ("bell\x07 nul\x00 half\ud800 not a character\uffff", "bell\ufffd nul\ufffd half\ufffd not a character\ufffd"),
        ("tab\there \U0001f600", "tab\there \U0001f600"),
        ("a\r\nb", "a&#13;\nb"),
    ],
)
def test_text_is_escaped_and_what_xml_cannot_hold_is_replaced(value: str, written: str) -> None:
    assert f"<description>{written}</description>" in to_xml(component(description=value)).decode()


def test_an_attribute_keeps_quotes_and_line_ends() -> None:
    name = "a\"b'c\n\t<&"
    found = read(to_xml(component(properties=[{"name": name, "value": "v"}]))).find(".//{*}property")
    assert found is not None
    assert found.attrib == {"name": name}


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.5, "0.5"), (1.0, "1"), (1e-7, "0.0000001"), (0, "0"), (True, "true"), (10**50, "1" + "0" * 50)],
)
def test_numbers_have_no_exponent(value: float, written: str) -> None:
    assert f"<score>{written}</score>" in lines(bom(vulnerabilities=[{"ratings": [{"score": value}]}]))


def test_what_the_xsd_wants_is_there_even_if_json_leaves_it_out() -> None:
    document = bom(definitions={"patents": []}, metadata={})
    assert schema_problems(document) == []
    assert xsd_problems(to_xml(document), "1.7") == []
    document = bom(definitions={"standards": [{"name": "s"}]})
    assert "<owner/>" in lines(document)
    assert xsd_problems(to_xml(document), "1.7") == []


def test_a_list_that_the_xsd_forbids_to_be_empty_is_left_out() -> None:
    document = bom(citations=[], definitions={"patents": [{"familyId": "1", "members": []}]})
    assert not {"<citations/>", "<members/>"} & set(lines(document))
    assert xsd_problems(to_xml(document), "1.7") == []
    assert "<components/>" in lines(bom(components=[]))


@pytest.mark.parametrize(
    ("document", "where", "message"),
    [
        (component(colour="red"), "components[0].colour", "has no place for this"),
        (bom(metadata={"component": {"modelCard": {"x": 1}}}), "metadata.component.modelCard.x", "has no place"),
        (component(signature={}), "components[0].signature", "has no place"),
        (component(versionRange="vers:x/1") | {"specVersion": "1.6"}, "components[0].versionRange", "CycloneDX 1.6"),
        (bom("1.6", citations=[]), "citations", "CycloneDX 1.6"),
        (
            component(licenses=[{"expression": "MIT", "licensing": {}}]) | {"specVersion": "1.6"},
            "components[0].licenses[0].licensing",
            "CycloneDX 1.6",
        ),
        (
            component(cryptoProperties={"protocolProperties": {"relatedCryptographicAssets": []}}),
            "components[0].cryptoProperties.protocolProperties.relatedCryptographicAssets",
            "has no place",
        ),
        (
            component(licenses=[{"expression-detailed": {}}]),
            "components[0].licenses[0].expression-detailed",
            "no place",
        ),
        (bom(metadata={"tools": {"tool": []}}), "metadata.tools.tool", "no place"),
        (bom(services=[{"name": "s", "data": {"dataflow": []}}]), "services[0].data.dataflow", "no place"),
        (
            component(
                cryptoProperties={"protocolProperties": {"ikev2TransformTypes": {"ke": [{"#": "a", "group": 1}]}}}
            ),
            "components[0].cryptoProperties.protocolProperties.ikev2TransformTypes.ke[0].#",
            "no place",
        ),
        (
            component(modelCard={"modelParameters": {"datasets": [{"ref": "a", "dataset": {}}]}}),
            "components[0].modelCard.modelParameters.datasets[0].dataset",
            "no place",
        ),
        (component(name=None), "components[0].name", "expected text or a number, found null"),
        (component(name=["a"]), "components[0].name", "found an array"),
        (component(**{"bom-ref": {}}), "components[0].bom-ref", "found an object"),
        (component(data=[{"type": "other", "name": float("nan")}]), "components[0].data[0].name", "found a number"),
        (bom(components={}), "components", "expected an array, found an object"),
        (bom(components=["a"]), "components[0]", "expected an object, found a string"),
        (bom(components=[], metadata=[]), "metadata", "expected an object, found an array"),
        (component(licenses=["MIT"]), "components[0].licenses[0]", "expected an object, found a string"),
        (bom(services=[service(), {"name": "t", "data": "x"}]), "services[1].data", "expected an object"),
        (bom(services=[{"name": "t", "data": [3]}]), "services[0].data[0]", "found a number"),
        (bom("1.5"), "specVersion", "expected CycloneDX 1.6 or 1.7"),
        ({"specVersion": "1.7"}, "specVersion", "expected CycloneDX 1.6 or 1.7"),
        (bom() | {"specVersion": ["1.7"]}, "specVersion", "expected CycloneDX 1.6 or 1.7"),
    ],
)
def test_what_has_no_xml_form_is_refused_by_its_place(document: dict[str, Any], where: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        to_xml(document)
    assert caught.value.where == where
    assert message in caught.value.message


def test_a_signature_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError) as caught:
        to_xml(bom(signature={"algorithm": "ES256"}))
    assert "sign the XML itself" in caught.value.hint


def test_components_may_nest_but_not_without_end() -> None:
    def nested(levels: int) -> dict[str, Any]:
        inner: dict[str, Any] = {"type": "file", "name": "a"}
        for _ in range(levels):
            inner = {"type": "file", "name": "a", "components": [inner]}
        return bom(components=[inner])

    assert to_xml(nested(MAX_DEPTH // 2 - 1)).count(b"<component ") == MAX_DEPTH // 2
    with pytest.raises(InputError, match=f"more than {MAX_DEPTH} elements deep"):
        to_xml(nested(MAX_DEPTH // 2))
    with pytest.raises(InputError, match="elements deep"):
        to_xml(nested(100_000))


def test_writing_twice_gives_the_same_bytes_and_leaves_the_document_alone() -> None:
    document = everything("1.7")[0]
    before = json.dumps(document)
    assert to_xml(document) == to_xml(document)
    assert json.dumps(document) == before


def test_a_word_that_is_no_field_is_our_bug() -> None:
    with pytest.raises(SpecError, match="not a field"):
        xml_shapes._field("a=b:c")  # noqa: SLF001 - the table has no such word to read


def test_every_shape_that_a_field_names_is_in_the_table_and_every_one_is_used() -> None:
    table = xml_shapes.shapes("1.7")
    assert {field.shape for shape in table.values() for field in shape.children} - {""} == set(table) - {"bom"}


_ALLOWED = st.characters(min_codepoint=0x20, exclude_characters="\ufffe\uffff", exclude_categories=["Cs"])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(_ALLOWED | st.sampled_from("\t\n\r"), max_size=30))
def test_text_that_xml_can_hold_comes_back_unchanged(value: str) -> None:
    found = read(to_xml(component(description=value, properties=[{"name": value, "value": value}])))
    assert (found.findtext(".//{*}description") or "") == value
    assert [(item.attrib["name"], item.text or "") for item in found.iter() if "name" in item.attrib] == [
        (value, value)
    ]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(max_size=30))
def test_any_text_gives_well_formed_xml(value: str) -> None:
    read(to_xml(component(description=value, purl=value, properties=[{"name": value}])))


_KEYS = st.sampled_from(sorted(all_keys(json_schema("1.7")))) | st.text(max_size=3)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(["components", "metadata", "services", "definitions", "declarations", "formulation"]), _JSON)
def test_any_document_gives_well_formed_xml_or_an_input_error(key: str, value: Any) -> None:
    try:
        read(to_xml(bom(**{key: value})))
        read(to_xml(bom(components=[{"type": "file", "name": "a", key: value}])))
    except InputError as error:
        assert error.where  # noqa: PT017 - either outcome is right; a crash is not


def test_the_library_reads_the_same_from_our_xml_as_from_our_json() -> None:
    document = bom(
        serialNumber="urn:uuid:f08a6ccd-4dce-4759-bd84-c626675d60a7",
        metadata={
            "timestamp": "2026-01-02T03:04:05Z",
            "lifecycles": [{"phase": "build"}, {"name": "own", "description": "d"}],
            "authors": [{"name": "A", "email": "a@example.org"}],
            "component": {"type": "machine-learning-model", "bom-ref": "m", "name": "m", "version": "1"},
            "manufacturer": {"name": "Acme", "url": ["https://example.org/"], "address": {"country": "GB"}},
            "licenses": [{"expression": "MIT OR Apache-2.0"}],
        },
        components=[
            {
                "type": "file",
                "bom-ref": "f",
                "name": "w.bin",
                "mime-type": "application/octet-stream",
                "hashes": [{"alg": "SHA-256", "content": "0" * 64}],
                "licenses": [{"license": {"name": "Own", "text": {"content": "x", "contentType": "text/plain"}}}],
                "purl": "pkg:generic/w.bin@1",
                "pedigree": {
                    "ancestors": [{"type": "data", "name": "base"}],
                    "commits": [{"uid": "1", "author": {"name": "B"}}],
                    "notes": "n",
                },
                "externalReferences": [{"type": "website", "url": "https://example.org/?a=1&b=2", "comment": "c"}],
                "properties": [{"name": "aibom:size", "value": '1 < 2 & "3"'}],
                "components": [{"type": "file", "bom-ref": "g", "name": "g"}],
                "evidence": {"occurrences": [{"location": "w.bin", "line": 3}], "copyright": [{"text": "(c)"}]},
                "releaseNotes": {"type": "major", "tags": ["t"], "notes": [{"locale": "en", "text": {"content": "x"}}]},
                "tags": ["a", "b"],
            }
        ],
        services=[
            {
                "bom-ref": "s",
                "name": "s",
                "endpoints": ["https://example.org/"],
                "authenticated": True,
                "x-trust-boundary": False,
                "data": [{"flow": "inbound", "classification": "public"}],
            }
        ],
        dependencies=[{"ref": "m", "dependsOn": ["f", "s"]}, {"ref": "f", "provides": ["g"]}],
        vulnerabilities=[{"bom-ref": "v", "id": "CVE-1", "cwes": [1], "affects": [{"ref": "f"}]}],
        definitions={"standards": [{"bom-ref": "d", "name": "n", "version": "1", "description": "d", "owner": "o"}]},
    )
    assert schema_problems(document) == []
    ours, theirs = Bom.from_xml(read(to_xml(document))), Bom.from_json(document)  # type: ignore[attr-defined]
    assert len(ours.components) == len(theirs.components) == 1
    assert as_json(ours) == as_json(theirs)


def as_json(library_bom: Any) -> Any:
    return json.loads(JsonV1Dot7(library_bom).output_as_string())
