"""SIGNER: the options that say how to sign, and the one signer that they mean."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aibom.cli.build import warn
from aibom.cli.options import FILE
from aibom.cli.quiet import quiet_libraries
from aibom.cli.secrets import TOKEN_VARIABLE, device_pin, passphrase
from aibom.core.errors import UsageError

if TYPE_CHECKING:
    from attest.signing.signer import KeyHolder, Signer

_OPTIONS = (
    click.option("--key", type=FILE, help="Private key, PEM: ECDSA, Ed25519 or RSA."),
    click.option("--pkcs11-uri", metavar="URI", help="Key in a token or HSM (RFC 7512); PIN in AIBOM_PKCS11_PIN."),
    click.option("--certificate", type=FILE, help="Certificate of the key, PEM: an authority vouches for the signer."),
    click.option("--chain", type=FILE, help="Who issued the certificate, PEM, up to the root."),
    click.option("--timestamp-url", metavar="URL", help="Have the time of signing certified (RFC 3161)."),
    click.option("--timestamp-ca", type=FILE, help="Refuse a timestamp that does not lead to these roots, PEM."),
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
    pkcs11_uri: str | None = None
    certificate: Path | None = None
    chain: Path | None = None
    timestamp_url: str | None = None
    timestamp_ca: Path | None = None
    keyless: bool = False
    identity_token_file: str | None = None
    trust_config: Path | None = None

    @property
    def secret_files(self) -> tuple[tuple[str, Path], ...]:
        """What must never be published: what it is, and where. Raises UsageError for a malformed URI."""
        found = [("private key", self.key)]
        if self.pkcs11_uri:
            from attest.signing.pkcs11_uri import parse_pkcs11_uri

            pin = parse_pkcs11_uri(self.pkcs11_uri).pin_file
            found.append(("PIN", Path(pin) if pin else None))
        return tuple((what, path) for what, path in found if path is not None)


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
    if sum((choice.key is not None, choice.pkcs11_uri is not None, choice.keyless)) > 1:
        raise UsageError("two ways to sign", hint="give one of --key FILE, --pkcs11-uri URI and --keyless")
    if choice.key is not None or choice.pkcs11_uri is not None:
        return _with_key(choice)
    if choice.certificate or choice.chain or choice.timestamp_url or choice.timestamp_ca:
        raise UsageError("--certificate, --chain, --timestamp-url and --timestamp-ca go with --key or --pkcs11-uri")
    if not choice.keyless:
        raise UsageError("say how to sign", hint="give --key FILE, --pkcs11-uri URI, or --keyless")
    quiet_libraries()
    from aibom.cli.identity import keyless_signer

    return keyless_signer(choice.trust_config, choice.identity_token_file)


def _with_key(choice: SignerChoice) -> "Signer":
    """A signer with a key, alone or with its certificate."""
    if choice.identity_token_file or choice.trust_config:
        raise UsageError("--identity-token-file and --trust-config go with --keyless, not with a key")
    if choice.certificate is not None:
        return _with_certificate(choice, choice.certificate)
    if choice.chain or choice.timestamp_url or choice.timestamp_ca:
        raise UsageError("--chain, --timestamp-url and --timestamp-ca go with --certificate")
    from attest.signing.key import KeySigner

    return KeySigner(_holder(choice))


def _with_certificate(choice: SignerChoice, certificate: Path) -> "Signer":
    from attest.signing.certificate import certificate_signer, load_chain

    if choice.timestamp_ca and not choice.timestamp_url:
        raise UsageError("--timestamp-ca goes with --timestamp-url", hint="add the address of the authority")
    service = None
    if choice.timestamp_url is not None:
        from attest.signing.timestamps import TimestampService, load_timestamp_roots  # a tenth of a second of imports

        roots = load_timestamp_roots(choice.timestamp_ca) if choice.timestamp_ca else ()
        service = TimestampService(choice.timestamp_url, roots)
    chain = load_chain(certificate, choice.chain)
    if chain.unknown_issuer:
        warn(
            f"the certificate of {chain.unknown_issuer}, who issued {certificate.name}, is not given (--chain): "
            "a buyer who has only the root above it will reject this"
        )
    return certificate_signer(_holder(choice), chain, service, now=datetime.now(UTC), where=str(certificate))


def _holder(choice: SignerChoice) -> "KeyHolder":
    if choice.key is not None:
        from attest.signing.key import KeyInMemory, load_private_key

        return KeyInMemory(load_private_key(choice.key, passphrase))
    from attest.signing.pkcs11 import MODULE_VARIABLE, key_in_device
    from attest.signing.pkcs11_uri import parse_pkcs11_uri

    uri = parse_pkcs11_uri(choice.pkcs11_uri or "")
    return key_in_device(uri, module=os.environ.get(MODULE_VARIABLE, ""), pin=device_pin)
