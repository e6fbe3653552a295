"""ONNX models, without their tensors: origin, operators, inputs and outputs, and the files that they refer to.

Weights may be in any graph: the main one, the branches of If and Loop, functions, attributes of Constant nodes. Each of
them may name a file outside the model, so each is visited; the bytes of a tensor never are. Messages:
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats.protobuf import MAX_NAME, Field, ProtobufFile

MAX_DEPTH = 24
MAX_TENSORS = 200_000
MAX_OPERATORS = 20_000
MAX_DIMENSIONS = 64
MAX_PROBLEMS = 100
MAX_DOC = 2000
"""Bytes of the documentation text that are kept."""
_MAX_PAIRS = 10_000
_MAX_METADATA = 64 * 1024
_MAX_PORTS = 10_000
_MAX_COUNT = 2**63
_MAX_DIGITS = 19
_EXTERNAL = 1
_AXES = {1: MAX_DIMENSIONS}
# TensorProto.DataType: number -> name and bits of an element (0 where they vary).
_TYPES = {
    1: ("FLOAT", 32), 2: ("UINT8", 8), 3: ("INT8", 8), 4: ("UINT16", 16), 5: ("INT16", 16), 6: ("INT32", 32),
    7: ("INT64", 64), 8: ("STRING", 0), 9: ("BOOL", 8), 10: ("FLOAT16", 16), 11: ("DOUBLE", 64), 12: ("UINT32", 32),
    13: ("UINT64", 64), 14: ("COMPLEX64", 64), 15: ("COMPLEX128", 128), 16: ("BFLOAT16", 16),
    17: ("FLOAT8E4M3FN", 8), 18: ("FLOAT8E4M3FNUZ", 8), 19: ("FLOAT8E5M2", 8), 20: ("FLOAT8E5M2FNUZ", 8),
    21: ("UINT4", 4), 22: ("INT4", 4), 23: ("FLOAT4E2M1", 4), 24: ("FLOAT8E8M0", 8), 25: ("UINT2", 2), 26: ("INT2", 2),
}  # fmt: skip
_STANDARD_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"})
# TypeProto: what is not a dense tensor is only named.
_CONTAINERS = {4: "sequence", 5: "map", 7: "opaque", 8: "sparse_tensor", 9: "optional"}
_HINT = "the file is damaged or was not written by an ONNX library; export the model again"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxPort:
    """An input or output of the main graph: a dimension is a number, a name, or "" where nothing is stated."""

    name: str
    element_type: str
    shape: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxTensor:
    """An initializer of any graph: its name, element type and shape."""

    name: str
    element_type: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalData:
    """A place in another file from which a tensor is read: `length` None means up to the file's end."""

    location: str
    offset: int
    length: int | None
    tensor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxModel:
    """What a model says about itself."""

    ir_version: int
    producer_name: str
    producer_version: str
    domain: str
    model_version: int | None
    doc_string: str
    """Its beginning."""
    opsets: Mapping[str, int]
    """Operator domain -> version; the standard domain is ""."""
    metadata: Mapping[str, str]
    operators: tuple[str, ...]
    """Sorted; the domain, if not the standard one, stands before a dot. Calls of the model's functions are left out."""
    custom_domains: tuple[str, ...]
    """Domains whose operators neither the standard nor the model defines: code that a runtime must bring."""
    functions: tuple[str, ...]
    """Functions that the model defines, named like operators."""
    external_data: tuple[ExternalData, ...]
    has_training_info: bool
    inputs: tuple[OnnxPort, ...]
    """Without those that are initializers."""
    outputs: tuple[OnnxPort, ...]
    tensors: tuple[OnnxTensor, ...]
    constant_elements: int
    """Numbers in tensors that stand in attributes: some exporters keep weights there."""
    problems: tuple[str, ...]
    """One sentence each: places outside the release, types and lengths that do not fit."""

    @property
    def parameters(self) -> int:
        """Numbers in all initializers."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors)

    @property
    def element_types(self) -> tuple[str, ...]:
        """Element types of initializers, sorted."""
        return tuple(sorted({tensor.element_type for tensor in self.tensors}))


def parse_onnx(source: ByteSource, where: str) -> OnnxModel:
    """Read a model.

    Raises InputError with the byte at fault for a broken encoding, for shapes that cannot be, and for a file that has
    no IR version or neither a graph nor a function.
    """
    file = ProtobufFile(source, where)
    once, repeated = dict.fromkeys(range(1, 8), 1), dict.fromkeys((8, 14, 20, 25), _MAX_PAIRS)
    top = file.collect(file.whole, once | repeated)
    if not top[1] or not (top[7] or top[25]):
        missing = "graph (field 7)" if top[1] else "ir_version (field 1)"
        raise InputError(f"not an ONNX model: {missing} is absent", where=where, hint=_HINT)
    walk = _Walk(file)
    for graph in top[7]:
        walk.graph(graph, 0)
    for training in top[20]:
        for part in file.fields(training):
            if part.number in {1, 2}:
                walk.graph(part, 1)
    for function in top[25]:
        walk.function(function)
    return _model(file, top, walk)


def _model(file: ProtobufFile, top: dict[int, list[Field]], walk: "_Walk") -> OnnxModel:
    opsets = _opsets(file, top[8])
    operators = walk.operators - walk.functions
    imported = set(opsets) - {domain for domain, _ in walk.functions}
    initializers = {tensor.name for tensor in walk.tensors}
    return OnnxModel(
        ir_version=file.signed(top[1][0]),
        producer_name=file.last_text(top[2]),
        producer_version=file.last_text(top[3]),
        domain=file.last_text(top[4]),
        model_version=file.signed(top[5][0]) if top[5] else None,
        doc_string=file.beginning(top[6][0], MAX_DOC) if top[6] else "",
        opsets=opsets,
        metadata=_metadata(file, top[14]),
        operators=_names(operators),
        custom_domains=tuple(sorted(({domain for domain, _ in operators} | imported) - _STANDARD_DOMAINS)),
        functions=_names(walk.functions),
        external_data=tuple(walk.external),
        has_training_info=bool(top[20]),
        inputs=tuple(port for port in walk.inputs if port.name not in initializers),
        outputs=tuple(walk.outputs),
        tensors=tuple(walk.tensors),
        constant_elements=walk.constant_elements,
        problems=tuple(walk.problems),
    )


class _Walk:
    """Visits every graph, and gathers what is found in any of them."""

    def __init__(self, file: ProtobufFile) -> None:
        self.operators: set[tuple[str, str]] = set()
        self.functions: set[tuple[str, str]] = set()
        self.tensors: list[OnnxTensor] = []
        self.external: list[ExternalData] = []
        self.inputs: list[OnnxPort] = []
        self.outputs: list[OnnxPort] = []
        self.problems: list[str] = []
        self.constant_elements = 0
        self._visited = 0
        self._file = file

    def graph(self, graph: Field, depth: int) -> None:
        """A graph, and with one call a level those inside it; the main one is at depth 0."""
        if depth > MAX_DEPTH:
            raise self._file.error(f"graphs are nested more than {MAX_DEPTH} levels deep", graph.start)
        for part in self._file.fields(graph):
            if part.number == 1:
                self._node(part, depth)
            elif part.number == 5:
                self.tensors.append(self._tensor(part))
            elif part.number == 15:
                self.tensors += self._sparse(part)
            elif part.number in {11, 12} and depth == 0:
                ports = self.inputs if part.number == 11 else self.outputs
                if len(ports) == _MAX_PORTS:
                    raise self._file.error(f"more than {_MAX_PORTS} inputs or outputs", part.start)
                ports.append(_port(self._file, part))

    def function(self, function: Field) -> None:
        """A function that the model defines: its name, its nodes, and the defaults of its attributes."""
        found = self._file.collect(function, {1: 1, 10: 1})
        self.functions.add((_domain(self._file, found[10]), self._file.last_text(found[1])))
        for part in self._file.fields(function):
            if part.number == 7:
                self._node(part, 1)
            elif part.number == 11:
                self._attribute(part, 1)

    def _node(self, node: Field, depth: int) -> None:
        operator: list[Field] = []
        domain: list[Field] = []
        for part in self._file.fields(node):
            if part.number == 5:
                self._attribute(part, depth)
            elif part.number in {4, 7}:
                (operator if part.number == 4 else domain).append(part)
        if len(operator) > 1 or len(domain) > 1:
            raise self._file.error("a node has two operators or two domains", node.start)
        self.operators.add((_domain(self._file, domain), self._file.last_text(operator)))
        if len(self.operators) > MAX_OPERATORS:
            raise self._file.error(f"more than {MAX_OPERATORS} different operators", node.start)

    def _attribute(self, attribute: Field, depth: int) -> None:
        for part in self._file.fields(attribute):
            if part.number in {6, 11}:
                self.graph(part, depth + 1)
            elif part.number in {5, 10}:
                self.constant_elements += math.prod(self._tensor(part).shape)
            elif part.number in {22, 23}:
                self.constant_elements += sum(math.prod(tensor.shape) for tensor in self._sparse(part))

    def _sparse(self, sparse: Field) -> list[OnnxTensor]:
        """The values of a sparse tensor, as stored; where they belong (field 2) is a tensor of its own."""
        found = self._file.collect(sparse, {1: 1, 2: 1})
        for indices in found[2]:
            self._tensor(indices)
        return [self._tensor(values) for values in found[1]]

    def _tensor(self, message: Field) -> OnnxTensor:
        self._visited += 1
        if self._visited > MAX_TENSORS:
            raise self._file.error(f"more than {MAX_TENSORS} tensors", message.start)
        found = self._file.collect(message, {1: MAX_DIMENSIONS, 2: 1, 8: 1, 9: 1, 13: MAX_DIMENSIONS, 14: 1})
        shape = tuple(size for part in found[1] for size in self._file.numbers(part, MAX_DIMENSIONS))
        if min(shape, default=0) < 0 or math.prod(shape) >= _MAX_COUNT or len(shape) > MAX_DIMENSIONS:
            raise self._file.error(f"a tensor cannot have the shape {list(shape)[:8]}", message.start)
        kind = self._file.number(found[2][0]) if found[2] else 0
        name = self._file.last_text(found[8])
        word, bits = _TYPES.get(kind, (str(kind), 0))
        if kind not in _TYPES:
            self._problem(f"tensor {name[:80]!r} has the unknown element type {kind}")
        size = -(-math.prod(shape) * bits // 8) if bits else None
        for raw in found[9]:
            self._check_raw(raw, size, word)
        if found[13] or (found[14] and self._file.number(found[14][0]) == _EXTERNAL):
            self._external(found, name, size)
        return OnnxTensor(name=name, element_type=word, shape=shape)

    def _check_raw(self, raw: Field, size: int | None, word: str) -> None:
        if word == "STRING":
            raise self._file.error("a tensor of texts cannot hold raw data", raw.start)
        if size is not None and raw.end - raw.start != size:
            raise self._file.error(
                f"the tensor's shape and type {word} need {size} bytes, raw_data has {raw.end - raw.start}", raw.start
            )

    def _external(self, found: dict[int, list[Field]], name: str, size: int | None) -> None:
        if found[9]:
            raise self._file.error(f"tensor {name[:80]!r} has data both here and in another file", found[9][0].start)
        entries = _text_map(self._file, found[13], "external_data", MAX_NAME)
        position = found[13][0].start if found[13] else 0
        numbers = {key: self._whole(entries[key], key, position) for key in ("offset", "length") if key in entries}
        location, length = entries.get("location", ""), numbers.get("length")
        self.external.append(
            ExternalData(location=location, offset=numbers.get("offset", 0), length=length, tensor=name)
        )
        fault = _location_fault(location)
        if fault:
            self._problem(f"tensor {name[:80]!r}: the place of its data {fault}: {location[:200]!r}")
        if None not in {length, size} and length != size:
            self._problem(f"tensor {name[:80]!r}: shape and type need {size} bytes, its place has {length}")

    def _whole(self, text: str, key: str, position: int) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
            raise self._file.error(f"the {key} of external data must be a whole number, not {text[:40]!r}", position)
        return int(text)

    def _problem(self, sentence: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(sentence)


def _location_fault(location: str) -> str:
    """What is wrong with the name of a file that must lie beside the model."""
    if not location:
        return "is empty"
    if "\\" in location or not location.isprintable():
        return "has a backslash or a control character"
    if location.startswith("/") or location[1:2] == ":" or "://" in location:
        return "is absolute"
    return "leaves the folder" if ".." in location.split("/") else ""


def _port(file: ProtobufFile, message: Field) -> OnnxPort:
    found = file.collect(message, {1: 1, 2: 1})
    element_type, shape = "", []
    for kind in found[2]:
        for part in file.fields(kind):
            if part.number in _CONTAINERS:
                element_type = _CONTAINERS[part.number]
            elif part.number == 1:
                tensor = file.collect(part, {1: 1, 2: 1})
                number = file.number(tensor[1][0]) if tensor[1] else 0
                element_type = _TYPES.get(number, (str(number), 0))[0]
                shape = [_dimension(file, one) for fields in tensor[2] for one in file.collect(fields, _AXES)[1]]
    return OnnxPort(name=file.last_text(found[1]), element_type=element_type, shape=tuple(shape))


def _dimension(file: ProtobufFile, message: Field) -> str:
    found = file.collect(message, {1: 1, 2: 1})
    return str(file.signed(found[1][0])) if found[1] else file.last_text(found[2])


def _opsets(file: ProtobufFile, entries: list[Field]) -> dict[str, int]:
    opsets: dict[str, int] = {}
    for entry in entries:
        found = file.collect(entry, {1: 1, 2: 1})
        domain, version = file.last_text(found[1]), file.signed(found[2][0]) if found[2] else 0
        if opsets.setdefault(domain, version) != version:
            raise file.error(f"the operators of {domain[:80]!r} are imported in two versions", entry.start)
    return opsets


def _metadata(file: ProtobufFile, entries: list[Field]) -> dict[str, str]:
    """Texts of `metadata_props`. A long one (some models keep their dictionary here) is kept by its beginning."""
    pairs: dict[str, str] = {}
    for entry in entries:
        found = file.collect(entry, {1: 1, 2: 1})
        key = file.last_text(found[1])
        if key in pairs:
            raise file.error(f"the key {key[:80]!r} appears twice in metadata_props", entry.start)
        pairs[key] = file.beginning(found[2][0], _MAX_METADATA) if found[2] else ""
    return pairs


def _text_map(file: ProtobufFile, entries: list[Field], what: str, limit: int) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for entry in entries:
        found = file.collect(entry, {1: 1, 2: 1})
        key = file.last_text(found[1])
        if key in pairs:
            raise file.error(f"the key {key[:80]!r} appears twice in {what}", entry.start)
        pairs[key] = file.last_text(found[2], limit)
    return pairs


def _domain(file: ProtobufFile, found: list[Field]) -> str:
    domain = file.last_text(found)
    return "" if domain == "ai.onnx" else domain


def _names(operators: set[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted(f"{domain}.{name}" if domain else name for domain, name in operators))
