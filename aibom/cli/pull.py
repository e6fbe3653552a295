"""`aibom pull`: fetch the BOM and the attestations of a release from an OCI registry."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aibom.cli.build import warn
from aibom.cli.options import FILE, RELEASE
from aibom.cli.output import require_output_folder, write_all
from aibom.cli.registries import PLAIN_HTTP, REFERENCE, registry_client
from aibom.core.errors import InputError
from aibom.core.layout import ATTESTATIONS, BOM_NAME, BUNDLE_SUFFIX, SIGNATURE_NAME
from aibom.sources.places import Places, places
from verify.attached import Attached, read_bundle_file

if TYPE_CHECKING:
    from aibom.registry.pull import PulledFile

_NOTES = 5


_EXAMPLES = """\b
Examples:
  aibom pull registry.example/teller:1.0 ./my-model
  aibom pull registry.example/teller:1.0 /mnt/read-only --output-dir ./documents
  aibom pull localhost:5000/teller:1.0 ./my-model --plain-http"""


@click.command(epilog=_EXAMPLES)
@REFERENCE
@RELEASE
@click.option("--output-dir", type=FILE, help="Folder to write to when PATH is read-only.")
@click.option("--force", is_flag=True, help="Overwrite files that differ.")
@PLAIN_HTTP
def command(reference: str, release: Path, output_dir: Path | None, force: bool, plain_http: bool) -> None:
    """Fetch the BOM and the attestations attached to the artifact REF, for the release at PATH.

    Writes aibom.cdx.json, model.sig and attestations/, all of them or none; the weights must be there already.
    Nothing is verified: run `aibom verify` afterwards.
    """
    target = _target(release, output_dir)
    with registry_client(reference, plain_http) as client:
        from aibom.registry.pull import pull_release

        pulled = pull_release(client)
    for note in pulled.notes[:_NOTES]:
        warn(note)
    if len(pulled.notes) > _NOTES:
        warn(f"and {len(pulled.notes) - _NOTES} more stay in the registry")
    writes = [(path, file) for file in pulled.files if (path := _changed(_path(target, file.path), file, force))]
    write_all({path: file.data for path, file in writes})
    written = {file.path for _, file in writes}
    click.echo(f"Subject    {client.reference.registry}/{client.reference.repository}@{pulled.subject.digest}")
    for file in pulled.files:
        click.echo(f"{'Written' if file.path in written else 'Was there':<11}{file.path}")
    aside = f" --attached {shlex.quote(str(output_dir))}" if output_dir else ""
    click.echo("Nothing was verified. Say whom you expect to have signed:")
    click.echo(f"  aibom verify {shlex.quote(str(release))}{aside} --public-key FILE")


def _target(release: Path, output_dir: Path | None) -> Places:
    """Where the files go. Raises InputError if the release is not there, UsageError if the folder lies in it."""
    if not release.exists():
        raise InputError(
            "there is no such file or folder",
            where=str(release),
            hint="get the model first, or make an empty folder for its documents",
        )
    target = places(release, require_output_folder(output_dir, release) if output_dir else None)
    if (target.folder / ATTESTATIONS).is_symlink():
        raise InputError(
            "this folder is a symbolic link, and may lead anywhere",
            where=str(target.folder / ATTESTATIONS),
            hint="remove the link, or write to another folder with --output-dir",
        )
    return target


def _path(target: Places, name: str) -> Path:
    if name == BOM_NAME:
        return target.bom
    if name == SIGNATURE_NAME:
        return target.signature
    if not name.endswith(BUNDLE_SUFFIX):
        if target.file:
            raise InputError(
                "recorded steps belong to a release in a folder, and this is a single file",
                where=name,
                hint="give the folder that holds the file",
            )
        return target.folder / name
    return target.attestation(name.removeprefix(f"{ATTESTATIONS}/").removesuffix(BUNDLE_SUFFIX))


def _changed(path: Path, file: "PulledFile", force: bool) -> Path | None:
    """The path if it has to be written. Raises InputError if something else is there and may not be overwritten."""
    if not path.exists() and not path.is_symlink():
        return path
    if path.is_dir() and not path.is_symlink():
        raise InputError("a folder of this name is in the way", where=str(path), hint="move it away")
    try:
        same = read_bundle_file(Attached(file.path, path)) == file.data
    except InputError:
        same = False
    if same:
        return None
    if not force:
        raise InputError(
            "what is there differs from what the registry has; nothing was written",
            where=str(path),
            hint="--force overwrites it; --output-dir writes to another folder",
        )
    return path
