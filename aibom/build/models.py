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
from aibom.build.evidence import first, folded, model_card, sourced
from aibom.build.grouping import ModelGroup, folder_of, names_a_quantisation
from aibom.build.licensing import licence_from
from aibom.build.lineage import adapter_ancestor
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
    inner = _part_models(parts, told.identity, _pipeline_classes(files))
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
        problems=(*problems, *_missing_data(files)),
    )


def derived_models(groups: Iterable[ModelGroup], main: Model) -> list[Model]:
    """Conversions, adapters and checkpoints as models of their own."""
    return [_derived(group, main) for group in groups]


def _missing_data(files: tuple[CollectedFile, ...]) -> Iterator[str]:
    """External data that an ONNX file keeps elsewhere and that is not in the release."""
    own = {file.name for file in files}
    for file in files:
        folder = folder_of(file.name)
        locations = {item.location for item in file.fact.external_data} if isinstance(file.fact, OnnxModel) else set()
        wanted = {f"{folder}/{location}".lstrip("/") for location in locations}
        for name in sorted(wanted - own):
            yield f"{file.name}: its weights are in {name}, which is not there"


def _derived(group: ModelGroup, main: Model) -> Model:
    weights, problems = weights_of(group.files)
    header = first(group.files, GgufHeader)
    model = Model(
        ref=f"model:{group.key}",
        kind=group.kind,
        identity=_derived_identity(group, header),
        files=group.files,
        weights=weights,
        family=sourced(header[1].architecture, header[0], "general.architecture") if header else family_of(group.files),
        architecture=architecture_of(group.files),
        ancestors=tuple(_derived_from(group, main, header)),
        settings=tuple(settings_of(group.files)),
        chat_templates=tuple(chat_templates_of(group.files)),
        remote_code=tuple(remote_code_of(group.files)),
        problems=(*problems, *_missing_data(group.files)),
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
        producer=sourced(said.organization or said.author, file, "general.author"),
        description=sourced(said.description, file, "general.description"),
        licences=licence_from(text, Source(file, "general.license"), said.license_link) if text else (),
    )


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
    own = [stated] if stated else list(_header_ancestors(header))
    names = {folded(item.name.rpartition("/")[2]) for item in own}
    main_name = folded(main.identity.name.value)
    if stated and main_name in names:
        yield replace(stated, within=main.ref)
    elif group.kind is not ModelKind.ADAPTER:
        relation, reason = _relation(group, main, header)
        yield Ancestor(name=main.identity.name.value, source=reason, relation=relation, within=main.ref)
    elif not own:
        reason = Source(group.key, "published together with the model; no file says what it adapts")
        yield Ancestor(name=main.identity.name.value, source=reason, relation=Relation.ADAPTER, within=main.ref)
    yield from (item for item in own if folded(item.name.rpartition("/")[2]) != main_name)


def _relation(group: ModelGroup, main: Model, header: tuple[str, GgufHeader] | None) -> tuple[Relation, Source]:
    if group.kind is ModelKind.CHECKPOINT:
        return Relation.UNSTATED, Source(group.key, "a checkpoint of its training, by the folder's name")
    if header is None:
        quantised = names_a_quantisation(group.key)
        reason = "its name says quantised" if quantised else "no field says so"
        relation = Relation.QUANTIZED if quantised else Relation.CONVERSION
        return relation, Source(group.key, f"published together with the model; {reason}")
    name = folded(header[1].name)
    quantized = not header[1].file_type.endswith(("F16", "F32", "BF16"))
    relation = Relation.QUANTIZED if quantized else Relation.CONVERSION
    if name and name == folded(main.identity.name.value):
        return relation, Source(header[0], "general.name")
    return relation, Source(header[0], "published together with the model; its general.name differs")


def _header_ancestors(header: tuple[str, GgufHeader] | None) -> Iterator[Ancestor]:
    for number, base in enumerate(header[1].base_models if header else ()):
        file = header[0] if header else ""
        name = f"{base.organization}/{base.name}" if base.organization and "/" not in base.name else base.name
        hub = base.repo_url.removeprefix("https://huggingface.co/")
        if name or base.repo_url:
            yield Ancestor(
                name=hub if hub != base.repo_url and hub.count("/") == 1 else name or base.repo_url,
                source=Source(file, f"general.base_model.{number}"),
                revision=sourced(base.version, file, f"general.base_model.{number}.version"),
                url=base.repo_url,
            )


def _pipeline_classes(files: tuple[CollectedFile, ...]) -> dict[str, Sourced]:
    """The classes that a pipeline's index names for its parts."""
    pipeline = first(files, PipelineIndex)
    if pipeline is None:
        return {}
    return {c.name: Sourced(c.class_name, Source(pipeline[0], c.name)) for c in pipeline[1].components if c.class_name}


def _part_models(parts: Iterable[ModelGroup], whole: Identity, classes: Mapping[str, Sourced]) -> list[Model]:
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
                problems=(*problems, *_missing_data(part.files)),
            )
        )
    return models
