"""A reference to an artifact in a registry, parsed strictly: it becomes part of addresses.

Source: OCI distribution specification 1.1, "Pulling manifests" (names and tags).
"""

import re
from dataclasses import dataclass

from aibom.core.errors import UsageError

_MAX = 600
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL}){{0,20}}|\[[0-9A-Fa-f:.]{{2,45}}\])(?::[0-9]{{1,5}})?")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-{1,20})[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HINT = "write registry/repository:tag or registry/repository@sha256:…, for example registry.example/teller:1.0"


@dataclass(frozen=True, slots=True)
class Reference:
    """Registry, repository, and a tag or a digest; a digest says more and wins."""

    registry: str
    repository: str
    tag: str
    digest: str = ""

    @property
    def target(self) -> str:
        """What to ask the registry for."""
        return self.digest or self.tag

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}" + (f"@{self.digest}" if self.digest else f":{self.tag}")


def is_digest(value: object) -> bool:
    """Whether this is a SHA-256 digest as registries write them; no other algorithm is accepted."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def parse_reference(text: str) -> Reference:
    """Parse what a user typed; without a tag it means `latest`, as everywhere. Raises UsageError."""
    if len(text) > _MAX:
        raise _refused(text, f"longer than {_MAX} characters")
    registry, slash, rest = text.partition("/")
    if not slash or not _HOST.fullmatch(registry) or not set(registry) & set(".:"):
        raise _refused(text, "it does not start with the name of a registry (with a dot or a port)")
    rest, at, digest = rest.partition("@")
    repository, colon, tag = rest.partition(":")
    if not _REPOSITORY.fullmatch(repository):
        raise _refused(text, "its repository is not lower-case letters, digits and single separators")
    if colon and not _TAG.fullmatch(tag):
        raise _refused(text, "its tag is not letters, digits, '.', '_' or '-'")
    if at and not is_digest(digest):
        raise _refused(text, "its digest is not sha256: and 64 lower-case hexadecimal digits")
    return Reference(registry, repository, tag or "latest", digest)


def _refused(text: str, why: str) -> UsageError:
    return UsageError(f"this is no reference to an artifact in a registry: {why}", where=text[:_MAX], hint=_HINT)
