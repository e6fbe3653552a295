"""A signature by a certificate of an ordinary authority (not Sigstore's): steps 1 and 2 of `verify.signature` for it.

1. the bundle carries nothing that nobody checks here (log entries);
2. the key of the leaf accepts the signature over the payload, by the algorithm of that key;
3. the leaf is for the identity that is expected, compared exactly;
4. the time: that of every verified timestamp, else now;
5. the chain to an expected root holds at that time, each certificate of it being valid then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509

from aibom.core.finding import Finding, contradiction, undecided
from attest.bundle import Bundle, pre_authentication_encoding
from attest.certificate_chain import Chain, build_chain, subject
from attest.certificates import UNREADABLE, load_certificate, names_of
from attest.keys import PublicKey, VerificationKey, key_problem
from verify.policy import ExpectedCertificate
from verify.timestamp import Times, TimestampAuthority, verify_timestamps
from verify.trust import TrustRoot, timestamp_authorities

_CLOCK_TOLERANCE = timedelta(minutes=5)
_CONFIRM = "do not use the release; ask the publisher, by a channel you trust, who signs it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """Who signed, as a certificate says that was verified."""

    identity: str
    issuer: str
    """The subject of the root."""
    time: str = ""


def verify_certified(
    bundle: Bundle, path: str, expected: Sequence[ExpectedCertificate], trust: Callable[[], TrustRoot], now: datetime
) -> Certified | Finding:
    """Carry out the steps above. `trust` is only called if a policy takes its time-stamping authorities from it."""
    try:
        leaf, *others = (load_certificate(der) for der in (bundle.certificate, *bundle.chain))
        names, key = names_of(leaf), leaf.public_key()
    except UNREADABLE:
        return contradiction("signature.malformed", "its certificates cannot be read", where=path, hint=_CONFIRM)
    if bundle.is_logged:
        return undecided(
            "signature.unsupported",
            "it carries entries of a transparency log, which are only checked for Sigstore identities",
            where=path,
            hint="ask the publisher for a signature without log entries, or for one by a Sigstore identity",
        )
    invalid = _signature_problem(bundle, key, path)
    if invalid:
        return invalid
    fitting = [one for one in expected if one.identity in names]
    if not fitting:
        return contradiction(
            "signature.wrong-identity",
            "signed by another identity than the one you expect",
            where=path,
            expected=" or ".join(map(str, expected)),
            found=" and ".join(names)[:500] or "a certificate without a name",
            hint=_CONFIRM,
        )
    results = [_judge(bundle, path, leaf, others, one, trust, now) for one in fitting]
    accepted = [result for result in results if isinstance(result, Certified)]
    refused = [result for result in results if isinstance(result, Finding)]
    return accepted[0] if accepted else min(refused, key=lambda finding: finding.rule == "signature.untrusted")


def _signature_problem(bundle: Bundle, key: object, path: str) -> Finding | None:
    problem = key_problem(key)
    if problem or not isinstance(key, PublicKey):
        return contradiction("signature.untrusted", f"its certificate is for {problem}", where=path, hint=_CONFIRM)
    if VerificationKey(key).accepts(bundle.signature, pre_authentication_encoding(bundle.payload)):
        return None
    return contradiction(
        "signature.invalid",
        "the signature does not belong to this content and certificate: one of them was changed",
        where=f"{path}, dsseEnvelope.signatures[0].sig",
        hint=_CONFIRM,
    )


def _judge(
    bundle: Bundle,
    path: str,
    leaf: x509.Certificate,
    others: list[x509.Certificate],
    expected: ExpectedCertificate,
    trust: Callable[[], TrustRoot],
    now: datetime,
) -> Certified | Finding:
    """Steps 4 and 5 for one expectation."""
    known = _authorities(bundle, expected, trust)
    times = verify_timestamps(bundle.timestamps, bundle.signature, known) if bundle.timestamps and known else Times()
    if times.problem:
        return contradiction(
            "signature.timestamp",
            f"the time of signing is not proven: {times.problem}",
            where=f"{path}, verificationMaterial.timestampVerificationData",
            hint="do not use the release; or check that --timestamp-ca is the root of the authority that stamped it",
        )
    if times.verified and times.verified[-1] > now + _CLOCK_TOLERANCE:
        return undecided(
            "signature.clock",
            f"it was timestamped at {_text(times.verified[-1])}, and this computer's clock says {_text(now)}",
            where=path,
            hint="set the clock of this computer, then verify again",
        )
    for moment in times.verified or (now,):
        chain = build_chain(leaf, others, expected.authorities, moment)
        if chain.problem:
            return _chain_finding(chain, path, moment, expected, bundle, is_proven=bool(times.verified))
    time = _text(times.verified[0]) if times.verified else ""
    return Certified(identity=expected.identity, issuer=subject(chain.certificates[-1]), time=time)


def _authorities(
    bundle: Bundle, expected: ExpectedCertificate, trust: Callable[[], TrustRoot]
) -> tuple[TimestampAuthority, ...]:
    if expected.timestamps is not None:
        return (TimestampAuthority(authorities=expected.timestamps),)
    return timestamp_authorities(trust()) if expected.timestamps_by_trust_root and bundle.timestamps else ()


def _chain_finding(
    chain: Chain, path: str, moment: datetime, expected: ExpectedCertificate, bundle: Bundle, *, is_proven: bool
) -> Finding:
    outside = chain.outside
    if chain.unknown_issuer:
        return _unknown_issuer(path, chain.unknown_issuer, expected)
    if outside is None:
        return contradiction("signature.untrusted", chain.problem, where=path, expected=str(expected), hint=_CONFIRM)
    of = subject(outside) or "the signer"
    lifetime = f"from {_text(outside.not_valid_before_utc)} to {_text(outside.not_valid_after_utc)}"
    if is_proven:
        return contradiction(
            "signature.outside-lifetime",
            f"it was signed at a time when the certificate of {of} was not valid",
            where=path,
            expected=f"a time {lifetime}",
            found=_text(moment),
            hint=_CONFIRM,
        )
    if moment < outside.not_valid_before_utc:
        return contradiction(
            "signature.outside-lifetime",
            f"the certificate of {of} is not valid yet",
            where=path,
            expected=f"a time {lifetime}",
            found=f"{_text(moment)}, by this computer's clock",
            hint="check the clock of this computer; if it is right, do not use the release",
        )
    return _expired(path, of, lifetime, moment, is_stamped=bool(bundle.timestamps))


def _unknown_issuer(path: str, issuer: str, expected: ExpectedCertificate) -> Finding:
    return contradiction(
        "signature.untrusted",
        "its certificate does not lead to an authority that you expect",
        where=path,
        expected=str(expected),
        found=f"it ends at {issuer}, whose certificate is neither in the signature nor in --ca"[:500],
        hint="if that authority is below the one you expect, ask the publisher to sign again with the whole --chain; "
        "else do not use the release",
    )


def _expired(path: str, of: str, lifetime: str, moment: datetime, *, is_stamped: bool) -> Finding:
    if is_stamped:
        return undecided(
            "signature.timestamp-unchecked",
            f"the certificate of {of} was valid {lifetime} and has expired; whether its timestamp shows that it was "
            "used before was not checked, for no time-stamping authority was given",
            where=path,
            hint="give --timestamp-ca with the root certificate of the authority that stamped it, from them",
        )
    return contradiction(
        "signature.certificate-expired",
        f"the certificate of {of} has expired, and there is no timestamp that would show that it was signed before",
        where=path,
        expected=f"a time {lifetime}",
        found=_text(moment),
        hint="ask the publisher to sign again with a timestamp (aibom sign --timestamp-url)",
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
