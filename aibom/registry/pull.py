"""Pull: fetch what `push` attached to an artifact. Nothing of it is believed here: `verify` decides.

Names, sizes, types and counts are those that we would push, or the file stays where it is; every digest is ours.
"""

from dataclasses import dataclass

from aibom.core.errors import InputError, SourceError
from aibom.core.names import printable
from aibom.registry.attachments import BOM_TYPE, BUNDLE_TYPE, CHAIN_TYPE, MAX_FILE, MAX_TOTAL, is_attachable
from aibom.registry.client import RegistryClient
from aibom.registry.manifests import EMPTY_TYPE, MANIFEST, PATH, Descriptor, parse_manifest
from aibom.registry.referrers import list_referrers

# Some registries list the type of the configuration, or none, where the type of the artifact belongs.
_OURS = frozenset({BOM_TYPE, BUNDLE_TYPE, CHAIN_TYPE})
_CANDIDATES = _OURS | {EMPTY_TYPE, ""}


@dataclass(frozen=True, slots=True)
class PulledFile:
    """The name in the release, and the bytes."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """The subject, its files in a fixed order, and what was left in the registry with the reason."""

    subject: Descriptor
    files: tuple[PulledFile, ...]
    notes: tuple[str, ...]


def pull_release(client: RegistryClient) -> Pulled:
    """Fetch the BOM and the bundles that are attached to what the client's reference names.

    Raises SourceError or InputError; then nothing is to be kept.
    """
    found = client.manifest(client.reference.target)
    if found is None:
        raise SourceError(
            "the registry has no such artifact", where=str(client.reference), hint="check its name and tag"
        )
    subject = found[1]
    notes: list[str] = []
    layers: dict[str, Descriptor] = {}
    for entry in list_referrers(client, subject).entries:
        if entry.artifact_type not in _CANDIDATES:
            continue
        named = _named_layer(client, entry, subject)
        if isinstance(named, str):
            notes.append(f"{entry.digest} stays in the registry: {named}")
        elif named:
            _add(layers, *named)
    if not layers:
        raise SourceError(
            "nothing that aibom pushed is attached to this artifact",
            where=str(client.reference),
            hint="ask the publisher for the reference that the release was pushed to",
        )
    return Pulled(subject=subject, files=_fetch(client, layers), notes=tuple(notes))


def _named_layer(client: RegistryClient, entry: Descriptor, subject: Descriptor) -> tuple[str, Descriptor] | str | None:
    """The name and the one layer of a referrer of ours, or why it is none; nothing for other tools' files."""
    where = f"manifest {entry.digest}"
    if entry.media_type != MANIFEST:
        return "it is no image manifest"
    found = client.manifest(entry.digest)
    if found is None:
        return "the registry lists it and does not have it"
    if (found[1].media_type, found[1].size) != (MANIFEST, entry.size):
        raise SourceError("the registry lists another size or type than it has", where=where)
    try:
        manifest = parse_manifest(found[0], where)
    except InputError as error:
        return f"it is malformed: {error.message}"
    if manifest.subject is None or manifest.subject.digest != subject.digest:
        return "its subject is another artifact"
    path = manifest.annotations.get(PATH)
    if manifest.artifact_type not in _OURS:
        return None
    if path is None:
        return "aibom did not push it; the tool that did can verify it"
    if not is_attachable(path, manifest.artifact_type):
        return f"{printable(path[:200])} is not a name that we write"
    if len(manifest.layers) != 1 or manifest.layers[0].media_type != manifest.artifact_type:
        return "it does not hold one file of its own type"
    return path, manifest.layers[0]


def _add(layers: dict[str, Descriptor], path: str, layer: Descriptor) -> None:
    """Take a name once: two files of one name could be two versions, and which one counts is not ours to choose."""
    same = next((name for name in layers if name.casefold() == path.casefold()), None)
    if same is None:
        layers[path] = layer
    elif same != path or layers[same].digest != layer.digest:
        raise InputError(
            f"two different files are attached as {path}",
            where=f"{layers[same].digest}, {layer.digest}",
            hint="ask the publisher to push again with --replace, or pull an artifact of one version",
        )


def _fetch(client: RegistryClient, layers: dict[str, Descriptor]) -> tuple[PulledFile, ...]:
    if sum(layer.size for layer in layers.values()) > MAX_TOTAL:
        raise SourceError(f"more than {MAX_TOTAL} bytes are attached", where=str(client.reference))
    return tuple(PulledFile(path, client.blob(layer, MAX_FILE)) for path, layer in sorted(layers.items()))
