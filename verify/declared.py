"""What the files declare must be in the BOM: dependencies, data sets and base models that a component stands for.

A component can be taken out of a BOM together with everything that refers to it, and the BOM be signed again. The files
still tell, because the verifier reads them itself, with the readers that the builder has too but not with its rules.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aibom.core.errors import InputError
from aibom.core.finding import Finding, contradiction
from aibom.cyclonedx.view import Bom
from aibom.formats.detect import classify
from aibom.formats.model_card import ModelCard, is_card_like, parse_model_card
from aibom.formats.requirements import (
    is_requirements_file,
    is_wheel_metadata,
    parse_requirements,
    parse_wheel_metadata,
)
from aibom.sources.local import ReadFile

_LIMIT = 4 * 1024 * 1024
_SHOWN = 20
_HINT = "ask the publisher to build and sign the release again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What one file declares. Files that cannot be read declare nothing: that they are odd, the BOM says."""

    file: str
    libraries: tuple[str, ...] = ()
    card: ModelCard | None = None


def retain(name: str, size: int) -> int:
    """How many leading bytes of a file `read_declared` needs."""
    return min(size, _LIMIT) if is_requirements_file(name) or is_wheel_metadata(name) or _is_readme(name) else 0


def read_declared(file: ReadFile) -> Declared | None:
    """Read what a file declares; None if it is not of a kind that does, or cannot be read."""
    name = file.entry.name
    if file.entry.size > len(file.kept):
        return None
    try:
        if is_requirements_file(name):
            found, _ = parse_requirements(file.kept, name)
            return Declared(file=name, libraries=tuple(d.name for d in found))
        if is_wheel_metadata(name):
            wheel = parse_wheel_metadata(file.kept, name)
            return Declared(file=name, libraries=tuple(d.name for d in wheel.dependencies))
        if _is_readme(name) and classify(name, file.entry.size, file.kept).category == "docs/model-card":
            return Declared(file=name, card=parse_model_card(file.kept, name))
    except InputError:
        return None
    return None


def check_declared(bom: Bom, declared: Iterable[Declared]) -> tuple[Finding, ...]:
    """Compare the declarations with the components of a bound BOM."""
    listed = sorted(declared, key=lambda item: (item.file.count("/"), item.file))
    libraries = {component.name for component in bom.components if component.type in {"library", "framework"}}
    findings = [
        _left_out(item.file, "dependency", name) for item in listed for name in item.libraries if name not in libraries
    ]
    cards = [item for item in listed if item.card and is_card_like(item.card) and not item.card.describes_dataset]
    findings += _card(bom, cards[0]) if cards else ()
    return tuple(findings[:_SHOWN])


def _card(bom: Bom, item: Declared) -> Iterator[Finding]:
    """The shallowest card speaks for the model, as it does for the builder."""
    data = {component.name for component in bom.components if component.type == "data"}
    ancestors = {name for model in bom.models for name in _ancestors(model.at("pedigree", "ancestors"))}
    card = item.card
    for name in card.datasets if card else ():
        if name not in data:
            yield _left_out(item.file, "data set", name)
    for name in card.base_models if card else ():
        if name not in ancestors:
            yield _left_out(item.file, "base model", name)


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


def _is_readme(name: str) -> bool:
    return name.rsplit("/", 1)[-1].lower() == "readme.md"
