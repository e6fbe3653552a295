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
from aibom.core.errors import InputError
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names
from aibom.cyclonedx.schema import schema_problems
from aibom.cyclonedx.sources import stated_values
from aibom.cyclonedx.view import parse_bom

_MAX_BOM = 256 * 1024 * 1024
_MAX_VALUES = 256 * 1024 * 1024
_HEAD = 4096
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
        click.echo(json.dumps(_as_json(document, files), indent=2))  # ASCII: a terminal may be reading it
        return
    lines = [line for file in files for line in _file(file)] if len(files) <= _MANY else _table(files)
    click.echo("\n".join([*lines, *([""] if lines else []), *explanation(document)]))


def read_bom(path: Path) -> Json:
    """A CycloneDX document that is what its schema says. Raises InputError for any other file."""
    document = parse_bom(read_input(path, _MAX_BOM), str(path)).raw
    problems = schema_problems(document)
    if problems:
        raise InputError(
            f"not valid CycloneDX {document['specVersion']}: {problems[0]}",
            where=str(path),
            hint="make the BOM again, or ask whoever made it",
        )
    return document


def _read(path: Path) -> tuple[Json, tuple[CollectedFile, ...]]:
    """(The document to explain, the files that were looked at: none for a BOM)."""
    if path.is_file() and path.name.lower().endswith(".json") and _is_bom(path):
        return read_bom(path), ()
    account, collection = read_account(path)
    return bom_document(account, tool_version=__version__, timestamp=None), collection.files


def _is_bom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b'"bomFormat"' in file.read(_HEAD)
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=str(path), hint="check the path") from error


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
        told = ", ".join(filter(None, (file.classification.format, f"{file.entry.size:,} B")))
        lines += row(kind, f"{file.name} ({told})", column=27)
        lines += [line for problem in file.problems for line in row("", f"problem: {problem}", column=29)]
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
        "values": _values(document),
    }


def _values(document: Json) -> list[dict[str, Any]]:
    """Values and sources. A BOM may name a source for one large value again and again: there is an end to that."""
    found, size = [], 0
    for item in stated_values(document):
        size += len(json.dumps(item.value)) if isinstance(item.value, (dict, list)) else 0
        if size > _MAX_VALUES:
            raise InputError(f"the values that have a source are larger than {_MAX_VALUES} bytes together")
        found.append({"component": item.component, "path": item.path, "value": item.value, "source": item.source})
    return found
