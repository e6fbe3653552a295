"""Where the identity of a keyless signer comes from: a token at hand, the CI job's own, or a login in a browser."""

import base64
import binascii
import contextlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sigstore.oidc import IdentityError, IdentityToken, Issuer, detect_credential

from aibom.core.errors import InputError, SigningError
from aibom.core.names import printable
from aibom.core.strictjson import Json, parse_json_object
from attest.signing.bounded import bounded
from attest.signing.failures import RETRY, address, without_secrets

AUDIENCE = "sigstore"
"""The audience that Sigstore's authorities ask for, the public one and private ones as they come."""
_SLACK = 5  # seconds, as sigstore-python grants


@dataclass(frozen=True, slots=True)
class Platform:
    """A CI system that vouches for its jobs: the variable by which it is known, and what a job must be granted."""

    name: str
    variable: str
    fix: str


PLATFORMS = (
    Platform("GitHub Actions", "GITHUB_ACTIONS", "give the job `permissions: id-token: write`; forks do not get it"),
    Platform("GitLab", "GITLAB_CI", f"give the job `id_tokens:` with SIGSTORE_ID_TOKEN and, as its `aud`, {AUDIENCE}"),
    Platform("Buildkite", "BUILDKITE", "run the step where `buildkite-agent oidc request-token` works"),
    Platform("CircleCI", "CIRCLECI", "run the job where `circleci run oidc get` works"),
)
GOOGLE = Platform(
    "Google Cloud",
    "GOOGLE_SERVICE_ACCOUNT_NAME",
    "give the machine a service account, or name one that it may impersonate in GOOGLE_SERVICE_ACCOUNT_NAME",
)


class IdentitySource:
    """Hands out a token that is valid now; one that ran out is asked for again where that needs no person."""

    def __init__(self, token: IdentityToken, ask_again: Callable[[], IdentityToken] | None = None) -> None:
        """Take the first token, and how to get the next without a person."""
        self._token = token
        self._ask_again = ask_again

    def token(self) -> IdentityToken:
        """A token that is valid now. Raises SigningError."""
        if not self._token.in_validity_period():
            if self._ask_again is None:
                raise SigningError(
                    "the identity token has expired",
                    where="identity token",
                    hint="nothing was written; get a fresh token and run the same command again",
                )
            self._token = self._ask_again()
        return self._token


def given_identity(raw: str) -> IdentitySource:
    """The identity of a token at hand. Raises SigningError that says what is wrong with it, never the token."""
    return IdentitySource(_token(raw))


def ambient_identity() -> IdentitySource | None:
    """The identity of the CI job that we run in, None outside of one.

    Raises SigningError with what the job must be granted, when its platform would not vouch for it.
    """
    token = _ambient_token()
    return None if token is None else IdentitySource(token, _ambient_again)


def login(issuer: str, *, in_browser: bool) -> IdentitySource:
    """Ask a person to log in at the issuer; without a browser they are shown an address and asked for a code.

    Raises SigningError.
    """
    try:
        provider = bounded(lambda: Issuer(issuer))
        with contextlib.redirect_stdout(sys.stderr):  # the library's question; standard output is for results
            return IdentitySource(provider.identity_token(force_oob=not in_browser))
    except Exception as error:
        reason = without_secrets(str(error)) or type(error).__name__
        raise SigningError(f"the login failed: {reason}", where=address(issuer), hint=RETRY) from error


def platform() -> Platform | None:
    """The CI system that says it runs us; Google's is known by its machines too, and is the last guess."""
    return next((known for known in (*PLATFORMS, GOOGLE) if os.environ.get(known.variable)), None)


def _ambient_token() -> IdentityToken | None:
    try:
        raw = bounded(lambda: detect_credential(AUDIENCE))
    except Exception as error:  # noqa: BLE001 -- the platform's tools and services fail in their own ways
        where = platform() or GOOGLE
        reason = without_secrets(str(error)) or type(error).__name__
        raise SigningError(
            f"{where.name} gave this job no identity token: {reason}",
            where="ambient identity",
            hint=f"{where.fix}; or give a token in another way (docs/ci.md)",
        ) from None  # the cause may quote what the platform sent
    return None if raw is None else _token(raw)


def _ambient_again() -> IdentityToken:
    token = _ambient_token()
    if token is None:
        raise SigningError("the CI job's identity token ran out and no new one is to be had", hint=RETRY)
    return token


def _token(raw: str) -> IdentityToken:
    text = raw.strip()
    _require_usable(_claims(text), datetime.now(UTC).timestamp())
    try:
        return IdentityToken(text, AUDIENCE)
    except IdentityError:
        # The cause may quote the token: it is dropped on purpose.
        raise _unusable("it lacks what every identity token has (aud, exp, iat, iss, sub)") from None


def _claims(text: str) -> Json:
    parts = text.split(".")
    if len(parts) != 3:
        raise _unusable("it is not a token in three parts (JWT)")
    try:
        return parse_json_object(base64.urlsafe_b64decode(parts[1] + "=="), "identity token")
    except (binascii.Error, ValueError, InputError):
        raise _unusable("its content cannot be read") from None


def _require_usable(claims: Json, now: float) -> None:
    """Audience and times, checked here for the words; the library checks them again."""
    audience = claims.get("aud")
    if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
        raise _unusable(f"it is for the audience {printable(str(audience)[:100])}, expected {AUDIENCE!r}")
    clock = f"and this machine's clock says {_time(now)}"
    expires, begins = _number(claims.get("exp")), max(_number(claims.get("iat")) - _SLACK, _number(claims.get("nbf")))
    if 0 < expires <= now:
        raise _unusable(f"it expired at {_time(expires)}, {clock}")
    if begins > now:
        raise _unusable(f"it is valid only from {_time(begins)}, {clock}")


def _unusable(reason: str) -> SigningError:
    return SigningError(
        f"not a usable identity token: {reason}",
        where="identity token",
        hint=f"nothing was written; get a fresh token with the audience {AUDIENCE!r}, and check the clock",
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and 0 < value < 1e11 else 0.0


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
