"""Measurements of the model from everywhere: merged where sources agree, reported where they do not.

Only what was measured on this model counts: an evaluation that names another model is left out, and said to be.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from aibom.build.account import Result, Source
from aibom.build.collect import CollectedFile
from aibom.build.evidence import facts, folded, last_part
from aibom.formats.evaluation_results import EvaluationReport, Measurement
from aibom.formats.model_card import ModelCard
from aibom.formats.trainer_state import TrainerState

_SPLITS = frozenset({"test", "train", "validation", "valid", "val", "dev", "eval"})
_SAME = {"acc": "accuracy", "f1score": "f1", "f1macro": "f1", "macrof1": "f1", "rocauc": "auc", "auroc": "auc"}
_WORDS = re.compile(r"[^\W_]+")
# 95 % of a normal distribution lies within this many standard errors.
_Z = Decimal("1.96")
# Of one metric on one data set, so many values are compared with one another: more is no report but a log.
_COMPARED = 200


@dataclass(frozen=True, slots=True)
class _Read:
    """A measurement and where it was read."""

    measured: Measurement
    file: str

    @property
    def source(self) -> Source:
        place = self.measured.source_field
        if self.measured.standard_error and not self.measured.lower:
            place += f"; bounds are 1.96 times its standard error {self.measured.standard_error}"
        return Source(self.file, place)

    @property
    def metric(self) -> str:
        plain = folded(self.measured.type)
        return _SAME.get(plain, plain)

    @property
    def place(self) -> tuple[str, str]:
        """The data set and split, without what spellings differ in; both empty if nothing is said."""
        item = self.measured
        words = _WORDS.findall(last_part(item.dataset_id or item.dataset or item.task).lower())
        split = item.split.lower()
        if not split and len(words) > 1 and words[-1] in _SPLITS:
            split = words[-1]
        return "".join(word for word in words if word != split), split


def results_of(files: Iterable[CollectedFile], name: str) -> tuple[tuple[Result, ...], list[str]]:
    """(Results of the model called `name`, conflicts and what was left out)."""
    read, foreign = _read(list(files), name)
    groups: list[list[_Read]] = []
    by_metric: dict[str, list[list[_Read]]] = defaultdict(list)
    by_place: dict[tuple[str, str], list[list[_Read]]] = defaultdict(list)
    conflicts: list[str] = []
    for item in sorted(read, key=lambda item: not item.place[0]):  # what names its data set comes first
        named = item.place[0]
        near = by_place[item.metric, named] if named else by_metric[item.metric]
        same = [group for group in near[:_COMPARED] if _same_place(group[0], item)]
        equal = next((group for group in same if _equal(group[0].measured.value, item.measured.value)), None)
        if equal:
            equal.append(item)
            continue
        if same:
            conflicts.append(_conflict(same[0][0], item))
        groups.append([item])
        by_metric[item.metric].append(groups[-1])
        by_place[item.metric, named].append(groups[-1])
    order = {id(item): number for number, item in enumerate(read)}
    groups.sort(key=lambda group: order[id(group[0])])
    return tuple(_result(group) for group in groups), [*conflicts, *foreign]


def _read(files: list[CollectedFile], name: str) -> tuple[list[_Read], list[str]]:
    found: list[_Read] = []
    foreign = []
    for file, card in facts(files, ModelCard):
        if file.classification.category == "docs/model-card":
            listed = [m.measurement for m in card.metrics if m.measurement]
            found += [_Read(item, file.name) for item in [*listed, *card.eval_results, *card.body_results]]
    for file, report in facts(files, EvaluationReport):
        other = report.model if report.format == "lm-eval" else ""
        if other and "/" in other.strip("./") and folded(last_part(other)) != folded(name):
            foreign.append(f"{file.name} evaluates another model ({other}): its results are not this model's")
            continue
        found += [_Read(item, file.name) for item in report.measurements]
    for file, state in facts(files, TrainerState):
        found += [_Read(item, file.name) for item in state.last_evaluation]
    return found, foreign


def _same_place(first: _Read, second: _Read) -> bool:
    """Whether both measure one thing; what names no data set is taken for whatever has the same metric."""
    if first.metric != second.metric:
        return False
    one, other = first.place, second.place
    if not one[0] or not other[0]:
        return True
    return one[0] == other[0] and (one[1] == other[1] or not one[1] or not other[1])


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip().rstrip("%").strip())
    except InvalidOperation:
        return None
    return value / 100 if text.strip().endswith("%") else value


def _equal(first: str, second: str) -> bool:
    """Whether two values are one number, given as a fraction or in per cent, as far as the shorter is written out."""
    one, other = _number(first), _number(second)
    if one is None or other is None or not one.is_finite() or not other.is_finite():
        return first.strip() == second.strip()
    candidates = {(one, other), (one, other / 100), (one / 100, other)}
    return any(_rounded_equal(a, b) for a, b in candidates)


def _rounded_equal(first: Decimal, second: Decimal) -> bool:
    places = [-int(number.as_tuple().exponent) for number in (first, second)]
    step = Decimal(1).scaleb(-max(0, min(*places, 12)))
    return abs(first - second) < step / 2 if min(places) >= 2 else first == second


def _conflict(first: _Read, second: _Read) -> str:
    where = _slice(first.measured) or _slice(second.measured)
    named = f"{first.measured.type} on {where}" if where else first.measured.type
    said = f"{first.source} says {first.measured.value}, {second.source} says {second.measured.value}"
    return f"metric: {named}: {said}"


def _result(group: list[_Read]) -> Result:
    main = group[0].measured
    known = next((item.measured for item in group if item.measured.revision), main)
    bounded = next((item.measured for item in group if item.measured.lower or item.measured.standard_error), main)
    lower, upper = _bounds(bounded)
    return Result(
        type=main.type,
        value=main.value,
        slice=_slice(replace(main, revision=known.revision)),
        lower=lower,
        upper=upper,
        sources=tuple(dict.fromkeys(item.source for item in group)),
    )


def _bounds(item: Measurement) -> tuple[str, str]:
    if item.lower or item.upper:
        return item.lower, item.upper
    value, error = _number(item.value), _number(item.standard_error) if item.standard_error else None
    if value is None or error is None or not error.is_finite() or not value.is_finite():
        return "", ""
    return _shown(value - _Z * error), _shown(value + _Z * error)


def _shown(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.000001')).normalize():f}" if abs(value) < Decimal(10**9) else str(value)


def _slice(item: Measurement) -> str:
    return " ".join(_slice_parts(item))


def _slice_parts(item: Measurement) -> Iterator[str]:
    yield from (part for part in (item.dataset or item.dataset_id or item.task, item.config, item.split) if part)
    if item.subset:
        yield item.subset
    if item.few_shot:
        yield f"{item.few_shot}-shot"
    if item.revision:
        yield f"(revision {item.revision})"
