"""What a data file says of its table: columns, rows, who wrote it; and the lines of the tables that are text.

One fact for Parquet, Arrow, delimited text and JSON Lines, so that an account of a data set does not depend on the
format it was saved in. The data itself is never kept: a bill of materials must not repeat personal information.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError

MAX_COLUMNS = 20_000
MAX_COUNTED = 64 * 1024 * 1024
MAX_LINE = 8 * 1024 * 1024
MAX_LINES = 16_000_000
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name, and its type in the words of the format."""

    name: str
    """Empty where the file does not name its columns."""
    type: str = ""
    """Empty where the format has no types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A data file, as its own metadata or its first rows describe it."""

    kind: str
    """`parquet`, `arrow`, `csv`, `tsv` or `json-lines`."""
    columns: tuple[Column, ...]
    """In the order of the file."""
    rows: int | None
    """Rows of data, without a header; None when they were not counted."""
    parts: int | None = None
    """Row groups or record batches; None where the format has none or they were not counted."""
    created_by: str = ""
    """The program that wrote the file, as it names itself."""
    metadata_keys: tuple[str, ...] = ()
    """Names of the key-value metadata in the file."""
    delimiter: str = ""
    """What separates the cells, for delimited text."""
    other_files: tuple[str, ...] = ()
    """Files outside this one that hold some of its data, as named in it."""
    problems: tuple[str, ...] = ()
    """One sentence for each thing that is readable but not as it should be."""

    @property
    def has_huggingface_metadata(self) -> bool:
        """Whether the Hugging Face `datasets` library described the features in the file."""
        return "huggingface" in self.metadata_keys


def text_lines(source: ByteSource, where: str, *, max_bytes: int = MAX_COUNTED) -> Iterator[bytes]:
    """The lines in the first `max_bytes` of a file, each with its line feed; a line that is cut off there is left out.

    Raises InputError for a line that is longer than `MAX_LINE` bytes, and for more than `MAX_LINES` lines.
    """
    end = min(source.size, max_bytes)
    position, rest, number = 0, b"", 0
    while position < end:
        chunk = source.read(position, min(_CHUNK, end - position))
        if not chunk:
            raise InputError(f"expected {source.size} bytes, the file ends sooner", where=f"{where}, byte {position}")
        position += len(chunk)
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            yield line + b"\n"
        if number > MAX_LINES:
            raise InputError(f"more than {MAX_LINES} lines in {position} bytes", where=where)
        if len(rest) > MAX_LINE:
            raise InputError(f"a line of more than {MAX_LINE} bytes", where=f"{where}, line {number + 1}")
    if rest and end == source.size:
        yield rest


def clip_columns(columns: Iterable[Column], count: int) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """At most `MAX_COLUMNS` of `count` columns, and a sentence about the rest if there are more."""
    problems = (f"{count} columns; the first {MAX_COLUMNS} are listed",) if count > MAX_COLUMNS else ()
    return tuple(islice(columns, MAX_COLUMNS)), problems
