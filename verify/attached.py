"""Find the bundles and the BOM that belong to a release: inside it, or in a folder of their own."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from aibom.core.errors import InputError
from aibom.core.layout import ATTESTATIONS, BOM_NAME, BUNDLE_SUFFIX, SIGNATURE_NAME
from aibom.core.names import printable
from aibom.sources.places import Places, places
from attest.bundle import MAX_BYTES
from attest.step_metadata import LAYOUT_NAME, LINK_SUFFIX

_MAX_BUNDLES = 1000


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that belongs to a release: its name there, and where it lies."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFiles:
    """Bundles in a fixed order (the model signature first), whatever lies among them that is none, and a BOM."""

    bundles: tuple[Attached, ...]
    strangers: tuple[str, ...]
    bom: Attached | None
    """A BOM outside the release, in the folder given by `--attached`."""
    chain: tuple[Attached, ...] = ()
    """in-toto's layout and links: read by `verify.supply_chain`."""


def find_attached(root: Path, attached: Path | None) -> AttachedFiles:
    """Look for `model.sig` and `attestations/` in the release, and in `attached` as well. Raises InputError.

    Those of the release are never passed over: nothing else covers what lies there.
    """
    own = places(root)
    aside = attached if attached and attached.resolve() != own.folder.resolve() else None
    both = (own, places(root, aside)) if aside else (own,)
    bundles: list[Attached] = []
    strangers: list[str] = []
    chain: list[Attached] = []
    for place in both:
        _look(place, bundles, strangers, chain)
    last = both[-1]  # a BOM inside a release's folder is one of its files; anywhere else it is attached
    bom = Attached(BOM_NAME, last.bom) if (aside or last.file) and os.path.lexists(last.bom) else None
    return AttachedFiles(bundles=tuple(bundles), strangers=tuple(strangers), bom=bom, chain=tuple(chain))


def _look(place: Places, bundles: list[Attached], strangers: list[str], chain: list[Attached]) -> None:
    if not place.folder.is_dir():
        what = "not a folder" if place.folder.exists() else "there is no such folder"
        raise InputError(what, where=str(place.folder), hint="give the folder that holds the release")
    if os.path.lexists(place.signature):
        bundles.append(Attached(SIGNATURE_NAME, place.signature))
    for name, path in _attestations(place):
        if name.endswith(BUNDLE_SUFFIX):
            bundles.append(Attached(name, path))
        elif name == f"{ATTESTATIONS}/{LAYOUT_NAME}" or name.endswith(LINK_SUFFIX):
            chain.append(Attached(name, path))
        else:
            strangers.append(name)


def read_bundle_file(found: Attached, limit: int = MAX_BYTES) -> bytes:
    """Read a regular file of bounded size. Raises InputError."""
    with _open(found) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise _too_large(found, limit)
    return data


def read_beginning(found: Attached, limit: int, count: int) -> bytes:
    """Read the first bytes of a regular file that is no larger than `limit`. Raises InputError."""
    with _open(found) as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise _too_large(found, limit)
        return file.read(count)


def _open(found: Attached) -> BinaryIO:
    try:
        fd = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(f"cannot open the file: {error.strerror}", where=found.name) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise InputError("not a regular file", where=found.name)
    return os.fdopen(fd, "rb")


def _too_large(found: Attached, limit: int) -> InputError:
    return InputError(f"larger than the {limit} bytes that are read", where=found.name)


def _attestations(place: Places) -> list[tuple[str, Path]]:
    try:
        found = place.attestations()
    except OSError as error:
        raise InputError(f"cannot list the folder: {error.strerror}", where=ATTESTATIONS) from error
    if len(found) > _MAX_BUNDLES:
        raise InputError(f"more than {_MAX_BUNDLES} files", where=printable(ATTESTATIONS))
    return found
