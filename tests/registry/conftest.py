"""Everything here needs a program of another project; `make registry` runs it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.docker_registry import DockerRegistry


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("AIBOM_REGISTRY_USERNAME", "AIBOM_REGISTRY_PASSWORD", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[DockerRegistry]:
    with DockerRegistry(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[DockerRegistry]:
    with DockerRegistry(tmp_path / "registry", password=True) as running:
        yield running
