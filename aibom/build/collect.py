"""Collect facts: every file read once, classified, digested, and asked what it says.

Weights that cannot be read end the build: a BOM must not present a Git LFS stub or a truncated file as the model. So
does an `aibom.toml` that is wrong. Any other file that cannot be understood stays in the account, its problem named.
"""

import re
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from aibom.build.publisher import MAX_BYTES as MAX_PUBLISHER
from aibom.build.publisher import NAME as PUBLISHER_NAME
from aibom.build.publisher import Publisher, parse_publisher
from aibom.build.readers import HEAD, TooLargeError, reader_of
from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.core.layout import is_content
from aibom.core.manifest import FileEntry, Manifest
from aibom.core.progress import Progress
from aibom.formats import detect
from aibom.formats.croissant import Croissant
from aibom.formats.dataset_card import DatasetCard
from aibom.formats.detect import Classification, classify
from aibom.formats.model_card import ModelCard, find_section, is_card_like
from aibom.formats.python_source import PythonSource
from aibom.formats.requirements import WheelMetadata
from aibom.sources.git import Checkout, read_checkout
from aibom.sources.hub_cache import HubSnapshot
from aibom.sources.listing import Listing, list_release, require_safe
from aibom.sources.local import read_release

_USAGE = ("usage", "how to use", "quick start", "quickstart", "getting started")
_USAGE_HEADING = re.compile(rf"^#{{1,6}}[ \t]+(?:{'|'.join(_USAGE)})\b", re.IGNORECASE | re.MULTILINE)
_RUNTIMES = frozenset({"onnxruntime", "tflite_runtime", "llama_cpp", "ctranslate2", "openvino", "coremltools", "vllm"})
_LOADERS = frozenset({"from_pretrained", "pipeline", "torch.jit.load", "joblib.load", "SentenceTransformer"})
_UNREADABLE = "download or export the file again, or leave it out of the release"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedFile:
    """One artifact: its digests, what it is, what it says, and what was wrong with it."""

    entry: FileEntry
    classification: Classification
    fact: object = None
    """What the reader of its format found; one of the facts of `aibom.formats`."""
    problems: tuple[str, ...] = ()
    content_category: str = ""
    """What its content shows it to be, where the publisher says that it is something else."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The category of the file, and what else its content shows it to be."""
        found = {self.classification.category} - {""}
        if isinstance(self.fact, ModelCard) and find_section(self.fact, *_USAGE):
            found.add("docs/usage")
        if isinstance(self.fact, WheelMetadata) and _USAGE_HEADING.search(self.fact.description):
            found.add("docs/usage")
        return tuple(sorted(found))

    @property
    def name(self) -> str:
        """Its name in the release."""
        return self.entry.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """All artifacts of a release, sorted by name, and where they came from."""

    files: tuple[CollectedFile, ...]
    listing: Listing
    manifest: Manifest
    """Every covered file, generated ones included."""
    publisher: Publisher | None = None
    snapshot: HubSnapshot | None = None
    checkout: Checkout | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What looking at one file gave."""

    classification: Classification
    fact: object = None
    problems: tuple[str, ...] = ()
    content_category: str = ""


def collect(
    root: Path,
    *,
    algorithms: tuple[str, ...] = ("sha256",),
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Collection:
    """Read the release at `root`: a folder, a snapshot in a hub cache, or a single file.

    Raises UnsafeEntryError for an entry that no release may hold, and InputError for an empty or unreadable release
    and for weights that cannot be read.
    """
    listing = require_safe(list_release(root), root)
    publisher = _publisher(root, listing)
    stated = _stated_categories(publisher, [name for name, _ in listing.files])
    entries, files = [], []
    inspect = partial(_inspect, stated)
    for file in read_release(
        root, listing.files, inspect=inspect, algorithms=algorithms, executor=executor, progress=progress
    ):
        entries.append(file.entry)
        seen = file.seen
        if isinstance(seen, _Seen):
            files.append(
                CollectedFile(
                    entry=file.entry,
                    classification=seen.classification,
                    fact=seen.fact,
                    problems=seen.problems,
                    content_category=seen.content_category,
                )
            )
    if not files:
        raise InputError("the folder holds nothing but generated files", where=str(root))
    return Collection(
        files=tuple(sorted(files, key=lambda file: file.name)),
        listing=listing,
        manifest=Manifest.of(entries),
        publisher=publisher,
        snapshot=listing.snapshot,
        checkout=read_checkout(root),
    )


def _publisher(root: Path, listing: Listing) -> Publisher | None:
    """Read `aibom.toml` before all else, for what it says of other files. Raises InputError if it is wrong."""
    own = [file for file in listing.files if file[0] == PUBLISHER_NAME]

    def read(name: str, source: ByteSource) -> Publisher:
        return parse_publisher(source.read(0, MAX_PUBLISHER + 1), name)

    found = [file.seen for file in read_release(root, own, inspect=read)]
    return found[0] if found and isinstance(found[0], Publisher) else None


def _inspect(stated: Mapping[str, str], name: str, source: ByteSource) -> _Seen | None:
    """Look at one file. Raises InputError for weights that cannot be read."""
    if not is_content(name):
        return None
    head = source.read(0, HEAD)
    kind = classify(name, source.size, head)
    said = Classification(category=stated.get(name, kind.category), format=kind.format)
    if kind.is_weights != said.is_weights:  # what is stated to be no weights is not read as such; all else is
        kind = said
    if detect.is_lfs_pointer(head, source.size):
        raise InputError(
            "a Git LFS pointer stands where a file should be: the content was never fetched",
            where=name,
            hint="run `git lfs pull` in the checkout, or download the file, then try again",
        )
    if not kind.is_weights and b"PRIVATE KEY-----" in head:
        return _Seen(kind, problems=("holds a private key, which must not be published",))
    seen = _read(name, source, kind, head)
    return _Seen(said, seen.fact, seen.problems, seen.classification.category) if name in stated else seen


def _read(name: str, source: ByteSource, kind: Classification, head: bytes) -> _Seen:
    read = reader_of(name, kind, head)
    if read is None:
        return _Seen(kind, problems=_unread(kind))
    try:
        fact = read(source, name)
    except TooLargeError as error:
        return _Seen(kind, problems=(f"larger than {error.limit} bytes: not read",))
    except InputError as error:
        if kind.is_weights:
            message = f"the weights cannot be read: {error.message}"
            raise InputError(message, where=error.where or name, hint=error.hint or _UNREADABLE) from error
        return _Seen(kind, problems=(f"{error.message} ({error.where})",))
    problems = getattr(fact, "problems", ())
    return _Seen(_by_content(kind, fact), fact, tuple(problems))


def _unread(kind: Classification) -> tuple[str, ...]:
    if kind.is_weights and kind.format in detect.PACKED:
        return (f"packed as {kind.format}: what is inside was not looked at",)
    return ()


def _by_content(kind: Classification, fact: object) -> Classification:
    """Let a card's content decide whether it is a model card, a data card, or only some README."""
    if isinstance(fact, (DatasetCard, Croissant)):
        return Classification(category="docs/data-card", format=kind.format)
    if isinstance(fact, ModelCard) and kind.category == "docs/model-card" and not is_card_like(fact):
        return Classification(category="", format=kind.format)
    if isinstance(fact, PythonSource) and kind.category == "code/other" and _runs_a_model(fact):
        return Classification(category="code/inference", format=kind.format)
    return kind


def _runs_a_model(source: PythonSource) -> bool:
    """Whether code loads a model to use it: by a library that does nothing else, or by a call that loads weights."""
    called = {call.last_name for call in source.calls} | {call.name for call in source.risky_calls}
    return bool(_RUNTIMES & {item.top_level for item in source.imports}) or bool(_LOADERS & called)


def _stated_categories(publisher: Publisher | None, names: list[str]) -> dict[str, str]:
    """Name → category that the publisher states for it. Raises InputError for a pattern that fits no file."""
    chosen: dict[str, str] = {}
    for pattern, category in (publisher.categories if publisher else {}).items():
        fitting = [name for name in names if fnmatchcase(name, pattern)]
        if not fitting:
            raise InputError(
                f"no file of the release fits {pattern!r}",
                where=f"{PUBLISHER_NAME}, categories",
                hint="give the path of a file in the release, or a pattern such as 'docs/*.md'",
            )
        chosen.update(dict.fromkeys(fitting, category))
    return chosen
