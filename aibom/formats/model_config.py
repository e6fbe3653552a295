"""The `config.json` of a transformers-style model: architecture, family, sizes, and code it would fetch and run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aibom.core.strictjson import parse_json_object

_MAX_BYTES = 16 * 1024 * 1024
_MAX_LABELS = 100_000
_MAX_SIZE = 2**63
_MAX_BITS = 64
# The same size has other names in other families: the usual name first, then what it is also called.
_SIZES: Mapping[str, tuple[str, ...]] = {
    "hidden_size": ("hidden_size", "dim", "d_model", "n_embd"),
    "intermediate_size": ("intermediate_size", "hidden_dim", "d_ff", "ffn_dim", "n_inner"),
    "max_position_embeddings": ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length"),
    "num_attention_heads": ("num_attention_heads", "n_heads", "n_head", "num_heads", "encoder_attention_heads"),
    "num_experts": ("num_local_experts", "num_experts", "n_routed_experts"),
    "num_hidden_layers": ("num_hidden_layers", "n_layers", "n_layer", "num_layers", "encoder_layers"),
    "num_key_value_heads": ("num_key_value_heads",),
    "sliding_window": ("sliding_window",),
    "vocab_size": ("vocab_size",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """`quantization_config`: how the weights were made smaller."""

    method: str
    bits: int | None
    group_size: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    """Its other plain values, as text."""


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
    transformers_version: str = ""
    problem_type: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Usual name of a size (`hidden_size`, `num_hidden_layers`, `vocab_size`) → its value, sorted by name."""
    labels: tuple[str, ...] = ()
    """The classes that `id2label` names, in the order of their numbers."""
    quantization: Quantization | None = None


def parse_model_config(data: bytes, where: str) -> ModelConfig:
    """Read a configuration. Raises InputError if it is not a JSON object."""
    document = parse_json_object(data, where, max_bytes=_MAX_BYTES)
    architectures = document.get("architectures")
    names = architectures if isinstance(architectures, list) else []
    return ModelConfig(
        architectures=tuple(name for name in names if isinstance(name, str)),
        family=_text(document.get("model_type")),
        dtype=_text(document.get("torch_dtype")) or _text(document.get("dtype")),
        starting_point=_text(document.get("_name_or_path")),
        remote_code=remote_code_targets(document.get("auto_map")),
        transformers_version=_text(document.get("transformers_version")),
        problem_type=_text(document.get("problem_type")),
        sizes=_sizes(document),
        labels=_labels(document.get("id2label")),
        quantization=_quantization(document.get("quantization_config")) or _quantization(document.get("quantization")),
    )


def remote_code_targets(auto_map: Any) -> tuple[str, ...]:
    """What `auto_map` points at, sorted. A tokeniser's entry is a pair (slow, fast) whose halves may be null."""
    if not isinstance(auto_map, dict):
        return ()
    found: set[str] = set()
    for target in auto_map.values():
        found |= {str(item) for item in (target if isinstance(target, list) else [target]) if item is not None}
    return tuple(sorted(found))


def _sizes(document: dict[str, Any]) -> Mapping[str, int]:
    """A model of text and images keeps the sizes of its language part under `text_config`."""
    inner = document.get("text_config")
    found = {}
    for place in (document, inner if isinstance(inner, dict) else {}):
        for usual, names in _SIZES.items():
            values = [place[name] for name in names if _whole(place.get(name)) is not None]
            if values and usual not in found:
                found[usual] = int(values[0])
    return dict(sorted(found.items()))


def _labels(value: Any) -> tuple[str, ...]:
    if not isinstance(value, dict) or len(value) > _MAX_LABELS:
        return ()
    numbered = [(int(key), name) for key, name in value.items() if _is_index(key) and isinstance(name, str)]
    return tuple(name for _, name in sorted(numbered))


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) <= 9


def _quantization(value: Any) -> Quantization | None:
    if not isinstance(value, dict) or not value:
        return None
    bits = _whole(value.get("bits"), _MAX_BITS) or _loaded_bits(value)
    return Quantization(
        method=_text(value.get("quant_method")),
        bits=bits,
        group_size=_whole(value.get("group_size")),
        settings={
            name: item if isinstance(item, str) else str(item).lower()
            for name, item in sorted(value.items())
            if isinstance(item, (str, int, float)) and name not in {"quant_method", "bits", "group_size"}
        },
    )


def _loaded_bits(value: dict[str, Any]) -> int | None:
    """The bitsandbytes library says the number of bits with a pair of switches."""
    stated = {4: value.get("load_in_4bit") is True, 8: value.get("load_in_8bit") is True}
    chosen = [bits for bits, is_on in stated.items() if is_on]
    return chosen[0] if len(chosen) == 1 else None


def _whole(value: Any, limit: int = _MAX_SIZE) -> int | None:
    return value if type(value) is int and 0 <= value < limit else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
