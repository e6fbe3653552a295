"""Delimited text, CSV and TSV: the header row, the delimiter, and how many rows there are.

Whether the first row names the columns is written nowhere. A first row with a number or a repeated name in it is taken
for data, so that the bill of materials does not publish somebody's values as column names. Quoting follows RFC 4180
as Python's csv module reads it.
"""

import csv
from collections.abc import Iterator

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats.table import MAX_COLUMNS, MAX_COUNTED, MAX_LINE, Column, Table, clip_columns, text_lines

DELIMITERS = ",;\t|"
_SNIFFED_LINES = 20
_SNIFFED_BYTES = 1024 * 1024
_MAX_NAME = 200
_HINT = "save the table as UTF-8 text with one delimiter throughout"


class _Lines:
    """Decoded lines for the csv module, with a bound on one row: a quote left open would make the rest one cell."""

    def __init__(self, source: ByteSource, where: str, max_bytes: int) -> None:
        self._raw = text_lines(source, where, max_bytes=max_bytes)
        self._where = where
        self.number = 0
        self.row_size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = next(self._raw)
        self.number += 1
        self.row_size += len(raw)
        if self.row_size > MAX_LINE:
            raise self.error(f"a row of more than {MAX_LINE} bytes; is a quote left open?")
        if b"\0" in raw:
            raise self.error("not text: a zero byte")
        try:
            return raw.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise self.error(f"not valid UTF-8, byte {error.start} of the line") from error

    def error(self, message: str) -> InputError:
        return InputError(message, where=f"{self._where}, line {self.number}", hint=_HINT)


def parse_delimited(source: ByteSource, where: str) -> Table:
    """Read delimited text; `where` ends in the file's suffix. Rows are counted up to `MAX_COUNTED` bytes.

    Raises InputError with the line at fault for what is not UTF-8 text or not a table.
    """
    # The limit is the process's own and lower than long documents in a cell; what bounds a row is MAX_LINE.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
    delimiter = "\t" if where.lower().endswith(".tsv") else _sniff(source, where)
    whole = source.size <= MAX_COUNTED
    lines = _Lines(source, where, MAX_COUNTED if whole else 2 * MAX_LINE)
    rows = _rows(lines, delimiter)
    first = next(rows, [])
    named = _names_columns(first[:MAX_COLUMNS])
    columns, problems = clip_columns((Column(name=cell.strip() if named else "") for cell in first), len(first))
    count: int | None = None
    if whole:
        count, uneven = _count(rows, len(first), lines)
        count += 0 if named or not first else 1
        problems += (uneven,) if uneven else ()
    kind = "tsv" if delimiter == "\t" else "csv"
    return Table(kind=kind, columns=columns, rows=count, delimiter=delimiter, problems=problems)


def _rows(lines: _Lines, delimiter: str) -> Iterator[list[str]]:
    """Rows that are not blank."""
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            lines.row_size = 0
            if row:
                yield row
    except csv.Error as error:
        raise lines.error(f"not delimited text: {error}") from error


def _count(rows: Iterator[list[str]], width: int, lines: _Lines) -> tuple[int, str]:
    count = uneven = first_uneven = 0
    for row in rows:
        count += 1
        if len(row) != width:
            uneven += 1
            first_uneven = first_uneven or lines.number
    if not uneven:
        return count, ""
    return count, f"{uneven} rows have another number of cells than the first row's {width}, as in line {first_uneven}"


def _sniff(source: ByteSource, where: str) -> str:
    """The delimiter that gives the first rows equally many cells, and most of them; a comma if none does."""
    head = list(zip(range(_SNIFFED_LINES), _Lines(source, where, _SNIFFED_BYTES), strict=False))
    best, most = ",", (False, 1)
    for delimiter in DELIMITERS:
        widths = _widths([line for _, line in head], delimiter)
        score = (len(set(widths)) == 1, widths[0]) if widths else (False, 0)
        if score[1] > 1 and score > most:
            best, most = delimiter, score
    return best


def _widths(lines: list[str], delimiter: str) -> list[int]:
    try:
        return [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return []  # the same lines fail again, with their number, when the table is read


def _names_columns(row: list[str]) -> bool:
    """Whether a first row reads as names: no numbers, none twice, none too long; an index column may have none."""
    names = [cell.strip() for cell in row]
    stated = [name for name in names if name]
    return (
        bool(stated)
        and len(set(stated)) == len(stated)
        and not any(len(name) > _MAX_NAME or "\n" in name or _is_number(name) for name in stated)
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
