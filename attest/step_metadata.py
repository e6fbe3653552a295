"""Recorded steps as in-toto writes them: a link (what one step took and made) or a layout, in a DSSE envelope.

Pure: bytes → values, bounded, before in-toto's own library sees any of it. The library takes the last of two equal
keys, an artifact without a digest, and any name of a file; none of these exists here.
Source: in-toto specification 1.0, section 4; DSSE 1.0.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.digest import SHA256, parse_digest
from aibom.core.errors import InputError
from aibom.core.names import require_name
from aibom.core.strictjson import Json, parse_json_object, type_name
from attest.bundle import PAYLOAD_TYPE

LINK, LAYOUT = "link", "layout"
LINK_SUFFIX = ".link"
LAYOUT_NAME = "root.layout"
MAX_LINK_BYTES = 64 * 1024 * 1024
MAX_LAYOUT_BYTES = 4 * 1024 * 1024
MAX_ARTIFACTS = 200_000
_MAX_DEPTH = 32
_MAX_SIGNATURES = 32
_MAX_SIGNATURE_BYTES = 4096
_MAX_ALGORITHMS = 8
_MAX_WORDS, _MAX_WORD = 10_000, 32_768
_PREFIX = 8
_STEP_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_KEY_ID = re.compile(r"[0-9a-f]{64}")
_KEY_PREFIX = re.compile(rf"[0-9a-f]{{{_PREFIX}}}")
_HEX = re.compile(r"[0-9a-f]{32,256}")
_LINK_FIELDS = {"_type", "name", "materials", "products", "byproducts", "command", "environment"}
_ENVELOPE_FIELDS = {"payload", "payloadType", "signatures"}


class OlderFormError(InputError):
    """Metadata in the form that in-toto had before DSSE: nothing of it was read."""


@dataclass(frozen=True, slots=True)
class StepSignature:
    """One signature over the payload, and the id of the key that it claims to be made with."""

    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMetadata:
    """A link or a layout: the payload's bytes, its parsed copy, and the signatures, none of which was checked."""

    payload: bytes
    kind: str
    """`link` or `layout`."""
    document: Json
    signatures: tuple[StepSignature, ...]

    def is_signed_as(self, key_id: str) -> bool:
        """Whether a signature claims to be made with this key."""
        return any(signature.key_id == key_id for signature in self.signatures)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord:
    """What a link says: the files that a step took and made (name → sha256), and the command that was run."""

    name: str
    materials: Mapping[str, str]
    products: Mapping[str, str]
    command: tuple[str, ...]
    exit_code: int | None
    """What the command ended with; None if none was run, or it is not said."""


def parse_signed(data: bytes, where: str, *, max_bytes: int = MAX_LINK_BYTES) -> SignedMetadata:
    """Parse an envelope and the JSON in it strictly.

    Raises OlderFormError for in-toto's form before DSSE, InputError naming the field at fault for anything else.
    """
    envelope = parse_json_object(data, where, max_bytes=max_bytes, max_depth=_MAX_DEPTH)
    if "signed" in envelope:
        hint = "ask for it in DSSE (`in-toto-run --use-dsse`, or `aibom link`)"
        raise OlderFormError("in-toto's older form of metadata, which is not read", where=where, hint=hint)
    if set(envelope) != _ENVELOPE_FIELDS:
        raise InputError("expected exactly payload, payloadType and signatures", where=where)
    if envelope["payloadType"] != PAYLOAD_TYPE:
        found = str(envelope["payloadType"])[:80]
        raise InputError(f"payload type {found!r}; expected {PAYLOAD_TYPE!r}", where=f"{where}, payloadType")
    payload = _decode(envelope["payload"], f"{where}, payload")
    document = parse_json_object(payload, f"{where}, payload", max_bytes=max_bytes, max_depth=_MAX_DEPTH)
    kind = document.get("_type")
    if kind not in (LINK, LAYOUT):
        raise InputError(
            f"neither an in-toto link nor a layout, but {str(kind)[:80]!r}", where=f"{where}, payload._type"
        )
    signatures = _signatures(envelope["signatures"], f"{where}, signatures")
    return SignedMetadata(payload=payload, kind=kind, document=document, signatures=signatures)


def parse_link(signed: SignedMetadata, where: str) -> LinkRecord:
    """Read a link. Raises InputError naming the field at fault."""
    document = require_fields(signed.document, _LINK_FIELDS, where)
    if signed.kind != LINK:
        raise InputError(f"expected a link, found a {signed.kind}", where=where)
    byproducts, environment = document["byproducts"], document["environment"]
    if not isinstance(byproducts, dict) or not isinstance(environment, dict):
        raise InputError("byproducts and environment must be objects", where=where)
    code = byproducts.get("return-value")
    if code is not None and (not isinstance(code, int) or isinstance(code, bool)):
        raise InputError("what the command ended with must be a whole number", where=f"{where}, byproducts")
    return LinkRecord(
        name=require_step_name(document["name"], f"{where}, name"),
        materials=_artifacts(document["materials"], f"{where}, materials"),
        products=_artifacts(document["products"], f"{where}, products"),
        command=parse_words(document["command"], f"{where}, command"),
        exit_code=code,
    )


def is_link_file_name(name: str) -> bool:
    """Whether a file may be called so: a step, the beginning of a key id, and the ending."""
    step, _, prefix = name.removesuffix(LINK_SUFFIX).rpartition(".")
    whole = name.endswith(LINK_SUFFIX) and _STEP_NAME.fullmatch(step) is not None
    return whole and _KEY_PREFIX.fullmatch(prefix) is not None


def link_file_name(step: str, key_id: str) -> str:
    """What in-toto's tools call the link of a step by a key: `<step>.<first 8 of the key id>.link`."""
    return f"{step}.{key_id[:_PREFIX]}{LINK_SUFFIX}"


def key_id_prefix(key_id: str) -> str:
    """The part of a key id that stands in a link's file name."""
    return key_id[:_PREFIX]


def require_step_name(value: Any, where: str) -> str:
    """A name that can stand in a file's name and leads nowhere else. Raises InputError."""
    if not isinstance(value, str) or not _STEP_NAME.fullmatch(value):
        raise InputError(
            f"{str(value)[:80]!r} cannot be the name of a step",
            where=where,
            hint="use at most 64 letters, digits, '-', '_' and '.', the first one not '-' or '.'",
        )
    return value


def require_key_id(value: Any, where: str) -> str:
    """The id of a key: a SHA-256 in lower-case hexadecimal, as in-toto's tools make them. Raises InputError."""
    if not isinstance(value, str) or not _KEY_ID.fullmatch(value):
        raise InputError(f"{str(value)[:80]!r} is not a key id of 64 hexadecimal digits", where=where)
    return value


def require_fields(value: Any, fields: set[str], where: str) -> Json:
    """An object with exactly these fields. Raises InputError."""
    if not isinstance(value, dict):
        raise InputError(f"expected an object, found {type_name(value)}", where=where)
    strange, absent = sorted(value.keys() - fields), sorted(fields - value.keys())
    if strange or absent:
        what = f"unknown field {strange[0][:80]!r}" if strange else f"the field {absent[0]!r} is missing"
        raise InputError(what, where=where)
    return value


def parse_words(value: Any, where: str) -> tuple[str, ...]:
    """A list of words of bounded length. Raises InputError."""
    if not isinstance(value, list) or len(value) > _MAX_WORDS:
        raise InputError(f"expected a list of at most {_MAX_WORDS} words", where=where)
    if not all(isinstance(word, str) and len(word) <= _MAX_WORD for word in value):
        raise InputError(f"expected words of at most {_MAX_WORD} characters", where=where)
    return tuple(value)


def _signatures(value: Any, where: str) -> tuple[StepSignature, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_SIGNATURES:
        raise InputError(f"expected 1 to {_MAX_SIGNATURES} signatures", where=where)
    found = []
    for index, item in enumerate(value):
        place = f"{where}[{index}]"
        fields = require_fields(item, {"keyid", "sig"}, place)
        key_id = require_key_id(fields["keyid"], f"{place}.keyid")
        found.append(StepSignature(key_id, _decode(fields["sig"], f"{place}.sig", _MAX_SIGNATURE_BYTES)))
    if len({signature.key_id for signature in found}) != len(found):
        raise InputError("two signatures by one key", where=where)
    return tuple(found)


def _artifacts(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MAX_ARTIFACTS:
        raise InputError(f"expected an object of at most {MAX_ARTIFACTS} files", where=where)
    return {require_name(name, where): _sha256(digests, f"{where}.{name[:200]}") for name, digests in value.items()}


def _sha256(value: Any, where: str) -> str:
    """The SHA-256 of one artifact; others may stand beside it, for in-toto compares all of them."""
    if not isinstance(value, dict) or not 0 < len(value) <= _MAX_ALGORITHMS or SHA256 not in value:
        raise InputError("a file needs a sha256 digest", where=where)
    if not all(isinstance(other, str) and _HEX.fullmatch(other) for other in value.values()):
        raise InputError("digests must be lower-case hexadecimal", where=where)
    return parse_digest(SHA256, value[SHA256], f"{where}.sha256").value


def _decode(value: Any, where: str, limit: int = MAX_LINK_BYTES) -> bytes:
    try:
        decoded = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError) as error:
        raise InputError("not base64", where=where) from error
    if not 0 < len(decoded) <= limit:
        raise InputError(f"expected base64 text of 1 to {limit} bytes", where=where)
    return decoded
