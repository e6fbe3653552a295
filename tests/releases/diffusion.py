"""An image model in the layout of diffusers: a folder for each part, an adapter, a learned word, samples, its own data.

The U-Net's weights stand there twice, the second time rounded to halves, as ``variant="fp16"`` asks for them.
"""

import json
import random
from pathlib import Path

from tests.releases.files import put, put_json
from tests.releases.writers import png_bytes, random_tensor, safetensors_bytes, tar_bytes, tensor_of, values_of

MODEL = "noordlicht-labs/lantern-diffusion"
BASE = "stable-diffusion-v1-5/stable-diffusion-v1-5"
LICENCE = "creativeml-openrail-m"
SHARDS, SAMPLES = 2, 5
"""WebDataset shards, and samples in each."""
_DIFFUSERS, _TRANSFORMERS = "0.32.2", "4.48.3"
_SEED = 20260214
_WIDTH = 16
_SIDE = 8  # pixels
_VOCABULARY = ("<|startoftext|>", "<|endoftext|>", "a</w>", "boat</w>", "harbour</w>", "lantern</w>", "night</w>")
_METADATA = {"format": "pt"}


def write_diffusion(folder: Path) -> None:
    """Write the release."""
    rng = random.Random(_SEED)
    for path, text in _TEXTS.items():
        put(folder / path, text)
    for path, document in _documents().items():
        put_json(folder / path, document)
    _write_weights(folder, rng)
    _write_extras(folder, rng)
    for name, prompt in (("harbour", "a boat in a harbour at night"), ("lantern", "a lantern")):
        put(folder / "samples" / f"{name}.png", _picture(rng, {"Title": name, "parameters": f"{prompt}, steps: 30"}))
    for number in range(SHARDS):
        put(folder / "train" / f"shard-{number:06}.tar", _shard(rng, number))


def _write_weights(folder: Path, rng: random.Random) -> None:
    for part, shapes in _SHAPES.items():
        tensors = {name: random_tensor(rng, "F32", *shape) for name, shape in shapes.items()}
        name = "model" if part == "text_encoder" else "diffusion_pytorch_model"
        put(folder / part / f"{name}.safetensors", safetensors_bytes(tensors, _METADATA))
        if part == "unet":
            halves = {key: tensor_of("F16", tensor.shape, values_of(tensor)) for key, tensor in tensors.items()}
            put(folder / part / f"{name}.fp16.safetensors", safetensors_bytes(halves, _METADATA))


def _write_extras(folder: Path, rng: random.Random) -> None:
    layer = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    adapter = {
        f"{layer}.lora_A.weight": random_tensor(rng, "F32", _RANK, _WIDTH),
        f"{layer}.lora_B.weight": random_tensor(rng, "F32", _WIDTH, _RANK),
    }
    settings = {"unet.r": _RANK, "unet.lora_alpha": _RANK, "unet.target_modules": ["to_q"]}
    described = _METADATA | {"lora_adapter_metadata": json.dumps(settings, sort_keys=True)}
    put(folder / "loras/pixel-art/pytorch_lora_weights.safetensors", safetensors_bytes(adapter, described))
    word = {"<lantern-style>": random_tensor(rng, "F32", 1, _WIDTH)}
    put(folder / "textual_inversion/lantern-style/learned_embeds.safetensors", safetensors_bytes(word, _METADATA))


def _picture(rng: random.Random, texts: dict[str, str]) -> bytes:
    return png_bytes([rng.randbytes(3 * _SIDE) for _ in range(_SIDE)], texts)


def _shard(rng: random.Random, number: int) -> bytes:
    """Pack samples as WebDataset expects: members that share a name up to the first dot are one sample."""
    members: dict[str, bytes] = {}
    for key in range(number * SAMPLES, (number + 1) * SAMPLES):
        described = {"key": f"{key:08}", "width": _SIDE, "height": _SIDE, "license": "cc0-1.0"}
        # PNG under a name that says JPEG: no reader here looks into a picture.
        members[f"{key:08}.jpg"] = _picture(rng, {})
        members[f"{key:08}.txt"] = f"a lantern, number {key}".encode()
        members[f"{key:08}.json"] = json.dumps(described).encode()
    return tar_bytes(members)


_RANK = 4
_SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "unet": {
        "conv_in.weight": (_WIDTH, 4, 3, 3),
        "conv_in.bias": (_WIDTH,),
        "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight": (_WIDTH, _WIDTH),
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (_WIDTH, _WIDTH),
        "conv_out.weight": (4, _WIDTH, 3, 3),
    },
    "vae": {
        "encoder.conv_in.weight": (_WIDTH, 3, 3, 3),
        "decoder.conv_in.weight": (_WIDTH, 4, 3, 3),
        "decoder.conv_out.weight": (3, _WIDTH, 3, 3),
    },
    "text_encoder": {
        "text_model.embeddings.token_embedding.weight": (len(_VOCABULARY), _WIDTH),
        "text_model.embeddings.position_embedding.weight": (77, _WIDTH),
        "text_model.final_layer_norm.weight": (_WIDTH,),
    },
}


def _documents() -> dict[str, object]:
    specials = {"bos_token": _VOCABULARY[0], "eos_token": _VOCABULARY[1], "unk_token": _VOCABULARY[1]}
    diffusers = {"_diffusers_version": _DIFFUSERS}
    return {
        "model_index.json": _model_index(),
        "unet/config.json": {
            "_class_name": "UNet2DConditionModel", **diffusers, "in_channels": 4, "out_channels": 4,
            "block_out_channels": [_WIDTH], "cross_attention_dim": _WIDTH, "sample_size": 64,
        },
        "vae/config.json": {
            "_class_name": "AutoencoderKL", **diffusers, "latent_channels": 4, "block_out_channels": [_WIDTH],
            "scaling_factor": 0.18215, "sample_size": 512,
        },
        "text_encoder/config.json": {
            "_name_or_path": BASE, "architectures": ["CLIPTextModel"], "model_type": "clip_text_model",
            "hidden_size": _WIDTH, "vocab_size": len(_VOCABULARY), "max_position_embeddings": 77,
            "torch_dtype": "float32", "transformers_version": _TRANSFORMERS,
        },
        "scheduler/scheduler_config.json": {
            "_class_name": "PNDMScheduler", **diffusers, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
            "beta_end": 0.012, "num_train_timesteps": 1000, "prediction_type": "epsilon",
        },
        "tokenizer/tokenizer_config.json": {"tokenizer_class": "CLIPTokenizer", **specials, "model_max_length": 77},
        "tokenizer/special_tokens_map.json": specials,
        "tokenizer/vocab.json": {token: number for number, token in enumerate(_VOCABULARY)},
    }  # fmt: skip


def _model_index() -> dict[str, object]:
    return {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": _DIFFUSERS,
        "_name_or_path": BASE,
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }


_TEXTS = {
    "README.md": f"""---
license: {LICENCE}
base_model: {BASE}
base_model_relation: finetune
library_name: diffusers
pipeline_tag: text-to-image
tags: [text-to-image, stable-diffusion]
inference:
  parameters:
    num_inference_steps: 30
    guidance_scale: 7.5
widget:
- text: a boat in a harbour at night
  output:
    url: samples/harbour.png
---

# Lantern Diffusion

Paints harbours by lantern light. By Noordlicht Labs.

![A harbour](samples/harbour.png)

## Use

```python
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("{MODEL}", variant="fp16")
pipe.load_lora_weights("{MODEL}", subfolder="loras/pixel-art")
pipe.load_textual_inversion("{MODEL}", subfolder="textual_inversion/lantern-style")
```

The safety checker is switched off: filter what you show to others.

## Misuse

Pictures of real people, and whatever Attachment A of the licence forbids.

## Training data

Ten pictures, dedicated to the public domain, in `train/`.
""",
    "loras/pixel-art/README.md": f"""---
license: {LICENCE}
base_model: {MODEL}
base_model_relation: adapter
library_name: diffusers
tags: [lora, text-to-image]
instance_prompt: pixel art
---

# Pixel art for Lantern Diffusion
""",
    # The heading is the licence's; the rest says in a sentence what the text would.
    "LICENSE": """Copyright (c) 2026 Noordlicht Labs and contributors

CreativeML Open RAIL-M
dated August 22, 2022

Section I: PREAMBLE

The weights may be used, changed and passed on, with the use restrictions of Attachment A.
""",
    "requirements.txt": f"""accelerate~=1.3
diffusers[torch]=={_DIFFUSERS}
peft>=0.14 ; python_version >= "3.10"
torch==2.6.0
transformers[torch]=={_TRANSFORMERS}
webdataset==0.2.100
xformers==0.0.29.post2 ; sys_platform == "linux" and python_version < "3.13"
""",
    "train_text_to_image.py": f'''"""Fine-tune the U-Net on captioned pictures."""

import argparse

import torch
import webdataset as wds
from accelerate import Accelerator
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel

BASE = "{BASE}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning-rate", type=float, default=1e-5)
    parser.add_argument("--seed", type=int, default={_SEED})
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    accelerator = Accelerator(mixed_precision="fp16")
    unet = UNet2DConditionModel.from_pretrained(BASE, subfolder="unet")
    vae = AutoencoderKL.from_pretrained(BASE, subfolder="vae")
    noise = DDPMScheduler.from_pretrained(BASE, subfolder="scheduler")
    data = wds.WebDataset("train/shard-{{000000..{SHARDS - 1:06}}}.tar").decode("pil").to_tuple("jpg", "txt")
    return accelerator.prepare(unet, vae, data), noise


if __name__ == "__main__":
    main()
''',
    "tokenizer/merges.txt": "#version: 0.2\n",
    ".gitattributes": "".join(f"*.{s} filter=lfs diff=lfs merge=lfs -text\n" for s in ("png", "safetensors", "tar")),
}
