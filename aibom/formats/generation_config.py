"""`generation_config.json`: how text is sampled unless the caller says otherwise.

These settings change what users see as much as weights do, so they belong in the account. The list of settings grows
with every release of the library, hence every plain value is taken as it stands (transformers, `GenerationConfig`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aibom.core.errors import InputError
from aibom.core.strictjson import parse_json_object
from aibom.formats.model_config import remote_code_targets

MAX_BYTES = 1024 * 1024
_MAX_PARAMETERS = 500
_MAX_DEPTH = 20
_NOT_PARAMETERS = frozenset({"transformers_version", "auto_map"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationConfig:
    """What a generation configuration says."""

    parameters: Mapping[str, str | int | float | bool]
    """Setting → value, for plain values (lists such as several `eos_token_id` are left out), sorted by name."""
    transformers_version: str
    from_model_config: bool
    """Whether the library derived it from `config.json`, so that nobody chose these values."""
    remote_code: tuple[str, ...]
    """Targets of `auto_map`: Python that a loader runs if told to trust remote code."""


def parse_generation_config(data: bytes, where: str) -> GenerationConfig:
    """Read a generation configuration. Raises InputError if it is not a JSON object of a sensible size."""
    document = parse_json_object(data, where, max_bytes=MAX_BYTES, max_depth=_MAX_DEPTH)
    if len(document) > _MAX_PARAMETERS:
        raise InputError(f"{len(document)} settings; at most {_MAX_PARAMETERS} are read", where=where)
    version = document.get("transformers_version")
    return GenerationConfig(
        parameters={
            name: value
            for name, value in sorted(document.items())
            if isinstance(value, (str, int, float, bool)) and name not in _NOT_PARAMETERS and not name.startswith("_")
        },
        transformers_version=version if isinstance(version, str) else "",
        from_model_config=document.get("_from_model_config") is True,
        remote_code=remote_code_targets(document.get("auto_map")),
    )
