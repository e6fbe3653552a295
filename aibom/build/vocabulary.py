"""The words that a publisher may use: categories of components and intended outcomes, as `specs/` lists them."""

import tomllib
from functools import cache

from aibom.core.specs import read_spec


@cache
def categories() -> tuple[str, ...]:
    """Every category, sorted."""
    return _ids("vocabulary.toml", "category")


@cache
def outcomes() -> tuple[str, ...]:
    """Every intended outcome that a profile knows, sorted."""
    return _ids("profiles/outcome-components.toml", "group")


def _ids(path: str, table: str) -> tuple[str, ...]:
    document = tomllib.loads(read_spec(path).decode("utf-8"))
    return tuple(sorted(item["id"] for item in document[table]))
