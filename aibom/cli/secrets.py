"""Where secrets come from: the environment, a file, standard input or a prompt; never an argument."""

import os
import sys
from pathlib import Path

import click

from aibom.core.errors import SigningError

PASSPHRASE_VARIABLE = "AIBOM_KEY_PASSPHRASE"  # noqa: S105 -- the name of a variable
PIN_VARIABLE = "AIBOM_PKCS11_PIN"
TOKEN_VARIABLE = "SIGSTORE_IDENTITY_TOKEN"  # noqa: S105 -- the name of a variable
_MAX_TOKEN = 64 * 1024


def passphrase() -> str:
    """The passphrase of an encrypted key. Raises SigningError."""
    if PASSPHRASE_VARIABLE in os.environ:
        return os.environ[PASSPHRASE_VARIABLE]
    if not sys.stdin.isatty():
        raise SigningError(
            "the key is encrypted and there is no terminal to ask for its passphrase",
            hint=f"set {PASSPHRASE_VARIABLE}",
        )
    answer: str = click.prompt("Passphrase of the key", hide_input=True, err=True)
    return answer


def device_pin() -> str:
    """The PIN of a token or hardware security module. Raises SigningError."""
    if PIN_VARIABLE in os.environ:
        return os.environ[PIN_VARIABLE]
    if not sys.stdin.isatty():
        raise SigningError(
            "there is no terminal to ask for the PIN of the token",
            hint=f"set {PIN_VARIABLE}, or add pin-source=file:PATH to the URI",
        )
    answer: str = click.prompt("PIN of the token", hide_input=True, err=True)
    return answer


def given_token(source: str | None) -> tuple[str, str] | None:
    """(Identity token, where it came from): from a file, from standard input (`-`), or from the environment.

    None if there is none. Raises SigningError for a file that cannot be read.
    """
    if source == "-":
        return sys.stdin.read(_MAX_TOKEN), "from standard input"
    if source:
        try:
            with Path(source).open(encoding="utf-8") as file:
                return file.read(_MAX_TOKEN), f"from {source}"
        except (OSError, UnicodeDecodeError) as error:
            raise SigningError("cannot read the identity token", where=source, hint="check the path") from error
    token = os.environ.get(TOKEN_VARIABLE)
    return (token, f"from {TOKEN_VARIABLE}") if token else None
