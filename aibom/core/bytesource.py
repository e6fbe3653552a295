"""Bytes that can be read in any order, so that a reader takes the parts it needs of a file too large to hold."""

from dataclasses import dataclass
from typing import Protocol


class ByteSource(Protocol):
    """A file's bytes. Readers of untrusted formats ask for what they need, each time bounded by themselves."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """The bytes at `offset`: as many as asked for, fewer only at the end, none beyond it.

        `offset` and `length` must not be negative.
        """
        ...


@dataclass(frozen=True, slots=True)
class BytesSource:
    """Bytes that are in memory already."""

    data: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """A slice."""
        return self.data[offset : offset + length]
