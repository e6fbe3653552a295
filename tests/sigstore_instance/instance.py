"""The instance as tests hold it: all services on one port, tokens for them, and documents for their clients."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from tests.sigstore_instance.crypto import utc_now
from tests.sigstore_instance.ct_log import CertificateLog
from tests.sigstore_instance.fulcio import Fulcio
from tests.sigstore_instance.oidc import Issuer
from tests.sigstore_instance.rekor_v1 import RekorV1
from tests.sigstore_instance.rekor_v2 import RekorV2
from tests.sigstore_instance.server import JsonObject, LoopbackServer, Routes
from tests.sigstore_instance.timestamps import TimestampAuthority
from tests.sigstore_instance.trust import ClientDocuments, Services


class SigstoreInstance:
    """A private Sigstore instance; several may run side by side and share nothing.

    ``certificate_lifetime`` is how many seconds Fulcio's certificates last, ``fulcio_clock`` and ``tsa_clock`` what
    Fulcio and the timestamp authority believe the time to be. The port is taken from construction on: use ``with``, or
    ``stop``.
    """

    def __init__(
        self,
        *,
        certificate_lifetime: int = 600,
        fulcio_clock: Callable[[], datetime] = utc_now,
        tsa_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._server = LoopbackServer()
        self._issuer = Issuer(self.url)
        ct_log = CertificateLog()
        self._services = Services(
            fulcio=Fulcio(ct_log, timedelta(seconds=certificate_lifetime), fulcio_clock),
            ct_log=ct_log,
            rekor_v1=RekorV1(self._server.authority),
            rekor_v2=RekorV2(self._server.authority),
            timestamps=TimestampAuthority(tsa_clock),
        )
        self._documents = ClientDocuments(self.url, self._services)
        self.trust_issuer_of(self)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of every service, and the issuer of every token."""
        return self._server.url

    def start(self) -> None:
        """Begin to answer; an instance starts once."""
        self._server.start(self._routes())

    def stop(self) -> None:
        """Stop answering; what was signed stays verifiable. Harmless when already stopped."""
        self._server.stop()

    def identity_token(self, email: str | None = None, *, lifetime: int = 300, **claims: object) -> str:
        """Mint a token for a person by e-mail address, or for a machine by ``sub``; any claim may be given.

        A negative lifetime makes a token that has expired.
        """
        person = {} if email is None else {"email": email}
        return self._issuer.token({**person, **claims}, lifetime)

    def trust_issuer_of(self, other: "SigstoreInstance") -> None:
        """Let Fulcio accept the other instance's tokens as well."""
        self._services.fulcio.tokens.trust(other.url, other._issuer.jwks())  # noqa: SLF001 - of the same class

    def trusted_root(self) -> JsonObject:
        """What a verifier needs, and all it needs."""
        return self._documents.trusted_root()

    def signing_config(self, *, rekor: int = 1, timestamps: bool = False) -> JsonObject:
        """Where a signer finds the services; without timestamps, only Rekor 1 gives a bundle a time."""
        return self._documents.signing_config(rekor, timestamps=timestamps)

    def trust_config(self, *, rekor: int = 1, timestamps: bool = False) -> JsonObject:
        """Trusted root and signing configuration in one document, as clients take it."""
        return self._documents.trust_config(rekor, timestamps=timestamps)

    def _routes(self) -> Routes:
        services = self._services
        return {
            **self._issuer.routes(),
            **services.fulcio.routes(),
            **services.rekor_v1.routes(),
            **services.rekor_v2.routes(),
            **services.timestamps.routes(),
        }
