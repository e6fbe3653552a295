"""Emit an account in the format and version that was asked for: the same bytes for the same account."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aibom.build.account import Account
from aibom.build.render.document import SPEC_VERSION, bom_document, with_serial
from aibom.core.layout import BOM_NAME, SPDX_NAME, XML_NAME
from aibom.core.strictjson import dump_json


class Format(StrEnum):
    """A format of BOMs, by the name that the command line gives it."""

    CYCLONEDX_JSON = "cyclonedx-json"
    CYCLONEDX_XML = "cyclonedx-xml"
    SPDX3_JSON = "spdx3-json"

    @property
    def file_name(self) -> str:
        """What the BOM is called in a release."""
        return {"cyclonedx-json": BOM_NAME, "cyclonedx-xml": XML_NAME, "spdx3-json": SPDX_NAME}[self.value]


@dataclass(frozen=True, slots=True)
class Emitted:
    """A BOM, and what the format had no place for: one sentence each."""

    data: bytes
    dropped: tuple[str, ...] = ()


def emit(
    account: Account,
    *,
    tool_version: str,
    timestamp: datetime | None,
    form: Format = Format.CYCLONEDX_JSON,
    spec_version: str = SPEC_VERSION,
) -> Emitted:
    """Render the BOM. Raises InputError for SPDX without a date, which SPDX requires."""
    if form is Format.SPDX3_JSON:
        from aibom.build.spdx.document import spdx_document  # the bindings are only loaded when they are needed

        return Emitted(spdx_document(account, tool_version=tool_version, timestamp=timestamp))
    document = bom_document(account, tool_version=tool_version, timestamp=timestamp)
    dropped: tuple[str, ...] = ()
    if spec_version != SPEC_VERSION:
        from aibom.cyclonedx import versions

        dropped = versions.dropped(document, spec_version)
        document = with_serial(versions.to_version(document, spec_version))
    if form is Format.CYCLONEDX_XML:
        from aibom.cyclonedx.xml import to_xml

        return Emitted(to_xml({key: value for key, value in document.items() if key != "$schema"}), dropped)
    return Emitted(dump_json(document), dropped)


def emit_cyclonedx(account: Account, *, tool_version: str, timestamp: datetime | None) -> bytes:
    """Render the BOM as a release carries it: CycloneDX 1.7 JSON."""
    return emit(account, tool_version=tool_version, timestamp=timestamp).data
