"""SLSA provenance v1 and verification summary v1. Source: slsa.dev, the pages of these two predicate types."""

import re
from typing import Any

from attest.predicates.shapes import (
    Check,
    count,
    descriptor,
    listing,
    mapping,
    obj,
    one_of,
    record,
    refuse,
    text,
    timestamp,
    uri,
)

PROVENANCE = "https://slsa.dev/provenance/v1"
SUMMARY = "https://slsa.dev/verification_summary/v1"
_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")


def _slsa_version(value: Any, where: str) -> None:
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        refuse("a version such as 1.0", value, where)


check_provenance: Check = record(
    {
        "buildDefinition": record(
            {"buildType": uri, "externalParameters": obj},
            {"internalParameters": obj, "resolvedDependencies": listing(descriptor())},
        ),
        "runDetails": record(
            {"builder": record({"id": uri}, {"version": mapping(text), "builderDependencies": listing(descriptor())})},
            {
                "metadata": record({}, {"invocationId": text, "startedOn": timestamp, "finishedOn": timestamp}),
                "byproducts": listing(descriptor()),
            },
        ),
    }
)

check_summary: Check = record(
    {
        "verifier": record({"id": uri}, {"version": mapping(text)}),
        "timeVerified": timestamp,
        "resourceUri": uri,
        "policy": descriptor("uri"),
        "verificationResult": one_of("PASSED", "FAILED"),
        "verifiedLevels": listing(text),
    },
    {
        "inputAttestations": listing(descriptor("digest")),
        "dependencyLevels": mapping(count),
        "slsaVersion": _slsa_version,
    },
)
