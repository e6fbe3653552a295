"""Fields of a predicate that are nearly ones that its type knows.

in-toto's parsing rules let unknown fields through, so that a misspelt optional field is signed and read by nobody. That
is for the signer to know; a verifier says nothing of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Any

from attest.predicates.kinds import kind_of
from attest.predicates.shapes import Check, item_check, known_fields

_LONGEST, _ALIKE = 60, 0.8
_MAX = 5


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A field, where it stands, and the one that it may be meant to be."""

    where: str
    field: str
    meant: str


def misspelt_fields(uri: str, predicate: Any, where: str) -> tuple[Misspelt, ...]:
    """At most five; none for a type that we do not know. Needs no predicate that passed its check."""
    kind = kind_of(uri)
    return tuple(islice(_misspelt(kind.check, predicate, where), _MAX)) if kind else ()


def _misspelt(check: Check, value: Any, where: str) -> Iterator[Misspelt]:
    """Recurses by what the check is made of, never deeper."""
    known, item = known_fields(check), item_check(check)
    if known and isinstance(value, dict):
        for key, inner in value.items():
            if key in known:
                yield from _misspelt(known[key], inner, f"{where}.{key}")
            elif meant := _nearest(key[:_LONGEST], tuple(known)):
                yield Misspelt(where, key[:_LONGEST], meant)
    elif item and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _misspelt(item, inner, f"{where}[{index}]")


@lru_cache(maxsize=4096)
def _nearest(key: str, known: tuple[str, ...]) -> str:
    """Kept, since a long document has the same few fields very often."""
    return next(iter(get_close_matches(key, known, 1, _ALIKE)), "")
