"""What the headers of weights add up to, whatever their format, and where an index and its shards disagree."""

from collections.abc import Iterable

from aibom.build.account import Weights
from aibom.build.collect import CollectedFile
from aibom.build.evidence import facts
from aibom.build.grouping import folder_of
from aibom.formats.gguf import GgufHeader
from aibom.formats.onnx import OnnxModel
from aibom.formats.safetensors import SafetensorsHeader
from aibom.formats.tflite import TfliteModel
from aibom.formats.torch_zip import TorchArchive
from aibom.formats.weights_index import INDEX_SUFFIX, WeightsIndex, index_problems


def count(file: CollectedFile) -> tuple[int, int, tuple[str, ...]] | None:
    """(Tensors, parameters, element types) of one file; None if its header does not say."""
    fact = file.fact
    if isinstance(fact, (SafetensorsHeader,)):
        return len(fact.tensors), fact.parameters, fact.dtypes
    if isinstance(fact, GgufHeader):
        return len(fact.tensors), fact.parameters, tuple(fact.element_types)
    if isinstance(fact, OnnxModel):
        return len(fact.tensors), fact.parameters + fact.constant_elements, fact.element_types
    if isinstance(fact, TfliteModel):
        return fact.tensor_count, fact.parameters, fact.element_types
    if isinstance(fact, TorchArchive) and fact.tensors:
        return fact.tensors, fact.parameters, fact.element_types
    return None


def weights_of(files: Iterable[CollectedFile]) -> tuple[Weights | None, list[str]]:
    """(The sum over one set of weights, what is wrong with its index).

    Several formats, or several precisions, of one model are not added up: the sharded set that an index names comes
    first, then the one file in the format that says most.
    """
    listed = [file for file in files if file.classification.is_weights]
    problems: list[str] = []
    chosen: list[CollectedFile] = []
    for file, index in facts(files, WeightsIndex):
        beside = {n.name.rpartition("/")[2]: n for n in listed if folder_of(n.name) == folder_of(file.name)}
        if file.name.endswith(INDEX_SUFFIX):
            tensors = {
                base: frozenset(tensor.name for tensor in shard.fact.tensors)
                for base, shard in beside.items()
                if isinstance(shard.fact, SafetensorsHeader)
            }
            problems += [f"{file.name}: {problem}" for problem in index_problems(index, tensors)]
        shards = [beside[base] for base in index.shards if base in beside]
        chosen = chosen or [shard for shard in shards if count(shard)]
    return _sum(chosen or _single(listed)) or _uncounted(listed), problems


def _single(listed: list[CollectedFile]) -> list[CollectedFile]:
    """The one file that stands for the model: called as libraries call it, or alone in its format."""
    known = [file for file in listed if count(file)]
    named = [
        f for f in known if f.name.rpartition("/")[2] in {"model.safetensors", "diffusion_pytorch_model.safetensors"}
    ]
    safetensors = [file for file in known if file.classification.format == "safetensors"]
    for candidates in (named, safetensors, known):
        if len(candidates) == 1:
            return candidates
    return _parts_of_one(known)


def _parts_of_one(known: list[CollectedFile]) -> list[CollectedFile]:
    """All files of a model in several GGUF parts; nothing for files that may be versions of one another."""
    splits = [file.fact.split for file in known if isinstance(file.fact, GgufHeader)]
    return known if known and len(splits) == len(known) and all(splits) else []


def _uncounted(listed: list[CollectedFile]) -> Weights | None:
    """Weights that are there, in a format that does not say how many numbers it holds."""
    if not listed or any(sum(((found := count(file)) and found[:2]) or (0,)) for file in listed):
        return None
    return Weights(files=tuple(file.name for file in listed), tensors=None, parameters=None, element_types=())


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
