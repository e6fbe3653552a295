"""MLflow's `MLmodel`: the ways a model can be loaded (flavours), which of them run code, and its signature.

A flavour's `loader_module` is imported and `python_model`, `pickled_model` are unpickled when the model is loaded, so
they are facts that a reader must see. The signature is JSON inside YAML (MLflow documentation, "MLflow Models").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import parse_json, type_name
from aibom.formats.yaml_block import MAX_BYTES as MAX_BYTES  # the bound is the YAML reader's
from aibom.formats.yaml_block import parse_yaml_mapping

_MAX_FLAVORS = 100
_MAX_COLUMNS = 20_000
_MAX_DEPTH = 40
_FILE_KEYS = frozenset(
    {
        "code", "components_dir", "data", "env", "model_binary", "model_code_path", "model_data", "model_path",
        "pickled_model", "python_model", "saved_model_dir", "state_dict", "streamable_dir",
    }
)  # fmt: skip
_PICKLED_KEYS = ("pickled_model", "python_model")
_PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib", ".cloudpickle")


@dataclass(frozen=True, slots=True, kw_only=True)
class MlflowFlavor:
    """One way to load the model."""

    name: str
    loader_module: str
    python_version: str
    files: Mapping[str, str]
    """What the flavour calls a file or folder (`pickled_model`, `data`) → its path beside `MLmodel`."""
    versions: Mapping[str, str]
    """Library → version, from keys such as `sklearn_version`."""
    serialization_format: str

    @property
    def foreign_loader(self) -> str:
        """The loader module when it is not MLflow's own; else empty."""
        own = self.loader_module == "mlflow" or self.loader_module.startswith("mlflow.")
        return "" if own else self.loader_module

    @property
    def pickles(self) -> tuple[str, ...]:
        """Paths that loading unpickles, by what the flavour calls them or by their suffix; sorted."""
        return tuple(
            sorted(
                path
                for key, path in self.files.items()
                if path.lower().endswith(_PICKLE_SUFFIXES)
                or (key in _PICKLED_KEYS and self.serialization_format != "skops" and not path.endswith(".py"))
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MlflowColumn:
    """One input or output of the signature."""

    name: str
    type: str
    shape: tuple[int, ...]
    """Of a tensor; -1 stands for any length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MlflowModel:
    """What an `MLmodel` file says."""

    flavors: tuple[MlflowFlavor, ...]
    inputs: tuple[MlflowColumn, ...]
    outputs: tuple[MlflowColumn, ...]
    mlflow_version: str
    run_id: str
    model_uuid: str
    model_id: str
    artifact_path: str
    created: str
    """`utc_time_created`, as written."""


def parse_mlflow_model(data: bytes, where: str) -> MlflowModel:
    """Read an `MLmodel` file. Raises InputError if it names no flavour, or its signature is not JSON."""
    document = parse_yaml_mapping(data, where)
    flavors = document.get("flavors")
    if not isinstance(flavors, dict) or not flavors:
        raise InputError("an MLmodel file needs a mapping of flavours", where=f"{where}, flavors")
    if len(flavors) > _MAX_FLAVORS:
        raise InputError(f"{len(flavors)} flavours; at most {_MAX_FLAVORS} are read", where=f"{where}, flavors")
    signature = document.get("signature")
    stated = signature if isinstance(signature, dict) else {}
    return MlflowModel(
        flavors=tuple(_flavor(str(name), value) for name, value in sorted(flavors.items(), key=lambda i: str(i[0]))),
        inputs=_columns(stated.get("inputs"), f"{where}, signature.inputs"),
        outputs=_columns(stated.get("outputs"), f"{where}, signature.outputs"),
        mlflow_version=_scalar(document.get("mlflow_version")),
        run_id=_scalar(document.get("run_id")),
        model_uuid=_scalar(document.get("model_uuid")),
        model_id=_scalar(document.get("model_id")),
        artifact_path=_scalar(document.get("artifact_path")),
        created=_scalar(document.get("utc_time_created")),
    )


def _flavor(name: str, value: Any) -> MlflowFlavor:
    stated: dict[str, Any] = {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}
    versions = {
        key.removesuffix("_version"): _scalar(item)
        for key, item in sorted(stated.items())
        if key.endswith("_version") and key != "python_version" and _scalar(item)
    }
    return MlflowFlavor(
        name=name,
        loader_module=_scalar(stated.get("loader_module")),
        python_version=_scalar(stated.get("python_version")),
        files={**_files(stated), **_artifacts(stated.get("artifacts"))},
        versions=versions,
        serialization_format=_scalar(stated.get("serialization_format")),
    )


def _files(stated: dict[str, Any]) -> dict[str, str]:
    found = {key: item for key, item in sorted(stated.items()) if key in _FILE_KEYS and isinstance(item, str) and item}
    environment = stated.get("env")
    if isinstance(environment, dict):
        found |= {f"env.{key}": item for key, item in sorted(environment.items(), key=str) if isinstance(item, str)}
    return found


def _artifacts(value: Any) -> dict[str, str]:
    """Files that a Python model of one's own asked MLflow to keep with it."""
    items = value.items() if isinstance(value, dict) else ()
    return {
        f"artifacts.{name}": item["path"]
        for name, item in sorted(items, key=lambda pair: str(pair[0]))
        if isinstance(item, dict) and isinstance(item.get("path"), str)
    }


def _columns(value: Any, where: str) -> tuple[MlflowColumn, ...]:
    if value is None:
        return ()
    if not isinstance(value, str):
        raise InputError("expected JSON in a text", where=where)
    columns = parse_json(value.encode("utf-8"), where, max_depth=_MAX_DEPTH)
    if columns is None:
        return ()
    if not isinstance(columns, list):
        raise InputError(f"expected a JSON array, found {type_name(columns)}", where=where)
    if len(columns) > _MAX_COLUMNS:
        raise InputError(f"{len(columns)} columns; at most {_MAX_COLUMNS} are read", where=where)
    return tuple(_column(item) for item in columns if isinstance(item, dict))


def _column(item: dict[str, Any]) -> MlflowColumn:
    tensor = item.get("tensor-spec")
    spec = tensor if isinstance(tensor, dict) else {}
    shape = spec.get("shape")
    sizes = shape if isinstance(shape, list) and all(type(size) is int for size in shape) else []
    return MlflowColumn(
        name=_scalar(item.get("name")),
        type=_scalar(spec.get("dtype")) or _scalar(item.get("type")),
        shape=tuple(sizes),
    )


def _scalar(value: Any) -> str:
    """A version that YAML reads as a number is still a version."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value)
