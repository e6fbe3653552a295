"""Have a time-stamping authority say when a signature was there (RFC 3161 over HTTP, section 3.4).

What comes back must be granted, for this very request (nonce) and these very bytes (imprint), and hold the certificate
that buyers need. Whose it is and whether its signature holds can only be checked with the authority's root.
"""

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from urllib.parse import urljoin, urlsplit

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
from attest.certificates import UNREADABLE, strictly
from attest.signing.certificate import load_certificates
from attest.signing.failures import address, service_error
from attest.signing.signer import Stamp
from attest.timestamp_response import in_der_order

_MAX_RESPONSE = 256 * 1024
_SHA256 = "2.16.840.1.101.3.4.2.1"
_AUTHORITY = "the time-stamping authority"
_RETRY = "nothing was written; run the same command again later, or with another --timestamp-url"
_ADDRESS = "nothing was written; check that --timestamp-url is that of a time-stamping authority (RFC 3161)"
_LOGIN = "nothing was written; it wants a login, or refuses this network, and we have none to give: use another one"
_ASK = "nothing was written; ask whoever runs it why, or use another --timestamp-url"
_LATER = frozenset({408, 425, 429})
_LOGINS = frozenset({401, 403, 407})
_FIRST_FAULT = 500
_SHOWN, _LONGEST = 3, 200


class _Direct(requests.Session):
    """Follows no redirect, and does not prepare to: requests would read such an answer's whole body for that."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere."""


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
            if response.status != PKIStatus.GRANTED:
                raise self._refuse(_refusal(response), _ASK)
            problem = _problem(response, request, message)
            if problem:
                raise self._refuse(problem, _ADDRESS)
            self._require_trusted(response, message)
            return Stamp(raw, response.tst_info.gen_time.astimezone(UTC))
        except (ValueError, TypeError) as error:
            raise self._refuse("its answer is not a timestamp", _ADDRESS) from error

    def _require_trusted(self, response: TimeStampResponse, message: bytes) -> None:
        """Refuse an answer that does not hold against the authority's certificates, as buyers will check it."""
        if not self._roots:
            return
        try:
            with strictly():
                VerifierBuilder(roots=list(self._roots)).build().verify_message(response, message)
        except (VerificationError, *UNREADABLE) as error:
            held = [_name(root.subject) for root in self._roots[:_SHOWN]]
            more = f" and {len(self._roots) - _SHOWN} more" if len(self._roots) > _SHOWN else ""
            raise self._refuse(
                f"its timestamp, by {_stamped_by(response)}, does not hold against --timestamp-ca",
                f"nothing was written; check --timestamp-ca: it must hold the root of this authority, and holds "
                f"{', '.join(held)}{more}",
            ) from error

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        deadline = time.monotonic() + self._seconds
        try:
            with (
                _Direct() as session,
                session.post(self._url, data=body, headers=headers, timeout=self._seconds, stream=True) as answer,
            ):
                if answer.status_code not in {200, 201}:
                    raise self._refuse(*_status_problem(answer))
                return self._read(answer, deadline)
        except requests.RequestException as error:
            raise service_error(_AUTHORITY, self._url, error) from error

    def _read(self, answer: requests.Response, deadline: float) -> bytes:
        received = bytearray()
        for piece in answer.iter_content(4096):
            received += piece
            if len(received) > _MAX_RESPONSE:
                raise self._refuse(f"its answer is longer than {_MAX_RESPONSE:,} bytes", _ADDRESS)
            if time.monotonic() > deadline:
                raise self._refuse(f"its answer takes longer than {self._seconds:g} seconds", _RETRY)
        return bytes(received)

    def _refuse(self, reason: str, hint: str) -> SigningError:
        return SigningError(f"{_AUTHORITY} gave no timestamp: {reason}", where=self._url, hint=hint)


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


def _status_problem(answer: requests.Response) -> tuple[str, str]:
    """What an HTTP status other than success means, and what to do about it."""
    status = answer.status_code
    said = f"it answers with the HTTP status {status}"
    if answer.is_redirect:
        return f"{said}, and is elsewhere: {_target(answer)}", (
            "nothing was written; no other address is followed: if you trust that one, give it as --timestamp-url"
        )
    if status in _LOGINS:
        return said, _LOGIN
    return said, _RETRY if status >= _FIRST_FAULT or status in _LATER else _ADDRESS


def _target(answer: requests.Response) -> str:
    try:
        return address(urljoin(answer.url, answer.headers["Location"]))[:_LONGEST]
    except ValueError:
        return "at an address that is none"


def _refusal(response: TimeStampResponse) -> str:
    said = "; ".join(response.status_string)[:_LONGEST]
    return f"it refused (status {response.status}{f': {said}' if said else ''})"


def _problem(response: TimeStampResponse, request: TimeStampRequest, message: bytes) -> str:
    """What is wrong with a granted answer; empty if nothing is."""
    imprint = response.tst_info.message_imprint
    if imprint.hash_algorithm.dotted_string != _SHA256 or imprint.message != hashlib.sha256(message).digest():
        return "it stamped something else than the signature"
    if response.tst_info.nonce != request.nonce:
        return "it answered another request than ours"
    if not response.signed_data.certificates:
        return "it left its certificate out, without which nobody could check it"
    return ""


def _stamped_by(response: TimeStampResponse) -> str:
    """Whom the timestamp says that it is by: a claim, for the person who has to find the right root."""
    signers = {(signer.issuer, signer.serial_number) for signer in response.signed_data.signer_infos}
    for der in response.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(der)
        if (certificate.issuer, certificate.serial_number) in signers:
            return f"{_name(certificate.subject)} (issued by {_name(certificate.issuer)})"
    return "somebody whose certificate is not in it"


def _name(name: x509.Name) -> str:
    return repr(name.rfc4514_string()[:_LONGEST])


def load_timestamp_roots(path: Path) -> tuple[x509.Certificate, ...]:
    """Read the certificates of a time-stamping authority from PEM. Raises SigningError."""
    return tuple(load_certificates(path))
