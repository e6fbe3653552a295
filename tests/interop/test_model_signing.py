"""`model_signing` and we, in what the tables do not show: whole releases, and the notes that we add to its own."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.core.layout import SIGNATURE_NAME
from tests.conftest import Ran
from tests.factory import KeyFiles, make_release, write_keys
from tests.interop.judges import model_signing
from tests.releases.files import put

pytest.importorskip("model_signing", reason="needs the interop group: run `make interop`")
pytestmark = pytest.mark.interop
Aibom = Callable[..., Ran]


@pytest.fixture(params=["p256", "p384", "p521"])
def pair(tmp_path: Path, request: pytest.FixtureRequest) -> KeyFiles:
    return write_keys(tmp_path / "keys", request.param)


@pytest.mark.parametrize("kind", ["small", "example"])
def test_it_accepts_ours_with_no_flag(aibom: Aibom, tmp_path: Path, pair: KeyFiles, kind: str) -> None:
    release = make_release(tmp_path / "release", kind)
    assert (release / ".gitattributes").exists()
    assert aibom("sign", release, "--build", "--key", pair.private).code == 0
    command = ["verify", "key", release, "--signature", release / SIGNATURE_NAME, "--public_key", pair.public]
    answer = model_signing(*command)
    assert answer.accepted, answer.said
    put(release / "README.md", "changed")
    assert not model_signing(*command).accepted


def test_we_accept_its_own_with_its_notes(aibom: Aibom, tmp_path: Path, pair: KeyFiles) -> None:
    release = make_release(tmp_path / "release")
    answer = model_signing(
        "sign", "key", release, "--signature", release / SIGNATURE_NAME, "--private_key", pair.private
    )
    assert answer.accepted, answer.said
    ran = aibom("verify", release, "--public-key", pair.public, "--json")
    assert ran.code == 0, ran.out
    report = json.loads(ran.out)
    assert any(".gitattributes" in text for text in report["coverage"]["notes"])
    assert any("no BOM" in text for text in report["not_checked"])
    assert any("no profile" in text for text in report["not_checked"])
    wanted = aibom("verify", release, "--public-key", pair.public, "--outcome", "production")
    assert wanted.code == 4
    put(release / "more.py", "x")
    assert aibom("verify", release, "--public-key", pair.public).code == 1
