"""Ways past the scan of pickles that looked harmless, and what reading one may cost. Nothing here is ever loaded."""

import io
import pickle
import struct
import tracemalloc
import zipfile
import zlib

import pytest

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats import inflated, pickle_stream, torch_zip
from aibom.formats.hdf5 import parse_hdf5
from aibom.formats.inflated import CHUNK, held
from aibom.formats.keras import parse_keras_hdf5
from aibom.formats.pickle_globals import Safety, judge
from aibom.formats.pickle_stream import PickleScan, scan_compressed_pickle, scan_pickle
from aibom.formats.torch_export import parse_torch_export
from aibom.formats.torch_zip import TorchArchive, parse_torch
from aibom.formats.zip_members import list_zip, read_member
from tests.releases.wire import pickle_global, pickle_object, pickle_texts, pickle_tuple
from tests.releases.writers import zip_bytes
from tests.unit.test_keras import Message, file0, file3, fixed, hard_link, header1, header2

CLEAN = pickle.dumps({}, 2)
OLD_SYSTEM = b"cos\nsystem\n(S'echo'\ntR."
PROTO = pickle.PROTO + b"\x02"
PATH = pickle_texts("/etc/passwd")
LAYOUT: Message = (0x08, bytes([3, 1]) + bytes(16))


def scan(*parts: bytes) -> PickleScan:
    return scan_pickle(BytesSource(b"".join((PROTO, *parts, pickle.STOP))), "x.pkl")


def torch(members: dict[str, bytes]) -> TorchArchive:
    return parse_torch(BytesSource(zip_bytes(members)), "x.pt")


def call(module: str, name: str, arguments: bytes) -> PickleScan:
    return scan(pickle_global(module, name), pickle_tuple(arguments), pickle.REDUCE)


@pytest.mark.parametrize("name", ["a/DATA.PKL", "a/data.Pkl", "a/x.PICKLE"])
def test_a_pickle_is_found_by_a_name_in_any_case(name: str) -> None:
    for members in ({"a/z.pkl": CLEAN, name: OLD_SYSTEM}, {name: OLD_SYSTEM}):
        assert torch(members).safety is Safety.DANGEROUS
    exported = {"a/models/m.json": b"{}", "a/data/x.PKL": OLD_SYSTEM}
    assert parse_torch_export(BytesSource(zip_bytes(exported)), "x.pt2").safety is Safety.DANGEROUS


def test_members_that_differ_only_in_case_are_a_doubt() -> None:
    result = torch({"a/data.pkl": CLEAN, "a/Data.pkl": CLEAN, "a/version": b"3\n"})
    assert result.safety is Safety.UNKNOWN
    assert result.reasons == ("'a/data.pkl' and 'a/Data.pkl' differ only in case",)
    assert torch({"a/data.pkl": CLEAN, "a/version": b"3\n"}).safety is Safety.CLEAN


def test_code_is_read_in_a_folder_of_any_case() -> None:
    result = torch({"a/data.pkl": CLEAN, "a/CODE/M.PY": b"ops.aten.from_file('x')"})
    assert (result.format, result.safety) == ("script", Safety.DANGEROUS)
    assert result.code == ("a/CODE/M.PY",)


@pytest.mark.parametrize(
    ("module", "name", "level"),
    [
        ("sklearn.callback._transport", "Client", Safety.DANGEROUS),
        ("sklearn.callback._transport", "Listener", Safety.DANGEROUS),
        ("sklearn.callback._progressbar", "Thread", Safety.DANGEROUS),
        ("sklearn.utils._available_if", "MethodType", Safety.DANGEROUS),
        ("sklearn.ensemble._forest", "Parallel", Safety.DANGEROUS),
        ("lightgbm.basic", "NamedTemporaryFile", Safety.DANGEROUS),
        ("sklearn.utils._repr_html.estimator", "Path", Safety.UNKNOWN),
        ("lightgbm.basic", "_TempFile", Safety.UNKNOWN),
        ("lightgbm.basic", "_DummyLogger", Safety.UNKNOWN),
        ("xgboost.core", "DMatrix", Safety.UNKNOWN),
        ("catboost.core", "Pool", Safety.UNKNOWN),
        ("catboost.core", "_StreamLikeWrapper", Safety.UNKNOWN),
        ("sklearn.tree._export", "_DOTTreeExporter", Safety.UNKNOWN),
        ("sklearn.externals._packaging", "Pipeline", Safety.UNKNOWN),
        ("scipy.interpolate._bsplines", "GenericAlias", Safety.UNKNOWN),
        ("numpy.dtypes", "_add_dtype_helper", Safety.UNKNOWN),
        ("numpy.dtypes", "Float64DType", Safety.CLEAN),
        ("sklearn.linear_model.logistic", "LogisticRegression", Safety.CLEAN),
        ("sklearn.ensemble._hist_gradient_boosting.binning", "_BinMapper", Safety.CLEAN),
        ("sklearn.metrics._dist_metrics", "EuclideanDistance64", Safety.CLEAN),
        ("sklearn.neighbors._kd_tree", "KDTree32", Safety.CLEAN),
        ("sklearn.ensemble.gradient_boosting", "BinomialDeviance", Safety.CLEAN),
        ("sklearn._loss._loss", "__pyx_unpickle_CyHalfSquaredError", Safety.CLEAN),
        ("lightgbm.sklearn", "LGBMClassifier", Safety.CLEAN),
        ("catboost.core", "CatBoostRegressor", Safety.CLEAN),
        ("scipy.interpolate._bsplines", "BSpline", Safety.CLEAN),
        ("scipy.spatial._ckdtree", "cKDTree", Safety.CLEAN),
    ],
)
def test_a_capital_letter_makes_no_class_harmless(module: str, name: str, level: Safety) -> None:
    assert judge(module, name) is level


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        ("xgboost.core", "DMatrix", PATH),
        ("xgboost.core", "Booster", pickle.NONE * 2 + PATH),
        ("lightgbm.basic", "Booster", pickle.NONE * 2 + PATH),
        ("lightgbm.basic", "Dataset", PATH),
        ("catboost.core", "Pool", PATH),
        ("catboost", "Pool", pickle_tuple(PATH)),
        ("scipy.spatial._qhull", "ConvexHull", pickle.NONE + pickle.NEWFALSE + pickle_texts("TO x")),
    ],
)
def test_what_is_made_from_a_path_is_dangerous(module: str, name: str, arguments: bytes) -> None:
    result = call(module, name, arguments)
    assert result.safety is Safety.DANGEROUS
    assert f"makes {module}.{name} from arguments, which can be a path" in result.reasons
    kind = pickle_global(module, name)
    for made in (
        pickle.MARK + kind + arguments + pickle.OBJ,
        pickle.MARK + arguments + pickle.INST + kind[1:],
        kind + pickle_tuple(arguments) + pickle.NEWOBJ,
    ):
        assert scan(made).safety is Safety.DANGEROUS


def test_arguments_that_cannot_be_told_are_a_doubt() -> None:
    booster = pickle_global("lightgbm.basic", "Booster")
    assert scan(booster, pickle_tuple(pickle.NONE), pickle.REDUCE).safety is Safety.UNKNOWN
    listed = pickle_global("builtins", "tuple") + pickle_tuple(pickle.EMPTY_LIST + PATH + pickle.APPEND) + pickle.REDUCE
    assert scan(booster, listed, pickle.REDUCE).safety is Safety.UNKNOWN


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("torch._tensor", "_rebuild_from_type_v2"),
        ("numpy.random._pickle", "__randomstate_ctor"),
        ("copyreg", "_reconstructor"),
        ("copy_reg", "_reconstructor"),
    ],
)
def test_a_class_can_be_made_by_what_it_is_given_to(module: str, name: str) -> None:
    booster = pickle_global("lightgbm.basic", "Booster")
    assert call(module, name, booster * 2 + PATH).safety is Safety.DANGEROUS
    assert call(module, name, booster * 2 + pickle.NONE).safety is Safety.UNKNOWN
    bare = booster + pickle_global("builtins", "object") + pickle_tuple(PATH)
    assert (call(module, name, bare).safety is Safety.CLEAN) is (name == "_reconstructor")
    deep = pickle_tuple(pickle_tuple(PATH))
    hidden = scan(booster, pickle.POP, pickle_global(module, name), pickle_tuple(deep), pickle.REDUCE)
    assert hidden.reasons == ("may make lightgbm.basic.Booster from what cannot be told",)
    assert call(module, name, pickle_texts("MT19937")).safety is Safety.CLEAN


def test_models_as_their_libraries_write_them_stay_clean() -> None:
    booster = pickle_global("lightgbm.basic", "Booster")
    assert scan(pickle_object(booster, {"handle": pickle_texts("tree")})).safety is Safety.CLEAN
    old = booster + pickle_global("__builtin__", "object") + pickle.NONE
    assert call("copy_reg", "_reconstructor", old).safety is Safety.CLEAN
    assert call("copyreg", "__newobj__", booster).safety is Safety.CLEAN
    assert call("sklearn.tree._tree", "Tree", pickle_texts("x")).safety is Safety.CLEAN


def test_a_class_that_only_the_plain_unpickler_meets_is_a_doubt() -> None:
    tail = pickle_global("lightgbm.basic", "Booster") + pickle_tuple(pickle.NONE * 2 + PATH) + pickle.REDUCE
    assert scan(pickle.NONE, pickle.STOP, tail, b"\xff").safety is Safety.UNKNOWN


def test_of_what_inflates_to_too_much_the_beginning_is_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_stream, "MAX_INFLATED", 1000)
    long = PROTO + pickle_global("os", "system") + pickle.NONE * 2000 + pickle.STOP
    result = scan_compressed_pickle(BytesSource(zlib.compress(long)), "x")
    assert result.safety is Safety.DANGEROUS
    assert "more than 1000 bytes when inflated, which is where we stop" in result.reasons
    plain = scan_compressed_pickle(BytesSource(zlib.compress(PROTO + pickle.NONE * 2000 + pickle.STOP)), "x")
    assert plain.safety is Safety.UNKNOWN


def test_a_compressed_member_that_is_too_large_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_zip, "MAX_INFLATED", 1000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("a/data.pkl", PROTO + pickle.NONE * 2000 + pickle.STOP)
    result = parse_torch(BytesSource(buffer.getvalue()), "x.pt")
    assert result.safety is Safety.UNKNOWN
    assert result.reasons[0].endswith("more than 1000 bytes when inflated, which is where we stop")


@pytest.mark.parametrize("in_archive", [False, True])
def test_what_is_inflated_is_held_once(in_archive: bool) -> None:
    size = 24 * CHUNK
    content = PROTO + pickle.BINBYTES + struct.pack("<I", size) + bytes(size) + pickle.STOP
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("a/data.pkl", content)
    source = BytesSource(buffer.getvalue() if in_archive else zlib.compress(content))
    del content
    tracemalloc.start()
    try:
        found = parse_torch(source, "x") if in_archive else scan_compressed_pickle(source, "x")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.safety is Safety.CLEAN
    assert peak < size + 6 * CHUNK


def test_chunks_are_read_as_one() -> None:
    data = bytes(range(256)) * (CHUNK // 100)
    source = held((data[at : at + 100_003] for at in range(0, len(data), 100_003)), len(data))
    assert (source.size, source.read(0, len(data) + 5)) == (len(data), data)
    for offset, length in ((CHUNK - 3, 7), (CHUNK, CHUNK), (0, 5), (len(data) - 2, 9), (len(data), 1), (5, 0)):
        assert source.read(offset, length) == data[offset : offset + length]


def test_inflating_stops_soon_after_the_limit() -> None:
    packed = zlib.compress(bytes(10 * CHUNK))
    assert held(inflated.zipped(BytesSource(packed)).pieces(1000), 5000).size == 6000


def dataset(space: bytes, *more: Message) -> list[Message]:
    return [(0x01, space), LAYOUT, *more]


def plain_space(*sizes: int) -> bytes:
    return bytes([2, len(sizes), 0, 1]) + struct.pack(f"<{len(sizes)}Q", *sizes)


def old_space(*sizes: int) -> bytes:
    return bytes([1, len(sizes), 0]) + bytes(5) + struct.pack(f"<{len(sizes)}Q", *sizes)


def elements(*spaces: bytes) -> int | None:
    blocks = [header2(dataset(space)) for space in spaces]
    at = 48 + len(header2([hard_link("n", 0)] * len(blocks)))
    places = [at + sum(map(len, blocks[:index])) for index in range(len(blocks))]
    root = header2([hard_link("n", place) for place in places])
    return parse_hdf5(BytesSource(file3(root, *blocks)), "x.h5").elements


def test_numbers_in_hdf5_are_counted() -> None:
    assert elements() == 0
    assert elements(plain_space(3, 4), old_space(5), plain_space()) == 18
    assert elements(bytes([2, 0, 0, 2])) == 0
    assert parse_hdf5(BytesSource(file0(header1(dataset(old_space(2, 8))))), "x.h5").elements == 16


@pytest.mark.parametrize("space", [b"", bytes([3, 0, 0, 0]), bytes([2, 1, 0, 1]), plain_space(2**62, 4)])
def test_numbers_that_cannot_all_be_counted_are_not_counted(space: bytes) -> None:
    assert elements(plain_space(3), space) is None


def test_numbers_in_other_files_are_not_counted() -> None:
    outside: Message = (0x07, bytes(16))
    assert parse_hdf5(BytesSource(file3(header2(dataset(plain_space(3), outside)))), "x.h5").elements is None
    damaged = file3(header2([*dataset(plain_space(3)), hard_link("x", 9999)]))
    assert parse_hdf5(BytesSource(damaged), "x.h5").elements is None


def test_an_optimiser_is_not_counted_as_a_model() -> None:
    def parameters(*attributes: Message) -> int | None:
        return parse_keras_hdf5(BytesSource(file3(header2(dataset(plain_space(3), *attributes)))), "x.h5").parameters

    version = fixed("keras_version", "2.9.0", 3)
    assert parameters(version) == 3
    assert parameters(version, fixed("training_config", "{}", 3)) is None
    assert parameters() is None


def test_damaged_compressed_members_are_input_errors() -> None:
    packed = bytearray(zip_bytes({"a/data.pkl": CLEAN}))
    for at in (8, packed.index(b"PK\x01\x02") + 10):
        packed[at] = 8
    source = BytesSource(bytes(packed))
    with pytest.raises(InputError, match="damaged"):
        read_member(source, list_zip(source, "x").members[0], 100, "x")
