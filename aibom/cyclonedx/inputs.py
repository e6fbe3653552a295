"""What a BOM says that a release was made from: base models, data sets elsewhere, the code's revision, base images.

Files of the release itself are no inputs here: whoever speaks about the release names them as such.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aibom.core.strictjson import Json
from aibom.cyclonedx import properties
from aibom.cyclonedx.view import Bom, ComponentView

_COMMIT = re.compile(r"\bcommit ([0-9a-f]{40}|[0-9a-f]{64})\b")
_REVISION = re.compile(r"[0-9a-f]{40}")
_WEB = re.compile(r"https?://")
_HUB = "https://huggingface.co/"
MAX_INPUTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Something that went into a release: where it is found, and its digests where they are known."""

    name: str
    uri: str
    digests: Mapping[str, str] = field(default_factory=dict)


def inputs_of(bom: Bom) -> tuple[Input, ...]:
    """Every input that has an address, once, in the order of the BOM; at most `MAX_INPUTS`.

    One that is named again without its revision adds nothing.
    """
    found: dict[str, Input] = {}
    for item in _all(bom):
        if len(found) < MAX_INPUTS:
            found.setdefault(item.uri, item)
    pinned = {item.name for item in found.values() if item.digests}
    return tuple(item for item in found.values() if item.digests or item.name not in pinned)


def _all(bom: Bom) -> Iterator[Input]:
    for reference in bom.root.references if bom.root else []:
        yield from _code(reference)
    for model in bom.models:
        ancestors = model.at("pedigree", "ancestors")
        for raw in ancestors if isinstance(ancestors, list) else []:
            ancestor = ComponentView(raw if isinstance(raw, dict) else {}, "pedigree.ancestors")
            if not ancestor.properties(properties.SAME_AS):
                yield from _component(ancestor)
    for component in bom.components:
        if component.type in {"data", "container"} and component.at("components") is None:
            yield from _component(component)


def _component(component: ComponentView) -> Iterator[Input]:
    """A component that is found elsewhere: by its package URL, the address of its distribution, or that as its name."""
    purl, version = component.at("purl"), component.at("version")
    places = [str(r.get("url")) for r in component.references if r.get("type") == "distribution"]
    places += [component.name] if _WEB.match(component.name) else []  # a card may name a data set so
    uri = purl if isinstance(purl, str) else places[0] if places else ""
    if not uri or component.properties(properties.FOLDER):
        return
    digests = {name: value for name, value in component.hashes.items() if name.startswith("sha")}
    # A hub's revisions are commits of a Git repository.
    if isinstance(version, str) and _REVISION.fullmatch(version) and any(p.startswith(_HUB) for p in places):
        digests["gitCommit"] = version
    yield Input(name=component.name, uri=uri, digests=digests)


def _code(reference: Json) -> Iterator[Input]:
    """The repository that the release was checked out from, if the BOM gives its commit."""
    url, comment = reference.get("url"), reference.get("comment")
    commit = _COMMIT.search(comment) if isinstance(comment, str) else None
    if reference.get("type") == "vcs" and isinstance(url, str) and commit:
        yield Input(name="code", uri=url, digests={"gitCommit": commit.group(1)})
