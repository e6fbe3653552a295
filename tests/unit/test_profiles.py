"""Profiles: strict data, and checks that end as pass, contradicted, missing, review or n/a."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aibom.core.errors import InputError, UsageError
from aibom.core.verdict import Verdict
from tests.factory import build_bom_bytes, key_policy, make_release, sign_release, verify_signed
from tests.releases.files import put
from verify.assessment import CheckVerdict, ProfileVerdict
from verify.profile import Profile, load_profile, parse_profile, profile_ids
from verify.report import Report
from verify.rules.registry import FACTS, is_supported
from verify.vocabulary import load_vocabulary

Json = dict[str, Any]
TEMPLATE = """
schema = "aibom-profile/1"
id = "mine"
version = "1"
title = "Mine"
audience = "me"
summary = "Mine."
group_mode = "{mode}"
[source]
citation = "me"
edition = "1"
date = "2026-01-01"
status = "draft"
confidence = "primary"
{groups}
[[check]]
id = "M-1"
{group}
text = "A thing is there"
clause = "1"
clause_confidence = "primary"
level = "{level}"
evidence = {evidence}
min_state = "{state}"
decide = "{decide}"
actor = "{actor}"
ask = "Where is it?"
satisfy = "Add it."
{more}
"""


def profile(**changes: str) -> Profile:
    return parse_profile(text(**changes).encode(), "mine.toml")


def text(**changes: str) -> str:
    values = {
        "mode": "cumulative", "groups": "", "group": "", "level": "required", "evidence": '[["docs/usage"]]',
        "state": "pinned", "decide": "auto", "actor": "producer", "more": "",
    }  # fmt: skip
    return TEMPLATE.format(**{**values, **changes})


def judged(path: Path, chosen: Profile, edit: Callable[[Json], None] | None = None, **context: str) -> Report:
    release = sign_release(make_release(path), edit=edit)
    return verify_signed(release, key_policy(**context), profiles=(chosen,))  # type: ignore[arg-type]


def verdict_of(report: Report) -> CheckVerdict:
    return report.profiles[0].checks[0].verdict


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "any"}, "group_mode"),
        ({"level": "must"}, "level"),
        ({"level": "recommended"}, "at least one required"),
        ({"evidence": "[]"}, "empty"),
        ({"evidence": "[[]]"}, "empty"),
        ({"evidence": '[["docs/nothing"]]'}, "vocabulary"),
        ({"state": "absent"}, "min_state"),
        ({"decide": "coin"}, "decide"),
        ({"actor": "me"}, "actor"),
        ({"group": 'group = "g"'}, "unknown group"),
        ({"more": "applies_when = 1"}, "unknown key"),
        ({"more": "applies = {weather = ['sun']}"}, "conditions may name"),
        ({"more": "waive = {distribution = ['hosted']}"}, "not empty"),
        ({"more": "waive = {reason = 'x'}"}, "condition and a reason"),
        ({"more": "applies = {role = []}"}, "at least one value"),
    ],
)
def test_misspelt_and_empty_profiles_are_errors(changes: dict[str, str], words: str) -> None:
    profile()
    with pytest.raises(InputError) as caught:
        profile(**changes)
    assert words in f"{caught.value.where}: {caught.value.message}"


def test_no_check_and_two_equal_checks_are_errors() -> None:
    whole = text()
    head, _, check = whole.partition("[[check]]")
    with pytest.raises(InputError, match="lacks check"):
        parse_profile(head.encode(), "x")
    with pytest.raises(InputError, match="twice"):
        parse_profile(f"{whole}\n[[check]]{check}".encode(), "x")


def test_pass_with_a_file_as_signed(tmp_path: Path) -> None:
    report = judged(tmp_path / "r", profile())
    result = report.profiles[0].checks[0]
    assert result.verdict is CheckVerdict.PASS
    assert result.evidence[0].where == "docs/usage.md"
    assert result.assurance == "verified by tool"
    assert (report.profiles[0].verdict, report.verdict) == (ProfileVerdict.EVIDENCED, Verdict.ACCEPTED)


def test_missing_makes_incomplete_and_says_what_and_why(tmp_path: Path) -> None:
    report = judged(tmp_path / "r", profile(evidence='[["docs/risk-assessment"]]'))
    assert verdict_of(report) is CheckVerdict.MISSING
    assert "not found" in report.profiles[0].checks[0].reason
    assert report.verdict is Verdict.INCOMPLETE


def test_missing_is_only_a_remark_where_it_is_not_required(tmp_path: Path) -> None:
    two = text() + text(evidence='[["docs/risk-assessment"]]', level="recommended").partition("[source]")[2].partition(
        "[[check]]"
    )[2].replace("M-1", "M-2").join(["[[check]]", ""])
    report = judged(tmp_path / "r", parse_profile(two.encode(), "x"))
    assert [c.verdict for c in report.profiles[0].checks] == [CheckVerdict.PASS, CheckVerdict.MISSING]
    assert report.verdict is Verdict.ACCEPTED


def test_evidence_is_all_of_any_of(tmp_path: Path) -> None:
    either = profile(evidence='[["docs/risk-assessment", "docs/usage"]]')
    both = profile(evidence='[["docs/risk-assessment"], ["docs/usage"]]')
    assert verdict_of(judged(tmp_path / "a", either)) is CheckVerdict.PASS
    assert verdict_of(judged(tmp_path / "b", both)) is CheckVerdict.MISSING


def test_a_declaration_is_less_than_a_file(tmp_path: Path) -> None:
    report = judged(tmp_path / "r", profile(evidence='[["model.task"]]'))
    assert verdict_of(report) is CheckVerdict.MISSING
    assert "only declared; needed at least pinned" in report.profiles[0].checks[0].reason
    assert (
        verdict_of(judged(tmp_path / "s", profile(evidence='[["model.task"]]', state="declared"))) is CheckVerdict.PASS
    )


def test_what_a_person_must_judge_is_never_a_pass(tmp_path: Path) -> None:
    for n, decide in enumerate(("human", "partial")):
        report = judged(tmp_path / str(n), profile(decide=decide))
        assert verdict_of(report) is CheckVerdict.REVIEW
        assert report.verdict is Verdict.INCOMPLETE


def test_what_only_the_buyer_can_show_is_for_the_buyer(tmp_path: Path) -> None:
    report = judged(tmp_path / "r", profile(decide="human", actor="consumer", evidence='[["docs/contract-terms"]]'))
    assert verdict_of(report) is CheckVerdict.REVIEW
    assert "for you to confirm" in report.profiles[0].checks[0].reason


def test_a_waiver_says_why(tmp_path: Path) -> None:
    waived = profile(
        evidence='[["docs/risk-assessment"]]', more="waive = {distribution = ['hosted'], reason = 'nothing to hold'}"
    )
    assert verdict_of(judged(tmp_path / "a", waived)) is CheckVerdict.MISSING
    report = judged(tmp_path / "b", waived, distribution="hosted")
    assert verdict_of(report) is CheckVerdict.NOT_APPLICABLE
    assert "nothing to hold" in report.profiles[0].checks[0].reason


def test_when_nothing_required_applies_the_profile_is_informative(tmp_path: Path) -> None:
    report = judged(tmp_path / "r", profile(more="applies = {role = ['integrator']}"))
    assert verdict_of(report) is CheckVerdict.NOT_APPLICABLE
    assert "here: acquirer" in report.profiles[0].checks[0].reason
    # Of what was asked, nothing was checked: that is never accepted.
    assert (report.profiles[0].verdict, report.verdict) == (ProfileVerdict.INFORMATIVE, Verdict.INCOMPLETE)


def test_a_condition_that_cannot_be_decided_holds(tmp_path: Path) -> None:
    def forget(document: Json) -> None:
        del document["components"][0]["modelCard"]

    only_language = profile(evidence='[["docs/risk-assessment"]]', more="applies = {model = ['language-model']}")
    assert verdict_of(judged(tmp_path / "a", only_language, forget)) is CheckVerdict.MISSING

    def image(document: Json) -> None:
        document["components"][0]["modelCard"] = {"modelParameters": {"task": "image-classification"}}

    assert verdict_of(judged(tmp_path / "b", only_language, image)) is CheckVerdict.NOT_APPLICABLE
    # The publisher's word does not switch off the buyer's check when the buyer knows better.
    assert verdict_of(judged(tmp_path / "c", only_language, image, model="language-model")) is CheckVerdict.MISSING


def add_property(document: Json, name: str, value: str) -> None:
    document["metadata"]["component"].setdefault("properties", []).append({"name": name, "value": value})


def test_withheld_and_unknown_are_told_apart_and_neither_passes(tmp_path: Path) -> None:
    chosen = profile(evidence='[["docs/risk-assessment"]]')
    withheld = judged(
        tmp_path / "a", chosen, lambda d: add_property(d, "aibom:withheld", "docs/risk-assessment: confidential")
    )
    unknown = judged(tmp_path / "b", chosen, lambda d: add_property(d, "aibom:unknown", "docs/risk-assessment"))
    assert "withheld by the publisher" in withheld.profiles[0].checks[0].reason
    assert "stated as unknown" in unknown.profiles[0].checks[0].reason
    assert verdict_of(withheld) is verdict_of(unknown) is CheckVerdict.MISSING


def test_an_explicit_unknown_passes_only_where_the_source_allows_it(tmp_path: Path) -> None:
    strict = profile(evidence='[["comp.producer"]]', state="declared")
    lenient = profile(evidence='[["comp.producer"]]', state="declared", more="unknown_ok = true")
    assert verdict_of(judged(tmp_path / "a", strict)) is CheckVerdict.MISSING
    assert verdict_of(judged(tmp_path / "b", lenient)) is CheckVerdict.PASS

    def say_nothing(document: Json) -> None:
        document["components"][0]["properties"] = []

    report = judged(tmp_path / "c", lenient, say_nothing)
    assert verdict_of(report) is CheckVerdict.MISSING
    assert "tiny-teller" in report.profiles[0].checks[0].reason


def test_a_digest_that_is_not_approved_contradicts(tmp_path: Path) -> None:
    def md5(document: Json) -> None:
        document["components"][0]["components"][0]["hashes"].append({"alg": "MD5", "content": "0" * 32})

    report = judged(tmp_path / "r", profile(evidence='[["comp.hash_alg"]]', state="declared"), md5)
    assert verdict_of(report) is CheckVerdict.CONTRADICTED
    assert report.verdict is Verdict.REJECTED


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("mit", CheckVerdict.PASS),
        ("cc-by-nc-4.0", CheckVerdict.CONTRADICTED),
        ("llama3.1", CheckVerdict.MISSING),
        ("unknown", CheckVerdict.MISSING),
    ],
)
def test_open_source_licences(tmp_path: Path, licence: str, expected: CheckVerdict) -> None:
    release = make_release(tmp_path / "r")
    (release / "LICENSE").unlink()
    card = (release / "README.md").read_text().replace("license: mit", f"license: {licence}")
    put(release / "README.md", card)
    chosen = profile(evidence='[["verify.licences"]]', state="verified")
    report = verify_signed(sign_release(release), profiles=(chosen,))
    assert verdict_of(report) is expected


def test_without_a_bom_everything_is_missing(tmp_path: Path, signed: Path) -> None:
    (signed / "aibom.cdx.json").unlink()
    (signed / "attestations" / "bom.sigstore.json").unlink()
    report = verify_signed(signed, profiles=(profile(),))
    assert verdict_of(report) is CheckVerdict.MISSING


# The profiles that are shipped.


def test_the_shipped_profiles() -> None:
    assert profile_ids() == ("cisa-sbom-2026", "outcome-components", "us-federal-acquisition")
    loaded = {name: load_profile(name) for name in profile_ids()}
    assert [group.id for group in loaded["outcome-components"].groups] == ["osaid", "production", "benchmark", "wmdp"]
    counts = {name: len(found.checks) for name, found in loaded.items()}
    assert counts == {"cisa-sbom-2026": 22, "outcome-components": 21, "us-federal-acquisition": 8}


@pytest.mark.parametrize("name", ["cisa-sbom-2026", "outcome-components", "us-federal-acquisition"])
def test_every_evidence_of_a_shipped_profile_can_be_looked_for(name: str) -> None:
    asked = {item for check in load_profile(name).checks for group in check.evidence for item in group}
    assert {item for item in asked if not is_supported(item)} == set()


def test_every_fact_that_we_look_for_is_in_the_vocabulary() -> None:
    assert set(FACTS) <= set(load_vocabulary().titles)


def check_results(report: Report) -> dict[str, CheckVerdict]:
    return {result.check.id: result.verdict for profile in report.profiles for result in profile.checks}


@pytest.mark.parametrize("outcome", ["osaid", "production", "benchmark", "wmdp"])
def test_each_outcome_chooses_its_checks(signed: Path, outcome: str) -> None:
    report = verify_signed(signed, key_policy(profiles=("outcome-components",), outcome=outcome))
    results = check_results(report)
    assert results
    assert all(identifier.startswith(f"OUT-{outcome}.") for identifier in results)


def test_production_on_the_example(tmp_path: Path) -> None:
    release = sign_release(make_release(tmp_path / "r", "harmless"))
    report = verify_signed(release, key_policy(profiles=("outcome-components",), outcome="production"))
    assert check_results(report) == {
        "OUT-production.1": CheckVerdict.PASS,
        "OUT-production.2": CheckVerdict.PASS,
        "OUT-production.3": CheckVerdict.PASS,
        "OUT-production.4": CheckVerdict.MISSING,
        "OUT-production.5": CheckVerdict.MISSING,
    }
    assert report.verdict is Verdict.INCOMPLETE
    put(release / "docs" / "usage.md", "# Usage\n")
    put(release / "docs" / "impact-assessment.md", "# Impact assessment\n")
    again = verify_signed(sign_release(release), key_policy(profiles=("outcome-components",), outcome="production"))
    assert check_results(again)["OUT-production.4"] is CheckVerdict.PASS
    assert check_results(again)["OUT-production.5"] is CheckVerdict.REVIEW
    assert again.verdict is Verdict.INCOMPLETE


def test_hosted_access_needs_no_weights(signed: Path) -> None:
    policy = key_policy(profiles=("outcome-components",), outcome="wmdp", distribution="hosted")
    assert check_results(verify_signed(signed, policy))["OUT-wmdp.2"] is CheckVerdict.NOT_APPLICABLE


def test_a_profile_that_needs_an_outcome_says_which_there_are(signed: Path) -> None:
    with pytest.raises(UsageError) as caught:
        verify_signed(signed, key_policy(profiles=("outcome-components",)))
    assert "production" in caught.value.hint


FOUR_DOCUMENTS = {
    "USG-llm.1": "USE_POLICY.md",
    "USG-llm.2": "README.md",
    "USG-llm.3": "docs/user-guide.md",
    "USG-llm.4": "FEEDBACK.md",
}


def test_the_four_documents_of_the_federal_memo(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    (release / "docs" / "usage.md").unlink()
    policy = key_policy(profiles=("us-federal-acquisition",))
    before = check_results(verify_signed(sign_release(release), policy))
    wanted = {i: CheckVerdict.PASS if i == "USG-llm.2" else CheckVerdict.MISSING for i in FOUR_DOCUMENTS}
    assert {i: before[i] for i in FOUR_DOCUMENTS} == wanted
    for name in FOUR_DOCUMENTS.values():
        if not (release / name).exists():
            put(release / name, "# A document\n")
    after = check_results(verify_signed(sign_release(release), policy))
    assert {after[i] for i in FOUR_DOCUMENTS} == {CheckVerdict.PASS}
    assert after["USG-llm.5"] is CheckVerdict.NOT_APPLICABLE
    assert after["USG-llm.7"] is CheckVerdict.REVIEW


def test_the_federal_profile_is_about_language_models(tmp_path: Path) -> None:
    release = sign_release(make_release(tmp_path / "r", "harmless"))
    report = verify_signed(release, key_policy(profiles=("us-federal-acquisition",)))
    assert set(check_results(report).values()) == {CheckVerdict.NOT_APPLICABLE}
    assert report.profiles[0].verdict is ProfileVerdict.INFORMATIVE


def complete(document: Json) -> None:
    """What a publisher of this version must add by hand to satisfy the CISA elements."""
    document["metadata"]["authors"] = [{"name": "Example Lab"}]
    for component in document["components"]:
        if "purl" not in component and component["type"] != "file":
            component["purl"] = "pkg:generic/x"


def test_the_cisa_elements_and_each_one_missing(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    policy = key_policy(profiles=("cisa-sbom-2026",))
    results = check_results(verify_signed(sign_release(release, edit=complete), policy))
    decided = {i for i, v in results.items() if v is CheckVerdict.PASS}
    assert decided == {
        *(f"CISA26-M{n}" for n in range(1, 10)),
        *(f"CISA26-C{n}" for n in range(1, 9)),
        "CISA26-P2",
        "CISA26-P3",
    }
    bom = json.loads(build_bom_bytes(release))
    complete(bom)
    for identifier, edit in CISA_BREAKS.items():
        document = json.loads(json.dumps(bom))
        edit(document)
        report = verify_signed(sign_release(release, bom=json.dumps(document).encode()), policy)
        assert check_results(report)[identifier] is not CheckVerdict.PASS, identifier
    assert decided - set(CISA_BREAKS) == {"CISA26-M2", "CISA26-M3", "CISA26-M4", "CISA26-C7"}  # see below


# M2 (signature), M3 and M4 (format) and C7 (names, which the schema demands) cannot be taken out of a BOM that is still
# a signed CycloneDX document: without them there is nothing that a profile could judge.
def _each(document: Json, key: str) -> object:
    for component in [document["metadata"]["component"], *document["components"]]:
        component.pop(key, None)
        component["properties"] = [p for p in component.get("properties", []) if p["name"] != "aibom:unknown"]
    return document


def _no_tree_digest(document: Json) -> None:
    root = document["metadata"]["component"]
    root["properties"] = [p for p in root["properties"] if p["name"] != "aibom:tree-digest"]
    root.pop("version", None)


CISA_BREAKS: dict[str, Callable[[Json], object]] = {
    "CISA26-M1": lambda d: d["metadata"].pop("authors"),
    "CISA26-M5": lambda d: d["metadata"].pop("lifecycles"),
    "CISA26-M6": lambda d: d["metadata"].pop("timestamp"),
    "CISA26-M7": lambda d: d["metadata"].pop("tools"),
    "CISA26-M8": lambda d: d["metadata"]["tools"]["components"][0].pop("version"),
    "CISA26-M9": lambda d: d.pop("version"),
    "CISA26-C1": lambda d: _each(d, "manufacturer"),
    "CISA26-C2": lambda d: d.pop("dependencies"),
    "CISA26-C3": lambda d: _each(d, "hashes"),
    "CISA26-C4": lambda d: d["components"][0]["components"][0]["hashes"].append({"alg": "SHA-1", "content": "0" * 40}),
    "CISA26-C5": lambda d: _each(d, "purl"),
    "CISA26-C6": lambda d: _each(d, "licenses"),
    "CISA26-C8": lambda d: _each(d, "version"),
    "CISA26-P2": lambda d: [
        _each(d, "x"),
        [c.pop("properties", 0) for m in d["components"] for c in m.get("components", [])],
    ],
    "CISA26-P3": _no_tree_digest,
}
