"""Models as `ai_AIPackage`: what a card says, how they were trained, what they were made from. One package a model.

A property is set only from what is stated. Nothing of a model is said of its ancestors: they are names outside.
"""

from urllib.parse import quote

from spdx_python_model import v3_0_1 as spdx

from aibom.build.account import Account, Ancestor, Model, ModelKind, Relation, Result, Setting, Training
from aibom.build.completeness import is_whole
from aibom.build.render.identifiers import hub_purl, model_purl
from aibom.build.spdx.energy import consumption, energy_words
from aibom.build.spdx.files import add_files
from aibom.build.spdx.graph import Graph
from aibom.build.spdx.licences import declare
from aibom.build.spdx.packages import (
    Values,
    fact_sources,
    hub_address,
    identity_sources,
    identity_values,
    lines_of,
    purpose,
    release_time,
    text_of,
)

_VARIANTS = (Relation.CONVERSION, Relation.ADAPTER, Relation.QUANTIZED)


def add_model(graph: Graph, account: Account, model: Model) -> str:
    """Add a model with its files, parts, licences and ancestors, and return its identifier."""
    training = _training_of(account, model)
    values = identity_values(graph, model.identity, model_purl(model)) | _ai_values(model, training)
    spdx_id = graph.add(spdx.ai_AIPackage, model.ref, values | {"releaseTime": release_time(account)})
    files = add_files(graph, model.files)
    parts = [add_model(graph, account, part) for part in model.parts]
    graph.relate(spdx_id, "contains", [*files, *parts], completeness=completeness(model))
    weights = [graph.id(f"file:{file.name}") for file in model.files if file.classification.is_weights]
    graph.relate(spdx_id, "hasDataFile", weights)
    graph.relate(spdx_id, "trainedOn", map(graph.id, model.datasets), completeness="noAssertion")
    declare(graph, spdx_id, model.identity.licences, profile=True)
    _descend(graph, model)
    _sources(graph, spdx_id, model, training)
    return spdx_id


def add_named_model(graph: Graph, ancestor: Ancestor) -> str:
    """A model outside the release, by its name, its revision if it is pinned, and nothing of ours."""
    revision = text_of(ancestor.revision)
    purl = hub_purl(ancestor.name, revision)
    values = {
        "name": ancestor.name,
        "software_packageVersion": revision,
        "software_packageUrl": purl.to_string() if purl else "",
        "software_downloadLocation": hub_address(ancestor.name) or ancestor.url,
        "software_primaryPurpose": purpose("model"),
    }
    ref = f"model-named:{ancestor.name}"
    if revision:
        ref = f"model-named-at:{quote(revision, safe='')}:{ancestor.name}"
    spdx_id = graph.add(spdx.ai_AIPackage, ref, values)
    declare(graph, spdx_id, (), profile=True)
    graph.source(spdx_id, "name", ancestor.source)
    fact_sources(graph, spdx_id, {"packageVersion": ancestor.revision})
    return spdx_id


def completeness(model: Model) -> str:
    """Complete if the weights are there and every one of them could be read (RelationshipCompleteness)."""
    return "complete" if is_whole(model) else "incomplete"


def _training_of(account: Account, model: Model) -> Training | None:
    training = account.training
    made = (training.outputs or (account.models[0].ref,)) if training else ()
    return training if model.ref in made else None


def _ai_values(model: Model, training: Training | None) -> Values:
    card = model.card
    types = (text_of(model.approach), text_of(model.family), text_of(model.architecture))
    settings = (*(training.settings if training else ()), *model.settings)
    limits = [fact.value for fact in card.limitations]
    return {
        "software_primaryPurpose": purpose("model"),
        "comment": _comment(model),
        "ai_domain": [model.task.value] if model.task else [],
        "ai_typeOfModel": list(dict.fromkeys(filter(None, types))),
        "ai_informationAboutTraining": lines_of(_words(training), *map(energy_words, model.energy)),
        "ai_informationAboutApplication": _application(model),
        "ai_hyperparameter": [spdx.DictionaryEntry(key=item.name, value=item.value) for item in _unique(settings)],
        "ai_metric": [_metric(result) for result in model.metrics],
        "ai_limitation": lines_of(
            *limits,
            *(f"Ethical consideration: {fact.value}" for fact in card.ethics if fact.value not in limits),
        ),
        "ai_energyConsumption": consumption(model.energy),
    }


def _unique(settings: tuple[Setting, ...]) -> list[Setting]:
    return list({(item.name, item.value): item for item in settings}.values())


def _words(training: Training | None) -> str:
    if training is None:
        return ""
    settings = ", ".join(f"{item.name} {item.value}" for item in training.settings)
    return f"{training.name}: {settings}" if settings else training.name


def _application(model: Model) -> str:
    named = {"Used for": model.card.use_cases, "Meant for": model.card.users}
    named |= {"Takes": model.inputs, "Gives": model.outputs}
    library = f"Loaded with: {model.library.value}" if model.library else ""
    languages = f"Languages: {', '.join(model.card.languages)}" if model.card.languages else ""
    return lines_of(*(f"{word}: {fact.value}" for word, facts in named.items() for fact in facts), library, languages)


def _metric(result: Result) -> spdx.DictionaryEntry:
    key = f"{result.type} ({result.slice})" if result.slice else result.type
    bounds = f" ({result.lower or '?'} to {result.upper or '?'})" if result.lower or result.upper else ""
    return spdx.DictionaryEntry(key=key, value=f"{result.value}{bounds}")


def _comment(model: Model) -> str:
    weights = model.weights
    counts = (
        (f"{weights.tensors} tensors" if weights.tensors is not None else ""),
        (f"{weights.parameters} parameters" if weights.parameters is not None else ""),
        " ".join(weights.element_types),
    ) if weights else ()  # fmt: skip
    return lines_of(
        f"In this release: {model.kind}" if model.kind is not ModelKind.MAIN else "",
        ", ".join(filter(None, counts)),
        *(f"Chat template {item.name}: sha256:{item.value}" for item in model.chat_templates),
        *(f"Runs code of its own when told to trust it: {fact.value}" for fact in model.remote_code),
    )


def _descend(graph: Graph, model: Model) -> None:
    spdx_id = graph.id(model.ref)
    for ancestor in model.ancestors:
        target = graph.id(ancestor.within) if ancestor.within else add_named_model(graph, ancestor)
        if target != spdx_id:
            word = str(ancestor.relation) if ancestor.relation is not Relation.UNSTATED else ""
            graph.relate(spdx_id, "descendantOf", [target], completeness="noAssertion", comment=word)
            if ancestor.relation in _VARIANTS:
                graph.relate(target, "hasVariant", [spdx_id])


def _sources(graph: Graph, spdx_id: str, model: Model, training: Training | None) -> None:
    identity_sources(graph, spdx_id, model.identity)
    single = {
        "domain": model.task,
        "typeOfModel, approach": model.approach,
        "typeOfModel, family": model.family,
        "typeOfModel, architecture": model.architecture,
        "informationAboutApplication, library": model.library,
    }
    fact_sources(graph, spdx_id, single)
    several = {
        "informationAboutApplication": (*model.card.use_cases, *model.card.users, *model.inputs, *model.outputs),
        "limitation": (*model.card.limitations, *model.card.ethics),
    }
    for name, facts in several.items():
        for fact in facts:
            graph.source(spdx_id, name, fact.source)
    for item in (*(training.settings if training else ()), *model.settings):
        for source in item.sources:
            graph.source(spdx_id, f"hyperparameter, {item.name}", source)
    measured = [(f"metric, {item.type}", item.sources) for item in model.metrics]
    measured += [(f"energyConsumption, {item.activity}", item.sources) for item in model.energy]
    for name, sources in measured:
        for source in sources:
            graph.source(spdx_id, name, source)
