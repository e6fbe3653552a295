"""`aibom sign`: sign a release and its BOM, with one read of the files."""

import hashlib
from pathlib import Path

import click

from aibom.cli.build import DIGESTS, build_bom, show_warnings, warn
from aibom.cli.options import RELEASE
from aibom.cli.output import require_output_folder, write_whole
from aibom.cli.progress import reading_executor, show_progress
from aibom.cli.render.layout import row
from aibom.cli.signers import SignerChoice, make_signer, signer_options
from aibom.core.errors import InputError, MismatchError, UsageError
from aibom.core.finding import Outcome
from aibom.core.layout import BOM_NAME
from aibom.core.manifest import FileEntry, Manifest
from aibom.cyclonedx.schema import schema_problems
from aibom.cyclonedx.view import parse_bom
from aibom.sources.listing import list_release, require_safe
from aibom.sources.local import read_release
from aibom.sources.places import Places, places
from attest.bom_attestation import bom_statement
from attest.model_signature import model_statement
from verify.bom_accounting import check_accounting

_MAX_BOM = 256 * 1024 * 1024


@click.command(epilog="Example:  aibom sign ./my-model --build --key publisher.key")
@RELEASE
@signer_options
@click.option("--build", "build", is_flag=True, help="Build the BOM first, with the same single read of the files.")
@click.option(
    "--output-dir", type=click.Path(path_type=Path, readable=False), help="Folder to write to when PATH is read-only."
)
@DIGESTS
def command(
    release: Path,
    signer: SignerChoice,
    build: bool,
    output_dir: Path | None,
    digests: tuple[str, ...],
) -> None:
    """Sign the release in the folder PATH and its BOM.

    Writes model.sig (OpenSSF Model Signing) and attestations/bom.sigstore.json. A BOM that does not describe the files
    is refused. Sign with --key or --pkcs11-uri, either with its --certificate, or with an identity (--keyless). The
    passphrase of a key comes from AIBOM_KEY_PASSPHRASE or a prompt, the PIN of a token from AIBOM_PKCS11_PIN or a
    prompt, an identity token from a file, standard input or SIGSTORE_IDENTITY_TOKEN; none is ever an argument.
    """
    if digests and not build:
        raise UsageError("--digest only has a meaning with --build")
    for what, secret in signer.secret_files:
        _require_outside(what, secret, release)
    target = places(release, require_output_folder(output_dir, release) if output_dir else None)
    chosen = make_signer(signer)
    manifest, bom, hub = _built(release, digests) if build else _existing(release, target)
    if target.folder == release:
        manifest = _with_bom(manifest, bom)
    _require_described(manifest, bom)
    name = release.resolve().name
    signature = chosen.sign(model_statement(name, manifest, hub_records=hub))
    attestation = chosen.sign(bom_statement(manifest, bom))
    if target.signature.exists():
        warn("this replaces the signature that was there")
    if build:
        write_whole(target.bom, bom)
    write_whole(target.signature, signature)
    write_whole(target.attestation("bom"), attestation)
    click.echo("\n".join(row("Signed by", chosen.describe(), indent=0, column=12)))
    click.echo(f"Files       {len(manifest.entries)}, {manifest.size:,} bytes")
    click.echo(f"Written to  {target.signature}\n            {target.attestation('bom')}")


def _require_outside(what: str, secret: Path, release: Path) -> None:
    if secret.resolve().is_relative_to(release.resolve()):
        raise UsageError(
            f"the {what} lies inside the release and would be published with it",
            where=str(secret),
            hint="move it out of the folder; if the release was published before, make a new one",
        )


def _built(release: Path, digests: tuple[str, ...]) -> tuple[Manifest, bytes, tuple[str, ...]]:
    built = build_bom(release, digests)
    show_warnings(built)
    return built.collection.manifest, built.data, built.collection.listing.hub_records


def _existing(release: Path, target: Places) -> tuple[Manifest, bytes, tuple[str, ...]]:
    """Read the BOM that was built before, then digest the release by every algorithm that it gives digests by."""
    listing = require_safe(list_release(release), release)
    bom = _read_bom(target.bom)
    algorithms = parse_bom(bom, BOM_NAME).file_algorithms
    files = [file for file in listing.files if target.folder != release or file[0] != BOM_NAME]
    with show_progress("Reading the release") as progress, reading_executor() as executor:
        read = read_release(release, files, algorithms=algorithms, executor=executor, progress=progress)
        return Manifest.of(file.entry for file in read), bom, listing.hub_records


def _read_bom(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BOM)
    except OSError as error:
        raise InputError(
            "there is no BOM to sign", where=str(path), hint="run `aibom build` first, or add --build"
        ) from error


def _with_bom(manifest: Manifest, bom: bytes) -> Manifest:
    """The manifest as it will be once the BOM is written beside the files."""
    entry = FileEntry(name=BOM_NAME, size=len(bom), digests={"sha256": hashlib.sha256(bom).hexdigest()})
    return Manifest.of([*(e for e in manifest.entries if e.name != BOM_NAME), entry])


def _require_described(manifest: Manifest, bom: bytes) -> None:
    """Refuse to sign a BOM that is malformed, or of other files."""
    document = parse_bom(bom, BOM_NAME)
    problems = schema_problems(document.raw)
    if problems:
        raise InputError(
            f"the BOM is not valid CycloneDX: {problems[0]}", where=BOM_NAME, hint="run `aibom build` again"
        )
    findings = [f for f in check_accounting(document, manifest) if f.outcome is Outcome.CONTRADICTED]
    if findings:
        others = sum(finding.rule != "bom.tree-digest" for finding in findings[1:])  # which follows from the first
        more = f" (and {others} more)" if others else ""
        raise MismatchError(
            f"the BOM does not describe these files: {findings[0].message}{more}",
            where=findings[0].where or BOM_NAME,
            hint="run `aibom build` again, or add --build; nothing was signed",
        )
