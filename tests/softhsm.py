"""A SoftHSM of the tests' own: tokens in a folder, with keys that are known outside it too."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.factory import make_key, private_pem

PIN = "2468-pin"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
ADVICE = "install SoftHSM (Debian: apt-get install softhsm2) and python-pkcs11, then run `make hsm`"


@dataclass(frozen=True)
class SoftHsm:
    """Where it is, and its tool."""

    module: str
    tool: str

    def uri(self, what: str = "token=release;object=p256", query: str = "") -> str:
        return f"pkcs11:{what}?module-path={self.module}{query}"

    def add_token(self, label: str) -> None:
        self._run("--init-token", "--free", "--label", label, "--so-pin", "87654321", "--pin", PIN)

    def add_key(self, token: str, label: str, number: str, pem: Path) -> None:
        self._run("--import", pem, "--token", token, "--label", label, "--id", number, "--pin", PIN)

    def _run(self, *arguments: str | Path) -> None:
        subprocess.run([self.tool, "--module", self.module, *arguments], check=True, capture_output=True)


def find_softhsm() -> SoftHsm:
    """Find it, or skip the test with advice."""
    pytest.importorskip("pkcs11", reason=f"no python-pkcs11: {ADVICE}")
    tool = shutil.which("softhsm2-util")
    module = next((path for path in _MODULES if Path(path).exists()), None)
    if tool is None or module is None:
        pytest.skip(f"no SoftHSM: {ADVICE}")
    return SoftHsm(module, tool)


def fill(softhsm: SoftHsm, folder: Path, kinds: tuple[str, ...]) -> None:
    """A token with a key of each kind under its name; two tokens of one name; one with two keys of one name."""
    for token in ("release", "twin", "twin", "crowd"):
        softhsm.add_token(token)
    pem = folder / "key.pem"
    for number, kind in enumerate(kinds):
        pem.write_bytes(private_pem(make_key(kind, 50)))
        softhsm.add_key("release", kind, f"{number + 1:02x}", pem)
    for number in (1, 2):
        pem.write_bytes(private_pem(make_key("p256", 50 + number)))
        softhsm.add_key("crowd", "signing", f"{number:02x}", pem)
    pem.unlink()


def write_configuration(folder: Path) -> Path:
    """Make an empty place for tokens; SOFTHSM2_CONF must name the file."""
    (folder / "tokens").mkdir()
    file = folder / "softhsm2.conf"
    file.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    return file
