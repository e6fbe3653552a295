"""A release as a model hub's client keeps it: contents once, by digest, and a folder of links for each revision.

The layout is described in "Understand caching" of the huggingface_hub guides.
"""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.releases.files import put, put_link

COMMIT = "3f5a1c0d9b7e48262f1d60c4a8b3e7951c2d4f60"
"""The revision that the snapshot is named after."""
OUTSIDE = "outside.txt"
"""The file beside the cache, and the link in the snapshot that leads to it."""
_IN_LFS = (".gguf", ".joblib", ".onnx", ".parquet", ".pkl", ".png", ".safetensors", ".skops", ".tar", "_model.bin")


def write_hub_cache(
    folder: Path,
    write_release: Callable[[Path], None],
    *,
    repository: str = "acme-ai/sentimind-small-v2",
    commit: str = COMMIT,
    escape: bool = False,
) -> Path:
    """Write a release of plain files into the cache ``folder/hub`` and return its snapshot.

    ``escape`` adds a link that leads out of the cache, to a file that exists.
    """
    home = folder / "hub" / f"models--{repository.replace('/', '--')}"
    snapshot = home / "snapshots" / commit
    with tempfile.TemporaryDirectory() as staging:
        release = Path(staging)
        write_release(release)
        for path in sorted(release.rglob("*")):
            if path.is_file() and not path.is_symlink():
                _store(path, home / "blobs", snapshot / path.relative_to(release), snapshot)
    put(home / "refs" / "main", commit)
    if escape:
        put(folder / OUTSIDE, "not part of any release\n")
        put_link(snapshot / OUTSIDE, f"../../../../{OUTSIDE}")
    return snapshot


def _store(source: Path, blobs: Path, link: Path, snapshot: Path) -> None:
    content = source.read_bytes()
    name = _blob_name(source.name, content)
    put(blobs / name, content)
    depth = len(link.relative_to(snapshot).parts)
    put_link(link, "../" * (depth + 1) + f"blobs/{name}")


def _blob_name(name: str, content: bytes) -> str:
    """Return the ETag that a hub gives: SHA-256 for what lies in LFS, otherwise git's name of the blob."""
    if name.endswith(_IN_LFS):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
