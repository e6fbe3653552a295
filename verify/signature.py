"""From a bundle to a verified statement. This module is the only maker of `VerifiedStatement`.

Steps, in this order; the first that fails ends in a finding:
 1. the bundle was signed in a way that the policy expects (a key, an identity with its issuer, or a certificate);
 2. key: its fingerprint is the hint's, and it accepts the signature over the payload;
    identity: certificate chain, trusted time, log entry and identity hold (sigstore-python), over this very payload;
    certificate: key, identity, trusted time and chain hold (`verify.certified`);
 3. the payload is a strict in-toto statement; its kind decides what its subjects must be.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aibom.core.errors import InputError
from aibom.core.finding import Finding, contradiction
from aibom.core.strictjson import parse_json_object
from attest.bundle import PAYLOAD_TYPE, Bundle, pre_authentication_encoding
from attest.statement import Statement, parse_any_statement
from verify.certificate import CertificateIdentity, claimed_names, is_from_sigstore, read_identity
from verify.certified import verify_certified
from verify.policy import ExpectedCertificate, ExpectedIdentity, ExpectedKey, Policy
from verify.trust import TrustRoot

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_CONFIRM = "do not use the release; ask the publisher, by a channel you trust, who signs it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed, as verified."""

    kind: str
    """`key`, `identity` or `certificate`."""
    identity: str
    """The identity, or the fingerprint of the key."""
    issuer: str = ""
    """Who vouched for the identity: an issuer of identities, or the subject of a root certificate."""
    time: str = ""
    """When, in UTC, if the signature carries a time that was verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedStatement:
    """A statement whose signature by an expected signer was verified."""

    path: str
    statement: Statement
    payload_sha256: str
    signer: Signer


def verify_bundle(
    bundle: Bundle, path: str, policy: Policy, trust: Callable[[], TrustRoot], now: datetime
) -> VerifiedStatement | Finding:
    """Carry out the steps above. `trust` is only called for a certificate; it may raise TrustError."""
    if not bundle.has_certificate:
        signer = _by_key(bundle, path, policy)
    elif is_from_sigstore(bundle.certificate):
        signer = _by_identity(bundle, path, policy, trust)
    else:
        signer = _by_certificate(bundle, path, policy, trust, now)
    if isinstance(signer, Finding):
        return signer
    try:
        statement = parse_any_statement(bundle.payload, path)
    except InputError as error:
        return contradiction("statement.malformed", error.message, where=error.where, hint=_CONFIRM)
    digest = hashlib.sha256(bundle.payload).hexdigest()
    return VerifiedStatement(path=path, statement=statement, payload_sha256=digest, signer=signer)


def _by_key(bundle: Bundle, path: str, policy: Policy) -> Signer | Finding:
    keys = [expected.key for expected in policy.expected if isinstance(expected, ExpectedKey)]
    if not keys:
        return _wrong_signer(path, policy, f"a signature by a key with the fingerprint {bundle.key_hint or 'unknown'}")
    candidates = [key for key in keys if not bundle.key_hint or bundle.key_hint in key.hints]
    if not candidates:
        return contradiction(
            "signature.wrong-key",
            "signed with another key than the one you expect",
            where=path,
            expected=" or ".join(key.fingerprint for key in keys),
            found=bundle.key_hint[:128],
            hint=_CONFIRM,
        )
    message = pre_authentication_encoding(bundle.payload)
    for key in candidates:
        if key.accepts(bundle.signature, message):
            return Signer(kind="key", identity=key.fingerprint)
    return contradiction(
        "signature.invalid",
        "the signature does not belong to this content and key: one of them was changed",
        where=f"{path}, dsseEnvelope.signatures[0].sig",
        expected=f"a signature by {' or '.join(key.fingerprint for key in candidates)}",
        hint=_CONFIRM,
    )


def _by_identity(bundle: Bundle, path: str, policy: Policy, trust: Callable[[], TrustRoot]) -> Signer | Finding:
    claimed = read_identity(bundle.certificate)
    identities = [expected for expected in policy.expected if isinstance(expected, ExpectedIdentity)]
    if not identities:
        return _wrong_signer(path, policy, f"a certificate for {claimed}")
    return _verify_certificate(bundle, path, identities, trust().root, claimed)


def _by_certificate(
    bundle: Bundle, path: str, policy: Policy, trust: Callable[[], TrustRoot], now: datetime
) -> Signer | Finding:
    expected = [one for one in policy.expected if isinstance(one, ExpectedCertificate)]
    if not expected:
        names, authority = claimed_names(bundle.certificate)
        claim = f"a certificate for {' and '.join(names) or 'nobody'}, issued by {authority or 'nobody'}"
        return _wrong_signer(path, policy, claim[:500])
    found = verify_certified(bundle, path, expected, trust, now)
    if isinstance(found, Finding):
        return found
    return Signer(kind="certificate", identity=found.identity, issuer=found.issuer, time=found.time)


class _Expectation:
    """A sigstore verification policy that accepts any of the expected identities and remembers a mismatch."""

    def __init__(self, identities: list[ExpectedIdentity]) -> None:
        self._identities = identities
        self.refused = False

    def verify(self, cert: "Certificate") -> None:
        from sigstore.errors import VerificationError  # heavy; only for certificates
        from sigstore.verify.policy import Identity

        for expected in self._identities:
            try:
                Identity(identity=expected.identity, issuer=expected.issuer).verify(cert)
            except VerificationError:
                continue
            return
        self.refused = True
        raise VerificationError("the certificate is for another identity")


def _verify_certificate(
    bundle: Bundle, path: str, identities: list[ExpectedIdentity], root: object, claimed: CertificateIdentity
) -> Signer | Finding:
    from sigstore.models import Bundle as SigstoreBundle  # heavy; only for certificates
    from sigstore.verify import Verifier

    expectation = _Expectation(identities)
    try:
        parsed = SigstoreBundle.from_json(bundle.raw)
        kind, payload = Verifier(trusted_root=root).verify_dsse(parsed, expectation)  # type: ignore[arg-type]
    except Exception as error:  # noqa: BLE001 -- the library leaks several types; whatever it is, nothing was verified
        return _refused(path, identities, claimed, error, mismatch=expectation.refused)
    if kind != PAYLOAD_TYPE or payload != bundle.payload:
        return contradiction(
            "signature.invalid", "two readers of this bundle see different content", where=path, hint=_CONFIRM
        )
    return Signer(kind="identity", identity=claimed.identity, issuer=claimed.issuer, time=_signing_time(bundle, path))


def _refused(
    path: str, identities: list[ExpectedIdentity], claimed: CertificateIdentity, error: Exception, *, mismatch: bool
) -> Finding:
    if mismatch:
        return contradiction(
            "signature.wrong-identity",
            "signed by another identity than the one you expect",
            where=path,
            expected=" or ".join(map(str, identities)),
            found=str(claimed),
            hint=_CONFIRM,
        )
    reason = str(error).strip().split("\n", 1)[0][:300] or type(error).__name__
    if "candidates exhausted" in reason:  # the library's words if the next certificate is not there
        reason = "its certificates, or those of its timestamp, lead to another Sigstore instance"
    return contradiction(
        "signature.invalid",
        f"the signature does not hold against the trust root: {reason}",
        where=path,
        expected=" or ".join(map(str, identities)),
        hint=f"{_CONFIRM}; or check that the trust root is that of the signer's Sigstore instance",
    )


def _signing_time(bundle: Bundle, path: str) -> str:
    """The time that sigstore-python verified: the log's, else the time-stamping authority's."""
    from rfc3161_client import decode_timestamp_response  # comes with sigstore

    material = parse_json_object(bundle.raw, path)["verificationMaterial"]
    entries = material.get("tlogEntries") or [{}]
    seconds = int(entries[0].get("integratedTime") or 0)
    if seconds:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    stamps = (material.get("timestampVerificationData") or {}).get("rfc3161Timestamps") or []
    if not stamps:
        return ""
    token = decode_timestamp_response(base64.b64decode(stamps[0]["signedTimestamp"]))
    return token.tst_info.gen_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _wrong_signer(path: str, policy: Policy, found: str) -> Finding:
    return contradiction(
        "signature.wrong-signer",
        "signed in another way than you expect",
        where=path,
        expected=" or ".join(map(str, policy.expected)),
        found=found,
        hint=_CONFIRM,
    )
