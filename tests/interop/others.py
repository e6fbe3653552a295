"""What other tools sign, each by its own command, in a place where `aibom verify` finds it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from aibom.core.layout import ATTESTATIONS, BUNDLE_SUFFIX, SIGNATURE_NAME
from aibom.core.strictjson import dump_json
from attest.model_signature import model_statement
from tests.factory import make_release, read_manifest, write_keys
from tests.interop.judges import Answer, model_signing, sigstore_js, sigstore_python
from tests.lab import (
    ARTIFACT,
    KEYS,
    LOGS,
    MODEL_SIGNATURE,
    SIGNERS,
    Expect,
    Lab,
    Signed,
)

PROVENANCE, ONE_FILE = "SLSA provenance", "file signature"
PROVENANCE_NAME = f"{ATTESTATIONS}/provenance{BUNDLE_SUFFIX}"
BUNDLES = {MODEL_SIGNATURE: SIGNATURE_NAME, PROVENANCE: PROVENANCE_NAME, ONE_FILE: SIGNATURE_NAME}
_SLSA = "https://slsa.dev/provenance/v1"
_PREDICATE = {
    "buildDefinition": {
        "buildType": "https://example.com/build/v1",
        "externalParameters": {"ref": "main"},
        "internalParameters": {},
        "resolvedDependencies": [],
    },
    "runDetails": {"builder": {"id": "https://example.com/builder"}, "metadata": {}, "byproducts": []},
}


@dataclass(frozen=True)
class OtherRow:
    """One way in which another tool signs."""

    tool: str
    document: str
    how: str
    sign: Callable[[Lab, Path], Signed]

    @property
    def name(self) -> str:
        return f"{self.tool}, {self.document}, {self.how}"


class NotSignedError(Exception):
    """The tool did not sign; its words are the message."""


def _done(answer: Answer) -> None:
    if not answer.accepted:
        raise NotSignedError(answer.said)


def _by_model_signing_key(kind: str) -> Callable[[Lab, Path], Signed]:
    def sign(_: Lab, folder: Path) -> Signed:
        pair, other = write_keys(folder / "keys", kind), write_keys(folder / "keys", kind, number=1)
        release = make_release(folder / "release")
        signature = ["--signature", release / SIGNATURE_NAME]
        _done(model_signing("sign", "key", release, *signature, "--private_key", pair.private))
        return Signed(release, Expect(key=pair.public), Expect(key=other.public))

    return sign


def _by_model_signing_certificate(lab: Lab, folder: Path) -> Signed:
    (_, key, _, certificate, _, chain), expect, stranger = lab.certified(folder, timestamps=False)
    release = make_release(folder / "release")
    to = ["--signature", release / SIGNATURE_NAME, "--private_key", key]
    which = ["--signing_certificate", certificate, "--certificate_chain", chain]
    _done(model_signing("sign", "certificate", release, *to, *which))
    return Signed(release, expect, stranger)


KeylessSign = Callable[[Lab, Path, Expect], None]


def _keyless(how: str, sign: KeylessSign, *, ours: bool = False) -> Callable[[Lab, Path], Signed]:
    """A release that `sign` signs against the instance; `ours` is one that `aibom` has signed before."""
    rekor, timestamps = LOGS[how]

    def signed(lab: Lab, folder: Path) -> Signed:
        if ours:
            (row,) = (row for row in SIGNERS if row.name == f"keyless {how}")
            made = lab.signed(row).copy(folder)
        else:
            expect, stranger = lab.keyless(folder, rekor, timestamps=timestamps)
            made = Signed(make_release(folder / "release"), expect, stranger)
        sign(lab, made.release, made.expect)
        return made

    return signed


def _model_signing_keyless(lab: Lab, release: Path, expect: Expect) -> None:
    to = ["--signature", release / SIGNATURE_NAME]
    token = ["--identity_token", lab.token()]  # its one way to take a token; this one is worth nothing elsewhere
    _done(model_signing("sign", "sigstore", release, *to, *token, "--trust_config", expect.trust_config))


def _sigstore_python_attest(lab: Lab, release: Path, expect: Expect) -> None:
    predicate = release.parent / "provenance.json"
    predicate.write_text(json.dumps(_PREDICATE))
    kind = ["--predicate", predicate, "--predicate-type", _SLSA]
    to = ["--identity-token", lab.token(), "--bundle", release / PROVENANCE_NAME]
    _done(sigstore_python("--trust-config", expect.trust_config, "attest", *kind, *to, release / ARTIFACT))


def _sigstore_python_sign(lab: Lab, release: Path, expect: Expect) -> None:
    to = ["--identity-token", lab.token(), "--bundle", release / SIGNATURE_NAME]
    _done(sigstore_python("--trust-config", expect.trust_config, "sign", *to, release / ARTIFACT))


def _by_sigstore_js(kind: str, bundle: str, lab: Lab, file: Path, expect: Expect) -> None:
    assert expect.trust_config is not None
    config = expect.trust_config.with_name("signing_config.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGSTORE_IDENTITY_TOKEN", lab.token())
        _done(sigstore_js("sign.mjs", "--config", config, "--kind", kind, "--bundle", bundle, file))


def _sigstore_js_statement(lab: Lab, release: Path, expect: Expect) -> None:
    """It signs any statement: the model signature's, written by us, signed by it."""
    statement = release.parent / "statement.json"
    statement.write_bytes(model_statement(release.name, read_manifest(release)))
    _by_sigstore_js("statement", str(release / SIGNATURE_NAME), lab, statement, expect)


def _sigstore_js_provenance(lab: Lab, release: Path, expect: Expect) -> None:
    manifest = read_manifest(release).by_name()
    subject = [{"name": ARTIFACT, "digest": {"sha256": manifest[ARTIFACT].sha256}}]
    statement = release.parent / "statement.json"
    kind = {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": _SLSA}
    statement.write_bytes(dump_json({**kind, "predicate": _PREDICATE}))
    _by_sigstore_js("statement", str(release / PROVENANCE_NAME), lab, statement, expect)


def _sigstore_js_sign(lab: Lab, release: Path, expect: Expect) -> None:
    _by_sigstore_js("artifact", str(release / SIGNATURE_NAME), lab, release / ARTIFACT, expect)


OTHERS = (
    *(
        OtherRow("model_signing", MODEL_SIGNATURE, f"key {name}", _by_model_signing_key(KEYS[name]))
        for name in ("EC P-256", "EC P-384", "EC P-521")
    ),
    OtherRow("model_signing", MODEL_SIGNATURE, "certificate", _by_model_signing_certificate),
    *(
        OtherRow("model_signing", MODEL_SIGNATURE, f"keyless {how}", _keyless(how, _model_signing_keyless))
        for how in LOGS
    ),
    *(
        OtherRow("sigstore-python", PROVENANCE, f"keyless {how}", _keyless(how, _sigstore_python_attest, ours=True))
        for how in LOGS
    ),
    *(
        OtherRow("sigstore-js", MODEL_SIGNATURE, f"keyless {how}", _keyless(how, _sigstore_js_statement))
        for how in LOGS
    ),
    *(
        OtherRow("sigstore-js", PROVENANCE, f"keyless {how}", _keyless(how, _sigstore_js_provenance, ours=True))
        for how in LOGS
    ),
    *(
        OtherRow("sigstore-python", ONE_FILE, f"keyless {how}", _keyless(how, _sigstore_python_sign))
        for how in ("v1", "v2 + time")
    ),
    *(
        OtherRow("sigstore-js", ONE_FILE, f"keyless {how}", _keyless(how, _sigstore_js_sign))
        for how in ("v1", "v2 + time")
    ),
)
