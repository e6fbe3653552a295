"""The BOM attestation: a CycloneDX BOM as the predicate of an in-toto statement over every covered file.

Subjects: each file by SHA-256, the BOM file when it lies in the release, and the name-binding tree digest of the
content under the name `aibom:tree:v1` (`specs/tree-digest-v1.md`).
"""

from dataclasses import dataclass

from aibom.core.manifest import TREE_DIGEST_NAME, Manifest
from aibom.core.names import require_name
from attest.release_statement import release_statement
from attest.statement import Statement, require_files

PREDICATE_TYPE = "https://cyclonedx.org/bom"
_VERSIONED = f"{PREDICATE_TYPE}/v"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedFiles:
    """Name → sha256 of every subject that is a file, and the tree digest if there is one."""

    files: dict[str, str]
    tree_digest: str


def bom_statement(manifest: Manifest, bom: bytes) -> bytes:
    """Write the statement over every file of `manifest` (the BOM file included, if it is there)."""
    return release_statement(manifest, PREDICATE_TYPE, bom)


def is_bom_type(predicate_type: str) -> bool:
    """Whether a predicate type says CycloneDX, with or without a version behind it."""
    return predicate_type == PREDICATE_TYPE or predicate_type.startswith(_VERSIONED)


def parse_bom_attestation(statement: Statement, where: str) -> AttestedFiles:
    """Read the subjects of a verified statement.

    Raises InputError for a subject without name or SHA-256, or named twice, UnsafeEntryError for a name that no release
    file may have.
    """
    files, tree = {}, ""
    for index, subject in enumerate(require_files(statement, where).subjects):
        if subject.name == TREE_DIGEST_NAME:
            tree = subject.sha256
            continue
        files[require_name(subject.name, f"{where}, subject[{index}].name")] = subject.sha256
    return AttestedFiles(files=files, tree_digest=tree)
