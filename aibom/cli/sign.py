"""`aibom sign`: sign a release and its BOM, with one read of the files, and all that `aibom.toml` wants attested."""

from collections.abc import Iterable
from pathlib import Path

import click

from aibom.build.publisher import Publisher, WantedAttestation
from aibom.cli.build import DIGESTS, build_bom, show_warnings, warn
from aibom.cli.options import RELEASE
from aibom.cli.output import append_text, require_appendable, require_output_folder, require_writable, write_all
from aibom.cli.predicates import listed_predicates
from aibom.cli.render.layout import row
from aibom.cli.render.summary import SignedRelease, signed_summary
from aibom.cli.signers import SignerChoice, make_signer, signer_options
from aibom.cli.tree import Tree, read_bom, read_manifest, read_publisher, require_described, with_bom
from aibom.core.errors import SigningError, UsageError
from aibom.core.layout import BOM_NAME
from aibom.cyclonedx.view import parse_bom
from aibom.sources.listing import list_release, require_safe
from aibom.sources.places import Places, places
from attest.bom_attestation import bom_statement
from attest.model_signature import model_statement
from attest.predicates.in_toto import REFERENCE
from attest.release_statement import release_statement
from attest.signing.signer import Signer
from attest.step_metadata import LAYOUT_NAME, LINK_SUFFIX

MAX_EMBEDDED = 128 * 1024 * 1024
"""In bytes: base64 and the subjects come on top, and a bundle of more than 256 MiB is not read."""


@click.command(epilog="Example:  aibom sign ./my-model --build --key publisher.key")
@RELEASE
@signer_options
@click.option("--build", "build", is_flag=True, help="Build the BOM first, with the same single read of the files.")
@click.option(
    "--output-dir", type=click.Path(path_type=Path, readable=False), help="Folder to write to when PATH is read-only."
)
@click.option(
    "--summary", type=click.Path(path_type=Path, readable=False), help="Add what was signed to this file, in Markdown."
)
@DIGESTS
def command(
    release: Path,
    signer: SignerChoice,
    build: bool,
    output_dir: Path | None,
    summary: Path | None,
    digests: tuple[str, ...],
) -> None:
    """Sign the release in the folder PATH and its BOM.

    Writes model.sig (OpenSSF Model Signing), attestations/bom.sigstore.json, and the attestations that aibom.toml
    lists. A BOM that does not describe the files is refused; so are files that change meanwhile. Sign with --key or
    --pkcs11-uri, either with its --certificate, or with an identity (--keyless). The passphrase of a key comes from
    AIBOM_KEY_PASSPHRASE or a prompt, the PIN of a token from AIBOM_PKCS11_PIN or a prompt, an identity token from a
    file, standard input or SIGSTORE_IDENTITY_TOKEN, else from the CI job that this runs in or a login in a browser
    (AIBOM_LOGIN=browser, code or never); none is ever an argument.
    """
    if digests and not build:
        raise UsageError("--digest only has a meaning with --build")
    require_secrets_outside(signer, release)
    page = require_appendable(summary, release) if summary else None
    target = places(release, require_output_folder(output_dir, release) if output_dir else None)
    require_writable([target.signature, target.attestation("bom"), *([target.bom] if build else [])], release)
    chosen = make_signer(signer)
    tree, wanted = _built(release, target, digests) if build else _existing(release, target)
    bundles = _signed(chosen, tree, wanted)
    tree.require_unchanged()
    _warn_of_others(target, bundles.keys())
    write_all(({target.bom: tree.bom} if build else {}) | bundles)
    if page:
        done = SignedRelease(
            release=release, manifest=tree.manifest, bom=tree.bom, signature=bundles[target.signature],
            aside=output_dir, trust_config=signer.trust_config,
        )  # fmt: skip
        append_text(page, signed_summary(done))
    click.echo("\n".join(row("Signed by", chosen.describe(), indent=0, column=12)))
    click.echo(f"Files       {len(tree.manifest.entries)}, {tree.manifest.size:,} bytes")
    for label, path in zip(["Written to", *[""] * len(bundles)], bundles, strict=False):
        click.echo(f"{label:<12}{path}")


def _signed(signer: Signer, tree: Tree, wanted: tuple[WantedAttestation, ...]) -> dict[Path, bytes]:
    """Every bundle by the path it goes to, over one reading of the release."""
    require_described(tree.manifest, tree.bom)
    predicates = listed_predicates(wanted, tree)
    require_writable((tree.target.attestation(item.name) for item in predicates), tree.release)
    name, hub = tree.release.resolve().name, tree.listing.hub_records
    embedded = _is_embedded(tree, {item.uri for item in predicates})
    bundles = {tree.target.signature: signer.sign(model_statement(name, tree.manifest, hub_records=hub))}
    if embedded:
        bundles[tree.target.attestation("bom")] = signer.sign(bom_statement(tree.manifest, tree.bom))
    for item in predicates:
        bundles[tree.target.attestation(item.name)] = signer.sign(release_statement(tree.manifest, item.uri, item.data))
    return bundles


def _is_embedded(tree: Tree, listed: set[str]) -> bool:
    """Whether the BOM goes into an attestation of its own: not one whose bundle nobody would read."""
    if len(tree.bom) <= MAX_EMBEDDED:
        return True
    size = f"the BOM has {len(tree.bom):,} bytes, more than the {MAX_EMBEDDED:,} that fit into an attestation"
    if BOM_NAME not in tree.manifest.by_name():
        raise SigningError(size, where=BOM_NAME, hint="sign without --output-dir, as one file of the release")
    if REFERENCE not in listed:
        raise SigningError(
            size,
            where=BOM_NAME,
            hint="list an attestation of the type reference in aibom.toml, with the download-location of the BOM",
        )
    warn(f"{size}: it is signed as a file of the release, and referred to")
    return False


def require_secrets_outside(signer: SignerChoice, release: Path) -> None:
    """Refuse a private key or a file with a PIN that would be published with the release."""
    for what, secret in signer.secret_files:
        if not secret.resolve().is_relative_to(release.resolve()):
            continue
        raise UsageError(
            f"the {what} lies inside the release and would be published with it",
            where=str(secret),
            hint="move it out of the folder; if the release was published before, make a new one",
        )


def _built(release: Path, target: Places, digests: tuple[str, ...]) -> tuple[Tree, tuple[WantedAttestation, ...]]:
    built = build_bom(release, digests)
    show_warnings(built)
    read = built.collection
    tree = Tree(
        release=release,
        target=target,
        listing=read.listing,
        manifest=with_bom(read.manifest, built.data) if target.folder == release else read.manifest,
        bom=built.data,
        bom_path=target.bom,
        is_built=True,
    )
    return tree, (read.publisher or Publisher()).attestations


def _existing(release: Path, target: Places) -> tuple[Tree, tuple[WantedAttestation, ...]]:
    """Read the BOM that was built before, then digest the release by every algorithm that it gives digests by."""
    listing = require_safe(list_release(release), release)
    bom = read_bom(target.bom)
    algorithms = parse_bom(bom, BOM_NAME).file_algorithms
    inside = target.folder == release
    manifest = read_manifest(release, listing, algorithms=algorithms, without=[BOM_NAME] if inside else [])
    manifest = with_bom(manifest, bom) if inside else manifest
    tree = Tree(release=release, target=target, listing=listing, manifest=manifest, bom=bom, bom_path=target.bom)
    return tree, read_publisher(release, listing).attestations


def _warn_of_others(target: Places, written: Iterable[Path]) -> None:
    """Of attestations that stay as they are. Recorded steps stay by their nature: they are made before it is signed."""
    if target.signature.exists():
        warn("this replaces the signature that was there")
    names = {path.name for path in written}
    for _, path in target.attestations():
        is_recorded_step = path.name == LAYOUT_NAME or path.name.endswith(LINK_SUFFIX)
        if path.name not in names and not is_recorded_step:
            warn(f"{path.name} was not made again: if it is about other files, `aibom verify` refuses the release")
