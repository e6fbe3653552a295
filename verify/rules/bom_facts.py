"""Facts about the BOM document itself: who wrote it, with what, when, how complete it says it is."""

from aibom.cyclonedx import properties
from aibom.cyclonedx.view import SPEC_VERSIONS
from verify.rules.evidence import ABSENT, Evidence, EvidenceBase, FactRule, Found, declared
from verify.vocabulary import State


def _format(base: EvidenceBase) -> Found:
    return declared("bomFormat", base.bom)


def _format_version(base: EvidenceBase) -> Found:
    if base.bom and base.bom.spec_version == SPEC_VERSIONS[0]:
        return Found(contradiction=f"CycloneDX {base.bom.spec_version} is superseded")
    return declared("specVersion", base.bom)


def _author(base: EvidenceBase) -> Found:
    return _metadata(base, "authors", "manufacturer")


def _timestamp(base: EvidenceBase) -> Found:
    return _metadata(base, "timestamp")


def _lifecycle(base: EvidenceBase) -> Found:
    return _metadata(base, "lifecycles")


def _tool(base: EvidenceBase) -> Found:
    return _tools(base, "name")


def _tool_version(base: EvidenceBase) -> Found:
    return _tools(base, "version")


def _version(base: EvidenceBase) -> Found:
    return declared("version", base.bom and isinstance(base.bom.raw.get("version"), int))


def _serial(base: EvidenceBase) -> Found:
    return declared("serialNumber", base.bom and base.bom.raw.get("serialNumber"))


def _dependencies(base: EvidenceBase) -> Found:
    """The graph must have an entry for the root."""
    if base.bom is None or base.bom.root is None:
        return ABSENT
    refs = [node.get("ref") for node in base.bom.objects("dependencies")]
    return declared("dependencies", base.bom.root.ref and base.bom.root.ref in refs)


def _completeness(base: EvidenceBase) -> Found:
    return declared("compositions", base.bom and base.bom.objects("compositions"))


def _unknowns(base: EvidenceBase) -> Found:
    """Unknown and withheld fields are marked, or there are none: every component says all that is asked of it."""
    if base.bom is None or not base.own_components:
        return ABSENT
    if all(c.licences and c.at("version") and (c.at("manufacturer") or c.at("supplier")) for c in base.own_components):
        return declared("components", value=True)
    named = [
        c.where for c in base.own_components if c.properties(properties.UNKNOWN) + c.properties(properties.WITHHELD)
    ]
    return declared(named[0] if named else "", named)


def _per_release(base: EvidenceBase) -> Found:
    """The BOM names this release's version, or is bound to its exact files by their tree digest."""
    root = base.bom.root if base.bom else None
    if root is None:
        return ABSENT
    tree = root.properties(properties.TREE_DIGEST)
    if tree and base.whole and base.authenticated:
        return Found(evidence=(Evidence(where=root.where, state=State.VERIFIED, digest=tree[0], by_tool=True),))
    return declared(root.where, root.at("version") or tree)


def _distribution(base: EvidenceBase) -> Found:
    roots = [base.bom.root] if base.bom and base.bom.root else []
    references = [r for root in roots for r in root.references] + (
        base.bom.objects("externalReferences") if base.bom else []
    )
    found = [r for r in references if r.get("type") == "bom"]
    return Found(evidence=tuple(Evidence(where=str(r.get("url"))[:200], state=State.REFERENCED) for r in found))


def _metadata(base: EvidenceBase, *keys: str) -> Found:
    for key in keys:
        if base.bom and base.bom.metadata.get(key):
            return declared(f"metadata.{key}", value=True)
    return ABSENT


def _tools(base: EvidenceBase, key: str) -> Found:
    tools = base.bom.metadata.get("tools") if base.bom else None
    listed = tools.get("components") if isinstance(tools, dict) else tools
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    if not items:
        return ABSENT
    lacking = tuple(str(item.get("name")) for item in items if not item.get(key))
    return Found(lacking=lacking) if lacking else declared(f"metadata.tools.components[0].{key}", value=True)


BOM_FACTS: dict[str, FactRule] = {
    "bom.author": _author,
    "bom.completeness": _completeness,
    "bom.dependencies": _dependencies,
    "bom.distribution": _distribution,
    "bom.format": _format,
    "bom.format_version": _format_version,
    "bom.lifecycle": _lifecycle,
    "bom.per_release": _per_release,
    "bom.serial": _serial,
    "bom.timestamp": _timestamp,
    "bom.tool": _tool,
    "bom.tool_version": _tool_version,
    "bom.unknowns": _unknowns,
    "bom.version": _version,
}
