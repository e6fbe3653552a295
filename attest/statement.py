"""The in-toto Statement v1: subjects and a predicate. The bytes received are kept; only a parsed copy is looked at.

Source: in-toto Attestation Framework v1, Statement. A statement without subjects, or with a digest that is not on our
list, does not exist here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.digest import SHA256, parse_digest
from aibom.core.errors import InputError
from aibom.core.strictjson import Json, dump_compact, parse_json_object, type_name

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_MAX_TYPE = 500
MAX_SUBJECTS = 2_000_000
MAX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about: a name and its SHA-256 in hexadecimal."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A parsed statement. `predicate` is raw JSON: what it means depends on `predicate_type`."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]


def statement_bytes(subjects: Iterable[Subject], predicate_type: str, predicate: bytes) -> bytes:
    """Write a statement around a predicate's own JSON bytes, which stay as they are.

    Raises InputError if there is no subject.
    """
    listed = [{"name": subject.name, "digest": {SHA256: subject.sha256}} for subject in subjects]
    if not listed:
        raise InputError("a statement needs at least one subject", where="subject")
    head = dump_compact({"_type": STATEMENT_TYPE, "predicateType": predicate_type, "subject": listed})
    return head[:-1] + b',"predicate":' + predicate.strip() + b"}"


def parse_statement(payload: bytes, where: str) -> Statement:
    """Parse a payload strictly. Raises InputError naming the field at fault."""
    document = parse_json_object(payload, where, max_bytes=MAX_BYTES)
    found = document.get("_type")
    if found != STATEMENT_TYPE:
        raise InputError(
            f"not an in-toto statement: expected {STATEMENT_TYPE}, found {str(found)[:80]!r}", where=f"{where}, _type"
        )
    predicate_type, predicate = document.get("predicateType"), document.get("predicate")
    if not isinstance(predicate_type, str) or not 0 < len(predicate_type) <= _MAX_TYPE:
        raise InputError(
            f"a statement needs a predicate type of at most {_MAX_TYPE} characters", where=f"{where}, predicateType"
        )
    if not isinstance(predicate, dict):
        raise InputError(f"expected an object, found {type_name(predicate)}", where=f"{where}, predicate")
    return Statement(
        subjects=_subjects(document, where),
        predicate_type=predicate_type,
        predicate=predicate,
    )


def _subjects(document: Json, where: str) -> tuple[Subject, ...]:
    listed = document.get("subject")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_SUBJECTS:
        raise InputError("a statement needs a list of subjects that is not empty", where=f"{where}, subject")
    subjects = tuple(_subject(item, f"{where}, subject[{index}]") for index, item in enumerate(listed))
    if len({subject.name for subject in subjects}) != len(subjects):
        raise InputError("two subjects have the same name", where=f"{where}, subject")
    return subjects


def _subject(item: Any, where: str) -> Subject:
    name = item.get("name") if isinstance(item, dict) else None
    digests = item.get("digest") if isinstance(item, dict) else None
    if not isinstance(name, str) or not name or not isinstance(digests, dict):
        raise InputError("a subject needs a name and digests", where=where)
    if SHA256 not in digests:
        raise InputError("a subject needs a sha256 digest", where=f"{where}.digest")
    return Subject(name, parse_digest(SHA256, digests[SHA256], f"{where}.digest.sha256").value)
