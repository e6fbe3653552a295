"""`model_signing` judges what we sign with certificates, and we judge what it signs. Run by `make interop`."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.core.layout import SIGNATURE_NAME
from tests.authority import make_pki, write_pki
from tests.conftest import Ran
from tests.factory import make_release
from tests.releases.files import put
from tests.sigstore_instance import SigstoreInstance

pytest.importorskip("model_signing", reason="needs the interop group: run `make interop`")
pytestmark = pytest.mark.interop
Aibom = Callable[..., Ran]


def model_signing(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", ["p256", "p384", "p521"])
@pytest.mark.parametrize("stamped", [False, True], ids=["bare", "timestamped"])
def test_it_accepts_ours(aibom: Aibom, tmp_path: Path, sigstore: SigstoreInstance, kind: str, stamped: bool) -> None:
    release, files = make_release(tmp_path / "release"), write_pki(tmp_path / "pki", make_pki(kind=kind))
    time = ["--timestamp-url", f"{sigstore.url}/api/v1/timestamp"] if stamped else []
    assert aibom("sign", release, "--build", *files.sign, *time).code == 0
    command: list[object] = ["verify", "certificate", release, "--signature", release / SIGNATURE_NAME]
    command += ["--certificate_chain", files.ca]
    done = model_signing(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    put(release / "README.md", "changed")
    assert model_signing(*command).returncode != 0


def test_it_has_no_other_keys_than_ec(aibom: Aibom, tmp_path: Path) -> None:
    """It knows ECDSA only; if this fails, it has learnt more, and the table of the documentation is out of date."""
    for kind in ("ed25519", "rsa3072"):
        release, files = make_release(tmp_path / kind), write_pki(tmp_path / f"pki-{kind}", make_pki(kind=kind))
        assert aibom("sign", release, "--build", *files.sign).code == 0
        assert aibom("verify", release, *files.expect).code == 0
        command: list[object] = ["verify", "certificate", release, "--signature", release / SIGNATURE_NAME]
        assert model_signing(*command, "--certificate_chain", files.ca).returncode != 0


def test_we_accept_its_own(aibom: Aibom, tmp_path: Path) -> None:
    release, files = make_release(tmp_path / "release"), write_pki(tmp_path / "pki", make_pki())
    command: list[object] = [
        "sign",
        "certificate",
        release,
        "--signature",
        release / SIGNATURE_NAME,
        "--private_key",
        files.key,
    ]
    command += ["--signing_certificate", files.certificate, "--certificate_chain", files.chain]
    done = model_signing(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    ran = aibom("verify", release, *files.expect, "--json")
    assert ran.code == 0, ran.out
    assert json.loads(ran.out)["signers"][0]["kind"] == "certificate"
    put(release / "more.py", "x")
    assert aibom("verify", release, *files.expect).code == 1
