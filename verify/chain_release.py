"""Recorded steps against the release: its files must be those that the last step to name them made.

in-toto compares steps with one another; that the files which were delivered are the ones is left to inspections, which
we never run. So it is done here, with the digests of the files on disk. Pure.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from aibom.core.finding import Finding, contradiction, missing, note
from aibom.core.layout import is_content
from aibom.core.manifest import Manifest
from attest.step_layout import LayoutRecord, LayoutStep
from attest.step_metadata import LinkRecord

_SHOWN = 10
_RECORD = "ask the publisher for the record of the step that did (with names as in the release, --base)"
_ASK = "ask the publisher which step made the files of this release"


def made_files(layout: LayoutRecord, records: Mapping[str, LinkRecord]) -> dict[str, tuple[str, str]]:
    """Name → (sha256, step) as the steps left them, in their order."""
    made: dict[str, tuple[str, str]] = {}
    for step in layout.steps:
        made.update({name: (value, step.name) for name, value in records[step.name].products.items()})
    return made


def check_release(
    layout: LayoutRecord, records: Mapping[str, LinkRecord], manifest: Manifest, weights: frozenset[str]
) -> list[Finding]:
    """Compare every file of the release that a step made, and say which weights none did."""
    made = made_files(layout, records)
    there = {entry.name: entry.sha256 for entry in manifest.entries if is_content(entry.name)}
    return [
        *_other_files(made, there),
        *(_unaccounted(made, sorted(weights & there.keys())) or _nothing_known(made, there, weights)),
        *_not_evaluated(records, {n: there[n] for n in sorted(weights & made.keys()) if there.get(n) == made[n][0]}),
        *(finding for step in layout.steps for finding in _not_taken(step, records, weights & there.keys())),
        *_remarks(layout, records),
    ]


def _other_files(made: Mapping[str, tuple[str, str]], there: Mapping[str, str]) -> Iterator[Finding]:
    others = sorted(name for name in made.keys() & there.keys() if made[name][0] != there[name])
    for name in others[:_SHOWN]:
        yield contradiction(
            "supply-chain.other-files",
            f"{name} is not the file that the step {made[name][1]!r} made",
            where=name,
            expected=f"sha256:{made[name][0]}",
            found=f"sha256:{there[name]}",
            hint=_ASK,
        )
    if len(others) > _SHOWN:
        yield contradiction("supply-chain.other-files", f"and {len(others) - _SHOWN} more files that no step made so")


def _unaccounted(made: Mapping[str, object], weights: list[str]) -> list[Finding]:
    alone = [name for name in weights if name not in made]
    found = [
        missing("supply-chain.unaccounted", f"{name}: no recorded step made these weights", where=name, hint=_RECORD)
        for name in alone[:_SHOWN]
    ]
    if len(alone) > _SHOWN:
        text = f"and {len(alone) - _SHOWN} more weights that no recorded step made"
        found.append(missing("supply-chain.unaccounted", text))
    return found


def _nothing_known(made: Mapping[str, object], there: Mapping[str, str], weights: frozenset[str]) -> list[Finding]:
    """Of a release in which nothing is known to be weights, anything may be: then a step must have made each file."""
    alone = () if weights & there.keys() else tuple(sorted(there.keys() - made.keys()))
    if not alone:
        return []
    text = f"no file here is known to be weights, and no recorded step made {some_of(alone)}"
    return [missing("supply-chain.unaccounted", text, where=alone[0], hint=_RECORD)]


def unmade(layout: LayoutRecord, records: Mapping[str, LinkRecord], manifest: Manifest) -> tuple[str, ...]:
    """Files of the release that no step made: cards and licences as a rule, and whatever was put beside the weights."""
    made = made_files(layout, records)
    largest_first = sorted(manifest.entries, key=lambda entry: (-entry.size, entry.name))
    return tuple(entry.name for entry in largest_first if is_content(entry.name) and entry.name not in made)


def some_of(names: tuple[str, ...]) -> str:
    """The first of several names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def untaken(records: Mapping[str, LinkRecord], manifest: Manifest, weights: frozenset[str]) -> tuple[str, ...]:
    """Weights of the release that no step took, under any name: nothing was done with them after they were made."""
    taken = {digest for record in records.values() for digest in record.materials.values()}
    return tuple(e.name for e in manifest.entries if e.name in weights and e.sha256 not in taken)


def _not_evaluated(records: Mapping[str, LinkRecord], delivered: Mapping[str, str]) -> Iterator[Finding]:
    """Others were used under their name, and they themselves by nobody: evaluated before they were changed once more,
    or never. A layout that does not connect its steps, or names them in this order, does not forbid it.
    """
    taken = {digest for record in records.values() for digest in record.materials.values()}
    for name, digest in delivered.items():
        users = [step for step, record in records.items() if _uses_another(record, name, digest)]
        if users and digest not in taken:
            yield missing(
                "supply-chain.not-evaluated",
                f"{name}: the step {users[-1]!r} took another file of this name, and no step took the delivered one",
                where=name,
                hint="ask the publisher for a record of its evaluation with the weights of this release",
            )


def _uses_another(record: LinkRecord, name: str, digest: str) -> bool:
    """Whether a step took another file of this name and left it as it was."""
    taken = record.materials.get(name, digest)
    return taken != digest and record.products.get(name, taken) == taken


def _not_taken(step: LayoutStep, records: Mapping[str, LinkRecord], weights: frozenset[str]) -> Iterator[Finding]:
    """in-toto is content with a step that took nothing, or some, of what its layout connects it to."""
    taken = records[step.name].materials
    for rule in step.materials:
        if rule.kind != "match" or not rule.with_products or rule.source == step.name:
            continue
        source = records.get(rule.source)
        made = source.products if source else {}
        if rule.has_prefix:  # names differ between the two, so only digests can be compared
            left: list[str] = []
            is_connected = bool(set(made.values()) & set(taken.values()))
        else:
            offered = {name for name in made if fnmatchcase(name, rule.pattern)}
            left = sorted((offered & weights) - taken.keys())
            is_connected = bool(offered & taken.keys())
        if left or not is_connected:
            what = ", ".join(left[:3]) if left else f"any file like {rule.pattern}"
            yield missing(
                "supply-chain.not-taken",
                f"the step {step.name!r} did not take {what} from the step {rule.source!r}",
                where=f"step {step.name}",
                hint=f"nothing shows that {step.name!r} was done with these; {_ASK}",
            )


def _remarks(layout: LayoutRecord, records: Mapping[str, LinkRecord]) -> Iterator[Finding]:
    for step in layout.steps:
        record = records[step.name]
        if step.command and step.command != record.command:
            text = f"the step {step.name!r} ran another command than its layout gives"
            yield note("supply-chain.other-command", text, where=f"step {step.name}")
        if record.exit_code:
            yield missing(
                "supply-chain.failed-step",
                f"the command of the step {step.name!r} ended with exit code {record.exit_code}",
                where=f"step {step.name}",
                hint="ask the publisher for the record of a step that succeeded",
            )
