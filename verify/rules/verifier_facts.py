"""Facts that the verifier itself establishes: what was signed, and whether the files are those that were signed."""

import tomllib
from functools import cache

from aibom.core.specs import read_spec
from attest.bom_attestation import PREDICATE_TYPE as BOM_TYPE
from attest.model_signature import PREDICATE_TYPE as MODEL_TYPE
from verify.rules.evidence import ABSENT, Evidence, EvidenceBase, FactRule, Found
from verify.vocabulary import State

_PROVENANCE = "https://slsa.dev/provenance/v1"


def _verified(where: str, digest: str = "") -> Found:
    return Found(evidence=(Evidence(where=where, digest=digest, state=State.VERIFIED, by_tool=True),))


def _bom_signature(base: EvidenceBase) -> Found:
    if base.bom is None or not base.authenticated:
        return ABSENT
    bundle = next((path for kind, path in base.predicate_types.items() if kind.startswith(BOM_TYPE)), base.bom_path)
    return _verified(bundle, f"sha256:{base.bom_sha256}")


def _bom(base: EvidenceBase) -> Found:
    if base.bom is None:
        return ABSENT
    if base.authenticated:
        return _verified(base.bom_path, f"sha256:{base.bom_sha256}")
    return Found(evidence=(Evidence(where=base.bom_path, state=State.PINNED, digest=f"sha256:{base.bom_sha256}"),))


def _model_signature(base: EvidenceBase) -> Found:
    bundle = base.predicate_types.get(MODEL_TYPE)
    return _verified(bundle) if bundle else ABSENT


def _provenance(base: EvidenceBase) -> Found:
    bundle = base.predicate_types.get(_PROVENANCE)
    return _verified(bundle) if bundle else ABSENT


def _digests(base: EvidenceBase) -> Found:
    return _verified("every signed file") if base.authenticated and base.whole else ABSENT


def _licences(base: EvidenceBase) -> Found:
    """Every licence of the model and the code is on the list of the Open Source Initiative."""
    if base.bom is None:
        return ABSENT
    subjects = [c for c in base.own_components if c.type in {"machine-learning-model", "application"}]
    lacking = tuple(dict.fromkeys(component.name for component in subjects if not component.licences))
    for component in subjects:
        for name in component.licences:
            if name not in osi_approved():
                kind = "" if component.has_licence_id(name) else ", a name that is not an SPDX identifier"
                text = f"{component.name}: licence {name!r}{kind}, is not on the list of the Open Source Initiative"
                return Found(contradiction=text) if component.has_licence_id(name) else Found(lacking=(text,))
    if lacking or not subjects:
        return Found(lacking=lacking)
    items = (Evidence(where=c.where, state=State.VERIFIED, by_tool=True) for c in subjects)
    return Found(evidence=tuple(items))


@cache
def osi_approved() -> frozenset[str]:
    """SPDX identifiers of licences approved by the Open Source Initiative (`specs/licences.toml`)."""
    document = tomllib.loads(read_spec("licences.toml").decode("utf-8"))
    return frozenset(document["osi_approved"])


VERIFIER_FACTS: dict[str, FactRule] = {
    "supply/bom": _bom,
    "supply/bom-signature": _bom_signature,
    "supply/model-signature": _model_signature,
    "supply/provenance": _provenance,
    "verify.bom_signature": _bom_signature,
    "verify.digests": _digests,
    "verify.licences": _licences,
    "verify.model_signature": _model_signature,
    "verify.no_unlisted": _digests,
}
