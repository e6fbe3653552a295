"""`aibom verify`: decide whether a release is authentic, whole and complete."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aibom import __version__
from aibom.cli.expectations import Expectation, expect_options, expected_signers
from aibom.cli.given import given_options
from aibom.cli.options import FILE, RELEASE
from aibom.cli.output import read_input
from aibom.cli.progress import reading_executor, show_progress
from aibom.cli.render.claims import claims_lines
from aibom.cli.render.text import report_lines
from aibom.core.errors import UsageError
from aibom.core.verdict import ExitCode
from aibom.sources.listing import is_single_file

if TYPE_CHECKING:
    from attest.keys import VerificationKey
    from verify.chain_files import GivenLayout

_MAX_KEY = 64 * 1024
_OUTCOMES = "outcome-components"


@click.command(epilog="Example:  aibom verify ./my-model --public-key publisher.pub --outcome production")
@RELEASE
@expect_options
@click.option(
    "--attached", type=click.Path(path_type=Path, readable=False), help="Folder with the signatures, if not in PATH."
)
@click.option(
    "--layout-key",
    "layout_keys",
    type=FILE,
    multiple=True,
    help="Public key that must have signed their layout, PEM; asks for recorded steps. Several must all have.",
)
@click.option("--layout", type=FILE, help="Your own layout for the recorded steps, in the place of the release's.")
@click.option("--profile", "profiles", multiple=True, metavar="ID", help="Also judge completeness by this profile.")
@click.option("--outcome", metavar="ID", help="What you want to do with the release, e.g. production.")
@click.option(
    "--distribution",
    type=click.Choice(["local", "hosted"]),
    default="local",
    show_default=True,
    help="How you get the model.",
)
@click.option(
    "--role",
    type=click.Choice(["acquirer", "integrator", "deployer", "producer"]),
    default="acquirer",
    show_default=True,
    help="Who you are.",
)
@click.option(
    "--model-kind", type=click.Choice(["language-model", "other"]), help="What it is, if you know better than the BOM."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON (aibom-report/1).")
def command(
    release: Path,
    expect: Expectation,
    attached: Path | None,
    layout_keys: tuple[Path, ...],
    layout: Path | None,
    profiles: tuple[str, ...],
    outcome: str | None,
    distribution: str,
    role: str,
    model_kind: str | None,
    as_json: bool,
) -> int:
    """Decide whether the release in the folder PATH is authentic, whole, and complete enough.

    Say whom you expect to have signed: --public-key, or --identity with --issuer (Sigstore) or with --ca (a
    certificate). Nothing is fetched from the network.
    """
    from verify.engine import Request, verify_release
    from verify.policy import Context, Policy
    from verify.profile import load_profile

    trust_path = expect.trust_path
    chosen = _profiles(profiles, outcome)
    if not expect.names_somebody:
        return _show_claims(release, attached)
    given = _layout(layout, asked=bool(layout_keys))
    policy = Policy(
        expected=expected_signers(expect),
        profiles=chosen,
        context=Context(outcome=outcome or "", distribution=distribution, role=role, model=model_kind or ""),
        layout_keys=_layout_keys(layout_keys, release),
    )
    with show_progress("Checking every file") as progress, reading_executor() as executor:
        report = verify_release(
            Request(
                root=release,
                policy=policy,
                profiles=tuple(load_profile(identifier) for identifier in chosen),
                now=datetime.now(UTC),
                tool_version=__version__,
                attached=attached,
                layout=given,
                trust_path=trust_path,
                executor=executor,
                progress=progress,
            )
        )
    if as_json:
        from verify.report import report_json

        click.echo(json.dumps(report_json(report), indent=2))  # ASCII: nothing in it can steer a terminal
    else:
        click.echo("\n".join(report_lines(report)))
    return int(report.verdict.exit_code)


def _profiles(profiles: tuple[str, ...], outcome: str | None) -> tuple[str, ...]:
    """An outcome means the profile of outcomes; each profile counts once."""
    named = (*profiles, _OUTCOMES) if outcome else profiles
    return tuple(dict.fromkeys(named))


def _layout_keys(paths: tuple[Path, ...], release: Path) -> "tuple[VerificationKey, ...]":
    """Who must stand behind the recorded steps. Raises UsageError for a single file, which cannot have any."""
    if paths and is_single_file(release):
        raise UsageError(
            "recorded steps are not supported for a release of a single file",
            where="--layout-key",
            hint="ask for the folder that the file comes from, or leave --layout-key out",
        )
    from attest.keys import load_public_key

    return tuple(load_public_key(read_input(path, _MAX_KEY), str(path)) for path in paths)


def _layout(path: Path | None, *, asked: bool) -> "GivenLayout | None":
    """A layout of the reader's own, which must be one. Raises UsageError without a key for it, and InputError."""
    if path is None:
        return None
    if not asked:
        raise UsageError("nobody is named whose layout it is", where="--layout", hint="give --layout-key FILE as well")
    from attest.step_layout import parse_layout
    from attest.step_metadata import MAX_LAYOUT_BYTES, parse_signed
    from verify.chain_files import GivenLayout

    data = read_input(path, MAX_LAYOUT_BYTES)
    parse_layout(parse_signed(data, str(path), max_bytes=MAX_LAYOUT_BYTES), str(path))
    return GivenLayout(str(path), data)


def _show_claims(release: Path, attached: Path | None) -> int:
    """Without an expectation nothing can be verified: say who claims to have signed, and how to go on."""
    from verify.claims import read_claims

    lines = claims_lines(release, read_claims(release, attached), given_options(click.get_current_context()))
    click.echo("\n".join(lines), err=True)
    return int(ExitCode.USAGE)
