"""Assemble collected facts into the account of one release.

Conflicts between sources are reported, never settled in silence. What a fine-tune's card says is never written onto
its base model.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from aibom.build.account import (
    Account,
    Dataset,
    Identity,
    Model,
    ModelKind,
    Relation,
    Setting,
    Source,
    Statement,
    Training,
)
from aibom.build.code import code_of
from aibom.build.collect import CollectedFile, Collection
from aibom.build.datasets import TRAINING, datasets_of
from aibom.build.documents import links_of
from aibom.build.evidence import facts, model_card, own_files
from aibom.build.grouping import group_models
from aibom.build.identity import UNNAMED, identify
from aibom.build.licensing import licences_of
from aibom.build.lineage import ancestors_of
from aibom.build.models import Told, derived_models, main_model
from aibom.build.performance import Naming, results_of
from aibom.build.publisher import NAME as PUBLISHER
from aibom.build.publisher import Publisher
from aibom.build.render.identifiers import ancestor_ref, file_ref
from aibom.build.training import energy_of, settings_of
from aibom.core.layout import is_content
from aibom.formats.loading import safety_of
from aibom.formats.pickle_globals import Safety
from aibom.formats.wheel_record import WheelRecord, record_problems

_LINES = 200
_OF_THEIR_OWN = frozenset({ModelKind.ADAPTER, ModelKind.CHECKPOINT})
__all__ = ["UNNAMED", "assemble"]


def assemble(collection: Collection) -> Account:
    """Turn a collection into an account."""
    files = collection.files
    main, parts, derived = group_models(files)
    foreign = frozenset(file.name for group in derived for file in group.files)
    own = replace(collection, files=own_files(files, {group.key for group in derived if group.kind in _OF_THEIR_OWN}))
    licensing = licences_of(files, collection.publisher, foreign)
    who = identify(own, main.files, licensing)
    naming = _naming(who.model)
    ancestors, lineage_conflicts = ancestors_of(own, main.files, naming.name, naming.hub)
    naming = replace(naming, bases=frozenset(ancestor.name.lower() for ancestor in ancestors))
    results, result_conflicts = results_of(own.files, naming)
    energy, energy_conflicts = energy_of(own.files, ancestors)
    datasets, data_conflicts = datasets_of(collection, own.files)
    told = Told(
        identity=who.model,
        ancestors=ancestors,
        results=results,
        energy=energy,
        datasets=tuple(dataset for dataset in datasets if dataset.used_for in {TRAINING, ""}),
    )
    model = main_model(collection, main, parts, told)
    others = derived_models(derived, model)
    names = [
        who.model.name.value,
        naming.hub,
        *(ancestor.name for item in (model, *others) for ancestor in item.ancestors),
    ]
    code, code_conflicts = code_of(files, who.code, names)
    settings, setting_conflicts = settings_of(own.files)
    models = (model, *others) if _has_model(model, others, collection) else ()
    content = collection.manifest.select(e.name for e in collection.manifest.entries if is_content(e.name))
    return Account(
        release=who.release,
        models=models,
        code=code,
        datasets=datasets,
        training=_training(model, datasets, code.files, settings) if models else None,
        documents=_documents(files, models, datasets, code.files),
        links=links_of(own),
        statement=_statement(collection),
        conflicts=_bounded(
            *licensing.conflicts,
            *who.conflicts,
            *lineage_conflicts,
            *result_conflicts,
            *setting_conflicts,
            *energy_conflicts,
            *data_conflicts,
            *code_conflicts,
        ),
        warnings=_bounded(*_model_problems(models), *_record_problems(files), *_file_problems(files)),
        dangers=_bounded(*(text for file in files if (text := _danger(file)))),
        tree_digest=content.tree_digest,
        bytes=content.size,
        file_count=len(content.entries),
    )


def _has_model(model: Model, others: Sequence[Model], collection: Collection) -> bool:
    """Whether there is a model at all: a release that holds data, and says nothing of a model, has none."""
    stated = collection.publisher is not None and bool(collection.publisher.model)
    is_data = any(file.classification.category.startswith("data/") for file in collection.files)
    described = model_card(collection.files) is not None or stated
    return bool(model.all_files or others or described or not is_data)


def _bounded(*lines: str) -> tuple[str, ...]:
    """So many lines that a person can read them; the rest is counted, and stands at the files that it is about."""
    return lines if len(lines) <= _LINES else (*lines[:_LINES], f"and {len(lines) - _LINES} more like these")


def _naming(model: Identity) -> Naming:
    """The names that anybody gives the model."""
    name = model.name.value if model.name.value != UNNAMED else ""
    return Naming(name=name, hub=model.hub.value if model.hub else "")


def _documents(
    files: tuple[CollectedFile, ...],
    models: tuple[Model, ...],
    datasets: tuple[Dataset, ...],
    code: tuple[CollectedFile, ...],
) -> tuple[CollectedFile, ...]:
    """Files that are part of nothing else."""
    taken = {file.name for model in models for file in model.all_files}
    taken |= {file.name for dataset in datasets for file in dataset.files} | {file.name for file in code}
    return tuple(file for file in files if file.name not in taken)


def _training(
    model: Model, datasets: tuple[Dataset, ...], code: tuple[CollectedFile, ...], settings: tuple[Setting, ...]
) -> Training | None:
    """What went in and came out; nothing is said of a training of which no setting is known.

    That code published with a model made it is likely and not certain: where nothing else speaks of the training, the
    workflow says so.
    """
    if not settings:
        return None
    scripts = tuple(file_ref(file.name) for file in code if file.classification.category == "code/training")
    python = {file.name for file in code}
    assumed = all(source.file in python for setting in settings for source in setting.sources)
    started = tuple(ancestor_ref(model.ref, ancestor) for ancestor in model.ancestors)
    tuned = any(ancestor.relation in {Relation.FINETUNE, Relation.UNSTATED} for ancestor in model.ancestors)
    files = model.weights.files if model.weights else ()
    return Training(
        name="fine-tuning" if tuned else "training",
        inputs=(*started, *(dataset.ref for dataset in datasets if dataset.used_for == TRAINING), *scripts),
        settings=settings,
        assumed=assumed,
        outputs=(model.ref, *(file_ref(name) for name in files)),
    )


def _statement(collection: Collection) -> Statement:
    said = collection.publisher or Publisher()
    author = said.author
    commit: datetime | None = collection.checkout.time if collection.checkout else None
    people = tuple(
        Setting(name=p.role or "person", value=f"{p.name} <{p.email}>" if p.email else p.name, sources=(_person(i),))
        for i, p in enumerate(said.people)
    )
    return Statement(
        date=said.date or commit,
        author=author.name if author else "",
        author_email=author.email if author else "",
        outcome=said.release.get("outcome", ""),
        distribution=said.release.get("distribution", ""),
        tlp=said.release.get("tlp", ""),
        people=people,
        withheld=tuple(sorted(said.withheld.items())),
        unknown=tuple(sorted(said.unknown.items())),
    )


def _person(number: int) -> Source:
    return Source(PUBLISHER, f"person[{number}]")


def _model_problems(models: Iterable[Model]) -> Iterator[str]:
    for model in models:
        yield from model.problems
        yield from _model_problems(model.parts)


def _record_problems(files: tuple[CollectedFile, ...]) -> Iterator[str]:
    """Files of a package that are not what its own record says."""
    actual = {file.name: file.entry.sha256 for file in files}
    for file, record in facts(files, WheelRecord):
        folder = "/".join(file.name.split("/")[:-2])
        yield from (f"{file.name}: {problem}" for problem in record_problems(record, folder, actual))


def _file_problems(files: tuple[CollectedFile, ...]) -> list[str]:
    return [f"{file.name}: {problem}" for file in files for problem in file.problems]


def _danger(file: CollectedFile) -> str:
    """A file that runs code when it is loaded is named before anything else is."""
    found = safety_of(file.fact)
    if found and found[0] is Safety.DANGEROUS:
        return f"{file.name}: dangerous to load: {', '.join(found[1][:3]) or 'runs code'}"
    return ""
