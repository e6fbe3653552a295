"""What the files declare must be in the BOM, under the same name, version, tag and address.

A component can be taken out of a BOM together with everything that refers to it, or be given another version, and the
BOM be signed again. The files still tell.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from aibom.core.finding import Finding, contradiction
from aibom.core.strictjson import Json
from aibom.cyclonedx.properties import CATEGORY
from aibom.cyclonedx.view import Bom, ComponentView
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
    names_of = {kind: _Names.of(names) for kind, names in known.items()}
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
        if not names_of[kind].has(name, own)
    ]
    stated = _stated(bom)
    findings += [finding for item in spoken for finding in _differing(stated, item)]
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


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of one kind that the BOM has, ready to be looked up for any number of declarations."""

    exact: frozenset[str]
    plain: frozenset[str]
    """In lower case."""
    bases: frozenset[str]
    """In lower case, without their owners."""

    @staticmethod
    def of(names: Iterable[str]) -> "_Names":
        exact = frozenset(names)
        plain = frozenset(name.lower() for name in exact)
        return _Names(exact, plain, frozenset(name.rpartition("/")[2] for name in plain))

    def has(self, name: str, ownerless: set[str]) -> bool:
        """Whether a name is there, in any case of letters, or under the name that another file gives it."""
        if name in self.exact:
            return True
        base = name.rpartition("/")[2].lower()
        if "/" in name:
            return name.lower() in self.plain or (base in ownerless and base in self.plain)
        return base in self.bases


@dataclass(frozen=True, slots=True)
class _Stated:
    """What the BOM says of libraries and images, and of services: by name."""

    versions: dict[str, set[str]]
    endpoints: dict[str, set[str]]


def _stated(bom: Bom) -> _Stated:
    stated = _Stated({}, {})
    for component in bom.components:
        if component.type in {"library", "framework", "container"}:
            stated.versions.setdefault(component.name, set()).add(str(component.at("version") or ""))
    for service in bom.objects("services"):
        listed = service.get("endpoints")
        found = {str(item) for item in listed} if isinstance(listed, list) else set()
        stated.endpoints.setdefault(str(service.get("name")), set()).update(found)
    return stated


def _differing(stated: _Stated, item: Declared) -> Iterator[Finding]:
    """Pins, tags and addresses that the BOM gives otherwise."""
    for name, version in (*item.pins, *item.image_pins):
        versions = stated.versions.get(name)
        if versions is not None and version not in versions:
            yield _differs(item.file, name, version, ", ".join(sorted(versions)[:_SHOWN]) or "no version")
    for name, endpoint in item.endpoints:
        found = stated.endpoints.get(name)
        if found and endpoint not in found:
            yield _differs(item.file, name, endpoint, ", ".join(sorted(found)[:_SHOWN]))


def _misplaced(bom: Bom, spoken: Iterable[Declared]) -> Iterator[Finding]:
    """A base model must stand in the pedigree of the very model that the declaring file is about."""
    holders: dict[str, _Lineage] = {}
    for model in bom.models:
        lineage, parts = _Lineage.of(model), model.raw.get("components")
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict):
                holders[str(part.get("name"))] = lineage
    main = _Lineage.of(bom.model) if bom.model else None
    for item in spoken:
        about = holders.get(item.file) if item.is_adapter else main
        for name in item.base_models if about else ():
            if about and name.lower() not in about.own.plain and name.rpartition("/")[2].lower() not in about.own.bases:
                yield _left_out(item.file, f"base model of {about.name}", name)


@dataclass(frozen=True, slots=True)
class _Lineage:
    """A model's name, and that with the names of its ancestors."""

    name: str
    own: _Names

    @staticmethod
    def of(model: ComponentView) -> "_Lineage":
        return _Lineage(model.name, _Names.of([*_ancestors(model.at("pedigree", "ancestors")), model.name]))


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
