"""The explicit list: identifier of the vocabulary → the rule that looks for it."""

from verify.rules.bom_facts import BOM_FACTS
from verify.rules.categories import find_category
from verify.rules.component_facts import COMPONENT_FACTS
from verify.rules.evidence import EvidenceBase, FactRule, Found
from verify.rules.verifier_facts import VERIFIER_FACTS

FACTS: dict[str, FactRule] = {**BOM_FACTS, **COMPONENT_FACTS, **VERIFIER_FACTS}


def is_supported(identifier: str) -> bool:
    """Whether this version can look for an identifier: a category always, a fact if there is a rule."""
    return identifier in FACTS or "/" in identifier


def find(base: EvidenceBase, identifier: str) -> Found:
    """Look for one identifier. One that this version cannot look for is absent, never assumed."""
    rule = FACTS.get(identifier)
    if rule:
        return rule(base)
    return find_category(base, identifier) if "/" in identifier else Found()
