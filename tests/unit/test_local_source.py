"""Listing and reading a folder: nothing is followed out of it, everything is read once."""

import os
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256, sha512
from pathlib import Path

import pytest

from aibom.core.errors import InputError, UnsafeEntryError
from aibom.sources.listing import list_release, require_safe
from aibom.sources.local import read_release


def test_files_and_what_is_outside(tmp_path: Path) -> None:
    for name in ("a", "sub/b", ".git/config", "model.sig", "attestations/x.sigstore.json", ".gitignore"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    listing = list_release(tmp_path)
    assert listing.files == ((".gitignore", 10), ("a", 1), ("sub/b", 5))
    assert listing.outside == (".git", "attestations/x.sigstore.json", "model.sig")


@pytest.mark.parametrize("workers", [0, 2])
def test_digests(tmp_path: Path, workers: int) -> None:
    contents = {f"f{n}": os.urandom(n * 300_000) for n in range(20)} | {"big": os.urandom(5_000_001)}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    with ThreadPoolExecutor(workers or 1) as executor:
        read = list(
            read_release(
                tmp_path,
                list_release(tmp_path).files,
                retain=lambda name, size, head: 10,
                algorithms=("sha256", "sha512"),
                executor=executor if workers else None,
            )
        )
    assert {f.entry.name for f in read} == set(contents)
    for file in read:
        data = contents[file.entry.name]
        assert file.entry.digests == {"sha256": sha256(data).hexdigest(), "sha512": sha512(data).hexdigest()}
        assert file.kept == data[:10]
        assert file.entry.size == len(data)


def test_every_file_is_opened_once_and_every_byte_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(50):
        (tmp_path / f"f{n}").write_bytes(bytes(1000))
    opened: Counter[str] = Counter()
    read_bytes = 0
    real_open, real_read = os.open, os.readv

    def counting_open(path: Path, flags: int) -> int:
        opened[Path(path).name] += 1
        return real_open(path, flags)

    def counting_read(fd: int, buffers: list[bytearray]) -> int:
        nonlocal read_bytes
        count = real_read(fd, buffers)
        read_bytes += count
        return count

    monkeypatch.setattr(os, "open", counting_open)
    monkeypatch.setattr(os, "readv", counting_read)
    list(read_release(tmp_path, list_release(tmp_path).files))
    assert set(opened.values()) == {1}
    assert len(opened) == 50
    assert read_bytes == 50_000


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/etc/passwd", "leaves the release"),
        ("..", "leaves the release"),
        ("a", "stays inside"),
        ("loop", "symbolic link"),
    ],
)
def test_links_are_refused(tmp_path: Path, target: str, words: str) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "loop").symlink_to(target)
    listing = list_release(tmp_path)
    assert [p.where for p in listing.refused] == ["loop"]
    assert words in listing.refused[0].message
    with pytest.raises(UnsafeEntryError):
        require_safe(listing, tmp_path)


def test_a_linked_folder_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("x")
    release = tmp_path / "release"
    release.mkdir()
    (release / "folder").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert list_release(release).files == ()
    assert len(list_release(release).refused) == 1


def test_pipes_and_sockets_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    refused = list_release(tmp_path).refused
    assert sorted(p.where for p in refused) == ["pipe", "socket"]


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"m\xff.bin")).write_text("x")
    (problem,) = list_release(tmp_path).refused
    assert "not valid UTF-8" in problem.message
    assert problem.message.isprintable()


def test_a_file_replaced_by_a_link_after_listing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    files = list_release(tmp_path).files
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="cannot open") as caught:
        list(read_release(tmp_path, files))
    assert caught.value.where == "a"


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(3_000_000))

    def grow(name: str, size: int, head: bytes) -> int:
        with path.open("ab") as file:
            file.write(b"more")
        return 0

    with pytest.raises(InputError, match="changed while"):
        list(read_release(tmp_path, list_release(tmp_path).files, retain=grow))


def test_an_unreadable_file(tmp_path: Path) -> None:
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "secret").write_text("x")
    (folder / "secret").chmod(0)
    if os.geteuid() == 0:  # permissions do not bind the superuser: be somebody else for the moment of reading
        for path in (folder, *folder.parents):
            if path.stat().st_uid == 0 and str(path).startswith(str(tmp_path.parents[1])):
                path.chmod(path.stat().st_mode | 0o055)
    files = list_release(folder).files
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(InputError, match="Permission denied") as caught:
            list(read_release(folder, files))
    finally:
        os.seteuid(before)
    assert caught.value.where == "secret"
    assert "readable" in caught.value.hint


@pytest.mark.parametrize("kind", ["missing", "pipe", "empty"])
def test_what_is_no_release(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "pipe":
        os.mkfifo(path)
    if kind == "empty":
        path.mkdir()
    with pytest.raises(InputError) as caught:
        require_safe(list_release(path), path)
    assert caught.value.hint


def test_work_grows_with_files_not_with_their_square(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Counter[int]()
    real = os.fstat
    current = 0

    def counting(fd: int) -> os.stat_result:
        calls[current] += 1
        return real(fd)

    monkeypatch.setattr(os, "fstat", counting)
    for current in (100, 200):
        folder = tmp_path / str(current)
        folder.mkdir()
        for n in range(current):
            (folder / f"f{n}").write_bytes(b"x")
        list(read_release(folder, list_release(folder).files))
    assert calls[200] == 2 * calls[100]
