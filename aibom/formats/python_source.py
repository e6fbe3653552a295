"""What Python code imports, loads and runs: the models, data sets and settings that it names, read and never run.

What a training script loads is often the only record of a base model's revision; what it calls decides whether loading
the release runs somebody's code. Only what the text states is told: a name put together at run time stays open.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aibom.formats.python_calls import MAX_CALLS, Call, RawCall, Scope, raw_calls
from aibom.formats.python_tokens import NAME, TEXT, Statement, Token, literal_text, read_statements

_MAX_IMPORTS = 10_000
_MAX_NAMES = 500

_MODEL_ARGUMENTS = ("pretrained_model_name_or_path", "model_name_or_path", "model_name", "model_id", "repo_id", "model")
_MODEL_CLASSES = frozenset({"SentenceTransformer", "CrossEncoder", "SparseEncoder", "LLM"})
_HUB_DOWNLOADS = frozenset({"hf_hub_download", "snapshot_download"})
_FILE_FORMATS = frozenset({
    "csv", "json", "parquet", "text", "arrow", "pandas", "xml", "sql", "spark", "generator", "webdataset",
    "imagefolder", "audiofolder", "videofolder", "pdffolder", "cache", "hdf5",
})  # fmt: skip
_TRAINING = frozenset({
    "TrainingArguments", "SFTConfig", "DPOConfig", "GRPOConfig", "PPOConfig", "ORPOConfig", "KTOConfig", "CPOConfig",
    "RewardConfig", "LoraConfig", "AdaLoraConfig", "LoHaConfig", "LoKrConfig", "IA3Config", "PrefixTuningConfig",
    "PromptTuningConfig", "PromptEncoderConfig", "BitsAndBytesConfig", "GPTQConfig", "AwqConfig", "AdamW", "Adam",
    "SGD", "Adafactor", "Adagrad", "RMSprop", "Lion",
})  # fmt: skip
_SEEDS = frozenset({
    "transformers.set_seed", "accelerate.utils.set_seed", "set_seed", "torch.manual_seed", "torch.cuda.manual_seed_all",
    "numpy.random.seed", "random.seed", "tensorflow.random.set_seed", "lightning.seed_everything", "seed_everything",
    "pytorch_lightning.seed_everything", "keras.utils.set_random_seed", "tensorflow.keras.utils.set_random_seed",
})  # fmt: skip
_RISKY = frozenset({
    "eval", "exec", "__import__", "builtins.eval", "builtins.exec", "os.system", "os.popen", "torch.load",
    "pickle.load", "pickle.loads", "pickle.Unpickler", "dill.load", "dill.loads", "cloudpickle.load",
    "cloudpickle.loads", "joblib.load", "marshal.load", "marshal.loads", "shelve.open", "pandas.read_pickle",
    "yaml.unsafe_load",
})  # fmt: skip
_RISKY_FAMILIES = ("subprocess.", "os.exec", "os.spawn", "os.posix_spawn")
_OPTION_CALLS = (".add_argument", ".parse_args", ".parse_known_args")
_NAMED = (
    frozenset({"from_pretrained", "load_dataset", "load_dataset_builder", "pipeline", "create_model"})
    | _HUB_DOWNLOADS | _MODEL_CLASSES | _TRAINING
)  # fmt: skip
_SERVICE_NAMES = frozenset({
    "Client", "ClientV2", "AsyncClient", "AsyncClientV2", "client", "create", "parse", "stream", "generate", "chat",
    "embed", "rerank", "generate_content", "generate_content_stream", "embed_content", "configure", "init", "run",
    "post", "chat_completion", "text_generation", "feature_extraction", "invoke_model",
    "invoke_model_with_response_stream",
    "converse", "converse_stream", "completion", "acompletion", "embedding", "complete",
})  # fmt: skip
_SERVICE_KEYWORDS = frozenset({"model", "modelId", "model_id", "base_url", "api_key", "azure_endpoint", "endpoint_url"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported module."""

    module: str
    """Dotted, as written and without leading dots; for `from a import b` this is `a`."""
    names: tuple[str, ...]
    """What `from` takes out of it."""
    level: int
    """Leading dots of a relative import; 0 for any other."""
    optional: bool
    """Whether it stands in a `try` or is for type checking alone."""
    line: int

    @property
    def paths(self) -> tuple[str, ...]:
        """The module, or all that `from` takes, dotted: in a namespace the package is in what is taken."""
        return tuple(f"{self.module}.{name}" for name in self.names) or (self.module,)

    @property
    def top_level(self) -> str:
        """The package that must be there."""
        return "" if self.level else self.module.partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReference:
    """A model that the code loads."""

    name: str
    """A repository on a hub, or a path."""
    revision: str
    is_default: bool
    """Whether the name is the default of a command line option, so that a run may have used another one."""
    line: int

    @property
    def is_local(self) -> bool:
        """Whether the name can only be a path."""
        return self.name.startswith((".", "/", "~")) or "\\" in self.name or self.name.count("/") > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetReference:
    """A data set that the code loads by name."""

    name: str
    configuration: str
    split: str
    revision: str
    is_default: bool
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingParameter:
    """One setting of a training run."""

    name: str
    value: str
    call: str
    """What it is given to, as written (`TrainingArguments`)."""
    is_default: bool
    """Whether the value is the default of a command line option, so that a run may have used another one."""
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonSource:
    """What one source file or notebook says."""

    imports: tuple[Import, ...]
    """Absolute ones."""
    relative_imports: tuple[Import, ...]
    calls: tuple[Call, ...]
    """Calls that load or train something, or that may be to a hosted service."""
    risky_calls: tuple[Call, ...]
    """Calls that run code or commands, or unpickle."""
    models: tuple[ModelReference, ...]
    datasets: tuple[DatasetReference, ...]
    parameters: tuple[TrainingParameter, ...]
    trusts_remote_code: tuple[int, ...]
    """Lines that set `trust_remote_code` to true: code of a model's repository is run."""
    problems: tuple[str, ...]
    """One sentence for each part that could not be read."""


def read_python(data: bytes, where: str) -> PythonSource:
    """Read Python source or, by its name, a notebook. A broken file gives what was read before it broke.

    Raises InputError for what is too large or is no text.
    """
    statements, found = read_statements(data, where)
    problems = list(found)
    scope = Scope()
    imports = [item for statement in statements for item in _imports(statement, scope)]
    for statement in statements:
        scope.learn(statement)
    raw = [call for statement in statements for call in raw_calls(statement) if _may_matter(call, scope)]
    for call in raw:
        if call.name.endswith(_OPTION_CALLS):
            scope.learn_option(call)
    calls = [scope.resolve(call) for call in raw[:MAX_CALLS] if not call.name.endswith(_OPTION_CALLS)]
    for kind, count, limit in (("calls", len(raw), MAX_CALLS), ("imports", len(imports), _MAX_IMPORTS)):
        if count > limit:
            problems.append(f"{count} {kind}; {limit} are read")
    return PythonSource(
        imports=tuple(item for item in imports[:_MAX_IMPORTS] if not item.level),
        relative_imports=tuple(item for item in imports[:_MAX_IMPORTS] if item.level),
        calls=tuple(call for call in calls if not _is_risky(call)),
        risky_calls=tuple(call for call in calls if _is_risky(call)),
        models=tuple(model for call in calls for model in _models(call)),
        datasets=tuple(dataset for call in calls for dataset in _datasets(call)),
        parameters=tuple(parameter for call in calls for parameter in _parameters(call)),
        trusts_remote_code=tuple(sorted({line for item in statements for line in _trusting_lines(item, scope)})),
        problems=tuple(problems),
    )


def _imports(statement: Statement, scope: Scope) -> Iterator[Import]:
    """The imports of a statement; what they bind goes into `scope`."""
    words = [text for _, text, _ in statement.tokens]
    optional = any(head.startswith(("try", "except")) or "TYPE_CHECKING" in head for head in statement.blocks)
    optional = optional or words[:1] == ["try"] or "TYPE_CHECKING" in words[:4]
    begin = 0  # each token is looked at once, whatever is repeated
    for at, (kind, word, line) in enumerate(statement.tokens):
        if at < begin or kind != NAME or word not in {"import", "from"} or (at and words[at - 1] not in {";", ":"}):
            continue
        limit = min(len(words), at + _MAX_NAMES * 4)
        begin = next((place for place in range(at, limit) if words[place] == ";"), limit)
        part = words[at + 1 : begin]
        if word == "import":
            yield from _plain_imports(part, scope, optional, line)
        elif "import" in part:
            yield _from_import(part, scope, optional, line)


def _plain_imports(words: list[str], scope: Scope, optional: bool, line: int) -> Iterator[Import]:
    for module, name in _bindings(words):
        first = module.partition(".")[0]
        scope.paths.setdefault(name or first, module if name else first)
        yield Import(module=module, names=(), level=0, optional=optional, line=line)


def _from_import(words: list[str], scope: Scope, optional: bool, line: int) -> Import:
    place = words.index("import")
    dotted = "".join(words[:place])
    module = dotted.lstrip(".")
    bindings = list(_bindings([word for word in words[place + 1 :] if word not in {"(", ")"}]))
    for taken, name in bindings:
        scope.paths.setdefault(name or taken, f"{dotted.rstrip('.')}.{taken}")
    names = tuple(taken for taken, _ in bindings)
    return Import(module=module, names=names, level=len(dotted) - len(module), optional=optional, line=line)


def _bindings(words: list[str]) -> Iterator[tuple[str, str]]:
    """`a.b as c, d` as pairs of what is taken and the name that it is given."""
    part: list[str] = []
    for word in [*words, ","]:
        if word != ",":
            part.append(word)
            continue
        taken = "".join(part[: part.index("as")] if "as" in part else part)
        if taken:
            yield taken[:200], part[-1] if "as" in part else ""
        part = []


def _may_matter(call: RawCall, scope: Scope) -> bool:
    path = scope.path(call.name)
    last = path.rpartition(".")[2]
    return (
        last in _NAMED
        or last in _SERVICE_NAMES
        or last.endswith("TrainingArguments")
        or path in _RISKY
        or path in _SEEDS
        or path.startswith(_RISKY_FAMILIES)
        or path in {"torch.hub.load", "numpy.load"}
        or call.name.endswith(_OPTION_CALLS)
        or not _SERVICE_KEYWORDS.isdisjoint(call.keywords)
        or _looks_like_a_client(last)
    )


def _looks_like_a_client(name: str) -> bool:
    """Constructors of clients are many and named alike: `AsyncOpenAI`, `ChatBedrock`, `InferenceClient`."""
    marks = (
        "OpenAI",
        "Anthropic",
        "Mistral",
        "Groq",
        "Together",
        "Cohere",
        "Bedrock",
        "Client",
        "Generative",
        "Ollama",
    )
    return name[:1].isupper() and any(mark in name for mark in marks)


def _is_risky(call: Call) -> bool:
    if call.path == "numpy.load":
        return call.keywords.get("allow_pickle") == "True"
    if call.path == "torch.load":
        return call.keywords.get("weights_only") != "True"
    return call.path in _RISKY or call.path.startswith(_RISKY_FAMILIES)


def _models(call: Call) -> Iterator[ModelReference]:
    place, name = _model_argument(call)
    is_data = call.keywords.get("repo_type") in {"dataset", "space"}
    if name and not is_data:
        revision = call.keywords.get("revision", "")
        yield ModelReference(name=name, revision=revision, is_default=place in call.defaults, line=call.line)


def _model_argument(call: Call) -> tuple[str, str]:
    """Position or keyword, and value, of the argument that names the model."""
    if call.last_name == "pipeline":
        places: tuple[str, ...] = ("1", "model")
    elif call.path == "timm.create_model":
        places = ("0", "model_name")
    elif call.last_name == "from_pretrained" and ".Peft" in f".{call.name}":
        places = ("1", "model_id", "0", "pretrained_model_name_or_path")  # the adapter; its base is an object
    elif call.last_name == "from_pretrained" or call.last_name in _MODEL_CLASSES | _HUB_DOWNLOADS:
        places = ("0", *_MODEL_ARGUMENTS)
    else:
        return "", ""
    return next(((place, value) for place in places if (value := _argument(call, place))), ("", ""))


def _argument(call: Call, place: str) -> str:
    if place.isdigit():
        return call.arguments[int(place)] if int(place) < len(call.arguments) else ""
    return call.keywords.get(place, "")


def _datasets(call: Call) -> Iterator[DatasetReference]:
    if call.last_name in {"load_dataset", "load_dataset_builder"}:
        place = "0" if call.arguments else "path"
    elif call.last_name in _HUB_DOWNLOADS and call.keywords.get("repo_type") == "dataset":
        place = "0" if call.arguments else "repo_id"
    else:
        return
    name = _argument(call, place)
    if name and name not in _FILE_FORMATS:
        is_load = call.last_name not in _HUB_DOWNLOADS
        yield DatasetReference(
            name=name,
            configuration=(_argument(call, "1") or call.keywords.get("name", "")) if is_load else "",
            split=call.keywords.get("split", ""),
            revision=call.keywords.get("revision", ""),
            is_default=place in call.defaults,
            line=call.line,
        )


def _parameters(call: Call) -> Iterator[TrainingParameter]:
    stated = call.keywords if call.last_name in _TRAINING or call.last_name.endswith("TrainingArguments") else {}
    places = {name: (name, value) for name, value in stated.items()}
    if call.path in _SEEDS or (call.name in _SEEDS and call.first):
        places = {"seed": ("0", call.first or call.keywords.get("seed", ""))}
    for name, (place, value) in places.items():
        if value:
            is_default = place in call.defaults
            yield TrainingParameter(name=name, value=value, call=call.name, is_default=is_default, line=call.line)


def _trusting_lines(statement: Statement, scope: Scope) -> Iterator[int]:
    tokens = statement.tokens
    for at, token in enumerate(tokens):
        if not _names_trust(token):
            continue
        rest = [item for item in tokens[at + 1 : at + 4] if item[1] != "]"]
        if len(rest) > 1 and rest[0][1] in {"=", ":"} and scope.value([rest[1]])[0] == "True":
            yield token[2]


def _names_trust(token: Token) -> bool:
    if token[0] == TEXT and "trust_remote_code" in token[1]:
        return literal_text(token[1]) == "trust_remote_code"
    return token[0] == NAME and token[1] == "trust_remote_code"
