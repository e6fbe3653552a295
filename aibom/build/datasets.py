"""Data sets: folders of this release, and data sets that cards, configurations and code name.

A folder and a name that mean one data set become one component, named as the card names it. What is said of each lies
in its folder or, where that tells which is meant, beside it. What a data set is used for is told by its files, by the
card, and by the code that loads it: what only an evaluation loads was not trained on.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from aibom.build.account import Dataset, Source, Sourced
from aibom.build.collect import CollectedFile, Collection
from aibom.build.data_descriptions import described, has_description, licence_problems
from aibom.build.evidence import facts, folded, last_part, model_card, sourced
from aibom.build.licensing import licence_from
from aibom.build.publisher import NAME as PUBLISHER
from aibom.build.publisher import DataStatement
from aibom.build.training import trains
from aibom.core.errors import InputError
from aibom.core.names import is_hub_name
from aibom.formats.detect import DATA_FOLDERS
from aibom.formats.python_source import PythonSource

TRAINING, EVALUATION, OTHER = "training", "evaluation", "other"
# Where sources differ on what a data set is used for, the first of these counts.
_USES = (TRAINING, "", EVALUATION, OTHER)
_GENERIC = frozenset({"", "data", "dataset", "datasets", "train", "test"})


@dataclass(frozen=True, slots=True)
class _Named:
    """A data set that somebody names, and what for."""

    name: str
    source: Source
    used_for: str
    revision: Sourced | None = None


def datasets_of(collection: Collection, own: tuple[CollectedFile, ...]) -> tuple[tuple[Dataset, ...], list[str]]:
    """(Data sets: those of the release first, by folder; conflicts). `own` are the files that speak for the model."""
    files, mine = collection.files, frozenset(file.name for file in own)
    local = described(_folders(files, mine), files)
    by_name: dict[str, list[_Named]] = defaultdict(list)
    for item in _named(files, own, mine):
        by_name[item.name].append(item)
    meant: dict[str, list[str]] = defaultdict(list)
    for name in by_name:
        meant[folded(last_part(name))].append(name)
    merged = []
    for dataset in local:
        name = _meant(dataset, meant, by_name)
        merged.append(_joined(dataset, by_name.pop(name, [])))
    found = [*merged, *(_external(name, items) for name, items in by_name.items())]
    stated = _stated(found, collection.publisher.data if collection.publisher else ())
    conflicts = [f"{problem} ({dataset.name})" for dataset in stated for problem in dataset.problems]
    return tuple(stated), conflicts


def _folders(files: Iterable[CollectedFile], mine: frozenset[str]) -> Iterator[Dataset]:
    listed = list(files)
    described_folders = {file.name.rpartition("/")[0] for file in listed if has_description(file)}
    folders: dict[str, list[CollectedFile]] = defaultdict(list)
    for file in listed:
        if file.classification.category.startswith("data/"):
            folders[dataset_folder(file.name, described_folders)].append(file)
    for folder, members in sorted(folders.items()):
        yield Dataset(
            name=folder or "data files",
            ref=f"data:{folder or '.'}",
            folder=folder,
            files=tuple(members),
            used_for=min((_use_of(file, mine) for file in members), key=_USES.index),
        )


def _use_of(file: CollectedFile, mine: frozenset[str]) -> str:
    """What a file, or what the code in it loads, is used for, by its category."""
    if file.name not in mine:
        return OTHER
    return {
        "data/training": TRAINING,
        "data/evaluation": EVALUATION,
        "code/training": TRAINING,
        "code/preprocessing": TRAINING,
        "code/evaluation": EVALUATION,
    }.get(file.classification.category, "")


def dataset_folder(name: str, described_folders: Iterable[str] = ()) -> str:
    """The folder that stands for the data set: the deepest that a description lies in, else down to the first that is
    called data, else the file's own. The root describes what lies in no other such folder."""
    parts = name.split("/")[:-1]
    known = described_folders if isinstance(described_folders, (set, frozenset)) else set(described_folders)
    for depth in range(len(parts), 0, -1):
        if "/".join(parts[:depth]) in known:
            return "/".join(parts[:depth])
    for depth, part in enumerate(parts):
        if part.lower() in DATA_FOLDERS:
            return "/".join(parts[: depth + 1])
    return "/".join(parts)


def _named(files: tuple[CollectedFile, ...], own: tuple[CollectedFile, ...], mine: frozenset[str]) -> Iterator[_Named]:
    """Data sets named by the card, by results that were measured on a revision of them, and by code."""
    yield from _named_by_card(own)
    for file, source in facts(files, PythonSource):
        trained = TRAINING if file.name in mine and trains(file, source) else _use_of(file, mine)
        for dataset in source.datasets:
            if is_hub_name(dataset.name):
                revision = sourced(dataset.revision, file.name, f"line {dataset.line}")
                yield _Named(dataset.name, Source(file.name, f"line {dataset.line}"), trained, revision)


def _named_by_card(own: tuple[CollectedFile, ...]) -> Iterator[_Named]:
    card = model_card(own)
    if card is None:
        return
    revisions = {}
    for metric in card[1].metrics:
        item = metric.measurement
        if item and item.revision:
            place = item.source_field.replace("metrics", "dataset.revision")
            revisions[item.dataset_id or item.dataset] = Sourced(item.revision, Source(card[0], place))
    for name in card[1].datasets:
        yield _Named(name, Source(card[0], "front matter, datasets"), TRAINING, revisions.get(name))


def _meant(dataset: Dataset, meant: dict[str, list[str]], left: dict[str, list[_Named]]) -> str:
    """The name that means a folder: by the names its card or description gives it, or by the folder's own."""
    own = {dataset.name, last_part(dataset.folder), *(item.value for item in dataset.settings if item.name == "title")}
    names = (name for text in sorted({folded(text) for text in own} - _GENERIC) for name in meant.get(text, ()))
    return next((name for name in names if name in left), "")


def _joined(dataset: Dataset, same: list[_Named]) -> Dataset:
    if not same:
        return dataset
    sources = tuple(dict.fromkeys([item.source for item in same] + list(dataset.declared_in)))
    used_for = min((dataset.used_for, *(item.used_for for item in same)), key=_USES.index)
    return replace(dataset, name=same[0].name, declared_in=sources, used_for=used_for)


def _external(name: str, items: list[_Named]) -> Dataset:
    return Dataset(
        name=name,
        ref=f"data-named:{name}",
        declared_in=tuple(dict.fromkeys(item.source for item in items)),
        version=next((item.revision for item in items if item.revision), None),
        used_for=min((item.used_for for item in items), key=_USES.index),
    )


def _stated(datasets: list[Dataset], statements: Iterable[DataStatement]) -> list[Dataset]:
    """Put in what the publisher says. Raises InputError for a statement about a data set that nothing names."""
    found = list(datasets)
    for number, said in enumerate(statements):
        where = f"data[{number}]"
        place = next((i for i, item in enumerate(found) if said.name in {item.name, item.folder}), None)
        if place is None:
            known = ", ".join(sorted(item.name for item in found)) or "none"
            raise InputError(
                f"no data set is called {said.name!r}", where=f"{PUBLISHER}, {where}.name", hint=f"known here: {known}"
            )
        found[place] = _with_statement(found[place], said, where)
    return found


def _with_statement(dataset: Dataset, said: DataStatement, where: str) -> Dataset:
    def one(field: str) -> Sourced | None:
        return sourced(getattr(said, field), PUBLISHER, f"{where}.{field}")

    def several(field: str, known: tuple[Sourced, ...]) -> tuple[Sourced, ...]:
        fact = one(field)
        return (fact,) if fact else known

    sensitive = tuple(Sourced(text, Source(PUBLISHER, f"{where}.sensitive")) for text in said.sensitive)
    licences = licence_from(said.license, Source(PUBLISHER, f"{where}.license")) if said.license else ()
    return replace(
        dataset,
        version=one("version") or dataset.version,
        licences=licences or dataset.licences,
        producer=dataset.producer or one("owner"),
        description=one("description") or dataset.description,
        url=one("url") or dataset.url,
        classification=one("classification") or dataset.classification,
        owners=several("owner", dataset.owners),
        custodians=several("custodian", dataset.custodians),
        stewards=several("steward", dataset.stewards),
        sensitive=sensitive or dataset.sensitive,
        problems=(*dataset.problems, *licence_problems(licences, dataset.licences)),
    )
