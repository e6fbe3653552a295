"""A Git checkout: its commit, remote and time, read without git; judged by git itself where it is installed."""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aibom.sources.git import read_checkout, without_credentials

WHEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="git is not installed, so that no real repository can be made")


def git(folder: Path, *words: str, day: int = 1) -> str:
    stamp = f"2026-03-{day:02}T12:00:00+00:00"
    named = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a"}
    environment = os.environ | named | {"GIT_COMMITTER_EMAIL": "a@example.com"}
    environment |= {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(["git", "-C", folder, *words], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "remote", "add", "origin", "https://someone:secret@git.example/acme/model.git")
    for day in range(1, 4):
        (folder / "notes.txt").write_text("line\n" * day)
        git(folder, "add", ".")
        git(
            folder,
            "commit",
            "-q",
            "-m",
            f"a longer message that packs may share, number {day}\n\n" + "text\n" * 50,
            day=day,
        )
    return folder


def test_a_loose_commit(repository: Path) -> None:
    found = read_checkout(repository)
    assert found is not None
    assert found.commit == git(repository, "rev-parse", "HEAD")
    assert found.remote == "https://git.example/acme/model.git"
    assert (found.branch, found.time) == ("main", WHEN.replace(day=3))


@pytest.mark.parametrize("delta", ["true", "false"])
def test_packed_commits_with_deltas_of_both_kinds(repository: Path, delta: str) -> None:
    git(repository, "config", "repack.useDeltaBaseOffset", delta)
    git(repository, "repack", "-adfq", "--depth=20")
    git(repository, "pack-refs", "--all")
    assert not list((repository / ".git/objects").glob("??/*"))
    for day, revision in ((3, "HEAD"), (2, "HEAD~1"), (1, "HEAD~2")):
        commit = git(repository, "rev-parse", revision)
        git(repository, "checkout", "-q", commit)
        found = read_checkout(repository)
        assert found is not None
        assert (found.commit, found.time, found.branch) == (commit, WHEN.replace(day=day), "")
        git(repository, "checkout", "-q", "main")


def test_a_worktree_points_elsewhere_and_is_not_followed(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"), "HEAD~1")
    assert read_checkout(tmp_path / "other") is None


def test_no_repository(tmp_path: Path) -> None:
    assert read_checkout(tmp_path) is None


@pytest.mark.parametrize(
    "head", ["", "ref: refs/heads/../../../etc/passwd", "ref: /etc/passwd", "z" * 40, "ref: refs/heads/none"]
)
def test_a_head_that_leads_nowhere(repository: Path, head: str) -> None:
    (repository / ".git/HEAD").write_text(head)
    found = read_checkout(repository)
    assert found is not None
    assert (found.commit, found.time) == ("", None)


def test_a_damaged_pack_gives_no_time(repository: Path) -> None:
    git(repository, "repack", "-adq")
    pack = next((repository / ".git/objects/pack").glob("*.pack"))
    pack.chmod(0o644)
    content = pack.read_bytes()
    for start in range(12, min(len(content), 400), 7):
        pack.write_bytes(content[:start] + bytes([content[start] ^ 0xFF]) + content[start + 1 :])
        found = read_checkout(repository)
        assert found is not None
        assert found.commit
    index = next((repository / ".git/objects/pack").glob("*.idx"))
    index.chmod(0o644)
    whole = index.read_bytes()
    for cut in (0, 4, 8, 1032, len(whole) // 2):
        index.write_bytes(whole[:cut])
        assert read_checkout(repository) is not None


def test_a_linked_head_is_not_followed(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a" * 40)
    (repository / ".git/HEAD").unlink()
    (repository / ".git/HEAD").symlink_to(tmp_path / "secret")
    found = read_checkout(repository)
    assert found is not None
    assert found.commit == ""


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://user:token@host.example/a", "https://host.example/a"),
        ("https://host.example/a@b", "https://host.example/a@b"),
        ("git@host.example:a/b.git", "git@host.example:a/b.git"),
        ("ssh://git@host.example/a", "ssh://host.example/a"),
    ],
)
def test_credentials_never_travel(url: str, clean: str) -> None:
    assert without_credentials(url) == clean
