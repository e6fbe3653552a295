"""The JSON documents of the example release, by path."""

from collections.abc import Mapping

BASE = "distilbert/distilbert-base-uncased"

DOCUMENTS: Mapping[str, object] = {
    "generation_config.json": {"_from_model_config": True, "transformers_version": "4.48.3"},
    "tokenizer_config.json": {
        "tokenizer_class": "DistilBertTokenizer",
        "do_lower_case": True,
        "model_max_length": 512,
        "unk_token": "[UNK]",
    },
    "special_tokens_map.json": {
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    },
    "adapters/nl-lora/adapter_config.json": {
        "peft_type": "LORA",
        "base_model_name_or_path": BASE,
        "r": 8,
        "lora_alpha": 16,
        "target_modules": ["q_lin", "v_lin"],
        "task_type": "SEQ_CLS",
    },
    "training_args.json": {
        "learning_rate": 2e-5,
        "per_device_train_batch_size": 32,
        "num_train_epochs": 3,
        "fp16": True,
        "seed": 42,
        "optim": "adamw_torch",
    },
    "eval/all_results.json": {
        "epoch": 3.0,
        "eval_accuracy": 0.9312,
        "eval_f1": 0.9309,
        "eval_loss": 0.2011,
        "eval_samples": 25000,
    },
    "eval/lm_eval_results.json": {
        "results": {"sst2": {"acc,none": 0.91, "acc_stderr,none": 0.009}},
        "versions": {"sst2": 1.0},
        "config": {"model": "hf", "model_args": "pretrained=acme-ai/sentimind-small-v2"},
    },
}
"""What depends on nothing else in the release."""


def model_config(vocabulary: int) -> dict[str, object]:
    """Return ``config.json`` for a number of tokens."""
    return {
        "_name_or_path": BASE,
        "architectures": ["DistilBertForSequenceClassification"],
        "model_type": "distilbert",
        "dim": 128,
        "hidden_dim": 512,
        "n_heads": 4,
        "n_layers": 4,
        "vocab_size": vocabulary,
        "max_position_embeddings": 512,
        "activation": "gelu",
        "dropout": 0.1,
        "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
        "label2id": {"NEGATIVE": 0, "POSITIVE": 1},
        "torch_dtype": "float32",
        "transformers_version": "4.48.3",
    }


def tokenizer(vocabulary: list[str]) -> dict[str, object]:
    """Return ``tokenizer.json`` for a vocabulary."""
    index = {token: number for number, token in enumerate(vocabulary)}
    return {"version": "1.0", "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": index}}


def croissant(digests: Mapping[str, str]) -> dict[str, object]:
    """Return the data set's Croissant description, with the SHA-256 of its files by name."""
    return {
        "@context": {
            "@language": "en",
            "@vocab": "https://schema.org/",
            "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/",
            "rai": "http://mlcommons.org/croissant/RAI/",
            "dct": "http://purl.org/dc/terms/",
            "conformsTo": "dct:conformsTo",
            "fileObject": "cr:fileObject",
            "recordSet": "cr:recordSet",
            "field": "cr:field",
        },
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "internal-reviews",
        "description": "40k anonymised Acme product reviews.",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "url": "https://huggingface.co/datasets/acme-ai/internal-reviews",
        "version": "1.2.0",
        "datePublished": "2025-11-02",
        "creator": {"@type": "sc:Organization", "name": "Acme AI B.V."},
        "rai:dataCollection": "Web shop review export",
        "rai:personalSensitiveInformation": "None after scrubbing",
        "rai:dataBiases": "70% electronics reviews",
        "distribution": [
            _file_object("train.csv", "text/csv", digests),
            _file_object("train.parquet", "application/x-parquet", digests),
        ],
        "recordSet": [_record_set()],
    }


def _file_object(name: str, encoding: str, digests: Mapping[str, str]) -> dict[str, str]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": encoding,
        "sha256": digests[name],
    }


def _record_set() -> dict[str, object]:
    source = {"fileObject": {"@id": "train.csv"}, "extract": {"column": "text"}}
    field = {
        "@type": "cr:Field",
        "@id": "reviews/text",
        "name": "text",
        "dataType": "sc:Text",
        "source": source,
    }
    return {"@type": "cr:RecordSet", "@id": "reviews", "name": "reviews", "field": [field]}
