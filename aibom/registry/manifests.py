"""OCI manifests, indexes and descriptors: what we write, in the form cosign reads, and what we take from others.

Every manifest is a deterministic function of what it holds, so that pushing again changes nothing.
Source: OCI image specification 1.1 (manifest, index, descriptor); cosign, specs/BUNDLE_SPEC.md.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import Json, dump_compact, parse_json_object
from aibom.registry.reference import is_digest

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
SUBJECT_TYPES = (
    MANIFEST,
    INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
EMPTY = b"{}"
TITLE = "org.opencontainers.image.title"
PATH = "org.aibom.path"
"""Our annotation: the name that a file has in its release."""

MAX_MANIFEST = 4 * 1024 * 1024
"""The size that the distribution specification asks registries to take."""
MAX_ENTRIES = 1000
_MAX_TEXT = 2000
_MAX_SIZE = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """Type, digest and size of something in a registry; what an index says of it besides."""

    media_type: str
    digest: str
    size: int
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> Json:
        """The members that a manifest holds."""
        members: Json = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.artifact_type:
            members["artifactType"] = self.artifact_type
        if self.annotations:
            members["annotations"] = dict(self.annotations)
        return members


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactManifest:
    """What we read of a referrer."""

    artifact_type: str
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file to attach: its name in the release, its bytes, its type, and annotations for its manifest."""

    path: str
    data: bytes
    media_type: str
    title: str
    annotations: Mapping[str, str]


def digest_of(data: bytes) -> str:
    """The SHA-256 digest as registries write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def describe(data: bytes, media_type: str, **more: Any) -> Descriptor:
    """The descriptor of bytes that we have."""
    return Descriptor(media_type=media_type, digest=digest_of(data), size=len(data), **more)


def attachment_manifest(attachment: Attachment, subject: Descriptor) -> tuple[bytes, Descriptor]:
    """The manifest that attaches one file to a subject, and how an index lists it."""
    annotations = {**attachment.annotations, PATH: attachment.path}
    layer = describe(attachment.data, attachment.media_type, annotations={TITLE: attachment.title})
    data = _manifest(attachment.media_type, layer, annotations, subject=subject)
    return data, describe(data, MANIFEST, artifact_type=attachment.media_type, annotations=annotations)


def artifact_manifest(artifact_type: str, layer: Descriptor) -> bytes:
    """A manifest that stands for itself."""
    return _manifest(artifact_type, layer, {})


def _manifest(
    artifact_type: str, layer: Descriptor, annotations: Mapping[str, str], subject: Descriptor | None = None
) -> bytes:
    document: Json = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": describe(EMPTY, EMPTY_TYPE).as_json(),
        "layers": [layer.as_json()],
    }
    if annotations:
        document["annotations"] = dict(annotations)
    if subject:
        plain = Descriptor(media_type=subject.media_type, digest=subject.digest, size=subject.size)
        document["subject"] = plain.as_json()
    return dump_compact(document)


def parse_manifest(data: bytes, where: str) -> ArtifactManifest:
    """Parse an image manifest strictly. Raises InputError."""
    document = _document(data, MANIFEST, where)
    config = parse_descriptor(document.get("config"), f"{where}, config")
    layers = document.get("layers")
    if not isinstance(layers, list) or len(layers) > MAX_ENTRIES:
        raise InputError(f"expected a list of at most {MAX_ENTRIES} layers", where=f"{where}, layers")
    subject = document.get("subject")
    return ArtifactManifest(
        artifact_type=_text(document.get("artifactType", ""), f"{where}, artifactType") or config.media_type,
        layers=tuple(parse_descriptor(layer, f"{where}, layers[{number}]") for number, layer in enumerate(layers)),
        subject=None if subject is None else parse_descriptor(subject, f"{where}, subject"),
        annotations=_annotations(document.get("annotations"), where),
    )


def parse_index(data: bytes, where: str) -> tuple[Json, tuple[Descriptor, ...]]:
    """Parse an image index strictly: the document, of which everything is kept, and its entries by SHA-256.

    An entry by another algorithm is legal and not ours. Raises InputError.
    """
    document = _document(data, INDEX, where)
    entries = document.get("manifests")
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise InputError(f"expected a list of at most {MAX_ENTRIES} manifests", where=f"{where}, manifests")
    return document, tuple(
        parse_descriptor(entry, f"{where}, manifests[{number}]")
        for number, entry in enumerate(entries)
        if not _is_by_another_algorithm(entry)
    )


def _is_by_another_algorithm(entry: object) -> bool:
    digest = entry.get("digest") if isinstance(entry, dict) else None
    return isinstance(digest, str) and digest.startswith(("sha512:", "blake3:"))


def media_type_in(data: bytes, where: str) -> str:
    """The media type that a manifest of any kind gives itself; empty if it gives none."""
    document = parse_json_object(data, where, max_bytes=MAX_MANIFEST)
    return _text(document.get("mediaType", ""), f"{where}, mediaType")


def parse_descriptor(value: object, where: str) -> Descriptor:
    """Parse a descriptor strictly. Raises InputError for any digest but SHA-256, and for a size that is none."""
    if not isinstance(value, dict):
        raise InputError("expected a descriptor", where=where)
    digest, size = value.get("digest"), value.get("size")
    if not isinstance(digest, str) or not is_digest(digest):
        raise InputError(f"expected a sha256 digest, found {str(digest)[:80]!r}", where=f"{where}, digest")
    if type(size) is not int or not 0 <= size <= _MAX_SIZE:
        raise InputError(f"expected a size in bytes, found {str(size)[:80]!r}", where=f"{where}, size")
    return Descriptor(
        media_type=_text(value.get("mediaType"), f"{where}, mediaType"),
        digest=digest,
        size=size,
        artifact_type=_text(value.get("artifactType", ""), f"{where}, artifactType"),
        annotations=_annotations(value.get("annotations"), where),
    )


def _document(data: bytes, media_type: str, where: str) -> Json:
    document = parse_json_object(data, where, max_bytes=MAX_MANIFEST)
    if document.get("schemaVersion") != 2 or document.get("mediaType", media_type) != media_type:
        found = str(document.get("mediaType"))[:80]
        raise InputError(f"expected {media_type}, found {found!r}", where=where)
    return document


def _annotations(value: object, where: str) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise InputError("expected an object of texts", where=f"{where}, annotations")
    return value  # of any length: other tools keep certificates there, and the whole document is bounded


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise InputError(f"expected text of at most {_MAX_TEXT} characters", where=where)
    return value
