"""Rekor, first generation: entries with an integrated time that the log promises by signature.

API: https://github.com/sigstore/rekor/blob/main/openapi.yaml. Of the kinds of entry: hashedrekord for artifacts and
dsse for attestations, both in version 0.0.1.
"""

import json
import secrets
import time
from dataclasses import dataclass, replace

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.sigstore_instance.crypto import (
    from_base64,
    new_p256_key,
    public_key_der,
    sha256,
    sign,
    to_base64,
    verifies,
    verifies_digest,
)
from tests.sigstore_instance.merkle import AppendOnlyLog, InclusionProof, leaf_hash, signed_note
from tests.sigstore_instance.server import Answer, JsonObject, Refused, Request, Routes, json_answer


@dataclass(frozen=True)
class _Entry:
    """A logged entry; its proof is made anew for whoever asks, since the tree grows."""

    body: bytes
    index: int
    integrated_time: int

    def promised(self, log_id: bytes) -> JsonObject:
        """The part of an answer that the signed entry timestamp covers."""
        return {
            "body": to_base64(self.body),
            "integratedTime": self.integrated_time,
            "logID": log_id.hex(),
            "logIndex": self.index,
        }


class RekorV1:
    """Checks what is submitted, logs its canonical form, and answers with promise, proof and checkpoint."""

    def __init__(self, authority: str) -> None:
        self._authority = authority
        self._origin = f"{authority} - {secrets.randbelow(2**62)}"
        self._key = new_p256_key()
        self._log = AppendOnlyLog()
        self._entries: dict[str, _Entry] = {}
        self.public_key = public_key_der(self._key.public_key())
        self.log_id = sha256(self.public_key)

    def routes(self) -> Routes:
        return {
            ("POST", "/api/v1/log/entries"): self._create,
            ("GET", "/api/v1/log/entries"): self._by_index,
            ("GET", "/api/v1/log/entries/*"): self._by_uuid,
        }

    def _create(self, request: Request) -> Answer:
        body = _canonical(request.json())
        proof = self._log.append(body)
        uuid = leaf_hash(body).hex()
        self._entries[uuid] = _Entry(body, proof.index, int(time.time()))
        answer = json_answer(self._document(uuid, proof), 201)
        return replace(answer, headers={"ETag": uuid, "Location": f"/api/v1/log/entries/{uuid}"})

    def _by_index(self, request: Request) -> Answer:
        wanted = int(request.query["logIndex"])
        for uuid, entry in list(self._entries.items()):
            if entry.index == wanted:
                return json_answer(self._document(uuid, self._log.prove(wanted)))
        raise Refused(f"no entry at log index {wanted}", 404)

    def _by_uuid(self, request: Request) -> Answer:
        uuid = request.path.rpartition("/")[2]
        entry = self._entries.get(uuid)
        if entry is None:
            raise Refused(f"no entry {uuid}", 404)
        return json_answer(self._document(uuid, self._log.prove(entry.index)))

    def _document(self, uuid: str, proof: InclusionProof) -> JsonObject:
        promised = self._entries[uuid].promised(self.log_id)
        inclusion = {
            "checkpoint": self._checkpoint(proof),
            "hashes": [sibling.hex() for sibling in proof.path],
            "logIndex": proof.index,
            "rootHash": proof.root_hash.hex(),
            "treeSize": proof.tree_size,
        }
        timestamp = to_base64(sign(self._key, rfc8785.dumps(promised)))
        return {uuid: {**promised, "verification": {"inclusionProof": inclusion, "signedEntryTimestamp": timestamp}}}

    def _checkpoint(self, proof: InclusionProof) -> str:
        text = proof.checkpoint(self._origin)
        return signed_note(text, self._authority, self.log_id, sign(self._key, text.encode()))


def _canonical(proposed: JsonObject) -> bytes:
    """Check a proposed entry and write what the log will hold of it."""
    kind = (proposed["kind"], proposed["apiVersion"])
    if kind == ("hashedrekord", "0.0.1"):
        spec = _hashedrekord(proposed["spec"])
    elif kind == ("dsse", "0.0.1"):
        spec = _dsse(proposed["spec"]["proposedContent"])
    else:
        raise Refused(f"unsupported kind of entry: {kind}")
    return rfc8785.dumps({"apiVersion": kind[1], "kind": kind[0], "spec": spec})


def _hashedrekord(spec: JsonObject) -> JsonObject:
    digest, signature = spec["data"]["hash"], spec["signature"]
    if digest["algorithm"] != "sha256":
        raise Refused(f"unsupported digest algorithm: {digest['algorithm']}")
    verifier = signature["publicKey"]["content"]
    if not verifies_digest(_key_of(verifier), from_base64(signature["content"]), bytes.fromhex(digest["value"])):
        raise Refused("the signature does not verify; entry refused")
    return {
        "data": {"hash": {"algorithm": "sha256", "value": digest["value"]}},
        "signature": {"content": signature["content"], "publicKey": {"content": verifier}},
    }


def _dsse(proposed: JsonObject) -> JsonObject:
    """Log digests of envelope and payload; the envelope's own text is not kept."""
    text = proposed["envelope"]
    envelope = json.loads(text)
    payload = from_base64(envelope["payload"])
    message = _pre_authentication_encoding(envelope["payloadType"].encode(), payload)
    signatures = [
        {"signature": each["sig"], "verifier": _verifier_of(each["sig"], message, proposed["verifiers"])}
        for each in envelope["signatures"]
    ]
    if not signatures:
        raise Refused("the envelope is not signed; entry refused")
    return {
        "envelopeHash": {"algorithm": "sha256", "value": sha256(text.encode()).hex()},
        "payloadHash": {"algorithm": "sha256", "value": sha256(payload).hex()},
        "signatures": signatures,
    }


def _pre_authentication_encoding(payload_type: bytes, payload: bytes) -> bytes:
    """What a DSSE signature is over: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md."""
    return b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type, len(payload), payload)


def _verifier_of(signature: str, message: bytes, verifiers: list[str]) -> str:
    for verifier in verifiers:
        if verifies(_key_of(verifier), from_base64(signature), message):
            return verifier
    raise Refused("the signature does not verify; entry refused")


def _key_of(verifier: str) -> PublicKeyTypes:
    pem = from_base64(verifier)
    if b"BEGIN CERTIFICATE" in pem:
        return x509.load_pem_x509_certificate(pem).public_key()
    return load_pem_public_key(pem)
