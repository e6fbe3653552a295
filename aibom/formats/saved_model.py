"""TensorFlow's SavedModel: versions, signatures, and the operators that reach outside the graph.

`saved_model.pb` is a program: an operator may read and write files on the machine that runs it, so the operators are
listed, also those in the function library. Messages: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto and
framework/graph.proto, function.proto, node_def.proto.
"""

from dataclasses import dataclass

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats.protobuf import Field, ProtobufFile

MAX_META_GRAPHS = 64
MAX_OPERATORS = 20_000
_MAX_TAGS = 64
_MAX_SIGNATURES = 1000
_MAX_ASSETS = 1000
# They run Python, load code, or touch files or hosts named inside the graph. Saving and restoring checkpoints is not
# among them: every SavedModel has those operators.
UNSAFE_OPERATORS = frozenset({
    "ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "PyFuncStateless", "EagerPyFunc", "LoadLibrary",
    "ImmutableConst", "DebugIdentity", "DebugIdentityV2", "DebugIdentityV3", "DatasetToTFRecord",
    "ExperimentalDatasetToTFRecord", "SaveDataset", "SaveDatasetV2", "LoadDataset", "DataServiceDataset",
    "DataServiceDatasetV2", "DataServiceDatasetV3", "DataServiceDatasetV4",
})  # fmt: skip
_HINT = "the file is damaged or was not written by TensorFlow; export the model again"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaGraph:
    """One graph of a SavedModel, made for one use that its tags name ("serve")."""

    tags: tuple[str, ...]
    tensorflow_version: str
    tensorflow_git_version: str
    signatures: tuple[str, ...]
    operators: tuple[str, ...]
    """Sorted; calls of the graph's own functions left out."""
    asset_files: tuple[str, ...]
    """Names of files in `assets/` that the graph reads, as written there, unchecked."""

    @property
    def unsafe_operators(self) -> tuple[str, ...]:
        """Operators that act on the machine outside the graph, sorted."""
        return tuple(name for name in self.operators if name in UNSAFE_OPERATORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedModel:
    """What a `saved_model.pb` says."""

    schema_version: int
    meta_graphs: tuple[MetaGraph, ...]

    @property
    def operators(self) -> tuple[str, ...]:
        """Operators of all graphs, sorted."""
        return tuple(sorted({name for graph in self.meta_graphs for name in graph.operators}))

    @property
    def unsafe_operators(self) -> tuple[str, ...]:
        """Operators of all graphs that act on the machine outside the graph, sorted."""
        return tuple(name for name in self.operators if name in UNSAFE_OPERATORS)


def is_saved_model(name: str) -> bool:
    """Whether a file holds the graphs of a SavedModel, by its name."""
    return name.rsplit("/", 1)[-1] == "saved_model.pb"


def is_saved_model_part(name: str) -> bool:
    """Whether a file belongs to a SavedModel beside its graphs, by its name: a fingerprint or variables."""
    folder, _, base = name.rpartition("/")
    if base == "fingerprint.pb":
        return True
    in_variables = folder.rsplit("/", 1)[-1] == "variables"
    return in_variables and (base == "variables.index" or base.startswith("variables.data-"))


def parse_saved_model(source: ByteSource, where: str) -> SavedModel:
    """Read the graphs of a SavedModel.

    Raises InputError with the byte at fault for a broken encoding, and for a file without graphs.
    """
    file = ProtobufFile(source, where)
    top = file.collect(file.whole, {1: 1, 2: MAX_META_GRAPHS})
    if not top[1] or not top[2]:
        missing = "saved_model_schema_version" if not top[1] else "meta_graphs"
        raise InputError(f"not a SavedModel: {missing} (field {2 if top[1] else 1}) is absent", where=where, hint=_HINT)
    schema = file.signed(top[1][0])
    return SavedModel(schema_version=schema, meta_graphs=tuple(_meta_graph(file, field) for field in top[2]))


def _meta_graph(file: ProtobufFile, message: Field) -> MetaGraph:
    found = file.collect(message, {1: 1, 2: 1, 5: _MAX_SIGNATURES, 6: _MAX_ASSETS})
    info: dict[int, list[Field]] = {4: [], 5: [], 6: []}
    for field in found[1]:
        info = file.collect(field, {4: _MAX_TAGS, 5: 1, 6: 1})
    return MetaGraph(
        tags=tuple(file.text(field) for field in info[4]),
        tensorflow_version=file.last_text(info[5]),
        tensorflow_git_version=file.last_text(info[6]),
        signatures=_unique_names(file, found[5]),
        operators=_operators(file, found[2]),
        asset_files=tuple(file.last_text(file.collect(field, {2: 1})[2]) for field in found[6]),
    )


def _unique_names(file: ProtobufFile, entries: list[Field]) -> tuple[str, ...]:
    """Keys of a map, sorted."""
    names: set[str] = set()
    for entry in entries:
        name = file.last_text(file.collect(entry, {1: 1})[1])
        if name in names:
            raise file.error(f"the signature {name[:80]!r} appears twice", entry.start)
        names.add(name)
    return tuple(sorted(names))


def _operators(file: ProtobufFile, graphs: list[Field]) -> tuple[str, ...]:
    names: set[str] = set()
    functions: set[str] = set()
    for graph in graphs:
        for field in file.fields(graph):
            if field.number == 1:
                _add(file, names, field)
            elif field.number == 2:
                for function in file.fields(field):
                    if function.number == 1:
                        functions.add(_function(file, names, function))
    return tuple(sorted(names - functions))


def _function(file: ProtobufFile, names: set[str], function: Field) -> str:
    """Add the operators of a function; give the name by which it is called."""
    called = ""
    for field in file.fields(function):
        if field.number == 3:
            _add(file, names, field)
        elif field.number == 1:
            called = file.last_text(file.collect(field, {1: 1})[1])
    return called


def _add(file: ProtobufFile, names: set[str], node: Field) -> None:
    name = file.last_text(file.collect(node, {2: 1})[2])
    if name:
        names.add(name)
    if len(names) > MAX_OPERATORS:
        raise file.error(f"more than {MAX_OPERATORS} different operators", node.start)
