"""What an image is made from: the base images of a Dockerfile, and the Python libraries that it installs by hand.

Nothing is pulled and no shell is run: a variable that only a build would know is a problem, not a guess. A library
named in a `RUN pip install` is in no requirements file, and without a version it is another one at each build.
Follows the Dockerfile reference and the distribution project's grammar of image references.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement

from aibom.core.errors import InputError
from aibom.core.strictjson import parse_json
from aibom.formats.requirements import Dependency, parse_dependency, without_credentials

MAX_BYTES = 1024 * 1024
_MAX_INSTRUCTIONS = 10_000
_MAX_VALUE = 4096
_MAX_VARIABLES = 1000
_MAX_REFERENCES = 200

_HEREDOC = re.compile(r"<<-?(['\"]?)([A-Za-z_][A-Za-z0-9_]{0,99})\1")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w{0,99})(?::([-+])([^{}]{0,500}))?\}|([A-Za-z_]\w{0,99}))", re.ASCII)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w{0,99})=(.*)", re.ASCII | re.DOTALL)
_WORD = re.compile(
    r"[0-9&]?[<>]{1,3}(?:&[0-9-])?+"
    r"|(?:[^\s\"'\\;&|<>()]++|\\.|\"(?:[^\"\\]++|\\.)*+\"?+|'[^']*+'?+)++"
    r"|&&|\|\||[;&|()]",
    re.DOTALL,
)
_REDIRECTION = re.compile(r"[0-9&]?[<>]{1,3}(?:&[0-9-])?")
_QUOTES = re.compile(r"\\(.)|\"((?:[^\"\\]++|\\.)*+)\"?|'([^']*+)'?", re.DOTALL)
_PIP = re.compile(r"(?:.*/)?pip[0-9]{0,2}(?:\.[0-9]{1,2})?", re.DOTALL)
_PRINTING = (["echo"], ["printf"])
_SEPARATORS = frozenset({"&&", "||", ";", "&", "|", "(", ")"})
_WITH_VALUE = frozenset({
    "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target",
    "--platform",
    "--python-version", "--implementation", "--abi", "--no-binary", "--only-binary", "--progress-bar", "--prefix",
    "--root", "--src", "--trusted-host", "--timeout", "--retries", "--cache-dir", "--proxy", "--cert", "--client-cert",
    "--upgrade-strategy", "--index-strategy", "--default-index", "--index", "--python", "-p", "--log", "--report",
    "--config-settings", "-C", "--global-option", "--torch-backend",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseImage:
    """An image that a stage starts from, or that files are copied from."""

    reference: str
    """As written, with variables."""
    registry: str
    """Host of the registry; empty if none is named."""
    repository: str
    """Empty if a variable leaves it open."""
    tag: str
    digest: str
    """As written (`sha256:...`)."""
    stage: str
    """The name that this stage gets."""
    platform: str
    is_stage: bool
    """Whether it is an earlier stage of the same file, not an image."""
    line: int

    @property
    def is_pinned(self) -> bool:
        """Whether it will be the same image tomorrow: by digest, or the empty image."""
        return bool(self.digest) or self.is_stage or self.repository == "scratch"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipInstall:
    """One library that a RUN instruction installs."""

    dependency: Dependency
    line: int

    @property
    def is_pinned(self) -> bool:
        """Whether a version, or a place to take it from, is fixed."""
        return bool(self.dependency.version or self.dependency.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """What a Dockerfile says; entry point, command and user are those of its last stage."""

    stages: tuple[BaseImage, ...]
    copied_from: tuple[BaseImage, ...]
    """Images outside the file that files are copied from."""
    installs: tuple[PipInstall, ...]
    requirement_files: tuple[str, ...]
    """Files given to `pip install -r`, as written."""
    entrypoint: str
    command: str
    exposed: tuple[str, ...]
    user: str
    """Empty means the base image's user, most often root."""
    problems: tuple[str, ...]
    """One sentence for each part that could not be read or resolved."""

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """All libraries installed by name, sorted."""
        return tuple(sorted({install.dependency for install in self.installs}))

    @property
    def unpinned(self) -> tuple[str, ...]:
        """Names of libraries that are installed in whatever version is current."""
        return tuple(sorted({install.dependency.name for install in self.installs if not install.is_pinned}))


def parse_dockerfile(data: bytes, where: str) -> Dockerfile:
    """Read a Dockerfile. Raises InputError for what is not text or has no FROM."""
    if len(data) > MAX_BYTES:
        raise InputError(f"{len(data)} bytes; at most {MAX_BYTES} are read", where=where)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("not valid UTF-8", where=f"{where}, byte {error.start}") from error
    reader = _Reader()
    for number, (line, word, rest) in enumerate(_instructions(text, reader.problems)):
        if number >= _MAX_INSTRUCTIONS:
            raise InputError(f"more than {_MAX_INSTRUCTIONS} instructions", where=f"{where}, line {line}")
        reader.take(line, word, rest)
    if not reader.stages:
        raise InputError("no FROM instruction: not a Dockerfile", where=where)
    return reader.result()


class _Reader:
    """Walks the instructions once, in order, because each sees only the variables and stages before it."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.stages: list[BaseImage] = []
        self._copied: list[BaseImage] = []
        self._installs: list[PipInstall] = []
        self._files: dict[str, None] = {}
        self._global: dict[str, str] = {}
        self._variables: dict[str, str] = {}
        self._settings: dict[str, tuple[str, ...]] = {}
        self._by_stage: dict[str, dict[str, tuple[str, ...]]] = {}

    def take(self, line: int, word: str, rest: str) -> None:
        if word == "FROM":
            self._from(line, rest)
        elif word in {"ARG", "ENV"}:
            self._assign(word, rest)
        elif word in {"COPY", "ADD"}:
            self._copy(line, rest)
        elif word == "RUN":
            self._run(line, rest)
        elif word == "EXPOSE":
            self._settings["EXPOSE"] = (*self._settings.get("EXPOSE", ()), *rest.split())[:_MAX_VARIABLES]
        elif word in {"ENTRYPOINT", "CMD", "USER"}:
            self._settings[word] = (rest,)

    def result(self) -> Dockerfile:
        last = {name: values[0] for name, values in self._settings.items() if values}
        return Dockerfile(
            stages=tuple(self.stages),
            copied_from=tuple(self._copied),
            installs=tuple(self._installs),
            requirement_files=tuple(self._files),
            entrypoint=last.get("ENTRYPOINT", ""),
            command=last.get("CMD", ""),
            exposed=self._settings.get("EXPOSE", ()),
            user=last.get("USER", ""),
            problems=tuple(self.problems),
        )

    def _from(self, line: int, rest: str) -> None:
        flags, words = _flags(rest)
        if not words:
            self.problems.append(f"line {line}: FROM names no image")
            return
        stage = words[2] if len(words) > 2 and words[1].lower() == "as" else ""
        image = self._image(line, words[0], self._global, stage, flags.get("platform", ""))
        self.stages.append(image)
        self._variables = {}
        # Only what starts from a stage keeps that stage's settings; an image's own are not known here.
        self._settings = dict(self._by_stage.get(image.repository.lower(), {})) if image.is_stage else {}
        self._by_stage[str(len(self.stages) - 1)] = self._settings
        if stage:
            self._by_stage[stage.lower()] = self._settings

    def _image(self, line: int, written: str, known: Mapping[str, str], stage: str, platform: str) -> BaseImage:
        resolved = _substitute(written, known)
        if not resolved:
            self.problems.append(f"line {line}: {written[:200]!r} cannot be resolved: a variable has no default")
        is_stage = resolved.lower() in self._by_stage
        registry, repository, tag, digest = ("", resolved, "", "") if is_stage else _split_reference(resolved)
        return BaseImage(
            reference=written,
            registry=registry,
            repository=repository,
            tag=tag,
            digest=digest,
            stage=stage,
            platform=_substitute(platform, known) or platform,
            is_stage=is_stage,
            line=line,
        )

    def _assign(self, word: str, rest: str) -> None:
        for item in _words(rest)[:_MAX_VARIABLES]:
            match = _ASSIGNMENT.fullmatch(item)
            name = match[1] if match else item
            target = self._variables if self.stages else self._global
            if len(target) >= _MAX_VARIABLES:
                return
            value = _substitute(match[2], self._known() if self.stages else self._global) if match else ""
            if match and (value or not match[2]):
                target[name] = value
            elif word == "ARG" and self.stages and not match and name in self._global:
                target[name] = self._global[name]
            else:
                target.pop(name, None)

    def _known(self) -> Mapping[str, str]:
        return self._variables

    def _copy(self, line: int, rest: str) -> None:
        source = _flags(rest)[0].get("from", "")
        if source and source.lower() not in self._by_stage and len(self._copied) < _MAX_REFERENCES:
            self._copied.append(self._image(line, source, self._global, "", ""))

    def _run(self, line: int, rest: str) -> None:
        for command in _commands(_after_flags(rest)):
            arguments = _pip_arguments(command)
            if arguments is not None:
                self._install(line, arguments)

    def _install(self, line: int, arguments: list[str]) -> None:
        pending = iter(arguments)
        for argument in pending:
            option, _, value = argument.partition("=")
            if option in {"-r", "--requirement", "--requirements"}:
                self._files[value or next(pending, "")] = None
            elif argument.startswith("-r") and len(argument) > 2:
                self._files[argument[2:]] = None
            elif argument in {"-e", "--editable"} or (option in _WITH_VALUE and not value):
                next(pending, "")
            elif not argument.startswith("-"):
                self._library(line, argument)

    def _library(self, line: int, argument: str) -> None:
        text = _substitute(argument, self._known())
        if not text:
            self.problems.append(f"line {line}: {argument[:80]!r} cannot be resolved: a variable has no default")
            return
        try:
            self._installs.append(PipInstall(dependency=parse_dependency(text), line=line))
        except InvalidRequirement:
            what = without_credentials(text)[:80]
            self.problems.append(f"line {line}: pip installs {what!r}, which names no library")


def _instructions(text: str, problems: list[str]) -> Iterator[tuple[int, str, str]]:
    """Each instruction with its line, its word in capitals, and its arguments on one line."""
    lines = text.replace("\r\n", "\n").split("\n")
    escape = "`" if any(re.fullmatch(r"# ?escape ?= ?`", line.strip().lower()) for line in lines[:3]) else "\\"
    pending: list[str] = []
    start, number = 0, 0
    while number < len(lines):
        line, number = lines[number].strip(), number + 1
        if line.startswith("#") or (pending and not line):
            continue
        start = start if pending else number
        pending.append(line.removesuffix(escape))
        if line.endswith(escape) and number < len(lines):
            continue
        word, _, rest = " ".join(pending).strip().replace("\t", " ").partition(" ")
        pending = []
        if word.upper() in {"RUN", "COPY", "ADD"} and "<<" in rest:
            number = _skip_heredocs(rest, lines, number)
            if word.upper() == "RUN":
                problems.append(f"line {start}: commands in a heredoc are not read")
        if word:
            yield start, word.upper(), rest.strip()


def _skip_heredocs(rest: str, lines: list[str], number: int) -> int:
    for match in list(_HEREDOC.finditer(rest))[:10]:
        while number < len(lines) and lines[number].strip("\t\r ") != match[2]:
            number += 1
        number += 1
    return number


def _flags(rest: str) -> tuple[dict[str, str], list[str]]:
    flags, words = {}, rest.split()
    while words and words[0].startswith("--"):
        name, _, value = words.pop(0)[2:].partition("=")
        flags[name] = value
    return flags, words[:100]


def _after_flags(rest: str) -> str:
    while rest.startswith("--"):
        rest = rest.partition(" ")[2].lstrip()
    return rest


def _substitute(text: str, known: Mapping[str, str]) -> str:
    """The text with its variables filled in; empty if one is not known or the result is too long."""
    pieces, at = [], 0
    for match in _VARIABLE.finditer(text):
        value = known.get(match[1] or match[4], "")
        if match[2]:
            value = match[3] if (match[2] == "+") == bool(value) else value
        elif not value:
            return ""
        pieces += [text[at : match.start()], value]
        at = match.end()
        if sum(map(len, pieces[-2:])) > _MAX_VALUE or len(pieces) > _MAX_REFERENCES:
            return ""
    result = "".join([*pieces, text[at:]])
    return result if len(result) <= _MAX_VALUE and "$" not in result else ""


def _split_reference(text: str) -> tuple[str, str, str, str]:
    """Registry, repository, tag and digest; a first part is a registry if it looks like a host."""
    rest, _, digest = text.partition("@")
    first, slash, remainder = rest.partition("/")
    has_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, remainder) if has_host else ("", rest)
    repository, _, tag = path.partition(":")
    return registry, repository, tag, digest


def _words(text: str) -> list[str]:
    return [_unquote(match[0]) for match in _WORD.finditer(text)]


def _unquote(word: str) -> str:
    return _QUOTES.sub(lambda match: match[1] or match[2] or match[3] or "", word)


def _commands(text: str) -> Iterator[list[str]]:
    """Simple commands as lists of words; what a `<` or `>` names is a file and belongs to none."""
    if text.startswith("["):
        try:
            value = parse_json(text.encode(), "RUN", max_bytes=MAX_BYTES, max_depth=4)
        except (InputError, UnicodeEncodeError):
            return
        yield [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
        return
    command: list[str] = []
    is_file = False
    for match in _WORD.finditer(text):
        if match[0] in _SEPARATORS:
            yield command
            command = []
        elif _REDIRECTION.fullmatch(match[0]):
            is_file = "&" not in match[0][1:]
            continue
        elif not is_file:
            command.append(_unquote(match[0]))
        is_file = False
    yield command


def _pip_arguments(command: list[str]) -> list[str] | None:
    """What follows `pip install` (also `python -m pip install`, `uv pip install`); None for another command."""
    for at, word in enumerate(command[:20] if command[:1] not in _PRINTING else []):
        if _PIP.fullmatch(word):
            place = next((i for i, item in enumerate(command[at : at + 10], at) if item == "install"), -1)
            return command[place + 1 :] if place > 0 else None
    return None
