"""`aibom sign` with a key in a SoftHSM token, then `aibom verify` without a network or a token. Run by `make hsm`."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aibom.core.errors import SigningError
from aibom.core.layout import BOM_BUNDLE_NAME, SIGNATURE_NAME
from attest.keys import VerificationKey
from attest.signing.pkcs11 import key_in_device
from attest.signing.pkcs11_uri import parse_pkcs11_uri
from tests.authority import IDENTITY, PkiFiles, make_pki, write_pki
from tests.conftest import Ran
from tests.factory import KeyFiles, make_key, write_keys
from tests.sigstore_instance import SigstoreInstance
from tests.softhsm import PIN, SoftHsm, fill, find_softhsm, write_configuration

pytestmark = pytest.mark.hsm
Aibom = Callable[..., Ran]
KINDS = ("p256", "p384", "p521", "ed25519", "rsa3072")


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    softhsm = find_softhsm()
    import pkcs11  # only where it is installed

    folder = tmp_path_factory.mktemp("softhsm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(write_configuration(folder)))
        fill(softhsm, folder, (*KINDS, "rsa2048"))
        yield softhsm
        pkcs11.unload(softhsm.module)


@pytest.fixture
def softhsm(tokens: SoftHsm, monkeypatch: pytest.MonkeyPatch) -> SoftHsm:
    monkeypatch.setenv("AIBOM_PKCS11_PIN", PIN)
    monkeypatch.delenv("AIBOM_PKCS11_MODULE", raising=False)
    return tokens


def nothing_written(release: Path) -> None:
    assert not (release / SIGNATURE_NAME).exists()
    assert not (release / BOM_BUNDLE_NAME).exists()


def refused(aibom: Aibom, release: Path, uri: str, *more: object) -> str:
    ran = aibom("sign", release, "--build", "--pkcs11-uri", uri, *more)
    assert ran.code == 3, ran.err
    assert "hint:" in ran.err
    assert PIN not in ran.out + ran.err
    nothing_written(release)
    return " ".join(ran.err.split())


def public_key(tmp_path: Path, kind: str) -> Path:
    return write_keys(tmp_path / "public", kind, 50).public


@pytest.mark.parametrize("kind", KINDS)
def test_sign_then_verify(
    aibom: Aibom, release: Path, softhsm: SoftHsm, tmp_path: Path, kind: str, no_network: None
) -> None:
    ran = aibom("sign", release, "--build", "--pkcs11-uri", softhsm.uri(f"token=release;object={kind}"))
    assert ran.code == 0, ran.err
    assert PIN not in ran.out + ran.err
    assert aibom("verify", release, "--public-key", public_key(tmp_path, kind)).code == 0
    assert aibom("verify", release, "--public-key", write_keys(tmp_path, kind, 1).public).code == 1
    (release / "README.md").write_text("changed")
    assert aibom("verify", release, "--public-key", public_key(tmp_path, kind)).code == 1


def test_a_key_that_was_made_in_the_token(aibom: Aibom, release: Path, softhsm: SoftHsm, tmp_path: Path) -> None:
    """It has never been outside; the buyer gets the public half that the token gives out."""
    import pkcs11

    (token,) = pkcs11.lib(softhsm.module).get_tokens(token_label="release")
    with token.open(rw=True, user_pin=PIN) as session:
        curve = pkcs11.util.ec.encode_named_curve_parameters("secp256r1")
        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: curve}, local=True
        )
        parameters.generate_keypair(store=True, label="native", id=b"\x77")
    uri = softhsm.uri("token=release;id=%77")
    public = tmp_path / "native.pub"
    public.write_bytes(key_in_device(parse_pkcs11_uri(uri), module="", pin=lambda: PIN).public.pem)
    assert aibom("sign", release, "--build", "--pkcs11-uri", uri).code == 0
    assert aibom("verify", release, "--public-key", public).code == 0


def certified(tmp_path: Path, number: int = 50) -> tuple[PkiFiles, list[object]]:
    files = write_pki(tmp_path / "pki", make_pki(number=number))
    files.key.unlink()
    return files, ["--certificate", files.certificate, "--chain", files.chain]


def test_with_its_certificate_and_a_timestamp(
    aibom: Aibom,
    release: Path,
    softhsm: SoftHsm,
    sigstore: SigstoreInstance,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    files, options = certified(tmp_path)
    root = tmp_path / "trusted-root.json"
    root.write_text(json.dumps(sigstore.trusted_root()))
    options += ["--timestamp-url", f"{sigstore.url}/api/v1/timestamp"]
    ran = aibom("sign", release, "--build", "--pkcs11-uri", softhsm.uri(), *options)
    assert ran.code == 0, ran.err
    assert IDENTITY in ran.out
    request.getfixturevalue("no_network")
    assert aibom("verify", release, *files.expect, "--trusted-root", root).code == 0
    assert aibom("verify", release, "--public-key", public_key(tmp_path, "p256")).code == 1


def test_the_certificate_of_another_key(aibom: Aibom, release: Path, softhsm: SoftHsm, tmp_path: Path) -> None:
    said = refused(aibom, release, softhsm.uri(), *certified(tmp_path, number=41)[1])
    assert "the key does not belong to the certificate" in said


@pytest.mark.parametrize("pin", ["13579-wrong", "x", "p" * 300, "\u00fc\u00e4"])
def test_a_wrong_pin(aibom: Aibom, release: Path, softhsm: SoftHsm, pin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIBOM_PKCS11_PIN", pin)
    said = refused(aibom, release, softhsm.uri())
    assert "the PIN does not open this token" in said
    assert len(pin) == 1 or pin not in said


def test_an_empty_pin_is_not_tried(
    aibom: Aibom, release: Path, softhsm: SoftHsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIBOM_PKCS11_PIN", "")
    assert "the PIN is empty" in refused(aibom, release, softhsm.uri())


def test_no_pin_and_no_terminal(aibom: Aibom, release: Path, softhsm: SoftHsm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIBOM_PKCS11_PIN")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    said = refused(aibom, release, softhsm.uri())
    assert "AIBOM_PKCS11_PIN" in said
    assert "pin-source=file:" in said


def test_the_pin_from_a_file(
    aibom: Aibom, release: Path, softhsm: SoftHsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is named counts before the environment."""
    monkeypatch.setenv("AIBOM_PKCS11_PIN", "13579-wrong")
    pin = tmp_path / "pin"
    uri = softhsm.uri(query=f"&pin-source=file:{pin}")
    assert "cannot read the PIN" in refused(aibom, release, uri)
    pin.write_text(f"{PIN}\n")
    assert aibom("sign", release, "--build", "--pkcs11-uri", uri).code == 0
    assert aibom("verify", release, "--public-key", public_key(tmp_path, "p256")).code == 0


def test_a_pin_inside_the_release_is_not_published(aibom: Aibom, release: Path, softhsm: SoftHsm) -> None:
    (release / "pin").write_text(PIN)
    ran = aibom("sign", release, "--build", "--pkcs11-uri", softhsm.uri(query=f"&pin-source=file:{release / 'pin'}"))
    assert ran.code == 2
    assert "would be published" in ran.err
    nothing_written(release)


def test_a_pin_as_an_argument_is_refused(aibom: Aibom, release: Path, softhsm: SoftHsm) -> None:
    ran = aibom("sign", release, "--build", "--pkcs11-uri", softhsm.uri(query=f"&pin-value={PIN}"))
    assert ran.code == 2
    assert PIN not in ran.err
    nothing_written(release)


@pytest.mark.parametrize(
    ("what", "words"),
    [("token=absent;object=p256", "no tokens fit"), ("token=twin;object=p256", "2 tokens fit"),
     ("token=release;serial=0000;object=p256", "no tokens fit"), ("token=release;object=absent", "no private keys fit"),
     ("token=release", "keys fit a URI without a name; expected"), ("token=release;id=%7f", "no private keys fit"),
     ("token=crowd;object=signing", "2 private keys fit"), ("token=release;object=rsa2048", "RSA key of 2048 bits")],
)  # fmt: skip
def test_names_that_do_not_name_one_key(aibom: Aibom, release: Path, softhsm: SoftHsm, what: str, words: str) -> None:
    assert words in refused(aibom, release, softhsm.uri(what))


def test_an_id_tells_two_keys_of_one_name_apart(aibom: Aibom, release: Path, softhsm: SoftHsm, tmp_path: Path) -> None:
    for number in (1, 2):
        uri = softhsm.uri(f"token=crowd;object=signing;id=%0{number}")
        assert aibom("sign", release, "--build", "--pkcs11-uri", uri).code == 0
        public = write_keys(tmp_path / "public", "p256", 50 + number).public
        assert aibom("verify", release, "--public-key", public).code == 0


def test_the_module_from_the_environment(
    aibom: Aibom, release: Path, softhsm: SoftHsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = "pkcs11:token=release;object=p256"
    assert "AIBOM_PKCS11_MODULE" in refused(aibom, release, uri)
    monkeypatch.setenv("AIBOM_PKCS11_MODULE", softhsm.module)
    assert aibom("sign", release, "--build", "--pkcs11-uri", uri).code == 0


def test_a_module_that_is_not_there(aibom: Aibom, release: Path, softhsm: SoftHsm) -> None:
    said = refused(aibom, release, "pkcs11:token=release;object=p256?module-path=/nowhere/module.so")
    assert "the PKCS #11 module cannot be used" in said
    assert "/nowhere/module.so" in said


def test_a_public_half_that_belongs_to_another_key(softhsm: SoftHsm) -> None:
    """Nothing that the device signs is handed on unless the public half accepts it."""
    held = key_in_device(parse_pkcs11_uri(softhsm.uri()), module="", pin=lambda: PIN)
    assert held.public.accepts(held.sign_message(b"x"), b"x")
    held.public = VerificationKey(make_key("p256", 1).public_key())
    with pytest.raises(SigningError, match="does not belong to the public key"):
        held.sign_message(b"x")


def test_as_a_process_of_its_own(release: Path, softhsm: SoftHsm, tmp_path: Path) -> None:
    """The whole command as a publisher runs it: the PIN is in the environment, and in nothing that is printed."""
    keys: KeyFiles = write_keys(tmp_path / "public", "p256", 50)
    aibom = [sys.executable, "-m", "aibom"]
    sign = [*aibom, "sign", str(release), "--build", "--pkcs11-uri", softhsm.uri()]
    done = subprocess.run(sign, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert PIN not in done.stdout + done.stderr
    without = {name: value for name, value in os.environ.items() if "SOFTHSM" not in name and "PKCS11" not in name}
    verify = [*aibom, "verify", str(release), "--public-key", str(keys.public)]
    assert subprocess.run(verify, capture_output=True, check=False, env=without).returncode == 0


def test_what_was_asked_for_and_what_there_is(aibom: Aibom, release: Path, softhsm: SoftHsm) -> None:
    words = refused(aibom, release, softhsm.uri("token=nobody;object=p256"))
    assert "no tokens fit token=nobody;" in words
    assert "token=release;slot-id=" in words
    words = refused(aibom, release, softhsm.uri("token=twin;object=p256"))
    assert "2 tokens fit token=twin;" in words
    words = refused(aibom, release, softhsm.uri("token=release;object=nothing"))
    assert "no private keys fit object=nothing;" in words
    assert "object=p256;id=%01" in words
    words = refused(aibom, release, softhsm.uri("token=crowd;object=signing"))
    assert "2 private keys fit object=signing;" in words
    assert "object=signing;id=%01, object=signing;id=%02" in words
