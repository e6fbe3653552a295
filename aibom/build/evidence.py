"""What the files say, by kind of fact: the shallowest file first, so that the root speaks before its sub-folders."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from aibom.build.account import Setting, Source, Sourced
from aibom.build.collect import CollectedFile
from aibom.formats.model_card import ModelCard

T = TypeVar("T")


def facts(files: Iterable[CollectedFile], kind: type[T]) -> Iterator[tuple[CollectedFile, T]]:
    """Files with a fact of this kind: the shallowest first, then by name."""
    chosen = [(file, file.fact) for file in files if isinstance(file.fact, kind)]
    chosen.sort(key=lambda pair: (pair[0].name.count("/"), pair[0].name))
    yield from chosen


def first(files: Iterable[CollectedFile], kind: type[T]) -> tuple[str, T] | None:
    """The first of `facts`, with the name of its file."""
    return next(((file.name, fact) for file, fact in facts(files, kind)), None)


def model_card(files: Iterable[CollectedFile]) -> tuple[str, ModelCard] | None:
    """The card that describes the release's model: the shallowest."""
    return first((file for file in files if file.classification.category == "docs/model-card"), ModelCard)


def sourced(value: object, file: str, place: str = "") -> Sourced | None:
    """A value with its source; None if there is no value."""
    text = str(value).strip() if value not in (None, "") else ""
    return Sourced(text, Source(file, place)) if text else None


def setting(name: str, value: object, file: str, place: str = "") -> list[Setting]:
    """A named value with its source, as a list of none or one."""
    found = sourced(value, file, place)
    return [Setting(name=name, value=found.value, sources=(found.source,))] if found else []


def folded(text: str) -> str:
    """A name without what spellings differ in: "Sentimind Small v2" and "sentimind-small-v2" are one."""
    return "".join(character for character in text.lower() if character.isalnum())


def last_part(name: str) -> str:
    """The name of a hub's repository without its owner."""
    return name.rstrip("/").rpartition("/")[2]
