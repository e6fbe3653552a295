"""Which reader looks at which file. The only list; a new format is one line here and one module in `aibom.formats`.

Readers of weights ask an open file for what they need of it; all others get a bounded beginning. A README says by its
content whether it is a model's or a data set's card, a JSON file whether it is a Croissant description.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats import detect
from aibom.formats.adapter_config import parse_adapter_config
from aibom.formats.arrow import parse_arrow
from aibom.formats.citation_file import parse_citation
from aibom.formats.conda import parse_conda_environment
from aibom.formats.croissant import is_croissant, parse_croissant
from aibom.formats.dataset_card import parse_dataset_card
from aibom.formats.delimited import parse_delimited
from aibom.formats.detect import Classification
from aibom.formats.dockerfile import parse_dockerfile
from aibom.formats.emissions import parse_emissions
from aibom.formats.evaluation_results import parse_evaluation_results, parse_hub_results
from aibom.formats.generation_config import parse_generation_config
from aibom.formats.gguf import parse_gguf
from aibom.formats.json_lines import parse_json_lines
from aibom.formats.keras import parse_keras, parse_keras_hdf5
from aibom.formats.licence_texts import recognise_licence_text
from aibom.formats.loading import NotLookedInto, examiner_of, not_opened, read_nemo
from aibom.formats.mlflow_model import parse_mlflow_model
from aibom.formats.model_card import ModelCard, parse_model_card
from aibom.formats.model_config import parse_model_config
from aibom.formats.numpy_array import parse_npy, parse_npz
from aibom.formats.onnx import parse_onnx
from aibom.formats.parquet import parse_parquet
from aibom.formats.pipeline_index import parse_pipeline_index, parse_sentence_modules
from aibom.formats.pyproject import parse_pyproject
from aibom.formats.python_lock import parse_lock
from aibom.formats.python_source import read_python
from aibom.formats.requirements import (
    Dependency,
    is_requirements_file,
    is_wheel_metadata,
    parse_requirements,
    parse_wheel_metadata,
)
from aibom.formats.safetensors import MAX_HEADER, header_end, parse_safetensors
from aibom.formats.saved_model import parse_saved_model
from aibom.formats.skops import parse_skops
from aibom.formats.tar_shard import parse_tar_shard
from aibom.formats.tflite import parse_tflite
from aibom.formats.tokenizer import is_chat_template, parse_chat_template, parse_tokenizer, parse_tokenizer_config
from aibom.formats.torch_export import parse_torch_export
from aibom.formats.torch_zip import parse_torch
from aibom.formats.trainer_state import parse_trainer_state, parse_training_arguments
from aibom.formats.weights_index import parse_weights_index
from aibom.formats.wheel_record import is_wheel_record, parse_wheel_record

HEAD = 4096
_SMALL = 16 * 1024 * 1024
_LARGE = 64 * 1024 * 1024
_LICENCE = 256 * 1024

Read = Callable[[ByteSource, str], object]


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a requirements file declares."""

    dependencies: tuple[Dependency, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TooLargeError(Exception):
    """A file that is larger than its reader takes."""

    limit: int


def reader_of(name: str, kind: Classification, head: bytes) -> Read | None:
    """The reader for a file of the release; None if none looks into it."""
    if kind.is_weights:
        return _weights_reader(name, kind)
    base = name.rsplit("/", 1)[-1].lower()
    for pattern, read in _BY_NAME:
        if fnmatchcase(base, pattern):
            return read
    if is_wheel_metadata(name):
        return _small(parse_wheel_metadata)
    if is_wheel_record(name):
        return _small(parse_wheel_record)
    if is_requirements_file(name):
        return _small(_requirements)
    if is_chat_template(name):
        return _small(parse_chat_template)
    if base.endswith(".json") and is_croissant(head):
        return _small(parse_croissant)
    return _by_category(name, base, kind) or _quietly(examiner_of(name, kind.format))


def _by_category(name: str, base: str, kind: Classification) -> Read | None:
    if kind.category == "docs/license":
        return _licence_text
    if kind.category in {"docs/model-card", "docs/data-card"} and base.endswith(".md"):
        return _small(_card)
    if kind.category == "docs/evaluation-results":
        return _small(parse_evaluation_results if base.endswith(".json") else parse_hub_results)
    if kind.category.startswith("code/") and base.endswith((".py", ".ipynb")):
        return _small(read_python)
    if kind.category.startswith("data/"):
        return _data_reader(base, kind.format)
    return None


def _small(parse: Callable[[bytes, str], object], limit: int = _SMALL) -> Read:
    """A reader of bytes as a reader of sources, for files up to a limit."""

    def read(source: ByteSource, where: str) -> object:
        if source.size > limit:
            raise TooLargeError(limit)
        return parse(source.read(0, limit), where)

    return read


def _safetensors(source: ByteSource, where: str) -> object:
    end = header_end(source.read(0, 8), source.size)
    return parse_safetensors(source.read(0, min(end, MAX_HEADER + 8) or HEAD), source.size, where)


def _licence_text(source: ByteSource, where: str) -> object:
    """A licence tells by its beginning, however long the file is."""
    return recognise_licence_text(source.read(0, _LICENCE))


def _requirements(data: bytes, where: str) -> object:
    return Requirements(*parse_requirements(data, where))


def _card(data: bytes, where: str) -> object:
    """A model card, or the card of a data set if its front matter says so or it lies with the data."""
    card = parse_model_card(data, where)
    folders = {part.lower() for part in where.split("/")[:-1]}
    return parse_dataset_card(data, where) if card.describes_dataset or folders & detect.DATA_FOLDERS else card


def is_model_card(fact: object) -> bool:
    """Whether a README turned out to describe a model rather than a data set."""
    return isinstance(fact, ModelCard)


def _weights_reader(name: str, kind: Classification) -> Read | None:
    """What a loader would do with a file of this name comes first; then what its first bytes show, then its suffix."""
    base = name.rsplit("/", 1)[-1].lower()
    if kind.format == "saved-model":  # the variables are raw numbers, and belong to the graph beside them
        return parse_saved_model if base == "saved_model.pb" else None
    if detect.unpickled_suffix(name):
        return _named_first(name, examiner_of(name, kind.format), _WEIGHTS_BY_FORMAT.get(kind.format))
    if base.endswith(".nemo"):
        return read_nemo
    if kind.format in detect.PACKED:
        return lambda _source, _where: not_opened(kind.format)
    if kind.format in _WEIGHTS_BY_FORMAT and kind.format != "zip":
        return _WEIGHTS_BY_FORMAT[kind.format]
    by_suffix = (read for suffix, read in _WEIGHTS_BY_SUFFIX if base.endswith(suffix))
    return next(by_suffix, None) or _WEIGHTS_BY_FORMAT.get(kind.format) or _unread


def _named_first(name: str, named: Read | None, shown: Read | None) -> Read:
    """The reader that a name asks for, and where the file is nothing of that kind, the one that its bytes ask for.

    A `.bin` may be the weights of a runtime that we do not know; under any other name it must be what it says.
    """

    def read(source: ByteSource, where: str) -> object:
        try:
            return named(source, where) if named else _unread(source, where)
        except InputError:
            if shown is not None and shown is not parse_torch:
                return shown(source, where)
            if detect.unpickled_suffix(name) in {".bin", *_LOOSE}:
                return _unread(source, where)
            raise

    return read


def _unread(source: ByteSource, where: str) -> NotLookedInto:
    """Weights that no reader takes. Raises InputError where plain text, or nothing, bears the name of weights."""
    if detect.is_weights_name(where) and detect.is_plainly_text(source.read(0, HEAD)):
        raise InputError("plain text, or nothing, under the name of weights", where=where)
    return NotLookedInto(reasons=("no reader knows its format: what it holds was not looked at",))


def _quietly(read: Read | None) -> Read | None:
    """For a file that is only taken for something to unpickle: it may well be something else."""
    if read is None:
        return None

    def attempt(source: ByteSource, where: str) -> object:
        try:
            return read(source, where)
        except InputError:
            return None

    return attempt


def _data_reader(base: str, shown: str) -> Read | None:
    if base.endswith(".npz") and shown == "zip":
        return parse_npz
    if shown in _DATA_BY_FORMAT:
        return _DATA_BY_FORMAT[shown]
    return next((read for suffix, read in _DATA_BY_SUFFIX if base.endswith(suffix) and shown == "text"), None)


_WEIGHTS_BY_FORMAT: dict[str, Read] = {
    "safetensors": _safetensors,
    "gguf": parse_gguf,
    "onnx": parse_onnx,
    "tflite": parse_tflite,
    "hdf5": parse_keras_hdf5,
    "zip": parse_torch,
    "pickle": parse_torch,
    "tar": parse_torch,
}
# Such names are not those of weights alone: what cannot be unpickled may be something else.
_LOOSE = (".p", ".pck")
# Whatever stands in a file of such a name is read as what the name promises, and found wanting if it is not that.
_WEIGHTS_BY_SUFFIX: tuple[tuple[str, Read], ...] = (
    (".safetensors", _safetensors),
    (".gguf", parse_gguf),
    (".onnx", parse_onnx),
    (".tflite", parse_tflite),
    (".keras", parse_keras),
    (".h5", parse_keras_hdf5),
    (".skops", parse_skops),
    (".pt2", parse_torch_export),
)
_DATA_BY_FORMAT: dict[str, Read] = {
    "parquet": parse_parquet,
    "arrow": parse_arrow,
    "tar": parse_tar_shard,
    "numpy": parse_npy,
}
_DATA_BY_SUFFIX: tuple[tuple[str, Read], ...] = (
    (".csv", parse_delimited),
    (".tsv", parse_delimited),
    (".jsonl", parse_json_lines),
    (".ndjson", parse_json_lines),
)
_BY_NAME: tuple[tuple[str, Read], ...] = (
    ("*.safetensors.index.json", _small(parse_weights_index, _LARGE)),
    ("pytorch_model*.bin.index.json", _small(parse_weights_index, _LARGE)),
    ("config.json", _small(parse_model_config)),
    ("model_index.json", _small(parse_pipeline_index)),
    ("modular_model_index.json", _small(parse_pipeline_index)),
    ("modules.json", _small(parse_sentence_modules)),
    ("adapter_config.json", _small(parse_adapter_config)),
    ("tokenizer_config.json", _small(parse_tokenizer_config)),
    ("tokenizer.json", _small(parse_tokenizer, _LARGE)),
    ("generation_config.json", _small(parse_generation_config)),
    ("mlmodel", _small(parse_mlflow_model)),
    ("trainer_state.json", _small(parse_trainer_state)),
    ("training_args.json", _small(parse_training_arguments)),
    ("emissions.csv", _small(parse_emissions)),
    ("codecarbon.csv", _small(parse_emissions)),
    ("citation.cff", _small(parse_citation)),
    ("pyproject.toml", _small(parse_pyproject)),
    ("uv.lock", _small(parse_lock)),
    ("poetry.lock", _small(parse_lock)),
    ("pylock*.toml", _small(parse_lock)),
    ("environment*.y*ml", _small(parse_conda_environment)),
    ("conda*.y*ml", _small(parse_conda_environment)),
    ("dockerfile*", _small(parse_dockerfile)),
    ("*.dockerfile", _small(parse_dockerfile)),
    ("containerfile*", _small(parse_dockerfile)),
)
