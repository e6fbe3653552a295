"""A release in a git checkout, with a real repository under it: objects, references and a remote, written by hand.

What there is no need for is missing: index, hooks, logs. The formats are those of gitrepository-layout(5)
and "Git Objects" in the Git book.
"""

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tests.releases.files import MTIME, put

Form = Literal["branch", "packed", "separate"]
"""Branch: ``HEAD`` names a branch in a file of its own. Packed: a detached ``HEAD``, branches and tag in
``packed-refs``. Separate: ``.git`` is a file that names the repository's folder, as in a submodule."""

REMOTE = "https://git.example/acme-ai/sentimind.git"
COMMIT_TIME = MTIME
"""Author's and committer's, in seconds; the time zone is an hour ahead of UTC."""
TAG = "v2.1.0"
_PERSON = "Acme AI <release@acme.example>"


def write_git_checkout(
    folder: Path, write_release: Callable[[Path], None], *, form: Form = "branch", remote: str = REMOTE
) -> Path:
    """Write a release of plain files to ``folder/release``, with a repository that has it as its only commit.

    Returns the checkout.
    """
    checkout = folder / "release"
    write_release(checkout)
    repository = folder / "modules" / "release" if form == "separate" else checkout / ".git"
    commit = _write_commit(repository, _write_tree(repository, checkout))
    _write_references(repository, commit, packed=form == "packed")
    put(repository / "config", _config(remote, form))
    if form == "separate":
        put(checkout / ".git", "gitdir: ../modules/release\n")
    return checkout


def head_commit(checkout: Path) -> str:
    """Return the name of the commit that a checkout made here is at."""
    repository = checkout / ".git"
    if repository.is_file():
        repository = checkout / repository.read_text().removeprefix("gitdir: ").strip()
    head = (repository / "HEAD").read_text().strip()
    return (repository / head.removeprefix("ref: ")).read_text().strip() if head.startswith("ref: ") else head


def _write_tree(repository: Path, folder: Path) -> str:
    """Write a folder's objects, inner ones first."""
    entries = []
    for path in folder.iterdir():
        if path.name == ".git":
            continue
        if path.is_dir():
            # Git sorts a folder as if its name ended in a slash.
            entries.append((f"{path.name}/", f"40000 {path.name}", _write_tree(repository, path)))
        else:
            blob = _write_object(repository, "blob", path.read_bytes())
            entries.append((path.name, f"100644 {path.name}", blob))
    entries.sort(key=lambda entry: entry[0].encode())
    content = b"".join(label.encode() + b"\0" + bytes.fromhex(name) for _, label, name in entries)
    return _write_object(repository, "tree", content)


def _write_commit(repository: Path, tree: str) -> str:
    when = f"{_PERSON} {COMMIT_TIME} +0100"
    text = f"tree {tree}\nauthor {when}\ncommitter {when}\n\nRelease {TAG}\n"
    return _write_object(repository, "commit", text.encode())


def _write_object(repository: Path, kind: str, content: bytes) -> str:
    whole = f"{kind} {len(content)}\0".encode() + content
    name = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    put(repository / "objects" / name[:2] / name[2:], zlib.compress(whole))
    return name


def _write_references(repository: Path, commit: str, *, packed: bool) -> None:
    if packed:
        (repository / "refs").mkdir(parents=True, exist_ok=True)  # without it git sees no repository
        names = ("refs/heads/main", "refs/remotes/origin/main", f"refs/tags/{TAG}")
        lines = "".join(f"{commit} {name}\n" for name in names)
        put(repository / "packed-refs", f"# pack-refs with: peeled fully-peeled sorted \n{lines}")
        put(repository / "HEAD", f"{commit}\n")
        return
    put(repository / "HEAD", "ref: refs/heads/main\n")
    for name in ("heads/main", "remotes/origin/main", f"tags/{TAG}"):
        put(repository / "refs" / name, f"{commit}\n")


def _config(remote: str, form: Form) -> str:
    worktree = "\tworktree = ../../release\n" if form == "separate" else ""
    return (
        f"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n{worktree}"
        f'[remote "origin"]\n\turl = {remote}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
        '[branch "main"]\n\tremote = origin\n\tmerge = refs/heads/main\n'
    )
