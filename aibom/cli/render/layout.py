"""Wrapping and safe text: nothing that a release says can move the cursor or fake a line of ours."""

import re
import textwrap

import click

from aibom.core.names import printable

WIDTH = 80
_LONGEST = 4000
_HALF_PAIRS = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Surrogates that stand for no byte of a file name; no encoding takes them."""


def safe(text: str) -> str:
    """Text from a release with everything that is not printable escaped, and no line breaks."""
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
    whole = _HALF_PAIRS.sub(lambda half: f"\\u{ord(half.group()):04x}", " ".join(shown.split()))
    return printable(whole)[1:-1]


def wrap(text: str, *, indent: int, hanging: int | None = None) -> list[str]:
    """Fold text to the width; later lines are indented by `hanging`."""
    following = " " * (indent if hanging is None else hanging)
    return textwrap.wrap(
        safe(text), WIDTH, initial_indent=" " * indent, subsequent_indent=following, break_on_hyphens=False
    ) or [""]


def row(label: str, text: str, *, indent: int = 2, column: int = 14) -> list[str]:
    """A label and its text, folded beside it; a label that leaves no room stands above its text."""
    head = f"{' ' * indent}{safe(label)}"
    if len(head) < column <= WIDTH // 2:
        lines = textwrap.wrap(safe(text), WIDTH - column, break_on_hyphens=False) or [""]
        return [(head.ljust(column) + lines[0]).rstrip(), *(" " * column + line for line in lines[1:])]
    return [*wrap(label, indent=indent, hanging=indent + 2), *wrap(text, indent=min(column, indent + 4))]


def bare(digest: str) -> str:
    """A digest without the name of its algorithm when that is SHA-256, so that it fits on one line."""
    return digest.removeprefix("sha256:") if len(digest) == len("sha256:") + 64 else digest


def heading(text: str) -> list[str]:
    """A blank line and a heading."""
    first, *rest = wrap(text, indent=0)
    return ["", *(click.style(line, bold=True) for line in (first, *rest))]
