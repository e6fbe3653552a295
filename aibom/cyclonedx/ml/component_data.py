"""`component.data`: what a component of type `data` holds, and who answers for it. Source: CycloneDX 1.7."""

from dataclasses import dataclass
from enum import StrEnum

from aibom.cyclonedx.ml.rendering import Json, properties, without_empty


class DataType(StrEnum):
    """What kind of data it is."""

    SOURCE_CODE = "source-code"
    CONFIGURATION = "configuration"
    DATASET = "dataset"
    DEFINITION = "definition"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """Organisations that keep, look after, and own the data."""

    custodians: tuple[str, ...] = ()
    stewards: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """Render `governance`."""
        roles = {"custodians": self.custodians, "stewards": self.stewards, "owners": self.owners}
        return without_empty({role: [{"organization": {"name": n}} for n in names] for role, names in roles.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentData:
    """One data set, its content by reference, and what it holds of a sensitive kind."""

    type: DataType
    name: str = ""
    url: str = ""
    description: str = ""
    classification: str = ""
    sensitive: tuple[str, ...] = ()
    governance: Governance = Governance()
    properties: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> Json:
        """Render `data[]`."""
        contents = without_empty({"url": self.url, "properties": properties(self.properties)})
        parts = {
            "type": str(self.type),
            "name": self.name,
            "contents": contents,
            "classification": self.classification,
            "sensitiveData": self.sensitive,
            "description": self.description,
            "governance": self.governance.to_json(),
        }
        return without_empty(parts)
