"""Data sets as components of type `data`: their files, or above a thousand of them count and tree digest, or a name."""

from cyclonedx.model import ExternalReference, ExternalReferenceType
from cyclonedx.model.component import Component, ComponentType

from aibom.build.account import Dataset, Identity, Source, Sourced
from aibom.build.render.addresses import address
from aibom.build.render.files import file_component
from aibom.build.render.identifiers import dataset_purl, hub_reference
from aibom.build.render.values import (
    Pairs,
    category_pairs,
    identity_arguments,
    identity_properties,
    properties_of,
    render_identified,
    setting_pairs,
    source_pair,
)
from aibom.core.manifest import tree_digest
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names
from aibom.cyclonedx.ml.component_data import ComponentData, DataType, Governance

COUNTED_ABOVE = 1000
"""A data folder with more files than this becomes one counted component (design decision 5)."""


def is_counted(dataset: Dataset) -> bool:
    """Whether the files of a data set are counted instead of listed."""
    return len(dataset.files) > COUNTED_ABOVE


def dataset_component(dataset: Dataset) -> Json:
    """One data set."""
    component = Component(
        **identity_arguments(_identity(dataset)),
        type=ComponentType.DATA,
        bom_ref=dataset.ref,
        external_references=_references(dataset),
        properties=properties_of(_pairs(dataset)),
    )
    component.purl = dataset_purl(dataset)
    rendered = render_identified(component, _identity(dataset))
    rendered["data"] = [_data(dataset).to_json()]
    if dataset.files and not is_counted(dataset):
        rendered["components"] = [file_component(file) for file in dataset.files]
    return rendered | {"isExternal": True} if dataset.is_external else rendered


def _identity(dataset: Dataset) -> Identity:
    name_source = dataset.declared_in[0] if dataset.declared_in else Source(dataset.folder or ".", "name of the folder")
    return Identity(
        name=Sourced(dataset.name, name_source),
        version=dataset.version,
        producer=dataset.producer,
        description=dataset.description,
        licences=dataset.licences,
    )


def _data(dataset: Dataset) -> ComponentData:
    return ComponentData(
        type=DataType.DATASET,
        name=dataset.name,
        url=dataset.url.value if dataset.url and address(dataset.url.value) else "",
        classification=dataset.classification.value if dataset.classification else "",
        sensitive=_texts(dataset.sensitive),
        description=dataset.description.value if dataset.description else "",
        governance=Governance(
            custodians=_texts(dataset.custodians), stewards=_texts(dataset.stewards), owners=_texts(dataset.owners)
        ),
    )


def _pairs(dataset: Dataset) -> Pairs:
    sourced = {
        "data.0.contents.url": (dataset.url,),
        "data.0.classification": (dataset.classification,),
        "data.0.sensitiveData": dataset.sensitive,
        "data.0.governance.owners": dataset.owners,
        "data.0.governance.custodians": dataset.custodians,
        "data.0.governance.stewards": dataset.stewards,
    }
    return [
        *(_counted_pairs(dataset) if is_counted(dataset) else []),
        *((names.DECLARED_IN, str(source)) for source in dataset.declared_in),
        *category_pairs(category for file in dataset.files for category in file.categories),
        *identity_properties(_identity(dataset)),
        *(source_pair(path, fact.source) for path, facts in sourced.items() for fact in facts if fact),
        *([(names.UNUSABLE, dataset.url.value)] if dataset.url and not address(dataset.url.value) else []),
        *setting_pairs(dataset.settings),
        *((names.PROBLEM, problem) for problem in dataset.problems),
        *([(names.UNKNOWN, "hash")] if dataset.is_external else []),
        *([] if dataset_purl(dataset) else [(names.UNKNOWN, "identifier")]),
    ]


def _references(dataset: Dataset) -> list[ExternalReference]:
    named = dataset.is_external or dataset.name != dataset.folder  # a folder's path is no name on a hub
    found = hub_reference(f"datasets/{dataset.name}") if named else []
    known = {str(reference.url) for reference in found}
    place = address(dataset.url.value) if dataset.url else None
    if place and str(place) not in known:
        found.append(ExternalReference(type=ExternalReferenceType.WEBSITE, url=place))
    return found


def _counted_pairs(dataset: Dataset) -> Pairs:
    digest = tree_digest((file.name, file.entry.sha256) for file in dataset.files)
    return [
        (names.FOLDER, dataset.folder or "."),
        (names.FILE_COUNT, str(len(dataset.files))),
        (names.SIZE, str(sum(file.entry.size for file in dataset.files))),
        (names.TREE_DIGEST, f"sha256:{digest}"),
    ]


def _texts(facts: tuple[Sourced, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fact.value for fact in facts))
