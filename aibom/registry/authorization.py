"""Credentials for a registry, and the two ways to show them: basic, and a token from where the registry says.

Where they come from is left to oras: the Docker configuration and its credential helpers. Who gets to see them is not:
only the registry, or the token service that it names, over TLS or on this machine; never a place that it redirects to.
Source: OCI distribution specification 1.1; the Docker registry v2 authentication specification.
"""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import oras.auth  # type: ignore[import-untyped]
import oras.auth.utils  # type: ignore[import-untyped]
import oras.container  # type: ignore[import-untyped]
import requests

from aibom.core.errors import InputError, SourceError
from aibom.core.strictjson import parse_json_object
from aibom.registry.answers import bounded_body

_MAX_TOKEN = 64 * 1024
_MAX_CHALLENGE = 4096
"""The parser of oras takes quadratic time."""
_CONFIGURATION = "~/.docker/config.json"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password, which no representation shows."""

    username: str
    password: str = field(repr=False)


def basic_authorization(container: oras.container.Container, credentials: Credentials | None) -> str:
    """The value of a basic `Authorization` header, or nothing if there are no credentials for this registry.

    Raises SourceError, without a word of what it read, if the Docker configuration or its helper is broken.
    """
    backend = oras.auth.get_auth_backend("basic")
    if credentials:
        backend.set_basic_auth(credentials.username, credentials.password)
        return str(backend.get_auth_header()["Authorization"])
    try:
        backend.load_configs(container)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise SourceError(
            "the credentials for the registry cannot be read",
            where=_CONFIGURATION,
            hint="log in again with your container tool, or set AIBOM_REGISTRY_USERNAME and AIBOM_REGISTRY_PASSWORD",
        ) from None
    try:
        return str(backend.get_auth_header()["Authorization"])
    except AttributeError:  # how oras says that it found none
        return ""


def require_confidential(url: str, what: str) -> None:
    """Refuse to show a secret where others can read it. Raises SourceError."""
    address = urlsplit(url)
    if address.scheme != "https" and not is_loopback(address):
        raise SourceError(
            f"{what} would be sent over plain HTTP",
            where=address.hostname or "",
            hint="use a registry with TLS; plain HTTP is for registries without credentials, or on this machine",
        )


def is_loopback(address: SplitResult) -> bool:
    """Whether an address is this machine's own."""
    host = address.hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bearer_authorization(session: requests.Session, challenge: str, basic: str, plain_http: bool) -> str:
    """Ask the token service that the challenge names. Raises SourceError, or whatever `requests` does."""
    asked = oras.auth.utils.parse_auth_header(challenge[:_MAX_CHALLENGE])
    address = urlsplit(asked.realm or "")
    if address.scheme != "https" and not (plain_http and address.scheme == "http" and is_loopback(address)):
        raise SourceError("the registry names no token service with TLS", where=str(asked.realm)[:200])
    if basic:
        require_confidential(address.geturl(), "a password")
    parameters = {name: value for name, value in (("service", asked.service), ("scope", asked.scope)) if value}
    headers = {"Authorization": basic} if basic else {}
    with session.get(
        address.geturl(), params=parameters, headers=headers, stream=True, allow_redirects=False, timeout=(10, 60)
    ) as response:
        where = address.hostname or ""
        if response.status_code != 200:
            return ""
        return f"Bearer {_token(bounded_body(response, _MAX_TOKEN, where), where)}"


def _token(body: bytes, where: str) -> str:
    try:
        document = parse_json_object(body, where)
    except InputError as error:
        raise SourceError("the token service did not answer with a token", where=where) from error
    token = document.get("token") or document.get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise SourceError("the token service did not answer with a token", where=where)
    return token
