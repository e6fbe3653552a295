"""What every signer can do."""

from typing import Protocol


class Signer(Protocol):
    """Signs statements; makes one Sigstore bundle for each."""

    def sign(self, payload: bytes) -> bytes:
        """Sign an in-toto statement's bytes and return the bundle's bytes. Raises SigningError."""

    def describe(self) -> str:
        """Who signs, in words for a person; never a secret."""
