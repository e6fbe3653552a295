"""The release, its model and its code as components. What is looked for and not found is said to be unknown."""

from typing import Any

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.component import Component, ComponentType, Pedigree
from cyclonedx.model.contact import OrganizationalEntity
from packageurl import PackageURL

from aibom.build.account import Account, Identity, ModelAccount
from aibom.build.identifiers import (
    CODE_REF,
    MODEL_REF,
    ROOT_REF,
    checksum,
    content_purl,
    dataset_ref,
    hub_purl,
    hub_reference,
)
from aibom.build.leaves import file_component
from aibom.build.rendering import make_property, render, render_licence, value_of
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names
from aibom.cyclonedx.model_card import ModelCardData, PerformanceMetric

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
            make_property(names.TREE_DIGEST, f"sha256:{account.tree_digest}"),
            make_property(names.FILE_COUNT, str(account.file_count)),
            make_property(names.SIZE, str(account.bytes)),
            *(make_property(names.CONFLICT, text) for text in account.conflicts),
            *(make_property(names.PROBLEM, text) for text in account.warnings),
            *_stated(release),
        ],
    )
    return render(component)


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
    rendered = render(component)
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
    rendered = render(component)
    rendered["components"] = [file_component(file) for file in account.code_files]
    return [rendered]


def _model_card(account: Account) -> ModelCardData:
    model = account.model
    return ModelCardData(
        task=value_of(model.task) or "",
        architecture_family=value_of(model.family) or "",
        architecture=value_of(model.architecture) or "",
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
        "version": value_of(identity.version),
        "description": value_of(identity.description),
        "manufacturer": producer,
        "licenses": map(render_licence, identity.licences),
    }


def _stated(identity: Identity) -> list[Property]:
    """Where each part of an identity was read, and which parts nobody states."""
    stated = {"name": identity.name, "version": identity.version, "producer": identity.producer}
    found = [make_property(f"{names.SOURCE_PREFIX}{key}", fact.source) for key, fact in stated.items() if fact]
    found += [make_property(f"{names.SOURCE_PREFIX}license", licence.source) for licence in identity.licences]
    unknown = [key for key, fact in stated.items() if not fact] + ([] if identity.licences else ["license"])
    return found + [make_property(names.UNKNOWN, key) for key in unknown]


def _model_properties(model: ModelAccount) -> list[Property]:
    facts = {"family": model.family, "architecture": model.architecture, "task": model.task, "library": model.library}
    found = [make_property(f"{names.SOURCE_PREFIX}{key}", fact.source) for key, fact in facts.items() if fact]
    found += [make_property(names.LIBRARY, model.library.value)] if model.library else []
    found += [make_property(names.LANGUAGE, language) for language in model.languages]
    found += [make_property(names.REMOTE_CODE, target) for target in model.remote_code]
    if model.weights:
        found.append(make_property(names.TENSORS, str(model.weights.tensors)))
        found.append(make_property(names.PARAMETERS, str(model.weights.parameters)))
        found.append(make_property(names.ELEMENT_TYPES, " ".join(model.weights.element_types)))
    return found


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
        properties=[make_property(names.UNKNOWN, field) for field in ("hash", "license", "producer", "version")],
    )


def _without_empty(rendered: Json) -> Json:
    return {key: value for key, value in rendered.items() if value != []}
