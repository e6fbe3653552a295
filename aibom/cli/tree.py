"""The one read of a release that its statements are made from, and the BOM that has to describe what was read."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aibom.build.publisher import MAX_BYTES as MAX_PUBLISHER
from aibom.build.publisher import NAME as PUBLISHER
from aibom.build.publisher import Publisher, parse_publisher
from aibom.cli.progress import reading_executor, show_progress
from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError, MismatchError
from aibom.core.finding import Outcome
from aibom.core.layout import BOM_NAME
from aibom.core.manifest import FileEntry, Manifest
from aibom.cyclonedx.schema import schema_problems
from aibom.cyclonedx.view import parse_bom
from aibom.sources.listing import Listing, list_release, require_unchanged
from aibom.sources.local import read_release
from aibom.sources.places import Places
from verify.bom_accounting import check_accounting

_MAX_BOM = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A release as it was when it was read."""

    release: Path
    target: Places
    listing: Listing
    manifest: Manifest
    """Every file that a statement covers."""
    bom_path: Path
    bom: bytes = b""
    """The BOM's bytes; empty if it is not needed."""
    is_built: bool = False
    """Whether the BOM was made just now, and is to be written."""

    def require_unchanged(self) -> None:
        """List the release again and compare. Raises InputError if anything changed since it was read."""
        own = frozenset({BOM_NAME}) if self.is_built else frozenset()
        require_unchanged(self.listing, list_release(self.release), except_for=own)
        beside = self.bom and not self.is_built and BOM_NAME not in self.listing.stamps
        if beside and read_bom(self.bom_path) != self.bom:
            raise InputError(
                "the BOM changed while it was being signed",
                where=str(self.bom_path),
                hint="nothing was written; run the command again",
            )

    def read_file(self, name: str, limit: int) -> bytes:
        """The bytes of one covered file, or InputError if there is none of that name, or it is larger than `limit`."""
        if name not in self.listing.stamps:
            raise InputError("no such file is covered in the release", where=name, hint="check the path")
        return read_covered(self.release, self.listing, name, limit)


def read_manifest(
    release: Path, listing: Listing, *, algorithms: tuple[str, ...] = ("sha256",), without: Iterable[str] = ()
) -> Manifest:
    """Digest every covered file once."""
    left_out = frozenset(without)
    files = [file for file in listing.files if file[0] not in left_out]
    with show_progress("Reading the release") as progress, reading_executor() as executor:
        read = read_release(release, files, algorithms=algorithms, executor=executor, progress=progress)
        return Manifest.of(file.entry for file in read)


def read_covered(release: Path, listing: Listing, name: str, limit: int) -> bytes:
    """The bytes of one file of a listing, as safely as those of any other."""
    found: list[bytes] = []

    def look(_: str, source: ByteSource) -> None:
        found.append(source.read(0, limit + 1))

    size = listing.stamps[name][0]
    if size <= limit:
        list(read_release(release, [(name, size)], inspect=look))
    if not found or len(found[0]) > limit:
        raise InputError(f"larger than the {limit} bytes that are read", where=name)
    return found[0]


def read_publisher(release: Path, listing: Listing) -> Publisher:
    """What `aibom.toml` says, if there is one."""
    if PUBLISHER not in listing.stamps:
        return Publisher()
    return parse_publisher(read_covered(release, listing, PUBLISHER, MAX_PUBLISHER))


def read_bom(path: Path) -> bytes:
    """The BOM's bytes. Raises InputError if there is none."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BOM)
    except OSError as error:
        raise InputError(
            "there is no BOM to sign", where=str(path), hint="run `aibom build` first, or add --build"
        ) from error


def with_bom(manifest: Manifest, bom: bytes) -> Manifest:
    """The manifest as it will be once the BOM is written beside the files."""
    entry = FileEntry(name=BOM_NAME, size=len(bom), digests={"sha256": hashlib.sha256(bom).hexdigest()})
    return Manifest.of([*(e for e in manifest.entries if e.name != BOM_NAME), entry])


def require_described(manifest: Manifest, bom: bytes) -> None:
    """Refuse to sign a BOM that is malformed, or of other files."""
    document = parse_bom(bom, BOM_NAME)
    problems = schema_problems(document.raw)
    if problems:
        raise InputError(
            f"the BOM is not valid CycloneDX: {problems[0]}", where=BOM_NAME, hint="run `aibom build` again"
        )
    findings = [f for f in check_accounting(document, manifest) if f.outcome is Outcome.CONTRADICTED]
    if findings:
        others = sum(finding.rule != "bom.tree-digest" for finding in findings[1:])  # which follows from the first
        more = f" (and {others} more)" if others else ""
        raise MismatchError(
            f"the BOM does not describe these files: {findings[0].message}{more}",
            where=findings[0].where or BOM_NAME,
            hint="run `aibom build` again, or add --build; nothing was signed",
        )
