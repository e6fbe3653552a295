"""The process boundary: errors become three lines and an exit code, here and nowhere else."""

import os
import sys
import traceback

import click

from aibom.cli.render.layout import safe
from aibom.core.errors import AibomError
from aibom.core.verdict import ExitCode

_REPORT = "please report it, with the command and this line, in the project's issue tracker"


def run(command: click.Group, args: list[str]) -> int:
    """Run the command line and return the exit code; nothing else of ours ends the process."""
    try:
        result = command.main(args, prog_name="aibom", standalone_mode=False)
    except AibomError as error:
        show_error(error)
        return int(error.exit_code)
    except click.UsageError as error:
        error.show()
        return int(ExitCode.USAGE)
    except click.ClickException as error:
        error.show()
        return int(ExitCode.UNDECIDED)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; nothing was decided", err=True)
        return int(ExitCode.UNDECIDED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away; say nothing more
        return int(ExitCode.UNDECIDED)
    except Exception as error:  # noqa: BLE001 -- a bug of ours must not look like a verdict: it has its own code
        _show_bug(error)
        return int(ExitCode.BUG)
    return int(result) if isinstance(result, int) else int(ExitCode.ACCEPTED)


def show_error(error: AibomError) -> None:
    """Print what, where, and what to do next."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {safe(error.message)}", err=True)
    if error.where:
        click.echo(f"  at: {safe(error.where)}", err=True)
    if error.hint:
        click.echo(f"  hint: {safe(error.hint)}", err=True)


def _show_bug(error: Exception) -> None:
    if os.environ.get("AIBOM_DEBUG"):
        traceback.print_exception(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}:{frame.lineno}"  # noqa: PTH119 -- a label, not a path
    click.echo(
        f"{click.style('bug:', fg='red', bold=True)} {type(error).__name__}: {safe(str(error))} ({place})", err=True
    )
    click.echo(f"  hint: nothing was decided; {_REPORT}; AIBOM_DEBUG=1 shows more", err=True)
