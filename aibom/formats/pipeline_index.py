"""Indexes of pipelines: diffusers' `model_index.json` and sentence-transformers' `modules.json`.

Both name Python classes that a loader imports: a library that is not one of the usual ones is code from elsewhere, so
it is marked. Diffusers first looks for the library among its own pipelines, then for `<library>.py` beside the
component, then imports it by name (diffusers, "Loading pipelines"; sentence-transformers, `modules.json`).
"""

from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import parse_json, parse_json_object, type_name

MAX_BYTES = 1024 * 1024
_MAX_PARTS = 1000
_MAX_DEPTH = 20
_LIBRARIES = frozenset({"diffusers", "transformers", "onnxruntime", "peft", "sentence_transformers"})
# Parts of diffusers itself that published indexes name as if they were libraries.
_DIFFUSERS_PIPELINES = frozenset(
    {
        "audioldm2", "blip_diffusion", "deepfloyd_if", "latent_diffusion", "paint_by_example", "shap_e",
        "spectrogram_diffusion", "stable_audio", "stable_diffusion", "unidiffuser", "wuerstchen",
    }
)  # fmt: skip
_OWN_MODULES = "sentence_transformers."


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineComponent:
    """One component: the folder it lies in, and the class that loads it (both empty if the component is absent)."""

    name: str
    library: str
    class_name: str

    @property
    def is_absent(self) -> bool:
        """Whether the index says that the pipeline goes without this component (`[null, null]`)."""
        return not self.library and not self.class_name

    @property
    def is_foreign(self) -> bool:
        """Whether its class comes from none of the usual libraries."""
        known = self.library.partition(".")[0] in _LIBRARIES or self.library in _DIFFUSERS_PIPELINES
        return not known and not self.is_absent


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineIndex:
    """What a `model_index.json` says."""

    pipeline_class: str
    pipeline_module: str
    """The Python module beside the index that holds the pipeline's class, for a pipeline with code of its own."""
    diffusers_version: str
    starting_point: str
    """`_name_or_path`: where the pipeline was loaded from before it was saved. Never its own name."""
    components: tuple[PipelineComponent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceModule:
    """One step of a sentence-transformers model."""

    index: int
    name: str
    path: str
    type: str
    """Dotted path of the class."""

    @property
    def is_foreign(self) -> bool:
        """Whether the class lies outside sentence_transformers."""
        return not self.type.startswith(_OWN_MODULES)


def parse_pipeline_index(data: bytes, where: str) -> PipelineIndex:
    """Read `model_index.json` (or `modular_model_index.json`). Raises InputError if it names no pipeline class."""
    document = parse_json_object(data, where, max_bytes=MAX_BYTES, max_depth=_MAX_DEPTH)
    if len(document) > _MAX_PARTS:
        raise InputError(f"{len(document)} entries; at most {_MAX_PARTS} are read", where=where)
    module, name = _pipeline_class(document.get("_class_name"), f"{where}, _class_name")
    found = [_component(key, value) for key, value in document.items() if not key.startswith("_")]
    return PipelineIndex(
        pipeline_class=name,
        pipeline_module=module,
        diffusers_version=_text(document.get("_diffusers_version")),
        starting_point=_text(document.get("_name_or_path")),
        components=tuple(component for component in found if component),
    )


def parse_sentence_modules(data: bytes, where: str) -> tuple[SentenceModule, ...]:
    """Read `modules.json`, in the order of its indexes. Raises InputError with the entry at fault."""
    value = parse_json(data, where, max_bytes=MAX_BYTES, max_depth=_MAX_DEPTH)
    if not isinstance(value, list):
        raise InputError(f"expected a JSON array, found {type_name(value)}", where=where)
    if len(value) > _MAX_PARTS:
        raise InputError(f"{len(value)} modules; at most {_MAX_PARTS} are read", where=where)
    found = [_module(item, number, f"{where}[{number}]") for number, item in enumerate(value)]
    return tuple(sorted(found, key=lambda module: module.index))


def _pipeline_class(value: Any, where: str) -> tuple[str, str]:
    if isinstance(value, str) and value:
        return "", value
    if isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) and item for item in value):
        return value[0], value[1]
    raise InputError(f"expected a class name, found {type_name(value)}", where=where)


def _component(name: str, value: Any) -> PipelineComponent | None:
    """A pair of library and class; the modular form adds an object. Anything else is a setting of the pipeline."""
    if not isinstance(value, list) or len(value) not in {2, 3}:
        return None
    library, class_name = value[:2]
    if not all(item is None or isinstance(item, str) for item in (library, class_name)):
        return None
    return PipelineComponent(name=name, library=library or "", class_name=class_name or "")


def _module(item: Any, number: int, where: str) -> SentenceModule:
    if not isinstance(item, dict) or not isinstance(item.get("type"), str) or not item["type"]:
        raise InputError("a module needs a type, the dotted path of its class", where=where)
    index = item.get("idx", number)
    if type(index) is not int:
        raise InputError(f"expected a whole number, found {type_name(index)}", where=f"{where}.idx")
    return SentenceModule(index=index, name=_text(item.get("name")), path=_text(item.get("path")), type=item["type"])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
