"""in-toto's own tools and ours, both ways: it accepts our chains, we read its links and layouts; where we part, why."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from in_toto.exceptions import LayoutExpiredError, RuleVerificationError  # type: ignore[import-untyped]
from in_toto.models.layout import Layout, Step  # type: ignore[import-untyped]
from in_toto.models.metadata import Envelope, Metadata  # type: ignore[import-untyped]
from in_toto.runlib import in_toto_record_start, in_toto_record_stop, in_toto_run  # type: ignore[import-untyped]
from in_toto.verifylib import in_toto_verify  # type: ignore[import-untyped]
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from aibom.core.verdict import Verdict
from attest.step_metadata import link_file_name
from tests.factory import make_key, rules_of, sign_release
from tests.recorded_steps import DOES, OWNER, WEIGHTS, Chain, Json, chain_of, digest, key_id, public

# A library that in-toto uses has renamed a class.
pytestmark = pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")


@pytest.fixture
def chain(tmp_path: Path, session_folder: Path) -> Chain:
    return chain_of(tmp_path / "made", session_folder)


@pytest.fixture
def inside(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Chain:
    """in-toto records the files below the folder where it is run, and writes its links there."""
    monkeypatch.chdir(chain.release)
    return chain.write()


def theirs(number: int) -> CryptoSigner:
    return CryptoSigner(make_key("p256", number))


def raw_key(number: int) -> dict[str, Any]:
    key = SSlibKey.from_crypto(public(number).key)
    return {**key.to_dict(), "keyid": key.keyid}


def their_verdict(chain: Chain) -> None:
    """What `in-toto-verify` does; raises what it finds."""
    layout = Metadata.load(str(chain.layout))
    in_toto_verify(layout, {key_id(OWNER): raw_key(OWNER)}, link_dir_path=str(chain.attestations))


def test_it_accepts_our_chain(inside: Chain) -> None:
    their_verdict(inside)
    assert inside.verify().verdict is Verdict.ACCEPTED


def test_both_refuse_weights_that_were_not_trained(inside: Chain) -> None:
    inside.bend("evaluate", materials=dict(inside.steps["evaluate"].materials) | {WEIGHTS: digest("others")})
    inside.write()
    with pytest.raises(RuleVerificationError):
        their_verdict(inside)
    assert rules_of(inside.verify()) == {"supply-chain.other-artifact"}


def test_both_refuse_an_expired_layout(inside: Chain) -> None:
    inside.expires = inside.expires.replace(year=2020)
    inside.write()
    with pytest.raises(LayoutExpiredError):
        their_verdict(inside)
    assert rules_of(inside.verify()) == {"supply-chain.expired"}


def test_it_accepts_what_we_do_not(inside: Chain) -> None:
    """Two that disagree where one is enough, and weights that are not those that the steps made."""
    inside.bend("evaluate", products={"eval/scores.json": digest("better")})
    inside.write_link("evaluate", 7)
    their_verdict(inside)
    assert rules_of(inside.verify()) == {"supply-chain.disagree"}
    inside.link("evaluate", 7).unlink()
    (inside.release / WEIGHTS).write_bytes((inside.release / "model.int8.safetensors").read_bytes())
    sign_release(inside.release)
    their_verdict(inside)
    assert rules_of(inside.verify()) == {"supply-chain.other-files"}


def _run(chain: Chain, step: str, *, dsse: bool = True) -> None:
    recorded = chain.steps[step]
    chain.link(step).unlink()
    in_toto_run(
        step,
        [name for name in recorded.materials if Path(name).exists()],
        [name for name in recorded.products if Path(name).exists()],
        ["true"],
        record_streams=True,
        record_environment=True,
        metadata_directory=str(chain.attestations),
        use_dsse=dsse,
        signer=theirs(DOES[step]),
    )


def test_we_read_the_links_that_in_toto_run_writes(inside: Chain) -> None:
    for step in ("train", "quantise"):
        _run(inside, step)
    report = inside.verify()
    assert report.verdict is Verdict.ACCEPTED
    assert report.supply_chain is not None
    assert report.supply_chain.outcome == "verified"
    assert rules_of(report) == {"supply-chain.other-command"}  # `true` is not what the layout says for the training
    their_verdict(inside)


def test_we_read_the_links_that_in_toto_record_writes(inside: Chain) -> None:
    key = theirs(DOES["quantise"])
    inside.link("quantise").unlink()
    in_toto_record_start("quantise", [WEIGHTS], use_dsse=True, signer=key)
    in_toto_record_stop("quantise", ["model.int8.safetensors"], metadata_directory=str(inside.attestations), signer=key)
    assert inside.link("quantise").is_file()
    assert inside.verify().verdict is Verdict.ACCEPTED


def test_what_in_toto_run_writes_unless_told_otherwise_is_undecided(inside: Chain) -> None:
    _run(inside, "quantise", dsse=False)
    assert set(json.loads(inside.link("quantise").read_bytes())) == {"signatures", "signed"}
    report = inside.verify()
    assert (report.verdict, rules_of(report)) == (Verdict.UNDECIDED, {"supply-chain.older-form"})


def _their_layout(**keys: dict[str, Any]) -> Layout:
    """Written with the library's own words: lower-case rules, an empty list of rules, a command as text."""
    train = Step(name="train", pubkeys=[key_id(DOES["train"])])
    train.set_expected_command_from_string("python train.py")
    train.add_product_rule_from_string(f"create {WEIGHTS}")
    evaluate = Step(name="evaluate", pubkeys=[key_id(DOES["evaluate"])])
    evaluate.add_material_rule_from_string(f"match {WEIGHTS} with products from train")
    layout = Layout(steps=[train, evaluate], keys=keys, readme="")
    layout.set_relative_expiration(months=6)
    return layout


def _write_theirs(chain: Chain, layout: Layout, number: int = OWNER) -> None:
    envelope = Envelope.from_signable(layout)
    envelope.create_signature(theirs(number))
    envelope.dump(str(chain.layout))


def test_we_read_the_layouts_that_its_library_writes(inside: Chain) -> None:
    keys = {key_id(DOES[step]): raw_key(DOES[step]) for step in ("train", "evaluate")}
    _write_theirs(inside, _their_layout(**keys))
    their_verdict(inside)
    report = inside.verify()
    assert report.supply_chain is not None
    assert [step.name for step in report.supply_chain.steps] == ["train", "evaluate"]
    # Nobody recorded for this layout how the quantised weights came to be.
    assert "supply-chain.unaccounted" in rules_of(report)
    (inside.release / "model.int8.safetensors").unlink()
    sign_release(inside.release)
    inside.bend("evaluate", materials={WEIGHTS: inside.steps["evaluate"].materials[WEIGHTS]})
    inside.write_link("evaluate", DOES["evaluate"])
    report = inside.verify()
    assert report.verdict is Verdict.ACCEPTED
    assert rules_of(report) == {"supply-chain.other-link"}


def test_keys_under_the_ids_that_older_tools_give_them(inside: Chain) -> None:
    """They count the algorithms of the id in."""
    key = raw_key(3) | {"keyid_hash_algorithms": ["sha256", "sha512"]}
    form = {name: value for name, value in key.items() if name != "keyid"}
    other = hashlib.sha256(encode_canonical(form).encode()).hexdigest()  # type: ignore[union-attr]

    def rename(layout: Json) -> None:
        del layout["keys"][key_id(3)]
        layout["keys"][other] = key | {"keyid": other}
        layout["steps"][2]["pubkeys"] = [other]

    inside.edit_layout(rename)
    envelope = json.loads(inside.link("quantise").read_bytes())
    envelope["signatures"][0]["keyid"] = other
    inside.link("quantise").rename(inside.attestations / link_file_name("quantise", other))
    (inside.attestations / link_file_name("quantise", other)).write_bytes(json.dumps(envelope).encode())
    assert inside.verify().verdict is Verdict.ACCEPTED
    their_verdict(inside)


def test_the_owner_is_known_by_the_signature_whatever_id_it_stands_under(inside: Chain) -> None:
    envelope = json.loads(inside.layout.read_bytes())
    envelope["signatures"][0]["keyid"] = "0" * 64
    inside.layout.write_bytes(json.dumps(envelope).encode())
    assert inside.verify().verdict is Verdict.ACCEPTED
