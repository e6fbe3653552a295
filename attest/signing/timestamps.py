"""Have a time-stamping authority say when a signature was there (RFC 3161 over HTTP, section 3.4).

What comes back must be granted, for this very request (nonce) and these very bytes (imprint), and hold the certificate
that buyers need. Whose it is and whether its signature holds can only be checked with the authority's root.
"""

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from urllib.parse import urlsplit

import requests
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from aibom.core.errors import SigningError, UsageError
from attest.signing.certificate import load_certificates
from attest.signing.signer import Stamp
from attest.timestamp_response import in_der_order

_MAX_RESPONSE = 256 * 1024
_SHA256 = "2.16.840.1.101.3.4.2.1"
_RETRY = "nothing was written; run the same command again later, or with another --timestamp-url"


class TimestampService:
    """Asks one authority; each stamp is one request."""

    def __init__(self, url: str, roots: Sequence[x509.Certificate] = (), *, seconds: float = 30) -> None:
        """Take an address, the authority's certificates if they are known, and how long an answer may take.

        Raises UsageError for an address that is none.
        """
        _require_address(url)
        self._url = url
        self._roots = roots
        self._seconds = seconds

    def describe(self) -> str:
        """Whose word the time is."""
        return f"timestamped by {self._url}" + ("" if self._roots else ", unchecked (no --timestamp-ca)")

    def stamp(self, message: bytes) -> Stamp:
        """Have the SHA-256 of `message` stamped. Raises SigningError."""
        request = (
            TimestampRequestBuilder()
            .data(message)
            .hash_algorithm(HashAlgorithm.SHA256)
            .nonce(nonce=True)
            .cert_request(cert_request=True)
            .build()
        )
        raw = in_der_order(self._post(request.as_bytes()))  # as it is kept, too: for other readers
        try:
            response = decode_timestamp_response(raw)
            problem = _problem(response, request, message) or _distrust(response, self._roots, message)
            moment = None if problem else response.tst_info.gen_time
        except (ValueError, TypeError) as error:
            raise self._refuse("its answer is not a timestamp") from error
        if moment is None:
            raise self._refuse(problem)
        return Stamp(raw, moment.astimezone(UTC))

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        deadline = time.monotonic() + self._seconds
        try:
            with requests.post(
                self._url, data=body, headers=headers, timeout=self._seconds, stream=True, allow_redirects=False
            ) as answer:
                if answer.status_code not in {200, 201}:
                    elsewhere = ", an address elsewhere, which is not followed" if answer.is_redirect else ""
                    raise self._refuse(f"it answers with the HTTP status {answer.status_code}{elsewhere}")
                return self._read(answer, deadline)
        except requests.RequestException as error:
            raise SigningError(
                f"the time-stamping authority cannot be reached ({type(error).__name__})", where=self._url, hint=_RETRY
            ) from error

    def _read(self, answer: requests.Response, deadline: float) -> bytes:
        received = bytearray()
        for piece in answer.iter_content(4096):
            received += piece
            if len(received) > _MAX_RESPONSE:
                raise self._refuse(f"its answer is longer than {_MAX_RESPONSE:,} bytes")
            if time.monotonic() > deadline:
                raise self._refuse(f"its answer takes longer than {self._seconds:g} seconds")
        return bytes(received)

    def _refuse(self, reason: str) -> SigningError:
        return SigningError(f"the time-stamping authority gave no timestamp: {reason}", where=self._url, hint=_RETRY)


def _require_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            "a time-stamping authority needs an http or https address",
            where="--timestamp-url",
            hint="for example --timestamp-url https://timestamp.example.com",
        )
    if parts.username or parts.password:
        raise UsageError(
            "a secret in an address is seen by everybody on this computer",
            where="--timestamp-url",
            hint="give the address without user and password",
        )


def _problem(response: TimeStampResponse, request: TimeStampRequest, message: bytes) -> str:
    """What is wrong with an answer; empty if nothing is."""
    if response.status != PKIStatus.GRANTED:
        said = "; ".join(response.status_string)[:200]
        return f"it refused (status {response.status}{f': {said}' if said else ''})"
    imprint = response.tst_info.message_imprint
    if imprint.hash_algorithm.dotted_string != _SHA256 or imprint.message != hashlib.sha256(message).digest():
        return "it stamped something else than the signature"
    if response.tst_info.nonce != request.nonce:
        return "it answered another request than ours"
    if not response.signed_data.certificates:
        return "it left its certificate out, without which nobody could check it"
    return ""


def _distrust(response: TimeStampResponse, roots: Sequence[x509.Certificate], message: bytes) -> str:
    """Why an answer does not hold against the authority's certificates, as buyers will check it; empty if it does."""
    if not roots:
        return ""
    try:
        VerifierBuilder(roots=list(roots)).build().verify_message(response, message)
    except VerificationError:
        return "its timestamp does not hold against the certificates in --timestamp-ca"
    return ""


def load_timestamp_roots(path: Path) -> tuple[x509.Certificate, ...]:
    """Read the certificates of a time-stamping authority from PEM. Raises SigningError."""
    return tuple(load_certificates(path))
