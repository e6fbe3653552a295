"""Python dependencies as declared: `requirements*.txt` and the metadata of a wheel.

A pin (`==2.6.0`) is a version; anything else stays a range. A range written as a version makes scanners report
vulnerabilities of a release that nobody named.
"""

from dataclasses import dataclass
from email.errors import MessageError

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from aibom.core.errors import InputError

MAX_BYTES = 4 * 1024 * 1024
_MAX_LINE = 4000
_MAX_REQUIREMENT = 1000
_MAX_BRACKETS = 20


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelMetadata:
    """The core metadata of a Python distribution (a `METADATA` file)."""

    name: str
    version: str
    license: str
    author: str
    summary: str
    dependencies: tuple[Dependency, ...]


def is_requirements_file(name: str) -> bool:
    """Whether a file is a requirements file, by its name."""
    base = name.rsplit("/", 1)[-1]
    return base.startswith("requirements") and base.endswith(".txt")


def is_wheel_metadata(name: str) -> bool:
    """Whether a file is the metadata of an unpacked wheel, by its name."""
    return name.rsplit("/", 1)[-1] == "METADATA" and ".dist-info" in name


def parse_requirements(data: bytes, where: str) -> tuple[tuple[Dependency, ...], tuple[str, ...]]:
    """Read a requirements file: (dependencies sorted, one sentence for each line that is not one)."""
    found: set[Dependency] = set()
    problems = []
    for number, line in _logical_lines(_decode(data, where)):
        text = line.split(" #", 1)[0].split(" --", 1)[0].strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("-"):
            problems.append(f"line {number}: option {text.split()[0][:40]!r} is not followed")
            continue
        try:
            found.add(_dependency(text))
        except InvalidRequirement:
            problems.append(f"line {number}: not a requirement: {text[:80]!r}")
    return tuple(sorted(found)), tuple(problems)


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
            declared.append(_dependency(text))
        except InvalidRequirement as error:
            raise InputError(f"not a requirement: {text[:80]!r}", where=f"{where}, Requires-Dist") from error
    return WheelMetadata(
        name=raw["name"],
        version=raw["version"],
        license=raw.get("license_expression") or raw.get("license", ""),
        author=raw.get("author") or raw.get("author_email", ""),
        summary=raw.get("summary", ""),
        dependencies=tuple(sorted(set(declared))),
    )


def _dependency(text: str) -> Dependency:
    """Raises InvalidRequirement, also for what would take the parser too long or too deep."""
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
        url=requirement.url or "",
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
