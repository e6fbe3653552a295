"""Where nothing can be written, nothing is signed: said before a key is opened, a token used or a log written on."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran
from tests.factory import KeyFiles
from tests.sigstore_instance import SigstoreInstance

Aibom = Callable[..., Ran]
Spoil = Callable[[Path], None]


def no_folder(release: Path) -> None:
    (release / "attestations").write_text("a file")


def a_link_to_nowhere(release: Path) -> None:
    (release / "attestations").symlink_to("nowhere")


def a_folder_in_its_place(release: Path) -> None:
    (release / "attestations" / "bom.sigstore.json").mkdir(parents=True)
    (release / "attestations" / "release.sigstore.json").mkdir()


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """The superuser may write anywhere, so the question itself is answered for another."""

    def lock(release: Path) -> None:
        real = os.access

        def refuse(path: Path, mode: int) -> bool:
            return not path.resolve().is_relative_to(release.resolve()) and real(path, mode)

        monkeypatch.setattr("aibom.cli.output.os.access", refuse)

    return lock


def sign(release: Path, *signer: object) -> list[object]:
    return ["sign", release, "--build", *signer]


def attest(release: Path, *signer: object) -> list[object]:
    return ["attest", release, "--type", "release", *signer]


SPOILT = {"no folder": no_folder, "a link": a_link_to_nowhere, "a folder": a_folder_in_its_place}


def refused(ran: Ran) -> str:
    assert ran.code == 3, ran.err
    assert "cannot write the file" in ran.err
    assert "--output-dir" in ran.err
    assert "nothing was signed" in ran.err
    assert ran.out == ""
    return ran.err


@pytest.mark.parametrize("command", [sign, attest])
@pytest.mark.parametrize("case", SPOILT)
def test_before_anything_is_signed(
    aibom: Aibom, release: Path, tmp_path: Path, command: Callable[..., list[object]], case: str
) -> None:
    """The key is not there: who complains of that first, would have signed first."""
    missing = tmp_path / "none.key"
    assert "cannot read the key" in aibom(*command(release, "--key", missing)).err
    SPOILT[case](release)
    assert "attestations" in refused(aibom(*command(release, "--key", missing)))


def test_an_identity_is_not_used(aibom: Aibom, release: Path, tmp_path: Path, sigstore: SigstoreInstance) -> None:
    config, token = tmp_path / "trust.json", tmp_path / "token"
    config.write_text(json.dumps(sigstore.trust_config()))
    token.write_text(sigstore.identity_token("release@example.com"))
    keyless = sign(release, "--keyless", "--trust-config", config, "--identity-token-file", token)
    assert "Identity    release@example.com" in aibom(*keyless, "--output-dir", tmp_path / "elsewhere").err
    no_folder(release)
    assert "Identity" not in refused(aibom(*keyless))


@pytest.mark.parametrize("command", ["build", "sign", "attest"])
def test_a_read_only_release(aibom: Aibom, release: Path, keys: KeyFiles, locked: Spoil, command: str) -> None:
    commands = {
        "build": ["build", release],
        "sign": sign(release, "--key", keys.private),
        "attest": attest(release, "--key", keys.private),
    }
    locked(release)
    before = sorted(release.rglob("*"))
    assert "Permission denied" in refused(aibom(*commands[command]))
    assert sorted(release.rglob("*")) == before
    aside = release.parent / "new" / "signatures"
    assert aibom(*sign(release, "--key", keys.private), "--output-dir", aside).code == 0


def test_what_the_release_lists_is_checked_too(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    (release / "aibom.toml").write_text('[[attestation]]\ntype = "release"\n[model]\nversion = "1.0"\n')
    (release / "attestations" / "release.sigstore.json").mkdir(parents=True)
    refused(aibom(*sign(release, "--key", keys.private)))
    assert [path.name for path in (release / "attestations").iterdir()] == ["release.sigstore.json"]


def test_an_unknown_builder_is_said_before_the_release_is_read(aibom: Aibom, tmp_path: Path, keys: KeyFiles) -> None:
    provenance = ["attest", tmp_path / "nowhere", "--type", "provenance", "--key", keys.private]
    assert "who builds is not known" in aibom(*provenance).err
    assert "no such folder" in aibom(*provenance, "--builder-id", "https://ci.example").err
