"""Which key in which token: PKCS #11 URIs (RFC 7512), as far as they name a private key. Pure.

A PIN in the URI is refused: arguments are seen by everybody on a computer, and stay in the shell's history.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from aibom.core.errors import UsageError

_SCHEME = "pkcs11:"
_PATH = frozenset({"token", "manufacturer", "serial", "model", "slot-id", "object", "id", "type"})
_QUERY = frozenset({"module-path", "pin-source"})
_WHERE = "--pkcs11-uri"
_EXAMPLE = "for example pkcs11:token=release;object=signing?module-path=/usr/lib/softhsm/libsofthsm2.so"
_MAX_TEXT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceUri:
    """What a URI says; empty or None where it says nothing."""

    token: str = ""
    manufacturer: str = ""
    serial: str = ""
    model: str = ""
    slot: int | None = None
    object: str = ""
    id: bytes = b""
    module_path: str = ""
    pin_file: str = ""


def parse_pkcs11_uri(text: str) -> DeviceUri:
    """Read a URI. Raises UsageError naming the attribute at fault, and never its value."""
    if not text.startswith(_SCHEME) or len(text) > _MAX_TEXT:
        raise UsageError("not a PKCS #11 URI", where=_WHERE, hint=_EXAMPLE)
    path, _, query = text.removeprefix(_SCHEME).partition("?")
    found, asked = _attributes(path, ";"), _attributes(query, "&")
    if "pin-value" in asked:
        raise UsageError(
            "a PIN in an argument is seen by everybody on this computer",
            where=f"{_WHERE}, pin-value",
            hint="set AIBOM_PKCS11_PIN, or give pin-source=file:PATH; and change the PIN that was shown",
        )
    for name in [*(found.keys() - _PATH), *(asked.keys() - _QUERY)]:
        raise UsageError(f"the attribute {name[:40]!r} is not supported", where=_WHERE, hint=_EXAMPLE)
    if found.get("type", b"private") != b"private":
        raise UsageError("signing needs a private key (type=private)", where=f"{_WHERE}, type", hint=_EXAMPLE)
    return DeviceUri(
        token=_text(found, "token"),
        manufacturer=_text(found, "manufacturer"),
        serial=_text(found, "serial"),
        model=_text(found, "model"),
        slot=_slot(found),
        object=_text(found, "object"),
        id=found.get("id", b""),
        module_path=_text(asked, "module-path"),
        pin_file=_pin_file(_text(asked, "pin-source")),
    )


def _attributes(text: str, separator: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else []:
        name, equals, value = part.partition("=")
        if not equals or not re.fullmatch(r"[a-z0-9-]+", name):
            raise UsageError("an attribute is not of the form name=value", where=_WHERE, hint=_EXAMPLE)
        if name in found:
            raise UsageError(f"the attribute {name[:40]!r} stands there twice", where=_WHERE)
        if re.search(r"%(?![0-9A-Fa-f]{2})", value):
            raise UsageError("a % must be followed by two hexadecimal digits", where=f"{_WHERE}, {name[:40]}")
        found[name] = unquote_to_bytes(value)
    return found


def _text(found: dict[str, bytes], name: str) -> str:
    try:
        text = found.get(name, b"").decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("not UTF-8", where=f"{_WHERE}, {name}") from None
    if "\0" in text:
        raise UsageError("a NUL character", where=f"{_WHERE}, {name}")
    return text


def _slot(found: dict[str, bytes]) -> int | None:
    number = _text(found, "slot-id")
    if number and not re.fullmatch(r"[0-9]{1,20}", number, re.ASCII):
        raise UsageError("a slot is named by a number", where=f"{_WHERE}, slot-id")
    return int(number) if number else None


def _pin_file(source: str) -> str:
    if source and not source.startswith("file:"):
        raise UsageError("a PIN may only come from a file", where=f"{_WHERE}, pin-source", hint="pin-source=file:PATH")
    path = source.removeprefix("file:")
    return path.removeprefix("//") if path.startswith("///") else path
