"""Step 4: list the release safely and digest every file once; on the way, look at what it claims and declares."""

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from aibom.core.errors import InputError
from aibom.core.finding import Finding, contradiction, undecided
from aibom.core.layout import BOM_NAME, is_content, is_git_related
from aibom.core.manifest import Manifest
from aibom.core.progress import Progress
from aibom.sources.local import Listing, list_release, read_release
from verify import content, declared
from verify.attached import Attached, read_bundle_file
from verify.declared import Declared

UNSAFE = "content.unsafe-entry"
_MAX_BOM = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What lies in the folder, and what was found while reading it."""

    manifest: Manifest
    bom: bytes | None = None
    """The BOM file's bytes, from the release or from beside it."""
    outside: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    declared: tuple[Declared, ...] = ()
    unread: tuple[str, ...] = ()
    """Files that no verified statement names: they are extra whatever they hold, and may be of any size."""
    complete: bool = True
    """Whether every file could be read; if not, nothing is said about any."""


def read_files(
    root: Path,
    signed: Iterable[str],
    attached_bom: Attached | None,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Readings:
    """Read the release. `signed` are the names that verified statements cover.

    A file that cannot be read leaves everything about files undecided. Raises InputError if there is no such folder.
    """
    listing = list_release(root)
    try:
        return _read(root, listing, frozenset(signed), attached_bom, executor, progress)
    except InputError as error:
        finding = undecided("input.unreadable", error.message, where=error.where, hint=error.hint)
        return Readings(manifest=Manifest(()), findings=(finding,), complete=False)


def _read(
    root: Path,
    listing: Listing,
    signed: frozenset[str],
    attached_bom: Attached | None,
    executor: Executor | None,
    progress: Progress | None,
) -> Readings:
    findings = [_unsafe(problem.message, problem.where) for problem in listing.refused]
    said: list[Declared] = []
    entries = []
    wanted, unread = _to_read(listing, signed)
    bom = None
    for file in read_release(root, [f for f in wanted if f[0] == BOM_NAME], retain=_retain, progress=progress):
        entries.append(file.entry)
        bom = file.kept
    if attached_bom:
        bom = read_bundle_file(attached_bom, _MAX_BOM)
    algorithms = _algorithms(bom)
    wanted = [file for file in wanted if file[0] != BOM_NAME]
    for file in read_release(root, wanted, retain=_retain, algorithms=algorithms, executor=executor, progress=progress):
        entries.append(file.entry)
        if is_content(file.entry.name):
            findings += content.check_content(file)
            said += filter(None, [declared.read_declared(file)])
    return Readings(
        manifest=Manifest.of(entries),
        bom=bom,
        outside=tuple(sorted({*listing.outside, *listing.hub_records})),
        findings=tuple(findings),
        declared=tuple(said),
        unread=unread,
    )


def _algorithms(bom: bytes | None) -> tuple[str, ...]:
    """The digests to compute: SHA-256, and what else the BOM states, so that none of it goes unchecked."""
    stated = {"SHA-384": "sha384", "SHA-512": "sha512"}
    return ("sha256", *(ours for theirs, ours in stated.items() if bom and theirs.encode() in bom))


def _retain(name: str, size: int, head: bytes) -> int:
    if name == BOM_NAME:
        return min(size, _MAX_BOM)
    return max(content.retain(name, size, head), declared.retain(name, size))


def _to_read(listing: Listing, signed: frozenset[str]) -> tuple[list[tuple[str, int]], tuple[str, ...]]:
    """What to read, and what not: with a verified statement at hand, a file that nobody signed need not be read.

    Git-related files are read in any case, for the BOM may account for them; so is what lies outside and was signed.
    """
    left_out = {*listing.outside, *listing.hub_records}
    outside = [(name, 0) for name in sorted(signed & left_out)]
    if not signed:
        return [*listing.files, *outside], ()
    read = [file for file in listing.files if file[0] in signed or is_git_related(file[0])]
    unread = tuple(name for name, _ in listing.files if name not in signed and not is_git_related(name))
    return [*read, *outside], unread


def _unsafe(message: str, where: str) -> Finding:
    return contradiction(UNSAFE, message, where=where, hint="remove it, and report it to the publisher")
