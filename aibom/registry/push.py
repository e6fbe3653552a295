"""Push: attach the BOM and the bundles of a release to an artifact in a registry. The weights are never pushed.

Every step leaves what is there already, so a push that broke off is finished by pushing again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aibom.core.errors import SourceError, UsageError
from aibom.registry.attachments import BOM_TYPE, RELEASE_TYPE
from aibom.registry.client import RegistryClient
from aibom.registry.manifests import (
    EMPTY,
    EMPTY_TYPE,
    MANIFEST,
    TITLE,
    Attachment,
    Descriptor,
    artifact_manifest,
    attachment_manifest,
    describe,
)
from aibom.registry.referrers import list_referrers, path_of, write_tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """The subject and whether it was made now; what was attached, what was there; how it can be found."""

    subject: Descriptor
    created: bool
    attached: tuple[str, ...]
    present: tuple[str, ...]
    replaced: tuple[str, ...]
    by_tag: bool


def push_release(
    client: RegistryClient, attachments: Sequence[Attachment], *, create: bool = False, replace: bool = False
) -> Pushed:
    """Attach every file to the artifact that the client's reference names.

    `create` makes a small manifest that stands for the release where the reference names nothing; `replace` takes out
    what an earlier push attached under the same names. Raises SourceError, InputError, UsageError.
    """
    subject, created = _subject(client, attachments, create)
    known = list_referrers(client, subject)
    wanted = {a.path: (a, *attachment_manifest(a, subject)) for a in attachments}
    digests = {entry.digest for _, _, entry in wanted.values()}
    old = [entry for entry in known.entries if path_of(entry) in wanted and entry.digest not in digests]
    if old and not replace:
        raise _occupied(old[0])
    if not known.by_tag:
        _delete(client, old)
    listed = {entry.digest for entry in known.entries}
    unconfirmed: list[Descriptor] = []
    for attachment, manifest, entry in wanted.values():
        if entry.digest not in listed and not _attach(client, attachment, manifest, subject):
            unconfirmed.append(entry)
    if known.by_tag:
        added = [entry for _, _, entry in wanted.values()]
        write_tag(client, subject, added, {entry.digest for entry in old})
    else:
        _require_listed(client, subject, unconfirmed)
    return Pushed(
        subject=subject,
        created=created,
        attached=tuple(path for path, (_, _, entry) in wanted.items() if entry.digest not in listed),
        present=tuple(path for path, (_, _, entry) in wanted.items() if entry.digest in listed),
        replaced=tuple(sorted({path_of(entry) for entry in old})),
        by_tag=known.by_tag,
    )


def _subject(client: RegistryClient, attachments: Sequence[Attachment], create: bool) -> tuple[Descriptor, bool]:
    reference = client.reference
    if create and reference.digest:
        raise UsageError("--create needs a tag to give to what it makes", where=str(reference))
    found = client.manifest(reference.target)
    if found:
        return found[1], False
    if not create:
        raise SourceError(
            "the registry has no such artifact",
            where=str(reference),
            hint="push the model first, or add --create to make a small manifest that stands for the release",
        )
    return _create(client, attachments), True


def _create(client: RegistryClient, attachments: Sequence[Attachment]) -> Descriptor:
    """A manifest with the BOM as its one layer: what the signatures of a release without an image refer to."""
    bom = next((a for a in attachments if a.media_type == BOM_TYPE), None)
    data, media_type = (bom.data, BOM_TYPE) if bom else (EMPTY, EMPTY_TYPE)
    layer = describe(data, media_type, annotations={TITLE: bom.title} if bom else {})
    manifest = artifact_manifest(RELEASE_TYPE, layer)
    client.put_blob(EMPTY)
    client.put_blob(data)
    client.put_manifest(client.reference.tag, manifest, MANIFEST)
    return describe(manifest, MANIFEST)


def _attach(client: RegistryClient, attachment: Attachment, manifest: bytes, subject: Descriptor) -> bool:
    """Upload one file and its manifest; whether the registry says that it lists it itself."""
    client.put_blob(EMPTY)
    client.put_blob(attachment.data)
    answer = client.put_manifest(describe(manifest, MANIFEST).digest, manifest, MANIFEST)
    return answer.get("OCI-Subject", "") == subject.digest


def _delete(client: RegistryClient, entries: Sequence[Descriptor]) -> None:
    """Take out what is to be replaced, before anything is added: two files of one name would stop every `pull`."""
    for entry in entries:
        try:
            client.delete_manifest(entry.digest)
        except SourceError as error:
            raise SourceError(
                f"{path_of(entry)} cannot be replaced: {error.message}",
                where=error.where,
                hint="many registries remove nothing: push under the tag of a new version",
            ) from error


def _require_listed(client: RegistryClient, subject: Descriptor, entries: Sequence[Descriptor]) -> None:
    """Look again where the answer did not say `OCI-Subject`: some registries keep a list, and do not say so."""
    present = {entry.digest for entry in list_referrers(client, subject).entries} if entries else set()
    missing = [path_of(entry) for entry in entries if entry.digest not in present]
    if missing:
        raise SourceError(
            f"the registry took {missing[0]} and does not list it",
            where=str(client.reference),
            hint="run the command again; if it stays so, ask who runs the registry about its list of referrers",
        )


def _occupied(entry: Descriptor) -> SourceError:
    return SourceError(
        f"another {path_of(entry)} is attached to this artifact, by the manifest {entry.digest}",
        where=path_of(entry),
        hint="push under the tag of the new version, or add --replace to take the old one out",
    )
