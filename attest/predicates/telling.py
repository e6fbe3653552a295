"""What a statement says, in one short line, and whether that is a failure. For predicates that passed their check.

The words are the signer's: bounded here, and made printable by whoever shows them.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

_ITEM, _ITEMS, _LONGEST = 80, 5, 300
_FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Told:
    """What a statement says."""

    text: str
    failed: bool = False
    """Whether it says of itself that something failed."""


Tell = Callable[[Any], Told]


def tell_provenance(predicate: Any) -> Told:
    """Who built it."""
    return _told(f"built by {_short(predicate['runDetails']['builder']['id'])}")


def tell_test_result(predicate: Any) -> Told:
    """The result, with the tests that failed or warned, else those that passed. A named failure is one."""
    result, failed = predicate["result"], predicate.get("failedTests") or []
    if failed and result != _FAILED:
        return _told(f"{result}, yet failed: {_named(failed)}", failed=True)
    lists = {_FAILED: failed, "WARNED": predicate.get("warnedTests"), "PASSED": predicate.get("passedTests")}
    return _told(f"{result}{_in_brackets(lists[result] or [])}", failed=result == _FAILED)


def tell_summary(predicate: Any) -> Told:
    """What a verification came to; by SLSA a level may be the word FAILED too."""
    result, levels = predicate["verificationResult"], predicate["verifiedLevels"]
    text = f"{result}{_in_brackets(levels)}, verified by {_short(predicate['verifier']['id'])}"
    return _told(text, failed=_FAILED in (result, *levels))


def tell_properties(predicate: Any) -> Told:
    """Which properties were verified. The type has no word for a failure, but verifiers borrow SLSA's."""
    properties = predicate["properties"]
    text = f"{_named(properties) or 'no property'}, verified by {_short(predicate['verifier']['id'])}"
    return _told(text, failed=_FAILED in properties)


def tell_scan(predicate: Any) -> Told:
    """What a scanner found."""
    return _found(predicate["scanner"], predicate["scanner"]["result"])


def tell_scan_1(predicate: Any) -> Told:
    """What a scanner found; each result may be in an object of its own, which version 0.2 has no such field for."""
    results = predicate["scanner"]["result"]
    return _found(predicate["scanner"], [item.get("vulnerability", item) for item in results])


def tell_openvex(predicate: Any) -> Told:
    """How many statements of each status."""
    counted = Counter(item["status"] for item in predicate["statements"])
    return _told(", ".join(f"{number} {status}" for status, number in counted.items()))


def tell_attributes(predicate: Any) -> Told:
    """The attributes of SCAI."""
    return _told(_named(item["attribute"] for item in predicate["attributes"]))


def tell_release(predicate: Any) -> Told:
    """The package."""
    return _told(_short(predicate["purl"]))


def tell_reference(predicate: Any) -> Told:
    """Where the documents are."""
    return _told(_named(item["downloadLocation"] for item in predicate["references"]))


def tell_link(predicate: Any) -> Told:
    """The step."""
    return _told(f"the step {_short(predicate['name'])}")


def tell_document(_: Any) -> Told:
    """A document says too much for one line."""
    return _told("a document")


def _found(scanner: Any, results: list[Any]) -> Told:
    found = [item["id"] for item in results]
    return _told(f"{len(found) or 'nothing'} found{_in_brackets(found)} by {_short(scanner['uri'])}")


def _told(text: str, *, failed: bool = False) -> Told:
    return Told(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…", failed)


def _short(text: str) -> str:
    return text if len(text) <= _ITEM else f"{text[:_ITEM]}…"


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _ITEMS} more" if len(listed) > _ITEMS else ""
    return f"{', '.join(map(_short, listed[:_ITEMS]))}{more}"


def _in_brackets(names: Iterable[str]) -> str:
    shown = _named(names)
    return f" ({shown})" if shown else ""
