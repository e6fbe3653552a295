"""Keyless signing against a private Sigstore instance, end to end; verification with the network blocked."""

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from aibom.core.layout import BOM_BUNDLE_NAME, SIGNATURE_NAME
from tests.conftest import Ran
from tests.factory import KeyFiles, make_release
from tests.releases.files import put
from tests.sigstore_instance import SigstoreInstance

Aibom = Callable[..., Ran]
IDENTITY = "release@example.com"


@dataclass(frozen=True)
class Keyless:
    """A signed release, and what a buyer needs to verify it."""

    release: Path
    config: Path
    issuer: str

    @property
    def expect(self) -> list[object]:
        return ["--identity", IDENTITY, "--issuer", self.issuer, "--trust-config", self.config]


@pytest.fixture
def token(sigstore: SigstoreInstance) -> str:
    return sigstore.identity_token(IDENTITY)


@pytest.fixture(params=[(1, False), (1, True), (2, True)], ids=["rekor 1", "rekor 1 + time", "rekor 2 + time"])
def keyless(
    aibom: Aibom,
    sigstore: SigstoreInstance,
    tmp_path: Path,
    token: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Keyless:
    rekor, timestamps = request.param
    config = tmp_path / "trust.json"
    config.write_text(json.dumps(sigstore.trust_config(rekor=rekor, timestamps=timestamps)))
    release = make_release(tmp_path / "release")
    monkeypatch.setenv("SIGSTORE_IDENTITY_TOKEN", token)
    ran = aibom("sign", release, "--build", "--keyless", "--trust-config", config)
    assert ran.code == 0, ran.err
    assert IDENTITY in ran.out
    assert token not in ran.out + ran.err
    return Keyless(release, config, sigstore.url)


def test_sign_then_verify_without_a_network(aibom: Aibom, keyless: Keyless, no_network: None) -> None:
    ran = aibom("verify", keyless.release, *keyless.expect, "--json")
    assert ran.code == 0, ran.out + ran.err
    report = json.loads(ran.out)
    (signer,) = {json.dumps(s, sort_keys=True) for s in [{**s, "time": None} for s in report["signers"]]}
    assert json.loads(signer) == {"kind": "identity", "identity": IDENTITY, "issuer": keyless.issuer, "time": None}
    assert all(s["time"].startswith("20") for s in report["signers"])
    assert len(report["trust_root"]["sha256"]) == 64
    assert report["trust_root"]["age_days"] == 0


def test_the_trusted_root_alone_is_enough(aibom: Aibom, keyless: Keyless, tmp_path: Path, no_network: None) -> None:
    root = tmp_path / "root.json"
    root.write_text(json.dumps(json.loads(keyless.config.read_text())["trustedRoot"]))
    arguments = ["--identity", IDENTITY, "--issuer", keyless.issuer, "--trusted-root", root]
    assert aibom("verify", keyless.release, *arguments).code == 0


@pytest.fixture
def simple(
    aibom: Aibom, sigstore: SigstoreInstance, tmp_path: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> Keyless:
    config = tmp_path / "trust.json"
    config.write_text(json.dumps(sigstore.trust_config()))
    release = make_release(tmp_path / "release")
    monkeypatch.setenv("SIGSTORE_IDENTITY_TOKEN", token)
    assert aibom("sign", release, "--build", "--keyless", "--trust-config", config).code == 0
    return Keyless(release, config, sigstore.url)


def test_another_identity_is_refused_with_both_names(aibom: Aibom, simple: Keyless) -> None:
    arguments = ["--identity", "mallory@example.com", "--issuer", simple.issuer, "--trust-config", simple.config]
    ran = aibom("verify", simple.release, *arguments, "--json")
    assert ran.code == 1
    finding = json.loads(ran.out)["findings"][0]
    assert finding["rule"] == "signature.wrong-identity"
    assert "mallory@example.com" in finding["expected"]
    assert IDENTITY in finding["found"]


@pytest.mark.parametrize(
    "identity", ["Release@example.com", "release@example.com.evil.example", "elease@example.com", ".*"]
)
def test_identities_are_compared_exactly(aibom: Aibom, simple: Keyless, identity: str) -> None:
    arguments = ["--identity", identity, "--issuer", simple.issuer, "--trust-config", simple.config]
    assert aibom("verify", simple.release, *arguments).code == 1


def test_another_issuer_is_refused(aibom: Aibom, simple: Keyless) -> None:
    arguments = ["--identity", IDENTITY, "--issuer", "https://accounts.example.com", "--trust-config", simple.config]
    ran = aibom("verify", simple.release, *arguments)
    assert ran.code == 1
    assert "another identity" in ran.out


def test_another_instance_s_root_is_refused(aibom: Aibom, simple: Keyless, tmp_path: Path) -> None:
    with SigstoreInstance() as other:
        config = tmp_path / "other.json"
        config.write_text(json.dumps(other.trust_config()))
    arguments = ["--identity", IDENTITY, "--issuer", simple.issuer, "--trust-config", config]
    ran = aibom("verify", simple.release, *arguments, "--json")
    assert ran.code == 1
    assert {f["rule"] for f in json.loads(ran.out)["findings"]} == {"signature.invalid"}


def test_the_public_root_does_not_vouch_for_a_private_instance(simple: Keyless, tmp_path: Path) -> None:
    """Run apart from this process, where a library's own logging would reach the terminal."""
    options = ["--identity", IDENTITY, "--issuer", simple.issuer]
    command: list[str | Path] = [sys.executable, "-m", "aibom", "verify", simple.release, *options]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert done.returncode in {1, 3}  # 3 where the library has no root of the public instance at hand
    assert "ACCEPTED" not in done.stdout
    assert "TUF" not in done.stderr


def test_a_changed_file_under_an_identity(aibom: Aibom, simple: Keyless) -> None:
    put(simple.release / "inference.py", "import os\n")
    ran = aibom("verify", simple.release, *simple.expect)
    assert ran.code == 1
    assert "inference.py is not the file that was signed" in ran.out


@pytest.mark.parametrize("name", [SIGNATURE_NAME, BOM_BUNDLE_NAME])
def test_a_bent_payload_under_an_identity(aibom: Aibom, simple: Keyless, name: str) -> None:
    document = json.loads((simple.release / name).read_bytes())
    payload = document["dsseEnvelope"]["payload"]
    document["dsseEnvelope"]["payload"] = payload[:-8] + "IH0gIH0="[: len(payload[-8:])]
    (simple.release / name).write_text(json.dumps(document))
    ran = aibom("verify", simple.release, *simple.expect, "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["verdict"] == "rejected"


def test_a_certificate_does_not_satisfy_a_key(aibom: Aibom, simple: Keyless, keys: KeyFiles) -> None:
    ran = aibom("verify", simple.release, "--public-key", keys.public)
    assert ran.code == 1
    assert "signed in another way than you expect" in ran.out


@pytest.mark.parametrize("content", ["", "{}", "garbage", '{"trustedRoot": {}}', '{"tlogs": [], "tlogs": []}'])
def test_without_a_usable_trust_root_nothing_is_decided(
    aibom: Aibom, simple: Keyless, tmp_path: Path, content: str
) -> None:
    root = put_text(tmp_path / "root.json", content)
    arguments = ["--identity", IDENTITY, "--issuer", simple.issuer, "--trusted-root", root]
    ran = aibom("verify", simple.release, *arguments)
    assert ran.code == 3
    assert "UNDECIDED" in ran.out
    report = json.loads(aibom("verify", simple.release, *arguments, "--json").out)
    assert {f["rule"] for f in report["findings"] if f["outcome"] == "undecided"} == {"trust.missing"}


def put_text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_claims_of_an_identity_are_shown_unverified(aibom: Aibom, simple: Keyless) -> None:
    ran = aibom("verify", simple.release)
    assert ran.code == 2
    assert "UNVERIFIED" in ran.err
    assert IDENTITY in ran.err
    assert f"--identity {IDENTITY} --issuer {simple.issuer}" in ran.err
    again = aibom("verify", simple.release, "--trust-config", "private.json")
    assert again.err.rstrip().endswith(f"--identity {IDENTITY} --issuer {simple.issuer} --trust-config private.json")


def test_the_token_may_come_from_a_file_or_standard_input(
    aibom: Aibom, release: Path, sigstore: SigstoreInstance, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIGSTORE_IDENTITY_TOKEN", raising=False)
    config = put_text(tmp_path / "trust.json", json.dumps(sigstore.trust_config()))
    sign = ["sign", release, "--build", "--keyless", "--trust-config", config]
    without = aibom(*sign)
    assert without.code == 3
    assert "there is no identity token" in without.err
    assert aibom(*sign, "--identity-token-file", put_text(tmp_path / "token", token + "\n")).code == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO(sigstore.identity_token(IDENTITY)))
    assert aibom(*sign, "--identity-token-file", "-").code == 0


@pytest.mark.parametrize("raw", ["not-a-token", "a.b.c", ""])
def test_a_token_that_is_none_is_refused_and_not_shown(
    aibom: Aibom, release: Path, sigstore: SigstoreInstance, tmp_path: Path, raw: str
) -> None:
    config = put_text(tmp_path / "trust.json", json.dumps(sigstore.trust_config()))
    file = put_text(tmp_path / "token", raw)
    ran = aibom("sign", release, "--build", "--keyless", "--trust-config", config, "--identity-token-file", file)
    assert ran.code == 3
    assert "identity token" in ran.err
    assert not (release / SIGNATURE_NAME).exists()


def test_a_forged_token_is_refused_by_the_authority_and_leaves_nothing(
    aibom: Aibom, release: Path, sigstore: SigstoreInstance, tmp_path: Path
) -> None:
    config = put_text(tmp_path / "trust.json", json.dumps(sigstore.trust_config()))
    with SigstoreInstance() as other:
        forged = other.identity_token(IDENTITY, iss=sigstore.url)
    file = put_text(tmp_path / "token", forged)
    ran = aibom("sign", release, "--build", "--keyless", "--trust-config", config, "--identity-token-file", file)
    assert ran.code == 3
    assert "did not sign" in ran.err
    assert forged not in ran.err
    assert not (release / SIGNATURE_NAME).exists()
    assert not (release / BOM_BUNDLE_NAME).exists()


def test_a_service_that_is_gone(aibom: Aibom, release: Path, tmp_path: Path) -> None:
    with SigstoreInstance() as gone:
        config = put_text(tmp_path / "trust.json", json.dumps(gone.trust_config()))
        file = put_text(tmp_path / "token", gone.identity_token(IDENTITY))
    ran = aibom("sign", release, "--build", "--keyless", "--trust-config", config, "--identity-token-file", file)
    assert ran.code == 3
    assert "run the same command again" in ran.err
    assert not (release / SIGNATURE_NAME).exists()


@pytest.mark.parametrize("name", [SIGNATURE_NAME, BOM_BUNDLE_NAME])
def test_the_command_line_of_sigstore_python_accepts_our_bundles(simple: Keyless, name: str) -> None:
    """Its `verify identity` looks for the digest that it is given among the subjects of the signed statement."""
    document = json.loads((simple.release / name).read_bytes())
    statement = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    digest = f"sha256:{statement['subject'][0]['digest']['sha256']}"

    def verify(identity: str, artifact: str) -> int:
        options: list[str | Path] = ["--offline", "--bundle", simple.release / name, "--cert-identity", identity]
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "sigstore",
            "--trust-config",
            simple.config,
            "verify",
            "identity",
            *options,
        ]
        command += ["--cert-oidc-issuer", simple.issuer, artifact]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert verify(IDENTITY, digest) == 0
    assert verify("mallory@example.com", digest) != 0
    assert verify(IDENTITY, f"sha256:{'0' * 64}") != 0
    if name == BOM_BUNDLE_NAME:
        assert verify(IDENTITY, str(simple.release / "model.safetensors")) == 0
