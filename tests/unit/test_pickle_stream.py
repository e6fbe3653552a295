"""Pickles put together from opcodes: none is ever loaded."""

import bz2
import gzip
import lzma
import pickle
import pickletools
import struct
import zlib
from collections.abc import Callable

import pytest

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats import pickle_machine, pickle_stream
from aibom.formats.pickle_bytes import BrokenError
from aibom.formats.pickle_globals import Safety, is_model_class, judge, worst
from aibom.formats.pickle_opcodes import EFFECTS
from aibom.formats.pickle_stream import PickleScan, is_compressed, scan_compressed_pickle, scan_pickle
from tests.releases.wire import pickle_global, pickle_ints, pickle_texts, pickle_tuple

SYSTEM = pickle_global("posix", "system") + pickle_texts("id") + pickle.TUPLE1 + pickle.REDUCE + pickle.STOP
DICT = pickle_global("collections", "OrderedDict")
WRAPPER = pickle_global("joblib.numpy_pickle", "NumpyArrayWrapper")


def scan(data: bytes) -> PickleScan:
    return scan_pickle(BytesSource(data), "x")


def short(text: str) -> bytes:
    return pickle.SHORT_BINUNICODE + bytes([len(text)]) + text.encode()


def _alone(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE)


def numpy_dtype(code: str, flags: int = 0) -> bytes:
    state = pickle.MARK + pickle_ints(3) + pickle_texts("<") + pickle.NONE * 3 + pickle_ints(-1, -1, flags)
    made = pickle_global("numpy", "dtype") + pickle_texts(code) + pickle.TUPLE1 + pickle.REDUCE
    return made + state + pickle.TUPLE + pickle.BUILD


def joblib_array(code: str, *shape: int, raw: bytes, flags: int = 0) -> bytes:
    """A wrapper's state, its BUILD, the padding's length and padding, and the array's bytes."""
    items = pickle_texts("shape") + pickle_tuple(pickle_ints(*shape)) + pickle_texts("dtype") + numpy_dtype(code, flags)
    items += pickle_texts("numpy_array_alignment_bytes") + pickle_ints(16)
    state = pickle.EMPTY_DICT + pickle.MARK + items + pickle.SETITEMS
    return WRAPPER + pickle.EMPTY_TUPLE + pickle.NEWOBJ + state + pickle.BUILD + raw


def test_every_opcode_of_python_is_known_and_no_other() -> None:
    assert set(EFFECTS) == {ord(opcode.code) for opcode in pickletools.opcodes}


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_of_every_protocol_is_clean(protocol: int) -> None:
    value = {"a": [1, 2.5, None, True, -(2**70), "x" * 1000, b"y" * 1000, (1, (2, (3,)))], "s": {1}, "b": bytearray(5)}
    result = scan(pickle.dumps(value, protocol))
    said = protocol if protocol > 1 else 0  # protocols 0 and 1 are not marked
    assert (result.safety, result.protocol, result.streams, result.reasons) == (Safety.CLEAN, said, 1, ())


@pytest.mark.parametrize(
    "data",
    [
        SYSTEM,
        pickle.PROTO + b"\x02" + SYSTEM,
        b"(S'id'\niposix\nsystem\n.",
        pickle.MARK + pickle_global("posix", "system") + pickle_texts("id") + b"o.",
        short("posix") + short("system") + pickle.STACK_GLOBAL + short("id") + pickle.TUPLE1 + pickle.REDUCE + b".",
        short("posix") + b"\x940h\x00" + short("system") + b"\x93" + short("id") + b"\x85R.",
        b"Vposix\nVsystem\n\x93Vid\n\x85R.",
        b"V\\u0070osix\nS'\\x73ystem'\n\x93Vid\n\x85R.",
        pickle_global("posix", "system") + pickle_tuple(pickle_texts("id")) + pickle.NEWOBJ + b".",
        pickle_global("posix", "system") + pickle_tuple(pickle_texts("id")) + b"}\x92.",
    ],
)  # fmt: skip
def test_a_call_is_found_however_it_is_written(data: bytes) -> None:
    result = scan(data)
    assert (result.safety, result.globals) == (Safety.DANGEROUS, ("posix.system",))
    assert result.reasons == ("calls posix.system",)


def test_what_is_only_named_is_said_to_be_named() -> None:
    result = scan(pickle_global("somewhere", "thing") + pickle.STOP)
    assert (result.safety, result.reasons) == (Safety.UNKNOWN, ("names somewhere.thing",))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pickle.NEWTRUE + short("system") + b"\x93.", "loads something whose name is computed"),
        (short("posix") * 2 + pickle.EMPTY_LIST + b"\x93.", "loads something whose name is computed"),
        (pickle.EXT1 + b"\x05.", "loads what the extension registry calls 5"),
        (pickle.EXT2 + b"\x05\x01.", "loads what the extension registry calls 261"),
        (pickle.EXT4 + b"\x05\0\0\0.", "loads what the extension registry calls 5"),
        (DICT + b")R)R.", "calls something that has no fixed name"),
        (DICT + pickle.EMPTY_DICT + b"b.", "changes collections.OrderedDict itself"),
        (DICT + pickle_texts("a", "b") + b"s.", "changes collections.OrderedDict itself"),
        (DICT + b"(NNu.", "changes collections.OrderedDict itself"),
        (DICT + b"Na.", "changes collections.OrderedDict itself"),
        (DICT + b"(Ne.", "changes collections.OrderedDict itself"),
    ],
)
def test_what_cannot_be_told_is_dangerous(data: bytes, reason: str) -> None:
    result = scan(data)
    assert (result.safety, result.reasons) == (Safety.DANGEROUS, (reason,))


def test_a_second_pickle_is_read_too() -> None:
    result = scan(pickle.dumps(1) + SYSTEM)
    assert (result.safety, result.streams) == (Safety.DANGEROUS, 2)


def test_bytes_behind_a_pickle_are_no_fault_but_names_in_them_count() -> None:
    first = pickle.dumps(1)
    assert scan(first + b"\xff\0\xfe").safety is Safety.CLEAN
    assert scan(first + b"\xff\0\xfe").end == len(first)
    assert scan(first + SYSTEM[:-2]).reasons == ("names posix.system",)
    assert scan(first + b"c\x01\n\x02\n\xff").globals == ()


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xfe", b"Version one\n", b"(((", b"<html>"])
def test_what_is_no_pickle_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError, match="not a pickle"):
        scan(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x80\x04\x8c\x05ab", "it ends in the middle"),
        (b"\x80\x09N.", "protocol 9"),
        (b"\x80\x04\xff", "0xff is no opcode"),
        (b"\x80\x04\x30", "empty stack"),
        (b"\x80\x04.", "empty stack"),
        (b"\x80\x04(.", "empty stack"),
        (b"\x80\x04t", "no mark"),
        (b"\x80\x04h\x07", "recalls 7"),
        (b"\x80\x04gx\n", "not a number"),
        (b"\x80\x04Sabc\n", "no quotes"),
        (b"\x80\x04Vabc", "middle of a line"),
        (b"\x80\x04(o", "no class"),
        (b"\x80\x04B\xff\xff\xff\x7f", "does not fit"),
        (b"\x80\x04T\xff\xff\xff\xff", "does not fit"),
        (b"\x80\x04\x8b\xff\xff\xff\xff", "does not fit"),
        (b"\x80\x04\x8d" + b"\xff" * 8, "does not fit"),
    ],
)
def test_a_pickle_that_breaks_is_never_clean(data: bytes, words: str) -> None:
    result = scan(data)
    assert (result.safety, result.streams, result.end) == (Safety.UNKNOWN, 0, 0)
    assert words in result.reasons[0]


def test_what_came_before_a_break_counts() -> None:
    assert scan(SYSTEM[:-1] + b"\xff").safety is Safety.DANGEROUS
    assert scan(SYSTEM[:-1] + b"\xff").reasons[0] == "calls posix.system"


def test_long_values_are_stepped_over() -> None:
    class Counting(BytesSource):
        def read(self, offset: int, length: int) -> bytes:
            assert length < 1_000_000
            return super().read(offset, length)

    big = 3_000_000
    data = pickle.BINBYTES + struct.pack("<I", big) + bytes(big) + b"0" + SYSTEM
    assert scan_pickle(Counting(data), "x").safety is Safety.DANGEROUS
    line = b"V" + b"a" * big + b"\n0" + SYSTEM
    assert scan_pickle(Counting(line), "x").safety is Safety.DANGEROUS


def test_joblib_arrays_are_stepped_over() -> None:
    raw = b"\x03\xff\xff\xff" + b"\xff" * 24
    result = scan(pickle.PROTO + b"\x03" + joblib_array("f4", 2, 3, raw=raw) + SYSTEM)
    assert (result.arrays, result.streams, result.safety) == (1, 1, Safety.DANGEROUS)
    clean = scan(pickle.PROTO + b"\x03" + joblib_array("U2", 3, raw=b"\0" + b"\xff" * 24) + pickle.STOP)
    assert (clean.arrays, clean.safety, clean.reasons) == (1, Safety.CLEAN, ())


@pytest.mark.parametrize("array", [("O8", 0), ("V16", 1)])
def test_joblib_arrays_of_objects_are_pickles_in_between(array: tuple[str, int]) -> None:
    code, flags = array
    hidden = joblib_array(code, 1, raw=pickle.PROTO + b"\x04" + SYSTEM, flags=flags)
    result = scan(hidden + pickle_global("some", "thing") + pickle.STOP)
    assert result.globals[-2:] == ("posix.system", "some.thing")
    assert result.streams == 1


def test_an_array_whose_size_cannot_be_told_is_not_clean() -> None:
    assert "cannot be told" in scan(joblib_array("x", 1, raw=b"") + b".").reasons[0]
    assert "cannot be told" in scan(joblib_array("f4", -1, raw=b"") + b".").reasons[0]
    assert "does not fit" in scan(joblib_array("f4", 2**31 - 1, raw=b"\0") + b".").reasons[0]


def test_a_payload_in_array_bytes_is_found_because_the_plain_unpickler_would_run_it() -> None:
    payload = SYSTEM.ljust(63, b"\0")
    assert scan(joblib_array("u1", 62, raw=payload[:1] + payload[1:]) + b".").globals[-1] == "posix.system"
    known = short("posix") + b"\x940" + short("system") + b"\x940"
    hidden = (b"0h\x00h\x01\x93)R.").ljust(30, b"\0")
    assert "posix.system" in scan(known + joblib_array("u1", 29, raw=hidden) + b".").globals


def test_versions_and_classes_are_read() -> None:
    made = pickle_global("sklearn.svm._classes", "SVC") + pickle.EMPTY_TUPLE + pickle.NEWOBJ
    state = pickle.EMPTY_DICT + pickle.MARK + pickle_texts("_sklearn_version", "1.5.0", "C", "x") + pickle.SETITEMS
    result = scan(pickle.PROTO + b"\x04" + made + state + pickle.BUILD + pickle.STOP)
    assert result.versions == {"_sklearn_version": "1.5.0"}
    assert result.classes == ("sklearn.svm._classes.SVC",)
    assert result.safety is Safety.CLEAN
    old = pickle.MARK + pickle_texts("_sklearn_version", "0.2") + pickle.DICT + pickle.STOP
    assert scan(old).versions == {"_sklearn_version": "0.2"}


@pytest.mark.parametrize(
    ("bound", "value", "data", "words"),
    [
        ("MAX_STACK", 3, b"\x80\x04NNNNN", "stack holds more than 3"),
        ("MAX_STACK", 3, b"\x80\x04(((((", "more than 3 marks"),
        ("MAX_MEMO", 2, b"\x80\x04N\x94\x94\x94.", "stores more than 2"),
        ("MAX_GLOBALS", 1, b"\x80\x04ca\nb\ncc\nd\n.", "names more than 1"),
        ("MAX_NESTED", 0, joblib_array("O8", 1, raw=b"N.") + b".", "nested too deep"),
    ],
)
def test_bounds_stop_the_walk(monkeypatch: pytest.MonkeyPatch, bound: str, value: int, data: bytes, words: str) -> None:
    monkeypatch.setattr(pickle_machine, bound, value)
    result = scan(data)
    assert any(words in reason for reason in result.reasons)
    assert result.safety is not Safety.CLEAN


def test_opcodes_and_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BrokenError, match="more than 5 opcodes"):
        pickle_machine.Machine(BytesSource(b"N0" * 9), 0, EFFECTS, pickle_machine.Found()).run(5)
    monkeypatch.setattr(pickle_stream, "MAX_STREAMS", 3)
    assert scan(b"N." * 3).safety is Safety.CLEAN
    assert scan(b"N." * 4).reasons == ("holds more than 3 pickles",)


@pytest.mark.parametrize(
    ("module", "name", "level"),
    [
        ("collections", "OrderedDict", Safety.CLEAN),
        ("__builtin__", "set", Safety.CLEAN),
        ("copy_reg", "_reconstructor", Safety.CLEAN),
        ("torch._utils", "_rebuild_tensor_v2", Safety.CLEAN),
        ("torch", "FloatStorage", Safety.CLEAN),
        ("numpy.core.multiarray", "_reconstruct", Safety.CLEAN),
        ("sklearn.tree._tree", "Tree", Safety.CLEAN),
        ("sklearn._loss._loss", "__pyx_unpickle_CyHalfBinomialLoss", Safety.CLEAN),
        ("xgboost.core", "Booster", Safety.CLEAN),
        ("scipy.sparse._csr", "csr_matrix", Safety.CLEAN),
        ("__main__", "Model", Safety.UNKNOWN),
        ("sklearnx", "Tree", Safety.UNKNOWN),
        ("sklearn.utils", "check_array", Safety.UNKNOWN),
        ("sklearn.externals._arff", "ArffDecoder", Safety.UNKNOWN),
        ("sklearn.base", "A.B", Safety.UNKNOWN),
        ("torch.nn.modules.linear", "Linear", Safety.UNKNOWN),
        ("__torch__.model", "Net", Safety.UNKNOWN),
        ("builtins", "ValueError", Safety.UNKNOWN),
        ("torch.storage", "_load_from_bytes", Safety.UNKNOWN),
        ("scipy.stats._distn_infrastructure", "rv_continuous_frozen", Safety.UNKNOWN),
        ("os", "system", Safety.DANGEROUS),
        ("os.path", "join", Safety.DANGEROUS),
        ("__builtin__", "eval", Safety.DANGEROUS),
        ("builtins", "getattr", Safety.DANGEROUS),
        ("builtins", "eval", Safety.DANGEROUS),
        ("builtins", "__import__", Safety.DANGEROUS),
        ("torch", "load", Safety.DANGEROUS),
        ("torch.hub", "load_state_dict_from_url", Safety.DANGEROUS),
        ("numpy", "load", Safety.DANGEROUS),
        ("numpy.core", "_ufunc_reconstruct", Safety.DANGEROUS),
        ("numpy.testing._private.utils", "runstring", Safety.DANGEROUS),
        ("sklearn.utils._joblib", "Parallel", Safety.DANGEROUS),
        ("sklearn.base", "os.system", Safety.DANGEROUS),
        ("collections", "OrderedDict.__class__", Safety.DANGEROUS),
        ("operator", "attrgetter", Safety.DANGEROUS),
        ("functools", "partial", Safety.DANGEROUS),
        ("types", "FunctionType", Safety.DANGEROUS),
        ("copyreg", "add_extension", Safety.DANGEROUS),
        ("anything", "import_module", Safety.DANGEROUS),
    ],
)
def test_names_are_judged(module: str, name: str, level: Safety) -> None:
    assert judge(module, name) is level


def test_script_archives_name_their_own_types() -> None:
    assert judge("__torch__.model", "Net", script=True) is Safety.CLEAN
    assert judge("__torch__x", "Net", script=True) is Safety.UNKNOWN
    assert judge("os", "system", script=True) is Safety.DANGEROUS


def test_levels_are_ordered() -> None:
    assert worst() is Safety.CLEAN
    assert worst(Safety.UNKNOWN, Safety.CLEAN) is Safety.UNKNOWN
    assert worst(Safety.UNKNOWN, Safety.DANGEROUS, Safety.CLEAN) is Safety.DANGEROUS


def test_model_classes_are_told_from_other_names() -> None:
    assert is_model_class("sklearn.svm._classes.SVC")
    assert not is_model_class("sklearn.utils.check_array")
    assert not is_model_class("collections.OrderedDict")


def test_odd_names_are_printed_on_one_line() -> None:
    result = scan(short("a\nb") + short("\x1b[2J") + b"\x93.")
    assert result.globals == ("a\\nb.\\x1b[2J",)


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress, bz2.compress, lzma.compress, _alone])
def test_compressed_pickles_are_scanned(compress: Callable[[bytes], bytes]) -> None:
    data = compress(bytes(200_000).replace(b"\0", b"N0") + SYSTEM)
    assert is_compressed(data[:6])
    assert not is_compressed(SYSTEM)
    result = scan_compressed_pickle(BytesSource(data), "x")
    assert (result.safety, result.reasons) == (Safety.DANGEROUS, ("calls posix.system",))


def test_compressed_data_that_is_not_whole_is_never_clean() -> None:
    data = zlib.compress(pickle.dumps(1))
    assert scan_compressed_pickle(BytesSource(data), "x").safety is Safety.CLEAN
    assert scan_compressed_pickle(BytesSource(data[:-2]), "x").safety is Safety.UNKNOWN
    assert scan_compressed_pickle(BytesSource(data + b"tail"), "x").safety is Safety.UNKNOWN
    for damaged in (data[:2] + b"\xff" * 20, b"BZh9" + bytes(20), lzma.compress(b"x")[:20] + bytes(40)):
        with pytest.raises(InputError, match="damaged"):
            scan_compressed_pickle(BytesSource(damaged), "x")
    with pytest.raises(InputError, match="not a pickle"):
        scan_compressed_pickle(BytesSource(zlib.compress(b"hello")), "x")


def test_a_compressed_bomb_is_not_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_stream, "MAX_INFLATED", 1000)
    for compress in (zlib.compress, bz2.compress, lzma.compress):
        with pytest.raises(InputError, match="more than 1000 bytes when inflated"):
            scan_compressed_pickle(BytesSource(compress(b"N0" * 501)), "x")
