"""Find the bundles and the BOM that belong to a release: inside it, or in a folder of their own."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from aibom.core.errors import InputError
from aibom.core.layout import ATTESTATIONS, BOM_NAME, BUNDLE_SUFFIX, SIGNATURE_NAME
from aibom.core.names import printable
from attest.bundle import MAX_BYTES

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


def find_attached(root: Path, attached: Path | None) -> AttachedFiles:
    """Look for `model.sig` and `attestations/` in `attached`, else in the release. Raises InputError."""
    base = attached or root
    if not base.is_dir():
        what = "not a folder" if base.exists() else "there is no such folder"
        raise InputError(what, where=str(base), hint="give the folder that holds the release")
    bundles, strangers = [], []
    if (base / SIGNATURE_NAME).exists() or (base / SIGNATURE_NAME).is_symlink():
        bundles.append(Attached(SIGNATURE_NAME, base / SIGNATURE_NAME))
    for name in _attestations(base):
        found = Attached(f"{ATTESTATIONS}/{name}", base / ATTESTATIONS / name)
        if name.endswith(BUNDLE_SUFFIX):
            bundles.append(found)
        else:
            strangers.append(found.name)
    bom = base / BOM_NAME
    outside = Attached(BOM_NAME, bom) if attached and attached.resolve() != root.resolve() and bom.exists() else None
    return AttachedFiles(bundles=tuple(bundles), strangers=tuple(strangers), bom=outside)


def read_bundle_file(found: Attached, limit: int = MAX_BYTES) -> bytes:
    """Read a regular file of bounded size. Raises InputError."""
    try:
        fd = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(f"cannot open the file: {error.strerror}", where=found.name) from error
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise InputError("not a regular file", where=found.name)
        data = file.read(limit + 1)
    if len(data) > limit:
        raise InputError(f"larger than the {limit} bytes that are read", where=found.name)
    return data


def _attestations(base: Path) -> list[str]:
    folder = base / ATTESTATIONS
    if not folder.is_dir() or folder.is_symlink():
        return []
    names = sorted(entry.name for entry in folder.iterdir())
    if len(names) > _MAX_BUNDLES:
        raise InputError(f"more than {_MAX_BUNDLES} files", where=printable(ATTESTATIONS))
    return names
