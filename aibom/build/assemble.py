"""Assemble collected facts into the account of one release.

Conflicts between sources are reported, never settled in silence. What a fine-tune's card says is never written onto
its base model: `_name_or_path` of a configuration is where training started, not who the model is.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from aibom.build.account import Account, Dataset, Identity, ModelAccount, Sourced, Weights
from aibom.build.collect import CollectedFile, Collection, Declared
from aibom.build.licensing import Licensing, licences_of
from aibom.core.layout import is_content
from aibom.formats.model_card import ModelCard, find_section
from aibom.formats.model_config import ModelConfig
from aibom.formats.requirements import Dependency, WheelMetadata
from aibom.formats.safetensors import SafetensorsHeader
from aibom.formats.weights_index import WeightsIndex, index_problems

T = TypeVar("T")
UNNAMED = "unnamed-model"


def assemble(collection: Collection) -> Account:
    """Turn a collection into an account."""
    files = collection.files
    weights, weight_problems = _weights(files)
    licensing = licences_of(files, _card(files))
    model_identity, release, code = _identities(files, licensing)
    model_files = tuple(f for f in files if f.classification.category.startswith("model/"))
    datasets = tuple(_datasets(files))
    in_datasets = {file.name for dataset in datasets for file in dataset.files}
    code_files = tuple(f for f in files if f.classification.category.startswith("code/"))
    taken = in_datasets | {f.name for f in model_files} | {f.name for f in code_files}
    content = collection.manifest.select(e.name for e in collection.manifest.entries if is_content(e.name))
    return Account(
        release=release,
        code=code,
        model=_model(files, weights, model_identity),
        model_files=model_files,
        code_files=code_files,
        other_files=tuple(f for f in files if f.name not in taken),
        datasets=datasets,
        dependencies=_dependencies(files),
        conflicts=licensing.conflicts,
        warnings=(*weight_problems, *_file_problems(files)),
        tree_digest=content.tree_digest,
        bytes=content.size,
        file_count=len(content.entries),
    )


def _facts(files: Iterable[CollectedFile], kind: type[T]) -> Iterator[tuple[CollectedFile, T]]:
    """Files with a fact of this kind: the shallowest first, then by name."""
    chosen = [(file, file.fact) for file in files if isinstance(file.fact, kind)]
    chosen.sort(key=lambda pair: (pair[0].name.count("/"), pair[0].name))
    yield from chosen


def _card(files: tuple[CollectedFile, ...]) -> tuple[str, ModelCard] | None:
    for file, card in _facts(files, ModelCard):
        if file.classification.category == "docs/model-card":
            return file.name, card
    return None


def _identities(files: tuple[CollectedFile, ...], licensing: Licensing) -> tuple[Identity, Identity, Identity]:
    """The model, the release and its code.

    What the metadata of a package says is about the package: its version and author become the model's only where the
    model has no other name. A model packed up by somebody else keeps its own identity.
    """
    named, card = _card(files) or ("", None)
    wheel = next(iter(_facts(files, WheelMetadata)), None)
    own = _own_name(files, named, card)
    package = _package(wheel, licensing) if wheel else None
    name = own or (package.name if package else Sourced(UNNAMED, "no file of the release names the model"))
    bare = Identity(name=name, licences=licensing.model)
    model = replace(package, licences=licensing.model) if package and not own else bare
    release = package or replace(bare, licences=licensing.release)
    code = replace(release, name=Sourced(f"{release.name.value} code", release.name.source), licences=licensing.code)
    return model, release, replace(code, description=None)


def _package(wheel: tuple[CollectedFile, WheelMetadata], licensing: Licensing) -> Identity:
    file, content = wheel
    return Identity(
        name=Sourced(content.name, f"{file.name}, Name"),
        version=Sourced(content.version, f"{file.name}, Version"),
        producer=_sourced(content.author, f"{file.name}, Author"),
        description=_sourced(content.summary, f"{file.name}, Summary"),
        licences=licensing.release,
    )


def _model(files: tuple[CollectedFile, ...], weights: Weights | None, identity: Identity) -> ModelAccount:
    named, card = _card(files) or ("", None)
    config_name, config = _main_config(files)
    front = f"{named}, front matter"
    return ModelAccount(
        identity=identity,
        family=_sourced(config.family, f"{config_name}, model_type") if config else None,
        architecture=_sourced(", ".join(config.architectures), f"{config_name}, architectures") if config else None,
        task=_sourced(card.task, f"{front}, pipeline_tag") if card else None,
        library=_sourced(card.library, f"{front}, library_name") if card else None,
        base_models=card.base_models if card else (),
        metrics=card.metrics if card else (),
        intended_use=find_section(card, "intended use", "uses", "use cases") if card else "",
        limitations=find_section(card, "limitation", unless=("use",)) if card else "",
        ethics=find_section(card, "ethical", "bias", "risk") if card else "",
        weights=weights,
        remote_code=config.remote_code if config else (),
        languages=card.languages if card else (),
    )


def _own_name(files: tuple[CollectedFile, ...], card_file: str, card: ModelCard | None) -> Sourced | None:
    """The name that the card or the weights give the model; a folder's name is nobody's statement."""
    if card and card.name:
        return Sourced(card.name, f"{card_file}, front matter, model-index")
    for file, header in _facts(files, SafetensorsHeader):
        if header.metadata.get("model_name"):
            return Sourced(header.metadata["model_name"], f"{file.name}, __metadata__, model_name")
    return Sourced(card.title, f"{card_file}, first heading") if card and card.title else None


def _main_config(files: tuple[CollectedFile, ...]) -> tuple[str, ModelConfig | None]:
    found = list(_facts(files, ModelConfig))
    described = [pair for pair in found if pair[1].architectures or pair[1].family] or found
    return (described[0][0].name, described[0][1]) if described else ("", None)


def _weights(files: tuple[CollectedFile, ...]) -> tuple[Weights | None, list[str]]:
    headers = {f.name: h for f, h in _facts(files, SafetensorsHeader) if f.classification.category == "model/weights"}
    for file, index in _facts(files, WeightsIndex):
        folder = file.name.rpartition("/")[0]
        beside = {n.rpartition("/")[2]: n for n in headers if n.rpartition("/")[0] == folder}
        tensors = {base: frozenset(t.name for t in headers[name].tensors) for base, name in beside.items()}
        problems = [f"{file.name}: {problem}" for problem in index_problems(index, tensors)]
        shards = tuple(beside[base] for base in index.shards if base in beside)
        return _sum(shards, headers), problems
    single = [name for name in headers if name.rpartition("/")[2] == "model.safetensors"] or list(headers)
    return (_sum((single[0],), headers) if len(single) == 1 else None), []


def _sum(names: tuple[str, ...], headers: dict[str, SafetensorsHeader]) -> Weights:
    chosen = [headers[name] for name in names]
    return Weights(
        files=names,
        tensors=sum(len(header.tensors) for header in chosen),
        parameters=sum(header.parameters for header in chosen),
        element_types=tuple(sorted({dtype for header in chosen for dtype in header.dtypes})),
    )


def _datasets(files: tuple[CollectedFile, ...]) -> Iterator[Dataset]:
    folders: dict[str, list[CollectedFile]] = defaultdict(list)
    for file in files:
        if file.classification.category.startswith("data/"):
            folders[_dataset_folder(file.name)].append(file)
    for folder, members in sorted(folders.items()):
        yield Dataset(name=folder or "data files", folder=folder, files=tuple(members))
    named, card = _card(files) or ("", None)
    for name in card.datasets if card else ():
        yield Dataset(name=name, source=f"{named}, front matter, datasets")


def _dataset_folder(name: str) -> str:
    """The folder that stands for the data set: down to the first that is called data, else the file's own."""
    parts = name.split("/")[:-1]
    for depth, part in enumerate(parts):
        if part.lower() in {"data", "dataset", "datasets"}:
            return "/".join(parts[: depth + 1])
    return "/".join(parts)


def _dependencies(files: tuple[CollectedFile, ...]) -> dict[Dependency, tuple[str, ...]]:
    declared: dict[Dependency, set[str]] = defaultdict(set)
    for file, requirements in _facts(files, Declared):
        for dependency in requirements.dependencies:
            declared[dependency].add(file.name)
    for file, wheel in _facts(files, WheelMetadata):
        for dependency in wheel.dependencies:
            declared[dependency].add(file.name)
    return {dependency: tuple(sorted(declared[dependency])) for dependency in sorted(declared)}


def _file_problems(files: tuple[CollectedFile, ...]) -> list[str]:
    return [f"{file.name}: {problem}" for file in files for problem in file.problems]


def _sourced(value: str, source: str) -> Sourced | None:
    return Sourced(value, source) if value else None
