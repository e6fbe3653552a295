"""A release inside a Python wheel: unpacked as plain files, never installed, never imported."""

import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from aibom.core.errors import InputError
from aibom.core.names import require_name

_MAX_BYTES = 8 * 1024**3
_MAX_FILES = 100_000


def unpack_wheel(wheel: Path, folder: Path) -> None:
    """Unpack into a new folder. Raises InputError for anything but regular files with safe names, in bounds."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _require_bounded(members, wheel)
            folder.mkdir(parents=True)
            for member in members:
                _unpack_one(archive, member, folder)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise InputError("not a readable wheel", where=str(wheel), hint="download it again") from error
    except OSError as error:
        raise InputError(f"cannot unpack the wheel: {error.strerror}", where=str(wheel)) from error


def _require_bounded(members: list[zipfile.ZipInfo], wheel: Path) -> None:
    size = sum(member.file_size for member in members)
    if size > _MAX_BYTES or len(members) > _MAX_FILES:
        raise InputError(
            f"{len(members)} files of {size} bytes; at most {_MAX_FILES} files of {_MAX_BYTES} bytes are unpacked",
            where=str(wheel),
        )
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise InputError("a file is in the wheel twice", where=str(wheel))


def _unpack_one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    name = require_name(member.filename)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        raise InputError("not a regular file", where=f"{archive.filename}: {name}")
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("xb") as copy:
        shutil.copyfileobj(source, copy, 1024 * 1024)
    if target.stat().st_size != member.file_size:
        raise InputError("larger or smaller than the wheel says", where=f"{archive.filename}: {name}")
