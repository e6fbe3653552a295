"""`emissions.csv` of codecarbon: measured energy and emissions of training runs.

Columns grew over the years, so each is looked up by its name and none but `emissions` or `energy_consumed` must be
there. A run writes its running totals each time it is flushed: of rows with one `run_id` only the longest counts, or
energy would be counted twice. Emissions are in kg CO₂eq, energy in kWh (codecarbon documentation, "Output").
"""

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from aibom.core.errors import InputError

MAX_BYTES = 16 * 1024 * 1024
_MAX_RUNS = 20_000
_MAX_LINES = 100_000
_MAX_COLUMNS = 200
_MAX_CELL = 4000
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,30}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmissionsRun:
    """One run that was measured. A number that is not stated is None."""

    run_id: str
    project: str
    timestamp: str
    duration: float | None
    """Seconds."""
    emissions: float | None
    """kg CO₂eq."""
    energy: float | None
    """kWh."""
    country: str
    country_code: str
    region: str
    cloud_provider: str
    cloud_region: str
    cpu_model: str
    gpu_model: str
    tool_version: str
    """`codecarbon_version`."""
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmissionsReport:
    """All runs of a file, each counted once."""

    runs: tuple[EmissionsRun, ...]

    @property
    def emissions(self) -> float | None:
        """kg CO₂eq of all runs; None unless every run states it."""
        return _sum(run.emissions for run in self.runs)

    @property
    def energy(self) -> float | None:
        """kWh of all runs; None unless every run states it."""
        return _sum(run.energy for run in self.runs)

    @property
    def duration(self) -> float | None:
        """Seconds of all runs; None unless every run states it."""
        return _sum(run.duration for run in self.runs)


def parse_emissions(data: bytes, where: str) -> EmissionsReport:
    """Read an `emissions.csv`. Raises InputError with the line at fault."""
    reader = csv.reader(io.StringIO(_decode(data, where), newline=""), strict=True)
    found: dict[object, EmissionsRun] = {}
    try:
        header = _header(next(reader, []), where)
        for row in reader:
            if not row:
                continue
            run = _run(_cells(header, row, f"{where}, line {reader.line_num}"), where, reader.line_num)
            key = run.run_id or run.line
            earlier = found.get(key)
            if earlier is None or (run.duration or 0) >= (earlier.duration or 0):
                found[key] = run
            if len(found) > _MAX_RUNS or reader.line_num > _MAX_LINES:
                raise InputError(f"more than {_MAX_RUNS} runs or {_MAX_LINES} lines", where=where)
    except csv.Error as error:
        raise InputError(f"not CSV: {error}", where=f"{where}, line {reader.line_num}") from error
    return EmissionsReport(runs=tuple(found.values()))


def _header(row: list[str], where: str) -> list[str]:
    names = [name.strip() for name in row]
    if not {"emissions", "energy_consumed"} & set(names):
        raise InputError("expected a column emissions or energy_consumed", where=f"{where}, line 1")
    if len(names) > _MAX_COLUMNS or len(set(names)) != len(names):
        raise InputError(f"expected at most {_MAX_COLUMNS} columns, none named twice", where=f"{where}, line 1")
    return names


def _cells(header: list[str], row: list[str], where: str) -> dict[str, str]:
    if len(row) != len(header):
        raise InputError(f"expected {len(header)} cells, found {len(row)}", where=where)
    if any(len(cell) > _MAX_CELL for cell in row):
        raise InputError(f"a cell of more than {_MAX_CELL} characters", where=where)
    return dict(zip(header, (cell.strip() for cell in row), strict=True))


def _run(cells: dict[str, str], where: str, line: int) -> EmissionsRun:
    place = f"{where}, line {line}"
    return EmissionsRun(
        run_id=cells.get("run_id", ""),
        project=cells.get("project_name", ""),
        timestamp=cells.get("timestamp", ""),
        duration=_number(cells, "duration", place),
        emissions=_number(cells, "emissions", place),
        energy=_number(cells, "energy_consumed", place),
        country=cells.get("country_name", ""),
        country_code=cells.get("country_iso_code", ""),
        region=cells.get("region", ""),
        cloud_provider=cells.get("cloud_provider", ""),
        cloud_region=cells.get("cloud_region", ""),
        cpu_model=cells.get("cpu_model", ""),
        gpu_model=cells.get("gpu_model", ""),
        tool_version=cells.get("codecarbon_version", ""),
        line=line,
    )


def _number(cells: dict[str, str], name: str, where: str) -> float | None:
    text = cells.get(name, "")
    if not text:
        return None
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value) or value < 0:
        raise InputError(f"expected a number from 0, found {text[:40]!r}", where=f"{where}, {name}")
    return value


def _sum(values: Iterable[float | None]) -> float | None:
    known = list(values)
    stated = [value for value in known if value is not None]
    if not stated or len(stated) < len(known):
        return None
    try:
        return math.fsum(stated)
    except OverflowError:
        return None


def _decode(data: bytes, where: str) -> str:
    if len(data) > MAX_BYTES:
        raise InputError(f"{len(data)} bytes; at most {MAX_BYTES} are read", where=where)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("not valid UTF-8", where=f"{where}, byte {error.start}") from error
