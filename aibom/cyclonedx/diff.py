"""What changed between two CycloneDX documents, as a reader of releases asks it: models, files, licences, libraries.

Components are matched by type and name, values by where they stand. What two builds of one release may differ in
without meaning anything (serial number, time, order, citations) is not a change. Any JSON object is taken: what is not
where CycloneDX puts it is passed over.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names
from aibom.cyclonedx.sources import components_of, kind_of, object_of, objects_of, properties_of, text_of

_IGNORED = frozenset({"bom-ref", "components", "properties", "type", "name", "purl"})
_QUIET_PROPERTIES = (names.SOURCE_PREFIX, names.SETTING_SOURCE_PREFIX)
_LABELS = ("alg", "url", "name", "type")
_LONGEST_LABEL = 200
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


@dataclass(frozen=True, slots=True)
class _Key:
    """What a component is matched by."""

    type: str
    name: str
    number: int
    """Among those of this type and name."""

    @property
    def shown(self) -> str:
        return self.name if self.number == 1 else f"{self.name} ({self.number})"


def compare_boms(old: Json, new: Json) -> tuple[Change, ...]:
    """Every difference, in the order of type, name and field."""
    before, after = _by_key(old), _by_key(new)
    found: list[Change] = []
    for key in before.keys() | after.keys():
        if key not in after:
            found.append(Change(kind=Kind.REMOVED, type=key.type, name=key.shown, old=_brief(before[key])))
        elif key not in before:
            found.append(Change(kind=Kind.ADDED, type=key.type, name=key.shown, new=_brief(after[key])))
        else:
            found += _changes(key, _values(before[key]), _values(after[key]))
    for part in _NAMED_PARTS:
        found += _changes(_Key(part, "", 1), _flat(old.get(part, [])), _flat(new.get(part, [])))
    found += _changes(_Key("compositions", "", 1), _completeness(old), _completeness(new))
    return tuple(sorted(found, key=lambda c: (_ORDER.get(c.type, 9), c.type, c.name, c.field)))


_ORDER = {
    "release": 0,
    "application": 1,
    "machine-learning-model": 2,
    "ancestor": 3,
    "data": 4,
    "library": 5,
    "container": 6,
    "file": 7,
}


def _by_key(document: Json) -> dict[_Key, Json]:
    """Components by type and name; several of one name are numbered by version, as their order means nothing."""
    same: dict[tuple[str, str], list[Json]] = {}
    for pointer, component in components_of(document):
        kind = kind_of(pointer, component)
        name = "" if kind == "release" else text_of(component.get("name"))
        same.setdefault((kind, name), []).append(component)
    for components in same.values():
        components.sort(key=lambda component: (_brief(component), text_of(component.get("purl"))))
    return {_Key(*key, number): item for key, items in same.items() for number, item in enumerate(items, 1)}


def _values(component: Json) -> dict[str, str]:
    """Everything that a component says of itself, by path; nested components speak for themselves."""
    kept = {key: value for key, value in component.items() if key not in _IGNORED}
    if "pedigree" in kept:
        kept["pedigree"] = {k: value for k, value in object_of(kept["pedigree"]).items() if k != "ancestors"}
    found = _flat(kept | {"externalReferences": [_reference(i) for i in objects_of(kept.get("externalReferences"))]})
    by_name: dict[str, list[str]] = {}
    for name, value in properties_of(component):
        if not name.startswith(_QUIET_PROPERTIES):
            by_name.setdefault(name, []).append(value)
    return found | {name: ", ".join(values) for name, values in by_name.items()}


def _reference(item: Json) -> Json:
    """An address, its type, and the digest of what it points at: one line a reference."""
    digest = _digest(item)
    return {"name": item.get("url"), "is": " ".join(filter(None, (text_of(item.get("type")), digest)))}


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Leaves by path; a list of plain values is one leaf, and hashes go by their algorithm.

    Names with dots can give two leaves one path: neither hides the other.
    """
    pending: list[tuple[str, Any]] = [(path, value)]
    found: dict[str, list[str]] = {}
    while pending:
        where, item = pending.pop()
        if isinstance(item, dict):
            pending += [(f"{where}.{key}".lstrip("."), inner) for key, inner in item.items() if key != "bom-ref"]
        elif isinstance(item, list) and any(isinstance(inner, (dict, list)) for inner in item):
            pending += [(f"{where}.{label}".lstrip("."), inner) for label, inner in _labelled(item)]
        else:
            found.setdefault(where, []).extend(map(_plain, item if isinstance(item, list) else [item]))
    return {where: ", ".join(texts) for where, texts in found.items()}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _labelled(items: list[Any]) -> Iterator[tuple[str, Any]]:
    """Items with what tells them apart; of two that are called alike, the second is numbered, not lost."""
    seen: Counter[str] = Counter()
    for number, item in enumerate(items):
        if isinstance(item, dict) and text_of(item.get("name")).startswith(_QUIET_PROPERTIES):
            continue
        label, inner = _label(item, number)
        seen[label] += 1
        yield (label if seen[label] == 1 else f"{label} ({seen[label]})"), inner


def _label(item: Any, number: int) -> tuple[str, Any]:
    """What an item of a list is called (its algorithm, its address, its name, else its place), and what else it says.

    The label becomes part of the path of every value in the item, so that it is bounded.
    """
    for key in _LABELS if isinstance(item, dict) else ():
        label = item.get(key)
        if isinstance(label, str):
            rest = {k: value for k, value in item.items() if k != key} if len(label) <= _LONGEST_LABEL else item
            extra = f" {item['slice']}" if isinstance(item.get("slice"), str) else ""
            return f"{label}{extra}"[:_LONGEST_LABEL], rest if rest.keys() - {"bom-ref"} else item
    return str(number), item


def _changes(key: _Key, before: dict[str, str], after: dict[str, str]) -> Iterator[Change]:
    for field in sorted(before.keys() | after.keys()):
        old, new = before.get(field, ""), after.get(field, "")
        if old != new:
            kind = Kind.CHANGED if old and new else Kind.ADDED if new else Kind.REMOVED
            yield Change(kind=kind, type=key.type, name=key.shown, field=field, old=old, new=new)


def _completeness(document: Json) -> dict[str, str]:
    """What is said to be how complete, by reference."""
    found: dict[str, str] = {}
    for item in objects_of(document.get("compositions")):
        aggregate = text_of(item.get("aggregate"))
        for ref in _texts(item.get("assemblies")):
            found[ref] = aggregate
        for ref in _texts(item.get("dependencies")):
            found[f"dependencies of {ref}"] = aggregate
    return found


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _brief(component: Json) -> str:
    """A component in a few words: its version, or the digest of a file."""
    return text_of(component.get("version")) or _digest(component)


def _digest(item: Json) -> str:
    """The first digest that something states."""
    hashes = objects_of(item.get("hashes"))
    return text_of(hashes[0].get("content")) if hashes else ""
