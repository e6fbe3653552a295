"""The process boundary: errors become three lines and an exit code, here and nowhere else.

On a terminal the lines are folded; elsewhere each stays one line, so that a log can be searched for it.
"""

import os
import sys
import textwrap
import traceback
from pathlib import Path

import click

from aibom.cli.render.layout import safe
from aibom.core.errors import AibomError
from aibom.core.verdict import ExitCode

_REPORT = "please report it, with the command and this line, in the project's issue tracker"
_WRITERS = frozenset({"build", "sign", "attest"})
"""Commands that write at their end, whole or not at all, and decide nothing."""
_FALLBACK_WIDTH, _NARROWEST = 80, 40


def run(command: click.Group, args: list[str]) -> int:
    """Run the command line and return the exit code; nothing else of ours ends the process."""
    written: list[Path] = []  # `write_all` says here what it has written
    try:
        result = command.main(args, prog_name="aibom", standalone_mode=False, obj=written)
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
        click.echo(_stopped(args, written), err=True)
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
    lines = _fold("error: ", error.message)
    lines[0] = lines[0].replace("error:", click.style("error:", fg="red", bold=True), 1)
    for label, text in (("  at: ", error.where), ("  hint: ", error.hint)):
        lines += _fold(label, text) if text else []
    click.echo("\n".join(lines), err=True)


def _fold(label: str, text: str) -> list[str]:
    """The label and its text; paths, addresses and other long words stay whole, to be copied."""
    width = _width()
    if not width:
        return [f"{label}{safe(text)}"]
    return textwrap.wrap(
        safe(text), width, initial_indent=label, subsequent_indent=" " * len(label),
        break_long_words=False, break_on_hyphens=False,
    ) or [label.rstrip()]  # fmt: skip


def _width() -> int:
    """How wide the terminal is that errors are shown on; 0 if it is none."""
    if not sys.stderr.isatty():
        return 0
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        columns = 0
    return max(columns or _FALLBACK_WIDTH, _NARROWEST)


def _stopped(args: list[str], written: list[Path]) -> str:
    if written:
        more = f" and {len(written) - 1} more" if len(written) > 1 else ""
        return f"stopped, after this was written: {safe(str(written[0]))}{more}"
    return f"stopped; nothing was {'written' if args and args[0] in _WRITERS else 'decided'}"


def _show_bug(error: Exception) -> None:
    if os.environ.get("AIBOM_DEBUG"):
        traceback.print_exception(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}:{frame.lineno}"  # noqa: PTH119 -- a label, not a path
    click.echo(
        f"{click.style('bug:', fg='red', bold=True)} {type(error).__name__}: {safe(str(error))} ({place})", err=True
    )
    click.echo(f"  hint: nothing was decided; {_REPORT}; AIBOM_DEBUG=1 shows more", err=True)
