"""The private Sigstore instance itself: unmodified clients accept it, and it refuses what the public one refuses."""

import base64
import http.client
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from sigstore.dsse import DigestSet, Statement, StatementBuilder, Subject
from sigstore.errors import VerificationError
from sigstore.models import Bundle, ClientTrustConfig, TrustedRoot
from sigstore.oidc import IdentityToken, detect_credential
from sigstore.sign import SigningContext
from sigstore.verify import Verifier, policy

from tests.sigstore_instance import SigstoreInstance
from tests.sigstore_instance.certificates import Authority
from tests.sigstore_instance.crypto import sha256
from tests.sigstore_instance.ct_log import CertificateLog
from tests.sigstore_instance.merkle import inclusion_path, leaf_hash, root_hash
from tests.sigstore_instance.server import Refused

EMAIL = "release@modelco.example"
ARTIFACT = b"weights"
REPOSITORY = "modelco/classifier"
WORKFLOW = f"{REPOSITORY}/.github/workflows/release.yml@refs/tags/v1"
# Rekor generation, and whether the timestamp authority is asked. Rekor 2 has no clock of its own.
CONFIGURATIONS = [(1, False), (1, True), (2, True)]

Post = Callable[..., tuple[int, dict[str, Any]]]
Json = dict[str, Any]


@dataclass(frozen=True)
class Signed:
    """What remains of an instance that signed and then stopped."""

    issuer: str
    root: TrustedRoot
    artifacts: dict[tuple[int, bool], Bundle]
    statements: dict[tuple[int, bool], Bundle]

    @property
    def signer(self) -> policy.Identity:
        return policy.Identity(identity=EMAIL, issuer=self.issuer)


def statement() -> Statement:
    subject = Subject(name="model.safetensors", digest=DigestSet({"sha256": "ab" * 32}))
    return StatementBuilder([subject], "https://modelco.example/release", {"outcome": "tested"}).build()


def sign_both(
    sigstore: SigstoreInstance, token: str, *, rekor: int, timestamps: bool, artifact: bytes = ARTIFACT
) -> tuple[Bundle, Bundle]:
    """Sign an artifact and a statement; both go through their JSON form, as bundles on disk do."""
    config = ClientTrustConfig.from_json(json.dumps(sigstore.trust_config(rekor=rekor, timestamps=timestamps)))
    with SigningContext.from_trust_config(config).signer(IdentityToken(token)) as signer:
        made = signer.sign_artifact(artifact), signer.sign_dsse(statement())
    return Bundle.from_json(made[0].to_json()), Bundle.from_json(made[1].to_json())


def load_root(document: Json, folder: Path) -> TrustedRoot:
    path = folder / "trusted_root.json"
    path.write_text(json.dumps(document))
    return TrustedRoot.from_file(str(path))


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """Everything signed by an instance that no longer answers."""
    artifacts, statements = {}, {}
    with SigstoreInstance() as sigstore:
        for rekor, timestamps in CONFIGURATIONS:
            pair = sign_both(sigstore, sigstore.identity_token(EMAIL), rekor=rekor, timestamps=timestamps)
            artifacts[rekor, timestamps], statements[rekor, timestamps] = pair
        root = load_root(sigstore.trusted_root(), tmp_path_factory.mktemp("trust"))
    return Signed(sigstore.url, root, artifacts, statements)


@pytest.fixture(scope="module")
def running() -> Iterator[SigstoreInstance]:
    with SigstoreInstance() as sigstore:
        yield sigstore


@pytest.fixture(scope="module")
def post(running: SigstoreInstance) -> Post:
    """Send JSON to the running instance as a client of another make would."""

    def send(path: str, document: Json, **headers: str) -> tuple[int, Json]:
        return exchange(running, "POST", path, json.dumps(document), headers)

    return send


def exchange(
    sigstore: SigstoreInstance, method: str, path: str, body: str | None = None, headers: Json | None = None
) -> tuple[int, Json]:
    connection = http.client.HTTPConnection(sigstore.url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def base64_text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def spki(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def signing_request(key: ec.EllipticCurvePrivateKey) -> Json:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return {"certificateSigningRequest": base64_text(pem)}


def canonical_body(bundle: Bundle) -> Json:
    """What the log holds of a bundle."""
    entry = json.loads(bundle.to_json())["verificationMaterial"]["tlogEntries"][0]
    body: Json = json.loads(base64.b64decode(entry["canonicalizedBody"]))
    return body


# Clients


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.usefixtures("no_network")
def test_artifacts_verify_once_the_instance_has_stopped(signed: Signed, configuration: tuple[int, bool]) -> None:
    bundle = signed.artifacts[configuration]
    Verifier(trusted_root=signed.root).verify_artifact(ARTIFACT, bundle, signed.signer)
    with pytest.raises(VerificationError, match="digest mismatch"):
        Verifier(trusted_root=signed.root).verify_artifact(b"other", bundle, signed.signer)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.usefixtures("no_network")
def test_statements_verify_once_the_instance_has_stopped(signed: Signed, configuration: tuple[int, bool]) -> None:
    bundle = signed.statements[configuration]
    kind, payload = Verifier(trusted_root=signed.root).verify_dsse(bundle, signed.signer)
    assert kind == "application/vnd.in-toto+json"
    assert json.loads(payload)["predicate"] == {"outcome": "tested"}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_bundles_take_their_time_from_where_they_were_told(signed: Signed, configuration: tuple[int, bool]) -> None:
    rekor, timestamps = configuration
    material = json.loads(signed.artifacts[configuration].to_json())["verificationMaterial"]
    entry = material["tlogEntries"][0]
    assert bool(material.get("timestampVerificationData", {}).get("rfc3161Timestamps")) is timestamps
    assert ("inclusionPromise" in entry) is (rekor == 1)
    assert entry["kindVersion"]["version"] == ("0.0.1" if rekor == 1 else "0.0.2")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"identity": "someone@modelco.example"}, "SANs do not match"),
        ({"issuer": "https://issuer.example"}, "OIDCIssuer does not match"),
    ],
    ids=["identity", "issuer"],
)
def test_another_signer_is_refused(signed: Signed, wrong: dict[str, str], message: str) -> None:
    other = policy.Identity(**{"identity": EMAIL, "issuer": signed.issuer, **wrong})
    with pytest.raises(VerificationError, match=message):
        Verifier(trusted_root=signed.root).verify_artifact(ARTIFACT, signed.artifacts[1, False], other)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_the_root_of_a_second_instance_is_refused(
    signed: Signed, running: SigstoreInstance, tmp_path: Path, configuration: tuple[int, bool]
) -> None:
    rekor, _ = configuration
    # Rekor 2 leaves the time to the timestamp authority, and a verifier begins with the time.
    message = "signature does not match" if rekor == 1 else "not enough sources of verified time"
    verifier = Verifier(trusted_root=load_root(running.trusted_root(), tmp_path))
    with pytest.raises(VerificationError, match=message):
        verifier.verify_artifact(ARTIFACT, signed.artifacts[configuration], signed.signer)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("certificateAuthorities", "signature does not match"),
        ("ctlogs", "failed to verify SCT"),
        ("tlogs", "checkpoint: invalid signature"),
        ("timestampAuthorities", "not enough sources of verified time"),
    ],
)
def test_no_part_of_the_root_may_be_a_second_instances(
    running: SigstoreInstance, tmp_path: Path, part: str, message: str
) -> None:
    with SigstoreInstance() as sigstore:
        bundle, _ = sign_both(sigstore, sigstore.identity_token(EMAIL), rekor=2, timestamps=True)
    mixed = {**sigstore.trusted_root(), part: running.trusted_root()[part]}
    expected = policy.Identity(identity=EMAIL, issuer=sigstore.url)
    Verifier(trusted_root=load_root(sigstore.trusted_root(), tmp_path)).verify_artifact(ARTIFACT, bundle, expected)
    with pytest.raises(VerificationError, match=message):
        Verifier(trusted_root=load_root(mixed, tmp_path)).verify_artifact(ARTIFACT, bundle, expected)


def test_every_service_has_keys_of_its_own(running: SigstoreInstance) -> None:
    root = running.trusted_root()
    chains = [part["certChain"] for part in root["certificateAuthorities"] + root["timestampAuthorities"]]
    certificates = [base64.b64decode(link["rawBytes"]) for chain in chains for link in chain["certificates"]]
    logs = [base64.b64decode(log["publicKey"]["rawBytes"]) for log in root["tlogs"] + root["ctlogs"]]
    issuer = jwt.PyJWKSet.from_dict(exchange(running, "GET", "/jwks")[1]).keys[0].key
    keys = [x509.load_der_x509_certificate(raw).public_key() for raw in certificates]
    assert len({*(spki(key) for key in keys), *logs, spki(issuer)}) == 8


def test_a_second_instance_can_be_trusted_as_issuer(running: SigstoreInstance, tmp_path: Path) -> None:
    with SigstoreInstance() as sigstore:
        sigstore.trust_issuer_of(running)
        bundle, _ = sign_both(sigstore, running.identity_token(EMAIL), rekor=1, timestamps=False)
        verifier = Verifier(trusted_root=load_root(sigstore.trusted_root(), tmp_path))
    verifier.verify_artifact(ARTIFACT, bundle, policy.Identity(identity=EMAIL, issuer=running.url))


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_timestamp_outside_the_certificate_lifetime_is_refused(hours: int, tmp_path: Path) -> None:
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(hours=hours)

    with SigstoreInstance(tsa_clock=clock) as sigstore:
        bundle, _ = sign_both(sigstore, sigstore.identity_token(EMAIL), rekor=2, timestamps=True)
        verifier = Verifier(trusted_root=load_root(sigstore.trusted_root(), tmp_path))
    with pytest.raises(VerificationError, match="valid at validation time"):
        verifier.verify_artifact(ARTIFACT, bundle, policy.Identity(identity=EMAIL, issuer=sigstore.url))


def test_certificates_last_as_long_as_the_instance_was_told() -> None:
    with SigstoreInstance(certificate_lifetime=77) as sigstore:
        bundle, _ = sign_both(sigstore, sigstore.identity_token(EMAIL), rekor=1, timestamps=False)
    certificate = bundle.signing_certificate
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(seconds=77)


def test_a_workflow_signs_with_its_ambient_credential(
    running: SigstoreInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = f"sub=repo:{REPOSITORY}:ref:refs/tags/v1&job_workflow_ref={WORKFLOW}&repository={REPOSITORY}"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{running.url}/token?{claims}")
    token = detect_credential()
    assert token is not None
    bundle, _ = sign_both(running, token, rekor=1, timestamps=False, artifact=b"by a workflow")
    expected = policy.AllOf(
        [
            policy.Identity(identity=f"https://github.com/{WORKFLOW}", issuer=running.url),
            policy.OIDCSourceRepositoryURI(f"https://github.com/{REPOSITORY}"),
            policy.GitHubWorkflowRepository(REPOSITORY),
        ]
    )
    verifier = Verifier(trusted_root=load_root(running.trusted_root(), tmp_path))
    verifier.verify_artifact(b"by a workflow", bundle, expected)


# Fulcio


def test_fulcio_certifies_the_key_that_was_proven(running: SigstoreInstance, post: Post) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    token = running.identity_token(EMAIL)
    status, answer = post("/api/v2/signingCert", signing_request(key), Authorization=f"Bearer {token}")
    chain = answer["signedCertificateEmbeddedSct"]["chain"]["certificates"]
    leaf, *authorities = [x509.load_pem_x509_certificate(pem.encode()) for pem in chain]
    assert status == 200
    assert leaf.public_key() == key.public_key()
    leaf.verify_directly_issued_by(authorities[0])
    authorities[0].verify_directly_issued_by(authorities[1])
    timestamps = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps)
    assert len(timestamps.value) == 1
    with pytest.raises(x509.ExtensionNotFound):
        leaf.extensions.get_extension_for_class(x509.PrecertPoison)


def refusal_of(post: Post, token: str) -> tuple[int, str]:
    """What Fulcio says to a token that comes with a sound signing request."""
    request = signing_request(ec.generate_private_key(ec.SECP256R1()))
    status, answer = post("/api/v2/signingCert", request, Authorization=f"Bearer {token}")
    return status, answer.get("message", "certified")


@pytest.mark.parametrize(
    ("lifetime", "claims", "reason"),
    [
        (300, {"email_verified": False}, "not verified"),
        (300, {"email_verified": "true"}, "not verified"),
        (300, {"aud": "elsewhere"}, "Audience"),
        (300, {"iss": "https://issuer.example"}, "not configured"),
        (-10, {}, "expired"),
    ],
    ids=["unverified", "verified as text", "audience", "issuer", "expired"],
)
def test_fulcio_refuses_tokens(running: SigstoreInstance, post: Post, lifetime: int, claims: Json, reason: str) -> None:
    status, message = refusal_of(post, running.identity_token(EMAIL, lifetime=lifetime, **claims))
    assert status == 401
    assert reason in message


def parts_of(token: str) -> tuple[Json, Json]:
    """A genuine token's claims, and the header that names the issuer's key."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return claims, {"kid": jwt.get_unverified_header(token)["kid"]}


def test_fulcio_refuses_a_forged_token(running: SigstoreInstance, post: Post) -> None:
    claims, headers = parts_of(running.identity_token(EMAIL))
    forged = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers=headers)
    status, message = refusal_of(post, forged)
    assert status == 401
    assert "Signature verification failed" in message


def test_fulcio_refuses_an_unsigned_token(running: SigstoreInstance, post: Post) -> None:
    claims, headers = parts_of(running.identity_token(EMAIL))
    assert refusal_of(post, jwt.encode(claims, "", "none", headers=headers))[0] == 401


def test_fulcio_refuses_the_issuer_of_a_second_instance(post: Post) -> None:
    with SigstoreInstance() as second:
        status, message = refusal_of(post, second.identity_token(EMAIL))
    assert status == 401
    assert "not configured" in message


def test_fulcio_refuses_a_signing_request_that_its_key_did_not_sign(running: SigstoreInstance, post: Post) -> None:
    request = signing_request(ec.generate_private_key(ec.SECP256R1()))
    pem = base64.b64decode(request["certificateSigningRequest"])
    own = x509.load_pem_x509_csr(pem)
    raw = bytearray(own.public_bytes(serialization.Encoding.DER))
    raw[-1] ^= 1  # within the signature, which stands last
    broken = x509.load_der_x509_csr(bytes(raw)).public_bytes(serialization.Encoding.PEM)
    headers = {"Authorization": f"Bearer {running.identity_token(EMAIL)}"}
    status, answer = post("/api/v2/signingCert", {"certificateSigningRequest": base64_text(broken)}, **headers)
    assert status == 400
    assert "signing request does not verify" in answer["message"]


@pytest.mark.parametrize(("signed_text", "expected"), [(EMAIL, 200), ("someone@modelco.example", 400)])
def test_fulcio_checks_possession_without_a_signing_request(
    running: SigstoreInstance, post: Post, signed_text: str, expected: int
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    request = {
        "credentials": {"oidcIdentityToken": running.identity_token(EMAIL)},
        "publicKeyRequest": {
            "publicKey": {"algorithm": "ECDSA", "content": pem.decode()},
            "proofOfPossession": base64_text(key.sign(signed_text.encode(), ec.ECDSA(hashes.SHA256()))),
        },
    }
    status, _ = post("/api/v2/signingCert", request)
    assert status == expected


def test_fulcio_refuses_a_request_without_a_token(post: Post) -> None:
    status, _ = post("/api/v2/signingCert", signing_request(ec.generate_private_key(ec.SECP256R1())))
    assert status == 401


def test_tokens_are_handed_to_bearers_only(running: SigstoreInstance) -> None:
    assert exchange(running, "GET", "/token?audience=sigstore")[0] == 401
    status, answer = exchange(running, "GET", "/token?audience=other", headers={"Authorization": "bearer run"})
    assert status == 200
    assert jwt.decode(answer["value"], options={"verify_signature": False})["aud"] == "other"


def test_timestamps_name_the_certificate_of_their_signer(
    running: SigstoreInstance, logged: dict[int, tuple[Bundle, Bundle]]
) -> None:
    material = json.loads(logged[1][0].to_json())["verificationMaterial"]
    raw = material["timestampVerificationData"]["rfc3161Timestamps"][0]["signedTimestamp"]
    reply = tsp.TimeStampResp.load(base64.b64decode(raw))
    signer = reply["time_stamp_token"]["content"]["signer_infos"][0]
    attributes = {each["type"].native: each["values"][0] for each in signer["signed_attrs"]}
    chain = running.trusted_root()["timestampAuthorities"][0]["certChain"]["certificates"]
    named = attributes["signing_certificate_v2"]["certs"][0]["cert_hash"].native
    assert named == sha256(base64.b64decode(chain[0]["rawBytes"]))


# Logs


def poisoned(authority: Authority, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(x509.Name([])).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(minutes=1))
    return authority.sign(builder.add_extension(x509.PrecertPoison(), critical=True))


def test_the_certificate_log_takes_precertificates_of_the_named_issuer_only() -> None:
    issuer, namesake = Authority.root("issuer"), Authority.root("issuer")
    precertificate = poisoned(issuer, ec.generate_private_key(ec.SECP256R1()))
    log = CertificateLog()
    assert log.log_id in log.submit(precertificate, issuer.certificate)
    with pytest.raises(Refused, match="not a precertificate"):
        log.submit(precertificate, namesake.certificate)
    with pytest.raises(Refused, match="not a precertificate"):
        log.submit(issuer.intermediate("not poisoned").certificate, issuer.certificate)


@pytest.fixture(scope="module")
def logged(running: SigstoreInstance) -> dict[int, tuple[Bundle, Bundle]]:
    """An artifact and a statement in each generation of Rekor."""
    return {
        rekor: sign_both(running, running.identity_token(EMAIL), rekor=rekor, timestamps=True, artifact=b"logged")
        for rekor in (1, 2)
    }


def other_digest(digest: str) -> str:
    """The digest of something else, in the same notation."""
    other = sha256(b"never signed")
    return other.hex() if len(digest) == 64 else base64_text(other)


def test_rekor_1_refuses_an_artifact_whose_signature_does_not_verify(
    logged: dict[int, tuple[Bundle, Bundle]], post: Post
) -> None:
    # For this kind of entry, the log holds exactly what was proposed.
    entry = canonical_body(logged[1][0])
    assert post("/api/v1/log/entries", entry)[0] == 409
    entry["spec"]["data"]["hash"]["value"] = other_digest(entry["spec"]["data"]["hash"]["value"])
    status, answer = post("/api/v1/log/entries", entry)
    assert (status, answer["message"]) == (400, "the signature does not verify; entry refused")


def proposed_statement(bundle: Bundle, **changed: object) -> Json:
    """A statement's entry as its signer proposes it."""
    # Compact, as sigstore-python writes it: the log holds a digest of this very text.
    envelope = {**json.loads(bundle.to_json())["dsseEnvelope"], **changed}
    text = json.dumps(envelope, separators=(",", ":"))
    verifier = canonical_body(bundle)["spec"]["signatures"][0]["verifier"]
    spec = {"proposedContent": {"envelope": text, "verifiers": [verifier]}}
    return {"kind": "dsse", "apiVersion": "0.0.1", "spec": spec}


def test_rekor_1_refuses_a_statement_whose_signature_does_not_verify(
    logged: dict[int, tuple[Bundle, Bundle]], post: Post
) -> None:
    bundle = logged[1][1]
    assert post("/api/v1/log/entries", proposed_statement(bundle))[0] == 409
    for changed in ({"payload": base64_text(b"{}")}, {"payloadType": "text/plain"}):
        status, answer = post("/api/v1/log/entries", proposed_statement(bundle, **changed))
        assert (status, answer["message"]) == (400, "the signature does not verify; entry refused")
    assert post("/api/v1/log/entries", proposed_statement(bundle, signatures=[]))[0] == 400


@pytest.mark.parametrize("kind", [0, 1], ids=["artifact", "statement"])
def test_rekor_2_refuses_an_entry_whose_signature_does_not_verify(
    logged: dict[int, tuple[Bundle, Bundle]], post: Post, kind: int
) -> None:
    held = canonical_body(logged[2][kind])["spec"]["hashedRekordV002"]
    request = {"digest": held["data"]["digest"], "signature": held["signature"]}
    assert post("/api/v2/log/entries", {"hashedRekordRequestV002": request})[0] == 409
    request["digest"] = other_digest(request["digest"])
    status, answer = post("/api/v2/log/entries", {"hashedRekordRequestV002": request})
    assert (status, answer["message"]) == (400, "the signature does not verify; entry refused")


def test_rekor_1_finds_entries_again(running: SigstoreInstance, logged: dict[int, tuple[Bundle, Bundle]]) -> None:
    index = logged[1][0].log_entry._inner.log_index  # noqa: SLF001 - no public name for it
    status, answer = exchange(running, "GET", f"/api/v1/log/entries?logIndex={index}")
    ((uuid, entry),) = answer.items()
    assert status == 200
    assert json.loads(base64.b64decode(entry["body"])) == canonical_body(logged[1][0])
    assert exchange(running, "GET", f"/api/v1/log/entries/{uuid}")[1][uuid]["logIndex"] == index
    assert exchange(running, "GET", "/api/v1/log/entries?logIndex=0")[0] == 404


@pytest.mark.parametrize("path", ["/api/v1/log/entries", "/api/v2/log/entries", "/api/v1/timestamp"])
def test_malformed_requests_are_refused(post: Post, path: str) -> None:
    status, answer = post(path, {"kind": "dsse"})
    assert status == 400
    assert answer["message"].startswith("malformed request")


def recomputed_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Follow a path upwards as RFC 9162, section 2.1.3.2, has verifiers do it."""
    node, last = index, size - 1
    root = leaf
    for sibling in path:
        if node % 2 or node == last:
            root = sha256(b"\x01" + sibling + root)
            while node % 2 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            root = sha256(b"\x01" + root + sibling)
        node, last = node >> 1, last >> 1
    assert last == 0
    return root


@pytest.mark.parametrize("size", range(1, 18))
def test_inclusion_paths_lead_to_the_root(size: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    for index, leaf in enumerate(leaves):
        path = inclusion_path(index, leaves)
        assert recomputed_root(leaf, index, size, path) == root_hash(leaves)


# The server


def test_a_stopped_instance_answers_nobody() -> None:
    with SigstoreInstance() as sigstore:
        assert exchange(sigstore, "GET", "/.well-known/openid-configuration")[1]["issuer"] == sigstore.url
        sigstore.stop()
        with pytest.raises(ConnectionRefusedError):
            exchange(sigstore, "GET", "/jwks")
        with pytest.raises(RuntimeError, match="starts once"):
            sigstore.start()


def test_an_instance_that_never_started_gives_its_port_back() -> None:
    sigstore = SigstoreInstance()
    address = ("127.0.0.1", int(sigstore.url.rpartition(":")[2]))
    with socket.socket() as taken, pytest.raises(OSError, match="in use"):
        taken.bind(address)
    sigstore.stop()
    with socket.socket() as free:
        free.bind(address)
        assert free.getsockname() == address


def test_unknown_rekor_generations_are_refused(running: SigstoreInstance) -> None:
    with pytest.raises(ValueError, match="rekor is 3"):
        running.trust_config(rekor=3)
