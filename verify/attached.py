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
    """Look for `model.sig` and `attestations/` in the release, and in `attached` as well. Raises InputError.

    Those of the release are never passed over: nothing else covers what lies there.
    """
    aside = attached if attached and attached.resolve() != root.resolve() else None
    bundles: list[Attached] = []
    strangers: list[str] = []
    for base in (root, aside) if aside else (root,):
        _look(base, bundles, strangers)
    beside = aside / BOM_NAME if aside else None
    bom = Attached(BOM_NAME, beside) if beside and os.path.lexists(beside) else None
    return AttachedFiles(bundles=tuple(bundles), strangers=tuple(strangers), bom=bom)


def _look(base: Path, bundles: list[Attached], strangers: list[str]) -> None:
    if not base.is_dir():
        what = "not a folder" if base.exists() else "there is no such folder"
        raise InputError(what, where=str(base), hint="give the folder that holds the release")
    if os.path.lexists(base / SIGNATURE_NAME):
        bundles.append(Attached(SIGNATURE_NAME, base / SIGNATURE_NAME))
    for name in _attestations(base):
        found = Attached(f"{ATTESTATIONS}/{name}", base / ATTESTATIONS / name)
        if name.endswith(BUNDLE_SUFFIX):
            bundles.append(found)
        else:
            strangers.append(found.name)


def read_bundle_file(found: Attached, limit: int = MAX_BYTES) -> bytes:
    """Read a regular file of bounded size. Raises InputError."""
    try:
        fd = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(f"cannot open the file: {error.strerror}", where=found.name) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise InputError("not a regular file", where=found.name)
    with os.fdopen(fd, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise InputError(f"larger than the {limit} bytes that are read", where=found.name)
    return data


def _attestations(base: Path) -> list[str]:
    folder = base / ATTESTATIONS
    if folder.is_symlink() or not folder.is_dir():
        return []
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot list the folder: {error.strerror}", where=ATTESTATIONS) from error
    if len(names) > _MAX_BUNDLES:
        raise InputError(f"more than {_MAX_BUNDLES} files", where=printable(ATTESTATIONS))
    return names
