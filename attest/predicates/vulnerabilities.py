"""Vulnerability reports and statements on what they mean. Sources: in-toto `vulns` v0.1 and v0.2; OpenVEX 0.2.0."""

from typing import Any

from aibom.core.errors import InputError
from attest.predicates.shapes import (
    Check,
    anything,
    both,
    count,
    listing,
    mapping,
    one_of,
    record,
    refuse,
    text,
    timestamp,
    uri,
)

VULNS = "https://in-toto.io/attestation/vulns/v0.2"
VULNS_1 = "https://in-toto.io/attestation/vulns/v0.1"
OPENVEX = "https://openvex.dev/ns"
_JUSTIFICATIONS = (
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
)

_vulnerability: Check = record(
    {"id": text, "severity": listing(record({"method": text, "score": text}))}, {"annotations": anything}
)


def _result(value: Any, where: str) -> None:
    """Version 0.1 describes its results in an object of their own, and shows them without it: both are in use."""
    nested = isinstance(value, dict) and "vulnerability" in value
    _vulnerability(value["vulnerability"] if nested else value, f"{where}.vulnerability" if nested else where)


def _scan(result: Check) -> Check:
    return record(
        {
            "scanner": record(
                {
                    "uri": uri,
                    "db": record({"lastUpdate": timestamp}, {"uri": uri, "version": text}),
                    "result": listing(result),
                },
                {"version": text},
            ),
            "metadata": record({"scanStartedOn": timestamp, "scanFinishedOn": timestamp}),
        }
    )


check_vulns: Check = _scan(_vulnerability)
check_vulns_1: Check = _scan(_result)


def _version(value: Any, where: str) -> None:
    """A whole number; before 0.2.0 it was written as a text."""
    if not isinstance(value, str) or not value.isdecimal():
        count(value, where)


def _named(value: Any, where: str) -> None:
    """The vulnerability: its name, or as before 0.2.0 nothing but the name."""
    if isinstance(value, str):
        text(value, where)
    else:
        record({"name": text}, {"@id": uri, "aliases": listing(text)})(value, where)


def _component(value: Any, where: str) -> None:
    """A product; before 0.2.0 a text."""
    if isinstance(value, str):
        text(value, where)
    else:
        record({}, {"@id": uri, "identifiers": mapping(text), "hashes": mapping(text)})(value, where)


def _reasons(value: Any, where: str) -> None:
    """What each status has to be accompanied by."""
    status = value["status"]
    if status == "not_affected" and not (value.get("justification") or value.get("impact_statement")):
        raise InputError("expected a justification or impact_statement for not_affected, found neither", where=where)
    if status == "affected" and not value.get("action_statement"):
        raise InputError("expected an action_statement for affected, found none", where=where)


def _context(value: Any, where: str) -> None:
    if not isinstance(value, str) or not (value == OPENVEX or value.startswith(f"{OPENVEX}/v")):
        refuse(f"{OPENVEX}, or a version of it", value, where)


check_openvex: Check = record(
    {
        "@context": _context,
        "@id": uri,
        "author": text,
        "timestamp": timestamp,
        "version": _version,
        "statements": listing(
            both(
                record(
                    {
                        "vulnerability": _named,
                        "status": one_of("not_affected", "affected", "fixed", "under_investigation"),
                    },
                    {
                        "products": listing(_component),
                        "timestamp": timestamp,
                        "justification": one_of(*_JUSTIFICATIONS),
                        "impact_statement": text,
                        "action_statement": text,
                    },
                ),
                _reasons,
            ),
            at_least=1,
        ),
    },
    {"role": text, "last_updated": timestamp},
)
