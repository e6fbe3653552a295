"""The command line: click only, and the only place that prints, writes files, or ends the process.

Commands are imported when they are called, so that `aibom --help` pays for click and nothing else.
"""

import sys
from importlib import import_module

import click

from aibom import __version__
from aibom.cli.exits import run

# Name → module and what it does. The order is that of a release's life.
_COMMANDS = {
    "init": ("aibom.cli.init", "Write an aibom.toml to state what only the publisher knows."),
    "layout": ("aibom.cli.layout", "Sign who may do which step of making a model."),
    "link": ("aibom.cli.link", "Record one step of making a model, and sign it."),
    "inspect": ("aibom.cli.inspect", "Show what can be read from a file or a release."),
    "build": ("aibom.cli.build", "Write the BOM of a release."),
    "sign": ("aibom.cli.sign", "Sign a release and its BOM."),
    "attest": ("aibom.cli.attest", "Sign one more statement about a release."),
    "push": ("aibom.cli.push", "Attach BOM and attestations to a model in a registry."),
    "pull": ("aibom.cli.pull", "Fetch BOM and attestations from a registry."),
    "verify": ("aibom.cli.verify", "Decide whether a release is authentic, whole and complete."),
    "diff": ("aibom.cli.diff", "Show what changed between two releases or BOMs."),
    "profiles": ("aibom.cli.profiles", "List what a release can be checked for."),
    "demo": ("aibom.cli.demo", "See the whole story on a real model."),
}

_EPILOG = """\b
Examples:
  aibom build ./my-model
  aibom sign ./my-model --key publisher.key
  aibom verify ./my-model --public-key publisher.pub
  aibom demo

\b
Exit codes: 0 accepted or done, 1 rejected, 2 usage, 3 undecided,
4 incomplete, 70 a bug of ours."""


class _LazyGroup(click.Group):
    """Knows its commands by name and imports one only to run it or to show its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(_COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="aibom")
def cli() -> None:
    """A complete, signed account of an AI model release, and a verdict on it before deployment."""


def main() -> None:
    """Run the program."""
    sys.exit(run(cli, sys.argv[1:]))
