"""Profiles: what "complete" means for a purpose, as strict TOML. A misspelt or empty one is an error, never a pass."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError, SpecError, UsageError
from aibom.core.specs import read_spec, specs_root
from verify.vocabulary import State, load_vocabulary

SCHEMA = "aibom-profile/1"
GROUP_MODES = ("choose", "cumulative", "conditional")
LEVELS = ("required", "recommended", "informative")
DECIDERS = ("auto", "partial", "human")
_CONDITIONS = frozenset({"distribution", "role", "outcome", "model"})
_CHECK_REQUIRED = frozenset(
    {"id", "text", "clause", "clause_confidence", "level", "evidence", "min_state", "decide", "actor", "ask", "satisfy"}
)
_CHECK_OPTIONAL = frozenset({"group", "unknown_ok", "applies", "waive"})
_TOP_REQUIRED = frozenset({"schema", "id", "version", "title", "audience", "summary", "group_mode", "source", "check"})
_SOURCE_REQUIRED = frozenset({"citation", "edition", "date", "status", "confidence"})

Conditions = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """When a check need not be evidenced, and why."""

    conditions: Conditions
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Checks that go together."""

    id: str
    title: str
    applies: Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must be evidenced; `evidence` is all of (any of)."""

    id: str
    group: str
    text: str
    clause: str
    clause_confidence: str
    level: str
    evidence: tuple[tuple[str, ...], ...]
    min_state: State
    unknown_ok: bool
    decide: str
    actor: str
    applies: Conditions
    waive: Waiver | None
    ask: str
    satisfy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named list of checks for an audience, and the digest of the file it came from."""

    id: str
    version: str
    title: str
    audience: str
    summary: str
    group_mode: str
    source: Mapping[str, str]
    groups: tuple[Group, ...]
    checks: tuple[Check, ...]
    sha256: str


def profile_ids() -> tuple[str, ...]:
    """The profiles that are shipped, sorted."""
    try:
        names = [entry.name for entry in specs_root().joinpath("profiles").iterdir()]
    except OSError as error:
        raise SpecError("the profiles are not installed", hint="install the aibom package again") from error
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_profile(identifier: str) -> Profile:
    """Read a shipped profile. Raises UsageError for an id that is not there, SpecError for a malformed file."""
    if identifier not in profile_ids():
        raise UsageError(
            f"there is no profile {identifier!r}", hint=f"known profiles: {', '.join(profile_ids())}", where="--profile"
        )
    path = f"profiles/{identifier}.toml"
    try:
        return parse_profile(read_spec(path), f"specs/{path}")
    except InputError as error:
        raise SpecError(error.message, where=error.where) from error


def parse_profile(data: bytes, where: str) -> Profile:
    """Parse a profile strictly. Raises InputError naming the key at fault."""
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not TOML: {error}", where=where) from error
    _keys(document, _TOP_REQUIRED, frozenset({"group"}), where)
    _one_of(document["schema"], (SCHEMA,), f"{where}, schema")
    _one_of(document["group_mode"], GROUP_MODES, f"{where}, group_mode")
    groups = tuple(
        _group(item, f"{where}, group[{n}]") for n, item in enumerate(_list(document.get("group", []), where))
    )
    names = {group.id for group in groups}
    checks = tuple(
        _check(item, names, f"{where}, check[{n}]") for n, item in enumerate(_list(document["check"], where))
    )
    _unique([check.id for check in checks], f"{where}, check")
    _unique([group.id for group in groups], f"{where}, group")
    if not checks or not any(check.level == "required" for check in checks):
        raise InputError("a profile needs at least one required check", where=where)
    _keys(document["source"], _SOURCE_REQUIRED, frozenset({"sunset"}), f"{where}, source")
    return Profile(
        id=_text(document["id"], f"{where}, id"),
        version=_text(document["version"], f"{where}, version"),
        title=_text(document["title"], f"{where}, title"),
        audience=_text(document["audience"], f"{where}, audience"),
        summary=_text(document["summary"], f"{where}, summary"),
        group_mode=document["group_mode"],
        source={key: _text(value, f"{where}, source.{key}") for key, value in document["source"].items()},
        groups=groups,
        checks=checks,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _group(item: Any, where: str) -> Group:
    _keys(item, frozenset({"id", "title"}), frozenset({"applies"}), where)
    return Group(
        id=_text(item["id"], where),
        title=_text(item["title"], where),
        applies=_conditions(item.get("applies", {}), f"{where}, applies"),
    )


def _check(item: Any, groups: set[str], where: str) -> Check:
    _keys(item, _CHECK_REQUIRED, _CHECK_OPTIONAL, where)
    group = _text(item["group"], f"{where}, group") if "group" in item else ""
    if (group not in groups) if groups else group:
        raise InputError(f"unknown group {group!r}", where=f"{where}, group")
    _one_of(item["level"], LEVELS, f"{where}, level")
    _one_of(item["decide"], DECIDERS, f"{where}, decide")
    _one_of(item["actor"], ("producer", "consumer", "both"), f"{where}, actor")
    _one_of(item["clause_confidence"], ("primary", "secondary"), f"{where}, clause_confidence")
    _one_of(item["min_state"], ("declared", "referenced", "pinned", "verified"), f"{where}, min_state")
    texts = {key: _text(item[key], f"{where}, {key}") for key in ("id", "text", "clause", "ask", "satisfy")}
    return Check(
        id=texts["id"],
        group=group,
        text=texts["text"],
        clause=texts["clause"],
        clause_confidence=item["clause_confidence"],
        level=item["level"],
        evidence=_evidence(item["evidence"], f"{where}, evidence"),
        min_state=State[item["min_state"].upper()],
        unknown_ok=item.get("unknown_ok", False) is True,
        decide=item["decide"],
        actor=item["actor"],
        applies=_conditions(item.get("applies", {}), f"{where}, applies"),
        waive=_waiver(item.get("waive"), f"{where}, waive"),
        ask=texts["ask"],
        satisfy=texts["satisfy"],
    )


def _evidence(value: Any, where: str) -> tuple[tuple[str, ...], ...]:
    known = load_vocabulary().titles
    groups = tuple(tuple(_text(i, where) for i in _list(inner, where)) for inner in _list(value, where))
    if not groups or not all(groups):
        raise InputError("evidence must not be empty", where=where)
    for identifier in (item for group in groups for item in group):
        if identifier not in known:
            raise InputError(f"{identifier!r} is not in the vocabulary", where=where)
    return groups


def _conditions(value: Any, where: str) -> Conditions:
    if not isinstance(value, dict) or not value.keys() <= _CONDITIONS:
        raise InputError(f"conditions may name {', '.join(sorted(_CONDITIONS))}", where=where)
    found = {key: tuple(_text(item, where) for item in _list(listed, where)) for key, listed in value.items()}
    if not all(found.values()):
        raise InputError("a condition needs at least one value", where=where)
    return found


def _waiver(value: Any, where: str) -> Waiver | None:
    if value is None:
        return None
    conditions = {key: item for key, item in value.items() if key != "reason"} if isinstance(value, dict) else {}
    if not conditions:
        raise InputError("a waiver needs a condition and a reason", where=where)
    return Waiver(conditions=_conditions(conditions, where), reason=_text(value.get("reason"), f"{where}.reason"))


def _keys(item: Any, required: frozenset[str], optional: frozenset[str], where: str) -> None:
    if not isinstance(item, dict):
        raise InputError("expected a table", where=where)
    if missing := required - item.keys():
        raise InputError(f"lacks {', '.join(sorted(missing))}", where=where)
    if unknown := item.keys() - required - optional:
        raise InputError(f"unknown key {', '.join(sorted(unknown))}", where=where)


def _one_of(value: Any, allowed: tuple[str, ...], where: str) -> None:
    if value not in allowed:
        raise InputError(f"expected {' or '.join(allowed)}, found {value!r}", where=where)


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise InputError("expected a list", where=where)
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError("expected text that is not empty", where=where)
    return value


def _unique(names: list[str], where: str) -> None:
    if len(set(names)) != len(names):
        raise InputError("an id is used twice", where=where)
