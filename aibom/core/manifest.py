"""The manifest: every artifact of a release with its size and digests, and how two of them differ."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aibom.core.digest import SHA256

TREE_DIGEST_NAME = "aibom:tree:v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One artifact: its name in the release, its size in bytes, and algorithm → hexadecimal value."""

    name: str
    size: int
    digests: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """The SHA-256 that every entry has."""
        return self.digests[SHA256]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All artifacts of a tree, sorted by name."""

    entries: tuple[FileEntry, ...]

    @classmethod
    def of(cls, entries: Iterable[FileEntry]) -> "Manifest":
        """Sort entries into a manifest."""
        return cls(tuple(sorted(entries, key=lambda entry: entry.name)))

    def by_name(self) -> dict[str, FileEntry]:
        """Look-up table; names are unique because they come from one file tree."""
        return {entry.name: entry for entry in self.entries}

    def select(self, names: Iterable[str]) -> "Manifest":
        """The part of this manifest with these names."""
        wanted = set(names)
        return Manifest(tuple(entry for entry in self.entries if entry.name in wanted))

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(entry.size for entry in self.entries)

    @property
    def tree_digest(self) -> str:
        """The name-binding digest of `specs/tree-digest-v1.md`, in hexadecimal."""
        return tree_digest((entry.name, entry.sha256) for entry in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestDiff:
    """How the files on disk differ from what was signed; each tuple is sorted."""

    extra: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.extra or self.missing or self.changed)


def tree_digest(files: Iterable[tuple[str, str]]) -> str:
    """Digest (name, sha256) pairs so that content *and* names are bound (`specs/tree-digest-v1.md`).

    The OpenSSF Model Signing root digest covers contents only: two trees with swapped names share it.
    """
    hasher = hashlib.sha256(f"{TREE_DIGEST_NAME}\n".encode())
    for name, value in sorted(files, key=lambda pair: pair[0].encode("utf-8", "surrogateescape")):
        encoded = name.encode("utf-8", "surrogateescape")
        hasher.update(b"%d:%s %s\n" % (len(encoded), encoded, value.encode("ascii")))
    return hasher.hexdigest()


def compare(expected: Mapping[str, str], actual: Manifest) -> ManifestDiff:
    """Compare name → sha256 with the files that are there."""
    found = {entry.name: entry.sha256 for entry in actual.entries}
    return ManifestDiff(
        extra=tuple(sorted(found.keys() - expected.keys())),
        missing=tuple(sorted(expected.keys() - found.keys())),
        changed=tuple(sorted(n for n in expected.keys() & found.keys() if expected[n] != found[n])),
    )
