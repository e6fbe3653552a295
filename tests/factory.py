"""The one maker of signed releases: a valid whole, of which a test bends one thing."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from aibom.build.assemble import assemble
from aibom.build.collect import collect
from aibom.build.emit import emit_cyclonedx
from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from aibom.core.manifest import Manifest
from aibom.core.strictjson import dump_json
from aibom.sources.listing import list_release
from aibom.sources.local import read_release
from attest.bom_attestation import bom_statement
from attest.keys import PrivateKey, VerificationKey
from attest.model_signature import model_statement
from attest.signing.key import KeyInMemory, KeySigner
from attest.signing.signer import Signer
from tests.releases.diffusion import write_diffusion
from tests.releases.example import write_example
from tests.releases.language_model import write_language_model
from tests.releases.small import write_small
from tests.releases.tabular import write_tabular
from verify.chain_files import GivenLayout
from verify.engine import Request, verify_release
from verify.policy import Context, ExpectedKey, Policy
from verify.profile import Profile, load_profile
from verify.report import Report

Json = dict[str, Any]
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
BUILT = datetime(2026, 1, 1, tzinfo=UTC)


def make_key(kind: str = "p256", number: int = 0) -> PrivateKey:
    """A throw-away key, made once a session; another number, another key."""
    return _make_key(kind, number)


@cache
def _make_key(kind: str, number: int) -> PrivateKey:
    makers: dict[str, Callable[[], PrivateKey]] = {
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
        "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    }
    return makers[kind]()


def private_pem(key: PrivateKey, passphrase: str = "") -> bytes:
    """PKCS #8, encrypted if there is a passphrase."""
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        protection = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def public_pem(key: PrivateKey) -> bytes:
    return VerificationKey(key.public_key()).pem


@dataclass(frozen=True)
class KeyFiles:
    """A key pair on disk."""

    private: Path
    public: Path


def write_keys(folder: Path, kind: str = "p256", number: int = 0, passphrase: str = "") -> KeyFiles:
    folder.mkdir(parents=True, exist_ok=True)
    key = make_key(kind, number)
    files = KeyFiles(folder / f"{kind}-{number}.key", folder / f"{kind}-{number}.pub")
    files.private.write_bytes(private_pem(key, passphrase))
    files.public.write_bytes(public_pem(key))
    return files


def write_harmless(folder: Path) -> None:
    """Write the example release without its malicious pickle."""
    write_example(folder)
    (folder / "legacy" / "scaler.pkl").unlink()


RELEASES: dict[str, Callable[[Path], None]] = {
    "small": write_small,
    "example": write_example,
    "language-model": write_language_model,
    "diffusion": write_diffusion,
    "tabular": write_tabular,
}


def make_release(folder: Path, kind: str = "small") -> Path:
    """Write one of the releases; `harmless` is the example without its malicious pickle."""
    (write_harmless if kind == "harmless" else RELEASES[kind])(folder)
    return folder


def build_bom_bytes(release: Path) -> bytes:
    return emit_cyclonedx(assemble(collect(release)), tool_version="0.1.0", timestamp=BUILT)


def read_manifest(release: Path) -> Manifest:
    return Manifest.of(file.entry for file in read_release(release, list_release(release).files))


def sign_release(
    release: Path, signer: Signer | None = None, *, bom: bytes | None = None, edit: Callable[[Json], None] | None = None
) -> Path:
    """Build the BOM (or take one, or edit the built one) and sign the release with it."""
    signer = signer or KeySigner(KeyInMemory(make_key()))
    data = bom if bom is not None else build_bom_bytes(release)
    if edit:
        document = json.loads(data)
        edit(document)
        data = dump_json(document)
    (release / BOM_NAME).write_bytes(data)
    manifest = read_manifest(release)
    (release / "attestations").mkdir(exist_ok=True)
    (release / SIGNATURE_NAME).write_bytes(signer.sign(model_statement(release.name, manifest)))
    (release / BOM_BUNDLE_NAME).write_bytes(signer.sign(bom_statement(manifest, data)))
    return release


@cache
def _signed_template(base: Path, kind: str) -> Path:
    return sign_release(make_release(base / f"signed-{kind}", kind))


def make_signed(folder: Path, base: Path, kind: str = "small") -> Path:
    """A copy of a release signed once a session."""
    shutil.copytree(_signed_template(base, kind), folder)
    return folder


def key_policy(number: int = 0, *, profiles: tuple[str, ...] = (), **context: str) -> Policy:
    key = VerificationKey(make_key("p256", number).public_key())
    return Policy(expected=(ExpectedKey(key),), profiles=profiles, context=Context(**context))


def verify_signed(
    release: Path,
    policy: Policy | None = None,
    *,
    attached: Path | None = None,
    layout: GivenLayout | None = None,
    profiles: tuple[Profile, ...] = (),
    now: datetime = NOW,
    trust_path: Path | None = None,
) -> Report:
    """Verify a release as the command line does."""
    policy = policy or key_policy()
    return verify_release(
        Request(
            root=release,
            policy=policy,
            profiles=profiles or tuple(load_profile(name) for name in policy.profiles),
            now=now,
            tool_version="0.1.0",
            attached=attached,
            trust_path=trust_path,
            layout=layout,
        )
    )


def rules_of(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}
