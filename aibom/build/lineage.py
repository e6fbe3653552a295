"""What the model was made from. Each ancestor keeps to itself: nothing that is said of the model is said of it.

Where two sources name different base models, both are given and the disagreement is reported; where they name the same,
what one leaves out (relation, revision) is taken from the other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from aibom.build.account import Ancestor, Relation, Source, Sourced
from aibom.build.collect import CollectedFile, Collection
from aibom.build.evidence import facts, first, folded, is_path, last_part, model_card, sourced
from aibom.build.publisher import NAME as PUBLISHER
from aibom.core.names import is_hub_name
from aibom.formats.adapter_config import AdapterConfig
from aibom.formats.gguf import GgufHeader
from aibom.formats.model_config import ModelConfig
from aibom.formats.python_source import PythonSource

_RELATIONS = {relation.value: relation for relation in Relation}
_HUB = "https://huggingface.co/"
_STARTED = "_name_or_path"


def ancestors_of(
    collection: Collection, main: tuple[CollectedFile, ...], name: str, hub: str = ""
) -> tuple[tuple[Ancestor, ...], tuple[str, ...]]:
    """(The main model's ancestors, conflicts). `name` and `hub` are its own: it did not start from itself."""
    found: list[Ancestor] = []
    conflicts: list[str] = []
    for statement in _statements(collection, main):
        said = [item for item in statement if not (_is_start(item) and _is_own(item.name, name, hub))]
        new = [item for item in said if not any(_same(known.name, item.name) for known in found)]
        if found and new and len(new) == len(said) and not any(is_path(x.name) for x in (found[0], new[0])):
            conflicts.append(_disagreement(found[0], new[0]))
        for item in said:
            place = next((i for i, known in enumerate(found) if _same(known.name, item.name)), None)
            if place is not None:
                found[place] = _with_owner(_joined(found[place], item, conflicts), item)
            elif not (found and _is_start(item)):
                found.append(item)
    revisions = list(_revisions(collection.files))
    return tuple(_pinned(ancestor, revisions, conflicts) for ancestor in found), tuple(conflicts)


def stated_bases(collection: Collection, main: tuple[CollectedFile, ...]) -> frozenset[str]:
    """The names, in lower case, of all that the model is said to be made from, its starting point among them."""
    return frozenset(item.name.lower() for statement in _statements(collection, main) for item in statement)


def _is_start(ancestor: Ancestor) -> bool:
    """Whether it is named only as where training started."""
    return ancestor.source.place.startswith(_STARTED)


def _is_own(other: str, name: str, hub: str) -> bool:
    """Whether a name is the model's own. A namesake of another owner is another model, where the owner is known."""
    if hub and "/" in other:
        return other.lower() == hub.lower()
    return folded(last_part(other)) in {folded(last_part(own)) for own in (name, hub)} - {""}


def _joined(known: Ancestor, other: Ancestor, conflicts: list[str]) -> Ancestor:
    """One ancestor from two sources: the first speaks, the second adds."""
    if known.revision and other.revision and known.revision.value != other.revision.value:
        conflicts.append(_other_revision(known.name, known.revision, other.revision))
    return replace(
        known,
        relation=known.relation or other.relation,
        revision=known.revision or other.revision,
        url=known.url or other.url,
    )


def adapter_ancestor(files: Iterable[CollectedFile]) -> Ancestor | None:
    """The model that an adapter's configuration names."""
    config = first(files, AdapterConfig)
    if config is None or not config[1].base_model:
        return None
    file, fact = config
    return Ancestor(
        name=fact.base_model,
        source=Source(file, "base_model_name_or_path"),
        relation=Relation.ADAPTER,
        revision=sourced(fact.revision, file, "revision"),
    )


def header_ancestors(files: Iterable[CollectedFile]) -> Iterator[Ancestor]:
    """The models that a GGUF header names as what it was made from."""
    found = first(files, GgufHeader)
    for number, base in enumerate(found[1].base_models if found else ()):
        file = found[0] if found else ""
        name = f"{base.organization}/{base.name}" if base.organization and "/" not in base.name else base.name
        hub = base.repo_url.removeprefix(_HUB) if base.repo_url.startswith(_HUB) else ""
        if name or base.repo_url:
            yield Ancestor(
                name=hub if is_hub_name(hub) else name or base.repo_url,
                source=Source(file, f"general.base_model.{number}"),
                revision=sourced(base.version, file, f"general.base_model.{number}.version"),
                url=base.repo_url,
            )


def _statements(collection: Collection, main: tuple[CollectedFile, ...]) -> Iterator[list[Ancestor]]:
    """What each source says, the strongest first: publisher, card, adapter, header, and where training started."""
    said = collection.publisher
    if said and said.model.get("base-model"):
        revision = sourced(said.model.get("base-revision"), PUBLISHER, "model.base-revision")
        yield [Ancestor(name=said.model["base-model"], source=Source(PUBLISHER, "model.base-model"), revision=revision)]
    yield list(_from_card(collection))
    adapter = adapter_ancestor(main)
    yield [adapter] if adapter else []
    yield list(header_ancestors(main))
    for file, config in list(facts(main, ModelConfig))[:1]:
        if is_hub_name(config.starting_point):
            yield [Ancestor(name=config.starting_point, source=Source(file.name, _STARTED))]


def _from_card(collection: Collection) -> Iterator[Ancestor]:
    card = model_card(collection.files)
    if card is None:
        return
    relation = _RELATIONS.get(card[1].base_model_relation, Relation.UNSTATED)
    for name in card[1].base_models:
        yield Ancestor(name=name, source=Source(card[0], "front matter, base_model"), relation=relation)
    if not card[1].base_models:
        yield from _labelled(card[0], [label.value for label in card[1].labels if label.name == "finetuned_from"])


def _labelled(file: str, values: list[str]) -> Iterator[Ancestor]:
    for value in values[:1]:
        if is_hub_name(value) or " " not in value:
            yield Ancestor(name=value, source=Source(file, "line Finetuned from model"), relation=Relation.FINETUNE)


def _same(first_name: str, second: str) -> bool:
    """Whether two names mean one model: equal, or equal but for an owner that one of them, or a path, leaves out."""
    if "/" in first_name and "/" in second and not is_path(first_name) and not is_path(second):
        return first_name.lower() == second.lower()
    return folded(last_part(first_name)) == folded(last_part(second))


def _with_owner(known: Ancestor, other: Ancestor) -> Ancestor:
    """The name that says whose model it is, where only one of two does."""
    tells = is_hub_name(other.name) and "/" not in known.name
    return replace(known, name=other.name) if tells else known


def _disagreement(known: Ancestor, other: Ancestor) -> str:
    return f"base model: {known.source} says {known.name}, {other.source} says {other.name}"


def _revisions(files: Iterable[CollectedFile]) -> Iterator[tuple[str, Sourced]]:
    """Revisions that code pins a model to."""
    for file, source in facts(files, PythonSource):
        for model in source.models:
            if model.revision:
                yield model.name, Sourced(model.revision, Source(file.name, f"line {model.line}"))


def _pinned(ancestor: Ancestor, revisions: list[tuple[str, Sourced]], conflicts: list[str]) -> Ancestor:
    fitting = [revision for name, revision in revisions if _same(name, ancestor.name)]
    stated = [*([ancestor.revision] if ancestor.revision else []), *fitting]
    for other in stated[1:]:
        if other.value != stated[0].value:
            conflicts.append(_other_revision(ancestor.name, stated[0], other))
    return replace(ancestor, revision=stated[0] if stated else None)


def _other_revision(name: str, known: Sourced, other: Sourced) -> str:
    return f"revision of {name}: {known.source} says {known.value}, {other.source} says {other.value}"
