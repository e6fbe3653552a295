"""Other people's verifiers, each as its users run it: one command, its exit code, and what it said."""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from attest.model_signature import root_digest
from tests.lab import ARTIFACT, BOM_ATTESTATION, DOCUMENTS, Expect

NODE_FOLDER = Path(__file__).with_name("node")
_MODULES = NODE_FOLDER / "node_modules"
_MIN_NODE = 22


@dataclass(frozen=True)
class Answer:
    """What a tool decided, and its words for it on one line."""

    accepted: bool
    said: str


@dataclass(frozen=True)
class Judge:
    """A tool that verifies; whether it also compares the files with what was signed."""

    name: str
    version: Callable[[], str]
    verify: Callable[[Path, str, Expect], Answer]
    reads_files: bool = True


def execute(*command: object) -> Answer:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    return Answer(done.returncode == 0, " ".join((done.stdout + done.stderr).split()))


def model_signing(*arguments: object) -> Answer:
    return execute(sys.executable, "-m", "model_signing", *arguments)


def sigstore_python(*arguments: object) -> Answer:
    return execute(sys.executable, "-m", "sigstore", *arguments)


def sigstore_js(script: str, *arguments: object) -> Answer:
    return execute(_node(), NODE_FOLDER / script, *arguments)


@cache
def _node() -> Path:
    """The Node that was installed beside the libraries, or the machine's own where it is new enough."""
    assert _MODULES.exists(), "run `make interop`, which installs sigstore-js"
    own = _MODULES / ".bin" / "node"
    found = own if own.exists() else Path(shutil.which("node") or "node")
    major = int(execute(found, "--version").said.removeprefix("v").partition(".")[0])
    assert major >= _MIN_NODE, f"sigstore-js needs Node {_MIN_NODE} or later; found {major}"
    return found


def _model_signing_verify(release: Path, document: str, expect: Expect) -> Answer:
    signature = ["--signature", release / DOCUMENTS[document]]
    if expect.key:
        return model_signing("verify", "key", release, *signature, "--public_key", expect.key)
    if expect.ca:
        return model_signing("verify", "certificate", release, *signature, "--certificate_chain", expect.ca)
    identity = ["--identity", expect.identity, "--identity_provider", expect.issuer]
    return model_signing("verify", "sigstore", release, *signature, *identity, "--trust_config", expect.trust_config)


def _sigstore_python_verify(release: Path, document: str, expect: Expect) -> Answer:
    """Its `verify identity` takes a file or a digest, and looks for it among the subjects of the statement.

    A key cannot be given to it at all; it is asked all the same, for what it says.
    """
    bundle = release / DOCUMENTS[document]
    subject = str(release / ARTIFACT) if document == BOM_ATTESTATION else f"sha256:{_root_of(release, bundle)}"
    trust = ["--trust-config", expect.trust_config] if expect.trust_config else []
    who = ["--cert-identity", expect.identity or "nobody", "--cert-oidc-issuer", expect.issuer or "nobody"]
    return sigstore_python(*trust, "verify", "identity", "--offline", "--bundle", bundle, *who, subject)


def _root_of(release: Path, bundle: Path) -> str:
    """The OMS root digest over the files on disk that the signature names."""
    payload = base64.b64decode(json.loads(bundle.read_bytes())["dsseEnvelope"]["payload"])
    names = [resource["name"] for resource in json.loads(payload)["predicate"]["resources"]]
    return root_digest(hashlib.sha256((release / name).read_bytes()).hexdigest() for name in names)


def _sigstore_js_verify(release: Path, document: str, expect: Expect) -> Answer:
    who: list[object] = ["--key", expect.key]
    if not expect.key:
        who = ["--root", expect.trusted_root, "--identity", expect.identity]
    if expect.issuer:
        who += ["--issuer", expect.issuer]
    return sigstore_js("verify.mjs", "--bundle", release / DOCUMENTS[document], *who)


def _js_version() -> str:
    manifest = json.loads((_MODULES / "@sigstore" / "verify" / "package.json").read_text())
    return f"@sigstore/verify {manifest['version']}"


JUDGES = (
    Judge("model_signing", lambda: f"model-signing {version('model-signing')}", _model_signing_verify),
    Judge("sigstore-python", lambda: f"sigstore {version('sigstore')}", _sigstore_python_verify),
    Judge("sigstore-js", _js_version, _sigstore_js_verify, reads_files=False),
)
