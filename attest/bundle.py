"""The Sigstore bundle file, and the DSSE envelope in it: the one place that knows their wire names.

Exactly one signature, exactly one kind of verification material, and the payload type of in-toto, or it is refused.
Source: Sigstore bundle v0.3; DSSE 1.0 (pre-authentication encoding).
"""

import base64
import binascii
from collections.abc import Sequence
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
_MAX_CERTIFICATES = 10
_MAX_TIMESTAMPS = 32
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
    chain: tuple[bytes, ...] = ()
    """DER of the certificates that came after it; a claim like everything here."""
    timestamps: tuple[bytes, ...] = ()
    """RFC 3161 responses over the signature, DER."""
    is_logged: bool = False
    """Whether it carries entries of a transparency log."""

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
    return _bundle_bytes(payload, signature, {"publicKey": {"hint": key_hint}, "tlogEntries": []})


def certificate_bundle_bytes(
    payload: bytes, signature: bytes, certificates: Sequence[bytes], timestamps: Sequence[bytes]
) -> bytes:
    """Write a bundle for a signature made with a certificate: DER, the leaf first, as OMS 1.0 wants it.

    The timestamps are RFC 3161 responses over the signature, as in any Sigstore bundle.
    """
    chain = {"certificates": [{"rawBytes": _text(certificate)} for certificate in certificates]}
    material: Json = {"x509CertificateChain": chain, "tlogEntries": []}
    if timestamps:
        stamps = [{"signedTimestamp": _text(timestamp)} for timestamp in timestamps]
        material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
    return _bundle_bytes(payload, signature, material)


def _bundle_bytes(payload: bytes, signature: bytes, material: Json) -> bytes:
    return dump_compact(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": material,
            "dsseEnvelope": {
                "payload": _text(payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": _text(signature), "keyid": ""}],
            },
        }
    )


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


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
    material = _object(document, "verificationMaterial", where)
    hint, certificates = _material(material, where)
    return Bundle(
        raw=data,
        payload=_bytes(envelope.get("payload"), f"{where}, dsseEnvelope.payload"),
        signature=_bytes(signatures[0].get("sig"), f"{where}, dsseEnvelope.signatures[0].sig"),
        key_hint=hint,
        certificate=certificates[0] if certificates else b"",
        chain=certificates[1:],
        timestamps=_timestamps(material, f"{where}, verificationMaterial"),
        is_logged=bool(material.get("tlogEntries")),
    )


def _material(material: Json, where: str) -> tuple[str, tuple[bytes, ...]]:
    """The key hint, or the certificates with the leaf first."""
    place = f"{where}, verificationMaterial"
    kinds = [kind for kind in ("publicKey", "certificate", "x509CertificateChain") if kind in material]
    if len(kinds) != 1:
        raise InputError(f"expected one kind of signer, found {', '.join(kinds) or 'none'}", where=place)
    if kinds[0] == "publicKey":
        hint = _object(material, "publicKey", place).get("hint", "")
        if not isinstance(hint, str) or len(hint) > _MAX_HINT:
            raise InputError(f"a key hint must be text of at most {_MAX_HINT}", where=f"{place}.publicKey.hint")
        return hint, ()
    if kinds[0] == "certificate":
        return "", (_bytes(_object(material, "certificate", place).get("rawBytes"), f"{place}.certificate"),)
    holder, place = _object(material, "x509CertificateChain", place), f"{place}.x509CertificateChain"
    chain = _members(holder, "certificates", "rawBytes", place, most=_MAX_CERTIFICATES)
    if not chain:
        raise InputError("expected at least one certificate", where=f"{place}.certificates")
    return "", chain


def _timestamps(material: Json, where: str) -> tuple[bytes, ...]:
    if material.get("timestampVerificationData") is None:
        return ()
    data, place = _object(material, "timestampVerificationData", where), f"{where}.timestampVerificationData"
    if data.get("rfc3161Timestamps") is None:
        return ()
    found = _members(data, "rfc3161Timestamps", "signedTimestamp", place, most=_MAX_TIMESTAMPS)
    if len(set(found)) != len(found):
        raise InputError("the same timestamp twice", where=f"{place}.rfc3161Timestamps")
    return found


def _members(parent: Json, key: str, member: str, where: str, *, most: int) -> tuple[bytes, ...]:
    """The bytes in `member` of each object in the list at `key`."""
    values, place = parent.get(key), f"{where}.{key}"
    if not isinstance(values, list) or len(values) > most:
        raise InputError(f"expected a list of at most {most}", where=place)
    return tuple(
        _bytes(value.get(member) if isinstance(value, dict) else None, f"{place}[{number}].{member}")
        for number, value in enumerate(values)
    )


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
