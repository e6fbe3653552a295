"""Protocol Buffers without a schema: the fields of a message, one after another, skipping what is not wanted.

A model in this encoding holds gigabytes of tensors; the libraries load them all before they give the first name. Here a
field is only its number and its place, so that bytes nobody asks for are never read. Wire format:
https://protobuf.dev/programming-guides/encoding/
"""

import codecs
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError

MAX_FIELDS = 2_000_000
MAX_TEXT = 64 * 1024 * 1024
MAX_NAME = 4096
_MAX_NUMBER = 2**29 - 1
_MAX_VARINT = 10
_WINDOW = 16 * 1024
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_WIDTHS = {_FIXED64: 8, _FIXED32: 4}
_KINDS = {_VARINT: "a number", _FIXED64: "8 bytes", _BYTES: "a message or text", _FIXED32: "4 bytes"}
_HINT = "the file is damaged, cut off, or not of the kind that its name says"


class Field(NamedTuple):
    """One field: its number and wire type, and its number or the place of its bytes."""

    number: int
    kind: int
    value: int
    """The number, unsigned, if `kind` is that of a number."""
    start: int
    end: int


class ProtobufFile:
    """Walks the messages of one file. All bounds hold for the whole file, however its messages nest."""

    def __init__(self, source: ByteSource, where: str) -> None:
        """Take the file's bytes and its name for errors."""
        self._source = source
        self._where = where
        self._base = 0
        self._window = b""
        self._fields_left = MAX_FIELDS
        self._text_left = MAX_TEXT

    @property
    def whole(self) -> Field:
        """The outermost message: the file."""
        return Field(0, _BYTES, 0, 0, self._source.size)

    def fields(self, message: Field) -> Iterator[Field]:
        """The fields of a message in file order. Raises InputError where the encoding is broken."""
        if message.kind != _BYTES:
            raise self._wrong_kind(message, _BYTES)
        position, end = message.start, message.end
        while position < end:
            self._spend(position)
            field = self._field(position, end)
            yield field
            position = field.end

    def collect(self, message: Field, wanted: Mapping[int, int]) -> dict[int, list[Field]]:
        """The wanted fields of a message: field number -> how often it may occur at most.

        A reader takes the last of a field that must stand once, another may take the first: such a file is refused.
        """
        found: dict[int, list[Field]] = {number: [] for number in wanted}
        for field in self.fields(message):
            same = found.get(field.number)
            if same is None:
                continue
            if len(same) == wanted[field.number]:
                raise self.error(f"field {field.number} occurs more than {len(same)} times in its message", field.start)
            same.append(field)
        return found

    def number(self, field: Field) -> int:
        """A whole number, unsigned."""
        if field.kind != _VARINT:
            raise self._wrong_kind(field, _VARINT)
        return field.value

    def signed(self, field: Field) -> int:
        """A whole number in two's complement, as int32, int64 and enumerations are stored."""
        value = self.number(field)
        return value - 2**64 if value >= 2**63 else value

    def numbers(self, field: Field, at_most: int) -> list[int]:
        """What one field adds to a list of whole numbers: itself, or many if they are packed. Signed."""
        if field.kind == _VARINT:
            return [self.signed(field)]
        if field.kind != _BYTES:
            raise self._wrong_kind(field, _BYTES)
        found: list[int] = []
        position = field.start
        while position < field.end:
            if len(found) == at_most:
                raise self.error(f"a list of more than {at_most} numbers", position)
            self._spend(position)
            value, position = self._varint(position, field.end)
            found.append(value - 2**64 if value >= 2**63 else value)
        return found

    def text(self, field: Field, limit: int = MAX_NAME) -> str:
        """A text of at most `limit` bytes."""
        if field.kind == _BYTES and field.end - field.start > limit:
            raise self.error(f"a text of {field.end - field.start} bytes; at most {limit} are read", field.start)
        return self.beginning(field, limit)

    def beginning(self, field: Field, limit: int) -> str:
        """The first characters of a text, up to `limit` bytes."""
        if field.kind != _BYTES:
            raise self._wrong_kind(field, _BYTES)
        length = min(field.end - field.start, limit)
        self._text_left -= length
        if self._text_left < 0:
            raise self.error(f"more than {MAX_TEXT} bytes of names", field.start)
        raw = self._read(field.start, length)
        if len(raw) != length:
            raise self.error("the file became shorter while it was read", field.start)
        try:
            if field.start + length == field.end:
                return raw.decode("utf-8")
            # A text that is cut may end within a character.
            return codecs.getincrementaldecoder("utf-8")().decode(raw)
        except UnicodeDecodeError as error:
            raise self.error("not valid UTF-8", field.start + error.start) from error

    def last_text(self, found: list[Field], limit: int = MAX_NAME) -> str:
        """The text of a field that `collect` let occur once; empty if it is absent."""
        return self.text(found[-1], limit) if found else ""

    def error(self, message: str, position: int) -> InputError:
        """An error at a byte of this file."""
        return InputError(message, where=f"{self._where}, byte {position}", hint=_HINT)

    def _spend(self, position: int) -> None:
        self._fields_left -= 1
        if self._fields_left < 0:
            raise self.error(f"more than {MAX_FIELDS} fields and numbers", position)

    def _field(self, position: int, end: int) -> Field:
        key, after = self._varint(position, end)
        number, kind = key >> 3, key & 7
        if not 0 < number <= _MAX_NUMBER:
            raise self.error(f"{number} is not a field number", position)
        if kind == _VARINT:
            value, stop = self._varint(after, end)
            return Field(number, kind, value, after, stop)
        if kind == _BYTES:
            length, after = self._varint(after, end)
        elif kind in _FIXED_WIDTHS:
            length = _FIXED_WIDTHS[kind]
        else:
            raise self.error(f"field {number} has the wire type {kind}, which is not in use", position)
        if length > end - after:
            raise self.error(f"field {number} needs {length} bytes, {end - after} are left in its message", after)
        return Field(number, kind, 0, after, after + length)

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        index = position - self._base
        if index < 0 or index + _MAX_VARINT > len(self._window):
            self._fill(position)
            index = position - self._base
        octets = self._window[index : index + min(_MAX_VARINT, end - position)]
        if octets and octets[0] < 0x80:
            return octets[0], position + 1  # nearly all of them
        value = shift = 0
        for byte in octets:
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if value >= 2**64:
                    raise self.error("a number of more than 64 bits", position)
                return value, position + shift // 7
        raise self.error("a number that does not end", position)

    def _fill(self, position: int) -> None:
        # Not again for the last bytes of the file: they are in the window as far as they exist.
        if self._window and position >= self._base and self._base + len(self._window) == self._source.size:
            return
        self._window = self._source.read(position, _WINDOW)
        self._base = position

    def _read(self, position: int, length: int) -> bytes:
        index = position - self._base
        if index >= 0 and index + length <= len(self._window):
            return self._window[index : index + length]
        return self._source.read(position, length)

    def _wrong_kind(self, field: Field, kind: int) -> InputError:
        return self.error(f"field {field.number}: expected {_KINDS[kind]}, found {_KINDS[field.kind]}", field.start)
