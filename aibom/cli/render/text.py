"""The report on a terminal: the verdict first, then why, then what to do, then what was not checked."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import click

from aibom.cli.render.layout import bare, heading, row, safe, wrap
from aibom.cli.render.signed_by import also_signed, signed_by
from aibom.core.finding import Finding, Outcome
from aibom.core.verdict import Verdict
from aibom.cyclonedx.view import ComponentView
from verify.assessment import BY_TOOL, CheckResult, CheckVerdict, ProfileResult
from verify.report import Report
from verify.supply_chain import ChainRecord

_SHOWN_PLACES = 5
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
    if report.verdict is not Verdict.REJECTED:  # then the only next step is not to deploy it
        lines += [*_questions(report), *_for_review(report)]
    return [*lines, *_not_checked(report)]


def _verdict(report: Report) -> list[str]:
    word = click.style(f" {report.verdict.upper()} ", fg=_COLOURS[report.verdict], bold=True, reverse=True)
    meaning = report.verdict.meaning
    if report.verdict is Verdict.ACCEPTED and not report.profiles:
        meaning += " Whether it is fit for your purpose was not judged."
    return [f"{word}  {_subject(report)}", *wrap(meaning, indent=0)]


def _root(report: Report) -> ComponentView | None:
    """What the signed BOM says the release is, unless something contradicts it."""
    return report.bom.bom.root if report.bom and report.verdict is not Verdict.REJECTED else None


def _subject(report: Report) -> str:
    """The name and version that the signed BOM gives; else the folder's name."""
    root = _root(report)
    if root is None or not root.name:
        return safe(report.subject.name)[:60]
    version = root.at("version")
    return safe(f"{root.name} {version}" if isinstance(version, str) else root.name)[:60]


def _facts(report: Report) -> list[str]:
    root = _root(report)
    also = also_signed(report.attestations)
    rows = ["", *row("Signed by", signed_by(report.attestations)), *(row("Also signed", also) if also else ())]
    rows += [*row("Files", _files(report)), *row("BOM", _bom(report))]
    if report.supply_chain is not None:
        rows += row("Made in", _steps(report.supply_chain))
    if root is not None:
        producer = root.at("manufacturer", "name")
        told = [f"licence {' and '.join(root.licences)}" if root.licences else "no licence stated"]
        told += [f"made by {producer}"] if isinstance(producer, str) else ["no producer stated"]
        rows += row("It says", f"{', '.join(told)} (the publisher's words)")
    rows += row("Tree digest", report.subject.tree_digest)
    return [*rows, *row("Checked", f"{report.time:%Y-%m-%d %H:%M} UTC, in {report.subject.name}")]


def _files(report: Report) -> str:
    coverage, there = report.coverage, len(report.subject.manifest.entries)
    if not report.signers or not (coverage.covered or coverage.diff.changed or coverage.diff.missing):
        return f"{there} read, and no signature that counts to compare them with"
    diff = coverage.diff
    signed = coverage.covered + len(diff.changed) + len(diff.missing)
    counts = (("changed", diff.changed), ("missing", diff.missing), ("signed by nobody", diff.extra))
    bad = [f"{len(names)} {word}" for word, names in counts if names]
    head = f"all {signed}" if coverage.covered == signed else f"{coverage.covered} of {signed}"
    tail = f"; {', '.join(bad)}" if bad else ""
    return f"{head} signed files are exactly as signed ({_size(report.subject.manifest.size)}){tail}"


def _bom(report: Report) -> str:
    if report.bom is None:
        return "none that is signed"
    if any(finding.rule == "bom.differs" for finding in report.findings):
        return f"{report.bom.path}; the BOM file beside the files is NOT the signed one"
    return f"{report.bom.path}, signed together with the files"


def _steps(chain: ChainRecord) -> str:
    """Who did which recorded step; only what was verified."""
    if chain.outcome != "verified":
        return f"recorded steps: {chain.outcome}"
    done = [f"{step.name} by {' and '.join(f'{key[:16]}…' for key in step.by)}" for step in chain.steps]
    return f"{len(done)} recorded steps, as the key {chain.owner[:16]}… lays down: {', '.join(done)}"


def _findings(report: Report) -> list[str]:
    reasons = together(f for f in report.findings if f.outcome is not Outcome.NOTE)
    notes = together(f for f in report.findings if f.outcome is Outcome.NOTE)
    lines = heading("Why") if reasons else []
    for finding in reasons:
        lines += _finding(finding)
    if notes:
        lines += heading("Worth knowing")
        lines += [line for finding in notes for line in _note(finding)]
    return lines


def together(findings: Iterable[Finding]) -> list[Finding]:
    """Findings that say the same of several places, as one that names the places."""
    places: dict[Finding, list[str]] = {}
    for finding in findings:
        places.setdefault(replace(finding, where=""), []).append(finding.where)
    return [replace(finding, where=_places(where)) for finding, where in places.items()]


def _places(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN_PLACES])
    return f"{shown} and {len(names) - _SHOWN_PLACES} more" if len(names) > _SHOWN_PLACES else shown


def _note(finding: Finding) -> list[str]:
    lines = wrap(f"- {finding.message}", indent=2, hanging=4)
    if finding.where and finding.where not in finding.message:
        lines += row("where", finding.where, indent=4, column=12)
    return lines + (row("next", finding.hint, indent=4, column=12) if finding.hint else [])


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
        if text and not (label == "where" and finding.message.startswith(text)):
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
        yield from wrap(_passed(result), indent=6)
    else:
        is_read = result.check.clause_confidence == "primary" or not mark_unread
        unread = "" if is_read else " [clause not read in the primary text]"
        yield from wrap(f"{_WORDS[result.verdict]}: {result.reason}{unread}", indent=6)


def _passed(result: CheckResult) -> str:
    """Where the evidence is, and what that is worth: a file that is as signed has not been judged by its content."""
    if result.reason != "evidence found":
        return f"{result.reason} ({result.assurance})"
    names = list(dict.fromkeys(item.where for item in result.evidence))
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    as_signed = (
        ": there, exactly as signed"
        if result.evidence and result.evidence[0].digest and result.assurance == BY_TOOL
        else ""
    )
    return f"{names[0] if names else 'evidence found'}{more} ({result.assurance}{as_signed})"


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


def _for_review(report: Report) -> list[str]:
    """What only a person can judge, of required checks."""
    results = [r for p in report.profiles for r in p.checks if r.verdict is CheckVerdict.REVIEW]
    waiting = [r for r in results if r.check.level == "required"]
    if not waiting:
        return []
    lines = heading("For you to judge")
    for number, result in enumerate(waiting, 1):
        places = ", ".join(dict.fromkeys(item.where for item in result.evidence)) or "not in the release"
        lines += wrap(f"{number}. {result.check.text}. Look at: {places}", indent=2, hanging=5)
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
