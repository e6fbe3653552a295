"""The vocabulary of evidence: categories and facts that a profile may ask for, and their names for people."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from aibom.core.errors import SpecError
from aibom.core.specs import read_spec

_SCHEMA = "aibom-vocabulary/1"


class State(IntEnum):
    """How far a piece of evidence reaches; a check names the least it needs. Unknown and withheld satisfy nothing."""

    ABSENT = 0
    UNKNOWN = 1
    WITHHELD = 2
    DECLARED = 3
    REFERENCED = 4
    PINNED = 5
    VERIFIED = 6

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Identifier → title, for categories and facts together."""

    titles: Mapping[str, str]

    def title(self, identifier: str) -> str:
        """The name for people."""
        return self.titles.get(identifier, identifier)


@cache
def load_vocabulary() -> Vocabulary:
    """Read `specs/vocabulary.toml`. Raises SpecError."""
    try:
        document = tomllib.loads(read_spec("vocabulary.toml").decode("utf-8"))
        if document["schema"] != _SCHEMA:
            raise SpecError(f"expected schema {_SCHEMA}", where="specs/vocabulary.toml")
        return Vocabulary({item["id"]: item["title"] for item in [*document["category"], *document["fact"]]})
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SpecError("not a vocabulary", where="specs/vocabulary.toml") from error
