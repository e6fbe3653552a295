"""Keras models: the zip archive of Keras 3 (`.keras`), and the configuration that HDF5 files carry too.

A configuration names classes to make. Those of Keras are known; a Lambda layer carries marshalled code, and a module
outside Keras is imported when the model is loaded. Format: Keras' `saving_lib` (metadata.json, config.json, weights).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.core.strictjson import Json, parse_json_object
from aibom.formats.hdf5 import Hdf5File, parse_hdf5
from aibom.formats.pickle_globals import Safety, judge, worst
from aibom.formats.zip_members import list_zip, member_source, read_member

MAX_CONFIG = 64 * 1024 * 1024
MAX_WEIGHTS = 256 * 1024 * 1024
MAX_WEIGHT_FILES = 16
MAX_REASONS = 100
_MAX_METADATA = 64 * 1024
_CODE_CLASSES = {
    "Lambda": "a Lambda layer carries Python code",
    "__lambda__": "a lambda carries Python code",
    "TorchModuleWrapper": "a TorchModuleWrapper carries a pickle",
}
_INERT_CLASSES = frozenset(
    {"__tensor__", "__numpy__", "__bytes__", "__slice__", "__ellipsis__", "__keras_tensor__", "function"}
)
_KERAS_ROOTS = frozenset({"keras", "tf_keras", "keras_nlp", "keras_hub", "keras_cv", "builtins"})
_FILE_OPERATIONS = ("io.", "raw_ops.", "py_function", "numpy_function", "load_op_library")


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasConfig:
    """What a model's configuration names."""

    class_name: str
    """Of the model itself: Sequential, Functional, or a class of its own."""
    layers: int
    layer_classes: tuple[str, ...]
    safety: Safety
    reasons: tuple[str, ...]
    """One sentence for each thing that carries code or is not Keras' own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasArchive:
    """A Keras 3 archive."""

    keras_version: str
    date_saved: str
    config: KerasConfig
    weights: tuple[str, ...]
    """Members that hold weights."""
    safety: Safety
    reasons: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasHdf5:
    """A Keras model, or only its weights, in one HDF5 file."""

    file: Hdf5File
    keras_version: str
    backend: str
    config: KerasConfig | None
    """None if the file holds only weights."""
    safety: Safety
    reasons: tuple[str, ...]

    @property
    def parameters(self) -> int | None:
        """Numbers in the model's weights; None where those of an optimiser may lie beside them, or not all are here.

        Keras writes its version into files that hold no optimiser unless its settings for training are there too.
        """
        return self.file.elements if self.keras_version and "training_config" not in self.file.attributes else None


def parse_keras_hdf5(source: ByteSource, where: str) -> KerasHdf5:
    """Read an HDF5 file and the model configuration in it. Raises InputError if it is not HDF5."""
    file = parse_hdf5(source, where)
    config, reasons, levels = None, list(file.reasons), [file.safety]
    if "model_config" in file.attributes:
        try:
            config = parse_keras_config(file.attributes["model_config"].encode(), f"{where}, model_config")
            reasons += config.reasons
            levels.append(config.safety)
        except InputError as error:
            reasons.append(f"model_config cannot be read: {error.message}")
            levels.append(Safety.UNKNOWN)
    return KerasHdf5(
        file=file,
        keras_version=_text(file.attributes, "keras_version"),
        backend=_text(file.attributes, "backend"),
        config=config,
        safety=worst(*levels),
        reasons=tuple(reasons[:MAX_REASONS]),
    )


def parse_keras(source: ByteSource, where: str) -> KerasArchive:
    """Read a Keras 3 archive. Raises InputError if it is no zip archive or has no config.json."""
    listing = list_zip(source, where)
    documents: dict[str, Json] = {}
    for name, limit in (("config.json", MAX_CONFIG), ("metadata.json", _MAX_METADATA)):
        if (member := listing.named(name)) is not None:
            data = read_member(source, member, limit, where)
            documents[name] = parse_json_object(data, f"{where}, member {name!r}")
    if "config.json" not in documents:
        raise InputError("a zip archive without config.json: not a Keras model", where=where)
    metadata = documents.get("metadata.json", {})
    config = read_keras_config(documents["config.json"])
    weights = [member for member in listing.members if member.name.endswith((".h5", ".weights.json", ".npz"))]
    if len(weights) > MAX_WEIGHT_FILES:
        raise InputError(f"{len(weights)} files of weights; at most {MAX_WEIGHT_FILES} are read", where=where)
    problems, levels = list(listing.problems), [config.safety]
    reasons = list(config.reasons)
    for member in weights:
        if member.name.endswith(".h5"):
            try:
                held = parse_hdf5(member_source(source, member, MAX_WEIGHTS, where), f"{where}, member {member.name!r}")
                levels.append(held.safety)
                reasons += [f"{member.name[:120]}: {reason}" for reason in held.reasons]
            except InputError as error:
                problems.append(f"{member.name[:120]!r} cannot be read: {error.message}")
    return KerasArchive(
        keras_version=_text(metadata, "keras_version"),
        date_saved=_text(metadata, "date_saved"),
        config=config,
        weights=tuple(member.name for member in weights),
        safety=worst(*levels, *([Safety.UNKNOWN] if problems else [])),
        reasons=tuple([*reasons, *problems][:MAX_REASONS]),
        problems=tuple(problems),
    )


def parse_keras_config(data: bytes, where: str) -> KerasConfig:
    """Read a model's configuration from its JSON text."""
    return read_keras_config(parse_json_object(data, where, max_bytes=MAX_CONFIG))


def read_keras_config(document: Json) -> KerasConfig:
    """Walk a parsed configuration; its depth is bounded by the parser."""
    found: dict[str, Safety] = {}
    pending: list[Any] = [document]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            _judge_object(item, found)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    layers = _layers(document)
    classes = {layer["class_name"][:120] for layer in layers if isinstance(layer.get("class_name"), str)}
    ranked = sorted(found, key=lambda reason: (found[reason] is not Safety.DANGEROUS, reason))
    return KerasConfig(
        class_name=_text(document, "class_name"),
        layers=len(layers),
        layer_classes=tuple(sorted(classes)),
        safety=worst(*found.values()),
        reasons=tuple(ranked[:MAX_REASONS]),
    )


def _layers(document: Json) -> list[Json]:
    config = document.get("config")
    layers = config.get("layers") if isinstance(config, dict) else config  # Keras 1 and 2.0: a plain list
    return [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []


def _judge_object(item: Json, found: dict[str, Safety]) -> None:
    name = _text(item, "class_name")
    if not name:
        return
    config, module, registered = item.get("config"), _text(item, "module"), _text(item, "registered_name")
    for label in (name, registered.rsplit(">", 1)[-1]):
        if label in _CODE_CLASSES:
            found[_CODE_CLASSES[label]] = Safety.DANGEROUS
    if module and module.split(".", 1)[0] not in _KERAS_ROOTS:
        found[f"needs {name} of the module {module}"] = worst(Safety.UNKNOWN, judge(module, name))
    elif module and name not in _INERT_CLASSES and not name.lstrip("_")[:1].isupper():
        found[f"needs {module}.{name}, which is a function"] = Safety.DANGEROUS
    elif ">" in registered and not registered.startswith(("keras", "Keras")):
        found[f"needs the registered class {registered}"] = Safety.UNKNOWN
    if isinstance(config, dict):
        _judge_values(name, config, found)
    elif name == "function" and module == "builtins":
        found[f"needs the function {str(config)[:120]}"] = Safety.UNKNOWN


def _judge_values(name: str, config: Json, found: dict[str, Safety]) -> None:
    """Configurations that reach for files or operations by name."""
    function = config.get("function")
    if name == "TFOpLambda" and isinstance(function, str) and function.startswith(_FILE_OPERATIONS):
        found[f"runs the TensorFlow operation {function[:120]}"] = Safety.DANGEROUS
    if name in {"StringLookup", "IntegerLookup", "TextVectorization"} and isinstance(config.get("vocabulary"), str):
        found[f"reads a vocabulary from the file {config['vocabulary'][:120]}"] = Safety.UNKNOWN


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value[:200] if isinstance(value, str) else ""
