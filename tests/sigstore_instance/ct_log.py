"""The certificate transparency log: promises, in signed form, that it has seen a certificate (RFC 6962)."""

import struct
import time

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtensionOID

from tests.sigstore_instance.crypto import new_p256_key, public_key_der, sha256, sign
from tests.sigstore_instance.merkle import AppendOnlyLog
from tests.sigstore_instance.server import Refused

_VERSION_1 = 0
_CERTIFICATE_TIMESTAMP = 0
_TIMESTAMPED_ENTRY = 0
_PRECERTIFICATE = 1
_NO_EXTENSIONS = b"\x00\x00"
_SHA256, _ECDSA = 4, 3


class CertificateLog:
    """Takes precertificates; the log is there, its query interface is not."""

    def __init__(self) -> None:
        self._key = new_p256_key()
        self._log = AppendOnlyLog()
        self.public_key = public_key_der(self._key.public_key())
        self.log_id = sha256(self.public_key)

    def submit(self, precertificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
        """Log a precertificate; the answer is the list of its one timestamp, for the final certificate."""
        _check_issued(precertificate, issuer)
        milliseconds = time.time_ns() // 1_000_000
        entry = _entry(precertificate, issuer, milliseconds)
        self._log.append(struct.pack("!BB", _VERSION_1, _TIMESTAMPED_ENTRY) + entry)
        signature = sign(self._key, struct.pack("!BB", _VERSION_1, _CERTIFICATE_TIMESTAMP) + entry)
        timestamp = (
            struct.pack("!B32sQ", _VERSION_1, self.log_id, milliseconds)
            + _NO_EXTENSIONS
            + struct.pack("!BB", _SHA256, _ECDSA)
            + _with_length(signature)
        )
        return _with_length(_with_length(timestamp))


def _check_issued(precertificate: x509.Certificate, issuer: x509.Certificate) -> None:
    try:
        precertificate.verify_directly_issued_by(issuer)
        precertificate.extensions.get_extension_for_class(x509.PrecertPoison)
    except (InvalidSignature, ValueError, x509.ExtensionNotFound) as error:
        raise Refused(f"not a precertificate of this issuer: {error}") from error


def _entry(precertificate: x509.Certificate, issuer: x509.Certificate, milliseconds: int) -> bytes:
    """What both the leaf of the log and the signed timestamp cover, from the time on."""
    certificate = _without_poison(precertificate)
    return (
        struct.pack("!QH", milliseconds, _PRECERTIFICATE)
        + sha256(public_key_der(issuer.public_key()))
        + len(certificate).to_bytes(3, "big")
        + certificate
        + _NO_EXTENSIONS
    )


def _without_poison(precertificate: x509.Certificate) -> bytes:
    """The bytes that the final certificate will have once its timestamp list is taken out of them."""
    certificate = asn1_x509.TbsCertificate.load(precertificate.tbs_certificate_bytes)
    poison = ExtensionOID.PRECERT_POISON.dotted_string
    kept = [extension for extension in certificate["extensions"] if extension["extn_id"].dotted != poison]
    certificate["extensions"] = kept
    return bytes(certificate.dump(force=True))


def _with_length(raw: bytes) -> bytes:
    return struct.pack("!H", len(raw)) + raw
