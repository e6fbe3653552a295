"""Defects that a hostile reading found: timestamps, recorded steps, certificate names, lists of referrers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from aibom.core.errors import SourceError
from aibom.core.finding import Outcome
from aibom.core.verdict import Verdict
from aibom.registry.referrers import next_page
from attest import certificate_chain
from attest.certificate_chain import build_chain
from attest.certificates import names_of
from tests.authority import Certified, InProcessStamper, make_pki, make_root
from tests.factory import rules_of, sign_release
from tests.recorded_steps import QUANTISED, WEIGHTS, Chain, chain_of
from verify.timestamp import TimestampAuthority, verify_timestamps

NOW = datetime.now(UTC)


@pytest.fixture
def chain(tmp_path: Path, session_folder: Path) -> Chain:
    return chain_of(tmp_path / "release", session_folder)


def test_an_unsigned_certificate_of_another_version_in_a_timestamp_is_no_crash() -> None:
    stamper = InProcessStamper.at(lambda: NOW)
    authorities = [TimestampAuthority(authorities=stamper.roots)]
    whole = stamper.stamp(b"signature").response
    assert not verify_timestamps([whole], b"signature", authorities).problem
    response = tsp.TimeStampResp.load(whole)
    signed = response["time_stamp_token"]["content"]
    other = make_pki().signer.certificate.public_bytes(Encoding.DER)
    version = other.index(bytes.fromhex("a003020102")) + 4
    odd = other[:version] + b"\x05" + other[version + 1 :]
    ders = [*(choice.chosen.dump() for choice in signed["certificates"]), odd]
    signed["certificates"] = [cms.CertificateChoices({"certificate": asn1_x509.Certificate.load(d)}) for d in ders]
    verify_timestamps([response.dump(force=True)], b"signature", authorities)


@pytest.mark.parametrize("name", ["weights.dat", "model.params"])
def test_steps_that_made_nothing_of_a_release_are_not_verified(chain: Chain, name: str) -> None:
    chain.write()
    assert chain.verify().verdict is Verdict.ACCEPTED
    for weights in (WEIGHTS, QUANTISED):
        (chain.release / weights).unlink()
    (chain.release / name).write_bytes(bytes(range(256)) * 20)
    sign_release(chain.release)
    report = chain.verify()
    assert report.verdict is Verdict.INCOMPLETE
    assert report.supply_chain is not None
    assert report.supply_chain.outcome == "incomplete"
    assert any(f.rule == "supply-chain.unaccounted" and f.outcome is Outcome.MISSING for f in report.findings)


def test_files_that_no_step_made_are_said(chain: Chain) -> None:
    (chain.write().release / "weights.dat").write_bytes(bytes(range(256)) * 20)
    sign_release(chain.release)
    assert "how weights.dat" in " ".join(chain.verify().not_checked)


@pytest.mark.parametrize(
    "rule",
    [
        ["MATCH", "*", "IN", "w", "WITH", "PRODUCTS", "IN", "out", "FROM", "train"],
        ["MATCH", "*", "WITH", "PRODUCTS", "IN", "out", "FROM", "train"],
    ],
)
def test_a_step_connected_under_a_prefix_has_to_take_something(chain: Chain, rule: list[str]) -> None:
    def connect(layout: dict[str, Any]) -> None:
        (step,) = (step for step in layout["steps"] if step["name"] == "evaluate")
        step["expected_materials"] = [rule, ["DISALLOW", "*"]]

    chain.bend("evaluate", materials={})
    chain.write()
    chain.edit_layout(connect)
    assert "supply-chain.not-taken" in rules_of(chain.verify())


@pytest.mark.parametrize("name", [x509.DNSName("CN=Release"), x509.RFC822Name("CN=a@b")])
def test_no_dns_name_or_address_passes_for_a_subject(name: x509.GeneralName) -> None:
    assert names_of(make_pki(names=(name,)).signer.certificate) == ()


@pytest.mark.parametrize("following", ["http://[", "http://a:99999/", "http://127.0.0.1:x/"])
def test_a_next_page_that_is_no_address_is_no_crash(following: str) -> None:
    with pytest.raises(SourceError):
        next_page("http://127.0.0.1:5000/v2/x/referrers/y", following, "here")


def test_a_chain_with_keys_that_take_long_to_check_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    pki = make_pki()
    huge = rsa.RSAPublicNumbers(65537, (1 << 16383) | 1).public_key()
    heavy = pki.root.issue("Heavy CA", is_authority=True)
    monkeypatch.setattr(certificate_chain, "_path", lambda *_: pytest.fail("tried"))
    costly = _with_key(heavy, huge)
    found = build_chain(pki.signer.certificate, [pki.issuing.certificate, costly], pki.authorities, NOW)
    assert "8192 bits" in found.problem


def test_certificates_that_issue_one_another_are_not_followed_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time at which one of them begins was a new search."""
    calls = []

    def search(*_: object) -> str:
        calls.append(1)
        return "not tried"

    leaf, cluster = _cluster(9)
    monkeypatch.setattr(certificate_chain, "_path", search)
    assert build_chain(leaf, cluster, make_pki().authorities, NOW).unknown_issuer == "CN=Ring CA"
    assert len(calls) == 1


def test_long_names_and_patterns_count_for_what_they_cost(chain: Chain) -> None:
    def slow(layout: dict[str, Any]) -> None:
        for step in layout["steps"]:
            step["expected_products"] = [["ALLOW", f"*{'a' * 200}{number}*b"] for number in range(90)]

    names = {f"data/{'a' * 900}{number}": "0" * 64 for number in range(1500)}
    chain.bend("preprocess", products={**chain.steps["preprocess"].products, **names})
    chain.write()
    chain.edit_layout(slow)
    assert "supply-chain.too-many" in rules_of(chain.verify())


def _with_key(issued: Certified, key: rsa.RSAPublicKey) -> x509.Certificate:
    signer = make_root().key
    builder = x509.CertificateBuilder(
        issuer_name=issued.certificate.issuer, subject_name=issued.certificate.subject, public_key=key,
        serial_number=7, not_valid_before=NOW - timedelta(1), not_valid_after=NOW + timedelta(1),
    )  # fmt: skip
    return builder.sign(signer, hashes.SHA256())


def _cluster(size: int) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """Authorities that all issued one another, and a leaf below them; none leads to a root."""

    def made() -> Iterator[x509.Certificate]:
        one = make_root("Ring CA", 50)
        for number in range(size):
            begin = NOW - timedelta(hours=size - number)
            yield one.issue("Ring CA", 50, is_authority=True, names=(), usages=(), start=begin).certificate

    leaf = make_root("Ring CA", 50).issue(number=51).certificate
    return leaf, list(made())
