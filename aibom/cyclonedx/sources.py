"""Where the values of a BOM come from: the `aibom:source:` properties, set beside the values that they explain.

Any JSON object is taken: what is not where CycloneDX puts it, or of another type, is passed over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


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
        stated = list(properties_of(component))
        settings = dict(stated)
        label = text_of(component.get("name"))
        kind = kind_of(pointer, component)
        for name, source in stated:
            if name.startswith(names.SETTING_SOURCE_PREFIX):
                key = name.removeprefix(names.SETTING_SOURCE_PREFIX)
                value = settings.get(f"{names.SETTING_PREFIX}{key}")
                yield StatedValue(pointer="", component=label, type=kind, path=key, value=value, source=source)
            elif name.startswith(names.SOURCE_PREFIX):
                path = name.removeprefix(names.SOURCE_PREFIX)
                found, target = value_at(component, path), f"{pointer}/{_pointer(path)}"
                if found is None:  # a value that CycloneDX has no field for stands in a property
                    found, target = settings.get(f"aibom:{path}"), ""
                yield StatedValue(pointer=target, component=label, type=kind, path=path, value=found, source=source)


def components_of(document: Json) -> Iterator[tuple[str, Json]]:
    """(JSON pointer, component) of every component: root, nested and in pedigrees."""
    root = object_of(document.get("metadata")).get("component")
    pending: list[tuple[str, Json]] = [("/metadata/component", root)] if isinstance(root, dict) and root else []
    pending += _listed(document, "/components", "components")
    pending.reverse()
    while pending:
        pointer, component = pending.pop()
        yield pointer, component
        nested = _listed(component, f"{pointer}/components", "components")
        nested += _listed(object_of(component.get("pedigree")), f"{pointer}/pedigree/ancestors", "ancestors")
        pending += reversed(nested)


def kind_of(pointer: str, component: Json) -> str:
    """What a component is by its place: `release` for the root, `ancestor` in a pedigree; else its CycloneDX type."""
    if pointer == "/metadata/component":
        return "release"
    return "ancestor" if "/pedigree/" in pointer else text_of(component.get("type"))


def properties_of(component: Json) -> Iterator[tuple[str, str]]:
    """(Name, value) of every property that has a name."""
    for item in objects_of(component.get("properties")):
        if isinstance(item.get("name"), str):
            yield item["name"], text_of(item.get("value"))


def objects_of(value: Any) -> list[Json]:
    """The objects of an array; none if it is no array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def object_of(value: Any) -> Json:
    """The object, or an empty one if it is something else."""
    return value if isinstance(value, dict) else {}


def text_of(value: Any) -> str:
    """The text, or an empty one if it is something else."""
    return value if isinstance(value, str) else ""


def value_at(component: Json, path: str) -> Any:
    """The value at a path with dots; None if there is none."""
    value: Any = component
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and _INDEX.fullmatch(part) and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _listed(parent: Json, pointer: str, key: str) -> list[tuple[str, Json]]:
    """The objects of an array, each with its pointer: the place counts whatever else stands there."""
    items = parent.get(key)
    numbered = enumerate(items if isinstance(items, list) else ())
    return [(f"{pointer}/{number}", item) for number, item in numbered if isinstance(item, dict)]


def _pointer(path: str) -> str:
    """A path with dots as a JSON pointer. RFC 6901, section 3."""
    return path.replace("~", "~0").replace("/", "~1").replace(".", "/")
