"""The append-only log under both generations of Rekor: an RFC 6962 Merkle tree, its proofs and its checkpoints."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from tests.sigstore_instance.crypto import sha256, to_base64
from tests.sigstore_instance.server import Refused

# Proto3 JSON leaves out a number that is zero, and clients then refuse the bundle for want of its log index. So a
# leaf of our own takes index 0, as it did long ago in the public logs.
_GENESIS = b"genesis"


@dataclass(frozen=True)
class InclusionProof:
    """Where an entry stands in the tree, and the hashes that lead from it to the root."""

    index: int
    tree_size: int
    root_hash: bytes
    path: list[bytes]

    def checkpoint(self, origin: str) -> str:
        """Write the root as text to sign: https://github.com/transparency-dev/formats, "log"."""
        return f"{origin}\n{self.tree_size}\n{to_base64(self.root_hash)}\n"


class AppendOnlyLog:
    """Takes each entry once and proves that it holds it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leaves = [leaf_hash(_GENESIS)]
        self._known = set(self._leaves)

    def append(self, entry: bytes) -> InclusionProof:
        leaf = leaf_hash(entry)
        with self._lock:
            if leaf in self._known:
                raise Refused("an equivalent entry already exists in the transparency log", 409)
            self._known.add(leaf)
            self._leaves.append(leaf)
            return self._proof(len(self._leaves) - 1)

    def prove(self, index: int) -> InclusionProof:
        """Prove inclusion in the tree as it is now."""
        with self._lock:
            return self._proof(index)

    def _proof(self, index: int) -> InclusionProof:
        path = inclusion_path(index, self._leaves)
        return InclusionProof(index, len(self._leaves), root_hash(self._leaves), path)


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry)


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Hash at least one leaf to the root of its tree (RFC 6962, section 2.1)."""
    if len(leaves) == 1:
        return leaves[0]
    left = _left_size(len(leaves))
    return sha256(b"\x01" + root_hash(leaves[:left]) + root_hash(leaves[left:]))


def inclusion_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """List the siblings from a leaf up to the root (RFC 6962, section 2.1.1)."""
    if len(leaves) == 1:
        return []
    left = _left_size(len(leaves))
    if index < left:
        return [*inclusion_path(index, leaves[:left]), root_hash(leaves[left:])]
    return [*inclusion_path(index - left, leaves[left:]), root_hash(leaves[:left])]


def signed_note(text: str, signer: str, key_id: bytes, signature: bytes) -> str:
    """Put a signature under a text: https://github.com/C2SP/C2SP/blob/main/signed-note.md."""
    return f"{text}\n\N{EM DASH} {signer} {to_base64(key_id[:4] + signature)}\n"


def _left_size(leaves: int) -> int:
    """The largest power of two below the number of leaves."""
    return 1 << ((leaves - 1).bit_length() - 1)
