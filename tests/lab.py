"""The lab: releases signed in every way, once a session, and whom a judge must expect to have signed them.

A way to sign is one entry in `SIGNERS`.
"""

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from aibom.cli import cli
from aibom.cli.exits import run
from aibom.core.layout import BOM_BUNDLE_NAME, SIGNATURE_NAME
from tests import authority, softhsm
from tests.factory import make_release, write_keys
from tests.sigstore_instance import SigstoreInstance

MODEL_SIGNATURE, BOM_ATTESTATION = "model.sig", "BOM attestation"
DOCUMENTS = {MODEL_SIGNATURE: SIGNATURE_NAME, BOM_ATTESTATION: BOM_BUNDLE_NAME}
IDENTITY, STRANGER = "release@example.com", "mallory@example.com"
ARTIFACT = "model.safetensors"


@dataclass(frozen=True, kw_only=True)
class Expect:
    """Whom a judge is told to expect: a key, an identity with its issuer under a trust root, or with an authority."""

    key: Path | None = None
    ca: Path | None = None
    timestamp_ca: Path | None = None
    identity: str = ""
    issuer: str = ""
    trust_config: Path | None = None
    trusted_root: Path | None = None

    @property
    def options(self) -> list[object]:
        """As `aibom verify` takes it."""
        if self.key:
            return ["--public-key", self.key]
        if self.ca:
            time = ["--timestamp-ca", self.timestamp_ca] if self.timestamp_ca else []
            return ["--ca", self.ca, "--identity", self.identity, *time]
        return ["--identity", self.identity, "--issuer", self.issuer, "--trust-config", self.trust_config]


@dataclass(frozen=True)
class Signed:
    """A signed release, who signed it, and somebody else who did not."""

    release: Path
    expect: Expect
    stranger: Expect

    def copy(self, folder: Path) -> "Signed":
        """The same in a folder that a test may change."""
        shutil.copytree(self.release, folder / self.release.name)
        return replace(self, release=folder / self.release.name)


@dataclass
class Lab:
    """What the tests of a session share."""

    folder: Path
    sigstore: SigstoreInstance
    _signed: dict[str, Signed] = field(default_factory=dict)

    def place(self, name: str) -> Path:
        """A new empty folder."""
        path = self.folder / re.sub(r"[^a-z0-9]+", "-", name.lower())
        path.mkdir(parents=True)
        return path

    def signed(self, signer: "SignerRow") -> Signed:
        """The release that was signed so by `aibom sign`."""
        if signer.name not in self._signed:
            self._signed[signer.name] = signer.sign(self, self.place(signer.name))
        return self._signed[signer.name]

    def keyless(self, folder: Path, rekor: int, *, timestamps: bool) -> tuple[Expect, Expect]:
        """Write the instance's documents for one way to log; then whom to expect, and whom not."""
        config, root = folder / "trust_config.json", folder / "trusted_root.json"
        documents = self.sigstore.trust_config(rekor=rekor, timestamps=timestamps)
        config.write_text(json.dumps(documents))
        root.write_text(json.dumps(documents["trustedRoot"]))
        (folder / "signing_config.json").write_text(json.dumps(documents["signingConfig"]))
        expect = Expect(identity=IDENTITY, issuer=self.sigstore.url, trust_config=config, trusted_root=root)
        return expect, replace(expect, identity=STRANGER)

    def certified(self, folder: Path, *, timestamps: bool) -> tuple[list[object], Expect, Expect]:
        """Write an authority's certificate for a key; then how to sign with it, whom to expect, and whom not."""
        pki, other = authority.make_pki(), authority.make_root("Other CA", 13)
        files = authority.write_pki(folder / "pki", pki)
        other_ca, root, other_root = (folder / name for name in ("other-ca.pem", "root.json", "other-root.json"))
        other_ca.write_bytes(other.pem)
        root.write_text(json.dumps(self._trusted_root([pki.issuing.certificate, pki.root.certificate])))
        other_root.write_text(json.dumps(self._trusted_root([other.certificate])))
        time = self.timestamp_ca(folder) if timestamps else None
        expect = Expect(ca=files.ca, timestamp_ca=time, identity=IDENTITY, trusted_root=root)
        return files.sign, expect, replace(expect, ca=other_ca, trusted_root=other_root)

    def timestamp_ca(self, folder: Path) -> Path:
        """Write the root of the instance's time-stamping authority."""
        path = folder / "timestamp-ca.pem"
        (authority,) = self.sigstore.trusted_root()["timestampAuthorities"]
        der = base64.b64decode(authority["certChain"]["certificates"][-1]["rawBytes"])
        path.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
        return path

    def _trusted_root(self, chain: list[x509.Certificate]) -> dict[str, Any]:
        """A Sigstore trusted root for another authority than Fulcio, without any log; sigstore-js takes no other."""
        document = self.sigstore.trusted_root()
        links = [{"rawBytes": base64.b64encode(link.public_bytes(Encoding.DER)).decode()} for link in chain]
        (fulcio,) = document["certificateAuthorities"]
        authorities = [{**fulcio, "certChain": {"certificates": links}}]
        return {**document, "certificateAuthorities": authorities, "tlogs": [], "ctlogs": []}

    def token(self) -> str:
        return self.sigstore.identity_token(IDENTITY)


def aibom_sign(release: Path, *options: object) -> None:
    assert run(cli, [str(argument) for argument in ("sign", release, "--build", *options)]) == 0


@dataclass(frozen=True)
class SignerRow:
    """One way in which `aibom sign` signs."""

    name: str
    sign: Callable[[Lab, Path], Signed]


def _with_key(kind: str) -> Callable[[Lab, Path], Signed]:
    def sign(_: Lab, folder: Path) -> Signed:
        pair, other = write_keys(folder / "keys", kind), write_keys(folder / "keys", kind, number=1)
        release = make_release(folder / "release")
        aibom_sign(release, "--key", pair.private)
        return Signed(release, Expect(key=pair.public), Expect(key=other.public))

    return sign


def _keyless(rekor: int, *, timestamps: bool) -> Callable[[Lab, Path], Signed]:
    def sign(lab: Lab, folder: Path) -> Signed:
        expect, stranger = lab.keyless(folder, rekor, timestamps=timestamps)
        release = make_release(folder / "release")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SIGSTORE_IDENTITY_TOKEN", lab.token())
            aibom_sign(release, "--keyless", "--trust-config", expect.trust_config)
        return Signed(release, expect, stranger)

    return sign


def _with_device(_: Lab, folder: Path) -> Signed:
    """In a process of its own: the library of a token reads where tokens are once a process."""
    device = softhsm.find_softhsm()
    pair, other = write_keys(folder / "keys"), write_keys(folder / "keys", number=1)
    release = make_release(folder / "release")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(softhsm.write_configuration(folder)))
        patch.setenv("AIBOM_PKCS11_PIN", softhsm.PIN)
        device.add_token("release")
        device.add_key("release", "p256", "01", pair.private)
        command = [sys.executable, "-m", "aibom", "sign", str(release), "--build", "--pkcs11-uri", device.uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Signed(release, Expect(key=pair.public), Expect(key=other.public))


def _with_certificate(*, timestamps: bool) -> Callable[[Lab, Path], Signed]:
    def sign(lab: Lab, folder: Path) -> Signed:
        key, expect, stranger = lab.certified(folder, timestamps=timestamps)
        release = make_release(folder / "release")
        time = ["--timestamp-url", f"{lab.sigstore.url}/api/v1/timestamp"] if timestamps else []
        aibom_sign(release, *key, *time)
        return Signed(release, expect, stranger)

    return sign


KEYS = {"EC P-256": "p256", "EC P-384": "p384", "EC P-521": "p521", "Ed25519": "ed25519", "RSA-3072": "rsa3072"}
LOGS = {"v1": (1, False), "v1 + time": (1, True), "v2 + time": (2, True)}
"""Generation of Rekor, and whether a timestamp is asked for besides."""
DEVICE = SignerRow("PKCS#11 EC P-256", _with_device)
SIGNERS = (
    *(SignerRow(f"key {name}", _with_key(kind)) for name, kind in KEYS.items()),
    DEVICE,
    SignerRow("certificate", _with_certificate(timestamps=False)),
    SignerRow("certificate + time", _with_certificate(timestamps=True)),
    *(
        SignerRow(f"keyless {name}", _keyless(rekor, timestamps=timestamps))
        for name, (rekor, timestamps) in LOGS.items()
    ),
)


def bend_payload(bundle: Path) -> None:
    """Change one digit of the first SHA-256 in the signed payload, and nothing else."""

    def other_digit(match: re.Match[bytes]) -> bytes:
        return (b"1" if match[0][:1] == b"0" else b"0") + match[0][1:]

    document: dict[str, Any] = json.loads(bundle.read_bytes())
    payload = base64.b64decode(document["dsseEnvelope"]["payload"])
    bent = re.sub(rb"\b[0-9a-f]{64}\b", other_digit, payload, count=1)
    assert bent != payload
    document["dsseEnvelope"]["payload"] = base64.b64encode(bent).decode()
    bundle.write_text(json.dumps(document))
