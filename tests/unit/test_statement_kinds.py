"""Attestations of other types, read by the verifier: about these files, well formed, and counted for what they are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from aibom.cli.render.text import report_lines
from aibom.core.finding import Outcome
from aibom.core.manifest import TREE_DIGEST_NAME
from aibom.core.strictjson import dump_json
from aibom.core.verdict import Verdict
from attest.release_statement import release_statement, release_tree_digest
from attest.signing.key import KeyInMemory, KeySigner
from attest.statement import STATEMENT_TYPE, Subject, statement_bytes
from tests.factory import key_policy, make_key, read_manifest, rules_of, sign_release, verify_signed
from tests.predicates import GOOD, REQUIRED, SHA256, Json, good, having, without
from tests.releases.files import put
from tests.unit.test_profiles import profile
from verify.report import Report, report_json

PROVENANCE = "https://slsa.dev/provenance/v1"
RESULT = "https://in-toto.io/attestation/test-result/v0.1"
OWN = "urn:example:own"
ZERO = "0" * 64


def attach(release: Path, payload: bytes, name: str = "more", number: int = 0) -> Report:
    """Add a statement, signed by the release's own key or another one, and verify."""
    bundle = KeySigner(KeyInMemory(make_key("p256", number))).sign(payload)
    (release / "attestations" / f"{name}.sigstore.json").write_bytes(bundle)
    return verify_signed(release)


def about(release: Path, uri: str = RESULT, predicate: Json | None = None) -> bytes:
    """A statement over the whole release."""
    return release_statement(read_manifest(release), uri, dump_json(good(uri) if predicate is None else predicate))


def of(*subjects: Subject, uri: str = RESULT) -> bytes:
    return statement_bytes(subjects, uri, dump_json(GOOD.get(uri, {})))


def outcome(report: Report, name: str = "more") -> str:
    (found,) = [a.outcome for a in report.attestations if a.path == f"attestations/{name}.sigstore.json"]
    return found


def subject_of(release: Path, name: str) -> Subject:
    return Subject(name, read_manifest(release).by_name()[name].sha256)


@pytest.mark.parametrize("uri", GOOD)
def test_a_good_one_of_each_type_is_verified_and_what_it_says_is_left_open(signed: Path, uri: str) -> None:
    report = attach(signed, about(signed, uri))
    assert report.verdict is Verdict.ACCEPTED
    assert report.findings == ()
    assert outcome(report) == "verified"
    assert [a.type for a in report.attestations if a.path.endswith("more.sigstore.json")] == [uri]
    assert [text for text in report.not_checked if text.startswith("attestations/more.sigstore.json: ")]


@pytest.mark.parametrize(("uri", "path"), [(uri, paths[-1]) for uri, paths in REQUIRED.items()])
def test_a_malformed_one_is_a_contradiction_that_names_the_field(signed: Path, uri: str, path: str) -> None:
    assert attach(signed, about(signed, uri)).verdict is Verdict.ACCEPTED
    report = attach(signed, about(signed, uri, without(good(uri), path)))
    assert report.verdict is Verdict.REJECTED
    (finding,) = report.findings
    assert finding.rule == "attestation.malformed"
    assert finding.where == f"attestations/more.sigstore.json, predicate.{path}"
    assert outcome(report) == "rejected"


OTHERS: dict[str, Callable[[Path], list[Subject]]] = {
    "another file": lambda release: [Subject("x", ZERO)],
    "the same name, other bytes": lambda release: [Subject("model.safetensors", SHA256)],
    "one right, one with other bytes": lambda release: [
        subject_of(release, "README.md"), Subject("model.safetensors", SHA256),
    ],
    "the same name twice, once with other bytes": lambda release: [
        subject_of(release, "README.md"), Subject("README.md", SHA256),
    ],
    "another tree": lambda release: [subject_of(release, "README.md"), Subject(TREE_DIGEST_NAME, SHA256)],
    "the bytes of two files exchanged": lambda release: [
        Subject("README.md", subject_of(release, "inference.py").sha256),
        Subject("inference.py", subject_of(release, "README.md").sha256),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS)
def test_one_about_other_files_is_refused(signed: Path, case: str) -> None:
    assert attach(signed, about(signed)).verdict is Verdict.ACCEPTED
    report = attach(signed, of(*OTHERS[case](signed)))
    assert report.verdict is Verdict.REJECTED
    assert rules_of(report) == {"attestation.other-files"}
    assert outcome(report) == "rejected"


def test_one_without_sha256_is_about_nothing_that_can_be_compared(signed: Path) -> None:
    document = {
        "_type": STATEMENT_TYPE,
        "predicateType": RESULT,
        "subject": [{"name": "model.safetensors", "digest": {"gitBlob": "ab" * 20}}],
        "predicate": good(RESULT),
    }
    report = attach(signed, dump_json(document))
    assert rules_of(report) == {"attestation.other-files"}
    assert "without SHA-256" in report.findings[0].found


def test_other_files_are_refused_even_if_the_type_is_not_known(signed: Path) -> None:
    assert attach(signed, about(signed, OWN, {})).verdict is Verdict.ACCEPTED
    assert rules_of(attach(signed, of(Subject("x", ZERO), uri=OWN))) == {"attestation.other-files"}


def test_what_a_build_also_made_is_noted(signed: Path) -> None:
    report = attach(signed, of(subject_of(signed, "model.safetensors"), Subject("checkpoint.bin", ZERO)))
    assert report.verdict is Verdict.ACCEPTED
    assert rules_of(report) == {"attestation.other-subjects"}
    assert outcome(report) == "verified"


def test_others_may_name_a_file_by_its_base_name_or_not_at_all(signed: Path) -> None:
    digest = subject_of(signed, "data/train.csv").sha256
    for name in ("train.csv", "", "whatever"):
        report = attach(signed, of(Subject(name, digest)))
        assert report.verdict is Verdict.ACCEPTED, name
        assert report.findings == ()


def test_an_empty_file_is_in_every_release_and_says_nothing(signed: Path) -> None:
    put(signed / "pkg" / "__init__.py", b"")
    sign_release(signed)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert attach(signed, of(Subject("pkg/__init__.py", empty))).verdict is Verdict.ACCEPTED
    report = attach(signed, of(Subject("elsewhere/__init__.py", empty)))
    assert rules_of(report) == {"attestation.other-files"}


def test_a_type_that_we_do_not_know_is_said_to_be_unread(signed: Path) -> None:
    report = attach(signed, about(signed, OWN, {"any": ["thing"]}))
    assert report.verdict is Verdict.ACCEPTED
    assert report.findings == ()
    assert f"attestations/more.sigstore.json: what it says: statements of the type {OWN} are not read here" in (
        report.not_checked
    )


# What they say.

VSA = "https://slsa.dev/verification_summary/v1"
SVR = "https://in-toto.io/attestation/svr/v0.2"
FAILED: dict[str, tuple[str, Json, str]] = {
    "evaluation": (
        RESULT, {"result": "FAILED", "configuration": [], "failedTests": ["toxicity"]},
        "evaluation: FAILED (toxicity)",
    ),
    "evaluation that names no test": (RESULT, {"result": "FAILED", "configuration": []}, "evaluation: FAILED"),
    "evaluation that passed but for one": (
        RESULT, {"result": "PASSED", "configuration": [], "failedTests": ["toxicity"]},
        "evaluation: PASSED, yet failed: toxicity",
    ),
    "summary": (
        VSA, having(good(VSA), "verificationResult", "FAILED"),
        "verification-summary: FAILED (SLSA_BUILD_LEVEL_3), verified by https://example.com/verifier",
    ),
    "summary with a failed level": (
        VSA, having(good(VSA), "verifiedLevels", ["FAILED"]),
        "verification-summary: PASSED (FAILED), verified by https://example.com/verifier",
    ),
    "svr": (
        SVR, having(good(SVR), "properties", ["FAILED"]),
        "svr: FAILED, verified by https://example.com/verifier",
    ),
}  # fmt: skip


def text_of(report: Report) -> str:
    return " ".join(click.unstyle(" ".join(report_lines(report))).split())


@pytest.mark.parametrize("case", FAILED)
def test_a_failure_that_is_attested_is_noted_and_changes_no_verdict(signed: Path, case: str) -> None:
    uri, predicate, words = FAILED[case]
    assert rules_of(attach(signed, about(signed, uri))) == set()
    report = attach(signed, about(signed, uri, predicate))
    assert report.verdict is Verdict.ACCEPTED
    (finding,) = report.findings
    assert finding.rule == "attestation.says-failed"
    assert finding.outcome is Outcome.NOTE
    assert finding.where == "attestations/more.sigstore.json"
    shown = text_of(report)
    assert f"Also signed {words} (the signer's words)" in shown
    assert f"something failed: {words} where" in shown


def test_what_others_say_stands_in_the_head_and_in_the_data(signed: Path) -> None:
    attach(signed, about(signed), name="x")
    attach(signed, about(signed, PROVENANCE), name="y")
    report = attach(signed, about(signed, OWN, {}), name="z")
    assert (
        "Also signed evaluation: PASSED (accuracy); provenance: built by https://example.com/builder; "
        f"{OWN}: not read here (the signer's words)"
    ) in text_of(report)
    document: Any = report_json(report)
    said = [(a["type"], a["says"]) for a in document["attestations"]][2:]
    assert said == [
        (RESULT, "PASSED (accuracy)"), (PROVENANCE, "built by https://example.com/builder"), (OWN, None),
    ]  # fmt: skip


def test_what_is_said_of_some_files_is_said_to_be_of_these(signed: Path) -> None:
    report = attach(signed, of(subject_of(signed, "README.md")))
    (said,) = [a.says for a in report.attestations if a.says]
    there = len(read_manifest(signed).entries)
    assert said == f"PASSED (accuracy), about 1 of {there} files and not about all weights"
    assert [a.says for a in attach(signed, of(subject_of(signed, "model.safetensors"))).attestations if a.says] == [
        "PASSED (accuracy)"
    ]


def test_nothing_of_what_is_refused_or_signed_by_somebody_else_is_told(signed: Path) -> None:
    assert "Also signed" in text_of(attach(signed, about(signed)))
    assert "Also signed" not in text_of(attach(signed, about(signed), number=1))
    assert "Also signed" not in text_of(attach(signed, of(Subject("x", ZERO))))
    assert "Also signed" not in text_of(attach(signed, about(signed, RESULT, {"result": "PASSED"})))


def test_what_is_told_is_bounded_and_printable(signed: Path) -> None:
    nasty = ["\x1b[2J\u202e" + "x" * 500] * 50
    report = attach(signed, about(signed, RESULT, having(good(RESULT), "passedTests", nasty)))
    (said,) = [a.says for a in report.attestations if a.says]
    assert len(said) < 400
    lines = click.unstyle("\n".join(report_lines(report)))
    assert "\x1b" not in lines
    assert "\u202e" not in lines
    assert "PASSED (\\x1b[2J\\u202exx" in lines
    for number in range(12):
        attach(signed, about(signed), name=f"n{number}")
    assert "; 5 more (the signer's words)" in text_of(verify_signed(signed))


def provenance_check(release: Path) -> tuple[str, str]:
    """The verdict of a check that asks for a provenance attestation, and the evidence for it."""
    asking = profile(evidence='[["supply/provenance"]]', state="verified")
    (check,) = verify_signed(release, key_policy(), profiles=(asking,)).profiles[0].checks
    return check.verdict.value, " ".join(item.where for item in check.evidence)


def test_duplicate_subjects_and_copies_of_an_attestation_change_nothing(signed: Path) -> None:
    subject = subject_of(signed, "model.safetensors")
    assert attach(signed, of(subject, subject)).verdict is Verdict.ACCEPTED
    report = attach(signed, of(subject, subject), name="copy")
    assert report.verdict is Verdict.ACCEPTED
    assert outcome(report, "more") == outcome(report, "copy") == "verified"


def test_a_duplicate_key_in_a_statement_is_refused(signed: Path) -> None:
    good_one = about(signed)
    assert attach(signed, good_one).verdict is Verdict.ACCEPTED
    twice = good_one.replace(b'"predicateType":', b'"predicateType":"urn:other","predicateType":', 1)
    assert json.loads(twice)["predicateType"] == RESULT
    assert rules_of(attach(signed, twice)) == {"statement.malformed"}
    inner = good_one.replace(b'"result"', b'"result": "FAILED", "result"', 1)
    assert json.loads(inner)["predicate"]["result"] == "PASSED"
    assert rules_of(attach(signed, inner)) == {"statement.malformed"}


def test_a_malformed_one_by_somebody_else_is_only_noted(signed: Path) -> None:
    report = attach(signed, about(signed, RESULT, {}), number=1)
    assert report.verdict is Verdict.ACCEPTED
    assert rules_of(report) == {"attestation.other-signer"}


def test_an_attestation_does_not_stand_in_for_the_signature(signed: Path) -> None:
    whole = about(signed)
    assert attach(signed, whole).verdict is Verdict.ACCEPTED
    (signed / "model.sig").unlink()
    (signed / "attestations" / "bom.sigstore.json").unlink()
    report = verify_signed(signed)
    assert report.verdict is Verdict.REJECTED
    assert "coverage.nothing-signed" in rules_of(report)

    (finding,) = [finding for finding in report.findings if finding.rule == "coverage.nothing-signed"]
    assert finding.message == (
        f"there is no signature over the release; a statement of the type {RESULT} does not stand in for it"
    )
    head = text_of(report)
    assert "Signed by nobody, over the release" in head
    assert "evaluation: PASSED (accuracy), by the key " in head


def test_where_the_signature_is_not_verified_it_is_not_said_to_be_absent(signed: Path) -> None:
    attach(signed, about(signed))
    (signed / "attestations" / "bom.sigstore.json").unlink()
    (signed / "model.sig").write_bytes(KeySigner(KeyInMemory(make_key("p256", 1))).sign(about(signed)))
    found = {finding.rule: finding.message for finding in verify_signed(signed).findings}
    assert found["coverage.nothing-signed"].startswith("no signature over the release is verified; a statement of the")


def test_an_attestation_where_the_signature_belongs_is_refused(signed: Path) -> None:
    (signed / "model.sig").write_bytes(KeySigner(KeyInMemory(make_key())).sign(about(signed)))
    assert "statement.type" in rules_of(verify_signed(signed))


def test_a_changed_file_is_one_finding_and_not_one_for_every_attestation(signed: Path) -> None:
    assert attach(signed, about(signed)).verdict is Verdict.ACCEPTED
    put(signed / "README.md", b"changed")
    assert rules_of(verify_signed(signed)) == {"coverage.changed"}


def test_the_verified_statement_names_the_tree_that_we_compute(signed: Path) -> None:
    tree = Subject(TREE_DIGEST_NAME, release_tree_digest(read_manifest(signed)))
    report = attach(signed, of(tree))
    assert report.verdict is Verdict.ACCEPTED
    assert report.findings == ()


def test_provenance_counts_for_a_check_only_if_it_is_about_the_weights(signed: Path) -> None:
    before, _ = provenance_check(signed)
    assert before == "missing"
    attach(signed, of(subject_of(signed, "README.md"), uri=PROVENANCE))
    assert provenance_check(signed)[0] == "missing"
    attach(signed, of(subject_of(signed, "model.safetensors"), uri=PROVENANCE))
    verdict, where = provenance_check(signed)
    assert verdict == "pass"
    assert "attestations/more.sigstore.json" in where
    attach(signed, about(signed, PROVENANCE, without(good(PROVENANCE), "runDetails.builder.id")))
    assert provenance_check(signed)[0] == "missing"
    attach(signed, about(signed, f"{PROVENANCE}.1", good(PROVENANCE)))
    assert provenance_check(signed)[0] == "missing"
    attach(signed, about(signed, PROVENANCE, good(PROVENANCE)), number=1)
    assert provenance_check(signed)[0] == "missing"
    attach(signed, about(signed, PROVENANCE, having(good(PROVENANCE), "runDetails.builder.id", "https://e.example")))
    assert provenance_check(signed)[0] == verdict
