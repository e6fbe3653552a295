"""What a conda environment declares: `environment.yml`, with its channels, match specifications and list for pip.

Conda's libraries are not Python's: `pytorch` there and `torch` here are names in different catalogues, so they get a
class of their own. `name=1.2` means "1.2 and whatever starts so", which is a range and not a version.
Follows conda's documentation of environment files and of package match specifications.
"""

import re
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.formats.requirements import Dependency, parse_requirements, without_credentials
from aibom.formats.yaml_block import parse_yaml_mapping

_MAX_ENTRIES = 10_000
_MAX_SPEC = 500
_NAME = re.compile(r"[A-Za-z0-9_.*-]{1,200}")
_VERSION = re.compile(r"[A-Za-z0-9_.!+-]{1,100}")
_BRACKETS = re.compile(r"(version|build|channel|subdir)\s?=\s?['\"]?([^'\"\],]{1,100}(?:,[^'\"=\]]{1,100}){0,8})['\"]?")
_CONSTRAINT = "=<>!~"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class CondaDependency:
    """One conda package that an environment asks for."""

    name: str
    version: str
    """The exact version, when it is pinned."""
    range: str
    """Any other constraint, as written; empty for a pin and for none."""
    build: str
    """The build string or pattern."""
    channel: str
    """The channel that it must come from, if one is named for it alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CondaEnvironment:
    """An environment file."""

    name: str
    channels: tuple[str, ...]
    """In order of preference; addresses without credentials."""
    dependencies: tuple[CondaDependency, ...]
    pip: tuple[Dependency, ...]
    """What pip installs on top."""
    problems: tuple[str, ...]
    """One sentence for each entry that could not be read."""


def parse_conda_environment(data: bytes, where: str) -> CondaEnvironment:
    """Read an `environment.yml`. Raises InputError if it is not YAML or declares no list of dependencies."""
    document = parse_yaml_mapping(data, where)
    entries = document.get("dependencies", [])
    if not isinstance(entries, list) or len(entries) > _MAX_ENTRIES:
        raise InputError(f"dependencies must be a list of at most {_MAX_ENTRIES}", where=f"{where}, dependencies")
    problems: list[str] = []
    found: set[CondaDependency] = set()
    lines: list[str] = []
    for number, entry in enumerate(entries, 1):
        if isinstance(entry, dict):
            lines += _pip_lines(entry, number, problems)
            continue
        try:
            found.add(parse_match_spec(entry if isinstance(entry, str) else ""))
        except InputError as error:
            problems.append(f"dependencies {number}: {error.message}")
    pip, refused = parse_requirements("\n".join(lines).encode(), f"{where}, pip")
    return CondaEnvironment(
        name=document["name"] if isinstance(document.get("name"), str) else "",
        channels=tuple(without_credentials(item) for item in _strings(document.get("channels"))),
        dependencies=tuple(sorted(found)),
        pip=pip,
        problems=(*problems, *(f"pip, {problem}" for problem in refused)),
    )


def parse_match_spec(text: str) -> CondaDependency:
    """Read one match specification (`channel::name >=1.2,<2 build`). Raises InputError."""
    if not text.strip() or len(text) > _MAX_SPEC:
        raise InputError(f"not a conda package: {text[:80]!r}", where=text[:80])
    plain, _, bracketed = text.partition("[")
    keys = dict(_BRACKETS.findall(bracketed))
    channel, separator, rest = plain.rpartition("::")
    match = _NAME.match(rest.strip())
    if match is None:
        raise InputError(f"not a conda package: {without_credentials(text)[:80]!r}", where=text[:80])
    version, build = _constraint(rest.strip()[match.end() :].strip())
    version, bound = _pin(keys.get("version", version).strip())
    return CondaDependency(
        name=match[0].lower(),
        version=version,
        range=bound,
        build=keys.get("build", build).strip(),
        channel=without_credentials(channel.strip() if separator else keys.get("channel", "").strip()),
    )


def _constraint(text: str) -> tuple[str, str]:
    """The version part (with `==` for an exact one) and the build part of what follows a name."""
    if text.startswith("=") and not text.startswith("=="):
        version, equals, build = text[1:].partition("=")
        if equals:
            return f"=={version.strip()}", build.strip()  # name=version=build names one build exactly
        return text, ""
    parts = text.split()
    # ">=1.2, <2" is one constraint: a part belongs to the one before it if either side shows so.
    version, rest = "", list(parts)
    while rest and (not version or version.endswith((",", "|", *_CONSTRAINT)) or rest[0][0] in ",|" + _CONSTRAINT):
        version += rest.pop(0)
    exact = bool(version) and _VERSION.fullmatch(version) is not None
    return (f"=={version}" if exact else version), "".join(rest[:1])


def _pin(constraint: str) -> tuple[str, str]:
    version = constraint.removeprefix("==").strip()
    if constraint.startswith("==") and _VERSION.fullmatch(version):
        return version, ""
    return "", "" if constraint == "*" else constraint


def _pip_lines(entry: dict[Any, Any], number: int, problems: list[str]) -> list[str]:
    if set(entry) != {"pip"} or not isinstance(entry["pip"], list):
        problems.append(f"dependencies {number}: expected a package, or a list under 'pip'")
        return []
    return [" ".join(line.split()) for line in _strings(entry["pip"])]


def _strings(value: Any) -> list[str]:
    return [item for item in value[:_MAX_ENTRIES] if isinstance(item, str)] if isinstance(value, list) else []
