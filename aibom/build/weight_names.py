"""What the name of a weights file tells, and no more: its number among shards, its precision, its half of a model."""

import re
from dataclasses import dataclass

_SHARD = re.compile(r"[-_.](\d{3,5})-of-(\d{3,5})$")
_PRECISION = re.compile(r"[-_.](?:fp16|bf16|fp32|float16|float32|half)$", re.IGNORECASE)
_QUANTIZED = re.compile(
    r"[-_.](?:int8|int4|uint8|q8|q4|8bit|4bit|quantized|quant|q4f16|q8f16|bnb4)(?=\.[A-Za-z0-9]+$)", re.IGNORECASE
)
# What libraries call the weights of the model itself.
_USUAL = frozenset({
    "model", "pytorch_model", "tf_model", "flax_model", "diffusion_pytorch_model", "weights", "consolidated",
    "model_weights", "saved_model", "model_state", "checkpoint", "ckpt", "variables",
})  # fmt: skip
# What only a part of a model is called. Two states or sizes of one network never differ by these words.
_HALVES = frozenset({"encoder", "decoder", "joiner", "embed", "vocoder", "generator", "discriminator"})


@dataclass(frozen=True, slots=True, order=True)
class ShardSet:
    """The set that a shard belongs to by its name: what stands before and after the number, and how many there are."""

    before: str
    after: str
    count: int


def folder_of(name: str) -> str:
    """The folder that a file lies in; empty for the root."""
    return name.rpartition("/")[0]


def shard_of(name: str) -> tuple[ShardSet, int] | None:
    """The set that a file is numbered in, and its number; None for a file without such a number."""
    folder, slash, base = name.rpartition("/")
    stem, dot, suffix = base.rpartition(".") if not re.search(r"-of-\d{3,5}$", base) else (base, "", "")
    match = _SHARD.search(stem)
    if match is None:
        return None
    return ShardSet(f"{folder}{slash}{stem[: match.start()]}", f"{dot}{suffix}", int(match[2])), int(match[1])


def stem_of(name: str) -> str:
    """What tells a weights file from others: without its precision and the number of a shard; empty if it is usual."""
    folder, _, base = name.rpartition("/")
    plain = _SHARD.sub("", base.rsplit(".", 1)[0]) if "." in base else base
    plain = _PRECISION.sub("", plain)
    return "" if plain.lower() in _USUAL else f"{folder}/{plain}"


def plain_name(name: str) -> str:
    """The name of the file that a quantised one, or one of another precision, was made from if it lies beside it."""
    plain = _QUANTIZED.sub("", name)
    stem, dot, suffix = plain.rpartition(".")
    return f"{_PRECISION.sub('', stem)}{dot}{suffix}"


def unquantised_name(name: str) -> str:
    """The same, for a quantised file alone."""
    return _QUANTIZED.sub("", name)


def names_a_quantisation(name: str) -> bool:
    """Whether a file calls itself quantised."""
    return _QUANTIZED.search(name) is not None


def half_of(name: str) -> str:
    """Which part of a model a file calls itself: encoder, decoder; empty for a file that names none, or two."""
    words = set(re.split(r"[^a-z]+", name.rpartition("/")[2].rpartition(".")[0].lower())) & _HALVES
    return words.pop() if len(words) == 1 else ""
