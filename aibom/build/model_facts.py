"""What the files of one model say of it: task, architecture, library, card, settings, chat templates, remote code."""

from collections.abc import Iterator

from aibom.build.account import Card, Setting, Source, Sourced
from aibom.build.card_sections import misuses, uses_of
from aibom.build.collect import CollectedFile
from aibom.build.evidence import facts, first, setting, sourced
from aibom.build.publisher import NAME as PUBLISHER
from aibom.build.publisher import Publisher
from aibom.formats.adapter_config import AdapterConfig
from aibom.formats.generation_config import GenerationConfig
from aibom.formats.gguf import GgufHeader
from aibom.formats.mlflow_model import MlflowModel
from aibom.formats.model_card import ModelCard, find_section
from aibom.formats.model_config import ModelConfig
from aibom.formats.pipeline_index import PipelineIndex
from aibom.formats.tokenizer import ChatTemplate, TokenizerConfig

_LIBRARY_CLASSES = (("sklearn.", "scikit-learn"), ("xgboost.", "xgboost"), ("lightgbm.", "lightgbm"))
_ESTIMATORS = ("Classifier", "Regressor", "Pipeline")


def task_of(card: tuple[str, ModelCard] | None, files: tuple[CollectedFile, ...]) -> Sourced | None:
    """The task, as the card or an adapter names it."""
    if card and card[1].task:
        return Sourced(card[1].task, Source(card[0], "front matter, pipeline_tag"))
    adapter = first(files, AdapterConfig)
    return sourced(adapter[1].task, adapter[0], "task_type") if adapter else None


def _main_config(files: tuple[CollectedFile, ...]) -> tuple[str, ModelConfig] | None:
    found = [(file.name, config) for file, config in facts(files, ModelConfig)]
    described = [pair for pair in found if pair[1].architectures or pair[1].family] or found
    return described[0] if described else None


def family_of(files: tuple[CollectedFile, ...]) -> Sourced | None:
    """The family of architectures: a configuration's, else what the header of a GGUF file names."""
    config, header = _main_config(files), first(files, GgufHeader)
    family = sourced(config[1].family, config[0], "model_type") if config else None
    return family or (sourced(header[1].architecture, header[0], "general.architecture") if header else None)


def architecture_of(files: tuple[CollectedFile, ...]) -> Sourced | None:
    """The architecture: a pipeline's class, a configuration's classes, or the class of a pickled estimator."""
    pipeline = first(files, PipelineIndex)
    if pipeline and pipeline[1].pipeline_class:
        return Sourced(pipeline[1].pipeline_class, Source(pipeline[0], "_class_name"))
    config = _main_config(files)
    if config and config[1].architectures:
        return Sourced(", ".join(config[1].architectures), Source(config[0], "architectures"))
    found = [(file.name, name) for file in files if (name := _estimator(file))]
    if len({name for _, name in found}) == 1:  # of several that differ, none is the model's architecture
        return Sourced(found[0][1].rpartition(".")[2], Source(found[0][0], f"class {found[0][1]}"))
    return None


def _estimator(file: CollectedFile) -> str:
    """The class of a pickled estimator; empty if the file names none."""
    classes = getattr(file.fact, "classes", ())
    return next((n for n in classes if n.endswith(_ESTIMATORS) and not n.rpartition(".")[2].startswith("_")), "")


def library_of(card: tuple[str, ModelCard] | None, files: tuple[CollectedFile, ...]) -> Sourced | None:
    """The library that loads the model."""
    if card and card[1].library:
        return Sourced(card[1].library, Source(card[0], "front matter, library_name"))
    pipeline, flavours = first(files, PipelineIndex), first(files, MlflowModel)
    if pipeline:
        return Sourced("diffusers", Source(pipeline[0], "_diffusers_version"))
    named = [flavour.name for flavour in flavours[1].flavors if flavour.name != "python_function"] if flavours else []
    if flavours and named:
        return Sourced(named[0], Source(flavours[0], "flavors"))
    for file in files:
        for name in getattr(file.fact, "classes", ()):
            library = next((library for prefix, library in _LIBRARY_CLASSES if name.startswith(prefix)), "")
            if library:
                return Sourced(library, Source(file.name, f"class {name}"))
    return None


def card_of(card: tuple[str, ModelCard] | None, said: Publisher) -> Card:
    """What people wrote: uses, limits, ethics; the publisher's own words first."""
    users = tuple(Sourced(user, Source(PUBLISHER, "model.users")) for user in said.users)
    uses = _said_text(said, "intended-use") or uses_of(card)
    limits = _said_text(said, "limitations") or _section(card, ("limitation",), unless=("use",))
    return Card(
        users=users,
        use_cases=(*uses, *misuses(card)),
        limitations=limits,
        ethics=_section(card, ("ethical", "bias", "risk")),
        languages=card[1].languages if card else (),
    )


def _said_text(said: Publisher, key: str) -> tuple[Sourced, ...]:
    fact = sourced(said.model.get(key), PUBLISHER, f"model.{key}")
    return (fact,) if fact else ()


def _section(
    card: tuple[str, ModelCard] | None, words: tuple[str, ...], unless: tuple[str, ...] = ()
) -> tuple[Sourced, ...]:
    text = find_section(card[1], *words, unless=unless) if card else ""
    heading = next((h for h, body in card[1].sections.items() if body == text), "") if card and text else ""
    return (Sourced(text, Source(card[0], f"heading {heading!r}")),) if card and text else ()


def settings_of(files: tuple[CollectedFile, ...]) -> Iterator[Setting]:
    """Named values of configurations: sizes, quantisation, adapters, generation."""
    config = _main_config(files)
    if config:
        file, fact = config
        for name, value in sorted(fact.sizes.items()):
            yield from setting(name, value, file)
        yield from setting("dtype", fact.dtype, file, "torch_dtype")
        yield from setting("transformers_version", fact.transformers_version, file, "transformers_version")
        yield from setting("labels", ", ".join(fact.labels)[:1000], file, "id2label")
        if fact.quantization:
            bits = f", {fact.quantization.bits} bits" if fact.quantization.bits else ""
            yield from setting("quantization", f"{fact.quantization.method}{bits}", file, "quantization_config")
    for found, adapter in facts(files, AdapterConfig):
        yield from _adapter_settings(found.name, adapter)
    for found, header in facts(files, GgufHeader):
        yield from setting("quantization", header.file_type, found.name, "general.file_type")
        yield from setting("quantized_by", header.quantized_by, found.name, "general.quantized_by")
        yield from setting("context_length", header.context_length, found.name, f"{header.architecture}.context_length")
    for found, generation in facts(files, GenerationConfig):
        for name, parameter in sorted(generation.parameters.items()):
            yield from setting(f"generation.{name}", parameter, found.name, name)


def _adapter_settings(file: str, adapter: AdapterConfig) -> Iterator[Setting]:
    yield from setting("adapter_type", adapter.adapter_type, file, "peft_type")
    yield from setting("r", adapter.rank, file, "r")
    yield from setting("lora_alpha", adapter.alpha, file, "lora_alpha")
    yield from setting("lora_dropout", adapter.dropout, file, "lora_dropout")
    targets = ", ".join(adapter.target_modules) or adapter.target_pattern
    yield from setting("target_modules", targets, file, "target_modules")
    yield from setting("task_type", adapter.task, file, "task_type")


def chat_templates_of(files: tuple[CollectedFile, ...]) -> Iterator[Setting]:
    """By name; the same text from several places is one entry with several sources."""
    found: dict[tuple[str, str], list[Source]] = {}
    for file, config in facts(files, TokenizerConfig):
        for name, digest in config.chat_templates.items():
            found.setdefault((name, digest), []).append(Source(file.name, "chat_template"))
    for file, template in facts(files, ChatTemplate):
        found.setdefault((template.name, template.sha256), []).append(Source(file.name, "the whole file"))
    for file, header in facts(files, GgufHeader):
        for name, digest in header.chat_templates.items():
            found.setdefault((name, digest), []).append(Source(file.name, "tokenizer.chat_template"))
    for (name, digest), sources in found.items():
        yield Setting(name=name, value=digest, sources=tuple(sources))


def remote_code_of(files: tuple[CollectedFile, ...]) -> Iterator[Sourced]:
    """Python that a loader runs if it is told to trust it."""
    for file in files:
        targets = getattr(file.fact, "remote_code", ())
        if isinstance(file.fact, AdapterConfig):
            targets = sorted(file.fact.auto_mapping.values())
        for target in targets:
            yield Sourced(str(target), Source(file.name, "auto_map"))
