"""Which licences the release declares, and where its sources disagree."""

from dataclasses import dataclass

from cyclonedx.spdx import fixup_id, is_expression

from aibom.build.account import Licence
from aibom.build.collect import CollectedFile, LicenceText
from aibom.formats.licences import names_no_licence
from aibom.formats.model_card import ModelCard
from aibom.formats.requirements import WheelMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Licensing:
    """What each part of a release is licensed under, as far as anybody says, and who disagrees with whom."""

    model: tuple[Licence, ...]
    code: tuple[Licence, ...]
    release: tuple[Licence, ...]
    conflicts: tuple[str, ...]


def licences_of(files: tuple[CollectedFile, ...], card: tuple[str, ModelCard] | None) -> Licensing:
    """For the model its card speaks first, for the code its package; a licence text speaks for either."""
    by_card, by_text, by_package = _from_card(card), _from_texts(files), _from_wheels(files)
    for_model = [*by_card, *by_text, *by_package][:1]
    for_code = [*by_package, *by_text, *by_card][:1]
    distinct = {licence.name: licence for licence in [*for_code, *for_model]}
    return Licensing(
        model=tuple(for_model),
        code=tuple(for_code),
        release=tuple(distinct[name] for name in sorted(distinct)),
        conflicts=_conflicts([*by_card, *by_text, *by_package]),
    )


def _conflicts(stated: list[Licence]) -> tuple[str, ...]:
    if not stated:
        return ()
    first = stated[0]
    others = {licence.name: licence for licence in reversed(stated[1:]) if licence.name != first.name}
    return tuple(
        f"licence: {first.source} says {first.name}, {other.source} says {other.name}"
        for other in sorted(others.values(), key=lambda licence: licence.source)
    )


def _from_card(card: tuple[str, ModelCard] | None) -> list[Licence]:
    if card is None:
        return []
    name, content = card
    source = f"{name}, front matter, license"
    if content.license_name and names_no_licence(content.license):
        return [Licence(name=content.license_name, is_spdx=False, source=source, url=content.license_link)]
    return [_licence(content.license, source, content.license_link)] if not names_no_licence(content.license) else []


def _from_texts(files: tuple[CollectedFile, ...]) -> list[Licence]:
    found = [(f, f.fact.identifier) for f in files if isinstance(f.fact, LicenceText) and f.fact.identifier]
    found.sort(key=lambda pair: (pair[0].name.count("/"), pair[0].name))
    return [Licence(name=identifier, is_spdx=True, source=f"text of {file.name}") for file, identifier in found]


def _from_wheels(files: tuple[CollectedFile, ...]) -> list[Licence]:
    wheels = [(f.name, f.fact) for f in files if isinstance(f.fact, WheelMetadata)]
    return [_licence(w.license, f"{name}, License") for name, w in wheels if not names_no_licence(w.license)]


def _licence(text: str, source: str, url: str = "") -> Licence:
    identifier = fixup_id(text.strip())
    if identifier:
        return Licence(name=identifier, is_spdx=True, source=source, url=url)
    is_spdx = " " in text and is_expression(text)
    return Licence(name=text.strip().split("\n", 1)[0][:200], is_spdx=is_spdx, source=source, url=url)
