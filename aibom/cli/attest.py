"""`aibom attest`: more signed statements about a release, of any type, over one read; no covered file is touched."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import click

from aibom.cli.build import warn
from aibom.cli.options import FILE, RELEASE
from aibom.cli.output import read_input, require_output_folder, require_writable, write_all
from aibom.cli.predicates import (
    GENERATED,
    MAX_PREDICATE,
    Wanted,
    cannot_fill_in,
    check_given,
    checked,
    name_for,
    wanted_uri,
)
from aibom.cli.render.layout import row
from aibom.cli.sign import require_secrets_outside
from aibom.cli.signers import SignerChoice, make_signer, signer_options
from aibom.cli.tree import Tree, read_bom, read_manifest, require_described
from aibom.core.errors import InputError, UsageError
from aibom.core.layout import BOM_NAME
from aibom.cyclonedx.view import parse_bom
from aibom.sources.listing import list_release, require_safe
from aibom.sources.places import Places, places
from attest.predicates.ci import find_build
from attest.predicates.documents import SPDX
from attest.predicates.generated import builder_id as known_builder
from attest.predicates.in_toto import REFERENCE
from attest.predicates.kinds import NAMES
from attest.predicates.slsa import PROVENANCE
from attest.release_statement import release_statement


@click.command(epilog="Example:  aibom attest ./my-model --type evaluation --predicate result.json --key publisher.key")
@RELEASE
@click.option(
    "--type", "words", required=True, multiple=True, metavar="TYPE|URI", help=f"One of {', '.join(NAMES)}; or any URI."
)
@click.option(
    "--predicate", "predicates", type=FILE, multiple=True, help="JSON file with the predicate; some are filled in."
)
@signer_options
@click.option("--name", "names", multiple=True, help="Name of the attestation; by default that of its type.")
@click.option("--builder-id", default="", metavar="URI", help="What made the release, where no CI system says so.")
@click.option("--download-location", default="", metavar="URI", help="Where the BOM can be had (--type reference).")
@click.option(
    "--output-dir", type=click.Path(path_type=Path, readable=False), help="Folder to write to when PATH is read-only."
)
def command(
    release: Path,
    words: tuple[str, ...],
    predicates: tuple[Path, ...],
    signer: SignerChoice,
    names: tuple[str, ...],
    builder_id: str,
    download_location: str,
    output_dir: Path | None,
) -> None:
    """Sign a statement about the release at PATH, of a type that in-toto or anybody else defines.

    Its subjects are all files and the tree digest, as in the BOM attestation. A predicate of a type that we know is
    checked before it is signed. Without --predicate these are filled in: provenance (from the CI job and the BOM),
    release, reference and spdx. Writes attestations/NAME.sigstore.json.

    --type may be repeated: the files are read once for all. --predicate is then given for each type that needs one, or
    for each type, in the same order; --name for each, or for none. Either all attestations are written or none.
    """
    planned = _planned(words, predicates, names)
    _require_meaning(planned, builder_id, download_location)
    require_secrets_outside(signer, release)
    target = places(release, require_output_folder(output_dir, release) if output_dir else None)
    wanted = [_wanted(item, builder_id, download_location) for item in planned]
    require_writable((target.attestation(item.name) for item in wanted), release)
    # What was given is checked before the release is read, which may take minutes.
    if any(item.uri == PROVENANCE and item.predicate is None for item in wanted):
        known_builder(find_build(os.environ), builder_id)
    given = {item.name: check_given(item, item.predicate) for item in wanted if item.predicate is not None}
    chosen = make_signer(signer)
    tree = _read(release, target, with_bom=any(w.predicate is None and w.uri != SPDX for w in wanted))
    items = [given.get(item.name) or checked(item, tree) for item in wanted]
    bundles = {
        target.attestation(item.name): chosen.sign(release_statement(tree.manifest, item.uri, item.data))
        for item in items
    }
    tree.require_unchanged()
    _warn(release, target, bundles)
    write_all(bundles)
    click.echo("\n".join(row("Signed by", chosen.describe(), indent=0, column=12)))
    click.echo(f"Files       {len(tree.manifest.entries)}, {tree.manifest.size:,} bytes")
    for item, path in zip(items, bundles, strict=True):
        click.echo(f"Type        {item.uri}\nWritten to  {path}")


_Planned = tuple[str, str, Path | None]


def _planned(words: tuple[str, ...], files: tuple[Path, ...], names: tuple[str, ...]) -> list[_Planned]:
    """URI, name and file of each attestation. Raises UsageError if it cannot be told which belong together."""
    if names and len(names) != len(words):
        raise UsageError(
            f"{len(words)} times --type and {len(names)} times --name",
            hint="give one --name for each --type, in the same order, or none",
        )
    meant = [_meant(word, name) for word, name in zip(words, names or [""] * len(words), strict=True)]
    needing = [uri for uri, _ in meant if uri not in GENERATED]
    if len(files) not in {len(meant), len(needing)}:
        _refuse_files(needing, len(meant), len(files))
    left = iter(files)
    takes = len(files) == len(meant)
    planned = [(uri, name, next(left) if takes or uri not in GENERATED else None) for uri, name in meant]
    for index, (_, name, _) in enumerate(planned):
        if name in {other for _, other, _ in planned[:index]}:
            raise UsageError(f"two attestations would be called {name!r}", hint="give each a --name of its own")
    return planned


def _wanted(planned: _Planned, builder_id: str, location: str) -> Wanted:
    uri, name, file = planned
    return Wanted(
        uri=uri,
        name=name,
        where=str(file) if file else f"--type {name}",
        predicate=read_input(file, MAX_PREDICATE) if file else None,
        builder_id=builder_id,
        download_location=location,
        environment=os.environ,
    )


def _refuse_files(needing: list[str], types: int, files: int) -> NoReturn:
    if not files:
        raise UsageError(
            cannot_fill_in(needing[0]), where="--type", hint="give the file that holds it: --predicate FILE"
        )
    raise UsageError(
        f"{types} times --type and {files} times --predicate",
        hint="give one --predicate for each --type, or for each that cannot be filled in, in the same order",
    )


def _meant(word: str, name: str) -> tuple[str, str]:
    try:
        uri = wanted_uri(word)
        return uri, name_for(uri, name)
    except InputError as error:
        raise UsageError(error.message, where="--name" if name else "--type", hint=error.hint) from error


def _require_meaning(planned: list[_Planned], builder_id: str, location: str) -> None:
    """Refuse options that would have no effect."""
    filled_in = {uri for uri, _, file in planned if file is None}
    if builder_id and not filled_in & {PROVENANCE, REFERENCE}:
        raise UsageError("--builder-id only has a meaning with --type provenance or reference, without --predicate")
    if location and REFERENCE not in filled_in:
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


def _warn(release: Path, target: Places, paths: Iterable[Path]) -> None:
    for path in paths:
        if path.exists():
            warn(f"this replaces {path.name}, which was there")
    if not target.signature.exists() and not places(release).signature.exists():
        warn("there is no model.sig: an attestation does not stand in for the signature; run `aibom sign` too")
