"""The elements of an SPDX document while it is written: identifiers, relationships, notes, and their JSON-LD.

An identifier is the namespace with the reference that the CycloneDX BOM of the same account uses, so that one file has
one name in both. Everything but files goes through the bindings of SPDX, which check types, vocabularies and required
properties; files are written directly, because a release may hold a hundred thousand of them. Follows SPDX 3.0.1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from spdx_python_model import v3_0_1 as spdx

from aibom.core.strictjson import Json

SPEC_VERSION = "3.0.1"
NO_ASSERTION = "https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense"
"""The individual of SPDX that stands for a licence of which nothing is said; no document defines it."""
_CREATION = "_:creation"
_NOTES = "Where the values were read"
_ENERGY = ("ai_trainingEnergyConsumption", "ai_finetuningEnergyConsumption", "ai_inferenceEnergyConsumption")


@dataclass(frozen=True, slots=True, order=True)
class _Edge:
    """What relationships must share to be one element with several targets."""

    source: str
    type: str
    completeness: str
    comment: str


class Graph:
    """Elements by identifier; the first of one identifier stays."""

    def __init__(self, namespace: str, creation: spdx.CreationInfo) -> None:
        self.namespace = namespace
        self.creation = creation
        self.collected: list[str] = []
        """Identifiers of what the BOM is about, in the order of their making."""
        self.apart: list[str] = []
        """Identifiers of what only the document needs: who made it, and with what."""
        self._elements: dict[str, spdx.Element] = {}
        self._files: dict[str, Json] = {}
        self._edges: dict[_Edge, dict[str, None]] = {}
        self._sources: dict[str, dict[str, None]] = {}
        self._remarks: dict[str, dict[str, None]] = {}

    def id(self, ref: str) -> str:
        """The identifier of what has this reference."""
        return f"{self.namespace}#{quote(ref, safe='/:@')}"

    @property
    def elements(self) -> Iterable[spdx.Element]:
        """All elements but files."""
        return self._elements.values()

    def has(self, spdx_id: str) -> bool:
        """Whether an element of this identifier is there already."""
        return spdx_id in self._elements or spdx_id in self._files

    def add(self, kind: type[spdx.Element], ref: str, values: Mapping[str, Any], *, apart: bool = False) -> str:
        """Add an element and return its identifier; empty values are left out. `apart`: the BOM is not about it."""
        spdx_id = self.id(ref)
        if not self.has(spdx_id):
            given = {key: value for key, value in values.items() if value not in (None, "", [], ())}
            self._elements[spdx_id] = kind(spdxId=spdx_id, creationInfo=self.creation, **given)
            (self.apart if apart else self.collected).append(spdx_id)
        return spdx_id

    def add_file(self, ref: str, values: Json) -> str:
        """Add a file that is JSON already."""
        spdx_id = self.id(ref)
        if spdx_id not in self._files:
            self._files[spdx_id] = {"type": "software_File", "spdxId": spdx_id, "creationInfo": _CREATION, **values}
            self.collected.append(spdx_id)
        return spdx_id

    def relate(
        self, source: str, kind: str, targets: Iterable[str], *, completeness: str = "", comment: str = ""
    ) -> None:
        """Relate an element to others; what is said alike of one source becomes one relationship."""
        found = list(targets)
        if found:
            self._edges.setdefault(_Edge(source, kind, completeness, comment), {}).update(dict.fromkeys(found))

    def source(self, spdx_id: str, name: str, place: object) -> None:
        """Say where a value of an element was read."""
        self._sources.setdefault(spdx_id, {})[f"{name}: {place}"] = None

    def remark(self, spdx_id: str, text: str) -> None:
        """Say of an element what no property of SPDX says."""
        self._remarks.setdefault(spdx_id, {})[text] = None

    def connect(self) -> None:
        """Turn relations and notes into elements. A relation to what is not here is dropped: it would dangle."""
        seen: dict[tuple[str, str], int] = {}
        for edge in sorted(self._edges):
            targets = [target for target in self._edges[edge] if self.has(target) or target == NO_ASSERTION]
            if not targets or not self.has(edge.source):
                continue
            number = seen[edge.source, edge.type] = seen.get((edge.source, edge.type), 0) + 1
            self._relationship(edge, sorted(targets), number)
        for spdx_id, lines in sorted(self._sources.items()):
            self._annotation(spdx_id, f"{_NOTES}:\n" + "\n".join(lines), "sources")
        for spdx_id, texts in sorted(self._remarks.items()):
            for number, text in enumerate(texts, 1):
                self._annotation(spdx_id, text, f"remark:{number}")

    def _relationship(self, edge: _Edge, targets: list[str], number: int) -> None:
        local = edge.source.removeprefix(f"{self.namespace}#")
        values = {
            "from_": edge.source,
            "relationshipType": getattr(spdx.RelationshipType, edge.type),
            "to": targets,
            "completeness": edge.completeness and getattr(spdx.RelationshipCompleteness, edge.completeness),
            "comment": edge.comment,
        }
        self._add_local(spdx.Relationship, f"{edge.type}:{number}:{local}", values)

    def _annotation(self, subject: str, text: str, what: str) -> None:
        local = subject.removeprefix(f"{self.namespace}#")
        values = {"annotationType": spdx.AnnotationType.other, "subject": subject, "statement": text}
        self._add_local(spdx.Annotation, f"annotation:{what}:{local}", values)

    def _add_local(self, kind: type[spdx.Element], local: str, values: Mapping[str, Any]) -> None:
        """Add an element whose name holds one that is quoted already."""
        spdx_id = f"{self.namespace}#{local}"
        given = {key: value for key, value in values.items() if value != ""}
        self._elements[spdx_id] = kind(spdxId=spdx_id, creationInfo=self.creation, **given)
        self.collected.append(spdx_id)

    def to_json(self) -> Json:
        """The whole document, sorted by identifier. The bindings raise where a required property is missing."""
        objects = spdx.SHACLObjectSet([self.creation, *self._elements.values()])
        document: Json = spdx.JSONLDSerializer().serialize_data(objects, force_at_graph=True)
        items = [_settled(item) for item in document["@graph"]]
        items += self._files.values()
        items.sort(key=lambda item: item.get("spdxId", ""))
        return {"@context": document["@context"], "@graph": items}


def _settled(item: Json) -> Json:
    """Name the one blank node the same everywhere, and write energy as the schema wants a decimal: no exponent."""
    if item["type"] == "CreationInfo":
        return item | {"@id": _CREATION}
    consumed = item.get("ai_energyConsumption", {})
    for cost in (cost for name in _ENERGY for cost in consumed.get(name, ())):
        cost["ai_energyQuantity"] = f"{Decimal(cost['ai_energyQuantity']):f}"
    return item | {"creationInfo": _CREATION}
