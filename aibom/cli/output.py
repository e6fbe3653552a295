"""Write files whole or not at all, and only where a release allows it."""

import errno
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from aibom.core.errors import InputError, UsageError
from aibom.core.layout import BOM_NAME, SIGNATURE_NAME


def write_whole(path: Path, data: bytes) -> None:
    """Write through a temporary file in the same folder, flushed to disk, then renamed. Raises InputError."""
    write_all({path: data})


def write_all(files: Mapping[Path, bytes]) -> None:
    """Write several files, none before there was room for all: temporary ones first, renamed at the end.

    Raises InputError, and then nothing was replaced unless renaming itself failed half-way.
    """
    made: list[tuple[Path, Path]] = []
    try:
        for path, data in files.items():
            made.append((_write_beside(path, data), path))
        for temporary, path in made:
            _rename(temporary, path)
    finally:
        for temporary, _ in made:
            temporary.unlink(missing_ok=True)


def _write_beside(path: Path, data: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".aibom-", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _unwritable(path, error) from error
    return temporary


def _rename(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def require_outside(path: Path, root: Path) -> Path:
    """Refuse an output inside the release that would become part of it, other than the names set aside for it."""
    resolved, release = path.resolve(), root.resolve()
    if resolved.is_relative_to(release) and resolved != release / BOM_NAME:
        raise UsageError(
            "this output would lie inside the release and change it",
            where=str(path),
            hint=f"write it elsewhere; inside a release we only write {BOM_NAME}, {SIGNATURE_NAME} and attestations/",
        )
    return path


def require_output_folder(folder: Path, root: Path) -> Path:
    """Refuse an output folder inside the release."""
    if folder.resolve().is_relative_to(root.resolve()):
        raise UsageError(
            "the output folder lies inside the release", where=str(folder), hint="choose a folder beside it"
        )
    return folder


def read_input(path: Path, limit: int) -> bytes:
    """Read a file that a command was given. Raises InputError if it cannot be read, or is larger than `limit`."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=str(path), hint="check the path") from error
    if len(data) > limit:
        raise InputError(f"larger than the {limit} bytes that are read", where=str(path))
    return data


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot write the file: {error.strerror}", where=str(path), hint="check the folder and its permissions"
    )
