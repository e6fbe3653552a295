"""Python dependencies as declared: `requirements*.txt` and the metadata of a wheel.

A pin (`==2.6.0`) is a version; anything else stays a range. A range written as a version makes scanners report
vulnerabilities of a release that nobody named.
"""

import re
from dataclasses import dataclass, field, replace
from email.errors import MessageError
from email.utils import getaddresses

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from aibom.core.errors import InputError

MAX_BYTES = 4 * 1024 * 1024
_MAX_LINE = 64 * 1024  # a pin with the digests of all its wheels is one logical line
_MAX_REQUIREMENT = 1000
_MAX_BRACKETS = 20
_DIGEST = re.compile(r"--hash[= ]sha256:([0-9a-fA-F]{64})(?![0-9a-fA-F])")
_EDITABLE = ("-e", "--editable")
_INCLUDES = ("-r", "--requirement", "-c", "--constraint")
_VCS = ("git+", "hg+", "svn+", "bzr+")
_KEPT_QUERY = ("rev", "branch", "tag", "subdirectory")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Dependency:
    """One declared dependency."""

    name: str
    """Normalised project name (PEP 503)."""
    version: str
    """The exact version, when it is pinned with `==`."""
    range: str
    """Any other specifier, as written; empty for a pin and for no constraint at all."""
    extras: tuple[str, ...] = ()
    marker: str = ""
    url: str = ""
    """Where it is taken from instead of an index, without user name, password or token."""
    digests: tuple[str, ...] = field(default=(), compare=False)
    """SHA-256 of the files that may be installed. Two declarations that differ only here are the same dependency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelMetadata:
    """The core metadata of a Python distribution (a `METADATA` file)."""

    name: str
    version: str
    license: str
    author: str
    summary: str
    dependencies: tuple[Dependency, ...]
    urls: tuple[tuple[str, str], ...] = ()
    """Label and address, as `Project-URL` and `Home-page` state them."""
    author_field: str = "Author"
    license_field: str = "License"
    description: str = ""
    """The body: mostly the README of the package."""


def is_requirements_file(name: str) -> bool:
    """Whether a file is a requirements file, by its name."""
    base = name.rsplit("/", 1)[-1]
    return base.startswith("requirements") and base.endswith(".txt")


def is_wheel_metadata(name: str) -> bool:
    """Whether a file is the metadata of an unpacked wheel, by its name."""
    return name.rsplit("/", 1)[-1] == "METADATA" and ".dist-info" in name


def parse_requirements(data: bytes, where: str) -> tuple[tuple[Dependency, ...], tuple[str, ...]]:
    """Read a requirements file: (dependencies sorted, one sentence for each line that is not one)."""
    found: dict[Dependency, set[str]] = {}
    problems = []
    for number, line in _logical_lines(_decode(data, where)):
        whole = line.split(" #", 1)[0].strip()
        text = whole.split(" --", 1)[0].strip()
        if not text or text.startswith("#"):
            continue
        try:
            dependency = _declared(text)
        except InvalidRequirement:
            problems.append(f"line {number}: {_refusal(text)}")
            continue
        found.setdefault(dependency, set()).update(digest.lower() for digest in _DIGEST.findall(whole))
    merged = [replace(dependency, digests=tuple(sorted(found[dependency]))) for dependency in sorted(found)]
    return tuple(merged), tuple(problems)


def _declared(text: str) -> Dependency:
    """One line: a requirement, or a checkout that names its project (`#egg=name`)."""
    option, value = _option(text)
    if option in _EDITABLE:
        text = value
    elif option:
        raise InvalidRequirement("an option")
    return parse_dependency(f"{_egg(text)} @ {text}" if text.startswith(_VCS) else text)


def _egg(url: str) -> str:
    for part in url.partition("#")[2].split("&"):
        if part.startswith("egg="):
            return part[4:]
    raise InvalidRequirement("a checkout without a name")


def _option(text: str) -> tuple[str, str]:
    """An option and its value (`-r a`, `-ra`, `--requirement=a`); empty if the line is not an option."""
    if not text.startswith("-"):
        return "", ""
    word, _, rest = text.partition(" ")
    if not word.startswith("--"):
        return word[:2], (word[2:] + " " + rest).strip()
    name, _, value = word.partition("=")
    return name, (value + " " + rest).strip()


def _refusal(text: str) -> str:
    option, value = _option(text)
    if option in _INCLUDES:
        return f"option {option!r} is not followed: {without_credentials(value)[:200]!r}"
    if option in _EDITABLE:
        return f"option {option!r} names no project: {without_credentials(value)[:200]!r}"
    if option:
        return f"option {option[:40]!r} is not followed"
    return f"not a requirement: {without_credentials(text)[:80]!r}"


def without_credentials(url: str) -> str:
    """A URL without user name and password, and without a query but for what names a revision: a query may be a key."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    host = rest[:end].rpartition("@")[2]
    path, hash_mark, fragment = rest[end:].partition("#")
    path, _, query = path.partition("?")
    kept = "&".join(part for part in query.split("&") if part.partition("=")[0] in _KEPT_QUERY)
    return f"{scheme}://{host}{path}{'?' if kept else ''}{kept}{hash_mark}{fragment}"


def parse_dependency(text: str) -> Dependency:
    """Read one requirement (PEP 508). Raises InvalidRequirement, also for what is too long or deep to parse."""
    if len(text) > _MAX_REQUIREMENT or text.count("(") > _MAX_BRACKETS:
        raise InvalidRequirement("longer or deeper than a requirement is")
    requirement = Requirement(text)
    clauses = list(requirement.specifier)
    exact = len(clauses) == 1 and clauses[0].operator == "==" and "*" not in clauses[0].version
    return Dependency(
        name=canonicalize_name(requirement.name),
        version=clauses[0].version if exact else "",
        range="" if exact else ",".join(sorted(str(clause) for clause in clauses)),
        extras=tuple(sorted(requirement.extras)),
        marker=str(requirement.marker or ""),
        url=without_credentials(requirement.url or ""),
    )


def parse_wheel_metadata(data: bytes, where: str) -> WheelMetadata:
    """Read core metadata. Raises InputError if there is no name and version."""
    try:
        raw, _ = parse_email(_decode(data, where))
    except (MessageError, ValueError) as error:
        raise InputError("not Python package metadata", where=where) from error
    if not raw.get("name") or not raw.get("version"):
        raise InputError("Python package metadata needs Name and Version", where=where)
    declared = []
    for text in raw.get("requires_dist", []):
        try:
            declared.append(parse_dependency(text))
        except InvalidRequirement as error:
            raise InputError(f"not a requirement: {text[:80]!r}", where=f"{where}, Requires-Dist") from error
    urls = dict(raw.get("project_urls", {}))
    if raw.get("home_page"):
        urls.setdefault("Homepage", raw["home_page"])
    author = raw.get("author") or ", ".join(name or mail for name, mail in getaddresses([raw.get("author_email", "")]))
    return WheelMetadata(
        name=raw["name"],
        version=raw["version"],
        license=raw.get("license_expression") or raw.get("license", ""),
        author=author,
        summary=raw.get("summary", ""),
        dependencies=tuple(sorted(set(declared))),
        urls=tuple(sorted((label, without_credentials(url)) for label, url in urls.items())),
        author_field="Author" if raw.get("author") else "Author-email",
        license_field="License-Expression" if raw.get("license_expression") else "License",
        description=raw.get("description", ""),
    )


def _logical_lines(text: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if joined else number
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        lines.append((start, (joined + line)[:_MAX_LINE]))
        joined = ""
    return [*lines, (start, joined[:_MAX_LINE])] if joined else lines


def _decode(data: bytes, where: str) -> str:
    if len(data) > MAX_BYTES:
        raise InputError(f"{len(data)} bytes; at most {MAX_BYTES} are read", where=where)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("not valid UTF-8", where=f"{where}, byte {error.start}") from error
