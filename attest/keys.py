"""Public and private keys that we sign and verify with, and the one algorithm that belongs to each.

The algorithm follows from the key that the *reader* trusts, never from what a bundle says (attack 17, key confusion).
"""

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from aibom.core.errors import InputError

MIN_RSA_BITS, MAX_RSA_BITS = 3072, 8192
_CURVES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
_KINDS = {
    "X25519": "an X25519 key, which is for key exchange and cannot sign,",
    "X448": "an X448 key, which is for key exchange and cannot sign,",
    "DH": "a Diffie-Hellman key, which is for key exchange and cannot sign,",
    "DSA": "a DSA key",
    "Ed448": "an Ed448 key",
}
"""Kinds that are not accepted, by the names of cryptography's classes."""
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
ACCEPTED = f"ECDSA P-256, P-384 or P-521, Ed25519, or RSA of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits"


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key of an accepted kind."""

    key: PublicKey

    @property
    def pem(self) -> bytes:
        """SubjectPublicKeyInfo as PEM."""
        return self.key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the PEM in hexadecimal: what a bundle gives as its key hint (OMS 1.0, section 7)."""
        return hashlib.sha256(self.pem).hexdigest()

    @property
    def hints(self) -> frozenset[str]:
        """How bundles may name it: the fingerprint, and as cosign does (base64 of SHA-256 of the DER)."""
        der = self.key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return frozenset({self.fingerprint, base64.b64encode(hashlib.sha256(der).digest()).decode("ascii")})

    @property
    def kind(self) -> str:
        """Its kind in words."""
        return key_kind(self.key)

    def accepts(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` is this key's signature over `message`."""
        try:
            if isinstance(self.key, ed25519.Ed25519PublicKey):
                self.key.verify(signature, message)
            elif isinstance(self.key, rsa.RSAPublicKey):
                self.key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            else:
                self.key.verify(signature, message, ec.ECDSA(_CURVES[self.key.curve.name]))
        except InvalidSignature:
            return False
        return True


def load_public_key(pem: bytes, where: str) -> VerificationKey:
    """Read a PEM public key. Raises InputError if it is none, or of a kind that is not accepted."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError("not a public key in PEM form", where=where, hint=_public_hint(pem)) from error
    return VerificationKey(_require_accepted_public(key, where))


def sign_message(key: PrivateKey, message: bytes) -> bytes:
    """Sign with the algorithm that belongs to the key."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(message, ec.ECDSA(_CURVES[key.curve.name]))


def curve_digest(key: ec.EllipticCurvePublicKey, message: bytes) -> bytes:
    """The digest that ECDSA signs, by the hash that belongs to the curve: for devices that do not hash themselves."""
    digest = hashes.Hash(_CURVES[key.curve.name])
    digest.update(message)
    return digest.finalize()


def key_problem(key: object) -> str:
    """Why a key of either half is not accepted; empty if it is."""
    if isinstance(key, (ed25519.Ed25519PublicKey, ed25519.Ed25519PrivateKey)):
        return ""
    if isinstance(key, (rsa.RSAPublicKey, rsa.RSAPrivateKey)):
        return "" if MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS else f"an RSA key of {key.key_size} bits"
    if isinstance(key, (ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey)):
        return "" if key.curve.name in _CURVES else f"an EC key on the curve {key.curve.name}"
    kind = type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey").lstrip("_")
    return _KINDS.get(kind, "a key of another kind")


def key_kind(key: PublicKey) -> str:
    """The kind of an accepted public key, in words."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return f"ECDSA P-{key.curve.key_size}"


def _require_accepted_public(key: object, where: str) -> PublicKey:
    problem = key_problem(key)
    if problem or not isinstance(key, (ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, rsa.RSAPublicKey)):
        raise InputError(f"{problem or 'this key'} is not accepted", where=where, hint=f"use {ACCEPTED}")
    return key


def _public_hint(pem: bytes) -> str:
    if b"PRIVATE KEY" in pem:
        return "this is a private key; give its public half (`openssl pkey -in KEY -pubout`)"
    if b"BEGIN CERTIFICATE" in pem:
        return "this is a certificate; give a public key"
    return "expected a file that starts with -----BEGIN PUBLIC KEY-----"
