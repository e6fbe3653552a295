"""cosign reads what `push` attached, and attaches beside it. Run by `make registry`."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from tests.conftest import Ran
from tests.factory import KeyFiles
from tests.registry.docker_registry import DockerRegistry

pytestmark = [
    pytest.mark.registry,
    pytest.mark.skipif(not shutil.which("cosign"), reason="needs cosign 3 in PATH, then `make registry`"),
]
Aibom = Callable[..., Ran]
Cosign = Callable[..., subprocess.CompletedProcess[str]]
HTTP = "--allow-http-registry"
TYPES = {BOM_BUNDLE_NAME: "https://cyclonedx.org/bom", SIGNATURE_NAME: "https://model_signing/signature/v1.0"}


@pytest.fixture
def cosign(tmp_path: Path) -> Cosign:
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "COSIGN_PASSWORD": "", "SIGSTORE_NO_CACHE": "true"}

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = ["cosign", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)

    return call


@pytest.fixture
def reference(aibom: Aibom, registry: DockerRegistry, signed: Path) -> str:
    """Where a signed release was pushed to."""
    name = f"{registry.host}/models/teller:1.0"
    assert aibom("push", name, signed, "--plain-http", "--create").code == 0
    return name


def parts(bundle: str) -> tuple[str, str, str]:
    """What a bundle says; cosign writes it again, without members that are empty."""
    document = json.loads(bundle)
    envelope = document["dsseEnvelope"]
    (signature,) = envelope["signatures"]
    return envelope["payload"], signature["sig"], document["verificationMaterial"]["publicKey"]["hint"]


def test_it_lists_ours(cosign: Cosign, reference: str) -> None:
    tree = cosign("tree", reference, HTTP)
    assert tree.returncode == 0, tree.stderr
    for listed in (*TYPES.values(), "application/vnd.cyclonedx+json"):
        assert f"{listed} artifacts via OCI referrer" in tree.stdout


@pytest.mark.parametrize("name", TYPES)
def test_it_downloads_ours(cosign: Cosign, reference: str, signed: Path, name: str) -> None:
    done = cosign("download", "attestation", reference, HTTP, "--predicate-type", TYPES[name])
    assert done.returncode == 0, done.stderr
    assert parts(done.stdout) == parts((signed / name).read_text())


def test_it_verifies_what_it_downloaded(
    cosign: Cosign, reference: str, signed: Path, keys: KeyFiles, other_keys: KeyFiles, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.json"
    bundle.write_text(
        cosign("download", "attestation", reference, HTTP, "--predicate-type", TYPES[BOM_BUNDLE_NAME]).stdout
    )
    asked = ("verify-blob-attestation", "--bundle", bundle, "--insecure-ignore-tlog", "--type", TYPES[BOM_BUNDLE_NAME])
    weights = signed / "model.safetensors"
    done = cosign(*asked, "--key", keys.public, weights)
    assert done.returncode == 0, done.stderr
    assert cosign(*asked, "--key", other_keys.public, weights).returncode != 0
    weights.write_bytes(b"other")
    assert cosign(*asked, "--key", keys.public, weights).returncode != 0


def test_it_does_not_take_them_for_attestations_of_the_image(cosign: Cosign, reference: str, keys: KeyFiles) -> None:
    """Their subjects are the files of the release, which are signed before any manifest exists."""
    done = cosign(
        "verify-attestation", reference, HTTP, "--key", keys.public, "--insecure-ignore-tlog", "--type", "cyclonedx"
    )
    assert done.returncode != 0
    assert "does not match any digest in statement" in done.stderr


def test_what_it_attests_lies_beside_ours(
    aibom: Aibom, cosign: Cosign, reference: str, signed: Path, keys: KeyFiles, tmp_path: Path
) -> None:
    (tmp_path / "none.json").write_text('{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}')
    (tmp_path / "predicate.json").write_text('{"tested": true}')
    imported = cosign("import-key-pair", "--key", keys.private, "--output-key-prefix", tmp_path / "imported")
    assert imported.returncode == 0, imported.stderr
    attested = cosign(
        "attest", reference, HTTP, "--key", tmp_path / "imported.key", "--signing-config", tmp_path / "none.json",
        "--predicate", tmp_path / "predicate.json", "--type", "https://example.com/tested/v1", "--yes",
    )  # fmt: skip
    assert attested.returncode == 0, attested.stderr
    again = aibom("push", reference, signed, "--plain-http")
    assert again.code == 0, again.err
    assert again.out.count("Was there") == 3
    bought = tmp_path / "bought"
    shutil.copytree(signed, bought, ignore=shutil.ignore_patterns(BOM_NAME, SIGNATURE_NAME, "attestations"))
    pulled = aibom("pull", reference, bought, "--plain-http")
    assert pulled.code == 0
    assert "aibom did not push it" in " ".join(pulled.err.split())
    assert aibom("verify", bought, "--public-key", keys.public).code == 0
    asked = ("--insecure-ignore-tlog", "--type", "https://example.com/tested/v1")
    verified = cosign("verify-attestation", reference, HTTP, "--key", keys.public, *asked)
    assert verified.returncode == 0, verified.stderr
