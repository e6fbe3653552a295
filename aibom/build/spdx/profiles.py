"""The profiles of SPDX that a document claims, and why it does not claim the others.

The AI and Dataset profiles ask every package for fields that often nobody states: when it was released, who supplies
it, where it can be had. They are not made up; a document with such a gap does not claim the profile, though it uses the
profile's classes, and its comment says what is open. Specification: SPDX 3.0.1, classes AIPackage and DatasetPackage,
"External properties cardinality updates".
"""

from collections.abc import Iterable

from spdx_python_model import v3_0_1 as spdx

_ALWAYS = ("core", "software", "simpleLicensing")
_REQUIRED: tuple[tuple[type[spdx.software_Package], tuple[str, ...]], ...] = (
    (spdx.ai_AIPackage, ("releaseTime", "suppliedBy", "software_downloadLocation", "software_packageVersion")),
    (spdx.dataset_DatasetPackage, ("builtTime", "originatedBy", "releaseTime", "software_downloadLocation")),
)


def claimed(elements: Iterable[spdx.Element]) -> tuple[str, ...]:
    """The profiles that the elements conform to: those whose every required field is there."""
    listed = list(elements)
    conforming = [
        name
        for name, kind in (("ai", spdx.ai_AIPackage), ("dataset", spdx.dataset_DatasetPackage))
        if not any(_gaps(element) for element in listed if isinstance(element, kind))
    ]
    return tuple(sorted((*_ALWAYS, *conforming)))


def gaps_words(elements: Iterable[spdx.Element]) -> str:
    """Which required fields of which packages nobody states; empty if none is missing."""
    lines = sorted(line for element in elements for line in _gaps(element))
    return (
        "\n".join(
            [
                "The AI and Dataset profiles, where they are not claimed, ask for these as well; nobody states them.",
                *lines,
            ]
        )
        if lines
        else ""
    )


def _gaps(element: spdx.Element) -> list[str]:
    for kind, required in _REQUIRED:
        if isinstance(element, kind):
            missing = [name.removeprefix("software_") for name in required if not getattr(element, name)]
            return [f"{element.name}: {', '.join(missing)}"] if missing else []
    return []
