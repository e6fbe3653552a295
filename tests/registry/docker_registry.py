"""Debian's docker-registry, each time as a process of its own: a loopback port and a folder that nobody else has.

Version 2.8 knows no list of referrers: what is attached is found by the tag that stands in for it.
"""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
import requests

USER, PASSWORD = "publisher", "loopback-only"
_HASH = "$2b$05$abcdefghijklmnopqrstuucJNoj1zsjPrqk/a2HjbuRSfW87b9Cb2"  # bcrypt of PASSWORD
_DEADLINE = 30


class DockerRegistry:
    """The process. Its log is in `folder/log`."""

    def __init__(self, folder: Path, *, password: bool = False, deletes: bool = True) -> None:
        program = shutil.which("docker-registry")
        if not program:
            pytest.skip("needs docker-registry: install Debian's package of that name, then `make registry`")
        folder.mkdir(parents=True)
        self.program = program
        self.folder = folder
        self.host = f"127.0.0.1:{_free_port()}"
        (folder / "users").write_text(f"{USER}:{_HASH}\n")
        auth = {"auth": {"htpasswd": {"realm": "test", "path": str(folder / "users")}}} if password else {}
        configuration = {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": deletes}},
            "http": {"addr": self.host, "secret": "of a test"},
            **auth,
        }
        (folder / "config.yml").write_text(json.dumps(configuration))  # JSON is YAML
        self._log = (folder / "log").open("wb")

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [self.program, "serve", str(self.folder / "config.yml")], stdout=self._log, stderr=subprocess.STDOUT
        )
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def _wait(self) -> None:
        end = time.monotonic() + _DEADLINE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                requests.get(f"http://{self.host}/v2/", timeout=5)
            except requests.ConnectionError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"docker-registry did not start: {(self.folder / 'log').read_text()}")

    def _stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
