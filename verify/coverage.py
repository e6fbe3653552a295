"""Coverage: are the files on disk exactly those that were signed? Our fixed rule decides, not the signer's list.

What is covered is the union of the verified manifests. A file that no manifest names is extra, one that is named but
not there is missing, one whose digest differs from a manifest's is changed; each rejects the release. The manifests
must be nested: parts of two releases do not make one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aibom.core.finding import Finding, contradiction, note
from aibom.core.layout import (
    ATTESTATIONS,
    GIT_HISTORY,
    GIT_RELATED,
    HUB_CACHE,
    SIGNATURE_NAME,
    is_content,
    is_git_related,
)
from aibom.core.manifest import Manifest, ManifestDiff, compare

_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFiles:
    """The files that one verified statement names."""

    path: str
    """The bundle it came from."""
    files: dict[str, str]
    """Name → sha256."""
    is_bom_attestation: bool
    ignored: tuple[str, ...] = ()
    """What the signer says was left out."""
    tree_digest: str = ""
    """The name-binding digest of the content, if the statement gives one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The difference, how many files are covered, and what a reader should know."""

    covered: int
    diff: ManifestDiff
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]


def union(signed: Iterable[SignedFiles]) -> dict[str, str]:
    """Name → sha256 over all statements; where two disagree, the first one's (and that is a finding)."""
    files: dict[str, str] = {}
    for statement in signed:
        for name, value in statement.files.items():
            files.setdefault(name, value)
    return files


def check_coverage(
    signed: tuple[SignedFiles, ...], actual: Manifest, outside: tuple[str, ...], unread: tuple[str, ...] = ()
) -> Coverage:
    """Compare what is signed with what is there.

    `outside` are the paths that the fixed rule leaves out, `unread` those not read because nobody signed them.
    """
    expected = union(signed)
    diff = compare(expected, actual)
    diff = replace(diff, extra=tuple(sorted({*diff.extra, *unread})))
    dropped = _dropped_by_signer(signed, diff)
    diff = replace(diff, extra=tuple(name for name in diff.extra if name not in dropped))
    covered = len(expected.keys() & {entry.name for entry in actual.entries}) - len(diff.changed)
    notes = tuple(_notes(signed, dropped, outside))
    if not signed:  # that nobody signed anything is said once, not for every file
        return Coverage(covered=0, diff=diff, notes=notes, findings=())
    findings = [
        *_disagreements(signed),
        *_mixed(signed),
        *_tree(signed, actual, diff),
        *_changed(diff, expected, actual),
        *_missing(diff),
        *_extra(diff),
    ]
    findings += [note("coverage.outside", text) for text in notes]
    return Coverage(covered=covered, diff=diff, notes=notes, findings=tuple(findings))


def _dropped_by_signer(signed: tuple[SignedFiles, ...], diff: ManifestDiff) -> tuple[str, ...]:
    """Git-related files that a `model_signing` bundle leaves out by default: a note, unless a BOM attestation is there.

    Our own releases always have that attestation, and it covers them.
    """
    if any(statement.is_bom_attestation for statement in signed):
        return ()
    ignored = {path.removeprefix("./") for statement in signed for path in statement.ignored}
    allowed = [path for path in GIT_RELATED if path in ignored]
    return tuple(n for n in diff.extra if is_git_related(n) and any(n == p or n.startswith(f"{p}/") for p in allowed))


def _notes(signed: tuple[SignedFiles, ...], dropped: tuple[str, ...], outside: tuple[str, ...]) -> Iterable[str]:
    if dropped:
        yield f"not covered, left out by the signing tool: {', '.join(dropped)}"
    if GIT_HISTORY in outside:
        yield f"{GIT_HISTORY} is never covered by a signature; do not run or trust what is in it"
    if any(name.startswith(HUB_CACHE) for name in outside):
        yield f"{HUB_CACHE} holds only the download tool's own records; it is not covered"
    known = {*GIT_RELATED, GIT_HISTORY, HUB_CACHE, SIGNATURE_NAME, ATTESTATIONS}
    for statement in signed:
        for path in statement.ignored:
            if path.removeprefix("./") not in known:
                yield f"the signer asked to leave out {path!r} ({statement.path}); it was checked all the same"


def _disagreements(signed: tuple[SignedFiles, ...]) -> Iterable[Finding]:
    seen: dict[str, tuple[str, str]] = {}
    for statement in signed:
        for name, value in statement.files.items():
            first = seen.setdefault(name, (value, statement.path))
            if first[0] != value:
                yield contradiction(
                    "coverage.disagree",
                    f"two signed statements say different things about {name}",
                    where=f"{first[1]} and {statement.path}",
                    expected=f"sha256:{first[0]}",
                    found=f"sha256:{value}",
                    hint="ask the publisher which is right; the release was signed twice from different files",
                )


def _mixed(signed: tuple[SignedFiles, ...]) -> Iterable[Finding]:
    """One statement must cover the whole release: two that each cover a part were never published as one.

    Only of statements over the same content may one also name git-related or generated files that the other does not:
    `model_signing` drops the former, and a BOM may be made after its signature.
    """
    content = {id(s): frozenset(n for n in s.files if not is_git_related(n) and is_content(n)) for s in signed}
    whole = max(signed, key=lambda s: (len(content[id(s)]), len(s.files)))
    for statement in signed:
        own, largest = content[id(statement)], content[id(whole)]
        strange = own - largest if own == largest else statement.files.keys() - whole.files.keys()
        if strange:
            yield contradiction(
                "coverage.mixed",
                "two signed statements cover different sets of files: parts of two releases were put together",
                where=statement.path,
                found=f"only there: {', '.join(sorted(strange)[:3])}",
                hint="get the release again, whole, from its publisher",
            )


def _tree(signed: tuple[SignedFiles, ...], actual: Manifest, diff: ManifestDiff) -> Iterable[Finding]:
    """The name-binding digest that a BOM attestation gives, when every file is as signed."""
    content = Manifest(tuple(entry for entry in actual.entries if is_content(entry.name)))
    for statement in signed:
        if statement.tree_digest and not diff and statement.tree_digest != content.tree_digest:
            yield contradiction(
                "coverage.tree-digest",
                "the signed digest of the whole tree is not that of the files",
                where=statement.path,
                expected=f"sha256:{statement.tree_digest}",
                found=f"sha256:{content.tree_digest}",
                hint="ask the publisher to sign the release again",
            )


def _changed(diff: ManifestDiff, expected: dict[str, str], actual: Manifest) -> Iterable[Finding]:
    found = actual.by_name()
    for name in diff.changed[:_SHOWN]:
        yield contradiction(
            "coverage.changed",
            f"{name} is not the file that was signed",
            where=name,
            expected=f"sha256:{expected[name]}",
            found=f"sha256:{found[name].sha256}",
            hint="download the file again; if it stays different, report it to the publisher",
        )
    yield from _more("coverage.changed", diff.changed, "changed")


def _missing(diff: ManifestDiff) -> Iterable[Finding]:
    hint = "download the release again, whole"
    for name in diff.missing[:_SHOWN]:
        yield contradiction("coverage.missing", f"{name} was signed but is not there", where=name, hint=hint)
    yield from _more("coverage.missing", diff.missing, "missing")


def _extra(diff: ManifestDiff) -> Iterable[Finding]:
    hint = "remove it, or ask the publisher why it is not part of the signed release"
    for name in diff.extra[:_SHOWN]:
        yield contradiction("coverage.extra", f"{name} is there but nobody signed it", where=name, hint=hint)
    yield from _more("coverage.extra", diff.extra, "extra")


def _more(rule: str, names: tuple[str, ...], word: str) -> Iterable[Finding]:
    if len(names) > _SHOWN:
        yield contradiction(rule, f"and {len(names) - _SHOWN} more {word} files (all are in the JSON report)")
