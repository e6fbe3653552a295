"""The vectors and schemas of the OMS specification, by others: judged by us, and judging what we write.

They are not ours and lie beside this project's folder, in `../shared/data/oms-spec-vectors`, or where
AIBOM_OMS_VECTORS says. Without them these tests are skipped.

The bundles are over two small files. Their content is not among the vectors, but their digests are.
"""

import base64
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cryptography import x509

from aibom.core.layout import SIGNATURE_NAME
from attest.keys import VerificationKey
from attest.signing.key import KeyInMemory, KeySigner
from tests.conftest import Ran
from tests.factory import KeyFiles, make_key
from tests.lab import SIGNERS, Lab, SignerRow
from tests.releases.files import put

_PLACE = "../shared/data/oms-spec-vectors"
_FOLDER = Path(os.environ.get("AIBOM_OMS_VECTORS") or Path(__file__).resolve().parents[2] / _PLACE)
_VECTORS, _SCHEMAS = _FOLDER / "test-vectors" / "v1.0", _FOLDER / "schemas" / "v1.0"
pytestmark = pytest.mark.skipif(
    not _VECTORS.is_dir(), reason=f"the OMS specification's vectors are not in {_PLACE}; or set AIBOM_OMS_VECTORS"
)
Aibom = Callable[..., Ran]
Json = dict[str, Any]
_LINE, _NO_LINE = b"signme-1\n", b"signme-1"
_KEY, _IDENTITY = "key", "identity"


@dataclass(frozen=True)
class Vector:
    """A bundle, the first of the two files that it is over, and what we make of it."""

    path: str
    first: bytes
    expect: str
    code: int
    rule: str = ""


VECTORS = (
    Vector("valid/key.bundle.json", _LINE, _KEY, 0),
    Vector("valid/sigstore.bundle.json", _NO_LINE, _IDENTITY, 0),
    # Its leaf says that it is an authority, and its root is not among the vectors: nobody can be expected by it.
    Vector("valid/certificate.bundle.json", _LINE, _KEY, 1, "signature.wrong-signer"),
    Vector("invalid/empty.bundle.json", _LINE, _KEY, 1, "signature.malformed"),
    Vector("invalid/missing-envelope.bundle.json", _LINE, _KEY, 1, "signature.malformed"),
    Vector("invalid/missing-tlog-entries.bundle.json", _NO_LINE, _IDENTITY, 1, "signature.invalid"),
    Vector("invalid/missing-verification-material.bundle.json", _LINE, _KEY, 1, "signature.malformed"),
    Vector("invalid-payload/wrong-predicate.bundle.json", _LINE, _KEY, 1, "signature.invalid"),
)


def test_every_vector_is_in_the_table() -> None:
    assert {vector.path for vector in VECTORS} == {
        path.relative_to(_VECTORS).as_posix() for path in _VECTORS.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.path)
def test_a_vector_before_us(aibom: Aibom, tmp_path: Path, vector: Vector) -> None:
    release = release_of(tmp_path, vector)
    report = judge(aibom, tmp_path, release, vector.expect, vector.code)
    assert {f["rule"] for f in report["findings"] if f["outcome"] == "contradicted"} == {vector.rule} - {""}
    if vector.code == 0:
        put(release / "signme-2", "changed")
        judge(aibom, tmp_path, release, vector.expect, 1)


def test_the_signature_in_the_certificate_s_vector_is_one(tmp_path: Path) -> None:
    """What is refused there is the signer, not the form: the bundle parses, and its leaf's key accepts it."""
    from attest.bundle import parse_bundle, pre_authentication_encoding

    bundle = parse_bundle((_VECTORS / "valid/certificate.bundle.json").read_bytes(), "vector")
    assert signer_key().accepts(bundle.signature, pre_authentication_encoding(bundle.payload))


def test_another_kind_of_statement_is_refused_when_its_signature_holds(
    aibom: Aibom, tmp_path: Path, keys: KeyFiles
) -> None:
    """The vector's own signature does not hold; with one that does, what it states still is no model signature."""
    release = release_of(tmp_path, next(vector for vector in VECTORS if "wrong-predicate" in vector.path))
    envelope = json.loads((release / SIGNATURE_NAME).read_bytes())["dsseEnvelope"]
    signer = KeySigner(KeyInMemory(make_key()))
    (release / SIGNATURE_NAME).write_bytes(signer.sign(base64.b64decode(envelope["payload"])))
    ran = aibom("verify", release, "--public-key", keys.public, "--json")
    assert ran.code == 1
    assert "statement.type" in {finding["rule"] for finding in json.loads(ran.out)["findings"]}


@pytest.mark.parametrize("way", SIGNERS, ids=lambda way: way.name)
def test_the_specification_s_schemas_accept_what_we_write(lab: Lab, way: SignerRow) -> None:
    bundle = json.loads((lab.signed(way).release / SIGNATURE_NAME).read_bytes())
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    bundles, statements = (schema(name) for name in ("bundle", "statement"))
    bundles.validate(bundle)
    statements.validate(statement)
    del statement["predicate"]["resources"][0]["digest"]
    assert not statements.is_valid(statement)
    del bundle["verificationMaterial"]
    assert not bundles.is_valid(bundle)


def schema(name: str) -> jsonschema_rs.Draft202012Validator:
    documents = [json.loads(path.read_bytes()) for path in sorted(_SCHEMAS.glob("*.json"))]
    registry = jsonschema_rs.Registry([(document["$id"], document) for document in documents])
    (wanted,) = (document for document in documents if document["$id"].endswith(f"/{name}/v1.0/schema"))
    return jsonschema_rs.Draft202012Validator(wanted, registry=registry)


def release_of(folder: Path, vector: Vector) -> Path:
    release = folder / "release"
    put(release / "signme-1", vector.first)
    put(release / "signme-2", b"signme-2")
    shutil.copy(_VECTORS / vector.path, release / SIGNATURE_NAME)
    return release


def judge(aibom: Aibom, folder: Path, release: Path, expect: str, code: int) -> Json:
    options: list[object] = ["--identity", "stefanb@us.ibm.com", "--issuer", "https://sigstore.verify.ibm.com/oauth2"]
    if expect == _KEY:
        key = folder / "signer.pub"
        key.write_bytes(signer_key().pem)
        options = ["--public-key", key]
    ran = aibom("verify", release, *options, "--json")
    assert ran.code == code, ran.out
    report: Json = json.loads(ran.out)
    return report


def signer_key() -> VerificationKey:
    """The vectors by a key and by a certificate are of one key; only the certificate holds it."""
    bundle = json.loads((_VECTORS / "valid/certificate.bundle.json").read_bytes())
    leaf = bundle["verificationMaterial"]["x509CertificateChain"]["certificates"][0]["rawBytes"]
    key = x509.load_der_x509_certificate(base64.b64decode(leaf)).public_key()
    return VerificationKey(key)  # type: ignore[arg-type]
