"""Data sets as `dataset_DatasetPackage`: their files, or above a thousand of them count and tree digest, or a name.

A property that SPDX has a vocabulary for is set only where the statement is a word of it; other statements are kept as
words. Data cards name their sections freely: a setting is taken by the words in its name.
"""

import re

from spdx_python_model import v3_0_1 as spdx

from aibom.build.account import Dataset, Identity, Setting, Source, Sourced
from aibom.build.render.datasets import is_counted
from aibom.build.render.identifiers import dataset_purl
from aibom.build.spdx.files import add_files
from aibom.build.spdx.graph import Graph
from aibom.build.spdx.licences import declare
from aibom.build.spdx.packages import (
    Values,
    fact_sources,
    files_digest,
    hub_address,
    identity_sources,
    identity_values,
    lines_of,
    purpose,
    tree_hash,
)

# Property → words in the name of a setting; the first that fits.
_TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("dataset_anonymizationMethodUsed", ("anonymi",)),
    ("dataset_knownBias", ("bias",)),
    ("dataset_datasetNoise", ("noise",)),
    ("dataset_dataPreprocessing", ("preprocess", "cleaning")),
    ("dataset_datasetUpdateMechanism", ("maintenance", "update")),
    ("dataset_intendedUse", ("intended use", "direct use", "use case")),
    ("dataset_dataCollectionProcess", ("collection",)),
)
_SEVERAL = frozenset({"dataset_anonymizationMethodUsed", "dataset_knownBias", "dataset_dataPreprocessing"})
_AVAILABILITY, _BYTES = ("availability", "access"), ("bytes", "size in bytes", "download size")
_TYPES_BY_FORMAT = {
    "parquet": "structured", "arrow": "structured", "csv": "structured",
    "png": "image", "jpeg": "image", "wav": "audio",
}  # fmt: skip
_TYPES_BY_SUFFIX = {
    ".csv": "structured", ".tsv": "structured", ".jsonl": "structured", ".parquet": "structured",
    ".txt": "text", ".md": "text", ".png": "image", ".jpg": "image", ".jpeg": "image", ".webp": "image",
    ".wav": "audio", ".mp3": "audio", ".flac": "audio", ".ogg": "audio", ".mp4": "video", ".webm": "video",
}  # fmt: skip
_PRESENCE = {"yes": "yes", "true": "yes", "no": "no", "none": "no", "false": "no"}
_OF_FILES = ("rows of ", "columns of ")
_JOINT = re.compile(r"[-_]|(?<=[a-z])(?=[A-Z])")
_DIGITS = re.compile(r"[0-9]{1,18}")


def add_dataset(graph: Graph, dataset: Dataset) -> str:
    """Add a data set with its files and licences, and return its identifier."""
    identity = _identity(dataset)
    values = identity_values(graph, identity, dataset_purl(dataset)) | _values(dataset) | _topics(dataset.settings)
    spdx_id = graph.add(spdx.dataset_DatasetPackage, dataset.ref, values)
    if dataset.files and not is_counted(dataset):
        graph.relate(spdx_id, "contains", add_files(graph, dataset.files), completeness="complete")
    declare(graph, spdx_id, dataset.licences, profile=True)
    identity_sources(graph, spdx_id, identity)
    fact_sources(graph, spdx_id, {"downloadLocation": dataset.url, "confidentialityLevel": dataset.classification})
    for source in dataset.declared_in:
        graph.source(spdx_id, "named in", source)
    for fact in dataset.sensitive:
        graph.source(spdx_id, "hasSensitivePersonalInformation", fact.source)
    for item in dataset.settings:
        for source in item.sources:
            graph.source(spdx_id, item.name, source)
    return spdx_id


def dataset_types(dataset: Dataset) -> list[str]:
    """Values of DatasetType that the files show; `noAssertion` if they show none."""
    found = set()
    for file in dataset.files:
        base = file.name.rsplit("/", 1)[-1].lower()
        suffix = base[base.rfind(".") :] if "." in base else ""
        found.add(_TYPES_BY_FORMAT.get(file.classification.format) or _TYPES_BY_SUFFIX.get(suffix, ""))
    return sorted(found - {""}) or ["noAssertion"]


def _identity(dataset: Dataset) -> Identity:
    source = dataset.declared_in[0] if dataset.declared_in else Source(dataset.folder or ".", "name of the folder")
    return Identity(
        name=Sourced(dataset.name, source),
        version=dataset.version,
        producer=dataset.producer,
        description=dataset.description,
    )


def _values(dataset: Dataset) -> Values:
    size = sum(file.entry.size for file in dataset.files)
    return {
        "comment": _comment(dataset, size),
        "verifiedUsing": [tree_hash(files_digest(dataset.files))] if dataset.files else [],
        "software_primaryPurpose": purpose("data"),
        "software_downloadLocation": dataset.url.value if dataset.url else hub_address(f"datasets/{dataset.name}"),
        "dataset_datasetType": [getattr(spdx.dataset_DatasetType, word) for word in dataset_types(dataset)],
        "dataset_datasetSize": size if dataset.files else None,
        "dataset_confidentialityLevel": _confidentiality(dataset),
        "dataset_hasSensitivePersonalInformation": _sensitive(dataset),
    }


def _confidentiality(dataset: Dataset) -> str:
    """Only a word of the Traffic Light Protocol is one of these levels."""
    stated = dataset.classification.value.strip().lower().removeprefix("tlp:") if dataset.classification else ""
    return spdx.dataset_ConfidentialityLevelType.NAMED_INDIVIDUALS.get(stated, "")


def _sensitive(dataset: Dataset) -> str:
    """Yes or no where that is what is stated; where words are, no assertion, and the words in the comment."""
    if not dataset.sensitive:
        return ""
    words = {_PRESENCE.get(fact.value.strip().rstrip(".").lower(), "noAssertion") for fact in dataset.sensitive}
    return spdx.PresenceType.NAMED_INDIVIDUALS[words.pop() if len(words) == 1 else "noAssertion"]


def _topics(settings: tuple[Setting, ...]) -> Values:
    found: dict[str, list[str]] = {}
    values: Values = {}
    for item in settings:
        name = _plain(item.name)
        if name in _AVAILABILITY:
            values |= _availability(item.value)
        elif name in _BYTES and _DIGITS.fullmatch(item.value):
            values["dataset_datasetSize"] = int(item.value)
        elif topic := _topic(name):
            found.setdefault(topic, []).append(item.value)
    return values | {name: said if name in _SEVERAL else "\n".join(said) for name, said in found.items()}


def _topic(name: str) -> str:
    if name.startswith(_OF_FILES):
        return ""
    return next((topic for topic, words in _TOPICS if any(word in name for word in words)), "")


def _availability(value: str) -> Values:
    words = {word.lower(): iri for word, iri in spdx.dataset_DatasetAvailabilityType.NAMED_INDIVIDUALS.items()}
    stated = _plain(value).replace(" ", "")
    return {"dataset_datasetAvailability": words[stated]} if stated in words else {}


def _plain(name: str) -> str:
    """A name in lower case and single words, however it was joined: `dataUseCases`, `use-cases`, `use_cases`."""
    return _JOINT.sub(" ", name).lower().strip()


def _comment(dataset: Dataset, size: int) -> str:
    people = {"Owner": dataset.owners, "Custodian": dataset.custodians, "Steward": dataset.stewards}
    counted = f"{len(dataset.files)} files, {size} bytes, tree digest sha256:{files_digest(dataset.files)}"
    return lines_of(
        f"Folder {dataset.folder or '.'} of the release: {counted}" if is_counted(dataset) else "",
        "Its files are not part of the release." if dataset.is_external else "",
        f"Classification: {dataset.classification.value}" if dataset.classification else "",
        *(f"Sensitive data: {fact.value}" for fact in dataset.sensitive),
        *(f"{word}: {fact.value}" for word, facts in people.items() for fact in facts),
        *(f"{item.name}: {item.value}" for item in dataset.settings if not _topic(_plain(item.name))),
        *(f"Problem: {problem}" for problem in dataset.problems),
    )
