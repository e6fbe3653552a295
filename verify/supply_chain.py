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
from aibom.core.names import printable
from attest.keys import VerificationKey
from attest.step_layout import LayoutRecord, LayoutStep, parse_layout
from attest.step_metadata import (
    LAYOUT_NAME,
    LINK,
    MAX_LAYOUT_BYTES,
    MAX_LINK_BYTES,
    LinkRecord,
    SignedMetadata,
    link_file_name,
    parse_link,
    parse_signed,
)
from verify.attached import Attached, AttachedFiles, read_bundle_file
from verify.chain_release import check_release
from verify.chain_rules import check_chain, claims_owner, is_signed_by, owner_of
from verify.policy import ExpectedKey, Policy
from verify.reading import Readings

LAYOUT_PATH = f"{ATTESTATIONS}/{LAYOUT_NAME}"
_MAX_FILES = 500
_MAX_BYTES = 256 * 1024 * 1024
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Received:
    """The parsed files of the chain: the layout, and links by the name of their file."""

    layout: SignedMetadata | None
    links: Mapping[str, SignedMetadata]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """The links of one step whose signatures hold: key id → metadata, and what they say."""

    step: LayoutStep
    links: Mapping[str, SignedMetadata]
    record: LinkRecord


def check_supply_chain(attached: AttachedFiles, policy: Policy, files: Readings, now: datetime) -> ChainResult:
    """Carry out the steps above. A release without recorded steps is only at fault if a layout key was given."""
    try:
        received = _receive(attached.chain)
    except InputError as error:
        finding = contradiction("supply-chain.malformed", error.message, where=error.where, hint=error.hint or _ASK)
        return ChainResult(findings=(finding,), record=ChainRecord(path=LAYOUT_PATH, outcome="rejected"))
    if received.layout is None:
        return _without_layout(policy, links=len(received.links))
    owners = tuple(e.key for e in policy.expected if isinstance(e, ExpectedKey)) + policy.layout_keys
    owner = owner_of(received.layout, owners)
    if owner is None:
        return _unowned(received.layout, owners, required=bool(policy.layout_keys))
    return _owned(received.layout, received.links, owner, files, now)


def _receive(chain: tuple[Attached, ...]) -> _Received:
    if len(chain) > _MAX_FILES:
        raise InputError(f"more than {_MAX_FILES} links", where=ATTESTATIONS)
    layout, links, total = None, {}, 0
    data: dict[str, bytes] = {}
    for found in chain:
        is_layout = found.name == LAYOUT_PATH
        limit = MAX_LAYOUT_BYTES if is_layout else MAX_LINK_BYTES
        shown = printable(found.name)[1:-1]
        content = read_bundle_file(Attached(shown, found.path), limit)
        total += len(content)
        if total > _MAX_BYTES:
            raise InputError(f"more than {_MAX_BYTES} bytes of recorded steps", where=ATTESTATIONS)
        if data.setdefault(found.name, content) != content:
            raise InputError("there are two that differ, in the release and beside it", where=shown)
        signed = parse_signed(content, shown, max_bytes=limit)
        if is_layout:
            parse_layout(signed, shown)
            layout = signed
        else:
            if signed.kind == LINK:
                parse_link(signed, shown)
            links[found.name.removeprefix(f"{ATTESTATIONS}/")] = signed
    return _Received(layout=layout, links=links)


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
    signed: SignedMetadata,
    links: Mapping[str, SignedMetadata],
    owner: VerificationKey,
    files: Readings,
    now: datetime,
) -> ChainResult:
    layout = parse_layout(signed, LAYOUT_PATH)
    findings = _refusals(layout, links, now)
    steps: list[_Step] = []
    if not findings:
        findings += _gather(layout, links, steps)
    if len(steps) == len(layout.steps) and not any(f.outcome is Outcome.CONTRADICTED for f in findings):
        records = {step.step.name: step.record for step in steps}
        findings += check_chain(signed, layout, {step.step.name: step.links for step in steps}, records)
        if files.complete and not any(f.outcome is Outcome.CONTRADICTED for f in findings):
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


def _refusals(layout: LayoutRecord, links: Mapping[str, SignedMetadata], now: datetime) -> list[Finding]:
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
        if link.kind != LINK:
            text = "a layout in the place of a link: steps inside steps are not verified"
            found.append(contradiction("supply-chain.sublayout", text, where=f"{ATTESTATIONS}/{name}", hint=_ASK))
    return found


def _gather(layout: LayoutRecord, links: Mapping[str, SignedMetadata], steps: list[_Step]) -> list[Finding]:
    """Find the links of every step; those that count are added to `steps`."""
    findings: list[Finding] = []
    wanted = {link_file_name(step.name, key_id) for step in layout.steps for key_id in step.key_ids}
    strange = sorted(links.keys() - wanted)
    for step in layout.steps:
        own = {key_id: link_file_name(step.name, key_id) for key_id in step.key_ids}
        there = {key_id: links[name] for key_id, name in own.items() if name in links}
        problems = [p for key_id, link in there.items() if (p := _link_problem(layout, step, key_id, link))]
        findings += problems
        good = {key_id: parse_link(link, own[key_id]) for key_id, link in there.items()} if not problems else {}
        if len(good) >= step.threshold:
            first, *others = good.values()
            if any((o.materials, o.products) != (first.materials, first.products) for o in others):
                findings.append(_disagreement(step, [own[key_id] for key_id in good]))
            failed = next((record for record in good.values() if record.exit_code), first)
            steps.append(_Step(step=step, links=there, record=failed))
        elif not problems:
            findings.append(_too_few(step, len(good), own, strange))
    findings += [
        note("supply-chain.other-link", "ignored: the layout asks for no such link", where=f"{ATTESTATIONS}/{name}")
        for name in strange
    ]
    return findings


def _link_problem(layout: LayoutRecord, step: LayoutStep, key_id: str, link: SignedMetadata) -> Finding | None:
    functionary = layout.functionaries[key_id]
    where = f"{ATTESTATIONS}/{link_file_name(step.name, key_id)}"
    expected = f"the key {functionary.key.fingerprint}"
    if not link.is_signed_as(key_id):
        return contradiction(
            "supply-chain.wrong-functionary",
            f"the link of the step {step.name!r} is signed by somebody who may not do it",
            where=where,
            expected=expected,
            found=f"in-toto key id {link.signatures[0].key_id[:16]}…",
            hint=_ASK,
        )
    if not is_signed_by(link, functionary):
        text = f"the link of the step {step.name!r} was changed after it was signed"
        return contradiction("supply-chain.link-signature", text, where=where, expected=expected, hint=_ASK)
    name = parse_link(link, where).name
    if name != step.name:
        text = f"this link is of the step {name!r}, and was given the name of another"
        return contradiction("supply-chain.other-step", text, where=where, expected=step.name, found=name, hint=_ASK)
    return None


def _disagreement(step: LayoutStep, names: list[str]) -> Finding:
    text = f"those who did the step {step.name!r} recorded different files"
    where = ", ".join(f"{ATTESTATIONS}/{name}" for name in names)
    return contradiction("supply-chain.disagree", text, where=where, hint=_ASK)


def _too_few(step: LayoutStep, found: int, own: Mapping[str, str], strange: list[str]) -> Finding:
    others = [name for name in strange if name.startswith(f"{step.name}.")]
    if others:
        return contradiction(
            "supply-chain.wrong-functionary",
            f"the step {step.name!r} was recorded by somebody who may not do it",
            where=f"{ATTESTATIONS}/{others[0]}",
            expected=" or ".join(own.values()),
            found=others[0],
            hint=_ASK,
        )
    need = f"; its layout asks for {step.threshold}" if step.threshold > 1 else ""
    text = f"the step {step.name!r} has {found or 'no'} link{'s' if found != 1 else ''}{need}"
    return missing("supply-chain.link-missing", text, where=f"{ATTESTATIONS}/{step.name}.*.link", hint=_ASK)


def _step_record(layout: LayoutRecord, found: _Step) -> StepRecord:
    return StepRecord(
        name=found.step.name,
        by=tuple(layout.functionaries[key_id].key.fingerprint for key_id in found.links),
        links=tuple(f"{ATTESTATIONS}/{link_file_name(found.step.name, key_id)}" for key_id in found.links),
        materials=len(found.record.materials),
        products=len(found.record.products),
    )
