"""What a Python project declares: `pyproject.toml` with its project, dependency-groups, poetry and build-system tables.

Dependencies of the project, of its extras and of its development groups are kept apart: only the first are installed
with a release. A poetry constraint (`^1.2`) becomes the range it stands for, because nothing else reads that notation.
Follows the pyproject.toml and dependency groups specifications (PEP 621, 639, 735) and poetry's documented format.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from aibom.core.errors import InputError
from aibom.formats.requirements import Dependency, parse_dependency, without_credentials

MAX_BYTES = 1024 * 1024
_MAX_GROUPS = 200
_MAX_ITEMS = 10_000
_MAX_KEY_DOTS = 40
_MAX_ALTERNATIVES = 20

# Strings and comments, in one pass that never restarts: each matches up to its end or the end of the input.
_QUOTED = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:"{3,5}+)?+'
    r"|'''(?:[^']++|'(?!''))*+(?:'{3,5}+)?+"
    r'|"(?:[^"\\\n]++|\\.)*+"?+'
    r"|'[^'\n]*+'?+|#[^\n]*+",
    re.DOTALL,
)
_KEY_END = re.compile(r"[\n,=]")
_RELEASE = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){0,5})((?:\.?(?:a|b|rc|post|dev)\d{1,9}|[-+].{1,40})?)")
_CLAUSE = re.compile(r"(===?|~=|!=|<=|>=|<|>|\^|~|=)?\s*([^\s,<>=!~^|]{1,100})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An author or maintainer."""

    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyproject:
    """What a `pyproject.toml` says of its project."""

    name: str
    version: str
    description: str
    license: str
    """The licence expression, or the text of a licence table, as written."""
    license_files: tuple[str, ...]
    """Files or patterns named as licence texts."""
    authors: tuple[Person, ...]
    maintainers: tuple[Person, ...]
    urls: Mapping[str, str]
    requires_python: str
    dependencies: tuple[Dependency, ...]
    optional_dependencies: Mapping[str, tuple[Dependency, ...]]
    """By extra."""
    dependency_groups: Mapping[str, tuple[Dependency, ...]]
    """Development dependencies by group, with the groups that a group includes."""
    build_requires: tuple[Dependency, ...]
    dynamic: tuple[str, ...]
    """Fields that only a build would tell."""
    problems: tuple[str, ...]
    """One sentence for each part that could not be read."""


def parse_pyproject(data: bytes, where: str) -> Pyproject:
    """Read a `pyproject.toml`. Raises InputError for what is not TOML within the bounds."""
    document = parse_toml(data, where, max_bytes=MAX_BYTES)
    problems: list[str] = []
    project = _table(document, "project")
    poetry = _Poetry(_table(_table(document, "tool"), "poetry"), problems)
    groups = _groups(_table(document, "dependency-groups"), problems)
    extras = {
        str(name): _requirements(items, f"optional-dependencies {name[:80]}", problems)
        for name, items in list(_table(project, "optional-dependencies").items())[:_MAX_GROUPS]
    }
    return Pyproject(
        name=_text(project, "name") or _text(poetry.table, "name"),
        version=_text(project, "version") or _text(poetry.table, "version"),
        description=_text(project, "description") or _text(poetry.table, "description"),
        license=_licence(project) or _text(poetry.table, "license"),
        license_files=_licence_files(project),
        authors=_people(project, "authors") or _people(poetry.table, "authors"),
        maintainers=_people(project, "maintainers") or _people(poetry.table, "maintainers"),
        urls=_urls(project) or poetry.urls(),
        requires_python=_text(project, "requires-python") or poetry.python(),
        dependencies=_requirements(project.get("dependencies", []), "dependencies", problems) or poetry.main(),
        optional_dependencies=extras or poetry.extras(),
        dependency_groups=groups | poetry.groups(),
        build_requires=_requirements(_table(document, "build-system").get("requires", []), "build-system", problems),
        dynamic=_strings(project.get("dynamic")),
        problems=tuple(problems),
    )


def parse_toml(data: bytes, where: str, *, max_bytes: int) -> dict[str, Any]:
    """Read one TOML document of bounded size. Raises InputError.

    Keys of very many parts (`a.a.a.a`) are refused first, because the time they take grows with the square of that.
    """
    if len(data) > max_bytes:
        raise InputError(f"TOML of {len(data)} bytes; at most {max_bytes} are read", where=where)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("not valid UTF-8", where=f"{where}, byte {error.start}") from error
    if any(part.count(".") > _MAX_KEY_DOTS for part in _KEY_END.split(_QUOTED.sub("", text.replace("\r\n", "\n")))):
        raise InputError(f"a key of more than {_MAX_KEY_DOTS} parts", where=where)
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise InputError("TOML nested too deeply", where=where) from error
    except ValueError as error:  # TOMLDecodeError, and what numbers and dates raise
        raise InputError(f"not TOML: {str(error)[:200]}", where=where) from error


class _Poetry:
    """The table `tool.poetry`, read once for each thing that it can state."""

    def __init__(self, table: dict[str, Any], problems: list[str]) -> None:
        self.table = table
        self.problems = problems
        self._all = dict(list(_table(table, "dependencies").items())[:_MAX_ITEMS])

    def python(self) -> str:
        value = self._all.get("python")
        return ",".join(_ranges(value)[:1]) if isinstance(value, str) else ""

    def main(self) -> tuple[Dependency, ...]:
        return self._read({name: value for name, value in self._all.items() if not _is_optional(value)})

    def extras(self) -> dict[str, tuple[Dependency, ...]]:
        by_name = {canonicalize_name(name): (name, value) for name, value in self._all.items()}
        result = {}
        for extra, names in list(_table(self.table, "extras").items())[:_MAX_GROUPS]:
            wanted = [by_name[key] for key in map(canonicalize_name, _strings(names)) if key in by_name]
            result[str(extra)] = self._read(dict(wanted))
        return result

    def groups(self) -> dict[str, tuple[Dependency, ...]]:
        tables = {"dev": {"dependencies": _table(self.table, "dev-dependencies")}}
        tables = {name: table for name, table in tables.items() if table["dependencies"]}
        groups = list(_table(self.table, "group").items())[:_MAX_GROUPS]
        tables |= {canonicalize_name(name): table for name, table in groups if isinstance(table, dict)}
        return {name: self._read(_table(table, "dependencies")) for name, table in tables.items()}

    def urls(self) -> dict[str, str]:
        named = {key: _text(self.table, key) for key in ("homepage", "repository", "documentation")}
        return {name: without_credentials(url) for name, url in named.items() if url} | _urls(self.table)

    def _read(self, table: dict[str, Any]) -> tuple[Dependency, ...]:
        found: set[Dependency] = set()
        for name, value in list(table.items())[:_MAX_ITEMS]:
            if name == "python":
                continue
            for item in value[:_MAX_ALTERNATIVES] if isinstance(value, list) else [value]:
                try:
                    found.add(_poetry_dependency(name, item))
                except InvalidRequirement as error:
                    self.problems.append(f"tool.poetry: {name[:80]!r} is not a dependency that we read: {error}"[:300])
        return tuple(sorted(found))


def _is_optional(value: Any) -> bool:
    return isinstance(value, dict) and value.get("optional") is True


def _poetry_dependency(name: str, value: Any) -> Dependency:
    entry = value if isinstance(value, dict) else {"version": value}
    if not isinstance(entry.get("version", ""), str):
        raise InvalidRequirement("its version is not text")
    extras = f"[{','.join(_strings(entry.get('extras')))}]" if entry.get("extras") else ""
    marker = f" ; {entry['markers']}" if isinstance(entry.get("markers"), str) else ""
    url = _poetry_url(entry)
    if url:
        return parse_dependency(f"{name}{extras} @ {url}{marker}")
    ranges = _ranges(entry.get("version", ""))
    if len(ranges) > 1:
        raise InvalidRequirement("alternatives (||) are not one range")
    return parse_dependency(f"{name}{extras}{','.join(ranges)}{marker}")


def _poetry_url(entry: Mapping[str, Any]) -> str:
    for key, prefix in (("git", "git+"), ("url", ""), ("path", "file:")):
        address = _text(entry, key)
        if address:
            revision = _text(entry, "rev") or _text(entry, "tag") or _text(entry, "branch")
            at = f"@{revision}" if key == "git" and revision else ""
            return prefix + quote(address + at, safe=":/?#[]@!$&'()*+,;=%~")
    return ""


def _ranges(constraint: str) -> list[str]:
    """The PEP 440 form of each alternative of a poetry constraint; an empty one allows every version."""
    if len(constraint) > 500:
        raise InvalidRequirement("longer than a constraint is")
    return [_range(part) for part in constraint.replace("||", "|").split("|")[:_MAX_ALTERNATIVES]]


def _range(constraint: str) -> str:
    clauses = []
    for operator, version in _CLAUSE.findall(constraint):
        if operator in {"^", "~"}:
            clauses.append(_caret_or_tilde(operator, version))
        elif version != "*":
            clauses.append(f"{'==' if operator in {'', '='} else operator}{version}")
    return ",".join(clauses)


def _caret_or_tilde(operator: str, version: str) -> str:
    match = _RELEASE.fullmatch(version)
    if match is None:
        raise InvalidRequirement(f"no version: {operator}{version[:60]}")
    numbers = [int(number) for number in match[1].split(".")]
    last = min(1, len(numbers) - 1)
    if operator == "^":
        last = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
    upper = [*numbers[:last], numbers[last] + 1]
    return f">={version},<{'.'.join(map(str, upper))}"


def _groups(table: dict[str, Any], problems: list[str]) -> dict[str, tuple[Dependency, ...]]:
    """Each group with all that it includes, however deep; a group that includes itself is reported."""
    if len(table) > _MAX_GROUPS:
        problems.append(f"dependency-groups: {len(table)} groups; {_MAX_GROUPS} are read")
    own: dict[str, tuple[Dependency, ...]] = {}
    includes: dict[str, tuple[str, ...]] = {}
    for name, items in list(table.items())[:_MAX_GROUPS]:
        key, entries = canonicalize_name(name), items[:_MAX_ITEMS] if isinstance(items, list) else [items]
        named = [entry.get("include-group") for entry in entries if isinstance(entry, dict)]
        includes[key] = tuple({canonicalize_name(item): None for item in named if isinstance(item, str)})
        texts = [entry for entry in entries if not isinstance(entry, dict)]
        own[key] = _requirements(texts, f"dependency-groups {name[:80]}", problems)
    return {
        key: tuple(sorted({d for part in _reach(key, includes, problems) for d in own.get(part, ())})) for key in own
    }


def _reach(start: str, includes: Mapping[str, tuple[str, ...]], problems: list[str]) -> Iterator[str]:
    pending, seen = [start], {start}
    while pending:
        group = pending.pop()
        yield group
        for included in includes.get(group, ()):
            if included == start:
                problems.append(f"dependency-groups: {start[:80]!r} includes itself")
            elif included not in includes:
                problems.append(f"dependency-groups: {group[:80]!r} includes {included[:80]!r}, which is not there")
            elif included not in seen:
                seen.add(included)
                pending.append(included)


def _requirements(items: Any, place: str, problems: list[str]) -> tuple[Dependency, ...]:
    if not isinstance(items, list):
        problems.append(f"{place}: expected a list of requirements")
        return ()
    if len(items) > _MAX_ITEMS:
        problems.append(f"{place}: {len(items)} entries; {_MAX_ITEMS} are read")
    found = set()
    for item in items[:_MAX_ITEMS]:
        try:
            found.add(parse_dependency(item if isinstance(item, str) else ""))
        except InvalidRequirement:
            problems.append(f"{place}: not a requirement: {without_credentials(str(item)[:500])[:80]!r}")
    return tuple(sorted(found))


def _licence(project: Mapping[str, Any]) -> str:
    return _text(project, "license") or _text(_table(project, "license"), "text")


def _licence_files(project: Mapping[str, Any]) -> tuple[str, ...]:
    named = _text(_table(project, "license"), "file")
    return (*([named] if named else []), *_strings(project.get("license-files")))


def _people(table: Mapping[str, Any], key: str) -> tuple[Person, ...]:
    entries = table.get(key)
    people = [_person(entry) for entry in entries[:_MAX_ITEMS]] if isinstance(entries, list) else []
    return tuple(person for person in people if person.name or person.email)


def _person(entry: Any) -> Person:
    if isinstance(entry, str):  # poetry: "Name <address>"
        name, _, rest = entry.partition("<")
        return Person(name=name.strip(), email=rest.partition(">")[0].strip())
    table = entry if isinstance(entry, dict) else {}
    return Person(name=_text(table, "name"), email=_text(table, "email"))


def _urls(table: Mapping[str, Any]) -> dict[str, str]:
    entries = list(_table(table, "urls").items())[:_MAX_ITEMS]
    return {str(name): without_credentials(url) for name, url in entries if isinstance(url, str)}


def _table(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value[:_MAX_ITEMS] if isinstance(item, str)) if isinstance(value, list) else ()
