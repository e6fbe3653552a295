"""What refers to an artifact: by the registry's own list, or by the tag that stands in where there is none.

Source: OCI distribution specification 1.1, "Listing referrers", "Pushing manifests with subject", "Referrers tag
schema".
"""

import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from aibom.core.errors import InputError, SourceError
from aibom.core.strictjson import Json, dump_compact
from aibom.registry.answers import PassingError, refusal
from aibom.registry.client import RegistryClient, origin_of
from aibom.registry.manifests import INDEX, MAX_ENTRIES, MAX_MANIFEST, PATH, Descriptor, parse_index

_ABSENT = frozenset({400, 404, 405, 406, 501})
"""How registries older than the list of referrers say that they do not know it."""
_MAX_PAGES = 100
_TRIES = 8
PAUSE = 0.5
"""Seconds, at least: longer than others take between reading the tag and writing it."""


@dataclass(frozen=True, slots=True)
class Referrers:
    """The entries, and whether they come from the tag."""

    entries: tuple[Descriptor, ...]
    by_tag: bool


def referrers_tag(subject: Descriptor) -> str:
    """The tag that lists the referrers of a subject."""
    return subject.digest.replace(":", "-")


def list_referrers(client: RegistryClient, subject: Descriptor) -> Referrers:
    """Everything that says it refers to the subject. Raises SourceError, InputError."""
    url = client.url("referrers", subject.digest)
    where = f"{client.reference.registry}, referrers of {subject.digest}"
    entries: list[Descriptor] = []
    for _ in range(_MAX_PAGES):
        with client.exchange("GET", url, headers={"Accept": INDEX}) as response:
            if response.status_code in _ABSENT and not entries:
                return Referrers(_tagged(client, subject)[1], by_tag=True)
            if response.status_code != 200:
                raise refusal(response, "the list of referrers", where)
            if response.headers.get("Content-Type", "").partition(";")[0].strip() != INDEX:
                raise SourceError("the registry answered with something that is no list of referrers", where=where)
            entries.extend(parse_index(client.body(response, MAX_MANIFEST, where), where)[1])
        following = response.links.get("next", {}).get("url")
        if len(entries) > MAX_ENTRIES:
            raise SourceError(f"more than {MAX_ENTRIES} referrers", where=where)
        if not following:
            return Referrers(tuple(entries), by_tag=False)
        url = next_page(url, str(following), where)
    raise SourceError(f"a list of more than {_MAX_PAGES} pages", where=where)


def write_tag(
    client: RegistryClient, subject: Descriptor, added: Sequence[Descriptor], removed: Collection[str] = ()
) -> None:
    """Add entries to the tag's index, take those with the digests `removed` out, and keep what others put there.

    The specification has no way to lock a tag. So we look again a moment after writing, and write again if somebody
    else, who had not seen our entries, has written in between. Some registries answer with an error while a tag is
    being written; that passes. Raises SourceError after some tries.
    """
    passing: PassingError | None = None
    for _ in range(_TRIES):
        try:
            document, entries = _tagged(client, subject)
            listed = _changed(document, entries, added, removed)
            if listed is None:
                return
            client.put_manifest(referrers_tag(subject), dump_compact({**document, "manifests": listed}), INDEX)
        except PassingError as error:
            passing = error
        time.sleep(PAUSE * (1 + secrets.randbelow(1000) / 1000))
    raise passing or SourceError(
        "others write to the list of referrers at the same time",
        where=f"{client.reference.repository}:{referrers_tag(subject)}",
        hint="run the command again",
    )


def _changed(
    document: Json, entries: Sequence[Descriptor], added: Sequence[Descriptor], removed: Collection[str]
) -> list[Json] | None:
    """The entries as they should be, or nothing if they are."""
    present = {entry.digest for entry in entries}
    missing = [entry for entry in added if entry.digest not in present]
    if not missing and not present & set(removed):
        return None
    kept = [entry for entry in document["manifests"] if entry["digest"] not in removed]
    if len(kept) + len(missing) > MAX_ENTRIES:
        raise SourceError(f"more than {MAX_ENTRIES} referrers")
    return [*kept, *(entry.as_json() for entry in missing)]


def _tagged(client: RegistryClient, subject: Descriptor) -> tuple[Json, tuple[Descriptor, ...]]:
    tag = referrers_tag(subject)
    where = f"{client.reference.registry}/{client.reference.repository}:{tag}"
    found = client.manifest(tag)
    if found is None:
        return {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}, ()
    data, descriptor = found
    if descriptor.media_type != INDEX:
        raise InputError(
            f"this tag must hold a list of referrers, but it is {descriptor.media_type}",
            where=where,
            hint="the tag's name is reserved by the specification: remove or rename what was pushed there",
        )
    return parse_index(data, where)


def next_page(url: str, following: str, where: str) -> str:
    """The address of the next page of a list, on the same host. Raises SourceError."""
    try:
        joined = urljoin(url, following)
        is_same = origin_of(joined) == origin_of(url)
    except ValueError as error:
        raise SourceError("the next page of the list of referrers has no address", where=where) from error
    if not is_same:
        raise SourceError("the list of referrers goes on at another host", where=where)
    return joined


def path_of(entry: Descriptor) -> str:
    """The name in a release that an entry says it has; empty if it was not pushed by us."""
    return entry.annotations.get(PATH, "")
