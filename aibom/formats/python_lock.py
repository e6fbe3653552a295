"""What exactly was resolved: the lock files of uv, poetry and the standard (`uv.lock`, `poetry.lock`, `pylock.toml`).

A lock file is the only place that names the exact version and the digests of every library, also of those that are
there only because another one needs them. Follows PEP 751 for `pylock.toml`; the other two by their published form.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from aibom.core.errors import InputError
from aibom.formats.pyproject import parse_toml
from aibom.formats.requirements import without_credentials

MAX_BYTES = 8 * 1024 * 1024
MAX_PACKAGES = 20_000
_MAX_FILES = 5_000
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_DEFAULT_REGISTRY = ("pypi", "org")
_LOCAL = ("editable", "path", "directory", "virtual", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One resolved library."""

    name: str
    """Normalised project name (PEP 503)."""
    version: str
    sha256: tuple[str, ...]
    """Digests of the files that may be installed for it, sorted."""
    source: str
    """One of registry, git, url, path, editable; empty if not stated."""
    url: str
    """Where it comes from, without credentials; empty for the default registry."""
    dependencies: tuple[str, ...]
    """Normalised names of the libraries that it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One lock file."""

    kind: str
    """One of uv, poetry, pylock."""
    python: str
    """The Python versions that it was resolved for, as written."""
    packages: tuple[LockedPackage, ...]
    problems: tuple[str, ...]
    """One sentence for each entry that could not be read."""

    @property
    def unhashed(self) -> tuple[str, ...]:
        """Names of libraries from a registry or a URL that have no digest."""
        return tuple(p.name for p in self.packages if p.source in {"registry", "url"} and not p.sha256)


def parse_lock(data: bytes, where: str) -> Lock:
    """Read a lock file, recognised by its content. Raises InputError if it is none of the three."""
    document = parse_toml(data, where, max_bytes=MAX_BYTES)
    kind = _kind(document)
    if not kind:
        raise InputError("not a lock file of uv, poetry or pylock: its version field is missing", where=where)
    key, read = _READERS[kind]
    entries = document.get(key, [])
    if not isinstance(entries, list) or len(entries) > MAX_PACKAGES:
        raise InputError(f"{key} must be a list of at most {MAX_PACKAGES} tables", where=where)
    older = _table(_table(document, "metadata"), "files")
    packages, problems = [], []
    for number, entry in enumerate(entries, 1):
        if isinstance(entry, dict) and _text(entry, "name"):
            packages.append(read(entry, older))
        else:
            problems.append(f"{key} {number}: expected a table with a name")
    python = _text(document, "requires-python") or _text(_table(document, "metadata"), "python-versions")
    return Lock(kind=kind, python=python, packages=tuple(packages), problems=tuple(problems))


def _kind(document: Mapping[str, Any]) -> str:
    metadata = _table(document, "metadata")
    if isinstance(document.get("lock-version"), str):
        return "pylock"
    if isinstance(metadata.get("lock-version"), str) or isinstance(metadata.get("content-hash"), str):
        return "poetry"
    return "uv" if type(document.get("version")) is int else ""


def _uv_package(entry: Mapping[str, Any], _: Mapping[str, Any]) -> LockedPackage:
    kind, url = _uv_source(_table(entry, "source"))
    files = [_table(entry, "sdist"), *_tables(entry.get("wheels"))]
    groups = [entry.get("dependencies"), *_table(entry, "optional-dependencies").values()]
    needed = [_text(item, "name") for group in groups for item in _tables(group)]
    return _package(entry, kind, url, [_text(file, "hash") for file in files], needed)


def _uv_source(source: Mapping[str, Any]) -> tuple[str, str]:
    for kind in ("registry", "git", "url"):
        if kind in source:
            return kind, _text(source, kind)
    for kind in _LOCAL:
        if kind in source:
            return "editable" if kind == "editable" else "path", _text(source, kind)
    return "", ""


def _poetry_package(entry: Mapping[str, Any], older: Mapping[str, Any]) -> LockedPackage:
    source = _table(entry, "source")
    kind = {"legacy": "registry", "directory": "path", "file": "path", "": "registry"}.get(
        _text(source, "type"), _text(source, "type")
    )
    if kind == "path" and entry.get("develop") is True:
        kind = "editable"
    revision = _text(source, "resolved_reference") or _text(source, "reference")
    url = _text(source, "url") + (f"@{revision}" if kind == "git" and revision else "")
    files = [*_tables(entry.get("files")), *_tables(older.get(_text(entry, "name")))]
    needed = list(_table(entry, "dependencies"))
    return _package(entry, kind if kind in _KINDS else "", url, [_text(file, "hash") for file in files], needed)


def _pylock_package(entry: Mapping[str, Any], _: Mapping[str, Any]) -> LockedPackage:
    kind, url = _pylock_source(entry)
    files = [_table(entry, "sdist"), _table(entry, "archive"), *_tables(entry.get("wheels"))]
    digests = [f"sha256:{_text(_table(file, 'hashes'), 'sha256')}" for file in files]
    return _package(entry, kind, url, digests, [_text(item, "name") for item in _tables(entry.get("dependencies"))])


def _pylock_source(entry: Mapping[str, Any]) -> tuple[str, str]:
    vcs, archive, directory = _table(entry, "vcs"), _table(entry, "archive"), _table(entry, "directory")
    if vcs:
        commit = _text(vcs, "commit-id")
        return "git", (_text(vcs, "url") or _text(vcs, "path")) + (f"@{commit}" if commit else "")
    if archive:
        return ("url", _text(archive, "url")) if _text(archive, "url") else ("path", _text(archive, "path"))
    if directory:
        return "editable" if directory.get("editable") is True else "path", _text(directory, "path")
    return ("registry", _text(entry, "index")) if "sdist" in entry or "wheels" in entry else ("", "")


def _package(
    entry: Mapping[str, Any], source: str, url: str, digests: list[str], dependencies: list[str]
) -> LockedPackage:
    found = {digest.removeprefix("sha256:").lower() for digest in digests if digest.startswith("sha256:")}
    address = without_credentials(url)
    return LockedPackage(
        name=canonicalize_name(_text(entry, "name")),
        version=_text(entry, "version"),
        sha256=tuple(sorted(digest for digest in found if _SHA256.fullmatch(digest))),
        source=source,
        url="" if source == "registry" and _is_default(address) else address,
        dependencies=tuple(sorted({canonicalize_name(name) for name in dependencies if name})),
    )


def _is_default(url: str) -> bool:
    host = url.partition("://")[2].partition("/")[0].partition(":")[0].lower()
    return tuple(host.split(".")) == _DEFAULT_REGISTRY


_KINDS = ("registry", "git", "url", "path", "editable")
_READERS: dict[str, tuple[str, Callable[[Mapping[str, Any], Mapping[str, Any]], LockedPackage]]] = {
    "uv": ("package", _uv_package),
    "poetry": ("package", _poetry_package),
    "pylock": ("packages", _pylock_package),
}


def _table(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _tables(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value[:_MAX_FILES] if isinstance(item, dict))


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""
