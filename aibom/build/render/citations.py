"""CycloneDX 1.7 citations, from the properties that say where each value was read.

One rule for every component: a property `aibom:source:<path>` stands beside the value it explains. Versions without
citations keep the property; with a date, 1.7 gets both. A citation needs a date, so that an undated BOM has none.
"""

from collections.abc import Container

from aibom.build.render.identifiers import file_ref
from aibom.core.strictjson import Json
from aibom.cyclonedx.ml.compositions import Citation
from aibom.cyclonedx.sources import components_of, stated_values


def citations(document: Json, timestamp: str) -> list[Json]:
    """Every value of the document whose source is a file that it describes."""
    refs = {component.get("bom-ref") for _, component in components_of(document)}
    found: dict[Citation, None] = {}
    for stated in stated_values(document):
        file = _file(stated.source, refs) if stated.pointer and stated.value is not None else ""
        if file:
            note = stated.source.removeprefix(file).removeprefix(", ")
            cited = Citation(pointers=(stated.pointer,), attributed_to=file_ref(file), timestamp=timestamp, note=note)
            found[cited] = None
    return [citation.to_json() for citation in found]


def _file(text: str, refs: Container[object]) -> str:
    """The file that a source names: the longest beginning, up to a comma, that is one."""
    candidate = text
    while candidate:
        if file_ref(candidate) in refs:
            return candidate
        candidate, comma, _ = candidate.rpartition(", ")
        if not comma:
            return ""
    return ""
