"""`aibom attest`, and the attestations that `aibom sign` makes by `aibom.toml`: signed, verified, or refused whole."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aibom.core.layout import BOM_NAME
from aibom.core.manifest import TREE_DIGEST_NAME
from attest.predicates.kinds import KINDS, kind_of
from attest.release_statement import release_tree_digest
from tests.conftest import Ran
from tests.factory import KeyFiles, make_release, read_manifest, write_keys
from tests.predicates import GOOD, REQUIRED, Json, good, without
from tests.releases.files import put, put_json
from tests.releases.git_checkout import REMOTE, head_commit, write_git_checkout
from tests.releases.small import write_small
from tests.unit.test_ci_provenance import BUILDERS, CODE, COMMIT, SECRET, SYSTEMS

Aibom = Callable[..., Ran]
PROVENANCE = "https://slsa.dev/provenance/v1"
RESULT = "https://in-toto.io/attestation/test-result/v0.1"
SPDX = "https://spdx.dev/Document/v3"


def statement_of(bundle: Path) -> Json:
    """What a bundle holds."""
    document = json.loads(bundle.read_bytes())
    found: Json = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    return found


def write_predicate(path: Path, document: object) -> Path:
    put_json(path, document)
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, to see that nothing changed, or was left behind."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def reported(aibom: Aibom, release: Path, *arguments: object) -> dict[str, str]:
    """Verify, and say what became of each attestation."""
    ran = aibom("verify", release, *arguments, "--json")
    assert ran.code == 0, ran.out
    return {item["path"]: item["outcome"] for item in json.loads(ran.out)["attestations"]}


@pytest.mark.parametrize("uri", GOOD)
def test_a_good_predicate_of_each_type_is_signed_and_verified(
    aibom: Aibom, signed: Path, keys: KeyFiles, tmp_path: Path, uri: str
) -> None:
    file = write_predicate(tmp_path / "predicate.json", good(uri))
    before = files_of(signed)
    ran = aibom("attest", signed, "--type", uri, "--predicate", file, "--key", keys.private)
    assert ran.code == 0, ran.err
    kind = kind_of(uri)
    assert kind is not None
    name = f"attestations/{kind.name}.sigstore.json"
    assert files_of(signed).keys() - before.keys() == {name}
    assert {path: files_of(signed)[path] for path in before} == before
    assert reported(aibom, signed, "--public-key", keys.public)[name] == "verified"
    statement = statement_of(signed / name)
    assert statement["predicateType"] == uri
    assert statement["predicate"] == good(uri)
    subjects = {item["name"]: item["digest"]["sha256"] for item in statement["subject"]}
    manifest = read_manifest(signed)
    assert subjects.pop(TREE_DIGEST_NAME) == release_tree_digest(manifest)
    assert subjects == {entry.name: entry.sha256 for entry in manifest.entries}


@pytest.mark.parametrize(("uri", "path"), [(uri, path) for uri, paths in REQUIRED.items() for path in paths])
def test_a_bend_in_each_required_field_is_refused_before_anything_is_signed(
    aibom: Aibom, signed: Path, tmp_path: Path, uri: str, path: str
) -> None:
    """The key does not exist: whatever is wrong with a predicate is said before a key is even looked for."""
    file = write_predicate(tmp_path / "predicate.json", without(good(uri), path))
    before = files_of(signed)
    ran = aibom("attest", signed, "--type", uri, "--predicate", file, "--key", tmp_path / "no.key")
    assert ran.code == 3
    assert f"at: {file}, {path}\n" in ran.err
    assert "found nothing" in ran.err
    assert f"hint: see {uri} for what it must hold" in ran.err
    assert files_of(signed) == before


MISSPELT: dict[str, tuple[str, str, Json, str]] = {
    "an optional field": (
        RESULT, "passedTests", {"passedTest": ["x"]}, ": unknown field passedTest; did you mean passedTests?",
    ),
    "within": (
        "https://slsa.dev/provenance/v1", "runDetails.metadata.invocationId", {"invocationID": "1"},
        ", runDetails.metadata: unknown field invocationID; did you mean invocationId?",
    ),
    "of a descriptor in a list": (
        RESULT, "configuration[0].name", {"annotation": {}},
        ", configuration[0]: unknown field annotation; did you mean annotations?",
    ),
    "of two shapes at once": (
        "https://in-toto.io/attestation/reference/v0.1", "references[0].digest", {"digests": {}, "uri": "urn:x:y"},
        ", references[0]: unknown field digests; did you mean digest?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISSPELT)
def test_a_field_that_is_nearly_one_of_its_type_is_warned_of(
    aibom: Aibom, signed: Path, keys: KeyFiles, tmp_path: Path, case: str
) -> None:
    uri, path, more, words = MISSPELT[case]
    options = ["--type", uri, "--key", keys.private, "--predicate"]
    right = aibom("attest", signed, *options, write_predicate(tmp_path / "p.json", good(uri)))
    assert "unknown field" not in right.err
    bent = without(good(uri), path)
    place: Any = bent
    for step in path.replace("[0]", ".0").split(".")[:-1]:
        place = place[int(step) if step == "0" else step]
    place.update(more)
    ran = aibom("attest", signed, *options, write_predicate(tmp_path / "p.json", bent))
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert f"p.json{words} It is signed as it is" in said
    assert said.count("unknown field") == 1


def test_a_field_that_is_unlike_any_other_is_anybodys_own(
    aibom: Aibom, signed: Path, keys: KeyFiles, tmp_path: Path
) -> None:
    file = write_predicate(tmp_path / "p.json", good(RESULT) | {"seed": 7, "example.com/tests": ["x"]})
    ran = aibom("attest", signed, "--type", RESULT, "--predicate", file, "--key", keys.private)
    assert ran.code == 0
    assert "unknown field" not in ran.err


def test_a_misspelt_field_that_is_required_is_named_in_the_hint(
    aibom: Aibom, signed: Path, keys: KeyFiles, tmp_path: Path
) -> None:
    file = write_predicate(tmp_path / "bad.json", {"result": "PASSED", "configurations": []})
    ran = aibom("attest", signed, "--type", RESULT, "--predicate", file, "--key", keys.private)
    assert ran.code == 3
    assert "bad.json, configuration\n" in ran.err
    assert "hint: the field 'configurations' is unknown: is it meant?" in ran.err


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"PASSED", "not JSON"),
    "a list": (b"[]", "expected a JSON object"),
    "a key twice": (b'{"result": "FAILED", "result": "PASSED", "configuration": []}', "appears twice"),
    "NaN": (b'{"result": "PASSED", "configuration": [], "n": NaN}', "NaN"),
    "too deep": (b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", "levels deep"),
    "no UTF-8": (b'{"result": "\xff"}', "UTF-8"),
    "more behind": (b"{} {}", "not JSON"),
    "a mark first": (b"\xef\xbb\xbf{}", "byte-order mark"),
    "too long": (b" " * (64 * 1024 * 1024 + 1), "larger than"),
}


@pytest.mark.parametrize("case", BAD_FILES)
@pytest.mark.parametrize("uri", [RESULT, "urn:example:own"])
def test_a_file_that_is_no_strict_json_is_refused(
    aibom: Aibom, signed: Path, keys: KeyFiles, tmp_path: Path, uri: str, case: str
) -> None:
    data, words = BAD_FILES[case]
    put(tmp_path / "predicate.json", data)
    before = files_of(signed)
    arguments = ["--type", uri, "--name", "mine", "--predicate", tmp_path / "predicate.json", "--key", keys.private]
    ran = aibom("attest", signed, *arguments)
    assert ran.code == 3
    assert words in ran.err
    assert files_of(signed) == before


def test_any_type_by_its_uri_and_a_name(aibom: Aibom, signed: Path, keys: KeyFiles, tmp_path: Path) -> None:
    file = write_predicate(tmp_path / "own.json", {"n": 9007199254740993, "z": 1, "a": 2})
    attest = ["attest", signed, "--type", "urn:example:own", "--predicate", file, "--key", keys.private]
    unnamed = aibom(*attest)
    assert unnamed.code == 2
    assert "--name" in unnamed.err
    for name in ("bom", "../x", "A", "x" * 64, ".x", "a/b"):
        assert aibom(*attest, "--name", name).code == 2, name
    ran = aibom(*attest, "--name", "own")
    assert ran.code == 0
    assert "was not checked" in " ".join(ran.err.split())
    bundle = json.loads((signed / "attestations" / "own.sigstore.json").read_bytes())
    assert file.read_bytes().strip() in base64.b64decode(bundle["dsseEnvelope"]["payload"])  # the very bytes
    said = json.loads(aibom("verify", signed, "--public-key", keys.public, "--json").out)["not_checked"]
    assert any("urn:example:own are not read here" in text for text in said)


@pytest.mark.parametrize("uri", ["https://model_signing/signature/v1.0", "https://cyclonedx.org/bom/v1.7"])
def test_what_sign_makes_is_not_made_here(aibom: Aibom, signed: Path, keys: KeyFiles, tmp_path: Path, uri: str) -> None:
    file = write_predicate(tmp_path / "p.json", {"a": 1})
    ran = aibom("attest", signed, "--type", uri, "--predicate", file, "--name", "x", "--key", keys.private)
    assert ran.code == 2
    assert "aibom sign" in ran.err


@pytest.mark.parametrize("system", SYSTEMS)
def test_provenance_of_a_ci_job_and_what_the_bom_names(
    aibom: Aibom, tmp_path: Path, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    release = make_release(tmp_path / "release", "harmless")
    assert aibom("sign", release, "--build", "--key", keys.private).code == 0
    for name, value in SYSTEMS[system].items():
        monkeypatch.setenv(name, value)
    ran = aibom("attest", release, "--type", "provenance", "--key", keys.private)
    assert ran.code == 0, ran.err
    predicate = statement_of(release / "attestations" / "provenance.sigstore.json")["predicate"]
    assert SECRET not in json.dumps(predicate) + ran.out + ran.err
    assert predicate["runDetails"]["builder"]["id"] == BUILDERS[system]
    found = {item["uri"]: item for item in predicate["buildDefinition"]["resolvedDependencies"]}
    base, revision = "distilbert/distilbert-base-uncased", "12040accade4e8a0f71eabdb258fecc2e7e948be"
    assert found[f"pkg:huggingface/{base}@{revision}"] == {
        "uri": f"pkg:huggingface/{base}@{revision}", "name": base, "digest": {"gitCommit": revision},
    }  # fmt: skip
    assert any("stanfordnlp/imdb@" in uri and item["digest"]["gitCommit"] for uri, item in found.items())
    if system in CODE:
        assert found[CODE[system]]["digest"] == {"gitCommit": COMMIT}
    path = "attestations/provenance.sigstore.json"
    assert reported(aibom, release, "--public-key", keys.public)[path] == "verified"


def test_a_hostile_variable_ends_it_with_nothing_written(
    aibom: Aibom, signed: Path, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SYSTEMS["github"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_REF", f"refs/heads/x\n::add-mask::{SECRET}")
    before = files_of(signed)
    ran = aibom("attest", signed, "--type", "provenance", "--key", keys.private)
    assert ran.code == 3
    assert "GITHUB_REF" in ran.err
    assert SECRET not in ran.err
    assert files_of(signed) == before


def test_the_revision_of_the_code_is_a_resolved_dependency(aibom: Aibom, keys: KeyFiles, tmp_path: Path) -> None:
    release = write_git_checkout(tmp_path, write_small)
    assert aibom("sign", release, "--build", "--key", keys.private).code == 0
    arguments = ["--type", "provenance", "--builder-id", "https://example.com/lab", "--key", keys.private]
    assert aibom("attest", release, *arguments).code == 0
    predicate = statement_of(release / "attestations" / "provenance.sigstore.json")["predicate"]
    code = [item for item in predicate["buildDefinition"]["resolvedDependencies"] if item["uri"].startswith("git+")]
    assert code == [{"uri": f"git+{REMOTE}", "name": "code", "digest": {"gitCommit": head_commit(release)}}]


def test_provenance_outside_of_ci_needs_a_stated_builder(aibom: Aibom, signed: Path, keys: KeyFiles) -> None:
    ran = aibom("attest", signed, "--type", "provenance", "--key", keys.private)
    assert ran.code == 3
    assert "--builder-id" in ran.err
    assert not (signed / "attestations" / "provenance.sigstore.json").exists()


def test_a_predicate_made_from_the_bom_needs_a_bom_of_these_files(aibom: Aibom, signed: Path, keys: KeyFiles) -> None:
    attest = ["attest", signed, "--type", "provenance", "--builder-id", "https://example.com", "--key", keys.private]
    assert aibom(*attest).code == 0
    put(signed / "README.md", "# other\n")
    ran = aibom(*attest)
    assert ran.code == 1
    assert "README.md" in ran.err


def test_release_reference_and_spdx_are_filled_in(
    aibom: Aibom, release: Path, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    put(release / "aibom.toml", '[model]\nname = "tiny-teller"\nversion = "1.2"\nhub = "acme/tiny-teller"\n')
    assert aibom("build", release, "--format", "spdx3-json").code == 0
    assert aibom("sign", release, "--build", "--key", keys.private).code == 0
    where = "https://example.com/aibom.cdx.json"
    options = ["--builder-id", "https://example.com", "--download-location", where, "--key", keys.private]
    types = ["--type", "release", "--type", "reference", "--type", "spdx"]
    ran = aibom("attest", release, *types, *options)
    assert ran.code == 0, ran.err
    made = {
        name: statement_of(release / f"attestations/{name}.sigstore.json") for name in ("release", "reference", "spdx")
    }
    assert "@1.2" in made["release"]["predicate"]["purl"]
    (reference,) = made["reference"]["predicate"]["references"]
    assert reference["downloadLocation"] == where
    assert reference["digest"]["sha256"] == read_manifest(release).by_name()[BOM_NAME].sha256
    assert made["spdx"]["predicate"] == json.loads((release / "aibom.spdx3.json").read_bytes())
    assert set(reported(aibom, release, "--public-key", keys.public).values()) == {"verified"}


def test_an_spdx_document_of_other_files_is_not_signed(
    aibom: Aibom, release: Path, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    missing = aibom("attest", release, "--type", "spdx", "--key", keys.private)
    assert missing.code == 3
    assert "spdx3-json" in missing.err
    assert aibom("build", release, "--format", "spdx3-json").code == 0
    assert aibom("attest", release, "--type", "spdx", "--key", keys.private).code == 0
    put(release / "README.md", "# other\n")
    ran = aibom("attest", release, "--type", "spdx", "--key", keys.private)
    assert ran.code == 1
    assert "other files" in ran.err


USAGE: dict[str, tuple[list[str], str]] = {
    "unknown word": (["--type", "provenence"], "did you mean 'provenance'"),
    "no file": (["--type", "evaluation"], "--predicate FILE"),
    "builder for a file": (["--type", "evaluation", "--predicate", "P", "--builder-id", "urn:x"], "--builder-id"),
    "location for provenance": (["--type", "provenance", "--download-location", "urn:x"], "--download-location"),
    "too few files": (["--type", "evaluation", "--type", "vex", "--predicate", "P"], "2 times --type and 1 times"),
    "too many files": (["--type", "evaluation", "--predicate", "P", "--predicate", "P"], "1 times --type and 2 times"),
    "names for some": (["--type", "release", "--type", "spdx", "--name", "x"], "2 times --type and 1 times --name"),
    "one name twice": (["--type", "release", "--type", "release"], "two attestations would be called 'release'"),
}


@pytest.mark.parametrize("case", USAGE)
def test_options_that_cannot_be_meant(aibom: Aibom, signed: Path, keys: KeyFiles, tmp_path: Path, case: str) -> None:
    file = write_predicate(tmp_path / "p.json", good(RESULT))
    options, words = USAGE[case]
    ran = aibom("attest", signed, *(file if option == "P" else option for option in options), "--key", keys.private)
    assert ran.code == 2
    assert words in ran.err


def test_a_key_inside_the_release_is_refused(aibom: Aibom, signed: Path) -> None:
    keys = write_keys(signed / "keys")
    ran = aibom("attest", signed, "--type", "provenance", "--builder-id", "urn:x", "--key", keys.private)
    assert ran.code == 2
    assert "published" in ran.err


def test_without_a_signature_it_is_said_that_one_is_needed(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    assert aibom("build", release).code == 0
    ran = aibom("attest", release, "--type", "provenance", "--builder-id", "urn:x:y", "--key", keys.private)
    assert ran.code == 0
    assert "does not stand in for the signature" in " ".join(ran.err.split())
    assert aibom("verify", release, "--public-key", keys.public).code == 1


def test_the_help_has_an_example_and_names_every_type(aibom: Aibom) -> None:
    out = aibom("attest", "--help").out
    assert "Example:  aibom attest" in out
    assert all(kind.name in out for kind in KINDS)
