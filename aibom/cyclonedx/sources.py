"""Where the values of a BOM come from: the `aibom:source:` properties, set beside the values that they explain."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedValue:
    """One value of one component, and one place that states it."""

    pointer: str
    """JSON pointer to the value in the document; empty if it stands in a property."""
    component: str
    """Name of the component."""
    type: str
    """Its CycloneDX type; `release` for the root, `ancestor` in a pedigree."""
    path: str
    """Path of the value in the component, with dots."""
    value: Any
    source: str


def stated_values(document: Json) -> Iterator[StatedValue]:
    """Every value that has a source, in the order of the document."""
    for pointer, component in components_of(document):
        settings = {p["name"]: p["value"] for p in component.get("properties", ())}
        for item in component.get("properties", ()):
            name, source = item["name"], item["value"]
            label = str(component.get("name", ""))
            kind = "ancestor" if "/pedigree/" in pointer else str(component.get("type", ""))
            kind = "release" if pointer == "/metadata/component" else kind
            if name.startswith(names.SETTING_SOURCE_PREFIX):
                key = name.removeprefix(names.SETTING_SOURCE_PREFIX)
                value = settings.get(f"{names.SETTING_PREFIX}{key}")
                yield StatedValue(pointer="", component=label, type=kind, path=key, value=value, source=source)
            elif name.startswith(names.SOURCE_PREFIX):
                path = name.removeprefix(names.SOURCE_PREFIX)
                target = f"{pointer}/{path.replace('.', '/')}"
                found = value_at(component, path)
                if found is None:  # a value that CycloneDX has no field for stands in a property
                    found, target = settings.get(f"aibom:{path}"), ""
                yield StatedValue(pointer=target, component=label, type=kind, path=path, value=found, source=source)


def components_of(document: Json) -> Iterator[tuple[str, Json]]:
    """(JSON pointer, component) of every component: root, nested and in pedigrees."""
    root = document.get("metadata", {}).get("component")
    pending: list[tuple[str, Json]] = [("/metadata/component", root)] if root else []
    pending += [(f"/components/{i}", item) for i, item in enumerate(document.get("components", ()))]
    pending.reverse()
    while pending:
        pointer, component = pending.pop()
        yield pointer, component
        nested = [(f"{pointer}/components/{i}", item) for i, item in enumerate(component.get("components", ()))]
        pedigree = component.get("pedigree", {}).get("ancestors", ())
        nested += [(f"{pointer}/pedigree/ancestors/{i}", item) for i, item in enumerate(pedigree)]
        pending += reversed(nested)


def value_at(component: Json, path: str) -> Any:
    """The value at a path with dots; None if there is none."""
    value: Any = component
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
