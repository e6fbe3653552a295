"""Step 4: list the release safely and digest every file once; on the way, look at what it claims and declares."""

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from aibom.core.errors import InputError
from aibom.core.finding import Finding, contradiction, undecided
from aibom.core.layout import BOM_NAME, is_content
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
    entries, bom = [], None
    for file in read_release(root, _to_read(listing, signed), retain=_retain, executor=executor, progress=progress):
        entries.append(file.entry)
        if file.entry.name == BOM_NAME:
            bom = file.kept
        elif is_content(file.entry.name):
            findings += content.check_content(file)
            said += filter(None, [declared.read_declared(file)])
    return Readings(
        manifest=Manifest.of(entries),
        bom=read_bundle_file(attached_bom, _MAX_BOM) if attached_bom else bom,
        outside=tuple(sorted({*listing.outside, *listing.hub_records})),
        findings=tuple(findings),
        declared=tuple(said),
    )


def _retain(name: str, size: int, head: bytes) -> int:
    if name == BOM_NAME:
        return min(size, _MAX_BOM)
    return max(content.retain(name, size, head), declared.retain(name, size))


def _to_read(listing: Listing, signed: frozenset[str]) -> list[tuple[str, int]]:
    """All covered files, and those outside the rule that somebody signed all the same."""
    left_out = {*listing.outside, *listing.hub_records}
    return [*listing.files, *((name, 0) for name in sorted(signed & left_out))]


def _unsafe(message: str, where: str) -> Finding:
    return contradiction(UNSAFE, message, where=where, hint="remove it, and report it to the publisher")
