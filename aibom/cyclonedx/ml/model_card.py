"""`modelCard`: what a model is for, how it was measured, what it cost. Source: CycloneDX 1.7, `modelCard`."""

from dataclasses import dataclass
from enum import StrEnum

from aibom.cyclonedx.ml.energy import EnergyConsumption
from aibom.cyclonedx.ml.rendering import Json, properties, without_empty


class Approach(StrEnum):
    """How a model learned (`modelParameters.approach.type`)."""

    SUPERVISED = "supervised"
    UNSUPERVISED = "unsupervised"
    REINFORCEMENT = "reinforcement-learning"
    SEMI_SUPERVISED = "semi-supervised"
    SELF_SUPERVISED = "self-supervised"


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceMetric:
    """A measured value as text, the slice of data it was measured on, and its bounds if they are stated."""

    type: str
    value: str
    slice: str = ""
    lower_bound: str = ""
    upper_bound: str = ""

    def to_json(self) -> Json:
        """Render `performanceMetrics[]`."""
        interval = without_empty({"lowerBound": self.lower_bound, "upperBound": self.upper_bound})
        parts = {"type": self.type, "value": self.value, "slice": self.slice, "confidenceInterval": interval}
        return without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """An ethical consideration and what is done about it."""

    name: str
    mitigation: str = ""

    def to_json(self) -> Json:
        """Render `ethicalConsiderations[]`."""
        return without_empty({"name": self.name, "mitigationStrategy": self.mitigation})


@dataclass(frozen=True, slots=True, kw_only=True)
class FairnessAssessment:
    """Who may be treated worse, and how."""

    group_at_risk: str
    benefits: str = ""
    harms: str = ""
    mitigation: str = ""

    def to_json(self) -> Json:
        """Render `fairnessAssessments[]`."""
        parts = {
            "groupAtRisk": self.group_at_risk,
            "benefits": self.benefits,
            "harms": self.harms,
            "mitigationStrategy": self.mitigation,
        }
        return without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParameters:
    """What the model is (`modelParameters`)."""

    approach: Approach | None = None
    task: str = ""
    architecture_family: str = ""
    architecture: str = ""
    dataset_refs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """Render `modelParameters`."""
        parts = {
            "approach": {"type": str(self.approach)} if self.approach else {},
            "task": self.task,
            "architectureFamily": self.architecture_family,
            "modelArchitecture": self.architecture,
            "datasets": [{"ref": ref} for ref in self.dataset_refs],
            "inputs": [{"format": text} for text in self.inputs],
            "outputs": [{"format": text} for text in self.outputs],
        }
        return without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Considerations:
    """What to think of before using it (`considerations`)."""

    users: tuple[str, ...] = ()
    use_cases: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()
    tradeoffs: tuple[str, ...] = ()
    ethics: tuple[Risk, ...] = ()
    energy: tuple[EnergyConsumption, ...] = ()
    energy_properties: tuple[tuple[str, str], ...] = ()
    fairness: tuple[FairnessAssessment, ...] = ()

    def to_json(self) -> Json:
        """Render `considerations`."""
        environment = {
            "energyConsumptions": [item.to_json() for item in self.energy],
            "properties": properties(self.energy_properties),
        }
        parts = {
            "users": self.users,
            "useCases": self.use_cases,
            "technicalLimitations": self.limitations,
            "performanceTradeoffs": self.tradeoffs,
            "ethicalConsiderations": [item.to_json() for item in self.ethics],
            "environmentalConsiderations": without_empty(environment),
            "fairnessAssessments": [item.to_json() for item in self.fairness],
        }
        return without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCardData:
    """The model card of a component."""

    parameters: ModelParameters = ModelParameters()
    metrics: tuple[PerformanceMetric, ...] = ()
    considerations: Considerations = Considerations()
    properties: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> Json:
        """Render `modelCard`; empty if nothing is known."""
        metrics = [metric.to_json() for metric in self.metrics]
        parts = {
            "modelParameters": self.parameters.to_json(),
            "quantitativeAnalysis": without_empty({"performanceMetrics": metrics}),
            "considerations": self.considerations.to_json(),
            "properties": properties(self.properties),
        }
        return without_empty(parts)
