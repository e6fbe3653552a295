"""The verifier against a valid release of which one thing is bent. Each test first sees the whole one accepted."""

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from aibom.core.errors import UsageError
from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from aibom.core.verdict import Verdict
from attest.bundle import pre_authentication_encoding
from attest.keys import sign_message
from attest.model_signature import model_statement
from attest.signing.key import KeyInMemory, KeySigner
from attest.statement import Subject, statement_bytes
from tests.factory import (
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
from verify.policy import ExpectedIdentity, Policy

Json = dict[str, Any]


def test_a_valid_release_is_accepted_and_says_what_was_not_checked(signed: Path) -> None:
    report = verify_signed(signed)
    assert report.verdict is Verdict.ACCEPTED
    assert report.findings == ()
    assert report.coverage.covered == len(report.subject.manifest.entries) == 13
    assert report.bom is not None
    assert report.bom.attested
    assert any("profile" in text for text in report.not_checked)
    assert {(a.path, a.outcome) for a in report.attestations} == {
        (SIGNATURE_NAME, "verified"),
        (BOM_BUNDLE_NAME, "verified"),
    }


@pytest.mark.parametrize(
    "name",
    ["README.md", "model.safetensors", "inference.py", "data/train.csv", "docs/usage.md", ".gitattributes", BOM_NAME],
)
def test_one_changed_byte_names_the_file(signed: Path, name: str) -> None:
    data = bytearray((signed / name).read_bytes())
    data[-1] ^= 1
    (signed / name).write_bytes(bytes(data))
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert report.coverage.diff.changed == (name,)
    finding = next(f for f in report.findings if f.rule == "coverage.changed")
    assert finding.where == name
    assert finding.expected != finding.found


@pytest.mark.parametrize(
    "name",
    ["evil.py", "sub/evil.py", ".hidden", ".github/workflows/x.yml", ".gitignore", "sub/.git/config", "sub/model.sig",
     "model.sig.bak", "aibom.cdx.xml", "aibom.spdx3.json", ".cache/huggingface/evil.py", "attestations2/x",
     "data/more.csv"],
)  # fmt: skip
def test_one_added_file_is_named(signed: Path, name: str) -> None:
    put(signed / name, "x")
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert report.coverage.diff.extra == (name,)


@pytest.mark.parametrize("name", ["attestations/evil.py", "attestations/x.json", "attestations/sub/x.sigstore.json"])
def test_a_stranger_among_the_attestations_is_named(signed: Path, name: str) -> None:
    put(signed / name, "x")
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert "attestation.stranger" in rules_of(report)


def test_garbage_with_the_name_of_a_bundle_is_named(signed: Path) -> None:
    put(signed / "attestations" / "more.sigstore.json", "garbage")
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert next(f.where for f in report.findings if f.rule == "signature.malformed").startswith("attestations/more")


def test_a_file_added_to_the_version_history_is_said_to_be_uncovered(signed: Path) -> None:
    put(signed / ".git" / "hooks" / "evil", "x")
    report = verify_signed(signed)
    assert report.verdict is Verdict.ACCEPTED
    assert rules_of(report) == {"coverage.outside"}
    assert any(".git is never covered" in text for text in report.coverage.notes)


def test_a_missing_and_a_renamed_file_are_named(signed: Path) -> None:
    (signed / "inference.py").rename(signed / "other.py")
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert report.coverage.diff.missing == ("inference.py",)
    assert report.coverage.diff.extra == ("other.py",)


def test_swapped_names_are_caught(signed: Path) -> None:
    # The OpenSSF root digest is the same for both trees; only names tell them apart.
    (signed / "train.py").rename(signed / "tmp")
    (signed / "inference.py").rename(signed / "train.py")
    (signed / "tmp").rename(signed / "inference.py")
    assert verify_signed(signed).coverage.diff.changed == ("inference.py", "train.py")


def test_a_link_in_the_release_is_refused(signed: Path) -> None:
    (signed / "train.py").unlink()
    (signed / "train.py").symlink_to("/etc/passwd")
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert {"content.unsafe-entry", "coverage.missing"} <= rules_of(report)


def test_an_unsafe_entry_is_named(signed: Path) -> None:
    (signed / "link").symlink_to("/etc/passwd")
    finding = next(f for f in verify_signed(signed).findings if f.rule == "content.unsafe-entry")
    assert finding.where == "link"
    assert "remove it" in finding.hint


def test_weights_that_would_run_code_are_refused(tmp_path: Path) -> None:
    report = verify_signed(sign_release(make_release(tmp_path / "r", "example")))
    assert report.verdict is Verdict.REJECTED
    (finding,) = [f for f in report.findings if f.rule == "content.dangerous"]
    assert finding.where == "legacy/scaler.pkl"
    assert "posix.system" in finding.message
    assert "numbers only" in finding.hint


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("known.pkl", b"\x80\x02}q\x00.", None),
        ("strange.pkl", b"\x80\x02cacme.models\nThing\nq\x00.", "content.may-execute"),
        ("evil.pkl", b"cos\nsystem\n(S'true'\ntR.", "content.dangerous"),
        ("evil.pt", b"\x80\x02cbuiltins\neval\nq\x00X\x01\x00\x00\x001q\x01\x85q\x02Rq\x03.", "content.dangerous"),
        ("packed.pkl", b"\x28\xb5\x2f\xfd" + bytes(40), "content.may-execute"),
    ],
)
def test_pickles_by_what_they_name(tmp_path: Path, name: str, content: bytes, rule: str | None) -> None:
    release = make_release(tmp_path / "r")
    if name == "packed.pkl":
        put(release / "aibom.toml", '[categories]\n"packed.pkl" = "docs/usage"\n')  # our builder would refuse it
    put(release / name, content)
    report = verify_signed(sign_release(release))
    assert {f.rule for f in report.findings if f.where == name} == ({rule} if rule else set())
    assert report.verdict is (Verdict.REJECTED if rule == "content.dangerous" else Verdict.ACCEPTED)


def test_harmless_weights_in_such_a_format_are_not_mentioned(tmp_path: Path) -> None:
    report = verify_signed(sign_release(make_release(tmp_path / "r", "harmless")))
    assert report.verdict is Verdict.ACCEPTED
    assert not any(f.where == "pytorch_model.bin" for f in report.findings)
    assert any("harmless" in text for text in report.not_checked)


def test_a_conflict_that_the_publisher_reports_reaches_the_buyer(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    put(release / "config.json", '{"a": 1, "a": 2}')
    report = verify_signed(sign_release(release))
    assert report.verdict is Verdict.ACCEPTED
    assert "bom.conflict" in rules_of(report)


def test_another_key_is_refused_with_both_fingerprints(signed: Path) -> None:
    report = verify_signed(signed, key_policy(1))
    assert report.verdict is Verdict.REJECTED
    finding = report.findings[0]
    assert finding.rule == "signature.wrong-key"
    assert len(finding.expected) == len(finding.found) == 64
    assert finding.expected != finding.found


def test_a_key_signature_does_not_satisfy_an_identity(signed: Path) -> None:
    policy = Policy(expected=(ExpectedIdentity("a@example.com", "https://issuer.example"),))
    report = verify_signed(signed, policy)
    assert report.verdict is Verdict.REJECTED
    assert rules_of(report) == {"signature.wrong-signer"}


def test_no_signature(release: Path) -> None:
    report = verify_signed(release)
    assert report.verdict is Verdict.REJECTED
    assert rules_of(report) == {"signature.missing"}


def test_one_of_the_two_bundles_is_enough_when_it_covers_all(signed: Path) -> None:
    (signed / SIGNATURE_NAME).unlink()
    assert verify_signed(signed).verdict is Verdict.ACCEPTED
    (signed / BOM_BUNDLE_NAME).unlink()
    assert verify_signed(signed).verdict is Verdict.REJECTED


def test_the_model_signature_alone_does_not_hide_git_files(signed: Path) -> None:
    (signed / BOM_BUNDLE_NAME).unlink()
    report = verify_signed(signed)
    assert report.verdict is Verdict.ACCEPTED  # .gitattributes is accounted for by the BOM, which model.sig covers
    put(signed / ".github" / "evil.py", "x")
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert "bom.file-unaccounted" in rules_of(report)


def mutate(path: Path, change: Callable[[Json], None]) -> None:
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def set_payload(document: Json, payload: bytes) -> None:
    document["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()


@pytest.mark.parametrize("bundle", [SIGNATURE_NAME, BOM_BUNDLE_NAME])
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (
            lambda d: d["dsseEnvelope"]["signatures"][0].update(sig=base64.b64encode(b"x" * 70).decode()),
            "signature.invalid",
        ),
        (lambda d: set_payload(d, base64.b64decode(d["dsseEnvelope"]["payload"]) + b" "), "signature.invalid"),
        (lambda d: d["verificationMaterial"]["publicKey"].update(hint="0" * 64), "signature.wrong-key"),
        (lambda d: d["dsseEnvelope"].update(payloadType="text/plain"), "signature.malformed"),
        (lambda d: d["dsseEnvelope"]["signatures"].append({"sig": "AAAA"}), "signature.malformed"),
        (lambda d: d.update(mediaType="x"), "signature.malformed"),
    ],
    ids=["signature", "payload", "hint", "payload type", "second signature", "media type"],
)
def test_a_bent_bundle_is_refused(signed: Path, bundle: str, change: Callable[[Json], None], rule: str) -> None:
    mutate(signed / bundle, change)
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert rule in rules_of(report)


def test_a_key_may_be_named_as_cosign_does(signed: Path) -> None:
    """By what its documentation gives: `openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64`."""
    public = make_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    hint = base64.b64encode(hashlib.sha256(public).digest()).decode()
    mutate(signed / SIGNATURE_NAME, lambda d: d["verificationMaterial"]["publicKey"].update(hint=hint))
    assert verify_signed(signed).verdict is Verdict.ACCEPTED
    assert verify_signed(signed, key_policy(1)).findings[0].rule == "signature.wrong-key"


def test_an_empty_hint_is_no_way_around_the_key(signed: Path) -> None:
    mutate(signed / SIGNATURE_NAME, lambda d: d["verificationMaterial"]["publicKey"].update(hint=""))
    assert verify_signed(signed).verdict is Verdict.ACCEPTED
    assert rules_of(verify_signed(signed, key_policy(1))) >= {"signature.invalid"}


@pytest.mark.parametrize("content", [b"", b"garbage", b"{}", b"[" * 200_000, b"\xff\xfe", b'{"a":1,"a":2}'])
def test_garbage_for_a_signature(signed: Path, content: bytes) -> None:
    (signed / SIGNATURE_NAME).write_bytes(content)
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    finding = next(f for f in report.findings if f.rule == "signature.malformed")
    assert SIGNATURE_NAME in finding.where
    assert finding.hint


def test_another_release_s_signature(signed: Path, tmp_path: Path, session_folder: Path) -> None:
    other = sign_release(make_release(tmp_path / "other", "example"))
    shutil.copy(other / SIGNATURE_NAME, signed / SIGNATURE_NAME)
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert "coverage.disagree" in rules_of(report) or "coverage.changed" in rules_of(report)


def resign_model(release: Path, payload: bytes) -> None:
    (release / SIGNATURE_NAME).write_bytes(KeySigner(KeyInMemory(make_key())).sign(payload))


def test_a_signed_statement_of_another_kind_is_no_model_signature(signed: Path) -> None:
    resign_model(signed, statement_bytes([Subject("README.md", "0" * 64)], "https://example.com/other", b"{}"))
    assert "statement.type" in rules_of(verify_signed(signed))


def test_a_signed_list_of_things_to_ignore_hides_nothing(release: Path) -> None:
    payload = json.loads(model_statement("m", read_manifest(release).select(["README.md"])))
    payload["predicate"]["serialization"]["ignore_paths"] = ["."]
    resign_model(release, json.dumps(payload).encode())
    report = verify_signed(release)
    assert report.verdict is Verdict.REJECTED
    assert "inference.py" in report.coverage.diff.extra
    assert any("asked to leave out '.'" in text for text in report.coverage.notes)


def test_a_signed_path_outside_the_release_is_refused_before_it_is_opened(release: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    payload = json.loads(model_statement("m", read_manifest(release)))
    payload["predicate"]["resources"][0]["name"] = "../secret"
    resign_model(release, json.dumps(payload).encode())
    report = verify_signed(release)
    assert report.verdict is Verdict.REJECTED
    assert "statement.malformed" in rules_of(report)


def test_a_duplicate_key_in_a_signed_payload_is_refused(signed: Path) -> None:
    payload = base64.b64decode(json.loads((signed / SIGNATURE_NAME).read_bytes())["dsseEnvelope"]["payload"])
    doubled = payload.replace(b'{"_type"', b'{"predicateType":"https://example.com","_type"', 1)
    assert doubled != payload
    document = json.loads((signed / SIGNATURE_NAME).read_bytes())
    set_payload(document, doubled)
    signature = sign_message(make_key(), pre_authentication_encoding(doubled))
    document["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    (signed / SIGNATURE_NAME).write_text(json.dumps(document))
    assert "statement.malformed" in rules_of(verify_signed(signed))


def test_a_third_party_s_attestation_counts_for_nothing_and_harms_nothing(signed: Path) -> None:
    review = KeySigner(KeyInMemory(make_key("p256", 1))).sign(
        statement_bytes([Subject("x", "0" * 64)], "urn:review", b"{}")
    )
    (signed / "attestations" / "review.sigstore.json").write_bytes(review)
    report = verify_signed(signed)
    assert report.verdict is Verdict.ACCEPTED
    assert rules_of(report) == {"attestation.other-signer"}


# The BOM against the files, in a release that was signed again by its own key.


def accounted(path: Path, edit: Callable[[Json], None]) -> set[str]:
    report = verify_signed(sign_release(make_release(path), edit=edit))
    assert report.verdict is Verdict.REJECTED
    return rules_of(report)


def components_of(document: Json) -> list[tuple[list[Json], int]]:
    """Every component at any depth, as its list and position."""
    found: list[tuple[list[Json], int]] = []
    pending = [document["components"]]
    while pending:
        listed = pending.pop()
        for index, component in enumerate(listed):
            found.append((listed, index))
            if component.get("components"):
                pending.append(component["components"])
    return found


def test_removing_any_one_component_of_a_signed_again_bom_is_caught(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    bom = json.loads(build_bom_bytes(release))
    count = len(components_of(bom))
    assert count > 15
    for number in range(count):
        document = json.loads(json.dumps(bom))
        listed, index = components_of(document)[number]
        removed = listed.pop(index)
        report = verify_signed(sign_release(release, bom=json.dumps(document).encode()))
        assert report.verdict is Verdict.REJECTED, removed["name"]
        assert rules_of(report) & {"bom.file-unaccounted", "bom.dangling-reference", "bom.data-set"}
    assert verify_signed(sign_release(release)).verdict is Verdict.ACCEPTED


def without(document: Json, ref: str) -> Json:
    """A BOM without a component and without anything that refers to it: no dangling reference gives it away."""
    whole = json.loads(json.dumps(document))
    whole["components"] = [c for c in whole["components"] if c.get("bom-ref") != ref]
    whole["dependencies"] = [d for d in whole["dependencies"] if d["ref"] != ref]
    for node in whole["dependencies"]:
        node["dependsOn"] = [target for target in node["dependsOn"] if target != ref]
    for node in whole["compositions"]:
        for key in ("assemblies", "dependencies"):
            if key in node:
                node[key] = [target for target in node[key] if target != ref]
    for component in whole["components"]:
        parameters = component.get("modelCard", {}).get("modelParameters", {})
        if "datasets" in parameters:
            parameters["datasets"] = [d for d in parameters["datasets"] if d["ref"] != ref]
    whole["citations"] = [c for c in whole.get("citations", []) if c["attributedTo"] != ref]
    for formula in whole.get("formulation", []):
        for workflow in formula["workflows"]:
            for key in ("inputs", "outputs"):
                items = workflow.get(key, [])
                workflow[key] = [item for item in items if item.get("resource", {}).get("ref") != ref]
    result: Json = whole
    return result


@pytest.mark.parametrize("kind", ["small", "example"])
def test_removing_a_component_and_every_trace_of_it_is_caught_too(tmp_path: Path, kind: str) -> None:
    release = make_release(tmp_path / "r", kind)
    bom = json.loads(build_bom_bytes(release))
    refs = [c["bom-ref"] for c in bom["components"]]
    assert len(refs) > 6
    for ref in refs:
        report = verify_signed(sign_release(release, bom=json.dumps(without(bom, ref)).encode()))
        assert report.verdict is Verdict.REJECTED, ref
        assert rules_of(report) & {"bom.left-out", "bom.file-unaccounted"}, ref


def test_a_base_model_that_is_left_out(tmp_path: Path) -> None:
    assert "bom.left-out" in accounted(tmp_path / "r", lambda d: d["components"][0].pop("pedigree"))


def test_a_component_for_a_file_that_is_not_there(tmp_path: Path) -> None:
    def edit(document: Json) -> None:
        document["components"].append(
            {"type": "file", "name": "ghost.bin", "hashes": [{"alg": "SHA-256", "content": "0" * 64}]}
        )

    assert "bom.file-absent" in accounted(tmp_path / "r", edit)


def test_a_wrong_digest_in_the_bom(tmp_path: Path) -> None:
    def edit(document: Json) -> None:
        document["components"][0]["components"][0]["hashes"][0]["content"] = "0" * 64

    assert accounted(tmp_path / "r", edit) == {"bom.file-digest"}


def test_a_file_listed_twice(tmp_path: Path) -> None:
    def edit(document: Json) -> None:
        again = dict(document["components"][0]["components"][0])
        again.pop("bom-ref")
        document["components"].append(again)

    assert accounted(tmp_path / "r", edit) == {"bom.duplicate"}


def test_another_release_s_tree_digest(tmp_path: Path) -> None:
    def edit(document: Json) -> None:
        for item in document["metadata"]["component"]["properties"]:
            if item["name"] == "aibom:tree-digest":
                item["value"] = "sha256:" + "0" * 64

    assert accounted(tmp_path / "r", edit) == {"bom.tree-digest"}


def test_a_bom_that_is_no_valid_cyclonedx(tmp_path: Path) -> None:
    assert accounted(tmp_path / "r", lambda d: d.update(extra=1)) == {"bom.invalid"}
    assert accounted(tmp_path / "s", lambda d: d.update(bomFormat="Other")) == {"bom.invalid"}


def test_a_bom_beside_the_files_that_is_not_the_attested_one(signed: Path) -> None:
    document = json.loads((signed / BOM_NAME).read_bytes())
    document["version"] = 2
    (signed / BOM_NAME).write_text(json.dumps(document))
    report = verify_signed(signed)
    assert {"bom.differs", "coverage.changed"} <= rules_of(report)
    assert report.bom is not None
    assert report.bom.bom.raw["version"] == 1  # what is judged is what was signed


def test_a_counted_data_set(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    for n in range(1001):
        put(release / "data" / f"part-{n:05}.csv", f"a,b\n{n},1\n")
    sign_release(release)
    assert verify_signed(release).verdict is Verdict.ACCEPTED

    def one_more(document: Json) -> None:
        (data,) = [c for c in document["components"] if c["name"] == "data"]
        for item in data["properties"]:
            if item["name"] == "aibom:file-count":
                item["value"] = "1003"

    report = verify_signed(sign_release(release, edit=one_more))
    assert rules_of(report) == {"bom.data-set"}


def test_an_lfs_pointer_that_was_signed(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    bom = build_bom_bytes(release)
    put(release / "model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    report = verify_signed(sign_release(release, bom=bom))
    assert "content.lfs-pointer" in rules_of(report)  # signed as it is, so its content is what is wrong


def test_weights_that_are_none(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    bom = build_bom_bytes(release)
    put(release / "model.safetensors", b"\xff" * 100)
    assert "content.weights" in rules_of(verify_signed(sign_release(release, bom=bom)))


def test_signatures_in_a_folder_of_their_own(signed: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    release = make_release(tmp_path / "plain")
    bom = build_bom_bytes(release)
    signer = KeySigner(KeyInMemory(make_key()))
    from attest.bom_attestation import bom_statement

    put(aside / BOM_NAME, bom)
    put(aside / BOM_BUNDLE_NAME, signer.sign(bom_statement(read_manifest(release), bom)))
    report = verify_signed(release, attached=aside)
    assert report.verdict is Verdict.ACCEPTED
    assert report.bom is not None
    put(aside / BOM_NAME, bom.replace(b'"version": 1', b'"version": 2'))
    assert rules_of(verify_signed(release, attached=aside)) == {"bom.differs"}
    (aside / BOM_NAME).unlink()
    assert verify_signed(release, attached=aside).verdict is Verdict.ACCEPTED


def test_the_hub_s_download_records_are_a_note(signed: Path) -> None:
    put(signed / ".cache/huggingface/download/README.md.metadata", "x")
    report = verify_signed(signed)
    assert report.verdict is Verdict.ACCEPTED
    assert any(".cache/huggingface" in text for text in report.coverage.notes)


def test_a_bom_that_nobody_signed_counts_for_nothing(release: Path, tmp_path: Path) -> None:
    # Only the model's files were signed; the BOM came later and lies in a folder of its own.
    resign_model(release, model_statement("m", read_manifest(release)))
    aside = tmp_path / "aside"
    put(aside / SIGNATURE_NAME, (release / SIGNATURE_NAME).read_bytes())
    put(aside / BOM_NAME, build_bom_bytes(release))
    report = verify_signed(release, attached=aside)
    assert "bom.unbound" in rules_of(report)
    assert report.bom is None


def test_a_long_list_of_differences_is_cut(tmp_path: Path) -> None:
    def forget_all(document: Json) -> None:
        document["components"] = []

    report = verify_signed(sign_release(make_release(tmp_path / "r", "example"), edit=forget_all))
    assert "bom.accounting" in rules_of(report)
    quiet = {"bom.left-out", "bom.conflict", "bom.dangling-reference"}
    assert sum(f.rule.startswith("bom.") and f.rule not in quiet for f in report.findings) <= 21


def test_a_certificate_of_no_sigstore_does_not_satisfy_an_identity(signed: Path) -> None:
    def chain(document: Json) -> None:
        document["verificationMaterial"] = {"x509CertificateChain": {"certificates": [{"rawBytes": "AAAA"}]}}

    mutate(signed / SIGNATURE_NAME, chain)
    mutate(signed / BOM_BUNDLE_NAME, chain)
    report = verify_signed(signed, Policy(expected=(ExpectedIdentity("a@example.com", "https://issuer.example"),)))
    assert report.verdict is Verdict.REJECTED
    assert rules_of(report) == {"signature.wrong-signer"}


def test_a_policy_that_expects_nobody_cannot_be_made() -> None:
    with pytest.raises(UsageError):
        Policy(expected=())
    with pytest.raises(UsageError):
        Policy(expected=(ExpectedIdentity("a@example.com", ""),))


def test_verification_needs_no_network(signed: Path, no_network: None) -> None:
    assert verify_signed(signed).verdict is Verdict.ACCEPTED
