"""Compressed data, inflated piece by piece and held once.

A kilobyte can inflate to a gigabyte, so everything here stops at a limit. What is kept is kept in chunks: joining them,
or letting one buffer grow, would hold all of it twice.
"""

import bz2
import lzma
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from aibom.core.bytesource import ByteSource

MAX_INFLATED = 256 * 1024 * 1024
"""Of one file's contents, at one time."""
CHUNK = 1024 * 1024
_READ = 64 * 1024
_MAX_LZMA_MEMORY = 128 * 1024 * 1024
DAMAGED = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)
"""What the standard library raises for damaged data, by kind of compression."""


class _Engine(Protocol):
    """A decompressor that can be asked for a limited number of bytes at a time."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Zlib:
    """The one decompressor that keeps what it has not consumed to its caller."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


class Inflation:
    """A stretch of compressed data in a source, on the way to its end."""

    def __init__(self, engine: _Engine, source: ByteSource, start: int, end: int) -> None:
        """Start before the first byte."""
        self._engine, self._source, self._at, self._end = engine, source, start, end

    @property
    def is_whole(self) -> bool:
        """Whether the data ended by its own account, just where the stretch ends."""
        return self._engine.eof and self._at >= self._end and not self._engine.unused_data

    def pieces(self, most: int = CHUNK) -> Iterator[bytes]:
        """The content, at most so many bytes at a time. Raises one of DAMAGED."""
        while not self._engine.eof:
            wanted = min(_READ, max(0, self._end - self._at)) if self._engine.needs_input else 0
            data = self._source.read(self._at, wanted) if wanted else b""
            is_over = self._engine.needs_input and not data
            self._at += len(data)
            piece = self._engine.decompress(data, most)
            yield piece
            if is_over and not piece:
                return


def deflated(source: ByteSource, start: int, end: int) -> Inflation:
    """Data without a header, as in zip archives."""
    return Inflation(_Zlib(-15), source, start, end)


def bzipped(source: ByteSource) -> Inflation:
    """A whole file of bzip2."""
    return Inflation(bz2.BZ2Decompressor(), source, 0, source.size)


def xzipped(source: ByteSource) -> Inflation:
    """A whole file of xz, or of the older lzma."""
    return Inflation(lzma.LZMADecompressor(memlimit=_MAX_LZMA_MEMORY), source, 0, source.size)


def zipped(source: ByteSource) -> Inflation:
    """A whole file of zlib or gzip, whichever its header says."""
    return Inflation(_Zlib(47), source, 0, source.size)


@dataclass(frozen=True, slots=True)
class ChunkedSource:
    """Chunks of CHUNK bytes each, the last one shorter, as a source."""

    chunks: tuple[bytes, ...]
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """The bytes at a place; only the chunks that they lie in are joined."""
        end = min(offset + length, self.size)
        if offset >= end:
            return b""
        first, last = offset // CHUNK, (end - 1) // CHUNK
        begin, after = offset - first * CHUNK, end - first * CHUNK
        parts = self.chunks[first : last + 1]
        return (parts[0] if first == last else b"".join(parts))[begin:after]


def held(pieces: Iterable[bytes], limit: int) -> ChunkedSource:
    """All pieces; where there are more bytes than `limit`, it is larger than that, and not complete."""
    chunks: list[bytes] = []
    rest, size = bytearray(), 0
    for piece in pieces:
        rest += piece
        size += len(piece)
        while len(rest) >= CHUNK:
            chunks.append(bytes(memoryview(rest)[:CHUNK]))
            del rest[:CHUNK]
        if size > limit:
            break
    return ChunkedSource((*chunks, bytes(rest)), size)
