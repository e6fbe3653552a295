"""Recorded steps: the whole chain passes; with one thing bent it does not, and the words say which."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from aibom.core.finding import Outcome
from aibom.core.verdict import Verdict
from tests.factory import key_policy, make_key, rules_of, sign_release, verify_signed
from tests.recorded_steps import (
    OWNER,
    PLAN,
    QUANTISED,
    STRANGER,
    WEIGHTS,
    Chain,
    Json,
    chain_of,
    digest,
    key_id,
    owner_policy,
    payload_of,
    public,
    sign_payload,
)
from tests.releases.files import put
from tests.releases.writers import safetensors_bytes, zero_tensor
from verify.report import Report, report_json


@pytest.fixture
def chain(tmp_path: Path, session_folder: Path) -> Chain:
    return chain_of(tmp_path / "made", session_folder)


def refused(report: Report, rule: str, *words: str) -> None:
    """Rejected, for this reason, in these words; and no step is shown as verified."""
    assert report.verdict is Verdict.REJECTED
    _told(report, rule, Outcome.CONTRADICTED, words)


def incomplete(report: Report, rule: str, *words: str) -> None:
    assert report.verdict is Verdict.INCOMPLETE
    _told(report, rule, Outcome.MISSING, words)


def _told(report: Report, rule: str, outcome: Outcome, words: tuple[str, ...]) -> None:
    found = [f for f in report.findings if f.rule == rule]
    assert found, rules_of(report)
    assert found[0].outcome is outcome
    text = " ".join((f.message + f.where + f.expected + f.found) for f in found)
    for word in words:
        assert word in text
    if report.supply_chain:
        assert report.supply_chain.outcome != "verified"


def test_the_whole_chain(chain: Chain) -> None:
    report = chain.write().verify()
    assert report.verdict is Verdict.ACCEPTED
    assert report.findings == ()
    record = report.supply_chain
    assert record is not None
    assert (record.outcome, record.owner) == ("verified", public(OWNER).fingerprint)
    assert [step.name for step in record.steps] == ["preprocess", "train", "quantise", "evaluate"]
    assert record.steps[1].by == (public(2).fingerprint,)
    assert "did what their names say" in report.not_checked[0]
    assert report.signers == (replace(report.signers[0], identity=public(0).fingerprint),)


def test_the_report_names_the_steps(chain: Chain) -> None:
    said = report_json(chain.write().verify())["supply_chain"]
    assert said["outcome"] == "verified"
    assert said["steps"][3]["links"] == [f"attestations/evaluate.{key_id(6)[:8]}.link"]
    assert (said["steps"][1]["materials"], said["steps"][1]["products"]) == (1, 2)


def test_the_key_of_the_release_may_own_the_layout_too(chain: Chain) -> None:
    chain.owner = 0
    report = chain.write().verify(key_policy())
    assert report.verdict is Verdict.ACCEPTED
    assert report.supply_chain is not None
    assert report.supply_chain.outcome == "verified"


# Rules for files


def test_other_weights_were_evaluated(chain: Chain) -> None:
    others = dict(chain.steps["evaluate"].materials) | {WEIGHTS: digest("others")}
    chain.bend("evaluate", materials=others)
    refused(
        chain.write().verify(),
        "supply-chain.other-artifact",
        f"{WEIGHTS}: what the step 'evaluate' took is not what the step 'train' made",
        chain.steps["train"].products[WEIGHTS],
        digest("others"),
    )


def test_other_data_was_trained_on(chain: Chain) -> None:
    chain.bend("train", materials={"data/train.csv": digest("poisoned")})
    refused(chain.write().verify(), "supply-chain.other-artifact", "data/train.csv", "'train'", "'preprocess'")


def test_a_step_took_a_file_from_nowhere(chain: Chain) -> None:
    chain.bend("train", materials=dict(chain.steps["train"].materials) | {"data/more.csv": digest("more")})
    refused(chain.write().verify(), "supply-chain.rule", "'train' took data/more.csv", "'preprocess' did not make")


def test_a_step_made_what_it_must_not(chain: Chain) -> None:
    chain.bend("evaluate", products={WEIGHTS: digest("swapped")})
    refused(chain.write().verify(), "supply-chain.rule", "'evaluate' made model.safetensors", "does not allow")


def test_a_step_did_not_make_what_it_must(chain: Chain) -> None:
    chain.bend("train", products={"config.json": chain.steps["train"].products["config.json"]})
    refused(chain.write().verify(), "supply-chain.rule", "model.safetensors is not among", "'train' made")


def test_many_files_too_many_are_cut(chain: Chain) -> None:
    chain.bend("evaluate", products={f"other/{n}": digest(str(n)) for n in range(9)})
    report = chain.write().verify()
    refused(report, "supply-chain.rule", "and 4 more files of the step 'evaluate'")
    assert len(report.findings) == 6


def test_files_taken_may_be_recorded_again_as_they_were(chain: Chain) -> None:
    taken = chain.steps["evaluate"]
    chain.bend("evaluate", products={**taken.materials, **taken.products})
    assert chain.write().verify().verdict is Verdict.ACCEPTED


def test_nothing_was_evaluated(chain: Chain) -> None:
    """A step that took none of the files that connect it to others passes in-toto; what is named outright does not."""
    chain.bend("evaluate", materials={WEIGHTS: chain.steps["train"].products[WEIGHTS]})
    incomplete(chain.write().verify(), "supply-chain.not-taken", "'evaluate' did not take", QUANTISED, "'quantise'")
    chain.bend("evaluate", materials={})
    refused(chain.write().verify(), "supply-chain.rule", "model.safetensors is not among", "'evaluate' took")


def test_a_file_by_other_digests_only(chain: Chain) -> None:
    """Two artifacts with no digest are equal to in-toto."""

    def no_digest(link: Json) -> None:
        link["products"][WEIGHTS] = {}

    document = payload_of(chain.write().link("train"))
    no_digest(document)
    chain.link("train").write_bytes(sign_payload(document, 2))
    refused(chain.verify(), "supply-chain.malformed", "needs a sha256 digest")


# Links


def test_a_link_is_missing(chain: Chain) -> None:
    chain.write().link("quantise").unlink()
    incomplete(chain.verify(), "supply-chain.link-missing", "'quantise' has no links")


def test_a_link_by_somebody_who_may_not(chain: Chain) -> None:
    chain.does["train"] = STRANGER
    refused(chain.write().verify(), "supply-chain.wrong-functionary", "'train'", key_id(STRANGER)[:8])


def test_a_link_by_somebody_else_under_the_right_name(chain: Chain) -> None:
    chain.write()
    chain.link("train").write_bytes(sign_payload(payload_of(chain.link("train")), STRANGER))
    refused(chain.verify(), "supply-chain.wrong-functionary", "'train'", public(2).fingerprint)


def test_somebody_may_do_one_step_and_not_another(chain: Chain) -> None:
    chain.does["train"] = 3
    refused(chain.write().verify(), "supply-chain.wrong-functionary", "'train'")


def test_a_link_was_edited(chain: Chain) -> None:
    envelope = json.loads(chain.write().link("train").read_bytes())
    document = payload_of(chain.link("train"))
    document["products"][WEIGHTS]["sha256"] = digest("swapped")
    edited = json.loads(sign_payload(document, 2)) | {"signatures": envelope["signatures"]}
    chain.link("train").write_bytes(json.dumps(edited).encode())
    refused(chain.verify(), "supply-chain.link-signature", "'train' was changed after it was signed")


def test_a_link_of_another_step(chain: Chain) -> None:
    """One key may do both steps; its link of one must not stand for the other. in-toto does not look at the name."""
    chain.plan = PLAN.replace('by = ["3"]', 'by = ["2"]')
    chain.does["quantise"] = 2
    chain.write()
    chain.link("quantise").write_bytes(chain.link("train").read_bytes())
    refused(chain.verify(), "supply-chain.other-step", "'train'", "given the name of another")


def test_a_link_that_nobody_asked_for_counts_for_nothing(chain: Chain) -> None:
    chain.write().write_link("train", STRANGER)
    report = chain.verify()
    assert report.verdict is Verdict.ACCEPTED
    assert rules_of(report) == {"supply-chain.other-link"}


def test_two_must_agree(chain: Chain) -> None:
    chain.plan = PLAN.replace("threshold = 1", "threshold = 2")
    incomplete(chain.write().verify(), "supply-chain.link-missing", "'evaluate' has 1 link; its layout asks for 2")
    chain.write_link("evaluate", 7)
    assert chain.verify().verdict is Verdict.ACCEPTED
    chain.bend("evaluate", products={"eval/scores.json": digest("better")})
    chain.write_link("evaluate", 7)
    refused(chain.verify(), "supply-chain.disagree", "'evaluate'", key_id(6)[:8], key_id(7)[:8])


def test_two_that_disagree_where_one_would_do(chain: Chain) -> None:
    """in-toto takes the first of them and never looks at the other."""
    chain.write().bend("evaluate", products={"eval/scores.json": digest("better")})
    chain.write_link("evaluate", 7)
    refused(chain.verify(), "supply-chain.disagree", "'evaluate'")


def test_a_command_that_failed_and_another_command(chain: Chain) -> None:
    chain.bend("train", exit_code=1)
    incomplete(chain.write().verify(), "supply-chain.failed-step", "'train' ended with exit code 1")
    chain.bend("train", exit_code=0, command=("python", "other.py"))
    report = chain.write().verify()
    assert report.verdict is Verdict.ACCEPTED
    assert rules_of(report) == {"supply-chain.other-command"}


def test_a_sublayout(chain: Chain) -> None:
    document = payload_of(chain.write().layout)
    chain.link("train").write_bytes(sign_payload(document, 2))
    refused(chain.verify(), "supply-chain.sublayout", "in the place of a link", "attestations/train.")


# The layout


def test_no_layout(chain: Chain) -> None:
    report = chain.verify(key_policy())
    assert report.verdict is Verdict.ACCEPTED
    assert report.supply_chain is None
    incomplete(chain.verify(), "supply-chain.missing", "attestations/root.layout")
    chain.write().layout.unlink()
    incomplete(chain.verify(), "supply-chain.missing")
    assert rules_of(chain.verify(key_policy())) == {"supply-chain.no-layout"}


def test_a_layout_by_a_stranger(chain: Chain) -> None:
    chain.owner = STRANGER
    chain.write()
    refused(chain.verify(), "supply-chain.wrong-owner", key_id(STRANGER)[:16], public(OWNER).fingerprint)
    report = chain.verify(key_policy())
    assert report.verdict is Verdict.ACCEPTED
    assert rules_of(report) == {"supply-chain.other-owner"}
    assert "nobody you named" in report.not_checked[0]
    assert report.supply_chain is not None
    assert (report.supply_chain.outcome, report.supply_chain.steps) == ("not checked", ())


def test_a_layout_that_was_edited(chain: Chain) -> None:
    document = payload_of(chain.write().layout)
    document["steps"][1]["pubkeys"] = [key_id(3)]
    signatures = json.loads(chain.layout.read_bytes())["signatures"]
    chain.layout.write_bytes(json.dumps(json.loads(sign_payload(document, 5)) | {"signatures": signatures}).encode())
    refused(chain.verify(), "supply-chain.layout-signature", "changed after it was signed")
    refused(chain.verify(replace(key_policy(OWNER))), "supply-chain.layout-signature")


def test_a_signature_under_the_id_of_the_owner(chain: Chain) -> None:
    forged = json.loads(sign_payload(payload_of(chain.write().layout), STRANGER))
    forged["signatures"][0]["keyid"] = key_id(OWNER)
    chain.layout.write_bytes(json.dumps(forged).encode())
    refused(chain.verify(), "supply-chain.layout-signature")


def test_an_expired_layout(chain: Chain) -> None:
    chain.expires = chain.expires.replace(year=2026)
    refused(chain.write().verify(), "supply-chain.expired", "2026-06-01")


@pytest.mark.parametrize("signs", [OWNER, STRANGER])
def test_an_inspection_is_never_run(chain: Chain, tmp_path: Path, signs: int) -> None:
    marker = tmp_path / "ran"
    inspection = {
        "_type": "inspection",
        "name": "look",
        "expected_materials": [],
        "expected_products": [],
        "run": ["touch", str(marker)],
    }
    chain.write().edit_layout(lambda layout: layout["inspect"].append(inspection), number=signs)
    report = chain.verify()
    assert report.verdict is Verdict.REJECTED
    assert not marker.exists()
    if signs == OWNER:
        refused(report, "supply-chain.inspection", "none was")


def test_steps_in_another_order(chain: Chain) -> None:
    """in-toto has no order but what files pass; the last step to name a file is the one that made it."""
    chain.bend("quantise", products=dict(chain.steps["quantise"].products) | {WEIGHTS: digest("again")})
    chain.write().edit_layout(
        lambda layout: layout["steps"][2]["expected_products"].insert(1, ["ALLOW", "*"])
    )  # fmt: skip
    refused(chain.verify(), "supply-chain.other-files", f"{WEIGHTS} is not the file that the step 'quantise' made")
    chain.edit_layout(lambda layout: layout["steps"].insert(1, layout["steps"].pop(2)))
    assert chain.verify().verdict is Verdict.ACCEPTED


# The release


def test_weights_that_are_signed_and_were_not_made(chain: Chain) -> None:
    put(chain.release / WEIGHTS, safetensors_bytes({"a": zero_tensor("F32", 1)}, {}))
    sign_release(chain.release)
    report = chain.write().verify()
    refused(report, "supply-chain.other-files", WEIGHTS, "'train'")
    assert rules_of(report) == {"supply-chain.other-files"}
    assert verify_signed(chain.release, key_policy()).verdict is Verdict.ACCEPTED


def test_weights_that_no_step_made(chain: Chain) -> None:
    put(chain.release / "extra.safetensors", safetensors_bytes({"a": zero_tensor("F32", 1)}, {}))
    put(chain.release / "notes.txt", b"made by nobody, and no weights\n")
    sign_release(chain.release)
    report = chain.write().verify()
    incomplete(report, "supply-chain.unaccounted", "extra.safetensors")
    assert [f.rule for f in report.findings] == ["supply-chain.unaccounted"]


def test_a_changed_file_is_told_once(chain: Chain) -> None:
    chain.write()
    weights = chain.release / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    report = chain.verify()
    assert report.verdict is Verdict.REJECTED
    assert "coverage.changed" in rules_of(report)
    assert "supply-chain.other-files" not in rules_of(report)


# What is hostile


def _deep(chain: Chain) -> None:
    chain.link("train").write_bytes(sign_payload(b'{"_type":"link","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 2))


def _huge(chain: Chain) -> None:
    with chain.layout.open("wb") as file:
        file.truncate(4 * 1024 * 1024 + 1)


def _twice(chain: Chain) -> None:
    text = json.dumps(payload_of(chain.link("train")))
    chain.link("train").write_bytes(sign_payload(text.replace('"name":', '"name": "x", "name":').encode(), 2))


def _escaping(chain: Chain) -> None:
    document = payload_of(chain.link("train"))
    document["products"]["../outside"] = {"sha256": "0" * 64}
    chain.link("train").write_bytes(sign_payload(document, 2))


def _metablock(chain: Chain) -> None:
    chain.link("train").write_bytes(b'{"signatures": [], "signed": {"_type": "link"}}')


def _fifo(chain: Chain) -> None:
    os.mkfifo(chain.attestations / "train.00000000.link")


def _junk(chain: Chain) -> None:
    (chain.attestations / "tool.link").write_bytes(b"#!/bin/sh\necho hidden\n")


HOSTILE: dict[str, tuple[Callable[[Chain], None], str]] = {
    "deep": (_deep, "levels deep"),
    "huge": (_huge, "larger than"),
    "twice": (_twice, "appears twice"),
    "escaping": (_escaping, "'..' part"),
    "metablock": (_metablock, "older form"),
    "fifo": (_fifo, "not a regular file"),
    "junk": (_junk, "not JSON"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("policy", [owner_policy, key_policy])
def test_hostile_metadata(chain: Chain, name: str, policy: Callable[[], object]) -> None:
    write, words = HOSTILE[name]
    write(chain.write())
    refused(chain.verify(policy()), "supply-chain.malformed", words)  # type: ignore[arg-type]


def _pattern(layout: Json) -> None:
    layout["steps"][0]["expected_products"].insert(0, ["ALLOW", "*a" * 200 + "b"])


def _long_pattern(layout: Json) -> None:
    layout["steps"][0]["expected_products"].insert(0, ["ALLOW", "?" * 600])


def _many_rules(layout: Json) -> None:
    layout["steps"][0]["expected_products"] = [["ALLOW", "x"]] * 201


def _no_threshold(layout: Json) -> None:
    layout["steps"][0]["threshold"] = 0


def _true_threshold(layout: Json) -> None:
    layout["steps"][0]["threshold"] = True


def _path_as_name(layout: Json) -> None:
    layout["steps"][0]["name"] = "../../etc/passwd"


def _one_key_twice(layout: Json) -> None:
    """One person under two ids would count as two towards the threshold."""
    alias = "f" * 64
    layout["keys"][alias] = layout["keys"][key_id(6)] | {"keyid": alias}
    layout["steps"][3]["pubkeys"].append(alias)
    layout["steps"][3]["threshold"] = 2


def _same_beginning(layout: Json) -> None:
    alike = key_id(6)[:8] + "0" * 56
    layout["keys"][alike] = layout["keys"].pop(key_id(7)) | {"keyid": alike}
    layout["steps"][3]["pubkeys"] = [key_id(6), alike]


def _unknown_key(layout: Json) -> None:
    layout["steps"][0]["pubkeys"] = ["e" * 64]


def _gpg_key(layout: Json) -> None:
    key = layout["keys"][key_id(1)]
    key["subkeys"] = {key_id(2): layout["keys"][key_id(2)]}


def _other_scheme(layout: Json) -> None:
    layout["keys"][key_id(1)]["scheme"] = "ecdsa-sha2-nistp384"


def _no_rule(layout: Json) -> None:
    layout["steps"][0]["expected_products"][0] = ["MATCH", "*", "WITH", "ANYTHING", "FROM", "train"]


def _no_such_day(layout: Json) -> None:
    layout["expires"] = "2027-02-31T00:00:00Z"


def _two_steps_of_one_name(layout: Json) -> None:
    layout["steps"].append(layout["steps"][0])


def _no_steps(layout: Json) -> None:
    layout["steps"] = []


LAYOUTS: dict[str, tuple[Callable[[Json], None], str]] = {
    "pattern": (_pattern, "stars"),
    "long pattern": (_long_pattern, "not a rule"),
    "many rules": (_many_rules, "at most 200"),
    "no threshold": (_no_threshold, "a threshold of 0"),
    "true threshold": (_true_threshold, "a threshold of True"),
    "path as name": (_path_as_name, "cannot be the name of a step"),
    "one key twice": (_one_key_twice, "two ids"),
    "same beginning": (_same_beginning, "begin alike"),
    "unknown key": (_unknown_key, "does not hold"),
    "gpg": (_gpg_key, "unknown field 'subkeys'"),
    "other scheme": (_other_scheme, "cannot sign as"),
    "no rule": (_no_rule, "not a rule that in-toto knows"),
    "no such day": (_no_such_day, "not a date"),
    "two steps of one name": (_two_steps_of_one_name, "a name of its own"),
    "no steps": (_no_steps, "a name of its own"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_that_in_toto_would_take_or_trip_over(chain: Chain, name: str) -> None:
    edit, words = LAYOUTS[name]
    chain.write().edit_layout(edit)
    refused(chain.verify(), "supply-chain.malformed", words)


def test_more_rules_and_files_than_are_matched(chain: Chain) -> None:
    data = {f"data/{n}": digest("x") for n in range(25_000)}
    chain.bend("preprocess", products=data)
    chain.write().edit_layout(
        lambda layout: layout["steps"][0].update(expected_products=[["ALLOW", "*b*c*d"]] * 199)
    )  # fmt: skip
    refused(chain.verify(), "supply-chain.refused", "too many files and rules")


def test_whatever_the_library_raises_the_chain_fails(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    from in_toto import verifylib  # type: ignore[import-untyped]

    def trip(*_: object) -> None:
        raise RecursionError("deep inside")

    assert chain.write().verify().verdict is Verdict.ACCEPTED
    monkeypatch.setattr(verifylib, "verify_threshold_constraints", trip)
    refused(chain.verify(), "supply-chain.refused", "deep inside")


def test_the_library_opens_no_file_and_says_nothing(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A folder with other links around the verifier changes nothing."""
    chain.write()
    chain.link("quantise").rename(tmp_path / chain.link("quantise").name)
    monkeypatch.chdir(tmp_path)
    chain.bend("evaluate", materials=dict(chain.steps["evaluate"].materials) | {WEIGHTS: digest("others")})
    chain.write_link("evaluate", 6)
    incomplete(chain.verify(), "supply-chain.link-missing", "'quantise'")
    assert capfd.readouterr() == ("", "")


def test_links_beside_a_release_count_and_must_not_differ(chain: Chain, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    (aside / "attestations").mkdir(parents=True)
    chain.write()
    moved = aside / "attestations" / chain.link("train").name
    chain.link("train").rename(moved)
    verdict = verify_signed(chain.release, owner_policy(), attached=aside)
    assert verdict.verdict is Verdict.ACCEPTED
    chain.write_link("train", 2)  # ECDSA signatures differ from one another
    assert "supply-chain.malformed" in rules_of(verify_signed(chain.release, owner_policy(), attached=aside))


def test_other_kinds_of_keys_do_steps(chain: Chain) -> None:
    """Every kind that can sign a release can record a step."""
    from attest.chain_plan import parse_plan
    from attest.keys import VerificationKey
    from attest.signing.steps import StepSigner

    kinds = {"preprocess": "p384", "train": "ed25519", "quantise": "rsa3072", "evaluate": "p521"}
    keys = {step: make_key(kind) for step, kind in kinds.items()}
    plan = parse_plan(PLAN.replace('"6", "7"', '"4"').encode())
    publics = {path: VerificationKey(keys[step].public_key()) for path, step in zip("1234", kinds, strict=True)}
    owner = StepSigner(make_key("ed25519", 1))
    chain.layout.write_bytes(owner.sign_layout(plan, publics, chain.expires))
    for name, key in keys.items():
        signer = StepSigner(key)
        (chain.attestations / signer.link_name(name)).write_bytes(signer.sign_link(chain.steps[name]))
    policy = replace(key_policy(), layout_keys=(VerificationKey(make_key("ed25519", 1).public_key()),))
    assert chain.verify(policy).verdict is Verdict.ACCEPTED
