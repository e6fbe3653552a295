"""The browser login: OAuth 2.0 authorisation code flow with PKCE (RFC 6749, RFC 7636), for one person."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from tests.sigstore_instance.server import Answer, JsonObject, Refused, Request, Routes, json_answer

_CLIENT = "sigstore"
_NO_BROWSER = "urn:ietf:wg:oauth:2.0:oob"


@dataclass(frozen=True)
class _Grant:
    """What a code was given out for; it is good once, for whoever began the login."""

    challenge: str
    redirect: str


class LoginPage:
    """Asks for no password: whoever opens the page is the person of `identify`."""

    def __init__(self, identify: Callable[[], JsonObject]) -> None:
        self._identify = identify
        self._grants: dict[str, _Grant] = {}

    def routes(self) -> Routes:
        return {("GET", "/auth"): self._authorize, ("POST", "/token"): self._exchange}

    def _authorize(self, request: Request) -> Answer:
        asked = request.query
        if (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) != ("code", _CLIENT, "S256"):
            raise Refused("expected a code, for a known client, with a challenge")
        redirect, code = asked["redirect_uri"], secrets.token_urlsafe(16)
        self._grants[code] = _Grant(asked["code_challenge"], redirect)
        if redirect == _NO_BROWSER:
            return Answer(f"Your code: {code}".encode(), content_type="text/plain")
        if not redirect.startswith("http://localhost:"):
            raise Refused("sent on to a place that this client did not register")
        address = f"{redirect}?{urlencode({'code': code, 'state': asked['state']})}"
        return Answer(b"", 302, headers={"Location": address})

    def _exchange(self, request: Request) -> Answer:
        form = dict(parse_qsl(request.body.decode()))
        grant = self._grants.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if grant is None or form["grant_type"] != "authorization_code" or form["redirect_uri"] != grant.redirect:
            raise Refused("this code was not given out for that")
        if challenge.decode() != grant.challenge:
            raise Refused("the verifier does not belong to the challenge")
        return json_answer(self._identify())
