"""The index of sharded weights (`*.safetensors.index.json`, `*.bin.index.json`), and whether the shards keep it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from aibom.core.errors import InputError
from aibom.core.strictjson import parse_json_object

_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsIndex:
    """Tensor name → shard file name (both as written, the file relative to the index)."""

    weight_map: Mapping[str, str]

    @property
    def shards(self) -> tuple[str, ...]:
        """The files that the index names, sorted."""
        return tuple(sorted(set(self.weight_map.values())))


def parse_weights_index(data: bytes, where: str) -> WeightsIndex:
    """Read an index. Raises InputError if it does not map tensor names to plain file names."""
    document = parse_json_object(data, where, max_bytes=_MAX_BYTES)
    weight_map = document.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise InputError("an index needs a weight_map from tensor names to files", where=f"{where}, weight_map")
    for tensor, file in weight_map.items():
        if not isinstance(file, str) or "/" in file or "\\" in file or file in {"", ".", ".."}:
            raise InputError(
                f"not the name of a file beside the index: {str(file)[:80]!r}",
                where=f"{where}, weight_map[{tensor[:80]!r}]",
            )
    return WeightsIndex(weight_map=weight_map)


def index_problems(index: WeightsIndex, shards: Mapping[str, frozenset[str] | None]) -> list[str]:
    """Compare an index with the tensor names in each shard file, None where they are not known; a sentence each."""
    problems = [
        f"shard {name} is named by the index but not in the release" for name in index.shards if name not in shards
    ]
    promised: dict[str, set[str]] = defaultdict(set)
    for tensor, file in index.weight_map.items():
        promised[file].add(tensor)
    for name in index.shards:
        held = shards.get(name)
        if held is None:
            continue
        if absent := promised[name] - held:
            problems.append(f"shard {name} lacks {len(absent)} tensors that the index puts there, e.g. {min(absent)}")
        if extra := held - promised[name]:
            problems.append(f"shard {name} holds {len(extra)} tensors that the index does not name, e.g. {min(extra)}")
    return problems
