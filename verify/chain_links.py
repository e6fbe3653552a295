"""Which links count for which step: signed by somebody who may do it, of that step by its own name, and in agreement.

in-toto itself finds a link by the name of its file and never looks at the name in it, and where one link is enough it
takes the first of several without a look at the others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aibom.core.finding import Finding, contradiction, missing, note, undecided
from aibom.core.layout import ATTESTATIONS
from attest.step_layout import LayoutRecord, LayoutStep
from attest.step_metadata import LinkRecord, SignedMetadata, link_file_name
from verify.chain_files import ReceivedLink
from verify.chain_rules import is_signed_by

_ASK = "ask the publisher, by a channel you trust, for the recorded steps of this release"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneStep:
    """A step with links that count: key id → link, and what all of them say of files."""

    step: LayoutStep
    links: Mapping[str, SignedMetadata]
    record: LinkRecord


def wanted_links(layout: LayoutRecord) -> set[str]:
    """The names of all links that a layout could count."""
    return {link_file_name(step.name, key_id) for step in layout.steps for key_id in step.key_ids}


def gather_steps(
    layout: LayoutRecord, links: Mapping[str, ReceivedLink], names: Iterable[str]
) -> tuple[tuple[DoneStep, ...], list[Finding]]:
    """The steps that have the links they need, and what is wrong with the others; `names` are those of all links."""
    strange = sorted(set(names) - wanted_links(layout))
    done: list[DoneStep] = []
    findings: list[Finding] = []
    for step in layout.steps:
        found, problems = _one_step(layout, step, links, strange)
        findings += problems
        if found:
            done.append(found)
    findings += [
        note("supply-chain.other-link", "ignored: the layout asks for no such link", where=f"{ATTESTATIONS}/{name}")
        for name in strange
    ]
    return tuple(done), findings


def _one_step(
    layout: LayoutRecord, step: LayoutStep, links: Mapping[str, ReceivedLink], strange: list[str]
) -> tuple[DoneStep | None, list[Finding]]:
    own = {key_id: link_file_name(step.name, key_id) for key_id in step.key_ids}
    there = {key_id: links[name] for key_id, name in own.items() if name in links}
    problems = [p for key_id, link in there.items() if (p := _link_problem(layout, step, key_id, link))]
    records = [link.record for link in there.values() if link.record]
    if problems:
        return None, problems
    if len(records) < step.threshold:
        return None, [_too_few(step, len(records), own, strange)]
    first = records[0]
    if any((other.materials, other.products) != (first.materials, first.products) for other in records):
        problems.append(_disagreement(step, [own[key_id] for key_id in there]))
    failed = next((record for record in records if record.exit_code), first)
    return DoneStep(step=step, links={k: link.signed for k, link in there.items()}, record=failed), problems


def _link_problem(layout: LayoutRecord, step: LayoutStep, key_id: str, link: ReceivedLink) -> Finding | None:
    functionary = layout.functionaries[key_id]
    where = f"{ATTESTATIONS}/{link_file_name(step.name, key_id)}"
    expected = f"the key {functionary.key.fingerprint}"
    if not link.signed.is_signed_as(key_id):
        return contradiction(
            "supply-chain.wrong-functionary",
            f"the link of the step {step.name!r} is signed by somebody who may not do it",
            where=where,
            expected=expected,
            found=f"in-toto key id {link.signed.signatures[0].key_id[:16]}…",
            hint=_ASK,
        )
    if not is_signed_by(link.signed, functionary):
        text = f"the link of the step {step.name!r} was changed after it was signed"
        return contradiction("supply-chain.link-signature", text, where=where, expected=expected, hint=_ASK)
    if link.record is None:
        text = f"a layout stands for the step {step.name!r}: steps inside steps are not verified"
        hint = "ask the publisher for a layout that names these steps itself"
        return undecided("supply-chain.sublayout", text, where=where, hint=hint)
    name = link.record.name
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
