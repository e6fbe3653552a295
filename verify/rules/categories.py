"""Evidence for a category: files, components and references of the BOM that say they belong to it."""

from collections.abc import Iterable

from aibom.core.strictjson import Json
from aibom.cyclonedx import properties
from aibom.cyclonedx.view import ComponentView
from verify.rules.evidence import Evidence, EvidenceBase, Found
from verify.vocabulary import State

# Reference types that say what they are, in any tool's BOM.
_REFERENCE_TYPES = {
    "advisories": "security/advisories",
    "exploitability-statement": "security/vex",
    "license": "docs/license",
    "model-card": "docs/model-card",
    "release-notes": "docs/release-notes",
    "rfc-9116": "security/contact",
    "risk-assessment": "docs/risk-assessment",
    "security-contact": "security/contact",
    "threat-model": "docs/threat-model",
}


def find_category(base: EvidenceBase, category: str) -> Found:
    """Collect everything in the BOM that belongs to a category."""
    components = base.bom.components if base.bom else ()
    items = [_component(base, c) for c in components if category in c.categories]
    items += [_reference(base, r) for c in components for r in c.references if category in _categories(r)]
    if category == "code/libraries":
        items += _libraries(components)
    if category == "docs/model-card" and base.bom and base.bom.model and base.bom.model.at("modelCard"):
        items.append(Evidence(where=f"{base.bom.model.where}.modelCard", state=State.DECLARED))
    if items:
        return Found(evidence=tuple(dict.fromkeys(items)))
    withheld = [
        c.name for c in components for v in c.properties(properties.WITHHELD) if v.partition(":")[0] == category
    ]
    unknown = [c.name for c in components if category in c.properties(properties.UNKNOWN)]
    return Found(withheld=tuple(withheld), unknown=tuple(unknown))


def _component(base: EvidenceBase, component: ComponentView) -> Evidence:
    digest = component.hashes.get("sha256", "")
    if component.type == "file" and digest:
        matches = base.files.get(component.name) == digest
        state = State.VERIFIED if matches and base.authenticated else State.PINNED
        return Evidence(where=component.name, digest=f"sha256:{digest}", state=state, by_tool=state is State.VERIFIED)
    tree = component.properties(properties.TREE_DIGEST)
    if tree or digest:
        return Evidence(where=component.name, digest=tree[0] if tree else f"sha256:{digest}", state=State.PINNED)
    state = State.REFERENCED if component.references else State.DECLARED
    return Evidence(where=component.name or component.where, state=state)


def _reference(base: EvidenceBase, reference: Json) -> Evidence:
    url = str(reference.get("url"))[:500]
    hashes = ComponentView(reference, url).hashes
    digest = hashes.get("sha256", "")
    if digest and base.files.get(url) == digest and base.authenticated:
        return Evidence(where=url, digest=f"sha256:{digest}", state=State.VERIFIED, by_tool=True)
    state = State.PINNED if hashes else State.REFERENCED
    return Evidence(where=url, digest=f"sha256:{digest}" if digest else "", state=state)


def _categories(reference: Json) -> tuple[str, ...]:
    stated = ComponentView(reference, "").properties(properties.CATEGORY)
    comment = str(reference.get("comment") or "")
    named = (comment,) if comment.startswith(("docs/", "security/")) else ()
    by_type = _REFERENCE_TYPES.get(str(reference.get("type")), "")
    return stated or named or ((by_type,) if by_type else ())


def _libraries(components: Iterable[ComponentView]) -> list[Evidence]:
    named = [c for c in components if c.type in {"library", "framework"}]
    return [Evidence(where=c.at("purl") or c.name, state=State.DECLARED) for c in named]
