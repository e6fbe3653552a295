"""The models of a release: the main one, its parts, and what was made from it. Each says only what is its own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from aibom.build.account import (
    Ancestor,
    Dataset,
    Energy,
    Identity,
    Model,
    ModelKind,
    Relation,
    Result,
    Source,
    Sourced,
)
from aibom.build.collect import CollectedFile, Collection
from aibom.build.evidence import first, folded, last_part, model_card, sourced
from aibom.build.grouping import ModelGroup
from aibom.build.licensing import licence_from
from aibom.build.lineage import adapter_ancestor, header_ancestors
from aibom.build.model_facts import (
    architecture_of,
    card_of,
    chat_templates_of,
    family_of,
    library_of,
    remote_code_of,
    settings_of,
    task_of,
)
from aibom.build.publisher import NAME as PUBLISHER
from aibom.build.publisher import Publisher
from aibom.build.tasks import approach_of, formats_of
from aibom.build.tensors import weights_of
from aibom.build.weight_names import names_a_quantisation
from aibom.build.weights_missing import missing_data, missing_parts
from aibom.formats.gguf import GgufHeader
from aibom.formats.onnx import OnnxModel
from aibom.formats.pipeline_index import PipelineIndex

MAIN_REF = "model"
_LONGEST = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was put together for the main model elsewhere."""

    identity: Identity
    ancestors: tuple[Ancestor, ...]
    results: tuple[Result, ...]
    energy: tuple[Energy, ...]
    datasets: tuple[Dataset, ...]


def main_model(collection: Collection, main: ModelGroup, parts: Iterable[ModelGroup], told: Told) -> Model:
    """The model that the release is about."""
    said = collection.publisher or Publisher()
    card = model_card(collection.files)
    files = main.files
    task = sourced(said.model.get("task"), PUBLISHER, "model.task") or task_of(card, files)
    inputs, outputs = formats_of(task, files)
    weights, problems = weights_of(files)
    present = frozenset(file.name for file in collection.files)
    inner = _part_models(parts, told.identity, _pipeline_classes(files), present)
    return Model(
        ref=MAIN_REF,
        kind=ModelKind.MAIN,
        identity=told.identity,
        files=files,
        weights=weights or (inner[0].weights if len(inner) == 1 else None),
        approach=sourced(said.model.get("approach"), PUBLISHER, "model.approach") or approach_of(files),
        task=task,
        family=family_of(files),
        architecture=architecture_of(files),
        library=library_of(card, files),
        inputs=inputs,
        outputs=outputs,
        ancestors=told.ancestors,
        datasets=tuple(dataset.ref for dataset in told.datasets),
        metrics=told.results,
        energy=told.energy,
        card=card_of(card, said),
        settings=tuple(settings_of(files)),
        chat_templates=tuple(chat_templates_of(files)),
        remote_code=tuple(remote_code_of(files)),
        parts=tuple(inner),
        problems=(*problems, *missing_data(files, present), *missing_parts(files, collection.files)),
    )


def derived_models(groups: Iterable[ModelGroup], main: Model) -> list[Model]:
    """Conversions, adapters and checkpoints as models of their own."""
    groups = tuple(groups)
    present = frozenset(file.name for group in (main.all_files, *(g.files for g in groups)) for file in group)
    return [_derived(group, main, present) for group in groups]


def _derived(group: ModelGroup, main: Model, present: frozenset[str]) -> Model:
    weights, problems = weights_of(group.files)
    header = first(group.files, GgufHeader)
    model = Model(
        ref=f"model:{group.key}",
        kind=group.kind,
        identity=_derived_identity(group, header),
        files=group.files,
        weights=weights,
        family=family_of(group.files),
        architecture=architecture_of(group.files),
        ancestors=tuple(_derived_from(group, main, header)),
        settings=tuple(settings_of(group.files)),
        chat_templates=tuple(chat_templates_of(group.files)),
        remote_code=tuple(remote_code_of(group.files)),
        problems=(*problems, *missing_data(group.files, present)),
    )
    if group.kind is ModelKind.ADAPTER:
        return model
    inputs, outputs = formats_of(None, group.files)
    return replace(model, inputs=inputs, outputs=outputs)


def _derived_identity(group: ModelGroup, header: tuple[str, GgufHeader] | None) -> Identity:
    """What its own header says, and nothing of the main model's card."""
    base = group.key.rpartition("/")[2]
    fallback = Sourced(base, Source(group.key, "its own name"))
    if header is None:
        graph = first(group.files, OnnxModel)
        return _graph_identity(*graph, fallback) if graph else Identity(name=fallback)
    file, said = header
    named = sourced(said.name, file, "general.name")
    # Several quantisations of one model share its general.name: the file's own name tells them apart.
    name = replace(named, value=f"{named.value} ({base})") if named else fallback
    text = said.license_name or said.license
    return Identity(
        name=name,
        version=sourced(said.version, file, "general.version"),
        producer=_maker(header),
        description=sourced(said.description, file, "general.description"),
        licences=licence_from(text, Source(file, "general.license"), said.license_link) if text else (),
    )


def _maker(header: tuple[str, GgufHeader]) -> Sourced | None:
    file, said = header
    organization = sourced(said.organization, file, "general.organization")
    return organization or sourced(said.author, file, "general.author")


def _graph_identity(file: str, graph: OnnxModel, name: Sourced) -> Identity:
    """What an ONNX file says of itself; exporters write these keys."""
    said = {key.lower(): value[:_LONGEST] for key, value in graph.metadata.items()}
    licences = licence_from(said["license"], Source(file, "metadata_props, license")) if said.get("license") else ()
    return Identity(
        name=name,
        version=sourced(said.get("version"), file, "metadata_props, version"),
        producer=sourced(said.get("author"), file, "metadata_props, author"),
        description=sourced(said.get("description"), file, "metadata_props, description"),
        licences=licences,
    )


def _derived_from(group: ModelGroup, main: Model, header: tuple[str, GgufHeader] | None) -> Iterator[Ancestor]:
    """The main model, where something says so or the two were published together; and what its own header names."""
    stated = adapter_ancestor(group.files)
    own = [stated] if stated else list(header_ancestors(group.files))
    main_name = folded(main.identity.name.value)
    of_main = next((item for item in own if folded(last_part(item.name)) == main_name), None)
    if stated and of_main and group.kind is not ModelKind.CHECKPOINT:
        yield replace(of_main, within=main.ref)
    elif group.kind is not ModelKind.ADAPTER:
        relation, reason = _relation(group, main, header)
        if of_main and relation is Relation.UNSTATED and not stated:
            relation, reason = _by_file_type(header), of_main.source
        yield Ancestor(name=main.identity.name.value, source=reason, relation=relation, within=main.ref)
    elif not own:
        reason = Source(group.key, "published together with the model; no file says what it adapts")
        yield Ancestor(name=main.identity.name.value, source=reason, relation=Relation.ADAPTER, within=main.ref)
    yield from (item for item in own if folded(last_part(item.name)) != main_name)


def _relation(group: ModelGroup, main: Model, header: tuple[str, GgufHeader] | None) -> tuple[Relation, Source]:
    """How a group came from the main model. A header that names another model says that it did not, or not directly."""
    if group.kind is ModelKind.CHECKPOINT:
        return Relation.UNSTATED, Source(group.key, "a checkpoint of its training, by the folder's name")
    if header is None:
        quantised = names_a_quantisation(group.key)
        reason = "its name says quantised" if quantised else "no field says so"
        relation = Relation.QUANTIZED if quantised else Relation.CONVERSION
        return relation, Source(group.key, f"published together with the model; {reason}")
    name = folded(header[1].name)
    if not name:
        return _by_file_type(header), Source(header[0], "published together with the model; it has no general.name")
    if name == folded(main.identity.name.value):
        return _by_file_type(header), Source(header[0], "general.name")
    return Relation.UNSTATED, Source(header[0], "published together with the model; its general.name differs")


def _by_file_type(header: tuple[str, GgufHeader] | None) -> Relation:
    """Quantised, where a header names a type of llama.cpp's that is; a number without a name says nothing."""
    kind = header[1].file_type if header else ""
    is_quantised = kind.startswith("MOSTLY_") and not kind.endswith(("F16", "F32", "BF16"))
    return Relation.QUANTIZED if is_quantised else Relation.CONVERSION


def _pipeline_classes(files: tuple[CollectedFile, ...]) -> dict[str, Sourced]:
    """The classes that a pipeline's index names for its parts."""
    pipeline = first(files, PipelineIndex)
    if pipeline is None:
        return {}
    return {c.name: Sourced(c.class_name, Source(pipeline[0], c.name)) for c in pipeline[1].components if c.class_name}


def _part_models(
    parts: Iterable[ModelGroup], whole: Identity, classes: Mapping[str, Sourced], present: frozenset[str]
) -> list[Model]:
    models = []
    for part in parts:
        weights, problems = weights_of(part.files)
        base = part.key.rpartition("/")[2]
        named = base in classes  # what is said of a pipeline is said of its parts; other parts speak for themselves
        name = Sourced(base, Source(part.key, "its folder, named by the pipeline" if named else "its own name"))
        models.append(
            Model(
                ref=f"model:{part.key}",
                kind=ModelKind.PART,
                identity=replace(whole, name=name, hub=None, commit=None, description=None)
                if named
                else Identity(name=name),
                files=part.files,
                weights=weights,
                family=family_of(part.files),
                architecture=architecture_of(part.files) or classes.get(name.value),
                settings=tuple(settings_of(part.files)),
                problems=(*problems, *missing_data(part.files, present)),
            )
        )
    return models
