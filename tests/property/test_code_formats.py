"""Arbitrary bytes give a value or an input error, nothing else, from every reader of formats that can hold code."""

import bz2
import io
import json
import lzma
import pickle
import random
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats.hdf5 import MAGIC, parse_hdf5
from aibom.formats.keras import parse_keras, parse_keras_config, parse_keras_hdf5
from aibom.formats.numpy_array import parse_npy, parse_npz
from aibom.formats.pickle_globals import Safety
from aibom.formats.pickle_stream import scan_compressed_pickle, scan_pickle
from aibom.formats.skops import parse_skops
from aibom.formats.torch_export import parse_torch_export
from aibom.formats.torch_zip import parse_torch
from aibom.formats.zip_members import list_zip, read_member
from tests.releases.wire import pickle_global, pickle_texts
from tests.releases.writers import random_tensor, torch_zip_bytes

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def read_all(data: bytes) -> object:
    source = BytesSource(data)
    listing = list_zip(source, "x")
    return [read_member(source, member, 1000, "x", partial=True) for member in listing.members]


def read(parse: Callable[[BytesSource, str], object]) -> Callable[[bytes], object]:
    return lambda data: parse(BytesSource(data), "x")


_SYSTEM = pickle_global("posix", "system") + pickle_texts("id") + b"\x85R."
_HEADER = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
_NPY = b"\x93NUMPY\x01\0" + len(_HEADER).to_bytes(2, "little") + _HEADER + bytes(24)
_CONFIG = json.dumps({"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense"}]}}).encode()
_LINK = b"\x06\x0b\0\0\x01\0\x01a" + (48).to_bytes(8, "little")
_UNDEFINED = b"\xff" * 8
_ATTRIBUTE = b"\x0c\x24\0\0\x03\0\x02\0\x08\0\x08\0\0a\0\x13\0\0\0\x05\0\0\0\x01\0\0\0\0\0\0\0hello"
_BODY = _ATTRIBUTE + _LINK
_HDF5 = MAGIC + b"\x03\x08\x08\0" + bytes(8) + _UNDEFINED * 2 + (48).to_bytes(8, "little") + bytes(4)
_HDF5 += b"OHDR\x02\x02" + len(_BODY).to_bytes(4, "little") + _BODY + bytes(40)
_SCHEMA = b'{"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}}'
_PROGRAM = b'{"schema_version": {"major": 8, "minor": 5}, "opset_version": {"aten": 10}}'
_DATA = {"a": [1, 2.5, "x", b"y", None, True, (1, 2)], "b": {3}}

READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "pickle 0": (read(scan_pickle), pickle.dumps(_DATA, 0)),
    "pickle 2": (read(scan_pickle), pickle.dumps(_DATA, 2) + _SYSTEM),
    "pickle 5": (read(scan_pickle), pickle.dumps(_DATA, 5)),
    "compressed pickle": (read(scan_compressed_pickle), zlib.compress(pickle.dumps(_DATA))),
    "bzip2 pickle": (read(scan_compressed_pickle), bz2.compress(pickle.dumps(_DATA))),
    "xz pickle": (read(scan_compressed_pickle), lzma.compress(pickle.dumps(_DATA))),
    "zip": (read_all, archive({"a": b"text" * 20, "b": b""})),
    "torch": (read(parse_torch), torch_zip_bytes({"w": random_tensor(random.Random(1), "F32", 2, 3)})),
    "npy": (read(parse_npy), _NPY),
    "npz": (read(parse_npz), archive({"a.npy": _NPY})),
    "skops": (read(parse_skops), archive({"schema.json": _SCHEMA})),
    "keras": (read(parse_keras), archive({"config.json": _CONFIG, "model.weights.h5": _HDF5})),
    "keras config": (lambda data: parse_keras_config(data, "x"), _CONFIG),
    "hdf5": (read(parse_hdf5), _HDF5),
    "keras hdf5": (read(parse_keras_hdf5), _HDF5),
    "torch export": (read(parse_torch_export), archive({"archive_format": b"pt2", "models/m.json": _PROGRAM})),
}


@st.composite
def broken(draw: st.DrawFn, valid: bytes) -> bytes:
    """Something valid with a slice replaced, or anything at all."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=400))
    start = draw(st.integers(0, len(valid)))
    end = draw(st.integers(start, min(len(valid), start + 20)))
    return valid[:start] + draw(st.binary(max_size=20)) + valid[end:]


@pytest.mark.parametrize("name", READERS, ids=list(READERS))
def test_a_value_or_an_input_error(name: str) -> None:
    parse, valid = READERS[name]
    parse(valid)

    @SETTINGS
    @given(broken(valid))
    def check(data: bytes) -> None:
        with suppress(InputError):  # anything else fails the test
            parse(data)

    check()


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4) | st.tuples(inner)
    ),
    max_leaves=20,
)


@SETTINGS
@given(plain, st.integers(0, 5))
def test_plain_data_is_clean_and_read_to_its_end(value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    scan = scan_pickle(BytesSource(data), "x")
    assert (scan.safety, scan.streams, scan.end) == (Safety.CLEAN, 1, len(data))


@SETTINGS
@given(plain, plain)
def test_a_call_is_found_between_any_data(before: object, after: object) -> None:
    data = pickle.dumps(before, 3)[:-1] + _SYSTEM[:-1] + pickle.dumps(after, 3)[2:]
    assert scan_pickle(BytesSource(data), "x").reasons == ("calls posix.system",)
