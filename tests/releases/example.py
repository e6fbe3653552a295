"""The example release: a fine-tuned classifier with every kind of file that a publisher might add.

Thirty-seven files: card, configuration, sharded weights and their conversions, an adapter, code, data,
evaluation results, and one malicious pickle.
"""

import hashlib
import json
import random
from collections.abc import Mapping
from pathlib import Path

from tests.releases.documents import BASE, DOCUMENTS, croissant, model_config, tokenizer
from tests.releases.files import put, put_json
from tests.releases.texts import TEXTS
from tests.releases.writers import (
    GgufValue,
    Tensor,
    gguf_bytes,
    onnx_bytes,
    parquet_bytes,
    random_tensor,
    safetensors_bytes,
    torch_zip_bytes,
    zero_tensor,
)

_SEED = 20260101
# A quarter of what config.json says. It describes the model as published; here sixteen times smaller weights
# keep tests fast, and no reader compares the two.
_WIDTH = 32
_TOKENS = 2000
_METADATA = {"format": "pt"}
# What pickling an object whose __reduce__ returns (os.system, ("echo pwned",)) gives on a POSIX system.
_MALICIOUS_PICKLE = (
    b"\x80\x02}q\x00X\x01\x00\x00\x00wq\x01cposix\nsystem\nq\x02X\n\x00\x00\x00echo pwnedq\x03\x85q\x04Rq\x05s."
)


def write_example(folder: Path, *, scale: int = 1) -> None:
    """Write the release; ``scale`` multiplies the rows of the largest tensor."""
    rng = random.Random(_SEED)
    tensors = _tensors(rng, _TOKENS * scale)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"tok{i}" for i in range(_TOKENS - 5))]
    for path, text in TEXTS.items():
        put(folder / path, text)
    for path, document in DOCUMENTS.items():
        put_json(folder / path, document)
    put_json(folder / "config.json", model_config(_TOKENS * scale))
    put_json(folder / "tokenizer.json", tokenizer(vocabulary))
    put(folder / "vocab.txt", "\n".join(vocabulary) + "\n")
    _write_shards(folder, tensors)
    _write_conversions(folder, tensors, rng, vocabulary)
    _write_adapter(folder / "adapters" / "nl-lora", rng)
    put(folder / "legacy" / "scaler.pkl", _MALICIOUS_PICKLE)
    _write_data(folder / "data")


def _tensors(rng: random.Random, rows: int) -> dict[str, Tensor]:
    width, hidden = _WIDTH, 4 * _WIDTH
    tensors = {
        "distilbert.embeddings.word_embeddings.weight": random_tensor(rng, "F32", rows, width),
        "distilbert.embeddings.position_embeddings.weight": random_tensor(rng, "F32", 512, width),
    }
    for number in range(4):
        layer = f"distilbert.transformer.layer.{number}"
        for part in ("q_lin", "k_lin", "v_lin", "out_lin"):
            tensors[f"{layer}.attention.{part}.weight"] = random_tensor(rng, "F32", width, width)
            tensors[f"{layer}.attention.{part}.bias"] = zero_tensor("F32", width)
        tensors[f"{layer}.ffn.lin1.weight"] = random_tensor(rng, "F32", hidden, width)
        tensors[f"{layer}.ffn.lin2.weight"] = random_tensor(rng, "F32", width, hidden)
    tensors["classifier.weight"] = random_tensor(rng, "F32", 2, width)
    tensors["classifier.bias"] = zero_tensor("F32", 2)
    return tensors


def _write_shards(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    names = list(tensors)
    half = len(names) // 2
    shards = {
        "model-00001-of-00002.safetensors": names[:half],
        "model-00002-of-00002.safetensors": names[half:],
    }
    for shard, members in shards.items():
        put(folder / shard, safetensors_bytes({name: tensors[name] for name in members}, _METADATA))
    size = sum(len(tensor.data) for tensor in tensors.values())
    weight_map = {name: shard for shard, members in shards.items() for name in members}
    index = {"metadata": {"total_size": size}, "weight_map": weight_map}
    put_json(folder / "model.safetensors.index.json", index)


def _write_conversions(folder: Path, tensors: Mapping[str, Tensor], rng: random.Random, vocabulary: list[str]) -> None:
    put(folder / "pytorch_model.bin", torch_zip_bytes(tensors))
    halves = {name: random_tensor(rng, "F16", *tensors[name].shape) for name in list(tensors)[:6]}
    put(folder / "gguf" / "sentimind-small-v2-f16.gguf", gguf_bytes(_gguf_metadata(vocabulary), halves))
    # A classifier multiplies by its transpose; ONNX wants it the other way round.
    weight = random_tensor(rng, "F32", _WIDTH, 2)
    put(
        folder / "onnx" / "model.onnx",
        onnx_bytes(weight, tensors["classifier.bias"], {"license": "apache-2.0"}),
    )


def _gguf_metadata(vocabulary: list[str]) -> dict[str, GgufValue]:
    return {
        "general.architecture": "bert",
        "general.name": "Sentimind Small v2",
        "general.author": "Acme AI B.V.",
        "general.license": "apache-2.0",
        "general.version": "v2",
        "general.description": "GGUF conversion of Sentimind small v2",
        "general.base_model.count": 1,
        "general.base_model.0.name": "distilbert-base-uncased",
        "general.base_model.0.organization": "distilbert",
        "general.base_model.0.repo_url": f"https://huggingface.co/{BASE}",
        "general.dataset.count": 1,
        "general.dataset.0.name": "imdb",
        "general.dataset.0.repo_url": "https://huggingface.co/datasets/stanfordnlp/imdb",
        "bert.context_length": 512,
        "bert.embedding_length": 128,
        "bert.block_count": 4,
        "bert.feed_forward_length": 512,
        "bert.attention.head_count": 4,
        "general.file_type": 1,
        "tokenizer.ggml.tokens": vocabulary,
        "tokenizer.ggml.model": "bert",
    }


def _write_adapter(folder: Path, rng: random.Random) -> None:
    tensors = {"base_model.model.q_lin.lora_A.weight": random_tensor(rng, "F32", 8, _WIDTH)}
    put(folder / "adapter_model.safetensors", safetensors_bytes(tensors, _METADATA))


def _write_data(folder: Path) -> None:
    rng = random.Random(_SEED)
    rows = [(f"review {i} {'good' if i % 2 else 'bad'} {rng.random():.4f}", i % 2) for i in range(500)]
    train, test = rows[:400], rows[400:]
    csv = "text,label\n" + "".join(f"{text},{label}\n" for text, label in train)
    contents = {"train.csv": csv.encode(), "train.parquet": parquet_bytes(train)}
    for name, content in contents.items():
        put(folder / name, content)
    lines = (json.dumps({"text": text, "label": label}) + "\n" for text, label in test)
    put(folder / "test.jsonl", "".join(lines))
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    put_json(folder / "croissant.json", croissant(digests))
