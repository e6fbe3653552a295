"""The encodings under the formats: Protocol Buffers (ONNX), Thrift compact (Parquet), pickle (PyTorch).

Only what those formats need. Specifications: https://protobuf.dev/programming-guides/encoding/ and
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md; Python's ``pickletools``
documents each opcode. Pickles are put together from opcodes because pickling by name would import the named
module, and neither torch nor anything harmful may have to be present.
"""

import pickle
import struct
from collections.abc import Mapping, Sequence

ThriftValue = tuple[int, bytes]
"""A value as it stands in a field: the type's code and the encoded bytes."""

_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12


def varint(number: int) -> bytes:
    """Encode seven bits a byte, lowest first; both encodings share this."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(*fields: tuple[int, int | str | bytes]) -> bytes:
    """Encode a Protocol Buffers message; a repeated field is given several times, a message as bytes."""
    out = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            raw = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
    return bytes(out)


def i32(number: int) -> ThriftValue:
    """Encode a Thrift i32, or an enum."""
    return _I32, _zigzag(number)


def i64(number: int) -> ThriftValue:
    """Encode a Thrift i64."""
    return _I64, _zigzag(number)


def text(value: str) -> ThriftValue:
    """Encode a Thrift string."""
    raw = value.encode()
    return _BINARY, varint(len(raw)) + raw


def array(items: Sequence[ThriftValue]) -> ThriftValue:
    """Encode a Thrift list of fewer than 15 items, all of the first one's type."""
    if not 0 < len(items) < 15:
        # Longer lists have another header, and an empty one no type: neither is needed here.
        raise ValueError(f"a list of 1 to 14 items is expected, not {len(items)}")
    return _LIST, bytes([len(items) << 4 | items[0][0]]) + b"".join(raw for _, raw in items)


def record(*fields: tuple[int, ThriftValue]) -> ThriftValue:
    """Encode a Thrift struct whose field numbers ascend, as the short field header demands."""
    out, last = bytearray(), 0
    for number, (kind, raw) in fields:
        if not 0 < number - last < 16:
            raise ValueError(f"field {number} cannot follow field {last} in a short header")
        out += bytes([number - last << 4 | kind]) + raw
        last = number
    return _STRUCT, bytes(out) + b"\0"


def pickle_global(module: str, name: str) -> bytes:
    """Push the object that a module calls so."""
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def pickle_texts(*values: str) -> bytes:
    """Push strings, one after another."""
    encoded = [value.encode() for value in values]
    return b"".join(pickle.BINUNICODE + struct.pack("<I", len(raw)) + raw for raw in encoded)


def pickle_ints(*values: int) -> bytes:
    """Push integers, one after another."""
    return b"".join(pickle.BININT + struct.pack("<i", value) for value in values)


def pickle_tuple(items: bytes) -> bytes:
    """Push a tuple of what ``items`` pushes."""
    return pickle.MARK + items + pickle.TUPLE


def pickle_short_texts(*values: str) -> bytes:
    """Push strings of fewer than 256 bytes, one after another, as protocol 4 does."""
    encoded = [value.encode() for value in values]
    return b"".join(pickle.SHORT_BINUNICODE + bytes([len(raw)]) + raw for raw in encoded)


def pickle_stack_global(module: str, name: str) -> bytes:
    """Push the object that a module calls so, as protocol 4 does."""
    return pickle_short_texts(module, name) + pickle.STACK_GLOBAL


def pickle_object(kind: bytes, state: Mapping[str, bytes]) -> bytes:
    """Push a new object of the class that ``kind`` pushes, with a state of what each value pushes."""
    entries = b"".join(pickle_short_texts(name) + value for name, value in state.items())
    new = kind + pickle.EMPTY_TUPLE + pickle.NEWOBJ
    return new + pickle.EMPTY_DICT + pickle.MARK + entries + pickle.SETITEMS + pickle.BUILD


def pickle_frame(opcodes: bytes) -> bytes:
    """Announce the length of what follows, as protocol 4 does."""
    return pickle.FRAME + struct.pack("<Q", len(opcodes)) + opcodes


def _zigzag(number: int) -> bytes:
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)
