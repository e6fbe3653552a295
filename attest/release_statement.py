"""A statement about a whole release: every covered file, and their tree digest, whatever the predicate is.

Subjects: each file by SHA-256, the BOM file when it lies in the release, and the name-binding tree digest of the
content under the name `aibom:tree:v1` (`specs/tree-digest-v1.md`).
"""

from aibom.core.layout import is_content
from aibom.core.manifest import TREE_DIGEST_NAME, Manifest
from attest.statement import Subject, statement_bytes


def release_tree_digest(manifest: Manifest) -> str:
    """The tree digest of what the BOM accounts for: all files but those that we write ourselves."""
    return Manifest(tuple(entry for entry in manifest.entries if is_content(entry.name))).tree_digest


def release_statement(manifest: Manifest, predicate_type: str, predicate: bytes) -> bytes:
    """Write the statement over every file of `manifest`; the predicate's own bytes stay as they are."""
    subjects = [Subject(entry.name, entry.sha256) for entry in manifest.entries]
    subjects.append(Subject(TREE_DIGEST_NAME, release_tree_digest(manifest)))
    return statement_bytes(subjects, predicate_type, predicate)
