"""The commands as a person meets them: what they print, where, and what they end with."""

import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import pytest

from aibom import __version__
from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from aibom.core.specs import read_spec
from tests.conftest import Ran
from tests.factory import KeyFiles, write_keys

Aibom = Callable[..., Ran]
COMMANDS = ["build", "sign", "verify", "profiles", "profiles list", "profiles show", "demo"]


def report_schema() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(read_spec("schemas/aibom-report-1.schema.json")))


def test_build_sign_verify(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    built = aibom("build", release)
    assert built.code == 0
    assert "tiny-teller" in built.out
    assert "72 parameters in 2 tensors" in built.out
    assert "SOURCE_DATE_EPOCH" in built.err
    signed = aibom("sign", release, "--key", keys.private)
    assert signed.code == 0
    assert "ECDSA P-256" in signed.out
    verified = aibom("verify", release, "--public-key", keys.public)
    assert verified.code == 0
    assert "ACCEPTED" in verified.out
    assert verified.err == ""
    assert {p.name for p in release.iterdir() if p.name.startswith((".aibom", "tmp"))} == set()


def test_sign_can_build_with_the_same_read(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    assert aibom("sign", release, "--build", "--key", keys.private).code == 0
    assert aibom("verify", release, "--public-key", keys.public).code == 0


def test_the_bom_is_dated_by_source_date_epoch_only(
    aibom: Aibom, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    assert "SOURCE_DATE_EPOCH" not in aibom("build", release).err
    assert json.loads((release / BOM_NAME).read_bytes())["metadata"]["timestamp"] == "2026-01-01T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert aibom("build", release).code == 2


def test_a_bom_on_standard_output(aibom: Aibom, release: Path) -> None:
    ran = aibom("build", release, "-o", "-")
    assert json.loads(ran.out)["bomFormat"] == "CycloneDX"
    assert "tiny-teller" in ran.err
    assert not (release / BOM_NAME).exists()


def test_more_digests(aibom: Aibom, release: Path) -> None:
    document = json.loads(aibom("build", release, "-o", "-", "--digest", "sha512").out)
    assert {h["alg"] for h in document["components"][0]["components"][0]["hashes"]} == {"SHA-256", "SHA-512"}


@pytest.mark.parametrize("aside", [False, True])
def test_more_digests_are_signed_and_verified(
    aibom: Aibom, release: Path, keys: KeyFiles, tmp_path: Path, aside: bool
) -> None:
    where = ["--output-dir", tmp_path / "aside"] if aside else []
    assert aibom("build", release, "--digest", "sha512", *where).code == 0
    assert aibom("sign", release, "--key", keys.private, *where).code == 0
    attached = ["--attached", tmp_path / "aside"] if aside else []
    assert aibom("verify", release, "--public-key", keys.public, *attached).code == 0


@pytest.mark.parametrize("name", ["x.json", "sub/x.json", "README.md"])
def test_an_output_inside_the_release_is_refused(aibom: Aibom, release: Path, name: str) -> None:
    before = {p: p.read_bytes() for p in release.rglob("*") if p.is_file()}
    ran = aibom("build", release, "-o", release / name)
    assert ran.code == 2
    assert {p: p.read_bytes() for p in release.rglob("*") if p.is_file()} == before


def test_signatures_aside_of_a_read_only_release(aibom: Aibom, release: Path, keys: KeyFiles, tmp_path: Path) -> None:
    before = sorted(release.rglob("*"))
    aside = tmp_path / "aside"
    assert aibom("build", release, "--output-dir", aside).code == 0
    assert aibom("sign", release, "--key", keys.private, "--output-dir", aside).code == 0
    assert sorted(release.rglob("*")) == before
    assert {p.name for p in aside.iterdir()} == {BOM_NAME, SIGNATURE_NAME, "attestations"}
    assert aibom("verify", release, "--public-key", keys.public, "--attached", aside).code == 0
    assert aibom("verify", release, "--public-key", keys.public).code == 1
    assert aibom("sign", release, "--build", "--key", keys.private, "--output-dir", release / "in").code == 2


def test_a_bom_of_other_files_is_not_signed(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    aibom("build", release)
    (release / "README.md").write_text("# other\n")
    ran = aibom("sign", release, "--key", keys.private)
    assert ran.code == 1
    assert "README.md" in ran.err
    assert "aibom build" in ran.err
    assert not (release / SIGNATURE_NAME).exists()
    assert not (release / BOM_BUNDLE_NAME).exists()


def test_the_json_report(aibom: Aibom, signed: Path, tmp_path: Path) -> None:
    keys = write_keys(tmp_path / "k")
    ran = aibom(
        "verify", signed, "--public-key", keys.public, "--json", "--profile", "cisa-sbom-2026", "--outcome", "osaid"
    )
    report = json.loads(ran.out)
    report_schema().validate(report)
    assert report["schema"] == "aibom-report/1"
    assert report["tool"] == {"name": "aibom", "version": __version__}
    assert report["verdict"] in {"incomplete", "rejected"}
    assert {p["id"] for p in report["profiles"]} == {"cisa-sbom-2026", "outcome-components"}
    (signed / "extra").write_text("x")
    rejected = json.loads(aibom("verify", signed, "--public-key", keys.public, "--json").out)
    report_schema().validate(rejected)
    assert rejected["coverage"]["extra"] == ["extra"]
    assert rejected["findings"][0]["rule"] == "coverage.extra"


def test_without_an_expectation_claims_are_shown_and_marked(aibom: Aibom, signed: Path, tmp_path: Path) -> None:
    ran = aibom("verify", signed)
    assert ran.code == 2
    assert ran.out == ""
    assert "UNVERIFIED" in ran.err
    assert "--public-key PUBLISHER.pub" in ran.err
    assert "by a channel you already trust" in ran.err


def test_the_command_that_is_proposed_keeps_the_options_that_were_given(
    aibom: Aibom, signed: Path, tmp_path: Path
) -> None:
    given = ["--trust-config", tmp_path / "my trust.json", "--outcome", "production", "--profile", "ntia-minimum"]
    given += ["--profile", "us-federal-acquisition", "--json"]
    ran = aibom("verify", signed, *given)
    assert ran.code == 2
    proposed = ran.err.splitlines()[-1].strip()
    assert shlex.split(proposed)[:3] == ["aibom", "verify", str(signed)]
    assert "PUBLISHER.pub" in proposed
    words = shlex.split(proposed)[shlex.split(proposed).index("PUBLISHER.pub") + 1 :]
    pairs = {tuple(words[at : at + 2]) for at, word in enumerate(words) if word.startswith("--") and word != "--json"}
    assert pairs == {
        ("--trust-config", str(tmp_path / "my trust.json")), ("--outcome", "production"),
        ("--profile", "ntia-minimum"), ("--profile", "us-federal-acquisition"),
    }  # fmt: skip
    assert words.count("--json") == 1
    assert len(words) == 9
    assert aibom("verify", signed).err.splitlines()[-1].strip().endswith("--public-key PUBLISHER.pub")


def test_an_unsigned_folder_has_no_claim_to_speak_of(aibom: Aibom, release: Path, signed: Path) -> None:
    assert "Anybody can write such a claim" in aibom("verify", signed).err
    ran = aibom("verify", release)
    assert ran.code == 2
    assert "No signature was found" in ran.err
    assert "claim" not in ran.err
    assert "Ask the publisher" in ran.err


@pytest.mark.parametrize("name", ["--public-key", "--identity", "--ca", "--timestamp-ca", "--issuer", "--trust-config"])
def test_an_expectation_that_is_given_twice_is_not_halved(
    aibom: Aibom, signed: Path, keys: KeyFiles, name: str
) -> None:
    assert aibom("verify", signed, "--public-key", keys.public).code == 0
    ran = aibom("verify", signed, name, keys.public, name, keys.public)
    assert ran.code == 2
    assert f"{name} is given 2 times" in ran.err
    assert ran.out == ""


def test_an_authority_for_timestamps_goes_with_one_for_certificates(aibom: Aibom, signed: Path, keys: KeyFiles) -> None:
    ran = aibom("verify", signed, "--public-key", keys.public, "--timestamp-ca", "ca.pem")
    assert ran.code == 2
    assert "--timestamp-ca goes with --ca" in ran.err
    both = aibom("verify", signed, "--ca", "ca.pem", "--identity", "a@example.com", "--issuer", "https://i.example")
    assert both.code == 2
    assert "policy file" not in both.err


def test_every_line_fits_a_terminal(aibom: Aibom, signed: Path, tmp_path: Path) -> None:
    keys, others = write_keys(tmp_path / "k"), write_keys(tmp_path / "k", number=1)
    shown = [
        aibom("verify", signed, "--public-key", keys.public, "--outcome", "production", "--profile", "cisa-sbom-2026"),
        aibom("verify", signed, "--public-key", others.public),
        aibom("profiles", "show", "outcome-components"),
        aibom("profiles", "list"),
    ]
    (signed / "model.safetensors").write_bytes(b"x")
    shown.append(aibom("verify", signed, "--public-key", keys.public))
    for ran in shown:
        assert [line for line in ran.out.splitlines() if len(line) > 80] == []


def test_counts_of_files_never_look_whole_when_they_are_not(aibom: Aibom, signed: Path, keys: KeyFiles) -> None:
    assert "all 13 signed files" in aibom("verify", signed, "--public-key", keys.public).out
    (signed / "train.py").unlink()
    (signed / "extra.py").write_text("x")
    told = " ".join(aibom("verify", signed, "--public-key", keys.public).out.split())
    assert "12 of 13 signed files are exactly as signed" in told
    assert "1 missing, 1 signed by nobody" in told


def test_a_rejected_release_is_not_asked_to_be_completed(aibom: Aibom, signed: Path, keys: KeyFiles) -> None:
    asked = ["--public-key", keys.public, "--outcome", "production"]
    assert "Ask the publisher" in aibom("verify", signed, *asked).out
    (signed / "train.py").unlink()
    assert "Ask the publisher" not in aibom("verify", signed, *asked).out


def test_nothing_that_a_release_says_reaches_the_terminal_raw(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    aibom("sign", release, "--build", "--key", keys.private)
    (release / "evil\x1b[2J.txt").write_text("x")
    ran = aibom("verify", release, "--public-key", keys.public)
    assert ran.code == 1
    assert "\x1b[2J" not in ran.out
    assert "x1b" in ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_with_an_example(aibom: Aibom, name: str) -> None:
    ran = aibom(*name.split(), "--help")
    assert ran.code == 0
    assert "Example:" in ran.out
    assert f"aibom {name.split()[0]}" in ran.out


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from aibom.cli import cli; cli.main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    for heavy in ("sigstore", "cyclonedx", "cryptography", "rich", "yaml", "jsonschema_rs", "packaging", "tomllib"):
        assert f"'{heavy}'" not in out


def test_key_verification_never_imports_sigstore(signed: Path, tmp_path: Path) -> None:
    keys = write_keys(tmp_path / "k")
    script = (
        "import sys; from aibom.cli import cli; from aibom.cli.exits import run;"
        f"code = run(cli, ['verify', {str(signed)!r}, '--public-key', {str(keys.public)!r}]);"
        "print(code, 'sigstore' in sys.modules, 'cyclonedx' in sys.modules, 'aibom.build' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "0 False False False"


def test_version(aibom: Aibom) -> None:
    assert __version__ in aibom("--version").out


def test_usage_errors(aibom: Aibom, signed: Path, keys: KeyFiles) -> None:
    for arguments in (
        ["verify"],
        ["verify", signed, "--nonsense"],
        ["nonsense"],
        ["sign", signed],
        ["sign", signed, "--key", keys.private, "--keyless"],
        ["sign", signed, "--key", keys.private, "--identity-token-file", "x"],
        ["verify", signed, "--identity", "a@example.com"],
        ["verify", signed, "--public-key", keys.public, "--profile", "nonsense"],
        ["verify", signed, "--public-key", keys.public, "--profile", "outcome-components"],
        ["verify", signed, "--public-key", keys.public, "--outcome", "nonsense"],
        ["verify", signed, "--public-key", keys.public, "--trust-config", "a", "--trusted-root", "b"],
        ["verify", signed, "--public-key", keys.public, "--role", "buyer"],
        ["verify", signed, "--public-key", keys.public, "--distribution", "cloud"],
        ["profiles", "show", "nonsense"],
    ):
        ran = aibom(*arguments)
        assert ran.code == 2, arguments
        assert ran.err
        assert ran.out == ""


def test_an_unknown_outcome_names_the_known_ones(aibom: Aibom, signed: Path, keys: KeyFiles) -> None:
    err = aibom("verify", signed, "--public-key", keys.public, "--outcome", "prodution").err
    assert "production" in err
    assert "benchmark" in err


@pytest.mark.parametrize("kind", ["p384", "p521", "ed25519", "rsa3072"])
def test_every_kind_of_key(aibom: Aibom, release: Path, tmp_path: Path, kind: str) -> None:
    keys = write_keys(tmp_path / "k", kind)
    assert aibom("sign", release, "--build", "--key", keys.private).code == 0
    assert aibom("verify", release, "--public-key", keys.public).code == 0


def test_a_passphrase_comes_from_the_environment(
    aibom: Aibom, release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = write_keys(tmp_path / "k", passphrase="correct horse")
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    without = aibom("sign", release, "--build", "--key", keys.private)
    assert without.code == 3
    assert "AIBOM_KEY_PASSPHRASE" in without.err
    monkeypatch.setenv("AIBOM_KEY_PASSPHRASE", "wrong horse")
    wrong = aibom("sign", release, "--build", "--key", keys.private)
    assert wrong.code == 3
    assert "horse" not in wrong.err
    assert not (release / SIGNATURE_NAME).exists()
    monkeypatch.setenv("AIBOM_KEY_PASSPHRASE", "correct horse")
    assert aibom("sign", release, "--build", "--key", keys.private).code == 0


def test_a_bug_of_ours_has_its_own_code(
    aibom: Aibom, signed: Path, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the moon is wrong")

    monkeypatch.setattr("verify.engine.verify_release", broken)
    ran = aibom("verify", signed, "--public-key", keys.public)
    assert ran.code == 70
    assert "the moon is wrong" in ran.err
    assert "report it" in ran.err


def test_it_runs_as_a_module(signed: Path, keys: KeyFiles) -> None:
    command = [sys.executable, "-m", "aibom", "verify", str(signed), "--public-key", str(keys.public)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0
    assert "ACCEPTED" in done.stdout
