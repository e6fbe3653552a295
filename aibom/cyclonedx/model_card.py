"""The parts of CycloneDX 1.7 that cyclonedx-python-lib 11.12 has no model for: model card, data, compositions.

Frozen values that render to the JSON of the specification and to nothing else; empty parts are left out. Written so
that they could be offered to the library as they are. Source: CycloneDX 1.7, `modelCard`, `componentData`,
`compositions`.
"""

from dataclasses import dataclass
from enum import StrEnum

from aibom.core.strictjson import Json


class Aggregate(StrEnum):
    """What a composition says about completeness (the values we use, of the ten that the specification has)."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A statement on how complete the listed assemblies or dependencies are."""

    aggregate: Aggregate
    assemblies: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """Render `compositions[]`."""
        parts = {
            "aggregate": str(self.aggregate),
            "assemblies": self.assemblies,
            "dependencies": self.dependencies,
        }
        return _without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceMetric:
    """A measured value, as text, and the slice of data it was measured on."""

    type: str
    value: str
    slice: str = ""

    def to_json(self) -> Json:
        """Render `performanceMetrics[]`."""
        return _without_empty({"type": self.type, "value": self.value, "slice": self.slice})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCardData:
    """The model card of a component."""

    task: str = ""
    architecture_family: str = ""
    architecture: str = ""
    dataset_refs: tuple[str, ...] = ()
    metrics: tuple[PerformanceMetric, ...] = ()
    use_cases: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()
    ethical_considerations: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """Render `modelCard`; empty if nothing is known."""
        parameters = _without_empty(
            {
                "task": self.task,
                "architectureFamily": self.architecture_family,
                "modelArchitecture": self.architecture,
                "datasets": [{"ref": ref} for ref in self.dataset_refs],
            }
        )
        considerations = _without_empty(
            {
                "useCases": self.use_cases,
                "technicalLimitations": self.limitations,
                "ethicalConsiderations": [{"name": text} for text in self.ethical_considerations],
            }
        )
        metrics = [metric.to_json() for metric in self.metrics]
        return _without_empty(
            {
                "modelParameters": parameters,
                "quantitativeAnalysis": _without_empty({"performanceMetrics": metrics}),
                "considerations": considerations,
            }
        )


def dataset_data(name: str) -> list[Json]:
    """Render `component.data` for a component that is a data set."""
    return [{"type": "dataset", "name": name}]


def _without_empty(parts: Json) -> Json:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in parts.items() if value}
