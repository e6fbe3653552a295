"""A release that is a Git checkout: which commit, from where, of when. Read from `.git` itself; git is never run.

Only what the account needs is read, with bounds: HEAD, its reference, `config`, and the one commit object, loose or in
a pack. A `.git` that is a file points elsewhere and is not followed, nor is any link below `.git`. Whether files differ
from the commit is not looked at. Formats: gitrepository-layout(5), gitformat-pack(5), git-check-ref-format(1).
"""

import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aibom.core.layout import GIT_HISTORY
from aibom.sources.git_pack import packed_object
from aibom.sources.opening import Below

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REFERENCE = re.compile(r"refs(?:/[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)+")
_LONGEST_REFERENCE = 200
_BRANCHES = "refs/heads/"
_URL = re.compile(r"[ \t]*url[ \t]*=[ \t]*(\S{1,500})")
_COMMITTER = re.compile(rb"^committer [^\n]{0,500}> (\d{1,12}) [-+]\d{4}$", re.MULTILINE)
_SCHEMES = frozenset({"https", "http", "ssh", "git", "git+ssh", "git+https", "ssh+git"})
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?"
_USER = r"[A-Za-z0-9._~%!$&'()*+,;=:@-]*"
_AUTHORITY = re.compile(rf"(?:{_USER}@)?({_HOST})(:[0-9]{{1,5}})?")
_PATH = re.compile(r"(?:[A-Za-z0-9._~/@+,!-]|%[0-9A-Fa-f]{2})*")
_SHORT = re.compile(rf"(?:([A-Za-z0-9._-]{{1,64}})@)?({_HOST}):([A-Za-z0-9._~/+-]+)")
_EVERYBODY = "git"
"""The user by whom all log in: part of the address. Any other name is somebody's own, or a token."""
_MAX_SMALL = 1024 * 1024
_MAX_OBJECT = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """What the repository says of itself; what it does not say, or not readably, is empty."""

    commit: str
    remote: str
    """Address of `origin`, without user name or password."""
    branch: str
    time: datetime | None
    """When the commit was made, by its committer line."""


def read_checkout(root: Path) -> Checkout | None:
    """Describe the repository in `root`; None if there is none."""
    folder = root / GIT_HISTORY
    if folder.is_symlink() or not folder.is_dir():
        return None
    with Below(root) as below:
        head = _small(below, "HEAD").strip()
        reference = head.removeprefix("ref:").strip() if head.startswith("ref:") else ""
        reference = reference if _is_reference(reference) else ""
        commit = _resolve(below, reference) if reference else head
        commit = commit if _COMMIT.fullmatch(commit) else ""
        branch = reference.removeprefix(_BRANCHES) if reference.startswith(_BRANCHES) else ""
        time = _commit_time(below, commit) if commit else None
        return Checkout(commit=commit, remote=_remote(below), branch=branch, time=time)


def without_credentials(url: str) -> str:
    """The address without user, password and query; empty if it cannot be told which part of it might be one.

    People put passwords and tokens into remotes, and Git takes forms that parsers of addresses split elsewhere. So only
    an address that every reader splits in one way is kept: https, ssh and their like, and `user@host:path`.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return _short(url)
    address, _, query = rest.replace("#", "?").partition("?")
    authority, slash, path = address.partition("/")
    match = _AUTHORITY.fullmatch(authority)
    if scheme.lower() not in _SCHEMES or match is None or "@" in query or not _PATH.fullmatch(path):
        return ""
    host, port = match.group(1), match.group(2) or ""
    return "" if _may_end_a_password(path, host, port) else f"{scheme}://{host}{port}{slash}{path}"


def _short(url: str) -> str:
    """`user@host:path`, as for ssh. A local path, or a password before the `@`, is none."""
    match = _SHORT.fullmatch(url)
    if match is None:
        return ""
    user, host, path = match.groups()
    if user is None and "." not in host:
        return ""
    return f"{user}@{host}:{path}" if user == _EVERYBODY else f"{host}:{path}"


def _may_end_a_password(path: str, host: str, port: str) -> bool:
    """Whether an `@` in the path may be the one before the host, after a password or a user with a slash in it."""
    before, _, last = path.replace("%40", "@").rpartition("/")
    return "@" in before or ("@" in last and (bool(port) or "." not in host))


def _is_reference(name: str) -> bool:
    """Whether Git would take this for a reference: no part begins or ends with a dot, or ends as a lock does."""
    if len(name) > _LONGEST_REFERENCE or not _REFERENCE.fullmatch(name):
        return False
    return not any(part.endswith(".lock") for part in name.split("/"))


def _resolve(below: Below, reference: str) -> str:
    loose = _small(below, reference).strip()
    if loose:
        return loose
    for line in _small(below, "packed-refs").splitlines():
        commit, _, name = line.partition(" ")
        if name == reference:
            return commit
    return ""


def _remote(below: Below) -> str:
    section = ""
    for line in _small(below, "config").splitlines():
        if line.lstrip().startswith("["):
            section = line.strip()
        match = _URL.fullmatch(line.rstrip())
        if match and section == '[remote "origin"]':
            return without_credentials(match.group(1))
    return ""


def _commit_time(below: Below, commit: str) -> datetime | None:
    content = _loose(below, commit) or packed_object(below, f"{GIT_HISTORY}/objects/pack", commit)
    match = _COMMITTER.search(content.partition(b"\n\n")[0]) if content else None
    try:
        return datetime.fromtimestamp(int(match.group(1)), UTC) if match else None
    except (OverflowError, OSError, ValueError):
        return None


def _loose(below: Below, commit: str) -> bytes:
    data = below.read(f"{GIT_HISTORY}/objects/{commit[:2]}/{commit[2:]}", _MAX_OBJECT)
    try:
        content = zlib.decompressobj().decompress(data, _MAX_OBJECT)
    except zlib.error:
        return b""
    header, _, body = content.partition(b"\0")
    return body if header.startswith(b"commit ") else b""


def _small(below: Below, name: str) -> str:
    return below.read(f"{GIT_HISTORY}/{name}", _MAX_SMALL).decode("utf-8", "replace")
