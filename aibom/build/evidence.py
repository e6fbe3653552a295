"""What the files say, by kind of fact, and which of them speak for the model that the release is about.

The shallowest file comes first, so that the root speaks before its sub-folders. What people write about a model lies in
the root or beside its weights; what lies elsewhere is about what lies there: an adapter, another model, an example.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

from aibom.build.account import Setting, Source, Sourced
from aibom.build.collect import CollectedFile
from aibom.formats.detect import WEIGHTS
from aibom.formats.model_card import ModelCard

T = TypeVar("T")
# Folders of what is not the release's own, or only shows or tests how something is used.
_ASIDE = frozenset({
    "third_party", "third-party", "thirdparty", "vendor", "vendored", "external", "node_modules", "submodules",
    "examples", "example", "tests", "test_fixtures", "fixtures",
})  # fmt: skip
_EXPORTS = frozenset({"gguf", "onnx", "tflite", "executorch"})


def facts(files: Iterable[CollectedFile], kind: type[T]) -> Iterator[tuple[CollectedFile, T]]:
    """Files with a fact of this kind: the shallowest first, then by name."""
    chosen = [(file, file.fact) for file in files if isinstance(file.fact, kind)]
    chosen.sort(key=lambda pair: (pair[0].name.count("/"), pair[0].name))
    yield from chosen


def first(files: Iterable[CollectedFile], kind: type[T]) -> tuple[str, T] | None:
    """The first of `facts`, with the name of its file."""
    return next(((file.name, fact) for file, fact in facts(files, kind)), None)


def model_card(files: Iterable[CollectedFile]) -> tuple[str, ModelCard] | None:
    """The card that describes the release's model: the shallowest of those that lie where it is spoken of."""
    listed = tuple(files)
    cards = (f for f in listed if "docs/model-card" in {f.classification.category, f.content_category})
    return first(beside_model(cards, main_folder(listed)), ModelCard)


def main_folder(files: Iterable[CollectedFile]) -> str:
    """The deepest folder that holds all weights of the main model: native ones if there are any, else what there is."""
    weights = [file for file in files if file.classification.is_weights]
    whole = [file for file in weights if file.classification.category == WEIGHTS]
    native = [file for file in whole if file.classification.format not in _EXPORTS]
    return common_folder(file.name for file in native or whole or weights)


def common_folder(names: Iterable[str]) -> str:
    """The deepest folder that holds all files of these names; empty for the root."""
    folders = [name.split("/")[:-1] for name in names]
    common = folders[0] if folders else []
    for folder in folders[1:]:
        same = [a == b for a, b in zip(common, folder, strict=False)]
        common = common[: same.index(False) if False in same else len(same)]
    return "/".join(common)


def beside_model(files: Iterable[CollectedFile], folder: str) -> tuple[CollectedFile, ...]:
    """The files that lie in the folder of the main model, or in one above it. A name other than README is no accident:
    somebody said that such a file is the card, wherever it lies."""
    return tuple(file for file in files if _is_beside(file, folder))


def _is_beside(file: CollectedFile, folder: str) -> bool:
    own, _, base = file.name.rpartition("/")
    stated = file.classification.category == "docs/model-card" and base.lower() != "readme.md"
    return not own or stated or f"{folder}/".startswith(f"{own}/")


def own_files(files: Iterable[CollectedFile], others: Collection[str]) -> tuple[CollectedFile, ...]:
    """The files that may speak for the main model: none from the folders of other models, of examples, of others' code.

    `others` are the folders of adapters and checkpoints. The main model's own folder may be called anything.
    """
    listed, kept = tuple(files), set(others)
    depth = main_folder(listed).split("/")
    return tuple(file for file in listed if not _is_aside(file.name.split("/")[:-1], depth, kept))


def _is_aside(folders: list[str], own: list[str], others: set[str]) -> bool:
    foreign = [part for place, part in enumerate(folders) if own[place : place + 1] != [part]]
    if any(part.lower() in _ASIDE for part in foreign):
        return True
    return bool(others) and any("/".join(folders[: depth + 1]) in others for depth in range(len(folders)))


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


def is_path(name: str) -> bool:
    """Whether a name can only be a path on somebody's disk."""
    return name.startswith((".", "/", "~")) or "\\" in name or name.endswith("/") or name.count("/") > 1
