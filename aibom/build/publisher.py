"""`aibom.toml`: what only the publisher knows. Strict: an unknown key is an error that names the nearest valid one.

What stands here is the publisher's own statement. It is written into the BOM with this file as its source, so that it
stays apart from what was read from the files; where the two disagree, both are reported.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any

from aibom.build.render.addresses import address
from aibom.build.vocabulary import categories, outcomes
from aibom.core.errors import InputError
from aibom.core.layout import attestation_name_problem
from aibom.core.names import name_problem

NAME = "aibom.toml"
MAX_BYTES = 1024 * 1024
_MAX_TEXT = 20_000
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
_EMAIL = re.compile(
    r"[A-Za-z0-9_%+-]{1,64}(?:\.[A-Za-z0-9_%+-]{1,64}){0,8}@[A-Za-z0-9]{1,63}(?:[.-][A-Za-z0-9]{1,63}){0,10}"
)
DISTRIBUTIONS = ("local", "hosted")
TLP = ("CLEAR", "GREEN", "AMBER", "AMBER_AND_STRICT", "RED")
APPROACHES = ("supervised", "unsupervised", "reinforcement-learning", "semi-supervised", "self-supervised")
LINK_TYPES = (
    "website", "documentation", "vcs", "issue-tracker", "distribution", "support", "release-notes", "advisories",
    "security-contact", "rfc-9116", "model-card", "risk-assessment", "threat-model", "adversary-model", "bom",
    "quality-metrics", "license", "evidence", "formulation", "attestation", "other",
)  # fmt: skip
# Fields that a publisher may keep back or say not to know, besides every category of the vocabulary.
FIELDS = (
    "license", "producer", "version", "hash", "training", "energy", "metrics", "lineage", "limitations", "intended-use",
    "provenance", "task", "name",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who answers for the release."""

    name: str
    email: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An address, and what is found there (a CycloneDX external reference type)."""

    type: str
    url: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStatement:
    """What the publisher says of one data set: named as its folder in the release, or as a card names it."""

    name: str
    version: str = ""
    license: str = ""
    owner: str = ""
    custodian: str = ""
    steward: str = ""
    classification: str = ""
    description: str = ""
    url: str = ""
    sensitive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAttestation:
    """An attestation that `aibom sign` makes besides that of the BOM; what is not stated is found out or filled in."""

    type: str
    predicate: str = ""
    """File of the release that holds the predicate."""
    name: str = ""
    builder_id: str = ""
    download_location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """The whole file; what is not stated is empty."""

    release: Mapping[str, str] = field(default_factory=dict)
    model: Mapping[str, str] = field(default_factory=dict)
    users: tuple[str, ...] = ()
    date: datetime | None = None
    author: Person | None = None
    people: tuple[Person, ...] = ()
    links: tuple[Link, ...] = ()
    data: tuple[DataStatement, ...] = ()
    attestations: tuple[WantedAttestation, ...] = ()
    categories: Mapping[str, str] = field(default_factory=dict)
    """Path or pattern in the release → category."""
    withheld: Mapping[str, str] = field(default_factory=dict)
    """Category or field → why it is kept back."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Category or field → why it is not known."""


_RELEASE = (
    "name", "version", "date", "supplier", "manufacturer", "description", "license", "outcome", "distribution", "tlp",
    "copyright",
)  # fmt: skip
_MODEL = (
    "name", "version", "hub", "developer", "license", "task", "approach", "description", "users", "intended-use",
    "limitations", "base-model", "base-revision",
)  # fmt: skip
_MAX_PATTERNS = 1000
_TOP = ("release", "model", "author", "person", "link", "data", "attestation", "categories", "withheld", "unknown")
_ATTESTATION = ("type", "predicate", "name", "builder-id", "download-location")
_CHOICES = {
    ("release", "distribution"): DISTRIBUTIONS,
    ("release", "tlp"): TLP,
    ("model", "approach"): APPROACHES,
}


def parse_publisher(data: bytes, where: str = NAME) -> Publisher:
    """Read the file. Raises InputError naming the key at fault and the nearest valid one."""
    document = _toml(data, where)
    _require_keys(document, _TOP, where)
    release, model = _table(document, "release", where), _table(document, "model", where)
    _require_keys(release, _RELEASE, f"{where}, release")
    _require_keys(model, _MODEL, f"{where}, model")
    moment = _moment(release.pop("date", None), f"{where}, release.date")
    users = _texts(model.pop("users", []), f"{where}, model.users")
    author = document.get("author")
    return Publisher(
        release=_values(release, "release", where),
        model=_values(model, "model", where),
        users=users,
        date=moment,
        author=_person(author, f"{where}, author") if author is not None else None,
        people=tuple(_person(item, place) for item, place in _items(document, "person", where)),
        links=tuple(_link(item, place) for item, place in _items(document, "link", where)),
        data=tuple(_data(item, place) for item, place in _items(document, "data", where)),
        attestations=tuple(_attestation(item, place) for item, place in _items(document, "attestation", where)),
        categories=_categories(_table(document, "categories", where), f"{where}, categories"),
        withheld=_reasons(_table(document, "withheld", where), f"{where}, withheld"),
        unknown=_reasons(_table(document, "unknown", where), f"{where}, unknown"),
    )


def _toml(data: bytes, where: str) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise InputError(f"{len(data)} bytes; at most {MAX_BYTES} are read", where=where)
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError("not valid UTF-8", where=f"{where}, byte {error.start}") from error
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InputError(
            f"not TOML: {str(error)[:200]}", where=where, hint="`aibom init` writes a valid one"
        ) from error


def nearest(word: str, valid: tuple[str, ...]) -> str:
    """A hint that names the nearest valid word, and all of them if they are few."""
    close = get_close_matches(word, valid, 1, 0.6)
    listed = f"valid here: {', '.join(valid)}" if len(valid) <= 25 else ""
    return "; ".join(filter(None, [f"did you mean {close[0]!r}?" if close else "", listed]))


def _require_keys(table: Mapping[str, Any], valid: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in valid:
            raise InputError(f"unknown key {key[:80]!r}", where=where, hint=nearest(key, valid))


def _table(document: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise InputError("expected a table", where=f"{where}, {key}", hint=f"write [{key}] on a line of its own")
    return dict(value)


def _items(document: dict[str, Any], key: str, where: str) -> list[tuple[Any, str]]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise InputError("expected a list of tables", where=f"{where}, {key}", hint=f"write [[{key}]]")
    return [(item, f"{where}, {key}[{index}]") for index, item in enumerate(value)]


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_TEXT:
        raise InputError(
            f"expected a text of 1 to {_MAX_TEXT} characters", where=where, hint="leave the key out if nothing is known"
        )
    return value.strip()


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InputError("expected a list of texts", where=where)
    return tuple(_text(item, f"{where}[{index}]") for index, item in enumerate(value))


def _values(table: Mapping[str, Any], section: str, where: str) -> dict[str, str]:
    found = {key: _text(value, f"{where}, {section}.{key}") for key, value in table.items()}
    for key, value in found.items():
        valid = outcomes() if (section, key) == ("release", "outcome") else _CHOICES.get((section, key), ())
        if valid and value not in valid:
            raise InputError(
                f"{value[:80]!r} is no {key}", where=f"{where}, {section}.{key}", hint=nearest(value, valid)
            )
    return found


def _moment(value: Any, where: str) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, date) and not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise InputError(f"the year {value.year}", where=where, hint=f"give a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise InputError("expected a date", where=where, hint="write it as 2026-03-01, without quotation marks")


def _record(value: Any, valid: tuple[str, ...], required: tuple[str, ...], where: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise InputError("expected a table", where=where)
    _require_keys(value, valid, where)
    for key in required:
        if key not in value:
            raise InputError(f"{key!r} is missing", where=where)
    return {key: _text(item, f"{where}.{key}") for key, item in value.items()}


def _person(value: Any, where: str) -> Person:
    person = Person(**_record(value, ("name", "email", "role"), ("name",), where))
    if person.email and not _EMAIL.fullmatch(person.email):
        raise InputError(f"{person.email[:80]!r} is no e-mail address", where=f"{where}.email")
    return person


def _link(value: Any, where: str) -> Link:
    link = Link(**_record(value, ("type", "url", "comment"), ("type", "url"), where))
    if link.type not in LINK_TYPES:
        raise InputError(
            f"{link.type[:80]!r} is no type of link", where=f"{where}.type", hint=nearest(link.type, LINK_TYPES)
        )
    _require_address(link.url, f"{where}.url")
    return link


def _require_address(url: str, where: str) -> None:
    if address(url) is None:
        raise InputError(f"{url[:80]!r} is no address", where=where, hint="write it as https://host/path")


def _data(value: Any, where: str) -> DataStatement:
    if not isinstance(value, dict):
        raise InputError("expected a table", where=where)
    rest = {key: item for key, item in value.items() if key != "sensitive"}
    texts = tuple(name for name in DataStatement.__dataclass_fields__ if name != "sensitive")
    if unknown := [key for key in rest if key not in texts]:
        raise InputError(
            f"unknown key {unknown[0][:80]!r}", where=where, hint=nearest(unknown[0], (*texts, "sensitive"))
        )
    sensitive = _texts(value.get("sensitive", []), f"{where}.sensitive")
    statement = DataStatement(**_record(rest, texts, ("name",), where), sensitive=sensitive)
    if statement.url:
        _require_address(statement.url, f"{where}.url")
    return statement


def _attestation(value: Any, where: str) -> WantedAttestation:
    found = _record(value, _ATTESTATION, ("type",), where)
    problem = attestation_name_problem(found["name"]) if "name" in found else ""
    if problem:
        raise InputError(f"{found['name'][:80]!r} {problem}", where=f"{where}.name", hint="give it a name of its own")
    file = found.get("predicate", "")
    if file and (problem := name_problem(file)):
        raise InputError(
            f"{file[:80]!r} {problem}",
            where=f"{where}.predicate",
            hint="give the path of a file of the release, as it is from the release's folder",
        )
    return WantedAttestation(**{key.replace("-", "_"): text for key, text in found.items()})


def _categories(table: Mapping[str, Any], where: str) -> dict[str, str]:
    if len(table) > _MAX_PATTERNS:  # each is tried on each file
        raise InputError(
            f"{len(table):,} patterns", where=where, hint=f"give at most {_MAX_PATTERNS}; one may fit many files"
        )
    found = {}
    for pattern, value in table.items():
        category = _text(value, f"{where}.{pattern[:80]!r}")
        if category not in categories():
            hint = nearest(category, categories())
            raise InputError(f"{category[:80]!r} is no category", where=f"{where}.{pattern[:80]!r}", hint=hint)
        found[pattern] = category
    return found


def _reasons(table: Mapping[str, Any], where: str) -> dict[str, str]:
    _require_keys(table, (*FIELDS, *categories()), where)
    return {key: _text(value, f"{where}.{key}") for key, value in table.items()}
