"""Use of models that run elsewhere: calls in the code to hosted services, with the models and addresses it names.

A release that sends its input to somebody's service depends on a model that is in no file of it. Only a client that is
built, or a function of a service that is called, counts: a library in a list of requirements proves no use. Addresses
are those that the services publish for their interfaces.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aibom.formats.python_calls import Call
from aibom.formats.python_source import PythonSource
from aibom.formats.requirements import without_credentials

_MAX_SERVICES = 1000

# Service → (provider, public address).
_SERVICES: dict[str, tuple[str, str]] = {
    "OpenAI API": ("OpenAI", "https://api.openai.com/v1"),
    "Azure OpenAI": ("Microsoft", ""),
    "Azure AI Inference": ("Microsoft", ""),
    "Anthropic API": ("Anthropic", "https://api.anthropic.com"),
    "Gemini API": ("Google", "https://generativelanguage.googleapis.com"),
    "Vertex AI": ("Google", "https://aiplatform.googleapis.com"),
    "Cohere API": ("Cohere", "https://api.cohere.com"),
    "Mistral API": ("Mistral AI", "https://api.mistral.ai"),
    "Amazon Bedrock": ("Amazon Web Services", ""),
    "Hugging Face Inference": ("Hugging Face", "https://router.huggingface.co"),
    "Replicate API": ("Replicate", "https://api.replicate.com"),
    "Together API": ("Together AI", "https://api.together.xyz/v1"),
    "Groq API": ("Groq", "https://api.groq.com"),
    "Ollama": ("", "http://localhost:11434"),
    "LiteLLM": ("", ""),
    "OpenAI-compatible API": ("", ""),
    "DeepSeek API": ("DeepSeek", "https://api.deepseek.com"),
    "OpenRouter API": ("OpenRouter", "https://openrouter.ai/api/v1"),
    "xAI API": ("xAI", "https://api.x.ai/v1"),
    "Fireworks API": ("Fireworks AI", "https://api.fireworks.ai/inference/v1"),
    "Perplexity API": ("Perplexity", "https://api.perplexity.ai"),
}
# Dotted path of a constructor or function → service. A path that ends in a dot stands for all below it.
_PATHS: dict[str, str] = {
    "openai.OpenAI": "OpenAI API", "openai.AsyncOpenAI": "OpenAI API", "openai.Client": "OpenAI API",
    "openai.AsyncClient": "OpenAI API", "openai.chat.": "OpenAI API", "openai.ChatCompletion.": "OpenAI API",
    "openai.Completion.": "OpenAI API", "openai.Embedding.": "OpenAI API", "openai.embeddings.": "OpenAI API",
    "openai.responses.": "OpenAI API", "openai.AzureOpenAI": "Azure OpenAI", "openai.AsyncAzureOpenAI": "Azure OpenAI",
    "azure.ai.inference.": "Azure AI Inference", "azure.ai.openai.": "Azure OpenAI",
    "anthropic.Anthropic": "Anthropic API", "anthropic.AsyncAnthropic": "Anthropic API",
    "anthropic.Client": "Anthropic API", "anthropic.AnthropicBedrock": "Amazon Bedrock",
    "anthropic.AsyncAnthropicBedrock": "Amazon Bedrock", "anthropic.AnthropicVertex": "Vertex AI",
    "anthropic.AsyncAnthropicVertex": "Vertex AI",
    "google.genai.Client": "Gemini API", "google.generativeai.GenerativeModel": "Gemini API",
    "google.generativeai.configure": "Gemini API", "google.generativeai.embed_content": "Gemini API",
    "vertexai.init": "Vertex AI", "vertexai.generative_models.": "Vertex AI", "vertexai.language_models.": "Vertex AI",
    "vertexai.preview.generative_models.": "Vertex AI",
    "cohere.Client": "Cohere API", "cohere.ClientV2": "Cohere API", "cohere.AsyncClient": "Cohere API",
    "cohere.AsyncClientV2": "Cohere API", "mistralai.Mistral": "Mistral API", "mistralai.client.": "Mistral API",
    "huggingface_hub.InferenceClient": "Hugging Face Inference",
    "huggingface_hub.AsyncInferenceClient": "Hugging Face Inference",
    "replicate.Client": "Replicate API", "replicate.run": "Replicate API", "replicate.stream": "Replicate API",
    "replicate.predictions.": "Replicate API", "together.Together": "Together API",
    "together.AsyncTogether": "Together API", "groq.Groq": "Groq API", "groq.AsyncGroq": "Groq API",
    "ollama.chat": "Ollama", "ollama.generate": "Ollama", "ollama.embed": "Ollama", "ollama.embeddings": "Ollama",
    "ollama.Client": "Ollama", "ollama.AsyncClient": "Ollama",
    "litellm.completion": "LiteLLM", "litellm.acompletion": "LiteLLM", "litellm.embedding": "LiteLLM",
    "litellm.text_completion": "LiteLLM", "litellm.responses": "LiteLLM",
    "langchain_openai.ChatOpenAI": "OpenAI API", "langchain_openai.OpenAI": "OpenAI API",
    "langchain_openai.OpenAIEmbeddings": "OpenAI API", "langchain_openai.AzureChatOpenAI": "Azure OpenAI",
    "langchain_openai.AzureOpenAIEmbeddings": "Azure OpenAI", "langchain_anthropic.ChatAnthropic": "Anthropic API",
    "langchain_google_genai.ChatGoogleGenerativeAI": "Gemini API",
    "langchain_google_vertexai.ChatVertexAI": "Vertex AI",
    "langchain_mistralai.ChatMistralAI": "Mistral API", "langchain_groq.ChatGroq": "Groq API",
    "langchain_cohere.ChatCohere": "Cohere API", "langchain_aws.ChatBedrock": "Amazon Bedrock",
    "langchain_aws.ChatBedrockConverse": "Amazon Bedrock", "langchain_ollama.ChatOllama": "Ollama",
    "langchain_together.ChatTogether": "Together API",
}  # fmt: skip
_HOSTS = {
    address.partition("://")[2].partition("/")[0]: service
    for service, (_, address) in _SERVICES.items()
    if address and service != "Ollama"
}
_HOST_ENDINGS = {".openai.azure.com": "Azure OpenAI", ".services.ai.azure.com": "Azure AI Inference"}
_ADDRESSES = (
    "base_url",
    "azure_endpoint",
    "endpoint_url",
    "openai_api_base",
    "api_base",
    "server_url",
    "endpoint",
    "host",
)
_MODELS = ("model", "modelId", "model_id", "model_name", "azure_deployment", "engine")
_MODEL_FIRST = frozenset({"GenerativeModel", "replicate.run", "replicate.stream", "InferenceClient"})
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "[::1]", "host.docker.internal"})  # noqa: S104 -- compared
_BEDROCK = frozenset({"bedrock-runtime", "bedrock-agent-runtime"})
_HTTP = ("requests.", "httpx.", "aiohttp.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedService:
    """One service that the code calls."""

    provider: str
    """Who runs it; empty if that depends on the address or on configuration."""
    name: str
    endpoint: str
    """The address given in the code, else the public one of the service; empty if neither is known, or if one is given
    that cannot be read: who answers there is then not known either."""
    models: tuple[str, ...]
    """Models that its calls name, sorted."""
    line: int
    file: str

    @property
    def is_local(self) -> bool:
        """Whether it runs on the machine that runs the code."""
        return _host(self.endpoint).partition(":")[0] in _LOCAL_HOSTS or _host(self.endpoint).startswith("[::1]")


@dataclass(slots=True)
class _Use:
    """A client under construction: the variable that holds it, and the models asked of it so far."""

    service: str
    endpoint: str
    target: str
    line: int
    models: set[str]
    elsewhere: bool = False
    """Whether an address is given that cannot be read."""


def hosted_services(source: PythonSource, where: str) -> tuple[HostedService, ...]:
    """The hosted services that a source file uses, in the order of their first use."""
    calls = sorted(source.calls, key=lambda call: call.line)
    uses = _merged(use for call in calls if (use := _use(call)))
    by_target = {use.target: use for use in uses if use.target}
    for call in calls:
        if _service(call):
            continue
        owner = next((by_target[prefix] for prefix in _prefixes(call.name) if prefix in by_target), None)
        # A client that was handed on has another name: with one service in the file it can only be that one's.
        if owner is None and len({use.service for use in uses}) == 1 and _is_request(call):
            owner = uses[0]
        if owner is not None:
            owner.models.update(_models(call))
    return tuple(_fact(use, where) for use in uses)


def _fact(use: _Use, where: str) -> HostedService:
    provider, public = _SERVICES[use.service]
    if use.elsewhere:  # a service with a public address, called at another one, is somebody else's
        provider, public = "" if public else provider, ""
    return HostedService(
        provider=provider,
        name=use.service,
        endpoint=use.endpoint or public,
        models=tuple(sorted(use.models)),
        line=use.line,
        file=where,
    )


def _merged(uses: Iterator[_Use]) -> list[_Use]:
    """One entry for each variable, and one for all uses of a service without a variable."""
    found: dict[tuple[str, str, str, bool], _Use] = {}
    for use in uses:
        key = (use.service, use.endpoint, use.target, use.elsewhere)
        if key in found:
            found[key].models |= use.models
        elif len(found) < _MAX_SERVICES:
            found[key] = use
    return list(found.values())


def _use(call: Call) -> _Use | None:
    service = _service(call)
    if not service:
        return None
    address = _address(call)
    stated = address if "://" in address else ""
    if call.path.startswith(_HTTP):
        stated = call.first
    region = call.keywords.get("region_name") or call.keywords.get("aws_region", "")
    if service == "Amazon Bedrock" and region and not stated:
        stated = f"https://bedrock-runtime.{region}.amazonaws.com"
    return _Use(
        service=service,
        endpoint=without_credentials(stated),
        target=call.target,
        line=call.line,
        models=set(_models(call)),
        elsewhere=not stated and (bool(address) or _has_unstated_address(call)),
    )


def _address(call: Call) -> str:
    """The address that a client is told; a machine of one's own is often written without a scheme."""
    told = next((call.keywords[key] for key in _ADDRESSES if call.keywords.get(key, "") not in {"", "None"}), "")
    is_own = "://" not in told and told.partition("/")[0].rpartition(":")[0] in _LOCAL_HOSTS
    return f"http://{told}" if is_own or told in _LOCAL_HOSTS else told


def _has_unstated_address(call: Call) -> bool:
    return not call.unstated.isdisjoint(_ADDRESSES)


def _service(call: Call) -> str:
    """The service that a call builds a client of, or asks directly; empty if it does neither."""
    if call.path.startswith(_HTTP):
        return _service_at(call.first)
    if call.last_name == "client" and (call.first or call.keywords.get("service_name")) in _BEDROCK:
        return "Amazon Bedrock"
    prefixes = [call.path, *(f"{prefix}." for prefix in _prefixes(call.path))]
    service = next((_PATHS[prefix] for prefix in prefixes if prefix in _PATHS), "")
    if service == "Gemini API" and call.keywords.get("vertexai") == "True":
        return "Vertex AI"
    address = _address(call)
    if service == "OpenAI API" and (address or _has_unstated_address(call)):
        return _service_at(address) or "OpenAI-compatible API"
    return service


def _service_at(address: str) -> str:
    host = _host(address)
    ending = next((service for suffix, service in _HOST_ENDINGS.items() if host.endswith(suffix)), "")
    return _HOSTS.get(host, ending)


def _host(address: str) -> str:
    return without_credentials(address).partition("://")[2].partition("/")[0].lower()


def _prefixes(name: str) -> Iterator[str]:
    """`a.b` and `a` of `a.b.c`: what a method may belong to."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _is_request(call: Call) -> bool:
    return any(key in call.keywords for key in _MODELS) and call.last_name in _REQUESTS


def _models(call: Call) -> Iterator[str]:
    keywords: Mapping[str, str] = call.keywords
    yield from (keywords[key] for key in _MODELS if key in keywords and "://" not in keywords[key])
    if call.first and "://" not in call.first and (call.last_name in _MODEL_FIRST or call.path in _MODEL_FIRST):
        yield call.first


_REQUESTS = frozenset({
    "create", "parse", "stream", "complete", "generate_content", "generate_content_stream", "invoke_model", "converse",
    "converse_stream", "invoke_model_with_response_stream", "chat", "chat_completion", "text_generation", "embed",
})  # fmt: skip
