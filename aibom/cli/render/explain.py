"""Each value of a BOM with the file and field it was read from, for people."""

import json
from itertools import groupby
from typing import Any

from aibom.cli.render.layout import heading, row, safe
from aibom.core.strictjson import Json
from aibom.cyclonedx.sources import StatedValue, stated_values

_SHORT = 120
_TYPES = {"ancestor": "made from", "machine-learning-model": "model", "application": "code", "data": "data set"}
_COLUMN = 4


def explanation(document: Json) -> list[str]:
    """Lines grouped by component: the value, and every place that states it."""
    lines: list[str] = []
    for (component, kind), stated in groupby(stated_values(document), key=lambda item: (item.component, item.type)):
        lines += heading(f"{safe(component)} ({_TYPES.get(kind, kind)})")
        by_path: dict[str, list[StatedValue]] = {}
        for item in stated:
            by_path.setdefault(item.path, []).append(item)
        for path, items in by_path.items():
            if all(item.source.startswith("(none)") for item in items):
                continue
            lines += row(_label(path), _shown(items[0].value), indent=2, column=len(_label(path)) + _COLUMN)
            sources = dict.fromkeys(item.source for item in items)
            lines += [line for source in sources for line in row("from", source, indent=_COLUMN, column=10)]
    return lines[1:] if lines else ["nothing in this BOM says where it comes from"]


def _label(path: str) -> str:
    """The last words of a path: `performanceMetrics.0` rather than the whole way there."""
    parts = path.split(".")
    return ".".join(parts[-2:]) if parts[-1].isdigit() else parts[-1]


def _shown(value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return ", ".join(_licence(item) for item in value)
    if isinstance(value, dict) and len(value) == 1 and set(value) <= {"name", "format", "type"}:
        return str(*value.values())
    if isinstance(value, dict) and {"type", "value"} <= value.keys():
        return " ".join(filter(None, (value["type"], value["value"], value.get("slice", ""))))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def _licence(item: dict[str, Any]) -> str:
    """A licence in CycloneDX's form, in one word."""
    inner = item.get("license")
    named = inner if isinstance(inner, dict) else item
    return str(named.get("id") or named.get("name") or named.get("expression") or named)
