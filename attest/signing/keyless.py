"""Sign with an identity token: a short-lived certificate and a public log instead of a key to keep (Sigstore)."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError
from sigstore.dsse import Statement
from sigstore.errors import Error
from sigstore.models import ClientTrustConfig
from sigstore.oidc import ExpiredIdentity, IdentityError, IdentityToken
from sigstore.sign import SigningContext

from aibom.core.errors import SigningError, TrustError

_MAX_CONFIG = 16 * 1024 * 1024
_RETRY = "nothing was written; check the network and the service, then run the same command again"


class KeylessSigner:
    """Signs each statement with a fresh certificate for one identity."""

    def __init__(self, config: ClientTrustConfig, token: IdentityToken) -> None:
        """Take a trust configuration and a token that is still valid."""
        self._context = SigningContext.from_trust_config(config)
        self._token = token

    def sign(self, payload: bytes) -> bytes:
        """Sign a statement and have it logged."""
        try:
            with self._context.signer(self._token) as signer:
                return signer.sign_dsse(Statement(payload)).to_json().encode("utf-8")
        except ExpiredIdentity:
            raise SigningError(
                "the identity token has expired", where="identity token", hint="get a fresh token and sign again"
            ) from None
        except Exception as error:  # noqa: BLE001 -- the client's service errors share no public base; any of them ends here
            _refuse(error)

    def describe(self) -> str:
        """Identity and issuer of the token."""
        return f"{self._token.identity} (vouched for by {self._token.federated_issuer})"


def keyless_signer(trust_config: Path | None, token: Callable[[], str]) -> KeylessSigner:
    """Make a signer for a private instance, or for the public one if `trust_config` is None.

    Raises SigningError for a token that cannot be used, TrustError for a configuration that cannot.
    """
    raw = token()
    try:
        identity = IdentityToken(raw.strip())
    except IdentityError:
        # The cause may quote the token: it is dropped on purpose.
        raise SigningError(
            "not a usable identity token (expired, for another audience, or not a token at all)",
            where="identity token",
            hint="get a fresh token with the audience 'sigstore'",
        ) from None
    return KeylessSigner(_trust_config(trust_config), identity)


def _trust_config(path: Path | None) -> ClientTrustConfig:
    if path is None:
        return _public_instance()
    try:
        with path.open("rb") as file:
            return ClientTrustConfig.from_json(file.read(_MAX_CONFIG).decode("utf-8"))
    except OSError as error:
        raise TrustError(f"cannot read the trust configuration: {error.strerror}", where=str(path)) from error
    except (Error, ValidationError, ValueError) as error:
        raise TrustError(
            "not a Sigstore client trust configuration",
            where=str(path),
            hint="expected JSON with trustedRoot and signingConfig",
        ) from error


def _public_instance() -> ClientTrustConfig:
    try:
        return ClientTrustConfig.production()
    except (Error, OSError) as error:
        raise TrustError(
            "the public Sigstore instance cannot be reached",
            hint="check the network, or give --trust-config for a private instance",
        ) from error


def _refuse(error: Exception) -> NoReturn:
    reason = str(error).strip().split("\n", 1)[0][:300] or type(error).__name__
    raise SigningError(f"the signing service did not sign: {reason}", where="keyless signing", hint=_RETRY) from error
