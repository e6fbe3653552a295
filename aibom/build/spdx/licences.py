"""Licences as SPDX expressions. A licence that SPDX does not know becomes a `LicenseRef-` with its name as its text.

The AI and Dataset profiles want exactly one declared and one concluded licence relationship of each package. What is
declared is what the release says; we conclude nothing, and say so.
"""

import hashlib
import re
from collections.abc import Iterable

from spdx_python_model import v3_0_1 as spdx

from aibom.build.account import Licence
from aibom.build.spdx.graph import NO_ASSERTION, Graph
from aibom.build.spdx.packages import lines_of

_NOT_IN_REFERENCE = re.compile(r"[^A-Za-z0-9.-]+")
_MAX_WORDS = 60


def declare(graph: Graph, spdx_id: str, licences: Iterable[Licence], *, profile: bool = False) -> None:
    """Relate a package to its licences; with `profile`, as the AI and Dataset profiles want it, also without any."""
    found = tuple(licences)
    ids = [_licence(graph, licence) for licence in found]
    if not ids and profile:
        ids = [NO_ASSERTION]
    graph.relate(spdx_id, "hasDeclaredLicense", ids)
    if profile:
        graph.relate(spdx_id, "hasConcludedLicense", [NO_ASSERTION], comment="nothing is concluded beyond what is said")
    for licence in found:
        for source in licence.sources:
            graph.source(spdx_id, "license", source)
        if licence.restricts_use:
            graph.remark(spdx_id, f"use restricted: the licence {licence.name} limits what this may be used for")


def licence_reference(licence: Licence) -> str:
    """The `LicenseRef-` of a licence without an SPDX identifier: readable, and another for another name or address."""
    words = _NOT_IN_REFERENCE.sub("-", licence.name)[:_MAX_WORDS].strip("-.")
    digest = hashlib.sha256(f"{licence.name}\n{licence.url}".encode()).hexdigest()[:8]
    return f"LicenseRef-{words}-{digest}" if words else f"LicenseRef-{digest}"


def _licence(graph: Graph, licence: Licence) -> str:
    if licence.is_spdx:
        expression = {"simplelicensing_licenseExpression": licence.name}
        return graph.add(spdx.simplelicensing_LicenseExpression, f"licence:{licence.name}", expression)
    reference = licence_reference(licence)
    text = graph.add(
        spdx.simplelicensing_SimpleLicensingText,
        f"licence-text:{reference}",
        {
            "name": licence.name,
            "simplelicensing_licenseText": _text(licence),
        },
    )
    entry = spdx.DictionaryEntry(key=reference, value=text)
    return graph.add(
        spdx.simplelicensing_LicenseExpression,
        f"licence-named:{reference}",
        {
            "name": licence.name,
            "simplelicensing_licenseExpression": reference,
            "simplelicensing_customIdToUri": [entry],
        },
    )


def _text(licence: Licence) -> str:
    """SPDX requires a text. Ours says which licence it is and where its words are; they are not copied."""
    return lines_of(
        licence.name,
        f"Its text is the file {licence.text_file} of the release." if licence.text_file else "",
        f"Its text is published at {licence.url}" if licence.url else "",
        "" if licence.text_file or licence.url else "Its text is not known.",
    )
