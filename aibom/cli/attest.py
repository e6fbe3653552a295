"""`aibom attest`: one more signed statement about a release, of any type; no covered file is touched."""

import os
from pathlib import Path

import click

from aibom.cli.build import warn
from aibom.cli.options import FILE, RELEASE
from aibom.cli.output import read_input, require_output_folder, write_whole
from aibom.cli.predicates import GENERATED, MAX_PREDICATE, Wanted, cannot_fill_in, checked, name_for, wanted_uri
from aibom.cli.render.layout import row
from aibom.cli.sign import require_key_outside
from aibom.cli.signers import SignerChoice, make_signer, signer_options
from aibom.cli.tree import Tree, read_bom, read_manifest, require_described
from aibom.core.errors import InputError, UsageError
from aibom.core.layout import BOM_NAME
from aibom.cyclonedx.view import parse_bom
from aibom.sources.listing import list_release, require_safe
from aibom.sources.places import Places, places
from attest.predicates.documents import SPDX
from attest.predicates.in_toto import REFERENCE
from attest.predicates.kinds import NAMES
from attest.predicates.slsa import PROVENANCE
from attest.release_statement import release_statement


@click.command(epilog="Example:  aibom attest ./my-model --type evaluation --predicate result.json --key publisher.key")
@RELEASE
@click.option("--type", "word", required=True, metavar="TYPE|URI", help=f"One of {', '.join(NAMES)}; or any URI.")
@click.option("--predicate", type=FILE, help="JSON file with the predicate; some types are filled in without.")
@signer_options
@click.option("--name", default="", help="Name of the attestation; by default that of its type.")
@click.option("--builder-id", default="", metavar="URI", help="What made the release, where no CI system says so.")
@click.option("--download-location", default="", metavar="URI", help="Where the BOM can be had (--type reference).")
@click.option(
    "--output-dir", type=click.Path(path_type=Path, readable=False), help="Folder to write to when PATH is read-only."
)
def command(
    release: Path,
    word: str,
    predicate: Path | None,
    signer: SignerChoice,
    name: str,
    builder_id: str,
    download_location: str,
    output_dir: Path | None,
) -> None:
    """Sign a statement about the release at PATH, of a type that in-toto or anybody else defines.

    Its subjects are all files and the tree digest, as in the BOM attestation. A predicate of a type that we know is
    checked before it is signed. Without --predicate these are filled in: provenance (from the CI job and the BOM),
    release, reference and spdx. Writes attestations/NAME.sigstore.json.
    """
    uri, name = _meant(word, name)
    _require_sensible(uri, predicate, builder_id, download_location)
    require_key_outside(signer.key, release)
    target = places(release, require_output_folder(output_dir, release) if output_dir else None)
    given = read_input(predicate, MAX_PREDICATE) if predicate else None
    wanted = Wanted(
        uri=uri,
        name=name,
        where=str(predicate) if predicate else "--type",
        predicate=given,
        builder_id=builder_id,
        download_location=download_location,
        environment=os.environ,
    )
    chosen = make_signer(signer)
    tree = _read(release, target, with_bom=given is None and uri != SPDX)
    item = checked(wanted, tree)
    bundle = chosen.sign(release_statement(tree.manifest, item.uri, item.data))
    tree.require_unchanged()
    path = target.attestation(name)
    _warn(release, target, path)
    write_whole(path, bundle)
    click.echo("\n".join(row("Signed by", chosen.describe(), indent=0, column=12)))
    click.echo(f"Type        {item.uri}")
    click.echo(f"Files       {len(tree.manifest.entries)}, {tree.manifest.size:,} bytes\nWritten to  {path}")


def _meant(word: str, name: str) -> tuple[str, str]:
    try:
        uri = wanted_uri(word)
        return uri, name_for(uri, name)
    except InputError as error:
        raise UsageError(error.message, where="--name" if name else "--type", hint=error.hint) from error


def _require_sensible(uri: str, predicate: Path | None, builder_id: str, location: str) -> None:
    """Refuse a type that needs a file, and options that would have no effect."""
    if predicate is None and uri not in GENERATED:
        raise UsageError(cannot_fill_in(uri), where="--type", hint="give the file that holds it: --predicate FILE")
    if builder_id and (predicate or uri not in {PROVENANCE, REFERENCE}):
        raise UsageError("--builder-id only has a meaning with --type provenance or reference, without --predicate")
    if location and (predicate or uri != REFERENCE):
        raise UsageError("--download-location only has a meaning with --type reference, without --predicate")


def _read(release: Path, target: Places, *, with_bom: bool) -> Tree:
    """Digest the release once; with its BOM, and by the BOM's digests, if the predicate is made from it."""
    listing = require_safe(list_release(release), release)
    own = places(release).bom
    path = target.bom if target.bom.exists() or not own.exists() else own
    bom = read_bom(path) if with_bom else b""
    algorithms = parse_bom(bom, BOM_NAME).file_algorithms if bom else ("sha256",)
    manifest = read_manifest(release, listing, algorithms=algorithms)
    if bom:
        require_described(manifest, bom)
    return Tree(release=release, target=target, listing=listing, manifest=manifest, bom=bom, bom_path=path)


def _warn(release: Path, target: Places, path: Path) -> None:
    if path.exists():
        warn(f"this replaces {path.name}, which was there")
    if not target.signature.exists() and not places(release).signature.exists():
        warn("there is no model.sig: an attestation does not stand in for the signature; run `aibom sign` too")
