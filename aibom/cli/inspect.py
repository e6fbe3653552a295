"""`aibom inspect`: what can be read from a file or a release, and from where."""

import json
from pathlib import Path
from typing import Any

import click

from aibom import __version__
from aibom.build.collect import CollectedFile
from aibom.build.render.document import bom_document
from aibom.build.render.file_facts import fact_pairs
from aibom.cli.build import read_account
from aibom.cli.output import read_input
from aibom.cli.render.explain import explanation
from aibom.cli.render.layout import heading, row, safe
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names
from aibom.cyclonedx.sources import stated_values
from aibom.cyclonedx.view import parse_bom

_MAX_BOM = 256 * 1024 * 1024
_MANY = 12
_COLUMN = 22


@click.command(epilog="Example:  aibom inspect ./my-model/model.gguf")
@click.argument("path", metavar="FILE|DIR", type=click.Path(path_type=Path, readable=False))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(path: Path, as_json: bool) -> None:
    """Show what can be read from FILE or DIR without running any of it, and where each value stands.

    A model file tells what its header says, a folder what its files say together, a CycloneDX BOM where its values come
    from. Nothing is written, and nothing is authenticated.
    """
    document, files = _read(path)
    if as_json:
        click.echo(json.dumps(_as_json(document, files), indent=2, ensure_ascii=False))
        return
    lines = [line for file in files for line in _file(file)] if len(files) <= _MANY else _table(files)
    click.echo("\n".join([*lines, *([""] if lines else []), *explanation(document)]))


def _read(path: Path) -> tuple[Json, tuple[CollectedFile, ...]]:
    """(The document to explain, the files that were looked at: none for a BOM)."""
    if path.is_file() and path.name.lower().endswith(".json") and _is_bom(path):
        return parse_bom(read_input(path, _MAX_BOM), str(path)).raw, ()
    account, collection = read_account(path)
    return bom_document(account, tool_version=__version__, timestamp=None), collection.files


def _is_bom(path: Path) -> bool:
    return b'"bomFormat"' in read_input(path, _MAX_BOM)[:4096]


def _file(file: CollectedFile) -> list[str]:
    lines = [click.style(safe(file.name), bold=True)]
    rows = [
        ("size", f"{file.entry.size:,} bytes"),
        ("format", file.classification.format or "not one that we know"),
        ("category", ", ".join(file.categories) or "none"),
        *((_label(name), value) for name, value in _joined(file)),
        *(("problem", problem) for problem in file.problems),
    ]
    lines += row("sha256", file.entry.sha256, column=10)
    return lines + [line for label, text in rows for line in row(label, text, column=_COLUMN)]


def _table(files: tuple[CollectedFile, ...]) -> list[str]:
    """One line a file."""
    lines = heading(f"{len(files)} files")[1:]
    for file in files:
        kind = ", ".join(file.categories) or "other"
        lines += row(kind, f"{file.name}  {file.classification.format}  {file.entry.size:,}", column=26)
        lines += [line for problem in file.problems for line in row("", f"problem: {problem}", column=28)]
    return lines


def _joined(file: CollectedFile) -> list[tuple[str, str]]:
    """Facts by name; several values of one name in one line."""
    found: dict[str, list[str]] = {}
    for name, value in fact_pairs(file.fact):
        found.setdefault(name, []).append(value)
    return [(name, ", ".join(values)) for name, values in found.items()]


def _label(name: str) -> str:
    return name.removeprefix(names.SETTING_PREFIX).removeprefix("aibom:")


def _as_json(document: Json, files: tuple[CollectedFile, ...]) -> dict[str, Any]:
    return {
        "files": [
            {
                "name": file.name,
                "size": file.entry.size,
                "digests": dict(file.entry.digests),
                "format": file.classification.format,
                "categories": list(file.categories),
                "facts": {_label(name): value for name, value in _joined(file)},
                "problems": list(file.problems),
            }
            for file in files
        ],
        "values": [
            {"component": item.component, "path": item.path, "value": item.value, "source": item.source}
            for item in stated_values(document)
        ],
    }
