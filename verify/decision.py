"""From findings and profile results to one verdict. The worst counts; nothing checked is never accepted."""

from collections.abc import Iterable

from aibom.core.finding import Finding, Outcome
from aibom.core.verdict import Verdict
from verify.assessment import ProfileResult, ProfileVerdict


def decide(findings: Iterable[Finding], profiles: Iterable[ProfileResult], *, signers: int, files: int) -> Verdict:
    """Rejected before undecided before incomplete before accepted.

    A profile that was asked for and of which nothing applies has checked nothing: that is not accepted either.
    """
    outcomes = {finding.outcome for finding in findings}
    verdicts = {result.verdict for result in profiles}
    if Outcome.CONTRADICTED in outcomes or ProfileVerdict.CONTRADICTED in verdicts:
        return Verdict.REJECTED
    if Outcome.UNDECIDED in outcomes or not signers or not files:
        return Verdict.UNDECIDED
    if Outcome.MISSING in outcomes or verdicts & {ProfileVerdict.INCOMPLETE, ProfileVerdict.INFORMATIVE}:
        return Verdict.INCOMPLETE
    return Verdict.ACCEPTED
