"""Write files whole or not at all, and only where a release allows it."""

import errno
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from aibom.core.errors import InputError, UsageError
from aibom.core.layout import BOM_NAME, SIGNATURE_NAME
from aibom.sources.listing import is_single_file

_ASIDE = (
    "nothing was signed or written; check the folder and its permissions, or give --output-dir DIR: for a release that "
    "is read-only, a folder elsewhere"
)


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
            _tell_written(path)  # first: who is stopped in between must not hear that nothing was
            _rename(temporary, path)
    finally:
        for temporary, _ in made:
            temporary.unlink(missing_ok=True)


def _tell_written(path: Path) -> None:
    """For the process boundary, which made the list: what to say if somebody stops the command now."""
    context = click.get_current_context(silent=True)
    if context is not None and isinstance(context.obj, list):
        context.obj.append(path)


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


def require_writable(paths: Iterable[Path], release: Path) -> None:
    """Refuse, before any work is done and anything is signed or logged, what could not be written after it.

    For commands with --output-dir. Nothing is made or touched. Raises InputError.
    """
    if not release.is_dir() and not is_single_file(release):
        return  # who reads it says so, in better words
    for path in paths:
        try:
            problem = _write_problem(path)
        except OSError as error:
            problem = error.errno or errno.EACCES
        if problem:
            raise _unwritable(path, OSError(problem, os.strerror(problem)), _ASIDE)


def _write_problem(path: Path) -> int:
    """The number of the error that writing would end with; 0 if none is to be seen."""
    existing = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
    if path.is_dir():
        return errno.EISDIR
    if not existing.is_dir():
        return errno.ENOTDIR
    if os.access(existing, os.W_OK | os.X_OK):
        return 0
    return errno.EROFS if os.statvfs(existing).f_flag & os.ST_RDONLY else errno.EACCES


def require_appendable(path: Path, root: Path) -> Path:
    """Refuse, before any work is done, a page inside the release or one that cannot be written on."""
    if path.resolve().is_relative_to(root.resolve()):
        raise UsageError("this page would lie inside the release and change it", where=str(path))
    append_text(path, "")
    return path


def append_text(path: Path, text: str) -> None:
    """Add to a page that others write on as well, as CI systems have them. Raises InputError."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise _unwritable(path, error) from error


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


def _unwritable(path: Path, error: OSError, hint: str = "check the folder and its permissions") -> InputError:
    return InputError(f"cannot write the file: {error.strerror}", where=str(path), hint=hint)
