"""What describes a data set of the release: cards and Croissant descriptions, held against the files they speak of.

A description speaks for the data in its folder. One that lies elsewhere, as in the root of a release, speaks for the
data set whose files it names, or for the only one there is. A digest that differs is a problem of the data set.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import unquote

from aibom.build.account import Dataset, Licence, Setting, Source, Sourced
from aibom.build.collect import CollectedFile
from aibom.build.evidence import facts, setting, sourced
from aibom.build.licensing import licence_from
from aibom.formats.croissant import Croissant, digest_problems, local_name
from aibom.formats.dataset_card import TOPICS, DatasetCard, find_topic
from aibom.formats.table import Table

_LIMIT = 2000


def has_description(file: CollectedFile) -> bool:
    """Whether a file sets a folder apart as a data set of its own: a README without front matter may be any note."""
    fact = file.fact
    return isinstance(fact, Croissant) or (isinstance(fact, DatasetCard) and fact.front_matter)


def described(datasets: Iterable[Dataset], files: tuple[CollectedFile, ...]) -> list[Dataset]:
    """Add what cards and descriptions say, and what the files themselves show."""
    found = {dataset.folder: replace(dataset, settings=tuple(_shapes(dataset.files))) for dataset in datasets}
    owners = {file.name: dataset.folder for dataset in found.values() for file in dataset.files}
    digests = {file.name: file.entry.sha256 for file in files}
    for file, croissant in facts(files, Croissant):
        named = {owners[name] for name in _named(file.name, croissant, digests) if name in owners}
        for folder in _meant(file.name, found, named):
            found[folder] = _with_croissant(found[folder], file.name, croissant, digests)
    for file, card in facts(files, DatasetCard):
        for folder in _meant(file.name, found, set()):
            found[folder] = _with_card(found[folder], file.name, card)
    return list(found.values())


def _meant(file: str, found: Mapping[str, Dataset], named: set[str]) -> list[str]:
    """The folder of the data set that a description is about, as a list of none or one."""
    parts = file.split("/")[:-1]
    above = ("/".join(parts[:depth]) for depth in range(len(parts), -1, -1))
    inside = next((folder for folder in above if folder in found), None)
    if inside is not None and (inside or not parts):
        return [inside]
    if len(named) == 1:
        return list(named)
    below = [folder for folder in found if not parts or folder.startswith(f"{'/'.join(parts)}/")]
    return below if len(found) == 1 else []


def _named(file: str, said: Croissant, digests: Mapping[str, str]) -> Iterator[str]:
    """The files of the release that a description names."""
    folder = file.rpartition("/")[0]
    for name in _beside(file, said, digests):
        yield posixpath.join(folder, name)


def _beside(file: str, said: Croissant, digests: Mapping[str, str]) -> dict[str, str]:
    """Name relative to the description → digest, of the files it names that are there."""
    folder = file.rpartition("/")[0]
    names = {name for item in said.files if (name := local_name(item))}
    names |= {posixpath.normpath(unquote(name)) for name in names} | {item.content_url for item in said.files}
    placed = {name: f"{folder}/{name}" if folder else name for name in names}
    return {name: digests[place] for name, place in placed.items() if place in digests}


def licence_problems(first: tuple[Licence, ...], second: tuple[Licence, ...]) -> tuple[str, ...]:
    """One sentence if two sources name different licences of one data set."""
    if not first or not second or {x.name for x in first} == {x.name for x in second}:
        return ()
    one, other = first[0], second[0]
    return (f"licence: {one.sources[0]} says {one.name}, {other.sources[0]} says {other.name}",)


def _shapes(files: Iterable[CollectedFile]) -> Iterator[Setting]:
    for file, table in facts(files, Table):
        source = Source(file.name, "its own header")
        columns = ", ".join(f"{column.name}: {column.type}" if column.type else column.name for column in table.columns)
        if columns:
            yield Setting(name=f"columns of {file.name}", value=columns[:_LIMIT], sources=(source,))
        if table.rows is not None:
            yield Setting(name=f"rows of {file.name}", value=str(table.rows), sources=(source,))


def _with_croissant(dataset: Dataset, file: str, said: Croissant, digests: Mapping[str, str]) -> Dataset:
    below = _beside(file, said, digests)
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
    problems = licence_problems(dataset.licences, licences)
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
