"""When a signature was made, as a time-stamping authority says (RFC 3161), if the reader expects that authority.

A timestamp is over the signature's bytes, as in every Sigstore bundle. Its own signature, its authority's certificate
(critical extended key usage, valid at that time, leading to a given root) and its imprint are for rfc3161-client.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509

from attest.certificate_chain import Authorities
from attest.certificates import UNREADABLE, strictly
from attest.timestamp_response import in_der_order

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": hashlib.sha256,
    "2.16.840.1.101.3.4.2.2": hashlib.sha384,
    "2.16.840.1.101.3.4.2.3": hashlib.sha512,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampAuthority:
    """An authority that the reader expects: its roots, and more if a Sigstore trust root says it."""

    authorities: Authorities
    signer: x509.Certificate | None = None
    """The certificate that it signs with, if it is known beforehand."""
    start: datetime | None = None
    end: datetime | None = None
    """Outside this time it is not believed; the end is included."""

    def vouches_at(self, moment: datetime) -> bool:
        """Whether the trust root lets it speak for `moment`."""
        return (self.start is None or self.start <= moment) and (self.end is None or moment <= self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Every time that was verified, the earliest first; or why there is none."""

    verified: tuple[datetime, ...] = ()
    problem: str = ""


def verify_timestamps(
    timestamps: Sequence[bytes], signature: bytes, authorities: Sequence[TimestampAuthority]
) -> Times:
    """Verify timestamps over a signature.

    One that is malformed or over something else spoils all: whoever put it there meant to deceive, or was deceived.
    One by an authority that nobody expects counts for nothing, and is no harm beside one that counts.
    """
    verified = []
    for token in timestamps:
        response = _decode(token)
        if response is None:
            return Times(problem="a timestamp in it cannot be read, or was refused by its authority")
        if not _is_over(response, signature):
            return Times(problem="a timestamp in it belongs to another signature")
        if any(_holds(response, signature, authority) for authority in authorities):
            verified.append(response.tst_info.gen_time.astimezone(UTC))
    if verified:
        return Times(verified=tuple(sorted(verified)))
    return Times(problem="no timestamp in it holds against a time-stamping authority that you expect")


def _decode(token: bytes) -> "TimeStampResponse | None":
    from rfc3161_client import PKIStatus, decode_timestamp_response  # heavy; only for timestamps

    try:
        response = decode_timestamp_response(in_der_order(token))
        whole = response.status == PKIStatus.GRANTED and response.tst_info.gen_time is not None
    except (ValueError, TypeError):
        return None
    return response if whole else None


def _is_over(response: "TimeStampResponse", signature: bytes) -> bool:
    imprint = response.tst_info.message_imprint
    digest = _DIGESTS.get(imprint.hash_algorithm.dotted_string)
    return digest is not None and digest(signature).digest() == imprint.message


def _holds(response: "TimeStampResponse", signature: bytes, authority: TimestampAuthority) -> bool:
    from rfc3161_client import VerificationError, VerifierBuilder  # heavy; only for timestamps

    verifier = VerifierBuilder(
        tsa_certificate=authority.signer,
        roots=list(authority.authorities.roots),
        intermediates=list(authority.authorities.intermediates),
    ).build()
    try:
        with strictly():  # its certificates are anybody's, and the set of them is not signed
            verifier.verify_message(response, signature)
    except (VerificationError, *UNREADABLE):
        return False
    return authority.vouches_at(response.tst_info.gen_time.astimezone(UTC))
