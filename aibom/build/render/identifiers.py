"""How components are named and found: bom-refs, package URLs, and where a hub publishes them.

A bom-ref follows from what it names, so that it is the same in every build. A package URL is only given where it is
right: a hub name for a model of a hub, a digest for what has no registry.
"""

from collections.abc import Iterable
from urllib.parse import quote

from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
from packageurl import PackageURL
from packaging.version import InvalidVersion, Version

from aibom.build.account import Ancestor, Container, Dataset, Identity, Library, Model, Service
from aibom.build.collect import CollectedFile
from aibom.build.render.addresses import address, named_package_url, package_url
from aibom.core.manifest import tree_digest
from aibom.core.names import is_hub_name
from aibom.formats.requirements import Dependency

ROOT_REF, CODE_REF, TRAINING_REF = "release", "code", "training"
HUB = "https://huggingface.co"


def file_ref(name: str) -> str:
    """The bom-ref of a file."""
    return f"file:{name}"


def library_ref(library: Library) -> str:
    """The bom-ref of a declared dependency; two declarations that differ are two components."""
    dependency = library.dependency
    extras = f"[{','.join(dependency.extras)}]" if dependency.extras else ""
    constraint = f"=={dependency.version}" if dependency.version else dependency.range
    marker = f"; {dependency.marker}" if dependency.marker else ""
    url = f" @ {dependency.url}" if dependency.url else ""
    return f"library:{library.ecosystem}/{dependency.name}{extras}{constraint}{marker}{url}"


def container_ref(container: Container) -> str:
    """The bom-ref of a base image."""
    return f"container:{container.reference}"


def service_ref(service: Service) -> str:
    """The bom-ref of a hosted service: one name at two addresses is two services."""
    return f"service:{service.name} at {service.endpoint}" if service.endpoint else f"service:{service.name}"


def ancestor_ref(model: str, ancestor: Ancestor) -> str:
    """The bom-ref of an ancestor in the pedigree of the model with this reference."""
    return f"ancestor:{ancestor.name}" if model == "model" else f"ancestor of {model}: {ancestor.name}"


def library_purl(library: Library) -> PackageURL | None:
    """The package URL of a library: a version only where it is pinned."""
    dependency = library.dependency
    qualifiers = {"download_url": dependency.url} if dependency.url and address(dependency.url) else None
    return package_url(library.ecosystem, None, dependency.name, dependency.version or None, qualifiers)


def vers_range(library: Library) -> str:
    """A version range as CycloneDX wants it (VERS): plain comparators only, sorted by version; empty if it has none."""
    dependency: Dependency = library.dependency
    bounds: dict[tuple[Version, str], str] = {}
    if library.ecosystem != "pypi":
        return ""
    for text in filter(None, dependency.range.split(",")):
        for comparator, version in _plain(text):
            bounds[Version(version), comparator] = f"{comparator}{version}"
    return "vers:pypi/" + "|".join(bounds[key] for key in sorted(bounds)) if bounds else ""


def _plain(clause: str) -> list[tuple[str, str]]:
    """`~=1.3` is `>=1.3` and `<2`; `==1.*` is `>=1` and `<2`; `===` and odd versions have no such form."""
    operator = clause.rstrip("0123456789.abcdefghijklmnopqrstuvwxyz*+!-_")
    version = clause[len(operator) :]
    wildcard = version.removesuffix(".*")
    try:
        release = Version(wildcard).release
    except InvalidVersion:
        return []
    if operator == "~=" or (operator == "==" and wildcard != version):
        kept = release[:-1] if operator == "~=" else release
        upper = ".".join(map(str, (*kept[:-1], kept[-1] + 1))) if kept else ""
        return [(">=", wildcard), ("<", upper)] if upper else []
    plain = {"==": "", ">=": ">=", "<=": "<=", ">": ">", "<": "<", "!=": "!="}
    return [(plain[operator], version)] if operator in plain and wildcard == version else []


def container_purl(container: Container) -> PackageURL | None:
    """The package URL of an image, by tag or digest."""
    namespace, _, name = container.name.rpartition("/")
    return package_url("docker", namespace or None, name, container.digest or container.tag or None)


def hub_purl(name: str, revision: str = "") -> PackageURL | None:
    """The package URL of a model named as hubs do, `owner/model`; None for any other name."""
    owner, _, model = name.partition("/")
    return package_url("huggingface", owner, model, revision or None) if is_hub_name(name) else None


def hub_reference(path: str) -> list[ExternalReference]:
    """Where a hub publishes `owner/model` or `datasets/owner/name`; nothing for any other name."""
    if not is_hub_name(path.removeprefix("datasets/")):
        return []
    return [ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(f"{HUB}/{quote(path)}"))]


def content_purl(identity: Identity, digest: str) -> PackageURL | None:
    """A package URL by content, for a release that no registry names."""
    version = identity.version.value if identity.version else None
    return package_url("generic", None, identity.name.value, version, {"checksum": f"sha256:{digest}"})


def model_purl(model: Model) -> PackageURL | None:
    """By its name on a hub if the release states it, else by content."""
    identity = model.identity
    revision = identity.commit.value if identity.commit else ""
    named = hub_purl(identity.hub.value, revision) if identity.hub else None
    if not model.all_files:
        return named
    return named or content_purl(identity, checksum(model.all_files)["checksum"].removeprefix("sha256:"))


def dataset_purl(dataset: Dataset) -> PackageURL | None:
    """A package URL by content for files that are here, by address for a data set of a hub."""
    version = dataset.version.value if dataset.version else None
    if not dataset.is_external:
        return named_package_url(dataset.name, version, checksum(dataset.files))
    if not is_hub_name(dataset.name):
        return None
    return named_package_url(dataset.name, version, {"download_url": f"{HUB}/datasets/{dataset.name}"})


def checksum(files: Iterable[CollectedFile]) -> dict[str, str]:
    """The package URL qualifier that binds a set of files."""
    return {"checksum": "sha256:" + tree_digest((file.name, file.entry.sha256) for file in files)}
