"""One test for each way past the verifier, crash or hang that a hostile review found."""

import json
import os
import shutil
import struct
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from aibom.core.errors import InputError
from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from aibom.core.names import collisions, name_problem
from aibom.core.strictjson import parse_json
from aibom.core.verdict import Verdict
from aibom.formats.safetensors import parse_safetensors
from aibom.formats.yaml_block import parse_yaml_mapping
from aibom.sources.wheel import unpack_wheel
from attest.bom_attestation import bom_statement
from attest.bundle import key_bundle_bytes, parse_bundle
from attest.model_signature import model_statement
from attest.signing.key import KeyInMemory, KeySigner
from attest.statement import Subject, parse_statement, statement_bytes
from tests.conftest import Ran
from tests.factory import (
    NOW,
    KeyFiles,
    build_bom_bytes,
    key_policy,
    make_key,
    make_release,
    read_manifest,
    rules_of,
    sign_release,
    verify_signed,
)
from tests.releases.files import put
from verify.certificate import read_identity

Json = dict[str, Any]
Aibom = Callable[..., Ran]
SIGNER = KeySigner(KeyInMemory(make_key()))


def test_a_statement_about_something_else_accepts_nothing(release: Path) -> None:
    provenance = statement_bytes([Subject("other.whl", "0" * 64)], "https://slsa.dev/provenance/v1", b"{}")
    put(release / "attestations" / "p.sigstore.json", SIGNER.sign(provenance))
    report = verify_signed(release)
    assert report.verdict is Verdict.REJECTED
    assert rules_of(report) == {"coverage.nothing-signed", "attestation.other-files"}


def test_signatures_aside_do_not_take_the_eyes_off_the_release_s_own(signed: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    shutil.copytree(signed / "attestations", aside / "attestations")
    shutil.copy(signed / SIGNATURE_NAME, aside)
    assert verify_signed(signed, attached=aside).verdict is Verdict.ACCEPTED
    put(signed / "attestations" / "evil.py", "import os")
    report = verify_signed(signed, attached=aside)
    assert report.verdict is Verdict.REJECTED
    assert "attestation.stranger" in rules_of(report)


def test_a_file_with_the_name_of_the_attestations_folder(signed: Path) -> None:
    shutil.rmtree(signed / "attestations")
    put(signed / "attestations", "#!/bin/sh\n")
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert report.coverage.diff.extra == ("attestations",)


def test_two_signed_releases_are_not_one(release: Path, tmp_path: Path) -> None:
    put(release / SIGNATURE_NAME, SIGNER.sign(model_statement("a", read_manifest(release))))
    assert verify_signed(release).verdict is Verdict.ACCEPTED
    other = tmp_path / "other"
    put(other / "modeling_old.py", "vulnerable")
    put(release / "modeling_old.py", "vulnerable")
    put(release / "attestations" / "x.sigstore.json", SIGNER.sign(model_statement("b", read_manifest(other))))
    report = verify_signed(release)
    assert report.verdict is Verdict.REJECTED
    assert "coverage.mixed" in rules_of(report)


def test_a_wrong_tree_digest_in_the_attestation(signed: Path) -> None:
    manifest = read_manifest(signed)
    subjects = [Subject(entry.name, entry.sha256) for entry in manifest.entries]
    bom = (signed / BOM_NAME).read_bytes()
    payload = statement_bytes([*subjects, Subject("aibom:tree:v1", "0" * 64)], "https://cyclonedx.org/bom", bom)
    put(signed / BOM_BUNDLE_NAME, SIGNER.sign(payload))
    assert rules_of(verify_signed(signed)) == {"coverage.tree-digest"}


@pytest.mark.parametrize(
    "content", ['{"mediaType": []}', '{"mediaType": {}}', '{"mediaType": null, "a": 1}', "[]", '"x"', "1"]
)
def test_odd_json_for_a_bundle_is_malformed_not_a_crash(signed: Path, content: str) -> None:
    put(signed / "attestations" / "z.sigstore.json", content)
    assert "signature.malformed" in rules_of(verify_signed(signed))


@pytest.mark.parametrize("name", [SIGNATURE_NAME, "attestations/q.sigstore.json"])
def test_a_folder_with_the_name_of_a_bundle(aibom: Aibom, release: Path, keys: KeyFiles, name: str) -> None:
    (release / name).mkdir(parents=True)
    assert aibom("verify", release, "--public-key", keys.public).code == 1
    assert aibom("verify", release).code == 2


def test_dimensions_beyond_all_measure() -> None:
    header = json.dumps({"t": {"dtype": "F32", "shape": [2**62] * 64, "data_offsets": [0, 4]}}).encode()
    data = struct.pack("<Q", len(header)) + header + bytes(4)
    with pytest.raises(InputError, match="larger than the file"):
        parse_safetensors(data, len(data), "x")


def test_a_certificate_of_an_impossible_version() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    names = x509.SubjectAlternativeName([x509.RFC822Name("a@example.com")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    der = builder.add_extension(names, critical=True).sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    assert read_identity(der).identity == "a@example.com"
    version = b"\xa0\x03\x02\x01"
    assert read_identity(der.replace(version + b"\x02", version + b"\x05", 1)).identity == ""


def test_a_name_that_is_not_utf8_in_the_json_report(aibom: Aibom, signed: Path, keys: KeyFiles) -> None:
    put(signed / "attestations" / os.fsdecode(b"\xff.txt"), "x")
    ran = aibom("verify", signed, "--public-key", keys.public, "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["verdict"] == "rejected"
    put(signed / os.fsdecode(b"\xfe.txt"), "x")
    assert aibom("verify", signed, "--public-key", keys.public, "--json").code == 1


def test_a_duplicate_key_among_very_many() -> None:
    # Looking each name up in a list took minutes for this; a set takes no time.
    text = "{" + ",".join(f'"k{n}":0' for n in range(300_000)) + ',"z":1,"z":2}'
    with pytest.raises(InputError, match="'z' appears twice"):
        parse_json(text.encode(), "x")
    with pytest.raises(InputError, match="twice"):
        parse_yaml_mapping("".join(f"k{n}: 0\n" for n in range(20_000)).encode() + b"k1: 1\n", "x")


def test_more_values_than_memory_should_hold() -> None:
    with pytest.raises(InputError, match="values"):
        parse_json(b"[" + b"{}," * 6_000_000 + b"1]", "x")


def test_long_texts_are_cut_before_they_are_folded(aibom: Aibom, release: Path) -> None:
    with pytest.raises(InputError, match="key hint"):
        parse_bundle(key_bundle_bytes(b"x", b"y", "a" * 5000), "b")
    put(release / SIGNATURE_NAME, key_bundle_bytes(b"x", b"y", "a" * 5_000_000))
    ran = aibom("verify", release)
    assert ran.code == 2
    assert len(ran.err) < 10_000
    payload = statement_bytes([Subject("a", "0" * 64)], "u" * 600, b"{}")
    with pytest.raises(InputError, match="predicate type"):
        parse_statement(payload, "s")


def nest(depth: int) -> Json:
    component: Json = {"type": "file", "name": "x"}
    for _ in range(depth):
        component = {"type": "file", "name": "x", "components": [component]}
    return component


HOSTILE_BOMS: dict[str, Callable[[Json], object]] = {
    "a future version": lambda d: d.update(specVersion="1.8"),
    "escapes for a version": lambda d: d.update(specVersion="9\x1b]0;pwn\x07\x1b[31m"),
    "a list for a reference": lambda d: d.update(services=[{"bom-ref": [], "name": "x"}]),
    "a list for a task": lambda d: d["components"][0]["modelCard"]["modelParameters"].update(task=["x"]),
    "components nested without end": lambda d: d["components"].append(nest(60)),
    "text for components": lambda d: d.update(components="x"),
    "a number for a name": lambda d: d["components"][0].update(name=1),
}


@pytest.mark.parametrize("name", HOSTILE_BOMS, ids=list(HOSTILE_BOMS))
def test_a_signed_hostile_bom(aibom: Aibom, tmp_path: Path, keys: KeyFiles, name: str) -> None:
    def edit(document: Json) -> None:
        HOSTILE_BOMS[name](document)

    release = sign_release(make_release(tmp_path / "r"), edit=edit)
    ran = aibom("verify", release, "--public-key", keys.public, "--outcome", "production")
    assert ran.code == 1, ran.err
    assert "\x1b]" not in ran.out + ran.err
    assert aibom("sign", release, "--key", keys.private).code in {1, 3}


def rules_after(path: Path, edit: Callable[[Json], None], *, many: bool = False) -> set[str]:
    release = make_release(path)
    for n in range(1001 if many else 0):
        put(release / "data" / f"part-{n:05}.csv", f"a\n{n}\n")
    report = verify_signed(sign_release(release, edit=edit))
    assert report.verdict is Verdict.REJECTED
    return rules_of(report)


def first_file(document: Json) -> Json:
    found: Json = document["components"][0]["components"][0]
    return found


def test_every_digest_that_the_bom_gives_is_checked(tmp_path: Path) -> None:
    def wrong_sha512(document: Json) -> None:
        first_file(document)["hashes"].append({"alg": "SHA-512", "content": "0" * 128})

    def two_sha256(document: Json) -> None:
        first_file(document)["hashes"].insert(0, {"alg": "SHA-256", "content": "0" * 64})

    assert rules_after(tmp_path / "a", wrong_sha512) == {"bom.file-digest"}
    assert rules_after(tmp_path / "b", two_sha256) == {"bom.duplicate"}


def test_two_data_sets_for_one_folder(tmp_path: Path) -> None:
    def edit(document: Json) -> None:
        (data,) = [c for c in document["components"] if c["name"] == "data"]
        false = json.loads(json.dumps(data))
        false["bom-ref"] = "other"
        for item in false["properties"]:
            if item["name"] == "aibom:tree-digest":
                item["value"] = "sha256:" + "0" * 64
        document["components"].insert(1, false)

    assert "bom.duplicate" in rules_after(tmp_path / "r", edit, many=True)


@pytest.mark.parametrize("name", ["aibom:file-count", "aibom:size"])
def test_what_the_bom_says_of_the_whole_is_checked(tmp_path: Path, name: str) -> None:
    def edit(document: Json) -> None:
        for item in document["metadata"]["component"]["properties"]:
            if item["name"] == name:
                item["value"] = "7"

    assert rules_after(tmp_path / "r", edit) == {"bom.tree-digest"}


def test_a_file_that_nobody_signed_is_not_read(signed: Path) -> None:
    with (signed / "big.bin").open("wb") as file:
        file.truncate(1 << 40)  # a hole of a terabyte: reading it would take an hour
    report = verify_signed(signed)
    assert report.coverage.diff.extra == ("big.bin",)


@pytest.mark.parametrize(
    "text",
    [
        "x: !!timestamp 9\n",
        "x: !!bool z\n",
        'license: "\\uD800x"\n',
        "x: !!set {a}\n",
        "x: !!binary '*'\n",
        "x: !!int z\n",
    ],
)
def test_odd_tags_in_a_card(text: str) -> None:
    try:
        parse_yaml_mapping(text.encode(), "card")
    except InputError as error:
        assert error.where.startswith("card")  # noqa: PT017 -- either outcome is right; a crash is not


def test_odd_names_in_a_card_do_not_end_the_build(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    put(release / "README.md", "---\nbase_model: ['a/b%', 'x y/z']\ndatasets: ['a/b c']\n---\n# M\n")
    assert json.loads(build_bom_bytes(release))["components"][0]["pedigree"]["ancestors"]


def test_escapes_in_a_card_do_not_reach_the_terminal(aibom: Aibom, tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    put(release / "README.md", "# \x1b]0;pwn\x07\x9b31m\u202eTitle\n")
    ran = aibom("build", release)
    assert ran.code == 0
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(ran.out + ran.err)


def test_the_json_report_is_plain_ascii(aibom: Aibom, tmp_path: Path, keys: KeyFiles) -> None:
    release = make_release(tmp_path / "r")
    put(release / "README.md", "# \x9b31m\u202eTitle\n")
    sign_release(release)
    ran = aibom("verify", release, "--public-key", keys.public, "--json", "--profile", "cisa-sbom-2026")
    assert ran.out.isascii()
    assert json.loads(ran.out)


def test_a_damaged_wheel(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "hello " * 1000)
    data = bytearray(path.read_bytes())
    data[40:60] = b"\xff" * 20
    path.write_bytes(bytes(data))
    with pytest.raises(InputError):
        unpack_wheel(path, tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"])
def test_a_demo_of_files_that_are_no_release_is_no_bug_of_ours(aibom: Aibom, tmp_path: Path, content: bytes) -> None:
    put(tmp_path / "in" / "model.safetensors", content)
    assert aibom("demo", tmp_path / "out", "--from", tmp_path / "in").code == 3


def test_names_that_meet_reserved_ones_or_each_other_s_folders() -> None:
    reserved = (SIGNATURE_NAME, "attestations", ".git")
    assert collisions(["MODEL.SIG"], reserved=reserved) == [("model.sig", "MODEL.SIG")]
    assert collisions(["Attestations/x"], reserved=reserved) == [("attestations", "Attestations/x")]
    assert collisions(["Extra", "extra/a"]) == [("Extra", "extra/a")]
    assert collisions(["data/a", "data/b", "data2"], reserved=reserved) == []


# The second round.


@pytest.mark.parametrize("name", ["aibom.spdx3.json", "aibom.cdx.xml", ".github/evil.yml"])
def test_a_generated_or_git_file_of_another_release_is_not_mixed_in(signed: Path, tmp_path: Path, name: str) -> None:
    other = tmp_path / "other"
    put(other / "README.md", (signed / "README.md").read_bytes())
    put(other / name, "{}")
    put(signed / name, "{}")
    entries = [Subject(entry.name, entry.sha256) for entry in read_manifest(other).entries]
    payload = statement_bytes(entries, "https://cyclonedx.org/bom", b'{"bomFormat": "CycloneDX"}')
    put(signed / "attestations" / "b.sigstore.json", SIGNER.sign(payload))
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert "coverage.mixed" in rules_of(report)


@pytest.mark.parametrize("algorithm", ["SHA-512", "SHA-384", "SHA3-256", "SHA3-512"])
@pytest.mark.parametrize("way", ["plain", "escaped", "attested only"])
def test_false_digests_by_any_algorithm_and_any_way(tmp_path: Path, algorithm: str, way: str) -> None:
    lengths = {"SHA-512": 128, "SHA-384": 96, "SHA3-256": 64, "SHA3-512": 128}
    release = make_release(tmp_path / "r")
    document = json.loads(build_bom_bytes(release))
    first_file(document)["hashes"].append({"alg": algorithm, "content": "0" * lengths[algorithm]})
    data = json.dumps(document).encode()
    if way == "escaped":
        data = data.replace(algorithm.encode(), algorithm.replace("-", "\\u002d").encode())
    sign_release(release, bom=data)
    if way == "attested only":
        (release / BOM_NAME).unlink()
        (release / SIGNATURE_NAME).unlink()
        put(release / BOM_BUNDLE_NAME, SIGNER.sign(bom_statement(read_manifest(release), data)))
    report = verify_signed(release)
    assert report.verdict is Verdict.REJECTED
    assert "bom.file-digest" in rules_of(report)


def test_a_digest_that_is_not_computed_is_said_to_be_unchecked(tmp_path: Path) -> None:
    def edit(document: Json) -> None:
        first_file(document)["hashes"].append({"alg": "BLAKE2b-512", "content": "0" * 128})

    report = verify_signed(sign_release(make_release(tmp_path / "r"), edit=edit))
    assert report.verdict is Verdict.ACCEPTED
    assert "bom.digest-unchecked" in rules_of(report)


SLOW_OR_DEEP: dict[str, tuple[str, str]] = {
    "base 60": ("README.md", "---\nx: " + "1:" * 100_000 + "1\n---\n# M\n"),
    "a tagged base 60": ("README.md", "---\nx: !!int " + "1:" * 100_000 + "1\n---\n# M\n"),
    "a long hexadecimal key": ("README.md", "---\n? 0x" + "f" * 6000 + "\n: 1\n---\n# M\n"),
    "a long metric": (
        "README.md",
        "---\nmodel-index:\n- results:\n  - metrics:\n    - type: a\n      value: 0x" + "f" * 6000 + "\n---\n",
    ),
    "a heading of marks": ("README.md", "# a" + " #" * 1_500_000 + "x\n"),
    "brackets": ("requirements.txt", "a; " + "(" * 3900 + "\n"),
    "a long line": ("requirements.txt", "a " + ">=1," * 900_000 + ">=1\\"),
    "brackets in metadata": (
        "x.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: x\nVersion: 1\nRequires-Dist: a; " + "(" * 3900 + "\n\n",
    ),
}


@pytest.mark.parametrize("name", SLOW_OR_DEEP, ids=list(SLOW_OR_DEEP))
def test_small_files_that_took_minutes_or_crashed(aibom: Aibom, tmp_path: Path, keys: KeyFiles, name: str) -> None:
    # Each of these ran for most of a minute, or ended in our own bug code; the suite would show it.
    path, text = SLOW_OR_DEEP[name]
    release = make_release(tmp_path / "r")
    put(release / path, text)
    assert aibom("build", release).code == 0
    assert aibom("sign", release, "--key", keys.private).code == 0
    assert aibom("verify", release, "--public-key", keys.public).code == 0


def test_bytes_that_nobody_signed_are_not_interpreted(signed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a changed file was parsed")

    put(signed / "README.md", "---\nlicense: [\n---\n")
    monkeypatch.setattr("verify.declared.parse_model_card", refuse)
    assert verify_signed(signed).coverage.diff.changed == ("README.md",)


@pytest.mark.parametrize("name", [SIGNATURE_NAME, "attestations"])
def test_a_link_to_a_name_that_is_too_long(aibom: Aibom, release: Path, keys: KeyFiles, name: str) -> None:
    (release / name).symlink_to("a" * 300)
    assert aibom("verify", release, "--public-key", keys.public).code == 1


def test_names_with_very_many_parts() -> None:
    assert "parts" in name_problem("a/" * 100 + "b")
    assert name_problem("a/" * 60 + "b") == ""


def test_a_third_party_bundle_cannot_crash_by_its_key(signed: Path) -> None:
    assert verify_signed(signed, key_policy(3)).verdict is Verdict.REJECTED
