"""The predicates that the in-toto Attestation Framework vets itself. Source: its `spec/predicates`."""

import re
from typing import Any

from aibom.core.errors import InputError
from attest.predicates.shapes import (
    Check,
    both,
    descriptor,
    listing,
    obj,
    one_of,
    record,
    refuse,
    text,
    timestamp,
    uri,
)

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
SCAI = "https://in-toto.io/attestation/scai/v0.3"
RELEASE = "https://in-toto.io/attestation/release/v0.1"
REFERENCE = "https://in-toto.io/attestation/reference/v0.1"
SVR = "https://in-toto.io/attestation/svr/v0.2"
LINK = "https://in-toto.io/attestation/link/v0.3"
_PURL = re.compile(r"pkg:[A-Za-z][A-Za-z0-9.+-]*/[^\s@?#]+(?:/[^\s@?#]+)*@[^\s@?#]+(?:\?[^\s#]*)?(?:#\S*)?")
_MAX_PURL = 8192


def purl_with_version(value: Any, where: str) -> None:
    """A package URL that names one version, as a release predicate must."""
    if not isinstance(value, str) or len(value) > _MAX_PURL or not _PURL.fullmatch(value):
        refuse("a package URL with a version, such as pkg:generic/name@1.0", value, where)


def _materials(value: Any, where: str) -> None:
    """Materials are looked up by name, so that no two may share one."""
    listing(descriptor("name", "digest"))(value, where)
    names = [item["name"] for item in value]
    if len(set(names)) != len(names):
        raise InputError("expected names that differ, found one twice", where=where)


check_test_result: Check = record(
    {"result": one_of("PASSED", "WARNED", "FAILED"), "configuration": listing(descriptor())},
    {"url": uri, "passedTests": listing(text), "warnedTests": listing(text), "failedTests": listing(text)},
)

check_scai: Check = record(
    {
        "attributes": listing(
            record({"attribute": text}, {"target": descriptor(), "conditions": obj, "evidence": descriptor()}),
            at_least=1,
        )
    },
    {"producer": descriptor()},
)

# The field was called `releaseId` until the text of the specification was revised; its URI stayed.
check_release: Check = record({"purl": purl_with_version}, {"packageId": text, "releaseId": text})

check_reference: Check = record(
    {
        "attester": record({"id": uri}),
        "references": listing(both(descriptor(), record({"downloadLocation": uri, "mediaType": text})), at_least=1),
    }
)

check_svr: Check = record(
    {
        "verifier": record({"id": uri, "policies": listing(descriptor())}),
        "timeCreated": timestamp,
        "properties": listing(text),
    }
)

check_link: Check = record(
    {"name": text},
    {"command": listing(lambda value, where: None if value == "" else text(value, where)),
     "materials": _materials, "byproducts": obj, "environment": obj},
)  # fmt: skip
