"""What is missing of a model's weights, or is not what a name or an index promises: one sentence each."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from aibom.build.collect import CollectedFile
from aibom.build.evidence import facts
from aibom.build.grouping import external_data_of, is_folder_name
from aibom.build.weight_names import ShardSet, folder_of, shard_of
from aibom.formats.detect import contradicts_name
from aibom.formats.gguf import GgufHeader
from aibom.formats.pipeline_index import PipelineIndex
from aibom.formats.safetensors import SafetensorsHeader
from aibom.formats.weights_index import WeightsIndex, index_problems

_VARIABLES = "variables/variables."


def missing_weights(files: Iterable[CollectedFile]) -> list[str]:
    """What the files of one model say of its weights and is not so."""
    files = tuple(files)
    listed = [file for file in files if file.classification.is_weights]
    indexed, problems = _by_index(files, listed)
    problems += _missing_shards(file for file in listed if file.name not in indexed)
    problems += _missing_splits(listed)
    problems += _missing_variables({file.name for file in listed})
    problems += (
        f"{file.name}: begins as {file.classification.format} does, which its name does not allow"
        for file in listed
        if contradicts_name(file.name, file.classification.format)
    )
    return problems


def missing_data(files: Iterable[CollectedFile], present: frozenset[str]) -> Iterator[str]:
    """External data that an ONNX file keeps elsewhere and that is not in the release."""
    for file in files:
        for name in sorted(external_data_of(file) - present):
            yield f"{file.name}: its weights are in {name}, which is not there"


def missing_parts(files: Iterable[CollectedFile], release: Iterable[CollectedFile]) -> Iterator[str]:
    """Parts that a pipeline's index names and that have no folder, or a network's configuration and no weights.

    A modular index may name parts that are loaded from elsewhere: nothing is said of those.
    """
    everything = tuple(release)
    for file, index in facts(files, PipelineIndex):
        folder = folder_of(file.name)
        wanted = [c.name for c in index.components if not c.is_absent and is_folder_name(c.name)]
        for name in wanted if file.name.rpartition("/")[2] == "model_index.json" else ():
            place = f"{folder}/{name}/" if folder else f"{name}/"
            own = [other for other in everything if other.name.startswith(place)]
            if not own:
                yield f"{file.name} names the part {name}, which is not there"
            elif f"{place}config.json" in {o.name for o in own} and not any(o.classification.is_weights for o in own):
                yield f"{file.name} names the part {name}, which has a configuration and no weights"


def _by_index(files: tuple[CollectedFile, ...], listed: list[CollectedFile]) -> tuple[set[str], list[str]]:
    """(The files that an index names, where it and they disagree)."""
    indexed: set[str] = set()
    problems: list[str] = []
    for file, index in facts(files, WeightsIndex):
        folder = folder_of(file.name)
        held = {
            shard.name.rpartition("/")[2]: frozenset(tensor.name for tensor in shard.fact.tensors)
            if isinstance(shard.fact, SafetensorsHeader)
            else None
            for shard in listed
            if folder_of(shard.name) == folder
        }
        indexed |= {f"{folder}/{base}" if folder else base for base in index.shards}
        problems += [f"{file.name}: {problem}" for problem in index_problems(index, held)]
    return indexed, problems


def _missing_shards(files: Iterable[CollectedFile]) -> Iterator[str]:
    """Files that are numbered as one of several, where not all of the several are there."""
    sets: dict[ShardSet, set[int]] = defaultdict(set)
    for file in files:
        placed = shard_of(file.name)
        if placed:
            sets[placed[0]].add(placed[1])
    for group, numbers in sorted(sets.items()):
        if len(numbers) < group.count:
            yield f"{group.before}{group.after}: {len(numbers)} of {group.count} parts are there, by their names"


def _missing_splits(files: Iterable[CollectedFile]) -> Iterator[str]:
    """Parts of a GGUF file by their headers, where the names do not tell."""
    sets: dict[tuple[str, int], set[int]] = defaultdict(set)
    for file in files:
        split = file.fact.split if isinstance(file.fact, GgufHeader) else None
        if split and shard_of(file.name) is None:
            sets[folder_of(file.name), split[1]].add(split[0])
    for (folder, wanted), numbers in sorted(sets.items()):
        if len(numbers) < wanted:
            place = folder or "the release"
            yield f"{place}: {len(numbers)} of {wanted} parts of a GGUF file are there, by split.count"


def _missing_variables(names: set[str]) -> Iterator[str]:
    """The variables of a SavedModel are an index and data; the one is nothing without the other."""
    for name in sorted(names):
        before, found, kind = name.rpartition(_VARIABLES)
        if found and kind == "index" and not any(other.startswith(f"{before}{_VARIABLES}data-") for other in names):
            yield f"{name}: its data are not there"
