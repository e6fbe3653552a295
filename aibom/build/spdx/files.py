"""Files as `software_File`: digests, purpose by category, content type where it is plain.

SPDX 3.0.1 has no property for the size of a file: it stands in the comment, with category and format.
"""

from collections.abc import Iterable

from aibom.build.collect import CollectedFile
from aibom.build.render.identifiers import file_ref
from aibom.build.spdx.graph import Graph
from aibom.core.strictjson import Json

ALGORITHMS = frozenset({"sha256", "sha384", "sha512", "blake3"})
_PURPOSES = {
    "model/weights": "model",
    "model/adapter": "model",
    "model/checkpoints": "model",
    "model/architecture": "configuration",
    "model/metadata": "configuration",
    "model/tokenizer": "data",
    "model/sample-outputs": "data",
    "code/libraries": "manifest",
    "supply/bom": "bom",
}
_PURPOSES_BY_GROUP = {
    "model": "data",
    "code": "source",
    "data": "data",
    "docs": "documentation",
    "security": "documentation",
    "supply": "evidence",
}
_PROGRAMS = frozenset({"elf", "pe"})
_CONTENT_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "gzip": "application/gzip",
    "zip": "application/zip",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.file",
}
_TEXT_TYPES = {
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


def add_files(graph: Graph, files: Iterable[CollectedFile]) -> list[str]:
    """Add files and return their identifiers."""
    return [graph.add_file(file_ref(file.name), file_values(file)) for file in files]


def file_values(file: CollectedFile) -> Json:
    """The properties of one file, as SPDX serialises them."""
    values: Json = {
        "name": file.name,
        "comment": "; ".join(_remarks(file)),
        "verifiedUsing": [_hash(name, value) for name, value in sorted(file.entry.digests.items())],
        "software_primaryPurpose": purpose(file),
        "software_fileKind": "file",
    }
    shown = content_type(file)
    return values | {"contentType": shown} if shown else values


def purpose(file: CollectedFile) -> str:
    """What a file is for (SoftwarePurpose), by its category."""
    if file.classification.format in _PROGRAMS:
        return "executable"
    category = file.classification.category
    return _PURPOSES.get(category) or _PURPOSES_BY_GROUP.get(category.partition("/")[0], "other")


def content_type(file: CollectedFile) -> str:
    """The media type, if the bytes show it, or are text and the name says which; empty otherwise."""
    shown = file.classification.format
    if shown != "text":
        return _CONTENT_TYPES.get(shown, "")
    base = file.name.rsplit("/", 1)[-1].lower()
    return _TEXT_TYPES.get(base[base.rfind(".") :], "") if "." in base else ""


def _hash(name: str, value: str) -> Json:
    if name in ALGORITHMS:
        return {"type": "Hash", "algorithm": name, "hashValue": value}
    return {"type": "Hash", "comment": name, "algorithm": "other", "hashValue": value}


def _remarks(file: CollectedFile) -> list[str]:
    shown = file.classification.format
    return [
        f"{file.entry.size} bytes",
        *file.categories,
        *([f"format {shown}"] if shown else []),
        *(f"problem: {problem}" for problem in file.problems),
    ]
