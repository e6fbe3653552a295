"""The OpenID Connect issuer: publishes its key and mints identity tokens for whoever the test wants to be."""

import secrets
import time

import jwt
from jwt.algorithms import ECAlgorithm

from tests.sigstore_instance.crypto import new_p256_key
from tests.sigstore_instance.login import LoginPage
from tests.sigstore_instance.server import Answer, JsonObject, Refused, Request, Routes, json_answer

AUDIENCE = "sigstore"
PERSON = "person@example.com"
"""Who logs in with a browser."""


class Issuer:
    """Vouches for identities without asking for a password; everything after that is real."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._key = new_p256_key()
        self._key_id = secrets.token_hex(8)
        self._login = LoginPage(self._person)

    def token(self, claims: JsonObject, lifetime: int) -> str:
        """Sign a token; given claims win over the usual ones, so that a test can bend any of them."""
        now = int(time.time())
        usual: JsonObject = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": claims.get("email", f"{self.url}/machine"),
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
        }
        if "email" in claims:
            usual["email_verified"] = True
        return jwt.encode(usual | claims, self._key, "ES256", headers={"kid": self._key_id})

    def jwks(self) -> JsonObject:
        """The public key, in the form that relying parties fetch."""
        key = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": self._key_id, "use": "sig", "alg": "ES256"}]}

    def routes(self) -> Routes:
        return {
            ("GET", "/.well-known/openid-configuration"): self._configuration,
            ("GET", "/jwks"): self._serve_jwks,
            ("GET", "/token"): self._serve_token,
            **self._login.routes(),
        }

    def _person(self) -> JsonObject:
        token = self.token({"email": PERSON, "sub": PERSON}, lifetime=300)
        return {"access_token": token, "id_token": token, "token_type": "bearer"}

    def _configuration(self, _: Request) -> Answer:
        document = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        return json_answer(document)

    def _serve_jwks(self, _: Request) -> Answer:
        return json_answer(self.jwks())

    def _serve_token(self, request: Request) -> Answer:
        """Answer as GitHub does at ACTIONS_ID_TOKEN_REQUEST_URL; further query parameters become claims."""
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Refused("the request carries no bearer token", 401)
        claims: JsonObject = dict(request.query)
        claims["aud"] = claims.pop("audience", AUDIENCE)
        return json_answer({"value": self.token(claims, lifetime=300)})
