"""What Python source and notebooks import, load, run and call, and which hosted services they use."""

import json
import time
from collections.abc import Callable

import pytest

from aibom.core.errors import InputError
from aibom.formats import python_calls, python_source, python_tokens
from aibom.formats.hosted_services import HostedService, hosted_services
from aibom.formats.import_names import undeclared_imports
from aibom.formats.python_source import PythonSource, read_python


def read(text: str) -> PythonSource:
    return read_python(text.encode(), "work.py")


def services(text: str) -> tuple[HostedService, ...]:
    return hosted_services(read(text), "work.py")


def notebook(*cells: str | list[str], language: str = "python") -> bytes:
    entries: list[dict[str, object]] = [{"cell_type": "markdown", "source": "import words"}]
    entries += [{"cell_type": "code", "source": cell} for cell in cells]
    return json.dumps({"cells": entries, "metadata": {"language_info": {"name": language}}, "nbformat": 4}).encode()


# --- imports ----------------------------------------------------------------------------------------------------------


def test_imports_in_all_their_forms() -> None:
    found = read("""import os, numpy as np; import a.b.c
from torch.nn import (Linear,
    Conv2d as C)
from . import sibling
from ..pkg.mod import thing
if x: import late
def f():
    import inside
""")
    assert [(i.module, i.names, i.line) for i in found.imports] == [
        ("os", (), 1), ("numpy", (), 1), ("a.b.c", (), 1), ("torch.nn", ("Linear", "Conv2d"), 2), ("late", (), 6),
        ("inside", (), 8),
    ]  # fmt: skip
    assert [(i.module, i.names, i.level, i.top_level) for i in found.relative_imports] == [
        ("", ("sibling",), 1, ""),
        ("pkg.mod", ("thing",), 2, ""),
    ]
    assert [i.top_level for i in found.imports][2:4] == ["a", "torch"]
    assert not any(i.optional for i in found.imports)


def test_imports_that_may_fail_or_are_for_type_checking_are_optional() -> None:
    found = read("""try:
    import fast
except ImportError:
    import slow
if typing.TYPE_CHECKING:
    from kinds import K
try: import quick
finally: pass
import plain
""")
    assert {i.module: i.optional for i in found.imports} == {
        "fast": True, "slow": True, "kinds": True, "quick": True, "plain": False,
    }  # fmt: skip


def test_words_that_are_no_import() -> None:
    assert read('raise A from b\nyield from c\nx = "import d"\n# import e\n').imports == ()


def test_an_import_from_a_namespace_tells_its_package() -> None:
    paths = [
        path for item in read("from google.cloud import vision\nfrom yaml import dump\n").imports for path in item.paths
    ]
    assert paths == ["google.cloud.vision", "yaml.dump"]
    assert undeclared_imports(paths, {"google-cloud-vision"}, frozenset()) == ("yaml",)


# --- what is loaded ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "revision"),
    [
        ('AutoModel.from_pretrained("acme/vision", revision="v1")', "acme/vision", "v1"),
        ('M = "acme/" "joined"\nAutoModel.from_pretrained(M)', "acme/joined", ""),
        ('def main():\n    m = r"acme/raw"\n    X.from_pretrained(\n        m,\n    )', "acme/raw", ""),
        ('N: str = "a/typed"\nx.from_pretrained(pretrained_model_name_or_path=N)', "a/typed", ""),
        ('SentenceTransformer("a/st")', "a/st", ""),
        ('pipe = pipeline("text-generation", "a/second", revision="r")', "a/second", "r"),
        ('pipeline("text-generation", model="a/named")', "a/named", ""),
        ('hf_hub_download(repo_id="a/files", filename="x.bin", revision="abc")', "a/files", "abc"),
        ('PeftModel.from_pretrained(base, "a/adapter")', "a/adapter", ""),
        ('import timm\ntimm.create_model("vit_tiny", pretrained=True)', "vit_tiny", ""),
        ('Outer(inner=A.from_pretrained("a/nested"), other=3)', "a/nested", ""),
        ('x = [A.from_pretrained("a/listed")]', "a/listed", ""),
    ],
)
def test_a_model_that_is_loaded(text: str, name: str, revision: str) -> None:
    assert [(m.name, m.revision) for m in read(text).models] == [(name, revision)]


@pytest.mark.parametrize(
    "text",
    [
        "A.from_pretrained(x)",
        'A.from_pretrained(f"a/{x}")',
        'A.from_pretrained("a" + x)',
        'M = "a/one"\nM = "a/two"\nA.from_pretrained(M)',
        'M = "a/one"\ndef f(M):\n    A.from_pretrained(M)',
        'M = "a/one"\nfor M in names:\n    A.from_pretrained(M)',
        'M = "a/one"\nM += suffix\nA.from_pretrained(M)',
        'M = "a/one"\nM, N = g()\nA.from_pretrained(M)',
        'M = "a/one"\nwith g() as M:\n    A.from_pretrained(M)',
        'M = "a/one"\ng = lambda q, M: A.from_pretrained(M)',
        'M = "a/one"\nif x: M = y\nA.from_pretrained(M)',
        'M = "a/one"\nM = load()\nA.from_pretrained(M)',
        'A.from_pretrained(b"a/bytes")',
        "A.from_pretrained('" + "a" * 5000 + "')",
        'def from_pretrained(x="a/b"): pass',
        'A.from_pretrained(*rest, "a/b")',
        'snapshot_download("a/data", repo_type="dataset")',
        '# A.from_pretrained("a/b")',
    ],
)
def test_a_model_whose_name_the_text_does_not_state_is_left_open(text: str) -> None:
    assert read(text).models == ()


def test_the_default_of_a_command_line_option_is_marked_as_such() -> None:
    found = read("""
p.add_argument("-m", "--base-model", default="acme/base")
p.add_argument("--rate", dest="lr", type=float, default=-1e-4)
p.add_argument("--twice", default="1")
p.add_argument("--twice", default="2")
opt, rest = p.parse_known_args()
A.from_pretrained(opt.base_model)
TrainingArguments(learning_rate=opt.lr, seed=3, steps=opt.twice, run=other.lr)
""")
    assert [(m.name, m.is_default) for m in found.models] == [("acme/base", True)]
    assert [(p.name, p.value, p.is_default) for p in found.parameters] == [
        ("learning_rate", "-1e-4", True),
        ("seed", "3", False),
    ]


def test_data_sets_by_name_and_not_by_file_format() -> None:
    found = read("""
load_dataset("org/words", "nl", split="train[:10%]", revision="r1")
load_dataset(path="squad", name="plain")
load_dataset("json", data_files="x.json")
snapshot_download("org/raw", repo_type="dataset")
load_dataset(variable, "nl")
""")
    assert [(d.name, d.configuration, d.split, d.revision, d.line) for d in found.datasets] == [
        ("org/words", "nl", "train[:10%]", "r1", 2),
        ("squad", "plain", "", "", 3),
        ("org/raw", "", "", "", 5),
    ]


def test_a_path_is_known_from_a_repository() -> None:
    found = read('A.from_pretrained("./out")\nA.from_pretrained("a/b")\nA.from_pretrained("/m")\n')
    assert [m.is_local for m in found.models] == [True, False, True]


def test_training_parameters() -> None:
    found = read("""
from peft import LoraConfig
import numpy as np
EPOCHS = 3
c = LoraConfig(r=16, target_modules=["q", "v"], task_type=TaskType.CAUSAL_LM, init=whatever(1), bias="none")
Seq2SeqTrainingArguments(
    output_dir="x", num_train_epochs=EPOCHS, bf16=True,
)
BitsAndBytesConfig(compute=torch.bfloat16)
np.random.seed(7)
Unrelated(r=1)
""")
    assert [(p.call, p.name, p.value) for p in found.parameters] == [
        ("LoraConfig", "r", "16"), ("LoraConfig", "target_modules", "q, v"),
        ("LoraConfig", "task_type", "TaskType.CAUSAL_LM"), ("LoraConfig", "bias", "none"),
        ("Seq2SeqTrainingArguments", "output_dir", "x"), ("Seq2SeqTrainingArguments", "num_train_epochs", "3"),
        ("Seq2SeqTrainingArguments", "bf16", "True"), ("BitsAndBytesConfig", "compute", "torch.bfloat16"),
        ("np.random.seed", "seed", "7"),
    ]  # fmt: skip
    assert found.parameters[0].line == 5


# --- what is run ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "import torch\ntorch.load(f)",
        "from torch import load as grab\ngrab(f)",
        "import pickle as p\np.loads(b)",
        "import joblib\njoblib.load(f)",
        "eval(text)",
        "x = [exec(t) for t in y]",
        "import os\nos.system('ls')",
        "import subprocess as sp\nsp.run(['ls'])",
        "from subprocess import Popen\nPopen('ls')",
        "import numpy as np\nnp.load(f, allow_pickle=True)",
        "__import__('os')",
        "import os as o\no.execv('/bin/sh', [])",
        "torch.load(f, weights_only=False)",
    ],
)
def test_a_call_that_runs_code_or_unpickles(text: str) -> None:
    found = read(text)
    assert len(found.risky_calls) == 1
    assert found.risky_calls[0].line == text.count("\n") + 1


@pytest.mark.parametrize(
    "text",
    [
        "model.eval()",
        "get_model().eval()",
        "from evaluate import eval\neval(x)",
        "def eval(x): pass",
        "torch.load(f, weights_only=True)",
        "json.load(f)",
        "np.load(f)",
        "'eval(x)'",
        "# eval(x)",
        "evaluation(x)",
    ],
)
def test_a_call_that_only_looks_risky(text: str) -> None:
    assert read(text).risky_calls == ()


def test_every_way_to_trust_remote_code() -> None:
    found = read("""YES = True
f(a, trust_remote_code=True)
kwargs = {"trust_remote_code": True}
kwargs["trust_remote_code"] = True
f(trust_remote_code=YES)
f(trust_remote_code=False)
f(trust_remote_code=maybe)
""")
    assert found.trusts_remote_code == (2, 3, 4, 5)


def test_a_call_as_it_is_written_and_as_it_is_meant() -> None:
    (call,) = read('from transformers import AutoModel as AM\nself.net = AM.from_pretrained("a/b", n=-1, s=x)\n').calls
    assert (call.name, call.path) == ("AM.from_pretrained", "transformers.AutoModel.from_pretrained")
    assert (call.target, call.arguments, call.keywords, call.line) == ("self.net", ("a/b",), {"n": "-1"}, 2)


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("'a\\x41\\u00e9\\n\\101\\q'", "aAé\nA\\q"),
        ("r'a\\n'", "a\\n"),
        ("'''x'''", "x"),
        ("'\\ud800'", "\\ud800"),
        ("b'x'", None),
        ("Rb'x'", None),
        ("f'x'", None),
        ("'" + "a" * 5000 + "'", None),
    ],
)
def test_the_value_of_a_string(token: str, value: str | None) -> None:
    assert python_tokens.literal_text(token) == value


# --- what is broken or hostile ----------------------------------------------------------------------------------------


def test_a_broken_file_gives_what_came_before() -> None:
    for tail in ("x = 'open\n", "x = (\n", "\x00\n", "  y\n z\n", "a ? b\n"):
        found = read(f'import a\nB.from_pretrained("c/d")\n{tail}')
        assert [i.module for i in found.imports] == ["a"]
        assert [m.name for m in found.models] == ["c/d"]
    assert read("import a\nx = ?\nimport b\n").problems != ()


def test_an_unusual_letter_in_a_name_hides_nothing_after_it() -> None:
    found = read("import a\nx =  \u1885 + 1\nimport b\n")
    assert [i.module for i in found.imports] == ["a", "b"]
    assert found.problems == ()


def test_another_encoding_is_reported() -> None:
    assert "utf-7" in read("#!/x\n# -*- coding: utf-7 -*-\nimport a\n").problems[0]
    assert read("# coding: utf-8\n").problems == ()


def test_what_is_too_large_or_no_text_is_refused() -> None:
    with pytest.raises(InputError, match="at most"):
        read_python(b" " * (python_tokens.MAX_BYTES + 1), "a.py")
    with pytest.raises(InputError, match="UTF-8"):
        read_python(b"\xff", "a.py")
    with pytest.raises(InputError, match="JSON"):
        read_python(b"import a", "a.ipynb")


def test_more_tokens_calls_or_imports_than_are_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_tokens, "MAX_TOKENS", 10)
    assert read("a = 1\n" * 10).problems == ("more than 10 tokens; the rest is not read",)
    monkeypatch.undo()
    monkeypatch.setattr(python_source, "MAX_CALLS", 2)
    monkeypatch.setattr(python_source, "_MAX_IMPORTS", 2)
    found = read("eval(x)\n" * 3 + "import a\n" * 3)
    assert (len(found.risky_calls), len(found.imports)) == (2, 2)
    assert found.problems == ("3 calls; 2 are read", "3 imports; 2 are read")


HOSTILE: dict[str, Callable[[], str]] = {
    "open brackets": lambda: "f(" * 25_000,
    "nested calls": lambda: "eval(" * 90 + ")" * 90,
    "brackets around a value": lambda: "x = " + "(" * 20_000 + ")" * 20_000,
    "escaped quotes": lambda: "x = " + '\\"' * 50_000,
    "imports in brackets": lambda: "x = [" + ":import" * 25_000,
    "a long name": lambda: "a." * 25_000 + "f(x)",
    "a long import": lambda: "import " + "a," * 25_000,
    "deep blocks": lambda: "".join(" " * depth + "if x:\n" for depth in range(95)),
    "an open text": lambda: '"""' + "x\n" * 50_000,
    "unusual letters": lambda: (" " * 20_000 + "\u1885") * 20,
    "signs": lambda: "x = " + "-" * 25_000 + "1",
    "equals": lambda: "=".join("a" for _ in range(25_000)),
}


@pytest.mark.parametrize("name", HOSTILE, ids=list(HOSTILE))
def test_hostile_source_takes_no_long_time(name: str) -> None:
    text = HOSTILE[name]()
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 2


def test_arguments_beyond_the_bounds_are_left_out() -> None:
    many = ", ".join(f"k{n}=1" for n in range(400))
    (call,) = read(f"pipeline({', '.join('1' for _ in range(20))}, {many})").calls
    assert len(call.arguments) == python_calls.MAX_POSITIONAL
    assert len(call.keywords) == python_calls.MAX_ARGUMENTS


# --- notebooks --------------------------------------------------------------------------------------------------------


def test_the_code_cells_of_a_notebook() -> None:
    data = notebook(
        ["import one\n", "%matplotlib inline\n", "!pip install x\n", 'A.from_pretrained("a/b")'],
        "%%time\nimport two",
        "%%bash\nimport three",
        "broken = (",
        "import four",
    )
    found = read_python(data, "deep/walk.ipynb")
    assert [(i.module, i.line) for i in found.imports] == [("one", 1), ("two", 6), ("four", 10)]
    assert [(m.name, m.line) for m in found.models] == [("a/b", 4)]
    assert len(found.problems) == 1


def test_a_notebook_of_the_older_format_and_one_in_another_language() -> None:
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["import old"]}]}], "nbformat": 3}
    assert read_python(json.dumps(old).encode(), "o.ipynb").imports[0].module == "old"
    found = read_python(notebook("import x", language="R"), "r.ipynb")
    assert (found.imports, found.problems) == ((), ("a notebook in 'R', which is not read",))


def test_a_notebook_outside_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_tokens, "_MAX_CELLS", 2)
    found = read_python(notebook("import a", "import b"), "n.ipynb")
    assert [i.module for i in found.imports] == ["a"]  # the text cell counts
    assert found.problems == ("3 cells; 2 are read",)
    monkeypatch.undo()
    monkeypatch.setattr(python_tokens, "MAX_BYTES", 10)
    assert "more than 10 characters" in read_python(notebook("import a", "import b"), "n.ipynb").problems[0]


# --- hosted services --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "endpoint", "models"),
    [
        ("from openai import OpenAI\nc = OpenAI()\nc.responses.create(model='o-1')",
         "OpenAI API", "https://api.openai.com/v1", ("o-1",)),
        ("import openai\nopenai.chat.completions.create(model='g')", "OpenAI API", "https://api.openai.com/v1", ("g",)),
        ("from openai import OpenAI\nOpenAI(base_url='https://u:p@llm.corp.example/v1?key=1')",
         "OpenAI-compatible API", "https://llm.corp.example/v1", ()),
        ("from openai import AsyncOpenAI\nOpenAI = AsyncOpenAI(base_url='https://api.groq.com/openai/v1')",
         "Groq API", "https://api.groq.com/openai/v1", ()),
        ("import openai\nopenai.AzureOpenAI(azure_endpoint='https://x.openai.azure.com', azure_deployment='d')",
         "Azure OpenAI", "https://x.openai.azure.com", ("d",)),
        ("from anthropic import Anthropic\nclass B:\n    def __init__(self):\n        self.c = Anthropic()\n"
         "    def go(self):\n        self.c.messages.create(max_tokens=9, model='cl-3')",
         "Anthropic API", "https://api.anthropic.com", ("cl-3",)),
        ("from google import genai\nk = genai.Client(api_key=z)\nk.models.generate_content(model='gem', contents=q)",
         "Gemini API", "https://generativelanguage.googleapis.com", ("gem",)),
        ("from google import genai\ngenai.Client(vertexai=True)", "Vertex AI", "https://aiplatform.googleapis.com", ()),
        ("import google.generativeai as g\nm = g.GenerativeModel('gem-1')", "Gemini API",
         "https://generativelanguage.googleapis.com", ("gem-1",)),
        ("import cohere\nco = cohere.ClientV2()\nco.chat(model='cmd')",
         "Cohere API", "https://api.cohere.com", ("cmd",)),
        ("from mistralai import Mistral\nwith Mistral() as m:\n    m.chat.complete(model='mi')",
         "Mistral API", "https://api.mistral.ai", ("mi",)),
        ("import boto3\nb = boto3.client('bedrock-runtime', region_name='eu-west-1')\nb.invoke_model(modelId='t.x')",
         "Amazon Bedrock", "https://bedrock-runtime.eu-west-1.amazonaws.com", ("t.x",)),
        ("from huggingface_hub import InferenceClient\nInferenceClient('org/m')",
         "Hugging Face Inference", "https://router.huggingface.co", ("org/m",)),
        ("import replicate\nreplicate.run('o/m:1', input={})",
         "Replicate API", "https://api.replicate.com", ("o/m:1",)),
        ("from together import Together\nTogether()", "Together API", "https://api.together.xyz/v1", ()),
        ("import litellm\nlitellm.completion(model='x/y')", "LiteLLM", "", ("x/y",)),
        ("from langchain_openai import ChatOpenAI\nChatOpenAI(model='g4')",
         "OpenAI API", "https://api.openai.com/v1", ("g4",)),
        ("import requests\nrequests.post('https://api.anthropic.com/v1/messages', json=x)",
         "Anthropic API", "https://api.anthropic.com/v1/messages", ()),
        ("from groq import Groq\ndef ask(client):\n    client.chat.completions.create(model='ll')\nask(Groq())",
         "Groq API", "https://api.groq.com", ("ll",)),
    ],
)  # fmt: skip
def test_a_hosted_service_that_is_used(text: str, name: str, endpoint: str, models: tuple[str, ...]) -> None:
    assert [(s.name, s.endpoint, s.models, s.file) for s in services(text)] == [(name, endpoint, models, "work.py")]


@pytest.mark.parametrize(
    "text",
    [
        "import openai\nfrom anthropic import Anthropic",
        "x = 'OpenAI()'",
        "from mine import OpenAI\nOpenAI()",
        "import boto3\nboto3.client('s3')",
        "import requests\nrequests.post('https://example.org/openai')",
        "pipeline('x', model='a/b')",
    ],
)
def test_no_service_is_claimed_without_a_call_to_one(text: str) -> None:
    assert services(text) == ()


def test_a_service_on_the_same_machine_is_local() -> None:
    local = services("import ollama\nollama.chat(model='llama')\n")[0]
    assert (local.is_local, local.provider, local.models) == (True, "", ("llama",))
    assert services("from openai import OpenAI\nOpenAI(base_url='http://127.0.0.1:8000/v1')")[0].is_local
    assert not services("import cohere\ncohere.Client()")[0].is_local


def test_two_services_keep_their_models_apart() -> None:
    found = services("""
from openai import OpenAI
from anthropic import Anthropic
a = OpenAI()
b = Anthropic()
b.messages.create(model="m-b")
a.chat.completions.create(model="m-a")
someone.chat.completions.create(model="m-open")
""")
    assert [(s.provider, s.models, s.line) for s in found] == [("OpenAI", ("m-a",), 4), ("Anthropic", ("m-b",), 5)]
