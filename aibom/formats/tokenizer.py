"""What a tokeniser's files say: class, vocabulary, length limit, code it would fetch, and its chat templates by digest.

A chat template is a Jinja program that runs on every request, so a changed template is a changed model. Its text is
never rendered here: the digest is enough to see a change. `chat_template` in `tokenizer_config.json` is one text or
a list of named ones; newer releases keep it in `chat_template.jinja` and `additional_chat_templates/<name>.jinja`
(transformers documentation, "Chat templates"). `tokenizer.json` is the format of the tokenizers library.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import Json, parse_json_object, type_name
from aibom.formats.model_config import remote_code_targets

MAX_BYTES = 64 * 1024 * 1024
"""For `tokenizer.json`, which holds a whole vocabulary."""
MAX_CONFIG_BYTES = 16 * 1024 * 1024
MAX_TEMPLATE_BYTES = 1024 * 1024
_MAX_TEMPLATES = 100
_MAX_LENGTH = 2**63
_MAX_DEPTH = 40
_DEFAULT = "default"
_TEMPLATE_SUFFIX = ".jinja"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerConfig:
    """What `tokenizer_config.json` says."""

    tokenizer_class: str
    model_max_length: int | None
    """In tokens. None when it is not stated, or is the library's stand-in for "no limit" (10**30)."""
    chat_templates: Mapping[str, str]
    """Template name → SHA-256 of its UTF-8 text. A single unnamed template is `default`."""
    remote_code: tuple[str, ...]
    """Targets of `auto_map`: Python that a loader runs if told to trust remote code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """What `tokenizer.json` says."""

    version: str
    model_type: str
    vocabulary_size: int | None
    """Entries of the model's vocabulary, without the added tokens."""
    added_tokens: int
    special_tokens: tuple[str, ...]
    """Added tokens that are marked special, in the file's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTemplate:
    """One chat template that is a file of its own."""

    name: str
    sha256: str
    size: int


def is_chat_template(name: str) -> bool:
    """Whether a file is a chat template, by its name."""
    folder, _, base = name.rpartition("/")
    return base == "chat_template.jinja" or (
        base.endswith(_TEMPLATE_SUFFIX) and folder.rsplit("/", 1)[-1] == "additional_chat_templates"
    )


def parse_tokenizer_config(data: bytes, where: str) -> TokenizerConfig:
    """Read `tokenizer_config.json`. Raises InputError if it is not an object, or a chat template is not text."""
    document = parse_json_object(data, where, max_bytes=MAX_CONFIG_BYTES, max_depth=_MAX_DEPTH)
    return TokenizerConfig(
        tokenizer_class=_text(document.get("tokenizer_class")),
        model_max_length=_length(document.get("model_max_length")),
        chat_templates=_templates(document.get("chat_template"), f"{where}, chat_template"),
        remote_code=remote_code_targets(document.get("auto_map")),
    )


def parse_tokenizer(data: bytes, where: str) -> Tokenizer:
    """Read `tokenizer.json`. Raises InputError if it does not hold a model."""
    document = parse_json_object(data, where, max_bytes=MAX_BYTES, max_depth=_MAX_DEPTH)
    model = document.get("model")
    if not isinstance(model, dict):
        raise InputError(f"expected an object, found {type_name(model)}", where=f"{where}, model")
    vocabulary = model.get("vocab")
    added = [token for token in _list(document.get("added_tokens")) if isinstance(token, dict)]
    return Tokenizer(
        version=_text(document.get("version")),
        model_type=_text(model.get("type")),
        vocabulary_size=len(vocabulary) if isinstance(vocabulary, (dict, list)) else None,
        added_tokens=len(added),
        special_tokens=tuple(_text(token.get("content")) for token in added if token.get("special") is True),
    )


def parse_chat_template(data: bytes, where: str) -> ChatTemplate:
    """Take the digest of a template file. Raises InputError if it is too long or not UTF-8."""
    if len(data) > MAX_TEMPLATE_BYTES:
        raise InputError(f"a template of {len(data)} bytes; at most {MAX_TEMPLATE_BYTES} are read", where=where)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("not valid UTF-8", where=f"{where}, byte {error.start}") from error
    base = where.rsplit("/", 1)[-1].removesuffix(_TEMPLATE_SUFFIX)
    name = _DEFAULT if base == "chat_template" else base
    return ChatTemplate(name=name, sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def _templates(value: Any, where: str) -> Mapping[str, str]:
    if value is None:
        return {}
    if isinstance(value, str):
        return {_DEFAULT: _digest(value)}
    if not isinstance(value, list):
        raise InputError(f"expected a text or a list of named texts, found {type_name(value)}", where=where)
    if len(value) > _MAX_TEMPLATES:
        raise InputError(f"{len(value)} templates; at most {_MAX_TEMPLATES} are read", where=where)
    found: dict[str, str] = {}
    for number, item in enumerate(value):
        name, text = _named(item, f"{where}[{number}]")
        if name in found:
            raise InputError(f"the template {name[:80]!r} appears twice", where=where)
        found[name] = _digest(text)
    return found


def _named(item: Any, where: str) -> tuple[str, str]:
    entry: Json = item if isinstance(item, dict) else {}
    name, text = entry.get("name"), entry.get("template")
    if not isinstance(name, str) or not isinstance(text, str):
        raise InputError("a template in a list needs a name and a template, both texts", where=where)
    return name, text


def _length(value: Any) -> int | None:
    """The library writes 10**30 as a float or a whole number where nothing limits the length."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        return None
    return int(value) if 0 <= value < _MAX_LENGTH else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
