"""Rekor, second generation: a tile-backed log without a clock, which is why its bundles need timestamps.

API: https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md. The one kind of entry here is hashedrekord 0.0.2; it
serves attestations too, by the digest of what their signature is over.
"""

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.sigstore_instance.crypto import from_base64, public_key_der, sha256, to_base64, verifies_digest
from tests.sigstore_instance.merkle import AppendOnlyLog, InclusionProof, signed_note
from tests.sigstore_instance.server import Answer, JsonObject, Refused, Request, Routes, json_answer

_KEY_DETAILS = "PKIX_ECDSA_P256_SHA_256"
_ED25519_NOTE = b"\n\x01"


class RekorV2:
    """Checks what is submitted, logs its canonical form, and answers with proof and checkpoint."""

    def __init__(self, authority: str) -> None:
        # A log is named by its host alone; sigstore-go and cosign know it by nothing else.
        self.origin = f"rekor2.{authority.partition(':')[0]}"
        self._key = Ed25519PrivateKey.generate()
        self._log = AppendOnlyLog()
        public_key = self._key.public_key()
        self.public_key = public_key_der(public_key)
        # Here a log's identifier is that of its signed notes, so it depends on its name too: C2SP signed-note.
        self.log_id = sha256(self.origin.encode() + _ED25519_NOTE + public_key.public_bytes_raw())

    def routes(self) -> Routes:
        return {("POST", "/api/v2/log/entries"): self._create}

    def _create(self, request: Request) -> Answer:
        body = _canonical(request.json()["hashedRekordRequestV002"])
        return json_answer(self._document(body, self._log.append(body)), 201)

    def _document(self, body: bytes, proof: InclusionProof) -> JsonObject:
        # Numbers are texts and bytes are base64: this interface speaks proto3 JSON.
        return {
            "logIndex": str(proof.index),
            "logId": {"keyId": to_base64(self.log_id)},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "canonicalizedBody": to_base64(body),
            "inclusionProof": {
                "logIndex": str(proof.index),
                "rootHash": to_base64(proof.root_hash),
                "treeSize": str(proof.tree_size),
                "hashes": [to_base64(sibling) for sibling in proof.path],
                "checkpoint": {"envelope": self._checkpoint(proof)},
            },
        }

    def _checkpoint(self, proof: InclusionProof) -> str:
        text = proof.checkpoint(self.origin)
        return signed_note(text, self.origin, self.log_id, self._key.sign(text.encode()))


def _canonical(proposed: JsonObject) -> bytes:
    """Check a proposed entry and write what the log will hold of it."""
    digest, signature = proposed["digest"], proposed["signature"]
    verifier = signature["verifier"]
    if verifier["keyDetails"] != _KEY_DETAILS:
        raise Refused(f"unsupported kind of key: {verifier['keyDetails']}")
    certificate = verifier["x509Certificate"]["rawBytes"]
    key = x509.load_der_x509_certificate(from_base64(certificate)).public_key()
    if not verifies_digest(key, from_base64(signature["content"]), from_base64(digest)):
        raise Refused("the signature does not verify; entry refused")
    logged = {
        "data": {"algorithm": "SHA2_256", "digest": digest},
        "signature": {
            "content": signature["content"],
            "verifier": {"keyDetails": _KEY_DETAILS, "x509Certificate": {"rawBytes": certificate}},
        },
    }
    return rfc8785.dumps({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": logged}})
