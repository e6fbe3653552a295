"""Files that are the same in every run: bytes, and the time on them."""

import json
import os
from pathlib import Path

MTIME = 1767225600
"""2026-01-01T00:00:00Z: a release must not differ by when a test wrote it."""


def put(path: Path, content: str | bytes) -> None:
    """Write a file, its folders and its fixed time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (MTIME, MTIME))


def put_json(path: Path, document: object) -> None:
    """Write a JSON document as model hubs do: indented, in the order given, readable as text."""
    put(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def put_link(path: Path, target: str) -> None:
    """Make a symbolic link, or keep the one that an earlier call made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_symlink():
        path.symlink_to(target)
    os.utime(path, (MTIME, MTIME), follow_symlinks=False)
