"""`aibom layout`: sign who may do which step of making a model, and what passes from one step to the next."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aibom.cli.build import warn
from aibom.cli.output import read_input, write_whole
from aibom.cli.render.layout import row, safe
from aibom.cli.step_signers import KEY, make_step_signer
from aibom.core.errors import InputError, UsageError
from aibom.core.layout import ATTESTATIONS

if TYPE_CHECKING:
    from attest.chain_plan import ChainPlan
    from attest.keys import VerificationKey

_FILE = click.Path(path_type=Path, readable=False)
_MAX_KEY = 64 * 1024
_YEAR = timedelta(days=365)
_EPILOG = """\b
Examples:
  aibom layout --init supply-chain.toml
  aibom layout supply-chain.toml --key owner.key \\
      -o my-model/attestations/root.layout"""


@click.command(epilog=_EPILOG)
@click.argument("plan", metavar="PLAN", type=_FILE)
@click.option("--init", is_flag=True, help="Write a commented example to PLAN instead; never over a file.")
@click.option("--expires", metavar="DAY", help="Last day that it counts, e.g. 2027-12-31; by default after a year.")
@click.option("-o", "--output", type=_FILE, help="File to write to; by default attestations/root.layout beside PLAN.")
@KEY
def command(plan: Path, init: bool, expires: str | None, output: Path | None, key: Path | None) -> None:
    """Compile the supply chain in PLAN (a TOML file) into an in-toto layout, and sign it.

    PLAN names the steps in order, the public keys of those who may do each, and the files that each takes from
    earlier ones and makes. Whoever holds KEY answers for it; verifiers name that key with --layout-key.
    """
    from attest.chain_plan import EXAMPLE, MAX_PLAN_BYTES, parse_plan
    from attest.step_metadata import LAYOUT_NAME

    if init:
        _write_example(plan, EXAMPLE)
        return
    chosen = make_step_signer(key)
    parsed = parse_plan(read_input(plan, MAX_PLAN_BYTES), plan.name)
    now = datetime.now(UTC)
    end = _end(expires, parsed, now)
    keys = _keys(plan, parsed)
    target = output or plan.parent / ATTESTATIONS / LAYOUT_NAME
    data = chosen.sign_layout(parsed, keys, end)
    if target.exists():
        warn("this replaces the layout that was there")
    write_whole(target, data)
    lines = [f"{step.name} by {' or '.join(step.keys)}" for step in parsed.steps]
    click.echo("\n".join(row("Steps", "; then ".join(lines), indent=0, column=12)))
    click.echo("\n".join(row("Signed by", chosen.describe(), indent=0, column=12)))
    click.echo(f"Counts till {end:%Y-%m-%d}\nWritten to  {safe(str(target))}")


def _write_example(plan: Path, text: str) -> None:
    if plan.exists() or plan.is_symlink():
        raise UsageError("there is one already", where=str(plan), hint="edit it, or move it away and try again")
    write_whole(plan, text.encode("utf-8"))
    click.echo(
        f"Written to  {safe(str(plan))}\nNext        edit it, then run: aibom layout {safe(str(plan))} --key FILE"
    )


def _keys(plan: Path, parsed: "ChainPlan") -> "dict[str, VerificationKey]":
    """The public keys that the plan names, by the paths that it gives: from its own folder."""
    from attest.keys import load_public_key

    paths = dict.fromkeys(path for step in parsed.steps for path in step.keys)
    keys = {path: load_public_key(read_input(plan.parent / path, _MAX_KEY), path) for path in paths}
    seen: dict[str, str] = {}
    for path, key in keys.items():
        first = seen.setdefault(key.fingerprint, path)
        if first != path:
            raise InputError(f"holds the same key as {first}", where=path, hint="name one key by one path")
    return keys


def _end(given: str | None, parsed: "ChainPlan", now: datetime) -> datetime:
    """The end of the last day that counts."""
    try:
        day = datetime.strptime(given, "%Y-%m-%d").date() if given else parsed.expires
    except ValueError as error:
        raise UsageError("not a day such as 2027-12-31", where=f"--expires {given}") from error
    if day is None:
        return now + _YEAR
    end = datetime.combine(day, time(23, 59, 59), UTC)
    if end <= now:
        raise UsageError("this layout would have expired already", where=f"{day}", hint="give a later day (--expires)")
    return end
