"""Which identity signs: a token that was given, else the CI job's own, else a person who logs in. Always said."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aibom.cli.render.layout import safe
from aibom.cli.secrets import TOKEN_VARIABLE, given_token
from aibom.core.errors import SigningError, UsageError

if TYPE_CHECKING:
    from attest.signing.identity import IdentitySource
    from attest.signing.keyless import KeylessSigner

LOGIN_VARIABLE = "AIBOM_LOGIN"
_LOGINS = ("browser", "code", "never")
_NONE = (
    f"set {TOKEN_VARIABLE} or give --identity-token-file FILE|-; in CI, let the job have one: on GitHub `permissions: "
    "id-token: write`, on GitLab `id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore`, elsewhere see docs/ci.md; on a "
    "terminal, log in with a browser"
)


def keyless_signer(trust_config: Path | None, token_file: str | None) -> "KeylessSigner":
    """Make a signer at a private instance, or at the public one. Raises SigningError, TrustError or UsageError."""
    from attest.signing.keyless import KeylessSigner, load_trust_config, login_address  # a quarter of a second

    config = load_trust_config(trust_config)
    return KeylessSigner(config, find_identity(token_file, lambda: login_address(config)))


def find_identity(source: str | None, issuer: Callable[[], str]) -> "IdentitySource":
    """The first identity that is to be had, in the order above. `issuer` is only called for a login.

    AIBOM_LOGIN=browser or code asks a person even in a CI job; never asks nobody. Raises SigningError or UsageError.
    """
    from attest.signing.identity import GOOGLE, ambient_identity, given_identity, login, platform

    given = given_token(source)
    if given:
        return _said(given_identity(given[0]), f"the identity token {given[1]}")
    wanted = _login()
    if wanted not in {"browser", "code"}:
        ambient = ambient_identity()
        if ambient:
            return _said(ambient, f"this job, as {(platform() or GOOGLE).name} vouches for it")
    if wanted == "never" or not _has_person(asked=bool(wanted)):
        raise SigningError("there is no identity token", where="keyless signing", hint=_NONE)
    url = issuer()
    return _said(login(url, in_browser=wanted != "code"), f"a login at {url}")


def _login() -> str:
    wanted = os.environ.get(LOGIN_VARIABLE, "")
    if wanted and wanted not in _LOGINS:
        raise UsageError(f"{LOGIN_VARIABLE} must be one of {', '.join(_LOGINS)}, found {wanted[:40]!r}")
    return wanted


def _has_person(*, asked: bool) -> bool:
    """Whether somebody sits there who can log in: a terminal to ask on, and no CI system around it."""
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    return on_terminal and (asked or not os.environ.get("CI"))


def _said(identity: "IdentitySource", origin: str) -> "IdentitySource":
    click.echo(f"Identity    {safe(identity.token().identity)}: {safe(origin)}", err=True)
    return identity
