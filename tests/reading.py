"""Read a BOM as a consumer would: components by type and name, their properties, what refers to what."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from aibom.core.strictjson import parse_json_object
from tests.factory import build_bom_bytes

Json = dict[str, Any]


def bom_of(release: Path) -> Json:
    """Build the BOM of a release, and have the library's strict validator judge it."""
    data = build_bom_bytes(release)
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(data.decode()) is None
    return parse_json_object(data, "bom")


def nested(document: Json) -> list[Json]:
    """Every component at any depth, the root included; not what stands in a pedigree."""
    found, pending = [], [document["metadata"]["component"], *document.get("components", [])]
    while pending:
        component = pending.pop()
        found.append(component)
        pending += component.get("components", [])
    return found


def properties(component: Json, name: str) -> list[str]:
    """Values of all properties of this name."""
    return [p["value"] for p in component.get("properties", []) if p["name"] == name]


def one(document: Json, kind: str, name: str) -> Json:
    """The one component of a type with this name."""
    (component,) = [c for c in nested(document) if (c["type"], c["name"]) == (kind, name)]
    return component


def of_type(document: Json, kind: str) -> list[Json]:
    """All components of a type, in the order of the document."""
    return [c for c in reversed(nested(document)) if c["type"] == kind]


def references(document: Json) -> set[str]:
    """Every bom-ref that the document defines."""
    found = {c["bom-ref"] for c in nested(document) if "bom-ref" in c}
    found |= {a["bom-ref"] for c in nested(document) for a in c.get("pedigree", {}).get("ancestors", [])}
    found |= {service["bom-ref"] for service in document.get("services", [])}
    for formula in document.get("formulation", []):
        found |= {formula["bom-ref"], *(workflow["bom-ref"] for workflow in formula["workflows"])}
    return found


def referred(document: Json) -> Iterator[str]:
    """Every reference that the document makes, from anywhere."""
    for node in document.get("dependencies", []):
        yield from (node["ref"], *node.get("dependsOn", []))
    for node in document.get("compositions", []):
        yield from (*node.get("assemblies", []), *node.get("dependencies", []))
    for citation in document.get("citations", []):
        yield citation["attributedTo"]
    for formula in document.get("formulation", []):
        for workflow in formula["workflows"]:
            for item in (*workflow.get("inputs", []), *workflow.get("outputs", [])):
                yield from (item["resource"]["ref"],) if "resource" in item else ()
    for component in nested(document):
        for item in component.get("modelCard", {}).get("modelParameters", {}).get("datasets", []):
            yield item["ref"]


def resolve(document: Json, pointer: str) -> Any:
    """The value that a JSON pointer (RFC 6901) leads to."""
    value: Any = document
    for part in pointer.removeprefix("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value
