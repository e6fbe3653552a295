"""What a registry answers: bounded, and told in our own words, because an answer may hold anything."""

import re
from contextlib import suppress

import requests
from requests import exceptions

from aibom.core.errors import InputError, SourceError
from aibom.core.strictjson import parse_json_object

_MAX_ERROR = 64 * 1024
_CHUNK = 64 * 1024
_CODE = re.compile(r"[A-Z_]{1,40}")
_LATER = "check the network and the name of the registry, then run the command again: what was done is not done twice"


class PassingError(SourceError):
    """The registry has a problem of its own that may be over soon."""


def bounded_body(response: requests.Response, limit: int, where: str) -> bytes:
    """Read the body of an answer. Raises SourceError if it is longer than `limit`."""
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > limit:
            raise SourceError(
                f"the registry answered with more than {limit} bytes",
                where=where,
                hint="nothing was read from it; ask who runs the registry",
            )
    return bytes(body)


def refusal(response: requests.Response, what: str, where: str) -> SourceError:
    """An error for an answer that is not the one expected; of its text only a code of the specification is shown."""
    status = response.status_code
    code = ""
    with suppress(SourceError, InputError, OSError, KeyError, IndexError, TypeError):
        document = parse_json_object(bounded_body(response, _MAX_ERROR, where), where)
        code = str(document["errors"][0]["code"])
    said = f"{status} {code}" if _CODE.fullmatch(code) else f"{status}"
    if status >= 500 or status == 429:
        hint = "the registry has a problem of its own: run the command again later; what was done is not done twice"
        return PassingError(f"the registry refused {what} ({said})", where=where, hint=hint)
    hint = "check the reference, and that this is an OCI registry"
    if status in {401, 403}:
        hint = (
            "log in with your container tool, or set AIBOM_REGISTRY_USERNAME and AIBOM_REGISTRY_PASSWORD; "
            "check that the account may do this"
        )
    return SourceError(f"the registry refused {what} ({said})", where=where, hint=hint)


def unreachable(error: Exception, where: str) -> SourceError:
    """An error for a connection that could not be made or did not hold."""
    if isinstance(error, exceptions.SSLError):
        return SourceError(
            "no secure connection to the registry",
            where=where,
            hint="check its certificate; a registry without TLS needs --plain-http",
        )
    if isinstance(error, exceptions.Timeout):
        return SourceError("the registry did not answer in time", where=where, hint=_LATER)
    if isinstance(error, exceptions.ConnectionError):
        return SourceError("cannot reach the registry", where=where, hint=_LATER)
    return SourceError(f"the exchange with the registry failed: {type(error).__name__}", where=where, hint=_LATER)
