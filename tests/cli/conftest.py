"""Commands run as on somebody's own machine, also when a CI system runs the tests."""

import pytest

from tests.cli.platforms import VARIABLES


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
