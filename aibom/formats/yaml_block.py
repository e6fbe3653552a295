"""YAML from strangers: safe types only, no aliases, no duplicate keys, bounded size and depth.

Aliases are refused because a few hundred bytes of them can stand for billions of values; a card has no use for them.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from aibom.core.errors import InputError

MAX_BYTES = 256 * 1024
_MAX_DEPTH = 40


class _StrictLoader(yaml.SafeLoader):
    """The safe loader, minus aliases, duplicate keys, deep nesting, and values that JSON cannot hold."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read", self.peek_event().start_mark)
        if getattr(self.peek_event(), "tag", None) is not None:
            raise yaml.composer.ComposerError(None, None, "tags (!name) are not read", self.peek_event().start_mark)
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, f"nested more than {_MAX_DEPTH} deep", mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        seen: set[object] = set()
        for position, key in enumerate(keys):
            is_new = isinstance(key, (str, int, float, bool)) and key not in seen
            seen |= {key} if is_new else set()
            if not is_new:
                mark = node.value[position][0].start_mark
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {str(key)[:80]!r} cannot be used twice or at all", mark
                )
        return super().construct_mapping(node, deep)


# A date stays the text that was written; numbers are plain decimals of bounded length (base 60 alone takes quadratic
# time); only true and false are truth values, as in YAML 1.2: in YAML 1.1 a card in Norwegian ("language: no") would
# claim the language False.
_TAG = "tag:yaml.org,2002:"
_RESOLVERS = {
    "bool": (r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    "int": (r"^[-+]?(?:0|[1-9][0-9]{0,30})$", "-+0123456789"),
    "float": (r"^[-+]?(?:[0-9]{1,30})?\.[0-9]{1,40}(?:[eE][-+]?[0-9]{1,3})?$", "-+0123456789."),
    "null": (r"^(?:~|null|Null|NULL|)$", "~nN"),
}
_StrictLoader.yaml_implicit_resolvers = {}
for _name, (_pattern, _first) in _RESOLVERS.items():
    _StrictLoader.add_implicit_resolver(
        _TAG + _name, re.compile(_pattern), [*_first, *([""] if _name == "null" else [])]
    )


def parse_yaml_mapping(data: bytes, where: str) -> dict[str, Any]:
    """Read one YAML mapping with string keys. Raises InputError with the line at fault."""
    if len(data) > MAX_BYTES:
        raise InputError(f"YAML of {len(data)} bytes; at most {MAX_BYTES} are read", where=where)
    try:
        value = yaml.load(data, Loader=_StrictLoader)  # noqa: S506 -- a stricter SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"not YAML that we read: {error.problem}", where=f"{where}{line}") from error
    except Exception as error:  # a tag on an odd value makes the loader raise almost anything: none of it is a card
        raise InputError("not YAML that we read", where=where) from error
    if value is None:
        return {}
    if any("\ud800" <= char <= "\udfff" for char in _characters(value)):
        raise InputError("contains half of a surrogate pair", where=where)
    if not isinstance(value, dict):
        raise InputError("expected a mapping of names to values", where=where)
    return {str(key): item for key, item in value.items()}


def _characters(value: object) -> Iterator[str]:
    """Every character of every text in a parsed value; depth is bounded by the loader."""
    if isinstance(value, str):
        yield from value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _characters(key)
            yield from _characters(item)
    elif isinstance(value, list):
        for item in value:
            yield from _characters(item)
