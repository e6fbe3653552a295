"""The release as a whole: what it holds, its documents and addresses, what is said of it, where sources disagree."""

from spdx_python_model import v3_0_1 as spdx

from aibom.build.account import Account, Link
from aibom.build.render.identifiers import ROOT_REF, content_purl
from aibom.build.spdx.files import add_files
from aibom.build.spdx.graph import Graph
from aibom.build.spdx.licences import declare
from aibom.build.spdx.packages import Values, identity_sources, identity_values, purpose, release_time, tree_hash

_DOCUMENTS = ("docs/", "security/")
_DOWNLOAD, _HOME = "distribution", "website"
# CycloneDX type of an address → ExternalRefType.
_REFERENCES = {
    "distribution": "altDownloadLocation",
    "website": "altWebPage",
    "documentation": "documentation",
    "model-card": "documentation",
    "vcs": "vcs",
    "issue-tracker": "issueTracker",
    "support": "support",
    "release-notes": "releaseNotes",
    "license": "license",
    "advisories": "securityAdvisory",
    "security-contact": "securityPolicy",
    "rfc-9116": "securityPolicy",
    "threat-model": "securityThreatModel",
    "adversary-model": "securityAdversaryModel",
    "risk-assessment": "riskAssessment",
    "quality-metrics": "metrics",
}


def add_release(graph: Graph, account: Account) -> str:
    """Add the release itself and what is said of it as such, and return its identifier."""
    release = account.release
    values = identity_values(graph, release, content_purl(release, account.tree_digest)) | _values(account)
    spdx_id = graph.add(spdx.software_Package, ROOT_REF, values)
    declare(graph, spdx_id, release.licences)
    identity_sources(graph, spdx_id, release)
    for link in account.links:
        graph.source(spdx_id, f"{link.type} {link.url}", link.source)
    for text in (*_stated(account), *_found(account)):
        graph.remark(spdx_id, text)
    return spdx_id


def add_contents(graph: Graph, account: Account, parts: list[str]) -> None:
    """Add the documents of the release, and relate it to all that it holds."""
    root = graph.id(ROOT_REF)
    documents = add_files(graph, account.documents)
    graph.relate(root, "contains", [*parts, *documents], completeness="complete")
    said = [file for file in account.documents if file.classification.category.startswith(_DOCUMENTS)]
    graph.relate(root, "hasDocumentation", [graph.id(f"file:{file.name}") for file in said])


def _values(account: Account) -> Values:
    values: Values = {
        "comment": f"{account.file_count} files, {account.bytes} bytes",
        "verifiedUsing": [tree_hash(account.tree_digest)],
        "releaseTime": release_time(account),
        "software_primaryPurpose": purpose("application"),
    }
    others = []
    for link in account.links:
        if link.type == _DOWNLOAD and "software_downloadLocation" not in values:
            values["software_downloadLocation"] = link.url
        elif link.type == _HOME and "software_homePage" not in values:
            values["software_homePage"] = link.url
        else:
            others.append(_reference(link))
    return values | {"externalRef": others}


def _reference(link: Link) -> spdx.ExternalRef:
    kind = getattr(spdx.ExternalRefType, _REFERENCES.get(link.type, "other"))
    comment = link.comment or ("" if link.type in _REFERENCES else link.type)
    reference = spdx.ExternalRef(externalRefType=kind, locator=[link.url])
    if comment:
        reference.comment = comment
    return reference


def _found(account: Account) -> list[str]:
    return [*(f"conflict: {text}" for text in account.conflicts), *(f"warning: {text}" for text in account.warnings)]


def _stated(account: Account) -> list[str]:
    """What the publisher says of the release as such, in `aibom.toml`."""
    said = account.statement
    return [
        *([f"outcome: {said.outcome}"] if said.outcome else []),
        *([f"distribution: {said.distribution}"] if said.distribution else []),
        *([f"TLP: {said.tlp}"] if said.tlp else []),
        *(f"{person.name}: {person.value}" for person in said.people),
        *(f"withheld: {what}: {why}" for what, why in said.withheld),
        *(f"unknown: {what}: {why}" for what, why in said.unknown),
    ]
