"""Which files of a release are attached, under which names and types: one list for both directions.

A name from a registry is taken only if it is one that we would have pushed; everything else there is somebody else's.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aibom.core.errors import InputError
from aibom.core.layout import ATTESTATIONS, BOM_NAME, BUNDLE_SUFFIX, SIGNATURE_NAME
from aibom.core.strictjson import parse_json_object
from aibom.registry.manifests import Attachment, digest_of
from attest.bundle import MAX_BYTES, MEDIA_TYPE, parse_bundle
from attest.statement import parse_any_statement
from attest.step_metadata import LAYOUT_NAME, MAX_LINK_BYTES, is_link_file_name, parse_signed

BOM_TYPE = "application/vnd.cyclonedx+json"
BUNDLE_TYPE = MEDIA_TYPE
CHAIN_TYPE = "application/vnd.dsse.envelope.v1+json"
"""in-toto's layout and links."""
RELEASE_TYPE = "application/vnd.aibom.release.v1+json"
MAX_FILE = MAX_BYTES
MAX_TOTAL = 1024 * 1024 * 1024
"""All that is pulled is held in memory until every digest was checked."""
_ATTESTATION = re.compile(
    rf"{re.escape(ATTESTATIONS)}/[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*{re.escape(BUNDLE_SUFFIX)}"
)
_MAX_NAME = 120
_CREATED = "org.opencontainers.image.created"


def is_attachable(path: str, media_type: str) -> bool:
    """Whether a file of this name and type is one that releases are pushed with."""
    if media_type == BOM_TYPE:
        return path == BOM_NAME
    if media_type == CHAIN_TYPE:
        folder, _, name = path.partition("/")
        return folder == ATTESTATIONS and (name == LAYOUT_NAME or is_link_file_name(name))
    named = path == SIGNATURE_NAME or (len(path) <= _MAX_NAME and _ATTESTATION.fullmatch(path) is not None)
    return media_type == BUNDLE_TYPE and named


def bom_attachment(data: bytes) -> Attachment:
    """The BOM as it is attached. Raises InputError if it is not JSON."""
    parse_json_object(data, BOM_NAME, max_bytes=MAX_FILE)
    return Attachment(path=BOM_NAME, data=data, media_type=BOM_TYPE, title=BOM_NAME, annotations={})


def bundle_attachment(path: str, data: bytes, now: datetime | None) -> Attachment:
    """A bundle as cosign attaches it. Raises InputError if it is none, or its name cannot be restored by `pull`.

    The time is the bundle's own (of its transparency log entry), else `now`, which the caller must have been given;
    without either it is left out, as the specification allows: pushing twice has the same result.
    """
    if not is_attachable(path, BUNDLE_TYPE):
        raise InputError(
            "the name cannot be attached: letters, digits, '-', '_' and single dots are",
            where=path,
            hint="rename the file; its signature does not depend on its name",
        )
    bundle = parse_bundle(data, path)
    annotations = {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": parse_any_statement(bundle.payload, f"{path}, payload").predicate_type,
    }
    created = _logged_time(data, path) or now
    if created:
        annotations[_CREATED] = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    title = f"{digest_of(data).replace(':', '-')}{BUNDLE_SUFFIX}"
    return Attachment(path=path, data=data, media_type=BUNDLE_TYPE, title=title, annotations=annotations)


def chain_attachment(path: str, data: bytes) -> Attachment:
    """A layout or link of recorded steps. Raises InputError if it is none, or its name cannot be restored by `pull`."""
    if not is_attachable(path, CHAIN_TYPE):
        raise InputError("not the name that a link has: STEP.KEYID.link", where=path, hint="give it its name back")
    signed = parse_signed(data, path, max_bytes=MAX_LINK_BYTES)
    annotations = {"org.aibom.in-toto": signed.kind}
    return Attachment(
        path=path, data=data, media_type=CHAIN_TYPE, title=path.rpartition("/")[2], annotations=annotations
    )


def _logged_time(data: bytes, path: str) -> datetime | None:
    """When a transparency log says that it took the bundle in; a label here, checked by `verify`."""
    material: Mapping[str, Any] = parse_json_object(data, path, max_bytes=MAX_FILE)["verificationMaterial"]
    entries = material.get("tlogEntries")
    first = entries[0] if isinstance(entries, list) and entries else None
    seconds = first.get("integratedTime") if isinstance(first, dict) else None
    if not isinstance(seconds, str) or not re.fullmatch(r"[1-9][0-9]{8,10}", seconds):
        return None
    return datetime.fromtimestamp(int(seconds), UTC)
