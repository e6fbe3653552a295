"""Thrift's compact protocol, read field by field: what the footer of a Parquet file is written in.

A footer lists every chunk of every row group, most of which nobody asks for, so this reads what the caller wants and
skips the rest without building it. Nothing is taken on trust: lengths and counts are held against the bytes that are
left, nesting and the number of values are limited, and nothing recurses. Specification: Apache Thrift, "Thrift compact
protocol".
"""

from collections.abc import Iterator

from aibom.core.errors import InputError

TRUE, FALSE, I8, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
_MAX_DEPTH = 64
_MAX_VALUES = 10_000_000
_MAX_TEXT = 1024 * 1024
_VARINTS = {I16, I32, I64}
_WIDTHS = {TRUE: 1, FALSE: 1, I8: 1, DOUBLE: 8}
_BODY = 0  # on the stack of `skip`: inside a struct, whose fields end with a stop byte
_HINT = "the file is damaged or was cut off; download or export it again"


class CompactReader:
    """A position in compact-protocol bytes. Each method reads one thing and moves past it, or raises InputError."""

    def __init__(self, data: bytes, where: str) -> None:
        """Start at the first byte; `where` names these bytes in errors."""
        self._data = data
        self._where = where
        self._at = 0
        self._values = 0

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return len(self._data) - self._at

    def fields(self) -> Iterator[tuple[int, int]]:
        """(number, type) of each field of a struct; the caller reads or skips each value before it asks for the next.

        Field numbers must ascend, as every writer has them: a field given twice would have two meanings.
        """
        last = 0
        while True:
            head = self._byte()
            self._count(1)
            if head & 15 == 0:
                return
            number = last + (head >> 4) if head >> 4 else self._zigzag()
            if not last < number < 2**15:
                raise self._error(f"field {number} after field {last}: expected ascending numbers")
            last = number
            yield number, head & 15

    def integer(self, kind: int) -> int:
        """An i16, i32 or i64, or an enum."""
        if kind not in _VARINTS:
            raise self._error(f"expected an integer, found type {kind}")
        return self._zigzag()

    def text(self, kind: int) -> str:
        """A string of UTF-8."""
        self._require(kind == BINARY, f"expected a string, found type {kind}")
        length = self._varint()
        self._require(length <= min(self.left, _MAX_TEXT), f"a string of {length} bytes, {self.left} are left")
        raw = self._data[self._at : self._at + length]
        try:
            value = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._error("a string that is not valid UTF-8") from error
        self._at += length
        return value

    def items(self, kind: int, expected: int) -> int:
        """How many items follow, of a list whose items must have the type `expected`."""
        self._require(kind == LIST, f"expected a list, found type {kind}")
        found, count = self._list_header()
        self._require(not count or found == expected, f"expected a list of type {expected}, found type {found}")
        return count

    def skip(self, kind: int) -> None:
        """Move past a field's value of this type, whatever it holds."""
        if kind in {TRUE, FALSE}:
            return  # a field's truth value is its type
        pending: list[list[int]] = []
        self._enter(kind, 1, pending)
        while pending:
            if len(pending) > _MAX_DEPTH:
                raise self._error(f"nested more than {_MAX_DEPTH} levels deep")
            inside = pending[-1]
            if inside[0] == _BODY:
                self._skip_field(pending)
            elif inside[1] == 0:
                pending.pop()
            elif inside[0] == STRUCT:
                inside[1] -= 1
                pending.append([_BODY, 0])
            else:
                inside[1] -= 1
                item, count = self._list_header()
                self._enter(item, count, pending)

    def _skip_field(self, pending: list[list[int]]) -> None:
        head = self._byte()
        self._count(1)
        kind = head & 15
        if kind == 0:
            pending.pop()
            return
        if head < 16:
            self._varint()
        if kind == BINARY:
            self._advance(self._varint())
        elif kind in _VARINTS:
            self._varint()
        elif kind not in {TRUE, FALSE}:
            self._enter(kind, 1, pending)

    def _enter(self, kind: int, count: int, pending: list[list[int]]) -> None:
        """Skip `count` plain values, or put containers on the stack."""
        if not count:
            return  # an empty list may have no type
        if kind in {STRUCT, LIST, SET}:
            self._count(count)
            pending.append([kind, count])
        elif kind in _WIDTHS:
            self._advance(_WIDTHS[kind] * count)
        elif kind == BINARY or kind in _VARINTS:
            self._count(count)
            for _ in range(count):
                number = self._varint()
                if kind == BINARY:
                    self._advance(number)
        else:
            raise self._error(f"values of type {kind} are not used in this format")

    def _list_header(self) -> tuple[int, int]:
        head = self._byte()
        count = self._varint() if head >> 4 == 15 else head >> 4
        if count > len(self._data) - self._at:
            raise self._error(f"a list of {count} items, {self.left} bytes are left")
        return head & 15, count

    # What follows runs for every byte of a footer: it builds no message unless it is needed.

    def _byte(self) -> int:
        at = self._at
        if at >= len(self._data):
            raise self._error("the bytes end too soon")
        self._at = at + 1
        return self._data[at]

    def _varint(self) -> int:
        value = self._byte()
        if value < 0x80:
            return value
        value &= 0x7F
        for shift in range(7, 70, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80 and value < 2**64:
                return value
        raise self._error("a number of more than 64 bits")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _advance(self, length: int) -> None:
        if length > len(self._data) - self._at:
            raise self._error(f"a value of {length} bytes, {self.left} are left")
        self._at += length

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > _MAX_VALUES:
            raise self._error(f"more than {_MAX_VALUES} values")

    def _require(self, condition: bool, message: str) -> None:
        if not condition:
            raise self._error(message)

    def _error(self, message: str) -> InputError:
        return InputError(message, where=f"{self._where}, byte {self._at}", hint=_HINT)
