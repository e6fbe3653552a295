"""FlatBuffers tables, read without generated code: what the metadata of Arrow files is written in.

Every value stands at an offset that the file gives, so each is held against the bytes there are before it is read. Two
offsets may lead to one table; whoever walks tables must therefore count them, not only limit the depth. Specification:
FlatBuffers, "Internals".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aibom.core.errors import InputError

_HINT = "the file is damaged or was cut off; download or export it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatTable:
    """One table at a position in a buffer. Fields are named by their place in the schema, from 0."""

    data: bytes
    start: int
    where: str

    def has(self, index: int) -> bool:
        """Whether a field is there."""
        return self._slot(index) != 0

    def integer(self, index: int, width: int, default: int = 0) -> int:
        """A signed integer of `width` bytes."""
        slot = self._slot(index)
        return self._int(slot, width, signed=True) if slot else default

    def text(self, index: int, limit: int = 4096) -> str:
        """A string of at most `limit` bytes; empty if it is not there."""
        slot = self._slot(index)
        if not slot:
            return ""
        start = self._follow(slot)
        length = self._int(start, 4)
        if length > min(limit, len(self.data) - start - 4):
            raise self._error(f"a string of {length} bytes; at most {limit} are read", start)
        try:
            return self.data[start + 4 : start + 4 + length].decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._error("a string that is not valid UTF-8", start) from error

    def table(self, index: int) -> "FlatTable | None":
        """The table in a field, if it is there."""
        slot = self._slot(index)
        return FlatTable(data=self.data, start=self._follow(slot), where=self.where) if slot else None

    def vector(self, index: int, width: int) -> tuple[int, int]:
        """(position, count) of a vector of items of `width` bytes, all inside the buffer."""
        slot = self._slot(index)
        if not slot:
            return 0, 0
        start = self._follow(slot)
        count = self._int(start, 4)
        if count * width > len(self.data) - start - 4:
            raise self._error(f"a vector of {count} items reaches beyond the end", start)
        return start + 4, count

    def tables(self, index: int) -> Iterator["FlatTable"]:
        """The tables in a vector of tables."""
        start, count = self.vector(index, 4)
        for position in range(start, start + 4 * count, 4):
            yield FlatTable(data=self.data, start=self._follow(position), where=self.where)

    def _slot(self, index: int) -> int:
        """Where a field's value stands; 0 if the field is not there."""
        table = self.start - self._int(self.start, 4, signed=True)
        if table < 0 or table > len(self.data):
            raise self._error("a table whose list of fields is outside the buffer", self.start)
        entry = 4 + 2 * index
        if entry + 2 > self._int(table, 2):
            return 0
        offset = self._int(table + entry, 2)
        return self.start + offset if offset else 0

    def _follow(self, position: int) -> int:
        return position + self._int(position, 4)

    def _int(self, position: int, width: int, *, signed: bool = False) -> int:
        if position + width > len(self.data):
            raise self._error(f"expected {width} bytes, the buffer ends at byte {len(self.data)}", position)
        return int.from_bytes(self.data[position : position + width], "little", signed=signed)

    def _error(self, message: str, position: int) -> InputError:
        return InputError(message, where=f"{self.where}, byte {position}", hint=_HINT)


def root_table(data: bytes, where: str) -> FlatTable:
    """The table that a buffer starts with."""
    if len(data) < 8:
        raise InputError(f"too short for a FlatBuffers table: {len(data)} bytes", where=where, hint=_HINT)
    return FlatTable(data=data, start=int.from_bytes(data[:4], "little"), where=where)
