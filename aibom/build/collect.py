"""Collect facts: every file read once, classified, digested, and asked what it says.

Weights that cannot be read end the build: a BOM must not present a Git LFS stub or a truncated file as the model.
Any other file that cannot be understood stays in the account, with its problem named.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from aibom.core.errors import InputError
from aibom.core.layout import is_content
from aibom.core.manifest import FileEntry, Manifest
from aibom.core.progress import Progress
from aibom.formats import detect, safetensors, weights_index
from aibom.formats.detect import Classification, classify
from aibom.formats.licences import recognise_text
from aibom.formats.model_card import ModelCard, find_section, is_card_like, parse_model_card
from aibom.formats.model_config import ModelConfig, parse_model_config
from aibom.formats.requirements import (
    Dependency,
    WheelMetadata,
    is_requirements_file,
    is_wheel_metadata,
    parse_requirements,
    parse_wheel_metadata,
)
from aibom.formats.safetensors import SafetensorsHeader, parse_safetensors
from aibom.formats.weights_index import WeightsIndex, parse_weights_index
from aibom.sources.local import Listing, ReadFile, list_release, read_release, require_safe

_SMALL = 16 * 1024 * 1024
_TEXT = 64 * 1024
_HEAD = 4096
_USAGE = ("usage", "how to use", "quick start", "quickstart", "getting started")


@dataclass(frozen=True, slots=True)
class LicenceText:
    """A licence file and the SPDX identifier of its text, or empty."""

    identifier: str


@dataclass(frozen=True, slots=True)
class Declared:
    """The dependencies that a requirements file declares."""

    dependencies: tuple[Dependency, ...]


Fact = SafetensorsHeader | WeightsIndex | ModelCard | ModelConfig | WheelMetadata | Declared | LicenceText


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedFile:
    """One artifact: its digests, what it is, what it says, and what was wrong with it."""

    entry: FileEntry
    classification: Classification
    fact: Fact | None = None
    problems: tuple[str, ...] = ()

    @property
    def categories(self) -> tuple[str, ...]:
        """The category of the file, and what else its content shows it to be."""
        found = {self.classification.category} - {""}
        if isinstance(self.fact, ModelCard) and find_section(self.fact, *_USAGE):
            found.add("docs/usage")
        return tuple(sorted(found))

    @property
    def name(self) -> str:
        """Its name in the release."""
        return self.entry.name


@dataclass(frozen=True, slots=True)
class Collection:
    """All artifacts of a release, sorted by name, and the listing they came from."""

    files: tuple[CollectedFile, ...]
    listing: Listing
    manifest: Manifest
    """Every covered file, generated ones included."""


def collect(
    root: Path,
    *,
    algorithms: tuple[str, ...] = ("sha256",),
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Collection:
    """Read the release in `root`.

    Raises UnsafeEntryError for an entry that no release may hold, and InputError for an empty or unreadable release
    and for weights that cannot be read.
    """
    listing = require_safe(list_release(root), root)
    read = read_release(root, listing.files, retain=retain, algorithms=algorithms, executor=executor, progress=progress)
    entries, content = [], []
    for file in read:
        entries.append(file.entry)
        if is_content(file.entry.name):
            content.append(_inspect(file))
    if not content:
        raise InputError("the folder holds nothing but generated files", where=str(root))
    content.sort(key=lambda file: file.name)
    return Collection(tuple(content), listing, Manifest.of(entries))


def retain(name: str, size: int, head: bytes) -> int:
    """How many leading bytes the readers below need of a file."""
    kind = classify(name, size, head)
    if kind.is_weights:
        end = safetensors.header_end(head, size) if "safetensors" in detect.expected_formats(name) else 0
        return end or _HEAD
    if kind.category == "docs/license":
        return _TEXT
    return _SMALL if _reader(name, kind) else _HEAD


def _inspect(file: ReadFile) -> CollectedFile:
    entry, head = file.entry, file.kept[:_HEAD]
    kind = classify(entry.name, entry.size, head)
    if kind.is_weights or detect.is_lfs_pointer(head, entry.size):
        return CollectedFile(entry=entry, classification=kind, fact=_weights(file, kind))
    reader = _reader(entry.name, kind)
    if b"PRIVATE KEY-----" in head:
        return CollectedFile(
            entry=entry, classification=kind, problems=("holds a private key, which must not be published",)
        )
    if reader is None:
        return CollectedFile(entry=entry, classification=kind)
    if entry.size > len(file.kept) and reader is not _read_licence:  # a licence tells by its beginning
        return CollectedFile(entry=entry, classification=kind, problems=(f"larger than {_SMALL} bytes: not read",))
    try:
        fact, problems = reader(file.kept, entry.name)
    except InputError as error:
        return CollectedFile(entry=entry, classification=kind, problems=(f"{error.message} ({error.where})",))
    return CollectedFile(entry=entry, classification=_by_content(kind, fact), fact=fact, problems=problems)


def _weights(file: ReadFile, kind: Classification) -> SafetensorsHeader | None:
    name, size = file.entry.name, file.entry.size
    if detect.is_lfs_pointer(file.kept, size):
        raise InputError(
            "a Git LFS pointer stands where a file should be: the content was never fetched",
            where=name,
            hint="run `git lfs pull` in the checkout, or download the file, then try again",
        )
    if "safetensors" in detect.expected_formats(name) or kind.format == "safetensors":
        return parse_safetensors(file.kept, size, name)
    expected = detect.expected_formats(name)
    if kind.format not in expected and name.lower().endswith(tuple(detect.WEIGHT_FORMATS)):
        raise InputError(
            f"not readable as weights: expected {' or '.join(expected)}, found {kind.format or 'unknown bytes'}",
            where=f"{name}, byte 0",
            hint="download or export the file again, or leave it out of the release",
        )
    return None


_Reader = Callable[[bytes, str], tuple[Fact, tuple[str, ...]]]


def _reader(name: str, kind: Classification) -> _Reader | None:
    base = name.rsplit("/", 1)[-1]
    if base.endswith(weights_index.INDEX_SUFFIX):
        return _read_index
    if base == "config.json":
        return _read_config
    if is_wheel_metadata(name):
        return _read_wheel
    if is_requirements_file(name):
        return _read_requirements
    if kind.category == "docs/license":
        return _read_licence
    if kind.category in {"docs/model-card", "docs/data-card"} and base.lower().endswith(".md"):
        return _read_card
    return None


def _read_index(data: bytes, name: str) -> tuple[Fact, tuple[str, ...]]:
    return parse_weights_index(data, name), ()


def _read_config(data: bytes, name: str) -> tuple[Fact, tuple[str, ...]]:
    return parse_model_config(data, name), ()


def _read_wheel(data: bytes, name: str) -> tuple[Fact, tuple[str, ...]]:
    return parse_wheel_metadata(data, name), ()


def _read_requirements(data: bytes, name: str) -> tuple[Fact, tuple[str, ...]]:
    dependencies, problems = parse_requirements(data, name)
    return Declared(dependencies), problems


def _read_licence(data: bytes, name: str) -> tuple[Fact, tuple[str, ...]]:
    return LicenceText(recognise_text(data)), ()


def _read_card(data: bytes, name: str) -> tuple[Fact, tuple[str, ...]]:
    return parse_model_card(data, name), ()


def _by_content(kind: Classification, fact: Fact) -> Classification:
    """Let a card's content decide whether it is a model card, a data card, or only some README."""
    if not isinstance(fact, ModelCard):
        return kind
    if fact.describes_dataset:
        return Classification(category="docs/data-card", format=kind.format)
    if kind.category == "docs/model-card" and not is_card_like(fact):
        return Classification(category="", format=kind.format)
    return kind
