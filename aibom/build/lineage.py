"""What the model was made from. Each ancestor keeps to itself: nothing that is said of the model is said of it."""

from collections.abc import Iterable, Iterator

from aibom.build.account import Ancestor, Relation, Source, Sourced
from aibom.build.collect import CollectedFile, Collection
from aibom.build.evidence import facts, first, folded, last_part, model_card, sourced
from aibom.build.publisher import NAME as PUBLISHER
from aibom.formats.adapter_config import AdapterConfig
from aibom.formats.model_config import ModelConfig
from aibom.formats.python_source import PythonSource

_RELATIONS = {relation.value: relation for relation in Relation}


def ancestors_of(
    collection: Collection, main: tuple[CollectedFile, ...], own: Iterable[str]
) -> tuple[tuple[Ancestor, ...], tuple[str, ...]]:
    """(The main model's ancestors, conflicts). `own` are the model's own names, which are never ancestors."""
    names = {folded(last_part(name)) for name in own}
    found: dict[str, Ancestor] = {}
    conflicts = []
    for ancestor in _stated(collection, main):
        if folded(last_part(ancestor.name)) in names and ancestor.source.place.startswith("_name_or_path"):
            continue
        known = next((key for key in found if _same(key, ancestor.name)), None)
        if known is None and ancestor.source.place.startswith("_name_or_path") and found:
            conflicts.append(_disagreement(next(iter(found.values())), ancestor))
        elif known is None:
            found[ancestor.name] = ancestor
    revisions = list(_revisions(collection.files))
    return tuple(_pinned(ancestor, revisions, conflicts) for ancestor in found.values()), tuple(conflicts)


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


def _stated(collection: Collection, main: tuple[CollectedFile, ...]) -> Iterator[Ancestor]:
    """Every statement, the strongest first: publisher, card, adapter, and where training started."""
    said = collection.publisher
    if said and said.model.get("base-model"):
        revision = sourced(said.model.get("base-revision"), PUBLISHER, "model.base-revision")
        yield Ancestor(name=said.model["base-model"], source=Source(PUBLISHER, "model.base-model"), revision=revision)
    card = model_card(collection.files)
    if card:
        relation = _RELATIONS.get(card[1].base_model_relation, Relation.UNSTATED)
        for name in card[1].base_models:
            yield Ancestor(name=name, source=Source(card[0], "front matter, base_model"), relation=relation)
        if not card[1].base_models:
            yield from _labelled(card[0], [label.value for label in card[1].labels if label.name == "finetuned_from"])
    adapter = adapter_ancestor(main)
    if adapter:
        yield adapter
    for file, config in list(facts(main, ModelConfig))[:1]:
        if _is_hub_name(config.starting_point):
            yield Ancestor(name=config.starting_point, source=Source(file.name, "_name_or_path"))


def _labelled(file: str, values: list[str]) -> Iterator[Ancestor]:
    for value in values[:1]:
        if _is_hub_name(value) or " " not in value:
            yield Ancestor(name=value, source=Source(file, "line Finetuned from model"), relation=Relation.FINETUNE)


def _is_hub_name(name: str) -> bool:
    """`owner/model`; a path on somebody's disk names nobody."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not name.endswith("/") and " " not in name


def _same(first_name: str, second: str) -> bool:
    """Whether two names mean one model: equal, or equal but for an owner that one of them leaves out."""
    if "/" in first_name and "/" in second:
        return first_name.lower() == second.lower()
    return folded(last_part(first_name)) == folded(last_part(second))


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
            conflicts.append(
                f"revision of {ancestor.name}: {stated[0].source} says {stated[0].value}, "
                f"{other.source} says {other.value}"
            )
    return Ancestor(
        name=ancestor.name,
        source=ancestor.source,
        relation=ancestor.relation,
        revision=stated[0] if stated else None,
        url=ancestor.url,
    )
