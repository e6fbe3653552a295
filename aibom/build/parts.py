"""The components of our BOM, one function a kind. A field that is looked for and not found is said to be unknown."""

import json
from collections.abc import Iterable
from typing import Any

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.component import Component, ComponentType, Pedigree
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.model.license import DisjunctiveLicense, LicenseAcknowledgement, LicenseExpression
from cyclonedx.schema.schema import SchemaVersion1Dot7
from packageurl import PackageURL

from aibom.build.account import Account, Dataset, Identity, Licence, ModelAccount, Sourced
from aibom.build.collect import CollectedFile
from aibom.build.identifiers import (
    CODE_REF,
    MODEL_REF,
    ROOT_REF,
    checksum,
    content_purl,
    dataset_purl,
    dataset_ref,
    file_ref,
    hub_purl,
    hub_reference,
    library_ref,
    vers_range,
)
from aibom.core.manifest import tree_digest
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names
from aibom.cyclonedx.model_card import ModelCardData, PerformanceMetric, dataset_data
from aibom.formats.model_config import ModelConfig
from aibom.formats.requirements import Dependency
from aibom.formats.safetensors import SafetensorsHeader

COUNTED_ABOVE = 1000
"""A data folder with more files than this becomes one counted component (design decision 5)."""

_ALGORITHMS = {
    "sha256": HashAlgorithm.SHA_256,
    "sha384": HashAlgorithm.SHA_384,
    "sha512": HashAlgorithm.SHA_512,
}
_REFERENCE_TYPES = {
    "docs/model-card": ExternalReferenceType.MODEL_CARD,
    "docs/license": ExternalReferenceType.LICENSE,
    "docs/risk-assessment": ExternalReferenceType.RISK_ASSESSMENT,
    "docs/impact-assessment": ExternalReferenceType.RISK_ASSESSMENT,
    "docs/release-notes": ExternalReferenceType.RELEASE_NOTES,
    "security/contact": ExternalReferenceType.SECURITY_CONTACT,
}


def root_component(account: Account) -> Json:
    """The release as a whole."""
    release = account.release
    component = Component(
        **_identity(release),
        type=ComponentType.APPLICATION,
        bom_ref=ROOT_REF,
        purl=content_purl(release, account.tree_digest),
        external_references=_document_references(account),
        properties=[
            _property(names.TREE_DIGEST, f"sha256:{account.tree_digest}"),
            _property(names.FILE_COUNT, str(account.file_count)),
            _property(names.SIZE, str(account.bytes)),
            *(_property(names.CONFLICT, text) for text in account.conflicts),
            *(_property(names.PROBLEM, text) for text in account.warnings),
            *_stated(release),
        ],
    )
    return _render(component)


def model_component(account: Account) -> Json:
    """The model: card, weights, configuration and tokenizer, with what it was made from."""
    model = account.model
    component = Component(
        **_identity(model.identity),
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=MODEL_REF,
        purl=content_purl(model.identity, checksum(account.model_files)["checksum"].removeprefix("sha256:")),
        pedigree=Pedigree(ancestors=map(_ancestor, model.base_models)) if model.base_models else None,
        properties=[*_stated(model.identity), *_model_properties(model)],
    )
    rendered = _render(component)
    rendered["components"] = [file_component(file) for file in account.model_files]
    card = _model_card(account).to_json()
    if card:
        rendered["modelCard"] = card
    return _without_empty(rendered)


def code_component(account: Account) -> list[Json]:
    """The code of the release as one component with its files; nothing if there is none."""
    if not account.code_files:
        return []
    component = Component(
        **_identity(account.code),
        type=ComponentType.APPLICATION,
        bom_ref=CODE_REF,
        purl=PackageURL("generic", None, account.code.name.value, qualifiers=checksum(account.code_files)),
        properties=_stated(account.code),
    )
    rendered = _render(component)
    rendered["components"] = [file_component(file) for file in account.code_files]
    return [rendered]


def dataset_component(dataset: Dataset) -> Json:
    """A data set: its files, or above a thousand of them their count and tree digest, or only its name."""
    counted = len(dataset.files) > COUNTED_ABOVE
    component = Component(
        name=dataset.name,
        type=ComponentType.DATA,
        bom_ref=dataset_ref(dataset),
        purl=dataset_purl(dataset),
        external_references=hub_reference(f"datasets/{dataset.name}") if dataset.is_external else None,
        properties=[
            *(_counted_properties(dataset) if counted else []),
            *([_property(names.DECLARED_IN, dataset.source)] if dataset.source else []),
            *_category_properties({file.classification.category for file in dataset.files}),
            *(_property(names.UNKNOWN, field) for field in _dataset_unknowns(dataset)),
        ],
    )
    rendered = _render(component)
    rendered["data"] = dataset_data(dataset.name)
    if dataset.files and not counted:
        rendered["components"] = [file_component(file) for file in dataset.files]
    return rendered


def library_component(dependency: Dependency, declared_in: tuple[str, ...]) -> Json:
    """A declared dependency; an exact pin is a version, anything else a range of something outside the release."""
    component = Component(
        name=dependency.name,
        type=ComponentType.LIBRARY,
        bom_ref=library_ref(dependency),
        version=dependency.version or None,
        purl=PackageURL("pypi", None, dependency.name, dependency.version or None),
        external_references=[ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(dependency.url))]
        if dependency.url
        else None,
        properties=[
            *(_property(names.DECLARED_IN, file) for file in declared_in),
            *([_property(names.SPECIFIER, dependency.range)] if dependency.range else []),
            *(_property(names.EXTRAS, extra) for extra in dependency.extras),
            *([_property(names.MARKER, dependency.marker)] if dependency.marker else []),
            *(_property(names.UNKNOWN, field) for field in ("hash", "license", "producer")),
            *([] if dependency.version else [_property(names.UNKNOWN, "version")]),
        ],
    )
    rendered = _render(component)
    rendered["isExternal"] = True
    versions = vers_range(dependency)
    if versions:
        rendered["versionRange"] = versions
    return rendered


def file_component(file: CollectedFile) -> Json:
    """One file with its digests, size, category and what its header says."""
    component = Component(
        name=file.name,
        type=ComponentType.FILE,
        bom_ref=file_ref(file.name),
        hashes=[HashType(alg=_ALGORITHMS[a], content=value) for a, value in file.entry.digests.items()],
        properties=[
            _property(names.SIZE, str(file.entry.size)),
            *_category_properties(file.categories),
            *([_property(names.FORMAT, file.classification.format)] if file.classification.format else []),
            *_header_properties(file),
            *(_property(names.PROBLEM, problem) for problem in file.problems),
        ],
    )
    return _render(component)


def _model_card(account: Account) -> ModelCardData:
    model = account.model
    return ModelCardData(
        task=_value(model.task) or "",
        architecture_family=_value(model.family) or "",
        architecture=_value(model.architecture) or "",
        dataset_refs=tuple(dataset_ref(dataset) for dataset in account.datasets),
        metrics=tuple(PerformanceMetric(type=m.type, value=m.value, slice=m.slice) for m in model.metrics),
        use_cases=(model.intended_use,) if model.intended_use else (),
        limitations=(model.limitations,) if model.limitations else (),
        ethical_considerations=(model.ethics,) if model.ethics else (),
    )


def _identity(identity: Identity) -> dict[str, Any]:
    """What the library's component takes of an identity."""
    producer = OrganizationalEntity(name=identity.producer.value) if identity.producer else None
    return {
        "name": identity.name.value,
        "version": _value(identity.version),
        "description": _value(identity.description),
        "manufacturer": producer,
        "licenses": map(_licence, identity.licences),
    }


def _stated(identity: Identity) -> list[Property]:
    """Where each part of an identity was read, and which parts nobody states."""
    stated = {"name": identity.name, "version": identity.version, "producer": identity.producer}
    found = [_property(f"{names.SOURCE_PREFIX}{key}", fact.source) for key, fact in stated.items() if fact]
    found += [_property(f"{names.SOURCE_PREFIX}license", licence.source) for licence in identity.licences]
    unknown = [key for key, fact in stated.items() if not fact] + ([] if identity.licences else ["license"])
    return found + [_property(names.UNKNOWN, key) for key in unknown]


def _model_properties(model: ModelAccount) -> list[Property]:
    facts = {"family": model.family, "architecture": model.architecture, "task": model.task, "library": model.library}
    found = [_property(f"{names.SOURCE_PREFIX}{key}", fact.source) for key, fact in facts.items() if fact]
    found += [_property(names.LIBRARY, model.library.value)] if model.library else []
    found += [_property(names.LANGUAGE, language) for language in model.languages]
    found += [_property(names.REMOTE_CODE, target) for target in model.remote_code]
    if model.weights:
        found.append(_property(names.TENSORS, str(model.weights.tensors)))
        found.append(_property(names.PARAMETERS, str(model.weights.parameters)))
        found.append(_property(names.ELEMENT_TYPES, " ".join(model.weights.element_types)))
    return found


def _header_properties(file: CollectedFile) -> list[Property]:
    if isinstance(file.fact, SafetensorsHeader):
        return [
            _property(names.TENSORS, str(len(file.fact.tensors))),
            _property(names.PARAMETERS, str(file.fact.parameters)),
            _property(names.ELEMENT_TYPES, " ".join(file.fact.dtypes)),
        ]
    if isinstance(file.fact, ModelConfig):
        return [_property(names.REMOTE_CODE, target) for target in file.fact.remote_code]
    return []


def _dataset_unknowns(dataset: Dataset) -> tuple[str, ...]:
    return ("hash", "license", "producer", "version") if dataset.is_external else ("license", "producer", "version")


def _counted_properties(dataset: Dataset) -> list[Property]:
    digest = tree_digest((file.name, file.entry.sha256) for file in dataset.files)
    return [
        _property(names.FOLDER, dataset.folder or "."),
        _property(names.FILE_COUNT, str(len(dataset.files))),
        _property(names.SIZE, str(sum(file.entry.size for file in dataset.files))),
        _property(names.TREE_DIGEST, f"sha256:{digest}"),
    ]


def _category_properties(categories: Iterable[str]) -> list[Property]:
    return [_property(names.CATEGORY, category) for category in sorted(categories) if category]


def _document_references(account: Account) -> list[ExternalReference]:
    """Documents of the release as typed references, each with the digest of the file it points at."""
    return [
        ExternalReference(
            type=_REFERENCE_TYPES.get(file.classification.category, ExternalReferenceType.DOCUMENTATION),
            url=XsUri(file.name),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=file.entry.sha256)],
            comment=file.classification.category,
        )
        for file in account.other_files
        if file.classification.category.startswith(("docs/", "security/"))
    ]


def _ancestor(name: str) -> Component:
    return Component(
        name=name,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"ancestor:{name}",
        purl=hub_purl(name),
        external_references=hub_reference(name),
        properties=[_property(names.UNKNOWN, field) for field in ("hash", "license", "producer", "version")],
    )


def _licence(licence: Licence) -> DisjunctiveLicense | LicenseExpression:
    declared = LicenseAcknowledgement.DECLARED
    if licence.is_spdx and " " in licence.name:
        return LicenseExpression(licence.name, acknowledgement=declared)
    url = XsUri(licence.url) if licence.url else None
    if licence.is_spdx:
        return DisjunctiveLicense(id=licence.name, url=url, acknowledgement=declared)
    return DisjunctiveLicense(name=licence.name, url=url, acknowledgement=declared)


def _property(name: str, value: str) -> Property:
    return Property(name=name, value=value)


def _value(fact: Sourced | None) -> str | None:
    return fact.value if fact else None


def _render(component: Component) -> Json:
    rendered: Json = json.loads(component.as_json(view_=SchemaVersion1Dot7))  # type: ignore[attr-defined]
    return rendered


def _without_empty(rendered: Json) -> Json:
    return {key: value for key, value in rendered.items() if value != []}
