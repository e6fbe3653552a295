"""What a person sees at the end: folded on a terminal and nowhere else; and what was written when it was stopped."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.core.layout import BOM_NAME
from tests.cli.pipelines import ROOT
from tests.conftest import Ran
from tests.factory import KeyFiles

Aibom = Callable[..., Ran]
COMMAND = [sys.executable, "-m", "aibom"]


def on_a_terminal(columns: int, *arguments: str) -> list[str]:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    size = ["sh", "-c", f'stty cols {columns} rows 30 <&2; exec "$@"', "sh"]
    with subprocess.Popen([*size, *COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(ours)
    return shown.decode().replace("\r", "").splitlines()


def test_errors_are_folded_on_a_terminal_only(aibom: Aibom, tmp_path: Path) -> None:
    key = str(tmp_path / ("long" * 40))
    arguments = ["attest", str(tmp_path / "release"), "--type", "release", "--key", key]
    whole = aibom(*arguments).err.splitlines()
    assert [line.split(":")[0] for line in whole] == ["error", "  at", "  hint"]
    assert len(whole[2]) > 110
    for columns in (60, 100):
        shown = on_a_terminal(columns, *arguments)
        hint = shown[next(i for i, line in enumerate(shown) if line.startswith("  hint: ")) :]
        assert len(hint) > 1
        assert all(len(line) <= columns for line in hint)
        assert max(len(line) for line in hint) > columns - 30
        assert f"  at: {key}" in shown
        assert " ".join(" ".join(hint).split()) == " ".join(whole[2].split())


def stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("command", ["build", "sign", "attest"])
def test_stopped_before_anything_was_written(
    aibom: Aibom, release: Path, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    more = {
        "build": [],
        "sign": ["--build", "--key", keys.private],
        "attest": ["--type", "spdx", "--key", keys.private],
    }
    before = sorted(release.rglob("*"))
    monkeypatch.setattr("aibom.sources.local.os.open", stop)
    ran = aibom(command, release, *more[command])
    assert (ran.code, ran.err.splitlines()[-1]) == (3, "stopped; nothing was written")
    assert sorted(release.rglob("*")) == before


def test_stopped_while_deciding(aibom: Aibom, signed: Path, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aibom.sources.local.os.open", stop)
    ran = aibom("verify", signed, "--public-key", keys.public)
    assert (ran.code, ran.err.splitlines()[-1]) == (3, "stopped; nothing was decided")


def test_stopped_after_something_was_written(aibom: Aibom, release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aibom.cli.output._sync_folder", stop)
    ran = aibom("build", release)
    assert ran.code == 3
    assert ran.err.splitlines()[-1] == f"stopped, after this was written: {release / BOM_NAME}"
    assert (release / BOM_NAME).exists()
