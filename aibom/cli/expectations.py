"""EXPECT: the options that say whom to expect as the signer, and the signers that they mean."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aibom.cli.options import FILE
from aibom.cli.quiet import quiet_libraries
from aibom.core.errors import InputError, UsageError

if TYPE_CHECKING:
    from verify.policy import Expected, ExpectedCertificate

_MAX_BYTES = 1024 * 1024


def _once(_: click.Context, option: click.Parameter, values: tuple[Any, ...]) -> Any:
    """The value, if there is one. Of two, click would silently take the last, and whom it expects is not a detail."""
    if len(values) > 1:
        name = option.opts[0]
        raise UsageError(f"{name} is given {len(values)} times", hint=f"one is expected: give {name} once")
    return values[0] if values else None


def _option(name: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(name, multiple=True, callback=_once, **more)


_OPTIONS = (
    _option("--public-key", type=FILE, help="Public key expected to have signed, PEM."),
    _option("--identity", help="Exact identity expected to have signed, e.g. release@example.com."),
    _option("--ca", type=FILE, help="Authority that must have certified the identity: root certificates, PEM."),
    _option("--timestamp-ca", type=FILE, help="Who may say when it was signed: root certificates, PEM."),
    _option("--issuer", help="Who must have vouched for the identity, e.g. https://accounts.example.com."),
    _option("--trust-config", type=FILE, help="Sigstore trust configuration (JSON file)."),
    _option("--trusted-root", type=FILE, help="Sigstore trusted root (JSON file)."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What was given of `_OPTIONS`; a field for each."""

    public_key: Path | None = None
    identity: str | None = None
    ca: Path | None = None
    timestamp_ca: Path | None = None
    issuer: str | None = None
    trust_config: Path | None = None
    trusted_root: Path | None = None

    @property
    def names_somebody(self) -> bool:
        """Whether a signer is expected at all."""
        return any((self.public_key, self.identity, self.issuer, self.ca, self.timestamp_ca))

    @property
    def trust_path(self) -> Path | None:
        """The file with the trust root. Raises UsageError if there are two."""
        if self.trust_config and self.trusted_root:
            raise UsageError("give either --trust-config or --trusted-root")
        return self.trust_config or self.trusted_root


def expect_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command receives them as one `Expectation` called `expect`."""

    @functools.wraps(command)
    def call(**arguments: Any) -> Any:
        given = {field.name: arguments.pop(field.name) for field in fields(Expectation)}
        return command(expect=Expectation(**given), **arguments)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


def expected_signers(expect: Expectation) -> "tuple[Expected, ...]":
    """Compile the options into the signers that count. Raises UsageError or InputError."""
    from attest.keys import load_public_key
    from verify.policy import Expected, ExpectedIdentity, ExpectedKey

    expected: list[Expected] = []
    if expect.public_key is not None:
        expected.append(
            ExpectedKey(load_public_key(_read(expect.public_key, "the public key"), str(expect.public_key)))
        )
    if expect.ca or expect.timestamp_ca:
        expected.append(_certificate(expect))
    elif expect.identity or expect.issuer:
        if not (expect.identity and expect.issuer):
            raise UsageError(
                "an identity means nothing without who vouched for it",
                hint="give --identity with --issuer (Sigstore), or with --ca (a certificate)",
            )
        quiet_libraries()
        expected.append(ExpectedIdentity(expect.identity, expect.issuer))
    return tuple(expected)


def _certificate(expect: Expectation) -> "ExpectedCertificate":
    from attest.certificate_chain import parse_authorities
    from verify.policy import ExpectedCertificate

    if not expect.ca:
        raise UsageError(
            "--timestamp-ca goes with --ca",
            hint="leave --timestamp-ca out, or give --ca and --identity as well: it is about the time of a certificate",
        )
    if not expect.identity:
        raise UsageError(
            "an authority certifies many signers: say which of them you expect",
            hint="give --ca with --identity (and --timestamp-ca only with both)",
        )
    if expect.issuer:
        raise UsageError(
            "an identity has either an issuer or an authority",
            hint="give --issuer for a Sigstore identity, or --ca for a certificate",
        )
    stamps = expect.timestamp_ca
    if stamps is None and expect.trust_path is not None:
        quiet_libraries()
    return ExpectedCertificate(
        authorities=parse_authorities(_read(expect.ca, "the authority's certificates"), str(expect.ca)),
        identity=expect.identity,
        timestamps=parse_authorities(_read(stamps, "the time-stamping authority's certificates"), str(stamps))
        if stamps
        else None,
        timestamps_by_trust_root=stamps is None and expect.trust_path is not None,
    )


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES)
    except OSError as error:
        raise InputError(f"cannot read {what}: {error.strerror}", where=str(path), hint="check the path") from error
