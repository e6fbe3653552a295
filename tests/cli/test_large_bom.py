"""A BOM too large to embed: signed as a file of the release, and referred to; or nothing is signed."""

from pathlib import Path

import pytest

from aibom.cli import sign
from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from tests.cli.test_attest import Aibom, reported
from tests.factory import KeyFiles

REFERENCE = """
[[attestation]]
type = "reference"
builder-id = "https://example.com/lab"
download-location = "https://example.com/aibom.cdx.json"
"""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any BOM is too large; a real one of that size would take a minute to make."""
    monkeypatch.setattr(sign, "MAX_EMBEDDED", 1000)


@pytest.mark.usefixtures("small")
def test_it_is_signed_as_a_file_and_referred_to(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    (release / "aibom.toml").write_text(REFERENCE)
    ran = aibom("sign", release, "--build", "--key", keys.private)
    assert ran.code == 0, ran.err
    assert "it is signed as a file of the release, and referred to" in " ".join(ran.err.split())
    assert not (release / BOM_BUNDLE_NAME).exists()
    assert set(reported(aibom, release, "--public-key", keys.public).values()) == {"verified"}
    verified = aibom("verify", release, "--public-key", keys.public)
    assert verified.code == 0
    assert "aibom.cdx.json, signed together with the files" in verified.out
    (release / BOM_NAME).write_bytes((release / BOM_NAME).read_bytes() + b"\n")
    assert aibom("verify", release, "--public-key", keys.public).code == 1


@pytest.mark.usefixtures("small")
def test_without_a_reference_or_beside_the_release_nothing_is_signed(
    aibom: Aibom, release: Path, keys: KeyFiles, tmp_path: Path
) -> None:
    ran = aibom("sign", release, "--build", "--key", keys.private)
    assert ran.code == 3
    assert "list an attestation of the type reference" in " ".join(ran.err.split())
    (release / "aibom.toml").write_text(REFERENCE)
    aside = tmp_path / "aside"
    ran = aibom("sign", release, "--build", "--key", keys.private, "--output-dir", aside)
    assert ran.code == 3
    assert "without --output-dir" in " ".join(ran.err.split())
    assert not (release / SIGNATURE_NAME).exists()
    assert not (aside / SIGNATURE_NAME).exists()
