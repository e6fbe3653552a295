"""A Croissant description of a data set: who made it, its licence, its files with their digests, its records.

Croissant is JSON-LD. It is read here as plain JSON, with the names and prefixes that the specification writes:
following a context from elsewhere would let somebody else decide what a signed document says. One property under two
spellings is refused, as two equal keys are. Specifications: MLCommons Croissant 1.0 and 1.1, Croissant RAI 1.0.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aibom.core.errors import InputError
from aibom.core.strictjson import Json, parse_json_object

MAX_BYTES = 16 * 1024 * 1024
_MAX_DEPTH = 64
_MAX_SUBFIELDS = 8
_MAX_FIELDS = 20_000
_HINT = "validate the file with a Croissant editor or library"
_VOCABULARIES = (
    "https://schema.org/", "http://schema.org/", "sc:", "schema:", "http://mlcommons.org/croissant/",
    "https://mlcommons.org/croissant/", "cr:", "ml:", "http://purl.org/dc/terms/", "dct:",
)  # fmt: skip
_RAI = ("http://mlcommons.org/croissant/RAI/", "https://mlcommons.org/croissant/RAI/", "rai:")
# The first contexts of Croissant 1.0 gave these three without a prefix.
_RAI_BARE = frozenset({"dataBiases", "dataCollection", "personalSensitiveInformation"})
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}:|//")
_SIGNS = (b"mlcommons.org/croissant", b"mlcommons.org\\/croissant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A person or organisation."""

    name: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileObject:
    """One file of the data set."""

    id: str
    name: str
    content_url: str
    """Where it is: a URL, or a path relative to the description."""
    sha256: str
    """In lower case; empty if none is stated or what is stated is none."""
    md5: str
    size: str
    """As written, which may have a unit."""
    encoding_format: str
    contained_in: tuple[str, ...]
    """Identifiers of the archives or repositories that it lies in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSet:
    """Files that are described together, by patterns."""

    id: str
    name: str
    includes: tuple[str, ...]
    excludes: tuple[str, ...]
    encoding_format: str
    contained_in: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordField:
    """One field of a record, with its path where fields lie in fields."""

    name: str
    data_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSet:
    """Records of one shape."""

    name: str
    fields: tuple[RecordField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Croissant:
    """What a description claims; tuples keep its order."""

    conforms_to: tuple[str, ...]
    name: str
    description: str
    version: str
    licenses: tuple[str, ...]
    url: str
    citation: str
    date_published: str
    date_modified: str
    creators: tuple[Agent, ...]
    publishers: tuple[Agent, ...]
    is_live: bool | None
    """Whether the data still changes; None if it is not stated."""
    keywords: tuple[str, ...]
    languages: tuple[str, ...]
    same_as: tuple[str, ...]
    files: tuple[FileObject, ...]
    file_sets: tuple[FileSet, ...]
    record_sets: tuple[RecordSet, ...]
    rai: Mapping[str, tuple[str, ...]]
    """Responsible-AI terms without their prefix (`dataBiases`) → what is said."""
    problems: tuple[str, ...] = ()
    """One sentence for each statement that cannot be used."""


def is_croissant(data: bytes) -> bool:
    """Whether the start of a JSON file names the Croissant vocabulary, in its context or in conformsTo."""
    head = data[:65536]
    return head.lstrip()[:1] == b"{" and any(sign in head for sign in _SIGNS)


def parse_croissant(data: bytes, where: str) -> Croissant:
    """Read a description. Raises InputError for what is not strict JSON or not a description of a data set."""
    document = parse_json_object(data, where, max_bytes=MAX_BYTES, max_depth=_MAX_DEPTH)
    top = _plain(document, where)
    if "Dataset" not in _types(top):
        raise InputError("expected @type Dataset", where=f"{where}, @type", hint=_HINT)
    parts = [_plain(item, f"{where}, distribution") for item in _objects(top.get("distribution"))]
    files = tuple(_file(item) for item in parts if "FileSet" not in _types(item))
    return Croissant(
        conforms_to=_texts(top.get("conformsTo")),
        name=_text(top.get("name")),
        description=_text(top.get("description")),
        version=_text(top.get("version")),
        licenses=_texts(top.get("license")),
        url=_text(top.get("url")),
        citation=_text(top.get("citeAs")) or _text(top.get("citation")),
        date_published=_text(top.get("datePublished")),
        date_modified=_text(top.get("dateModified")),
        creators=_agents(top.get("creator"), f"{where}, creator"),
        publishers=_agents(top.get("publisher"), f"{where}, publisher"),
        is_live=_truth(top.get("isLiveDataset")),
        keywords=_texts(top.get("keywords")),
        languages=_texts(top.get("inLanguage")),
        same_as=_texts(top.get("sameAs")),
        files=files,
        file_sets=tuple(_file_set(item) for item in parts if "FileSet" in _types(item)),
        record_sets=_record_sets(top.get("recordSet"), where),
        rai={name[4:]: _texts(value) for name, value in top.items() if name.startswith("rai:") and _texts(value)},
        problems=tuple(_unusable(parts)),
    )


def digest_problems(croissant: Croissant, found: Mapping[str, str]) -> list[str]:
    """What contradicts the files that are there: `found` maps names relative to the description to their SHA-256.

    Files at a URL and files inside another file are not expected beside the description.
    """
    problems = []
    for file in croissant.files:
        name = local_name(file)
        if not name:
            continue
        shown = repr(name[:200])
        actual = found.get(name) or found.get(posixpath.normpath(unquote(name)))
        if actual is None and not file.contained_in:
            problems.append(f"{shown} is described, but is not there")
        elif actual is not None and file.sha256 and actual.lower() != file.sha256:
            problems.append(f"{shown} is described with SHA-256 {file.sha256}, the file has {actual.lower()}")
    return problems


def local_name(file: FileObject) -> str:
    """The name of a file beside the description; empty for one that is at a URL or has no place."""
    if not file.content_url or _SCHEME.match(file.content_url):
        return ""
    return posixpath.normpath(file.content_url.split("#", 1)[0] or ".")


def _plain(document: Json, where: str) -> Json:
    """The same properties under their short names, responsible-AI terms under `rai:`."""
    found: Json = {}
    for key, value in document.items():
        name = _short(key)
        if name in found:
            raise InputError(f"the property {name[:80]!r} is given under two spellings", where=where, hint=_HINT)
        found[name] = value
    return found


def _short(key: str) -> str:
    if ":" not in key:
        return f"rai:{key}" if key in _RAI_BARE else key
    for prefix in _RAI:
        if key.startswith(prefix):
            return f"rai:{key.removeprefix(prefix)}"
    for prefix in _VOCABULARIES:
        if key.startswith(prefix):
            bare = key.removeprefix(prefix)
            return f"rai:{bare}" if bare in _RAI_BARE else bare
    return key


def _types(item: Json) -> set[str]:
    return {_short(name) for name in _texts(item.get("@type"))}


def _file(item: Json) -> FileObject:
    digest = _text(item.get("sha256"))
    return FileObject(
        id=_text(item.get("@id")),
        name=_text(item.get("name")),
        content_url=_text(item.get("contentUrl")),
        sha256=digest.lower() if _SHA256.fullmatch(digest) else "",
        md5=_text(item.get("md5")),
        size=_text(item.get("contentSize")),
        encoding_format=_text(item.get("encodingFormat")),
        contained_in=_texts(item.get("containedIn")),
    )


def _file_set(item: Json) -> FileSet:
    return FileSet(
        id=_text(item.get("@id")),
        name=_text(item.get("name")),
        includes=_texts(item.get("includes")),
        excludes=_texts(item.get("excludes")),
        encoding_format=_text(item.get("encodingFormat")),
        contained_in=_texts(item.get("containedIn")),
    )


def _unusable(parts: list[Json]) -> Iterator[str]:
    for item in parts:
        digest = _text(item.get("sha256"))
        if digest and not _SHA256.fullmatch(digest):
            name = _text(item.get("@id")) or _text(item.get("name"))
            yield f"the sha256 of {name[:120]!r} is not a SHA-256: {digest[:80]!r}"


def _record_sets(value: Any, where: str) -> tuple[RecordSet, ...]:
    found = []
    budget = [_MAX_FIELDS]
    for number, raw in enumerate(_objects(value)):
        place = f"{where}, recordSet {number}"
        item = _plain(raw, place)
        fields = tuple(_fields(item.get("field"), "", place, budget))
        found.append(RecordSet(name=_text(item.get("name")) or _text(item.get("@id")), fields=fields))
    return tuple(found)


def _fields(value: Any, parent: str, place: str, budget: list[int]) -> Iterator[RecordField]:
    if parent.count("/") > _MAX_SUBFIELDS:
        raise InputError(f"fields more than {_MAX_SUBFIELDS} deep in one another", where=place)
    for raw in _objects(value):
        budget[0] -= 1
        if budget[0] < 0:
            raise InputError(f"more than {_MAX_FIELDS} fields", where=place)
        item = _plain(raw, place)
        name = parent + (_text(item.get("name")) or _text(item.get("@id"))).replace("/", ".")[:200]
        yield RecordField(name=name, data_types=_texts(item.get("dataType")))
        yield from _fields(item.get("subField"), f"{name}/", place, budget)


def _agents(value: Any, place: str) -> tuple[Agent, ...]:
    found = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            plain = _plain(item, place)
            agent = Agent(
                name=_text(plain.get("name")) or _text(plain.get("@id")),
                url=_text(plain.get("url")) or _text(plain.get("sameAs")),
            )
        else:
            agent = Agent(name=_text(item))
        if agent.name or agent.url:
            found.append(agent)
    return tuple(found)


def _objects(value: Any) -> list[Json]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def _truth(value: Any) -> bool | None:
    literal = value.get("@value") if isinstance(value, dict) else value
    words = {"true": True, "false": False}
    return literal if isinstance(literal, bool) else words.get(_text(literal).lower())


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else next(iter(_texts(value)), "")


def _texts(value: Any) -> tuple[str, ...]:
    """The texts of a value that may be one or many; a thing is named by its value, address, identifier or name."""
    found = (_one_text(item) for item in (value if isinstance(value, list) else [value]))
    return tuple(dict.fromkeys(text for text in found if text))


def _one_text(item: Any) -> str:
    if isinstance(item, dict):
        keys = ("@value", "url", "sc:url", "@id", "name", "sc:name")
        item = next((item[key] for key in keys if isinstance(item.get(key), (str, int, float))), "")
    if isinstance(item, str):
        return item.strip()
    return str(item) if isinstance(item, (int, float)) and not isinstance(item, bool) else ""
