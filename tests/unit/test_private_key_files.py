"""What is given for a private key and is none: said what it is, and how to make one of it."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ed448, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from aibom.core.errors import SigningError
from attest.keys import key_problem
from attest.signing.key import load_private_key
from tests.authority import make_root
from tests.factory import make_key, private_pem


def refused(path: Path, content: bytes) -> SigningError:
    path.write_bytes(content)
    with pytest.raises(SigningError) as caught:
        load_private_key(path, lambda: "")
    return caught.value


def run_hint(hint: str, folder: Path) -> None:
    """Run the line of openssl that a hint gives."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: install it (Debian: apt-get install openssl)")
    line = hint[hint.index("openssl ") :].split(")")[0]
    subprocess.run(shlex.split(line), cwd=folder, check=True, capture_output=True)


def test_a_key_in_der(tmp_path: Path) -> None:
    key = make_key("p256", 50)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    error = refused(tmp_path / "my key.der", der)
    assert "DER" in error.hint
    run_hint(error.hint, tmp_path)
    made = load_private_key(tmp_path / "publisher.key", lambda: "")
    assert private_pem(made, "") == private_pem(key, "")


def test_a_certificate(tmp_path: Path) -> None:
    certificate = make_root()
    assert "this is a certificate: give it as --certificate" in refused(tmp_path / "c.pem", certificate.pem).hint
    error = refused(tmp_path / "c.der", certificate.certificate.public_bytes(Encoding.DER))
    assert "this is a certificate in DER" in error.hint
    run_hint(error.hint, tmp_path)
    assert (tmp_path / "publisher.pem").read_bytes() == certificate.pem


def test_a_key_that_cannot_sign(tmp_path: Path) -> None:
    key = x25519.X25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    error = refused(tmp_path / "x.key", pem)
    assert error.message == "an X25519 key, which is for key exchange and cannot sign, is not accepted"
    assert "ECDSA" in error.hint


def test_other_kinds_have_names() -> None:
    for key, name in (
        (x448.X448PrivateKey.generate(), "an X448 key"),
        (ed448.Ed448PrivateKey.generate(), "an Ed448 key"),
        (dsa.generate_private_key(2048), "a DSA key"),
    ):
        for half in (key, key.public_key()):
            assert key_problem(half).startswith(name)
    assert key_problem(object()) == "a key of another kind"
