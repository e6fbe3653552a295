"""What a model's making and use cost: kilowatt-hours in the properties for them, all else in words.

SPDX has properties for training, fine-tuning and inference. Any other activity, and emissions of any, are words.
"""

import math
from collections.abc import Iterable

from spdx_python_model import v3_0_1 as spdx

from aibom.build.account import Energy

_PROPERTIES = {
    "training": "ai_trainingEnergyConsumption",
    "fine-tuning": "ai_finetuningEnergyConsumption",
    "inference": "ai_inferenceEnergyConsumption",
}


def consumption(energy: Iterable[Energy]) -> spdx.ai_EnergyConsumption | None:
    """Energy by activity; None if no activity that SPDX knows has any."""
    found: dict[str, list[spdx.ai_EnergyConsumptionDescription]] = {}
    for item in energy:
        name = _property(item)
        if name and item.kwh is not None:
            unit = spdx.ai_EnergyUnitType.kilowattHour
            cost = spdx.ai_EnergyConsumptionDescription(ai_energyQuantity=float(item.kwh), ai_energyUnit=unit)
            found.setdefault(name, []).append(cost)
    return spdx.ai_EnergyConsumption(**found) if found else None


def _property(item: Energy) -> str:
    """The property for an activity, if SPDX has one and the amount survives as the number that the bindings hold."""
    if item.kwh is None:
        return ""
    held = float(item.kwh)
    kept = math.isfinite(held) and (held != 0 or item.kwh == 0)
    return _PROPERTIES.get(item.activity, "") if kept else ""


def energy_words(item: Energy) -> str:
    """What was spent on an activity, where and on what; empty if the properties say all of it."""
    place = ", ".join(filter(None, (item.locality, item.region, item.country)))
    said = [
        f"{item.kwh} kWh" if item.kwh is not None and not _property(item) else "",
        f"{item.co2_kg} kg CO2 equivalent" if item.co2_kg is not None else "",
        f"in {place}" if place else "",
        f"on {item.hardware}" if item.hardware else "",
    ]
    words = ", ".join(filter(None, said))
    return f"{item.activity or 'activity not stated'}: {words}" if words else ""
