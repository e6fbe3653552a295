"""The bytes of a pickle, argument by argument, each bounded: the part of the walk that knows no meaning.

Text opcodes carry their values as lines, binary ones with a length before them (PEP 307, PEP 3154). Long values are
stepped over, never held: a name is short.
"""

import re

from aibom.core.bytesource import ByteSource

MAX_TEXT = 400
_WINDOW = 256 * 1024
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\n": ""}


class BrokenError(Exception):
    """The unpickler would stop here, or we do; turned into a reason or an input error by the scan."""


class PickleBytes:
    """A place in a source, and the readers of opcode arguments there. Long or undecodable text is None."""

    def __init__(self, source: ByteSource, position: int) -> None:
        """Start at `position`."""
        self.position = position
        self._source, self._window, self._buffer, self._start = source, _WINDOW, b"", 0

    def narrow(self, window: int) -> None:
        """Read only so many bytes at a time (at least MAX_TEXT), where little is expected."""
        self._window = window

    def take(self, length: int) -> bytes:
        """The next few bytes."""
        begin = self.position - self._start
        if begin < 0 or begin + length > len(self._buffer):
            self._buffer, self._start, begin = self._source.read(self.position, self._window), self.position, 0
            if len(self._buffer) < length:
                raise BrokenError("it ends in the middle")
        self.position += length
        return self._buffer[begin : begin + length]

    def number(self, width: int, *, signed: bool = False) -> int:
        """A little-endian number."""
        return int.from_bytes(self.take(width), "little", signed=signed)

    def skip(self, length: int) -> None:
        """Step over a value."""
        if not 0 <= length <= self._source.size - self.position:
            raise BrokenError(f"a value of {length} bytes does not fit")
        self.position += length

    def text(self, length: int, encoding: str = "utf-8") -> str | None:
        """A text of known length."""
        if 0 <= length <= MAX_TEXT:
            return _decoded(self.take(length), encoding)
        self.skip(length)
        return None

    def line(self) -> bytes:
        """Up to the next newline; only the beginning is kept of one that is too long to be a name or a number."""
        kept = b""
        while True:
            if not self._start <= self.position < self._start + len(self._buffer):
                self._buffer, self._start = self._source.read(self.position, self._window), self.position
                if not self._buffer:
                    raise BrokenError("it ends in the middle of a line")
            begin = self.position - self._start
            end = self._buffer.find(b"\n", begin)
            kept += self._buffer[begin : min(end if end >= 0 else len(self._buffer), begin + MAX_TEXT + 1)]
            kept = kept[: MAX_TEXT + 1]
            self.position = self._start + (end + 1 if end >= 0 else len(self._buffer))
            if end >= 0:
                return kept

    def text_line(self, encoding: str = "utf-8") -> str | None:
        """A line of text."""
        raw = self.line()
        return None if len(raw) > MAX_TEXT else _decoded(raw, encoding)

    def quoted_line(self) -> str | None:
        """A line that is a quoted literal, as Python 2 wrote it."""
        raw = self.line()
        if len(raw) > MAX_TEXT:
            return None
        if len(raw) < 2 or raw[:1] != raw[-1:] or raw[:1] not in {b"'", b'"'}:
            raise BrokenError("a string has no quotes")
        return _ESCAPE.sub(_unescaped, raw[1:-1].decode("latin-1"))

    def number_line(self) -> int | None:
        """A line that is a whole number; None for a truth value and for what no count can be."""
        raw = self.line().removesuffix(b"L")
        return int(raw) if re.fullmatch(rb"-?[0-9]{1,19}", raw) and raw not in {b"00", b"01"} else None

    def memo_line(self) -> int:
        """A line that is a place in the memo."""
        raw = self.line()
        if not re.fullmatch(rb"[0-9]{1,18}", raw):
            raise BrokenError("a place in the memo is not a number")
        return int(raw)

    def long(self, length: int) -> int | None:
        """A whole number of any width."""
        if 0 <= length <= 8:
            return self.number(length, signed=True)
        self.skip(length)
        return None


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError:
        return None


def _unescaped(match: re.Match[str]) -> str:
    hexadecimal, octal, letter = match.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter if letter in "\\'\"" else f"\\{letter}")
    return chr(int(hexadecimal, 16) if hexadecimal else int(octal, 8) & 0xFF)
