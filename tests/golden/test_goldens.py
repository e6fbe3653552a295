"""Golden files: schema-valid first, then equal. `--update-goldens` writes them again; read the difference."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.core.strictjson import dump_json
from aibom.cyclonedx.schema import schema_problems
from tests.conftest import Ran
from tests.factory import build_bom_bytes, key_policy, make_release, sign_release, verify_signed, write_keys
from verify.report import report_json

GOLDEN = Path(__file__).parent
Aibom = Callable[..., Ran]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    def compare(name: str, found: bytes) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-goldens"):
            path.write_bytes(found)
        assert path.read_bytes() == found, f"{name} differs; if that is meant: pytest tests/golden --update-goldens"

    return compare


@pytest.mark.parametrize("kind", ["small", "example", "language-model", "diffusion", "tabular"])
def test_bom(golden: Callable[[str, bytes], None], tmp_path: Path, kind: str) -> None:
    data = build_bom_bytes(make_release(tmp_path / "r", kind))
    assert schema_problems(json.loads(data)) == []
    golden(f"{kind}.cdx.json", data)


def redact(text: str) -> str:
    """Keys are made anew in every run: their fingerprints, digests of what names them, and times are not golden."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME", text)
    return re.sub(r"\b[0-9a-f]{16}…", "DIGEST…", text)


def test_report(golden: Callable[[str, bytes], None], tmp_path: Path) -> None:
    release = sign_release(make_release(tmp_path / "example", "harmless"))
    profiles = ("outcome-components", "cisa-sbom-2026", "us-federal-acquisition")
    report = report_json(verify_signed(release, key_policy(profiles=profiles, outcome="production")))
    golden("example.report.json", redact(dump_json(report).decode()).encode())


def test_words(golden: Callable[[str, bytes], None], aibom: Aibom, tmp_path: Path) -> None:
    """Every verdict as a person reads it."""
    keys, others = write_keys(tmp_path / "k"), write_keys(tmp_path / "k", number=1)
    release = sign_release(make_release(tmp_path / "tiny-teller"))
    shown = [
        ("accepted", aibom("verify", release, "--public-key", keys.public)),
        ("incomplete", aibom("verify", release, "--public-key", keys.public, "--outcome", "production")),
        ("wrong key", aibom("verify", release, "--public-key", others.public)),
    ]
    (release / "model.safetensors").write_bytes(b"x" * 200)
    (release / "extra.py").write_text("x")
    (release / "train.py").unlink()
    shown.append(("broken", aibom("verify", release, "--public-key", keys.public)))
    text = "".join(f"=== {name}: exit code {ran.code}\n{ran.out}\n" for name, ran in shown)
    golden("words.txt", redact(text).encode())
