"""The files of recorded steps: read from where attestations lie, bounded, and parsed before anything else.

Anybody can put links there. So the layout comes first, and only links that it asks for are opened.
"""

from collections.abc import Collection, Iterable
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
from verify.attached import Attached, read_beginning, read_bundle_file

LAYOUT_PATH = f"{ATTESTATIONS}/{LAYOUT_NAME}"
_MAX_FILES = 500
_MAX_BYTES = 64 * 1024 * 1024


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
class ReceivedLayout:
    """A layout: as signed, and what it says. No signature was checked."""

    signed: SignedMetadata
    record: LayoutRecord


def receive_layout(chain: tuple[Attached, ...], given: GivenLayout | None = None) -> ReceivedLayout | None:
    """Read and parse the layout that the reader brought, else the release's; None if there is neither.

    Raises InputError for anything that is not a layout, whoever signed it.
    """
    content = _read_all([found for found in chain if found.name == LAYOUT_PATH and given is None])
    if given is None and LAYOUT_PATH not in content:
        return None
    layout = given or GivenLayout(LAYOUT_PATH, content[LAYOUT_PATH])
    signed = parse_signed(layout.data, layout.path, max_bytes=MAX_LAYOUT_BYTES)
    return ReceivedLayout(signed=signed, record=parse_layout(signed, layout.path))


def link_names(chain: tuple[Attached, ...]) -> tuple[str, ...]:
    """The names of all links, in `attestations/`. Raises InputError for what cannot be one, without reading it."""
    links = [found for found in chain if found.name != LAYOUT_PATH]
    for found in links:
        begin = read_beginning(Attached(printable(found.name)[1:-1], found.path), MAX_LINK_BYTES, 1)
        if begin != b"{":
            raise InputError("not JSON: expected '{' as its first byte", where=found.name)
    return tuple(sorted({_base(found.name) for found in links}))


def receive_links(chain: tuple[Attached, ...], wanted: Collection[str]) -> dict[str, ReceivedLink]:
    """Read and parse the links of these names, those that are there. Raises InputError for what is no link."""
    found = [one for one in chain if one.name != LAYOUT_PATH and _base(one.name) in wanted]
    if len(found) > _MAX_FILES:
        raise InputError(f"more than {_MAX_FILES} links", where=ATTESTATIONS)
    return {_base(name): _link(data, printable(name)[1:-1]) for name, data in _read_all(found).items()}


def _base(name: str) -> str:
    return name.removeprefix(f"{ATTESTATIONS}/")


def _read_all(chain: Iterable[Attached]) -> dict[str, bytes]:
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
