"""The model card of a component, and the properties that say where each of its values was read."""

from decimal import Decimal

from aibom.build.account import Energy, Model, Result, Sourced
from aibom.build.render.values import Pairs, source_pair
from aibom.cyclonedx.ml.energy import Activity, EnergyConsumption
from aibom.cyclonedx.ml.model_card import (
    Approach,
    Considerations,
    ModelCardData,
    ModelParameters,
    PerformanceMetric,
    Risk,
)

_PARAMETERS, _CONSIDERED = "modelCard.modelParameters", "modelCard.considerations"
_METRICS = "modelCard.quantitativeAnalysis.performanceMetrics"
_KILOGRAMS = Decimal(1000)


def model_card(model: Model) -> ModelCardData:
    """Render what is known; all empty if nothing is."""
    return ModelCardData(
        parameters=ModelParameters(
            approach=Approach(model.approach.value) if model.approach else None,
            task=_text(model.task),
            architecture_family=_text(model.family),
            architecture=_text(model.architecture),
            dataset_refs=model.datasets,
            inputs=_texts(model.inputs),
            outputs=_texts(model.outputs),
        ),
        metrics=tuple(_metric(item) for item in model.metrics),
        considerations=Considerations(
            users=_texts(model.card.users),
            use_cases=_texts(model.card.use_cases),
            limitations=_texts(model.card.limitations),
            ethics=tuple(Risk(name=text) for text in _texts(model.card.ethics)),
            energy=tuple(_consumption(item) for item in model.energy if item.kwh is not None),
            energy_properties=tuple(pair for item in model.energy if item.kwh is None for pair in _untyped(item)),
        ),
    )


def card_pairs(model: Model) -> Pairs:
    """Where each value of the card was read."""
    single = {
        f"{_PARAMETERS}.approach": model.approach,
        f"{_PARAMETERS}.task": model.task,
        f"{_PARAMETERS}.architectureFamily": model.family,
        f"{_PARAMETERS}.modelArchitecture": model.architecture,
        "library": model.library,
    }
    several = {
        f"{_PARAMETERS}.inputs": model.inputs,
        f"{_PARAMETERS}.outputs": model.outputs,
        f"{_CONSIDERED}.users": model.card.users,
        f"{_CONSIDERED}.useCases": model.card.use_cases,
        f"{_CONSIDERED}.technicalLimitations": model.card.limitations,
        f"{_CONSIDERED}.ethicalConsiderations": model.card.ethics,
    }
    energy = [item for item in model.energy if item.kwh is not None]
    untyped = [item for item in model.energy if item.kwh is None]
    return [
        *(source_pair(path, fact.source) for path, fact in single.items() if fact),
        *(source_pair(f"{path}.{i}", fact.source) for path, facts in several.items() for i, fact in enumerate(facts)),
        *(source_pair(f"{_METRICS}.{i}", s) for i, item in enumerate(model.metrics) for s in item.sources),
        *(
            source_pair(f"{_CONSIDERED}.environmentalConsiderations.energyConsumptions.{i}", source)
            for i, item in enumerate(energy)
            for source in item.sources
        ),
        *(
            source_pair(f"{_CONSIDERED}.environmentalConsiderations.properties", source)
            for source in dict.fromkeys(source for item in untyped for source in item.sources)
        ),
    ]


def _metric(item: Result) -> PerformanceMetric:
    return PerformanceMetric(
        type=item.type, value=item.value, slice=item.slice, lower_bound=item.lower, upper_bound=item.upper
    )


def _consumption(item: Energy) -> EnergyConsumption:
    return EnergyConsumption(
        activity=Activity(item.activity),
        kwh=item.kwh or Decimal(0),
        tonnes_co2=item.co2_kg / _KILOGRAMS if item.co2_kg is not None else None,
        country=item.country,
        region=item.region,
        locality=item.locality,
        properties=(("aibom:hardware", item.hardware),) if item.hardware else (),
    )


def _untyped(item: Energy) -> Pairs:
    """Emissions without energy: the typed field wants both, so that what is known travels as properties."""
    tonnes = f"{item.co2_kg / _KILOGRAMS:f}" if item.co2_kg is not None else ""
    place = ", ".join(filter(None, (item.locality, item.region, item.country)))
    named = {"aibom:activity": item.activity, "aibom:co2-tonnes": tonnes, "aibom:place": place}
    return [(name, value) for name, value in (named | {"aibom:hardware": item.hardware}).items() if value]


def _text(fact: Sourced | None) -> str:
    return fact.value if fact else ""


def _texts(facts: tuple[Sourced, ...]) -> tuple[str, ...]:
    return tuple(fact.value for fact in facts)
