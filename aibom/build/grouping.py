"""Which files are which model: shards are one model, a conversion or an adapter is a model of its own.

Decided by what the files say (an index, an adapter's configuration, a pipeline's list of parts), and by names only
where nothing says it. Everything else that belongs to a model belongs to the main one: `best.pt` and `last.pt` may be
two states of one network, and `small.pt` and `large.pt` two sizes of it, so that files which nothing tells apart stay
together, each with its own counts. By their names alone only an encoder and its decoder are parts: no network is both.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aibom.build.account import ModelKind
from aibom.build.collect import CollectedFile
from aibom.build.weight_names import folder_of, half_of, plain_name, stem_of, unquantised_name
from aibom.formats.adapter_config import AdapterConfig
from aibom.formats.detect import ADAPTER, CHECKPOINT, WEIGHTS
from aibom.formats.onnx import OnnxModel
from aibom.formats.pipeline_index import PipelineIndex

__all__ = ["ModelGroup", "external_data_of", "folder_of", "group_models", "is_folder_name"]

_EXPORTS = frozenset({"gguf", "onnx", "tflite", "executorch"})
_EXPORT_SUFFIXES = (".mlmodel",)
_SEVERAL = 2
_SPLIT = re.compile(r"-\d{5}-of-\d{5}(?=\.gguf$)")
_CHECKPOINT = "checkpoint-"
_Files = dict[str, CollectedFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelGroup:
    """Files that are one model, in order of name; `key` is the file or folder that stands for it."""

    kind: ModelKind
    key: str
    files: tuple[CollectedFile, ...]

    @property
    def weights(self) -> tuple[CollectedFile, ...]:
        """Those of its files that hold parameters."""
        return tuple(file for file in self.files if file.classification.is_weights)


def group_models(files: Iterable[CollectedFile]) -> tuple[ModelGroup, tuple[ModelGroup, ...], tuple[ModelGroup, ...]]:
    """Split the model's files into (the main model, its parts, the models made from it)."""
    rest = _model_files(tuple(files))
    derived = [*_adapters(rest), *_checkpoints(rest)]
    parts = _parts(rest)
    quantized = _quantized(rest)
    exports = _exports(rest)
    if any(file.classification.category == WEIGHTS for file in rest.values()):
        parts += _halves(rest)
    elif not parts:
        exports = _without_native(exports, rest, parts)
    if not parts and not exports and not any(file.classification.is_weights for file in rest.values()):
        rest |= {file.name: file for file in _only_one(derived)}
    main = ModelGroup(kind=ModelKind.MAIN, key="", files=_sorted(rest.values()))
    return main, tuple(parts), tuple(sorted([*exports, *quantized, *derived], key=lambda group: group.key))


def external_data_of(file: CollectedFile) -> frozenset[str]:
    """The files of the release that an ONNX graph says its weights are in, whether they are there or not."""
    if not isinstance(file.fact, OnnxModel):
        return frozenset()
    folder = folder_of(file.name)
    locations = {item.location.removeprefix("./") for item in file.fact.external_data}
    return frozenset(f"{folder}/{location}".lstrip("/") for location in locations)


def is_folder_name(name: str) -> bool:
    """Whether a name in an index can be that of a folder beside it: an empty one would stand for the whole release."""
    return name not in {"", ".", ".."} and "/" not in name and "\\" not in name


def _model_files(files: tuple[CollectedFile, ...]) -> _Files:
    """What belongs to a model; a graph's external data do by its own statement, for their names tell nothing."""
    outside = {name for file in files for name in external_data_of(file)}
    return {
        file.name: file
        for file in files
        if file.classification.category.startswith("model/")
        or (file.name in outside and not file.classification.category)
    }


def _take(rest: _Files, names: Iterable[str], kind: ModelKind, key: str) -> ModelGroup:
    return ModelGroup(kind=kind, key=key, files=_sorted([rest.pop(name) for name in sorted(set(names))]))


def _sorted(files: Iterable[CollectedFile]) -> tuple[CollectedFile, ...]:
    return tuple(sorted(files, key=lambda file: file.name))


def _below(rest: Iterable[str], folder: str) -> list[str]:
    return [name for name in rest if not folder or name.startswith(f"{folder}/")]


def _adapters(rest: _Files) -> list[ModelGroup]:
    """Folders with an adapter's configuration, then adapter weights that have none."""
    found = []
    folders = sorted(
        (folder_of(f.name) for f in rest.values() if isinstance(f.fact, AdapterConfig)), key=lambda f: -f.count("/")
    )
    for folder in folders:
        own = [name for name in _below(rest, folder) if folder or "/" not in name]
        if any(rest[name].classification.category == WEIGHTS for name in own):
            own = [
                n for n in own if rest[n].classification.category == ADAPTER or isinstance(rest[n].fact, AdapterConfig)
            ]
        if any(rest[name].classification.is_weights for name in own):
            found.append(_adapter(rest, own, folder))
    loose = sorted({folder_of(file.name) for file in rest.values() if file.classification.category == ADAPTER})
    for folder in loose:
        own = [n for n, f in rest.items() if folder_of(n) == folder and f.classification.category == ADAPTER]
        found.append(_adapter(rest, own, folder))
    return found


def _adapter(rest: _Files, own: list[str], folder: str) -> ModelGroup:
    """An adapter is called by its folder, in the root by its weights; one saved during training is a checkpoint."""
    weights = [name for name in sorted(own) if rest[name].classification.is_weights]
    saved = any(part.startswith(_CHECKPOINT) for part in folder.split("/"))
    return _take(rest, own, ModelKind.CHECKPOINT if saved else ModelKind.ADAPTER, folder or weights[0])


def _checkpoints(rest: _Files) -> list[ModelGroup]:
    folders: dict[str, list[str]] = {}
    for name, file in rest.items():
        if file.classification.category == CHECKPOINT:
            parts = name.split("/")
            depth = next(i for i, part in enumerate(parts) if part.startswith(_CHECKPOINT))
            folders.setdefault("/".join(parts[: depth + 1]), []).append(name)
    return [_take(rest, _below(rest, folder), ModelKind.CHECKPOINT, folder) for folder in sorted(folders)]


def _only_one(derived: list[ModelGroup]) -> tuple[CollectedFile, ...]:
    """The files of the one adapter that a release is, or of its one checkpoint: taken out of what was made from it."""
    adapters = [group for group in derived if group.kind is ModelKind.ADAPTER]
    for candidates in (adapters, derived):
        if len(candidates) == 1:
            (only,) = candidates
            derived.remove(only)
            return only.files
        if candidates:
            break
    return ()


def _parts(rest: _Files) -> list[ModelGroup]:
    """The sub-folders that a pipeline names and that hold weights."""
    found = []
    indexes = [(file.name, file.fact) for file in rest.values() if isinstance(file.fact, PipelineIndex)]
    for name, index in indexes:
        base = folder_of(name)
        for component in index.components:
            if not is_folder_name(component.name):
                continue
            folder = f"{base}/{component.name}" if base else component.name
            own = _below(rest, folder)
            if any(rest[inner].classification.is_weights for inner in own):
                found.append(_take(rest, own, ModelKind.PART, folder))
    return sorted(found, key=lambda group: group.key)


def _halves(rest: _Files) -> list[ModelGroup]:
    """Native weights that all call themselves parts of a model, and not all the same part."""
    names = [name for name, file in rest.items() if file.classification.category == WEIGHTS]
    if not _are_halves(names):
        return []
    by_stem: dict[str, list[str]] = {}
    for name in sorted(names):
        by_stem.setdefault(stem_of(name), []).append(name)
    return [_take(rest, own, ModelKind.PART, own[0]) for _, own in sorted(by_stem.items())]


def _are_halves(names: Iterable[str]) -> bool:
    halves = {half_of(name) for name in names}
    return len(halves) >= _SEVERAL and "" not in halves


def _quantized(rest: _Files) -> list[ModelGroup]:
    """`model.int8.safetensors` beside `model.safetensors` was made from it."""
    found = []
    for name in sorted(rest):
        plain = unquantised_name(name)
        if (
            rest[name].classification.category == WEIGHTS
            and plain != name
            and plain in rest
            and not _is_export(rest[name])
        ):
            found.append(_take(rest, [name], ModelKind.CONVERSION, name))
    return found


def _is_export(file: CollectedFile) -> bool:
    return file.classification.format in _EXPORTS or file.name.lower().endswith(_EXPORT_SUFFIXES)


def _exports(rest: _Files) -> list[ModelGroup]:
    """One group for each converted file, with the splits or the external data that belong to it."""
    groups: dict[str, list[str]] = {}
    for name, file in rest.items():
        if file.classification.is_weights and _is_export(file):
            groups.setdefault(_SPLIT.sub("", name), []).append(name)
    for members in groups.values():
        beside = {name for member in members for name in external_data_of(rest[member])}
        members += sorted(beside & rest.keys() - set(members))
    taken: set[str] = set()
    found = []
    for key, members in sorted(groups.items()):
        own = [name for name in members if name not in taken]
        taken.update(own)
        if own:
            found.append(_take(rest, own, ModelKind.CONVERSION, key))
    return found


def _without_native(exports: list[ModelGroup], rest: _Files, parts: list[ModelGroup]) -> list[ModelGroup]:
    """Where nothing but exported files is there: one is the model, and what is left of `exports` was made from it.

    Several GGUF files are versions of a model that is not there itself. Of other formats, a file that is another's
    name with a precision or a quantisation in it was made from that one; the rest are halves, or the model's files.
    """
    if len(exports) == 1:
        _give_back(exports, rest)
        return []
    versions = [group for group in exports if group.files[0].classification.format == "gguf"]
    others: Mapping[str, ModelGroup] = {group.key: group for group in exports if group not in versions}
    made = [group for key, group in others.items() if plain_name(key) != key and plain_name(key) in others]
    plain = [group for group in others.values() if group not in made]
    if _are_halves(group.key for group in plain):
        parts += [ModelGroup(kind=ModelKind.PART, key=group.key, files=group.files) for group in plain]
    else:
        _give_back(plain, rest)
    return [*versions, *made]


def _give_back(groups: Iterable[ModelGroup], rest: _Files) -> None:
    rest |= {file.name: file for group in groups for file in group.files}
