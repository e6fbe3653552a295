"""What the reader of a file's format found, as properties of the file: one function a kind of fact."""

from collections.abc import Callable, Iterable
from typing import Any

from aibom.build.render.values import Pairs
from aibom.cyclonedx import properties as names
from aibom.formats.generation_config import GenerationConfig
from aibom.formats.gguf import GgufHeader
from aibom.formats.keras import KerasArchive, KerasHdf5
from aibom.formats.loading import NotLookedInto, safety_of
from aibom.formats.model_config import ModelConfig
from aibom.formats.numpy_array import NpyArray, NpzArchive
from aibom.formats.onnx import OnnxModel
from aibom.formats.pickle_stream import PickleScan
from aibom.formats.pipeline_index import PipelineIndex
from aibom.formats.python_source import PythonSource
from aibom.formats.safetensors import SafetensorsHeader
from aibom.formats.saved_model import SavedModel
from aibom.formats.skops import SkopsModel
from aibom.formats.table import Table
from aibom.formats.tar_shard import TarShard
from aibom.formats.tflite import TfliteModel
from aibom.formats.tokenizer import ChatTemplate, Tokenizer
from aibom.formats.torch_export import TorchExport
from aibom.formats.torch_zip import TorchArchive

_MOST = 100
_LONG = 500


def fact_pairs(fact: object) -> Pairs:
    """Names and values of what a file says, in a fixed order."""
    describe = _DESCRIBE.get(type(fact))
    return [(name, value) for name, value in describe(fact) if value] if describe else []


def _safetensors(fact: SafetensorsHeader) -> Pairs:
    return _counts(len(fact.tensors), fact.parameters, fact.dtypes)


def _gguf(fact: GgufHeader) -> Pairs:
    return [
        *_counts(len(fact.tensors), fact.parameters, fact.element_types),
        (f"{names.SETTING_PREFIX}gguf.version", str(fact.format_version)),
        (f"{names.SETTING_PREFIX}quantization", fact.file_type),
        (f"{names.SETTING_PREFIX}architecture", fact.architecture),
        *_templates(fact.chat_templates),
    ]


def _onnx(fact: OnnxModel) -> Pairs:
    opsets = (f"{domain or 'ai.onnx'} {version}" for domain, version in sorted(fact.opsets.items()))
    return [
        *_counts(len(fact.tensors), fact.parameters + fact.constant_elements, fact.element_types),
        (f"{names.SETTING_PREFIX}onnx.ir", str(fact.ir_version)),
        (f"{names.SETTING_PREFIX}onnx.opsets", ", ".join(opsets)),
        (f"{names.SETTING_PREFIX}producer", f"{fact.producer_name} {fact.producer_version}".strip()),
        (f"{names.SETTING_PREFIX}onnx.operators", ", ".join(fact.operators)[:_LONG]),
        (f"{names.SETTING_PREFIX}onnx.custom-domains", ", ".join(fact.custom_domains)),
        *((names.EXTERNAL_DATA, place) for place in sorted({item.location for item in fact.external_data})[:_MOST]),
    ]


def _tflite(fact: TfliteModel) -> Pairs:
    return [
        *_counts(fact.tensor_count, fact.parameters, fact.element_types),
        (f"{names.SETTING_PREFIX}tflite.version", str(fact.version)),
        (f"{names.SETTING_PREFIX}producer", fact.description[:_LONG]),
        (f"{names.SETTING_PREFIX}tflite.custom-operators", ", ".join(fact.custom_operators)[:_LONG]),
    ]


def _saved_model(fact: SavedModel) -> Pairs:
    graphs = fact.meta_graphs
    return [
        (f"{names.SETTING_PREFIX}tensorflow", ", ".join(sorted({g.tensorflow_version for g in graphs}))),
        (f"{names.SETTING_PREFIX}tags", ", ".join(sorted({tag for g in graphs for tag in g.tags}))),
        (f"{names.SETTING_PREFIX}signatures", ", ".join(sorted({s for g in graphs for s in g.signatures}))[:_LONG]),
        (names.SAFETY, "unknown" if fact.unsafe_operators else "clean"),
        *((names.SAFETY_REASON, f"operator {name}") for name in fact.unsafe_operators[:_MOST]),
    ]


def _torch(fact: TorchArchive) -> Pairs:
    scanned = sorted({name for _, scan in fact.scans for name in scan.globals})
    return [
        *(_counts(fact.tensors, fact.parameters, fact.element_types) if fact.tensors else []),
        (f"{names.SETTING_PREFIX}torch.form", fact.format),
        (f"{names.SETTING_PREFIX}torch.version", fact.version),
        *_safety(fact, scanned),
    ]


def _pickle(fact: PickleScan) -> Pairs:
    versions = [(f"{names.SETTING_PREFIX}{name.strip('_')}", value) for name, value in sorted(fact.versions.items())]
    return [(f"{names.SETTING_PREFIX}pickle.protocol", str(fact.protocol)), *versions, *_safety(fact, fact.globals)]


def _array(fact: NpyArray) -> Pairs:
    return [
        (f"{names.SETTING_PREFIX}shape", " × ".join(map(str, fact.shape))),
        (names.ELEMENT_TYPES, fact.dtype),
        *(_pickle(fact.scan) if fact.scan else []),
    ]


def _skops(fact: SkopsModel) -> Pairs:
    return [(f"{names.SETTING_PREFIX}skops", fact.version), *_safety(fact, fact.types)]


def _keras(fact: KerasArchive) -> Pairs:
    return [
        (f"{names.SETTING_PREFIX}keras", fact.keras_version),
        (f"{names.SETTING_PREFIX}layers", ", ".join(fact.config.layer_classes)[:_LONG]),
        *_safety(fact, ()),
    ]


def _hdf5(fact: KerasHdf5) -> Pairs:
    layers = ", ".join(fact.config.layer_classes)[:_LONG] if fact.config else ""
    looked = "its structure was read" if fact.file.examined else "not looked into"
    return [
        (f"{names.SETTING_PREFIX}keras", fact.keras_version),
        (f"{names.SETTING_PREFIX}layers", layers),
        (f"{names.SETTING_PREFIX}hdf5", looked),
        *((names.EXTERNAL_DATA, link) for link in fact.file.external_links[:_MOST]),
        *_safety(fact, ()),
    ]


def _export(fact: TorchExport) -> Pairs:
    return [
        (f"{names.SETTING_PREFIX}torch.form", f"{fact.archive_format} {fact.archive_version}".strip()),
        (f"{names.SETTING_PREFIX}torch.schema", ", ".join(sorted({p.schema_version for p in fact.programs}))),
        *_safety(fact, ()),
    ]


def _config(fact: ModelConfig) -> Pairs:
    return [(names.REMOTE_CODE, target) for target in fact.remote_code]


def _generation(fact: GenerationConfig) -> Pairs:
    return [(names.REMOTE_CODE, target) for target in fact.remote_code]


def _pipeline(fact: PipelineIndex) -> Pairs:
    return [(f"{names.SETTING_PREFIX}diffusers", fact.diffusers_version)]


def _tokenizer(fact: Tokenizer) -> Pairs:
    size = "" if fact.vocabulary_size is None else str(fact.vocabulary_size)
    return [
        (f"{names.SETTING_PREFIX}tokenizer", fact.model_type),
        (f"{names.SETTING_PREFIX}vocabulary-size", size),
    ]


def _template(fact: ChatTemplate) -> Pairs:
    return _templates({fact.name: fact.sha256})


def _table(fact: Table) -> Pairs:
    shown = (f"{column.name}: {column.type}" if column.type else column.name for column in fact.columns)
    return [
        (f"{names.SETTING_PREFIX}columns", ", ".join(shown)[:_LONG]),
        (f"{names.SETTING_PREFIX}rows", "" if fact.rows is None else str(fact.rows)),
        (f"{names.SETTING_PREFIX}producer", fact.created_by[:_LONG]),
    ]


def _shard(fact: TarShard) -> Pairs:
    suffixes = (f"{suffix} ({count})" for suffix, count in sorted(fact.suffixes.items()))
    return [
        (f"{names.SETTING_PREFIX}samples", str(fact.samples)),
        (f"{names.SETTING_PREFIX}members", ", ".join(suffixes)[:_LONG]),
    ]


def _source(fact: PythonSource) -> Pairs:
    """Calls that run code or unpickle: what somebody who will run this code wants to have seen."""
    risky = [f"line {call.line}: {call.name}" for call in fact.risky_calls]
    trusting = [f"line {line}: trust_remote_code=True" for line in fact.trusts_remote_code]
    return [(names.RISKY_CALL, text) for text in [*risky, *trusting][:_MOST]]


def _counts(tensors: int, parameters: int, kinds: Iterable[str]) -> Pairs:
    return [
        (names.TENSORS, str(tensors) if tensors else ""),
        (names.PARAMETERS, str(parameters)),
        (names.ELEMENT_TYPES, " ".join(sorted(kinds))),
    ]


def _templates(templates: Any) -> Pairs:
    return [(f"{names.CHAT_TEMPLATE_PREFIX}{name}", f"sha256:{digest}") for name, digest in sorted(templates.items())]


def _other(fact: NpzArchive | NotLookedInto) -> Pairs:
    """Archives of arrays, and what nothing looked into: what loading them would do, and why."""
    found = safety_of(fact)
    if found is None:
        return []
    return [(names.SAFETY, str(found[0])), *((names.SAFETY_REASON, reason) for reason in found[1][:_MOST])]


def _safety(fact: Any, listed: Iterable[str]) -> Pairs:
    return [
        (names.SAFETY, str(fact.safety)),
        *((names.SAFETY_REASON, reason) for reason in fact.reasons[:_MOST]),
        *((names.GLOBAL, name) for name in sorted(listed)[:_MOST]),
    ]


_DESCRIBE: dict[type, Callable[[Any], Pairs]] = {
    SafetensorsHeader: _safetensors,
    GgufHeader: _gguf,
    OnnxModel: _onnx,
    TfliteModel: _tflite,
    SavedModel: _saved_model,
    TorchArchive: _torch,
    PickleScan: _pickle,
    NpyArray: _array,
    NpzArchive: _other,
    NotLookedInto: _other,
    SkopsModel: _skops,
    KerasArchive: _keras,
    KerasHdf5: _hdf5,
    TorchExport: _export,
    ModelConfig: _config,
    GenerationConfig: _generation,
    PipelineIndex: _pipeline,
    Tokenizer: _tokenizer,
    ChatTemplate: _template,
    Table: _table,
    TarShard: _shard,
    PythonSource: _source,
}
