"""What every signer can do, and what those that use a private key need of whatever holds it."""

from typing import Protocol

from attest.keys import VerificationKey


class Signer(Protocol):
    """Signs statements; makes one Sigstore bundle for each."""

    def sign(self, payload: bytes) -> bytes:
        """Sign an in-toto statement's bytes and return the bundle's bytes. Raises SigningError."""

    def describe(self) -> str:
        """Who signs, in words for a person; never a secret."""


class KeyHolder(Protocol):
    """Holds a private key, in memory or in a device that never hands it out."""

    @property
    def public(self) -> VerificationKey:
        """The public half."""

    def sign_message(self, message: bytes) -> bytes:
        """Sign with the algorithm that belongs to the key (`attest.keys`). Raises SigningError."""
