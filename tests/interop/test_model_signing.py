"""`model_signing` judges what we sign, and we judge what it signs. Run by `make interop`."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.core.layout import SIGNATURE_NAME
from tests.conftest import Ran
from tests.factory import KeyFiles, make_release, write_keys
from tests.releases.files import put
from tests.sigstore_instance import SigstoreInstance

pytest.importorskip("model_signing", reason="needs the interop group: run `make interop`")
pytestmark = pytest.mark.interop
Aibom = Callable[..., Ran]
IDENTITY = "release@example.com"


def model_signing(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(params=["p256", "p384", "p521"])
def pair(tmp_path: Path, request: pytest.FixtureRequest) -> KeyFiles:
    return write_keys(tmp_path / "keys", request.param)


@pytest.mark.parametrize("kind", ["small", "example"])
def test_it_accepts_ours_with_no_flag(aibom: Aibom, tmp_path: Path, pair: KeyFiles, kind: str) -> None:
    release = make_release(tmp_path / "release", kind)
    assert (release / ".gitattributes").exists()
    assert aibom("sign", release, "--build", "--key", pair.private).code == 0
    command = ["verify", "key", release, "--signature", release / SIGNATURE_NAME, "--public_key", pair.public]
    done = model_signing(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    put(release / "README.md", "changed")
    assert model_signing(*command).returncode != 0


def test_we_accept_its_own_with_its_notes(aibom: Aibom, tmp_path: Path, pair: KeyFiles) -> None:
    release = make_release(tmp_path / "release")
    done = model_signing("sign", "key", release, "--signature", release / SIGNATURE_NAME, "--private_key", pair.private)
    assert done.returncode == 0, done.stdout + done.stderr
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


@pytest.mark.parametrize("rekor", [1, 2])
def test_keyless_both_ways(
    aibom: Aibom, tmp_path: Path, sigstore: SigstoreInstance, rekor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "trust.json"
    config.write_text(json.dumps(sigstore.trust_config(rekor=rekor, timestamps=rekor == 2)))
    expect = ["--identity", IDENTITY, "--identity_provider", sigstore.url, "--trust_config", config]
    ours, theirs = make_release(tmp_path / "ours"), make_release(tmp_path / "theirs")
    monkeypatch.setenv("SIGSTORE_IDENTITY_TOKEN", sigstore.identity_token(IDENTITY))
    assert aibom("sign", ours, "--build", "--keyless", "--trust-config", config).code == 0
    done = model_signing("verify", "sigstore", ours, "--signature", ours / SIGNATURE_NAME, *expect)
    assert done.returncode == 0, done.stdout + done.stderr
    token = sigstore.identity_token(IDENTITY)
    signed = model_signing(
        "sign",
        "sigstore",
        theirs,
        "--signature",
        theirs / SIGNATURE_NAME,
        "--identity_token",
        token,
        "--trust_config",
        config,
    )
    assert signed.returncode == 0, signed.stdout + signed.stderr
    arguments = ["--identity", IDENTITY, "--issuer", sigstore.url, "--trust-config", config]
    assert aibom("verify", theirs, *arguments).code == 0
