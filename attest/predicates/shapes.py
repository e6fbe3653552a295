"""A small language for what a predicate must hold: tables of fields, each with a check of its value.

A check takes a value and where it stands, and raises InputError with what was expected and what was found. Fields that
a table does not name are let through, as in-toto's parsing rules demand; an optional field that is null is one left
out. Nothing recurses by what the data says, so that a check takes no longer than the document is.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from aibom.core.errors import InputError
from aibom.core.strictjson import type_name

Check = Callable[[Any, str], None]

MAX_URI = 8192
_MAX_TEXT = 100_000
_SHOWN = 60
_MISSING = object()
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f-\x9f]+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(\.\d{1,30})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_HEX = re.compile(r"[0-9a-f]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
# Of the algorithms that in-toto names: how many hexadecimal digits a value has (DigestSet v1.1). A name that is not
# here may be anybody's own, with an encoding of its own.
_LENGTHS: Mapping[str, tuple[int, ...]] = {
    "md5": (32,),
    "sha1": (40,),
    "ripemd160": (40,),
    "sha224": (56,),
    "sha512_224": (56,),
    "sha3_224": (56,),
    "sha256": (64,),
    "sha512_256": (64,),
    "sha3_256": (64,),
    "blake2s": (64,),
    "sm3": (64,),
    "gost": (64,),
    "dirHash": (64,),
    "sha384": (96,),
    "sha3_384": (96,),
    "sha512": (128,),
    "sha3_512": (128,),
    "blake2b": (64, 128),
    "gitCommit": (40, 64),
    "gitTree": (40, 64),
    "gitBlob": (40, 64),
    "gitTag": (40, 64),
}


def refuse(expected: str, value: Any, where: str) -> NoReturn:
    """Raise InputError for a value that is not what it must be."""
    if value is _MISSING:
        found = "nothing: the field is required"
    else:
        found = repr(value[:_SHOWN]) if isinstance(value, str) else type_name(value)
    raise InputError(f"expected {expected}, found {found}", where=where)


@dataclass(frozen=True, slots=True)
class _Record:
    """An object with some fields, and any others."""

    required: Mapping[str, Check]
    optional: Mapping[str, Check]

    def __call__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            refuse("an object", value, where)
        for key, inner in self.required.items():
            inner(value.get(key, _MISSING), f"{where}.{key}")
        for key, inner in self.optional.items():
            if value.get(key) is not None:
                inner(value[key], f"{where}.{key}")


@dataclass(frozen=True, slots=True)
class _Both:
    checks: tuple[Check, ...]

    def __call__(self, value: Any, where: str) -> None:
        for inner in self.checks:
            inner(value, where)


@dataclass(frozen=True, slots=True)
class _Listing:
    item: Check
    at_least: int

    def __call__(self, value: Any, where: str) -> None:
        if not isinstance(value, list) or len(value) < self.at_least:
            refuse(f"an array of at least {self.at_least}" if self.at_least else "an array", value, where)
        for index, inner in enumerate(value):
            self.item(inner, f"{where}[{index}]")


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields, and any others."""
    return _Record(required, optional or {})


def both(*checks: Check) -> Check:
    """Every one of these."""
    return _Both(checks)


def listing(item: Check, *, at_least: int = 0) -> Check:
    """An array of these."""
    return _Listing(item, at_least)


def mapping(item: Check) -> Check:
    """An object whose values are these, under any names."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            refuse("an object", value, where)
        for key, inner in value.items():
            item(inner, f"{where}.{key[:_SHOWN]}")

    return check


def known_fields(check: Check) -> Mapping[str, Check]:
    """The fields that a check of an object names, with their checks; none for other checks."""
    if isinstance(check, _Both):
        return {key: inner for part in check.checks for key, inner in known_fields(part).items()}
    if isinstance(check, _Descriptor):
        return known_fields(_DESCRIPTOR)
    return {**check.required, **check.optional} if isinstance(check, _Record) else {}


def item_check(check: Check) -> Check | None:
    """The check of each item, for a check of an array."""
    return check.item if isinstance(check, _Listing) else None


def one_of(*words: str) -> Check:
    """One of these words."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, str) or value not in words:
            refuse(f"one of {', '.join(words)}", value, where)

    return check


def anything(value: Any, where: str) -> None:
    """Any value, but one."""
    if value is _MISSING:
        refuse("a value", value, where)


def text(value: Any, where: str) -> None:
    """A text that is not empty."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        refuse(f"a text of 1 to {_MAX_TEXT} characters", value, where)


def obj(value: Any, where: str) -> None:
    """An object with any fields."""
    if not isinstance(value, dict):
        refuse("an object", value, where)


def count(value: Any, where: str) -> None:
    """A whole number, not negative."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        refuse("a whole number that is not negative", value, where)


def is_uri(value: str) -> bool:
    """Whether a text is an absolute URI (RFC 3986, letters beyond ASCII let through as in RFC 3987)."""
    return len(value) <= MAX_URI and _URI.fullmatch(value) is not None


def uri(value: Any, where: str) -> None:
    """An absolute URI (in-toto's TypeURI and ResourceURI)."""
    if not isinstance(value, str) or not is_uri(value):
        refuse(f"an absolute URI of at most {MAX_URI} characters", value, where)


def timestamp(value: Any, where: str) -> None:
    """A date and time as in RFC 3339, with its offset from UTC."""
    expected = "a time such as 2026-01-31T12:00:00Z (RFC 3339)"
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        refuse(expected, value, where)
    date, minutes, seconds, _, offset = match.groups()
    try:
        zone = "+00:00" if offset in "Zz" else offset
        datetime.fromisoformat(f"{date}T{minutes}:{'59' if seconds == '60' else seconds}{zone}")
    except ValueError:
        refuse(expected, value, where)


def digest_set(value: Any, where: str) -> None:
    """Digests by algorithm; those that in-toto names in lower-case hexadecimal of their length."""
    if not isinstance(value, dict) or not value:
        refuse("digests by algorithm", value, where)
    for algorithm, digest in value.items():
        place = f"{where}.{algorithm[:_SHOWN]}"
        text(digest, place)
        lengths = _LENGTHS.get(algorithm)
        if lengths and (len(digest) not in lengths or not _HEX.fullmatch(digest)):
            refuse(f"{' or '.join(map(str, lengths))} lower-case hexadecimal digits", digest, place)


def base64_text(value: Any, where: str) -> None:
    """Bytes in base64."""
    if not isinstance(value, str) or not _BASE64.fullmatch(value):
        refuse("base64", value, where)


_DESCRIPTOR = record(
    {},
    {
        "name": text,
        "uri": uri,
        "digest": lambda value, where: digest_set(value, where) if value != {} else None,
        "content": base64_text,
        "downloadLocation": uri,
        "mediaType": text,
        "annotations": obj,
    },
)


@dataclass(frozen=True, slots=True)
class _Descriptor:
    required: tuple[str, ...]

    def __call__(self, value: Any, where: str) -> None:
        _DESCRIPTOR(value, where)
        for key in self.required:
            if not value.get(key):
                refuse(f"a {key}", value.get(key, _MISSING), f"{where}.{key}")
        if not any(value.get(key) for key in ("uri", "digest", "content")):
            raise InputError("expected a uri, digest or content, found none of them", where=where)


def descriptor(*required: str) -> Check:
    """An in-toto ResourceDescriptor v1: a uri, digest or content at least, and these fields."""
    return _Descriptor(required)
