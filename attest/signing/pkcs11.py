"""A private key in a token or hardware security module, which never hands it out (PKCS #11).

The device signs; what it signed is checked against the public half before anybody sees it. Each signature is a session
of its own, so that nothing stays open. The PIN is in no argument, message or log.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from aibom.core.errors import SigningError
from attest.keys import ACCEPTED, PublicKey, VerificationKey, curve_digest, key_problem
from attest.signing.pkcs11_uri import DeviceUri

if TYPE_CHECKING:
    from pkcs11 import Session, Token

MODULE_VARIABLE = "AIBOM_PKCS11_MODULE"
PIN_VARIABLE = "AIBOM_PKCS11_PIN"
_MAX_PIN = 256
_MOST, _LONGEST = 10, 60
_ED25519_POINT = 32


class KeyInDevice:
    """Holds a private key by its name in a token."""

    def __init__(self, token: "Token", uri: DeviceUri, pin: str) -> None:
        """Take a token that was found, and look up the public half in it. Raises SigningError."""
        self._token = token
        self._uri = uri
        self._pin = pin
        with self._session() as session:
            self.public = _public_half(session, _private_key(session, uri))

    def sign_message(self, message: bytes) -> bytes:
        """Have the device sign, and check what it signed. Raises SigningError."""
        with self._session() as session:
            signature = _sign(_private_key(session, self._uri), self.public.key, message)
        if not self.public.accepts(signature, message):
            raise SigningError(
                "the device's signature does not belong to the public key in it",
                where="--pkcs11-uri",
                hint="name the key by id= as well; two keys or a stale public half may share its label",
            )
        return signature

    @contextmanager
    def _session(self) -> "Iterator[Session]":
        import pkcs11  # an extra; `key_in_device` says so when it is missing

        try:
            with self._token.open(user_pin=self._pin) as session:
                yield session
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
            raise SigningError(
                "the PIN does not open this token",
                where="--pkcs11-uri",
                hint=f"set {PIN_VARIABLE}, or leave it unset to be asked; too many wrong ones lock the token",
            ) from None
        except pkcs11.PinLocked:
            raise SigningError(
                "the token is locked after too many wrong PINs", hint="ask whoever administers it to unlock it"
            ) from None
        except pkcs11.PKCS11Error as error:
            # The cause may quote what it was given: only its kind is told.
            raise SigningError(
                f"the device refuses: {type(error).__name__}",
                where="--pkcs11-uri",
                hint="check that the token is there and may be used, then run the same command again",
            ) from None


def key_in_device(uri: DeviceUri, *, module: str, pin: Callable[[], str]) -> KeyInDevice:
    """Find the token and the key that a URI names. `module` counts if the URI names none; `pin` if it names no file.

    Raises SigningError.
    """
    try:
        import pkcs11  # an extra: not everybody has a token
    except ImportError:
        raise SigningError(
            "signing with a token needs python-pkcs11", hint="pip install 'aibom[pkcs11]', then run it again"
        ) from None
    path = uri.module_path or module
    if not path:
        raise SigningError(
            "nothing says which PKCS #11 module to load",
            where="--pkcs11-uri",
            hint=f"add ?module-path=/path/to/module.so, or set {MODULE_VARIABLE}",
        )
    try:
        there = list(pkcs11.lib(path).get_tokens())
    except pkcs11.PKCS11Error as error:
        raise SigningError(
            "the PKCS #11 module cannot be used",
            where=path,
            hint="check the path; the device's maker says which file it is",
        ) from error
    tokens = [token for token in there if _is_meant(token, uri)]
    if len(tokens) != 1:
        asked = (("token", uri.token), ("serial", uri.serial), ("slot-id", uri.slot), ("model", uri.model),
                 ("manufacturer", uri.manufacturer))  # fmt: skip
        known = [_shown((("token", token.label.strip("\0 ")), ("slot-id", token.slot.slot_id))) for token in there]
        raise SigningError(
            f"{len(tokens) or 'no'} tokens fit {_shown(asked)}; expected exactly one; {_listed(known)}",
            where="--pkcs11-uri",
            hint="name it by token=, serial= or slot-id=; `pkcs11-tool --list-token-slots` lists them",
        )
    return KeyInDevice(tokens[0], uri, _require_pin(_pin_from(uri.pin_file) if uri.pin_file else pin()))


def _is_meant(token: "Token", uri: DeviceUri) -> bool:
    import pkcs11  # as above

    said = (
        (uri.token, token.label),
        (uri.manufacturer, token.manufacturer_id),
        (uri.model, token.model),
        (uri.serial, token.serial.decode("utf-8", "replace")),
    )
    if not token.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED or uri.slot not in {None, token.slot.slot_id}:
        return False
    return all(wanted in {"", found.strip("\0 ")} for wanted, found in said)


def _private_key(session: "Session", uri: DeviceUri) -> Any:
    from pkcs11 import Attribute, ObjectClass  # as above

    wanted: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
    if uri.object:
        wanted[Attribute.LABEL] = uri.object
    if uri.id:
        wanted[Attribute.ID] = uri.id
    found = list(session.get_objects(wanted))
    if len(found) != 1:
        known = [_named(key) for key in session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})]
        asked = _shown((("object", uri.object), ("id", uri.id)))
        raise SigningError(
            f"{len(found) or 'no'} private keys fit {asked}; expected exactly one; {_listed(known)}",
            where="--pkcs11-uri",
            hint="name the key by object= (its label) or id=",
        )
    return found[0]


def _named(key: Any) -> str:
    from pkcs11 import PKCS11Error  # as above

    try:
        return _shown((("object", key.label), ("id", key.id)))
    except PKCS11Error:  # a device that has no such attribute
        return "one without a name"


def _shown(attributes: Iterable[tuple[str, object]]) -> str:
    """Attributes as a URI has them, bounded; those that say nothing are left out."""
    said = []
    for name, value in attributes:
        text = "".join(f"%{byte:02x}" for byte in value) if isinstance(value, bytes) else str(value)
        if value not in {None, "", b""}:
            said.append(f"{name}={text[:_LONGEST]}")
    return ";".join(said) or "a URI without a name"


def _listed(known: list[str]) -> str:
    more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return f"there are: {', '.join(sorted(known)[:_MOST])}{more}" if known else "there are none"


def _public_half(session: "Session", private: Any) -> VerificationKey:
    """From the public object with the same id and label, else from a certificate with the same id."""
    from pkcs11 import Attribute, ObjectClass  # as above

    same = {Attribute.ID: private.id} if private.id else {Attribute.LABEL: private.label}
    publics = list(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, **same}))
    certificates = list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, **same}))
    try:
        key: object = _public_key(publics[0]) if publics else None
        if not publics and certificates:
            key = x509.load_der_x509_certificate(certificates[0][Attribute.VALUE]).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningError("the public key in the token cannot be read", where="--pkcs11-uri") from error
    if key is None:
        raise SigningError(
            "the token has no public key and no certificate for this private key",
            where="--pkcs11-uri",
            hint="put its public half into the token, with the same id",
        )
    problem = key_problem(key)
    if problem or not isinstance(key, PublicKey):
        raise SigningError(f"{problem or 'this key'} is not accepted", where="--pkcs11-uri", hint=f"use {ACCEPTED}")
    return VerificationKey(key)


def _public_key(public: Any) -> object:
    from pkcs11 import Attribute, KeyType  # as above
    from pkcs11.util.ec import encode_ec_public_key
    from pkcs11.util.rsa import encode_rsa_public_key

    if public.key_type == KeyType.EC_EDWARDS:
        # A bare point, or one in an OCTET STRING: both are met.
        return ed25519.Ed25519PublicKey.from_public_bytes(public[Attribute.EC_POINT][-_ED25519_POINT:])
    encode = encode_rsa_public_key if public.key_type == KeyType.RSA else encode_ec_public_key
    return serialization.load_der_public_key(encode(public))


def _sign(private: Any, public: PublicKey, message: bytes) -> bytes:
    from pkcs11 import Mechanism  # as above

    if isinstance(public, rsa.RSAPublicKey):
        return bytes(private.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS))
    if isinstance(public, ec.EllipticCurvePublicKey):
        raw = bytes(private.sign(curve_digest(public, message), mechanism=Mechanism.ECDSA))
        half = len(raw) // 2  # PKCS #11 gives r and s side by side; everybody else wants them in DER
        return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
    return bytes(private.sign(message, mechanism=Mechanism.EDDSA))


def _require_pin(pin: str) -> str:
    """An empty PIN is never tried: tokens count failures, and lock."""
    if not pin:
        raise SigningError(
            "the PIN is empty", where="--pkcs11-uri", hint=f"set {PIN_VARIABLE}, or leave it unset to be asked"
        )
    return pin


def _pin_from(path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            return file.read(_MAX_PIN).rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise SigningError("cannot read the PIN", where=path, hint="check pin-source in --pkcs11-uri") from None
