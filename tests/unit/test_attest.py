"""Statements, model signatures, bundles and keys."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aibom.core.errors import InputError, SigningError
from aibom.core.manifest import FileEntry, Manifest
from attest.bom_attestation import bom_statement, parse_bom_attestation
from attest.bundle import parse_bundle, pre_authentication_encoding
from attest.keys import VerificationKey, load_public_key
from attest.model_signature import model_statement, parse_model_signature
from attest.signing.key import KeyInMemory, KeySigner, load_private_key
from attest.statement import Subject, parse_statement, statement_bytes
from tests.factory import make_key, private_pem, public_pem

Json = dict[str, Any]
MANIFEST = Manifest.of(
    FileEntry(name=name, size=1, digests={"sha256": f"{n:064x}"})
    for n, name in enumerate(["b/c", "a", ".gitattributes", "aibom.cdx.json"])
)


def test_the_model_statement_lists_what_the_other_verifier_looks_at() -> None:
    statement = parse_statement(model_statement("m", MANIFEST), "model.sig")
    manifest = parse_model_signature(statement, "model.sig")
    assert list(manifest.files) == ["a", "aibom.cdx.json", "b/c"]
    assert ".gitattributes" in manifest.ignored
    assert "attestations" in manifest.ignored


def test_the_bom_statement_covers_everything_and_the_tree() -> None:
    statement = parse_statement(bom_statement(MANIFEST, b'{"bomFormat": "CycloneDX"}'), "x")
    attested = parse_bom_attestation(statement, "x")
    assert set(attested.files) == {"b/c", "a", ".gitattributes", "aibom.cdx.json"}
    content = MANIFEST.select(["b/c", "a", ".gitattributes"])
    assert attested.tree_digest == content.tree_digest


def good_statement() -> Json:
    document: Json = json.loads(model_statement("m", MANIFEST))
    return document


def change(path: list[Any], value: object) -> Callable[[Json], None]:
    def apply(document: Json) -> None:
        target: Any = document
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value

    return apply


R = ["predicate", "resources"]
MUTATIONS: dict[str, Callable[[Json], None]] = {
    "statement v0.1": change(["_type"], "https://in-toto.io/Statement/v0.1"),
    "no predicate type": change(["predicateType"], ""),
    "no subject": change(["subject"], []),
    "two subjects": lambda d: d["subject"].append({"name": "x", "digest": {"sha256": "0" * 64}}),
    "empty digest set": change(["subject", 0, "digest"], {}),
    "root digest": change(["subject", 0, "digest", "sha256"], "0" * 64),
    "no resources": change(R, []),
    "unknown predicate field": change(["predicate", "more"], 1),
    "escaping name": change([*R, 0, "name"], "../secret"),
    "absolute name": change([*R, 0, "name"], "/etc/passwd"),
    "backslash": change([*R, 0, "name"], "a\\b"),
    "duplicate name": change([*R, 0, "name"], "b/c"),
    "case collision": change([*R, 0, "name"], "B/C"),
    "md5": change([*R, 0, "algorithm"], "md5"),
    "upper case": change([*R, 0, "digest"], "A" * 64),
    "short": change([*R, 0, "digest"], "ab"),
    "shards": change(["predicate", "serialization", "method"], "shards"),
    "hash type": change(["predicate", "serialization", "hash_type"], "md5"),
    "ignore paths": change(["predicate", "serialization", "ignore_paths"], "all"),
}


@pytest.mark.parametrize("name", MUTATIONS, ids=list(MUTATIONS))
def test_bent_model_signatures_are_refused(name: str) -> None:
    document = good_statement()
    parse_model_signature(parse_statement(json.dumps(document).encode(), "s"), "s")
    MUTATIONS[name](document)
    with pytest.raises(InputError) as caught:
        parse_model_signature(parse_statement(json.dumps(document).encode(), "s"), "s")
    assert caught.value.where


def test_a_statement_needs_a_subject() -> None:
    with pytest.raises(InputError):
        statement_bytes([], "urn:x", b"{}")


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "ed25519", "rsa3072"])
def test_keys_of_every_kind_sign_and_verify(kind: str, tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(private_pem(make_key(kind)))
    signer = KeySigner(KeyInMemory(load_private_key(tmp_path / "k", lambda: pytest.fail("not encrypted"))))
    payload = statement_bytes([Subject("a", "0" * 64)], "urn:x", b"{}")
    bundle = parse_bundle(signer.sign(payload), "b")
    public = load_public_key(public_pem(make_key(kind)), "k.pub")
    message = pre_authentication_encoding(payload)
    assert (bundle.payload, bundle.key_hint) == (payload, public.fingerprint)
    assert public.accepts(bundle.signature, message)
    assert not public.accepts(bundle.signature, message + b" ")
    assert not public.accepts(bundle.signature[:-1], message)
    assert not VerificationKey(make_key("p256", 7).public_key()).accepts(bundle.signature, message)


def test_weak_and_wrong_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2048 bits"):
        load_public_key(public_pem(make_key("rsa2048")), "k")
    with pytest.raises(InputError, match="not a public key") as caught:
        load_public_key(private_pem(make_key()), "k")
    assert "private key" in caught.value.hint
    (tmp_path / "k").write_bytes(private_pem(make_key("rsa2048")))
    with pytest.raises(SigningError, match="2048 bits"):
        load_private_key(tmp_path / "k", lambda: "")


def test_the_passphrase_is_only_asked_for_when_needed_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(private_pem(make_key(), "correct horse"))
    assert load_private_key(tmp_path / "k", lambda: "correct horse").public_key() == make_key().public_key()
    with pytest.raises(SigningError) as caught:
        load_private_key(tmp_path / "k", lambda: "wrong horse")
    assert "horse" not in str(caught.value) + caught.value.hint
    assert caught.value.__cause__ is None


def good_bundle() -> Json:
    document: Json = json.loads(KeySigner(KeyInMemory(make_key())).sign(model_statement("m", MANIFEST)))
    return document


E = "dsseEnvelope"
BUNDLE_MUTATIONS: dict[str, Callable[[Json], None]] = {
    "media type": change(["mediaType"], "application/json"),
    "payload type": change([E, "payloadType"], "text/plain"),
    "no signature": change([E, "signatures"], []),
    "two signatures": lambda d: d[E]["signatures"].append({"sig": "AAAA", "keyid": ""}),
    "signature not base64": change([E, "signatures", 0, "sig"], "!!"),
    "payload not base64": change([E, "payload"], "e30\n="),
    "no payload": change([E, "payload"], ""),
    "no material": change(["verificationMaterial"], {}),
    "two materials": lambda d: d["verificationMaterial"].update(certificate={"rawBytes": "AAAA"}),
    "hint not text": change(["verificationMaterial", "publicKey", "hint"], 1),
    "no envelope": change([E], None),
}


@pytest.mark.parametrize("name", BUNDLE_MUTATIONS, ids=list(BUNDLE_MUTATIONS))
def test_bent_bundles_are_refused(name: str) -> None:
    document = good_bundle()
    parse_bundle(json.dumps(document).encode(), "b")
    BUNDLE_MUTATIONS[name](document)
    with pytest.raises(InputError) as caught:
        parse_bundle(json.dumps(document).encode(), "b")
    assert caught.value.where.startswith("b")
    assert caught.value.hint


def test_lengths_in_the_encoding_are_bytes() -> None:
    # DSSE protocol: PAE uses the length in bytes.
    assert pre_authentication_encoding("é".encode()) == b"DSSEv1 28 application/vnd.in-toto+json 2 \xc3\xa9"


def test_a_bundle_is_read_by_the_public_specification(tmp_path: Path) -> None:
    document = good_bundle()
    assert set(document) == {"mediaType", "verificationMaterial", "dsseEnvelope"}
    payload = base64.b64decode(document[E]["payload"])
    assert json.loads(payload)["subject"][0]["name"] == "m"
