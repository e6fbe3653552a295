"""Predicates filled in from what is known: the CI job, the BOM, the files. Pure; each passes its own check.

No result of tests is ever made up from the numbers in a model card: a score is no verdict.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aibom.core.errors import InputError
from aibom.core.strictjson import Json
from attest.predicates.ci import SYSTEMS, Build, repository_uri, without_credentials
from attest.predicates.in_toto import check_reference, check_release
from attest.predicates.shapes import is_uri
from attest.predicates.slsa import check_provenance

LOCAL = "urn:aibom:build:local:v1"
BOM_MEDIA_TYPE = "application/vnd.cyclonedx+json"
_OUTSIDE = f"this runs in no CI system that we know ({', '.join(SYSTEMS)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Something that a release was made from."""

    name: str
    uri: str
    digests: Mapping[str, str] = field(default_factory=dict)


def builder_id(build: Build | None, stated: str) -> str:
    """The builder that is stated, else the job's. Raises InputError if there is neither, or it is no URI."""
    found = stated or (build.builder if build else "")
    if not found:
        raise InputError(
            f"who builds is not known: {_OUTSIDE}",
            where="--builder-id",
            hint="give --builder-id URI for the system that made the release, or --predicate FILE",
        )
    if not is_uri(found):
        raise InputError(
            f"{found[:80]!r} is no absolute URI", where="--builder-id", hint="write it as https://host/path"
        )
    return found


def provenance(build: Build | None, materials: Iterable[Material], *, release: str, builder: str = "") -> Json:
    """SLSA provenance v1 of the release called `release`. Raises InputError without a CI job and a stated builder."""
    identity = builder_id(build, builder)
    definition: Json = {
        "buildType": build.build_type if build else LOCAL,
        "externalParameters": dict(build.external) if build else {"release": release},
    }
    if build and build.internal:
        definition["internalParameters"] = dict(build.internal)
    dependencies = _dependencies(build, materials)
    if dependencies:
        definition["resolvedDependencies"] = dependencies
    details: Json = {"builder": {"id": identity}}
    times = {"invocationId": build.invocation, "startedOn": build.started} if build else {}
    metadata = {key: value for key, value in times.items() if value}
    if metadata:
        details["metadata"] = metadata
    predicate: Json = {"buildDefinition": definition, "runDetails": details}
    check_provenance(predicate, "provenance")
    return predicate


def release_predicate(purl: str) -> Json:
    """The release predicate: its package URL, without the checksum, which the subjects give better."""
    base, question, rest = purl.partition("?")
    kept = "&".join(part for part in rest.split("&") if not part.startswith("checksum="))
    predicate = {"purl": f"{base}?{kept}" if question and kept else base}
    try:
        check_release(predicate, "release")
    except InputError as error:
        raise InputError(
            f"the BOM names no version of a package: {error.message}",
            where="metadata.component.purl",
            hint="state name and version in aibom.toml and build again, or give --predicate FILE",
        ) from error
    return predicate


def reference_predicate(name: str, sha256: str, *, location: str, attester: str) -> Json:
    """The reference predicate for a BOM that is published at `location`. Raises InputError if that is no URI."""
    if not is_uri(location):
        raise InputError(
            f"{location[:80]!r} is no absolute URI" if location else "where the BOM can be had is not known",
            where="--download-location",
            hint="give --download-location https://host/path/aibom.cdx.json, or --predicate FILE",
        )
    document = {
        "name": name,
        "digest": {"sha256": sha256},
        "downloadLocation": location,
        "mediaType": BOM_MEDIA_TYPE,
    }
    predicate: Json = {"attester": {"id": attester}, "references": [document]}
    check_reference(predicate, "reference")
    return predicate


def _dependencies(build: Build | None, materials: Iterable[Material]) -> list[Json]:
    """The job's source first, then what the BOM names; an address once, one that is no URI never."""
    found: dict[str, Json] = {}
    commit = build.commit if build and build.source else ""
    if build and commit:
        found[build.source] = {"uri": build.source, "digest": {"gitCommit": commit}}
    for item in materials:
        is_code = "gitCommit" in item.digests and not item.uri.startswith("pkg:")
        uri = repository_uri(item.uri) if is_code else _public(item.uri)
        if not is_uri(uri) or (is_code and commit and item.digests["gitCommit"] == commit):
            continue  # the job gives this very commit, with its branch
        entry: Json = {"uri": uri}
        if item.name and "://" not in item.name:  # an address as a name says no more, and may hold a secret
            entry["name"] = item.name
        if item.digests:
            entry["digest"] = dict(item.digests)
        found.setdefault(uri, entry)
    return list(found.values())


def _public(uri: str) -> str:
    """The address without user, query and fragment; a package URL as it is, whose qualifiers belong to it."""
    return without_credentials(uri) if "://" in uri and not uri.startswith("pkg:") else uri
