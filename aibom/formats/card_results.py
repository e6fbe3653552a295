"""Numbers in a model card: `model-index`, tables of results, settings of training, and the environmental account.

Tables and lists are read only below a heading that speaks of results. Of a table, the first column must be named as
one of data sets (or of metrics, beside one column of values), and a column must bear the name of a known metric: a
table of models compared, or of losses by step, is neither. Fields of `model-index`: Hugging Face model card metadata
specification.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.formats.card_body import CardSection, CardTable, labelled_item, plain_text, tables
from aibom.formats.evaluation_results import Measurement
from aibom.formats.trainer_state import Hyperparameter, is_known_setting, setting_name

MAX_MEASUREMENTS = 5000
_MAX_SETTINGS = 1000
_PROSE_LIMIT = 8000
_SETTING_WORDS = 4
_SETTING_VALUE = 200
_NUMBER = r"[0-9]{1,12}(?:\.[0-9]{1,20})?(?:[eE][-+]?[0-9]{1,3})?"
_CELL = re.compile(rf"([-+−]?(?:{_NUMBER}|\.[0-9]{{1,20}})\s?%?)(?:\s?(?:±|\+/-|\+-)\s?({_NUMBER}\s?%?))?")
_RESULTS = ("evaluation", "result", "performance", "benchmark")
_TRAINER_SENTENCE = "following results on the evaluation set"
_VALUE_COLUMNS = frozenset({"value", "values", "score", "scores", "result", "results"})
# First columns and companions: how a column is named → what it holds.
_COLUMNS: Mapping[str, str] = {
    "dataset": "dataset", "datasets": "dataset", "data set": "dataset", "data": "dataset", "test set": "dataset",
    "eval set": "dataset", "evaluation set": "dataset", "evaluation dataset": "dataset", "test dataset": "dataset",
    "benchmark": "dataset", "benchmarks": "dataset", "corpus": "dataset", "task": "task", "tasks": "task",
    "split": "split", "subset": "subset", "category": "subset", "domain": "subset", "language": "subset",
    "config": "config", "configuration": "config", "revision": "revision", "samples": "n_samples",
    "examples": "n_samples", "n": "n_samples", "# samples": "n_samples",
}  # fmt: skip
_OTHER_MODELS = frozenset({"model", "models", "method", "system", "approach", "baseline"})
_FIRST_COLUMNS = frozenset({"dataset", "task", "split", "subset"})
_METRIC = re.compile(
    r"(?:(?:macro|micro|weighted|balanced|mean|average|avg|test|eval|top[- ]?[0-9]{1,3})[- ])?"
    r"(?:accuracy|acc|f1(?:[- ]?score)?|f-score|precision|recall|specificity|sensitivity|(?:roc|pr)[- ]?auc|auc(?:roc)?"
    r"|auroc|auprc|auc[- ](?:roc|pr)|m?ap|m?ap[0-9]{2}|bleu|sacrebleu|(?:rouge|rouge-?[0-9l]|rouge-?lsum)|meteor|chrf"
    r"|chrf\+\+|comet|ter|wer|cer|eer|der|perplexity|ppl|loss|m[sa]e|rmse|mape|r2|r\^2|r²|mcc|em|exact[- ]match|iou"
    r"|miou|dice|ndcg|mrr|hit rate|bertscore"
    r"|pearsonr?|spearmanr?|matthews[- ]correlation|fid|psnr|ssim|lpips|kappa|error rate|pesq|stoi)"
    r"|(?:ndcg|recall|precision|hits?|m?ap|mrr|pass|acc)@[0-9.:]{1,8}|top[- ]?[0-9]{1,3}"
)
# A number that starts a range ("5e-4 to 1e-5") or a product ("2 x 10^-5") is not the setting's value.
_WHOLE_END = r"(?!\.?[0-9])(?!\s?(?:[x×*·^/–-]|to\b))"
_IS = r"(?:\s?[:=]| of| is| was)?\s?"
_SETTINGS: Mapping[str, re.Pattern[str]] = {
    "learning_rate": re.compile(rf"(?i)\b(?:lr|learning[ _-]rate)\b{_IS}((?>{_NUMBER})){_WHOLE_END}"),
    "batch_size": re.compile(rf"(?i)\bbatch(?:[ _-]size)?{_IS}([0-9]{{1,9}}+)\b{_WHOLE_END}"),
    "epochs": re.compile(
        r"(?i)(?<![0-9.,/–-])(?<!\bto )(?<!every )(?<!first )(?<!last )(?<!after )"
        r"([0-9]{1,6}+(?:\.[0-9]{1,6}+)?) epochs?\b"
    ),
    "training_steps": re.compile(r"(?i)(?<![0-9.,/–-])(?<!\bto )([0-9]{1,12}+) training steps\b"),
    "seed": re.compile(rf"(?i)\bseed{_IS}([0-9]{{1,20}}+)\b{_WHOLE_END}"),
    "weight_decay": re.compile(rf"(?i)\bweight[ _-]decay{_IS}((?>{_NUMBER})){_WHOLE_END}"),
    "optimizer": re.compile(r"\b(AdamW|Adam(?! [A-Z])|SGD|Adafactor|Adagrad|RMSprop|LAMB)\b"),
    "precision": re.compile(r"(?i)\b(fp16|bf16|fp32|tf32|fp8|float16|bfloat16|float32)\b"),
}
_TRAINING = ("hyperparameter", "hyper-parameter", "training procedure", "training details", "training regime",
             "training setup", "training parameters", "training configuration", "training arguments")  # fmt: skip
_EXPLICIT = ("hyperparameter", "hyper-parameter", "training parameters", "training arguments")
_SETTING_COLUMNS = frozenset({"hyperparameter", "parameter", "setting", "argument", "name"})
_ENVIRONMENT = ("environment", "carbon", "emission", "energy", "co2", "co₂", "sustainab")
_AMOUNT = r"(?<![\w.,])([0-9][0-9.,]{0,20}+)\s?"
_EMITTED = re.compile(
    rf"(?i){_AMOUNT}(kg|g|t|tonnes?|tons?|metric tons?|kilograms?|grams?|lbs?)\s?(?:of )?(?:CO2|CO₂|carbon dioxide)"
)
_MASS = re.compile(rf"(?i){_AMOUNT}(kg|g|t|tonnes?|tons?|metric tons?|kilograms?|grams?|lbs?)\b")
_ENERGY = re.compile(rf"{_AMOUNT}([kMGT]?Wh|kwh|K[Ww][Hh])\b")
_KILOGRAMS: Mapping[str, float] = {
    "g": 0.001, "gram": 0.001, "grams": 0.001, "kg": 1.0, "kilogram": 1.0, "kilograms": 1.0, "t": 1000.0,
    "tonne": 1000.0, "tonnes": 1000.0, "metric ton": 1000.0, "metric tons": 1000.0,
}  # fmt: skip
_KILOWATT_HOURS: Mapping[str, float] = {
    "Wh": 0.001, "kWh": 1.0, "kwh": 1.0, "KWh": 1.0, "KWH": 1.0, "MWh": 1000.0, "GWh": 1e6, "TWh": 1e9,
}  # fmt: skip
_PLAIN_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
_ENVIRONMENT_LABELS: Mapping[str, str] = {
    "hardware type": "hardware", "hardware": "hardware", "hours used": "hours", "cloud provider": "cloud_provider",
    "compute region": "region", "carbon emitted": "emissions", "carbon emissions": "emissions",
    "co2 emissions": "emissions", "co2 emitted": "emissions", "energy consumed": "energy", "energy used": "energy",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentalClaim:
    """One statement on what training cost the environment."""

    name: str
    """`emissions`, `energy`, `hardware`, `hours`, `cloud_provider` or `region`."""
    value: str
    unit: str
    heading: str

    @property
    def amount(self) -> float | None:
        """In kg (emissions) or kWh (energy); None where number or unit can be read in two ways, as "tons" can."""
        factor = {"emissions": _KILOGRAMS, "energy": _KILOWATT_HOURS}.get(self.name, {}).get(
            self.unit if self.name == "energy" else self.unit.lower()
        )
        return float(self.value) * factor if factor and _PLAIN_NUMBER.fullmatch(self.value) else None


def model_index_results(value: Any, where: str) -> tuple[Measurement, ...]:
    """Every metric of `model-index`, in the card's order."""
    found: list[Measurement] = []
    for m, model in _objects(value):
        for r, result in _objects(model.get("results")):
            for k, metric in _objects(result.get("metrics")):
                shown = metric.get("value")
                is_value = isinstance(shown, (int, float, str)) and not isinstance(shown, bool)
                if _text(metric.get("type")) and is_value:
                    place = f"model-index[{m}].results[{r}].metrics[{k}].value"
                    found.append(_indexed(result, metric, str(shown), place, _text(model.get("name"))))
                if len(found) > MAX_MEASUREMENTS:
                    raise InputError(f"more than {MAX_MEASUREMENTS} results", where=f"{where}, model-index")
    return tuple(found)


def body_results(sections: Sequence[CardSection], where: str) -> tuple[Measurement, ...]:
    """The numbers of tables and lists below headings on evaluation, results, performance or benchmarks.

    A list that follows the sentence of cards written by the transformers trainer counts below any heading.
    """
    found: list[Measurement] = []
    for section in sections:
        for measurement in _section_results(section):
            found.append(measurement)
            if len(found) > MAX_MEASUREMENTS:
                raise InputError(f"more than {MAX_MEASUREMENTS} results", where=f"{where}, {section.title[:80]}")
    return tuple(found)


def training_settings(sections: Sequence[CardSection]) -> tuple[Hyperparameter, ...]:
    """Settings below headings on training: list items, tables of two columns, and plain statements in prose."""
    found: dict[tuple[str, str], Hyperparameter] = {}
    for section in sections:
        if section.stands_under(*_TRAINING):
            is_explicit = section.stands_under(*_EXPLICIT)
            listed = list(_listed(section, is_explicit))
            names = {name for name, _, _ in listed}
            prose = [item for item in _in_prose(section) if item[0] not in names]
            for name, value, label in (*listed, *prose):
                found.setdefault(
                    (name, value), Hyperparameter(name=name, value=value, label=label, source_field=section.title)
                )
        if len(found) > _MAX_SETTINGS:
            break
    return tuple(found.values())[:_MAX_SETTINGS]


def environmental_claims(sections: Sequence[CardSection]) -> tuple[EnvironmentalClaim, ...]:
    """Emissions, energy and hardware below headings on the environment."""
    found: dict[EnvironmentalClaim, None] = {}
    for section in sections:
        if not section.stands_under(*_ENVIRONMENT):
            continue
        for line in section.lines:
            for name, value, unit in _environmental(line):
                if len(found) < _MAX_SETTINGS:
                    found[EnvironmentalClaim(name=name, value=value, unit=unit, heading=section.title)] = None
    return tuple(found)


def _section_results(section: CardSection) -> Iterator[Measurement]:
    is_training = "training" in section.heading and "evaluation" not in section.heading
    is_results = section.stands_under(*_RESULTS) and not is_training
    place = f"heading {section.title!r}"
    if is_results:
        for number, table in enumerate(tables(section.lines), 1):
            yield from _table(table, f"{place}, table {number}")
    counted = 0
    for line in section.lines:
        is_results = is_results or _TRAINER_SENTENCE in line.lower()
        item = labelled_item(line) if is_results else None
        counted += bool(item)
        if item:
            yield from _cell(item[0], item[1], {}, f"{place}, list item {counted}")


def _indexed(result: dict[str, Any], metric: dict[str, Any], value: str, place: str, model: str) -> Measurement:
    dataset, task, source = (_object(result.get(name)) for name in ("dataset", "task", "source"))
    verified = metric.get("verified")
    return Measurement(
        type=_text(metric["type"]),
        value=value,
        model=model,
        name=_text(metric.get("name")),
        dataset=_text(dataset.get("name")) or _text(dataset.get("type")),
        dataset_id=_text(dataset.get("type")),
        split=_text(dataset.get("split")),
        config=_text(dataset.get("config")),
        revision=_text(dataset.get("revision")),
        task=_text(task.get("type")) or _text(task.get("name")),
        verified=verified if isinstance(verified, bool) else None,
        source_url=_text(source.get("url")),
        source_field=place,
    )


def _table(table: CardTable, place: str) -> Iterator[Measurement]:
    first = table.header[0].lower()
    if first in {"metric", "metrics"} and len(table.header) == 2 and table.header[1].lower() in _VALUE_COLUMNS:
        for row_number, row in enumerate(table.rows, 1):
            yield from _cell(row[0], row[1], {}, f"{place}, row {row_number}, column {table.header[1]!r}")
        return
    names = {name.lower() for name in table.header}
    if _COLUMNS.get(first) not in _FIRST_COLUMNS or names & _OTHER_MODELS:
        return
    roles = [_COLUMNS.get(name.lower(), "") for name in table.header]
    for row_number, row in enumerate(table.rows, 1):
        about = {role: cell for role, cell in zip(reversed(roles), reversed(row), strict=True) if role}
        for name, role, cell in zip(table.header, roles, row, strict=True):
            if not role:
                yield from _cell(name, cell, about, f"{place}, row {row_number}, column {name!r}")


def _cell(name: str, cell: str, about: Mapping[str, str], place: str) -> Iterator[Measurement]:
    metric, number = _metric(name), _CELL.fullmatch(cell)
    samples = about.get("n_samples", "").replace(",", "")
    if metric and number:
        yield Measurement(
            type=metric,
            name=name,
            value=number.group(1).strip().replace("−", "-"),
            uncertainty=number.group(2) or "",
            dataset=about.get("dataset", ""),
            task=about.get("task", ""),
            split=about.get("split", ""),
            config=about.get("config", ""),
            revision=about.get("revision", ""),
            subset=about.get("subset", ""),
            n_samples=int(samples) if samples.isascii() and samples.isdigit() and len(samples) < 16 else None,
            source_field=place,
        )


def _metric(name: str) -> str:
    """The metric that a column is named after, without arrows, units and what stands in brackets; else empty."""
    plain = " ".join(name.lower().partition("(")[0].translate(_WITHOUT_ARROWS).split())
    return plain if len(plain) <= 40 and _METRIC.fullmatch(plain) else ""


_WITHOUT_ARROWS = str.maketrans("", "", "↑↓⬆⬇%")


def _listed(section: CardSection, is_explicit: bool) -> Iterator[tuple[str, str, str]]:
    pairs = [item for line in section.lines if (item := labelled_item(line))]
    for table in tables(section.lines):
        if len(table.header) == 2 and table.header[0].lower().rstrip("s") in _SETTING_COLUMNS:
            pairs.extend((row[0], row[1]) for row in table.rows)
    for label, value in pairs:
        name = setting_name(label)
        is_short = len(label.split()) <= _SETTING_WORDS and 0 < len(value) <= _SETTING_VALUE
        if is_short and (is_explicit or is_known_setting(name)):
            yield name, value, label


def _in_prose(section: CardSection) -> Iterator[tuple[str, str, str]]:
    """Where one section gives two values for one setting, it tells of two runs or of a range: none is taken."""
    lines = [line for line in section.lines if "|" not in line and not labelled_item(line)]
    text = plain_text(" ".join(lines)[:_PROSE_LIMIT])
    for name, pattern in _SETTINGS.items():
        found = list(pattern.finditer(text))
        if len({match.group(1) for match in found}) == 1:
            yield name, found[0].group(1), found[0].group()


def _environmental(line: str) -> Iterator[tuple[str, str, str]]:
    item = labelled_item(line)
    name = _ENVIRONMENT_LABELS.get(item[0].lower().replace("₂", "2"), "") if item else ""
    text = plain_text(line)
    emitted = [(m.group(1), m.group(2)) for m in (_MASS if name == "emissions" else _EMITTED).finditer(text)]
    used = [(m.group(1), m.group(2)) for m in _ENERGY.finditer(text)]
    yield from (("emissions", value.rstrip(".,"), unit) for value, unit in emitted)
    yield from (("energy", value.rstrip(".,"), unit) for value, unit in used)
    if item and name and not (name in {"emissions", "energy"} and (emitted or used)):
        yield name, item[1], ""


def _objects(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    items = value if isinstance(value, list) else []
    return ((number, item) for number, item in enumerate(items) if isinstance(item, dict))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
