"""The wheel as a stranger installs it: what is in it, and that it works from there."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_what_is_in_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"aibom", "attest", "verify"}
    shipped = {name.removeprefix("aibom/_specs/") for name in names if name.startswith("aibom/_specs/")}
    source = {path.relative_to(ROOT / "specs").as_posix() for path in (ROOT / "specs").rglob("*") if path.is_file()}
    assert shipped == source
    assert any(name.endswith("py.typed") for name in names)


def test_it_works_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Installed beside our dependencies, away from the checkout."""
    target = tmp_path / "environment"
    venv.create(target, system_site_packages=False, with_pip=False)
    site = next(target.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    here = [path for path in sys.path if path.endswith("site-packages")]
    # Our own editable install is left out by not processing .pth files: a plain folder on the path has none.
    command = [str(target / "bin" / "python"), "-m", "aibom", "profiles", "list"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={"PYTHONPATH": ":".join(here)}
    )
    assert done.returncode == 0, done.stderr
    assert "outcome-components" in done.stdout
    where = subprocess.run(
        [str(target / "bin" / "python"), "-c", "import aibom.core.specs as s; print(s.specs_root())"],
        cwd=tmp_path, capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(here)},
    )  # fmt: skip
    assert str(site) in where.stdout
