"""Sign, stop every service, verify with no network: for each way to sign.

What a verifier needs is the release and the files that say whom to expect; neither a service nor a cache of one.
"""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import Ran
from tests.lab import DEVICE, SIGNERS, Lab, Signed, SignerRow
from tests.sigstore_instance import SigstoreInstance

Aibom = Callable[..., Ran]
_WAYS = {
    *("key EC P-256", "PKCS#11 EC P-256", "certificate + time"),
    *("keyless v1", "keyless v1 + time", "keyless v2 + time"),
}
_ROWS = [
    pytest.param(row, id=row.name, marks=[pytest.mark.hsm] if row is DEVICE else [])
    for row in SIGNERS
    if row.name in _WAYS
]
_NO_NETWORK = ["unshare", "--user", "--map-root-user", "--net"]


@pytest.fixture(params=_ROWS)
def way(request: pytest.FixtureRequest) -> SignerRow:
    row: SignerRow = request.param
    return row


@pytest.fixture
def signed(way: SignerRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Signed:
    """A release whose services have stopped, in an account that has never met them."""
    with SigstoreInstance() as sigstore:
        lab = Lab(tmp_path, sigstore)
        signed = way.sign(lab, lab.place("signed"))
    where = urlsplit(sigstore.url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((where.hostname or "", where.port or 0))
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home))
    return signed


def test_a_release_is_verified_when_every_service_has_stopped(
    aibom: Aibom, signed: Signed, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("no_network")
    ran = aibom("verify", signed.release, *signed.expect.options)
    assert ran.code == 0, ran.out + ran.err
    assert aibom("verify", signed.release, *signed.stranger.options).code == 1


def test_a_release_is_verified_where_there_is_no_network_at_all(signed: Signed) -> None:
    """In a namespace without any interface: what is not Python's has no way out either."""
    if shutil.which("unshare") is None or subprocess.run([*_NO_NETWORK, "true"], check=False).returncode != 0:
        pytest.skip("needs Linux, and unshare with the right to make a network namespace")

    def verify(options: list[object]) -> int:
        command = [*_NO_NETWORK, sys.executable, "-m", "aibom", "verify", str(signed.release), *map(str, options)]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert verify(signed.expect.options) == 0
    assert verify(signed.stranger.options) == 1
