"""The files that a step takes or makes: named as in the release, listed by its rules, digested by our own code."""

from fnmatch import fnmatchcase
from pathlib import Path

from aibom.cli.progress import reading_executor, show_progress
from aibom.core.errors import InputError, UnsafeEntryError, UsageError
from aibom.core.layout import GIT_HISTORY, is_outside
from aibom.core.names import printable, require_name
from aibom.sources.listing import Listing, is_single_file, list_release
from aibom.sources.local import read_release

_ALL = "."


def require_base(base: Path) -> Path:
    """Refuse anything but a folder. Raises UsageError."""
    if is_single_file(base) or not base.is_dir():
        raise UsageError(
            "steps are recorded over a folder", where=str(base), hint="give the folder of the release with --base"
        )
    return base


def digest_files(base: Path, wanted: tuple[str, ...], words: str) -> dict[str, str]:
    """Name → sha256 of every file that `wanted` means. Raises InputError if one means none, or a file is unsafe.

    Each of `wanted` is a file or folder below the base, a pattern, or `.` for all of it.
    """
    if not wanted:
        return {}
    listing = list_release(base)
    sizes = dict(listing.files)
    names = sorted({name for each in wanted for name in _meant(base, listing, _relative(base, each))})
    with show_progress(words) as progress, reading_executor() as executor:
        read = read_release(base, [(n, sizes[n]) for n in names], executor=executor, progress=progress)
        digests = {file.entry.name: file.entry.sha256 for file in read}
    after = list_release(base).stamps
    changed = [name for name in names if after.get(name) != listing.stamps[name]]
    if changed:
        raise InputError(
            "the file changed while it was being recorded",
            where=changed[0],
            hint="nothing was written; wait until nothing writes to it, then record the step again",
        )
    return digests


def _relative(base: Path, given: str) -> str:
    """A path as a name below the base; one that is absolute may lie there as well."""
    path = Path(given)
    if path.is_absolute():
        try:
            path = path.resolve().relative_to(base.resolve())
        except ValueError as error:
            raise InputError("lies outside the base", where=given, hint="give the folder above it as --base") from error
    name = path.as_posix()
    return name if name == _ALL else require_name(name, given)


def _meant(base: Path, listing: Listing, wanted: str) -> list[str]:
    """The files that a name, a folder or a pattern stands for."""
    for problem in listing.refused:
        if _covers(wanted, problem.where.strip("'")):
            raise UnsafeEntryError(problem.message, where=problem.where, hint=problem.hint)
    names = [name for name, _ in listing.files if _covers(wanted, name)]
    if not names:
        raise _none_meant(base, wanted)
    return names


def _covers(wanted: str, name: str) -> bool:
    return wanted in {_ALL, name} or name.startswith(f"{wanted}/") or fnmatchcase(name, wanted)


def _none_meant(base: Path, wanted: str) -> InputError:
    if is_outside(wanted) or wanted == GIT_HISTORY:
        return InputError("lies where no signature covers anything", where=wanted, hint="record files of the release")
    elsewhere = Path(wanted).exists() and base.resolve() != Path.cwd()
    hint = "paths are taken from --base, not from where you are" if elsewhere else "check the path and --base"
    return InputError(f"there is no file that {printable(wanted)} stands for", where=str(base), hint=hint)
