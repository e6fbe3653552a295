"""`aibom link`: record one step of making a model, what it took and what it made, as a signed in-toto link."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aibom.cli.build import warn
from aibom.cli.output import read_input, write_whole
from aibom.cli.recorded_files import digest_files, require_base
from aibom.cli.render.layout import row, safe
from aibom.cli.running import Ended, run_step
from aibom.cli.step_signers import KEY, make_step_signer
from aibom.core.errors import InputError, UsageError
from aibom.core.layout import ATTESTATIONS
from attest.step_metadata import LAYOUT_NAME

if TYPE_CHECKING:
    from attest.signing.steps import StepSigner

_FOLDER = click.Path(path_type=Path, readable=False)
_EPILOG = """\b
Examples:
  aibom link train --base my-model --materials data \\
      --products model.safetensors --key trainer.key -- python train.py
  aibom link evaluate --base my-model --materials 'model*.safetensors' \\
      --products eval --key evaluator.key --no-command"""


@click.command(epilog=_EPILOG)
@click.argument("step", metavar="STEP")
@click.argument("cmd", metavar="[-- CMD [ARGS]...]", nargs=-1, type=click.UNPROCESSED)
@click.option("--materials", multiple=True, metavar="PATH", help="What the step takes: file, folder, pattern or '.'.")
@click.option("--products", multiple=True, metavar="PATH", help="What the step makes: file, folder, pattern or '.'.")
@click.option(
    "--base", type=_FOLDER, default=".", show_default=True, help="Folder of the release, which names are taken from."
)
@click.option("--no-command", is_flag=True, help="Run nothing; record what is there.")
@click.option("--record-output", is_flag=True, help="Also record what the command prints; it may hold secrets.")
@click.option("-o", "--output", type=_FOLDER, help="File to write the link to.")
@click.option("--output-dir", type=_FOLDER, help="Folder to write the link to; by default attestations/ in the base.")
@KEY
def command(
    step: str,
    cmd: tuple[str, ...],
    materials: tuple[str, ...],
    products: tuple[str, ...],
    base: Path,
    no_command: bool,
    record_output: bool,
    output: Path | None,
    output_dir: Path | None,
    key: Path | None,
) -> None:
    """Record the step STEP: digest what it takes, run CMD, digest what it makes, and sign that.

    Writes an in-toto link, attestations/STEP.KEYID.link. A command that fails leaves none. Its output goes to your
    terminal; environment variables are never recorded, but the words of the command are: keep secrets out of them.
    """
    _require_meant(cmd, materials, products, no_command=no_command, record_output=record_output)
    if output and output_dir:
        raise UsageError("two places to write to", hint="give -o FILE or --output-dir DIR, not both")
    require_base(base)
    chosen = make_step_signer(key)
    _require_step(step)
    target = output or (output_dir or base / ATTESTATIONS) / chosen.link_name(step)
    _require_writable(target)
    _warn_of_layout(step, target.with_name(LAYOUT_NAME))
    before = digest_files(base, materials, "Reading what is taken")
    ended = run_step(cmd, keep_output=record_output) if cmd else None
    after = digest_files(base, products, "Reading what was made")
    _write(chosen, target, step, before, after, cmd, ended)


def _write(
    signer: "StepSigner",
    target: Path,
    step: str,
    before: dict[str, str],
    after: dict[str, str],
    cmd: tuple[str, ...],
    ended: Ended | None,
) -> None:
    from attest.signing.steps import RecordedStep

    output = {"stdout": ended.stdout, "stderr": ended.stderr} if ended else {}
    code = ended.exit_code if ended else None
    recorded = RecordedStep(name=step, materials=before, products=after, command=cmd, exit_code=code, **output)
    data = signer.sign_link(recorded)
    if target.exists():
        warn("this replaces the link that was there")
    write_whole(target, data)
    ran = " ".join(cmd) if cmd else "none: what was there was recorded, and nothing was run"
    lines = [
        *row("Step", f"{step}: took {_files(len(before))}, made {len(after)}", indent=0, column=12),
        *row("Command", ran, indent=0, column=12),
        *row("Signed by", signer.describe(), indent=0, column=12),
        f"Written to  {safe(str(target))}",
    ]
    click.echo("\n".join(lines))


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def _warn_of_layout(step: str, path: Path) -> None:
    """Say before a step that may take days that the layout beside its link has none of this name."""
    from attest.step_layout import parse_layout
    from attest.step_metadata import MAX_LAYOUT_BYTES, parse_signed

    if not path.is_file():
        return
    try:
        data = read_input(path, MAX_LAYOUT_BYTES)
        layout = parse_layout(parse_signed(data, str(path), max_bytes=MAX_LAYOUT_BYTES), str(path))
    except InputError as error:
        warn(f"whether the layout has this step is not known: {error.where}: {error.message}")
        return
    names = [item.name for item in layout.steps]
    if step not in names:
        close = get_close_matches(step, names, 1)
        meant = f"did you mean {close[0]!r}?" if close else f"its steps are: {', '.join(names)}"
        warn(f"{path.name} has no step {step!r}, so that this link will count for nothing; {meant}")


def _require_meant(
    cmd: tuple[str, ...],
    materials: tuple[str, ...],
    products: tuple[str, ...],
    *,
    no_command: bool,
    record_output: bool,
) -> None:
    if bool(cmd) == no_command:
        raise UsageError(
            "a command and --no-command" if cmd else "there is no command to run",
            hint="put the command after `--`, or give --no-command to record what is there",
        )
    if record_output and no_command:
        raise UsageError("--record-output has no meaning without a command")
    if not materials and not products:
        raise UsageError("a step that takes and makes nothing says nothing", hint="give --materials or --products")


def _require_step(step: str) -> None:
    from attest.step_metadata import require_step_name

    try:
        require_step_name(step, "STEP")
    except InputError as error:
        raise UsageError(error.message, where=error.where, hint=error.hint) from error


def _require_writable(target: Path) -> None:
    """A step may take days: say before it that its link could not be written after it."""
    existing = next(folder for folder in target.absolute().parents if folder.exists())
    if target.is_dir() or not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError("cannot write here", where=str(target), hint="give another place with -o or --output-dir")
