"""`docs/signing.md` and `docs/recorded-steps.md` are executed as they stand, with the services that they name."""

import json
from pathlib import Path

import pytest

from tests import softhsm
from tests.authority import IDENTITY, make_pki, write_pki
from tests.factory import write_keys
from tests.lab import Lab
from tests.sigstore_instance import SigstoreInstance
from tests.test_docs import run_tour

SIGNING, STEPS = "docs/signing.md", "docs/recorded-steps.md"


def test_a_key(tmp_path: Path) -> None:
    run_tour(tmp_path, SIGNING, {"key": 0})


def test_a_certificate_with_a_timestamp(
    tmp_path: Path, sigstore: SigstoreInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_pki(tmp_path, make_pki())
    files.ca.rename(tmp_path / "company-root.pem")
    Lab(tmp_path, sigstore).timestamp_ca(tmp_path).rename(tmp_path / "timestamp-root.pem")
    monkeypatch.setenv("TIMESTAMP_URL", f"{sigstore.url}/api/v1/timestamp")
    run_tour(tmp_path, SIGNING, {"certificate": 0})


@pytest.mark.hsm
def test_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device, pair = softhsm.find_softhsm(), write_keys(tmp_path / "keys")
    monkeypatch.setenv("SOFTHSM2_CONF", str(softhsm.write_configuration(tmp_path)))
    monkeypatch.setenv("AIBOM_PKCS11_PIN", softhsm.PIN)
    device.add_token("release")
    device.add_key("release", "signing", "01", pair.private)
    pair.public.rename(tmp_path / "publisher.pub")
    run_tour(tmp_path, SIGNING, {"device": 0})


def test_an_identity(tmp_path: Path, sigstore: SigstoreInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    config = sigstore.trust_config(rekor=2, timestamps=True)
    (tmp_path / "instance.json").write_text(json.dumps(config))
    monkeypatch.setenv("SIGSTORE_IDENTITY_TOKEN", sigstore.identity_token(IDENTITY))
    monkeypatch.setenv("ISSUER", sigstore.url)
    run_tour(tmp_path, SIGNING, {"keyless": 0})


def test_recorded_steps(tmp_path: Path) -> None:
    run_tour(tmp_path, STEPS, {"layout": 0, "steps": 0, "buyer": 0, "other": 1})
