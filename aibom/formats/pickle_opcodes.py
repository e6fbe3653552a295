"""What each pickle opcode does to the symbolic machine: one table, by the opcode's byte.

Each line is the opcode's name in Python's own documentation, in the order of its byte. Truth values, floating-point
numbers, bytes and lists are values of which nothing needs to be known.
"""

from collections.abc import Callable

from aibom.formats.pickle_bytes import BrokenError
from aibom.formats.pickle_machine import OTHER, STOP, Effects, Machine, Value

MAX_PROTOCOL = 5
_MAX_ARGUMENTS = 16

_Effect = Callable[[Machine], None]


def _push(value: Value) -> _Effect:
    return lambda machine: machine.push(value)


def _known(read: Callable[[Machine], str | int | None]) -> _Effect:
    """Push what is read, or a value of which nothing is known."""

    def effect(machine: Machine) -> None:
        value = read(machine)
        machine.push(OTHER if value is None else value)

    return effect


def _over(width: int, *, signed: bool = False) -> _Effect:
    """Push a value whose bytes are stepped over."""

    def effect(machine: Machine) -> None:
        machine.skip(machine.number(width, signed=signed))
        machine.push(OTHER)

    return effect


def _taking(count: int, then: Callable[[Machine, list[Value]], None]) -> _Effect:
    return lambda machine: then(machine, machine.pops(count))


def _proto(machine: Machine) -> None:
    version = machine.number(1)
    if version > MAX_PROTOCOL:
        raise BrokenError(f"it says protocol {version}; there are protocols up to {MAX_PROTOCOL}")
    machine.found.protocol = max(machine.found.protocol, version)


def _float(machine: Machine) -> None:
    machine.take(8)
    machine.push(OTHER)


def _line_value(machine: Machine) -> None:
    machine.line()
    machine.push(OTHER)


def _global(machine: Machine) -> None:
    module, name = machine.text_line(), machine.text_line()
    machine.name(module, name)


def _instance(machine: Machine) -> None:
    module, name = machine.text_line(), machine.text_line()
    arguments = machine.pop_mark()
    machine.name(module, name)
    machine.call(machine.pop(), tuple(arguments[:_MAX_ARGUMENTS]))


def _object(machine: Machine) -> None:
    items = machine.pop_mark()
    if not items:
        raise BrokenError("it makes an object of no class")
    machine.call(items[0], tuple(items[1 : _MAX_ARGUMENTS + 1]))


def _dict(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.push({})
    machine.set_items(items)


def _marked_value(machine: Machine) -> None:
    machine.pop_mark()
    machine.push(OTHER)


def _add_marked(machine: Machine) -> None:
    machine.pop_mark()
    machine.change()


def _append(machine: Machine) -> None:
    machine.pop()
    machine.change()


EFFECTS: Effects = {
    0x28: lambda m: m.mark(),  # MARK
    0x29: _push(()),  # EMPTY_TUPLE
    STOP: lambda m: _ignore(m.pop()),  # STOP
    0x30: lambda m: m.discard(),  # POP
    0x31: lambda m: _ignore(m.pop_mark()),  # POP_MARK
    0x32: lambda m: m.push(m.top()),  # DUP
    0x42: _over(4),  # BINBYTES
    0x43: _over(1),  # SHORT_BINBYTES
    0x46: _line_value,  # FLOAT
    0x47: _float,  # BINFLOAT
    0x49: _known(lambda m: m.number_line()),  # INT
    0x4A: _known(lambda m: m.number(4, signed=True)),  # BININT
    0x4B: _known(lambda m: m.number(1)),  # BININT1
    0x4C: _known(lambda m: m.number_line()),  # LONG
    0x4D: _known(lambda m: m.number(2)),  # BININT2
    0x4E: _push(None),  # NONE
    0x50: _line_value,  # PERSID
    0x51: lambda m: m.persistent(),  # BINPERSID
    0x52: _taking(2, lambda m, items: m.call(items[0], items[1])),  # REDUCE
    0x53: _known(lambda m: m.quoted_line()),  # STRING
    0x54: _known(lambda m: m.text(m.number(4, signed=True), "latin-1")),  # BINSTRING
    0x55: _known(lambda m: m.text(m.number(1), "latin-1")),  # SHORT_BINSTRING
    0x56: _known(lambda m: m.text_line("raw-unicode-escape")),  # UNICODE
    0x58: _known(lambda m: m.text(m.number(4))),  # BINUNICODE
    0x5D: _push(OTHER),  # EMPTY_LIST
    0x61: _append,  # APPEND
    0x62: lambda m: m.build(),  # BUILD
    0x63: _global,  # GLOBAL
    0x64: _dict,  # DICT
    0x65: _add_marked,  # APPENDS
    0x67: lambda m: m.recall(m.memo_line()),  # GET
    0x68: lambda m: m.recall(m.number(1)),  # BINGET
    0x69: _instance,  # INST
    0x6A: lambda m: m.recall(m.number(4)),  # LONG_BINGET
    0x6C: _marked_value,  # LIST
    0x6F: _object,  # OBJ
    0x70: lambda m: m.store(m.memo_line()),  # PUT
    0x71: lambda m: m.store(m.number(1)),  # BINPUT
    0x72: lambda m: m.store(m.number(4)),  # LONG_BINPUT
    0x73: _taking(2, lambda m, items: m.set_items(items)),  # SETITEM
    0x74: lambda m: m.make_tuple(m.pop_mark()),  # TUPLE
    0x75: lambda m: m.set_items(m.pop_mark()),  # SETITEMS
    0x7D: lambda m: m.push({}),  # EMPTY_DICT
    0x80: _proto,  # PROTO
    0x81: _taking(2, lambda m, items: m.call(items[0], items[1])),  # NEWOBJ
    0x82: lambda m: m.extension(m.number(1)),  # EXT1
    0x83: lambda m: m.extension(m.number(2)),  # EXT2
    0x84: lambda m: m.extension(m.number(4)),  # EXT4
    0x85: _taking(1, lambda m, items: m.make_tuple(items)),  # TUPLE1
    0x86: _taking(2, lambda m, items: m.make_tuple(items)),  # TUPLE2
    0x87: _taking(3, lambda m, items: m.make_tuple(items)),  # TUPLE3
    0x88: _push(OTHER),  # NEWTRUE
    0x89: _push(OTHER),  # NEWFALSE
    0x8A: _known(lambda m: m.long(m.number(1))),  # LONG1
    0x8B: _known(lambda m: m.long(m.number(4, signed=True))),  # LONG4
    0x8C: _known(lambda m: m.text(m.number(1))),  # SHORT_BINUNICODE
    0x8D: _known(lambda m: m.text(m.number(8))),  # BINUNICODE8
    0x8E: _over(8),  # BINBYTES8
    0x8F: _push(OTHER),  # EMPTY_SET
    0x90: _add_marked,  # ADDITEMS
    0x91: _marked_value,  # FROZENSET
    0x92: _taking(3, lambda m, items: m.call(items[0], items[1])),  # NEWOBJ_EX
    0x93: _taking(2, lambda m, items: m.name(items[0], items[1])),  # STACK_GLOBAL
    0x94: lambda m: m.store(len(m.memo)),  # MEMOIZE
    0x95: lambda m: _ignore(m.take(8)),  # FRAME
    0x96: _over(8),  # BYTEARRAY8
    0x97: _push(OTHER),  # NEXT_BUFFER
    0x98: lambda m: _ignore(m.top()),  # READONLY_BUFFER
}


def _ignore(_: object) -> None:
    """For what an opcode takes away."""
