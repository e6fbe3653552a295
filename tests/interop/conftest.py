"""The lab of a session; and, with `--update-table`, the results of a whole run written to `results.json`."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.interop.results import Cell, Results, load_results, save_results

if TYPE_CHECKING:
    from tests.lab import Lab
    from tests.sigstore_instance import SigstoreInstance

_SEEN: list[Cell] = []
_OPTION = "--update-table"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_OPTION, action="store_true", default=False, help="write tests/interop/results.json again")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Called where the whole run is seen, also when it is spread over processes."""
    if report.when == "call" and report.passed:
        _SEEN.extend(Cell(**json.loads(str(value))) for name, value in report.user_properties if name == "cell")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    if is_worker or exitstatus != 0 or not session.config.getoption(_OPTION, default=False):
        return
    whole = _whole(tuple(_SEEN))
    if whole is None:
        print("\nthis was a part of a run: no table was written")  # noqa: T201
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
    else:
        save_results(whole)


def _whole(seen: tuple[Cell, ...]) -> Results | None:
    """The results of this run; None for a part of one, from which no table may be written."""
    from tests.interop.judges import JUDGES
    from tests.interop.others import OTHERS
    from tests.lab import DOCUMENTS, SIGNERS

    if len(seen) != len(SIGNERS) * len(DOCUMENTS) * len(JUDGES) + len(OTHERS):
        return None
    return Results({judge.name: judge.version() for judge in JUDGES}, seen)


@pytest.fixture
def committed(request: pytest.FixtureRequest) -> Results | None:
    """The results that the tables were made from; None while they are being written again."""
    return None if request.config.getoption(_OPTION, default=False) else load_results()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, sigstore: "SigstoreInstance") -> "Lab":
    from tests.lab import Lab

    folder: Path = tmp_path_factory.mktemp("lab")
    return Lab(folder, sigstore)
