"""Sign with a private key in a PEM file."""

import shlex
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from aibom.core.errors import SigningError
from attest.bundle import key_bundle_bytes, pre_authentication_encoding
from attest.keys import ACCEPTED, PrivateKey, VerificationKey, key_problem, sign_message
from attest.signing.signer import KeyHolder

_MAX_KEY_BYTES = 64 * 1024
_DER = b"\x30"
_MAKE_ONE = (
    "check the path, or make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out publisher.key"
)


class KeyInMemory:
    """Holds a private key that `load_private_key` accepted."""

    def __init__(self, key: PrivateKey) -> None:
        """Take the key."""
        self._key = key
        self.public = VerificationKey(key.public_key())

    def sign_message(self, message: bytes) -> bytes:
        """Sign with the algorithm that belongs to the key."""
        return sign_message(self._key, message)


class KeySigner:
    """Signs with a bare key, which buyers must have from the publisher beforehand."""

    def __init__(self, holder: KeyHolder) -> None:
        """Take whatever holds the key."""
        self._holder = holder

    def sign(self, payload: bytes) -> bytes:
        """Sign a statement; the bundle names the key by its fingerprint."""
        signature = self._holder.sign_message(pre_authentication_encoding(payload))
        return key_bundle_bytes(payload, signature, self._holder.public.fingerprint)

    def describe(self) -> str:
        """Kind and fingerprint of the key."""
        public = self._holder.public
        return f"the {public.kind} key with the SHA-256 fingerprint {public.fingerprint}"


def load_private_key(path: Path, passphrase: Callable[[], str]) -> PrivateKey:
    """Read a PEM private key; `passphrase` is only called for an encrypted one.

    Raises SigningError, without a word of the key or passphrase, if it cannot be read or is not of an accepted kind.
    """
    pem = _read(path)
    encrypted = b"ENCRYPTED" in pem
    secret = passphrase().encode() if encrypted else None
    try:
        key = serialization.load_pem_private_key(pem, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause may quote the key: it is dropped on purpose.
        raise _unreadable(path, pem, encrypted=encrypted) from None
    problem = key_problem(key)
    if problem or not isinstance(key, (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey)):
        raise SigningError(f"{problem or 'this key'} is not accepted", where=str(path), hint=f"use {ACCEPTED}")
    return key


def _unreadable(path: Path, pem: bytes, *, encrypted: bool) -> SigningError:
    if encrypted:
        return SigningError(
            "the passphrase does not open this key",
            where=str(path),
            hint="set AIBOM_KEY_PASSPHRASE, or leave it unset to be asked on the terminal",
        )
    hint = "expected a file that starts with -----BEGIN PRIVATE KEY-----"
    if b"PUBLIC KEY" in pem:
        hint = "this is a public key; signing needs the private one"
    elif b"BEGIN CERTIFICATE" in pem:
        hint = "this is a certificate: give it as --certificate, and its private key as --key"
    elif pem.startswith(_DER):
        hint = _der_hint(pem, shlex.quote(str(path)))
    return SigningError("not a private key in PEM form", where=str(path), hint=hint)


def _der_hint(der: bytes, name: str) -> str:
    """How to make PEM of it. A certificate is told by whether it can be read as one; a key is not looked into."""
    try:
        x509.load_der_x509_certificate(der)
    except (ValueError, UnsupportedAlgorithm):
        return (
            f"this looks like DER, the binary form; convert it: openssl pkey -inform DER -in {name} -out publisher.key"
        )
    return (
        f"this is a certificate in DER, the binary form: convert it (openssl x509 -inform DER -in {name} -out "
        "publisher.pem), give it as --certificate, and its private key as --key"
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_KEY_BYTES)
    except OSError as error:
        raise SigningError(f"cannot read the key: {error.strerror}", where=str(path), hint=_MAKE_ONE) from error
