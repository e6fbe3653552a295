"""A valid predicate of each type that we know, and which of its fields the specification of the type requires.

Written down by hand from the specifications, not derived from our checks: the two are compared in tests.
"""

import copy
from typing import Any

Json = dict[str, Any]
SHA256 = "ab" * 32
COMMIT = "cd" * 20
WHEN = "2026-01-31T12:00:00Z"
_SCANNER: Json = {
    "uri": "pkg:generic/scanner@1.2",
    "version": "1.2",
    "db": {"uri": "https://example.com/db", "version": "7", "lastUpdate": "2026-01-30T23:59:60.5+01:00"},
    "result": [
        {
            "id": "CVE-2026-0001",
            "severity": [{"method": "CVSS_V3", "score": "9.8"}],
            "annotations": [{"seen": 9007199254740993}],
        }
    ],
}
_SCANNED = {"scanStartedOn": WHEN, "scanFinishedOn": WHEN}
_FILE: Json = {"name": "data/train.csv", "digest": {"sha256": SHA256}}

GOOD: dict[str, Json] = {
    "https://slsa.dev/provenance/v1": {
        "buildDefinition": {
            "buildType": "https://example.com/train/v1",
            "externalParameters": {"config": "train.yaml"},
            "internalParameters": {},
            "resolvedDependencies": [{"uri": "git+https://example.com/code", "digest": {"gitCommit": COMMIT}}],
        },
        "runDetails": {
            "builder": {"id": "https://example.com/builder"},
            "metadata": {"invocationId": "1", "startedOn": WHEN, "finishedOn": WHEN},
            "byproducts": [{"uri": "https://example.com/log"}],
        },
    },
    "https://in-toto.io/attestation/test-result/v0.1": {
        "result": "PASSED",
        "configuration": [_FILE],
        "url": "https://example.com/run/1",
        "passedTests": ["accuracy"],
    },
    "https://in-toto.io/attestation/vulns/v0.2": {"scanner": _SCANNER, "metadata": _SCANNED},
    "https://in-toto.io/attestation/vulns/v0.1": {"scanner": _SCANNER, "metadata": _SCANNED},
    "https://openvex.dev/ns": {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex/1",
        "author": "Example",
        "timestamp": WHEN,
        "version": 1,
        "statements": [
            {
                "vulnerability": {"name": "CVE-2026-0001"},
                "products": [{"@id": "pkg:generic/model@1.0"}],
                "status": "not_affected",
                "justification": "vulnerable_code_not_present",
            }
        ],
    },
    "https://in-toto.io/attestation/scai/v0.3": {
        "attributes": [{"attribute": "trained-in-enclave", "evidence": _FILE}],
        "producer": {"uri": "https://example.com/builder"},
    },
    "https://in-toto.io/attestation/release/v0.1": {"purl": "pkg:huggingface/acme/model@1.0", "packageId": "1234"},
    "https://in-toto.io/attestation/reference/v0.1": {
        "attester": {"id": "https://example.com"},
        "references": [
            {
                "downloadLocation": "https://example.com/bom.json",
                "mediaType": "application/json",
                "digest": {"sha256": SHA256},
            }
        ],
    },
    "https://spdx.dev/Document/v3": {
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [{"type": "SpdxDocument"}],
    },
    "https://spdx.dev/Document": {
        "spdxVersion": "SPDX-2.3",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "model",
        "dataLicense": "CC0-1.0",
        "documentNamespace": "https://example.com/spdx/1",
        "creationInfo": {"created": WHEN, "creators": ["Tool: aibom"]},
    },
    "https://in-toto.io/attestation/svr/v0.2": {
        "verifier": {"id": "https://example.com/verifier", "policies": [{"uri": "https://example.com/policy"}]},
        "timeCreated": WHEN,
        "properties": ["EXAMPLE_PROPERTY"],
    },
    "https://slsa.dev/verification_summary/v1": {
        "verifier": {"id": "https://example.com/verifier"},
        "timeVerified": WHEN,
        "resourceUri": "pkg:generic/model@1.0",
        "policy": {"uri": "https://example.com/policy"},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
        "dependencyLevels": {"SLSA_BUILD_LEVEL_1": 4},
        "slsaVersion": "1.0",
    },
    "https://in-toto.io/attestation/link/v0.3": {"name": "train", "command": ["python", ""], "materials": [_FILE]},
}

_SCAN = (
    "scanner", "scanner.uri", "scanner.db", "scanner.db.lastUpdate", "scanner.result", "scanner.result[0].id",
    "scanner.result[0].severity", "scanner.result[0].severity[0].method", "scanner.result[0].severity[0].score",
    "metadata", "metadata.scanStartedOn", "metadata.scanFinishedOn",
)  # fmt: skip
REQUIRED: dict[str, tuple[str, ...]] = {
    "https://slsa.dev/provenance/v1": (
        "buildDefinition", "buildDefinition.buildType", "buildDefinition.externalParameters", "runDetails",
        "runDetails.builder", "runDetails.builder.id",
    ),
    "https://in-toto.io/attestation/test-result/v0.1": ("result", "configuration"),
    "https://in-toto.io/attestation/vulns/v0.2": _SCAN,
    "https://in-toto.io/attestation/vulns/v0.1": _SCAN,
    "https://openvex.dev/ns": (
        "@context", "@id", "author", "timestamp", "version", "statements", "statements[0].vulnerability",
        "statements[0].vulnerability.name", "statements[0].status",
    ),
    "https://in-toto.io/attestation/scai/v0.3": ("attributes", "attributes[0].attribute"),
    "https://in-toto.io/attestation/release/v0.1": ("purl",),
    "https://in-toto.io/attestation/reference/v0.1": (
        "attester", "attester.id", "references", "references[0].downloadLocation", "references[0].mediaType",
    ),
    "https://spdx.dev/Document/v3": ("@context", "@graph", "@graph[0].type"),
    "https://spdx.dev/Document": (
        "spdxVersion", "SPDXID", "name", "dataLicense", "documentNamespace", "creationInfo", "creationInfo.created",
        "creationInfo.creators",
    ),
    "https://in-toto.io/attestation/svr/v0.2": (
        "verifier", "verifier.id", "verifier.policies", "timeCreated", "properties",
    ),
    "https://slsa.dev/verification_summary/v1": (
        "verifier", "verifier.id", "timeVerified", "resourceUri", "policy", "policy.uri", "verificationResult",
        "verifiedLevels",
    ),
    "https://in-toto.io/attestation/link/v0.3": ("name", "materials[0].name", "materials[0].digest"),
}  # fmt: skip


def good(uri: str) -> Json:
    """A copy of the valid predicate, for a test to bend."""
    return copy.deepcopy(GOOD[uri])


def _parts(path: str) -> list[str | int]:
    found: list[str | int] = []
    for part in path.split("."):
        name, bracket, index = part.partition("[")
        found += [name, int(index.rstrip("]"))] if bracket else [name]
    return found


def without(document: Json, path: str) -> Json:
    """The document without one field."""
    return _bent(document, path, None, remove=True)


def having(document: Json, path: str, value: object) -> Json:
    """The document with another value in one place."""
    return _bent(document, path, value, remove=False)


def _bent(document: Json, path: str, value: object, *, remove: bool) -> Json:
    bent: Any = copy.deepcopy(document)
    *way, last = _parts(path)
    place = bent
    for step in way:
        place = place[step]
    if remove:
        del place[last]
    else:
        place[last] = value
    found: Json = bent
    return found
