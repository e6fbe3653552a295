"""Arbitrary bytes give a value or an input error, nothing else, from every reader of what code declares and does."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aibom.core.errors import InputError
from aibom.formats.conda import parse_conda_environment, parse_match_spec
from aibom.formats.dockerfile import parse_dockerfile
from aibom.formats.hosted_services import hosted_services
from aibom.formats.import_names import undeclared_imports
from aibom.formats.pyproject import parse_pyproject
from aibom.formats.python_lock import parse_lock
from aibom.formats.python_source import read_python
from aibom.formats.requirements import parse_requirements, without_credentials

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

_CODE = b"""import torch as t, yaml
from openai import OpenAI
M = "a/b"
p.add_argument("--lr", default=2e-5)
args = p.parse_args()
c = OpenAI(base_url="http://h/v1")
try:
    t.load(X.from_pretrained(M, revision='r', trust_remote_code=True), k=[1, "x"])
except E as e: pass
TrainingArguments(lr=args.lr, s={"a": f"{b}"})
c.chat.completions.create(model="m")
"""
_NOTEBOOK = b'{"cells": [{"cell_type": "code", "source": ["import a\\n", "%x\\n", "f(model=1)"]}], "metadata": {}}'
_PYPROJECT = b"""[project]
name = "a"
license = {text = "MIT"}
authors = [{name = "x"}]
dependencies = ["b>=1", "c @ https://u:p@h/c?x=1"]
[project.optional-dependencies]
g = ["d"]
[dependency-groups]
e = ["f", {include-group = "e"}]
[tool.poetry.dependencies]
h = "^1.2"
i = {git = "https://h/i", rev = "1"}
"""
_UV = b'version = 1\n[[package]]\nname = "a"\nsource = {git = "https://h/a"}\nwheels = [{hash = "sha256:00"}]\n'
_POETRY = b'[[package]]\nname = "a"\n[package.source]\ntype = "git"\nurl = "u"\n[metadata]\nlock-version = "2"\n'
_PYLOCK = b'lock-version = "1.0"\n[[packages]]\nname = "a"\nvcs = {url = "u", commit-id = "c"}\n'
_CONDA = b"name: a\nchannels: [b]\ndependencies:\n- c>=1,<2\n- d=1=x\n- e::f[version='>1']\n- pip: [g==1, -r h]\n"
_DOCKER = b"""# escape=\\
ARG A=1
FROM --platform=x b:${A:-2}@sha256:00 AS c
RUN pip install "d>=1" \\
  e==$A -r f > g 2>&1 && h
RUN ["pip", "install", "i"]
COPY --from=c <<EOF /j
EOF
EXPOSE 1
"""
_REQUIREMENTS = b"-e git+https://u:p@h/a@1#egg=a\nb==1 --hash=sha256:" + b"0" * 64 + b"\n-r c\nd @ https://h/d?x=1\n"
_MARKS = "()[]{}'\"\\.,:;=<>$#@!%^~*\n \tf1"


def _read_all(data: bytes) -> object:
    source = read_python(data, "x.py")
    undeclared_imports([path for item in source.imports for path in item.paths], {"torch"}, {"local"})
    return hosted_services(source, "x.py"), [model.is_local for model in source.models]


READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "code": (_read_all, _CODE),
    "notebook": (lambda data: read_python(data, "x.ipynb"), _NOTEBOOK),
    "pyproject": (lambda data: parse_pyproject(data, "x"), _PYPROJECT),
    "uv": (lambda data: parse_lock(data, "x").unhashed, _UV),
    "poetry": (lambda data: parse_lock(data, "x").unhashed, _POETRY),
    "pylock": (lambda data: parse_lock(data, "x").unhashed, _PYLOCK),
    "conda": (lambda data: parse_conda_environment(data, "x"), _CONDA),
    "dockerfile": (lambda data: parse_dockerfile(data, "x").dependencies, _DOCKER),
    "requirements": (lambda data: parse_requirements(data, "x"), _REQUIREMENTS),
}


@st.composite
def broken(draw: st.DrawFn, valid: bytes) -> bytes:
    """Something valid with a slice replaced, or anything at all."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=400))
    start = draw(st.integers(0, len(valid)))
    end = draw(st.integers(start, len(valid)))
    filling = draw(st.binary(max_size=20) | st.text(_MARKS, max_size=20).map(str.encode))
    return valid[:start] + filling + valid[end:]


@pytest.mark.parametrize("name", READERS, ids=list(READERS))
def test_a_value_or_an_input_error(name: str) -> None:
    read, valid = READERS[name]
    read(valid)

    @SETTINGS
    @given(broken(valid))
    def check(data: bytes) -> None:
        with suppress(InputError):  # anything else fails the test
            read(data)

    check()


@SETTINGS
@given(st.text("abn*=<>!~|,. []:'/-1", max_size=60))
def test_a_match_specification_is_read_or_refused(text: str) -> None:
    with suppress(InputError):
        assert parse_match_spec(text).name


@SETTINGS
@given(st.text("abcu", min_size=1, max_size=8), st.text("pq:", min_size=1, max_size=8), st.text("/x?#=&", max_size=12))
def test_no_credentials_survive(user: str, password: str, rest: str) -> None:
    cleaned = without_credentials(f"https://{user}:{password}@h.example/{rest}")
    assert cleaned.startswith("https://h.example/")
