"""`aibom sign` with a certificate, then `aibom verify` without a network."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from aibom.core.layout import BOM_BUNDLE_NAME, SIGNATURE_NAME
from tests.authority import HOUR, IDENTITY, InProcessStamper, PkiFiles, make_pki, make_signer, write_pki
from tests.conftest import Ran
from tests.factory import sign_release
from tests.releases.files import put
from tests.sigstore_instance import SigstoreInstance
from tests.sigstore_instance.server import Answer, LoopbackServer
from tests.sigstore_instance.timestamps import TimestampAuthority

Aibom = Callable[..., Ran]


@pytest.fixture
def files(tmp_path: Path) -> PkiFiles:
    return write_pki(tmp_path / "pki", make_pki())


@pytest.fixture
def stamped(sigstore: SigstoreInstance, tmp_path: Path) -> list[object]:
    """The options that have a time certified; its authority stands in the trust root, which is written as well."""
    root = tmp_path / "tsa.json"
    root.write_text(json.dumps(sigstore.trusted_root()))
    return ["--timestamp-url", f"{sigstore.url}/api/v1/timestamp"]


def nothing_written(release: Path) -> None:
    assert not (release / SIGNATURE_NAME).exists()
    assert not (release / BOM_BUNDLE_NAME).exists()
    assert not (release / "aibom.cdx.json").exists()
    assert not list(release.rglob("*.tmp")) + list(release.rglob(".aibom*"))


def test_sign_then_verify(aibom: Aibom, release: Path, files: PkiFiles, request: pytest.FixtureRequest) -> None:
    ran = aibom("sign", release, "--build", *files.sign)
    assert ran.code == 0, ran.err
    assert IDENTITY in ran.out
    assert "CN=Issuing CA" in ran.out
    request.getfixturevalue("no_network")
    ran = aibom("verify", release, *files.expect)
    assert ran.code == 0, ran.out
    assert f"{IDENTITY}, certified by Root CA" in " ".join(ran.out.split())
    assert "revoked" in ran.out
    report = json.loads(aibom("verify", release, *files.expect, "--json").out)
    assert {(s["kind"], s["identity"], s["issuer"]) for s in report["signers"]} == {
        ("certificate", IDENTITY, "CN=Root CA")
    }
    put(release / "README.md", "changed")
    assert aibom("verify", release, *files.expect).code == 1


def test_a_timestamp_by_the_trust_root(
    aibom: Aibom, release: Path, files: PkiFiles, stamped: list[object], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    ran = aibom("sign", release, "--build", *files.sign, *stamped)
    assert ran.code == 0, ran.err
    assert "timestamped by" in ran.out
    request.getfixturevalue("no_network")
    ran = aibom("verify", release, *files.expect, "--trusted-root", tmp_path / "tsa.json", "--json")
    assert ran.code == 0, ran.out
    assert all(signer["time"].startswith("20") for signer in json.loads(ran.out)["signers"])


@pytest.fixture
def authority() -> Iterator[tuple[str, TimestampAuthority]]:
    """A time-stamping authority on loopback that says that it was an hour ago."""
    found = TimestampAuthority(lambda: datetime.now(UTC) - HOUR)
    server = LoopbackServer()
    server.start(found.routes())
    yield f"{server.url}/api/v1/timestamp", found
    server.stop()


def root_file(path: Path, authority: TimestampAuthority) -> Path:
    path.write_bytes(authority.chain[-1].public_bytes(Encoding.PEM))
    return path


def test_a_timestamp_by_an_authority_of_its_own(
    aibom: Aibom, release: Path, files: PkiFiles, authority: tuple[str, TimestampAuthority], tmp_path: Path
) -> None:
    url, who = authority
    root = root_file(tmp_path / "tsa.pem", who)
    ran = aibom("sign", release, "--build", *files.sign, "--timestamp-url", url, "--timestamp-ca", root)
    assert ran.code == 0, ran.err
    assert "unchecked" not in ran.out
    ran = aibom("verify", release, *files.expect, "--timestamp-ca", root, "--json")
    assert ran.code == 0, ran.out
    other = root_file(tmp_path / "other.pem", TimestampAuthority(lambda: datetime.now(UTC)))
    ran = aibom("verify", release, *files.expect, "--timestamp-ca", other, "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["findings"][0]["rule"] == "signature.timestamp"


def test_an_expired_certificate_with_a_timestamp_from_its_lifetime(aibom: Aibom, release: Path, tmp_path: Path) -> None:
    """Signed ninety minutes ago with a certificate that ended an hour ago; judged now, by this computer's clock."""
    now = datetime.now(UTC)
    pki, stamper = make_pki(start=now - 2 * HOUR, end=now - HOUR), InProcessStamper.at(lambda: now - 1.5 * HOUR)
    files = write_pki(tmp_path / "pki", pki)
    root = root_file(tmp_path / "tsa.pem", stamper.authority)
    sign_release(release, make_signer(pki, stamper, now=now - 1.5 * HOUR))
    assert aibom("verify", release, *files.expect, "--timestamp-ca", root).code == 0
    without = aibom("verify", release, *files.expect, "--json")
    assert without.code == 3
    assert json.loads(without.out)["findings"][0]["rule"] == "signature.timestamp-unchecked"
    sign_release(release, make_signer(pki, now=now - 1.5 * HOUR))
    bare = aibom("verify", release, *files.expect, "--timestamp-ca", root)
    assert bare.code == 1
    assert "no timestamp" in " ".join(bare.out.split())


def test_an_authority_that_is_not_the_expected_one_leaves_nothing(
    aibom: Aibom, release: Path, files: PkiFiles, authority: tuple[str, TimestampAuthority], tmp_path: Path
) -> None:
    other = root_file(tmp_path / "other.pem", TimestampAuthority(lambda: datetime.now(UTC)))
    sign = ["sign", release, "--build", *files.sign, "--timestamp-url", authority[0]]
    ran = aibom(*sign, "--timestamp-ca", other)
    assert ran.code == 3
    assert "does not hold against --timestamp-ca" in ran.err
    nothing_written(release)
    assert aibom(*sign).code == 0


def test_an_authority_that_fails_at_the_second_signature_leaves_nothing(
    aibom: Aibom, release: Path, files: PkiFiles
) -> None:
    who, asked = TimestampAuthority(lambda: datetime.now(UTC)), list[bytes]()
    server = LoopbackServer()

    def serve(request: object) -> Answer:
        body: bytes = request.body  # type: ignore[attr-defined]
        asked.append(body)
        return Answer(who.reply(body)) if len(asked) == 1 else Answer(b"busy", 503)

    server.start({("POST", "/"): serve})
    try:
        ran = aibom("sign", release, "--build", *files.sign, "--timestamp-url", f"{server.url}/")
    finally:
        server.stop()
    assert len(asked) == 2
    assert ran.code == 3
    assert "HTTP status 503" in ran.err
    assert "run the same command again" in ran.err
    nothing_written(release)


def test_an_authority_that_is_gone(aibom: Aibom, release: Path, files: PkiFiles) -> None:
    server = LoopbackServer()
    server.stop()
    ran = aibom("sign", release, "--build", *files.sign, "--timestamp-url", f"{server.url}/")
    assert ran.code == 3
    assert "cannot be reached" in ran.err
    nothing_written(release)


def test_a_key_of_another_certificate(aibom: Aibom, release: Path, files: PkiFiles, tmp_path: Path) -> None:
    other = write_pki(tmp_path / "other", make_pki(number=40))
    options = ["--key", other.key, "--certificate", files.certificate, "--chain", files.chain]
    ran = aibom("sign", release, "--build", *options)
    assert ran.code == 3
    assert "the key does not belong to the certificate" in ran.err
    nothing_written(release)


def test_a_certificate_that_has_expired(aibom: Aibom, release: Path, tmp_path: Path) -> None:
    past = {"start": datetime.now(UTC) - 2 * HOUR, "end": datetime.now(UTC) - HOUR}
    files = write_pki(tmp_path / "pki", make_pki(**past))
    ran = aibom("sign", release, "--build", *files.sign)
    assert ran.code == 3
    assert "has expired" in ran.err
    nothing_written(release)


def test_an_encrypted_key(aibom: Aibom, release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write_pki(tmp_path / "pki", make_pki(), passphrase="correct horse")
    monkeypatch.setenv("AIBOM_KEY_PASSPHRASE", "wrong horse")
    ran = aibom("sign", release, "--build", *files.sign)
    assert ran.code == 3
    assert "horse" not in ran.err
    nothing_written(release)
    monkeypatch.setenv("AIBOM_KEY_PASSPHRASE", "correct horse")
    assert aibom("sign", release, "--build", *files.sign).code == 0
    assert aibom("verify", release, *files.expect).code == 0


def test_claims_of_a_certificate_are_shown_unverified(aibom: Aibom, release: Path, files: PkiFiles) -> None:
    assert aibom("sign", release, "--build", *files.sign).code == 0
    ran = aibom("verify", release)
    assert ran.code == 2
    assert "UNVERIFIED" in ran.err
    assert f"--ca CA.pem --identity {IDENTITY}" in " ".join(ran.err.split())
    assert "CN=Issuing CA" in ran.err


def test_a_certificate_does_not_satisfy_a_sigstore_identity(aibom: Aibom, release: Path, files: PkiFiles) -> None:
    assert aibom("sign", release, "--build", *files.sign).code == 0
    ran = aibom("verify", release, "--identity", IDENTITY, "--issuer", "https://accounts.example.com")
    assert ran.code == 1
    assert "signed in another way than you expect" in " ".join(ran.out.split())


SIGN_MISTAKES: list[list[object]] = [
    ["--certificate", "CERT"],
    ["--keyless", "--certificate", "CERT"],
    ["--key", "KEY", "--chain", "CERT"],
    ["--key", "KEY", "--timestamp-url", "https://tsa.example"],
    ["--key", "KEY", "--certificate", "CERT", "--timestamp-ca", "CERT"],
    ["--key", "KEY", "--certificate", "CERT", "--timestamp-url", "tsa.example"],
    ["--key", "KEY", "--certificate", "CERT", "--trust-config", "CERT"],
    ["--key", "KEY", "--pkcs11-uri", "pkcs11:token=a"],
]


@pytest.mark.parametrize("options", SIGN_MISTAKES, ids=lambda options: " ".join(map(str, options)))
def test_ways_to_sign_that_cannot_be_meant(aibom: Aibom, release: Path, files: PkiFiles, options: list[object]) -> None:
    named: dict[object, object] = {"KEY": files.key, "CERT": files.certificate}
    assert aibom("sign", release, "--build", *(named.get(option, option) for option in options)).code == 2
    nothing_written(release)


EXPECT_MISTAKES: list[list[object]] = [
    ["--ca", "CA"],
    ["--timestamp-ca", "CA"],
    ["--identity", IDENTITY],
    ["--identity", IDENTITY, "--timestamp-ca", "CA"],
    ["--ca", "CA", "--identity", IDENTITY, "--issuer", "https://accounts.example.com"],
]


@pytest.mark.parametrize("options", EXPECT_MISTAKES, ids=lambda options: " ".join(map(str, options)))
def test_expectations_that_cannot_be_meant(aibom: Aibom, signed: Path, files: PkiFiles, options: list[object]) -> None:
    assert aibom("verify", signed, *(files.ca if option == "CA" else option for option in options)).code == 2


def test_the_signer_s_certificate_is_no_authority(aibom: Aibom, signed: Path, files: PkiFiles) -> None:
    ran = aibom("verify", signed, "--ca", files.certificate, "--identity", IDENTITY)
    assert ran.code == 3
    assert "not the certificate of an authority" in ran.err


def test_a_missing_chain_is_said_when_signing(aibom: Aibom, release: Path, files: PkiFiles) -> None:
    ran = aibom("sign", release, "--build", "--key", files.key, "--certificate", files.certificate)
    assert ran.code == 0, ran.err
    assert "CN=Issuing CA, who issued signer.pem, is not given (--chain)" in " ".join(ran.err.split())
    assert aibom("verify", release, *files.expect).code == 1
    ran = aibom("sign", release, "--build", *files.sign)
    assert "--chain" not in ran.err


def test_what_holds_of_several_files_is_said_once(aibom: Aibom, release: Path, files: PkiFiles, tmp_path: Path) -> None:
    assert aibom("sign", release, "--build", *files.sign).code == 0
    told = aibom("verify", release).err
    assert f"{SIGNATURE_NAME}, {BOM_BUNDLE_NAME} claim, UNVERIFIED, to be signed by" in " ".join(told.split())
    assert told.count("certificate for") == 1
    other = write_pki(tmp_path / "other", make_pki(number=30))
    refused = aibom("verify", release, "--ca", other.certificate.with_name("ca.pem"), "--identity", "a@example.com")
    assert refused.code == 1
    assert refused.out.count("✗ signed by another identity") == 1
    assert f"where {SIGNATURE_NAME}, {BOM_BUNDLE_NAME}" in " ".join(refused.out.split())
    folded = [line for line in (told + refused.out).splitlines() if "aibom verify" not in line]
    assert max(map(len, folded)) <= 80
