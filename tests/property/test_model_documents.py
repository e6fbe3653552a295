"""Arbitrary bytes give a value or an input error, nothing else, from every reader of a document around a model.

Half of the examples start from something valid and break it, because random bytes rarely get past the first check.
"""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aibom.core.errors import InputError
from aibom.formats.adapter_config import parse_adapter_config
from aibom.formats.citation_file import parse_citation
from aibom.formats.emissions import parse_emissions
from aibom.formats.evaluation_results import parse_evaluation_results, parse_hub_results
from aibom.formats.generation_config import parse_generation_config
from aibom.formats.mlflow_model import parse_mlflow_model
from aibom.formats.model_card import parse_model_card
from aibom.formats.model_config import parse_model_config
from aibom.formats.pipeline_index import parse_pipeline_index, parse_sentence_modules
from aibom.formats.tokenizer import parse_chat_template, parse_tokenizer, parse_tokenizer_config
from aibom.formats.trainer_state import parse_trainer_state, parse_training_arguments

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
_CARD = b"""---
license: [mit]
co2_eq_emissions: {emissions: 1}
model-index: [{name: m, results: [{dataset: {name: d}, metrics: [{type: f1, value: 1}]}]}]
---
# T
A model.
- **Developed by:** [X](https://x.example)
## Evaluation
| Dataset | F1 |
|---|---|
| a | 0.5 |
## Training procedure
lr 2e-5, batch 32 <!-- x -->
## Carbon
1.2 kg CO2eq
"""

PARSERS: dict[str, tuple[Callable[[bytes, str], object], bytes]] = {
    "adapter": (
        parse_adapter_config,
        b'{"peft_type": "LORA", "r": 8, "target_modules": ["a"], "auto_mapping": {"parent_library": "x"}}',
    ),
    "card": (parse_model_card, _CARD),
    "chat template": (parse_chat_template, b"{{ messages }}"),
    "citation": (parse_citation, b"cff-version: 1.2.0\ntitle: x\nversion: 1.10\nauthors: [{name: a}]\nlicense: MIT\n"),
    "configuration": (
        parse_model_config,
        b'{"id2label": {"0": "a"}, "dim": 4, "quantization_config": {"bits": 4}, "auto_map": {"a": ["b", null]}}',
    ),
    "emissions": (parse_emissions, b'run_id,duration,emissions\nr,1,0.5\n"s",2,1e-3\n'),
    "evaluation": (
        parse_evaluation_results,
        b'{"results": {"t": {"acc,none": 0.5, "acc_stderr,none": 0.1}}, "config": {"model_args": "a=b"}}',
    ),
    "generation": (parse_generation_config, b'{"temperature": 0.6, "_from_model_config": true}'),
    "hub results": (parse_hub_results, b"- dataset: {id: a, task_id: b}\n  value: 1.5\n"),
    "mlflow": (
        parse_mlflow_model,
        b'flavors: {python_function: {loader_module: x, env: {conda: c}}}\nsignature: {inputs: \'[{"name": "a"}]\'}\n',
    ),
    "modules": (parse_sentence_modules, b'[{"idx": 0, "name": "0", "path": "", "type": "a.B"}]'),
    "pipeline": (parse_pipeline_index, b'{"_class_name": "A", "unet": ["diffusers", "B"], "x": [null, null]}'),
    "plain results": (parse_evaluation_results, b'{"eval_accuracy": 0.5, "eval_samples": 3, "a": {"f1": 1}}'),
    "tokeniser": (parse_tokenizer, b'{"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0}}}'),
    "tokeniser configuration": (
        parse_tokenizer_config,
        b'{"chat_template": [{"name": "a", "template": "b"}], "model_max_length": 512}',
    ),
    "trainer": (parse_trainer_state, b'{"global_step": 5, "log_history": [{"eval_loss": 0.5}]}'),
    "training arguments": (parse_training_arguments, b'{"learning_rate": 2e-5, "fp16": true, "max_steps": -1}'),
}


@st.composite
def broken(draw: st.DrawFn, valid: bytes) -> bytes:
    """Something valid with a slice replaced, or anything at all."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=400))
    start = draw(st.integers(0, len(valid)))
    end = draw(st.integers(start, len(valid)))
    return valid[:start] + draw(st.binary(max_size=20)) + valid[end:]


@pytest.mark.parametrize("name", PARSERS, ids=list(PARSERS))
def test_a_value_or_an_input_error(name: str) -> None:
    parse, valid = PARSERS[name]
    parse(valid, "x")

    @SETTINGS
    @given(broken(valid))
    def check(data: bytes) -> None:
        with suppress(InputError):  # anything else fails the test
            parse(data, "x")

    check()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("a.,_{", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab_,", max_size=5), inner, max_size=3),
    max_leaves=8,
)
# The keys that the readers look for, so that values of every type stand where another was expected.
_KEYS = (
    "_class_name", "added_tokens", "auto_map", "auto_mapping", "chat_template", "config", "configs", "eval_f1",
    "global_step", "id2label", "log_history", "lora_alpha", "max_steps", "model", "model_args", "model_max_length",
    "n-samples", "n-shot", "peft_type", "quantization_config", "r", "results", "target_modules", "text_config", "vocab",
)  # fmt: skip


@SETTINGS
@given(
    st.dictionaries(
        st.sampled_from(_KEYS),
        json_values | st.dictionaries(st.sampled_from(_KEYS), json_values, max_size=4),
        max_size=8,
    )
)
def test_values_of_any_type_stand_where_another_was_expected(document: dict[str, object]) -> None:
    data = json.dumps(document, ensure_ascii=False).encode()
    for parse, valid in PARSERS.values():
        if valid.startswith(b"{"):
            with suppress(InputError):
                parse(data, "x")


@SETTINGS
@given(st.text(st.sampled_from("#-|*_<>![]():=` \n0.5kgCO2lrbatchepochDtasFW~±"), max_size=300))
def test_any_markdown_is_a_card(text: str) -> None:
    heading = "## Results, carbon and training procedure\n"
    assert parse_model_card((heading + text).encode(), "x").front_matter is False
