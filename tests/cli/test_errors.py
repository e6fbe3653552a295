"""What goes wrong says what, where and what to do; has the right code; leaves nothing half-written."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.core.layout import BOM_NAME, SIGNATURE_NAME
from tests.conftest import Ran
from tests.factory import KeyFiles, make_signed
from tests.releases.files import put
from tests.releases.hostile import HOSTILE, write_hostile

Aibom = Callable[..., Ran]


def expect(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran.err
    for word in words:
        assert word in ran.err
    assert ran.err.startswith(("error:", "warning:", "Usage:"))
    assert "hint:" in ran.err


def test_a_missing_folder(aibom: Aibom, tmp_path: Path, keys: KeyFiles) -> None:
    missing = tmp_path / "nowhere"
    expect(aibom("build", missing), 3, "no such folder", str(missing))
    expect(aibom("sign", missing, "--build", "--key", keys.private), 3, "no such folder")
    expect(aibom("verify", missing, "--public-key", keys.public), 3, "no such folder")
    assert not missing.exists()


def test_an_empty_folder(aibom: Aibom, tmp_path: Path, keys: KeyFiles) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    expect(aibom("build", empty), 3, "holds no file", str(empty))
    expect(aibom("sign", empty, "--build", "--key", keys.private), 3, "holds no file")
    ran = aibom("verify", empty, "--public-key", keys.public)
    assert ran.code == 1
    assert "no signature" in ran.out
    assert list(empty.iterdir()) == []


def test_neither_a_file_nor_a_folder(aibom: Aibom, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    expect(aibom("build", tmp_path / "pipe"), 3, "neither a folder nor a regular file")


# What each hostile input ends with: its code, and words of the error or the warning.
HOSTILE_ENDS = {
    "trunc_header": (3, "4096 bytes long"),
    "huge_header": (3, "bytes long"),
    "junk_header": (3, "start with '{'"),
    "deep_json": (3, "deep"),
    "trunc_gguf": (3, "1152921504606846976 tensors"),
    "bad_onnx": (3, "the weights cannot be read"),
    "nonutf8_readme": (0, "not valid UTF-8"),
    "bad_yaml": (0, "not YAML"),
    "yaml_bomb": (0, "aliases"),
    "symlink_loop": (3, "symbolic link"),
    "empty_dir": (3, "holds no file"),
    "lfs_pointer": (3, "Git LFS pointer"),
    "nonutf8_name": (3, "not valid UTF-8"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_inputs(aibom: Aibom, tmp_path: Path, name: str) -> None:
    write_hostile(tmp_path)
    code, words = HOSTILE_ENDS[name]
    ran = aibom("build", tmp_path / name)
    assert ran.code == code, ran.err
    assert words in ran.err
    assert "/etc/passwd" not in ran.out
    if code:
        assert "at: " in ran.err
        assert "hint: " in ran.err
        assert not (tmp_path / name / BOM_NAME).exists()


def test_a_link_that_leaves_the_release(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    (release / "weights.bin").symlink_to("/etc/passwd")
    expect(aibom("build", release), 3, "leaves the release", "weights.bin")
    expect(aibom("sign", release, "--build", "--key", keys.private), 3, "leaves the release")
    assert not (release / BOM_NAME).exists()


def test_an_unreadable_file(aibom: Aibom, release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The superuser may read anything, so the system call itself is made to refuse.
    real = os.open

    def refuse(path: object, flags: int, *rest: int, **named: int) -> int:
        if str(path).endswith("train.py"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("aibom.sources.local.os.open", refuse)
    expect(aibom("build", release), 3, "Permission denied", "train.py")


def test_an_unreadable_file_leaves_the_verifier_undecided(
    aibom: Aibom, signed: Path, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuse(path: object, flags: int, *rest: int, **named: int) -> int:
        if str(path).endswith("train.py"):
            raise OSError(5, "Input/output error")
        return real(path, flags, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("aibom.sources.local.os.open", refuse)
    ran = aibom("verify", signed, "--public-key", keys.public)
    assert ran.code == 3
    assert all(words in ran.out for words in ("UNDECIDED", "Input/output error", "train.py", "next"))
    report = json.loads(aibom("verify", signed, "--public-key", keys.public, "--json").out)
    assert report["verdict"] == "undecided"
    assert {f["rule"] for f in report["findings"]} == {"input.unreadable"}


def test_the_wrong_key(aibom: Aibom, signed: Path, other_keys: KeyFiles) -> None:
    ran = aibom("verify", signed, "--public-key", other_keys.public)
    assert ran.code == 1
    assert "another key" in ran.out
    assert "expected" in ran.out
    assert "next" in ran.out


def test_files_that_are_no_keys(aibom: Aibom, signed: Path, keys: KeyFiles, tmp_path: Path) -> None:
    expect(aibom("verify", signed, "--public-key", keys.private), 3, "not a public key", "private key")
    expect(aibom("verify", signed, "--public-key", signed / "README.md"), 3, "not a public key")
    expect(aibom("verify", signed, "--public-key", tmp_path / "none"), 3, "cannot read the public key")
    expect(aibom("sign", signed, "--key", keys.public), 3, "not a private key", "public key")
    expect(aibom("sign", signed, "--key", tmp_path / "none"), 3, "cannot read the key")


def test_no_signature(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    ran = aibom("verify", release, "--public-key", keys.public)
    assert ran.code == 1
    assert "there is no signature" in ran.out
    assert aibom("verify", release).code == 2


def test_a_garbage_signature(aibom: Aibom, signed: Path, keys: KeyFiles) -> None:
    put(signed / SIGNATURE_NAME, "garbage")
    ran = aibom("verify", signed, "--public-key", keys.public)
    assert ran.code == 1
    assert SIGNATURE_NAME in ran.out
    claims = aibom("verify", signed)
    assert claims.code == 2
    assert "unreadable" in claims.err


def test_a_key_inside_the_release_is_not_signed_into_it(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    inside = release / "publisher.key"
    inside.write_bytes(keys.private.read_bytes())
    ran = aibom("sign", release, "--build", "--key", inside)
    assert ran.code == 2
    assert "would be published with it" in ran.err
    assert not (release / SIGNATURE_NAME).exists()
    assert "holds a private key" in aibom("build", release).err


def test_replacing_a_bom_or_signature_is_said(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    assert "replaces" not in aibom("sign", release, "--build", "--key", keys.private).err
    assert "sign the release again" in " ".join(aibom("build", release).err.split())
    assert "replaces the signature" in " ".join(aibom("sign", release, "--key", keys.private).err.split())


def test_a_release_without_a_bom_is_not_signed(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    expect(aibom("sign", release, "--key", keys.private), 3, "no BOM to sign", "--build")


def test_a_folder_that_cannot_be_written(aibom: Aibom, release: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    expect(aibom("build", release, "-o", tmp_path / "file" / "bom.json"), 3, "cannot write")


def test_a_failed_write_leaves_the_old_file(aibom: Aibom, release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert aibom("build", release).code == 0
    before = (release / BOM_NAME).read_bytes()
    (release / "new.txt").write_text("x")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aibom.cli.output.os.fsync", full)
    expect(aibom("build", release), 3, "No space left")
    assert (release / BOM_NAME).read_bytes() == before
    assert [p.name for p in release.iterdir() if p.name.startswith(".aibom-")] == []


def test_a_verified_release_is_left_as_it_was(
    aibom: Aibom, tmp_path: Path, session_folder: Path, keys: KeyFiles
) -> None:
    signed = make_signed(tmp_path / "s", session_folder)
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in signed.rglob("*")}
    aibom("verify", signed, "--public-key", keys.public)
    assert {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in signed.rglob("*")} == before
