"""Documents are executed: the README's tour runs as it stands, and every path and link that is named exists."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factory import make_release

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "specs").glob("*.md")])


def tour(name: str, page: str = "README.md") -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    match = re.search(rf"<!-- tour: {name} -->\n```sh\n(.*?)```", text, re.DOTALL)
    assert match, name
    return match.group(1)


def run_tour(folder: Path, page: str, expected: dict[str, int]) -> None:
    """Run the parts of a page in a folder with a release; each must end with its code."""
    make_release(folder / "my-model")
    if not shutil.which("openssl"):
        pytest.skip("openssl, which the tour makes its keys with, is not installed")
    # A page is read on somebody's own machine, whatever CI system this runs in.
    systems = ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "BUILDER_OUTPUT")
    environment = {name: value for name, value in os.environ.items() if name not in systems}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment["SOURCE_DATE_EPOCH"] = "1767225600"
    for name, code in expected.items():
        done = subprocess.run(
            ["bash", "-eu", "-c", tour(name, page)], cwd=folder, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{name}: {done.stdout}{done.stderr}"


def test_the_tour_of_the_readme(tmp_path: Path) -> None:
    expected = {"keys": 0, "publisher": 0, "account": 0, "attest": 0, "buyer": 0, "outcome": 4, "json": 0}
    run_tour(tmp_path, "README.md", expected)
    assert json.loads((tmp_path / "report.json").read_text())["verdict"] == "accepted"


def test_the_tour_of_attestations(tmp_path: Path) -> None:
    expected = {"one": 0, "listed": 0, "several": 0, "own": 0, "aside": 0, "buyer": 0}
    run_tour(tmp_path, "docs/attestations.md", expected)
    report = json.loads((tmp_path / "report.json").read_text())
    names = {Path(item["path"]).name.partition(".")[0]: item["outcome"] for item in report["attestations"]}
    assert names == dict.fromkeys(["model", "bom", "evaluation", "provenance", "release", "privacy"], "verified")


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md", "README.md", "SECURITY.md"])
def test_paths_that_are_named_exist(name: str) -> None:
    named = re.findall(
        r"`((?:aibom|attest|verify|specs|tests|docs|tools|requirements|\.ci)/[\w./-]*)`", (ROOT / name).read_text()
    )
    assert [path for path in named if not (ROOT / path).exists() and path != "aibom/_specs"] == []


def test_make_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("README.md", "CONTRIBUTING.md", ".ci/run"):
        for target in re.findall(r"^\s*make (\w+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = project.partition("\ndependencies = [")[2].partition("]")[0]
    names = re.findall(r'^\s*"([A-Za-z0-9-]+)', block, re.MULTILINE)
    assert len(names) == 14
    assert [name for name in names if f"| {name} |" not in text] == []


def test_lock_files_have_hashes_and_no_addresses() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        pins = re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE)
        assert len(pins) > 20
        assert text.count("--hash=sha256:") >= len(pins)
