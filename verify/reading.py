"""Step 4: list the release safely and digest every file once; on the way, look at what it claims and declares."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from aibom.core.errors import InputError
from aibom.core.finding import Finding, contradiction, undecided
from aibom.core.layout import BOM_NAME, is_content, is_git_related
from aibom.core.manifest import Manifest
from aibom.core.progress import Progress
from aibom.cyclonedx.view import parse_bom
from aibom.sources.listing import Listing, list_release
from aibom.sources.local import read_release
from verify import content, declared
from verify.attached import Attached, read_bundle_file
from verify.declared import Declared

UNSAFE = "content.unsafe-entry"
_MAX_BOM = 256 * 1024 * 1024
_SMALL = 16 * 1024 * 1024


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
    weights: frozenset[str] = frozenset()
    """Files that are weights, and as they were signed."""
    complete: bool = True
    """Whether every file could be read; if not, nothing is said about any."""


def read_files(
    root: Path,
    signed: Mapping[str, str],
    attached_bom: Attached | None,
    *,
    algorithms: Iterable[str] = (),
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Readings:
    """Read the release.

    `signed` is name → sha256 of what verified statements cover; only content that is as signed is looked into, for
    other bytes are anybody's. `algorithms` are those that an attested BOM gives digests by.

    A file that cannot be read leaves everything about files undecided. Raises InputError if there is no such folder.
    """
    listing = list_release(root)
    try:
        return _read(root, listing, signed, attached_bom, tuple(algorithms), executor, progress)
    except InputError as error:
        finding = undecided("input.unreadable", error.message, where=error.where, hint=error.hint)
        return Readings(manifest=Manifest(()), findings=(finding,), complete=False)


def _read(
    root: Path,
    listing: Listing,
    signed: Mapping[str, str],
    attached_bom: Attached | None,
    attested_algorithms: tuple[str, ...],
    executor: Executor | None,
    progress: Progress | None,
) -> Readings:
    findings = [_unsafe(problem.message, problem.where) for problem in listing.refused]
    said: list[Declared] = []
    weights: set[str] = set()
    entries = []
    wanted, unread = _to_read(listing, signed)
    bom = None
    for file in read_release(root, [f for f in wanted if f[0] == BOM_NAME], retain=_retain, progress=progress):
        entries.append(file.entry)
        bom = file.kept
    if attached_bom:
        bom = read_bundle_file(attached_bom, _MAX_BOM)
    algorithms = tuple(sorted({"sha256", *attested_algorithms, *_algorithms(bom)}))
    wanted = [file for file in wanted if file[0] != BOM_NAME]
    for file in read_release(
        root,
        wanted,
        retain=_retain,
        inspect=content.look,
        algorithms=algorithms,
        executor=executor,
        progress=progress,
    ):
        entries.append(file.entry)
        if is_content(file.entry.name) and signed.get(file.entry.name) == file.entry.sha256:
            findings += content.check_content(file)
            weights |= {file.entry.name} if content.is_weights(file) else set()
            said += filter(None, [declared.read_declared(file)])
    return Readings(
        manifest=Manifest.of(entries),
        bom=bom,
        outside=tuple(sorted({*listing.outside, *listing.hub_records})),
        findings=tuple(findings),
        declared=tuple(said),
        unread=unread,
        weights=frozenset(weights),
    )


def _algorithms(bom: bytes | None) -> tuple[str, ...]:
    """The digests that a BOM file gives its files, so that none of them goes unchecked."""
    try:
        return parse_bom(bom, BOM_NAME).file_algorithms if bom else ()
    except InputError:
        return ()  # a BOM that cannot be read is a finding of its own


def _retain(name: str, size: int, head: bytes) -> int:
    if name == BOM_NAME:
        return min(size, _MAX_BOM)
    return max(content.retain(name, size, head), declared.retain(name, size))


def _to_read(listing: Listing, signed: Mapping[str, str]) -> tuple[list[tuple[str, int]], tuple[str, ...]]:
    """What to read, and what not: with a verified statement at hand, a file that nobody signed need not be read.

    Small git-related files are read in any case, for the BOM may account for them; so is what lies outside and was
    signed.
    """
    left_out = {*listing.outside, *listing.hub_records}
    outside = [(name, 0) for name in sorted(signed.keys() & left_out)]
    if not signed:
        return [*listing.files, *outside], ()
    read: list[tuple[str, int]] = []
    unread: list[str] = []
    for name, size in listing.files:
        wanted = name in signed or (is_git_related(name) and size <= _SMALL)
        if wanted:
            read.append((name, size))
        else:
            unread.append(name)
    return [*read, *outside], tuple(unread)


def _unsafe(message: str, where: str) -> Finding:
    return contradiction(UNSAFE, message, where=where, hint="remove it, and report it to the publisher")
