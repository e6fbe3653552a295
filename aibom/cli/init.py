"""`aibom init`: write a commented `aibom.toml` from what a release says."""

from pathlib import Path

import click

from aibom.build.outline import outline
from aibom.build.publisher import NAME, parse_publisher
from aibom.cli.build import read_account
from aibom.cli.output import write_whole
from aibom.core.errors import UsageError
from aibom.sources.listing import is_single_file


@click.command(epilog="Example:  aibom init ./my-model")
@click.argument("release", metavar="[PATH]", default=".", type=click.Path(path_type=Path, readable=False))
def command(release: Path) -> None:
    """Write a commented aibom.toml into the release at PATH, by default the current folder.

    It holds what the files say already, as comments, and room for what only the publisher knows: supplier, version,
    purpose, what is withheld or unknown and why. A file that is there is never overwritten.
    """
    target = release / NAME
    if is_single_file(release):
        raise UsageError("a single file has no aibom.toml", hint="put the file into a folder of its own")
    if target.exists() or target.is_symlink():
        raise UsageError("there is one already", where=str(target), hint="edit it, or move it away and try again")
    account, _ = read_account(release)
    data = outline(account).encode("utf-8")
    parse_publisher(data)  # what we write must be what we read
    write_whole(target, data)
    click.echo(f"Written to  {target}\nNext        edit it, then run: aibom build {release}")
