"""skops files: a zip archive whose `schema.json` says, type by type, which objects to make.

skops refuses types that its reader does not trust, but the caller can trust all of them; and two of its loaders reach
for attributes by name, which has been a way around the list. So types are judged here as a pickle's names are.
Format: skops.io, protocols 0 to 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.core.strictjson import Json, parse_json_object
from aibom.formats.pickle_globals import Safety, is_model_class, judge, shown, worst
from aibom.formats.zip_members import list_zip, read_member

MAX_SCHEMA = 64 * 1024 * 1024
MAX_REASONS = 100
_BY_NAME_LOADERS = frozenset({"OperatorFuncNode", "MethodNode"})
_PLAIN_LOADERS = frozenset(
    {
        "BytearrayNode", "BytesNode", "CachedNode", "DatetimeNode", "DefaultDictNode", "DictNode", "DTypeNode",
        "FunctionNode", "JsonNode", "ListNode", "LossNode", "MaskedArrayNode", "NdArrayNode", "ObjectNode",
        "RandomGeneratorNode", "RandomStateNode", "SetNode", "SliceNode", "SparseMatrixNode", "SGDNode", "TreeNode",
        "TupleNode", "TypeNode", "_DictWithDeprecatedKeysNode", "QuantileForestNode", "HistGradientBoostingNode",
    }
)  # fmt: skip
_INERT_TYPES = frozenset({("builtins", "NoneType"), ("builtins", "type"), ("builtins", "Ellipsis")})


@dataclass(frozen=True, slots=True, kw_only=True)
class SkopsModel:
    """What a skops file makes when it is loaded."""

    version: str
    """Of the skops that wrote it."""
    protocol: int | None
    types: tuple[str, ...]
    """Everything named, as `module.name`, sorted."""
    classes: tuple[str, ...]
    """Of these, the classes of models and their parts."""
    loaders: tuple[str, ...]
    safety: Safety
    reasons: tuple[str, ...]
    problems: tuple[str, ...]


def parse_skops(source: ByteSource, where: str) -> SkopsModel:
    """Read a skops file. Raises InputError if it is no zip archive or has no schema."""
    listing = list_zip(source, where)
    member = listing.named("schema.json")
    if member is None:
        raise InputError("a zip archive without schema.json: not a skops file", where=where)
    place = f"{where}, member 'schema.json'"
    schema = parse_json_object(read_member(source, member, MAX_SCHEMA, where), place)
    if not {"__class__", "__module__", "__loader__"} <= set(schema):
        raise InputError("the schema does not start with an object to make", where=place)
    types, loaders = _walk(schema)
    found = _judge(types, loaders) | dict.fromkeys(listing.problems, Safety.UNKNOWN)
    names = tuple(sorted({shown(module, name) for module, name in types}))
    protocol = schema.get("protocol")
    ranked = sorted(found, key=lambda reason: (found[reason] is not Safety.DANGEROUS, reason))
    return SkopsModel(
        version=_text(schema, "_skops_version"),
        protocol=protocol if type(protocol) is int else None,
        types=names,
        classes=tuple(name for name in names if is_model_class(name)),
        loaders=tuple(sorted(loaders)),
        safety=worst(*found.values()),
        reasons=tuple(ranked[:MAX_REASONS]),
        problems=listing.problems,
    )


def _walk(schema: Json) -> tuple[set[tuple[str, str]], set[str]]:
    """Types and loaders anywhere in the tree; its depth is bounded by the parser."""
    types: set[tuple[str, str]] = set()
    loaders: set[str] = set()
    pending: list[Any] = [schema]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            loader = item.get("__loader__")
            if loader is not None:
                loaders.add(str(loader)[:120])
                types.add((_text(item, "__module__"), _text(item, "__class__")))
            if {"module_path", "function"} <= set(item):  # how a function was named before protocol 1
                types.add((_text(item, "module_path"), _text(item, "function")))
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return types, loaders


def _judge(types: set[tuple[str, str]], loaders: set[str]) -> dict[str, Safety]:
    found: dict[str, Safety] = {}
    for module, name in types - _INERT_TYPES:
        level = judge(module, name)
        if level is not Safety.CLEAN:
            found[f"names {shown(module, name)}"] = level
    for loader in loaders & _BY_NAME_LOADERS:
        found[f"uses {loader}, which reaches for attributes by name"] = Safety.DANGEROUS
    for loader in loaders - _BY_NAME_LOADERS - _PLAIN_LOADERS:
        found[f"uses {loader}, which is not a loader known to be harmless"] = Safety.UNKNOWN
    return found


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value[:200] if isinstance(value, str) else ""
