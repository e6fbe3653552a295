"""The commands of docs/registries.md run as they stand, at the registry of the test. Run by `make registry`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aibom.core.layout import BOM_NAME, SIGNATURE_NAME
from tests.factory import make_release, write_keys
from tests.registry.docker_registry import DockerRegistry

pytestmark = pytest.mark.registry
ROOT = Path(__file__).resolve().parents[2]


def test_the_page(registry: DockerRegistry, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "registries.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"<!-- tour: (\w+) -->\n```sh\n(.*?)```", page, re.DOTALL))
    assert list(blocks) == ["push", "pull"]
    make_release(tmp_path / "my-model")
    shutil.copytree(tmp_path / "my-model", tmp_path / "bought")
    keys = write_keys(tmp_path / "keys")
    shutil.copy(keys.private, tmp_path / "publisher.key")
    shutil.copy(keys.public, tmp_path / "publisher.pub")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for name, block in blocks.items():
        done = subprocess.run(
            ["bash", "-eu", "-c", block.replace("localhost:5000", registry.host)],
            cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
    for name in (BOM_NAME, SIGNATURE_NAME):
        assert (tmp_path / "bought" / name).read_bytes() == (tmp_path / "my-model" / name).read_bytes()
