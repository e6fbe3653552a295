"""What every part shares: the type of rendered JSON, and leaving out what is empty."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Json = dict[str, Any]


def without_empty(parts: Mapping[str, Any]) -> Json:
    """The members that say something: no empty text, list or object, no None. Zero and False stay."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in parts.items()
        if value not in ("", (), [], {}, None)
    }


def properties(pairs: tuple[tuple[str, str], ...]) -> list[Json]:
    """Render `properties[]` from (name, value) pairs."""
    return [{"name": name, "value": value} for name, value in pairs]


def number(value: Decimal) -> float | int:
    """A JSON number: whole if it is."""
    return int(value) if value == value.to_integral_value() else float(value)
