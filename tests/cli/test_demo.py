"""The demo tells its story with the real commands, on a wheel that this test makes; `make demo` takes a real model."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.cli.demo_model import MODELS
from aibom.core.errors import InputError
from aibom.sources.wheel import unpack_wheel
from tests.conftest import Ran
from tests.factory import make_release

Aibom = Callable[..., Ran]


def make_wheel(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return path


@pytest.mark.parametrize("kind", ["wheel", "folder"])
def test_three_verdicts(tmp_path: Path, kind: str) -> None:
    release = make_release(tmp_path / "model")
    source = make_wheel(tmp_path / "model-1-py3-none-any.whl", release) if kind == "wheel" else release
    command = [sys.executable, "-m", "aibom", "demo", "out", "--from", str(source)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    codes = [line for line in done.stdout.splitlines() if line.startswith("exit code")]
    assert codes == [f"exit code {code}" for code in (0, 0, 0, 4, 1)]
    accepted, incomplete, rejected = (done.stdout.index(word) for word in (" ACCEPTED ", " INCOMPLETE ", " REJECTED "))
    assert accepted < incomplete < rejected
    assert "Ask the publisher" in done.stdout[incomplete:rejected]
    changed = max((p for p in release.rglob("*") if p.is_file()), key=lambda p: (p.stat().st_size, p.name))
    assert changed.name in done.stdout[rejected:]
    assert "Try next:" in done.stdout
    told = [line for line in done.stdout.splitlines() if not line.startswith(("$ ", "    "))]  # commands may be long
    assert [line for line in told if len(line) > 80] == []
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr


def test_a_folder_with_other_files_is_left_alone(aibom: Aibom, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    ran = aibom("demo", tmp_path / "mine", "--from", make_release(tmp_path / "model"))
    assert ran.code == 2
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "x"


def test_a_source_that_is_none(aibom: Aibom, tmp_path: Path) -> None:
    ran = aibom("demo", tmp_path / "d", "--from", tmp_path / "nothing")
    assert ran.code == 3
    assert all(name in ran.err for name in MODELS)
    (tmp_path / "x.whl").write_text("not a zip")
    assert aibom("demo", tmp_path / "d", "--from", tmp_path / "x.whl").code == 3


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil", "a/../../evil", "a\\b"])
def test_a_wheel_cannot_write_elsewhere(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(InputError):
        unpack_wheel(tmp_path / "x.whl", tmp_path / "out" / "deep")
    assert list(tmp_path.rglob("evil*")) == []


def test_a_wheel_with_a_link_or_a_name_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "link.whl", "w") as archive:
        member = zipfile.ZipInfo("link")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(InputError, match="regular file"):
        unpack_wheel(tmp_path / "link.whl", tmp_path / "a")
    with zipfile.ZipFile(tmp_path / "twice.whl", "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "2")
    with pytest.raises(InputError, match="twice"):
        unpack_wheel(tmp_path / "twice.whl", tmp_path / "b")
