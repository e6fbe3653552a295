"""The Sigstore bundle file, and the DSSE envelope in it: the one place that knows their wire names.

Exactly one signature, exactly one kind of verification material, and the payload type of in-toto, or it is refused.
Source: Sigstore bundle v0.3; DSSE 1.0 (pre-authentication encoding).
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import Json, dump_compact, parse_json_object

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MEDIA_TYPES = frozenset(
    {
        MEDIA_TYPE,
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
    }
)
PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_BYTES = 256 * 1024 * 1024
_MAX_HINT = 128
_HINT = "ask the publisher for the signature file again; this one is damaged or not a Sigstore bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A parsed bundle: the bytes received, the payload and its one signature, and who claims to have signed."""

    raw: bytes
    payload: bytes
    signature: bytes
    key_hint: str
    """SHA-256 of the PEM public key, when the signature was made with a bare key."""
    certificate: bytes
    """DER of the signing certificate, when it was made with one."""

    @property
    def has_certificate(self) -> bool:
        """Whether a certificate stands for the signer."""
        return bool(self.certificate)


def pre_authentication_encoding(payload: bytes) -> bytes:
    """What is signed: PAE over the payload type and payload, lengths in bytes (DSSE protocol)."""
    kind = PAYLOAD_TYPE.encode("ascii")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def key_bundle_bytes(payload: bytes, signature: bytes, key_hint: str) -> bytes:
    """Write a bundle for a signature made with a bare key."""
    return dump_compact(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": key_hint}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": base64.b64encode(payload).decode("ascii"),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": base64.b64encode(signature).decode("ascii"), "keyid": ""}],
            },
        }
    )


def parse_bundle(data: bytes, where: str) -> Bundle:
    """Parse a bundle strictly. Raises InputError naming the field at fault."""
    try:
        document = parse_json_object(data, where, max_bytes=MAX_BYTES)
        return _parse(document, data, where)
    except InputError as error:
        raise InputError(error.message, where=error.where, hint=error.hint or _HINT) from error


def _parse(document: Json, data: bytes, where: str) -> Bundle:
    media_type = document.get("mediaType")
    if not isinstance(media_type, str) or media_type not in MEDIA_TYPES:
        found = str(media_type)[:80]
        raise InputError(f"not a Sigstore bundle: media type {found!r}", where=f"{where}, mediaType")
    envelope = _object(document, "dsseEnvelope", where)
    if envelope.get("payloadType") != PAYLOAD_TYPE:
        found = str(envelope.get("payloadType"))[:80]
        raise InputError(
            f"payload type {found!r}; expected {PAYLOAD_TYPE!r}", where=f"{where}, dsseEnvelope.payloadType"
        )
    signatures = envelope.get("signatures")
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        count = len(signatures) if isinstance(signatures, list) else 0
        raise InputError(f"{count} signatures; expected exactly one", where=f"{where}, dsseEnvelope.signatures")
    hint, certificate = _material(_object(document, "verificationMaterial", where), where)
    return Bundle(
        raw=data,
        payload=_bytes(envelope.get("payload"), f"{where}, dsseEnvelope.payload"),
        signature=_bytes(signatures[0].get("sig"), f"{where}, dsseEnvelope.signatures[0].sig"),
        key_hint=hint,
        certificate=certificate,
    )


def _material(material: Json, where: str) -> tuple[str, bytes]:
    place = f"{where}, verificationMaterial"
    kinds = [kind for kind in ("publicKey", "certificate", "x509CertificateChain") if kind in material]
    if len(kinds) != 1:
        raise InputError(f"expected one kind of signer, found {', '.join(kinds) or 'none'}", where=place)
    if kinds[0] == "publicKey":
        hint = _object(material, "publicKey", place).get("hint", "")
        if not isinstance(hint, str) or len(hint) > _MAX_HINT:
            raise InputError(f"a key hint must be text of at most {_MAX_HINT}", where=f"{place}.publicKey.hint")
        return hint, b""
    if kinds[0] == "certificate":
        holder = _object(material, "certificate", place)
    else:
        chain = _object(material, "x509CertificateChain", place).get("certificates")
        holder = chain[0] if isinstance(chain, list) and chain and isinstance(chain[0], dict) else {}
    return "", _bytes(holder.get("rawBytes"), f"{place}.{kinds[0]}")


def _object(parent: Json, key: str, where: str) -> Json:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise InputError("expected an object", where=f"{where}, {key}")
    return value


def _bytes(value: Any, where: str) -> bytes:
    try:
        decoded = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError) as error:
        raise InputError("not base64", where=where) from error
    if not decoded:
        raise InputError("expected base64 text that is not empty", where=where)
    return decoded
