"""Emit an account as CycloneDX 1.7 JSON: the same bytes for the same account, wherever and whenever.

Plain components (hashes, licences, package URLs, references) are rendered by cyclonedx-python-lib; what it has no model
for comes from `aibom.cyclonedx.model_card`. The serial number derives from the content, the time is passed in.
"""

import hashlib
import uuid
from datetime import datetime

from aibom.build import identifiers, leaves, parts
from aibom.build.account import Account
from aibom.core.strictjson import Json, dump_compact, dump_json
from aibom.cyclonedx.model_card import Aggregate, Composition

SPEC_VERSION = "1.7"
_SCHEMA = "http://cyclonedx.org/schema/bom-1.7.schema.json"


def emit_cyclonedx(account: Account, *, tool_version: str, timestamp: datetime | None) -> bytes:
    """Render the BOM as JSON bytes."""
    components = [
        parts.model_component(account),
        *parts.code_component(account),
        *(leaves.dataset_component(dataset) for dataset in account.datasets),
        *(leaves.library_component(dependency, files) for dependency, files in account.dependencies.items()),
        *(leaves.file_component(file) for file in account.other_files),
    ]
    document: Json = {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": _metadata(account, tool_version, timestamp),
        "components": components,
        "dependencies": _dependencies(account),
        "compositions": [composition.to_json() for composition in _compositions(account)],
    }
    return dump_json(_with_serial(document))


def _metadata(account: Account, tool_version: str, timestamp: datetime | None) -> Json:
    metadata: Json = {}
    if timestamp is not None:
        metadata["timestamp"] = timestamp.strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata["lifecycles"] = [{"phase": "post-build"}]
    metadata["tools"] = {"components": [{"type": "application", "name": "aibom", "version": tool_version}]}
    metadata["component"] = parts.root_component(account)
    return metadata


def _dependencies(account: Account) -> list[Json]:
    model, code = identifiers.MODEL_REF, [identifiers.CODE_REF] if account.code_files else []
    datasets = [identifiers.dataset_ref(dataset) for dataset in account.datasets]
    libraries = [identifiers.library_ref(dependency) for dependency in account.dependencies]
    documents = [identifiers.file_ref(file.name) for file in account.other_files]
    graph: dict[str, list[str]] = {
        identifiers.ROOT_REF: [model, *code, *documents, *([] if code else libraries)],
        model: datasets,
    }
    if code:
        graph[identifiers.CODE_REF] = [model, *libraries]
    for leaf in [*datasets, *libraries, *documents]:
        graph[leaf] = []
    return [{"ref": ref, "dependsOn": sorted(targets)} for ref, targets in sorted(graph.items())]


def _compositions(account: Account) -> list[Composition]:
    """Say by area how complete the BOM is: our file list is whole; what others hold, we do not know."""
    weights = Aggregate.INCOMPLETE if account.warnings or account.model.weights is None else Aggregate.COMPLETE
    found = [
        Composition(aggregate=Aggregate.COMPLETE, assemblies=(identifiers.ROOT_REF,)),
        Composition(aggregate=weights, assemblies=(identifiers.MODEL_REF,)),
    ]
    external = tuple(identifiers.dataset_ref(dataset) for dataset in account.datasets if dataset.is_external)
    if external:
        found.append(Composition(aggregate=Aggregate.UNKNOWN, assemblies=external))
    aggregate = Aggregate.INCOMPLETE if account.dependencies else Aggregate.UNKNOWN
    owner = identifiers.CODE_REF if account.code_files else identifiers.ROOT_REF
    return [*found, Composition(aggregate=aggregate, dependencies=(owner,))]


def _with_serial(document: Json) -> Json:
    """Put in a serial number that derives from all else (RFC 9562, version 5)."""
    content = hashlib.sha256(dump_compact(document)).hexdigest()
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:aibom:bom:{content}")
    head = {key: document[key] for key in ("$schema", "bomFormat", "specVersion")}
    rest = {key: value for key, value in document.items() if key not in head}
    return {**head, "serialNumber": f"urn:uuid:{serial}", **rest}
