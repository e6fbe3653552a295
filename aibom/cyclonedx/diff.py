"""What changed between two CycloneDX documents, as a reader of releases asks it: models, files, licences, libraries.

Components are matched by type and name, values by where they stand. What two builds of one release may differ in
without meaning anything (serial number, time, order, citations) is not a change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names
from aibom.cyclonedx.sources import components_of

_IGNORED = frozenset({"bom-ref", "components", "properties", "type", "name", "purl"})
_QUIET_PROPERTIES = (names.SOURCE_PREFIX, names.SETTING_SOURCE_PREFIX)
_NAMED_PARTS = ("services", "formulation", "externalReferences", "annotations", "declarations")


class Kind(StrEnum):
    """What happened."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference: of a whole component, or of one value in it (`field`, with dots)."""

    kind: Kind
    type: str
    """The component's CycloneDX type, or the part of the document."""
    name: str
    field: str = ""
    old: str = ""
    new: str = ""


def compare_boms(old: Json, new: Json) -> tuple[Change, ...]:
    """Every difference, in the order of type, name and field."""
    before, after = _by_key(old), _by_key(new)
    found = [
        Change(kind=Kind.REMOVED, type=key[0], name=key[1], old=_brief(before[key])) for key in before - after.keys()
    ]
    found += [
        Change(kind=Kind.ADDED, type=key[0], name=key[1], new=_brief(after[key]))
        for key in after.keys() - before.keys()
    ]
    for key in before.keys() & after.keys():
        found += _changes(key, _values(before[key]), _values(after[key]))
    for part in _NAMED_PARTS:
        found += _changes((part, ""), _flat(old.get(part, [])), _flat(new.get(part, [])))
    found += _changes(("compositions", ""), _completeness(old), _completeness(new))
    return tuple(sorted(found, key=lambda c: (_ORDER.get(c.type, 9), c.type, c.name, c.field)))


_ORDER = {"application": 0, "machine-learning-model": 1, "data": 2, "library": 3, "container": 4, "file": 5}


def _by_key(document: Json) -> dict[tuple[str, str], Json]:
    """Components by type and name; of several (declarations of one library that differ) all, told apart by version."""
    found: dict[tuple[str, str], Json] = {}
    for pointer, component in components_of(document):
        kind = "ancestor" if "/pedigree/" in pointer else str(component.get("type", ""))
        name = str(component.get("name", ""))
        if pointer == "/metadata/component":
            kind, name = "release", ""
        key = (kind, name)
        number = 2
        while key in found:
            key = (kind, f"{name} ({number})")
            number += 1
        found[key] = component
    return found


def _values(component: Json) -> dict[str, str]:
    """Everything that a component says of itself, by path; nested components speak for themselves."""
    kept = {key: value for key, value in component.items() if key not in _IGNORED}
    if "pedigree" in kept:
        kept["pedigree"] = {key: value for key, value in kept["pedigree"].items() if key != "ancestors"}
    found = _flat(kept | {"externalReferences": [_reference(item) for item in kept.get("externalReferences", ())]})
    by_name: dict[str, list[str]] = {}
    for item in component.get("properties", ()):
        if not item["name"].startswith(_QUIET_PROPERTIES):
            by_name.setdefault(item["name"], []).append(item.get("value", ""))
    return found | {name: ", ".join(values) for name, values in by_name.items()}


def _reference(item: Json) -> Json:
    """An address, its type, and the digest of what it points at: one line a reference."""
    digest = (item.get("hashes") or [{}])[0].get("content", "")
    return {"name": item.get("url"), "is": " ".join(filter(None, (str(item.get("type")), digest)))}


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Leaves by path; a list of plain values is one leaf, and hashes go by their algorithm."""
    pending: list[tuple[str, Any]] = [(path, value)]
    found: dict[str, str] = {}
    while pending:
        where, item = pending.pop()
        if isinstance(item, dict):
            pending += [(f"{where}.{key}".lstrip("."), inner) for key, inner in item.items() if key != "bom-ref"]
        elif isinstance(item, list) and any(isinstance(inner, (dict, list)) for inner in item):
            pending += [(f"{where}.{_label(inner, n)}".lstrip("."), inner) for n, inner in enumerate(item)]
        else:
            found[where] = ", ".join(map(str, item)) if isinstance(item, list) else str(item)
    return found


def _label(item: Any, number: int) -> str:
    """What tells an item of a list apart: its algorithm, its address, its name, else its place."""
    if isinstance(item, dict):
        for key in ("alg", "url", "name", "type"):
            if isinstance(item.get(key), str):
                extra = f" {item['slice']}" if isinstance(item.get("slice"), str) else ""
                return f"{item[key]}{extra}"
    return str(number)


def _changes(key: tuple[str, str], before: dict[str, str], after: dict[str, str]) -> Iterator[Change]:
    for field in sorted(before.keys() | after.keys()):
        old, new = before.get(field, ""), after.get(field, "")
        if old != new:
            kind = Kind.CHANGED if old and new else Kind.ADDED if new else Kind.REMOVED
            yield Change(kind=kind, type=key[0], name=key[1], field=field, old=old, new=new)


def _completeness(document: Json) -> dict[str, str]:
    """What is said to be how complete, by reference."""
    found: dict[str, str] = {}
    for item in document.get("compositions", ()):
        for ref in item.get("assemblies", ()):
            found[str(ref)] = str(item.get("aggregate"))
        for ref in item.get("dependencies", ()):
            found[f"dependencies of {ref}"] = str(item.get("aggregate"))
    return found


def _brief(component: Json) -> str:
    """A component in a few words: its version, or the digest of a file."""
    hashes = component.get("hashes") or [{}]
    return str(component.get("version") or hashes[0].get("content", ""))
