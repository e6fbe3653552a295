"""From our values to those of cyclonedx-python-lib, from its components to JSON, and where each value was read."""

import json
from collections.abc import Iterable
from typing import Any

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property
from cyclonedx.model.component import Component
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.schema.schema import SchemaVersion1Dot7
from cyclonedx.spdx import fixup_id
from packageurl import PackageURL

from aibom.build.account import Identity, Licence, Setting, Source, Sourced
from aibom.build.collect import CollectedFile
from aibom.build.render.addresses import file_address, reference
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names

Pairs = list[tuple[str, str]]
"""Names and values of properties."""
_LONGEST_VERSION = 1024
_SHOWN = 200


def render(component: Component) -> Json:
    """A component of the library as CycloneDX 1.7 JSON."""
    rendered: Json = json.loads(component.as_json(view_=SchemaVersion1Dot7))  # type: ignore[attr-defined]
    return rendered


def render_identified(component: Component, identity: Identity) -> Json:
    """A component with the licences of an identity. The library drops all others beside an expression; 1.7 does not."""
    licences = [render_licence(licence) for licence in identity.licences]
    rendered = render(component)
    return dict(sorted((rendered | {"licenses": licences}).items())) if licences else rendered


def render_licence(licence: Licence) -> Json:
    """A declared licence: an SPDX expression, an SPDX identifier, or a name that SPDX does not know."""
    if licence.is_spdx and fixup_id(licence.name) is None:
        return {"acknowledgement": "declared", "expression": licence.name}
    url = reference(licence.url) if licence.url else None
    named = {"acknowledgement": "declared", "id" if licence.is_spdx else "name": licence.name}
    return {"license": named | ({"url": str(url)} if url else {})}


def identity_arguments(identity: Identity, purl: PackageURL | None = None) -> dict[str, Any]:
    """What the library's component takes of an identity, but for its licences."""
    return {
        "name": identity.name.value,
        "version": version_of(identity.version),
        "description": value_of(identity.description),
        "copyright": value_of(identity.copyright),
        "manufacturer": organization(identity.producer),
        "supplier": organization(identity.supplier),
        "purl": purl,
    }


def organization(name: Sourced | None) -> OrganizationalEntity | None:
    """An organisation by its name."""
    return OrganizationalEntity(name=name.value) if name else None


def identity_properties(identity: Identity) -> Pairs:
    """Where each part of an identity was read, and which parts nobody states."""
    stated = {
        "name": identity.name,
        "version": identity.version,
        "manufacturer": identity.producer,
        "supplier": identity.supplier,
        "description": identity.description,
        "copyright": identity.copyright,
        "purl": identity.hub,
    }
    found = [source_pair(key, fact.source) for key, fact in stated.items() if fact]
    found += [(names.UNUSABLE, item.url) for item in identity.licences if item.url and not reference(item.url)]
    if identity.version and not version_of(identity.version):
        found.append((names.UNUSABLE, f"version: {identity.version.value[:_SHOWN]}…"))
    found += [source_pair("licenses", source) for licence in identity.licences for source in licence.sources]
    found += [(names.USE_RESTRICTED, licence.name) for licence in identity.licences if licence.restricts_use]
    unknown = {
        "version": version_of(identity.version),
        "producer": identity.producer or identity.supplier,
        "license": identity.licences,
    }
    return found + [(names.UNKNOWN, key) for key, value in unknown.items() if not value]


def source_pair(path: str, source: Source) -> tuple[str, str]:
    """Where the value at `path` (dots between members and indexes) of a component was read."""
    return f"{names.SOURCE_PREFIX}{path}", str(source)


def setting_pairs(settings: Iterable[Setting]) -> Pairs:
    """Named values as properties, and where each was read."""
    found: Pairs = []
    for item in settings:
        found.append((f"{names.SETTING_PREFIX}{item.name}", item.value))
        found += [(f"{names.SETTING_SOURCE_PREFIX}{item.name}", str(source)) for source in item.sources]
    return found


def properties_of(pairs: Iterable[tuple[str, str]]) -> list[Property]:
    """Properties of the library, without repetitions."""
    return [Property(name=name, value=value) for name, value in dict.fromkeys(pairs)]


def value_of(fact: Sourced | None) -> str | None:
    """The value of a fact, if there is one."""
    return fact.value if fact else None


def version_of(fact: Sourced | None) -> str | None:
    """A version as long as the schema lets one be."""
    return fact.value if fact and len(fact.value) <= _LONGEST_VERSION else None


def category_pairs(categories: Iterable[str]) -> Pairs:
    """Categories of the vocabulary, sorted."""
    return [(names.CATEGORY, category) for category in sorted(set(categories)) if category]


def file_reference(file: CollectedFile, kind: ExternalReferenceType) -> ExternalReference:
    """A document of the release as a typed reference, with the digest of the file it points at."""
    return ExternalReference(
        type=kind,
        url=file_address(file.name),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=file.entry.sha256)],
        comment=file.classification.category,
    )
