"""`CITATION.cff`: how the authors want their work to be cited, and with it who they are and which release this is.

YAML reads `version: 1.10` as the number 1.1; the version is what was written, so it is looked up in the text then.
Fields: Citation File Format 1.2.0.
"""

import re
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.formats.yaml_block import MAX_BYTES as MAX_BYTES  # the bound is the YAML reader's
from aibom.formats.yaml_block import parse_yaml_mapping

_MAX_AUTHORS = 5000
_MAX_ENTRIES = 1000
_VERSION_LINE = re.compile(rb"^version:[ \t]{0,20}([0-9.]{1,40})[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedAuthor:
    """A person or an organisation."""

    name: str
    """Of a person: given names, particle, family names, suffix, in this order."""
    is_person: bool
    affiliation: str = ""
    orcid: str = ""
    email: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedIdentifier:
    """One identifier: its kind (`doi`, `url`, `swh`, `other`) and value."""

    type: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CitationFile:
    """What a citation file says."""

    cff_version: str
    title: str
    type: str
    """`software` or `dataset`."""
    version: str
    doi: str
    date_released: str
    commit: str
    url: str
    repository: str
    repository_code: str
    repository_artifact: str
    license_url: str
    abstract: str
    licenses: tuple[str, ...]
    keywords: tuple[str, ...]
    authors: tuple[CitedAuthor, ...]
    identifiers: tuple[CitedIdentifier, ...]
    preferred_title: str
    """Of `preferred-citation`: often the paper rather than the release."""
    preferred_doi: str


def parse_citation(data: bytes, where: str) -> CitationFile:
    """Read a citation file. Raises InputError if it is not plain YAML with `cff-version` and a title."""
    document = parse_yaml_mapping(data, where)
    for needed in ("cff-version", "title"):
        if not _scalar(document.get(needed)):
            raise InputError("a citation file needs a text here", where=f"{where}, {needed}")
    preferred = document.get("preferred-citation")
    cited: dict[Any, Any] = preferred if isinstance(preferred, dict) else {}
    return CitationFile(
        cff_version=_scalar(document["cff-version"]),
        title=_scalar(document["title"]),
        type=_scalar(document.get("type")),
        version=_version(document.get("version"), data),
        doi=_doi(document),
        date_released=_scalar(document.get("date-released")),
        commit=_scalar(document.get("commit")),
        url=_scalar(document.get("url")),
        repository=_scalar(document.get("repository")),
        repository_code=_scalar(document.get("repository-code")),
        repository_artifact=_scalar(document.get("repository-artifact")),
        license_url=_scalar(document.get("license-url")),
        abstract=_scalar(document.get("abstract")),
        licenses=_scalars(document.get("license")),
        keywords=_scalars(document.get("keywords")),
        authors=_authors(document.get("authors"), f"{where}, authors"),
        identifiers=_identifiers(document.get("identifiers")),
        preferred_title=_scalar(cited.get("title")),
        preferred_doi=_scalar(cited.get("doi")),
    )


def _version(value: Any, data: bytes) -> str:
    written = _VERSION_LINE.findall(data) if isinstance(value, float) else []
    return written[0].decode("ascii") if len(written) == 1 else _scalar(value)


def _doi(document: dict[str, Any]) -> str:
    """The field `doi`, or the only identifier of that kind."""
    found = [item.value for item in _identifiers(document.get("identifiers")) if item.type == "doi"]
    return _scalar(document.get("doi")) or (found[0] if len(found) == 1 else "")


def _authors(value: Any, where: str) -> tuple[CitedAuthor, ...]:
    entries = value if isinstance(value, list) else []
    if len(entries) > _MAX_AUTHORS:
        raise InputError(f"{len(entries)} authors; at most {_MAX_AUTHORS} are read", where=where)
    found = [_author(entry) for entry in entries if isinstance(entry, dict)]
    return tuple(author for author in found if author.name)


def _author(entry: dict[Any, Any]) -> CitedAuthor:
    entity = _scalar(entry.get("name"))
    parts = [_scalar(entry.get(key)) for key in ("given-names", "name-particle", "family-names", "name-suffix")]
    return CitedAuthor(
        name=entity or " ".join(part for part in parts if part) or _scalar(entry.get("alias")),
        is_person=not entity,
        affiliation=_scalar(entry.get("affiliation")),
        orcid=_scalar(entry.get("orcid")),
        email=_scalar(entry.get("email")),
        website=_scalar(entry.get("website")),
    )


def _identifiers(value: Any) -> tuple[CitedIdentifier, ...]:
    entries = value[:_MAX_ENTRIES] if isinstance(value, list) else []
    return tuple(
        CitedIdentifier(type=_scalar(entry.get("type")), value=_scalar(entry.get("value")))
        for entry in entries
        if isinstance(entry, dict) and _scalar(entry.get("value"))
    )


def _scalars(value: Any) -> tuple[str, ...]:
    items = value[:_MAX_ENTRIES] if isinstance(value, list) else [value]
    return tuple(text for text in map(_scalar, items) if text)


def _scalar(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value).strip()
