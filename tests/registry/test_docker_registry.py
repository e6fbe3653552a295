"""`push` and `pull` against Debian's docker-registry. Run by `make registry`."""

import base64
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from aibom.registry.client import RegistryClient
from aibom.registry.manifests import MANIFEST, Descriptor, describe
from aibom.registry.reference import parse_reference
from aibom.registry.referrers import list_referrers, write_tag
from tests.conftest import Ran
from tests.factory import KeyFiles
from tests.oci_registry import digest_of
from tests.registry.docker_registry import PASSWORD, USER, DockerRegistry

pytestmark = pytest.mark.registry
Aibom = Callable[..., Ran]
NAMES = (BOM_NAME, SIGNATURE_NAME, BOM_BUNDLE_NAME)
NAME = "models/teller"


@pytest.fixture
def weights(tmp_path: Path, signed: Path) -> Path:
    """The release as a buyer has it before its documents come."""
    folder = tmp_path / "bought"
    shutil.copytree(signed, folder, ignore=shutil.ignore_patterns(BOM_NAME, SIGNATURE_NAME, "attestations"))
    return folder


def get(registry: DockerRegistry, target: str) -> dict[str, Any]:
    """What any client reads there."""
    accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
    answer = requests.get(f"http://{registry.host}/v2/{NAME}/manifests/{target}", headers={"Accept": accept}, timeout=9)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def stored(registry: DockerRegistry) -> dict[str, bytes]:
    """Every file that the registry keeps."""
    files = (path for path in (registry.folder / "data").rglob("*") if path.is_file())
    return {str(path.relative_to(registry.folder)): path.read_bytes() for path in files}


def log_in(home: Path, host: str, password: str) -> None:
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    (home / ".docker").mkdir(parents=True, exist_ok=True)
    (home / ".docker" / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))


def test_push_pull_verify(aibom: Aibom, registry: DockerRegistry, signed: Path, weights: Path, keys: KeyFiles) -> None:
    reference = f"{registry.host}/{NAME}:1.0"
    refused = aibom("push", reference, signed, "--plain-http")
    assert refused.code == 3
    assert "--create" in refused.err
    pushed = aibom("push", reference, signed, "--plain-http", "--create")
    assert pushed.code == 0, pushed.err
    assert "Found by   the tag sha256-" in pushed.out
    pulled = aibom("pull", reference, weights, "--plain-http")
    assert pulled.code == 0, pulled.err
    for name in NAMES:
        assert (weights / name).read_bytes() == (signed / name).read_bytes()
    assert aibom("verify", weights, "--public-key", keys.public).code == 0


def test_the_tag_leads_every_client_to_what_was_attached(aibom: Aibom, registry: DockerRegistry, signed: Path) -> None:
    pushed = aibom("push", f"{registry.host}/{NAME}:1.0", signed, "--plain-http", "--create")
    subject = pushed.out.partition("@")[2].split()[0]
    index = get(registry, subject.replace(":", "-"))
    assert index["mediaType"] == "application/vnd.oci.image.index.v1+json"
    attached = {}
    for entry in index["manifests"]:
        manifest = get(registry, entry["digest"])
        assert manifest["subject"]["digest"] == subject
        assert manifest["artifactType"] == entry["artifactType"]
        (layer,) = manifest["layers"]
        blob = requests.get(f"http://{registry.host}/v2/{NAME}/blobs/{layer['digest']}", timeout=9).content
        attached[entry["annotations"]["org.aibom.path"]] = blob
    assert attached == {name: (signed / name).read_bytes() for name in NAMES}


def test_pushing_again_changes_nothing(aibom: Aibom, registry: DockerRegistry, signed: Path) -> None:
    command = ("push", f"{registry.host}/{NAME}:1.0", signed, "--plain-http", "--create")
    assert aibom(*command).code == 0
    state = stored(registry)
    again = aibom(*command)
    assert again.code == 0
    assert again.out.count("Was there") == 3
    assert stored(registry) == state


def test_another_signature_replaces_the_first_only_when_asked_for(
    aibom: Aibom, registry: DockerRegistry, signed: Path, weights: Path, other_keys: KeyFiles
) -> None:
    reference = f"{registry.host}/{NAME}:1.0"
    assert aibom("push", reference, signed, "--plain-http", "--create").code == 0
    for name in (SIGNATURE_NAME, BOM_BUNDLE_NAME):
        (signed / name).unlink()
    assert aibom("sign", signed, "--key", other_keys.private).code == 0
    refused = aibom("push", reference, signed, "--plain-http")
    assert refused.code == 3
    assert "--replace" in refused.err
    assert aibom("push", reference, signed, "--plain-http", "--replace").code == 0
    assert aibom("pull", reference, weights, "--plain-http").code == 0
    assert aibom("verify", weights, "--public-key", other_keys.public).code == 0


def test_a_blob_that_was_changed_in_the_registry(
    aibom: Aibom, registry: DockerRegistry, signed: Path, weights: Path
) -> None:
    reference = f"{registry.host}/{NAME}:1.0"
    assert aibom("push", reference, signed, "--plain-http", "--create").code == 0
    digest = digest_of((signed / SIGNATURE_NAME).read_bytes()).partition(":")[2]
    blob = registry.folder / "data/docker/registry/v2/blobs/sha256" / digest[:2] / digest / "data"
    blob.write_bytes(blob.read_bytes().replace(b"A", b"B", 1))
    pulled = aibom("pull", reference, weights, "--plain-http")
    assert pulled.code == 3
    assert "expected sha256:" in pulled.err
    assert not any((weights / name).exists() for name in NAMES)


def test_credentials_from_the_environment(
    aibom: Aibom, guarded: DockerRegistry, signed: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = f"{guarded.host}/{NAME}:1.0"
    monkeypatch.setenv("AIBOM_REGISTRY_USERNAME", USER)
    monkeypatch.setenv("AIBOM_REGISTRY_PASSWORD", PASSWORD)
    pushed = aibom("push", reference, signed, "--plain-http", "--create")
    assert pushed.code == 0, pushed.err
    assert aibom("pull", reference, weights, "--plain-http").code == 0


def test_credentials_from_the_docker_configuration(
    aibom: Aibom, guarded: DockerRegistry, signed: Path, weights: Path, tmp_path: Path
) -> None:
    reference = f"{guarded.host}/{NAME}:1.0"
    log_in(tmp_path / "home", guarded.host, PASSWORD)
    pushed = aibom("push", reference, signed, "--plain-http", "--create")
    assert pushed.code == 0, pushed.err
    assert aibom("pull", reference, weights, "--plain-http").code == 0


def test_a_wrong_password_and_none(aibom: Aibom, guarded: DockerRegistry, signed: Path, tmp_path: Path) -> None:
    command = ("push", f"{guarded.host}/{NAME}:1.0", signed, "--plain-http", "--create")
    none = aibom(*command)
    log_in(tmp_path / "home", guarded.host, "not-the-password")
    wrong = aibom(*command)
    for ran in (none, wrong):
        assert ran.code == 3
        assert "refused access (401 UNAUTHORIZED)" in ran.err
        assert "AIBOM_REGISTRY_PASSWORD" in ran.err
        assert "not-the-password" not in ran.err
    assert stored(guarded) == {}


def put_manifest(client: RegistryClient, number: int) -> Descriptor:
    """A manifest of another tool's; the registry takes no index that names what it has not."""
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2}
    made = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config,
        "layers": [],
        "annotations": {"n": f"{number}"},
    }
    data = json.dumps(made).encode()
    client.put_manifest(digest_of(data), data, MANIFEST)
    return describe(data, MANIFEST)


def test_four_write_the_tag_at_once(aibom: Aibom, registry: DockerRegistry, signed: Path, weights: Path) -> None:
    """A tag has no lock, so one of them may be lost; whoever pushes again finds out and puts it right."""
    reference = f"{registry.host}/{NAME}:1.0"
    assert aibom("push", reference, signed, "--plain-http", "--create").code == 0
    clients = [RegistryClient(parse_reference(reference), agent="test", plain_http=True) for _ in range(4)]
    found = clients[0].manifest("1.0")
    assert found
    subject = found[1]
    theirs = [put_manifest(client, number) for number, client in enumerate(clients)]

    def attach(number: int) -> None:
        write_tag(clients[number], subject, [theirs[number]])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(attach, range(4)))
    for number in range(4):
        attach(number)
    listed = {entry.digest for entry in list_referrers(clients[0], subject).entries}
    for client in clients:
        client.close()
    assert listed > {entry.digest for entry in theirs}
    assert len(listed) == 7
    assert aibom("pull", reference, weights, "--plain-http").code == 0
