"""The timestamp authority: RFC 3161 over HTTP, its tokens signed as CMS with ESSCertIDv2 (RFC 5816)."""

import secrets
from collections.abc import Callable
from datetime import datetime

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.sigstore_instance.certificates import Authority, certificate_der
from tests.sigstore_instance.crypto import from_base64, sha256, sign
from tests.sigstore_instance.server import Answer, JsonObject, Refused, Request, Routes

_POLICY = "1.3.6.1.4.1.57264.2"
_SHA256 = {"algorithm": "sha256"}


class TimestampAuthority:
    """Says when it saw a digest, by the clock it was given."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        usage: ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING,
        *,
        critical: bool = True,
    ) -> None:
        self._clock = clock
        root = Authority.root("tsa-root")
        self._signer = root.timestamp_signer("tsa", usage, critical=critical)
        self._signer_der = certificate_der(self._signer.certificate)
        self.chain = [self._signer.certificate, root.certificate]

    def routes(self) -> Routes:
        return {("POST", "/api/v1/timestamp"): self._serve}

    def _serve(self, request: Request) -> Answer:
        # sigstore-js asks in JSON; the public authority takes both forms as well.
        as_json = request.headers.get("content-type", "").startswith("application/json")
        query = _query_from_json(request.json()) if as_json else tsp.TimeStampReq.load(request.body, strict=True)
        return Answer(self._reply(query), 201, "application/timestamp-reply")

    def reply(self, request: bytes) -> bytes:
        """Answer a request in the same process."""
        return self._reply(tsp.TimeStampReq.load(request, strict=True))

    def _reply(self, query: tsp.TimeStampReq) -> bytes:
        if query["message_imprint"]["hash_algorithm"]["algorithm"].native != "sha256":
            raise Refused("only SHA-256 digests are timestamped")
        # Token times count in seconds; rounding down keeps them out of the future.
        info = _token_info(query, self._clock().replace(microsecond=0)).dump()
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [_SHA256],
                "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(info)},
                "signer_infos": [self._signer_info(info)],
            }
        )
        if query["cert_req"].native:
            signed["certificates"] = [cms.CertificateChoices({"certificate": self._asn1_certificate()})]
        token = {"content_type": "signed_data", "content": signed}
        return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump())

    def _signer_info(self, info: bytes) -> cms.SignerInfo:
        attributes = self._signed_attributes(info)
        certificate = self._asn1_certificate()
        identifier = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
        return cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier({"issuer_and_serial_number": identifier}),
                "digest_algorithm": _SHA256,
                "signed_attrs": attributes,
                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                "signature": sign(self._signer.key, attributes.dump()),
            }
        )

    def _signed_attributes(self, info: bytes) -> cms.CMSAttributes:
        """Bind the token's content and, against substitution, the certificate of its signer."""
        certificate = tsp.ESSCertIDv2(
            {"hash_algorithm": algos.DigestAlgorithm(_SHA256), "cert_hash": sha256(self._signer_der)}
        )
        return cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "message_digest", "values": [sha256(info)]},
                {
                    "type": "signing_certificate_v2",
                    "values": [tsp.SigningCertificateV2({"certs": [certificate]})],
                },
            ]
        )

    def _asn1_certificate(self) -> asn1_x509.Certificate:
        return asn1_x509.Certificate.load(self._signer_der)


def _token_info(query: tsp.TimeStampReq, moment: datetime) -> tsp.TSTInfo:
    info = {
        "version": "v1",
        "policy": _POLICY,
        "message_imprint": query["message_imprint"],
        "serial_number": secrets.randbits(63),
        "gen_time": moment,
        "accuracy": {"seconds": 1},
    }
    if query["nonce"].native is not None:
        info["nonce"] = query["nonce"].native
    return tsp.TSTInfo(info)


def _query_from_json(wanted: JsonObject) -> tsp.TimeStampReq:
    imprint = {
        "hash_algorithm": {"algorithm": wanted["hashAlgorithm"].lower()},
        "hashed_message": from_base64(wanted["artifactHash"]),
    }
    query = {"version": "v1", "message_imprint": imprint, "cert_req": bool(wanted.get("certificates"))}
    if wanted.get("nonce"):
        query["nonce"] = wanted["nonce"]
    return tsp.TimeStampReq(query)
