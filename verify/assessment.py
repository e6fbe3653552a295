"""Judge a profile: each check against the evidence, in a context. Pure; unknown is never a pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aibom.core.errors import UsageError
from verify.policy import Context
from verify.profile import Check, Conditions, Group, Profile
from verify.rules.component_facts import model_kinds
from verify.rules.evidence import Evidence, EvidenceBase, Found
from verify.rules.registry import find, is_supported
from verify.vocabulary import State, load_vocabulary

_SHOWN = 3


class CheckVerdict(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 -- a verdict, not a secret
    CONTRADICTED = "contradicted"
    MISSING = "missing"
    REVIEW = "review"
    NOT_APPLICABLE = "n/a"


class ProfileVerdict(StrEnum):
    """How a profile ended."""

    EVIDENCED = "evidenced"
    INCOMPLETE = "incomplete"
    CONTRADICTED = "contradicted"
    INFORMATIVE = "informative"


BY_TOOL, BY_SUPPLIER = "verified by tool", "asserted by supplier"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A check, how it ended, why, and on what evidence."""

    check: Check
    verdict: CheckVerdict
    reason: str
    assurance: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileResult:
    """All checks of a profile and what they come to."""

    profile: Profile
    verdict: ProfileVerdict
    checks: tuple[CheckResult, ...]
    undecided_inputs: tuple[str, ...] = ()
    """Conditions that could not be decided, and so were taken to hold."""


def assess(profile: Profile, context: Context, base: EvidenceBase) -> ProfileResult:
    """Judge every check. Raises UsageError if the profile needs an outcome to choose its group and has none."""
    chosen = _chosen_groups(profile, context)
    inputs: dict[str, tuple[str, ...]] = {
        "distribution": (context.distribution,),
        "role": (context.role,),
        "outcome": (context.outcome,) if context.outcome else (),
        "model": (context.model,) if context.model else model_kinds(base),
    }
    groups = {group.id: group for group in profile.groups}
    checks = tuple(
        _judge(check, groups.get(check.group), inputs, base)
        for check in profile.checks
        if not check.group or check.group in chosen
    )
    open_inputs = _undecided(profile, chosen, inputs)
    return ProfileResult(profile=profile, verdict=_roll_up(checks), checks=checks, undecided_inputs=open_inputs)


def _undecided(profile: Profile, chosen: frozenset[str], inputs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    conditions = [group.applies for group in profile.groups if group.id in chosen]
    conditions += [check.applies for check in profile.checks if not check.group or check.group in chosen]
    asked = {f"{key} {' or '.join(wanted)}" for c in conditions for key, wanted in c.items() if not inputs[key]}
    return tuple(sorted(asked))


def _chosen_groups(profile: Profile, context: Context) -> frozenset[str]:
    names = tuple(group.id for group in profile.groups)
    if profile.group_mode != "choose":
        return frozenset(names)
    if context.outcome not in names:
        asked = f"there is no outcome {context.outcome!r}" if context.outcome else "this profile needs an outcome"
        raise UsageError(
            asked,
            where=profile.id,
            hint=f"add --outcome with one of: {', '.join(names)} (aibom profiles show {profile.id})",
        )
    return frozenset({context.outcome})


def _judge(check: Check, group: Group | None, inputs: Mapping[str, tuple[str, ...]], base: EvidenceBase) -> CheckResult:
    for conditions in ((group.applies if group else {}), check.applies):
        reason = _not_applicable(conditions, inputs)
        if reason:
            return CheckResult(check=check, verdict=CheckVerdict.NOT_APPLICABLE, reason=reason)
    if check.waive and not _not_applicable(check.waive.conditions, inputs):
        reason = f"waived: {check.waive.reason}"
        return CheckResult(check=check, verdict=CheckVerdict.NOT_APPLICABLE, reason=reason)
    if check.decide == "human" and check.actor == "consumer":
        reason = "for you to confirm: nothing that a publisher delivers can show this"
        return CheckResult(check=check, verdict=CheckVerdict.REVIEW, reason=reason)
    return _weigh(check, base)


def _not_applicable(conditions: Conditions, inputs: Mapping[str, tuple[str, ...]]) -> str:
    """Why a condition does not hold; empty if all hold. One that cannot be decided holds: the check is then made."""
    for key, wanted in conditions.items():
        found = inputs[key]
        if found and not set(found) & set(wanted):
            return f"only for {key} {' or '.join(wanted)}; here: {' '.join(found)}"
    return ""


def _weigh(check: Check, base: EvidenceBase) -> CheckResult:
    answers = [[(identifier, find(base, identifier)) for identifier in group] for group in check.evidence]
    for _, found in (answer for group in answers for answer in group):
        if found.contradiction:
            return CheckResult(check=check, verdict=CheckVerdict.CONTRADICTED, reason=found.contradiction)
    lacking = [group for group in answers if not any(_satisfies(check, found) for _, found in group)]
    if lacking:
        reason = "; ".join(_why_missing(check, identifier, found) for group in lacking for identifier, found in group)
        weaker = tuple(item for group in lacking for _, found in group for item in found.evidence)
        return CheckResult(check=check, verdict=CheckVerdict.MISSING, reason=reason, evidence=weaker)
    used = [next(found for _, found in group if _satisfies(check, found)) for group in answers]
    ranked = [sorted(found.evidence, key=lambda item: -item.state) for found in used]
    evidence = tuple(item for items in ranked for item in items)
    assurance = BY_TOOL if all(items and items[0].by_tool for items in ranked) else BY_SUPPLIER
    if check.decide == "auto":
        unknown = [name for found in used for name in found.unknown]
        reason = f"stated as unknown for {_some(tuple(unknown))}" if unknown else "evidence found"
        return CheckResult(
            check=check, verdict=CheckVerdict.PASS, reason=reason, assurance=assurance, evidence=evidence
        )
    reason = "evidence is there; whether it is adequate, a person must judge"
    return CheckResult(check=check, verdict=CheckVerdict.REVIEW, reason=reason, assurance=assurance, evidence=evidence)


def _satisfies(check: Check, found: Found) -> bool:
    return found.state >= check.min_state or (check.unknown_ok and found.state is State.UNKNOWN)


def _why_missing(check: Check, identifier: str, found: Found) -> str:
    title = load_vocabulary().title(identifier)
    if not is_supported(identifier):
        return f"{title}: this version cannot look for it"
    if found.lacking:
        return f"{title}: absent for {_some(found.lacking)}"
    if found.withheld:
        return f"{title}: withheld by the publisher for {_some(found.withheld)}"
    if found.unknown:
        return f"{title}: stated as unknown for {_some(found.unknown)}"
    if found.evidence:
        return f"{title}: only {found.state}; needed at least {check.min_state}"
    return f"{title}: not found"


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _roll_up(checks: tuple[CheckResult, ...]) -> ProfileVerdict:
    required = [
        c.verdict for c in checks if c.check.level == "required" and c.verdict is not CheckVerdict.NOT_APPLICABLE
    ]
    if not required:
        return ProfileVerdict.INFORMATIVE
    if CheckVerdict.CONTRADICTED in required:
        return ProfileVerdict.CONTRADICTED
    if CheckVerdict.MISSING in required or CheckVerdict.REVIEW in required:
        return ProfileVerdict.INCOMPLETE
    return ProfileVerdict.EVIDENCED
