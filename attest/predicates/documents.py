"""SPDX documents as predicates: enough of each to know that it is one. Sources: SPDX 2.3, clause 6; SPDX 3.0.1."""

import re
from typing import Any

from attest.predicates.shapes import Check, listing, one_of, record, refuse, text, timestamp, uri

SPDX = "https://spdx.dev/Document/v3"
SPDX_2 = "https://spdx.dev/Document"
_CONTEXT = re.compile(r"https://spdx\.org/rdf/3\.\d{1,3}(?:\.\d{1,3})?/spdx-context\.jsonld", re.ASCII)
_VERSION = re.compile(r"SPDX-2\.\d{1,3}", re.ASCII)


def _spdx_3_context(value: Any, where: str) -> None:
    if not isinstance(value, str) or not _CONTEXT.fullmatch(value):
        refuse("the context of SPDX 3", value, where)


def _spdx_2_version(value: Any, where: str) -> None:
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        refuse("SPDX-2 and a minor version", value, where)


check_spdx_3: Check = record({"@context": _spdx_3_context, "@graph": listing(record({"type": text}), at_least=1)})

check_spdx_2: Check = record(
    {
        "spdxVersion": _spdx_2_version,
        "SPDXID": one_of("SPDXRef-DOCUMENT"),
        "name": text,
        "dataLicense": one_of("CC0-1.0"),
        "documentNamespace": uri,
        "creationInfo": record({"created": timestamp, "creators": listing(text, at_least=1)}),
    }
)
