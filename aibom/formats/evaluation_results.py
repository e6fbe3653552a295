"""Files of evaluation results: numbers a training run wrote, lm-eval harness reports, and the Hub's `.eval_results`.

All give the same fact, a `Measurement`, so that a claim can be set beside what was measured. What a file does not say
about a number (its data set, its split) stays empty: `eval_accuracy` says nothing of where it was measured. JSON
numbers are given in their shortest decimal form. Sources: transformers `Trainer.save_metrics`; lm-evaluation-harness
result files; Hub documentation, "Evaluation Results".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import Json, parse_json_object
from aibom.formats.yaml_block import parse_yaml_mapping

MAX_BYTES = 64 * 1024 * 1024
MAX_MEASUREMENTS = 20_000
_MAX_DEPTH = 60
_MAX_GROUPS = 8
_MAX_NAME = 200
_ENTRIES = "results"
# How a number is accompanied in a plain file: suffix → field.
_COMPANIONS: Mapping[str, tuple[str, ...]] = {
    "standard_error": ("_stderr", "_std_err", "_standard_error"),
    "lower": ("_ci_lower", "_ci_low", "_lower"),
    "upper": ("_ci_upper", "_ci_high", "_upper"),
    "n_samples": ("_samples", "_n_samples", "_num_samples"),
}
_BESIDE_VALUE: Mapping[str, tuple[str, ...]] = {
    "standard_error": ("stderr", "std_err", "standard_error"),
    "lower": ("lower", "ci_lower", "ci_low"),
    "upper": ("upper", "ci_upper", "ci_high"),
    "n_samples": ("n_samples", "num_samples", "samples"),
}
_PREFIXES: Mapping[str, str] = {
    "eval_": "", "predict_": "", "test_": "test", "train_": "train", "validation_": "validation",
}  # fmt: skip
_NOT_METRICS = frozenset(
    {
        "epoch", "step", "global_step", "samples", "n_samples", "num_samples", "total_flos", "num_input_tokens_seen",
        "runtime", "total_time", "total_time_in_seconds", "latency_in_seconds", "model_preparation_time",
        "jit_compilation_time", "compilation_time", "seed", "batch_size", "learning_rate", "timestamp", "version",
    }
)  # fmt: skip
_NOT_METRIC_ENDS = ("_per_second", "_runtime", "_seconds", "_samples", "_preparation_time", "_delta", "_gpu_mem_peaked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One number that somebody says was measured, with what they say about it."""

    type: str
    """Which metric: `accuracy`, `f1`, `acc`."""
    value: str
    name: str = ""
    """The metric's name for people, where there is one beside its type."""
    dataset: str = ""
    dataset_id: str = ""
    """Its identifier on a hub, where one is given beside or as its name."""
    split: str = ""
    config: str = ""
    revision: str = ""
    subset: str = ""
    """What narrows the number down: a filter, a category, or the keys it stands under in a plain file."""
    task: str = ""
    model: str = ""
    """The name of the model that an entry of `model-index` is about."""
    standard_error: str = ""
    lower: str = ""
    upper: str = ""
    uncertainty: str = ""
    """What follows a ± sign, where nobody says whether it is an error, a deviation or an interval."""
    n_samples: int | None = None
    few_shot: int | None = None
    verified: bool | None = None
    date: str = ""
    notes: str = ""
    source_url: str = ""
    source_field: str
    """Where in its file the value stands: a JSON path, or the heading and cell of a card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationReport:
    """What one file of results says."""

    format: str
    """`lm-eval`, `hub` or `plain`."""
    measurements: tuple[Measurement, ...]
    model: str = ""
    """The model that was evaluated, as the tool was told: a name or a path."""
    model_revision: str = ""
    model_arguments: str = ""
    tool_version: str = ""
    tool_revision: str = ""
    """`git_hash` of the harness."""
    date: str = ""
    chat_template_sha256: str = ""
    """Of the template the harness used, as it states it."""


def parse_evaluation_results(data: bytes, where: str) -> EvaluationReport:
    """Read a JSON file of results: the harness's form by its `results` by task, else plain numbers by name."""
    document = parse_json_object(data, where, max_bytes=MAX_BYTES, max_depth=_MAX_DEPTH)
    is_harness = isinstance(document.get("results"), dict) and any(
        name in document for name in ("configs", "versions", "n-shot", "config", "config_general", "git_hash")
    )
    if is_harness:
        return _harness_report(document, where)
    return EvaluationReport(format="plain", measurements=_bounded(_plain(document, ()), where))


def plain_measurements(numbers: Mapping[str, Any], where: str) -> tuple[Measurement, ...]:
    """The metrics among numbers by name, as a training run writes them."""
    return _bounded(_plain(numbers, ()), where)


def parse_hub_results(data: bytes, where: str) -> EvaluationReport:
    """Read `.eval_results/*.yaml`: a list of results. Raises InputError with the entry at fault."""
    document = _list_as_mapping(data, where)
    entries = document.get(_ENTRIES)
    if document.keys() != {_ENTRIES} or not isinstance(entries, list):
        raise InputError("expected a list of results", where=where)
    return EvaluationReport(format="hub", measurements=hub_entries(entries, where))


def hub_entries(entries: list[Any], where: str) -> tuple[Measurement, ...]:
    """Read results in the Hub's form. Raises InputError with the entry at fault."""
    return _bounded((_hub_entry(entry, f"[{number}]", where) for number, entry in enumerate(entries)), where)


def is_hub_entry(entry: Any) -> bool:
    """Whether a value has what a result in the Hub's form needs: a data set and a value."""
    dataset = entry.get("dataset") if isinstance(entry, dict) else None
    if not isinstance(dataset, dict) or not _text(dataset.get("id")):
        return False
    return bool(number_text(entry.get("value")) or _text(entry.get("value")))


def number_text(value: Any) -> str:
    """A number as text, and empty for anything else; truth values are not numbers."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _list_as_mapping(data: bytes, where: str) -> Json:
    """The YAML reader takes mappings: the list is put under a key, on a line of its own before the first."""
    first, newline, rest = data.partition(b"\n")
    has_start = bool(newline) and first.strip() == b"---"
    try:
        return parse_yaml_mapping(_ENTRIES.encode() + b":\n" + (rest if has_start else data), where)
    except InputError as error:
        place, comma, line = error.where.rpartition(", line ")
        if has_start or not comma or not line.isdigit():
            raise
        raise InputError(error.message, where=f"{place}, line {max(1, int(line) - 1)}", hint=error.hint) from error


def _hub_entry(entry: Any, place: str, where: str) -> Measurement:
    if not is_hub_entry(entry):
        raise InputError("a result needs dataset.id and a value", where=f"{where}, {place}")
    dataset, source = entry["dataset"], entry.get("source")
    return Measurement(
        type="",
        value=number_text(entry["value"]) or _text(entry["value"]),
        dataset=_text(dataset["id"]),
        dataset_id=_text(dataset["id"]),
        task=_text(dataset.get("task_id")),
        revision=_text(dataset.get("revision")),
        date=_text(entry.get("date")),
        notes=_text(entry.get("notes")),
        source_url=_text(source.get("url")) if isinstance(source, dict) else "",
        source_field=f"{place}.value",
    )


def _harness_report(document: Json, where: str) -> EvaluationReport:
    config = _object(document.get("config")) or _object(document.get("config_general"))
    arguments = config.get("model_args")
    stated = _arguments(arguments)
    return EvaluationReport(
        format="lm-eval",
        measurements=_bounded(_harness(document), where),
        model=stated.get("pretrained") or _text(document.get("model_name")) or _text(config.get("model_name")),
        model_revision=stated.get("revision", ""),
        model_arguments=",".join(f"{name}={item}" for name, item in stated.items())
        if isinstance(arguments, dict)
        else _text(arguments),
        tool_version=_text(document.get("lm_eval_version")),
        tool_revision=_text(document.get("git_hash")),
        date=_text(document.get("date")) or number_text(document.get("date")),
        chat_template_sha256=_text(document.get("chat_template_sha")),
    )


def _arguments(value: Any) -> dict[str, str]:
    """`model_args`: `a=b,c=d`, or an object in newer reports."""
    if isinstance(value, dict):
        return {name: str(item) for name, item in value.items() if isinstance(item, (str, int, float))}
    pairs = (part.partition("=") for part in _text(value).split(","))
    return {name.strip(): item.strip() for name, equals, item in pairs if equals}


def _harness(document: Json) -> Iterator[Measurement]:
    for task, metrics in _object(document["results"]).items():
        for key, value in _object(metrics).items():
            metric, _, chosen = key.partition(",")
            if number_text(value) and not metric.endswith("_stderr") and metric not in {"sample_len", "samples"}:
                yield _harness_measurement(document, task, key, metric, chosen)


def _harness_measurement(document: Json, task: str, key: str, metric: str, chosen: str) -> Measurement:
    metrics = document["results"][task]
    error = metrics.get(f"{metric}_stderr,{chosen}" if chosen else f"{metric}_stderr")
    config = _object(_object(document.get("configs")).get(task))
    counts = _object(_object(document.get("n-samples")).get(task))
    shots = _object(document.get("n-shot")).get(task, config.get("num_fewshot"))
    samples = counts.get("effective", metrics.get("sample_len"))
    return Measurement(
        type=metric,
        value=number_text(metrics[key]),
        task=task,
        dataset=_text(config.get("dataset_path")),
        dataset_id=_text(config.get("dataset_path")),
        config=_text(config.get("dataset_name")),
        split=_text(config.get("test_split")) or _text(config.get("validation_split")),
        revision=_text(_object(config.get("dataset_kwargs")).get("revision")),
        subset="" if chosen == "none" else chosen,
        standard_error=number_text(error),
        n_samples=_count(samples),
        few_shot=_count(shots),
        source_field=f"results.{task[:_MAX_NAME]}.{key[:_MAX_NAME]}",
    )


def _plain(numbers: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[Measurement]:
    """Numbers by name; an object groups them, or is itself one number with its error. Depth is bounded by groups."""
    for key, value in numbers.items():
        if number_text(value) and _is_metric(key):
            yield _plain_measurement(numbers, key, above)
        elif isinstance(value, dict) and number_text(value.get("value")):
            yield _measured_object(key, value, above)
        elif isinstance(value, dict) and len(above) < _MAX_GROUPS:
            yield from _plain(value, (*above, key[:_MAX_NAME]))


def _plain_measurement(numbers: Mapping[str, Any], key: str, above: tuple[str, ...]) -> Measurement:
    prefix = next((item for item in _PREFIXES if key.startswith(item)), "")
    found = {
        name: next((numbers[key + end] for end in ends if key + end in numbers), None)
        for name, ends in _COMPANIONS.items()
    }
    samples = found["n_samples"] if found["n_samples"] is not None else numbers.get(f"{prefix}samples")
    return Measurement(
        type=key.removeprefix(prefix),
        value=number_text(numbers[key]),
        split=_PREFIXES.get(prefix, ""),
        subset=".".join(above),
        standard_error=number_text(found["standard_error"]),
        lower=number_text(found["lower"]),
        upper=number_text(found["upper"]),
        n_samples=_count(samples),
        source_field=".".join((*above, key[:_MAX_NAME])),
    )


def _measured_object(key: str, value: Json, above: tuple[str, ...]) -> Measurement:
    found = {
        name: next((value[item] for item in names if item in value), None) for name, names in _BESIDE_VALUE.items()
    }
    return Measurement(
        type=key,
        value=number_text(value["value"]),
        subset=".".join(above),
        dataset=_text(value.get("dataset")),
        split=_text(value.get("split")),
        standard_error=number_text(found["standard_error"]),
        lower=number_text(found["lower"]),
        upper=number_text(found["upper"]),
        n_samples=_count(found["n_samples"]),
        source_field=".".join((*above, key[:_MAX_NAME], "value")),
    )


def _is_metric(key: str) -> bool:
    prefix = next((item for item in _PREFIXES if key.startswith(item)), "")
    ends = tuple(end for ends in _COMPANIONS.values() for end in ends)
    return key.removeprefix(prefix) not in _NOT_METRICS and not key.endswith((*_NOT_METRIC_ENDS, *ends))


def _bounded(found: Iterator[Measurement], where: str) -> tuple[Measurement, ...]:
    kept: list[Measurement] = []
    for measurement in found:
        if len(kept) == MAX_MEASUREMENTS:
            raise InputError(f"more than {MAX_MEASUREMENTS} results", where=where)
        kept.append(measurement)
    return tuple(kept)


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
