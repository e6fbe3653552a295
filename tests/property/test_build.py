"""A release with one file changed in any way is described by a valid BOM, or refused with an input error.

And every reader of untrusted bytes has a property test of its own: the list is compared with the code.
"""

import ast
import json
import os
import re
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.build.assemble import assemble
from aibom.build.collect import collect
from aibom.build.emit import Format, emit
from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.cyclonedx.schema import schema_problems
from aibom.formats.loading import examiner_of, safety_of
from tests.factory import BUILT, RELEASES
from tests.property.test_parsers import SETTINGS
from tests.reading import nested, references, referred

EXAMPLES = int(os.environ.get("AIBOM_FUZZ", "40"))
"""How many bent releases of each kind; `make fuzz` asks for more."""
ROOT = Path(__file__).parents[2]
LOADED = (
    "a.pkl",
    "a.pt",
    "a.bin",
    "a.joblib",
    "a.pth.tar",
    "a.pkl.gz",
    "a.nemo",
    "a.npz",
    "a.keras",
    "a.skops",
    "a.pt2",
)
ODD: list[Any] = [
    None, True, 0, -1, 1e308, 2**70, "", "x" * 3000, "/", "%", "https://[", "a\u0000b", "\u202e",
    [], {}, [[]], {"": {}}, {"a": {"b": None}}, "../../etc/passwd", "name\nverdict: accepted",
]  # fmt: skip


# Readers that take what another reader hands on → the one whose property test reaches them.
REACHED = {
    "parse_dependency": "parse_requirements",
    "parse_toml": "parse_pyproject",
    "parse_torch_zip": "parse_torch",
    "read_keras_config": "parse_keras",
    "read_nemo": "examiner_of",
    "read_pickle": "examiner_of",
    "read_schema": "parse_arrow",
    "read_statements": "read_python",
    "recognise_text": "recognise_licence_text",
}


@cache
def whole(kind: str) -> dict[str, bytes]:
    """The files of a release, by name."""
    with tempfile.TemporaryDirectory() as folder:
        RELEASES[kind](Path(folder))
        paths = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(paths)}


def bent(data: st.DataObject, content: bytes) -> bytes:
    """A file with a slice replaced, or for JSON with one value in it replaced by an odd one."""
    with suppress(ValueError):
        document = json.loads(content)
        places: list[Any] = list(containers(document))
        swap = data.draw(st.booleans())
        if places and swap:
            place: Any = data.draw(st.sampled_from(places))
            keys: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
            key: Any = data.draw(st.sampled_from(keys))
            odd: Any = data.draw(st.sampled_from(ODD))
            place[key] = odd
            return json.dumps(document).encode()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 30)))
    return content[:start] + data.draw(st.binary(max_size=12)) + content[end:]


def containers(value: Any) -> list[Any]:
    """Every object and list in a document that is not empty."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return ([value] if inner else []) + [found for item in inner for found in containers(item)]


@pytest.mark.parametrize("kind", [kind for kind in RELEASES if kind != "example"])
def test_any_release_is_described_or_refused(kind: str) -> None:
    files = whole(kind)

    @settings(SETTINGS, max_examples=EXAMPLES)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(files)))
        with tempfile.TemporaryDirectory() as folder:
            for path, content in (files | {name: bent(data, files[name])}).items():
                (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / path).write_bytes(content)
            with suppress(InputError):
                judge(Path(folder))

    check()


@SETTINGS
@given(st.binary(max_size=120), st.sampled_from(LOADED), st.sampled_from(["", "text", "pickle", "zip", "tar", "gzip"]))
def test_whatever_a_loader_would_unpickle_is_examined_or_refused(data: bytes, name: str, shown: str) -> None:
    examine = examiner_of(name, shown)
    with suppress(InputError):
        if examine:
            found = safety_of(examine(BytesSource(data), name))
            assert found is not None


def judge(release: Path) -> None:
    account = assemble(collect(release))
    document = json.loads(emit(account, tool_version="0", timestamp=BUILT).data)
    assert schema_problems(document) == []
    assert set(referred(document)) <= references(document)
    names = [component["bom-ref"] for component in nested(document)]
    assert len(names) == len(set(names))
    emit(account, tool_version="0", timestamp=BUILT, spec_version="1.6", form=Format.CYCLONEDX_XML)
    emit(account, tool_version="0", timestamp=BUILT, form=Format.SPDX3_JSON)


def test_every_reader_has_a_property_test() -> None:
    readers = {
        node.name
        for path in (ROOT / "aibom" / "formats").glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and re.match(r"(parse|scan|read|recognise)_", node.name)
    }
    tests = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "tests").rglob("test_*.py")
        if "@given(" in path.read_text(encoding="utf-8")
    )
    assert sorted(name for name in readers if name not in tests and REACHED.get(name, "-") not in tests) == []
