"""The recorded steps of a release: who stands behind them, whether they fit together, and whether it came of them.

1. read `attestations/root.layout` and `*.link`, strictly and bounded (`attest.step_metadata`, `attest.step_layout`);
2. the layout is signed by a key that the reader named, has not expired, and asks for no command to be run;
3. each step has enough links of its own name, signed by those who may do it, and these agree;
4. in-toto's rules for files hold between the steps (`verify.chain_rules`);
5. the files of the release are those that the steps made (`verify.chain_release`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aibom.core.errors import InputError
from aibom.core.finding import Finding, Outcome, contradiction, missing, note
from aibom.core.layout import ATTESTATIONS
from attest.keys import VerificationKey
from attest.step_layout import LayoutRecord
from attest.step_metadata import SignedMetadata, link_file_name
from verify.attached import AttachedFiles
from verify.chain_files import LAYOUT_PATH, ReceivedLink, receive_chain
from verify.chain_links import DoneStep, gather_steps
from verify.chain_release import check_release
from verify.chain_rules import check_chain, claims_owner, owner_of
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


def check_supply_chain(attached: AttachedFiles, policy: Policy, files: Readings, now: datetime) -> ChainResult:
    """Carry out the steps above. A release without recorded steps is only at fault if a layout key was given."""
    try:
        received = receive_chain(attached.chain)
    except InputError as error:
        finding = contradiction("supply-chain.malformed", error.message, where=error.where, hint=error.hint or _ASK)
        return ChainResult(findings=(finding,), record=ChainRecord(path=LAYOUT_PATH, outcome="rejected"))
    if received.layout is None or received.signed_layout is None:
        return _without_layout(policy, links=len(received.links))
    owners = tuple(e.key for e in policy.expected if isinstance(e, ExpectedKey)) + policy.layout_keys
    owner = owner_of(received.signed_layout, owners)
    if owner is None:
        return _unowned(received.signed_layout, owners, required=bool(policy.layout_keys))
    return _owned(received.layout, received.signed_layout, received.links, owner, files, now)


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
    expected = " or ".join(owner.fingerprint for owner in owners)
    found = ", ".join(signature.key_id[:16] for signature in layout.signatures)
    if claims_owner(layout, owners):
        text = "the layout was changed after it was signed: its signature does not hold"
        finding = contradiction("supply-chain.layout-signature", text, where=LAYOUT_PATH, expected=expected, hint=_ASK)
    elif required:
        finding = contradiction(
            "supply-chain.wrong-owner",
            "the layout is signed by another key than the one you expect",
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
    layout: LayoutRecord,
    signed: SignedMetadata,
    links: Mapping[str, ReceivedLink],
    owner: VerificationKey,
    files: Readings,
    now: datetime,
) -> ChainResult:
    findings = _refusals(layout, links, now)
    steps: tuple[DoneStep, ...] = ()
    if not findings:
        steps, problems = gather_steps(layout, links)
        findings += problems
    if len(steps) == len(layout.steps) and not _contradicted(findings):
        records = {done.step.name: done.record for done in steps}
        findings += check_chain(signed, layout, {done.step.name: done.links for done in steps}, records)
        if files.complete and not _contradicted(findings):
            findings += check_release(layout, records, files.manifest, files.weights)
    worst = next((outcome for outcome in _OUTCOMES if any(f.outcome is outcome for f in findings)), None)
    record = ChainRecord(
        path=LAYOUT_PATH,
        outcome=_OUTCOMES[worst] if worst else "verified" if files.complete else "undecided",
        owner=owner.fingerprint,
        expires=f"{layout.expires:%Y-%m-%dT%H:%M:%SZ}",
        steps=tuple(_step_record(layout, step) for step in steps),
    )
    said = "whether the recorded steps did what their names say; who recorded them and which files passed was checked"
    return ChainResult(findings=tuple(findings), record=record, not_checked=(said,))


def _contradicted(findings: list[Finding]) -> bool:
    return any(finding.outcome is Outcome.CONTRADICTED for finding in findings)


def _refusals(layout: LayoutRecord, links: Mapping[str, ReceivedLink], now: datetime) -> list[Finding]:
    """What makes a layout unusable as a whole."""
    found = []
    if layout.inspections:
        text = f"the layout asks for {layout.inspections} commands to be run on your machine; none was"
        hint = "ask the publisher for a layout without inspections"
        found.append(contradiction("supply-chain.inspection", text, where=LAYOUT_PATH, hint=hint))
    if layout.expires <= now:
        found.append(
            contradiction(
                "supply-chain.expired",
                f"the layout expired on {layout.expires:%Y-%m-%d}",
                where=LAYOUT_PATH,
                hint="ask the publisher to sign a new one",
            )
        )
    for name, link in links.items():
        if link.record is None:
            text = "a layout in the place of a link: steps inside steps are not verified"
            found.append(contradiction("supply-chain.sublayout", text, where=f"{ATTESTATIONS}/{name}", hint=_ASK))
    return found


def _step_record(layout: LayoutRecord, found: DoneStep) -> StepRecord:
    return StepRecord(
        name=found.step.name,
        by=tuple(layout.functionaries[key_id].key.fingerprint for key_id in found.links),
        links=tuple(f"{ATTESTATIONS}/{link_file_name(found.step.name, key_id)}" for key_id in found.links),
        materials=len(found.record.materials),
        products=len(found.record.products),
    )
