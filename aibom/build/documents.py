"""Addresses that the release states: where its code, its paper, its project and its support are found."""

from collections.abc import Iterator

from aibom.build.account import Link, Source
from aibom.build.collect import Collection
from aibom.build.evidence import beside_model, facts, main_folder, model_card
from aibom.build.publisher import NAME as PUBLISHER
from aibom.formats.citation_file import CitationFile
from aibom.formats.pyproject import Pyproject
from aibom.formats.requirements import WheelMetadata

# What a card or a project calls an address → the CycloneDX type of reference.
_TYPES = {
    "repository": "vcs",
    "paper": "documentation",
    "demo": "website",
    "homepage": "website",
    "home": "website",
    "github": "vcs",
    "code": "vcs",
    "docs": "documentation",
    "release notes": "release-notes",
    "tracker": "issue-tracker",
    "issue tracker": "issue-tracker",
    "source": "vcs",
    "source code": "vcs",
    "documentation": "documentation",
    "changelog": "release-notes",
    "issues": "issue-tracker",
    "bug tracker": "issue-tracker",
}
_WEB = ("https://", "http://")


def links_of(collection: Collection) -> tuple[Link, ...]:
    """Every address once, by type; the first place that states it is its source."""
    found: dict[tuple[str, str], Link] = {}
    for link in _stated(collection):
        if link.url.startswith(_WEB) or link.type == "vcs":
            found.setdefault((link.type, link.url), link)
    return tuple(sorted(found.values(), key=lambda link: (link.type, link.url)))


def _stated(collection: Collection) -> Iterator[Link]:
    said = collection.publisher
    for number, link in enumerate(said.links if said else ()):
        yield Link(type=link.type, url=link.url, comment=link.comment, source=Source(PUBLISHER, f"link[{number}]"))
    card = model_card(collection.files)
    for label in card[1].labels if card else ():
        if label.name in _TYPES and label.url:
            source = Source(card[0] if card else "", label.label)
            yield Link(type=_TYPES[label.name], url=label.url, comment=label.name, source=source)
    for file, citation in facts(beside_model(collection.files, main_folder(collection.files)), CitationFile):
        yield from _cited(file.name, citation)
    for file, project in facts(collection.files, Pyproject):
        for name, url in project.urls.items():
            kind = _TYPES.get(name.lower(), "website")
            yield Link(type=kind, url=url, comment=name, source=Source(file.name, f"urls, {name}"))
    for file, wheel in facts(collection.files, WheelMetadata):
        for name, url in wheel.urls:
            kind = _TYPES.get(name.lower(), "website")
            yield Link(type=kind, url=url, comment=name, source=Source(file.name, f"Project-URL, {name}"))
    checkout = collection.checkout
    if checkout and checkout.remote:
        commit = f"commit {checkout.commit}" if checkout.commit else "commit not known"
        yield Link(type="vcs", url=checkout.remote, comment=commit, source=Source(".git", "remote origin"))


def _cited(file: str, citation: CitationFile) -> Iterator[Link]:
    doi = citation.doi or citation.preferred_doi
    if doi:
        yield Link(type="documentation", url=f"https://doi.org/{doi}", comment="citation", source=Source(file, "doi"))
    if citation.repository_code:
        yield Link(type="vcs", url=citation.repository_code, source=Source(file, "repository-code"))
    if citation.url:
        yield Link(type="website", url=citation.url, source=Source(file, "url"))
