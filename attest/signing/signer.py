"""What every signer can do, and what some need: a holder of the private key, and somebody who certifies the time."""

from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class Stamp:
    """A timestamp: the RFC 3161 response as it came, and the time in it."""

    response: bytes
    time: datetime


class Stamper(Protocol):
    """Certifies that something was there at a time."""

    def stamp(self, message: bytes) -> Stamp:
        """Have the digest of `message` stamped. Raises SigningError."""

    def describe(self) -> str:
        """Who certifies it, in a few words for the publisher."""
