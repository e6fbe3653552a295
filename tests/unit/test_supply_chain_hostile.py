"""Recorded steps as an adversary would write them, and as in-toto would trip over or take: refused, or undecided."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from securesystemslib.formats import encode_canonical

from aibom.core.verdict import Verdict
from tests.factory import key_policy, make_key, rules_of, verify_signed
from tests.recorded_steps import (
    PLAN,
    WEIGHTS,
    Chain,
    Json,
    chain_of,
    digest,
    incomplete,
    key_id,
    owner_policy,
    payload_of,
    refused,
    sign_payload,
    undecided,
)


@pytest.fixture
def chain(tmp_path: Path, session_folder: Path) -> Chain:
    return chain_of(tmp_path / "made", session_folder)


# Two Ed25519 keys whose ids begin alike: SHA-256 of these.
ALIKE = (b"12124", b"51655")


def _deep(chain: Chain) -> None:
    chain.link("train").write_bytes(sign_payload(b'{"_type":"link","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 2))


def _deep_envelope(chain: Chain) -> None:
    chain.link("train").write_bytes(b'{"payload": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def _envelope_field_twice(chain: Chain) -> None:
    """One payload for us, another for a reader who takes the last."""
    text = chain.link("train").read_text()
    chain.link("train").write_text(text.replace('"payload"', '"payload": "e30=", "payload"', 1))


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


def _code_in_words(chain: Chain) -> None:
    document = payload_of(chain.link("train"))
    document["byproducts"]["return-value"] = "1"
    chain.link("train").write_bytes(sign_payload(document, 2))


def _statement(chain: Chain) -> None:
    document = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://in-toto.io/attestation/link/v0.3"}
    chain.link("train").write_bytes(sign_payload(document, 2))


def _signed_twice_by_one(chain: Chain) -> None:
    chain.link("train").write_bytes(sign_payload(payload_of(chain.link("train")), 2, 2))


def _unsigned(chain: Chain) -> None:
    chain.link("train").write_bytes(sign_payload(payload_of(chain.link("train"))))


def _linked_away(chain: Chain) -> None:
    chain.link("train").rename(chain.release.parent / "elsewhere.link")
    chain.link("train").symlink_to(chain.release.parent / "elsewhere.link")


def _fifo(chain: Chain) -> None:
    os.mkfifo(chain.attestations / "train.00000000.link")


def _junk(chain: Chain) -> None:
    (chain.attestations / "tool.link").write_bytes(b"#!/bin/sh\necho hidden\n")


HOSTILE: dict[str, tuple[Callable[[Chain], None], str]] = {
    "deep": (_deep, "levels deep"),
    "deep envelope": (_deep_envelope, "levels deep"),
    "envelope field twice": (_envelope_field_twice, "appears twice"),
    "huge": (_huge, "larger than"),
    "twice": (_twice, "appears twice"),
    "escaping": (_escaping, "'..' part"),
    "code in words": (_code_in_words, "whole number"),
    "statement": (_statement, "neither an in-toto link nor a layout"),
    "signed twice by one": (_signed_twice_by_one, "two signatures by one key"),
    "unsigned": (_unsigned, "expected 1 to"),
    "linked away": (_linked_away, "symbolic links"),
    "fifo": (_fifo, "not a regular file"),
    "junk": (_junk, "not JSON"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_metadata(chain: Chain, name: str) -> None:
    write, words = HOSTILE[name]
    write(chain.write())
    refused(chain.verify(owner_policy()), "supply-chain.malformed", words)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_metadata_behind_which_nobody_stands(chain: Chain, name: str) -> None:
    """Anybody can put links there: none is parsed; what cannot even be JSON is refused."""
    write, words = HOSTILE[name]
    write(chain.write())
    report = chain.verify(key_policy())
    if name in {"huge", "linked away", "fifo", "junk"}:
        if name != "linked away":
            refused(report, "supply-chain.malformed", words)
        assert report.verdict is Verdict.REJECTED
        return
    assert report.verdict is Verdict.ACCEPTED
    assert report.supply_chain is not None
    assert report.supply_chain.outcome == "not checked"


def test_links_that_no_layout_asks_for_are_not_parsed(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    chain.write()
    chain.layout.unlink()
    monkeypatch.setattr("verify.chain_files.parse_link", lambda *_: pytest.fail("parsed"))
    assert chain.verify(key_policy()).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("which", ["link", "layout"])
def test_the_form_before_dsse_is_not_read_and_nothing_is_known(chain: Chain, which: str) -> None:
    path = chain.layout if which == "layout" else chain.link("train")
    chain.write()
    path.write_bytes(json.dumps({"signatures": [], "signed": payload_of(path)}).encode())
    undecided(chain.verify(), "supply-chain.older-form", "not read", "attestations/")


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
    key = layout["keys"][key_id(6)]
    form = {name: key[name] for name in ("keytype", "scheme", "keyval")} | {
        "keyid_hash_algorithms": ["sha256", "sha512"]
    }
    alias = hashlib.sha256(encode_canonical(form).encode()).hexdigest()  # type: ignore[union-attr]
    layout["keys"][alias] = key | {"keyid": alias}
    layout["steps"][3]["pubkeys"].append(alias)
    layout["steps"][3]["threshold"] = 2


def _same_beginning(layout: Json) -> None:
    for number in ALIKE:
        public = {"public": hashlib.sha256(number).hexdigest()}
        form = {"keytype": "ed25519", "scheme": "ed25519", "keyval": public}
        name = hashlib.sha256(encode_canonical(form).encode()).hexdigest()  # type: ignore[union-attr]
        layout["keys"][name] = form | {"keyid": name}


def _other_id(layout: Json) -> None:
    """Somebody's key under somebody else's id: whoever reads the layout is told another name than counts."""
    layout["keys"][key_id(7)] = layout["keys"][key_id(6)] | {"keyid": key_id(7)}


def _same_key_listed_twice(layout: Json) -> None:
    layout["steps"][3].update(pubkeys=[key_id(6), key_id(6)], threshold=2)


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
    "other id": (_other_id, "another id than it is given"),
    "same key listed twice": (_same_key_listed_twice, "names a key twice"),
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
    undecided(chain.verify(), "supply-chain.too-many", "too many files and rules")


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
