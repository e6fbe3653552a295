"""What clients are configured with: the trusted root, the signing configuration, and both in one document.

Messages: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

from tests.sigstore_instance.certificates import BACKDATED, ORGANIZATION, certificate_der
from tests.sigstore_instance.crypto import to_base64, utc_now
from tests.sigstore_instance.ct_log import CertificateLog
from tests.sigstore_instance.fulcio import Fulcio
from tests.sigstore_instance.rekor_v1 import RekorV1
from tests.sigstore_instance.rekor_v2 import RekorV2
from tests.sigstore_instance.server import JsonObject
from tests.sigstore_instance.timestamps import TimestampAuthority

_P256, _ED25519 = "PKIX_ECDSA_P256_SHA_256", "PKIX_ED25519"
_REKOR_VERSIONS = (1, 2)


@dataclass(frozen=True)
class Services:
    """All whose keys a verifier must know."""

    fulcio: Fulcio
    ct_log: CertificateLog
    rekor_v1: RekorV1
    rekor_v2: RekorV2
    timestamps: TimestampAuthority


class ClientDocuments:
    """Writes them for one instance."""

    def __init__(self, url: str, services: Services) -> None:
        self._url = url
        self._services = services
        self._validity = {"start": (utc_now() - BACKDATED).strftime("%Y-%m-%dT%H:%M:%SZ")}

    def trusted_root(self) -> JsonObject:
        known = self._services
        v1, v2, ct_log = known.rekor_v1, known.rekor_v2, known.ct_log
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [
                self._log(self._url, v1.public_key, _P256, v1.log_id),
                self._log(f"https://{v2.origin}", v2.public_key, _ED25519, v2.log_id),
            ],
            "certificateAuthorities": [self._authority(known.fulcio.chain)],
            "ctlogs": [self._log(f"{self._url}/ct", ct_log.public_key, _P256, ct_log.log_id)],
            "timestampAuthorities": [self._authority(known.timestamps.chain)],
        }

    def signing_config(self, rekor: int, *, timestamps: bool) -> JsonObject:
        if rekor not in _REKOR_VERSIONS:
            raise ValueError(f"rekor is {rekor}, expected one of {_REKOR_VERSIONS}")
        return {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [self._service("")],
            "oidcUrls": [self._service("")],
            "rekorTlogUrls": [self._service("", version=rekor)],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": [self._service("/api/v1/timestamp")] if timestamps else [],
            "tsaConfig": {"selector": "ANY"},
        }

    def trust_config(self, rekor: int, *, timestamps: bool) -> JsonObject:
        return {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": self.trusted_root(),
            "signingConfig": self.signing_config(rekor, timestamps=timestamps),
        }

    def _log(self, url: str, key: bytes, details: str, log_id: bytes) -> JsonObject:
        return {
            "baseUrl": url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {"rawBytes": to_base64(key), "keyDetails": details, "validFor": self._validity},
            "logId": {"keyId": to_base64(log_id)},
        }

    def _authority(self, chain: Sequence[x509.Certificate]) -> JsonObject:
        certificates = [{"rawBytes": to_base64(certificate_der(link))} for link in chain]
        return {
            "subject": {"organization": ORGANIZATION, "commonName": ORGANIZATION},
            "uri": self._url,
            "certChain": {"certificates": certificates},
            "validFor": self._validity,
        }

    def _service(self, path: str, *, version: int = 1) -> JsonObject:
        return {
            "url": f"{self._url}{path}",
            "majorApiVersion": version,
            "validFor": self._validity,
            "operator": ORGANIZATION,
        }
