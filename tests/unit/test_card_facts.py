"""What a model card's front matter and Markdown state, and what they do not."""

import pytest

from aibom.core.errors import InputError
from aibom.formats import card_body, card_results
from aibom.formats.model_card import (
    MAX_BYTES,
    CardEmissions,
    ModelCard,
    find_section,
    is_card_like,
    parse_model_card,
)
from tests.releases.texts import TEXTS


def card(text: str) -> ModelCard:
    return parse_model_card(text.encode(), "README.md")


def settings(text: str, heading: str = "Training procedure") -> dict[str, str]:
    return {item.name: item.value for item in card(f"## {heading}\n\n{text}\n").hyperparameters}


def results(text: str, heading: str = "Evaluation") -> list[tuple[str, str, str]]:
    return [(item.dataset, item.type, item.value) for item in card(f"## {heading}\n\n{text}\n").body_results]


EXAMPLE = card(TEXTS["README.md"])


def test_the_front_matter_of_the_example() -> None:
    assert (EXAMPLE.base_model_relation, EXAMPLE.metric_names) == ("finetune", ("accuracy", "f1"))
    assert EXAMPLE.emissions == CardEmissions(
        grams="1240",
        source="codecarbon",
        training_type="fine-tuning",
        geographical_location="Eemshaven, Netherlands",
        hardware_used="1 x A100 80GB",
    )
    first = EXAMPLE.metrics[0].measurement
    assert first is not None
    assert (first.dataset, first.dataset_id, first.split, first.task) == (
        "IMDB", "stanfordnlp/imdb", "test", "text-classification",
    )  # fmt: skip
    assert (first.revision[:7], first.name, first.verified) == ("e628166", "Accuracy", None)
    second = EXAMPLE.metrics[1].measurement
    assert second is not None
    assert (second.name, second.verified) == ("F1 (macro)", False)
    assert second.source_field == "model-index[0].results[0].metrics[1].value"


def test_the_body_of_the_example() -> None:
    assert EXAMPLE.description is not None
    assert EXAMPLE.description.text == "A small sentiment classifier fine-tuned from distilbert-base-uncased."
    assert {item.name: item.value for item in EXAMPLE.labels} == {
        "developed_by": "Acme AI B.V., Utrecht", "model_type": "Transformer encoder, sequence classification",
        "contact": "ml-security@acme.example", "paper": "https://arxiv.org/abs/1910.01108",
        "repository": "https://github.com/acme-ai/sentimind",
    }  # fmt: skip
    assert [(m.dataset, m.type, m.value) for m in EXAMPLE.body_results] == [
        ("IMDB test", "accuracy", "0.9312"), ("IMDB test", "f1", "0.9309"),
        ("internal-reviews test", "accuracy", "0.9021"), ("internal-reviews test", "f1", "0.8990"),
    ]  # fmt: skip
    assert EXAMPLE.body_results[3].source_field == "heading 'Evaluation', table 1, row 2, column 'F1'"
    assert {item.name: item.value for item in EXAMPLE.hyperparameters} == {
        "learning_rate": "2e-5", "batch_size": "32", "epochs": "3", "optimizer": "AdamW", "precision": "fp16",
        "seed": "42",
    }  # fmt: skip
    assert {item.source_field for item in EXAMPLE.hyperparameters} == {"Training procedure"}
    assert [(c.name, c.value, c.unit, c.amount) for c in EXAMPLE.environment] == [
        ("emissions", "1.24", "kg", 1.24), ("energy", "3.1", "kWh", 3.1),
    ]  # fmt: skip
    assert {claim.heading for claim in EXAMPLE.environment} == {"Environmental impact"}


TEMPLATE = """# Model Card for Zonnebloem

<!-- Provide a quick summary of what the model is/does. -->

## Model Details

### Model Description

<!-- Provide a longer summary. -->
This **speech** model writes down Dutch
radio news.

- **Developed by:** [Radio Lab](https://radio.example)
- **Funded by [optional]:** [More Information Needed]
- **Language(s) (NLP):** Dutch
- **Finetuned from model [optional]:** `openai/whisper-base`
* __Licence__: MIT
- **Demo:** {{ demo }}

## Uses

<!-- Address questions around how the model is intended to be used. -->

### Direct Use

Subtitles.

### Out-of-Scope Use

Court records.

## Bias, Risks, and Limitations

[More Information Needed]

## Training Details

### Training Hyperparameters

- **Training regime:** bf16 mixed precision <!--fp32, fp16 mixed precision-->
- Number of GPUs: 4

## Environmental Impact

- **Hardware Type:** 4 x L40S
- **Hours used:** 12
- **Cloud Provider:** [More Information Needed]
- **Compute Region:** eu-west-4
- **Carbon Emitted:** 900 g
"""


def test_a_filled_in_template_states_only_what_was_filled_in() -> None:
    found = card(TEMPLATE)
    assert found.description is not None
    assert (found.description.text, found.description.heading) == (
        "This speech model writes down Dutch radio news.", "Model Description",
    )  # fmt: skip
    assert [(item.name, item.value, item.url, item.heading) for item in found.labels] == [
        ("developed_by", "Radio Lab", "https://radio.example", "Model Description"),
        ("languages", "Dutch", "", "Model Description"),
        ("finetuned_from", "openai/whisper-base", "", "Model Description"),
        ("license", "MIT", "", "Model Description"),
    ]
    assert {item.name: item.value for item in found.hyperparameters} == {
        "precision": "bf16 mixed precision", "number_of_gpus": "4",
    }  # fmt: skip
    assert [(c.name, c.value, c.unit) for c in found.environment] == [
        ("hardware", "4 x L40S", ""), ("hours", "12", ""), ("region", "eu-west-4", ""), ("emissions", "900", "g"),
    ]  # fmt: skip
    assert found.environment[-1].amount == pytest.approx(0.9)


def test_a_heading_without_text_stands_for_its_sub_headings() -> None:
    found = card(TEMPLATE)
    assert find_section(found, "uses") == "### Direct Use\n\nSubtitles.\n\n### Out-of-Scope Use\n\nCourt records."
    assert find_section(found, "out-of-scope") == "Court records."
    assert find_section(found, "limitation") == ""
    assert find_section(found, "zonnebloem") == ""
    assert is_card_like(found)


def test_several_first_level_headings_are_sections_not_titles() -> None:
    found = card("# Uses\n## Direct\nyes\n# Limits\nno\n")
    assert find_section(found, "uses") == "## Direct\n\nyes"


def test_text_of_ones_own_comes_before_that_of_sub_headings() -> None:
    assert find_section(card("## Uses\nall\n### Direct\nsome\n"), "uses") == "all"


def test_what_stands_in_a_comment_or_a_code_block_is_not_stated() -> None:
    found = card(
        "# T\n<!--\n## Evaluation\n- **Developed by:** nobody\n-->\n~~~\n## Uses\n- **Paper:** x\n~~~\n"
        "```\n- **Demo:** x\n```\n- **Contact:** <!-- who? -->a@b.example\n"
    )
    assert set(found.sections) == {"t"}
    assert [(item.name, item.value) for item in found.labels] == [("contact", "a@b.example")]


def test_a_sentence_with_a_colon_is_no_label() -> None:
    assert card("# T\nPaper: we wrote one.\n- see https://example.org\n").labels == ()


@pytest.mark.parametrize("start", ["", "![logo](a.png)\n\n", "| a |\n|---|\n| b |\n\n", "<p>x</p>\n\n", "---\n\n"])
def test_the_description_is_the_first_paragraph_of_prose(start: str) -> None:
    found = card(f"# T\n\n{start}First *one*,\n2 lines.\n\nSecond.\n").description
    assert found is not None
    assert (found.text, found.heading) == ("First *one*, 2 lines.", "T")


def test_without_prose_below_the_title_there_is_no_description() -> None:
    assert card("# T\n\n- a\n\n## Uses\n\nText.\n").description is None
    assert card("Text.\n").description is None


def test_results_below_sub_headings_with_bold_cells_links_and_roles() -> None:
    table = (
        "### Dutch\n\n| Test set | Split | Samples | WER ↓ | **CER (%)** | Note |\n|:--|---|--:|:-:|---|---|\n"
        "| [Common Voice](https://x.example) | test | 1,024 | **12.1%** | `3.0` | ok |\n"
        "| MLS | dev | ? | 99 | n/a |\n"
        "| MLS | dev | ? | 14.2 ± 0.3 | n/a | x |\n"
    )
    found = card(f"# T\n\n## Results\n\n{table}").body_results
    assert [(m.dataset, m.split, m.n_samples, m.type, m.value, m.uncertainty) for m in found] == [
        ("Common Voice", "test", 1024, "wer", "12.1%", ""),
        ("Common Voice", "test", 1024, "cer", "3.0", ""),
        ("MLS", "dev", None, "wer", "14.2", "0.3"),
    ]
    assert found[1].name == "CER (%)"
    assert found[0].source_field == "heading 'Dutch', table 1, row 1, column 'WER ↓'"


def test_a_table_of_metrics_and_values() -> None:
    table = "Metric | Value\n--- | ---\nROUGE-L | 41.2\nnDCG@10 | .61\nSpeed | 30\n"
    assert results(table, "Performance") == [("", "rouge-l", "41.2"), ("", "ndcg@10", ".61")]


@pytest.mark.parametrize(
    "table",
    [
        "| Model | Accuracy |\n|---|---|\n| other | 0.9 |\n",
        "| Dataset | Model | Accuracy |\n|---|---|---|\n| IMDB | other | 0.9 |\n",
        "| Training Loss | Epoch | Accuracy |\n|---|---|---|\n| 0.1 | 1.0 | 0.9 |\n",
        "| Dataset | GPT-5 | Ours |\n|---|---|---|\n| IMDB | 0.9 | 0.8 |\n",
        "| Dataset | Accuracy |\n| IMDB | 0.9 |\n",
        "| Dataset | Accuracy |\n| IMDB-nl | 0.9 |\n| SST-2 | 0.8 |\n",
        "| Dataset | Accuracy |\n|---|---|\n| IMDB | about 0.9 |\n",
        "| Dataset | Accuracy |\n|---|---|\n| IMDB | 0,93 |\n",
        "| Dataset | Accuracy |\n|---|---|\n| IMDB |\n",
    ],
)
def test_a_table_that_does_not_say_what_was_measured_where_is_left_alone(table: str) -> None:
    assert results(table) == []


def test_results_are_only_looked_for_below_headings_on_results() -> None:
    table = "| Dataset | F1 |\n|---|---|\n| a | 1 |\n"
    assert results(table, "Data") == results(table, "Training results") == []
    assert results(table, "Benchmarks") == [("a", "f1", "1")]
    assert card(f"# Evaluation of results\n{table}").body_results == ()


def test_results_as_a_list() -> None:
    listed = "- **Macro F1:** 0.81\n- Speed: 12\n- WER: about 3\n- Matthews correlation = 0.4\n"
    assert results(listed) == [("", "macro f1", "0.81"), ("", "matthews correlation", "0.4")]
    assert results(listed, "Uses") == results(listed, "Training results") == []


def test_results_that_a_trainer_wrote_below_the_title() -> None:
    text = "# m\n\n- Loss: 9\n\nIt achieves the following results on the evaluation set:\n"
    text += "- Loss: 0.8762\n- Spearmanr: 0.7947\n"
    found = card(text + "\n## Uses\n\n- Accuracy: 1\n").body_results
    assert [(m.type, m.value, m.source_field) for m in found] == [
        ("loss", "0.8762", "heading 'm', list item 1"),
        ("spearmanr", "0.7947", "heading 'm', list item 2"),
    ]


def test_settings_as_a_list_a_table_and_prose() -> None:
    listed = settings("- learning_rate: 2e-05\n- `num_epochs`: 3.0\n- Optimizer = Adam with betas=(0.9,0.999)\n")
    assert listed == {"learning_rate": "2e-05", "epochs": "3.0", "optimizer": "Adam with betas=(0.9,0.999)"}
    table = settings("| Parameter | Value |\n|---|---|\n| Batch size | 64 |\n| LoRA r | 8 |\n", "Hyperparameters")
    assert table == {"batch_size": "64", "lora_r": "8"}
    prose = settings("Trained for 1.5 epochs with SGD, a learning rate of 0.01, weight decay 1e-4\nand batch size: 8.")
    assert prose == {
        "epochs": "1.5", "optimizer": "SGD", "learning_rate": "0.01", "weight_decay": "1e-4", "batch_size": "8",
    }  # fmt: skip


@pytest.mark.parametrize(
    "prose",
    [
        "learning rate 2 x 10^-5", "lr 5e-4 to 1e-5", "3-5 epochs", "2 to 4 epochs", "evaluated every 2 epochs",
        "seeds 1, 2 and 3", "batch 8, then batch 16", "Adam Smith wrote it", "fp16 for half, bf16 for the rest",
        "- Hardware: 8 cards", "seed 1.5", "20 steps",
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_no_setting(prose: str) -> None:
    assert settings(prose) == {}


def test_settings_are_only_looked_for_below_headings_on_training() -> None:
    assert settings("lr 2e-5, seed 42", "Usage") == {}
    assert settings("- Anything: goes", "Training hyperparameters") == {"anything": "goes"}


@pytest.mark.parametrize(
    ("line", "stated"),
    [
        ("We emitted 0.31 t CO₂e.", [("emissions", "0.31", "t", 310.0)]),
        ("240 grams of CO<sub>2</sub>-eq", [("emissions", "240", "grams", 0.24)]),
        ("2 tons CO2", [("emissions", "2", "tons", None)]),
        ("0,31 kg CO2eq", [("emissions", "0,31", "kg", None)]),
        ("25.4kgCO2eq and 1.5 MWh", [("emissions", "25.4", "kg", 25.4), ("energy", "1.5", "MWh", 1500.0)]),
        ("- Energy consumed: little", [("energy", "little", "", None)]),
        ("5 kg of paper in 3 hours", []),
    ],
)
def test_emissions_and_energy_in_other_units(line: str, stated: list[tuple[str, str, str, float | None]]) -> None:
    found = card(f"## Carbon footprint\n\n{line}\n").environment
    assert [(c.name, c.value, c.unit) for c in found] == [claim[:3] for claim in stated]
    assert [c.amount for c in found] == [pytest.approx(claim[3]) if claim[3] else None for claim in stated]
    assert card(f"## Uses\n\n{line}\n").environment == ()


def front(text: str) -> ModelCard:
    return card(f"---\n{text}\n---\n# T\n")


def test_other_front_matter() -> None:
    found = front("license: [mit, cc-by-4.0]\nnew_version: o/m2\ninference: false\nco2_eq_emissions: 12.5")
    assert (found.license, found.licenses) == ("", ("mit", "cc-by-4.0"))
    assert (found.new_version, found.inference, found.emissions) == ("o/m2", "false", CardEmissions(grams="12.5"))
    assert front("license: [mit]").license == "mit"
    assert front("co2_eq_emissions: []").emissions is None


def test_results_of_the_hub_in_front_matter_are_read_as_far_as_they_have_its_form() -> None:
    found = front("eval_results:\n- dataset: {id: o/b, task_id: t}\n  value: 1.5\n- 3\n- {dataset: x}")
    assert [(m.dataset, m.task, m.value) for m in found.eval_results] == [("o/b", "t", "1.5")]
    assert front("eval_results: none").eval_results == ()


def test_a_model_index_of_other_shapes_gives_what_it_states() -> None:
    found = front(
        "model-index:\n- name: m\n  results:\n"
        "  - metrics: [{type: wer, value: '12.1 ± 1', verified: true}, {type: x}]\n  - 5\n- 7\n"
    )
    assert [(m.type, m.value, m.slice) for m in found.metrics] == [("wer", "12.1 ± 1", "")]
    assert found.metrics[0].measurement is not None
    assert found.metrics[0].measurement.verified is True
    assert found.name == "m"


def test_a_card_is_text_of_a_bounded_size() -> None:
    with pytest.raises(InputError, match="UTF-8") as caught:
        parse_model_card(b"# T\n\xff", "README.md")
    assert caught.value.where == "README.md, byte 4"
    with pytest.raises(InputError, match="at most"):
        parse_model_card(bytes(MAX_BYTES + 1), "README.md")


def test_bounds_of_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_body, "MAX_SECTIONS", 2)
    assert set(card("# a\n").sections) == {"a"}
    with pytest.raises(InputError, match="more than 2 headings"):
        card("# a\n# b\n")
    monkeypatch.setattr(card_results, "MAX_MEASUREMENTS", 1)
    assert results("| Dataset | F1 |\n|---|---|\n| a | 1 |\n") == [("a", "f1", "1")]
    with pytest.raises(InputError, match="more than 1 results"):
        results("| Dataset | F1 |\n|---|---|\n| a | 1 |\n| b | 1 |\n")
    with pytest.raises(InputError, match="more than 1 results"):
        front("model-index:\n- results:\n  - metrics: [{type: a, value: 1}, {type: b, value: 2}]")


def test_a_section_that_is_put_together_stays_short() -> None:
    found = card("## Uses\n" + "### Part\n" + "x" * 5000 + "\n### Other\n" + "y" * 5000 + "\n")
    assert len(find_section(found, "uses")) == 4000
