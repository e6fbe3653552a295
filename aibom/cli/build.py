"""`aibom build`: write the BOM of a release."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from aibom import __version__
from aibom.build.account import Account, Identity, Model, Weights
from aibom.build.assemble import UNNAMED, assemble
from aibom.build.collect import Collection, collect
from aibom.build.emit import Format, emit
from aibom.build.render.document import bom_document
from aibom.cli.options import RELEASE
from aibom.cli.output import require_output_folder, require_outside, require_writable, write_whole
from aibom.cli.progress import reading_executor, show_progress
from aibom.cli.render.explain import explanation
from aibom.cli.render.layout import row, safe, wrap
from aibom.core.errors import UsageError
from aibom.sources.places import places

DIGESTS = click.option(
    "--digest", "digests", multiple=True, type=click.Choice(["sha512"]), help="One more digest per file, same read."
)
_SHOWN = 5
_WARNINGS = 30
_EPOCH = "SOURCE_DATE_EPOCH"
_FORMATS = [str(form) for form in Format]


@dataclass(frozen=True, slots=True)
class BuiltBom:
    """A BOM and what it was made from."""

    data: bytes
    account: Account
    collection: Collection
    dated: bool
    dropped: tuple[str, ...] = ()


@click.command(epilog="Example:  aibom build ./my-model")
@RELEASE
@click.option("-o", "--output", metavar="FILE|-", help="Where to write; default aibom.cdx.json in the release.")
@click.option(
    "--output-dir", type=click.Path(path_type=Path, readable=False), help="Folder to write to when PATH is read-only."
)
@click.option("--format", "form", type=click.Choice(_FORMATS), default=_FORMATS[0], show_default=True)
@click.option(
    "--spec-version", type=click.Choice(["1.6", "1.7"]), default="1.7", show_default=True, help="Version of CycloneDX."
)
@DIGESTS
@click.option("--explain", is_flag=True, help="Print each value with the file and field it was read from.")
def command(
    release: Path,
    output: str | None,
    output_dir: Path | None,
    form: str,
    spec_version: str,
    digests: tuple[str, ...],
    explain: bool,
) -> None:
    """Write the BOM of the model release at PATH: a folder, a hub cache's snapshot, a Git checkout or one file.

    Every file is read once. Two builds of the same files give the same bytes. The BOM is dated by SOURCE_DATE_EPOCH
    (seconds since 1970), else by the date in aibom.toml, else by the commit of a Git checkout.
    """
    if output and output_dir:
        raise UsageError("give either --output or --output-dir")
    chosen = Format(form)
    if chosen is Format.SPDX3_JSON and spec_version != "1.7":
        raise UsageError("--spec-version is a version of CycloneDX; SPDX is written as 3.0.1")
    target = _target(release, output, output_dir, chosen)
    require_writable([target] if target else [], release)
    built = build_bom(release, digests, form=chosen, spec_version=spec_version)
    if target is None:
        click.echo(built.data, nl=False)
    else:
        if places(release, output_dir).signature.exists():
            warn("a signature is there that does not cover this BOM: sign the release again")
        write_whole(target, built.data)
    show_warnings(built)
    lines = _explained(built) if explain else _summary(built, target)
    click.echo("\n".join(lines), err=target is None)


def build_bom(
    release: Path,
    digests: tuple[str, ...],
    *,
    form: Format = Format.CYCLONEDX_JSON,
    spec_version: str = "1.7",
) -> BuiltBom:
    """Read a release and make its BOM."""
    epoch = source_date()
    account, collection = read_account(release, digests)
    timestamp = epoch or account.statement.date
    emitted = emit(account, tool_version=__version__, timestamp=timestamp, form=form, spec_version=spec_version)
    return BuiltBom(emitted.data, account, collection, timestamp is not None, emitted.dropped)


def read_account(release: Path, digests: tuple[str, ...] = ()) -> tuple[Account, Collection]:
    """Read a release once and put together what it says."""
    with show_progress("Reading the release") as progress, reading_executor() as executor:
        collection = collect(release, algorithms=("sha256", *digests), executor=executor, progress=progress)
    return assemble(collection), collection


def show_warnings(built: BuiltBom) -> None:
    """Say on standard error what a reader of the BOM will stumble over."""
    account = built.account
    warnings = [*account.dangers, *account.conflicts, *account.warnings]
    if account.models and account.model.identity.name.value == UNNAMED:
        warnings.append("no file names the model: add a README.md with a heading or front matter")
    if account.models and not any(
        file.classification.is_weights for model in account.models for file in model.all_files
    ):
        warnings.append("no weights were found in a format that we know")
    undeclared = list(dict.fromkeys(item.value for item in account.code.undeclared))
    if undeclared:
        warnings.append(f"imported by the code but declared nowhere: {_first_of(undeclared)}")
    if not built.dated:
        warnings.append(
            "the BOM has no date, which some profiles require (CISA26-M6): "
            f"set {_EPOCH}, or write a date into aibom.toml"
        )
    for warning in [*warnings[:_WARNINGS], *built.dropped]:
        warn(warning)
    if len(warnings) > _WARNINGS:
        warn(f"and {len(warnings) - _WARNINGS} more, all in the BOM")


def warn(words: str) -> None:
    """Say something on standard error that a person should know."""
    first, *rest = wrap(words, indent=len("warning: "))
    click.echo("\n".join([f"{click.style('warning:', fg='yellow')} {first.lstrip()}", *rest]), err=True)


def _explained(built: BuiltBom) -> list[str]:
    return explanation(bom_document(built.account, tool_version=__version__, timestamp=None))


def _target(release: Path, output: str | None, output_dir: Path | None, form: Format) -> Path | None:
    if output == "-":
        return None
    if output:
        return require_outside(Path(output), release)
    folder = require_output_folder(output_dir, release) if output_dir else None
    return places(release, folder).beside(form.file_name)


def source_date() -> datetime | None:
    """The date that SOURCE_DATE_EPOCH gives. Raises UsageError if it is no number."""
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
    account = built.account
    libraries = {library.dependency.name for library in account.code.libraries}
    rows = [
        *([("Release", _named(account.release))] if _is_apart(account) else []),
        *(_model_rows(account.model) if account.models else []),
        *_listed("Variants", [other.identity.name.value for other in account.models[1:]]),
        ("Files", f"{account.file_count:,}, {account.bytes:,} bytes, each with its SHA-256"),
        ("Data sets", _first_of([dataset.name for dataset in account.datasets]) or "none named"),
        ("Libraries", f"{len(libraries)} declared"),
    ]
    lines = [line for name, value in rows for line in row(name, value, indent=0, column=12)]
    return [*lines, f"{'Written to':<12}{safe(str(target)) if target else 'standard output'}"]


def _is_apart(account: Account) -> bool:
    """Whether the release is called otherwise than its model."""
    return not account.models or account.release.name != account.model.identity.name


def _model_rows(model: Model) -> list[tuple[str, str]]:
    weights = [file for file in model.all_files if file.classification.is_weights]
    counted = model.weights if model.weights and model.weights.parameters is not None else None
    return [
        ("Model", _named(model.identity)),
        ("Licence", ", ".join(licence.name for licence in model.identity.licences) or "not stated"),
        ("Weights", _counted(counted) if counted else _plural(len(weights), "file")),
        *_listed("Parts", [part.identity.name.value for part in model.parts]),
        *_listed("Made from", [ancestor.name for ancestor in model.ancestors]),
    ]


def _listed(label: str, names: list[str]) -> list[tuple[str, str]]:
    return [(label, _first_of(names))] if names else []


def _counted(weights: Weights) -> str:
    tensors = f" in {_plural(weights.tensors, 'tensor')}" if weights.tensors else ""
    return f"{weights.parameters or 0:,} parameters{tensors}"


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _first_of(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
