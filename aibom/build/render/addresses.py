"""Addresses and package URLs out of what strangers wrote: in the form that the schema wants, or not at all.

One crooked address must not make a whole BOM invalid. What cannot be written as an IRI reference (RFC 3987) or as a
package URL that reads back as itself is left out here; the caller says that it was, in a property.
"""

import re
from urllib.parse import quote

from cyclonedx.exception.model import InvalidUriException
from cyclonedx.model import XsUri
from packageurl import PackageURL

_ADDRESS = re.compile(
    r"(?:https?|ftp|ssh|git|git\+https?|git\+ssh|hg\+https?|svn\+https?|mailto)://"
    r"(?:[A-Za-z0-9._~-]{1,100}@)?[^\W_](?:[\w.~-]{0,252}[^\W_])?(?::[0-9]{1,5})?"
    r"(?:[/?](?:[\w./?:@!$&'()*+,;=~-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:#(?:[\w./?:@!$&'()*+,;=~-]|%[0-9A-Fa-f]{2})*)?"
)
_SHORT_SSH = re.compile(r"([A-Za-z0-9._-]{1,100})@([A-Za-z0-9.-]{1,253}):([^\s:/][^\s]{0,500})")
_PLAIN_NAME = re.compile(r"(?:[\w.~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})[\w./~!$&'()*+,;=@-]*")
_MAX = 2000


def address(text: str) -> XsUri | None:
    """An address of the web or of a version control system; Git's short form becomes `ssh://`. None if it is none."""
    found = text.strip()
    short = _SHORT_SSH.fullmatch(found)
    if short and "//" not in found:
        found = f"ssh://{short[1]}@{short[2]}/{short[3]}"
    if len(found) > _MAX or not _ADDRESS.fullmatch(found) or "_" in found.split("://", 1)[1].split("/", 1)[0]:
        return None
    return _uri(found)


def reference(text: str) -> XsUri | None:
    """An address, or the name of a file beside the one that refers to it. None if it is neither."""
    found = address(text)
    if found is not None or ":" in text or len(text) > _MAX or not _PLAIN_NAME.fullmatch(text):
        return found
    return _uri(text)


def file_address(name: str) -> XsUri:
    """A file of the release as a relative reference: its name, with what an IRI cannot hold in per cent form."""
    if _PLAIN_NAME.fullmatch(name) and ":" not in name and "%" not in name:
        return XsUri(name)
    quoted = quote(name, safe="/~!$&'()*+,;=@")
    return XsUri(quoted if ":" not in quoted.split("/", 1)[0] else f"./{quoted}")


def package_url(
    kind: str, namespace: str | None, name: str, version: str | None = None, qualifiers: dict[str, str] | None = None
) -> PackageURL | None:
    """A package URL that reads back as it was written; None where the name has no such form (`/`, blanks)."""
    if not name.strip(" /") or name != name.strip() or "/" in name:
        return None
    try:
        made = PackageURL(kind, namespace, name, version or None, qualifiers)
        text = made.to_string()
        return made if PackageURL.from_string(text).to_string() == text else None
    except (ValueError, TypeError):
        return None


def named_package_url(name: str, version: str | None, qualifiers: dict[str, str]) -> PackageURL | None:
    """A generic package URL for `name` or `owner/name`."""
    owner, slash, base = name.partition("/")
    if slash and owner and owner == owner.strip():
        return package_url("generic", owner, base, version, qualifiers)
    return package_url("generic", None, name, version, qualifiers)


def _uri(text: str) -> XsUri | None:
    try:
        return XsUri(text)
    except InvalidUriException:
        return None
