"""in-toto's own judgement of a chain, on metadata in memory: signatures, thresholds, and rules for files.

The library's all-in-one `in_toto_verify` would read files by names from the layout, run its inspections, follow
layouts inside layouts and take the time from the clock. None of that can happen here: only its functions that decide
are called, with metadata that was parsed and bounded before. Whatever it raises, the chain does not pass.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from aibom.core.finding import Finding, contradiction, undecided
from aibom.core.layout import ATTESTATIONS
from attest.bundle import PAYLOAD_TYPE
from attest.keys import VerificationKey
from attest.step_layout import ArtifactRule, Functionary, LayoutRecord, LayoutStep
from attest.step_metadata import LAYOUT_NAME, LinkRecord, SignedMetadata

_MAX_WORK = 4_000_000
_SHOWN = 5
_ASK = "do not use the release; ask its publisher how these files came to be"
_FEWER = "ask the publisher for a layout with fewer rules, or for links that name archives of many small files"
_TOOK = {"materials": "took", "products": "made"}

# Step → key id → its link, as received.
Links = Mapping[str, Mapping[str, SignedMetadata]]


def is_owned_by(layout: SignedMetadata, owner: VerificationKey) -> bool:
    """Whether a signature on the layout was made with this key, by whatever id: tools give one key several."""
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # heavy; only for releases with recorded steps

    key = SSlibKey.from_crypto(owner.key).to_dict()
    return any(_is_signed_by(layout, {**key, "keyid": signature.key_id}) for signature in layout.signatures)


def claims_owner(layout: SignedMetadata, owners: tuple[VerificationKey, ...]) -> bool:
    """Whether a signature claims to be by one of the keys."""
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

    return any(layout.is_signed_as(SSlibKey.from_crypto(owner.key).keyid) for owner in owners)


def is_signed_by(link: SignedMetadata, functionary: Functionary) -> bool:
    """Whether a functionary's signature on the link holds."""
    return _is_signed_by(link, functionary.raw)


def check_chain(
    signed: SignedMetadata, layout: LayoutRecord, links: Links, records: Mapping[str, LinkRecord]
) -> list[Finding]:
    """Let in-toto judge; nothing found means that the chain holds.

    `links` are those whose signatures hold, enough for each step; `records` is what they say, for the words.
    """
    if sum(_work(step, records) for step in layout.steps) > _MAX_WORK:
        text = f"the steps have too many files and rules: more than {_MAX_WORK} comparisons"
        return [undecided("supply-chain.too-many", text, where=f"{ATTESTATIONS}/{LAYOUT_NAME}", hint=_FEWER)]
    try:
        with _quiet():
            return list(_judge(signed, layout, links, records))
    except Exception as error:  # noqa: BLE001 -- the library's errors share no public base; whatever it is, the chain failed
        reason = str(error).strip().split("\n", 1)[0][:300] or type(error).__name__
        return [contradiction("supply-chain.refused", f"in-toto does not accept the chain: {reason}", hint=_ASK)]


def _work(step: LayoutStep, records: Mapping[str, LinkRecord]) -> int:
    """What the rules of a step cost: comparisons of short names with short patterns, longer ones counting for more."""
    record = records[step.name]
    return sum(
        _cost(rule) * (_length(own) + (_length(_source(rule, records)) if rule.kind == "match" else 0))
        for rules, own in ((step.materials, record.materials), (step.products, record.products))
        for rule in rules
    )


def _source(rule: ArtifactRule, records: Mapping[str, LinkRecord]) -> Mapping[str, str]:
    source = records.get(rule.source)
    return {} if source is None else source.products if rule.with_products else source.materials


def _length(names: Iterable[str]) -> int:
    return sum(1 + len(name) // 64 for name in names)


def _cost(rule: ArtifactRule) -> int:
    """A pattern whose wildcard is not its end may be tried at every place of a name."""
    return 1 + (len(rule.pattern) // 4 if set(rule.pattern[:-1]) & set("*?[") else 0)


def _judge(
    signed: SignedMetadata, layout: LayoutRecord, links: Links, records: Mapping[str, LinkRecord]
) -> Iterator[Finding]:
    from in_toto import verifylib  # type: ignore[import-untyped]  # heavy; only for releases with recorded steps
    from in_toto.exceptions import RuleVerificationError  # type: ignore[import-untyped]

    theirs = _envelope(signed).get_payload()
    envelopes = {step: {key: _envelope(link) for key, link in by.items()} for step, by in links.items()}
    verified = verifylib.verify_link_signature_thresholds(theirs, envelopes)
    payloads = {step: {key: link.get_payload() for key, link in by.items()} for step, by in verified.items()}
    verifylib.verify_threshold_constraints(theirs, payloads)
    reduced = verifylib.reduce_chain_links(payloads)
    for step, ours in zip(theirs.steps, layout.steps, strict=True):
        for kind, rules in (("materials", step.expected_materials), ("products", step.expected_products)):
            try:
                verifylib.verify_item_rules(step.name, kind, rules, reduced)
            except RuleVerificationError:
                yield from _explain(ours, kind, list(verifylib.RULE_TRACE["trace"]), records)


def _explain(
    step: LayoutStep, kind: str, trace: list[dict[str, Any]], records: Mapping[str, LinkRecord]
) -> Iterator[Finding]:
    """The rule that failed is the one after the last that in-toto traced; what was left then is what it met."""
    rules = step.materials if kind == "materials" else step.products
    own = getattr(records[step.name], kind)
    failed, left = rules[len(trace)], trace[-1]["queue"] if trace else list(own)
    if failed.kind == "require":
        text = f"{failed.pattern} is not among the files that the step {step.name!r} {_TOOK[kind]}"
        yield contradiction("supply-chain.rule", text, where=f"step {step.name}", expected=str(failed), hint=_ASK)
        return
    met = sorted(name for name in left if fnmatchcase(name, failed.pattern))
    for name in met[:_SHOWN]:
        matches = [r for r in rules[: len(trace)] if r.kind == "match" and fnmatchcase(name, r.pattern)]
        yield _unwanted(step, kind, name, own[name], matches, records)
    if len(met) > _SHOWN:
        text = f"and {len(met) - _SHOWN} more files of the step {step.name!r}"
        yield contradiction("supply-chain.rule", text, where=f"step {step.name}")


def _unwanted(
    step: LayoutStep,
    kind: str,
    name: str,
    digest: str,
    matches: list[ArtifactRule],
    records: Mapping[str, LinkRecord],
) -> Finding:
    where = f"step {step.name}, {kind}, {name}"
    for rule in matches:
        source = records.get(rule.source)
        if source is None or rule.has_prefix or rule.source == step.name:
            continue
        other = (source.products if rule.with_products else source.materials).get(name)
        if other and other != digest:
            text = f"{name}: what the step {step.name!r} {_TOOK[kind]} is not what the step {rule.source!r} made"
            expected, found = f"sha256:{other}", f"sha256:{digest}"
            return contradiction(
                "supply-chain.other-artifact", text, where=where, expected=expected, found=found, hint=_ASK
            )
    made_by = [rule.source for rule in matches if rule.source != step.name]
    why = f"which the step {made_by[0]!r} did not make" if made_by else "which its layout does not allow"
    text = f"the step {step.name!r} {_TOOK[kind]} {name}, {why}"
    return contradiction("supply-chain.rule", text, where=where, found=f"sha256:{digest}", hint=_ASK)


def _is_signed_by(signed: SignedMetadata, key: Mapping[str, Any]) -> bool:
    try:
        with _quiet():
            _envelope(signed).verify_signature(dict(key))
    except Exception:  # noqa: BLE001 -- several types, and none of them is a signature that holds
        return False
    return True


def _envelope(signed: SignedMetadata) -> Any:
    """The library's envelope around the bytes that we parsed."""
    from in_toto.models.metadata import Envelope  # type: ignore[import-untyped]
    from securesystemslib.signer import Signature  # type: ignore[attr-defined]

    signatures = {s.key_id: Signature(s.key_id, s.value.hex()) for s in signed.signatures}
    return Envelope(payload=signed.payload, payload_type=PAYLOAD_TYPE, signatures=signatures)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the library logs off the terminal: what matters of it is said in our words."""
    import in_toto.log  # type: ignore[import-untyped]  # sets the level and handler that are put aside here

    logger = logging.getLogger(in_toto.log.LOGGER.name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
