"""`aibom build`: write the BOM of a release."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from aibom import __version__
from aibom.build.account import Account, Identity
from aibom.build.assemble import UNNAMED, assemble
from aibom.build.collect import Collection, collect
from aibom.build.emit import emit_cyclonedx
from aibom.cli.options import RELEASE
from aibom.cli.output import require_output_folder, require_outside, write_whole
from aibom.cli.progress import reading_executor, show_progress
from aibom.cli.render.layout import safe
from aibom.core.errors import UsageError
from aibom.core.layout import BOM_NAME, SIGNATURE_NAME

DIGESTS = click.option(
    "--digest", "digests", multiple=True, type=click.Choice(["sha512"]), help="One more digest per file, same read."
)
_EPOCH = "SOURCE_DATE_EPOCH"


@dataclass(frozen=True, slots=True)
class BuiltBom:
    """A BOM and what it was made from."""

    data: bytes
    account: Account
    collection: Collection
    dated: bool


@click.command(epilog="Example:  aibom build ./my-model")
@RELEASE
@click.option("-o", "--output", metavar="FILE|-", help=f"Where to write; default {BOM_NAME} in the release.")
@click.option(
    "--output-dir", type=click.Path(path_type=Path, readable=False), help="Folder to write to when PATH is read-only."
)
@DIGESTS
def command(release: Path, output: str | None, output_dir: Path | None, digests: tuple[str, ...]) -> None:
    """Write the BOM of the model release in the folder PATH: CycloneDX 1.7 JSON.

    Every file is read once. Two builds of the same files give the same bytes; the BOM is dated only by
    SOURCE_DATE_EPOCH, in seconds since 1970.
    """
    if output and output_dir:
        raise UsageError("give either --output or --output-dir")
    target = _target(release, output, output_dir)
    built = build_bom(release, digests)
    if target is None:
        click.echo(built.data, nl=False)
    else:
        if (target.parent / SIGNATURE_NAME).exists():
            warn("a signature is there that does not cover this BOM: sign the release again")
        write_whole(target, built.data)
    show_warnings(built)
    click.echo("\n".join(_summary(built, target)), err=target is None)


def build_bom(release: Path, digests: tuple[str, ...]) -> BuiltBom:
    """Read a release and make its BOM."""
    timestamp = _timestamp()
    with show_progress("Reading the release") as progress, reading_executor() as executor:
        collection = collect(release, algorithms=("sha256", *digests), executor=executor, progress=progress)
    account = assemble(collection)
    data = emit_cyclonedx(account, tool_version=__version__, timestamp=timestamp)
    return BuiltBom(data, account, collection, timestamp is not None)


def show_warnings(built: BuiltBom) -> None:
    """Say on standard error what a reader of the BOM will stumble over."""
    account = built.account
    warnings = [*account.conflicts, *account.warnings]
    if account.model.identity.name.value == UNNAMED:
        warnings.append("no file names the model: add a README.md with a heading or front matter")
    if account.model.weights is None and not any(f.classification.is_weights for f in account.model_files):
        warnings.append("no weights were found")
    if not built.dated:
        warnings.append(f"the BOM has no date, which some profiles require (CISA26-M6): set {_EPOCH}")
    for warning in warnings:
        warn(warning)


def warn(words: str) -> None:
    """Say something on standard error that a person should know."""
    click.echo(f"{click.style('warning:', fg='yellow')} {safe(words)}", err=True)


def _target(release: Path, output: str | None, output_dir: Path | None) -> Path | None:
    if output == "-":
        return None
    if output:
        return require_outside(Path(output), release)
    return (require_output_folder(output_dir, release) if output_dir else release) / BOM_NAME


def _timestamp() -> datetime | None:
    text = os.environ.get(_EPOCH)
    if text is None:
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"{_EPOCH} must be a number of seconds since 1970, found {text[:40]!r}") from error


def _named(identity: Identity) -> str:
    return f"{identity.name.value} {identity.version.value if identity.version else '(no version stated)'}"


def _summary(built: BuiltBom, target: Path | None) -> list[str]:
    model, account = built.account.model, built.account
    identity, release = model.identity, account.release
    licence = ", ".join(licence.name for licence in identity.licences) or "not stated"
    weights = f"{model.weights.parameters:,} parameters in {model.weights.tensors} tensors" if model.weights else ""
    unread = sum(f.classification.is_weights for f in account.model_files)
    rows = [
        *([("Release", _named(release))] if release.name != identity.name else []),
        ("Model", _named(identity)),
        ("Licence", licence),
        ("Weights", weights or f"{unread} files"),
        ("Files", f"{account.file_count}, {account.bytes:,} bytes, each with its SHA-256"),
        ("Data sets", ", ".join(dataset.name for dataset in account.datasets[:5]) or "none named"),
        ("Libraries", f"{len(account.dependencies)} declared"),
        ("Written to", str(target) if target else "standard output"),
    ]
    return [f"{name:<11} {safe(value)}" for name, value in rows]
