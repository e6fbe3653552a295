"""One file as a component: its digests, size, category, and what a reader of its format found.

Written without the library's models: a release may hold a hundred thousand files, and a plain file needs none of them.
"""

from aibom.build.collect import CollectedFile
from aibom.build.render.file_facts import fact_pairs
from aibom.build.render.identifiers import file_ref
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names

_ALGORITHMS = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512", "blake3": "BLAKE3"}


def file_component(file: CollectedFile) -> Json:
    """Render a file."""
    pairs = [
        (names.SIZE, str(file.entry.size)),
        *((names.CATEGORY, category) for category in file.categories),
        *([(names.FORMAT, file.classification.format)] if file.classification.format else []),
        *(fact_pairs(file.fact) if file.fact is not None else []),
        *((names.PROBLEM, problem) for problem in file.problems),
    ]
    return {
        "bom-ref": file_ref(file.name),
        "hashes": [{"alg": _ALGORITHMS[a], "content": value} for a, value in sorted(file.entry.digests.items())],
        "name": file.name,
        "properties": [{"name": name, "value": value} for name, value in dict.fromkeys(pairs)],
        "type": "file",
    }
