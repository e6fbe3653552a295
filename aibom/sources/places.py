"""Where the BOM and the signatures of a release lie: in its folder, beside a single file, or in a folder of their own.

A folder holds `aibom.cdx.json`, `model.sig` and `attestations/<name>.sigstore.json`; beside the file `F` they are
called `F.aibom.cdx.json`, `F.sig` and `F.<name>.sigstore.json`.
"""

from dataclasses import dataclass
from pathlib import Path

from aibom.core.layout import ATTESTATIONS, BOM_NAME, BUNDLE_SUFFIX, SIGNATURE_NAME
from aibom.sources.listing import is_single_file


@dataclass(frozen=True, slots=True)
class Places:
    """The folder that everything goes to, and for a single file its name."""

    folder: Path
    file: str = ""

    def beside(self, name: str) -> Path:
        """Where a generated file of this name lies."""
        return self.folder / (f"{self.file}.{name}" if self.file else name)

    @property
    def bom(self) -> Path:
        """The BOM."""
        return self.beside(BOM_NAME)

    @property
    def signature(self) -> Path:
        """The model signature."""
        return self.folder / (f"{self.file}.sig" if self.file else SIGNATURE_NAME)

    def attestation(self, name: str) -> Path:
        """One attestation, by what it is about: `bom`, `provenance`, …"""
        base = f"{self.file}.{name}{BUNDLE_SUFFIX}" if self.file else f"{ATTESTATIONS}/{name}{BUNDLE_SUFFIX}"
        return self.folder / base

    def attestations(self) -> list[tuple[str, Path]]:
        """Name in a release and path of everything that lies where attestations do. Raises OSError."""
        if not self.file:
            folder = self.folder / ATTESTATIONS
            if folder.is_symlink() or not folder.is_dir():
                return []
            return [(f"{ATTESTATIONS}/{path.name}", path) for path in sorted(folder.iterdir())]
        prefix = f"{self.file}."
        found = [
            p for p in sorted(self.folder.iterdir()) if p.name.startswith(prefix) and p.name.endswith(BUNDLE_SUFFIX)
        ]
        return [(f"{ATTESTATIONS}/{path.name.removeprefix(prefix)}", path) for path in found]


def places(release: Path, aside: Path | None = None) -> Places:
    """The places of a release; `aside` is a folder of its own, for releases that cannot be written to."""
    if is_single_file(release):
        return Places(aside or release.parent, release.name)
    return Places(aside or release)
