"""Step 3, second half: attestations of other types, once the files are read.

Such a statement counts if an expected signer signed it, its subjects are these files, and its predicate is what its
type demands; a type that we do not know counts as evidence for nothing. What it *says* is not judged here: it is told
in short, and a failure is noted. Others name subjects in their own way: a file's base name, a Git commit, a container
image. So a subject is matched by name and digest, else by digest alone; one that is no file of the release is noted,
and a statement that has no other is about something else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aibom.core.errors import InputError
from aibom.core.finding import Finding, contradiction, note
from aibom.core.layout import is_content
from aibom.core.manifest import TREE_DIGEST_NAME, tree_digest
from aibom.core.names import printable
from attest.predicates.kinds import PredicateKind, check_predicate, kind_of
from attest.predicates.telling import Told
from attest.release_statement import release_tree_digest
from attest.statement import Subject
from verify.bundles import VERIFIED, Signatures
from verify.coverage import union
from verify.reading import Readings
from verify.signature import VerifiedStatement

_ASK = "ask the publisher for the attestation of this release, or remove it"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Release:
    """What subjects are compared with: the files as they are, and as they were signed."""

    files: Mapping[str, str]
    signed: Mapping[str, str]
    by_digest: Mapping[str, frozenset[str]]
    """Names by digest, of files that are not empty: of these there is one in every other release."""
    tree: str
    signed_tree: str
    needed: frozenset[str]
    """What a statement must be about to be about the release: all weights; without any, all content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """Which files a statement's subjects are."""

    names: frozenset[str] = frozenset()
    whole: bool = False
    """Whether one of them is the tree digest."""
    known: int = 0
    """Subjects that are files of the release, as it is or as it was signed."""
    wrong: tuple[Subject, ...] = ()
    strangers: int = 0


def settle(signatures: Signatures, files: Readings) -> Signatures:
    """Read what was left over, and say which predicate types may count as evidence about the release."""
    records, findings, not_judged = list(signatures.records), list(signatures.findings), []
    types = {record.type: record.path for record in records if record.outcome == VERIFIED}
    release = _release(signatures, files)
    for index, statement in signatures.others:
        if not files.complete:
            not_judged.append(f"{statement.path}: whether it is about these files, which could not be read")
            continue
        match = _match(statement.statement.subjects, release)
        problem = _problem(statement, match, release)
        if problem:
            findings.append(problem)
            records[index] = replace(records[index], outcome="rejected")
            continue
        records[index] = replace(records[index], outcome=VERIFIED)
        findings += _strangers(statement, match)
        not_judged.append(_not_judged(statement))
        kind = kind_of(statement.statement.predicate_type)
        if not kind:
            continue
        told = kind.tell(statement.statement.predicate)
        findings += _failure(statement, kind, told)
        if match.whole or release.needed <= match.names:
            types.setdefault(statement.statement.predicate_type, statement.path)
            part = ""
        else:
            part = f"{len(match.names)} of {len(release.files)} files and not about all weights"
            not_judged.append(f"{statement.path}: it is about {part}, so that it counts as evidence for no check")
        records[index] = replace(records[index], says=f"{told.text}, about {part}" if part else told.text)
    return replace(
        signatures,
        records=tuple(records),
        findings=tuple(findings),
        not_judged=tuple(not_judged),
        predicate_types=types,
    )


def _release(signatures: Signatures, files: Readings) -> _Release:
    by_digest: dict[str, set[str]] = {}
    for entry in files.manifest.entries:
        if entry.size:
            by_digest.setdefault(entry.sha256, set()).add(entry.name)
    signed = union(signatures.signed)
    content = frozenset(entry.name for entry in files.manifest.entries if is_content(entry.name))
    return _Release(
        files={entry.name: entry.sha256 for entry in files.manifest.entries},
        signed=signed,
        by_digest={digest: frozenset(names) for digest, names in by_digest.items()},
        tree=release_tree_digest(files.manifest),
        signed_tree=tree_digest((name, digest) for name, digest in signed.items() if is_content(name)),
        needed=files.weights or content,
    )


def _match(subjects: tuple[Subject, ...], release: _Release) -> _Match:
    names: set[str] = set()
    wrong: list[Subject] = []
    whole, known, strangers = False, 0, 0
    for subject in subjects:
        digest = subject.sha256
        expected = _expected(subject.name, release)
        if digest and digest == release.tree:
            whole, known = True, known + 1
        elif expected and digest in expected:
            known += 1
            if release.files.get(subject.name) == digest:
                names |= {subject.name} | release.by_digest.get(digest, frozenset())
        elif expected and digest:
            wrong.append(subject)
        elif digest in release.by_digest:
            known += 1
            names |= release.by_digest[digest]
        else:
            strangers += 1
    return _Match(names=frozenset(names), whole=whole, known=known, wrong=tuple(wrong), strangers=strangers)


def _expected(name: str, release: _Release) -> frozenset[str]:
    """The digests that a subject of this name may have: as the file is, or as it was signed; empty for other names.

    A file that is not as it was signed is a finding of its own, and no second one for every attestation.
    """
    if name == TREE_DIGEST_NAME:
        return frozenset({release.tree, release.signed_tree})
    return frozenset({release.files.get(name, ""), release.signed.get(name, "")} - {""})


def _problem(statement: VerifiedStatement, match: _Match, release: _Release) -> Finding | None:
    if match.wrong:
        first = match.wrong[0]
        more = f" (and {len(match.wrong) - 1} more)" if len(match.wrong) > 1 else ""
        return contradiction(
            "attestation.other-files",
            f"the attestation is about another {printable(first.name)} than the one that is here{more}",
            where=statement.path,
            expected=" or ".join(f"sha256:{digest}" for digest in sorted(_expected(first.name, release))),
            found=f"sha256:{first.sha256}",
            hint=_ASK,
        )
    if not match.known:
        return contradiction(
            "attestation.other-files",
            "the attestation is about none of these files",
            where=statement.path,
            found=", ".join(_shown(subject) for subject in statement.statement.subjects[:3]),
            hint=_ASK,
        )
    try:
        check_predicate(statement.statement.predicate_type, statement.statement.predicate, "predicate")
    except InputError as error:
        return contradiction(
            "attestation.malformed",
            f"the attestation does not hold what its type demands: {error.message}",
            where=f"{statement.path}, {error.where}",
            hint="ask the publisher for a correct one, or remove it",
        )
    return None


def _failure(statement: VerifiedStatement, kind: PredicateKind, told: Told) -> list[Finding]:
    """What a failure means for the deployer, we do not know; that nobody told them, we can prevent."""
    if not told.failed:
        return []
    text = f"a signer whom you expect says that something failed: {kind.name}: {told.text}"
    hint = f"read {statement.path} before you use the release, and ask the signer what it means"
    return [note("attestation.says-failed", text, where=statement.path, hint=hint)]


def _shown(subject: Subject) -> str:
    return f"{printable(subject.name[:80])} {f'sha256:{subject.sha256}' if subject.sha256 else 'without SHA-256'}"


def _strangers(statement: VerifiedStatement, match: _Match) -> list[Finding]:
    if not match.strangers:
        return []
    things = "1 thing that is" if match.strangers == 1 else f"{match.strangers} things that are"
    text = f"{statement.path} is also about {things} no file of this release"
    return [note("attestation.other-subjects", text, where=statement.path)]


def _not_judged(statement: VerifiedStatement) -> str:
    uri = statement.statement.predicate_type
    kind = kind_of(uri)
    what = kind.not_judged if kind else f"what it says: statements of the type {uri} are not read here"
    return f"{statement.path}: {what}"
