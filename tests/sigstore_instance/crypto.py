"""Keys, digests, signatures and text forms of bytes, as every service of the instance needs them."""

import base64
import hashlib
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed


def utc_now() -> datetime:
    return datetime.now(UTC)


def sha256(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def new_p256_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def new_p384_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def public_key_der(key: PublicKeyTypes) -> bytes:
    """Encode as SubjectPublicKeyInfo, the form that trust roots carry and key identifiers are taken over."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def sign(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    return key.sign(message, ec.ECDSA(hashes.SHA256()))


def verifies(key: PublicKeyTypes, signature: bytes, message: bytes) -> bool:
    """Say whether the signature over the message is this key's."""
    return verifies_digest(key, signature, sha256(message))


def verifies_digest(key: PublicKeyTypes, signature: bytes, digest: bytes) -> bool:
    """Say the same where only the message's SHA-256 is known, as in a log entry for an artifact."""
    # Clients of the public instance sign with P-256; anything else is a surprise that a test should hear about.
    if not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)):
        return False
    try:
        key.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True
