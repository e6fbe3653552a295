"""`aibom diff`: what changed between two releases, or between two BOMs."""

import json
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import click

from aibom import __version__
from aibom.build.render.document import bom_document
from aibom.cli.build import read_account
from aibom.cli.output import read_input
from aibom.cli.render.layout import heading, safe, wrap
from aibom.core.strictjson import Json
from aibom.cyclonedx.diff import Change, Kind, compare_boms
from aibom.cyclonedx.view import parse_bom

_MAX_BOM = 256 * 1024 * 1024
_TITLES = {
    "release": "The release",
    "application": "Code",
    "machine-learning-model": "Models",
    "ancestor": "Made from",
    "data": "Data sets",
    "library": "Libraries",
    "container": "Base images",
    "file": "Files",
    "services": "Hosted services",
    "formulation": "Training",
    "compositions": "How complete the BOM says it is",
}
_SIGNS = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~"}
_COLOURS = {Kind.ADDED: "green", Kind.REMOVED: "red", Kind.CHANGED: "yellow"}
_SHORT = 70


@click.command(epilog="Example:  aibom diff ./my-model-1.0 ./my-model-1.1")
@click.argument("old", type=click.Path(path_type=Path, readable=False))
@click.argument("new", type=click.Path(path_type=Path, readable=False))
@click.option("--json", "as_json", is_flag=True, help="Print the changes as JSON.")
def command(old: Path, new: Path, as_json: bool) -> None:
    """Compare OLD and NEW, each a release (folder or file) or a CycloneDX BOM in JSON.

    Nothing is authenticated. The exit code is 0 whether anything changed or not.
    """
    changes = compare_boms(_load(old), _load(new))
    if as_json:
        click.echo(json.dumps({"changes": [asdict(change) for change in changes]}, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(changes)))


def _load(path: Path) -> Json:
    """A BOM as it is, anything else as a release whose BOM is made for the comparison."""
    if path.is_file() and path.name.lower().endswith(".json"):
        return parse_bom(read_input(path, _MAX_BOM), str(path)).raw
    return bom_document(read_account(path)[0], tool_version=__version__, timestamp=None)


def _lines(changes: tuple[Change, ...]) -> list[str]:
    if not changes:
        return ["Nothing changed."]
    lines: list[str] = []
    for kind, listed in groupby(changes, key=lambda change: change.type):
        lines += heading(_TITLES.get(kind, kind))
        for name, items in groupby(listed, key=lambda change: change.name):
            lines += _component(name, list(items))
    return lines[1:]


def _component(name: str, changes: list[Change]) -> list[str]:
    """One line for a component that came or went, a line a value for one that changed."""
    lines = []
    if name and any(change.field for change in changes):
        lines.append(f"  {safe(name)}")
    for change in changes:
        sign = click.style(_SIGNS[change.kind], fg=_COLOURS[change.kind])
        if not change.field:
            lines += _signed(sign, f"{name} {_short(change.old or change.new)}".strip(), 2)
        elif change.kind is Kind.CHANGED:
            lines += _signed(sign, f"{_field(change.field)}: {_short(change.old)} → {_short(change.new)}", 4)
        else:
            lines += _signed(sign, f"{_field(change.field)}: {_short(change.old or change.new)}", 4)
    return lines


def _signed(sign: str, text: str, indent: int) -> list[str]:
    first, *rest = wrap(text, indent=indent + 2)
    return [" " * indent + sign + first[indent + 1 :], *rest]


def _field(path: str) -> str:
    return path.removeprefix("modelCard.").removeprefix("aibom:")


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
