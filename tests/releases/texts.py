"""The texts of the example release: cards, code and documents, each to the last byte as it is published."""

TEXTS = {
    "README.md": """---
language:
- en
- nl
license: apache-2.0
library_name: transformers
pipeline_tag: text-classification
base_model: distilbert/distilbert-base-uncased
base_model_relation: finetune
datasets:
- stanfordnlp/imdb
- acme-ai/internal-reviews
metrics:
- accuracy
- f1
tags:
- sentiment
- distilbert
- onnx
- gguf
- safetensors
co2_eq_emissions:
  emissions: 1240
  source: codecarbon
  training_type: fine-tuning
  geographical_location: "Eemshaven, Netherlands"
  hardware_used: 1 x A100 80GB
model-index:
- name: sentimind-small-v2
  results:
  - task:
      type: text-classification
      name: Sentiment classification
    dataset:
      name: IMDB
      type: stanfordnlp/imdb
      split: test
      revision: e6281661ce1c48d982bc483cf8a173c1bbeb5d31
    metrics:
    - type: accuracy
      value: 0.9312
      name: Accuracy
    - type: f1
      value: 0.9309
      name: F1 (macro)
      verified: false
---

# Sentimind Small v2

A small sentiment classifier fine-tuned from \
[distilbert-base-uncased](https://huggingface.co/distilbert/distilbert-base-uncased).

- **Developed by:** Acme AI B.V., Utrecht
- **Model type:** Transformer encoder, sequence classification
- **Contact:** ml-security@acme.example
- **Paper:** https://arxiv.org/abs/1910.01108
- **Repository:** https://github.com/acme-ai/sentimind

## Intended uses & limitations

Intended for English and Dutch product reviews in retail analytics.
Not for medical, legal, credit or employment decisions.

## Bias, Risks, and Limitations

The model under-performs on sarcasm and on dialectal English (accuracy drops 7 points).
Performance for reviews under 5 tokens is close to chance.

## Training data

Fine-tuned on IMDB (25k train) and 40k internal reviews (see `data/`), PII removed.

## Training procedure

lr 2e-5, batch 32, 3 epochs, AdamW, fp16, seed 42. See `train.py`.

## Evaluation

| Dataset | Accuracy | F1 |
|---|---|---|
| IMDB test | 0.9312 | 0.9309 |
| internal-reviews test | 0.9021 | 0.8990 |

## Environmental impact

1.24 kg CO2eq, 3.1 kWh measured with codecarbon on one A100 (Eemshaven, Netherlands).

## Citation

```bibtex
@misc{sentimind2026, title={Sentimind Small v2}, author={Acme AI}, year={2026}}
```
""",
    # The head alone: enough to be recognised, and not to be taken for this project's own licence.
    "LICENSE": """                                 Apache License
                           Version 2.0, January 2004
                        http://www.apache.org/licenses/

   TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION

   1. Definitions.

      "License" shall mean the terms and conditions for use, reproduction,
      and distribution as defined by Sections 1 through 9 of this document.
""",
    "train.py": '''"""Fine-tune distilbert for sentiment."""
import argparse, json
import numpy as np
import torch
from datasets import load_dataset
from transformers import (AutoModelForSequenceClassification, AutoTokenizer,
                          Trainer, TrainingArguments)
import evaluate

BASE = "distilbert/distilbert-base-uncased"


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--lr", type=float, default=2e-5)
    ap.add_argument("--epochs", type=int, default=3)
    a = ap.parse_args()
    tok = AutoTokenizer.from_pretrained(BASE, revision="12040accade4e8a0f71eabdb258fecc2e7e948be")
    ds = load_dataset("stanfordnlp/imdb")
    extra = load_dataset("csv", data_files={"train": "data/train.csv"})
    model = AutoModelForSequenceClassification.from_pretrained(BASE, num_labels=2)
    args = TrainingArguments("out", learning_rate=a.lr, num_train_epochs=a.epochs,
                             per_device_train_batch_size=32, fp16=True, seed=42)
    Trainer(model=model, args=args, train_dataset=ds["train"], tokenizer=tok).train()


if __name__ == "__main__":
    main()
''',
    "requirements.txt": """torch==2.6.0
transformers==4.48.3
datasets==3.2.0
evaluate>=0.4
accelerate~=1.3
numpy
scikit-learn==1.6.1
openai==1.59.0
""",
    "pyproject.toml": """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "sentimind"
version = "2.1.0"
description = "Training and inference code for Sentimind"
requires-python = ">=3.10"
license = "Apache-2.0"
authors = [{name = "Acme AI B.V.", email = "ml@acme.example"}]
dependencies = ["torch==2.6.0", "transformers==4.48.3", "datasets==3.2.0"]

[project.optional-dependencies]
serve = ["onnxruntime==1.20.1", "fastapi>=0.115"]

[tool.hatch.build.targets.wheel]
packages = ["sentimind"]
""",
    "sentimind/serve.py": '''"""Serving code: local model, optional LLM explanation."""
import os
from fastapi import FastAPI
from transformers import pipeline
from openai import OpenAI

app = FastAPI()
clf = pipeline("text-classification", model="acme-ai/sentimind-small-v2")
llm = OpenAI(api_key=os.environ["OPENAI_API_KEY"])


@app.post("/predict")
def predict(text: str):
    r = clf(text)[0]
    why = llm.chat.completions.create(model="gpt-4o-mini",
        messages=[{"role": "system", "content": "Explain the sentiment."},
                  {"role": "user", "content": text}])
    return {"label": r["label"], "why": why.choices[0].message.content}
''',
    "Dockerfile": """FROM pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime
COPY . /app
RUN pip install -r /app/requirements.txt
""",
    "emissions.csv": """\
timestamp,project_name,run_id,duration,emissions,energy_consumed,country_name,gpu_model
2026-01-01T00:00:00,sentimind,r1,10800,1.24,3.1,Netherlands,A100
""",
    "data/README.md": """---
license: cc-by-4.0
task_categories:
- text-classification
language:
- en
size_categories:
- n<1K
source_datasets:
- original
pretty_name: Internal reviews
---

# Internal reviews

Anonymised.
""",
    "CITATION.cff": """cff-version: 1.2.0
title: Sentimind Small v2
authors:
- name: Acme AI B.V.
version: 2.1.0
""",
    ".gitattributes": """*.safetensors filter=lfs diff=lfs merge=lfs -text
*.bin filter=lfs diff=lfs merge=lfs -text
""",
    "sentimind/__init__.py": '__version__ = "2.1.0"\n',
    "docs/risk-assessment.md": "# Risk assessment\n\nEU AI Act class: minimal risk.\n",
    "docs/datasheet.md": "# Datasheet for internal-reviews\n\nCollected 2025.\n",
    "SECURITY.md": "# Security\n\nReport to security@acme.example\n",
}
"""Content by path in the release."""
