"""A release that is a Git checkout: which commit, from where, of when. Read from `.git` itself; git is never run.

Only what the account needs is read, with bounds: HEAD, its reference, `config`, and the one commit object, loose or in
a pack. A `.git` that is a file points elsewhere and is not followed. Whether files differ from the commit is not looked
at. Formats: gitrepository-layout(5), gitformat-pack(5).
"""

import os
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aibom.core.layout import GIT_HISTORY
from aibom.sources.git_pack import packed_object

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REFERENCE = re.compile(r"refs/[A-Za-z0-9._/-]{1,200}")
_URL = re.compile(r"[ \t]*url[ \t]*=[ \t]*(\S{1,500})")
_COMMITTER = re.compile(rb"^committer [^\n]{0,500}> (\d{1,12}) [-+]\d{4}$", re.MULTILINE)
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
    head = _small(folder / "HEAD").strip()
    reference = head.removeprefix("ref:").strip() if head.startswith("ref:") else ""
    commit = _resolve(folder, reference) if reference else head
    commit = commit if _COMMIT.fullmatch(commit) else ""
    branch = reference.removeprefix("refs/heads/") if _REFERENCE.fullmatch(reference) else ""
    time = _commit_time(folder, commit) if commit else None
    return Checkout(commit=commit, remote=_remote(folder), branch=branch, time=time)


def without_credentials(url: str) -> str:
    """An address without what stands before the `@` of its host; `git@host:path` is kept, it holds no secret."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _resolve(folder: Path, reference: str) -> str:
    if not _REFERENCE.fullmatch(reference) or ".." in reference:
        return ""
    loose = _small(folder / reference).strip()
    if loose:
        return loose
    for line in _small(folder / "packed-refs").splitlines():
        commit, _, name = line.partition(" ")
        if name == reference:
            return commit
    return ""


def _remote(folder: Path) -> str:
    section = ""
    for line in _small(folder / "config").splitlines():
        if line.lstrip().startswith("["):
            section = line.strip()
        match = _URL.fullmatch(line.rstrip())
        if match and section == '[remote "origin"]':
            return without_credentials(match.group(1))
    return ""


def _commit_time(folder: Path, commit: str) -> datetime | None:
    content = _loose(folder, commit) or packed_object(folder / "objects" / "pack", commit)
    match = _COMMITTER.search(content.partition(b"\n\n")[0]) if content else None
    try:
        return datetime.fromtimestamp(int(match.group(1)), UTC) if match else None
    except (OverflowError, OSError, ValueError):
        return None


def _loose(folder: Path, commit: str) -> bytes:
    data = read_regular(folder / "objects" / commit[:2] / commit[2:], _MAX_OBJECT)
    try:
        content = zlib.decompressobj().decompress(data, _MAX_OBJECT)
    except zlib.error:
        return b""
    header, _, body = content.partition(b"\0")
    return body if header.startswith(b"commit ") else b""


def _small(path: Path) -> str:
    return read_regular(path, _MAX_SMALL).decode("utf-8", "replace")


def read_regular(path: Path, limit: int) -> bytes:
    """The first bytes of a regular file; nothing if there is none, or it is a link."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.read(handle, limit)
    except OSError:
        return b""
    finally:
        os.close(handle)
