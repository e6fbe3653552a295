"""What several commands take: the release."""

from pathlib import Path

import click

RELEASE = click.argument("release", metavar="PATH", type=click.Path(path_type=Path, readable=False))
FILE = click.Path(path_type=Path, readable=False)
