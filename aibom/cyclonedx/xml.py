"""A CycloneDX document in XML, from its JSON form, without loss or with an error.

Written for this project because cyclonedx-python-lib has no model for most of what an AI BOM holds (model card, data,
formulation, declarations) and would leave it out without a word. The forms are in `xml_shapes`; here is the writer and
what a table cannot say. Specification: CycloneDX 1.6 and 1.7, XML Schema; XML 1.0, section 2.2 for characters.

XML 1.0 cannot hold most control characters nor half surrogates, not even escaped: each becomes U+FFFD. A JSON
signature cannot hold for the XML form, and the XSD has no place for it: it is refused. Values are not checked against
their types: check the JSON document against its schema first.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from math import isfinite
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from aibom.core.errors import InputError
from aibom.core.strictjson import Json, type_name
from aibom.cyclonedx.xml_shapes import VERSIONS, Field, Kind, Shape, shapes

MAX_DEPTH = 128
_NAMESPACE = "http://cyclonedx.org/schema/bom/"
_HEADING = {"$schema", "bomFormat", "specVersion"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TO_ESCAPE = re.compile("[&<>\r]")
_HINT = "check the document against the CycloneDX JSON schema of its version"
_SIGNATURE_HINT = "a JSON signature does not hold for the XML form; take it out, and sign the XML itself"


def to_xml(document: Json) -> bytes:
    """Write a CycloneDX 1.6 or 1.7 document, given as JSON, as XML of the same version.

    Deterministic, UTF-8, two-space indent. Raises InputError that names the place of anything that has no XML form.
    """
    version = document.get("specVersion")
    if document.get("bomFormat") != "CycloneDX" or version not in VERSIONS:
        raise InputError(
            f"expected CycloneDX {' or '.join(VERSIONS)}, found {str(document.get('bomFormat'))[:40]!r} "
            f"{str(version)[:40]!r}",
            where="specVersion",
        )
    body = {key: value for key, value in document.items() if key not in _HEADING}
    writer = _Writer(version)
    writer.element("bom", "bom", body, 0, f' xmlns="{_NAMESPACE}{version}"')
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(writer.lines) + "\n").encode("utf-8")


class _Writer:
    """Writes elements line by line, and knows where in the JSON document it stands."""

    def __init__(self, version: str) -> None:
        self.lines: list[str] = []
        self._version = version
        self._shapes = shapes(version)
        self._path: list[str | int] = []

    def element(self, name: str, shape_name: str, value: Any, depth: int, extra: str = "") -> None:
        """One element with all that is in it."""
        indent = "  " * depth
        if not shape_name:
            self.lines.append(f"{indent}<{name}>{_escaped(self._text(value))}</{name}>")
            return
        if depth > MAX_DEPTH:
            raise self._refused(f"nested more than {MAX_DEPTH} elements deep in XML")
        shape = self._shapes[shape_name]
        content = self._object(shape_name, shape, value)
        head = f"{indent}<{name}{extra}{self._attributes(shape, content)}"
        if shape.text and shape.text.key in content:
            text = _escaped(self._text(content[shape.text.key]))
            self.lines.append(f"{head}>{text}</{name}>")
            return
        start = len(self.lines)
        self.lines.append(f"{head}>")
        self._children(shape, content, value, depth + 1)
        self._close(start, name, indent)

    def _close(self, start: int, name: str, indent: str) -> None:
        if len(self.lines) == start + 1:
            self.lines[start] = self.lines[start][:-1] + "/>"
        else:
            self.lines.append(f"{indent}</{name}>")

    def _object(self, shape_name: str, shape: Shape, value: Any) -> Json:
        rewrite = _REWRITES.get(shape_name)
        content = rewrite(value) if rewrite else value
        if not isinstance(content, dict):
            raise self._refused(f"expected an object, found {type_name(content)}")
        known = shape.keys - _XML_ONLY[shape_name] if content is value and shape_name in _XML_ONLY else shape.keys
        if not content.keys() <= known:
            key = next(key for key in content if key not in known)
            self._path.append(str(key)[:80])
            hint = _SIGNATURE_HINT if key == "signature" else _HINT
            raise self._refused(f"CycloneDX {self._version} in XML has no place for this", hint)
        return content

    def _attributes(self, shape: Shape, content: Json) -> str:
        found = []
        for field in shape.attributes:
            if field.key in content:
                self._path.append(field.key)
                found.append(f" {field.name}={quoteattr(self._text(content[field.key]))}")
                self._path.pop()
        return "".join(found)

    def _children(self, shape: Shape, content: Json, value: Any, depth: int) -> None:
        for field in shape.children:
            if field.key in content:
                # A key that only the XML form has is no step in the JSON document.
                self._path.append(field.key if isinstance(value, dict) and field.key in value else "")
                self._child(field, content[field.key], depth)
                self._path.pop()
            elif field.always:
                self.lines.append(f"{'  ' * depth}<{field.name}/>")

    def _child(self, field: Field, value: Any, depth: int) -> None:
        if field.kind is Kind.ELEMENT:
            self.element(field.name, field.shape, value, depth)
        elif field.kind is Kind.REPEATED:
            # `evidence.identity` is the one place where JSON takes an object for a list of one.
            self._items(field.name, field.shape, [value] if isinstance(value, dict) else value, depth)
        elif value or not field.never_empty:
            start = len(self.lines)
            self.lines.append(f"{'  ' * depth}<{field.name}>")
            self._items(field.item, field.shape, value, depth + 1)
            self._close(start, field.name, "  " * depth)

    def _items(self, name: str, shape_name: str, value: Any, depth: int) -> None:
        if not isinstance(value, list):
            raise self._refused(f"expected an array, found {type_name(value)}")
        for index, item in enumerate(value):
            self._path.append(index)
            if name:
                self.element(name, shape_name, item, depth)
            else:
                shape = self._shapes[shape_name]
                self._children(shape, self._object(shape_name, shape, item), item, depth)
            self._path.pop()

    def _text(self, value: Any) -> str:
        if isinstance(value, str):
            return _NOT_XML.sub("\ufffd", value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return format(Decimal(value), "f")
        if isinstance(value, float) and isfinite(value):
            # xs:decimal knows no exponent, and xs:integer no ".0"
            return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
        raise self._refused(f"expected text or a number, found {type_name(value)}")

    def _refused(self, message: str, hint: str = _HINT) -> InputError:
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self._path if step != "")
        return InputError(message, where=place.lstrip(".") or "document", hint=hint)


def _escaped(text: str) -> str:
    # A bare carriage return would come back as a line feed (XML 1.0, section 2.11).
    return escape(text, {"\r": "&#13;"}) if _TO_ESCAPE.search(text) else text


def _one_of(value: Any, other: str, **names: str) -> Any:
    """The item under the element name that the key it has decides."""
    if not isinstance(value, dict):
        return value
    return {next((name for key, name in names.items() if key in value), other): value}


def _licence(value: Any) -> Any:
    if not isinstance(value, dict) or "expression" not in value:
        return value
    plain = value.keys() <= {"expression", "acknowledgement", "bom-ref"}
    return {"expression" if plain else "expression-detailed": value}


def _service_data(value: Any) -> Any:
    """Plain classifications while they say all there is, else data flows: the XSD takes no mixture."""
    if not isinstance(value, list):
        return value
    plain = all(isinstance(item, dict) and item.keys() <= {"flow", "classification"} for item in value)
    return {"classification" if plain else "dataflow": value}


def _data_flow(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    moved = {key: item for key, item in value.items() if key in {"flow", "classification"}}
    rest = {key: item for key, item in value.items() if key not in moved}
    return rest | {"classification": moved} if moved else rest


def _asserter(value: Any) -> Any:
    return (
        {"ref": value} if isinstance(value, str) else _one_of(value, "organization", email="contact", phone="contact")
    )


# Where JSON chooses by the type or the keys of a value and XML by the name of an element.
_REWRITES: dict[str, Callable[[Any], Any]] = {
    "tools": lambda value: {"tool": value} if isinstance(value, list) else value,
    "link": lambda value: {"ref": value} if isinstance(value, str) else value,
    "transform": lambda value: {"#": value} if isinstance(value, str) else value,
    "environment": lambda value: {"value": value} if isinstance(value, str) else {"environmentVar": value},
    "dataset": lambda value: value if isinstance(value, dict) and "ref" in value else {"dataset": value},
    "patent_choice": lambda value: _one_of(value, "patent", familyId="patentFamily"),
    "assignee": lambda value: _one_of(value, "organization", email="individual", phone="individual"),
    "asserter": _asserter,
    "licence": _licence,
    "service_data": _service_data,
    "dataflow": _data_flow,
}

# Keys of the rewritten form that no JSON document has.
_XML_ONLY: dict[str, frozenset[str]] = {
    "tools": frozenset({"tool"}),
    "transform": frozenset({"#"}),
    "dataset": frozenset({"dataset"}),
    "licence": frozenset({"expression-detailed"}),
    "service_data": frozenset({"classification", "dataflow"}),
}
