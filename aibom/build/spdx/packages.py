"""What every package says of itself: name, version, who made and supplies it, where it is, and where that was read."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from packageurl import PackageURL
from spdx_python_model import v3_0_1 as spdx

from aibom.build.account import Account, Identity, Sourced
from aibom.build.collect import CollectedFile
from aibom.build.render.identifiers import hub_reference
from aibom.build.spdx.graph import Graph
from aibom.core.manifest import TREE_DIGEST_NAME, tree_digest

Values = dict[str, Any]
"""Properties of an element, by their names in the bindings."""


def purpose(name: str) -> str:
    """A value of SoftwarePurpose."""
    value: str = getattr(spdx.software_SoftwarePurpose, name)
    return value


def organization(graph: Graph, name: Sourced | None) -> str:
    """The identifier of an organisation, which is added; empty if nobody is named."""
    return graph.add(spdx.Organization, f"organization:{name.value}", {"name": name.value}, apart=True) if name else ""


def identity_values(graph: Graph, identity: Identity, purl: PackageURL | None) -> Values:
    """What a package takes of an identity."""
    producer = organization(graph, identity.producer)
    return {
        "name": identity.name.value,
        "description": text_of(identity.description),
        "originatedBy": [producer] if producer else [],
        "suppliedBy": organization(graph, identity.supplier),
        "software_copyrightText": text_of(identity.copyright),
        "software_packageVersion": text_of(identity.version),
        "software_packageUrl": purl.to_string() if purl else "",
        "software_downloadLocation": hub_address(identity.hub.value) if identity.hub else "",
        "software_sourceInfo": f"commit {identity.commit.value} of the hub's repository" if identity.commit else "",
    }


def identity_sources(graph: Graph, spdx_id: str, identity: Identity) -> None:
    """Where each part of an identity was read. Licences say it themselves."""
    stated = {
        "name": identity.name,
        "packageVersion": identity.version,
        "originatedBy": identity.producer,
        "suppliedBy": identity.supplier,
        "description": identity.description,
        "copyrightText": identity.copyright,
        "packageUrl": identity.hub,
        "sourceInfo": identity.commit,
    }
    fact_sources(graph, spdx_id, stated)


def fact_sources(graph: Graph, spdx_id: str, facts: dict[str, Sourced | None]) -> None:
    """Where each of these values was read, by its property."""
    for name, fact in facts.items():
        if fact:
            graph.source(spdx_id, name, fact.source)


def hub_address(path: str) -> str:
    """Where a hub publishes `owner/model` or `datasets/owner/name`; empty for any other name."""
    return next((str(reference.url) for reference in hub_reference(path)), "")


def tree_hash(digest: str) -> spdx.Hash:
    """The digest of a file tree. It is no SHA-256 of any one file, and so is not called one."""
    comment = f"{TREE_DIGEST_NAME}: SHA-256 over the names and SHA-256 digests of the files"
    return spdx.Hash(algorithm=spdx.HashAlgorithm.other, hashValue=digest, comment=comment)


def files_digest(files: Iterable[CollectedFile]) -> str:
    """The tree digest of some files of the release."""
    return tree_digest((file.name, file.entry.sha256) for file in files)


def in_utc(moment: datetime) -> datetime:
    """A moment in UTC. One without a time zone is taken for UTC: the machine's own zone must not show in a document."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def release_time(account: Account) -> datetime | None:
    """When the release was published, if its publisher says so."""
    return in_utc(account.statement.date) if account.statement.date else None


def text_of(fact: Sourced | None) -> str:
    """The value of a fact; empty if there is none."""
    return fact.value if fact else ""


def lines_of(*lines: str) -> str:
    """Those lines that say something."""
    return "\n".join(line for line in lines if line)
