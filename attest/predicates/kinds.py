"""The table of predicate types that we know: short name, exact URI, check. `docs/attestation-types.md` shows it."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from aibom.core.errors import InputError
from attest.predicates import documents, in_toto, slsa, telling, vulnerabilities
from attest.predicates.shapes import Check, is_uri
from attest.predicates.telling import Tell

_MAX_TYPE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PredicateKind:
    """One predicate type."""

    name: str
    """The short name; the first entry of a name is what the name alone means."""
    uri: str
    check: Check
    tell: Tell
    """What one statement says, in short; for a predicate that passed the check."""
    says: str
    """What a statement of this type says."""
    made_from: str = "your file"
    """What the predicate is made from."""
    not_judged: str
    """What is left to the reader of a verified statement."""
    alias: str = ""
    versioned: bool = False
    """Whether the URI with `/v…` behind it means the same."""

    def has(self, uri: str) -> bool:
        """Whether `uri` means this type."""
        return uri == self.uri or (self.versioned and uri.startswith(f"{self.uri}/v"))


KINDS = (
    PredicateKind(
        name="provenance",
        uri=slsa.PROVENANCE,
        check=slsa.check_provenance,
        tell=telling.tell_provenance,
        says="where, how and from what the release was made (SLSA 1)",
        made_from="the variables of the CI job and the BOM, or your file",
        not_judged="that its builder is one you trust, and what it was made from",
    ),
    PredicateKind(
        name="evaluation",
        alias="test-result",
        uri=in_toto.TEST_RESULT,
        check=in_toto.check_test_result,
        tell=telling.tell_test_result,
        says="which tests or evaluations passed",
        not_judged="whether its result is good enough, and whether the right things were tested",
    ),
    PredicateKind(
        name="vulnerabilities",
        uri=vulnerabilities.VULNS,
        check=vulnerabilities.check_vulns,
        tell=telling.tell_scan,
        says="what a scanner found",
        not_judged="what the scanner found, and whether it is still all that is known",
    ),
    PredicateKind(
        name="vulnerabilities",
        uri=vulnerabilities.VULNS_1,
        check=vulnerabilities.check_vulns_1,
        tell=telling.tell_scan_1,
        says="what a scanner found, as version 0.1 wrote it",
        not_judged="what the scanner found, and whether it is still all that is known",
    ),
    PredicateKind(
        name="vex",
        uri=vulnerabilities.OPENVEX,
        check=vulnerabilities.check_openvex,
        tell=telling.tell_openvex,
        says="whether known vulnerabilities affect the release (OpenVEX)",
        not_judged="whether what it says of vulnerabilities is so",
        versioned=True,
    ),
    PredicateKind(
        name="scai",
        uri=in_toto.SCAI,
        check=in_toto.check_scai,
        tell=telling.tell_attributes,
        says="attributes of the release or of how it was made, with evidence",
        not_judged="whether its attributes hold, and what their evidence is worth",
    ),
    PredicateKind(
        name="release",
        uri=in_toto.RELEASE,
        check=in_toto.check_release,
        tell=telling.tell_release,
        says="that these files are this version of this package",
        made_from="the BOM, or your file",
        not_judged="whether its signer may speak for this package name",
    ),
    PredicateKind(
        name="reference",
        uri=in_toto.REFERENCE,
        check=in_toto.check_reference,
        tell=telling.tell_reference,
        says="where a document about the release can be had, for one too large to embed",
        made_from="the BOM and `--download-location`, or your file",
        not_judged="the documents that it refers to, which were not fetched",
    ),
    PredicateKind(
        name="spdx",
        uri=documents.SPDX,
        check=documents.check_spdx_3,
        tell=telling.tell_document,
        says="an SPDX 3 document",
        made_from="`aibom.spdx3.json` beside the BOM, or your file",
        not_judged="what the SPDX document says; the BOM is what was checked",
    ),
    PredicateKind(
        name="spdx",
        uri=documents.SPDX_2,
        check=documents.check_spdx_2,
        tell=telling.tell_document,
        says="an SPDX 2 document",
        not_judged="what the SPDX document says; the BOM is what was checked",
    ),
    PredicateKind(
        name="svr",
        uri=in_toto.SVR,
        check=in_toto.check_svr,
        tell=telling.tell_properties,
        says="which properties somebody verified",
        not_judged="whether its verifier is one you trust, and by which policies it went",
    ),
    PredicateKind(
        name="verification-summary",
        alias="vsa",
        uri=slsa.SUMMARY,
        check=slsa.check_summary,
        tell=telling.tell_summary,
        says="what a verification came to (SLSA)",
        not_judged="whether its verifier is one you trust, and what it came to",
    ),
    PredicateKind(
        name="link",
        uri=in_toto.LINK,
        check=in_toto.check_link,
        tell=telling.tell_link,
        says="one step of a supply chain, with its materials",
        not_judged="whether the step was carried out by whom and as it should be",
    ),
)
NAMES = tuple(dict.fromkeys(kind.name for kind in KINDS))
ALIASES = {kind.alias: kind.name for kind in KINDS if kind.alias}


def kind_of(uri: str) -> PredicateKind | None:
    """The kind that a predicate type's URI means, if it is one that we know."""
    return next((kind for kind in KINDS if kind.has(uri)), None)


def type_uri(word: str) -> str:
    """The predicate type that a short name or a URI means.

    Raises InputError for any other word, with the nearest valid one.
    """
    name = ALIASES.get(word, word)
    for kind in KINDS:
        if kind.name == name:
            return kind.uri
    if is_uri(word) and len(word) <= _MAX_TYPE:
        return word
    close = get_close_matches(word, (*NAMES, *ALIASES), 1, 0.5)
    meant = f"did you mean {close[0]!r}? " if close else ""
    raise InputError(
        f"{word[:80]!r} is no type of attestation that we know, and no absolute URI",
        hint=f"{meant}valid: {', '.join(NAMES)}, or the URI of any predicate type",
    )


def check_predicate(uri: str, predicate: Any, where: str) -> bool:
    """Check a predicate of a type that we know; False if we know none of that URI. Raises InputError."""
    kind = kind_of(uri)
    if kind is None:
        return False
    kind.check(predicate, where)
    return True
