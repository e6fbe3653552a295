"""A model card in the Hugging Face form: YAML front matter between `---` lines, then Markdown.

What a card says is a claim of its author. Nothing is guessed: a field that is not there stays empty.
Fields: Hugging Face model card metadata specification.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.formats.card_body import (
    CardDescription,
    CardSection,
    LabelledFact,
    description,
    labelled_facts,
    section_texts,
    split_sections,
)
from aibom.formats.card_results import (
    EnvironmentalClaim,
    body_results,
    environmental_claims,
    model_index_results,
    training_settings,
)
from aibom.formats.evaluation_results import Measurement, hub_entries, is_hub_entry, number_text
from aibom.formats.trainer_state import Hyperparameter
from aibom.formats.yaml_block import parse_yaml_mapping

MAX_BYTES = 4 * 1024 * 1024
_FRONT = re.compile(rb"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_DATASET_KEYS = frozenset({"task_categories", "size_categories", "source_datasets", "annotations_creators"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One result of `model-index`: a value as written, with the dataset and split it was measured on."""

    type: str
    value: str
    slice: str
    """Data set, configuration, split and revision in one line, for people."""
    measurement: Measurement | None = None
    """The same result with its parts kept apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardEmissions:
    """`co2_eq_emissions`: what training emitted, as the author states it."""

    grams: str
    """Of CO₂eq, as written."""
    source: str = ""
    training_type: str = ""
    geographical_location: str = ""
    hardware_used: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What a card claims, by field; tuples keep the order of the card."""

    front_matter: bool
    describes_dataset: bool
    name: str = ""
    title: str = ""
    license: str = ""
    license_name: str = ""
    license_link: str = ""
    base_models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    task: str = ""
    library: str = ""
    metrics: tuple[Metric, ...] = ()
    sections: Mapping[str, str]
    """Heading (lower case) → the text below it, shortened; without text of its own, that of its sub-headings."""
    licenses: tuple[str, ...] = ()
    """All that `license` names; it may be a list."""
    base_model_relation: str = ""
    """`finetune`, `adapter`, `quantized` or `merge`, as written."""
    new_version: str = ""
    """The model that the author says replaces this one."""
    metric_names: tuple[str, ...] = ()
    """`metrics` of the front matter: which are reported, without values."""
    inference: str = ""
    """Whether a hosted service may run it: `true`, `false` or a word."""
    emissions: CardEmissions | None = None
    eval_results: tuple[Measurement, ...] = ()
    """`eval_results` of the front matter, as far as it has the form of the Hub's result files."""
    description: CardDescription | None = None
    labels: tuple[LabelledFact, ...] = ()
    """`- **Developed by:** X` and the like, from the body."""
    body_results: tuple[Measurement, ...] = ()
    """Numbers of result tables and lists in the body."""
    hyperparameters: tuple[Hyperparameter, ...] = ()
    environment: tuple[EnvironmentalClaim, ...] = ()


def parse_model_card(data: bytes, where: str) -> ModelCard:
    """Read a card. Raises InputError for text that is not UTF-8 or front matter that is not plain YAML."""
    if len(data) > MAX_BYTES:
        raise InputError(f"a card of {len(data)} bytes; at most {MAX_BYTES} are read", where=where)
    match = _FRONT.match(data)
    front = parse_yaml_mapping(match.group(1), f"{where}, front matter") if match else {}
    try:
        body = data[match.end() if match else 0 :].decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            "not valid UTF-8", where=f"{where}, byte {error.start}", hint="save the card as UTF-8"
        ) from error
    return _card(front, split_sections(body, where), where, has_front=match is not None)


def _card(front: dict[str, Any], sections: tuple[CardSection, ...], where: str, *, has_front: bool) -> ModelCard:
    licenses = _texts(front.get("license"))
    results = front["eval_results"] if isinstance(front.get("eval_results"), list) else []
    return ModelCard(
        front_matter=has_front,
        describes_dataset=bool(_DATASET_KEYS & front.keys()),
        name=_text(front.get("model_name")) or _first_name(front.get("model-index")),
        title=next((section.title for section in sections if section.level == 1 and section.title), ""),
        license=licenses[0] if len(licenses) == 1 else "",
        license_name=_text(front.get("license_name")),
        license_link=_text(front.get("license_link")),
        base_models=_texts(front.get("base_model")),
        datasets=_texts(front.get("datasets")),
        tags=_texts(front.get("tags")),
        languages=_texts(front.get("language")),
        task=_text(front.get("pipeline_tag")),
        library=_text(front.get("library_name")),
        metrics=tuple(_metric(item) for item in model_index_results(front.get("model-index"), where)),
        sections=section_texts(sections),
        licenses=licenses,
        base_model_relation=_text(front.get("base_model_relation")),
        new_version=_text(front.get("new_version")),
        metric_names=_texts(front.get("metrics")),
        inference=_word(front.get("inference")),
        emissions=_emissions(front.get("co2_eq_emissions")),
        eval_results=hub_entries([item for item in results if is_hub_entry(item)], f"{where}, eval_results"),
        description=description(sections),
        labels=labelled_facts(sections),
        body_results=body_results(sections, where),
        hyperparameters=training_settings(sections),
        environment=environmental_claims(sections),
    )


def find_section(card: ModelCard, *words: str, unless: tuple[str, ...] = ()) -> str:
    """The text below the first heading that contains one of these lower-case words.

    A heading that also contains a word of `unless` is only taken if there is no better one. A heading without text of
    its own stands for its sub-headings.
    """
    fitting = [h for h, text in card.sections.items() if text and any(word in h for word in words)]
    better = [h for h in fitting if not any(word in h for word in unless)]
    return card.sections[(better or fitting)[0]] if fitting else ""


def is_card_like(card: ModelCard) -> bool:
    """Whether a README describes a model: by front matter, or by at least two of the usual headings."""
    wanted = (("intended use", "use"), ("limitation", "bias", "risk"), ("training",), ("evaluation", "performance"))
    return card.front_matter or sum(bool(find_section(card, *words)) for words in wanted) >= 2


def _first_name(index: Any) -> str:
    models = [model for model in index if isinstance(model, dict)] if isinstance(index, list) else []
    return _text(models[0].get("name")) if models else ""


def _metric(item: Measurement) -> Metric:
    parts = [item.dataset, item.config, item.split]
    text = " ".join(part for part in parts if part)
    place = f"{text} (revision {item.revision})" if item.revision else text
    return Metric(type=item.type, value=item.value, slice=place, measurement=item)


def _emissions(value: Any) -> CardEmissions | None:
    if not isinstance(value, dict):
        grams = number_text(value) or _text(value)
        return CardEmissions(grams=grams) if grams else None
    return CardEmissions(
        grams=number_text(value.get("emissions")) or _text(value.get("emissions")),
        source=_text(value.get("source")),
        training_type=_text(value.get("training_type")),
        geographical_location=_text(value.get("geographical_location")),
        hardware_used=_text(value.get("hardware_used")),
    )


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else _text(value)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(item.strip() for item in items if isinstance(item, str) and item.strip()))
