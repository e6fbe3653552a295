"""Recorded steps go through a registry with the release that they made."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aibom.core.layout import ATTESTATIONS, BOM_NAME, SIGNATURE_NAME
from tests.conftest import Ran
from tests.factory import KeyFiles
from tests.oci_registry import OciRegistry
from tests.recorded_steps import OWNER, Chain, chain_of, public

Aibom = Callable[..., Ran]
NAME = "models/teller"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OciRegistry]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with OciRegistry(referrers_api=True) as running:
        running.put_image(NAME, "1.0")
        yield running


@pytest.fixture
def chain(tmp_path: Path, session_folder: Path) -> Chain:
    return chain_of(tmp_path / "made", session_folder).write()


def exchange(aibom: Aibom, registry: OciRegistry, verb: str, folder: Path) -> Ran:
    return aibom(verb, f"{registry.host}/{NAME}:1.0", folder, "--plain-http")


def test_what_was_recorded_arrives_and_is_verified(
    aibom: Aibom, registry: OciRegistry, chain: Chain, tmp_path: Path, keys: KeyFiles
) -> None:
    bought = tmp_path / "bought"
    shutil.copytree(chain.release, bought, ignore=shutil.ignore_patterns(BOM_NAME, SIGNATURE_NAME, ATTESTATIONS))
    owner = tmp_path / "owner.pub"
    owner.write_bytes(public(OWNER).pem)
    expect = ("--public-key", keys.public, "--layout-key", owner)
    assert exchange(aibom, registry, "push", chain.release).code == 0
    pulled = exchange(aibom, registry, "pull", bought)
    assert pulled.code == 0, pulled.err
    for path in (chain.layout, chain.link("train"), chain.link("evaluate")):
        assert (bought / ATTESTATIONS / path.name).read_bytes() == path.read_bytes()
    verified = aibom("verify", bought, *expect)
    assert verified.code == 0, verified.out
    (bought / ATTESTATIONS / chain.link("train").name).unlink()
    assert aibom("verify", bought, *expect).code == 4


def test_what_is_no_link_is_not_pushed(aibom: Aibom, registry: OciRegistry, chain: Chain) -> None:
    stray = chain.attestations / "train.link"
    for data, words in ((chain.link("train").read_bytes(), "not the name that a link has"), (b"{}", "not the name")):
        stray.write_bytes(data)
        ran = exchange(aibom, registry, "push", chain.release)
        assert (ran.code, words in ran.err) == (3, True), ran.err
    stray.rename(chain.attestations / "train.00000000.link")
    assert exchange(aibom, registry, "push", chain.release).code == 3
    assert [seen.path for seen in registry.seen if seen.method not in {"GET", "HEAD"}] == []


def test_a_single_file_has_no_recorded_steps(aibom: Aibom, registry: OciRegistry, chain: Chain, tmp_path: Path) -> None:
    assert exchange(aibom, registry, "push", chain.release).code == 0
    alone = tmp_path / "alone"
    alone.mkdir()
    file = Path(shutil.copy(chain.release / "model.safetensors", alone))
    ran = exchange(aibom, registry, "pull", file)
    assert ran.code == 3
    assert "recorded steps belong to a release in a folder" in ran.err
    assert [path.name for path in alone.iterdir()] == [file.name]
