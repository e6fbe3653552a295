"""From our values to those of cyclonedx-python-lib, and from its components to JSON."""

import json
from collections.abc import Iterable

from cyclonedx.model import Property, XsUri
from cyclonedx.model.component import Component
from cyclonedx.model.license import DisjunctiveLicense, LicenseAcknowledgement, LicenseExpression
from cyclonedx.schema.schema import SchemaVersion1Dot7

from aibom.build.account import Licence, Sourced
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names


def render_licence(licence: Licence) -> DisjunctiveLicense | LicenseExpression:
    """A declared licence: an SPDX expression, an SPDX identifier, or a name that SPDX does not know."""
    declared = LicenseAcknowledgement.DECLARED
    if licence.is_spdx and " " in licence.name:
        return LicenseExpression(licence.name, acknowledgement=declared)
    url = XsUri(licence.url) if licence.url else None
    if licence.is_spdx:
        return DisjunctiveLicense(id=licence.name, url=url, acknowledgement=declared)
    return DisjunctiveLicense(name=licence.name, url=url, acknowledgement=declared)


def make_property(name: str, value: str) -> Property:
    """One of our properties."""
    return Property(name=name, value=value)


def value_of(fact: Sourced | None) -> str | None:
    """The value of a fact, if there is one."""
    return fact.value if fact else None


def render(component: Component) -> Json:
    """A component of the library as CycloneDX 1.7 JSON."""
    rendered: Json = json.loads(component.as_json(view_=SchemaVersion1Dot7))  # type: ignore[attr-defined]
    return rendered


def category_properties(categories: Iterable[str]) -> list[Property]:
    """Categories of the vocabulary, sorted."""
    return [make_property(names.CATEGORY, category) for category in sorted(categories) if category]
