"""The code of the release and what it stands on: libraries, base images, models that it loads, services that it calls.

A version is written only where it is pinned. SPDX 3.0.1 has no element for a hosted service: it is a remark.
"""

from spdx_python_model import v3_0_1 as spdx

from aibom.build.account import Account, Code, Container, Library, Service
from aibom.build.render.addresses import package_url
from aibom.build.render.identifiers import (
    CODE_REF,
    ROOT_REF,
    checksum,
    container_purl,
    container_ref,
    library_purl,
    library_ref,
)
from aibom.build.spdx.files import add_files
from aibom.build.spdx.graph import Graph
from aibom.build.spdx.licences import declare
from aibom.build.spdx.models import add_named_model
from aibom.build.spdx.packages import Values, identity_sources, identity_values, lines_of, purpose

_SHA256 = "sha256:"
_SHA256_DIGITS = 64


def add_code(graph: Graph, account: Account) -> str:
    """Add the code and what it depends on. Returns its identifier; empty if the release holds none."""
    code = account.code
    spdx_id = _package(graph, code) if code.files else ""
    owner = spdx_id or graph.id(ROOT_REF)
    if spdx_id:
        model = [graph.id(account.model.ref)] if account.models else []
        graph.relate(spdx_id, "dependsOn", model, completeness="noAssertion")
    _add_libraries(graph, code, owner)
    needed = [_container(graph, item) for item in code.containers]
    needed += [add_named_model(graph, model) for model in code.models]
    graph.relate(owner, "dependsOn", needed, completeness="noAssertion")
    for service in code.services:
        graph.remark(owner, _service_words(service))
    for item in code.undeclared:
        graph.remark(owner, f"undeclared import: {item.value} ({item.source})")
    return spdx_id


def _package(graph: Graph, code: Code) -> str:
    purl = package_url("generic", None, code.identity.name.value, None, checksum(code.files))
    values = identity_values(graph, code.identity, purl) | {"software_primaryPurpose": purpose("source")}
    spdx_id = graph.add(spdx.software_Package, CODE_REF, values)
    graph.relate(spdx_id, "contains", add_files(graph, code.files), completeness="complete")
    manifests = [file for file in code.files if "code/libraries" in file.categories]
    graph.relate(spdx_id, "hasDependencyManifest", [graph.id(f"file:{file.name}") for file in manifests])
    declare(graph, spdx_id, code.identity.licences)
    identity_sources(graph, spdx_id, code.identity)
    return spdx_id


def _add_libraries(graph: Graph, code: Code, owner: str) -> None:
    whole = "complete" if code.locked and not code.undeclared else "incomplete"
    by_name: dict[str, list[str]] = {}
    for library in code.libraries:
        spdx_id = graph.add(spdx.software_Package, library_ref(library), _library_values(library))
        by_name.setdefault(library.dependency.name, []).append(spdx_id)
        for name in library.declared_in:
            graph.source(spdx_id, "named in", name)
        kind = "hasOptionalDependency" if library.optional else "dependsOn"
        graph.relate(owner, kind, [spdx_id], completeness=whole)
    for library in code.libraries:
        wanted = [target for name in library.requires for target in by_name.get(name, ())]
        graph.relate(graph.id(library_ref(library)), "dependsOn", wanted, completeness=whole)


def _library_values(library: Library) -> Values:
    dependency = library.dependency
    purl = library_purl(library)
    return {
        "name": dependency.name,
        "comment": _library_words(library),
        "software_packageVersion": dependency.version,
        "software_packageUrl": purl.to_string() if purl else "",
        "software_downloadLocation": dependency.url,
        "software_primaryPurpose": purpose("library"),
    }


def _library_words(library: Library) -> str:
    dependency = library.dependency
    return lines_of(
        f"Version range: {dependency.range}" if dependency.range else "",
        f"Extras: {', '.join(dependency.extras)}" if dependency.extras else "",
        f"Only where: {dependency.marker}" if dependency.marker else "",
        f"Only for: {', '.join(library.optional)}" if library.optional else "",
        *(f"Digest of an archive that may be installed: {digest}" for digest in library.hashes),
    )


def _container(graph: Graph, container: Container) -> str:
    pinned = container.digest.removeprefix(_SHA256) if container.digest.startswith(_SHA256) else ""
    hashed = spdx.Hash(algorithm=spdx.HashAlgorithm.sha256, hashValue=pinned)
    purl = container_purl(container)
    values = {
        "name": container.name,
        "verifiedUsing": [hashed] if len(pinned) == _SHA256_DIGITS else [],
        "software_packageVersion": container.tag or container.digest,
        "software_packageUrl": purl.to_string() if purl else "",
        "software_primaryPurpose": purpose("container"),
    }
    spdx_id = graph.add(spdx.software_Package, container_ref(container), values)
    graph.source(spdx_id, "name", container.source)
    return spdx_id


def _service_words(service: Service) -> str:
    return lines_of(
        f"calls a hosted service: {service.name} ({service.provider}); what is sent to it leaves the user's hands",
        f"address: {service.endpoint}" if service.endpoint else "",
        *(f"model: {name}" for name in service.models),
        *(f"read in: {source}" for source in service.sources),
    )
