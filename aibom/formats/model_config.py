"""The `config.json` of a transformers-style model: architecture, family, and code it would fetch and run."""

from dataclasses import dataclass
from typing import Any

from aibom.core.strictjson import parse_json_object

_MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """What a configuration says about its model."""

    architectures: tuple[str, ...]
    family: str
    dtype: str
    starting_point: str
    """`_name_or_path`: what the training run started from, or where the files lay. Never the model's own name."""
    remote_code: tuple[str, ...]
    """Targets of `auto_map`: Python that a loader runs if told to trust remote code."""


def parse_model_config(data: bytes, where: str) -> ModelConfig:
    """Read a configuration. Raises InputError if it is not a JSON object."""
    document = parse_json_object(data, where, max_bytes=_MAX_BYTES)
    architectures = document.get("architectures")
    names = architectures if isinstance(architectures, list) else []
    auto_map = document.get("auto_map")
    targets = auto_map.values() if isinstance(auto_map, dict) else []
    return ModelConfig(
        architectures=tuple(name for name in names if isinstance(name, str)),
        family=_text(document.get("model_type")),
        dtype=_text(document.get("torch_dtype")) or _text(document.get("dtype")),
        starting_point=_text(document.get("_name_or_path")),
        remote_code=tuple(sorted(str(target) for target in targets)),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
