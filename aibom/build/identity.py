"""Who the model, the release and its code are. A fine-tune is never taken for its base model.

`_name_or_path` of a configuration is where training started, not who the model is. What a package's metadata says is
about the package: its version and author become the model's only where the model has no other name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from aibom.build.account import Identity, Source, Sourced
from aibom.build.collect import CollectedFile, Collection
from aibom.build.evidence import beside_model, facts, first, folded, last_part, main_folder, model_card, sourced
from aibom.build.hub_names import hub_of
from aibom.build.licensing import Licensing
from aibom.build.publisher import NAME as PUBLISHER
from aibom.build.publisher import Publisher
from aibom.formats.citation_file import CitationFile
from aibom.formats.gguf import GgufHeader
from aibom.formats.model_card import ModelCard
from aibom.formats.pyproject import Pyproject
from aibom.formats.requirements import WheelMetadata
from aibom.formats.safetensors import SafetensorsHeader

UNNAMED = "unnamed-model"
# "Model Card for X" and "X model card" are titles of the card; the model is X.
_TITLE = re.compile(r"^(?:model[ -]?card(?: for| of|:| [-–—])?|readme)\b:?|\bmodel[ -]?card$", re.IGNORECASE)
_TELLING = 4
_GENERIC = ("model", "weight", "checkpoint", "best", "final", "last", "epoch", "network", "quant", "state", "param")
_NAMELESS = Sourced(UNNAMED, Source("(none)", "no file of the release names the model"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """The three identities of a release, and where sources disagree on them."""

    model: Identity
    release: Identity
    code: Identity
    conflicts: tuple[str, ...]


def identify(collection: Collection, main: tuple[CollectedFile, ...], licensing: Licensing) -> Identities:
    """Put together who is who. `main` are the files of the main model."""
    files, said = collection.files, collection.publisher or Publisher()
    card = model_card(files)
    package = _package(files)
    own = _own_name(collection, main, card) or (_file_name(main, package.name.value) if package else None)
    name = _said(said, "model", "name") or own or (package.name if package else None) or _NAMELESS
    versions = list(_versions(files, said, card, name.value))
    producer = _producer(files, main, said, card) or (package.producer if package and not own else None)
    model = Identity(
        name=name,
        version=versions[0] if versions else (package.version if package and not own else None),
        producer=producer,
        description=_said(said, "model", "description") or _description(card),
        hub=hub_of(collection, main, name.value),
        commit=_commit(collection),
        licences=licensing.model,
    )
    release = _release(said, package, model, licensing, is_wheel=first(files, WheelMetadata) is not None)
    code = _code(package, release, licensing)
    told = [*versions, *([package.version] if package and package.version else [])]
    conflicts = (*_disagreements("version", told), *_other_task(said, card))
    return Identities(model=model, release=release, code=code, conflicts=conflicts)


def _said(publisher: Publisher, section: str, key: str) -> Sourced | None:
    values = publisher.model if section == "model" else publisher.release
    return sourced(values.get(key), PUBLISHER, f"{section}.{key}")


def _release(
    said: Publisher, package: Identity | None, model: Identity, licensing: Licensing, *, is_wheel: bool
) -> Identity:
    """A wheel is a package of its own; any other release is named as its model."""
    base = package if package and is_wheel else replace(model, hub=None, commit=None)
    author = package.producer if package else None
    supplier = None if is_wheel else author  # who wrote a package is not always who packed and published it
    return replace(
        base,
        name=_said(said, "release", "name") or base.name,
        version=_said(said, "release", "version") or base.version or (package.version if package else None),
        producer=_said(said, "release", "manufacturer") or base.producer or author,
        supplier=_said(said, "release", "supplier") or supplier,
        description=_said(said, "release", "description") or base.description,
        copyright=_said(said, "release", "copyright"),
        licences=licensing.release,
    )


def _code(package: Identity | None, release: Identity, licensing: Licensing) -> Identity:
    if package and package.name.value != release.name.value:
        return replace(package, licences=licensing.code, supplier=None)
    name = Sourced(f"{release.name.value} code", release.name.source)
    return replace(release, name=name, licences=licensing.code, description=None, supplier=None, copyright=None)


def _package(files: tuple[CollectedFile, ...]) -> Identity | None:
    wheel = first(files, WheelMetadata)
    if wheel:
        name, content = wheel
        return Identity(
            name=Sourced(content.name, Source(name, "Name")),
            version=Sourced(content.version, Source(name, "Version")),
            producer=sourced(content.author, name, content.author_field),
            description=sourced(content.summary, name, "Summary"),
        )
    project = next(((f.name, p) for f, p in facts(files, Pyproject) if p.name), None)
    if project is None:
        return None
    file, found = project
    return Identity(
        name=Sourced(found.name, Source(file, "name")),
        version=sourced(found.version, file, "version"),
        producer=sourced(", ".join(author.name for author in found.authors if author.name), file, "authors"),
        description=sourced(found.description, file, "description"),
    )


def _own_name(
    collection: Collection, main: tuple[CollectedFile, ...], card: tuple[str, ModelCard] | None
) -> Sourced | None:
    """The name that the card, the weights or a hub give the model; a folder's name is nobody's statement."""
    if card and card[1].name:
        return Sourced(card[1].name, Source(card[0], "front matter, model-index"))
    for file, header in facts(main, SafetensorsHeader):
        if header.metadata.get("model_name"):
            return Sourced(header.metadata["model_name"], Source(file.name, "__metadata__, model_name"))
    if collection.snapshot:
        return Sourced(last_part(collection.snapshot.repository), Source("hub cache", "name of the repository"))
    title = _TITLE.sub("", card[1].title).strip() if card else ""
    if card and title:
        return Sourced(title, Source(card[0], "first heading"))
    converted = first(main, GgufHeader)
    return sourced(converted[1].name, converted[0], "general.name") if converted else _agreed_name(collection, main)


def _agreed_name(collection: Collection, main: tuple[CollectedFile, ...]) -> Sourced | None:
    """The name that all conversions agree on, where nothing else is there that could have another."""
    if any(file.classification.is_weights for file in main):
        return None
    headers = list(facts((file for file in collection.files if file.classification.is_weights), GgufHeader))
    if len({folded(header.name) for _, header in headers}) != 1:
        return None
    return sourced(headers[0][1].name, headers[0][0].name, "general.name")


def _file_name(main: tuple[CollectedFile, ...], package: str) -> Sourced | None:
    """The name of the one weights file of a package, if it tells of something else than the package."""
    weights = [file.name for file in main if file.classification.is_weights]
    stem = last_part(weights[0]).partition(".")[0] if len(weights) == 1 else ""
    plain, owner = folded(stem), folded(package)
    if len(re.sub(r"[^a-z]", "", plain)) < _TELLING or any(word in plain for word in _GENERIC):
        return None
    related = (
        plain in owner or owner in plain or any(folded(w) in plain for w in re.split(r"\W|_", package) if len(w) > 3)
    )
    return None if related else Sourced(stem, Source(weights[0], "its own name; the package is called otherwise"))


def _versions(
    files: tuple[CollectedFile, ...], said: Publisher, card: tuple[str, ModelCard] | None, name: str
) -> Iterator[Sourced]:
    """Who states a version of the model, the publisher first; a citation only if it is of this model."""
    stated = [_said(said, "model", "version"), _said(said, "release", "version")]
    if card:
        labelled = [label for label in card[1].labels if label.name == "version"]
        stated += [sourced(label.value, card[0], label.label) for label in labelled[:1]]
    for file, citation in facts(beside_model(files, main_folder(files)), CitationFile):
        if folded(citation.title) == folded(name):
            stated.append(sourced(citation.version, file.name, "version"))
    for file, project in facts(files, Pyproject):
        if folded(project.name) == folded(name):
            stated.append(sourced(project.version, file.name, "version"))
    for file, header in facts(files, GgufHeader):
        if folded(header.name) == folded(name):
            stated.append(sourced(header.version, file.name, "general.version"))
    yield from (fact for fact in stated if fact)


def _producer(
    files: tuple[CollectedFile, ...],
    main: tuple[CollectedFile, ...],
    said: Publisher,
    card: tuple[str, ModelCard] | None,
) -> Sourced | None:
    """Who made the model: the publisher's word, the card's, that of the weights themselves, or a citation's."""
    stated = _said(said, "model", "developer")
    if stated:
        return stated
    for label in card[1].labels if card else ():
        if label.name == "developed_by" and label.value:
            return Sourced(label.value, Source(card[0] if card else "", label.label))
    return _in_header(main) or _cited(files)


def _in_header(main: tuple[CollectedFile, ...]) -> Sourced | None:
    header = first(main, GgufHeader)
    if header is None:
        return None
    field = "general.organization" if header[1].organization else "general.author"
    return sourced(header[1].organization or header[1].author, header[0], field)


def _cited(files: tuple[CollectedFile, ...]) -> Sourced | None:
    citation = first(beside_model(files, main_folder(files)), CitationFile)
    authors = ", ".join(author.name for author in citation[1].authors if author.name) if citation else ""
    return sourced(authors, citation[0], "authors") if citation else None


def _description(card: tuple[str, ModelCard] | None) -> Sourced | None:
    if card is None or card[1].description is None:
        return None
    return sourced(card[1].description.text, card[0], card[1].description.heading or "first paragraph")


def _commit(collection: Collection) -> Sourced | None:
    snapshot = collection.snapshot
    return sourced(snapshot.commit, "hub cache", "commit of the snapshot") if snapshot else None


def _other_task(said: Publisher, card: tuple[str, ModelCard] | None) -> Iterator[str]:
    stated = said.model.get("task", "")
    if stated and card and card[1].task and folded(stated) != folded(card[1].task):
        yield f"task: {PUBLISHER}, model.task says {stated}, {card[0]}, front matter, pipeline_tag says {card[1].task}"


def _disagreements(what: str, stated: list[Sourced]) -> Iterator[str]:
    """One sentence for each value that differs from the first; "v2" and "2.1.0" do not, one is only shorter."""
    seen = [_parts(stated[0].value)] if stated else []
    for fact in stated[1:]:
        if not any(_agree(known, _parts(fact.value)) for known in seen):
            seen.append(_parts(fact.value))
            yield f"{what}: {stated[0].source} says {stated[0].value}, {fact.source} says {fact.value}"


def _parts(version: str) -> list[str]:
    return version.lower().removeprefix("v").split(".")


def _agree(first_parts: list[str], second: list[str]) -> bool:
    shorter = min(len(first_parts), len(second))
    return first_parts[:shorter] == second[:shorter]
