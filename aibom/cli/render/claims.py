"""What to show somebody who has not said whom to expect: claims, marked as such, and the way on."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aibom.cli.render.layout import row, safe, wrap

if TYPE_CHECKING:
    from verify.claims import Claim


def claims_lines(release: Path, claims: "tuple[Claim, ...]", given: tuple[str, ...] = ()) -> list[str]:
    """Say who claims to have signed, that nobody checked it, and which command to run next.

    `given` are the other options of the command, which the next one needs as well.
    """
    lines = [f"{click.style('error:', fg='red', bold=True)} say whom you expect to have signed this release"]
    lines += wrap("Nothing was verified. A signature proves nothing until you know whose it must be.", indent=2)
    if not claims:
        lines += wrap("No signature was found (model.sig, attestations/).", indent=2)
    alike: dict[Claim, list[str]] = {}
    for claim in claims:
        alike.setdefault(replace(claim, path=""), []).append(safe(claim.path))
    for claim, paths in alike.items():
        what = "claims" if len(paths) == 1 else "claim"
        said = wrap(f"{', '.join(paths)} {what}, UNVERIFIED, to be signed by", indent=2)
        lines += ["", *(line.replace("UNVERIFIED", click.style("UNVERIFIED", fg="yellow")) for line in said)]
        lines += _claim(claim)
    command = next((text for claim in claims if (text := _command(release, claim))), None)
    example = command or f"aibom verify {shlex.quote(str(release))} --public-key PUBLISHER.pub"
    example += "".join(f" {shlex.quote(safe(word))}" for word in given)
    lines += ["", *wrap("Anybody can write such a claim. Next:" if claims else "Next:", indent=2)]
    ask = "who signs releases" if claims else "for the signed release, and who signs it"
    lines += wrap(
        f"1. Ask the publisher, by a channel you already trust (contract, known website, phone), {ask}.",
        indent=2,
        hanging=5,
    )
    lines += wrap("2. If the answer agrees, run:", indent=2, hanging=5)
    return [*lines, f"       {example}"]


def _claim(claim: "Claim") -> list[str]:
    if claim.problem:
        return row("unreadable", claim.problem, indent=4, column=18)
    if claim.fingerprint:
        return row("key", claim.fingerprint, indent=4, column=14) + row(
            "", "(SHA-256 of the public key file, PEM)", indent=4, column=14
        )
    if claim.names:
        named = [line for name in claim.names for line in row("certificate for", name, indent=4, column=21)]
        return named + row("issued by", claim.authority, indent=4, column=21)
    if not claim.identity:
        return row("nobody", "it names neither a key nor an identity", indent=4, column=18)
    return row("identity", claim.identity, indent=4, column=20) + row(
        "vouched for by", claim.issuer, indent=4, column=20
    )


def _command(release: Path, claim: "Claim") -> str | None:
    path = shlex.quote(str(release))
    if claim.identity and claim.issuer:
        identity, issuer = shlex.quote(safe(claim.identity)), shlex.quote(safe(claim.issuer))
        return f"aibom verify {path} --identity {identity} --issuer {issuer}"
    if claim.names:
        return f"aibom verify {path} --ca CA.pem --identity {shlex.quote(safe(claim.names[0]))}"
    return f"aibom verify {path} --public-key PUBLISHER.pub" if claim.fingerprint else None
