"""The results of a run, on disk: `results.json`, from which the tables in the documents are written."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

ACCEPTED, REFUSED, NOT_APPLICABLE = "accepted", "refused", "not applicable"
PATH = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Cell:
    """One verification that was really run: who signed what and how, who judged it, and the outcome."""

    signed_by: str
    document: str
    how: str
    judge: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class Results:
    """A whole run: the version of every judge, and all cells."""

    judges: dict[str, str]
    cells: tuple[Cell, ...]


def load_results() -> Results:
    document = json.loads(PATH.read_text(encoding="utf-8"))
    return Results(document["judges"], tuple(Cell(**cell) for cell in document["cells"]))


def save_results(results: Results) -> None:
    cells = sorted({json.dumps(asdict(cell)) for cell in results.cells})
    lines = ",\n    ".join(cells)
    head = json.dumps(results.judges)
    PATH.write_text(f'{{\n  "judges": {head},\n  "cells": [\n    {lines}\n  ]\n}}\n', encoding="utf-8")
