"""The machine that a pickle is a program for, with symbols for values: nothing is made, imported or called.

Stack and memo are just precise enough to know the strings from which names are put together (`STACK_GLOBAL`), the
arrays that joblib writes between two opcodes, and the tensors that PyTorch describes. Opcodes follow PEP 307, PEP 3154
and PEP 574 (protocols 0 to 5); where the real unpickler stops with an error, the walk stops too.
"""

import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from aibom.core.bytesource import ByteSource
from aibom.formats.pickle_bytes import MAX_TEXT, BrokenError, PickleBytes
from aibom.formats.pickle_classes import CALLERS, acts_when_made
from aibom.formats.pickle_globals import Safety, shown, worst

MAX_OPCODES = 10_000_000
MAX_STACK = 1_000_000
MAX_MEMO = 1_000_000
MAX_GLOBALS = 10_000
MAX_TENSORS = 200_000
MAX_NESTED = 32
STOP = 0x2E
_MAX_KEPT_TUPLE = 16
_GUESS_OPCODES = 2000
_GUESS_WINDOW = 4096
_VERSION_KEYS = frozenset({"_sklearn_version", "_skops_version", "pytorch-lightning_version", "xgboost_version"})
_ARRAY_KEYS = frozenset({"shape", "dtype", "order", "numpy_array_alignment_bytes"})
_WRAPPERS = ("joblib.numpy_pickle.NumpyArrayWrapper", "sklearn.externals.joblib.numpy_pickle.NumpyArrayWrapper")
_KEPT_OBJECTS = frozenset({*_WRAPPERS, "numpy.dtype", "torch.Size"})
_NEW = ("__newobj__", "__newobj_ex__")
_TENSORS = frozenset(f"torch._utils._rebuild_tensor{version}" for version in ("", "_v2", "_v3"))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PickledStorage:
    """A block of numbers that PyTorch keeps outside the pickle."""

    key: str
    kind: str
    """PyTorch's class for it, as `FloatStorage`."""
    elements: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PickledTensor:
    """A view of a storage. Two equal views count as one."""

    storage: str
    offset: int
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


class Other:
    """A value of which nothing is known but that it is there."""


@dataclass(frozen=True, slots=True)
class Name:
    """A named object: module and name."""

    module: str
    name: str


class Made:
    """An object of a kind that matters here: what made it, from what, and its state, which comes later."""

    __slots__ = ("arguments", "maker", "state")
    __match_args__ = ("maker", "arguments")

    def __init__(self, maker: str, arguments: tuple["Value", ...]) -> None:
        """Start without a state."""
        self.maker, self.arguments = maker, arguments
        self.state: Value = None


Value = Other | Name | Made | str | int | tuple["Value", ...] | dict[str, "Value"] | None
OTHER = Other()
# These make an object without its constructor; the reconstructor does if the base is `object`.
_BARE_MAKERS = frozenset(f"{module}.{name}" for module in ("copyreg", "copy_reg") for name in _NEW)
_RECONSTRUCTORS = frozenset({"copyreg._reconstructor", "copy_reg._reconstructor"})
_OBJECT = ((Name("builtins", "object"),), (Name("__builtin__", "object"),))


class Found:
    """What has come up so far; filled while the machine runs."""

    def __init__(self, opcodes: int = 0) -> None:
        """Start with the number of opcodes that were walked before."""
        self.opcodes, self.protocol, self.arrays = opcodes, 0, 0
        self.blind = False  # whether something was given to call what cannot be told
        self.names: dict[tuple[str, str], bool] = {}
        self.reasons: dict[str, Safety] = {}
        self.versions: dict[str, str] = {}
        self.storages: dict[tuple[str, str], PickledStorage] = {}
        self.tensors: dict[PickledTensor, None] = {}

    def note(self, reason: str, level: Safety) -> None:
        """Keep a reason."""
        if len(self.reasons) < MAX_GLOBALS * 2:
            self.reasons[reason] = worst(level, self.reasons.get(reason, level))

    def merge(self, other: "Found") -> None:
        """Add what came up in the pickle that follows."""
        self.opcodes, self.protocol = other.opcodes, max(self.protocol, other.protocol)
        self.arrays += other.arrays
        self.blind = self.blind or other.blind
        for key, called in other.names.items():
            self.names[key] = called or self.names.get(key, False)
        for reason, level in other.reasons.items():
            self.note(reason, level)
        for version, text in other.versions.items():
            self.versions.setdefault(version, text)
        self.storages.update(other.storages)
        self.tensors.update(other.tensors)

    def adopt(self, guess: "Found") -> None:
        """Take from bytes that may be no pickle only what cannot be chance: names that are words."""
        self.opcodes = guess.opcodes
        for (module, name), called in guess.names.items():
            if len(module) + len(name) > 3 and all(part.isidentifier() for part in f"{module}.{name}".split(".")):
                self.names[module, name] = called or self.names.get((module, name), False)
                self.blind = self.blind or (called and acts_when_made(module, name))


class Machine(PickleBytes):
    """The symbolic machine, for one pickle. `effects`: what each opcode does."""

    def __init__(self, source: ByteSource, position: int, effects: "Effects", found: Found) -> None:
        """Start with an empty stack at `position`."""
        super().__init__(source, position)
        self.found = found
        self.stack: list[Value] = []
        self.marks: list[int] = []
        self.memo: dict[int, Value] = {}
        self._known: Mapping[int, Value] = {}
        self._outer: list[tuple[list[Value], list[int], dict[int, Value]]] = []
        self._effects, self._source_again, self._is_guess = effects, source, False

    def run(self, limit: int = MAX_OPCODES) -> None:
        """Walk to the end of the pickle. Raises BrokenError if that cannot be reached."""
        while True:
            if self.found.opcodes >= limit:
                raise BrokenError(f"it has more than {limit} opcodes, which is where we stop")
            self.found.opcodes += 1
            code = self.take(1)[0]
            effect = self._effects.get(code)
            if effect is None:
                raise BrokenError(f"{code:#04x} is no opcode")
            effect(self)
            if code == STOP:
                if not self._outer:
                    return
                self.stack, self.marks, self.memo = self._outer.pop()

    def push(self, value: "Value") -> None:
        """Put a value on the stack."""
        if len(self.stack) >= MAX_STACK:
            raise BrokenError(f"its stack holds more than {MAX_STACK} values, which is where we stop")
        self.stack.append(value)

    def pop(self) -> "Value":
        """Take the top value, which must lie above the last mark."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise BrokenError("it takes a value from an empty stack")
        return self.stack.pop()

    def pop_mark(self) -> "list[Value]":
        """Take all values above the last mark, and the mark."""
        if not self.marks:
            raise BrokenError("it has no mark")
        begin = self.marks.pop()
        items = self.stack[begin:]
        del self.stack[begin:]
        return items

    def mark(self) -> None:
        """Set a mark."""
        if len(self.marks) >= MAX_STACK:
            raise BrokenError(f"it has more than {MAX_STACK} marks, which is where we stop")
        self.marks.append(len(self.stack))

    def discard(self) -> None:
        """Take away the top: a value, or a mark."""
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.pop()

    def top(self) -> Value:
        """Look at the top value."""
        value = self.pop()
        self.stack.append(value)
        return value

    def recall(self, key: int) -> None:
        """Push what was stored under a number."""
        if key in self.memo:
            self.push(self.memo[key])
        elif key in self._known:
            self.push(self._known[key])
        else:
            raise BrokenError(f"it recalls {key}, which was never stored")

    def store(self, key: int) -> None:
        """Keep the top value under a number."""
        if len(self.memo) >= MAX_MEMO and key not in self.memo:
            raise BrokenError(f"it stores more than {MAX_MEMO} values, which is where we stop")
        self.memo[key] = self.top()

    def make_tuple(self, items: list[Value]) -> None:
        """Push a tuple; one too long or too deep to describe anything that matters here is only a value."""
        deep = any(isinstance(item, tuple) and any(isinstance(part, tuple) for part in item) for item in items[:16])
        self.push(OTHER if deep or len(items) > _MAX_KEPT_TUPLE else tuple(items))

    def pops(self, count: int) -> list[Value]:
        """Take several values, in the order in which they were pushed."""
        return [self.pop() for _ in range(count)][::-1]

    def set_items(self, items: list[Value]) -> None:
        """Set keys and values, one after another in `items`, on the top value."""
        target = self.change()
        for key, value in zip(items[::2], items[1::2], strict=False):
            if isinstance(key, str) and key in _VERSION_KEYS and isinstance(value, str):
                self.found.versions.setdefault(key, value[:80])
            elif isinstance(key, str) and key in _ARRAY_KEYS and isinstance(target, dict):
                target[key] = value

    def change(self) -> Value:
        """The value on top, about to be changed; a pickle that changes what it has named alters the program itself."""
        target = self.top()
        if isinstance(target, Name):
            self.found.note(f"changes {shown(target.module, target.name)} itself", Safety.DANGEROUS)
        return target

    def name(self, module: Value, name: Value) -> None:
        """Load what a module calls so."""
        if not isinstance(module, str) or not isinstance(name, str) or len(module) + len(name) > MAX_TEXT:
            self.found.note("loads something whose name is computed", Safety.DANGEROUS)
            self.push(OTHER)
            return
        if len(self.found.names) >= MAX_GLOBALS:
            raise BrokenError(f"it names more than {MAX_GLOBALS} things, which is where we stop")
        self.found.names.setdefault((module, name), False)
        self.push(Name(module, name))

    def extension(self, code: int) -> None:
        """Load what a registry outside the pickle knows by a number."""
        self.found.note(f"loads what the extension registry calls {code}", Safety.DANGEROUS)
        self.push(OTHER)

    def call(self, callee: Value, arguments: Value) -> None:
        """Call a function, or make an instance of a class."""
        if not isinstance(callee, Name):
            self.found.note("calls something that has no fixed name", Safety.DANGEROUS)
            self.push(OTHER)
            return
        self.found.names[callee.module, callee.name] = True
        full, given = f"{callee.module}.{callee.name}", arguments if isinstance(arguments, tuple) else ()
        self._judge_call(callee, full, arguments)
        if full in _TENSORS:
            self._tensor(given)
        kept = tuple(OTHER if isinstance(item, (Made, dict)) else item for item in given)
        self.push(Made(full, kept) if full in _KEPT_OBJECTS else OTHER)

    def _judge_call(self, callee: Name, full: str, arguments: Value) -> None:
        """Note what is made from a path, by itself or by a function that is given the class."""
        given = arguments if isinstance(arguments, tuple) else (arguments,)
        self.found.blind = self.found.blind or (full in CALLERS and not isinstance(arguments, tuple))
        if full in _BARE_MAKERS or (full in _RECONSTRUCTORS and given[1:2] in _OBJECT):
            return
        for made in (callee, *(item for item in given if isinstance(item, Name))):
            if given and acts_when_made(made.module, made.name):
                level = Safety.DANGEROUS if _has_text(given) else Safety.UNKNOWN
                self.found.note(f"makes {shown(made.module, made.name)} from arguments, which can be a path", level)

    def persistent(self) -> None:
        """Load something kept outside the pickle; PyTorch's storages are described by a tuple."""
        match self.pop():
            case ("storage", Name(_, kind), str(key), _, int(elements), *_) if 0 <= elements < 2**63:
                if len(self.found.storages) < MAX_TENSORS:
                    self.found.storages[key, kind] = PickledStorage(key=key, kind=kind, elements=elements)
                self.push(Made("storage", (key,)))
            case _:
                self.push(OTHER)

    def _tensor(self, arguments: tuple[Value, ...]) -> None:
        match arguments[:3]:
            case (Made("storage", (str(key),)), int(offset), shape):
                numbers = shape.arguments[0] if isinstance(shape, Made) and shape.arguments else shape
                if isinstance(numbers, tuple) and len(self.found.tensors) < MAX_TENSORS:
                    sizes = tuple(size for size in numbers if isinstance(size, int) and 0 <= size < 2**63)
                    if len(sizes) == len(numbers):
                        self.found.tensors[PickledTensor(storage=key, offset=offset, shape=sizes)] = None

    def build(self) -> None:
        """Give an object its state."""
        state = self.pop()
        target = self.change()
        if isinstance(target, Made):
            target.state = state
            if target.maker in _WRAPPERS and not self._outer and not self._is_guess:
                self._array(state if isinstance(state, dict) else {})

    def _array(self, state: dict[str, Value]) -> None:
        """Step over the bytes that joblib writes after a NumpyArrayWrapper; an array of objects is a pickle itself."""
        self.found.arrays += 1
        width = _item_size(state.get("dtype"))
        if width == 0:
            if len(self._outer) >= MAX_NESTED:
                raise BrokenError("arrays of objects are nested too deep")
            self._outer.append((self.stack, self.marks, self.memo))
            self.stack, self.marks, self.memo = [], [], {}
            return
        shape = state.get("shape")
        sizes = [size for size in shape if isinstance(size, int)] if isinstance(shape, tuple) else [-1]
        if width < 0 or not isinstance(shape, tuple) or len(sizes) != len(shape) or any(size < 0 for size in sizes):
            raise BrokenError("the size of an array in it cannot be told")
        self._guess()
        if isinstance(state.get("numpy_array_alignment_bytes"), int):
            self.skip(self.number(1))
        self.skip(math.prod(sizes) * width)

    def _guess(self) -> None:
        """Look at array bytes as the plain unpickler, which does not step over them, would."""
        guess = Machine(self._source_again, self.position, self._effects, Found())
        guess.narrow(_GUESS_WINDOW)
        guess.stack, guess._known, guess._is_guess = [OTHER], self.memo, True
        with suppress(BrokenError):
            guess.run(_GUESS_OPCODES)
        guess.found.opcodes += self.found.opcodes
        self.found.adopt(guess.found)


Effects = Mapping[int, Callable[[Machine], None]]


def _has_text(given: tuple[Value, ...]) -> bool:
    return any(isinstance(item, str) or (isinstance(item, tuple) and _has_text(item)) for item in given)


def _item_size(dtype: Value) -> int:
    """Bytes of one element; 0 if they are Python objects, -1 if it cannot be told."""
    if not isinstance(dtype, Made) or dtype.maker != "numpy.dtype" or not dtype.arguments:
        return -1
    code, state = dtype.arguments[0], dtype.state
    flags = state[7] if isinstance(state, tuple) and len(state) > 7 else 0
    if not isinstance(code, str) or not re.fullmatch(r"[a-zA-Z][0-9]{0,9}", code):
        return -1
    if code[0] == "O" or (isinstance(flags, int) and flags & 1):
        return 0
    return int(code[1:]) * (4 if code[0] == "U" else 1) if code[1:] else {"?": 1, "b": 1, "B": 1}.get(code, -1)
