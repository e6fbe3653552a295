"""How the model was made: settings and energy, from cards, code and measurements; conflicts are reported."""

import math
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

from aibom.build.account import Ancestor, Energy, Relation, Setting, Source
from aibom.build.collect import CollectedFile
from aibom.build.evidence import beside_model, facts, main_folder, model_card
from aibom.formats.emissions import EmissionsReport
from aibom.formats.model_card import ModelCard
from aibom.formats.python_source import PythonSource
from aibom.formats.trainer_state import TrainerState, TrainingArguments, is_known_setting, setting_name

_ALSO = ("per_device_train_batch_size", "train_batch_size")
_NUMBER = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][-+]?[0-9]{1,3})?")
_CLOSE = Decimal("0.01")
_PRECISIONS = ("fp16", "bf16")
_UNTRAINED = frozenset({Relation.MERGE, Relation.QUANTIZED, Relation.CONVERSION})


def settings_of(files: tuple[CollectedFile, ...]) -> tuple[tuple[Setting, ...], list[str]]:
    """(Settings by name, conflicts): one setting for all sources that agree, one for each value where they do not."""
    found: dict[str, dict[str, list[Source]]] = {}
    for name, value, source in _stated(files):
        values = found.setdefault("batch_size" if name in _ALSO else name, {})
        known = next((other for other in values if _same(other, value)), value)
        values.setdefault(known, []).append(source)
    conflicts = [
        f"training setting {name}: " + ", ".join(f"{sources[0]} says {value}" for value, sources in values.items())
        for name, values in found.items()
        if len(values) > 1
    ]
    settings = [
        Setting(name=name, value=value, sources=tuple(dict.fromkeys(sources)))
        for name, values in sorted(found.items())
        for value, sources in values.items()
    ]
    return tuple(settings), conflicts


def _stated(files: tuple[CollectedFile, ...]) -> Iterator[tuple[str, str, Source]]:
    card = model_card(files)
    for item in card[1].hyperparameters if card else ():
        yield item.name, item.value, Source(card[0] if card else "", item.source_field)
    for file, arguments in facts(files, TrainingArguments):
        for item in arguments.hyperparameters:
            yield item.name, item.value, Source(file.name, item.source_field)
    for file, source in facts(files, PythonSource):
        if trains(file, source):
            yield from _from_code(file.name, source)
    for file, state in facts(beside_model(files, main_folder(files)), TrainerState):
        if state.num_train_epochs:
            yield "epochs", state.num_train_epochs, Source(file.name, "num_train_epochs")
        if state.train_batch_size:
            yield "batch_size", str(state.train_batch_size), Source(file.name, "train_batch_size")


def trains(file: CollectedFile, source: PythonSource) -> bool:
    """Whether code trains a model. A seed alone says nothing: drawing pictures and exporting take one too."""
    return file.classification.category == "code/training" or any(item.name != "seed" for item in source.parameters)


def _from_code(file: str, source: PythonSource) -> Iterator[tuple[str, str, Source]]:
    """Settings given to a trainer; a default of the command line is said to be one."""
    for item in source.parameters:
        place = f"line {item.line}, {item.call}" + (", default of an option" if item.is_default else "")
        if item.name in _PRECISIONS and item.value == "True":
            yield "precision", item.name, Source(file, place)
        elif is_known_setting(setting_name(item.name)):
            yield setting_name(item.name), item.value, Source(file, place)


def _same(first: str, second: str) -> bool:
    """Equal as numbers, or as names without their variants: `adamw_torch` is AdamW."""
    if first == second:
        return True
    try:
        return Decimal(first) == Decimal(second)
    except InvalidOperation:
        one, other = first.lower().replace("-", "_"), second.lower().replace("-", "_")
        return one == other or one.startswith(f"{other}_") or other.startswith(f"{one}_")


def energy_of(files: tuple[CollectedFile, ...], ancestors: Iterable[Ancestor]) -> tuple[tuple[Energy, ...], list[str]]:
    """(What training cost, conflicts): measurements and claims put together as one account.

    Measurements count that lie in the root or beside the weights: one in another folder may be of anything.
    """
    near = beside_model(files, main_folder(files))
    measured = [_measured(file.name, report) for file, report in facts(near, EmissionsReport)]
    card = model_card(files)
    claimed = _claimed(*card) if card else []
    stated = [item for item in [*measured, *claimed] if item.kwh is not None or item.co2_kg is not None]
    if not stated:
        return (), []
    activity = next((item.activity for item in stated if item.activity), _activity(ancestors))
    merged = Energy(
        activity=activity,
        kwh=next((item.kwh for item in stated if item.kwh is not None), None),
        co2_kg=next((item.co2_kg for item in stated if item.co2_kg is not None), None),
        country=_first([*measured, *claimed], "country"),
        region=_first([*measured, *claimed], "region"),
        locality=_first([*measured, *claimed], "locality"),
        hardware=_first([*claimed, *measured], "hardware"),
        sources=tuple(dict.fromkeys(source for item in stated for source in item.sources)),
    )
    return (merged,), [*_differences(stated, "kwh", "kWh"), *_differences(stated, "co2_kg", "kg CO2eq")]


def _activity(ancestors: Iterable[Ancestor]) -> str:
    """What the energy went into, where nobody says: what was merged or converted was not trained for it."""
    relations = {ancestor.relation for ancestor in ancestors}
    if relations and relations <= _UNTRAINED:
        return "other"
    return "fine-tuning" if relations else "training"


def _first(stated: Iterable[Energy], field: str) -> str:
    return next((getattr(item, field) for item in stated if getattr(item, field)), "")


def _differences(stated: list[Energy], field: str, unit: str) -> Iterator[str]:
    known = [item for item in stated if getattr(item, field) is not None]
    for other in known[1:]:
        first, second = getattr(known[0], field), getattr(other, field)
        if abs(first - second) > _CLOSE * max(first, second):
            said = f"{known[0].sources[0]} says {first:f} {unit}, {other.sources[0]} says {second:f} {unit}"
            yield f"energy of training: {said}"


def _measured(file: str, report: EmissionsReport) -> Energy:
    run = report.runs[0] if report.runs else None
    return Energy(
        activity="",
        kwh=_decimal(report.energy),
        co2_kg=_decimal(report.emissions),
        country=run.country if run else "",
        region=run.region if run else "",
        hardware=(run.gpu_model or run.cpu_model) if run else "",
        sources=(Source(file, "energy_consumed, emissions"),),
    )


def _claimed(file: str, card: ModelCard) -> list[Energy]:
    found = []
    emitted = card.emissions
    if emitted and _NUMBER.fullmatch(emitted.grams):
        locality, _, country = emitted.geographical_location.rpartition(",")
        activity = {"fine-tuning": "fine-tuning", "finetuning": "fine-tuning", "pre-training": "training"}
        found.append(
            Energy(
                activity=activity.get(emitted.training_type.lower(), ""),
                co2_kg=Decimal(emitted.grams) / 1000,
                locality=locality.strip(),
                country=country.strip(),
                hardware=emitted.hardware_used,
                sources=(Source(file, "front matter, co2_eq_emissions"),),
            )
        )
    for claim in card.environment:
        amount, source = _decimal(claim.amount), Source(file, claim.heading)
        if claim.name == "energy" and amount is not None:
            found.append(Energy(activity="", kwh=amount, sources=(source,)))
        elif claim.name == "emissions" and amount is not None:
            found.append(Energy(activity="", co2_kg=amount, sources=(source,)))
        elif claim.name == "hardware":
            found.append(Energy(activity="", hardware=claim.value, sources=(source,)))
        elif claim.name == "region":
            locality, _, country = claim.value.rpartition(",")
            found.append(Energy(activity="", locality=locality.strip(), country=country.strip(), sources=(source,)))
    return found


def _decimal(value: float | None) -> Decimal | None:
    """A number of a file as it was most likely written."""
    return None if value is None or not math.isfinite(value) else Decimal(repr(value))
