"""What a training run left behind: `trainer_state.json`, and its arguments where they were saved as JSON.

The arguments' usual file, `training_args.bin`, is a pickle and is not read here. Known settings get one name whatever
they were called (`lr`, `learning_rate`), so that a card and a file can be compared; what was written stays beside it.
Source: transformers, `TrainerState` and `TrainingArguments`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import Json, parse_json_object
from aibom.formats.evaluation_results import Measurement, number_text, plain_measurements

MAX_BYTES = 64 * 1024 * 1024
MAX_ARGUMENT_BYTES = 1024 * 1024
_MAX_ARGUMENTS = 2000
_MAX_DEPTH = 20
_ALIASES: Mapping[str, str] = {
    "lr": "learning_rate",
    "num_epochs": "epochs",
    "num_train_epochs": "epochs",
    "n_epochs": "epochs",
    "max_epochs": "epochs",
    "batch": "batch_size",
    "optim": "optimizer",
    "optimiser": "optimizer",
    "training_regime": "precision",
    "mixed_precision": "precision",
    "mixed_precision_training": "precision",
    "training_precision": "precision",
    "random_seed": "seed",
    "lr_scheduler": "lr_scheduler_type",
    "lr_scheduler_warmup_steps": "warmup_steps",
    "lr_scheduler_warmup_ratio": "warmup_ratio",
    "max_steps": "training_steps",
}
_KNOWN = frozenset(
    {
        "adam_beta1", "adam_beta2", "adam_epsilon", "batch_size", "dropout", "epochs", "eval_batch_size",
        "gradient_accumulation_steps", "label_smoothing_factor", "learning_rate", "lr_scheduler_type",
        "max_grad_norm", "max_seq_length", "optimizer", "per_device_eval_batch_size", "per_device_train_batch_size",
        "precision", "seed", "total_train_batch_size", "train_batch_size", "training_steps", "warmup_ratio",
        "warmup_steps", "weight_decay", "distributed_type", "num_devices",
    }
)  # fmt: skip
_PRECISIONS = ("fp16", "bf16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameter:
    """One setting of a training run."""

    name: str
    """One name for all spellings of a known setting; else as written, in lower case with `_`."""
    value: str
    label: str
    """As written."""
    source_field: str
    """Where it stands: a key, or the heading of a card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerState:
    """What a `trainer_state.json` says. A number that is not stated is empty."""

    global_step: int | None
    max_steps: int | None
    epoch: str
    num_train_epochs: str
    train_batch_size: int | None
    total_flos: str
    """Floating-point operations of the whole run, as the library estimates them."""
    best_metric: str
    best_global_step: int | None
    best_model_checkpoint: str
    log_entries: int
    last_evaluation: tuple[Measurement, ...]
    """The metrics of the last log entry that has any under `eval_`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingArguments:
    """The plain values of a run's arguments, as they stand, and the known settings among them."""

    arguments: Mapping[str, str | int | float | bool]
    hyperparameters: tuple[Hyperparameter, ...]


def parse_trainer_state(data: bytes, where: str) -> TrainerState:
    """Read a trainer's state. Raises InputError if it does not say how many steps were done."""
    document = parse_json_object(data, where, max_bytes=MAX_BYTES, max_depth=_MAX_DEPTH)
    if _count(document.get("global_step")) is None:
        raise InputError("a trainer's state needs a number of steps", where=f"{where}, global_step")
    history = document.get("log_history")
    entries = history if isinstance(history, list) else []
    return TrainerState(
        global_step=_count(document.get("global_step")),
        max_steps=_count(document.get("max_steps")),
        epoch=number_text(document.get("epoch")),
        num_train_epochs=number_text(document.get("num_train_epochs")),
        train_batch_size=_count(document.get("train_batch_size")),
        total_flos=number_text(document.get("total_flos")),
        best_metric=number_text(document.get("best_metric")),
        best_global_step=_count(document.get("best_global_step")),
        best_model_checkpoint=_text(document.get("best_model_checkpoint")),
        log_entries=len(entries),
        last_evaluation=_last_evaluation(entries, where),
    )


def parse_training_arguments(data: bytes, where: str) -> TrainingArguments:
    """Read training arguments saved as JSON. Raises InputError if it is not an object of a sensible size."""
    document = parse_json_object(data, where, max_bytes=MAX_ARGUMENT_BYTES, max_depth=_MAX_DEPTH)
    if len(document) > _MAX_ARGUMENTS:
        raise InputError(f"{len(document)} arguments; at most {_MAX_ARGUMENTS} are read", where=where)
    plain = {name: value for name, value in sorted(document.items()) if isinstance(value, (str, int, float, bool))}
    return TrainingArguments(arguments=plain, hyperparameters=tuple(_settings(plain)))


def setting_name(label: str) -> str:
    """The name of a setting: one for all spellings of a known one, else the label in lower case with `_`."""
    plain = "_".join(label.lower().replace("-", " ").replace("_", " ").split())
    return _ALIASES.get(plain, plain)


def is_known_setting(name: str) -> bool:
    """Whether a name, from `setting_name`, is one of the usual settings of training."""
    return name in _KNOWN


def _settings(plain: Mapping[str, str | int | float | bool]) -> list[Hyperparameter]:
    found = []
    for label, value in plain.items():
        name = setting_name(label)
        if label in _PRECISIONS and value is True:
            found.append(Hyperparameter(name="precision", value=label, label=label, source_field=label))
        elif is_known_setting(name) and not isinstance(value, bool) and value != "" and not _is_unset(label, value):
            found.append(Hyperparameter(name=name, value=str(value), label=label, source_field=label))
    return found


def _is_unset(label: str, value: object) -> bool:
    """The library writes -1 for "as many steps as the epochs take"."""
    return label == "max_steps" and value == -1


def _last_evaluation(entries: list[Any], where: str) -> tuple[Measurement, ...]:
    for number in range(len(entries) - 1, -1, -1):
        entry: Json = entries[number] if isinstance(entries[number], dict) else {}
        scores = {name: value for name, value in entry.items() if name.startswith("eval_")}
        found = plain_measurements(scores, where)
        if found:
            return tuple(_placed(item, f"log_history[{number}]") for item in found)
    return ()


def _placed(item: Measurement, place: str) -> Measurement:
    return Measurement(
        type=item.type,
        value=item.value,
        n_samples=item.n_samples,
        source_field=f"{place}.{item.source_field}",
    )


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
