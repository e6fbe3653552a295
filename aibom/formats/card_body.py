"""The Markdown of a model card: its sections, and what is plainly labelled in them.

A card is prose for people, so extraction is conservative: `- **Developed by:** X` and `learning_rate: 2e-05` are
statements, a sentence that happens to name a number is not. Where one section gives two values for one setting, none
is taken. Comments and "[More Information Needed]" are what a template left behind: no reader sees a statement there.
Labels: the Hugging Face model card template.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aibom.core.errors import InputError

MAX_SECTIONS = 20_000
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)")
_HEADING_LIMIT = 200
_SECTION_LIMIT = 4000
_LINE_LIMIT = 4000
_LABEL_LIMIT = 60
_VALUE_LIMIT = 1000
_MAX_LABELS = 500
_MAX_CELLS = 100
_PLACEHOLDERS = frozenset({"", "more information needed", "needs more information", "tbd", "todo"})
_BULLETS = ("- ", "* ", "+ ")
_RULE = frozenset("-*_= ")
_LINK = re.compile(r"!?\[([^\[\]]{0,300}+)\]\(([^()\s]{0,500}+)[^()]{0,100}+\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,500}+>")
_URL = re.compile(r"https?://[^\s<>()\[\]\"'`|]{1,500}+")
_LABELS: Mapping[str, str] = {
    "developed by": "developed_by", "developer": "developed_by", "developers": "developed_by",
    "model developers": "developed_by", "model developer": "developed_by", "author": "developed_by",
    "authors": "developed_by", "funded by": "funded_by", "shared by": "shared_by", "contact": "contact",
    "point of contact": "contact", "contact email": "contact", "model type": "model_type", "language": "languages",
    "languages": "languages", "language(s)": "languages", "language(s) (nlp)": "languages", "license": "license",
    "licence": "license", "finetuned from model": "finetuned_from", "fine-tuned from model": "finetuned_from",
    "finetuned from": "finetuned_from", "fine-tuned from": "finetuned_from", "base model": "finetuned_from",
    "repository": "repository", "paper": "paper", "demo": "demo", "homepage": "homepage", "website": "homepage",
    "model version": "version", "version": "version", "release date": "release_date", "model date": "release_date",
}  # fmt: skip
_DESCRIPTIONS = frozenset({"model description", "description", "model summary", "summary", "overview"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSection:
    """What stands below one heading, up to the next."""

    title: str
    """As written; empty for what stands before the first heading."""
    level: int
    parents: tuple[str, ...]
    """Titles of the headings above it, without the card's own title."""
    text: str
    lines: tuple[str, ...]
    """The lines outside code blocks, each of bounded length."""
    is_card_title: bool = False
    """Whether it is the card's only first-level heading."""

    @property
    def heading(self) -> str:
        """The title in lower case."""
        return self.title.lower()

    def stands_under(self, *words: str) -> bool:
        """Whether its heading, or one above it, contains one of these lower-case words."""
        own = () if self.is_card_title else (self.heading,)
        return any(word in title.lower() for title in (*own, *self.parents) for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledFact:
    """One `- **Label:** value` line with a known label."""

    name: str
    """One name for all spellings of a label: `developed_by`, `finetuned_from`, `repository`, ..."""
    value: str
    """Without mark-up; of a link, its text."""
    url: str
    """The first web address in the value."""
    label: str
    heading: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDescription:
    """The first paragraph below the card's title, else below a heading such as "Model description"."""

    text: str
    heading: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTable:
    """One Markdown table, its cells without mark-up."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def split_sections(body: str, where: str) -> tuple[CardSection, ...]:
    """Cut a card at its headings; headings inside code blocks and comments are none."""
    found: list[tuple[str, int, list[str], list[str]]] = [("", 0, [], [])]
    for line, is_code in _visible_lines(body):
        match = None if is_code else _HEADING.match(line)
        if match:
            words = match.group(2)[:_HEADING_LIMIT].rstrip(" \t#").strip()
            found.append((words, len(match.group(1)), [], []))
        elif is_code or not _is_placeholder(line) or not line.strip():
            found[-1][2].append(line)
            found[-1][3].extend([] if is_code else [line[:_LINE_LIMIT]])
        if len(found) > MAX_SECTIONS:
            raise InputError(f"more than {MAX_SECTIONS} headings", where=where)
    return _nested(found)


def section_texts(sections: Sequence[CardSection]) -> dict[str, str]:
    """Heading in lower case → the text below it, shortened. Without text of its own, that of its sub-headings."""
    own: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for position, section in enumerate(sections):
        if section.level:
            own.setdefault(section.heading, []).extend([section.text] if section.text else [])
            if not section.text and not section.is_card_title:
                below.setdefault(section.heading, []).extend(_below(sections, position))
    return {
        heading: "\n\n".join(texts or below.get(heading, [])).strip()[:_SECTION_LIMIT] for heading, texts in own.items()
    }


def labelled_facts(sections: Sequence[CardSection]) -> tuple[LabelledFact, ...]:
    """Every line with a known label, in the card's order."""
    found: list[LabelledFact] = []
    for section in sections:
        for line in section.lines:
            item = labelled_item(line)
            name = _LABELS.get(item[0].lower()) if item else None
            if item and name and len(found) < _MAX_LABELS:
                url = _URL.search(line)
                found.append(
                    LabelledFact(
                        name=name,
                        value=item[1],
                        url=url.group().rstrip(".,;:*_") if url else "",
                        label=item[0],
                        heading=section.title,
                    )
                )
    return tuple(found)


def description(sections: Sequence[CardSection]) -> CardDescription | None:
    """The first paragraph of prose after the title; no paragraph is looked for further down than that."""
    first = next((section for section in sections if section.level == 1), None)
    named = (section for section in sections if section.heading in _DESCRIPTIONS)
    for section in (*([first] if first else []), *named):
        text = _first_paragraph(section.lines)
        if text:
            return CardDescription(text=text, heading=section.title)
    return None


def labelled_item(line: str) -> tuple[str, str] | None:
    """(label, value) of `- Label: value`, `- label = value` or `**Label:** value`, both without mark-up."""
    text = line[:_LINE_LIMIT].strip()
    is_bullet = text.startswith(_BULLETS)
    text = text[2:].lstrip() if is_bullet else text
    if not is_bullet and not text.startswith(("**", "__")):
        return None
    mark = ":" if ":" in text else "="
    label, found, value = text.partition(mark)
    label = plain_text(label.replace("[optional]", "").replace("(optional)", ""))
    value = plain_text(value.lstrip("*_ \t"))[:_VALUE_LIMIT]
    if not found or not label or len(label) > _LABEL_LIMIT or value.startswith("//") or _is_placeholder(value):
        return None
    return label, value


def plain_text(text: str) -> str:
    """Text without links, tags and emphasis around it."""
    shown = _TAG.sub("", _LINK.sub(r"\1", text))
    return " ".join(shown.replace("**", "").replace("`", "").split()).strip("*_ ")


def tables(lines: Sequence[str]) -> Iterator[CardTable]:
    """Every Markdown table: a row of names, a row of dashes, and the rows below."""
    position = 1
    while position < len(lines):
        header = _cells(lines[position - 1])
        if not header or len(_cells(lines[position])) != len(header) or not _is_rule(lines[position]):
            position += 1
            continue
        end = position + 1
        while end < len(lines) and "|" in lines[end]:
            end += 1
        rows = tuple(_cells(line) for line in lines[position + 1 : end])
        yield CardTable(header=header, rows=tuple(row for row in rows if len(row) == len(header)))
        position = end + 1


def _visible_lines(body: str) -> Iterator[tuple[str, bool]]:
    """Lines without comments, each with whether it belongs to a code block."""
    fence, hidden = "", False
    for raw in body.splitlines():
        line = raw
        if not fence:
            line, hidden = _uncommented(raw, hidden)
        mark = line.lstrip()[:3]
        is_mark = mark in {"```", "~~~"} and not (mark == "```" and "`" in line.lstrip().lstrip("`"))
        if is_mark and fence in {"", mark}:
            fence = "" if fence else mark
            yield line, True
        else:
            yield line, bool(fence)


def _uncommented(line: str, hidden: bool) -> tuple[str, bool]:
    shown, position = [], 0
    while position < len(line):
        end = line.find("-->" if hidden else "<!--", position)
        if not hidden:
            shown.append(line[position : end if end >= 0 else len(line)])
        if end < 0:
            break
        position = end + (3 if hidden else 4)
        hidden = not hidden
    return "".join(shown), hidden


def _nested(found: list[tuple[str, int, list[str], list[str]]]) -> tuple[CardSection, ...]:
    has_card_title = sum(level == 1 for _, level, _, _ in found) == 1
    above: list[tuple[int, str]] = []
    sections = []
    for title, level, text, lines in found:
        while above and above[-1][0] >= level:
            above.pop()
        sections.append(
            CardSection(
                title=title,
                level=level,
                parents=tuple(name for depth, name in above if depth > 1 or not has_card_title),
                text="\n".join(text).strip(),
                lines=tuple(lines),
                is_card_title=has_card_title and level == 1,
            )
        )
        if level:
            above.append((level, title))
    return tuple(sections)


def _below(sections: Sequence[CardSection], position: int) -> list[str]:
    """What stands under a heading's sub-headings, each with its heading, or "Out of scope" would read as "In scope"."""
    parts: list[str] = []
    size = 0
    for following in range(position + 1, len(sections)):
        section = sections[following]
        if section.level <= sections[position].level or size > _SECTION_LIMIT:
            break
        if section.text:
            parts.append(f"{'#' * section.level} {section.title}\n\n{section.text[:_SECTION_LIMIT]}")
            size += len(parts[-1])
    return parts


def _first_paragraph(lines: Sequence[str]) -> str:
    words: list[str] = []
    size = 0
    for line in lines:
        text = line.strip()
        is_prose = not set(text) <= _RULE and not text.startswith((*_BULLETS, "|", ">", "<", "![", "[![", "1. "))
        if not is_prose and words:
            break
        if is_prose and size < _SECTION_LIMIT:
            words.append(text)
            size += len(text)
    return plain_text(" ".join(words))[:_SECTION_LIMIT]


def _cells(line: str) -> tuple[str, ...]:
    if "|" not in line:
        return ()
    text = line.strip().replace("\\|", "\0")
    text = text.removeprefix("|").removesuffix("|")
    parts = text.split("|", _MAX_CELLS)
    return tuple(plain_text(part.replace("\0", "|")) for part in parts) if len(parts) <= _MAX_CELLS else ()


def _is_rule(line: str) -> bool:
    return "-" in line and not line.strip().strip("|:- \t")


def _is_placeholder(text: str) -> bool:
    plain = text.strip().strip("[]*_. ").lower()
    return plain in _PLACEHOLDERS or "more information needed]" in text.lower() or text.strip().startswith("{{")
