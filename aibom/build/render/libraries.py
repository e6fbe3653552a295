"""What the code stands on: declared libraries, base images, hosted services, models that it loads."""

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from packageurl import PackageURL

from aibom.build.account import Ancestor, Container, Library, Service
from aibom.build.render.addresses import address
from aibom.build.render.identifiers import (
    container_purl,
    container_ref,
    hub_purl,
    hub_reference,
    library_purl,
    library_ref,
    service_ref,
    vers_range,
)
from aibom.build.render.values import Pairs, properties_of, render, source_pair, version_of
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names

_LONGEST_VERSION = 1024


def library_component(library: Library) -> Json:
    """A declared dependency; an exact pin is a version, anything else a range of something outside the release."""
    dependency = library.dependency
    place = address(dependency.url)
    component = Component(
        name=dependency.name,
        type=ComponentType.LIBRARY,
        bom_ref=library_ref(library),
        version=_version(dependency.version),
        purl=library_purl(library),
        scope=ComponentScope.OPTIONAL if library.optional else None,
        external_references=[ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=place)] if place else None,
        properties=properties_of(_library_pairs(library)),
    )
    rendered = render(component) | {"isExternal": True}
    versions = "" if dependency.version else vers_range(library)  # the schema allows one of the two
    return rendered | {"versionRange": versions} if versions else rendered


def _library_pairs(library: Library) -> Pairs:
    dependency = library.dependency
    return [
        *((names.DECLARED_IN, name) for name in library.declared_in),
        *([(names.UNUSABLE, dependency.url)] if dependency.url and not address(dependency.url) else []),
        *([(names.SPECIFIER, dependency.range)] if dependency.range else []),
        *((names.EXTRAS, extra) for extra in dependency.extras),
        *((names.GROUP, group) for group in library.optional),
        *([(names.MARKER, dependency.marker)] if dependency.marker else []),
        *((names.ARCHIVE_DIGEST, digest) for digest in library.hashes),
        *((names.UNKNOWN, field) for field in ("license", "producer")),
        *([] if library.hashes else [(names.UNKNOWN, "hash")]),
        *([] if dependency.version else [(names.UNKNOWN, "version")]),
    ]


def container_component(container: Container) -> Json:
    """A base image, by tag or digest."""
    pinned = container.digest.removeprefix("sha256:") if container.digest.startswith("sha256:") else ""
    component = Component(
        name=container.name,
        type=ComponentType.CONTAINER,
        bom_ref=container_ref(container),
        version=_version(container.tag or container.digest),
        purl=container_purl(container),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=pinned)] if len(pinned) == 64 else None,
        properties=properties_of(
            [
                (names.DECLARED_IN, container.source.file),
                source_pair("version" if container.tag or container.digest else "name", container.source),
                *((names.UNKNOWN, field) for field in ("license", "producer")),
                *([] if pinned else [(names.UNKNOWN, "hash")]),
                *([] if container.tag or container.digest else [(names.UNKNOWN, "version")]),
            ]
        ),
    )
    return render(component) | {"isExternal": True}


def loaded_model(model: Ancestor) -> Json:
    """A model that the code loads and that is not in the release."""
    purl: PackageURL | None = hub_purl(model.name, model.revision.value if model.revision else "")
    component = Component(
        name=model.name,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"model-named:{model.name}",
        version=version_of(model.revision),
        purl=purl,
        external_references=hub_reference(model.name),
        properties=properties_of(
            [
                (names.DECLARED_IN, str(model.source)),
                *((names.UNKNOWN, field) for field in ("hash", "license", "producer")),
                *([] if model.revision else [(names.UNKNOWN, "version")]),
                *([] if purl else [(names.UNKNOWN, "identifier")]),
            ]
        ),
    )
    return render(component) | {"isExternal": True}


def service(item: Service) -> Json:
    """A hosted service: what is sent to it leaves the user's hands."""
    place = address(item.endpoint)
    rendered: Json = {
        "bom-ref": service_ref(item),
        "provider": {"name": item.provider},
        "name": item.name,
        "endpoints": [str(place)] if place else [],
        "x-trust-boundary": True,
        "data": [{"flow": "bi-directional", "classification": "unknown", "name": "requests and answers of the model"}],
        "properties": [
            *([{"name": names.UNUSABLE, "value": item.endpoint}] if item.endpoint and not place else []),
            *({"name": names.SERVED_MODEL, "value": model} for model in item.models),
            *({"name": names.DECLARED_IN, "value": str(source)} for source in item.sources),
        ],
    }
    return {key: value for key, value in rendered.items() if value != []}


def _version(text: str) -> str | None:
    """As long as the schema lets a version be; the reference of the component holds all of it."""
    return text if 0 < len(text) <= _LONGEST_VERSION else None
