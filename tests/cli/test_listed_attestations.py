"""Attestations over one read of a release: all that `aibom.toml` lists, by every signer, in every place, or none."""

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.core.layout import BOM_NAME, SIGNATURE_NAME
from aibom.core.manifest import TREE_DIGEST_NAME
from tests.cli.test_attest import Aibom, files_of, reported, statement_of, write_predicate
from tests.factory import KeyFiles, write_keys
from tests.predicates import good
from tests.releases.files import put
from tests.sigstore_instance import SigstoreInstance

RESULT = "https://in-toto.io/attestation/test-result/v0.1"
LISTED = """
[[attestation]]
type = "provenance"
builder-id = "https://example.com/lab"

[[attestation]]
type = "evaluation"
predicate = "evaluation/result.json"

[[attestation]]
type = "urn:example:own"
name = "own"
predicate = "evaluation/own.json"

[[attestation]]
type = "reference"
builder-id = "https://example.com/lab"
download-location = "https://example.com/aibom.cdx.json"
"""


# One read of the files.


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file is opened as the files of a release are."""
    counted: Counter[str] = Counter()
    real = os.open

    def counting(path: str | Path, flags: int, *rest: int, **named: int) -> int:
        counted[os.path.basename(path)] += 1  # noqa: PTH119 -- a name below an open folder is no path
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", counting)
    return counted


WEIGHTS = "model.safetensors"


def test_any_number_of_attestations_over_one_read(
    aibom: Aibom, signed: Path, keys: KeyFiles, tmp_path: Path, opened: Counter[str]
) -> None:
    result = write_predicate(tmp_path / "result.json", good(RESULT))
    types = ["--type", "provenance", "--type", "evaluation", "--type", "reference"]
    options = ["--builder-id", "urn:x:y", "--download-location", "https://example.com/b", "--key", keys.private]
    ran = aibom("attest", signed, *types, "--predicate", result, *options)
    assert ran.code == 0, ran.err
    names = {path.name.partition(".")[0] for path in (signed / "attestations").iterdir()}
    assert names == {"bom", "provenance", "evaluation", "reference"}
    assert {opened[name] for name in (WEIGHTS, "train.csv", "README.md", "inference.py")} == {1}
    assert set(reported(aibom, signed, "--public-key", keys.public).values()) == {"verified"}
    assert opened[WEIGHTS] == 2  # which shows that a second read would have been counted


def test_sign_makes_all_that_is_listed_over_one_read(
    aibom: Aibom, release: Path, keys: KeyFiles, opened: Counter[str]
) -> None:
    listed(release)
    assert aibom("sign", release, "--build", "--key", keys.private).code == 0
    assert opened[WEIGHTS] == 1
    opened.clear()
    assert aibom("sign", release, "--key", keys.private).code == 0
    assert opened[WEIGHTS] == 1


# What aibom.toml lists.


def listed(release: Path, text: str = LISTED) -> Path:
    put(release / "aibom.toml", text)
    write_predicate(release / "evaluation" / "result.json", good(RESULT))
    write_predicate(release / "evaluation" / "own.json", {"a": 1})
    return release


@pytest.mark.parametrize("build_first", [True, False])
def test_sign_makes_what_aibom_toml_lists(aibom: Aibom, release: Path, keys: KeyFiles, build_first: bool) -> None:
    listed(release)
    if build_first:
        assert aibom("build", release).code == 0
    ran = aibom("sign", release, *([] if build_first else ["--build"]), "--key", keys.private)
    assert ran.code == 0, ran.err
    outcomes = reported(aibom, release, "--public-key", keys.public)
    names = ("bom", "provenance", "evaluation", "own", "reference")
    assert outcomes == {SIGNATURE_NAME: "verified"} | {f"attestations/{n}.sigstore.json": "verified" for n in names}
    statement = statement_of(release / "attestations" / "evaluation.sigstore.json")
    assert statement["predicate"] == good(RESULT)
    subjects = {item["name"] for item in statement["subject"]}
    assert {BOM_NAME, "evaluation/result.json", "aibom.toml", TREE_DIGEST_NAME} <= subjects


BAD_LISTS: dict[str, tuple[str, str]] = {
    "no type": ('[[attestation]]\nname = "x"\n', "type"),
    "unknown type": ('[[attestation]]\ntype = "provenence"\n', "did you mean 'provenance'"),
    "unknown key": ('[[attestation]]\ntype = "vex"\nfile = "x"\n', "attestation[0]"),
    "no such file": ('[[attestation]]\ntype = "vex"\npredicate = "evaluation/resul.json"\n', "evaluation/result.json"),
    "a file outside": ('[[attestation]]\ntype = "vex"\npredicate = "../x.json"\n', "attestation[0].predicate"),
    "an absolute path": ('[[attestation]]\ntype = "vex"\npredicate = "/etc/passwd"\n', "attestation[0].predicate"),
    "a file not covered": ('[[attestation]]\ntype = "vex"\npredicate = "model.sig"\n', "no file of the release"),
    "a name that is taken": ('[[attestation]]\ntype = "provenance"\nname = "bom"\n', "aibom sign"),
    "a name that escapes": ('[[attestation]]\ntype = "provenance"\nname = "../x"\n', "attestation[0].name"),
    "a URI without a name": ('[[attestation]]\ntype = "urn:a:b"\npredicate = "evaluation/own.json"\n', "short name"),
    "another type's file": ('[[attestation]]\ntype = "vex"\npredicate = "evaluation/own.json"\n', "own.json, @context"),
    "nothing to fill it in from": ('[[attestation]]\ntype = "evaluation"\n', "a score in a card is no verdict"),
    "two of one name": ('[[attestation]]\ntype = "provenance"\nbuilder-id = "urn:a:b"\n' * 2, "two attestations"),
    "what sign makes": ('[[attestation]]\ntype = "https://cyclonedx.org/bom"\nname = "x"\n', "aibom sign"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_LISTS)
def test_a_wrong_list_ends_it_with_nothing_signed(aibom: Aibom, release: Path, keys: KeyFiles, case: str) -> None:
    text, words = BAD_LISTS[case]
    listed(release, text)
    before = files_of(release)
    ran = aibom("sign", release, "--build", "--key", keys.private)
    assert ran.code == 3, ran.err
    assert words in ran.err
    assert files_of(release) == before


# A tree that changes while it is being signed.

CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file is changed": (lambda release: put(release / "README.md", "# other\n"), "README.md"),
    "same size, time set back": (lambda release: same_size(release / WEIGHTS), WEIGHTS),
    "a file comes": (lambda release: put(release / "extra.py", "1"), "extra.py"),
    "a file goes": (lambda release: (release / "inference.py").unlink(), "inference.py"),
    "a file is replaced by its copy": (lambda release: replaced(release / "README.md"), "README.md"),
    "a file becomes a link": (lambda release: linked(release / "README.md"), "README.md"),
    "a folder of the name comes": (lambda release: put(release / "new" / "x.json", "{}"), "new/x.json"),
}


def same_size(path: Path) -> None:
    """Other bytes, and the time of the last change as it was before."""
    before, data = path.stat(), bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.rename(path)


def linked(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def change_while_signing(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> list[int]:
    """Have the release changed by the time that the first signature is made: after reading, before writing."""
    from attest.signing.key import KeySigner

    real, signed = KeySigner.sign, [0]

    def sign(self: KeySigner, payload: bytes) -> bytes:
        if not signed[0]:
            change()
        signed[0] += 1
        return real(self, payload)

    monkeypatch.setattr(KeySigner, "sign", sign)
    return signed


@pytest.mark.parametrize("case", [None, *CHANGES])
@pytest.mark.parametrize("command", ["attest", "sign", "sign --build"])
def test_a_tree_that_changes_meanwhile_is_noticed_and_nothing_is_written(
    aibom: Aibom, release: Path, keys: KeyFiles, monkeypatch: pytest.MonkeyPatch, command: str, case: str | None
) -> None:
    change, name = CHANGES[case] if case else (lambda _: None, "")
    if command != "sign --build":
        assert aibom("build", release).code == 0
    arguments: list[object] = [*command.split(), release, "--key", keys.private]
    if command == "attest":
        arguments += ["--type", "provenance", "--builder-id", "urn:x:y"]
    signed = change_while_signing(monkeypatch, lambda: change(release))
    ran = aibom(*arguments)
    assert signed[0] > 0
    if case is None:
        assert ran.code == 0, ran.err
        return
    assert ran.code == 3
    assert "changed while it was being signed" in ran.err
    assert name in ran.err
    assert "nothing was written" in ran.err
    assert not (release / SIGNATURE_NAME).exists()
    assert not [path for path in (release / "attestations").rglob("*") if path.is_file()]
    if command == "sign --build":
        assert not (release / BOM_NAME).exists()


def test_a_bom_beside_the_release_that_changes_meanwhile(
    aibom: Aibom, release: Path, keys: KeyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = tmp_path / "aside"
    assert aibom("build", release, "--output-dir", aside).code == 0
    change_while_signing(monkeypatch, lambda: put(aside / BOM_NAME, "{}"))
    ran = aibom("sign", release, "--output-dir", aside, "--key", keys.private)
    assert ran.code == 3
    assert "the BOM changed while it was being signed" in ran.err
    assert set(files_of(aside)) == {BOM_NAME}


def test_all_or_none_is_written(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    listed(release)
    (release / "attestations" / "own.sigstore.json").mkdir(parents=True)
    before = files_of(release)
    ran = aibom("sign", release, "--build", "--key", keys.private)
    assert ran.code == 3
    assert "own.sigstore.json" in ran.err
    assert files_of(release) == before


# Every signer, and every place.


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "ed25519", "rsa3072"])
def test_with_a_key_of_every_kind(aibom: Aibom, release: Path, tmp_path: Path, kind: str) -> None:
    keys = write_keys(tmp_path / "keys", kind)
    assert aibom("sign", release, "--build", "--key", keys.private).code == 0
    arguments = ["--type", "provenance", "--builder-id", "urn:x:y", "--key", keys.private]
    assert aibom("attest", release, *arguments).code == 0
    assert set(reported(aibom, release, "--public-key", keys.public).values()) == {"verified"}


def test_with_a_passphrase(aibom: Aibom, signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = write_keys(tmp_path / "locked", passphrase="open sesame")
    attest = ["attest", signed, "--type", "provenance", "--builder-id", "urn:x:y", "--key", keys.private]
    monkeypatch.setenv("AIBOM_KEY_PASSPHRASE", "wrong")
    assert aibom(*attest).code == 3
    assert not (signed / "attestations" / "provenance.sigstore.json").exists()
    monkeypatch.setenv("AIBOM_KEY_PASSPHRASE", "open sesame")
    ran = aibom(*attest)
    assert ran.code == 0
    assert "sesame" not in ran.out + ran.err


@pytest.mark.parametrize(("rekor", "timestamps"), [(1, False), (2, True)])
def test_keyless(
    aibom: Aibom, sigstore: SigstoreInstance, release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    rekor: int, timestamps: bool,
) -> None:  # fmt: skip
    identity = "release@example.com"
    config = write_predicate(tmp_path / "trust.json", sigstore.trust_config(rekor=rekor, timestamps=timestamps))
    monkeypatch.setenv("SIGSTORE_IDENTITY_TOKEN", sigstore.identity_token(identity))
    signer = ["--keyless", "--trust-config", config]
    listed(release)
    assert aibom("sign", release, "--build", *signer).code == 0
    file = write_predicate(tmp_path / "vex.json", good("https://openvex.dev/ns"))
    ran = aibom("attest", release, "--type", "vex", "--predicate", file, *signer)
    assert ran.code == 0, ran.err
    expect = ["--identity", identity, "--issuer", sigstore.url, "--trust-config", config]
    outcomes = reported(aibom, release, *expect)
    assert len(outcomes) == 7
    assert set(outcomes.values()) == {"verified"}


def test_a_service_that_is_gone_leaves_nothing(aibom: Aibom, signed: Path, tmp_path: Path) -> None:
    with SigstoreInstance() as gone:
        config = write_predicate(tmp_path / "trust.json", gone.trust_config())
        put(tmp_path / "token", gone.identity_token("release@example.com"))
    before = files_of(signed)
    options = ["--keyless", "--trust-config", config, "--identity-token-file", tmp_path / "token"]
    ran = aibom("attest", signed, "--type", "provenance", "--builder-id", "urn:x:y", *options)
    assert ran.code == 3
    assert files_of(signed) == before


@pytest.mark.parametrize("bom_inside", [True, False])
def test_a_read_only_checkout(aibom: Aibom, release: Path, keys: KeyFiles, tmp_path: Path, bom_inside: bool) -> None:
    aside = tmp_path / "aside"
    listed(release)
    if bom_inside:
        assert aibom("build", release).code == 0
    before = files_of(release)
    folders = [release, *(path for path in release.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        where = ["--output-dir", aside, "--key", keys.private]
        assert aibom("sign", release, "--build", *where).code == 0
        ran = aibom("attest", release, "--type", "provenance", "--name", "again", "--builder-id", "urn:x:y", *where)
        assert ran.code == 0, ran.err
        inside = aibom(
            "attest", release, "--type", "provenance", "--output-dir", release / "out", "--key", keys.private
        )
        assert inside.code == 2
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert files_of(release) == before
    outcomes = reported(aibom, release, "--public-key", keys.public, "--attached", aside)
    assert outcomes["attestations/again.sigstore.json"] == "verified"
    assert len(outcomes) == 7


def test_a_release_of_a_single_file(aibom: Aibom, release: Path, keys: KeyFiles, tmp_path: Path) -> None:
    file = tmp_path / "one" / "model.safetensors"
    put(file, (release / WEIGHTS).read_bytes())
    assert aibom("sign", file, "--build", "--key", keys.private).code == 0
    ran = aibom("attest", file, "--type", "provenance", "--builder-id", "urn:x:y", "--key", keys.private)
    assert ran.code == 0, ran.err
    assert (file.parent / "model.safetensors.provenance.sigstore.json").exists()
    assert reported(aibom, file, "--public-key", keys.public)["attestations/provenance.sigstore.json"] == "verified"


def test_signing_again_says_which_attestations_are_of_before(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    assert aibom("sign", release, "--build", "--key", keys.private).code == 0
    attest = ["attest", release, "--type", "provenance", "--builder-id", "urn:x:y", "--key", keys.private]
    assert aibom(*attest).code == 0
    assert "replaces provenance.sigstore.json" in aibom(*attest).err
    put(release / "README.md", "# other\n")
    again = aibom("sign", release, "--build", "--key", keys.private)
    assert "provenance.sigstore.json was not made again" in again.err
    ran = aibom("verify", release, "--public-key", keys.public, "--json")
    assert ran.code == 1
    assert {finding["rule"] for finding in json.loads(ran.out)["findings"]} == {"attestation.other-files"}
    assert aibom(*attest).code == 0
    assert aibom("verify", release, "--public-key", keys.public).code == 0
