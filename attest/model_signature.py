"""The OpenSSF Model Signing 1.0 statement: a manifest of files as the predicate of an in-toto statement.

Its one subject digests the file digests only, not the names, so nothing here or in `verify` relies on that digest to
identify a release: the resources are what counts. Source: OMS 1.0, sections 5 and 6, and its predicate schema.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aibom.core.digest import SHA256, parse_digest
from aibom.core.errors import InputError
from aibom.core.layout import ATTESTATIONS, GIT_HISTORY, GIT_RELATED, HUB_CACHE, SIGNATURE_NAME, is_git_related
from aibom.core.manifest import FileEntry, Manifest
from aibom.core.names import collisions, require_name
from aibom.core.strictjson import dump_compact
from attest.statement import Statement, Subject, require_files, statement_bytes

PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_FIELDS = {"resources", "serialization"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedManifest:
    """Name → sha256 of every resource, and the paths that the signer left out."""

    files: dict[str, str]
    ignored: tuple[str, ...]


def model_statement(name: str, manifest: Manifest, *, hub_records: Iterable[str] = ()) -> bytes:
    """Write the statement over every file of `manifest` that the `model_signing` verifier looks at.

    Raises InputError if none is left.
    """
    entries = [entry for entry in manifest.entries if not is_git_related(entry.name)]
    if not entries:
        raise InputError("no file to sign", where=name)
    ignored = [ATTESTATIONS, SIGNATURE_NAME, GIT_HISTORY, *GIT_RELATED, *([HUB_CACHE] if [*hub_records] else [])]
    predicate = {
        "resources": [_resource(entry) for entry in entries],
        "serialization": {
            "allow_symlinks": False,
            "hash_type": SHA256,
            "ignore_paths": sorted(ignored),
            "method": "files",
        },
    }
    subject = Subject(name, root_digest(entry.sha256 for entry in entries))
    return statement_bytes([subject], PREDICATE_TYPE, dump_compact(predicate))


def root_digest(digests: Iterable[str]) -> str:
    """SHA-256 over the raw digests in the order listed (OMS 1.0, section 5.2)."""
    return hashlib.sha256(b"".join(bytes.fromhex(value) for value in digests)).hexdigest()


def parse_model_signature(statement: Statement, where: str) -> SignedManifest:
    """Read the manifest out of a verified statement.

    Raises InputError for an empty manifest, names that escape or collide, digests that are not SHA-256, unknown
    serialization methods, and a subject that does not match the resources.
    """
    predicate = require_files(statement, where).predicate
    if set(predicate) != _FIELDS:
        raise InputError("expected exactly resources and serialization", where=f"{where}, predicate")
    ignored = _serialization(predicate["serialization"], f"{where}, predicate.serialization")
    resources = _resources(predicate["resources"], f"{where}, predicate.resources")
    expected = root_digest(value for _, value in resources)
    if len(statement.subjects) != 1 or statement.subjects[0].sha256 != expected:
        raise InputError(
            "the subject's digest does not follow from the resources",
            where=f"{where}, subject[0].digest.sha256",
            hint=f"expected {expected}",
        )
    return SignedManifest(files=dict(resources), ignored=ignored)


def _resource(entry: FileEntry) -> dict[str, str]:
    return {"algorithm": SHA256, "digest": entry.sha256, "name": entry.name}


def _serialization(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, dict) or value.get("method") != "files" or value.get("hash_type") != SHA256:
        raise InputError(
            "only whole files with SHA-256 are read (method 'files', hash_type 'sha256')",
            where=where,
            hint="ask the signer for a signature over whole files with SHA-256",
        )
    ignored = value.get("ignore_paths", [])
    if not isinstance(ignored, list) or not all(isinstance(path, str) for path in ignored):
        raise InputError("expected a list of paths", where=f"{where}.ignore_paths")
    return tuple(sorted(ignored))


def _resources(value: Any, where: str) -> list[tuple[str, str]]:
    if not isinstance(value, list) or not value:
        raise InputError("a model signature must list at least one file", where=where)
    found = [_parse_resource(item, f"{where}[{index}]") for index, item in enumerate(value)]
    names = [name for name, _ in found]
    if len(set(names)) != len(names):
        raise InputError("a file is listed twice", where=where)
    for first, second in collisions(names):
        raise InputError(f"{first!r} and {second!r} are one file on some systems", where=where)
    return found


def _parse_resource(item: Any, where: str) -> tuple[str, str]:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise InputError("a resource needs a name", where=where)
    if item.get("algorithm") != SHA256:
        raise InputError(
            f"digest algorithm {str(item.get('algorithm'))[:40]!r}; expected {SHA256!r}", where=f"{where}.algorithm"
        )
    digest = parse_digest(SHA256, item.get("digest"), f"{where}.digest")
    return require_name(item["name"], f"{where}.name"), digest.value
