"""A data set card in the Hugging Face form: YAML front matter between `---` lines, then Markdown.

What a card says is a claim of its author; nothing is guessed. The template's own words (comments that tell the author
what to write, "More Information Needed") say nothing, and are dropped, so that an unfilled template stays empty.
Fields: Hugging Face dataset card metadata specification and dataset card template.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.formats.model_card import MAX_BYTES, parse_model_card
from aibom.formats.table import MAX_COLUMNS, Column
from aibom.formats.yaml_block import parse_yaml_mapping

_OPEN = re.compile(rb"---[ \t]*\r?\n")
_CLOSE = re.compile(rb"^---[ \t]*\r?$", re.MULTILINE)
_MAX_CONFIGS = 10_000
_UNFILLED = "more information needed"
_CURATED = re.compile(r"[-*] \*\*(?:Curated by|Creators?)(?:\s\[optional\])?:?\*\*:?(.{0,500})", re.IGNORECASE)

# Topic → the words that the headings of the card templates have for it, the most telling ones first.
TOPICS: Mapping[str, tuple[str, ...]] = {
    "personal information": ("personal and sensitive", "personal", "sensitive", "privacy"),
    "biases": ("discussion of biases", "bias"),
    "limitations": ("limitation", "risks"),
    "curators": ("dataset curators", "curators", "who are the source data producers", "creators"),
    "curation rationale": ("curation rationale", "motivation"),
    "collection": ("data collection and processing", "collection", "source data"),
    "annotation": ("annotation process", "annotation"),
    "maintenance": ("maintenance", "updates"),
    "intended uses": ("intended use", "direct use", "uses"),
    "out-of-scope uses": ("out-of-scope", "out of scope", "misuse"),
    "social impact": ("social impact",),
    "licensing": ("licensing", "license", "licence"),
    "citation": ("citation",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One configuration (subset) of a data set."""

    name: str
    data_files: tuple[str, ...] = ()
    """Paths or patterns, relative to the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One split, with the number of its examples as the card has it."""

    name: str
    examples: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """Features and splits of one configuration."""

    config: str
    features: tuple[Column, ...]
    splits: tuple[Split, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCard:
    """What a card claims, by field; tuples keep the order of the card."""

    front_matter: bool
    pretty_name: str
    title: str
    """The first heading of the text."""
    licenses: tuple[str, ...]
    license_name: str
    license_link: str
    languages: tuple[str, ...]
    task_categories: tuple[str, ...]
    task_ids: tuple[str, ...]
    size_categories: tuple[str, ...]
    source_datasets: tuple[str, ...]
    annotations_creators: tuple[str, ...]
    language_creators: tuple[str, ...]
    tags: tuple[str, ...]
    curators: tuple[str, ...]
    """From the template's line "Curated by"."""
    configs: tuple[Config, ...]
    info: tuple[DatasetInfo, ...]
    sections: Mapping[str, str]
    """Heading (lower case) → the text below it, shortened; headings without text are left out."""


def parse_dataset_card(data: bytes, where: str) -> DatasetCard:
    """Read a card. Raises InputError for text that is not UTF-8 or front matter that is not plain YAML."""
    if len(data) > MAX_BYTES:
        raise InputError(f"a card of {len(data)} bytes; at most {MAX_BYTES} are read", where=where)
    front, body = _split(data)
    fields = parse_yaml_mapping(front, f"{where}, front matter") if front is not None else {}
    text = parse_model_card(body, where)
    said = {heading: _said(section) for heading, section in text.sections.items()}
    return DatasetCard(
        front_matter=front is not None,
        pretty_name=_text(fields.get("pretty_name")),
        title=text.title,
        licenses=_texts(fields.get("license")),
        license_name=_text(fields.get("license_name")),
        license_link=_text(fields.get("license_link")),
        languages=_texts(fields.get("language")),
        task_categories=_texts(fields.get("task_categories")),
        task_ids=_texts(fields.get("task_ids")),
        size_categories=_texts(fields.get("size_categories")),
        source_datasets=_texts(fields.get("source_datasets")),
        annotations_creators=_texts(fields.get("annotations_creators")),
        language_creators=_texts(fields.get("language_creators")),
        tags=_texts(fields.get("tags")),
        curators=tuple(dict.fromkeys(name for section in said.values() for name in _curators(section))),
        configs=tuple(_config(item) for item in _objects(fields.get("configs"))),
        info=tuple(_info(item, where) for item in _objects(fields.get("dataset_info"))),
        sections={heading: section for heading, section in said.items() if section},
    )


def find_topic(card: DatasetCard, topic: str) -> str:
    """What the card says under the heading that fits a topic of `TOPICS` best; empty if it has none."""
    for word in TOPICS.get(topic, ()):
        for heading, section in card.sections.items():
            if word in heading:
                return section
    return ""


def _split(data: bytes) -> tuple[bytes | None, bytes]:
    opening = _OPEN.match(data)
    closing = _CLOSE.search(data, opening.end()) if opening else None
    if not opening or not closing:
        return None, data
    # The line feed keeps a rule at the start of the text from being taken for a second front matter.
    return data[opening.end() : closing.start()], b"\n" + data[closing.end() :]


def _said(section: str) -> str:
    """The text without the lines that the template has for "nothing yet"; the comments went with the headings."""
    return "\n".join(line for line in section.splitlines() if _UNFILLED not in line.lower()).strip()


def _curators(section: str) -> list[str]:
    matches = (_CURATED.match(line.strip()) for line in section.splitlines())
    return [match.group(1).strip() for match in matches if match and match.group(1).strip()]


def _config(item: dict[str, Any]) -> Config:
    files: list[str] = []
    for entry in _list(item.get("data_files")):
        files += _texts(entry.get("path")) if isinstance(entry, dict) else _texts(entry)
    return Config(name=_text(item.get("config_name")), data_files=tuple(dict.fromkeys(files)))


def _info(item: dict[str, Any], where: str) -> DatasetInfo:
    features = _objects(item.get("features"))
    if len(features) > MAX_COLUMNS:
        raise InputError(f"{len(features)} features; at most {MAX_COLUMNS} are read", where=f"{where}, dataset_info")
    return DatasetInfo(
        config=_text(item.get("config_name")),
        features=tuple(Column(name=_text(one.get("name")), type=_feature_type(one)) for one in features),
        splits=tuple(_split_info(one) for one in _objects(item.get("splits"))),
    )


def _feature_type(feature: dict[str, Any]) -> str:
    """A plain type as it is written; for one that holds others, the word that says how."""
    if isinstance(feature.get("dtype"), str):
        return _text(feature["dtype"])
    if isinstance(feature.get("dtype"), dict):
        return next(iter(map(str, feature["dtype"])), "")  # class_label, array2_d, translation...
    for word in ("list", "sequence", "struct"):
        if word in feature:
            inner = feature[word]
            return f"{word}<{inner}>" if isinstance(inner, str) else word
    return ""


def _split_info(item: dict[str, Any]) -> Split:
    count = item.get("num_examples")
    return Split(name=_text(item.get("name")), examples=count if type(count) is int and count >= 0 else None)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in _list(value)[:_MAX_CONFIGS] if isinstance(item, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return "" if _UNFILLED in value.lower() else value.strip()
    return ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in map(_text, _list(value)) if text))
