"""The tables in the documents say what the committed results say, and what is installed for them is pinned."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.expected import DEPARTURES
from tests.interop.results import ACCEPTED, load_results

ROOT = Path(__file__).resolve().parents[2]
LOCK = Path(__file__).parent / "node" / "package-lock.json"


def test_the_documents_follow_from_the_results() -> None:
    done = subprocess.run(
        [sys.executable, "tools/generate_interop.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_tool_in_a_cell_has_its_version() -> None:
    results = load_results()
    assert {tool for cell in results.cells for tool in (cell.judge, cell.signed_by)} == {"aibom", *results.judges}


def test_every_cell_that_is_not_accepted_has_its_reason() -> None:
    reasons = {departure.why for departure in DEPARTURES}
    cells = load_results().cells
    assert {cell.reason for cell in cells if cell.outcome != ACCEPTED} <= reasons
    assert [cell for cell in cells if cell.outcome == ACCEPTED and cell.reason] == []


def test_the_tables_fit_a_terminal() -> None:
    for name in ("README.md", "docs/interop.md"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        rows = [line for line in lines if line.startswith(("| key", "| sigstore", "| model_signing"))]
        assert len(rows) > 4
        assert max(map(len, rows)) <= 80


@pytest.mark.parametrize("member", ["integrity", "version"])
def test_what_node_installs_is_locked_by_digest_and_names_no_address(member: str) -> None:
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    assert [name for name, package in packages.items() if name and member not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []
