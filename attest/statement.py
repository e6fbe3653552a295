"""The in-toto Statement v1: subjects and a predicate. The bytes received are kept; only a parsed copy is looked at.

Source: in-toto Attestation Framework v1, Statement. A statement without subjects does not exist here. Ours name each
subject, once, and give its SHA-256; others may leave out the name or use other digests, such as a Git commit's.
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
    """What a statement is about: a name and its SHA-256 in hexadecimal; either may be empty in others' statements."""

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
    """Parse a payload whose subjects are files. Raises InputError naming the field at fault."""
    return require_files(parse_any_statement(payload, where), where)


def require_files(statement: Statement, where: str) -> Statement:
    """Return the statement if each subject has a name of its own and a SHA-256, else raise InputError."""
    for index, subject in enumerate(statement.subjects):
        if not subject.name:
            raise InputError("a subject needs a name and digests", where=f"{where}, subject[{index}]")
        if not subject.sha256:
            raise InputError("a subject needs a sha256 digest", where=f"{where}, subject[{index}].digest")
    if len({subject.name for subject in statement.subjects}) != len(statement.subjects):
        raise InputError("two subjects have the same name", where=f"{where}, subject")
    return statement


def parse_any_statement(payload: bytes, where: str) -> Statement:
    """Parse a payload strictly, whatever its subjects are. Raises InputError naming the field at fault."""
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
    return tuple(_subject(item, f"{where}, subject[{index}]") for index, item in enumerate(listed))


def _subject(item: Any, where: str) -> Subject:
    name = item.get("name", "") if isinstance(item, dict) else None
    digests = item.get("digest") if isinstance(item, dict) else None
    if not isinstance(name, str) or not isinstance(digests, dict) or not digests:
        raise InputError("a subject needs a name and digests", where=where)
    if SHA256 not in digests:
        return Subject(name, "")
    return Subject(name, parse_digest(SHA256, digests[SHA256], f"{where}.digest.sha256").value)
