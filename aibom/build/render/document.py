"""The BOM as one CycloneDX 1.7 document; every other version and format is made from it.

The same account gives the same document, wherever and whenever: the serial number derives from the content, the time is
passed in.
"""

import hashlib
import uuid
from datetime import datetime

from aibom.build.account import Account, Model
from aibom.build.completeness import dependencies_are_known, is_whole
from aibom.build.render import datasets, identifiers, libraries, models, release
from aibom.build.render.citations import citations
from aibom.build.render.files import file_component
from aibom.build.render.training import formulation
from aibom.core.strictjson import Json, dump_compact
from aibom.cyclonedx.ml.compositions import Aggregate, Composition

SPEC_VERSION = "1.7"
_SCHEMA = "http://cyclonedx.org/schema/bom-1.7.schema.json"


def bom_document(account: Account, *, tool_version: str, timestamp: datetime | None) -> Json:
    """Render the whole account."""
    stamp = timestamp.strftime("%Y-%m-%dT%H:%M:%SZ") if timestamp else ""
    code = account.code
    document: Json = {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": _metadata(account, tool_version, stamp),
        "components": [
            *(models.model_component(model) for model in account.models),
            *release.code_component(account),
            *(datasets.dataset_component(dataset) for dataset in account.datasets),
            *(libraries.container_component(container) for container in code.containers),
            *(libraries.library_component(library) for library in code.libraries),
            *(libraries.loaded_model(model) for model in code.models),
            *(file_component(file) for file in account.documents),
        ],
        "services": [libraries.service(item) for item in code.services],
        "dependencies": _dependencies(account),
        "compositions": [composition.to_json() for composition in _compositions(account)],
        "formulation": formulation(account),
    }
    if stamp:
        document["citations"] = citations(document, stamp)
    return with_serial({key: value for key, value in document.items() if value != []})


def with_serial(document: Json) -> Json:
    """Put in a serial number that derives from all else (RFC 9562, version 5)."""
    rest = {key: value for key, value in document.items() if key != "serialNumber"}
    content = hashlib.sha256(dump_compact(rest)).hexdigest()
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:aibom:bom:{content}")
    head = {key: rest.pop(key) for key in ("$schema", "bomFormat", "specVersion")}
    return {**head, "serialNumber": f"urn:uuid:{serial}", **rest}


def _metadata(account: Account, tool_version: str, stamp: str) -> Json:
    said = account.statement
    author = {"name": said.author} | ({"email": said.author_email} if said.author_email else {})
    metadata: Json = {
        "timestamp": stamp,
        "lifecycles": [{"phase": "post-build"}],
        "tools": {"components": [{"type": "application", "name": "aibom", "version": tool_version}]},
        "authors": [author] if said.author else [],
        "component": release.root_component(account),
        "distributionConstraints": {"tlp": said.tlp} if said.tlp else {},
    }
    return {key: value for key, value in metadata.items() if value not in ("", [], {})}


def _dependencies(account: Account) -> list[Json]:
    code = account.code
    by_name: dict[str, list[str]] = {}
    for library in code.libraries:
        by_name.setdefault(library.dependency.name, []).append(identifiers.library_ref(library))
    needs = [
        *by_name.values(),
        [identifiers.container_ref(container) for container in code.containers],
        [identifiers.service_ref(service) for service in code.services],
        [f"model-named:{model.name}" for model in code.models],
    ]
    needed = [ref for refs in needs for ref in refs]
    has_code = bool(code.files)
    main = [account.model.ref] if account.models else []
    documents = [identifiers.file_ref(file.name) for file in account.documents]
    named = [model.ref for model in account.models]
    local = [dataset.ref for dataset in account.datasets]
    graph: dict[str, list[str]] = {ref: [] for ref in [*local, *needed, *documents]}
    graph[identifiers.ROOT_REF] = [*named, *([identifiers.CODE_REF] if has_code else needed), *documents]
    graph |= {model.ref: _model_needs(model) for model in account.models}
    if has_code:
        graph[identifiers.CODE_REF] = [*main, *needed]
    for library in code.libraries:
        wanted = [ref for name in library.requires for ref in by_name.get(name, [])]
        graph[identifiers.library_ref(library)] += wanted
    return [{"ref": ref, "dependsOn": sorted(set(targets))} for ref, targets in sorted(graph.items())]


def _model_needs(model: Model) -> list[str]:
    """A model depends on the data it learned from; a conversion or adapter on the model it was made from."""
    made_from = [ancestor.within for ancestor in model.ancestors if ancestor.within]
    return [*model.datasets, *(ref for ref in made_from if ref != model.ref)]


def _compositions(account: Account) -> list[Composition]:
    """Say by area how complete the BOM is: our file list is whole; what others hold, we do not know."""
    found = [Composition(aggregate=Aggregate.COMPLETE, assemblies=(identifiers.ROOT_REF,))]
    found += [Composition(aggregate=_of_model(model), assemblies=(model.ref,)) for model in account.models]
    local = tuple(dataset.ref for dataset in account.datasets if not dataset.is_external)
    external = tuple(dataset.ref for dataset in account.datasets if dataset.is_external)
    if local:
        found.append(Composition(aggregate=Aggregate.COMPLETE, assemblies=local))
    if external:
        found.append(Composition(aggregate=Aggregate.UNKNOWN, assemblies=external))
    code = account.code
    if code.files:
        found.append(Composition(aggregate=Aggregate.COMPLETE, assemblies=(identifiers.CODE_REF,)))
    owner = identifiers.CODE_REF if code.files else identifiers.ROOT_REF
    found.append(Composition(aggregate=_of_dependencies(account), dependencies=(owner,)))
    remote = (*map(identifiers.container_ref, code.containers), *(f"model-named:{m.name}" for m in code.models))
    return [*found, Composition(aggregate=Aggregate.UNKNOWN, assemblies=remote)] if remote else found


def _of_model(model: Model) -> Aggregate:
    return Aggregate.COMPLETE if is_whole(model) else Aggregate.INCOMPLETE


def _of_dependencies(account: Account) -> Aggregate:
    if not account.code.libraries:
        return Aggregate.UNKNOWN
    return Aggregate.COMPLETE if dependencies_are_known(account) else Aggregate.INCOMPLETE
