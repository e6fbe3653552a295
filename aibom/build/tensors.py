"""What the headers of weights add up to, whatever their format."""

from collections import defaultdict
from collections.abc import Iterable

from aibom.build.account import Weights
from aibom.build.collect import CollectedFile
from aibom.build.evidence import facts
from aibom.build.weight_names import ShardSet, folder_of, shard_of
from aibom.build.weights_missing import missing_weights
from aibom.formats.gguf import GgufHeader
from aibom.formats.keras import KerasHdf5
from aibom.formats.onnx import OnnxModel
from aibom.formats.pipeline_index import SentenceModule
from aibom.formats.safetensors import SafetensorsHeader
from aibom.formats.tflite import TfliteModel
from aibom.formats.torch_zip import TorchArchive
from aibom.formats.weights_index import WeightsIndex

_NAMED = frozenset({"model.safetensors", "diffusion_pytorch_model.safetensors"})


def count(file: CollectedFile) -> tuple[int, int, tuple[str, ...]] | None:
    """(Tensors, parameters, element types) of one file; None if its header does not say."""
    fact = file.fact
    if isinstance(fact, (SafetensorsHeader,)):
        return len(fact.tensors), fact.parameters, fact.dtypes
    if isinstance(fact, GgufHeader):
        return len(fact.tensors), fact.parameters, tuple(fact.element_types)
    if isinstance(fact, KerasHdf5) and fact.parameters:
        return fact.file.datasets, fact.parameters, ()
    if isinstance(fact, OnnxModel):
        return len(fact.tensors), fact.parameters + fact.constant_elements, fact.element_types
    if isinstance(fact, TfliteModel):
        return fact.tensor_count, fact.parameters, fact.element_types
    if isinstance(fact, TorchArchive) and fact.tensors:
        return fact.tensors, fact.parameters, fact.element_types
    return None


def weights_of(files: Iterable[CollectedFile]) -> tuple[Weights | None, list[str]]:
    """(The sum over one set of weights, what is missing of them or contradicts an index or a name).

    Several formats, or several precisions, of one model are not added up: the sharded set that an index names comes
    first, then the one file in the format that says most. Modules that are run one after another are added up.
    """
    files = tuple(files)
    listed = [file for file in files if file.classification.is_weights]
    if not listed:
        return None, missing_weights(files)
    modules = _modules(files)
    chosen = _of_modules(modules, files, listed) if modules else _chosen(files, listed)
    uncounted = Weights(files=tuple(file.name for file in listed), tensors=None, parameters=None, element_types=())
    return _sum(chosen) or uncounted, missing_weights(files)


def _chosen(files: Iterable[CollectedFile], listed: list[CollectedFile]) -> list[CollectedFile]:
    """The files that stand for the model: the shards of an index, or what can be told without one."""
    for file, index in facts(files, WeightsIndex):
        beside = {n.name.rpartition("/")[2]: n for n in listed if folder_of(n.name) == folder_of(file.name)}
        shards = [beside[base] for base in index.shards if base in beside and count(beside[base])]
        if shards:
            return shards
    return _single(listed)


def _modules(files: Iterable[CollectedFile]) -> list[str]:
    """The folders of the steps that a `modules.json` names; the root is an empty one."""
    for file in files:
        steps = file.fact if isinstance(file.fact, tuple) else ()
        if steps and all(isinstance(step, SentenceModule) for step in steps):
            return list(dict.fromkeys(_inside(folder_of(file.name), step.path) for step in steps))
    return []


def _inside(folder: str, path: str) -> str:
    return "/".join(filter(None, (folder, path.strip("/"))))


def _of_modules(
    folders: list[str], files: tuple[CollectedFile, ...], listed: list[CollectedFile]
) -> list[CollectedFile]:
    """The weights of all modules, one set a module; nothing if one of them cannot be told."""
    chosen: list[CollectedFile] = []
    for folder in folders:
        own = [file for file in listed if folder_of(file.name) == folder]
        found = _chosen([file for file in files if folder_of(file.name) == folder], own)
        if own and not found:
            return []
        chosen += found
    return chosen


def _single(listed: list[CollectedFile]) -> list[CollectedFile]:
    """The one file that stands for the model: called as libraries call it, or alone in its format; or one set."""
    known = [file for file in listed if count(file)]
    named = [file for file in known if file.name.rpartition("/")[2] in _NAMED]
    safetensors = [file for file in known if file.classification.format == "safetensors"]
    for candidates in (named, safetensors, known):
        if len(candidates) == 1 or _are_one_set(candidates):
            return candidates
    return []


def _are_one_set(candidates: list[CollectedFile]) -> bool:
    """Whether files are the parts of one model, by their names or their headers; else they may be its versions."""
    splits = [file.fact.split for file in candidates if isinstance(file.fact, GgufHeader)]
    if candidates and len(splits) == len(candidates) and all(splits):
        return len({folder_of(file.name) for file in candidates}) == 1
    sets: dict[ShardSet | None, list[int]] = defaultdict(list)
    for file in candidates:
        placed = shard_of(file.name)
        sets[placed[0] if placed else None].append(placed[1] if placed else 0)
    return len(sets) == 1 and None not in sets


def _sum(chosen: list[CollectedFile]) -> Weights | None:
    counts = [found for file in chosen if (found := count(file))]
    if not sum(tensors + parameters for tensors, parameters, _ in counts):
        return None
    return Weights(
        files=tuple(file.name for file in chosen),
        tensors=sum(tensors for tensors, _, _ in counts),
        parameters=sum(parameters for _, parameters, _ in counts),
        element_types=tuple(sorted({kind for _, _, kinds in counts for kind in kinds})),
    )
