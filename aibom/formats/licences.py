"""Licences: what cards, headers and package metadata write → SPDX identifiers, names of known licences, or neither.

A false identifier is worse than none: what SPDX does not know is kept as a name, and words that leave the version open
("BSD", "GPL") name a family. Identifiers and expressions: SPDX specification, "SPDX license expressions".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

from aibom.formats.licence_texts import RecognisedText, recognise_licence_text
from aibom.formats.model_licences import DEPRECATED, KNOWN, RESTRICTS_USE, SPDX_WORDS, KnownLicence

MAX_TEXT = 1000
MAX_TERMS = 50
MAX_DEPTH = 10
MAX_CONFLICTS = 50
_MAX_NAME = 200
_NAME_BRACKETS = 2

# Words that people write where a licence is expected, and that name none.
_NOT_A_LICENCE = frozenset({
    "", "-", "?", "other", "unknown", "none", "n/a", "na", "null", "tbd", "unlicensed", "custom", "noassertion",
    "license", "licence", "see license", "see licence", "see license file", "license.txt", "license.md",
    "license :: osi approved",
})  # fmt: skip
_FILLERS = frozenset({"", "the", "license", "licence", "licenses", "v", "version"})
_SEPARATORS = re.compile(r"[\s\-_,;:\"'“”‘’()\[\]]+")
_GLUED = re.compile(r"([al]?gpl|apache|v)v?(\d[\d.]*\+?)")
_OPERATORS = re.compile(r"(\(|\)|\s(?:and|or|with)\s)", re.IGNORECASE)
_SPDX_PAGE = re.compile(
    r"https?://(?:www\.)?(?:spdx\.org/licenses/|opensource\.org/licenses?/)([\w.+-]+?)(?:\.html|\.php)?/?", re.ASCII
)
_CC_PAGE = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(licenses|publicdomain)/([a-z-]{2,8})/(\d\.\d)"
    r"/?(?:deed|legalcode)?(?:\.en)?/?",
    re.ASCII,
)
_APACHE_PAGE = re.compile(r"https?://(?:www\.)?apache\.org/licenses/license-2\.0(?:\.txt|\.html)?/?", re.ASCII)
_ADDRESS = re.compile(r"\(https?://[^\s()]{1,300}\)")
_GNU_CHOICE = re.compile(r"-(?:only|or-later)\Z")


class LicenceKind(StrEnum):
    """What was written, in kind."""

    SPDX_ID = "spdx-id"
    SPDX_EXPRESSION = "spdx-expression"
    NAMED = "named"
    """A licence that we know and that has no SPDX identifier, or a family of licences."""
    UNKNOWN_NAME = "unknown-name"
    NONE = "none"
    """Words that say nothing: "other", "unknown"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceName:
    """A licence as somebody wrote it, understood as far as that is certain."""

    kind: LicenceKind
    identifier: str = ""
    """The SPDX identifier or expression, in the case that SPDX writes; empty for other kinds."""
    name: str = ""
    """What to call it: the identifier, the known licence's title, or the words as written."""
    url: str = ""
    """A public page of the licence, where there is one that lasts."""
    use_restrictions: bool = False
    """Whether it is known to forbid purposes of use: by a list of uses, or by allowing research alone."""
    family: str = ""
    """Licences that belong together, such as "llama"; empty for most."""
    deprecated: bool = False
    """Whether SPDX has deprecated the identifier without one successor of the same meaning."""
    or_later_unsaid: bool = False
    """Whether it comes from the text of a GNU licence, which does not say if later versions may be chosen."""


def parse_licence(text: str) -> LicenceName:
    """Understand what stands where a licence is expected. Never raises."""
    if len(text) > MAX_TEXT and "\n" not in text.strip():
        return _unknown(text)
    if "\n" in text.strip():  # a whole text where a name belongs, as old package metadata has it
        recognised = recognise_licence_text(text.encode("utf-8", "replace"))
        if recognised.name:
            return licence_of_text(recognised)
        if len(text) > MAX_TEXT:
            return _unknown(text)
    written = " ".join(_ADDRESS.sub(" ", text).split()) or text.strip()
    if names_no_licence(written):
        return LicenceName(kind=LicenceKind.NONE)
    if written.lower().startswith("license ::"):
        written = written.rpartition("::")[2].strip()
    return _single(written) or _expression(written) or _unknown(text)


def names_no_licence(name: str) -> bool:
    """Whether a licence field says, in effect, nothing."""
    return name.strip().lower() in _NOT_A_LICENCE


def recognise_text(data: bytes) -> str:
    """The SPDX identifier of a licence text, or empty if it is none of those we know for certain."""
    return recognise_licence_text(data).identifier


def licence_of_text(text: RecognisedText) -> LicenceName:
    """A recognised text as a licence to compare with what is stated; a text with a note is a name only."""
    if not text.name:
        return LicenceName(kind=LicenceKind.NONE)
    if text.note:
        return LicenceName(kind=LicenceKind.UNKNOWN_NAME, name=f"{text.name}, but {text.note}")
    if not text.identifier:
        return next(_named(known) for known in KNOWN if known.name == text.name)
    return replace(_spdx(text.identifier), or_later_unsaid=_GNU_CHOICE.search(text.identifier) is not None)


def same_licence(a: LicenceName, b: LicenceName) -> bool:
    """Whether two statements mean one licence; the order of alternatives does not count."""
    if a.kind is LicenceKind.SPDX_EXPRESSION or b.kind is LicenceKind.SPDX_EXPRESSION:
        return bool(a.identifier) and bool(b.identifier) and _shape(a.identifier) == _shape(b.identifier)
    if a.identifier and (a.or_later_unsaid or b.or_later_unsaid):
        return _GNU_CHOICE.sub("", a.identifier) == _GNU_CHOICE.sub("", b.identifier)
    return (a.identifier, a.name.casefold()) == (b.identifier, b.name.casefold())


def licence_conflicts(stated: Sequence[tuple[str, LicenceName]]) -> list[str]:
    """One sentence for each licence that differs from the first stated: both sources, both values."""
    said = [(source, licence) for source, licence in stated if licence.kind is not LicenceKind.NONE]
    if not said:
        return []
    (first_source, first), different = said[0], list[LicenceName]()
    sentences = []
    for source, licence in said[1:]:
        if same_licence(first, licence) or any(same_licence(other, licence) for other in different):
            continue
        different.append(licence)
        relation = _relation(first, licence)
        sentences.append(f"licence: {first_source} says {first.name}, {source} says {licence.name}{relation}")
        if len(sentences) == MAX_CONFLICTS:
            break
    return sentences


def key_of(written: str) -> str:
    """Fold a licence's name: lower case, one separator, no filler words, version numbers apart and bare."""
    words = []
    for word in _SEPARATORS.split(written.lower()):
        glued = _GLUED.fullmatch(word)
        if word not in _FILLERS:
            words += [part for part in glued.groups() if part != "v"] if glued else [word]
    return "-".join(words)


def _single(written: str) -> LicenceName | None:
    """One licence, by its identifier, its page, or its folded name."""
    known_ids = _identifiers()
    page = _page(written)
    if page:
        return _single(page) if page.lower() in known_ids or key_of(page) in SPDX_WORDS else None
    key = key_of(written) if _is_name(written) else ""
    identifier = SPDX_WORDS.get(key) or known_ids.get(written.lower())
    if not identifier and key in _known_names():
        return _named(_known_names()[key])
    if not identifier and any(char.isdigit() for char in key):  # without a number, too many words are identifiers
        identifier = known_ids.get(key)
    return _spdx(identifier) if identifier else None


def _is_name(written: str) -> bool:
    """Whether brackets in it can be those of a name, "The MIT License (MIT)": folding drops them."""
    return written.count("(") == written.count(")") <= _NAME_BRACKETS


def _page(written: str) -> str:
    """The identifier that a licence's public page stands for."""
    if not written.lower().startswith("http"):
        return ""
    if _APACHE_PAGE.fullmatch(written.lower()):
        return "Apache-2.0"
    creative = _CC_PAGE.fullmatch(written.lower())
    if creative:
        section, kind, version = creative.groups()
        return f"CC-{kind}-{version}" if section == "licenses" else f"CC0-{version}" if kind == "zero" else "?"
    spdx = _SPDX_PAGE.fullmatch(written)
    return spdx.group(1) if spdx else ""


def _expression(written: str) -> LicenceName | None:
    """An SPDX expression whose every term is certain."""
    parts = [part.strip() for part in _OPERATORS.split(written) if part.strip()]
    terms: list[str] = []
    canonical: list[str] = []
    for part in parts:
        if part in {"(", ")"} or part.lower() in {"and", "or", "with"}:
            canonical.append(part.upper())
            continue
        single = None if canonical[-1:] == ["WITH"] else _single(part)
        if canonical[-1:] != ["WITH"] and (single is None or not single.identifier):
            return None
        terms.append(single.identifier if single else part)
        canonical.append(terms[-1])
    if not 1 <= len(terms) <= MAX_TERMS or _depth(canonical) > MAX_DEPTH or not set(DEPRECATED).isdisjoint(terms):
        return None
    parsed = _parsed(" ".join(canonical))
    if parsed is None or "licenseref" in str(parsed).lower():  # the library's own name for what SPDX has dropped
        return None
    return replace(
        _spdx(str(parsed)),
        kind=LicenceKind.SPDX_ID if len(terms) == 1 else LicenceKind.SPDX_EXPRESSION,
        use_restrictions=not RESTRICTS_USE.isdisjoint(terms),
        url=_spdx(terms[0]).url if len(terms) == 1 else "",
    )


def _depth(parts: list[str]) -> int:
    depth = deepest = 0
    for part in parts:
        depth += {"(": 1, ")": -1}.get(part, 0)
        deepest = max(deepest, depth)
    return deepest


def _spdx(identifier: str) -> LicenceName:
    return LicenceName(
        kind=LicenceKind.SPDX_ID,
        identifier=identifier,
        name=identifier,
        url=f"https://spdx.org/licenses/{identifier}.html",
        use_restrictions=identifier in RESTRICTS_USE,
        deprecated=identifier in DEPRECATED,
    )


def _named(known: KnownLicence) -> LicenceName:
    return LicenceName(
        kind=LicenceKind.NAMED,
        name=known.name,
        url=known.url,
        use_restrictions=known.use_restrictions,
        family=known.family,
    )


def _unknown(text: str) -> LicenceName:
    lines = text[: 10 * MAX_TEXT].strip().splitlines()
    name = "".join(char if char.isprintable() else " " for char in lines[0][:_MAX_NAME]).strip() if lines else ""
    return LicenceName(kind=LicenceKind.UNKNOWN_NAME if name else LicenceKind.NONE, name=name)


def _relation(first: LicenceName, other: LicenceName) -> str:
    """Whether one statement leaves less open than the other: one of two alternatives, one of a family."""
    if _is_within(other, first):
        return ", which is narrower"
    return ", which is wider" if _is_within(first, other) else ""


def _is_within(narrow: LicenceName, wide: LicenceName) -> bool:
    if wide.family and wide.name.endswith("family"):
        return narrow.family == wide.family or narrow.identifier.lower().startswith(f"{wide.family}-")
    return bool(narrow.identifier and wide.identifier) and _choices(narrow.identifier) < _choices(wide.identifier)


def _choices(identifier: str) -> frozenset[object]:
    shape = _shape(identifier)
    return shape[1] if isinstance(shape, tuple) and shape[0] == "OR" else frozenset({shape})


@lru_cache(maxsize=256)
def _shape(identifier: str) -> object:
    """An expression without order and repetition: an identifier, or (operator, set of shapes)."""
    parsed = _parsed(identifier)
    return identifier if parsed is None else _shape_of(parsed)


def _shape_of(node: Any) -> object:
    """Recursion is bounded: `_expression` lets no more than MAX_DEPTH levels of brackets through."""
    operator = {"AND": "AND", "OR": "OR"}.get(type(node).__name__)
    if operator is None:
        return str(node)
    shapes: set[object] = set()
    for argument in node.args:
        shape = _shape_of(argument)
        shapes |= shape[1] if isinstance(shape, tuple) and shape[0] == operator else {shape}
    return (operator, frozenset(shapes)) if len(shapes) > 1 else shapes.pop()


def _parsed(expression: str) -> Any:
    """The library's tree, or None for anything that it does not accept as a valid expression."""
    try:
        return _licensing().parse(expression, validate=True, strict=True)
    except Exception:  # noqa: BLE001 -- the text is a stranger's: whatever it breaks, it is no expression
        return None


@cache
def _licensing() -> Any:
    """The SPDX tables of the library, read when first needed: they take longer to load than all of this program."""
    from license_expression import get_spdx_licensing  # type: ignore[import-untyped]  # no types published

    return get_spdx_licensing()


@cache
def _identifiers() -> dict[str, str]:
    """Every SPDX licence identifier by its lower case; exceptions and references of other lists are none."""
    symbols = _licensing().known_symbols.values()
    listed = (symbol.key for symbol in symbols if not symbol.is_exception and "licenseref" not in symbol.key.lower())
    return {identifier.lower(): identifier for identifier in (*listed, *SPDX_WORDS.values(), *DEPRECATED)}


@cache
def _known_names() -> dict[str, KnownLicence]:
    return {key: known for known in KNOWN for key in known.keys}
