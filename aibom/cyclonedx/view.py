"""A typed, read-only view of any CycloneDX JSON: ours or anybody's. Nothing is dropped, nothing is written back.

Bounds: components nest at most 32 deep, and a BOM holds at most 500,000 of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import Json, parse_json_object
from aibom.cyclonedx import properties

_MAX_DEPTH = 32
_MAX_COMPONENTS = 500_000
SPEC_VERSIONS = ("1.5", "1.6", "1.7")
_ALGORITHMS = {
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
    "SHA3-256": "sha3_256",
    "SHA3-384": "sha3_384",
    "SHA3-512": "sha3_512",
}


@dataclass(frozen=True)
class ComponentView:
    """One component and where it stands in the document."""

    raw: Json
    where: str

    @property
    def ref(self) -> str:
        """Its bom-ref, or empty."""
        return _text(self.raw.get("bom-ref"))

    @property
    def name(self) -> str:
        """Its name."""
        return _text(self.raw.get("name"))

    @property
    def type(self) -> str:
        """Its CycloneDX type."""
        return _text(self.raw.get("type"))

    @property
    def hashes(self) -> dict[str, str]:
        """Our algorithm name → value, of the algorithms that we accept."""
        found = {}
        for item in _objects(self.raw.get("hashes")):
            algorithm = _ALGORITHMS.get(_text(item.get("alg")))
            if algorithm:
                found[algorithm] = _text(item.get("content"))
        return found

    @property
    def unread_algorithms(self) -> tuple[str, ...]:
        """Algorithms named that are not among those we compute."""
        return tuple(name for name in self.hash_algorithms if name not in _ALGORITHMS)

    @property
    def repeats_an_algorithm(self) -> bool:
        """Whether two digests are given by one algorithm, so that two readers could take different ones."""
        return len(set(self.hash_algorithms)) != len(self.hash_algorithms)

    @property
    def hash_algorithms(self) -> tuple[str, ...]:
        """Every algorithm named, as written."""
        return tuple(_text(item.get("alg")) for item in _objects(self.raw.get("hashes")))

    @property
    def licences(self) -> tuple[str, ...]:
        """Identifiers, names and expressions."""
        found = []
        for item in _objects(self.raw.get("licenses")):
            licence = item.get("license")
            inner = licence if isinstance(licence, dict) else {}
            found.append(_text(item.get("expression")) or _text(inner.get("id")) or _text(inner.get("name")))
        return tuple(text for text in found if text)

    def has_licence_id(self, name: str) -> bool:
        """Whether `name` stands there as an SPDX identifier or expression rather than as a free name."""
        for item in _objects(self.raw.get("licenses")):
            licence = item.get("license")
            if name in {
                _text(item.get("expression")),
                _text(licence.get("id")) if isinstance(licence, dict) else "",
            }:
                return True
        return False

    def properties(self, name: str) -> tuple[str, ...]:
        """Values of all properties of this name."""
        items = _objects(self.raw.get("properties"))
        return tuple(_text(item.get("value")) for item in items if item.get("name") == name)

    @property
    def categories(self) -> tuple[str, ...]:
        """Its categories of the vocabulary."""
        return self.properties(properties.CATEGORY)

    @property
    def references(self) -> list[Json]:
        """Its external references."""
        return _objects(self.raw.get("externalReferences"))

    def at(self, *path: str) -> Any:
        """The value below nested objects, or None."""
        value: Any = self.raw
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True)
class Bom:
    """A parsed BOM; `raw` is the whole document."""

    raw: Json

    @property
    def spec_version(self) -> str:
        """The CycloneDX version it claims."""
        return _text(self.raw.get("specVersion"))

    @cached_property
    def root(self) -> ComponentView | None:
        """The component that the BOM describes."""
        component = self.metadata.get("component")
        return ComponentView(component, "metadata.component") if isinstance(component, dict) else None

    @cached_property
    def components(self) -> tuple[ComponentView, ...]:
        """Every component at any depth, the root and its parts included; not pedigree."""
        found = [self.root] if self.root else []
        if self.root:
            found += list(_nested(self.root.raw, "metadata.component", 1))
        found += list(_nested(self.raw, "", 0))
        if len(found) > _MAX_COMPONENTS:
            raise InputError(f"{len(found)} components; at most {_MAX_COMPONENTS} are read", where="components")
        return tuple(found)

    @property
    def metadata(self) -> Json:
        """The metadata object, or an empty one."""
        value = self.raw.get("metadata")
        return value if isinstance(value, dict) else {}

    @cached_property
    def models(self) -> tuple[ComponentView, ...]:
        """The machine-learning models it describes."""
        return tuple(c for c in self.components if c.type == "machine-learning-model")

    @cached_property
    def model(self) -> ComponentView | None:
        """The model that the release is about: the first that is not a part of another."""
        return self.models[0] if self.models else None

    @property
    def file_algorithms(self) -> tuple[str, ...]:
        """Our names of all algorithms that any file's digest is given by, sorted; SHA-256 always."""
        files = (component for component in self.components if component.type == "file")
        return tuple(sorted({"sha256"}.union(*(component.hashes for component in files))))

    def objects(self, key: str) -> list[Json]:
        """The objects of a top-level array."""
        return _objects(self.raw.get(key))


def parse_bom(data: bytes, where: str) -> Bom:
    """Read CycloneDX JSON. Raises InputError if it is not that, or in a version that we do not read."""
    return bom_of(parse_json_object(data, where), where)


def bom_of(document: Json, where: str) -> Bom:
    """View a parsed document. Raises InputError as `parse_bom` does."""
    if document.get("bomFormat") != "CycloneDX":
        raise InputError("not a CycloneDX document", where=f"{where}, bomFormat", hint="give a CycloneDX JSON BOM")
    if document.get("specVersion") not in SPEC_VERSIONS:
        raise InputError(
            f"CycloneDX {str(document.get('specVersion'))[:20]} is not read; expected {' or '.join(SPEC_VERSIONS)}",
            where=f"{where}, specVersion",
        )
    return Bom(document)


def _nested(parent: Json, where: str, depth: int) -> Iterator[ComponentView]:
    if depth > _MAX_DEPTH:
        raise InputError(f"components nested more than {_MAX_DEPTH} deep", where=where)
    prefix = f"{where}.components" if where else "components"
    items = parent.get("components")
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            place = f"{prefix}[{index}]"
            yield ComponentView(item, place)
            yield from _nested(item, place, depth + 1)


def _objects(value: Any) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
