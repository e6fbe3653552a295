"""The record of a wheel against its files."""

import base64
import hashlib
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.core.errors import InputError
from aibom.formats.wheel_record import MAX_BYTES, is_wheel_record, parse_wheel_record, record_problems
from tests.factory import make_release
from tests.property.test_parsers import SETTINGS
from tests.reading import bom_of, properties
from tests.releases.files import put


def line(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"


def test_digests_by_path() -> None:
    record = parse_wheel_record((line("a/b.py", b"x") + '"a,b.py",,\na.dist-info/RECORD,,\n').encode(), "RECORD")
    assert record.files == {"a/b.py": hashlib.sha256(b"x").hexdigest()}
    assert is_wheel_record("a-1.dist-info/RECORD")
    assert not is_wheel_record("RECORD")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a\n", "expected path, digest and size"),
        (b"a,sha256=!!,1\n", "bytes"),
        (b"a,sha256=AAAA,1\n", "a SHA-256 of 3 bytes"),
        (b"\xff,,\n", "not valid UTF-8"),
        (b'"a,,\n', "not a record"),
        (b"a,,\n" * 200_001, "more than 200000 lines"),
        (b" " * (MAX_BYTES + 1), "at most"),
    ],
)
def test_what_is_no_record(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        parse_wheel_record(data, "RECORD")


def test_a_file_that_is_not_as_recorded_is_told(tmp_path: Path) -> None:
    release = make_release(tmp_path / "r")
    train = (release / "train.py").read_bytes()
    put(release / "p-1.dist-info" / "RECORD", line("train.py", train) + line("gone.py", b""))
    assert properties(bom_of(release)["metadata"]["component"], "aibom:problem") == []
    put(release / "train.py", train + b"\n# changed\n")
    (problem,) = properties(bom_of(release)["metadata"]["component"], "aibom:problem")
    assert "train.py is recorded with" in problem
    assert hashlib.sha256(train).hexdigest() in problem


def test_paths_are_beside_the_folder_of_metadata() -> None:
    record = parse_wheel_record(line("m.py", b"x").encode(), "lib/p-1.dist-info/RECORD")
    assert record_problems(record, "lib", {"lib/m.py": "0" * 64, "m.py": "1" * 64}) != []
    assert record_problems(record, "", {"lib/m.py": "0" * 64}) == []


@SETTINGS
@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_an_input_error(data: bytes) -> None:
    with suppress(InputError):
        parse_wheel_record(data, "RECORD")
