"""Fixtures: releases, keys, the command line in this process, a private Sigstore instance, and no network."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aibom.cli import cli
from aibom.cli.exits import run
from tests.factory import KeyFiles, make_release, make_signed, write_keys

if TYPE_CHECKING:
    from tests.sigstore_instance import SigstoreInstance


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="write the golden files again")


@dataclass(frozen=True)
class Ran:
    """What a command ended with and printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def aibom(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command line in this process."""

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        code = run(cli, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return make_release(tmp_path / "release")


@pytest.fixture
def keys(tmp_path: Path) -> KeyFiles:
    return write_keys(tmp_path / "keys")


@pytest.fixture
def other_keys(tmp_path: Path) -> KeyFiles:
    return write_keys(tmp_path / "keys", number=1)


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("session")


@pytest.fixture
def signed(tmp_path: Path, session_folder: Path) -> Path:
    """A small signed release that this test may break."""
    return make_signed(tmp_path / "signed", session_folder)


@pytest.fixture(scope="session")
def sigstore() -> "Iterator[SigstoreInstance]":
    from tests.sigstore_instance import SigstoreInstance  # heavy; only for tests that use it

    with SigstoreInstance() as instance:
        yield instance


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
