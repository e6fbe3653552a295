"""The head of the report: who signed, and when; what is certified and what is signed are not confused."""

import pytest

from aibom.cli.render.signed_by import signed_by
from verify.report import AttestationRecord
from verify.signature import Signer

MODEL = "https://model_signing/signature/v1.0"
WHO = "release@example.com"
MORNING, LATER, TOMORROW = "2026-11-21T11:16:54Z", "2026-11-21T11:17:01Z", "2026-11-22T00:00:00Z"


def said(*signers: Signer) -> str:
    return signed_by(AttestationRecord(path="x", type=MODEL, signer=one, outcome="verified") for one in signers)


def certified(time: str = "", issuer: str = "CN=Acme Root CA,O=Acme Corp") -> Signer:
    return Signer(kind="certificate", identity=WHO, issuer=issuer, time=time)


def test_the_time_is_that_of_signing_and_not_of_certifying() -> None:
    assert said(certified(MORNING)) == f"{WHO}, certified by Acme Root CA (O=Acme Corp); signed 2026-11-21 11:16:54 UTC"
    assert said(certified()) == f"{WHO}, certified by Acme Root CA (O=Acme Corp)"


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("CN=Root CA", "Root CA"),
        (r"CN=Acme\, Inc.,O=X", "Acme, Inc. (O=X)"),
        ("O=Acme Corp,C=DE", "O=Acme Corp,C=DE"),
        ("CN=A,CN=B", "CN=A,CN=B"),
        ("no name at all", "no name at all"),
        ("", ""),
    ],
)
def test_an_authority_is_called_by_its_common_name(issuer: str, words: str) -> None:
    assert said(certified(issuer=issuer)) == f"{WHO}, certified by {words}"


def test_one_person_stands_there_once_with_the_first_and_last_time() -> None:
    one, two, three = (
        Signer(kind="identity", identity=WHO, issuer="https://idp.example", time=time)
        for time in (MORNING, LATER, TOMORROW)
    )
    name = f"{WHO}, vouched for by https://idp.example"
    assert said(one, one) == f"{name}; signed 2026-11-21 11:16:54 UTC"
    assert said(two, one) == f"{name}; signed 2026-11-21 11:16:54 to 11:17:01 UTC"
    assert said(one, three, two) == f"{name}; signed 2026-11-21 11:16:54 to 2026-11-22 00:00:00 UTC"


def test_a_time_that_was_not_checked_is_not_covered_by_one_that_was() -> None:
    assert said(certified(MORNING), certified()).endswith(
        "; signed 2026-11-21 11:16:54 UTC, once at a time that was not checked"
    )


def test_two_signers_are_two() -> None:
    other = Signer(kind="identity", identity=WHO, issuer="https://other.example")
    key = Signer(kind="key", identity="ab" * 32)
    assert said(certified(), other, key) == (
        f"{WHO}, certified by Acme Root CA (O=Acme Corp), and {WHO}, vouched for by https://other.example, "
        "and the key that you gave (abababababababab…)"
    )
    assert said() == "nobody whom you expect"
