"""Who signs with `aibom link` and `aibom layout`: a private key, and nothing else.

in-toto names who did a step by the id of a key; an identity or a certificate has none.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aibom.cli.options import FILE
from aibom.cli.secrets import passphrase
from aibom.core.errors import UsageError

if TYPE_CHECKING:
    from attest.signing.steps import StepSigner

KEY = click.option("--key", type=FILE, help="Private key, PEM: ECDSA, Ed25519 or RSA.")


def make_step_signer(key: Path | None) -> "StepSigner":
    """Make the signer. Raises UsageError without a key, and SigningError."""
    if key is None:
        raise UsageError(
            "say who signs", hint="give --key FILE; in-toto names who did a step by a key, so nothing else can sign it"
        )
    from attest.signing.key import load_private_key
    from attest.signing.steps import StepSigner

    return StepSigner(load_private_key(key, passphrase))
