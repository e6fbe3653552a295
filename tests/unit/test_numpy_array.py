"""NumPy's files, written by hand: NumPy itself is not needed."""

import io
import pickle
import zipfile

import pytest

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats import numpy_array
from aibom.formats.numpy_array import NpyArray, NpzArchive, parse_npy, parse_npz
from aibom.formats.pickle_globals import Safety
from tests.releases.wire import pickle_global

PLAIN = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"


def npy(header: str = PLAIN, data: bytes = bytes(24), version: int = 1) -> bytes:
    raw = header.encode("utf-8" if version == 3 else "latin-1") + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(raw).to_bytes(2 if version == 1 else 4, "little") + raw + data


def parse(data: bytes) -> NpyArray:
    return parse_npy(BytesSource(data), "x.npy")


def npz(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> NpzArchive:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return parse_npz(BytesSource(buffer.getvalue()), "x.npz")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_plain_array_is_read(version: int) -> None:
    array = parse(npy(version=version))
    assert (array.dtype, array.shape, array.fortran_order, array.version) == ("<f4", (2, 3), False, f"{version}.0")
    assert (array.elements, array.safety, array.scan, array.problems) == (6, Safety.CLEAN, None, ())


def test_other_forms_of_the_header_are_read() -> None:
    header = "{\"shape\":(), 'fortran_order' : True,'descr': [('a', '<i8'), ('b', [('c', '|u1', (2,))])]}"
    array = parse(npy(header, bytes(10)))
    assert (array.dtype, array.shape, array.fortran_order) == ("a:<i8, b.c:|u1", (), True)
    assert parse(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (5L,)}", bytes(40))).shape == (5,)
    assert parse(npy("{'descr': '<U3', 'fortran_order': False, 'shape': (2,)}", bytes(24))).problems == ()


@pytest.mark.parametrize("size", [23, 25])
def test_data_of_another_size_is_a_problem(size: int) -> None:
    assert parse(npy(data=bytes(size))).problems == (f"shape and type need 24 bytes, the file holds {size}",)


@pytest.mark.parametrize("descr", ["'|O'", "[('a', '<i8'), ('b', 'O')]", "[('a', [('b', '|O8')])]"])
def test_an_array_of_objects_is_the_pickle_that_it_holds(descr: str) -> None:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}"
    dangerous = parse(npy(header, pickle_global("posix", "system") + b"."))
    assert dangerous.scan is not None
    assert (dangerous.safety, dangerous.scan.reasons) == (Safety.DANGEROUS, ("names posix.system",))
    assert parse(npy(header, pickle.dumps([1]))).safety is Safety.CLEAN
    with pytest.raises(InputError, match="not a pickle"):
        parse(npy(header, b"\xff"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "does not start as an array"),
        (b"\x93NUMPX\x01\0\0\0", "does not start as an array"),
        (npy(version=1).replace(b"\x01", b"\x04", 1), "version 4.0"),
        (b"\x93NUMPY\x01\0\xff\xffabc", "said to be 65535"),
        (b"\x93NUMPY\x02\0\xff\xff\xff\x7f" + bytes(100), "65536 are read"),
        (npy("{'descr': '<f4', 'fortran_order': False}"), "exactly descr, fortran_order and shape"),
        (npy(PLAIN + "1"), "exactly descr, fortran_order and shape"),
        (npy(PLAIN.replace("'shape'", "'shape': 1, 'shape'")), "occurs twice"),
        (npy(PLAIN.replace("(2, 3)", "(2, -3)")), "what no header needs"),
        (npy(PLAIN.replace("(2, 3)", "__import__('os')")), "what no header needs"),
        (npy(PLAIN.replace("(2, 3)", "(2 3)")), "expected ','"),
        (npy(PLAIN.replace("(2, 3)", "(2, True)")), "shape or fortran_order"),
        (npy(PLAIN.replace("False", "0")), "shape or fortran_order"),
        (npy(PLAIN.replace("(2, 3)", "6")), "shape or descr"),
        (npy(PLAIN.replace("'<f4'", "7")), "shape or descr"),
        (npy(PLAIN.replace("(2, 3)", f"({'1,' * 65})")), "shape or descr"),
        (npy(PLAIN.replace("(2, 3)", "(" * 10 + ")" * 10)), "nested more than 8"),
        (npy("(" * 60000), "nested more than 8"),
        (npy("{" * 60000), "a key in the header"),
        (npy(":"), "unexpected ':'"),
        (npy("{'descr': '"), "what no header needs"),
        (npy("{'descr': "), "ends early"),
        (npy("\xff", version=3).replace(b"\xc3\xbf", b"\xff\xff"), "not valid text"),
    ],
)
def test_what_numpy_does_not_write_is_an_input_error(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_of_arrays_is_read(method: int) -> None:
    result = npz({"weight.npy": npy(), "bias.npy": npy()}, method)
    assert [name for name, _ in result.arrays] == ["weight", "bias"]
    assert (result.safety, result.problems) == (Safety.CLEAN, ())


def test_one_bad_member_makes_an_archive_no_longer_clean() -> None:
    header = "{'descr': 'O', 'fortran_order': False, 'shape': ()}"
    objects = npy(header, pickle_global("os", "system") + b".")
    assert npz({"a.npy": npy(), "b.npy": objects}).safety is Safety.DANGEROUS
    result = npz({"a.npy": npy(), "notes.txt": b"hello"})
    assert (result.safety, len(result.arrays), len(result.problems)) == (Safety.UNKNOWN, 1, 1)


def test_archives_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_array, "MAX_INFLATED", 150)
    result = npz({"a.npy": npy(), "b.npy": npy()}, zipfile.ZIP_DEFLATED)
    assert len(result.arrays) == 1
    assert "are inflated" in result.problems[0]
    monkeypatch.setattr(numpy_array, "MAX_ARRAYS", 1)
    with pytest.raises(InputError, match="at most 1 are read"):
        npz({"a.npy": npy(), "b.npy": npy()})
