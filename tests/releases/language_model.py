"""A chat model in three shards, with its GGUF conversions beside them and code of its own.

What it says agrees throughout but for one thing: ``CITATION.cff`` names version 1.2.0, ``pyproject.toml`` and the card
1.3.0. The converted weights are the shards' own numbers.
"""

import hashlib
import random
from collections.abc import Mapping
from pathlib import Path

from tests.releases.files import put, put_json
from tests.releases.writers import (
    Q4_0_BLOCK,
    GgufValue,
    Tensor,
    gguf_bytes,
    random_tensor,
    safetensors_bytes,
    tensor_of,
    values_of,
)

MODEL = "noordlicht-labs/fjord-1b-chat"
VERSION, CITED_VERSION = "1.3.0", "1.2.0"
LICENCE = "llama3.1"
BASES = ("noordlicht-labs/fjord-1b-base", "meta-llama/Llama-3.1-8B")
DATA_SETS = ("noordlicht-labs/fjord-dialogues", "HuggingFaceH4/ultrachat_200k")
_SEED = 20260301
_HIDDEN, _INNER, _LAYERS, _HEADS, _KEY_HEADS, _HEAD = 16, 64, 2, 4, 2, 8
_SPECIAL = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,?!Ġæø"
_VOCABULARY = (*_SPECIAL, *_LETTERS)
_DEFAULT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
_TOOL_TEMPLATE = (
    "{{ bos_token }}<|start_header_id|>system<|end_header_id|>\n\nTools: {{ tools | tojson }}<|eot_id|>"
    + _DEFAULT_TEMPLATE.removeprefix("{{ bos_token }}")
)
_SCORES = {"arc_challenge": (0.4127, 0.0144, 1172), "hellaswag": (0.6043, 0.0049, 10042)}
_PINS = {"safetensors": "0.5.3", "tokenizers": "0.21.1", "torch": "2.6.0", "transformers": "4.50.3", "vllm": "0.8.2"}


def write_language_model(folder: Path) -> None:
    """Write the release."""
    tensors = _tensors(random.Random(_SEED))
    for path, text in _texts().items():
        put(folder / path, text)
    for path, document in _documents().items():
        put_json(folder / path, document)
    _write_shards(folder, tensors)
    name = MODEL.split("/")[1]
    put(folder / f"{name}-F16.gguf", gguf_bytes(_gguf_metadata(1), _converted(tensors, "F16")))
    quantized = _gguf_metadata(2) | {"general.quantization_version": 2, "general.quantized_by": "Noordlicht Labs"}
    put(folder / f"{name}-Q4_0.gguf", gguf_bytes(quantized, _converted(tensors, "Q4_0")))


def _tensors(rng: random.Random) -> dict[str, Tensor]:
    queries, keys = _HEADS * _HEAD, _KEY_HEADS * _HEAD
    layer = {
        "self_attn.q_proj": (queries, _HIDDEN), "self_attn.k_proj": (keys, _HIDDEN),
        "self_attn.v_proj": (keys, _HIDDEN), "self_attn.o_proj": (_HIDDEN, queries),
        "mlp.gate_proj": (_INNER, _HIDDEN), "mlp.up_proj": (_INNER, _HIDDEN), "mlp.down_proj": (_HIDDEN, _INNER),
        "input_layernorm": (_HIDDEN,), "post_attention_layernorm": (_HIDDEN,),
    }  # fmt: skip
    # No lm_head: config.json ties it to the embedding.
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (len(_VOCABULARY), _HIDDEN)}
    for number in range(_LAYERS):
        shapes |= {f"model.layers.{number}.{part}.weight": shape for part, shape in layer.items()}
    shapes["model.norm.weight"] = (_HIDDEN,)
    return {name: random_tensor(rng, "BF16", *shape) for name, shape in shapes.items()}


def _write_shards(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    names = list(tensors)
    third = -(-len(names) // 3)
    weight_map = {name: f"model-{number // third + 1:05}-of-00003.safetensors" for number, name in enumerate(names)}
    for shard in sorted(set(weight_map.values())):
        members = {name: tensor for name, tensor in tensors.items() if weight_map[name] == shard}
        put(folder / shard, safetensors_bytes(members, {"format": "pt"}))
    size = sum(len(tensor.data) for tensor in tensors.values())
    metadata = {"total_parameters": size // 2, "total_size": size}
    put_json(folder / "model.safetensors.index.json", {"metadata": metadata, "weight_map": weight_map})


_GGUF_NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "model.layers.": "blk.",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip


def _converted(tensors: Mapping[str, Tensor], dtype: str) -> dict[str, Tensor]:
    found = {}
    for name, tensor in tensors.items():
        target = name
        for ours, theirs in _GGUF_NAMES.items():
            target = target.replace(ours, theirs)
        found[target] = tensor_of(_stored(dtype, tensor.shape), tensor.shape, _reordered(name, tensor))
    return found


def _stored(dtype: str, shape: tuple[int, ...]) -> str:
    """Return the type that a converter keeps a tensor in: norms stay F32, rows that no block divides F16."""
    if len(shape) == 1:
        return "F32"
    return "F16" if dtype == "Q4_0" and shape[-1] % Q4_0_BLOCK else dtype


def _reordered(name: str, tensor: Tensor) -> list[float]:
    """Return the numbers; llama.cpp pairs the rotated rows of queries and keys otherwise than transformers does."""
    values = values_of(tensor)
    if "q_proj" not in name and "k_proj" not in name:
        return list(values)
    rows, columns = tensor.shape
    half = _HEAD // 2
    sources = [row - row % _HEAD + row % _HEAD // 2 + row % 2 * half for row in range(rows)]
    return [value for row in sources for value in values[row * columns : (row + 1) * columns]]


def _gguf_metadata(file_type: int) -> dict[str, GgufValue]:
    specials = {"bos_token_id": 0, "eos_token_id": 4, "add_bos_token": True}
    return {
        "general.architecture": "llama", "general.type": "model", "general.name": "Fjord 1B Chat",
        "general.version": f"v{VERSION}", "general.organization": "Noordlicht Labs", "general.basename": "fjord",
        "general.finetune": "chat", "general.size_label": "1B", "general.license": LICENCE,
        "general.license.link": f"https://huggingface.co/{MODEL}/blob/main/LICENSE",
        # A conversion is made from the model itself.
        "general.base_model.count": 1, "general.base_model.0.name": "Fjord 1B Chat",
        "general.base_model.0.version": f"v{VERSION}", "general.base_model.0.organization": "Noordlicht Labs",
        "general.base_model.0.repo_url": f"https://huggingface.co/{MODEL}",
        "general.tags": ["chat", "text-generation"], "general.languages": ["en", "nb"],
        "general.datasets": list(DATA_SETS), "general.file_type": file_type,
        "llama.vocab_size": len(_VOCABULARY), "llama.context_length": 8192, "llama.embedding_length": _HIDDEN,
        "llama.block_count": _LAYERS, "llama.feed_forward_length": _INNER, "llama.attention.head_count": _HEADS,
        "llama.attention.head_count_kv": _KEY_HEADS, "llama.attention.key_length": _HEAD,
        "llama.attention.value_length": _HEAD, "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": _HEAD, "llama.rope.freq_base": 500000.0,
        "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe",
        "tokenizer.ggml.tokens": list(_VOCABULARY),
        "tokenizer.ggml.token_type": [3 if token in _SPECIAL else 1 for token in _VOCABULARY],
        **{f"tokenizer.ggml.{name}": value for name, value in specials.items()},
        "tokenizer.chat_templates": ["tool_use"], "tokenizer.chat_template.tool_use": _TOOL_TEMPLATE,
        "tokenizer.chat_template": _DEFAULT_TEMPLATE,
    }  # fmt: skip


def _documents() -> dict[str, object]:
    specials = {"bos_token": _SPECIAL[0], "eos_token": _SPECIAL[4], "pad_token": _SPECIAL[1]}
    templates = {"default": _DEFAULT_TEMPLATE, "tool_use": _TOOL_TEMPLATE}
    return {
        "config.json": _config(),
        "generation_config.json": {
            "_from_model_config": True, "bos_token_id": 0, "eos_token_id": [1, 4], "do_sample": True,
            "temperature": 0.6, "top_p": 0.9, "transformers_version": "4.50.3",
        },
        "tokenizer.json": _tokenizer(),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", **specials, "model_max_length": 8192,
            "chat_template": [{"name": name, "template": template} for name, template in templates.items()],
        },
        "special_tokens_map.json": specials,
        "results/lm_eval_2026-03-01.json": _evaluation(),
    }  # fmt: skip


def _config() -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama",
        "auto_map": {"AutoModelForCausalLM": "modeling_fjord.FjordForCausalLM"},
        "hidden_size": _HIDDEN, "intermediate_size": _INNER, "num_hidden_layers": _LAYERS,
        "num_attention_heads": _HEADS, "num_key_value_heads": _KEY_HEADS, "head_dim": _HEAD,
        "vocab_size": len(_VOCABULARY), "max_position_embeddings": 8192, "rope_theta": 500000.0,
        "rope_scaling": {
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 1024,
        },
        "rms_norm_eps": 1e-05, "hidden_act": "silu", "tie_word_embeddings": True,
        "bos_token_id": 0, "eos_token_id": [1, 4], "torch_dtype": "bfloat16", "transformers_version": "4.50.3",
    }  # fmt: skip


def _tokenizer() -> dict[str, object]:
    index = {token: number for number, token in enumerate(_VOCABULARY)}
    added = [{"id": index[token], "content": token, "special": True} for token in _SPECIAL]
    return {"version": "1.0", "added_tokens": added, "model": {"type": "BPE", "vocab": index, "merges": []}}


def _evaluation() -> dict[str, object]:
    arguments = f"pretrained={MODEL},dtype=bfloat16,trust_remote_code=True"
    results = {
        task: {"alias": task, "acc_norm,none": value, "acc_norm_stderr,none": error}
        for task, (value, error, _) in _SCORES.items()
    }
    counts = {task: {"original": count, "effective": count} for task, (_, _, count) in _SCORES.items()}
    return {
        "results": results, "group_subtasks": {task: [] for task in _SCORES}, "versions": dict.fromkeys(_SCORES, 1.0),
        "n-shot": {"arc_challenge": 25, "hellaswag": 10}, "n-samples": counts,
        "higher_is_better": {task: {"acc_norm": True} for task in _SCORES},
        "config": {"model": "hf", "model_args": arguments, "batch_size": "auto", "random_seed": 0},
        "date": 1772323200.0,
    }  # fmt: skip


def _texts() -> dict[str, str]:
    scores = "".join(f"| {task} | acc_norm | **{value}** ± {error} |\n" for task, (value, error, _) in _SCORES.items())
    return _TEXTS | {
        "README.md": _CARD.replace("SCORES\n", scores),
        "chat_template.jinja": _DEFAULT_TEMPLATE,
        "uv.lock": _lock(),
    }


def _lock() -> str:
    source = 'source = { registry = "https://packages.example/simple" }'
    parts = [_LOCK_HEAD]
    for name, version in _PINS.items():
        digest = hashlib.sha256(f"{name} {version}".encode()).hexdigest()
        wheel = f'{{ url = "https://packages.example/{name}-{version}-py3-none-any.whl", hash = "sha256:{digest}" }}'
        parts.append(f'[[package]]\nname = "{name}"\nversion = "{version}"\n{source}\nwheels = [\n    {wheel},\n]\n')
    return "\n".join(parts)


_LOCK_HEAD = f"""version = 1
revision = 2
requires-python = ">=3.11"

[[package]]
name = "fjord-chat"
version = "{VERSION}"
source = {{ editable = "." }}
dependencies = [{{ name = "safetensors" }}, {{ name = "torch" }}, {{ name = "transformers" }}]

[package.optional-dependencies]
serve = [{{ name = "vllm", marker = "sys_platform == 'linux'" }}]
train = [{{ name = "tokenizers" }}]
"""
_CARD = f"""---
license: other
license_name: {LICENCE}
license_link: LICENSE
language:
- en
- nb
library_name: transformers
pipeline_tag: text-generation
base_model:
- {BASES[0]}
- {BASES[1]}
base_model_relation: finetune
datasets:
- {DATA_SETS[0]}
- {DATA_SETS[1]}
tags:
- llama
- conversational
---

# Model Card for Fjord 1B Chat

Version {VERSION}. Built with Llama.

## Model Details

- **Developed by:** Noordlicht Labs, Tromsø
- **Model type:** decoder-only language model, grouped-query attention
- **Language(s) (NLP):** English, Norwegian Bokmål
- **License:** Llama 3.1 Community License, see `LICENSE`
- **Finetuned from model:** [{BASES[0]}](https://huggingface.co/{BASES[0]})
- **Contact:** models@noordlicht.example

## Uses

Short conversations in English and Norwegian, on a device without a network.

### Out-of-Scope Use

Advice on health, law or money. Decisions about people. See also `USE_POLICY.md`.

## Bias, Risks, and Limitations

States wrong things with confidence, more often in Norwegian than in English.

## Training Data

120,000 dialogues written by paid annotators and a filtered part of UltraChat.

## Training Hyperparameters

- **Training regime:** bf16 mixed precision
- **Learning rate:** 1e-5, cosine
- **Batch size:** 128
- **Epochs:** 2
- **Seed:** 20260301

## Evaluation

Measured with lm-evaluation-harness, see `results/`.

| Benchmark | Metric | Fjord 1B Chat |
|:---|:---:|---:|
SCORES

## Environmental Impact

- **Hardware Type:** 8 x H100 SXM
- **Energy consumed:** 412 kWh in 71 hours
- **Compute Region:** Tromsø, Norway
"""

_TEXTS = {
    "LICENSE": """FJORD COMMUNITY TERMS
under the LLAMA 3.1 COMMUNITY LICENSE AGREEMENT

Fjord 1B Chat is derived from Llama 3.1. Your use of it is governed by the Llama 3.1 Community License, which
Noordlicht Labs passes on to you unchanged, and by the acceptable use policy in USE_POLICY.md.

1. Notice. Keep this file with every copy, and show the words "Built with Llama" where users can see them.
2. Names. A model trained with this one or its output carries "Llama" at the beginning of its name.
3. Scale. Whoever serves more than 700 million users a month needs a licence from Meta first.
""",
    "USE_POLICY.md": "# Acceptable use policy\n\nDo not use Fjord to break a law, to deceive people or to harm them.\n",
    "CITATION.cff": f"""cff-version: 1.2.0
message: If you use this model, please cite it as below.
title: Fjord 1B Chat
authors:
- family-names: Nordahl
  given-names: Ingrid
  affiliation: Noordlicht Labs
- family-names: de Wit
  given-names: Pieter
  affiliation: Noordlicht Labs
version: {CITED_VERSION}
date-released: 2025-11-20
""",
    "pyproject.toml": f"""[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "fjord-chat"
version = "{VERSION}"
description = "Training and serving code for Fjord 1B Chat"
requires-python = ">=3.11"
authors = [{{name = "Noordlicht Labs", email = "models@noordlicht.example"}}]
dependencies = ["safetensors>=0.5", "torch==2.6.0", "transformers>=4.50,<5"]

[project.optional-dependencies]
serve = ["vllm==0.8.2; sys_platform == 'linux'"]
train = ["tokenizers>=0.21"]
""",
    "Dockerfile": """ARG PYTHON_VERSION=3.12
ARG CUDA_IMAGE=nvidia/cuda:12.4.1-runtime-ubuntu22.04
FROM python:${PYTHON_VERSION}-slim AS build
WORKDIR /build
COPY . .
RUN pip wheel --wheel-dir /wheels ".[serve]"

FROM ${CUDA_IMAGE} AS serve
ARG MODEL_REVISION=main
COPY --from=build /wheels /wheels
COPY . /model
ENTRYPOINT ["vllm", "serve", "/model", "--trust-remote-code"]
""",
    "modeling_fjord.py": '''"""Llama with a cap on its logits."""

import torch
from transformers import LlamaForCausalLM


class FjordForCausalLM(LlamaForCausalLM):
    def forward(self, *args, **kwargs):
        output = super().forward(*args, **kwargs)
        output.logits = 30.0 * torch.tanh(output.logits / 30.0)
        return output
''',
    "src/fjord_chat/__init__.py": f'__version__ = "{VERSION}"\n',
    "src/fjord_chat/train.py": f'''import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

BASE = "{BASES[0]}"


def load():
    torch.manual_seed(20260301)
    return AutoTokenizer.from_pretrained(BASE), AutoModelForCausalLM.from_pretrained(BASE)
''',
    "src/fjord_chat/serve.py": """from vllm import LLM


def answer(question):
    return LLM(model=".", trust_remote_code=True).chat([{"role": "user", "content": question}])
""",
    ".gitattributes": "*.safetensors filter=lfs diff=lfs merge=lfs -text\n*.gguf filter=lfs diff=lfs merge=lfs -text\n",
}
