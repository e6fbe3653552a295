"""SIGNER of `aibom link` and `aibom layout`: a private key, and nothing else."""

from dataclasses import fields
from typing import TYPE_CHECKING

from aibom.cli.secrets import passphrase
from aibom.cli.signers import SignerChoice
from aibom.core.errors import UsageError

if TYPE_CHECKING:
    from attest.signing.steps import StepSigner


def make_step_signer(choice: SignerChoice) -> "StepSigner":
    """Make the signer. Raises UsageError for any other way to sign than a key, and SigningError."""
    others = [field.name for field in fields(choice) if field.name != "key" and getattr(choice, field.name)]
    if others or choice.key is None:
        raise UsageError(
            "recorded steps and layouts are signed with a key: in-toto names who did a step by the id of a key",
            where=f"--{others[0].replace('_', '-')}" if others else "",
            hint="give --key FILE and nothing else; an identity or a certificate can sign the release itself",
        )
    from attest.signing.key import load_private_key
    from attest.signing.steps import StepSigner

    return StepSigner(load_private_key(choice.key, passphrase))
