"""What stands under which heading of a card. What a model is not for is never given as what it is for.

CycloneDX has a list of use cases and none of misuses: what is out of scope stands in the same list, and says so itself.
"""

import re

from aibom.build.account import Source, Sourced
from aibom.formats.model_card import ModelCard

_MISUSE = re.compile(
    r"out[ -]of[ -]scope|\bmis-?use|\b(?:unintended|prohibited|disallowed|inappropriate|forbidden|unsuitable)\b"
    r"|\bnot (?:\w+ ){0,3}(?:for|intended|use)|\bdo not use"
)
LABEL = "Out of scope: "
_USES = ("intended use", "direct use", "uses", "use cases")


def uses_of(card: tuple[str, ModelCard] | None) -> tuple[Sourced, ...]:
    """What stands under the first heading on uses; of one that gathers its sub-headings, without those on misuse."""
    for heading, text in card[1].sections.items() if card else ():
        kept = _without_misuse(text) if any(word in heading for word in _USES) and not _MISUSE.search(heading) else ""
        if kept:
            return (Sourced(kept, Source(card[0] if card else "", f"heading {heading!r}")),)
    return ()


def misuses(card: tuple[str, ModelCard] | None) -> tuple[Sourced, ...]:
    """What the card says the model is not for, each text once and labelled as that."""
    found: dict[str, Sourced] = {}
    for heading, text in card[1].sections.items() if card else ():
        if text and _MISUSE.search(heading):
            shown = f"{LABEL}{text}"
            found.setdefault(shown, Sourced(shown, Source(card[0] if card else "", f"heading {heading!r}")))
    return tuple(found.values())


def _without_misuse(text: str) -> str:
    """A text without what stands under sub-headings on misuse, down to the next heading."""
    kept, skipping = list[str](), False
    for line in text.split("\n"):
        if line.startswith("#"):
            skipping = _MISUSE.search(line.lower()) is not None
        if not skipping:
            kept.append(line)
    return "\n".join(kept).strip()
