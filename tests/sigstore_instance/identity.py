"""From an identity token to what Fulcio will certify: the checks, the subject name, the extensions.

Extensions: https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md.
"""

from dataclasses import dataclass

import jwt
from asn1crypto import core
from cryptography import x509

from tests.sigstore_instance.oidc import AUDIENCE
from tests.sigstore_instance.server import JsonObject, Refused

_FULCIO_ARC = "1.3.6.1.4.1.57264.1"
_ISSUER_RAW, _ISSUER = 1, 8
_GITHUB = "https://github.com/"
# Superseded, and still written: raw bytes instead of a DER string.
_GITHUB_RAW = {"event_name": 2, "sha": 3, "workflow": 4, "repository": 5, "ref": 6}
_GITHUB_TEXTS = {
    "job_workflow_sha": 10,
    "runner_environment": 11,
    "sha": 13,
    "ref": 14,
    "repository_id": 15,
    "repository_owner_id": 17,
    "workflow_sha": 19,
    "event_name": 20,
    "repository_visibility": 22,
}
_GITHUB_URIS = {"job_workflow_ref": 9, "repository": 12, "repository_owner": 16, "workflow_ref": 18}


@dataclass(frozen=True)
class Identity:
    """What a certificate will say about its holder."""

    challenge: str
    """What a client without a certificate request signs to prove that it holds the key."""
    name: x509.GeneralName
    extensions: list[x509.UnrecognizedExtension]


class TokenVerifier:
    """Knows the issuers' public keys, and takes a token's word for nothing before its signature is checked."""

    def __init__(self) -> None:
        self._issuers: dict[str, jwt.PyJWKSet] = {}

    def trust(self, issuer: str, jwks: JsonObject) -> None:
        self._issuers[issuer] = jwt.PyJWKSet.from_dict(jwks)

    def identity(self, token: str) -> Identity:
        try:
            return _identity(self._claims(token))
        except jwt.PyJWTError as error:
            raise Refused(f"identity token refused: {error}", 401) from error

    def _claims(self, token: str) -> JsonObject:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        keys = self._issuers.get(str(issuer))
        if keys is None:
            raise Refused(f"identity token refused: issuer {issuer} is not configured", 401)
        return jwt.decode(
            token,
            _key_of(keys, token),
            algorithms=["ES256"],
            audience=AUDIENCE,
            issuer=issuer,
            options={"require": ["aud", "exp", "iat", "iss", "sub"]},
        )


def _key_of(keys: jwt.PyJWKSet, token: str) -> jwt.PyJWK:
    key_id = jwt.get_unverified_header(token).get("kid")
    for key in keys.keys:
        if key.key_id == key_id:
            return key
    raise Refused(f"identity token refused: its issuer has no key {key_id}", 401)


def _identity(claims: JsonObject) -> Identity:
    job = _job(claims)
    if job:
        return Identity(claims["sub"], x509.UniformResourceIdentifier(job), _extensions(claims))
    if "email" in claims:
        # Not "truthy": the text "false" is what a careless issuer sends.
        if claims.get("email_verified") is not True:
            raise Refused("identity token refused: its e-mail address is not verified", 401)
        return Identity(claims["email"], x509.RFC822Name(claims["email"]), _extensions(claims))
    return Identity(claims["sub"], x509.UniformResourceIdentifier(claims["sub"]), _extensions(claims))


def _job(claims: JsonObject) -> str:
    """The name that the public Fulcio gives to a job of GitHub, GitLab or Buildkite; empty for anybody else."""
    if "job_workflow_ref" in claims:
        return f"{_GITHUB}{claims['job_workflow_ref']}"
    if "ci_config_ref_uri" in claims:
        return f"https://{claims['ci_config_ref_uri']}"
    if "pipeline_slug" in claims:
        return f"https://buildkite.com/{claims['organization_slug']}/{claims['pipeline_slug']}"
    return ""


def _extensions(claims: JsonObject) -> list[x509.UnrecognizedExtension]:
    issuer = [_raw(_ISSUER_RAW, claims["iss"]), _text(_ISSUER, claims["iss"])]
    raw = [_raw(number, claims[name]) for name, number in _GITHUB_RAW.items() if name in claims]
    texts = [_text(number, claims[name]) for name, number in _GITHUB_TEXTS.items() if name in claims]
    uris = [_text(number, _GITHUB + claims[name]) for name, number in _GITHUB_URIS.items() if name in claims]
    return [*issuer, *raw, *texts, *uris]


def _raw(number: int, value: str) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_FULCIO_ARC}.{number}"), value.encode())


def _text(number: int, value: str) -> x509.UnrecognizedExtension:
    encoded = core.UTF8String(value).dump()
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_FULCIO_ARC}.{number}"), encoded)
