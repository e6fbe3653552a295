"""A CycloneDX 1.7 document as one of version 1.6, for readers that know no later one.

Version 1.7 only adds to 1.6: the tables name every key and value that it added, and a test compares them with the two
JSON schemas. What has a place in 1.6 moves there (a property, an older field); the rest is left out, and `dropped`
says so. Specification: CycloneDX 1.6 and 1.7, JSON schema.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import Json, type_name

MAX_DEPTH = 200
VERSION_RANGE = "aibom:version-range"
EXTERNAL = "aibom:external"
TLP = "aibom:tlp"

# JSON key → the type of the objects below it, for the types that differ.
TYPES = {
    "component": "component",
    "components": "component",
    "ancestors": "component",
    "descendants": "component",
    "variants": "component",
    "service": "service",
    "services": "service",
    "externalReference": "external reference",
    "externalReferences": "external reference",
    "hashes": "hash",
    "licenses": "licence expression",
    "metadata": "metadata",
    "definitions": "definitions",
    "algorithmProperties": "algorithm",
    "certificateProperties": "certificate",
    "cipherSuites": "cipher suite",
    "protocolProperties": "protocol",
    "relatedCryptoMaterialProperties": "cryptographic material",
    "encr": "IKEv2 transform",
    "prf": "IKEv2 transform",
    "integ": "IKEv2 transform",
    "ke": "IKEv2 transform",
    "auth": "IKEv2 transform",
}
DOCUMENT = "document"

# Type → the keys that 1.6 does not have.
ADDED_KEYS: dict[str, frozenset[str]] = {
    DOCUMENT: frozenset({"citations"}),
    "component": frozenset({"isExternal", "versionRange", "patentAssertions"}),
    "service": frozenset({"patentAssertions"}),
    "external reference": frozenset({"properties"}),
    "licence expression": frozenset({"expressionDetails", "licensing", "properties"}),
    "metadata": frozenset({"distributionConstraints"}),
    "definitions": frozenset({"patents"}),
    "algorithm": frozenset({"algorithmFamily", "ellipticCurve"}),
    "certificate": frozenset(
        {
            "serialNumber", "certificateFileExtension", "fingerprint", "certificateState", "certificateExtensions",
            "creationDate", "activationDate", "deactivationDate", "revocationDate", "destructionDate",
            "relatedCryptographicAssets",
        }
    ),
    "cipher suite": frozenset({"tlsGroups", "tlsSignatureSchemes"}),
    "protocol": frozenset({"relatedCryptographicAssets"}),
    "cryptographic material": frozenset({"fingerprint", "relatedCryptographicAssets"}),
    "IKEv2 transform": frozenset({"name", "keyLength", "group", "algorithm"}),
}  # fmt: skip

# Type and key → the values that 1.6 does not have.
ADDED_VALUES: dict[tuple[str, str], frozenset[str]] = {
    ("external reference", "type"): frozenset({"patent", "patent-family", "patent-assertion", "citation"}),
    ("algorithm", "primitive"): frozenset({"key-wrap"}),
    ("protocol", "type"): frozenset({"dtls", "quic", "eap-aka", "eap-aka-prime", "prins", "5g-aka"}),
    ("hash", "alg"): frozenset({"Streebog-256", "Streebog-512"}),
}
_HINT = "check the document against the CycloneDX JSON schema of its version"


def to_version(document: Json, version: str) -> Json:
    """The document in another version of CycloneDX: itself if it is in that version, else a copy.

    Only 1.7 to 1.6 is known; InputError for anything else. The serial number stays: whether two forms of one account
    share it is for the caller to say.
    """
    return _converted(document, version)[0]


def dropped(document: Json, version: str) -> tuple[str, ...]:
    """What `to_version` loses, one sentence for each kind of loss; empty if nothing."""
    lost = _converted(document, version)[1]
    return tuple(f"{what}: {count} left out or replaced, because {version} lacks it" for what, count in lost.items())


def _converted(document: Json, version: str) -> tuple[Json, Counter[str]]:
    found = document.get("specVersion")
    if found == version and version in {"1.6", "1.7"}:
        return document, Counter()
    if (found, version) != ("1.7", "1.6"):
        raise InputError(
            f"cannot make CycloneDX {str(version)[:20]} from {str(found)[:20]}; only 1.6 from 1.7", where="specVersion"
        )
    downgrade = _Downgrade()
    result: Json = downgrade.value("", document, 0)
    if "$schema" in result:
        result["$schema"] = "http://cyclonedx.org/schema/bom-1.6.schema.json"
    result["specVersion"] = version
    return result, downgrade.lost


class _Downgrade:
    """Copies a document without what 1.7 added, and counts what is lost on the way."""

    def __init__(self) -> None:
        self.lost: Counter[str] = Counter()

    def value(self, key: str, value: Any, depth: int) -> Any:
        """The copy of what stands under `key`."""
        if depth > MAX_DEPTH:
            raise InputError(f"nested more than {MAX_DEPTH} levels deep", where=key or "document")
        if isinstance(value, list):
            return self._list(key, value, depth)
        if not isinstance(value, dict):
            return value
        kind = TYPES.get(key, DOCUMENT if depth == 0 else "")
        content = self._moved(kind, value)
        return {name: self.value(name, item, depth + 1) for name, item in content.items() if self._keeps(kind, name)}

    def _list(self, key: str, items: list[Any], depth: int) -> list[Any]:
        kind = TYPES.get(key, "")
        if kind == "licence expression":
            items = self._licences(items)
        elif kind == "hash":
            items = [item for item in items if not self._is_new_hash(item)]
        elif kind == "IKEv2 transform":
            items = list(self._transforms(items))
        return [self.value(key, item, depth + 1) for item in items]

    def _keeps(self, kind: str, name: str) -> bool:
        if name == "signature":
            self.lost["signature (it was made over the 1.7 form)"] += 1
            return False
        if name not in ADDED_KEYS.get(kind, frozenset()):
            return True
        if (kind, name) not in _MOVED:
            self.lost[f"{kind}, {name}"] += 1
        return False

    def _moved(self, kind: str, value: Json) -> Json:
        """The object with what 1.7 added put where 1.6 has a place for it."""
        for (type_of, key), replacement in _REPLACEMENTS.items():
            if type_of == kind and _is_one_of(value.get(key), ADDED_VALUES[type_of, key]):
                self.lost[f"{kind}, {key} {value[key]!r}"] += 1
                value = value | {key: replacement}
        if kind == "component":
            return _with_properties(value, _component_properties(value))
        if kind == "metadata":
            constraints = value.get("distributionConstraints")
            tlp = constraints.get("tlp") if isinstance(constraints, dict) else None
            return _with_properties(value, [(TLP, tlp)] if isinstance(tlp, str) else [])
        if kind == "algorithm" and "ellipticCurve" in value:
            return self._moved_to_older(kind, value, "ellipticCurve", "curve")
        if kind == "certificate" and "certificateFileExtension" in value:
            return self._moved_to_older(kind, value, "certificateFileExtension", "certificateExtension")
        return value

    def _moved_to_older(self, kind: str, value: Json, key: str, older: str) -> Json:
        if older in value and value[older] != value[key]:
            self.lost[f"{kind}, {key}"] += 1
        return {older: value[key]} | value

    def _is_new_hash(self, item: Any) -> bool:
        new = isinstance(item, dict) and _is_one_of(item.get("alg"), ADDED_VALUES["hash", "alg"])
        if new:
            self.lost[f"hash, alg {item['alg']!r}"] += 1
        return new

    def _transforms(self, items: list[Any]) -> Iterable[Any]:
        """1.6 has references where 1.7 describes the transform, and may refer as well."""
        for item in items:
            if not isinstance(item, dict):
                yield item
                continue
            if item.keys() != {"algorithm"}:
                self.lost["IKEv2 transform, all but its algorithm"] += 1
            if "algorithm" in item:
                yield item["algorithm"]

    def _licences(self, items: list[Any]) -> list[Any]:
        """1.6 takes licences or a single expression: a name holds what it would not take, without loss of text."""
        expressions = sum(isinstance(item, dict) and "expression" in item for item in items)
        return [self._named(item) for item in items] if expressions and len(items) > 1 else items

    def _named(self, item: Any) -> Any:
        if not isinstance(item, dict) or "expression" not in item:
            return item
        self.lost["licence expression beside others (kept as a licence name)"] += 1
        if "expressionDetails" in item:
            self.lost["licence expression, expressionDetails"] += 1
        rest = {key: value for key, value in item.items() if key not in {"expression", "expressionDetails"}}
        return {"license": {"name": item["expression"]} | rest}


# Type and key → what stands in for a value that 1.6 lacks. A hash has no such value: it is left out whole.
_REPLACEMENTS = {place: "other" for place in ADDED_VALUES if place != ("hash", "alg")}

# What finds a place in 1.6, so that it is not lost.
_MOVED = {
    ("component", "versionRange"),
    ("component", "isExternal"),
    ("metadata", "distributionConstraints"),
    ("algorithm", "ellipticCurve"),
    ("certificate", "certificateFileExtension"),
}


def _is_one_of(value: Any, names: frozenset[str]) -> bool:
    return isinstance(value, str) and value in names


def _component_properties(component: Json) -> list[tuple[str, str]]:
    found = []
    if isinstance(component.get("versionRange"), str):
        found.append((VERSION_RANGE, component["versionRange"]))
    if component.get("isExternal") is True:  # false is what its absence means
        found.append((EXTERNAL, "true"))
    return found


def _with_properties(value: Json, added: list[tuple[str, str]]) -> Json:
    if not added:
        return value
    properties = value.get("properties", [])
    if not isinstance(properties, list):
        raise InputError(f"expected an array, found {type_name(properties)}", where="properties", hint=_HINT)
    return value | {"properties": [*properties, *({"name": name, "value": text} for name, text in added)]}
