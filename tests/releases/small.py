"""A small release for fast tests: one weights file, a card, code and data, no conversions."""

import random
from pathlib import Path

from tests.releases.files import put, put_json
from tests.releases.writers import random_tensor, safetensors_bytes

_CARD = """---
license: mit
language:
- en
library_name: transformers
pipeline_tag: text-generation
base_model: example-lab/tiny-base
datasets:
- example-lab/tiny-tales
model-index:
- name: tiny-teller
  results:
  - task:
      type: text-generation
      name: Text generation
    dataset:
      name: Tiny tales
      type: example-lab/tiny-tales
      split: test
    metrics:
    - type: perplexity
      value: 12.5
      name: Perplexity
---

# Tiny Teller

Tells very short stories. Made by Example Lab.

## Intended uses & limitations

For trying out tools on a model release. Not for anything that anyone relies on.

## Training data

Two made-up sentences, see `data/train.csv`.
"""

_LICENSE = """MIT License

Copyright (c) 2026 Example Lab

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""

# Pinned, ranged, with extras and a marker, unpinned; the comment and the blank line are not requirements.
_REQUIREMENTS = """# Serving and training
torch==2.6.0
transformers>=4.48,<5

uvicorn[standard]==0.34.0; python_version >= "3.11"
datasets
"""

_INFERENCE = '''"""Tell a story."""

from transformers import pipeline

teller = pipeline("text-generation", model="example-lab/tiny-teller")


def tell(beginning: str) -> str:
    return teller(beginning, max_new_tokens=32)[0]["generated_text"]
'''

_TRAIN = '''"""Fine-tune the teller."""

import torch
from datasets import load_dataset
from transformers import AutoModelForCausalLM, Trainer, TrainingArguments


def main() -> None:
    torch.manual_seed(7)
    data = load_dataset("csv", data_files={"train": "data/train.csv"})
    model = AutoModelForCausalLM.from_pretrained("example-lab/tiny-base")
    arguments = TrainingArguments("out", learning_rate=1e-4, num_train_epochs=1, seed=7)
    Trainer(model=model, args=arguments, train_dataset=data["train"]).train()


if __name__ == "__main__":
    main()
'''

_TEXTS = {
    "README.md": _CARD,
    "LICENSE": _LICENSE,
    "requirements.txt": _REQUIREMENTS,
    "inference.py": _INFERENCE,
    "train.py": _TRAIN,
    "data/train.csv": "text,label\nOnce upon a time there was a cat.,1\nThe cat sat down.,0\n",
    "docs/usage.md": "# Usage\n\nCall `tell` with the beginning of a story.\n",
    ".gitattributes": "*.safetensors filter=lfs diff=lfs merge=lfs -text\n",
}

_VOCABULARY = ("<unk>", "<s>", "</s>", "a", "cat", "down", "once", "sat")
_WIDTH = 8


def write_small(folder: Path) -> None:
    """Write the release."""
    for path, text in _TEXTS.items():
        put(folder / path, text)
    put_json(folder / "config.json", _config())
    put_json(folder / "tokenizer.json", _tokenizer())
    put_json(folder / "tokenizer_config.json", {"tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>"})
    put(folder / "model.safetensors", _weights())


def _config() -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": _WIDTH,
        "vocab_size": len(_VOCABULARY),
        "torch_dtype": "float32",
        "transformers_version": "4.48.3",
    }


def _tokenizer() -> dict[str, object]:
    index = {token: number for number, token in enumerate(_VOCABULARY)}
    return {"version": "1.0", "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": index}}


def _weights() -> bytes:
    rng = random.Random(7)
    tensors = {
        "model.embed_tokens.weight": random_tensor(rng, "F32", len(_VOCABULARY), _WIDTH),
        "model.norm.weight": random_tensor(rng, "F32", _WIDTH),
    }
    return safetensors_bytes(tensors, {"format": "pt"})
