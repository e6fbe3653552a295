"""Folders that change under the reader, and what lies in `.git` or a cache to lead it elsewhere or to hold it up."""

import os
import shutil
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from aibom.build.collect import collect
from aibom.build.publisher import NAME as PUBLISHER_NAME
from aibom.core.errors import InputError
from aibom.core.layout import BOM_NAME
from aibom.sources.git import Checkout, read_checkout, without_credentials
from aibom.sources.listing import list_release
from aibom.sources.local import ReadFile, read_release
from tests.releases.files import put
from tests.releases.git_checkout import write_git_checkout
from tests.releases.hub_cache import COMMIT, write_hub_cache
from tests.releases.small import write_small

ID = "ab" * 20
SECRET = "not part of any release"


def everything(name: str, size: int, head: bytes) -> int:
    return size


def read(root: Path, files: tuple[tuple[str, int], ...]) -> list[ReadFile]:
    return list(read_release(root, files, retain=everything))


def swap(folder: Path, outside: Path) -> None:
    """Put a link in the place of a folder, to another that holds files of the same names."""
    shutil.copytree(folder, outside)
    for path in outside.rglob("*"):
        if path.is_file():
            path.write_text(SECRET)
    shutil.rmtree(folder)
    folder.symlink_to(outside, target_is_directory=True)


# Between listing and reading


@pytest.mark.parametrize("swapped", ["sub", "sub/deep"])
def test_a_folder_replaced_by_a_link_after_listing_is_not_followed(tmp_path: Path, swapped: str) -> None:
    release = tmp_path / "release"
    put(release / "sub" / "deep" / "x.md", "ours")
    files = list_release(release).files
    swap(release / swapped, tmp_path / "outside")
    with pytest.raises(InputError, match="cannot open") as caught:
        read(release, files)
    assert caught.value.where == "sub/deep/x.md"


def test_a_folder_of_blobs_replaced_by_a_link_while_reading_is_not_followed(tmp_path: Path) -> None:
    snapshot = write_hub_cache(tmp_path, write_small)
    files = list_release(snapshot).files
    blobs = snapshot.parents[1] / "blobs"

    heads = []

    def swap_once(name: str, size: int, head: bytes) -> int:
        heads.append(head)
        if not blobs.is_symlink():
            swap(blobs, tmp_path / "outside")
        return size

    with suppress(InputError):  # that the blobs went away is an error as well
        list(read_release(snapshot, files, retain=swap_once))
    assert blobs.is_symlink()
    assert SECRET.encode() not in heads


def test_a_folder_in_a_snapshot_replaced_by_a_link_is_not_followed(tmp_path: Path) -> None:
    snapshot = write_hub_cache(tmp_path, write_small)
    files = list_release(snapshot).files
    (snapshot / "docs").rename(tmp_path / "moved")
    (snapshot / "docs").symlink_to(tmp_path / "moved", target_is_directory=True)
    with pytest.raises(InputError, match="cannot open"):
        read(snapshot, files)


def test_files_of_many_folders_are_read_and_no_descriptor_stays_open(tmp_path: Path) -> None:
    for n in range(300):
        put(tmp_path / f"d{n % 7}" / f"e{n % 3}" / f"f{n}", str(n))
    before = len(list(Path("/dev/fd").iterdir()))
    found = {file.entry.name: file.kept for file in read(tmp_path, list_release(tmp_path).files)}
    assert found == {f"d{n % 7}/e{n % 3}/f{n}": str(n).encode() for n in range(300)}
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_release_reached_through_a_link_is_read(tmp_path: Path) -> None:
    put(tmp_path / "release" / "sub" / "a", "x")
    (tmp_path / "link").symlink_to(tmp_path / "release")
    assert [file.kept for file in read(tmp_path / "link", list_release(tmp_path / "link").files)] == [b"x"]


# .git


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return write_git_checkout(tmp_path, write_small)


def look(folder: Path) -> Checkout:
    found = read_checkout(folder)
    assert found is not None
    return found


def test_links_below_git_are_not_followed(checkout: Path, tmp_path: Path) -> None:
    assert look(checkout).commit
    assert look(checkout).time
    for name in ("objects", "refs"):
        (checkout / ".git" / name).rename(tmp_path / name)
        (checkout / ".git" / name).symlink_to(tmp_path / name)
        assert look(checkout).time is None
    assert look(checkout).commit == ""


@pytest.mark.parametrize("name", ["HEAD", "config", "packed-refs", "refs/heads/main"])
def test_a_pipe_below_git_is_not_waited_for(checkout: Path, name: str) -> None:
    (checkout / ".git" / name).unlink(missing_ok=True)
    os.mkfifo(checkout / ".git" / name)
    look(checkout)


@pytest.mark.parametrize("suffix", [".idx", ".pack"])
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "nothing"])
def test_a_pack_that_is_no_regular_file_gives_nothing(checkout: Path, tmp_path: Path, suffix: str, kind: str) -> None:
    index, pack = packed(checkout)
    assert look(checkout).time is not None
    path = index if suffix == ".idx" else pack
    path.rename(tmp_path / "moved")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "moved")
    elif kind == "folder":
        path.mkdir()
    assert look(checkout).time is None


def test_an_offset_beyond_all_files_gives_nothing(checkout: Path) -> None:
    index, _ = packed(checkout)
    content = index.read_bytes()
    far = content[:-4] + struct.pack(">I", 2**31) + struct.pack(">Q", 2**64 - 1)
    index.write_bytes(far)
    assert look(checkout).time is None


def packed(checkout: Path) -> tuple[Path, Path]:
    """Put a commit into a pack of its own, at which HEAD stands."""
    text = b"tree 0\ncommitter x <y> 1700000000 +0000\n\nx"
    put(checkout / ".git" / "HEAD", ID)
    folder = checkout / ".git" / "objects" / "pack"
    header = bytes([0x80 | 1 << 4 | len(text) & 15, len(text) >> 4])
    put(folder / "pack-1.pack", b"PACK" + struct.pack(">II", 2, 1) + header + zlib.compress(text))
    fanout = b"".join(struct.pack(">I", n >= 0xAB) for n in range(256))
    put(folder / "pack-1.idx", b"\xfftOc\0\0\0\2" + fanout + bytes.fromhex(ID) + bytes(4) + struct.pack(">I", 12))
    return folder / "pack-1.idx", folder / "pack-1.pack"


@pytest.mark.parametrize(
    "name",
    [
        "refs/heads/../../../x",
        "refs/heads/./x",
        "refs/heads/.x",
        "refs/heads//x",
        "refs/heads/x.lock",
        "refs/heads/x.",
        "refs/heads/",
        "refs/heads/\x1b[31m",
        "refs/heads/" + "a" * 300,
        "refs/tags/v1",
        "/etc/passwd",
    ],
)
def test_a_name_that_is_no_branch_s_gives_no_branch(checkout: Path, name: str) -> None:
    put(checkout / ".git" / "HEAD", f"ref: {name}\n")
    assert look(checkout).branch == ""


def test_a_branch_with_dots_and_slashes_is_one(checkout: Path) -> None:
    put(checkout / ".git" / "HEAD", "ref: refs/heads/release/v1.2-rc_1\n")
    put(checkout / ".git" / "refs/heads/release/v1.2-rc_1", ID + "\n")
    assert (look(checkout).branch, look(checkout).commit) == ("release/v1.2-rc_1", ID)


SECRETS = [
    "user:pw-s3cret@host:path",
    "https://host.example/x?token=s3cret",
    "https://host.example/x#s3cret",
    "https://host.example/x?u:s3cret@y",
    "http://user:s3/cret@host.example/x",
    "http://us.er:12/s3cret@host.example/x",
    "http://us.er:12/s3cret@host",
    "http://s3cret/x@host.example/a/b",
    "http://user:s3cret%40host.example/x",
    "https://user:1?s3cret@host.example/x",
    "https://user:1#s3cret@host.example/x",
    "https://a\\u:s3cret@x/y",
    "https:user:s3cret@host/x",
    "https://user:s3cret@x@host.example/e",
    "https://s3cret@host.example/e",
    "s3cret@host.example:a/b",
    '"https://user:s3cret@host.example/x"',
    "user:s3cret/x",
    "file:///home/s3cret/model",
    "/home/s3cret/model",
    "../s3cret",
    "C:/s3cret",
    "C:\\s3cret",
    "ext::sh -c s3cret",
    "-os3cret",
    "http://x:s3cret",
]


@pytest.mark.parametrize("url", SECRETS)
def test_no_part_of_a_remote_that_may_be_a_secret_travels(checkout: Path, url: str) -> None:
    assert "cret" not in without_credentials(url)
    put(checkout / ".git" / "config", f'[remote "origin"]\n\turl = {url}\n')
    assert "cret" not in look(checkout).remote


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://host.example/a/b.git", "https://host.example/a/b.git"),
        ("https://u:p@host.example:8443/a%20b", "https://host.example:8443/a%20b"),
        ("ssh://git@host.example:22/~a/b", "ssh://host.example:22/~a/b"),
        ("git@host:a/b.git", "git@host:a/b.git"),
        ("someone@host.example:a/b.git", "host.example:a/b.git"),
        ("host.example:a/b.git", "host.example:a/b.git"),
    ],
)
def test_an_ordinary_remote_is_kept(url: str, clean: str) -> None:
    assert without_credentials(url) == clean


# A hub cache


def test_a_snapshot_of_links_is_believed(tmp_path: Path) -> None:
    snapshot = write_hub_cache(tmp_path, write_small, repository="acme-ai/tiny")
    put(snapshot / BOM_NAME, "{}")
    put(snapshot / PUBLISHER_NAME, "")
    put(snapshot / "model.sig", "{}")
    found = collect(snapshot).snapshot
    assert found is not None
    assert (found.repository, found.commit) == ("acme-ai/tiny", COMMIT)


@pytest.mark.parametrize("plain", ["all", "README.md"])
def test_plain_files_where_a_snapshot_would_lie_are_nobody_s_commit(tmp_path: Path, plain: str) -> None:
    snapshot = write_hub_cache(tmp_path, write_small)
    for path in list(snapshot.rglob("*")):
        if path.is_symlink() and plain in {"all", path.name}:
            content = path.read_bytes()
            path.unlink()
            path.write_bytes(content)
    assert collect(snapshot).snapshot is None
