"""Components that stand for things as they are: a file, a data set, a declared dependency."""

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.component import Component, ComponentType
from packageurl import PackageURL

from aibom.build.account import Dataset
from aibom.build.collect import CollectedFile
from aibom.build.identifiers import dataset_purl, dataset_ref, file_ref, hub_reference, library_ref, vers_range
from aibom.build.rendering import category_properties, make_property, render
from aibom.core.manifest import tree_digest
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names
from aibom.cyclonedx.model_card import dataset_data
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
            *([make_property(names.DECLARED_IN, dataset.source)] if dataset.source else []),
            *category_properties({file.classification.category for file in dataset.files}),
            *(make_property(names.UNKNOWN, field) for field in _dataset_unknowns(dataset)),
        ],
    )
    rendered = render(component)
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
            *(make_property(names.DECLARED_IN, file) for file in declared_in),
            *([make_property(names.SPECIFIER, dependency.range)] if dependency.range else []),
            *(make_property(names.EXTRAS, extra) for extra in dependency.extras),
            *([make_property(names.MARKER, dependency.marker)] if dependency.marker else []),
            *(make_property(names.UNKNOWN, field) for field in ("hash", "license", "producer")),
            *([] if dependency.version else [make_property(names.UNKNOWN, "version")]),
        ],
    )
    rendered = render(component)
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
            make_property(names.SIZE, str(file.entry.size)),
            *category_properties(file.categories),
            *([make_property(names.FORMAT, file.classification.format)] if file.classification.format else []),
            *_header_properties(file),
            *(make_property(names.PROBLEM, problem) for problem in file.problems),
        ],
    )
    return render(component)


def _header_properties(file: CollectedFile) -> list[Property]:
    if isinstance(file.fact, SafetensorsHeader):
        return [
            make_property(names.TENSORS, str(len(file.fact.tensors))),
            make_property(names.PARAMETERS, str(file.fact.parameters)),
            make_property(names.ELEMENT_TYPES, " ".join(file.fact.dtypes)),
        ]
    if isinstance(file.fact, ModelConfig):
        return [make_property(names.REMOTE_CODE, target) for target in file.fact.remote_code]
    return []


def _dataset_unknowns(dataset: Dataset) -> tuple[str, ...]:
    return ("hash", "license", "producer", "version") if dataset.is_external else ("license", "producer", "version")


def _counted_properties(dataset: Dataset) -> list[Property]:
    digest = tree_digest((file.name, file.entry.sha256) for file in dataset.files)
    return [
        make_property(names.FOLDER, dataset.folder or "."),
        make_property(names.FILE_COUNT, str(len(dataset.files))),
        make_property(names.SIZE, str(sum(file.entry.size for file in dataset.files))),
        make_property(names.TREE_DIGEST, f"sha256:{digest}"),
    ]
