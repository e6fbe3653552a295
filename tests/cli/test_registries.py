"""`push` and `pull` against a small registry: what arrives, in which form, and what is refused."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from tests.conftest import Ran
from tests.factory import KeyFiles
from tests.oci_registry import OciRegistry

Aibom = Callable[..., Ran]
NAMES = (BOM_NAME, SIGNATURE_NAME, BOM_BUNDLE_NAME)


@pytest.fixture(params=["api", "tag"])
def registry(request: pytest.FixtureRequest) -> Iterator[OciRegistry]:
    with OciRegistry(referrers_api=request.param == "api") as running:
        running.put_image("models/teller", "1.0")
        yield running


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def weights(tmp_path: Path, signed: Path) -> Path:
    """The release as a buyer has it before its documents come."""
    folder = tmp_path / "bought"
    shutil.copytree(signed, folder, ignore=shutil.ignore_patterns(BOM_NAME, SIGNATURE_NAME, "attestations"))
    return folder


def test_push_pull_verify(aibom: Aibom, registry: OciRegistry, signed: Path, weights: Path, keys: KeyFiles) -> None:
    reference = f"{registry.host}/models/teller:1.0"
    pushed = aibom("push", reference, signed, "--plain-http")
    assert pushed.code == 0, pushed.err
    pulled = aibom("pull", reference, weights, "--plain-http")
    assert pulled.code == 0, pulled.err
    assert "Nothing was verified" in pulled.out
    for name in NAMES:
        assert (weights / name).read_bytes() == (signed / name).read_bytes()
    assert aibom("verify", weights, "--public-key", keys.public).code == 0
