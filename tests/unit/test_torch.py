"""PyTorch's files of every generation, written by hand: PyTorch itself is not needed."""

import io
import json
import pickle
import random
import zipfile

import pytest

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats import torch_export, torch_zip
from aibom.formats.pickle_globals import Safety
from aibom.formats.torch_export import TorchExport, parse_torch_export
from aibom.formats.torch_zip import TorchArchive, parse_torch, parse_torch_zip
from tests.releases.wire import pickle_global, pickle_ints, pickle_texts, pickle_tuple
from tests.releases.writers import random_tensor, torch_zip_bytes

SYSTEM = pickle.PROTO + b"\x02" + pickle_global("posix", "system") + pickle_texts("id") + b"\x85R."
CLEAN = pickle.dumps({}, 2)
MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in members.items():
            target.writestr(zipfile.ZipInfo(f"a/{name}", (2026, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def parse(data: bytes) -> TorchArchive:
    return parse_torch(BytesSource(data), "x.pt")


def export(members: dict[str, bytes]) -> TorchExport:
    return parse_torch_export(BytesSource(archive(members)), "x.pt2")


def test_a_state_dict_is_clean_and_counted() -> None:
    rng = random.Random(1)
    tensors = {"w": random_tensor(rng, "F32", 3, 4), "b": random_tensor(rng, "F16", 4)}
    result = parse(torch_zip_bytes(tensors))
    assert (result.format, result.safety, result.reasons) == ("zip", Safety.CLEAN, ())
    assert (result.version, result.byteorder) == ("3", "little")
    assert (result.storages, result.storage_bytes, result.element_types) == (2, 56, ("Float", "Half"))
    assert (result.tensors, result.parameters) == (2, 16)
    assert "torch._utils._rebuild_tensor_v2" in result.globals


@pytest.mark.parametrize("name", ["data.pkl", "other/thing.pkl", "no_suffix", ".data/x.pickle"])
def test_every_pickle_in_an_archive_is_scanned(name: str) -> None:
    result = parse(archive({"data.pkl": CLEAN} | {name: SYSTEM}))
    assert (result.safety, result.reasons) == (Safety.DANGEROUS, ("calls posix.system",))
    assert f"a/{name}" in dict(result.scans)


def test_numbers_that_look_like_a_pickle_are_not_scanned() -> None:
    result = parse(archive({"data.pkl": CLEAN, "data/0": SYSTEM, "data/12": b"1234"}))
    assert (result.safety, result.storages, result.storage_bytes) == (Safety.CLEAN, 2, len(SYSTEM) + 4)


def test_torchscript_is_told_from_weights() -> None:
    own = pickle.PROTO + b"\x02" + pickle_global("__torch__.net", "Net") + b")\x81}b."
    members = {"data.pkl": own, "constants.pkl": b"\x80\x02).", "code/__torch__/net.py": b"class Net(Module):\n"}
    result = parse(archive(members | {"extra/labels.txt": b"x", "version": b"3\n"}))
    assert (result.format, result.is_script, result.safety) == ("script", True, Safety.CLEAN)
    assert (result.code, result.extra) == (("a/code/__torch__/net.py",), ("a/extra/labels.txt",))
    assert parse(archive({"data.pkl": own})).safety is Safety.UNKNOWN
    members["code/__torch__/net.py"] = b"  _0 = torch.from_file(path)\n"
    reaching = parse(archive(members))
    assert (reaching.safety, reaching.reasons) == (Safety.DANGEROUS, ("its code calls torch.from_file",))


def test_problems_of_the_archive_are_doubts() -> None:
    data = bytearray(archive({"data.pkl": CLEAN}))
    data[data.index(b"PK\x03\x04") + 14] ^= 1
    result = parse(bytes(data))
    assert (result.safety, result.problems) == (
        Safety.UNKNOWN,
        ("'a/data.pkl' has two sizes or checksums, by header",),
    )
    data[data.index(b"PK\x01\x02") + 16] ^= 1
    assert parse(bytes(data)).reasons == ("'a/data.pkl' does not match its checksum",)
    assert parse(archive({"data.pkl": b"junk"})).reasons[0].startswith("'a/data.pkl' cannot be scanned: not a pickle")
    assert parse(archive({"data.pkl": b"junk"})).safety is Safety.UNKNOWN


def test_an_archive_without_a_pickle_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="without a pickle"):
        parse_torch_zip(BytesSource(archive({"readme": b"x"})), "x")
    monkeypatch.setattr(torch_zip, "MAX_PICKLES", 1)
    with pytest.raises(InputError, match="at most 1 are read"):
        parse(archive({"a.pkl": CLEAN, "b.pkl": CLEAN}))


def legacy(*, payload: bytes = b"") -> bytes:
    storage = pickle_texts("storage") + pickle_global("torch", "LongStorage") + pickle_texts("0", "cpu")
    arguments = pickle_tuple(storage + pickle_ints(6) + pickle.NONE) + pickle.BINPERSID + pickle_ints(0)
    arguments += pickle_tuple(pickle_ints(2, 3)) + pickle_tuple(pickle_ints(3, 1))
    tensor = pickle_global("torch._utils", "_rebuild_tensor") + pickle_tuple(arguments) + pickle.REDUCE + pickle.STOP
    streams = [MAGIC, pickle.dumps(1001, 2), pickle.dumps({"little_endian": True}, 2), b"\x80\x02" + tensor]
    return b"".join(streams) + (payload or pickle.dumps(["0"], 2)) + (6).to_bytes(8, "little") + bytes(48)


def test_legacy_files_are_several_pickles() -> None:
    result = parse(legacy())
    assert (result.format, result.safety, result.scans[0][1].streams) == ("legacy", Safety.CLEAN, 5)
    assert (result.storages, result.storage_bytes, result.parameters) == (1, 48, 6)
    assert parse(legacy(payload=SYSTEM)).safety is Safety.DANGEROUS


def test_a_plain_pickle_is_called_so() -> None:
    assert parse(CLEAN).format == "pickle"
    with pytest.raises(InputError, match="not a pickle"):
        parse(b"GGUF")


def tar(members: dict[str, bytes]) -> bytes:
    out = b""
    for name, content in members.items():
        header = name.encode().ljust(100, b"\0") + bytes(24) + f"{len(content):011o}\0".encode()
        out += header.ljust(257, b"\0") + b"ustar".ljust(255, b"\0") + content + bytes(-len(content) % 512)
    return out + bytes(1024)


def test_the_tar_of_old_is_never_clean() -> None:
    result = parse(tar({"sys_info": CLEAN, "pickle": CLEAN, "storages": pickle.dumps(0), "tensors": pickle.dumps(0)}))
    assert (result.format, result.safety, len(result.scans)) == ("tar", Safety.UNKNOWN, 4)
    assert parse(tar({"pickle": SYSTEM})).safety is Safety.DANGEROUS
    assert "cannot be scanned" in parse(tar({"sys_info": b"junk", "pickle": CLEAN})).reasons[1]
    with pytest.raises(InputError, match="without PyTorch's pickles"):
        parse(tar({"other": CLEAN}))


PROGRAM = {
    "schema_version": {"major": 8, "minor": 5},
    "opset_version": {"aten": 10},
    "torch_version": "2.7.0",
    "graph_module": {"graph": {"nodes": [{"target": "torch.ops.aten.add.Tensor"}]}},
}


def test_an_exported_program_is_read() -> None:
    weights = {"data/weights/weight_0": bytes(16), "data/weights/model_weights_config.json": b"{}"}
    notes = {"archive_format": b"pt2", "archive_version": b"0\n", "models/model.json": json.dumps(PROGRAM).encode()}
    result = export(notes | weights)
    assert (result.archive_format, result.archive_version, result.safety) == ("pt2", "0", Safety.CLEAN)
    program = result.programs[0]
    assert (program.name, program.schema_version, program.torch_version) == ("model", "8.5", "2.7.0")
    assert (dict(program.opsets), program.custom_operators) == ({"aten": 10}, ())
    assert result.weights == ("a/data/weights/weight_0",)


def test_what_is_scanned_is_bounded_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_zip, "MAX_SCANNED", len(CLEAN) + 1)
    monkeypatch.setattr(torch_export, "MAX_SCANNED", len(CLEAN) + 1)
    one, two = {"a.pkl": CLEAN}, {"a.pkl": CLEAN, "b.pkl": CLEAN}
    assert parse(archive(one)).safety is Safety.CLEAN
    assert parse(archive(two)).safety is Safety.UNKNOWN
    assert "'a/b.pkl' is not scanned" in parse(archive(two)).reasons[0]
    assert export(one | {"archive_format": b"pt2"}).safety is Safety.CLEAN
    assert export(two | {"archive_format": b"pt2"}).reasons[0].startswith("not all is scanned")


def test_custom_operators_pickles_and_machine_code_are_seen() -> None:
    custom = PROGRAM | {"graph_module": {"graph": {"nodes": [{"target": "torch.ops.mine.run.default"}]}}}
    base = {"archive_format": b"pt2", "models/m.json": json.dumps(custom).encode()}
    assert export(base).reasons == ("calls the custom operator torch.ops.mine.run.default",)
    assert export(base | {"data/constants/c_0": SYSTEM}).reasons[0] == "'a/data/constants/c_0': calls posix.system"
    assert export(base | {"data/constants/c_0": archive({"data.pkl": SYSTEM})}).safety is Safety.DANGEROUS
    assert export(base | {"serialized_constants.pt": b"junk"}).safety is Safety.UNKNOWN
    assert export(base | {"data/aotinductor/m/x.so": b""}).compiled == ("a/data/aotinductor/m/x.so",)
    assert export(base | {"data/aotinductor/m/x.so": b""}).safety is Safety.DANGEROUS


def test_an_archive_without_a_program_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="without an exported program"):
        export({"readme": b""})
    with pytest.raises(InputError, match="not JSON"):
        export({"models/m.json": b"{"})
    monkeypatch.setattr(torch_export, "MAX_PROGRAMS", 1)
    with pytest.raises(InputError, match="at most 1 are read"):
        export({"models/m.json": b"{}", "models/n.json": b"{}"})
