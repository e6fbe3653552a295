"""Python source as statements of plain tokens: no syntax tree, because a deeply nested one takes the interpreter down.

A notebook is the text of its code cells, one after another. Each cell is read for itself, so that one that is broken
(or speaks to the notebook and not to Python) hides nothing of the next. Follows the language's lexical analysis and the
notebook format 4 (with the older one of worksheets).
"""

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aibom.core.errors import InputError
from aibom.core.strictjson import parse_json_object

MAX_BYTES = 4 * 1024 * 1024
MAX_NOTEBOOK = 64 * 1024 * 1024
MAX_TOKENS = 500_000
_MAX_CELLS = 20_000
_MAX_BLOCKS = 200
_MAX_STRING = 4096
_MAX_ODD = 200
_MAX_ODD_LINE = 1000

NAME, TEXT, NUMBER, OPERATOR, OTHER = range(5)
_KINDS = {tokenize.NAME: NAME, tokenize.STRING: TEXT, tokenize.NUMBER: NUMBER, tokenize.OP: OPERATOR}
_SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
_STARTS = {getattr(tokenize, name, -1) for name in ("FSTRING_START", "TSTRING_START")} - {-1}
_ENDS = {getattr(tokenize, name, -1) for name in ("FSTRING_END", "TSTRING_END")} - {-1}
_CODING = re.compile(r"[ \t\f]*#.{0,100}?coding[:=][ \t]*([-\w.]{1,60})")
_UTF8 = {"utf-8", "utf8", "utf_8", "utf-8-sig", "utf8-sig", "utf_8_sig", "ascii", "us-ascii"}
_PYTHON_MAGICS = {"%%time", "%%timeit", "%%capture", "%%prun", "%%python", "%%python3"}
_LITERAL = re.compile(r"([A-Za-z]{0,3})('''|\"\"\"|'|\")(.*)\2", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:(\r?\n)|([\\'\"abfnrtv])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-7]{1,3}))")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

Token = tuple[int, str, int]
"""Kind, text and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One logical line."""

    tokens: tuple[Token, ...]
    blocks: tuple[str, ...]
    """The heads of the blocks around it (`try`, `if TYPE_CHECKING`), outermost first."""


@dataclass(slots=True)
class _Progress:
    statements: list[Statement] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    tokens: int = 0


def read_statements(data: bytes, where: str) -> tuple[tuple[Statement, ...], tuple[str, ...]]:
    """The statements of a source file or (by its name) a notebook, and one sentence for each part not read.

    Raises InputError for what is too large, not UTF-8, or not the JSON of a notebook. Lines of a notebook are counted
    over its code cells.
    """
    is_notebook = where.endswith(".ipynb")
    limit = MAX_NOTEBOOK if is_notebook else MAX_BYTES
    if len(data) > limit:
        raise InputError(f"{len(data)} bytes; at most {limit} are read", where=where)
    progress = _Progress()
    first = 0
    for cell in _cells(data, where, progress.problems) if is_notebook else [_decode(data, where, progress.problems)]:
        _tokenize(cell, first, progress)
        first += cell.count("\n") + 1
    return tuple(progress.statements), tuple(progress.problems)


def literal_text(token: str) -> str | None:
    """The value of one string token; None for bytes, a formatted string, or one that is too long to be a name."""
    match = _LITERAL.fullmatch(token) if len(token) <= _MAX_STRING else None
    prefix = match[1].lower() if match else "?"
    if match is None or not set(prefix) <= {"r", "u"}:
        return None
    return match[3] if "r" in prefix else _ESCAPE.sub(_unescape, match[3])


def _unescape(match: re.Match[str]) -> str:
    if match[1]:
        return ""
    if match[2]:
        return _ESCAPED.get(match[2], match[2])
    code = int(match[5], 8) if match[5] else int(match[3] or match[4], 16)
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)  # half a surrogate pair is no text


def _decode(data: bytes, where: str, problems: list[str]) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("not valid UTF-8", where=f"{where}, byte {error.start}") from error
    for line in text[:1000].split("\n")[:2]:
        match = _CODING.match(line)
        if match and match[1].lower() not in _UTF8:
            problems.append(f"declares the encoding {match[1]!r}, in which it may say something else; read as UTF-8")
    return text


def _cells(data: bytes, where: str, problems: list[str]) -> Iterator[str]:
    document = parse_json_object(data, where, max_bytes=MAX_NOTEBOOK, max_depth=100)
    language = _language(document)
    if language not in {"", "python"}:
        problems.append(f"a notebook in {language[:40]!r}, which is not read")
        return
    sheets = document.get("worksheets")
    cells = document.get("cells")
    if not isinstance(cells, list):
        tables = sheets if isinstance(sheets, list) else []
        cells = [cell for sheet in tables if isinstance(sheet, dict) for cell in _list(sheet.get("cells"))]
    if len(cells) > _MAX_CELLS:
        problems.append(f"{len(cells)} cells; {_MAX_CELLS} are read")
    size = 0
    for cell in cells[:_MAX_CELLS]:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        text = _source(cell)
        size += len(text)
        if size > MAX_BYTES:
            problems.append(f"more than {MAX_BYTES} characters of code; the rest is not read")
            return
        yield _without_magics(text)


def _language(document: dict[str, Any]) -> str:
    metadata = document.get("metadata")
    for part, key in (("language_info", "name"), ("kernelspec", "language")):
        table = metadata.get(part) if isinstance(metadata, dict) else None
        value = table.get(key) if isinstance(table, dict) else None
        if isinstance(value, str) and value:
            return "python" if value.lower() in {"python", "python3", "ipython"} else value
    return ""


def _source(cell: dict[str, Any]) -> str:
    value = cell.get("source", cell.get("input", ""))
    return value if isinstance(value, str) else "".join(item for item in _list(value) if isinstance(item, str))


def _without_magics(text: str) -> str:
    """A cell with the lines that are not Python left blank, so that the others keep their number."""
    lines = text.split("\n")
    head = next((line.split() for line in lines if line.strip()), [""])
    if head[0].startswith("%%") and head[0] not in _PYTHON_MAGICS:
        return "\n" * (len(lines) - 1)
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def _tokenize(text: str, first: int, progress: _Progress) -> None:
    """Append the statements of one text. The first thing that Python itself would refuse ends it.

    Going on behind an error would also take a time that grows with the square of a hostile line.
    """
    builder = _Builder(first, progress)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline=None).readline):
            if token.type == tokenize.ERRORTOKEN and not builder.is_odd_name(token.string, token.line):
                progress.problems.append(f"line {first + token.start[0]}: not Python; what follows is not read")
                break
            if progress.tokens >= MAX_TOKENS:
                progress.problems.append(f"more than {MAX_TOKENS} tokens; the rest is not read")
                break
            progress.tokens += 1
            builder.take(token)
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError) as error:
        progress.problems.append(f"not Python to its end: {str(error.args[0] if error.args else error)[:100]}")
    builder.end()


class _Builder:
    """Gathers tokens into statements, and keeps the heads of open blocks."""

    def __init__(self, first: int, progress: _Progress) -> None:
        self._first = first
        self._progress = progress
        self._tokens: list[Token] = []
        self._blocks: list[str] = []
        self._head = ""
        self._formatted = 0
        self._odd = 0

    def take(self, token: tokenize.TokenInfo) -> None:
        line = self._first + token.start[0]
        if token.type in _STARTS or token.type in _ENDS:
            # A formatted string is one opaque token in every version of Python.
            self._formatted += 1 if token.type in _STARTS else -1
            if not self._formatted:
                self._tokens.append((OTHER, "", line))
        elif self._formatted or token.type in _SKIPPED:
            return
        elif token.type == tokenize.INDENT:
            self._blocks.append(self._head)
        elif token.type == tokenize.DEDENT:
            del self._blocks[-1:]
        elif token.type == tokenize.NEWLINE:
            self.end()
        else:
            self._tokens.append((_KINDS.get(token.type, OTHER), token.string, line))

    def is_odd_name(self, text: str, line: str) -> bool:
        """Whether an error is a letter of a name that older tokenizers do not know, or a space before it.

        Taken for an end of the source, one such letter would hide all that follows. In a long line it does end it: the
        tokenizer would start over at each space.
        """
        self._odd += 1
        is_name = text in {" ", "\t"} or (not text.isascii() and f"a{text}".isidentifier())
        return is_name and self._odd <= _MAX_ODD and len(line) <= _MAX_ODD_LINE

    def end(self) -> None:
        if self._tokens:
            blocks = tuple(self._blocks[:_MAX_BLOCKS])
            self._progress.statements.append(Statement(tokens=tuple(self._tokens), blocks=blocks))
            self._head = " ".join(text for _, text, _ in self._tokens[:6])[:100]
        self._tokens = []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
