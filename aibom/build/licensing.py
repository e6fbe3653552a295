"""Which licences the release declares, and where its sources disagree."""

from collections.abc import Iterable
from dataclasses import dataclass

from aibom.build.account import Licence, Source
from aibom.build.collect import CollectedFile
from aibom.build.evidence import beside_model, common_folder, facts, first, main_folder, model_card, own_files
from aibom.build.publisher import NAME as PUBLISHER
from aibom.build.publisher import Publisher
from aibom.formats.citation_file import CitationFile
from aibom.formats.gguf import GgufHeader
from aibom.formats.licence_texts import RecognisedText
from aibom.formats.licences import (
    LicenceKind,
    LicenceName,
    licence_conflicts,
    licence_of_text,
    names_no_licence,
    parse_licence,
    same_licence,
)
from aibom.formats.onnx import OnnxModel
from aibom.formats.pyproject import Pyproject
from aibom.formats.requirements import WheelMetadata
from aibom.formats.safetensors import SafetensorsHeader

_TEXT_GNU = "text, which does not say whether later versions may be chosen"
_SPDX = frozenset({LicenceKind.SPDX_ID, LicenceKind.SPDX_EXPRESSION})


@dataclass(frozen=True, slots=True)
class Stated:
    """One statement of a licence."""

    name: LicenceName
    source: Source
    link: str = ""
    text_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Licensing:
    """What each part of a release is licensed under, as far as anybody says, and who disagrees with whom."""

    model: tuple[Licence, ...]
    code: tuple[Licence, ...]
    release: tuple[Licence, ...]
    conflicts: tuple[str, ...]


def licences_of(
    files: tuple[CollectedFile, ...], publisher: Publisher | None, derived: frozenset[str] = frozenset()
) -> Licensing:
    """For the model its card speaks first, for the code its package; a licence text speaks for either.

    `derived` are files of conversions and adapters: what they say is theirs, and only compared with the rest.
    """
    own = [file for file in files if file.name not in derived]
    folder = common_folder(file.name for file in own if file.classification.is_weights)
    by_card, by_text, by_package = _from_card(files), _from_texts(files, folder), _from_packages(own_files(files, ()))
    by_header, by_citation = _from_headers(own), _from_citation(beside_model(files, main_folder(files)))
    said_of_model, said_of_release = _from_publisher(publisher, "model"), _from_publisher(publisher, "release")
    everything = [*said_of_model, *said_of_release, *by_card, *by_text, *by_package, *by_header, *by_citation]
    for_model = _agreed([*said_of_model, *by_card, *by_header, *by_text, *by_package, *by_citation], everything)
    for_code = _agreed([*by_package, *by_text, *by_card], everything)
    for_release = _agreed(said_of_release, everything) or _distinct([*for_code, *for_model])
    foreign = _from_headers(file for file in files if file.name in derived)
    conflicts = licence_conflicts([(str(item.source), item.name) for item in _contested([*everything, *foreign])])
    return Licensing(model=for_model, code=for_code, release=for_release, conflicts=tuple(conflicts))


def licence_from(text: str, source: Source, link: str = "") -> tuple[Licence, ...]:
    """One statement as a licence; nothing if it says nothing."""
    name = parse_licence(text)
    return () if name.kind is LicenceKind.NONE else (_licence(Stated(name, source, link), ()),)


def _agreed(statements: list[Stated], everything: list[Stated]) -> tuple[Licence, ...]:
    """The first statement with all others that say the same; each licence of it, where one place names several."""
    together = [item for item in statements if item.source == statements[0].source]
    found: list[Licence] = []
    for chosen in together:
        same = [item for item in everything if item is not chosen and same_licence(chosen.name, item.name)]
        licence = _licence(chosen, same)
        if all(licence.name != known.name for known in found):
            found.append(licence)
    return tuple(found)


def _contested(statements: list[Stated]) -> list[Stated]:
    """What may contradict the first place: its licences are one statement, and whoever names one of them agrees."""
    together = [item for item in statements if item.source == statements[0].source]
    others = [item for item in statements if item.source != statements[0].source]
    return together[:1] + [item for item in others if not any(same_licence(x.name, item.name) for x in together)]


def _distinct(licences: list[Licence]) -> tuple[Licence, ...]:
    by_name = {licence.name: licence for licence in reversed(licences)}
    return tuple(by_name[name] for name in sorted(by_name))


def _licence(chosen: Stated, same: Iterable[Stated]) -> Licence:
    agreeing = [chosen, *same]
    name = chosen.name
    return Licence(
        name=(name.identifier or name.name).strip().split("\n", 1)[0][:200],
        is_spdx=name.kind in _SPDX,
        sources=tuple(dict.fromkeys(item.source for item in agreeing)),
        url=next((item.link for item in agreeing if item.link), "" if name.kind in _SPDX else name.url),
        restricts_use=any(item.name.use_restrictions for item in agreeing),
        text_file=next((item.text_file for item in agreeing if item.text_file), ""),
    )


def _stated(text: str, source: Source, link: str = "") -> list[Stated]:
    name = parse_licence(text)
    return [] if name.kind is LicenceKind.NONE else [Stated(name, source, link)]


def _from_publisher(publisher: Publisher | None, section: str) -> list[Stated]:
    table = {"model": publisher.model, "release": publisher.release}[section] if publisher else {}
    return _stated(table.get("license", ""), Source(PUBLISHER, f"{section}.license"))


def _from_card(files: tuple[CollectedFile, ...]) -> list[Stated]:
    found = model_card(files)
    if found is None:
        return []
    name, card = found
    source = Source(name, "front matter, license")
    if card.license_name and names_no_licence(card.license):
        return _stated(card.license_name, Source(name, "front matter, license_name"), card.license_link)
    if len(card.licenses) > 1:
        return [item for text in card.licenses for item in _stated(text, source, card.license_link)]
    labelled = [item for label in card.labels if label.name == "license" for item in _label(label.value, name)]
    return _stated(card.license, source, card.license_link) or labelled


def _label(value: str, file: str) -> list[Stated]:
    """A line "License: MIT" of a card; words that are no licence we know are left alone."""
    found = _stated(value, Source(file, "line License"))
    return [item for item in found if item.name.kind is not LicenceKind.UNKNOWN_NAME]


def _from_texts(files: tuple[CollectedFile, ...], folder: str) -> list[Stated]:
    """A licence text speaks for what lies in its folder and below; a package's own texts for the package."""
    return [
        Stated(licence_of_text(text), Source(file.name, _TEXT_GNU if _is_gnu(text) else "text"), text_file=file.name)
        for file, text in facts(files, RecognisedText)
        if text.name and (".dist-info/" in file.name or f"{folder}/".startswith(_reach(file.name)))
    ]


def _reach(name: str) -> str:
    """The folder that a licence text covers: its own, or the one above a folder that is called after licences."""
    *folders, _ = name.split("/")
    if folders and folders[-1].lower() in {"licenses", "licences", "legal"}:
        folders.pop()
    return "/".join((*folders, "")) if folders else ""


def _is_gnu(text: RecognisedText) -> bool:
    return "GPL-" in text.identifier


def _from_packages(files: tuple[CollectedFile, ...]) -> list[Stated]:
    projects = [item for f, p in facts(files, Pyproject) for item in _stated(p.license, Source(f.name, "license"))]
    return projects + [
        item
        for f, wheel in facts(files, WheelMetadata)
        for item in _stated(wheel.license, Source(f.name, wheel.license_field))
    ]


def _from_headers(files: Iterable[CollectedFile]) -> list[Stated]:
    """Licences inside weights: GGUF, safetensors metadata, ONNX metadata."""
    found: list[Stated] = []
    for file in files:
        fact = file.fact
        if isinstance(fact, GgufHeader):
            found += _stated(fact.license_name or fact.license, Source(file.name, "general.license"))
        elif isinstance(fact, SafetensorsHeader):
            found += _stated(fact.metadata.get("license", ""), Source(file.name, "__metadata__, license"))
        elif isinstance(fact, OnnxModel):
            found += _stated(fact.metadata.get("license", ""), Source(file.name, "metadata_props, license"))
    return found


def _from_citation(files: Iterable[CollectedFile]) -> list[Stated]:
    found = first(files, CitationFile)
    return [s for text in found[1].licenses for s in _stated(text, Source(found[0], "license"))] if found else []
