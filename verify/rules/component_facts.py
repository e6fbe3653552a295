"""Facts asked of every component that is not a plain file, and of the model."""

from collections.abc import Callable, Iterable

from aibom.cyclonedx import properties
from aibom.cyclonedx.view import ComponentView
from verify.rules.evidence import ABSENT, Evidence, EvidenceBase, FactRule, Found, declared
from verify.vocabulary import State

_APPROVED_HASHES = frozenset(
    {"SHA-256", "SHA-384", "SHA-512", "SHA3-256", "SHA3-384", "SHA3-512", "BLAKE2b-256", "BLAKE2b-384", "BLAKE2b-512"}
)
_LANGUAGE_TASKS = frozenset(
    {"text-generation", "text2text-generation", "conversational", "summarization", "translation", "question-answering",
     "image-text-to-text", "any-to-any", "audio-text-to-text", "video-text-to-text", "table-question-answering"}
)  # fmt: skip
_LANGUAGE_ARCHITECTURES = ("ForCausalLM", "ForConditionalGeneration", "LMHeadModel", "ForSeq2SeqLM")
LANGUAGE_MODEL = "language-model"


def model_kinds(base: EvidenceBase) -> tuple[str, ...]:
    """Kinds of the model as the BOM describes it; empty if it does not say enough to tell."""
    model = base.bom.model if base.bom else None
    if model is None:
        return ()
    task = model.at("modelCard", "modelParameters", "task")
    architecture = model.at("modelCard", "modelParameters", "modelArchitecture")
    if task in _LANGUAGE_TASKS or (isinstance(architecture, str) and architecture.endswith(_LANGUAGE_ARCHITECTURES)):
        return (LANGUAGE_MODEL,)
    return ("other",) if task or architecture else ()


def _each(field: str, unknown: str, has: Callable[[ComponentView], object]) -> FactRule:
    """Ask every own component for a field; one that lacks it may say that it is unknown or withheld."""

    def rule(base: EvidenceBase) -> Found:
        if not base.own_components:
            return ABSENT
        without = [component for component in base.own_components if not has(component)]
        said = [c for c in without if unknown in c.properties(properties.UNKNOWN)]
        kept = [c for c in without if _withheld(c, unknown)]
        lacking = [c for c in without if c not in said and c not in kept]
        evidence = (Evidence(where=f"components[].{field}", state=State.DECLARED),)
        return Found(evidence=evidence, lacking=_names(lacking), unknown=_names(said), withheld=_names(kept))

    return rule


def _withheld(component: ComponentView, field: str) -> bool:
    return any(value.partition(":")[0] == field for value in component.properties(properties.WITHHELD))


def _names(components: Iterable[ComponentView]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(component.name or component.where for component in components))


def _has_hash(component: ComponentView) -> object:
    """A component has a digest of its own, or is made of files that have, or is bound by a tree digest."""
    if component.hash_algorithms or component.properties(properties.TREE_DIGEST):
        return True
    parts = component.raw.get("components")
    return isinstance(parts, list) and parts and all(isinstance(p, dict) and p.get("hashes") for p in parts)


def _hash_algorithms(base: EvidenceBase) -> Found:
    used = {a: c for c in (base.bom.components if base.bom else ()) for a in c.hash_algorithms}
    refused = sorted(set(used) - _APPROVED_HASHES)
    if refused:
        return Found(
            contradiction=f"{used[refused[0]].name} has a digest by {refused[0]}, which is not an approved algorithm"
        )
    return declared("components[].hashes[].alg", used)


def _identifier(component: ComponentView) -> object:
    return any(component.at(key) for key in ("purl", "cpe", "swhid", "omniborId", "swid"))


def _producer(component: ComponentView) -> object:
    return component.at("manufacturer") or component.at("supplier") or component.at("authors")


def _of_model(field: str, *paths: tuple[str, ...]) -> FactRule:
    """Ask the model for the first of several fields."""

    def rule(base: EvidenceBase) -> Found:
        model = base.bom.model if base.bom else None
        for path in paths if model else ():
            if model and model.at(*path):
                return declared(f"{model.where}.{'.'.join(path)}", value=True)
        if model and field in model.properties(properties.UNKNOWN):
            return Found(unknown=(model.name,))
        if model and _withheld(model, field):
            return Found(withheld=(model.name,))
        return ABSENT

    return rule


def _model_hash(base: EvidenceBase) -> Found:
    """Digests of the weight files, and whether those are the files on disk."""
    model = base.bom.model if base.bom else None
    parts = [c for c in (base.bom.components if base.bom else ()) if "model/weights" in c.categories and c.hashes]
    if model is None or not (parts or model.hashes):
        return ABSENT
    items = [
        Evidence(
            where=c.name,
            digest=f"sha256:{c.hashes.get('sha256', '')}",
            state=State.VERIFIED if base.files.get(c.name) == c.hashes.get("sha256") else State.PINNED,
            by_tool=base.files.get(c.name) == c.hashes.get("sha256"),
        )
        for c in parts
    ]
    return Found(evidence=tuple(items) or (Evidence(where=model.where, state=State.PINNED),))


def _training(base: EvidenceBase) -> Found:
    if base.bom and base.bom.objects("formulation"):
        return declared("formulation", value=True)
    return _of_model("training", ("modelCard", "modelParameters", "approach"))(base)


def _data_provenance(base: EvidenceBase) -> Found:
    data = [c for c in base.own_components if c.type == "data"]
    lacking = [c for c in data if not (c.references or c.at("pedigree") or c.at("data", "governance"))]
    said = [c for c in lacking if "provenance" in c.properties(properties.UNKNOWN)]
    if not data:
        return ABSENT
    return Found(
        evidence=tuple(Evidence(where=c.where, state=State.DECLARED) for c in data),
        lacking=_names(c for c in lacking if c not in said),
        unknown=_names(said),
    )


_CARD = "modelCard"
COMPONENT_FACTS: dict[str, FactRule] = {
    "comp.hash": _each("hashes", "hash", _has_hash),
    "comp.hash_alg": _hash_algorithms,
    "comp.identifier": _each("purl", "identifier", _identifier),
    "comp.license": _each("licenses", "license", lambda c: c.licences),
    "comp.name": _each("name", "name", lambda c: c.name),
    "comp.producer": _each("manufacturer", "producer", _producer),
    "comp.version": _each("version", "version", lambda c: c.at("version")),
    "ds.provenance": _data_provenance,
    "model.hash": _model_hash,
    "model.intended_use": _of_model("intended-use", (_CARD, "considerations", "useCases")),
    "model.license": _of_model("license", ("licenses",)),
    "model.limitations": _of_model("limitations", (_CARD, "considerations", "technicalLimitations")),
    "model.lineage": _of_model("lineage", ("pedigree", "ancestors")),
    "model.metrics": _of_model("metrics", (_CARD, "quantitativeAnalysis", "performanceMetrics")),
    "model.name": _of_model("name", ("name",)),
    "model.producer": _of_model("producer", ("manufacturer",), ("supplier",)),
    "model.task": _of_model("task", (_CARD, "modelParameters", "task")),
    "model.training": _training,
    "model.version": _of_model("version", ("version",)),
}
