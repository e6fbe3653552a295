"""Strict, bounded JSON: what we read from others, and the canonical form of what we write.

Python's parser keeps the last of two equal keys, takes NaN, and lets a lone surrogate through; each of those lets two
readers of one signed document see two meanings. RFC 8259 section 4 leaves duplicate names open: we refuse them.
"""

import json
import re
from typing import Any

from aibom.core.errors import InputError

Json = dict[str, Any]

MAX_BYTES = 256 * 1024 * 1024
MAX_DEPTH = 200
_MAX_VALUES = 10_000_000
_MAX_NUMBER_DIGITS = 400

# One pass, never restarting: a string always matches up to its end or the end of the input.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(c for c in range(256) if c not in b"[]{}")


def parse_json(data: bytes, where: str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """Parse one JSON document.

    Raises InputError for anything but strict UTF-8 JSON within the bounds: duplicate keys, NaN and infinities, lone
    surrogates, a byte-order mark, trailing content, over-long numbers, too deep or too large documents.
    """
    if len(data) > max_bytes:
        raise InputError(f"JSON document of {len(data)} bytes; at most {max_bytes} are read", where=where)
    _check_structure(data, where, max_depth)
    text = _decode(data, where)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_int,
            parse_float=_float,
        )
    except _RefusedError as refused:
        raise InputError(f"not strict JSON: {refused}", where=where) from refused
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}", where=f"{where}, character {error.pos}") from error
    if "\\ud" in text or "\\uD" in text:
        _refuse_surrogates(value, where)
    return value


def parse_json_object(data: bytes, where: str, **bounds: int) -> Json:
    """As `parse_json`, for a document that must be an object."""
    value = parse_json(data, where, **bounds)
    if not isinstance(value, dict):
        raise InputError(f"expected a JSON object, found {type_name(value)}", where=where)
    return value


def dump_json(value: object) -> bytes:
    """Deterministic, readable JSON: two-space indent, UTF-8, one newline at the end. Key order is the caller's."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def dump_compact(value: object) -> bytes:
    """Deterministic, compact JSON with sorted keys, for digests and payloads."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def type_name(value: object) -> str:
    """The JSON word for the type of a parsed value."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


class _RefusedError(ValueError):
    """Raised inside the parser's hooks; never leaves this module."""


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _RefusedError(f"the key {name[:80]!r} appears twice in one object")
            seen.add(name)
    return result


def _refuse_constant(word: str) -> Any:
    raise _RefusedError(f"{word} is not a JSON number")


def _int(digits: str) -> int:
    if len(digits) > _MAX_NUMBER_DIGITS:
        raise _RefusedError(f"a number of {len(digits)} digits")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits) if len(digits) <= _MAX_NUMBER_DIGITS else float("inf")
    if value in {float("inf"), float("-inf")}:
        raise _RefusedError(f"the number {digits[:40]} is out of range")
    return value


def _decode(data: bytes, where: str) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        raise InputError("starts with a byte-order mark, which JSON does not allow", where=where)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("not valid UTF-8", where=f"{where}, byte {error.start}") from error


def _check_structure(data: bytes, where: str, limit: int) -> None:
    """Bound depth, and with the number of values the memory that they will take."""
    if data.count(b",") + data.count(b"[") + data.count(b"{") > _MAX_VALUES:
        raise InputError(f"more than {_MAX_VALUES} values", where=where)
    if data.count(b"[") + data.count(b"{") <= limit:
        return
    depth = 0
    for bracket in _STRING.sub(b"", data).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > limit:
            raise InputError(f"nested more than {limit} levels deep", where=where)


def _refuse_surrogates(value: object, where: str) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if any("\ud800" <= c <= "\udfff" for c in item):
                raise InputError("contains half of a surrogate pair", where=where)
        elif isinstance(item, dict):
            pending.extend(item.keys())
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
