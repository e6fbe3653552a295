"""JSON Lines: one JSON object a line, as instruction and chat data sets are published.

The columns are the keys of the first lines, since nothing declares them. Each line goes through the strict parser: a
training set whose lines two readers understand differently is not one data set. Specification: jsonlines.org.
"""

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.core.strictjson import parse_json_object
from aibom.formats.table import MAX_COUNTED, Column, Table, clip_columns, text_lines

SAMPLED_LINES = 1000
_MAX_DEPTH = 100
_MAX_KEYS = 200_000
_HINT = "each line must be one JSON object"
_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", type(None): "null"}


def parse_json_lines(source: ByteSource, where: str) -> Table:
    """Read the columns of the first lines, and count and check all lines of a file of up to `MAX_COUNTED` bytes.

    Raises InputError with its number for a line that is not one JSON object.
    """
    whole = source.size <= MAX_COUNTED
    types: dict[str, dict[str, None]] = {}
    rows = 0
    for number, line in enumerate(text_lines(source, where), 1):
        if not line.strip():
            continue
        record = _record(line, f"{where}, line {number}")
        if rows < SAMPLED_LINES:
            _note(record, types, where)
        rows += 1
        if rows == SAMPLED_LINES and not whole:
            break
    columns, problems = clip_columns(
        (Column(name=name, type=" | ".join(seen)) for name, seen in types.items()), len(types)
    )
    return Table(kind="json-lines", columns=columns, rows=rows if whole else None, problems=problems)


def _record(line: bytes, place: str) -> dict[str, object]:
    try:
        return parse_json_object(line, place, max_depth=_MAX_DEPTH)
    except InputError as error:
        raise InputError(error.message, where=error.where, hint=_HINT) from error


def _note(record: dict[str, object], types: dict[str, dict[str, None]], where: str) -> None:
    for name, value in record.items():
        types.setdefault(name, {})[_TYPES.get(type(value), "number")] = None
    if len(types) > _MAX_KEYS:
        raise InputError(f"more than {_MAX_KEYS} different keys in the first {SAMPLED_LINES} lines", where=where)
