"""A release as the Hugging Face client caches it: a snapshot whose files are links into a store of blobs beside it.

    models--owner--name/blobs/<digest>
    models--owner--name/snapshots/<commit>/sub/file  →  ../../../blobs/<digest>

Only a link of exactly that form is taken for the file it stands for; any other link is refused like everywhere else.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

BLOBS = "blobs"
_KINDS = {"models": "", "datasets": "datasets/", "spaces": "spaces/"}
_BLOB = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSnapshot:
    """Which repository of a hub a folder is a snapshot of."""

    kind: str
    """Empty for a model, else `datasets/` or `spaces/`, as in the hub's addresses."""
    repository: str
    commit: str
    """Full commit id, or empty if the folder is named otherwise."""
    blobs: Path


def hub_snapshot(root: Path) -> HubSnapshot | None:
    """The snapshot that this folder is, by where it lies; None for any other folder."""
    root = Path(os.path.abspath(root))  # noqa: PTH100 -- resolve() would follow links
    kind, *parts = root.parents[1].name.split("--") if len(root.parents) > 2 else [""]
    blobs = root.parents[1] / BLOBS if len(root.parents) > 2 else root
    if root.parent.name != "snapshots" or kind not in _KINDS or not parts or not all(parts):
        return None
    if not blobs.is_dir() or blobs.is_symlink():
        return None
    commit = root.name if _COMMIT.fullmatch(root.name) else ""
    return HubSnapshot(kind=_KINDS[kind], repository="/".join(parts), commit=commit, blobs=blobs)


def blob_name(target: str, name: str) -> str:
    """The blob that a link `name` of a snapshot stands for, by where it leads; empty if it has another form."""
    prefix = "../" * (name.count("/") + 2) + f"{BLOBS}/"
    blob = target.removeprefix(prefix)
    return blob if blob != target and _BLOB.fullmatch(blob) else ""


def blob_of(snapshot: HubSnapshot, root: Path, name: str) -> Path | None:
    """The blob that the link `name` stands for; None if it is no link, one of another form, or leads to no file."""
    try:
        blob = blob_name(str((root / name).readlink()), name)
    except OSError:
        return None
    path = snapshot.blobs / blob
    return path if blob and path.is_file() and not path.is_symlink() else None
