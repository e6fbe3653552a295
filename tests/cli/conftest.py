"""Commands run as on a publisher's own machine, unless a test says otherwise."""

import pytest


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the job of the CI system that these tests may themselves run in."""
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "BUILDER_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
