"""The report on a terminal: the verdict first, then why, then what to do, then what was not checked."""

from collections.abc import Iterator

import click

from aibom.cli.render.layout import bare, heading, row, safe, wrap
from aibom.core.finding import Finding, Outcome
from aibom.core.verdict import Verdict
from verify.assessment import CheckResult, CheckVerdict, ProfileResult
from verify.report import Report
from verify.signature import Signer

_COLOURS = {
    Verdict.ACCEPTED: "green",
    Verdict.REJECTED: "red",
    Verdict.UNDECIDED: "yellow",
    Verdict.INCOMPLETE: "yellow",
}
_MARKS = {
    CheckVerdict.PASS: ("✓", "green"),
    CheckVerdict.CONTRADICTED: ("✗", "red"),
    CheckVerdict.MISSING: ("✗", "yellow"),
    CheckVerdict.REVIEW: ("?", "yellow"),
    CheckVerdict.NOT_APPLICABLE: ("–", "white"),
}
_WORDS = {
    CheckVerdict.CONTRADICTED: "contradicted",
    CheckVerdict.MISSING: "missing",
    CheckVerdict.REVIEW: "to be reviewed by a person",
    CheckVerdict.NOT_APPLICABLE: "does not apply",
}


def report_lines(report: Report) -> list[str]:
    """Render a report, at most 80 columns wide."""
    lines = [*_verdict(report), *_facts(report), *_findings(report)]
    for result in report.profiles:
        lines += _profile(result)
    return [*lines, *_questions(report), *_not_checked(report)]


def _verdict(report: Report) -> list[str]:
    word = click.style(f" {report.verdict.upper()} ", fg=_COLOURS[report.verdict], bold=True, reverse=True)
    return [f"{word}  {_subject(report)}", *wrap(report.verdict.meaning, indent=0)]


def _subject(report: Report) -> str:
    """The name and version that the signed BOM gives, unless something contradicts it; else the folder's name."""
    root = report.bom.bom.root if report.bom and report.verdict is not Verdict.REJECTED else None
    if root is None or not root.name:
        return safe(report.subject.name)[:60]
    version = root.at("version")
    return safe(f"{root.name} {version}" if isinstance(version, str) else root.name)[:60]


def _facts(report: Report) -> list[str]:
    files, coverage = len(report.subject.manifest.entries), report.coverage
    as_signed = f"all {files}" if coverage.covered == files and not coverage.diff else f"{coverage.covered} of {files}"
    if not report.signers:
        as_signed = f"{files} are there, and no signature that counts to compare them with"
    else:
        as_signed += " exactly as signed"
    signed = ", and ".join(map(_signer, report.signers)) or "nobody whom you expect"
    bom = f"{report.bom.path}, signed together with the files" if report.bom else "none that is signed"
    return [
        "",
        *row("Signed by", signed),
        *row("Files", f"{as_signed} ({_size(report.subject.manifest.size)})"),
        *row("BOM", bom),
        *row("SHA-256", report.subject.tree_digest),
    ]


def _signer(signer: Signer) -> str:
    when = f" on {signer.time}" if signer.time else ""
    if signer.kind == "key":
        return f"the key that you gave ({signer.identity[:16]}…){when}"
    return f"{signer.identity}, vouched for by {signer.issuer}{when}"


def _findings(report: Report) -> list[str]:
    reasons = [f for f in report.findings if f.outcome is not Outcome.NOTE]
    notes = [f for f in report.findings if f.outcome is Outcome.NOTE]
    lines = heading("Why") if reasons else []
    for finding in reasons:
        lines += _finding(finding)
    if notes:
        lines += heading("Worth knowing")
        lines += [line for finding in notes for line in wrap(f"- {finding.message}", indent=2, hanging=4)]
    return lines


def _finding(finding: Finding) -> list[str]:
    mark = click.style("✗" if finding.outcome is Outcome.CONTRADICTED else "?", fg="red")
    first, *rest = wrap(finding.message, indent=4)
    lines = [f"  {mark} {first.strip()}", *rest]
    for label, text in (
        ("where", finding.where),
        ("expected", finding.expected),
        ("found", finding.found),
        ("next", finding.hint),
    ):
        if text and not (label == "where" and text in finding.message):
            lines += row(label, bare(text), indent=6, column=16)
    return lines


def _profile(result: ProfileResult) -> list[str]:
    profile = result.profile
    groups = {c.check.group for c in result.checks}
    titles = [group.title for group in profile.groups if group.id in groups and profile.group_mode == "choose"]
    name = titles[0] if titles else profile.title
    lines = ["", *(click.style(line, bold=True) for line in wrap(f"{name}: {result.verdict}", indent=0))]
    lines += [f"  {safe(profile.id)} {profile.version}, sha256:{profile.sha256[:16]}…"]
    for condition in result.undecided_inputs:
        text = f"meant for {condition}; the BOM does not say whether this is one, so the checks were made"
        lines += wrap(text, indent=2)
    unread = {c.check.clause_confidence != "primary" for c in result.checks}
    if unread == {True}:
        lines += wrap("its clauses are known from secondary sources only, not from the primary text", indent=2)
    lines += [line for c in result.checks if _is_shown(c) for line in _check(c, mark_unread=len(unread) > 1)]
    return lines


def _is_shown(result: CheckResult) -> bool:
    """Leave out optional checks that found nothing: they decide nothing."""
    return result.check.level == "required" or result.verdict in {CheckVerdict.PASS, CheckVerdict.CONTRADICTED}


def _check(result: CheckResult, *, mark_unread: bool) -> Iterator[str]:
    mark, colour = _MARKS[result.verdict]
    first, *rest = wrap(result.check.text, indent=4)
    yield f"  {click.style(mark, fg=colour)} {first.strip()}"
    yield from rest
    if result.verdict is CheckVerdict.PASS:
        where = result.evidence[0].where if result.evidence else result.reason
        more = f" and {len(result.evidence) - 1} more" if len(result.evidence) > 1 else ""
        yield from wrap(f"{where}{more} ({result.assurance})", indent=6)
    else:
        is_read = result.check.clause_confidence == "primary" or not mark_unread
        unread = "" if is_read else " [clause not read in the primary text]"
        yield from wrap(f"{_WORDS[result.verdict]}: {result.reason}{unread}", indent=6)


def _questions(report: Report) -> list[str]:
    """What to ask, of required checks only: ready to paste into a letter."""
    open_checks = [
        result.check
        for profile in report.profiles
        for result in profile.checks
        if result.verdict is CheckVerdict.MISSING and result.check.level == "required"
    ]
    questions = list(dict.fromkeys(check.ask for check in open_checks if check.actor != "consumer"))
    if not questions:
        return []
    lines = heading("Ask the publisher")
    for number, question in enumerate(questions, 1):
        lines += wrap(f"{number}. {question}", indent=2, hanging=5)
    return lines


def _not_checked(report: Report) -> list[str]:
    lines = heading("Not checked")
    for text in report.not_checked:
        lines += wrap(f"- {text}", indent=2, hanging=4)
    return lines


def _size(count: int) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000  # type: ignore[assignment]
    return f"{count:,.1f} TB"
