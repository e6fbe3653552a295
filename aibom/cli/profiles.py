"""`aibom profiles`: what a release can be checked for."""

import click

from aibom.cli.render.layout import wrap
from verify.profile import Check, load_profile, profile_ids


@click.group(epilog="Example:  aibom profiles show outcome-components")
def command() -> None:
    """List the profiles that `aibom verify --profile` knows, or show one."""


@command.command("list", epilog="Example:  aibom profiles list")
def list_profiles() -> None:
    """List every profile with what it is for."""
    for identifier in profile_ids():
        profile = load_profile(identifier)
        click.echo(click.style(f"{profile.id} {profile.version}", bold=True))
        click.echo("\n".join(wrap(profile.title, indent=2)))
        click.echo("\n".join(wrap(f"For: {profile.audience}", indent=2)))
        if profile.group_mode == "choose":
            click.echo("\n".join(wrap("Choose one with --outcome:", indent=2)))
            for group in profile.groups:
                click.echo("\n".join(wrap(f"{group.id}: {group.title}", indent=4, hanging=6)))


@command.command(epilog="Example:  aibom profiles show cisa-sbom-2026")
@click.argument("identifier", metavar="ID")
def show(identifier: str) -> None:
    """Show the checks of one profile, and how a publisher satisfies each."""
    profile = load_profile(identifier)
    click.echo(click.style(f"{profile.title} ({profile.id} {profile.version})", bold=True))
    for text in (profile.summary, f"Source: {profile.source['citation']} ({profile.source['date']})"):
        click.echo("\n".join(wrap(text, indent=0)))
    for group, title in [(g.id, f"{g.title} [{g.id}]") for g in profile.groups] or [("", "Checks")]:
        click.echo("\n" + click.style(title, bold=True))
        for check in profile.checks:
            if check.group == group:
                click.echo("\n".join(_check_lines(check)))


def _check_lines(check: Check) -> list[str]:
    unread = "" if check.clause_confidence == "primary" else " (not read in the primary text)"
    return [
        *wrap(f"{check.id}  {check.text} ({check.level})", indent=2, hanging=4),
        *wrap(f"source: {check.clause}{unread}", indent=4, hanging=6),
        *wrap(f"how: {check.satisfy}", indent=4, hanging=6),
    ]
