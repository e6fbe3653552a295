"""What `push` and `pull` have in common: the reference, and how to reach its registry."""

import os
from typing import TYPE_CHECKING

import click

from aibom import __version__
from aibom.cli.quiet import quiet_libraries
from aibom.core.errors import UsageError

if TYPE_CHECKING:
    from aibom.registry.client import RegistryClient

USERNAME_VARIABLE = "AIBOM_REGISTRY_USERNAME"
PASSWORD_VARIABLE = "AIBOM_REGISTRY_PASSWORD"  # noqa: S105 -- the name of a variable

REFERENCE = click.argument("reference", metavar="REF")
PLAIN_HTTP = click.option("--plain-http", is_flag=True, help="Talk to the registry without TLS.")


def make_client(text: str, plain_http: bool) -> "RegistryClient":
    """A client for the repository of a reference. Raises UsageError."""
    from aibom.registry.reference import parse_reference  # with oras, half a second of imports

    reference = parse_reference(text)
    quiet_libraries()
    from aibom.registry.authorization import Credentials
    from aibom.registry.client import RegistryClient

    username, password = os.environ.get(USERNAME_VARIABLE, ""), os.environ.get(PASSWORD_VARIABLE, "")
    if bool(username) != bool(password):
        raise UsageError(f"{USERNAME_VARIABLE} and {PASSWORD_VARIABLE} go together: one of them is not set")
    credentials = Credentials(username, password) if username else None
    return RegistryClient(reference, agent=f"aibom/{__version__}", plain_http=plain_http, credentials=credentials)
