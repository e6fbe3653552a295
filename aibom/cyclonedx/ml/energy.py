"""`energyConsumptions`: what an activity took, in kWh and tonnes of CO2 equivalent. Source: CycloneDX 1.7.

The specification wants a provider with a source of energy for each activity, also where nobody states one: the source
is then `unknown`, which the specification has a value for, and the provider carries the place alone.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from aibom.cyclonedx.ml.rendering import Json, number, properties, without_empty


class Activity(StrEnum):
    """What the energy was used for."""

    DESIGN = "design"
    DATA_COLLECTION = "data-collection"
    DATA_PREPARATION = "data-preparation"
    TRAINING = "training"
    FINE_TUNING = "fine-tuning"
    VALIDATION = "validation"
    DEPLOYMENT = "deployment"
    INFERENCE = "inference"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyConsumption:
    """One activity's energy, and its emissions if they are stated."""

    activity: Activity
    kwh: Decimal
    tonnes_co2: Decimal | None = None
    provider: str = ""
    country: str = ""
    region: str = ""
    locality: str = ""
    source: str = "unknown"
    properties: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> Json:
        """Render `energyConsumptions[]`."""
        cost = {"value": number(self.kwh), "unit": "kWh"}
        address = without_empty({"country": self.country, "region": self.region, "locality": self.locality})
        organization = without_empty({"name": self.provider or "not stated", "address": address})
        provider = {"organization": organization, "energySource": self.source, "energyProvided": cost}
        parts: Json = {"activity": str(self.activity), "energyProviders": [provider], "activityEnergyCost": cost}
        if self.tonnes_co2 is not None:
            parts["co2CostEquivalent"] = {"value": number(self.tonnes_co2), "unit": "tCO2eq"}
        return parts | without_empty({"properties": properties(self.properties)})
