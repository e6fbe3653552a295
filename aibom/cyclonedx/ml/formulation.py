"""`formulation`: how something was made, as workflows with inputs, parameters and outputs. Source: CycloneDX 1.7."""

from dataclasses import dataclass
from enum import StrEnum

from aibom.cyclonedx.ml.rendering import Json, properties, without_empty


class TaskType(StrEnum):
    """What a workflow does; training has no word of its own in the specification and is `other`."""

    COPY = "copy"
    CLONE = "clone"
    LINT = "lint"
    SCAN = "scan"
    MERGE = "merge"
    BUILD = "build"
    TEST = "test"
    DELIVER = "deliver"
    DEPLOY = "deploy"
    RELEASE = "release"
    CLEAN = "clean"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A named value that a workflow was given."""

    name: str
    value: str
    data_type: str = ""

    def to_json(self) -> Json:
        """Render `parameters[]`."""
        return without_empty({"name": self.name, "value": self.value, "dataType": self.data_type})


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One workflow: references to what went in and came out, and the parameters."""

    ref: str
    name: str
    task_types: tuple[TaskType, ...]
    inputs: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    outputs: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> Json:
        """Render `workflows[]`; its `uid` is its reference."""
        inputs: list[Json] = [{"resource": {"ref": ref}} for ref in self.inputs]
        if self.parameters:
            inputs.append({"parameters": [parameter.to_json() for parameter in self.parameters]})
        parts = {
            "bom-ref": self.ref,
            "uid": self.ref,
            "name": self.name,
            "taskTypes": [str(kind) for kind in self.task_types],
            "inputs": inputs,
            "outputs": [{"type": "artifact", "resource": {"ref": ref}} for ref in self.outputs],
            "properties": properties(self.properties),
        }
        return without_empty(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """How a component came to be."""

    ref: str
    workflows: tuple[Workflow, ...]

    def to_json(self) -> Json:
        """Render `formulation[]`."""
        return without_empty({"bom-ref": self.ref, "workflows": [w.to_json() for w in self.workflows]})
