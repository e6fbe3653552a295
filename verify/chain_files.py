"""The files of recorded steps: read from where attestations lie, bounded, and parsed before anything else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aibom.core.errors import InputError
from aibom.core.layout import ATTESTATIONS
from aibom.core.names import printable
from attest.step_layout import LayoutRecord, parse_layout
from attest.step_metadata import (
    LAYOUT_NAME,
    LINK,
    MAX_LAYOUT_BYTES,
    MAX_LINK_BYTES,
    LinkRecord,
    SignedMetadata,
    parse_link,
    parse_signed,
)
from verify.attached import Attached, read_bundle_file

LAYOUT_PATH = f"{ATTESTATIONS}/{LAYOUT_NAME}"
_MAX_FILES = 500
_MAX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GivenLayout:
    """A layout that the reader brought, and where it was read."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedLink:
    """What lies there as a link: as signed, and what it says; None for a layout in the place of a link."""

    signed: SignedMetadata
    record: LinkRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedChain:
    """A layout if there is one, and links by the name of their file in `attestations/`. No signature was checked."""

    layout: LayoutRecord | None
    signed_layout: SignedMetadata | None
    links: Mapping[str, ReceivedLink]


def receive_chain(chain: tuple[Attached, ...], given: GivenLayout | None = None) -> ReceivedChain:
    """Read and parse all of it; a layout that the reader brought is in the place of the release's, which is not read.

    Raises InputError for anything that is not a link or a layout, whoever signed it.
    """
    if given is not None:
        chain = tuple(found for found in chain if found.name != LAYOUT_PATH)
    if len(chain) > _MAX_FILES:
        raise InputError(f"more than {_MAX_FILES} links", where=ATTESTATIONS)
    content = _read_all(chain)
    links = {
        name.removeprefix(f"{ATTESTATIONS}/"): _link(data, printable(name)[1:-1])
        for name, data in content.items()
        if name != LAYOUT_PATH
    }
    if given is None and LAYOUT_PATH not in content:
        return ReceivedChain(layout=None, signed_layout=None, links=links)
    layout = given or GivenLayout(LAYOUT_PATH, content[LAYOUT_PATH])
    signed = parse_signed(layout.data, layout.path, max_bytes=MAX_LAYOUT_BYTES)
    return ReceivedChain(layout=parse_layout(signed, layout.path), signed_layout=signed, links=links)


def _read_all(chain: tuple[Attached, ...]) -> dict[str, bytes]:
    content: dict[str, bytes] = {}
    total = 0
    for found in chain:
        limit = MAX_LAYOUT_BYTES if found.name == LAYOUT_PATH else MAX_LINK_BYTES
        shown = printable(found.name)[1:-1]
        data = read_bundle_file(Attached(shown, found.path), limit)
        total += len(data)
        if total > _MAX_BYTES:
            raise InputError(f"more than {_MAX_BYTES} bytes of recorded steps", where=ATTESTATIONS)
        if content.setdefault(found.name, data) != data:
            raise InputError("there are two that differ, in the release and beside it", where=shown)
    return content


def _link(data: bytes, where: str) -> ReceivedLink:
    signed = parse_signed(data, where)
    record = parse_link(signed, where) if signed.kind == LINK else None
    return ReceivedLink(signed=replace(signed, document={}), record=record)  # one parsed copy at a time is enough
