"""Data sets: folders of this release, and data sets that cards, configurations and code name.

A folder and a name that mean one data set become one component, named as the card names it. A Croissant description is
held against the files: a digest that differs is a problem of the data set and is reported for the release.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from aibom.build.account import Dataset, Licence, Setting, Source, Sourced
from aibom.build.collect import CollectedFile, Collection
from aibom.build.evidence import facts, folded, last_part, model_card, setting, sourced
from aibom.build.licensing import licence_from
from aibom.build.publisher import NAME as PUBLISHER
from aibom.build.publisher import DataStatement
from aibom.core.errors import InputError
from aibom.formats.croissant import Croissant, digest_problems
from aibom.formats.dataset_card import TOPICS, DatasetCard, find_topic
from aibom.formats.detect import DATA_FOLDERS
from aibom.formats.python_source import PythonSource
from aibom.formats.table import Table

_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class _Named:
    """A data set that somebody names."""

    name: str
    source: Source
    revision: Sourced | None = None


def datasets_of(collection: Collection) -> tuple[tuple[Dataset, ...], list[str]]:
    """(Data sets: those of the release first, by folder; conflicts)."""
    files = collection.files
    local = [_described(dataset, files) for dataset in _folders(files)]
    named = list(_named(files))
    merged: list[Dataset] = []
    taken: set[str] = set()
    for dataset in local:
        meant = next((item.name for item in named if item.name not in taken and _means(dataset, item.name)), "")
        same = [item for item in named if item.name == meant]
        taken.update(item.name for item in same)
        merged.append(_joined(dataset, same))
    external: dict[str, list[_Named]] = defaultdict(list)
    for item in named:
        if item.name not in taken:
            external[item.name].append(item)
    found = [*merged, *(_external(name, items) for name, items in external.items())]
    conflicts = [f"{problem} ({dataset.name})" for dataset in found for problem in dataset.problems]
    return tuple(_stated(found, collection.publisher.data if collection.publisher else ())), conflicts


def _folders(files: Iterable[CollectedFile]) -> Iterator[Dataset]:
    folders: dict[str, list[CollectedFile]] = defaultdict(list)
    for file in files:
        if file.classification.category.startswith("data/"):
            folders[dataset_folder(file.name)].append(file)
    for folder, members in sorted(folders.items()):
        yield Dataset(name=folder or "data files", ref=f"data:{folder or '.'}", folder=folder, files=tuple(members))


def dataset_folder(name: str) -> str:
    """The folder that stands for the data set: down to the first that is called data, else the file's own."""
    parts = name.split("/")[:-1]
    for depth, part in enumerate(parts):
        if part.lower() in DATA_FOLDERS:
            return "/".join(parts[: depth + 1])
    return "/".join(parts)


def _named(files: tuple[CollectedFile, ...]) -> Iterator[_Named]:
    """Data sets named by the card, by results that were measured on a revision of them, and by code."""
    card = model_card(files)
    revisions = {}
    for metric in card[1].metrics if card else ():
        item = metric.measurement
        if item and item.revision:
            revisions[item.dataset_id or item.dataset] = Sourced(
                item.revision, Source(card[0] if card else "", item.source_field.replace("metrics", "dataset.revision"))
            )
    for name in card[1].datasets if card else ():
        yield _Named(name, Source(card[0] if card else "", "front matter, datasets"), revisions.get(name))
    for file, source in facts(files, PythonSource):
        for dataset in source.datasets:
            if "/" in dataset.name and not dataset.name.startswith((".", "/", "~")) and dataset.name.count("/") == 1:
                revision = sourced(dataset.revision, file.name, f"line {dataset.line}")
                yield _Named(dataset.name, Source(file.name, f"line {dataset.line}"), revision)


def _means(dataset: Dataset, name: str) -> bool:
    """Whether a name means a folder: by the names its card or description gives it, or by the folder's own."""
    own = {dataset.name, last_part(dataset.folder), *(item.value for item in dataset.settings if item.name == "title")}
    plain = {folded(text) for text in own if text} - {"data", "dataset", "datasets", "train", "test"}
    return folded(last_part(name)) in plain


def _joined(dataset: Dataset, same: list[_Named]) -> Dataset:
    if not same:
        return dataset
    sources = tuple(dict.fromkeys([item.source for item in same] + list(dataset.declared_in)))
    return replace(dataset, name=same[0].name, declared_in=sources)


def _external(name: str, items: list[_Named]) -> Dataset:
    return Dataset(
        name=name,
        ref=f"data-named:{name}",
        declared_in=tuple(dict.fromkeys(item.source for item in items)),
        version=next((item.revision for item in items if item.revision), None),
    )


def _described(dataset: Dataset, files: tuple[CollectedFile, ...]) -> Dataset:
    """Add what a card and a Croissant description in the folder say, and what the files themselves show."""
    inside = [f for f in files if dataset.folder and (f.name.startswith(f"{dataset.folder}/"))] or list(dataset.files)
    dataset = replace(dataset, settings=tuple(_shapes(dataset.files)))
    for file, croissant in facts(inside, Croissant):
        dataset = _with_croissant(dataset, file.name, croissant, files)
    for file, card in facts(inside, DatasetCard):
        dataset = _with_card(dataset, file.name, card)
    return dataset


def _shapes(files: Iterable[CollectedFile]) -> Iterator[Setting]:
    for file, table in facts(files, Table):
        source = Source(file.name, "its own header")
        columns = ", ".join(f"{column.name}: {column.type}" if column.type else column.name for column in table.columns)
        if columns:
            yield Setting(name=f"columns of {file.name}", value=columns[:_LIMIT], sources=(source,))
        if table.rows is not None:
            yield Setting(name=f"rows of {file.name}", value=str(table.rows), sources=(source,))


def _with_croissant(dataset: Dataset, file: str, said: Croissant, files: Iterable[CollectedFile]) -> Dataset:
    folder = file.rpartition("/")[0]
    below = {f.name.removeprefix(f"{folder}/") if folder else f.name: f.entry.sha256 for f in files}
    problems = tuple(f"{file}: {problem}" for problem in digest_problems(said, below))
    creators = tuple(Sourced(agent.name, Source(file, "creator")) for agent in said.creators if agent.name)
    publishers = tuple(Sourced(agent.name, Source(file, "publisher")) for agent in said.publishers if agent.name)
    sensitive = said.rai.get("personalSensitiveInformation", ())
    licences: tuple[Licence, ...] = tuple(
        licence for text in said.licenses for licence in licence_from(text, Source(file, "license"))
    )
    checked = [item for item in said.files if item.sha256 and item.content_url in below]
    settings = [
        *setting("title", said.name, file, "name"),
        *setting("conforms-to", ", ".join(said.conforms_to), file, "conformsTo"),
        *setting("digests-checked", len(checked) or "", file, "distribution, sha256"),
        *setting("published", said.date_published, file, "datePublished"),
        *setting("citation", said.citation[:_LIMIT], file, "citeAs"),
        *(item for name, texts in said.rai.items() for item in setting(name, "; ".join(texts), file, f"rai:{name}")),
    ]
    return replace(
        dataset,
        name=said.name or dataset.name,
        declared_in=(*dataset.declared_in, Source(file, "name")) if said.name else dataset.declared_in,
        version=sourced(said.version, file, "version") or dataset.version,
        producer=next(iter((*creators, *publishers)), dataset.producer),
        description=sourced(said.description[:_LIMIT], file, "description") or dataset.description,
        licences=licences or dataset.licences,
        url=sourced(said.url, file, "url") or dataset.url,
        owners=publishers or creators or dataset.owners,
        sensitive=tuple(Sourced(text, Source(file, "rai:personalSensitiveInformation")) for text in sensitive),
        settings=(*dataset.settings, *settings),
        problems=(*dataset.problems, *problems),
    )


def _with_card(dataset: Dataset, file: str, card: DatasetCard) -> Dataset:
    """Fill in what the description did not say; a second licence that differs is a problem."""
    licences = tuple(
        licence
        for text in (card.licenses or ((card.license_name,) if card.license_name else ()))
        for licence in licence_from(text, Source(file, "front matter, license"), card.license_link)
    )
    differs = dataset.licences and licences and {x.name for x in dataset.licences} != {x.name for x in licences}
    problems = (
        (f"licence: {dataset.licences[0].sources[0]} says {dataset.licences[0].name}, {file} says {licences[0].name}",)
        if differs
        else ()
    )
    topics = [item for topic in TOPICS for item in setting(topic, find_topic(card, topic)[:_LIMIT], file, topic)]
    title = card.pretty_name or card.title
    settings = [
        *setting("title", title, file, "pretty_name" if card.pretty_name else "first heading"),
        *setting("languages", ", ".join(card.languages), file, "front matter, language"),
        *setting("size", ", ".join(card.size_categories), file, "front matter, size_categories"),
        *setting("source-datasets", ", ".join(card.source_datasets), file, "front matter, source_datasets"),
        *topics,
    ]
    curators = tuple(Sourced(name, Source(file, "curators")) for name in card.curators)
    same = tuple(_merged_licence(known, licences) for known in dataset.licences)
    return replace(
        dataset,
        name=dataset.name if dataset.declared_in else (title or dataset.name),
        declared_in=dataset.declared_in or ((Source(file, "name"),) if title else ()),
        licences=same or licences,
        stewards=curators or dataset.stewards,
        producer=dataset.producer or next(iter(curators), None),
        settings=(*dataset.settings, *settings),
        problems=(*dataset.problems, *problems),
    )


def _merged_licence(known: Licence, others: tuple[Licence, ...]) -> Licence:
    agreeing = [source for other in others if other.name == known.name for source in other.sources]
    return replace(known, sources=(*known.sources, *agreeing))


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
    )
