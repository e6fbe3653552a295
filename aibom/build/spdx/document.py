"""The account of a release as one SPDX 3.0.1 document in JSON-LD.

The same account and date give the same bytes: identifiers derive from the digest of the release's files and from what
they name, and the time is passed in. Specification: SPDX 3.0.1, profiles Core, Software, AI, Dataset, SimpleLicensing.
"""

from datetime import datetime

from spdx_python_model import v3_0_1 as spdx

from aibom.build.account import Account, Sourced
from aibom.build.spdx.code import add_code
from aibom.build.spdx.datasets import add_dataset
from aibom.build.spdx.graph import SPEC_VERSION, Graph
from aibom.build.spdx.models import add_model
from aibom.build.spdx.packages import in_utc
from aibom.build.spdx.profiles import claimed, gaps_words
from aibom.build.spdx.release import add_contents, add_release
from aibom.core.errors import InputError
from aibom.core.strictjson import dump_json

_DIGEST_CHARACTERS = 16
_NOBODY = "not stated"


def spdx_document(account: Account, *, tool_version: str, timestamp: datetime | None) -> bytes:
    """Render the whole account. Raises InputError without a date, which SPDX requires."""
    if timestamp is None:
        raise InputError(
            "SPDX requires the date on which a document was created, and none is given",
            where="CreationInfo, created",
            hint="set SOURCE_DATE_EPOCH, or state `date` under [release] in aibom.toml",
        )
    graph = Graph(f"urn:aibom:spdx:{account.tree_digest[:_DIGEST_CHARACTERS]}", _creation(timestamp))
    _name_makers(graph, account, tool_version)
    root = add_release(graph, account)
    parts = [add_model(graph, account, model) for model in account.models]
    code = add_code(graph, account)
    parts += [code] if code else []
    for dataset in account.datasets:
        spdx_id = add_dataset(graph, dataset)
        parts += [] if dataset.is_external else [spdx_id]
    add_contents(graph, account, parts)
    graph.connect()
    _collect(graph, account, root)
    return dump_json(graph.to_json())


def _creation(timestamp: datetime) -> spdx.CreationInfo:
    return spdx.CreationInfo(specVersion=SPEC_VERSION, created=in_utc(timestamp))


def _name_makers(graph: Graph, account: Account, tool_version: str) -> None:
    tool = graph.add(spdx.Tool, "tool", {"name": f"aibom {tool_version}"}, apart=True)
    graph.creation.createdUsing = [tool]
    graph.creation.createdBy = [_author(graph, account)]


def _author(graph: Graph, account: Account) -> str:
    """Who answers for the document: its stated author, else who made or supplies the release, else nobody."""
    said, release = account.statement, account.release
    if said.author:
        kind = spdx.ExternalIdentifierType.email
        email = [spdx.ExternalIdentifier(externalIdentifierType=kind, identifier=said.author_email)]
        values = {"name": said.author, "externalIdentifier": email if said.author_email else []}
        return graph.add(spdx.Person, f"person:{said.author}", values, apart=True)
    maker: Sourced | None = release.producer or release.supplier
    if maker:
        return graph.add(spdx.Organization, f"organization:{maker.value}", {"name": maker.value}, apart=True)
    return graph.add(spdx.Agent, "agent", {"name": _NOBODY}, apart=True)


def _collect(graph: Graph, account: Account, root: str) -> None:
    """Add the BOM, of all that the release is, and the document that carries it."""
    makers = list(graph.apart)
    profiles = [getattr(spdx.ProfileIdentifierType, name) for name in claimed(graph.elements)]
    name = account.release.name.value
    bom = graph.add(
        spdx.software_Sbom,
        "bom",
        {
            "name": f"Bill of materials of {name}",
            "rootElement": [root],
            "element": sorted(graph.collected),
            "profileConformance": profiles,
            "software_sbomType": [spdx.software_SbomType.analyzed],
        },
        apart=True,
    )
    values = {
        "name": name,
        "comment": gaps_words(graph.elements),
        "rootElement": [bom],
        "element": sorted([bom, *makers]),
        "profileConformance": profiles,
    }
    graph.add(spdx.SpdxDocument, "document", values, apart=True)
