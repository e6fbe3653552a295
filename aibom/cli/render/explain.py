"""Each value of a BOM with the file and field it was read from, for people."""

import json
from itertools import groupby
from typing import Any

from aibom.cli.render.layout import heading, row
from aibom.core.strictjson import Json
from aibom.cyclonedx.sources import StatedValue, stated_values

_SHORT = 120
_LONG = 1000
_TYPES = {"ancestor": "made from", "machine-learning-model": "model", "application": "code", "data": "data set"}
_COLUMN = 4


def explanation(document: Json) -> list[str]:
    """Lines grouped by component: the value, and every place that states it."""
    lines: list[str] = []
    for (component, kind), stated in groupby(stated_values(document), key=lambda item: (item.component, item.type)):
        by_path: dict[str, list[StatedValue]] = {}
        for item in stated:
            by_path.setdefault(item.path, []).append(item)
        told = [line for path, items in by_path.items() for line in _value(path, items)]
        lines += [*heading(f"{component} ({_TYPES.get(kind, kind)})"), *told] if told else []
    return lines[1:] if lines else ["nothing in this BOM says where it comes from"]


def _value(path: str, items: list[StatedValue]) -> list[str]:
    """A value and the places that state it; nothing if all that is stated is that nobody does."""
    if all(item.source.startswith("(none)") for item in items):
        return []
    label = _label(path)
    lines = row(label, _shown(items[0].value), indent=2, column=len(label) + _COLUMN)
    sources = dict.fromkeys(item.source for item in items)
    return lines + [line for source in sources for line in row("from", source, indent=_COLUMN, column=10)]


def _label(path: str) -> str:
    """The last words of a path: `performanceMetrics.0` rather than the whole way there."""
    parts = path.split(".")
    return ".".join(parts[-2:]) if parts[-1].isdigit() else parts[-1]


def _shown(value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return _short(", ".join(map(_named, value)), _LONG)
    if isinstance(value, dict) and len(value) == 1 and set(value) <= {"name", "format", "type"}:
        return _text(*value.values())
    if isinstance(value, dict) and {"type", "value"} <= value.keys():
        return " ".join(filter(None, (_text(value[key]) for key in ("type", "value", "slice") if key in value)))
    return _short(_text(value), _SHORT)


def _named(item: Any) -> str:
    """A licence, an organisation or a person in CycloneDX's form, in one word."""
    while isinstance(item, dict) and len(item) == 1:
        item = next(iter(item.values()))
    for key in ("license", "organization", "contact"):
        inner = item.get(key) if isinstance(item, dict) else None
        item = inner if isinstance(inner, dict) else item
    names = (item.get(key) for key in ("id", "name", "expression")) if isinstance(item, dict) else (item,)
    return next((name for name in names if isinstance(name, str) and name), "") or _text(item)


def _text(value: Any) -> str:
    """A text as it is, anything else as JSON, of which no more is made than can be shown."""
    if isinstance(value, str):
        return value
    shown = ""
    for part in json.JSONEncoder(ensure_ascii=False).iterencode(value):
        shown += part
        if len(shown) > _SHORT:
            break
    return _short(shown, _SHORT)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
