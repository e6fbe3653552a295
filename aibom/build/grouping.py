"""Which files are which model: shards are one model, a conversion or an adapter is a model of its own.

Decided by what the files say (an index, an adapter's configuration, a pipeline's list of parts), and by names only
where nothing says it. Everything else that belongs to a model belongs to the main one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aibom.build.account import ModelKind
from aibom.build.collect import CollectedFile
from aibom.formats.adapter_config import AdapterConfig
from aibom.formats.detect import ADAPTER, CHECKPOINT, WEIGHTS
from aibom.formats.onnx import OnnxModel
from aibom.formats.pipeline_index import PipelineIndex

_EXPORTS = frozenset({"gguf", "onnx", "tflite", "executorch"})
_EXPORT_SUFFIXES = (".mlmodel",)
_SEVERAL = 2
_SHARD = re.compile(r"[-_.]\d{3,5}-of-\d{3,5}$")
_PRECISION = re.compile(r"[-_.](?:fp16|bf16|fp32|float16|float32|half)$", re.IGNORECASE)
_QUANTIZED = re.compile(r"[-_.](?:int8|int4|uint8|q8|q4|8bit|4bit|quantized|quant)(?=\.[A-Za-z0-9]+$)", re.IGNORECASE)
# What libraries call the weights of the model itself.
_USUAL = frozenset({
    "model", "pytorch_model", "tf_model", "flax_model", "diffusion_pytorch_model", "weights", "consolidated",
    "model_weights", "saved_model", "model_state", "checkpoint", "ckpt", "variables",
})  # fmt: skip
_SPLIT = re.compile(r"-\d{5}-of-\d{5}(?=\.gguf$)")


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
    rest = {file.name: file for file in files if file.classification.category.startswith("model/")}
    derived = [*_adapters(rest), *_checkpoints(rest)]
    parts = _parts(rest)
    parts += _alternatives(rest)
    quantized = _quantized(rest)
    exports = [*_exports(rest), *quantized]
    native = [file for file in rest.values() if file.classification.category == WEIGHTS]
    if exports and not native and not parts:
        exports = _without_native(exports, rest, parts)
    main = ModelGroup(kind=ModelKind.MAIN, key="", files=tuple(sorted(rest.values(), key=lambda file: file.name)))
    if not main.weights and not parts and not exports and len(derived) == 1:  # a release that is an adapter
        main = ModelGroup(kind=ModelKind.MAIN, key="", files=_sorted([*main.files, *derived.pop().files]))
    return main, tuple(parts), tuple(sorted([*exports, *derived], key=lambda group: group.key))


def folder_of(name: str) -> str:
    """The folder that a file lies in; empty for the root."""
    return name.rpartition("/")[0]


def _take(rest: dict[str, CollectedFile], names: Iterable[str], kind: ModelKind, key: str) -> ModelGroup:
    return ModelGroup(kind=kind, key=key, files=_sorted([rest.pop(name) for name in sorted(set(names))]))


def _sorted(files: Iterable[CollectedFile]) -> tuple[CollectedFile, ...]:
    return tuple(sorted(files, key=lambda file: file.name))


def _below(rest: Iterable[str], folder: str) -> list[str]:
    return [name for name in rest if not folder or name.startswith(f"{folder}/")]


def _adapters(rest: dict[str, CollectedFile]) -> list[ModelGroup]:
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
            found.append(_take(rest, own, ModelKind.ADAPTER, folder))
    loose = sorted({folder_of(file.name) for file in rest.values() if file.classification.category == ADAPTER})
    for folder in loose:
        own = [n for n, f in rest.items() if folder_of(n) == folder and f.classification.category == ADAPTER]
        found.append(_take(rest, own, ModelKind.ADAPTER, folder or own[0]))
    return found


def _checkpoints(rest: dict[str, CollectedFile]) -> list[ModelGroup]:
    folders: dict[str, list[str]] = {}
    for name, file in rest.items():
        if file.classification.category == CHECKPOINT:
            parts = name.split("/")
            depth = next(i for i, part in enumerate(parts) if part.startswith("checkpoint-"))
            folders.setdefault("/".join(parts[: depth + 1]), []).append(name)
    return [_take(rest, _below(rest, folder), ModelKind.CHECKPOINT, folder) for folder in sorted(folders)]


def _parts(rest: dict[str, CollectedFile]) -> list[ModelGroup]:
    """The sub-folders that a pipeline names and that hold weights."""
    found = []
    indexes = [(file.name, file.fact) for file in rest.values() if isinstance(file.fact, PipelineIndex)]
    for name, index in indexes:
        base = folder_of(name)
        for component in index.components:
            folder = f"{base}/{component.name}" if base else component.name
            own = _below(rest, folder)
            if any(rest[inner].classification.is_weights for inner in own):
                found.append(_take(rest, own, ModelKind.PART, folder))
    return sorted(found, key=lambda group: group.key)


def _alternatives(rest: dict[str, CollectedFile]) -> list[ModelGroup]:
    """Native weights under names of their own, where none is called as libraries call the model: several networks.

    `p.pt`, `r.pt` and `o.pt` are three networks; `model.joblib` and `model.skops` are one in two forms.
    """
    by_stem: dict[str, list[str]] = {}
    for name, file in rest.items():
        if (
            file.classification.category == WEIGHTS
            and not _is_export(file)
            and file.classification.format != "saved-model"
        ):
            by_stem.setdefault(_stem(name), []).append(name)
    if "" in by_stem or len(by_stem) < _SEVERAL:
        return []
    return [_take(rest, names, ModelKind.PART, names[0]) for _, names in sorted(by_stem.items())]


def _stem(name: str) -> str:
    """What tells a weights file from others: without folder of precision, number of shard, and the usual names."""
    folder, _, base = name.rpartition("/")
    plain = _SHARD.sub("", base.rsplit(".", 1)[0]) if "." in base else base
    plain = _PRECISION.sub("", plain)
    return "" if plain.lower() in _USUAL else f"{folder}/{plain}"


def _quantized(rest: dict[str, CollectedFile]) -> list[ModelGroup]:
    """`model.int8.safetensors` beside `model.safetensors` was made from it."""
    found = []
    for name in sorted(rest):
        plain = _QUANTIZED.sub("", name)
        if (
            rest[name].classification.category == WEIGHTS
            and plain != name
            and plain in rest
            and not _is_export(rest[name])
        ):
            found.append(_take(rest, [name], ModelKind.CONVERSION, name))
    return found


def names_a_quantisation(name: str) -> bool:
    """Whether a file calls itself quantised."""
    return _QUANTIZED.search(name) is not None


def _is_export(file: CollectedFile) -> bool:
    return file.classification.format in _EXPORTS or file.name.lower().endswith(_EXPORT_SUFFIXES)


def _exports(rest: dict[str, CollectedFile]) -> list[ModelGroup]:
    """One group for each converted file, with the splits or the external data that belong to it."""
    groups: dict[str, list[str]] = {}
    for name, file in rest.items():
        if not file.classification.is_weights:
            continue
        if _is_export(file):
            groups.setdefault(_SPLIT.sub("", name), []).append(name)
    for key, members in groups.items():
        fact = rest[members[0]].fact
        if isinstance(fact, OnnxModel):
            beside = {f"{folder_of(key)}/{item.location}".lstrip("/") for item in fact.external_data}
            members += sorted(beside & rest.keys() - set(members))
    taken: set[str] = set()
    found = []
    for key, members in sorted(groups.items()):
        own = [name for name in members if name not in taken]
        taken.update(own)
        found.append(_take(rest, own, ModelKind.CONVERSION, key))
    return found


def _without_native(
    exports: list[ModelGroup], rest: dict[str, CollectedFile], parts: list[ModelGroup]
) -> list[ModelGroup]:
    """Where nothing but exported files is there: one is the model; GGUF are conversions; others are its parts."""
    if len(exports) == 1:
        rest.update({file.name: file for file in exports[0].files})
        return []
    kept = []
    for group in exports:
        if group.files[0].classification.format == "gguf":
            kept.append(group)
        else:
            parts.append(ModelGroup(kind=ModelKind.PART, key=group.key, files=group.files))
    return kept
