"""The `RECORD` of an installed or unpacked wheel: which files it says it holds, with which digests.

Lines of path, `sha256=<base64url without padding>`, size. Specification: "Recording installed projects" (PyPA).
"""

import base64
import binascii
import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from aibom.core.errors import InputError

MAX_BYTES = 16 * 1024 * 1024
_MAX_ROWS = 200_000
_COLUMNS = 3
_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelRecord:
    """Path as written (beside the `.dist-info` folder) → SHA-256 in hexadecimal; entries without one are left out."""

    files: Mapping[str, str]


def is_wheel_record(name: str) -> bool:
    """Whether a file is the record of a wheel, by its name."""
    return name.endswith(".dist-info/RECORD")


def parse_wheel_record(data: bytes, where: str) -> WheelRecord:
    """Read a record. Raises InputError for a line that is none, or a digest that is not 32 bytes."""
    if len(data) > MAX_BYTES:
        raise InputError(f"{len(data)} bytes; at most {MAX_BYTES} are read", where=where)
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
        found: dict[str, str] = {}
        for row in rows:
            if len(row) < _COLUMNS:
                raise InputError("expected path, digest and size", where=f"{where}, line {rows.line_num}")
            if row[1].startswith("sha256="):
                found[row[0]] = _hexadecimal(row[1].removeprefix("sha256="), f"{where}, line {rows.line_num}")
            if rows.line_num > _MAX_ROWS:
                raise InputError(f"more than {_MAX_ROWS} lines", where=where)
    except UnicodeDecodeError as error:
        raise InputError("not valid UTF-8", where=f"{where}, byte {error.start}") from error
    except csv.Error as error:
        raise InputError(f"not a record: {error}", where=where) from error
    return WheelRecord(files=found)


def record_problems(record: WheelRecord, folder: str, actual: Mapping[str, str]) -> list[str]:
    """One sentence for each file that is not what the record says; `folder` is where the `.dist-info` folder lies."""
    problems = []
    for path, stated in record.files.items():
        name = f"{folder}/{path}" if folder else path
        if name in actual and actual[name] != stated:
            problems.append(f"{name} is recorded with SHA-256 {stated}, the file has {actual[name]}")
    return problems


def _hexadecimal(text: str, where: str) -> str:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise InputError("a digest that is not base64", where=where) from error
    if len(raw) != _LENGTH:
        raise InputError(f"a SHA-256 of {len(raw)} bytes", where=where)
    return raw.hex()
