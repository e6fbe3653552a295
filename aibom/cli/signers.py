"""SIGNER: the options that say how to sign, and the one signer that they mean."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aibom.cli.options import FILE
from aibom.cli.quiet import quiet_libraries
from aibom.cli.secrets import TOKEN_VARIABLE, passphrase
from aibom.core.errors import UsageError

if TYPE_CHECKING:
    from attest.signing.signer import Signer

_OPTIONS = (
    click.option("--key", type=FILE, help="Private key, PEM: ECDSA, Ed25519 or RSA."),
    click.option("--keyless", is_flag=True, help="Sign with an identity token instead of a key (Sigstore)."),
    click.option(
        "--identity-token-file",
        metavar="FILE|-",
        help=f"File with the identity token, or - for standard input; else {TOKEN_VARIABLE}, the CI job, a browser.",
    ),
    click.option("--trust-config", type=FILE, help="Sigstore instance to use (JSON file)."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerChoice:
    """What was given of `_OPTIONS`; a field for each."""

    key: Path | None = None
    keyless: bool = False
    identity_token_file: str | None = None
    trust_config: Path | None = None


def signer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command receives them as one `SignerChoice` called `signer`."""

    @functools.wraps(command)
    def call(**arguments: Any) -> Any:
        given = {field.name: arguments.pop(field.name) for field in fields(SignerChoice)}
        return command(signer=SignerChoice(**given), **arguments)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


def make_signer(choice: SignerChoice) -> "Signer":
    """Make the one signer that was asked for. Raises UsageError, SigningError or TrustError."""
    if choice.key is not None and choice.keyless:
        raise UsageError("two ways to sign", hint="give --key FILE or --keyless, not both")
    if choice.key is not None:
        if choice.identity_token_file or choice.trust_config:
            raise UsageError("--identity-token-file and --trust-config go with --keyless, not with --key")
        from attest.signing.key import KeyInMemory, KeySigner, load_private_key

        return KeySigner(KeyInMemory(load_private_key(choice.key, passphrase)))
    if not choice.keyless:
        raise UsageError("say how to sign", hint="give --key FILE, or --keyless")
    quiet_libraries()
    from aibom.cli.identity import keyless_signer

    return keyless_signer(choice.trust_config, choice.identity_token_file)
