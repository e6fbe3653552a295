"""Models as components of type `machine-learning-model`: files, model card, pedigree. One component a model."""

from cyclonedx.model import ExternalReference
from cyclonedx.model.component import Component, ComponentType, Pedigree

from aibom.build.account import Ancestor, Identity, Model, ModelKind, Sourced
from aibom.build.render.files import file_component
from aibom.build.render.identifiers import ancestor_ref, hub_purl, hub_reference, model_purl
from aibom.build.render.model_card import card_pairs, model_card
from aibom.build.render.values import (
    Pairs,
    identity_arguments,
    identity_properties,
    properties_of,
    render_identified,
    setting_pairs,
    source_pair,
    version_of,
)
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names


def model_component(model: Model) -> Json:
    """One model with its files, what it was made from, and its parts."""
    ancestors = [_ancestor(model.ref, item) for item in {a.name: a for a in reversed(model.ancestors)}.values()]
    component = Component(
        **identity_arguments(model.identity, model_purl(model)),
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=model.ref,
        external_references=_hub_references(model.identity),
        pedigree=Pedigree(ancestors=ancestors) if ancestors else None,
        properties=properties_of(_pairs(model)),
    )
    rendered = render_identified(component, model.identity)
    parts = [*(file_component(file) for file in model.files), *(model_component(part) for part in model.parts)]
    if parts:
        rendered["components"] = parts
    card = model_card(model).to_json()
    return rendered | {"modelCard": card} if card else rendered


def _pairs(model: Model) -> Pairs:
    return [
        *([(names.MODEL_KIND, str(model.kind))] if model.kind is not ModelKind.MAIN else []),
        *identity_properties(model.identity),
        *([] if model_purl(model) else [(names.UNKNOWN, "identifier")]),
        *card_pairs(model),
        *([(names.LIBRARY, model.library.value)] if model.library else []),
        *((names.LANGUAGE, language) for language in model.card.languages),
        *((names.REMOTE_CODE, target.value) for target in model.remote_code),
        *((f"{names.CHAT_TEMPLATE_PREFIX}{item.name}", f"sha256:{item.value}") for item in model.chat_templates),
        *_weight_pairs(model),
        *setting_pairs(model.settings),
    ]


def _weight_pairs(model: Model) -> Pairs:
    weights = model.weights
    if weights is None:
        return []
    return [
        *([(names.TENSORS, str(weights.tensors))] if weights.tensors is not None else []),
        *([(names.PARAMETERS, str(weights.parameters))] if weights.parameters is not None else []),
        *([(names.ELEMENT_TYPES, " ".join(weights.element_types))] if weights.element_types else []),
    ]


def _hub_references(identity: Identity) -> list[ExternalReference]:
    return hub_reference(identity.hub.value) if identity.hub else []


def _ancestor(model: str, ancestor: Ancestor) -> Component:
    """A model that this one was made from: its name, its revision if it is pinned, and nothing of ours."""
    revision: Sourced | None = ancestor.revision
    purl = hub_purl(ancestor.name, revision.value if revision else "")
    unknown = [] if ancestor.within else ["hash", "license", "producer", *([] if revision else ["version"])]
    pairs: Pairs = [
        source_pair("name", ancestor.source),
        *([source_pair("version", revision.source)] if revision else []),
        *([(names.RELATION, str(ancestor.relation))] if ancestor.relation else []),
        *([(names.SAME_AS, ancestor.within)] if ancestor.within else []),
        *((names.UNKNOWN, field) for field in unknown),
    ]
    return Component(
        name=ancestor.name,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=ancestor_ref(model, ancestor),
        version=version_of(revision),
        purl=purl,
        external_references=hub_reference(ancestor.name),
        properties=properties_of(pairs),
    )
