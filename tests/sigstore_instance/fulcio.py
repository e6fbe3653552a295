"""Fulcio: a short-lived certificate for whoever shows an identity token and proves possession of a key."""

from collections.abc import Callable
from datetime import datetime, timedelta

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from tests.sigstore_instance.certificates import Authority, certificate_pem, key_usage
from tests.sigstore_instance.crypto import from_base64, utc_now, verifies
from tests.sigstore_instance.ct_log import CertificateLog
from tests.sigstore_instance.identity import Identity, TokenVerifier
from tests.sigstore_instance.server import Answer, JsonObject, Refused, Request, Routes, json_answer


class Fulcio:
    """A root kept for its intermediate, an intermediate for leaves, and a log that sees every leaf first."""

    def __init__(self, ct_log: CertificateLog, lifetime: timedelta, clock: Callable[[], datetime] = utc_now) -> None:
        self.tokens = TokenVerifier()
        self._ct_log = ct_log
        self._lifetime = lifetime
        self._clock = clock
        root = Authority.root("fulcio-root")
        self._issuer = root.intermediate("fulcio-intermediate")
        self.chain = [self._issuer.certificate, root.certificate]

    def routes(self) -> Routes:
        return {("POST", "/api/v2/signingCert"): self._serve}

    def _serve(self, request: Request) -> Answer:
        wanted = request.json()
        identity = self.tokens.identity(_token(wanted, request))
        certificate = self._certify(_proven_key(wanted, identity), identity)
        chain = [certificate_pem(link) for link in (certificate, *self.chain)]
        return json_answer({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}})

    def _certify(self, key: ec.EllipticCurvePublicKey, identity: Identity) -> x509.Certificate:
        """Issue twice: poisoned for the log to see, then for use, with the log's timestamp.

        The log's signature covers the certificate without either extension. Both are therefore added to the same
        builder, in the same place: same serial number, same times, same order of all else.
        """
        builder = self._leaf(key, identity)
        precertificate = self._issuer.sign(builder.add_extension(x509.PrecertPoison(), critical=True))
        timestamps = self._ct_log.submit(precertificate, self._issuer.certificate)
        embedded = x509.UnrecognizedExtension(
            ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS, core.OctetString(timestamps).dump()
        )
        return self._issuer.sign(builder.add_extension(embedded, critical=False))

    def _leaf(self, key: ec.EllipticCurvePublicKey, identity: Identity) -> x509.CertificateBuilder:
        # Certificates count in seconds; rounding down keeps "now" inside.
        start = self._clock().replace(microsecond=0)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + self._lifetime)
            .add_extension(key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.SubjectAlternativeName([identity.name]), critical=True)
        )
        for extension in identity.extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder


def _token(wanted: JsonObject, request: Request) -> str:
    """Find the token: sigstore-js and cosign put it in the body, sigstore-python in a header."""
    credentials = wanted.get("credentials", {})
    token = credentials.get("oidcIdentityToken") or request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token:
        raise Refused("no identity token", 401)
    return str(token)


def _proven_key(wanted: JsonObject, identity: Identity) -> ec.EllipticCurvePublicKey:
    """Take the key to certify, once the client has shown that it holds the private half."""
    if "certificateSigningRequest" in wanted:
        key = _key_of_signing_request(from_base64(wanted["certificateSigningRequest"]))
    else:
        key = _key_of_public_key_request(wanted["publicKeyRequest"], identity.challenge)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused("only elliptic curve keys are certified")
    return key


def _key_of_signing_request(pem: bytes) -> object:
    request = x509.load_pem_x509_csr(pem)
    if not request.is_signature_valid:
        raise Refused("the signature on the certificate signing request does not verify")
    return request.public_key()


def _key_of_public_key_request(request: JsonObject, challenge: str) -> object:
    key = load_pem_public_key(request["publicKey"]["content"].encode())
    if not verifies(key, from_base64(request["proofOfPossession"]), challenge.encode()):
        raise Refused("the proof of possession does not verify")
    return key
