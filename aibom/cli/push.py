"""`aibom push`: attach the BOM and the attestations of a release to its artifact in an OCI registry."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aibom.cli.build import source_date, warn
from aibom.cli.options import FILE, RELEASE
from aibom.cli.registries import PLAIN_HTTP, REFERENCE, registry_client
from aibom.core.errors import InputError
from aibom.core.layout import BOM_NAME
from aibom.sources.places import places
from verify.attached import Attached, find_attached, read_bundle_file

if TYPE_CHECKING:
    from aibom.registry.manifests import Attachment
    from aibom.registry.push import Pushed


_EXAMPLES = """\b
Examples:
  aibom push registry.example/teller:1.0 ./my-model
  aibom push registry.example/teller:1.0 ./my-model --create
  aibom push registry.example/teller@sha256:… ./my-model --attached ./documents
  aibom push localhost:5000/teller:1.0 ./my-model --plain-http"""


@click.command(epilog=_EXAMPLES)
@REFERENCE
@RELEASE
@click.option("--attached", type=FILE, help="Folder with the BOM and the signatures, if not in PATH.")
@click.option("--create", is_flag=True, help="Where REF names nothing, push a manifest that stands for the release.")
@click.option("--replace", is_flag=True, help="Take out what was attached under the same names before.")
@PLAIN_HTTP
def command(
    reference: str, release: Path, attached: Path | None, create: bool, replace: bool, plain_http: bool
) -> None:
    """Attach the BOM and the attestations of the release at PATH to the artifact REF.

    REF is registry/repository:tag, or registry/repository@sha256:…, of the image or artifact that holds the model. The
    weights are never pushed: push them with the tool of your choice first, or use --create. The attestations have the
    form that cosign and oras list.

    The password comes from the Docker configuration, or from AIBOM_REGISTRY_USERNAME and AIBOM_REGISTRY_PASSWORD.
    """
    attachments = _attachments(release, attached)
    with registry_client(reference, plain_http) as client:
        from aibom.registry.push import push_release

        pushed = push_release(client, attachments, create=create, replace=replace)
    if pushed.created:
        warn(f"there was no {reference}: a small manifest that stands for the release was pushed, without weights")
    _show(f"{client.reference.registry}/{client.reference.repository}", pushed)


def _attachments(release: Path, aside: Path | None) -> "list[Attachment]":
    """Read what belongs to a release; every file that is named like a bundle must be one."""
    found = find_attached(release, aside)
    if found.strangers:
        raise InputError(
            "this is no attestation, and nothing else may lie there", where=found.strangers[0], hint="move it away"
        )
    if not found.bundles:
        raise InputError(
            "there is nothing to push: the release is not signed",
            where=str(aside or release),
            hint="run `aibom sign` first; a release signed with --output-dir needs --attached",
        )
    from aibom.registry.attachments import bom_attachment, bundle_attachment, chain_attachment

    now = source_date()
    bundles = {file.name: bundle_attachment(file.name, read_bundle_file(file), now) for file in found.bundles}
    bundles |= {file.name: chain_attachment(file.name, read_bundle_file(file)) for file in found.chain}
    bom = Attached(BOM_NAME, places(release, aside).bom)
    if os.path.lexists(bom.path):
        return [bom_attachment(read_bundle_file(bom)), *bundles.values()]
    warn("there is no BOM: only the signatures are pushed")
    return list(bundles.values())


def _show(repository: str, pushed: "Pushed") -> None:
    how = f"the tag {pushed.subject.digest.replace(':', '-')}" if pushed.by_tag else "the registry's list of referrers"
    click.echo(f"Subject    {repository}@{pushed.subject.digest}")  # not folded: to be copied
    for label, paths in (("Attached", pushed.attached), ("Was there", pushed.present), ("Replaced", pushed.replaced)):
        for path in paths:
            click.echo(f"{label:<11}{path}")
    click.echo(f"Found by   {how}")
