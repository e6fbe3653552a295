"""Sign with an identity token: a short-lived certificate and a public log instead of a key to keep (Sigstore)."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography import x509
from pydantic import ValidationError
from sigstore.dsse import Statement
from sigstore.errors import Error
from sigstore.models import Bundle, ClientTrustConfig, InvalidBundle
from sigstore.sign import Signer, SigningContext
from sigstore.verify import Verifier, policy

from aibom.core.errors import SigningError, TrustError
from attest.signing.bounded import bounded
from attest.signing.failures import RETRY, address, service_error, without_secrets
from attest.signing.identity import IdentitySource

_TIMES = "%Y-%m-%dT%H:%M:%SZ"
_MAX_CONFIG = 16 * 1024 * 1024
_AUTHORITY, _LOG, _TIME = (
    "the certificate authority (Fulcio)",
    "the transparency log (Rekor)",
    "the timestamp authority",
)
_REFUSED = (
    "nothing was written; get a fresh identity token, check that this instance trusts its issuer, then run the same "
    "command again"
)
_NO_TIME = "nothing was written; check the address in signingConfig.tsaUrls, and who may use this authority"
_SKEW = f"check that the clocks of this machine and of the services agree; {RETRY}"


class KeylessSigner:
    """Signs each statement with a fresh certificate for one identity, and hands out only what verifies."""

    def __init__(self, config: ClientTrustConfig, identity: IdentitySource) -> None:
        """Take a trust configuration, and where tokens that are still valid come from."""
        self._config = config
        self._services = config.signing_config
        self._context = SigningContext.from_trust_config(config)
        self._identity = identity
        self._certified = ""

    def sign(self, payload: bytes) -> bytes:
        """Sign a statement, have it logged and timestamped, and verify the bundle as a buyer will."""
        bundle = self._logged(self._certificate(), payload)
        self._require_valid(bundle)
        self._certified = _name(bundle.signing_certificate)
        return bundle.to_json().encode("utf-8")

    def describe(self) -> str:
        """Identity and issuer: as certified once something was signed, before that as the token has it."""
        token = self._identity.token()
        return f"{self._certified or token.identity} (vouched for by {token.federated_issuer})"

    def _certificate(self) -> Signer:
        token = self._identity.token()
        try:
            return bounded(lambda: Signer(token, self._context))
        except Exception as error:  # noqa: BLE001 -- the client's errors share no public base; any of them ends here
            url = self._services.get_fulcio().url
            raise service_error(_AUTHORITY, url, error, refusal=_REFUSED) from None  # a cause may quote the token

    def _logged(self, signer: Signer, payload: bytes) -> Bundle:
        try:
            bundle = bounded(lambda: signer.sign_dsse(Statement(payload)))
        except Exception as error:
            if isinstance(error, InvalidBundle) and "timestamp" in str(error):
                raise self._no_time() from error
            url = str(getattr(self._services.get_tlogs()[0], "url", ""))
            if type(error).__name__ == "ExpiredCertificate":  # a class that the client does not make public
                raise SigningError(_expired(signer), where=address(url), hint=_SKEW) from error
            raise service_error(_LOG, url, error) from error
        found = bundle.verification_material.timestamp_verification_data
        if len(found.rfc3161_timestamps if found else ()) < len(self._services.get_tsas()):
            raise self._no_time()
        return bundle

    def _no_time(self) -> SigningError:
        """The client passes over an authority that fails; without its time, some bundles never verify.

        It does not say why either: each is asked once more, over nothing of ours, to find out.
        """
        clients = self._services.get_tsas()
        for client in clients:
            problem = _failure(partial(client.request_timestamp, b"nothing"))
            if problem:
                return _time_error(client.url, problem)
        if clients:
            wanted = ", ".join(address(client.url) for client in clients)
            return SigningError(f"{_TIME} gave no timestamp, and gives one now", where=wanted, hint=RETRY)
        return SigningError(
            "this log gives no time, and no timestamp authority is configured",
            where="signingConfig.tsaUrls",
            hint="nothing was written; use a trust configuration with a timestamp authority",
        )

    def _require_valid(self, bundle: Bundle) -> None:
        try:
            Verifier(trusted_root=self._config.trusted_root).verify_dsse(bundle, policy.UnsafeNoOp())
        except Exception as error:
            reason = without_secrets(str(error)) or type(error).__name__
            raise SigningError(
                f"the services signed, but their signature does not verify: {reason}",
                where="keyless signing",
                hint=f"check that the trust configuration belongs to these services; {_SKEW}",
            ) from error


def load_trust_config(path: Path | None) -> ClientTrustConfig:
    """Read the configuration of a private instance, or fetch the public one's if `path` is None. Raises TrustError."""
    if path is None:
        return _public_instance()
    try:
        with path.open("rb") as file:
            config = ClientTrustConfig.from_json(file.read(_MAX_CONFIG).decode("utf-8"))
        SigningContext.from_trust_config(config)  # it must name an authority and a log that can be used now
    except OSError as error:
        raise TrustError(f"cannot read the trust configuration: {error.strerror}", where=str(path)) from error
    except (Error, ValidationError, ValueError) as error:
        raise TrustError(
            "not a Sigstore client trust configuration",
            where=str(path),
            hint="expected JSON with trustedRoot and signingConfig",
        ) from error
    return config


def login_address(config: ClientTrustConfig) -> str:
    """Where a person logs in to this instance. Raises TrustError."""
    try:
        return config.signing_config.get_oidc_url()
    except Error as error:
        raise TrustError(
            "the trust configuration names nobody to log in at",
            where="signingConfig.oidcUrls",
            hint="give an identity token in another way (docs/ci.md)",
        ) from error


def _public_instance() -> ClientTrustConfig:
    try:
        return bounded(ClientTrustConfig.production)
    except Exception as error:  # the library leaks several types; without a configuration nothing is signed
        raise TrustError(
            "the public Sigstore instance cannot be reached",
            hint="check the network, or give --trust-config for a private instance",
        ) from error


def _failure(request: Callable[[], object]) -> Exception | None:
    """How a request fails, with its causes: to raise it where another error is being handled would drop them."""

    def attempt() -> Exception | None:
        try:
            request()
        except Exception as error:  # noqa: BLE001 -- as for the other services
            return error
        return None

    try:
        return bounded(attempt)
    except TimeoutError as error:
        return error


def _time_error(url: str, problem: Exception) -> SigningError:
    cause = problem.__context__
    if isinstance(cause, ValueError) and not isinstance(cause, OSError):  # the decoder's, in the words of ASN.1
        hint = f"check the address in signingConfig.tsaUrls; {RETRY}"
        return SigningError(f"{_TIME} gave no timestamp: its answer is not one", where=address(url), hint=hint)
    return service_error(_TIME, url, problem, refusal=_NO_TIME)


def _expired(signer: Signer) -> str:
    """What a clock that is far off looks like; its certificate is told of if the client lets it be found."""
    found = [held for held in vars(signer).values() if isinstance(held, x509.Certificate)]
    said = "the certificate had expired when it arrived"
    if not found:
        return said
    start, end = found[0].not_valid_before_utc, found[0].not_valid_after_utc
    now = datetime.now(UTC)
    return f"{said}: it is valid from {start:{_TIMES}} to {end:{_TIMES}}, and this computer has {now:{_TIMES}}"


def _name(certificate: x509.Certificate) -> str:
    """The one name that the certificate is for, as a buyer will have to expect it."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    found = [n.value for n in names if isinstance(n, (x509.RFC822Name, x509.UniformResourceIdentifier))]
    return found[0] if len(found) == 1 else ""
