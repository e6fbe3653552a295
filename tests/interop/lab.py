"""The lab: releases signed in every way, once a session, and whom a judge must expect to have signed them.

A way to sign is one entry in `SIGNERS`. One that needs an option which `aibom sign` does not have is left out.
"""

import base64
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aibom.cli import cli
from aibom.cli.exits import run
from aibom.core.layout import BOM_BUNDLE_NAME, SIGNATURE_NAME
from tests.factory import make_release, write_keys
from tests.sigstore_instance import SigstoreInstance

MODEL_SIGNATURE, BOM_ATTESTATION = "model.sig", "BOM attestation"
DOCUMENTS = {MODEL_SIGNATURE: SIGNATURE_NAME, BOM_ATTESTATION: BOM_BUNDLE_NAME}
IDENTITY, STRANGER = "release@example.com", "mallory@example.com"
ARTIFACT = "model.safetensors"


@dataclass(frozen=True, kw_only=True)
class Expect:
    """Whom a judge is told to expect: a key, or an identity with its issuer under a trust root."""

    key: Path | None = None
    identity: str = ""
    issuer: str = ""
    trust_config: Path | None = None
    trusted_root: Path | None = None

    @property
    def options(self) -> list[object]:
        """As `aibom verify` takes it."""
        if self.key:
            return ["--public-key", self.key]
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

    def token(self) -> str:
        return self.sigstore.identity_token(IDENTITY)


def aibom_sign(release: Path, *options: object) -> None:
    assert run(cli, [str(argument) for argument in ("sign", release, "--build", *options)]) == 0


@dataclass(frozen=True)
class SignerRow:
    """One way in which `aibom sign` signs; `needs` is the option that it takes."""

    name: str
    needs: str
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


KEYS = {"EC P-256": "p256", "EC P-384": "p384", "EC P-521": "p521", "Ed25519": "ed25519", "RSA-3072": "rsa3072"}
LOGS = {"Rekor v1": (1, False), "Rekor v1, timestamp": (1, True), "Rekor v2, timestamp": (2, True)}
SIGNERS = (
    *(SignerRow(f"key {name}", "--key", _with_key(kind)) for name, kind in KEYS.items()),
    *(
        SignerRow(f"keyless, {name}", "--keyless", _keyless(rekor, timestamps=timestamps))
        for name, (rekor, timestamps) in LOGS.items()
    ),
)


def available_signers() -> list[SignerRow]:
    """Those whose option `aibom sign` has."""
    text = CliRunner().invoke(cli, ["sign", "--help"]).output
    return [signer for signer in SIGNERS if re.search(rf"{signer.needs}\b", text)]


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
