"""A model card in the Hugging Face form: YAML front matter between `---` lines, then Markdown.

What a card says is a claim of its author. Nothing is guessed: a field that is not there stays empty.
Fields: Hugging Face model card metadata specification.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.formats.yaml_block import parse_yaml_mapping

MAX_BYTES = 4 * 1024 * 1024
_FRONT = re.compile(rb"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)")
_DATASET_KEYS = frozenset({"task_categories", "size_categories", "source_datasets", "annotations_creators"})
_SECTION_LIMIT = 4000
_HEADING_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One result of `model-index`: a value as written, with the dataset and split it was measured on."""

    type: str
    value: str
    slice: str


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
    """Heading (lower case) → the text below it, shortened."""


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
    title, sections = _sections(body)
    results = _results(front.get("model-index"))
    return ModelCard(
        front_matter=match is not None,
        describes_dataset=bool(_DATASET_KEYS & front.keys()),
        name=_text(front.get("model_name")) or _text(results[0].get("name") if results else ""),
        title=title,
        license=_text(front.get("license")),
        license_name=_text(front.get("license_name")),
        license_link=_text(front.get("license_link")),
        base_models=_texts(front.get("base_model")),
        datasets=_texts(front.get("datasets")),
        tags=_texts(front.get("tags")),
        languages=_texts(front.get("language")),
        task=_text(front.get("pipeline_tag")),
        library=_text(front.get("library_name")),
        metrics=tuple(metric for model in results for metric in _metrics(model)),
        sections=sections,
    )


def find_section(card: ModelCard, *words: str, unless: tuple[str, ...] = ()) -> str:
    """The text below the first heading that contains one of these lower-case words.

    A heading that also contains a word of `unless` is only taken if there is no better one.
    """
    fitting = [h for h, text in card.sections.items() if text and any(word in h for word in words)]
    better = [h for h in fitting if not any(word in h for word in unless)]
    return card.sections[(better or fitting)[0]] if fitting else ""


def is_card_like(card: ModelCard) -> bool:
    """Whether a README describes a model: by front matter, or by at least two of the usual headings."""
    wanted = (("intended use", "use"), ("limitation", "bias", "risk"), ("training",), ("evaluation", "performance"))
    return card.front_matter or sum(bool(find_section(card, *words)) for words in wanted) >= 2


def _sections(body: str) -> tuple[str, dict[str, str]]:
    title, heading, fenced = "", "", False
    lines: dict[str, list[str]] = {}
    for line in body.splitlines():
        fenced ^= line.lstrip().startswith("```")
        match = None if fenced else _HEADING.match(line)
        if match:
            words = match.group(2)[:_HEADING_LIMIT].rstrip(" \t#").strip()
            heading = words.lower()
            title = title or (words if match.group(1) == "#" else "")
            lines.setdefault(heading, [])
        elif heading:
            lines[heading].append(line)
    return title, {name: "\n".join(text).strip()[:_SECTION_LIMIT] for name, text in lines.items()}


def _results(value: Any) -> list[dict[str, Any]]:
    return [model for model in value if isinstance(model, dict)] if isinstance(value, list) else []


def _metrics(model: dict[str, Any]) -> list[Metric]:
    found = []
    for result in _results(model.get("results")):
        dataset = result.get("dataset")
        place = _slice(dataset) if isinstance(dataset, dict) else ""
        for metric in _results(result.get("metrics")):
            value = metric.get("value")
            if _text(metric.get("type")) and isinstance(value, (int, float, str)) and not isinstance(value, bool):
                found.append(Metric(type=_text(metric["type"]), value=str(value), slice=place))
    return found


def _slice(dataset: dict[str, Any]) -> str:
    name = _text(dataset.get("name")) or _text(dataset.get("type"))
    parts = [name, _text(dataset.get("config")), _text(dataset.get("split"))]
    text = " ".join(part for part in parts if part)
    revision = _text(dataset.get("revision"))
    return f"{text} (revision {revision})" if revision else text


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(item.strip() for item in items if isinstance(item, str) and item.strip()))
