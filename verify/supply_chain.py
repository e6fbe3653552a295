"""The recorded steps of a release: who stands behind them, whether they fit together, and whether it came of them.

1. read `attestations/root.layout` and `*.link`, strictly and bounded (`attest.step_metadata`, `attest.step_layout`);
2. the layout is signed by whom the reader named, and has not expired; commands that it asks for are never run;
3. each step has enough links of its own name, signed by those who may do it, and these agree;
4. in-toto's rules for files hold between the steps (`verify.chain_rules`);
5. the files of the release are those that the steps made (`verify.chain_release`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from aibom.core.errors import InputError
from aibom.core.finding import Finding, Outcome, contradiction, missing, note, undecided
from aibom.core.layout import ATTESTATIONS
from attest.keys import VerificationKey
from attest.step_layout import LayoutRecord
from attest.step_metadata import OlderFormError, SignedMetadata, link_file_name
from verify.attached import AttachedFiles
from verify.chain_files import (
    LAYOUT_PATH,
    GivenLayout,
    ReceivedLayout,
    ReceivedLink,
    link_names,
    receive_layout,
    receive_links,
)
from verify.chain_links import DoneStep, gather_steps, wanted_links
from verify.chain_release import check_release, some_of, unmade, untaken
from verify.chain_rules import check_chain, claims_owner, is_owned_by
from verify.policy import ExpectedKey, Policy
from verify.reading import Readings

_ASK = "ask the publisher, by a channel you trust, for the recorded steps of this release"
_OUTCOMES = {Outcome.CONTRADICTED: "rejected", Outcome.UNDECIDED: "undecided", Outcome.MISSING: "incomplete"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step that was verified: who did it (fingerprints of keys), and how many files it took and made."""

    name: str
    by: tuple[str, ...]
    links: tuple[str, ...]
    materials: int
    products: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRecord:
    """What became of a release's recorded steps. `owner` is the fingerprint of the key behind the layout, if known."""

    path: str
    outcome: str
    """`verified`, `rejected`, `undecided`, `incomplete`, or `not checked`."""
    owner: str = ""
    expires: str = ""
    steps: tuple[StepRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """What was found, for the report."""

    findings: tuple[Finding, ...] = ()
    record: ChainRecord | None = None
    not_checked: tuple[str, ...] = ()


def check_supply_chain(
    attached: AttachedFiles, policy: Policy, files: Readings, now: datetime, given: GivenLayout | None = None
) -> ChainResult:
    """Carry out the steps above. A release without recorded steps is only at fault if a layout key was given.

    `given` is a layout that the reader brought: it decides, and the release's own is not looked at.
    """
    result = _check(attached, policy, files, now, given)
    if given is None or result.record is None:
        return result
    findings = [replace(f, where=given.path) if f.where == LAYOUT_PATH else f for f in result.findings]
    if any(found.name == LAYOUT_PATH for found in attached.chain):
        text = "the release brings a layout of its own; yours decides, and that one was not looked at"
        findings.append(note("supply-chain.own-layout", text, where=LAYOUT_PATH))
    return replace(result, findings=tuple(findings), record=replace(result.record, path=given.path))


def _check(
    attached: AttachedFiles, policy: Policy, files: Readings, now: datetime, given: GivenLayout | None
) -> ChainResult:
    try:
        layout, names = receive_layout(attached.chain, given), link_names(attached.chain)
        if layout is None:
            return _without_layout(policy, links=len(names))
        owner, lacking = _owners(layout.signed, policy)
        if owner is None:
            return _unowned(layout.signed, lacking, required=bool(policy.layout_keys))
        links = receive_links(attached.chain, wanted_links(layout.record))
    except OlderFormError as error:
        finding = undecided("supply-chain.older-form", error.message, where=error.where, hint=error.hint)
        return ChainResult(findings=(finding,), record=ChainRecord(path=LAYOUT_PATH, outcome="undecided"))
    except InputError as error:
        finding = contradiction("supply-chain.malformed", error.message, where=error.where, hint=error.hint or _ASK)
        return ChainResult(findings=(finding,), record=ChainRecord(path=LAYOUT_PATH, outcome="rejected"))
    return _owned(layout, links, names, owner, files, now)


def _owners(layout: SignedMetadata, policy: Policy) -> tuple[VerificationKey | None, tuple[VerificationKey, ...]]:
    """Who stands behind the layout, or the keys whose signatures it lacks.

    Every layout key that the reader named must, as in in-toto itself, and then nobody else counts. If none was named,
    a key that is expected to sign the release may.
    """
    keys = policy.layout_keys or tuple(e.key for e in policy.expected if isinstance(e, ExpectedKey))
    holds = [key for key in keys if is_owned_by(layout, key)]
    enough = len(holds) == len(keys) if policy.layout_keys else bool(holds)
    return (holds[0] if holds and enough else None), tuple(key for key in keys if key not in holds)


def _without_layout(policy: Policy, *, links: int) -> ChainResult:
    if policy.layout_keys:
        finding = missing(
            "supply-chain.missing",
            "there is no layout of the steps that made this release",
            where=LAYOUT_PATH,
            hint=_ASK,
        )
        return ChainResult(findings=(finding,))
    if not links:
        return ChainResult()
    finding = note("supply-chain.no-layout", f"{links} recorded steps without a layout say nothing", where=ATTESTATIONS)
    return ChainResult(findings=(finding,))


def _unowned(layout: SignedMetadata, owners: tuple[VerificationKey, ...], *, required: bool) -> ChainResult:
    expected = (" and " if required else " or ").join(owner.fingerprint for owner in owners)
    found = ", ".join(signature.key_id[:16] for signature in layout.signatures)
    if claims_owner(layout, owners):
        text = "the layout was changed after it was signed: its signature does not hold"
        finding = contradiction("supply-chain.layout-signature", text, where=LAYOUT_PATH, expected=expected, hint=_ASK)
    elif required:
        finding = contradiction(
            "supply-chain.wrong-owner",
            "the layout is not signed by the key that you expect",
            where=LAYOUT_PATH,
            expected=expected,
            found=f"in-toto key id {found}…",
            hint=_ASK,
        )
    else:
        text = "not checked: nobody you named stands behind the layout of the recorded steps"
        hint = "give the key of whoever does with --layout-key"
        said = "the recorded steps of this release: nobody you named stands behind them (--layout-key)"
        finding = note("supply-chain.other-owner", text, where=LAYOUT_PATH, hint=hint)
        record = ChainRecord(path=LAYOUT_PATH, outcome="not checked")
        return ChainResult(findings=(finding,), record=record, not_checked=(said,))
    return ChainResult(findings=(finding,), record=ChainRecord(path=LAYOUT_PATH, outcome="rejected"))


def _owned(
    received: ReceivedLayout,
    links: Mapping[str, ReceivedLink],
    names: tuple[str, ...],
    owner: VerificationKey,
    files: Readings,
    now: datetime,
) -> ChainResult:
    layout, signed = received.record, received.signed
    findings = _limits(layout, now)
    steps: tuple[DoneStep, ...] = ()
    said = ["whether the recorded steps did what their names say; who recorded them and which files passed was checked"]
    if not _contradicted(findings):
        steps, problems = gather_steps(layout, links, names)
        findings += problems
    if len(steps) == len(layout.steps) and not _contradicted(findings):
        records = {done.step.name: done.record for done in steps}
        findings += check_chain(signed, layout, {done.step.name: done.links for done in steps}, records)
        if files.complete and not _contradicted(findings):
            findings += check_release(layout, records, files.manifest, files.weights)
            said += _unevaluated(untaken(records, files.manifest, files.weights))
            said += _unmade(unmade(layout, records, files.manifest))
    worst = next((outcome for outcome in _OUTCOMES if any(f.outcome is outcome for f in findings)), None)
    record = ChainRecord(
        path=LAYOUT_PATH,
        outcome=_OUTCOMES[worst] if worst else "verified" if files.complete else "undecided",
        owner=owner.fingerprint,
        expires=f"{layout.expires:%Y-%m-%dT%H:%M:%SZ}",
        steps=tuple(_step_record(layout, step) for step in steps),
    )
    return ChainResult(findings=tuple(findings), record=record, not_checked=tuple(said))


def _unevaluated(names: tuple[str, ...]) -> list[str]:
    return [f"whether {some_of(names)} was evaluated: no recorded step took it"] if names else []


def _unmade(names: tuple[str, ...]) -> list[str]:
    return [f"how {some_of(names)} came to be: no recorded step made it"] if names else []


def _contradicted(findings: list[Finding]) -> bool:
    return any(finding.outcome is Outcome.CONTRADICTED for finding in findings)


def _limits(layout: LayoutRecord, now: datetime) -> list[Finding]:
    """What stands against a layout as a whole, whatever its steps are."""
    found = []
    if layout.inspections:
        text = f"the layout asks for {layout.inspections} commands (inspections) to be run on your machine; not run"
        hint = "ask the publisher for a layout without inspections"
        found.append(undecided("supply-chain.inspection", text, where=LAYOUT_PATH, hint=hint))
    if layout.expires <= now:
        text = f"the layout expired on {layout.expires:%Y-%m-%d}"
        hint = "ask the publisher to sign a new one"
        found.append(contradiction("supply-chain.expired", text, where=LAYOUT_PATH, hint=hint))
    return found


def _step_record(layout: LayoutRecord, found: DoneStep) -> StepRecord:
    return StepRecord(
        name=found.step.name,
        by=tuple(layout.functionaries[key_id].key.fingerprint for key_id in found.links),
        links=tuple(f"{ATTESTATIONS}/{link_file_name(found.step.name, key_id)}" for key_id in found.links),
        materials=len(found.record.materials),
        products=len(found.record.products),
    )
