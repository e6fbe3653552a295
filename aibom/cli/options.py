"""The options that commands share, and what they compile into: a signer, or a policy."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aibom.core.errors import InputError, SigningError, UsageError

if TYPE_CHECKING:
    from attest.signing.signer import Signer
    from verify.policy import Expected

F = TypeVar("F", bound=Callable[..., Any])
PASSPHRASE_VARIABLE = "AIBOM_KEY_PASSPHRASE"  # noqa: S105 -- the name of a variable
TOKEN_VARIABLE = "SIGSTORE_IDENTITY_TOKEN"  # noqa: S105 -- the name of a variable
_MAX_TOKEN = 64 * 1024
_MAX_KEY = 64 * 1024

RELEASE = click.argument("release", metavar="PATH", type=click.Path(path_type=Path, readable=False))


def signer_options(command: F) -> F:
    """SIGNER: how to sign."""
    for option in (
        click.option(
            "--trust-config",
            type=click.Path(path_type=Path, readable=False),
            help="Sigstore instance to use (JSON file).",
        ),
        click.option(
            "--identity-token-file",
            metavar="FILE|-",
            help=f"File with the identity token, or - for standard input; else {TOKEN_VARIABLE}.",
        ),
        click.option("--keyless", is_flag=True, help="Sign with an identity token instead of a key (Sigstore)."),
        click.option(
            "--key", type=click.Path(path_type=Path, readable=False), help="Private key, PEM: ECDSA, Ed25519 or RSA."
        ),
    ):
        command = option(command)
    return command


def expect_options(command: F) -> F:
    """EXPECT: whom to expect as the signer."""
    for option in (
        click.option(
            "--trusted-root", type=click.Path(path_type=Path, readable=False), help="Sigstore trusted root (JSON file)."
        ),
        click.option(
            "--trust-config",
            type=click.Path(path_type=Path, readable=False),
            help="Sigstore trust configuration (JSON file).",
        ),
        click.option("--issuer", help="Who must have vouched for the identity, e.g. https://accounts.example.com."),
        click.option("--identity", help="Exact identity expected to have signed, e.g. release@example.com."),
        click.option(
            "--public-key",
            type=click.Path(path_type=Path, readable=False),
            help="Public key expected to have signed, PEM.",
        ),
    ):
        command = option(command)
    return command


def quiet_libraries() -> None:
    """Keep what a library logs off the terminal: what matters of it is in our own words."""
    import logging

    logging.getLogger("sigstore").addHandler(logging.NullHandler())


def make_signer(
    key: Path | None, *, keyless: bool, identity_token_file: str | None, trust_config: Path | None
) -> "Signer":
    """Make the one signer that was asked for. Raises UsageError, SigningError or TrustError."""
    if key is not None and keyless:
        raise UsageError("two ways to sign", hint="give --key FILE or --keyless, not both")
    if key is None and not keyless:
        raise UsageError("say how to sign", hint="give --key FILE, or --keyless")
    if key is not None:
        if identity_token_file or trust_config:
            raise UsageError("--identity-token-file and --trust-config go with --keyless, not with --key")
        from attest.signing.key import KeySigner, load_private_key

        return KeySigner(load_private_key(key, _passphrase))
    quiet_libraries()
    from attest.signing.keyless import keyless_signer  # a quarter of a second of imports

    return keyless_signer(trust_config, lambda: _identity_token(identity_token_file))


def expected_signers(public_key: Path | None, identity: str | None, issuer: str | None) -> "tuple[Expected, ...]":
    """Compile the options into the signers that count. Raises UsageError or InputError."""
    from attest.keys import load_public_key
    from verify.policy import Expected, ExpectedIdentity, ExpectedKey

    expected: list[Expected] = []
    if public_key is not None:
        expected.append(ExpectedKey(load_public_key(_read_key(public_key), str(public_key))))
    if identity or issuer:
        if not (identity and issuer):
            raise UsageError(
                "an identity means nothing without who vouched for it", hint="give both --identity and --issuer"
            )
        quiet_libraries()
        expected.append(ExpectedIdentity(identity, issuer))
    return tuple(expected)


def _passphrase() -> str:
    if PASSPHRASE_VARIABLE in os.environ:
        return os.environ[PASSPHRASE_VARIABLE]
    if not sys.stdin.isatty():
        raise SigningError(
            "the key is encrypted and there is no terminal to ask for its passphrase",
            hint=f"set {PASSPHRASE_VARIABLE}",
        )
    answer: str = click.prompt("Passphrase of the key", hide_input=True, err=True)
    return answer


def _identity_token(source: str | None) -> str:
    if source == "-":
        return sys.stdin.read(_MAX_TOKEN)
    if source:
        try:
            with Path(source).open(encoding="utf-8") as file:
                return file.read(_MAX_TOKEN)
        except (OSError, UnicodeDecodeError) as error:
            raise SigningError("cannot read the identity token", where=source) from error
    token = os.environ.get(TOKEN_VARIABLE)
    if not token:
        raise SigningError(
            "there is no identity token",
            hint=f"set {TOKEN_VARIABLE}, or give --identity-token-file with a file, or - for standard input",
        )
    return token


def _read_key(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_KEY)
    except OSError as error:
        raise InputError(
            f"cannot read the public key: {error.strerror}", where=str(path), hint="check the path"
        ) from error
