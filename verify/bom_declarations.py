"""What the files declare must be in the BOM, under the same name, version, tag and address.

A component can be taken out of a BOM together with everything that refers to it, or be given another version, and the
BOM be signed again. The files still tell.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from aibom.core.finding import Finding, contradiction
from aibom.core.strictjson import Json
from aibom.cyclonedx.properties import CATEGORY
from aibom.cyclonedx.view import Bom
from aibom.formats.detect import WEIGHT_CATEGORIES
from aibom.formats.model_card import is_card_like
from verify.declared import Declared

_SHOWN = 20
_HINT = "ask the publisher to build and sign the release again"


def check_declared(bom: Bom, declared: Iterable[Declared]) -> tuple[Finding, ...]:
    """Compare the declarations with the components of a bound BOM."""
    listed = sorted(declared, key=lambda item: (item.file.count("/"), item.file))
    models = {component.name for component in bom.models}
    ancestors = {name for model in bom.models for name in _ancestors(model.at("pedigree", "ancestors"))}
    purls = {str(component.at("purl") or "") for component in bom.models}
    known = {
        "dependency": {component.name for component in bom.components if component.type in {"library", "framework"}},
        "base image": {component.name for component in bom.components if component.type == "container"},
        "hosted service": {str(item.get("name")) for item in bom.objects("services")},
        "data set": {component.name for component in bom.components if component.type == "data"},
        "base model": ancestors | models,
        "model": ancestors | models | {_hub_name(purl) for purl in purls},
    }
    weights = list(_weights(bom.model.raw)) if bom.model else []
    cards = [item for item in listed if item.card and is_card_like(item.card) and not item.card.describes_dataset]
    cards = [item for item in cards if _lies_beside(item.file, weights)]
    spoken = [*(item for item in listed if item.card is None), *(_of_card(item) for item in cards[:1])]
    own = _named_without_owner(spoken)
    findings = [
        _left_out(item.file, kind, name)
        for item in spoken
        for kind, names in _by_kind(item).items()
        for name in names
        if not _is_known(name, known[kind], own)
    ]
    findings += [finding for item in spoken for finding in _differing(bom, item)]
    findings += _misplaced(bom, spoken)
    return tuple(dict.fromkeys(findings))[:_SHOWN]


def _weights(component: Json) -> Iterator[str]:
    """The files of a model and of its parts that hold parameters."""
    parts = component.get("components")
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, dict):
            if any(
                isinstance(x, dict) and x.get("name") == CATEGORY and x.get("value") in WEIGHT_CATEGORIES
                for x in part.get("properties") or ()
            ):
                yield str(part.get("name"))
            yield from _weights(part)


def _lies_beside(file: str, weights: list[str]) -> bool:
    """A card speaks for the main model in the root, or in a folder that holds all its weights.

    Where the BOM names no weights, every card is listened to: leaving them out must not silence a card.
    """
    folder = file.rpartition("/")[0]
    return not folder or all(name.startswith(f"{folder}/") for name in weights)


def _named_without_owner(spoken: Iterable[Declared]) -> set[str]:
    """Base models that some file names without an owner: for those, `bert` and `google/bert` may be one model."""
    return {name.lower() for item in spoken for name in item.base_models if "/" not in name}


def _is_known(name: str, known: set[str], ownerless: set[str]) -> bool:
    """Whether a name is there, in any case of letters, or under the name that another file gives it."""
    if name in known:
        return True
    plain = {other.lower() for other in known}
    base = name.rpartition("/")[2].lower()
    if "/" in name:
        return name.lower() in plain or (base in ownerless and base in plain)
    return base in {other.rpartition("/")[2] for other in plain}


def _differing(bom: Bom, item: Declared) -> Iterator[Finding]:
    """Pins, tags and addresses that the BOM gives otherwise."""
    versions: dict[str, set[str]] = {}
    for component in bom.components:
        if component.type in {"library", "framework", "container"}:
            versions.setdefault(component.name, set()).add(str(component.at("version") or ""))
    for name, version in (*item.pins, *item.image_pins):
        if name in versions and version not in versions[name]:
            yield _differs(item.file, name, version, ", ".join(sorted(versions[name])) or "no version")
    endpoints: dict[str, set[str]] = {}
    for service in bom.objects("services"):
        listed = service.get("endpoints")
        endpoints.setdefault(str(service.get("name")), set()).update(listed if isinstance(listed, list) else [])
    for name, endpoint in item.endpoints:
        found = endpoints.get(name)
        if found and endpoint not in found:
            yield _differs(item.file, name, endpoint, ", ".join(sorted(map(str, found))))


def _misplaced(bom: Bom, spoken: Iterable[Declared]) -> Iterator[Finding]:
    """A base model must stand in the pedigree of the very model that the declaring file is about."""
    holders = {}
    for model in bom.models:
        parts = model.raw.get("components")
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict):
                holders[str(part.get("name"))] = model
    for item in spoken:
        about = holders.get(item.file) if item.is_adapter else bom.model
        if about is None:
            continue
        own = {name.lower() for name in _ancestors(about.at("pedigree", "ancestors"))} | {about.name.lower()}
        bases = {name.rpartition("/")[2] for name in own}
        for name in item.base_models:
            if name.lower() not in own and name.rpartition("/")[2].lower() not in bases:
                yield _left_out(item.file, f"base model of {about.name}", name)


def _differs(file: str, name: str, expected: str, found: str) -> Finding:
    return contradiction(
        "bom.declared-otherwise",
        f"the BOM gives {name} otherwise than the release declares it",
        where=file,
        expected=expected,
        found=found,
        hint=_HINT,
    )


def _by_kind(item: Declared) -> dict[str, tuple[str, ...]]:
    return {
        "dependency": item.libraries,
        "base image": item.images,
        "hosted service": item.services,
        "data set": item.datasets,
        "base model": item.base_models,
        "model": item.models,
    }


def _of_card(item: Declared) -> Declared:
    """The shallowest card speaks for the model, as it does for the builder."""
    card = item.card
    return Declared(
        file=item.file, datasets=card.datasets if card else (), base_models=card.base_models if card else ()
    )


def _hub_name(purl: str) -> str:
    """`owner/name` of a hub's package URL; empty for any other."""
    name = purl.removeprefix("pkg:huggingface/").partition("@")[0].partition("?")[0]
    return unquote(name) if purl.startswith("pkg:huggingface/") else ""


def _ancestors(listed: object) -> list[str]:
    items = listed if isinstance(listed, list) else []
    return [str(item.get("name")) for item in items if isinstance(item, dict)]


def _left_out(file: str, kind: str, name: str) -> Finding:
    return contradiction(
        "bom.left-out",
        f"the BOM leaves out a {kind} that the release declares: {name}",
        where=file,
        hint=_HINT,
    )
