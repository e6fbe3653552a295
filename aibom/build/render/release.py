"""The release as a whole and its code: who published it, its documents, its addresses, what nobody declares."""

from cyclonedx.model import ExternalReference, ExternalReferenceType
from cyclonedx.model.component import Component, ComponentType

from aibom.build.account import Account, Code, Link
from aibom.build.render.addresses import address, package_url
from aibom.build.render.files import file_component
from aibom.build.render.identifiers import CODE_REF, ROOT_REF, checksum, content_purl
from aibom.build.render.values import (
    Pairs,
    file_reference,
    identity_arguments,
    identity_properties,
    properties_of,
    render_identified,
)
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names

_REFERENCE_TYPES = {
    "docs/model-card": ExternalReferenceType.MODEL_CARD,
    "docs/license": ExternalReferenceType.LICENSE,
    "docs/risk-assessment": ExternalReferenceType.RISK_ASSESSMENT,
    "docs/impact-assessment": ExternalReferenceType.RISK_ASSESSMENT,
    "docs/release-notes": ExternalReferenceType.RELEASE_NOTES,
    "docs/evaluation-results": ExternalReferenceType.QUALITY_METRICS,
    "docs/safety-evaluation": ExternalReferenceType.EVIDENCE,
    "docs/threat-model": ExternalReferenceType.THREAT_MODEL,
    "security/contact": ExternalReferenceType.SECURITY_CONTACT,
    "supply/bom": ExternalReferenceType.BOM,
    "security/advisories": ExternalReferenceType.ADVISORIES,
    "security/vex": ExternalReferenceType.EXPLOITABILITY_STATEMENT,
}


def root_component(account: Account) -> Json:
    """The release as a whole."""
    release = account.release
    component = Component(
        **identity_arguments(release, content_purl(release, account.tree_digest)),
        type=ComponentType.APPLICATION,
        bom_ref=ROOT_REF,
        external_references=[*_documents(account), *filter(None, map(_link, account.links))],
        properties=properties_of(
            [
                (names.TREE_DIGEST, f"sha256:{account.tree_digest}"),
                (names.FILE_COUNT, str(account.file_count)),
                (names.SIZE, str(account.bytes)),
                *((names.CONFLICT, text) for text in account.conflicts),
                *((names.PROBLEM, text) for text in (*account.dangers, *account.warnings)),
                *identity_properties(release),
                *([] if content_purl(release, account.tree_digest) else [(names.UNKNOWN, "identifier")]),
                *_stated(account),
                *((names.UNUSABLE, f"{link.url} ({link.source})") for link in account.links if not address(link.url)),
            ]
        ),
    )
    return render_identified(component, release)


def _stated(account: Account) -> Pairs:
    """What the publisher says of the release as such, in `aibom.toml`."""
    said = account.statement
    return [
        *([(names.OUTCOME, said.outcome)] if said.outcome else []),
        *([(names.DISTRIBUTION, said.distribution)] if said.distribution else []),
        *((f"{names.PERSON_PREFIX}{person.name}", person.value) for person in said.people),
        *((names.WITHHELD, f"{what}: {why}") for what, why in said.withheld),
        *((names.UNKNOWN, what) for what, _ in said.unknown),
        *((names.UNKNOWN_REASON, f"{what}: {why}") for what, why in said.unknown),
    ]


def code_component(account: Account) -> list[Json]:
    """The code of the release as one component with its files; nothing if there is none."""
    code: Code = account.code
    if not code.files:
        return []
    component = Component(
        **identity_arguments(code.identity),
        type=ComponentType.APPLICATION,
        bom_ref=CODE_REF,
        properties=properties_of(
            [
                *identity_properties(code.identity),
                *((names.UNDECLARED_IMPORT, f"{item.value} ({item.source})") for item in code.undeclared),
            ]
        ),
    )
    version = code.identity.version.value if code.identity.version else None
    component.purl = package_url("generic", None, code.identity.name.value, version, checksum(code.files))
    return [render_identified(component, code.identity) | {"components": [file_component(file) for file in code.files]}]


def _documents(account: Account) -> list[ExternalReference]:
    return [
        file_reference(file, _REFERENCE_TYPES.get(file.classification.category, ExternalReferenceType.DOCUMENTATION))
        for file in account.documents
        if file.classification.category.startswith(("docs/", "security/", "supply/"))
    ]


def _link(link: Link) -> ExternalReference | None:
    place = address(link.url)
    if place is None:
        return None
    comment = "; ".join(filter(None, (link.comment, f"stated in {link.source}")))
    return ExternalReference(type=ExternalReferenceType(link.type), url=place, comment=comment)
