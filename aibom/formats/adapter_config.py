"""`adapter_config.json` of PEFT: which base model an adapter changes, how, and which library it makes a loader import.

`target_modules` is a list of names or one regular expression. The expression is a stranger's, so it is kept as text
and never compiled. `auto_mapping.parent_library` is a module that PEFT imports by name (PEFT, `PeftConfig`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import parse_json_object

MAX_BYTES = 4 * 1024 * 1024
_MAX_MODULES = 20_000
_MAX_DEPTH = 20
_KNOWN_LIBRARIES = frozenset({"transformers", "diffusers", "peft", "sentence_transformers", "timm", "torch"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterConfig:
    """What an adapter's configuration says."""

    base_model: str
    """`base_model_name_or_path`, as written: a name on a hub, or a path on the disk of whoever trained it."""
    revision: str
    adapter_type: str
    task: str
    rank: int | None
    alpha: int | float | None
    dropout: int | float | None
    target_modules: tuple[str, ...]
    target_pattern: str
    """`target_modules` where it is one text: a regular expression, or a word such as `all-linear`."""
    modules_to_save: tuple[str, ...]
    auto_mapping: Mapping[str, str]
    """`base_model_class` and `parent_library`, if stated."""
    peft_version: str

    @property
    def foreign_library(self) -> str:
        """The module that loading imports, when it belongs to none of the usual libraries; else empty."""
        library = self.auto_mapping.get("parent_library", "")
        return "" if library.partition(".")[0] in _KNOWN_LIBRARIES else library


def parse_adapter_config(data: bytes, where: str) -> AdapterConfig:
    """Read an adapter's configuration. Raises InputError if it is not an object that names an adapter type."""
    document = parse_json_object(data, where, max_bytes=MAX_BYTES, max_depth=_MAX_DEPTH)
    if not _text(document.get("peft_type")):
        raise InputError("an adapter's configuration needs a text here", where=f"{where}, peft_type")
    targets = document.get("target_modules")
    mapping = document.get("auto_mapping")
    rank = document.get("r")
    return AdapterConfig(
        base_model=_text(document.get("base_model_name_or_path")),
        revision=_text(document.get("revision")),
        adapter_type=_text(document.get("peft_type")),
        task=_text(document.get("task_type")),
        rank=rank if type(rank) is int else None,
        alpha=_number(document.get("lora_alpha")),
        dropout=_number(document.get("lora_dropout")),
        target_modules=_names(targets, f"{where}, target_modules"),
        target_pattern=_text(targets),
        modules_to_save=_names(document.get("modules_to_save"), f"{where}, modules_to_save"),
        auto_mapping=(
            {name: item for name, item in sorted(mapping.items()) if isinstance(item, str)}
            if isinstance(mapping, dict)
            else {}
        ),
        peft_version=_text(document.get("peft_version")),
    )


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    if len(value) > _MAX_MODULES:
        raise InputError(f"{len(value)} names; at most {_MAX_MODULES} are read", where=where)
    return tuple(sorted({item for item in value if isinstance(item, str)}))


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
