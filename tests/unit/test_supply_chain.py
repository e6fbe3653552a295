"""Recorded steps: the whole chain passes; with one thing bent it does not, and the words say which."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from aibom.core.verdict import Verdict
from tests.factory import key_policy, rules_of, sign_release, verify_signed
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
    incomplete,
    key_id,
    owner_policy,
    payload_of,
    public,
    refused,
    sign_payload,
    undecided,
)
from tests.releases.files import put
from tests.releases.writers import safetensors_bytes, zero_tensor
from verify.chain_files import GivenLayout
from verify.report import report_json


@pytest.fixture
def chain(tmp_path: Path, session_folder: Path) -> Chain:
    return chain_of(tmp_path / "made", session_folder)


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


# Whose layout it is


def test_a_named_layout_key_is_the_only_one_that_counts(chain: Chain) -> None:
    """Whoever signs the release could else lay down steps to their own liking."""
    chain.owner = 0
    refused(chain.write().verify(), "supply-chain.wrong-owner", public(OWNER).fingerprint)


def test_two_layout_keys_must_both_have_signed(chain: Chain) -> None:
    policy = replace(key_policy(), layout_keys=(public(OWNER), public(8)))
    report = chain.write().verify(policy)
    refused(report, "supply-chain.wrong-owner", public(8).fingerprint)
    chain.layout.write_bytes(sign_payload(payload_of(chain.layout), OWNER, 8))
    assert chain.verify(policy).verdict is Verdict.ACCEPTED


def test_a_layout_of_the_readers_own_decides(chain: Chain, tmp_path: Path) -> None:
    chain.owner = STRANGER
    theirs = chain.write().layout.read_bytes()
    chain.owner = OWNER
    given = GivenLayout("mine.layout", chain.write().layout.read_bytes())
    chain.layout.write_bytes(theirs)
    refused(chain.verify(), "supply-chain.wrong-owner")
    report = verify_signed(chain.release, owner_policy(), layout=given)
    assert report.verdict is Verdict.ACCEPTED
    assert rules_of(report) == {"supply-chain.own-layout"}
    assert report.supply_chain is not None
    assert (report.supply_chain.path, report.supply_chain.outcome) == ("mine.layout", "verified")
    bent = replace(given, data=theirs)
    chain.write()
    refused(verify_signed(chain.release, owner_policy(), layout=bent), "supply-chain.wrong-owner", "mine.layout")
    chain.link("train").unlink()
    incomplete(verify_signed(chain.release, owner_policy(), layout=given), "supply-chain.link-missing", "'train'")


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


TUNE = """
[[step]]
name = "tune"
by = ["2"]
takes = [{ from = "train", files = ["model.safetensors"] }]
makes = ["model.safetensors"]
"""
LOOSE = PLAN.replace('{ from = "train", files = ["model.safetensors"] }, { from', '{ files = ["model.safe*"] }, { from')


def test_a_layout_that_does_not_tie_the_evaluation_to_the_training(chain: Chain) -> None:
    chain.plan = LOOSE
    assert chain.write().verify().verdict is Verdict.ACCEPTED
    chain.bend("evaluate", materials=dict(chain.steps["evaluate"].materials) | {WEIGHTS: digest("others")})
    chain.bend("quantise", materials={})
    chain.plan = LOOSE.replace(
        'takes = [{ from = "train", files = ["model.safetensors"] }]\nmakes = ["model.int8', 'makes = ["model.int8'
    )
    incomplete(chain.write().verify(), "supply-chain.not-evaluated", WEIGHTS, "'evaluate' took another file")


def test_weights_that_were_changed_after_they_were_evaluated(chain: Chain) -> None:
    """Every rule holds: what was evaluated was trained. What is delivered was made after it."""
    made = chain.steps["train"].products[WEIGHTS]
    chain.plan = LOOSE.replace('"model.int8*"', '"model.int8.safetensors"')
    first = {WEIGHTS: digest("first")}
    chain.bend("train", products=dict(chain.steps["train"].products) | first)
    chain.bend("evaluate", materials=dict(chain.steps["evaluate"].materials) | first)
    chain.bend("quantise", materials=first)
    chain.plan += TUNE
    chain.does["tune"] = 2
    chain.steps["tune"] = replace(chain.steps["train"], name="tune", materials=first, products={WEIGHTS: made})
    report = chain.write().verify()
    incomplete(report, "supply-chain.not-evaluated", WEIGHTS, "no step took the delivered one")
    assert rules_of(report) == {"supply-chain.not-evaluated"}


def test_weights_that_nobody_evaluated_are_said_to_be_unchecked(chain: Chain) -> None:
    chain.plan = PLAN[: PLAN.index('[[step]]\nname = "evaluate"')]
    del chain.steps["evaluate"]
    report = chain.write().verify()
    assert report.verdict is Verdict.ACCEPTED
    assert any(f"whether {QUANTISED} was evaluated" in said for said in report.not_checked)
    assert not any(f"whether {WEIGHTS}" in said for said in report.not_checked)


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
    undecided(chain.verify(), "supply-chain.sublayout", "stands for the step 'train'", "attestations/train.")
    chain.link("train").write_bytes(sign_payload(document, STRANGER))
    refused(chain.verify(), "supply-chain.wrong-functionary", "'train'")
    chain.write_link("train", 2)
    chain.link("train", STRANGER).write_bytes(sign_payload(document, STRANGER))
    assert chain.verify().verdict is Verdict.ACCEPTED


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
    assert not marker.exists()
    if signs == STRANGER:
        refused(report, "supply-chain.wrong-owner")
    else:
        undecided(report, "supply-chain.inspection", "1 commands", "not run")
        chain.link("train").unlink()
        assert {"supply-chain.inspection", "supply-chain.link-missing"} <= rules_of(chain.verify())


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
