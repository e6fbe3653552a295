"""Measurements of the model from everywhere: merged where sources agree, reported where they do not.

Only what was measured on this model counts. An evaluation that names another model is left out and said to be, and so
is one that names a path: a path tells nobody which model it was.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from aibom.build.account import Result, Source
from aibom.build.collect import CollectedFile
from aibom.build.evidence import beside_model, facts, folded, is_path, last_part, main_folder, model_card
from aibom.formats.evaluation_results import EvaluationReport, Measurement
from aibom.formats.trainer_state import TrainerState

_SPLITS = frozenset({"test", "train", "validation", "valid", "val", "dev", "eval"})
_ONE_SPLIT = {"valid": "validation", "val": "validation", "dev": "validation"}
_SAME = {"acc": "accuracy", "f1score": "f1", "f1macro": "f1", "macrof1": "f1", "rocauc": "auc", "auroc": "auc"}
# What is no share of anything is never in per cent.
_NO_SHARE = ("perplexity", "ppl", "loss", "mse", "rmse", "mae", "entropy", "bitsperbyte", "elo", "fid", "kld")
_WORDS = re.compile(r"[^\W_]+")
_ENTRY = re.compile(r"model-index\[([0-9]+)\]")
# 95 % of a normal distribution lies within this many standard errors.
_Z = Decimal("1.96")
# Of one metric on one data set, so many values are compared with one another: more is no report but a log.
_COMPARED = 200
# A number of more digits or of another size was not measured; arithmetic on it may not end.
_DIGITS, _EXPONENT = 60, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """The names that tell whether an evaluation is of this model; a name that nobody states is empty."""

    name: str = ""
    hub: str = ""
    """`owner/name`."""
    bases: frozenset[str] = frozenset()
    """What it was made from, which may have the same name at another owner."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What a value was measured on and how; what nobody says is empty, and agrees with anything."""

    dataset: str
    details: tuple[str, ...]
    """Split, configuration, subset or filter, examples in the prompt."""

    def agrees(self, other: "_Place") -> bool:
        """Whether both may be one place."""
        if self.dataset and other.dataset and self.dataset != other.dataset:
            return False
        return all(not a or not b or a == b for a, b in zip(self.details, other.details, strict=True))

    def joined(self, other: "_Place") -> "_Place":
        """All that is said of a place by two sources."""
        details = tuple(a or b for a, b in zip(self.details, other.details, strict=True))
        return _Place(self.dataset or other.dataset, details)


@dataclass(frozen=True, slots=True)
class _Read:
    """A measurement and where it was read."""

    measured: Measurement
    file: str
    number: int
    """Its place among all that was read."""

    @property
    def source(self) -> Source:
        """The file and the place in it; of bounds that we worked out, how."""
        place = self.measured.source_field
        if self.measured.standard_error and not self.measured.lower:
            place += f"; bounds are 1.96 times its standard error {self.measured.standard_error}"
        return Source(self.file, place)

    @property
    def metric(self) -> str:
        """The metric by one name for all spellings."""
        plain = folded(self.measured.type)
        return _SAME.get(plain, plain)

    @property
    def place(self) -> _Place:
        """What it was measured on, without what spellings differ in."""
        item = self.measured
        words = _WORDS.findall(last_part(item.dataset_id or item.dataset or item.task).lower())
        split = item.split.lower()
        if not split and len(words) > 1 and words[-1] in _SPLITS:
            split = words[-1]
        config = folded(item.config)
        shots = "" if item.few_shot is None else str(item.few_shot)
        details = (_ONE_SPLIT.get(split, split), "" if config == "default" else config, folded(item.subset), shots)
        return _Place("".join(word for word in words if word != split), details)


@dataclass(slots=True)
class _Group:
    """Values of one metric that are one result."""

    place: _Place
    items: list[_Read] = field(default_factory=list)

    def add(self, item: _Read, place: _Place) -> None:
        """Take in one more source, and what it says of the place."""
        self.items.append(item)
        self.place = self.place.joined(place)


def results_of(files: Iterable[CollectedFile], own: Naming) -> tuple[tuple[Result, ...], list[str]]:
    """(Results of the model with these names, conflicts and what was left out)."""
    read, foreign = _read(tuple(files), own)
    groups, conflicts = _grouped(read)
    for group in groups:
        group.items.sort(key=lambda item: item.number)
    groups.sort(key=lambda group: group.items[0].number)
    return tuple(_result(group.items) for group in groups), [*conflicts, *foreign]


def _grouped(read: list[_Read]) -> tuple[list[_Group], list[str]]:
    """What says most of its place comes first, so that what says less finds the one it means."""
    placed = [(item, item.place) for item in read]
    placed.sort(key=lambda pair: (not pair[1].dataset, -sum(map(bool, pair[1].details))))
    groups: list[_Group] = []
    by_metric: dict[str, list[_Group]] = defaultdict(list)
    by_place: dict[tuple[str, str], list[_Group]] = defaultdict(list)
    conflicts: list[str] = []
    for item, place in placed:
        near = by_place[item.metric, place.dataset] if place.dataset else by_metric[item.metric]
        same = [group for group in near[:_COMPARED] if group.place.agrees(place)]
        equal = next((group for group in same if _equal(group.items[0], item)), None)
        if equal:
            equal.add(item, place)
            continue
        if same:
            conflicts.append(_conflict(*sorted((same[0].items[0], item), key=lambda item: item.number)))
        groups.append(_Group(place, [item]))
        by_metric[item.metric].append(groups[-1])
        by_place[item.metric, place.dataset].append(groups[-1])
    return groups, conflicts


def _read(files: tuple[CollectedFile, ...], own: Naming) -> tuple[list[_Read], list[str]]:
    found: list[tuple[str, Measurement]] = []
    left_out = []
    card = model_card(files)
    if card:
        indexed, others = _own_entries([m.measurement for m in card[1].metrics if m.measurement])
        found += [(card[0], item) for item in [*indexed, *card[1].eval_results, *card[1].body_results]]
        left_out += [f"{card[0]}, {entry}: no name says that it is of this model: left out" for entry in others]
    for file, report in facts(files, EvaluationReport):
        reason = _not_ours(report, own)
        if reason:
            left_out.append(f"{file.name} {reason}")
            continue
        found += [(file.name, item) for item in report.measurements]
    for file, state in facts(beside_model(files, main_folder(files)), TrainerState):
        found += [(file.name, item) for item in state.last_evaluation]
    return [_Read(item, file, number) for number, (file, item) in enumerate(found)], left_out


def _own_entries(results: list[Measurement]) -> tuple[list[Measurement], list[str]]:
    """(Results of the first entry of `model-index`, which names the card's model, and of its namesakes; others)."""
    own, others = [], dict[str, None]()
    name = folded(results[0].model) if results else ""
    for item in results:
        entry = _ENTRY.match(item.source_field)
        if entry and entry[1] != "0" and not (name and folded(item.model) == name):
            others[entry[0]] = None
        else:
            own.append(item)
    return own, list(others)


def _not_ours(report: EvaluationReport, own: Naming) -> str:
    """Why results are left out; empty if they are ours. A file that names no model is about what it lies with."""
    other = report.model.strip() if report.format == "lm-eval" else ""
    if not other or other.lower() == own.hub.lower():
        return ""
    names = {folded(last_part(name)) for name in (own.name, own.hub)} - {""}
    if is_path(other):
        unknown = f"evaluates a model by its path ({other}), which does not tell whether it is this one"
        return "" if folded(last_part(other)) in names else f"{unknown}: its results are left out"
    if not names:
        return f"evaluates {other}; this model has no name to compare that with: its results are left out"
    owners_differ = "/" in other and bool(own.hub)
    if folded(last_part(other)) not in names or owners_differ or other.lower() in own.bases:
        return f"evaluates another model ({other}): its results are not this model's"
    return ""


def _number(text: str) -> Decimal | None:
    """A finite number of a size that can be measured, else None."""
    plain = text.strip().rstrip("%").strip()
    if len(plain) > _DIGITS:
        return None
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value.adjusted()) > _EXPONENT:
        return None
    return value / 100 if text.strip().endswith("%") else value


def _equal(first: _Read, second: _Read) -> bool:
    """Whether two values are one number, given as a share or in per cent, as far as the shorter is written out."""
    one, other = _number(first.measured.value), _number(second.measured.value)
    if one is None or other is None:
        return first.measured.value.strip() == second.measured.value.strip()
    candidates = [(one, other)]
    if not any(word in first.metric for word in _NO_SHARE):
        candidates += [(one, other / 100)] if 0 <= one <= 1 < other <= 100 else []
        candidates += [(one / 100, other)] if 0 <= other <= 1 < one <= 100 else []
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
    if value is None or error is None:
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
    if item.few_shot is not None:
        yield f"{item.few_shot}-shot"
    if item.revision:
        yield f"(revision {item.revision})"
