"""NumPy's array files: one array (`.npy`), and a zip archive of them (`.npz`).

The header is a Python literal, read here by a parser that knows only the few forms a header can take. An array of
objects holds a pickle, which is scanned. Format: NumPy Enhancement Proposal 1, versions 1.0 to 3.0.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats.pickle_globals import Safety, worst
from aibom.formats.pickle_stream import PickleScan, scan_pickle
from aibom.formats.zip_members import DEFLATED, ZipMember, list_zip, member_source

MAGIC = b"\x93NUMPY"
MAX_HEADER = 64 * 1024
MAX_DEPTH = 8
MAX_DIMENSIONS = 64
MAX_ARRAYS = 10_000
MAX_MEMBER = 64 * 1024 * 1024
MAX_INFLATED = 512 * 1024 * 1024
_HINT = "the file is damaged or was not written by NumPy; save it again"
_TOKEN = re.compile(
    r"[ \t\n]*+(?:(?P<mark>[()\[\]{},:])|'(?P<single>[^'\\\n]*+)'|\"(?P<double>[^\"\\\n]*+)\""
    r"|(?P<number>[0-9]{1,19})L?|(?P<word>True|False|None))"
)
_Literal = str | int | bool | None | tuple["_Literal", ...] | dict[str, "_Literal"]
_CLOSING = {"(": ")", "[": "]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NpyArray:
    """One array: its header, and what its objects would do if it holds any."""

    dtype: str
    """Element type as NumPy writes it, as `<f4`; for records each field as `name:type`."""
    shape: tuple[int, ...]
    fortran_order: bool
    version: str
    scan: PickleScan | None
    """Of the pickle that an array of objects holds; None for plain numbers."""
    problems: tuple[str, ...]

    @property
    def elements(self) -> int:
        """How many elements it holds."""
        return math.prod(self.shape)

    @property
    def safety(self) -> Safety:
        """Plain numbers are harmless; objects are what their pickle is."""
        return self.scan.safety if self.scan else Safety.CLEAN


@dataclass(frozen=True, slots=True, kw_only=True)
class NpzArchive:
    """Several arrays by name, and what does not fit together."""

    arrays: tuple[tuple[str, NpyArray], ...]
    problems: tuple[str, ...]

    @property
    def safety(self) -> Safety:
        """The worst of its arrays; unknown where a part of it cannot be read."""
        doubt = [Safety.UNKNOWN] if self.problems else []
        return worst(*(array.safety for _, array in self.arrays), *doubt)


def parse_npy(source: ByteSource, where: str) -> NpyArray:
    """Read one array's header. Raises InputError with the byte at fault."""
    prefix = source.read(0, 12)
    if prefix[:6] != MAGIC or len(prefix) < 10:
        raise InputError("does not start as an array of NumPy's", where=f"{where}, byte 0", hint=_HINT)
    major, minor = prefix[6], prefix[7]
    if major not in {1, 2, 3}:
        raise InputError(f"format version {major}.{minor}; 1 to 3 are read", where=f"{where}, byte 6", hint=_HINT)
    width = 2 if major == 1 else 4
    length, start = int.from_bytes(prefix[8 : 8 + width], "little"), 8 + width
    if length > MAX_HEADER or start + length > source.size:
        raise InputError(
            f"the header is said to be {length} bytes long; the file has {source.size} and {MAX_HEADER} are read",
            where=f"{where}, byte 8",
            hint=_HINT,
        )
    raw = source.read(start, length)
    header = _header(raw, "utf-8" if major == 3 else "latin-1", f"{where}, header")
    codes = list(_codes(header["descr"]))
    shape = header["shape"]
    if not isinstance(shape, tuple) or len(shape) > MAX_DIMENSIONS or not codes:
        raise InputError("shape or descr is not what NumPy writes", where=f"{where}, header", hint=_HINT)
    sizes = tuple(size for size in shape if type(size) is int)
    if len(sizes) != len(shape) or type(header["fortran_order"]) is not bool:
        raise InputError("shape or fortran_order is not what NumPy writes", where=f"{where}, header", hint=_HINT)
    held = any("O" in code for _, code in codes)
    return NpyArray(
        dtype=", ".join(f"{name}:{code}" if name else code for name, code in codes),
        shape=sizes,
        fortran_order=header["fortran_order"] is True,
        version=f"{major}.{minor}",
        scan=scan_pickle(source, where, offset=start + length) if held else None,
        problems=() if held else _size_problems(codes, sizes, header["descr"], source.size - start - length),
    )


def parse_npz(source: ByteSource, where: str) -> NpzArchive:
    """Read the headers of all arrays in an archive. Raises InputError if it is no zip archive."""
    listing = list_zip(source, where)
    if len(listing.members) > MAX_ARRAYS:
        raise InputError(f"{len(listing.members)} arrays; at most {MAX_ARRAYS} are read", where=where)
    arrays, problems, budget = [], list(listing.problems), MAX_INFLATED
    for member in listing.members:
        name = member.name[:120]
        try:
            content = _content(source, member, budget, where)
            array = parse_npy(content, f"{where}, member {name!r}")
            budget -= content.size if member.method == DEFLATED or array.scan else 0
            arrays.append((member.name.removesuffix(".npy"), array))
        except InputError as error:
            problems.append(f"{name!r} is not an array that can be read: {error.message}")
    return NpzArchive(arrays=tuple(arrays), problems=tuple(problems))


def _content(source: ByteSource, member: ZipMember, budget: int, where: str) -> ByteSource:
    """A member's content; a compressed one is inflated, within what is left to inflate."""
    if budget <= 0 or (member.method == DEFLATED and member.size > min(MAX_MEMBER, budget)):
        raise InputError(f"{member.size} bytes; at most {max(0, min(MAX_MEMBER, budget))} are inflated", where=where)
    return member_source(source, member, min(MAX_MEMBER, budget), where)


def _header(raw: bytes, encoding: str, where: str) -> dict[str, _Literal]:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError("the header is not valid text", where=where, hint=_HINT) from error
    tokens = list(_tokens(text, where))
    value, end = _value(tokens, 0, 0, where)
    if end != len(tokens) or not isinstance(value, dict) or set(value) != {"descr", "fortran_order", "shape"}:
        raise InputError("the header must hold exactly descr, fortran_order and shape", where=where, hint=_HINT)
    return value


def _tokens(text: str, where: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.rstrip(" \n\0")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InputError("the header holds what no header needs", where=f"{where}, character {at}", hint=_HINT)
        kind = match.lastgroup or ""
        yield ("text" if kind in {"single", "double"} else kind), match.group(kind)
        at = match.end()


def _value(tokens: list[tuple[str, str]], at: int, depth: int, where: str) -> tuple[_Literal, int]:
    """The literal at a place, and the place behind it."""
    if at >= len(tokens) or depth > MAX_DEPTH:
        raise InputError(f"the header ends early or is nested more than {MAX_DEPTH} deep", where=where, hint=_HINT)
    kind, text = tokens[at]
    if kind == "text":
        return text, at + 1
    if kind == "number":
        return int(text), at + 1
    if kind == "word":
        return {"True": True, "False": False, "None": None}[text], at + 1
    if text == "{":
        return _dict(tokens, at + 1, depth, where)
    if text not in _CLOSING:
        raise InputError(f"unexpected {text!r} in the header", where=where, hint=_HINT)
    items: list[_Literal] = []
    at += 1
    while at < len(tokens) and tokens[at] != ("mark", _CLOSING[text]):
        item, at = _value(tokens, at, depth + 1, where)
        items.append(item)
        at = _after_comma(tokens, at, _CLOSING[text], where)
    return tuple(items), at + 1


def _dict(tokens: list[tuple[str, str]], at: int, depth: int, where: str) -> tuple[dict[str, _Literal], int]:
    found: dict[str, _Literal] = {}
    while at < len(tokens) and tokens[at] != ("mark", "}"):
        kind, key = tokens[at]
        if kind != "text" or key in found or tokens[at + 1 : at + 2] != [("mark", ":")]:
            raise InputError("a key in the header is no text, or occurs twice", where=where, hint=_HINT)
        found[key], at = _value(tokens, at + 2, depth + 1, where)
        at = _after_comma(tokens, at, "}", where)
    return found, at + 1


def _after_comma(tokens: list[tuple[str, str]], at: int, closing: str, where: str) -> int:
    if at >= len(tokens) or tokens[at] not in {("mark", ","), ("mark", closing)}:
        raise InputError(f"expected ',' or {closing!r} in the header", where=where, hint=_HINT)
    return at + 1 if tokens[at] == ("mark", ",") else at


def _codes(descr: _Literal) -> Iterator[tuple[str, str]]:
    """Field name and element type, of a plain type or of records; nothing for what is neither."""
    if isinstance(descr, str):
        yield "", descr
    elif isinstance(descr, tuple):
        for field in descr:
            if isinstance(field, tuple) and len(field) >= 2:
                name = field[0] if isinstance(field[0], str) else str(field[0])
                yield from ((name + (f".{sub}" if sub else ""), code) for sub, code in _codes(field[1]))


def _size_problems(codes: list[tuple[str, str]], shape: tuple[int, ...], descr: _Literal, held: int) -> tuple[str, ...]:
    """Only a plain type's width is certain: fields of records can be arrays themselves."""
    match = re.fullmatch(r"[<>|=]?([a-zA-Z?])([0-9]{0,9})(?:\[.*\])?", codes[0][1]) if isinstance(descr, str) else None
    if match is None or not match[2]:
        return ()
    needed = math.prod(shape) * int(match[2]) * (4 if match[1] == "U" else 1)
    return () if needed == held else (f"shape and type need {needed} bytes, the file holds {held}",)
