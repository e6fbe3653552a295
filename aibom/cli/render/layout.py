"""Wrapping and safe text: nothing that a release says can move the cursor or fake a line of ours."""

import textwrap

import click

from aibom.core.names import printable

WIDTH = 80
_LONGEST = 4000


def safe(text: str) -> str:
    """Text from a release with everything that is not printable escaped, and no line breaks."""
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
    return printable(" ".join(shown.split()))[1:-1]


def wrap(text: str, *, indent: int, hanging: int | None = None) -> list[str]:
    """Fold text to the width; later lines are indented by `hanging`."""
    following = " " * (indent if hanging is None else hanging)
    return textwrap.wrap(
        safe(text), WIDTH, initial_indent=" " * indent, subsequent_indent=following, break_on_hyphens=False
    ) or [""]


def row(label: str, text: str, *, indent: int = 2, column: int = 14) -> list[str]:
    """A label and its text, folded beside it."""
    lines = textwrap.wrap(safe(text), WIDTH - column, break_on_hyphens=False) or [""]
    head = f"{' ' * indent}{label}".ljust(column)
    return [head + lines[0], *(" " * column + line for line in lines[1:])]


def bare(digest: str) -> str:
    """A digest without the name of its algorithm when that is SHA-256, so that it fits on one line."""
    return digest.removeprefix("sha256:") if len(digest) == len("sha256:") + 64 else digest


def heading(text: str) -> list[str]:
    """A blank line and a heading."""
    return ["", click.style(text, bold=True)]
