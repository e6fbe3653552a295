"""What went wrong at a service, in words: an error without the token, and with what to do next.

The clients' errors share no base and are often empty, so the chain of causes is read: an HTTP answer, a failed
connection, or an answer that means nothing.
"""

import json
import re
from collections.abc import Iterator
from ssl import SSLCertVerificationError
from urllib.parse import urlsplit

from aibom.core.errors import SigningError

RETRY = "nothing was written; check the network and the service, then run the same command again"
_UNTRUSTED = (
    "nothing was written; check the address and the clock of this computer; if the service has a certificate by your "
    "own authority, name that authority's file in REQUESTS_CA_BUNDLE"
)
_JWT = re.compile(r"[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
_BODY = re.compile(r",?\s*body=.*", re.DOTALL)
_LONGEST = 300
_FIRST_REFUSAL, _FIRST_FAULT = 400, 500


def service_error(service: str, url: str, error: BaseException, *, refusal: str = RETRY) -> SigningError:
    """Tell of a service that did not do its part. `refusal` is the advice when it understood and said no."""
    status, words = _answer(error)
    if status:
        hint = refusal if _FIRST_REFUSAL <= status < _FIRST_FAULT else RETRY
        said = f": {words}" if words else ""
        return SigningError(f"{service} did not sign: it answered {status}{said}", where=address(url), hint=hint)
    if any(isinstance(link, TimeoutError) for link in _chain(error)):
        return SigningError(f"{service} did not answer in time", where=address(url), hint=RETRY)
    reason = _no_connection(error)
    if reason:
        hint = _UNTRUSTED if any(isinstance(link, SSLCertVerificationError) for link in _chain(error)) else RETRY
        return SigningError(f"{service} cannot be reached: {reason}", where=address(url), hint=hint)
    reason = without_secrets(str(error)) or type(error).__name__
    return SigningError(
        f"{service} did not sign: its answer cannot be used ({reason})",
        where=address(url),
        hint=f"check that the address is that of the service; {RETRY}",
    )


def without_secrets(text: str) -> str:
    """One bounded line of a library's words; what looks like a token, and what a service sent, is left out."""
    line = _BODY.sub(")", " ".join(text.split())) if "(" in text else _BODY.sub("", " ".join(text.split()))
    return _JWT.sub("(token)", line)[:_LONGEST]


def address(url: str) -> str:
    """The address without a user and password in it."""
    host = urlsplit(url).netloc
    return url.replace(host, host.rpartition("@")[2], 1) if "@" in host else url


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _answer(error: BaseException) -> tuple[int, str]:
    """Status and message of the HTTP answer behind an error; 0 if there is none."""
    for link in _chain(error):
        response = getattr(link, "response", None)  # not a truth value: an answer that refuses counts as false
        if response is not None:
            return int(response.status_code), _message(str(response.text)[:10_000])
    return 0, ""


def _message(body: str) -> str:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    message = document.get("message") if isinstance(document, dict) else None
    return without_secrets(message) if isinstance(message, str) else ""


def _no_connection(error: BaseException) -> str:
    """The operating system's reason, or the library's word for a connection that failed; else empty."""
    links = list(_chain(error))
    for link in reversed(links):
        if isinstance(link, OSError) and link.strerror:
            return without_secrets(link.strerror)
    broken = any(isinstance(link, OSError) and not isinstance(link, ValueError) for link in links)
    return "the connection failed" if broken else ""
