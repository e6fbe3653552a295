"""The calls in Python source, with those of their arguments whose value the source itself states.

A name stands for a value only if the file binds it to one literal and to nothing else: whatever is also a parameter, a
loop variable or assigned again is left open, because a wrong model name is worse than none. The default of a command
line option is a value too, but marked: a run may have been given another one.
"""

import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aibom.formats.python_tokens import NAME, NUMBER, OPERATOR, OTHER, TEXT, Statement, Token, literal_text

MAX_CALLS = 10_000
_MAX_ARGUMENT = 80
MAX_ARGUMENTS = 300
MAX_POSITIONAL = 8
_MAX_PARTS = 12
_MAX_TEXT = 1000
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_WORDS = frozenset({"True", "False", "None"})
_AUGMENTED = frozenset({"+=", "-=", "*=", "/=", "//=", "%=", "**=", "|=", "&=", "^=", ">>=", "<<=", "@=", ":="})
_OPAQUE: Token = (OTHER, "", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call."""

    name: str
    """Dotted, as written; it starts with a dot if something other than a name comes before."""
    path: str
    """The same with the names that imports bind written out (`torch.load` for a `load` imported from torch)."""
    target: str
    """The variable that the result is assigned to, dotted."""
    arguments: tuple[str, ...]
    """Values of the first positional arguments; empty where the source does not state one."""
    keywords: Mapping[str, str]
    """Values of the keyword arguments that the source states."""
    defaults: frozenset[str]
    """Keywords (and positions, as text) whose value is the default of a command line option."""
    line: int
    unstated: frozenset[str] = frozenset()
    """Keywords that are given a value which the source does not state: of an option, a variable, the environment."""

    @property
    def first(self) -> str:
        """The first positional argument."""
        return self.arguments[0] if self.arguments else ""

    @property
    def last_name(self) -> str:
        """What is called, without what it belongs to."""
        return self.path.rpartition(".")[2]


class RawCall:
    """A call with its arguments still tokens."""

    def __init__(self, name: str, line: int, start: int) -> None:
        self.name = name
        self.line = line
        self.start = start
        self.positional: list[list[Token]] = []
        self.keywords: dict[str, list[Token]] = {}
        self.target = ""
        self.argument: list[Token] = []

    def end_argument(self) -> None:
        """Take the gathered tokens as one argument."""
        tokens, self.argument = self.argument, []
        if len(tokens) > 2 and tokens[0][0] == NAME and tokens[1][1] == "=":
            if len(self.keywords) < MAX_ARGUMENTS:
                self.keywords.setdefault(tokens[0][1], tokens[2:])
        elif tokens and len(self.positional) < MAX_POSITIONAL and not self._is_spread():
            self.positional.append(tokens)

    def _is_spread(self) -> bool:
        """Whether a `*list` comes before, so that positions are not known any more."""
        return bool(self.positional) and self.positional[-1][0][1] == "*"


@dataclass(frozen=True, slots=True)
class Scope:
    """What names stand for in one file."""

    paths: dict[str, str] = field(default_factory=dict)
    """Local name → dotted path of what an import binds to it."""
    constants: dict[str, str] = field(default_factory=dict)
    shadowed: set[str] = field(default_factory=set)
    """Names that are bound otherwise, too."""
    options: dict[str, str] = field(default_factory=dict)
    """Command line option → default; empty if there are two."""
    parsed: set[str] = field(default_factory=lambda: {"args"})
    """Variables that hold parsed options."""

    def learn(self, statement: Statement) -> None:
        """Take note of what a statement binds."""
        self.shadowed.update(_bound(statement))
        for part in _split(statement.tokens, ";"):
            name, value = _assignment(part)
            if not name:
                continue
            text = self.value(value)[0]
            if not text or self.constants.get(name, text) != text:
                self.shadowed.add(name)
            self.constants.setdefault(name, text)

    def learn_option(self, call: RawCall) -> None:
        """Take note of an `add_argument` call or of the variable that options are parsed into."""
        if call.name.endswith((".parse_args", ".parse_known_args")):
            self.parsed.update({call.target.partition(",")[0]} - {""})
            return
        flags = [text for text in (self.value(tokens)[0] for tokens in call.positional) if text]
        named = next((flag for flag in flags if flag.startswith("--")), flags[0] if flags else "")
        name = self.value(call.keywords.get("dest", []))[0] or named.lstrip("-").replace("-", "_")
        default = self.value(call.keywords.get("default", []))[0]
        self.options[name] = default if self.options.get(name, default) == default else ""

    def resolve(self, call: RawCall) -> Call:
        """The call with its arguments' values."""
        arguments = [self.value(tokens) for tokens in call.positional]
        keywords = {name: self.value(tokens) for name, tokens in call.keywords.items()}
        defaults = {str(place) for place, (text, is_default) in enumerate(arguments) if text and is_default}
        return Call(
            name=call.name,
            path=self.path(call.name),
            target=call.target,
            arguments=tuple(text for text, _ in arguments),
            keywords={name: text for name, (text, _) in keywords.items() if text},
            defaults=frozenset(
                defaults | {name for name, (text, is_default) in keywords.items() if text and is_default}
            ),
            line=call.line,
            unstated=frozenset(name for name, (text, _) in keywords.items() if not text),
        )

    def path(self, name: str) -> str:
        """A dotted name with what an import binds to its first part."""
        first, dot, rest = name.partition(".")
        return self.paths.get(first, first) + dot + rest

    def value(self, tokens: list[Token]) -> tuple[str, bool]:
        """The text of a literal, constant or option, and whether it is an option's default. Empty if it is no such."""
        if not tokens or len(tokens) > _MAX_ARGUMENT:
            return "", False
        while len(tokens) > 2 and tokens[0][1] == "(" and tokens[-1][1] == ")":
            tokens = tokens[1:-1]
        kinds = [kind for kind, _, _ in tokens]
        words = [text for _, text, _ in tokens]
        if set(kinds) == {TEXT}:
            return _joined(words), False
        if kinds == [NUMBER] or (kinds == [OPERATOR, NUMBER] and words[0] in "+-"):
            return "".join(words)[:_MAX_TEXT], False
        if kinds == [NAME]:
            return (words[0] if words[0] in _WORDS else self._constant(words[0])), False
        if kinds == [NAME, OPERATOR, NAME] and words[1] == "." and words[0] in self.parsed:
            return self.options.get(words[2], ""), True
        return self._collection(tokens), False

    def _constant(self, name: str) -> str:
        return "" if name in self.shadowed else self.constants.get(name, "")

    def _collection(self, tokens: list[Token]) -> str:
        """A flat list or tuple of strings, or a member of a module or an enumeration (`torch.float16`)."""
        if tokens[0][1] in {"[", "("} and tokens[-1][1] in {"]", ")"}:
            items = [_joined([token[1] for token in part]) for part in _split(tokens[1:-1], ",") if part]
            return ", ".join(items)[:_MAX_TEXT] if all(items) else ""
        dotted = "".join(text for _, text, _ in tokens)
        first = self.path(dotted).partition(".")[0]
        is_member = all(kind == NAME or text == "." for kind, text, _ in tokens) and "." in dotted
        is_enumeration = dotted[:1].isupper() and dotted.rpartition(".")[2].isupper()
        return dotted[:_MAX_TEXT] if is_member and (first == "torch" or is_enumeration) else ""


def raw_calls(statement: Statement) -> Iterator[RawCall]:
    """The calls in one statement, inner ones first. Takes one step for each token, however calls are nested."""
    tokens = statement.tokens
    brackets: list[RawCall | None] = []
    calls: list[RawCall] = []
    for at, token in enumerate(tokens):
        word = token[1] if token[0] == OPERATOR else ""
        if word in _CLOSE and brackets:
            ended = brackets.pop()
            if ended is not None:
                calls.pop().end_argument()
                ended.target = _target(tokens, ended.start, at)
                yield ended
                _append(calls, _OPAQUE)
            else:
                _append(calls, token)
        elif word in _OPEN:
            call = _call_at(tokens, at) if word == "(" else None
            if call is None:
                _append(calls, token)
            else:
                calls.append(call)
            brackets.append(call)
        elif word == "," and brackets and brackets[-1] is not None:
            brackets[-1].end_argument()
        else:
            _append(calls, token)


def _append(calls: list[RawCall], token: Token) -> None:
    if calls and len(calls[-1].argument) <= _MAX_ARGUMENT + 3:
        calls[-1].argument.append(token)


def _call_at(tokens: tuple[Token, ...], at: int) -> RawCall | None:
    """The call whose bracket opens here, if one does."""
    parts: list[str] = []
    start = at
    while start > 0 and tokens[start - 1][0] == NAME and len(parts) < _MAX_PARTS:
        start -= 1
        parts.insert(0, tokens[start][1])
        if start == 0 or tokens[start - 1][1] != ".":
            break
        start -= 1
        if start == 0 or tokens[start - 1][0] != NAME:
            parts.insert(0, "")
            break
    if not parts or keyword.iskeyword(parts[-1]) or (start > 0 and tokens[start - 1][1] in {"def", "class"}):
        return None
    return RawCall(name=".".join(parts)[:_MAX_TEXT], line=tokens[at][2], start=start)


def _target(tokens: tuple[Token, ...], start: int, end: int) -> str:
    """What the value of the call between two tokens is assigned to."""
    if tokens[end + 1 : end + 2] and tokens[end + 1][1] == "as" and len(tokens) > end + 2:
        return tokens[end + 2][1]
    begin = start - 1 if start and tokens[start - 1][1] == "await" else start
    if not 1 < begin <= _MAX_PARTS * 2 or tokens[begin - 1][1] != "=":
        return ""
    left = "".join(text for _, text, _ in tokens[: begin - 1]).partition(":")[0]
    return left.strip("()") if all(kind in {NAME, OPERATOR} for kind, _, _ in tokens[: begin - 1]) else ""


def _split(tokens: tuple[Token, ...] | list[Token], separator: str) -> Iterator[list[Token]]:
    part: list[Token] = []
    for token in tokens:
        if token[1] == separator and token[0] == OPERATOR:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _assignment(tokens: list[Token]) -> tuple[str, list[Token]]:
    """The name and value of `NAME = value` or `NAME: type = value`."""
    words = [text for _, text, _ in tokens[:20]]
    if len(tokens) < 3 or tokens[0][0] != NAME or words[1] not in {"=", ":"} or "=" not in words:
        return "", []
    return words[0], tokens[words.index("=") + 1 :]


def _joined(words: list[str]) -> str:
    parts = [literal_text(word) for word in words[:_MAX_ARGUMENT]]
    return "" if None in parts else "".join(part for part in parts if part)[:_MAX_TEXT]


def _bound(statement: Statement) -> Iterator[str]:
    """Names that a statement binds in another way than by a plain assignment."""
    tokens = statement.tokens
    words = [text for _, text, _ in tokens]
    depth, mode, last_equals = 0, "", -1
    for at, (kind, word, _) in enumerate(tokens):
        before, after = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
        depth += (word in _OPEN) - (word in _CLOSE) if kind == OPERATOR else 0
        last_equals = at if word == "=" and depth == 0 else last_equals
        mode = _mode(mode, word, depth)
        if kind != NAME or before == ".":
            continue
        is_parameter = mode == "def" and depth == 1 and before in {"(", ",", "*", "**"}
        is_lambda = mode == "lambda" and before in {"lambda", ",", "*", "**"}
        is_named = before in {"as", "def", "class"} or after in _AUGMENTED
        if is_parameter or is_lambda or is_named or mode in {"for", "global", "del"}:
            yield word
    several = words[:last_equals].count("=") > 0 or "," in words[:last_equals]
    if last_equals > 0 and (several or words[0] in _COMPOUND):
        yield from (word for kind, word, _ in tokens[:last_equals] if kind == NAME)


_COMPOUND = frozenset({"if", "for", "while", "with", "try", "else", "class", "def", "async", "elif", "except"})


def _mode(mode: str, word: str, depth: int) -> str:
    if word in {"def", "lambda", "for", "global", "nonlocal", "del"}:
        return "global" if word == "nonlocal" else word
    ends = {"for": word == "in", "lambda": word == ":", "def": word == ":" and depth == 0, "": False}
    return "" if ends.get(mode, word == ";") else mode
