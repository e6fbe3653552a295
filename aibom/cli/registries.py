"""What `push` and `pull` have in common: the reference, and how to reach its registry."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from aibom import __version__
from aibom.cli.quiet import quiet_libraries
from aibom.core.errors import AibomError, UsageError

if TYPE_CHECKING:
    from aibom.registry.client import RegistryClient

USERNAME_VARIABLE = "AIBOM_REGISTRY_USERNAME"
PASSWORD_VARIABLE = "AIBOM_REGISTRY_PASSWORD"  # noqa: S105 -- the name of a variable

_HINT = "the registry does not answer as the OCI specification asks; nothing of it was kept; ask who runs it"

REFERENCE = click.argument("reference", metavar="REF")
PLAIN_HTTP = click.option("--plain-http", is_flag=True, help="Talk to the registry without TLS.")


@contextmanager
def registry_client(text: str, plain_http: bool) -> "Iterator[RegistryClient]":
    """A client for the repository of a reference; every error of the exchange says what to do. Raises UsageError."""
    client = _client(text, plain_http)
    try:
        yield client
    except AibomError as error:
        raise type(error)(error.message, where=error.where or text, hint=error.hint or _HINT) from error
    finally:
        client.close()


def _client(text: str, plain_http: bool) -> "RegistryClient":
    from aibom.registry.reference import parse_reference

    reference = parse_reference(text)
    quiet_libraries()
    from aibom.registry.authorization import Credentials  # with oras, half a second of imports
    from aibom.registry.client import RegistryClient

    username, password = os.environ.get(USERNAME_VARIABLE, ""), os.environ.get(PASSWORD_VARIABLE, "")
    if bool(username) != bool(password):
        raise UsageError(f"{USERNAME_VARIABLE} and {PASSWORD_VARIABLE} go together: one of them is not set")
    credentials = Credentials(username, password) if username else None
    return RegistryClient(reference, agent=f"aibom/{__version__}", plain_http=plain_http, credentials=credentials)
