"""A scikit-learn classifier for tables, with its training data, saved four ways: joblib, skops, ONNX, MLflow.

The card has no front matter. The notebook imports pandas, which nothing here declares.
"""

import hashlib
import json
import pickle
import random
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.releases import wire
from tests.releases.files import put, put_json
from tests.releases.writers import Column, npy_bytes, parquet_table, tensor_of, zip_bytes

SKLEARN = "1.6.1"
FEATURES = ("flow_rate", "vibration", "temperature", "hours")
LABEL = "failed"
METRICS = {"roc_auc": 0.91, "accuracy": 0.874, "f1": 0.802, "log_loss": 0.312}
_SEED = 20260118
_ROWS, _HELD_OUT = 120, 40
_TREES, _DEPTH = 100, 2
_CLASSES = tensor_of("F64", (2,), (0.0, 1.0))
_FOREST = ("sklearn.ensemble._forest", "RandomForestClassifier")
_TREE = ("sklearn.tree._classes", "DecisionTreeClassifier")
_ALIGNMENT = 16


def write_tabular(folder: Path) -> None:
    """Write the release."""
    for path, text in _TEXTS.items():
        put(folder / path, text)
    put(folder / "model.joblib", _joblib())
    put(folder / "model.skops", _skops())
    put(folder / "model.onnx", _onnx())
    put_json(folder / "metrics.json", METRICS)
    put_json(folder / "notebooks" / "train.ipynb", _notebook())
    _write_data(folder)


def _joblib() -> bytes:
    """Pickle as joblib does: after the array's wrapper come a byte with the padding's length, padding, the raw array.

    It stands between two frames, so that whoever reads pickle opcodes alone stops there.
    """
    version = wire.pickle_short_texts("_sklearn_version", SKLEARN)
    tree = {"criterion": wire.pickle_short_texts("gini"), "max_depth": _small_int(_DEPTH)}
    tree["_sklearn_version"] = wire.pickle_short_texts(SKLEARN)
    settings = {
        "estimator": wire.pickle_object(wire.pickle_stack_global(*_TREE), tree),
        "n_estimators": _small_int(_TREES),
        "bootstrap": pickle.NEWTRUE,
        "max_depth": _small_int(_DEPTH),
        "random_state": _small_int(7),
    }
    entries = b"".join(wire.pickle_short_texts(name) + value for name, value in settings.items())
    forest = wire.pickle_stack_global(*_FOREST) + pickle.EMPTY_TUPLE + pickle.NEWOBJ + pickle.EMPTY_DICT + pickle.MARK
    before = forest + entries + wire.pickle_short_texts("classes_") + _array_wrapper()
    head = pickle.PROTO + b"\x04" + wire.pickle_frame(before)
    padding = _ALIGNMENT - (len(head) + 1) % _ALIGNMENT
    array = bytes([padding]) + b"\xff" * padding + _CLASSES.data
    return head + array + wire.pickle_frame(version + pickle.SETITEMS + pickle.BUILD + pickle.STOP)


def _array_wrapper() -> bytes:
    layout = pickle.MARK + _small_int(3) + wire.pickle_short_texts("<") + pickle.NONE * 3
    layout += wire.pickle_ints(-1, -1) + _small_int(0) + pickle.TUPLE
    named = wire.pickle_short_texts("f8") + pickle.NEWFALSE + pickle.NEWTRUE + pickle.TUPLE3
    state = {
        "subclass": wire.pickle_stack_global("numpy", "ndarray"),
        "shape": _small_int(_CLASSES.shape[0]) + pickle.TUPLE1,
        "order": wire.pickle_short_texts("C"),
        "dtype": wire.pickle_stack_global("numpy", "dtype") + named + pickle.REDUCE + layout + pickle.BUILD,
        "allow_mmap": pickle.NEWTRUE,
        "numpy_array_alignment_bytes": _small_int(_ALIGNMENT),
    }
    return wire.pickle_object(wire.pickle_stack_global("joblib.numpy_pickle", "NumpyArrayWrapper"), state)


def _small_int(number: int) -> bytes:
    return pickle.BININT1 + bytes([number])


def _skops() -> bytes:
    tree: dict[str, str | int] = {"criterion": "gini", "max_depth": _DEPTH, "_sklearn_version": SKLEARN}
    forest: dict[str, str | int] = {
        "n_estimators": _TREES,
        "max_depth": _DEPTH,
        "random_state": 7,
        "_sklearn_version": SKLEARN,
    }
    content = {
        "estimator": _skops_object(_TREE, {name: _skops_value(value) for name, value in tree.items()}),
        **{name: _skops_value(value) for name, value in forest.items()},
        "classes_": _skops_node("numpy", "ndarray", "NdArrayNode", type="numpy", file="classes.npy"),
    }
    schema = _skops_object(_FOREST, content) | {"protocol": 2, "_skops_version": "0.11.0"}
    return zip_bytes({"classes.npy": npy_bytes(_CLASSES), "schema.json": json.dumps(schema, indent=2).encode()})


def _skops_object(kind: tuple[str, str], content: Mapping[str, object]) -> dict[str, object]:
    keys = _skops_node(
        "builtins", "list", "ListNode", content=[_skops_node("builtins", "str", "TypeNode")] * len(content)
    )
    state = _skops_node("builtins", "dict", "DictNode", content=content, key_types=keys)
    return _skops_node(*kind, "ObjectNode", content=state)


def _skops_value(value: str | int) -> dict[str, object]:
    return _skops_node("builtins", "str", "JsonNode", content=json.dumps(value), is_json=True)


def _skops_node(module: str, name: str, loader: str, **rest: object) -> dict[str, object]:
    return {"__class__": name, "__module__": module, "__loader__": loader, **rest}


def _onnx() -> bytes:
    """Encode one split and two leaves as skl2onnx does; field numbers as in ``writers.onnx_bytes``."""
    whole = {
        "class_ids": [0, 0], "class_nodeids": [1, 2], "class_treeids": [0, 0],
        "nodes_falsenodeids": [2, 0, 0], "nodes_featureids": [1, 0, 0], "nodes_nodeids": [0, 1, 2],
        "nodes_treeids": [0, 0, 0], "nodes_truenodeids": [1, 0, 0], "classlabels_int64s": [0, 1],
    }  # fmt: skip
    attributes = [_attribute(name, 7, *((8, value) for value in values)) for name, values in whole.items()]
    # Repeated floats, packed into one field.
    attributes.append(_attribute("nodes_values", 6, (7, struct.pack("<3f", 0.62, 0.0, 0.0))))
    attributes.append(_attribute("class_weights", 6, (7, struct.pack("<2f", 0.08, 0.93))))
    attributes.append(_attribute("nodes_modes", 8, (9, "BRANCH_LEQ"), (9, "LEAF"), (9, "LEAF")))
    attributes.append(_attribute("post_transform", 3, (4, "NONE")))
    node = wire.message(
        (1, "X"), (2, "label"), (2, "probabilities"), (3, "TreeEnsembleClassifier"), (4, "TreeEnsembleClassifier"),
        *((5, attribute) for attribute in attributes), (7, "ai.onnx.ml"),
    )  # fmt: skip
    values = (11, _value("X", 1, len(FEATURES))), (12, _value("label", 7)), (12, _value("probabilities", 1, 2))
    graph = wire.message((1, node), (2, "ONNX(RandomForestClassifier)"), *values)
    opsets = (8, wire.message((1, "ai.onnx.ml"), (2, 1))), (8, wire.message((1, ""), (2, 17)))
    return wire.message((1, 8), (2, "skl2onnx"), (3, "1.18.0"), (4, "ai.onnx"), (5, 0), (6, ""), (7, graph), *opsets)


def _attribute(name: str, kind: int, *values: tuple[int, int | str | bytes]) -> bytes:
    return wire.message((1, name), *values, (20, kind))


def _value(name: str, element: int, *dimensions: int) -> bytes:
    batch = wire.message((1, wire.message((2, "batch"))), *((1, wire.message((1, size))) for size in dimensions))
    return wire.message((1, name), (2, wire.message((1, wire.message((1, element), (2, batch))))))


def _notebook() -> dict[str, object]:
    imports = ["import pandas as pd\n", "from sklearn.ensemble import RandomForestClassifier\n", "import joblib"]
    training = ['frame = pd.read_parquet("../data/train.parquet")\n', f'frame["{LABEL}"].mean()']
    cells: list[dict[str, object]] = [
        {"cell_type": "markdown", "id": "a1", "metadata": {}, "source": ["# Training\n", "Run from top to bottom."]},
        {"cell_type": "code", "id": "a2", "execution_count": 1, "metadata": {}, "outputs": [], "source": imports},
        {"cell_type": "code", "id": "a3", "execution_count": 2, "metadata": {}, "outputs": [], "source": training},
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python", "version": "3.11.11"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _write_data(folder: Path) -> None:
    rng = random.Random(_SEED)
    rows = [[round(rng.random(), 4) for _ in FEATURES] for _ in range(_ROWS + _HELD_OUT)]
    labels = [int(row[1] > 0.62) for row in rows]
    features = {name: [row[column] for row in rows[:_ROWS]] for column, name in enumerate(FEATURES)}
    columns: dict[str, Column] = {**features, LABEL: labels[:_ROWS]}
    held_out = [[*row, label] for row, label in zip(rows[_ROWS:], labels[_ROWS:], strict=True)]
    lines = [",".join(columns), *(",".join(map(str, row)) for row in held_out)]
    contents = {"train.parquet": parquet_table(columns), "test.csv": ("\n".join(lines) + "\n").encode()}
    for name, content in contents.items():
        put(folder / "data" / name, content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    put_json(folder / "data" / "croissant.json", _croissant(digests))
    put_json(folder / "input_example.json", {"columns": list(FEATURES), "data": rows[:2]})


def _croissant(digests: Mapping[str, str]) -> dict[str, object]:
    formats = {"train.parquet": "application/vnd.apache.parquet", "test.csv": "text/csv"}
    return {
        "@context": {
            "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
            "dct": "http://purl.org/dc/terms/", "conformsTo": "dct:conformsTo",
            "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
            **{term: f"cr:{term}" for term in ("citeAs", "column", "extract", "field", "fileObject", "recordSet")},
            "source": "cr:source",
        },
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": "polder-pumps", "description": "Hourly sensor readings of pumps, and whether one failed within a day.",
        "license": "https://creativecommons.org/licenses/by-nc/4.0/", "version": "2.0.0",
        "url": "https://data.waterkracht.example/polder-pumps", "datePublished": "2026-01-18",
        "creator": {"@type": "sc:Organization", "name": "Waterkracht Analytics"},
        "citeAs": "Waterkracht Analytics, Polder pumps, 2026",
        "rai:dataCollection": "Logged by the pumps' own controllers",
        "rai:dataCollectionType": ["Software Collection"],
        "rai:dataCollectionTimeframe": ["2024-01-01", "2025-06-30"],
        "rai:dataAnnotationProtocol": "A failure is a row in the maintenance log.",
        "rai:dataBiases": "Pumps from one manufacturer",
        "rai:dataLimitations": "No readings below freezing point",
        "rai:dataUseCases": "Planning of maintenance",
        "rai:personalSensitiveInformation": "None",
        "distribution": [
            {
                "@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name,
                "encodingFormat": formats[name], "sha256": digest,
            }
            for name, digest in digests.items()
        ],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "readings", "name": "readings", "field": _croissant_fields()}],
    }  # fmt: skip


def _croissant_fields() -> Sequence[Mapping[str, object]]:
    kinds = {**dict.fromkeys(FEATURES, "sc:Float"), LABEL: "sc:Integer"}
    return [
        {
            "@type": "cr:Field", "@id": f"readings/{name}", "name": name, "dataType": kind,
            "source": {"fileObject": {"@id": "train.parquet"}, "extract": {"column": name}},
        }
        for name, kind in kinds.items()
    ]  # fmt: skip


_REQUIREMENTS = ("mlflow==2.20.1", "joblib==1.4.2", "numpy==2.2.2", f"scikit-learn=={SKLEARN}", "skops>=0.11,<0.12")
_INPUTS = json.dumps([{"type": "double", "name": name, "required": True} for name in FEATURES])
_OUTPUTS = json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}])

_TEXTS = {
    "README.md": f"""# Pump failure classifier

A random forest that says whether a pump will fail within a day. Made by Waterkracht Analytics.

## Model description

{_TREES} trees of depth {_DEPTH}, scikit-learn {SKLEARN}. Input: {", ".join(FEATURES)}, each scaled to 0..1.

## Intended use

Planning of maintenance. Not a safety device.

## Limitations

Trained on pumps of one manufacturer; cold weather is missing.

## Training data

`data/train.parquet`, {_ROWS} rows; `data/test.csv`, {_HELD_OUT} rows, was kept apart.

## Results

ROC AUC {METRICS["roc_auc"]}, accuracy {METRICS["accuracy"]}; see `metrics.json`.

## License

BSD-3-Clause for the model and the code; the data are for non-commercial use.
""",
    "data/README.md": """---
license: cc-by-nc-4.0
task_categories:
- tabular-classification
size_categories:
- n<1K
pretty_name: Polder pumps
---

# Polder pumps

Hourly sensor readings. No person is in them.
""",
    # The head alone, up to the third clause, which tells it from its siblings.
    "LICENSE": """BSD 3-Clause License

Copyright (c) 2026, Waterkracht Analytics

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this
   list of conditions and the following disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice,
   this list of conditions and the following disclaimer in the documentation
   and/or other materials provided with the distribution.

3. Neither the name of the copyright holder nor the names of its
   contributors may be used to endorse or promote products derived from
   this software without specific prior written permission.
""",
    "MLmodel": f"""artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    model_path: model.joblib
    predict_fn: predict
    python_version: 3.11.11
  sklearn:
    code: null
    pickled_model: model.joblib
    serialization_format: joblib
    sklearn_version: {SKLEARN}
mlflow_version: 2.20.1
model_uuid: 5f0f8d3c2b9a4e1786a1c0d2e3f4a5b6
run_id: 9c1b7e20d4f34c5b8a6f1e2d3c4b5a69
saved_input_example_info:
  artifact_path: input_example.json
  pandas_orient: split
  type: dataframe
signature:
  inputs: '{_INPUTS}'
  outputs: '{_OUTPUTS}'
  params: null
utc_time_created: '2026-01-18 09:30:00.000000'
""",
    "conda.yaml": "channels:\n- conda-forge\ndependencies:\n- python=3.11.11\n- pip<=24.0\n- pip:\n"
    + "".join(f"  - {requirement}\n" for requirement in _REQUIREMENTS)
    + "name: mlflow-env\n",
    "python_env.yaml": "python: 3.11.11\nbuild_dependencies:\n- pip==24.0\n- setuptools\n- wheel\ndependencies:\n"
    "- -r requirements.txt\n",
    "requirements.txt": "\n".join(_REQUIREMENTS) + "\n",
    "params.yaml": f"seed: 7\nprepare:\n  split: 0.25\ntrain:\n  n_estimators: {_TREES}\n  max_depth: {_DEPTH}\n",
}
