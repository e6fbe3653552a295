"""`aibom diff`: what changed between two releases, or between two BOMs."""

import json
import re
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import click

from aibom import __version__
from aibom.build.render.document import bom_document
from aibom.cli.build import read_account
from aibom.cli.inspect import read_bom
from aibom.cli.render.layout import heading, wrap
from aibom.core.strictjson import Json
from aibom.cyclonedx.diff import Change, Kind, compare_boms

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
    "externalReferences": "Links",
    "annotations": "Notes",
    "declarations": "Declarations",
}
_SIGNS = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~"}
_COLOURS = {Kind.ADDED: "green", Kind.REMOVED: "red", Kind.CHANGED: "yellow"}
_SHORT = 70
_LONG = 4000
_DIGEST = re.compile(r"\b([0-9a-f]{16})[0-9a-f]{16,112}\b")


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
        # ASCII: a terminal may be reading it
        click.echo(json.dumps({"changes": [asdict(change) for change in changes]}, indent=2))
    else:
        click.echo("\n".join(_lines(changes)))


def _load(path: Path) -> Json:
    """A BOM as it is, anything else as a release whose BOM is made for the comparison."""
    if path.is_file() and path.name.lower().endswith(".json"):
        return read_bom(path)
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
    values = [change for change in changes if change.field]
    lines = wrap(name, indent=2, hanging=6) if name and values else []
    for change in changes:
        told = f"{_short(change.old)} → {_short(change.new)}"
        if change.kind is not Kind.CHANGED:
            told = _short(change.old or change.new)
        text = f"{_field(change.field)}: {told}" if change.field else f"{name or 'all of it'} {told}"
        lines += _signed(change.kind, text, 4 if change.field and name else 2)
    return lines


def _signed(kind: Kind, text: str, indent: int) -> list[str]:
    first, *rest = wrap(text, indent=indent + 2, hanging=indent + 4)
    return [" " * indent + click.style(_SIGNS[kind], fg=_COLOURS[kind]) + first[indent + 1 :], *rest]


def _field(path: str) -> str:
    return path.removeprefix("modelCard.").removeprefix("aibom:")


def _short(text: str) -> str:
    """A value as an overview shows it: `--json` has all of it."""
    text = _DIGEST.sub(r"\1…", text[:_LONG])
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
