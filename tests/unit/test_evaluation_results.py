"""Files of results and of emissions: what is a metric, what goes with it, and what is refused."""

import json

import pytest

from aibom.core.errors import InputError
from aibom.formats import emissions, evaluation_results
from aibom.formats.emissions import parse_emissions
from aibom.formats.evaluation_results import (
    Measurement,
    parse_evaluation_results,
    parse_hub_results,
    plain_measurements,
)
from tests.releases.documents import DOCUMENTS
from tests.releases.texts import TEXTS


def measured(value: object) -> tuple[Measurement, ...]:
    return parse_evaluation_results(json.dumps(value).encode(), "r.json").measurements


def test_the_example_results_of_a_training_run() -> None:
    found = measured(DOCUMENTS["eval/all_results.json"])
    assert [(m.type, m.value, m.n_samples, m.source_field) for m in found] == [
        ("accuracy", "0.9312", 25000, "eval_accuracy"),
        ("f1", "0.9309", 25000, "eval_f1"),
        ("loss", "0.2011", 25000, "eval_loss"),
    ]
    assert {(m.dataset, m.split) for m in found} == {("", "")}


def test_the_example_report_of_the_harness() -> None:
    report = parse_evaluation_results(json.dumps(DOCUMENTS["eval/lm_eval_results.json"]).encode(), "r.json")
    assert (report.format, report.model) == ("lm-eval", "acme-ai/sentimind-small-v2")
    (found,) = report.measurements
    assert (found.type, found.value, found.standard_error, found.task) == ("acc", "0.91", "0.009", "sst2")
    assert found.source_field == "results.sst2.acc,none"
    assert found.dataset == ""


def test_run_times_and_counters_are_no_metrics() -> None:
    numbers = {
        "epoch": 3.0, "eval_runtime": 1.5, "eval_samples_per_second": 9.1, "eval_steps_per_second": 2, "step": 10,
        "train_runtime": 60.0, "train_samples": 5, "total_flos": 1e12, "test_accuracy": 0.5, "train_loss": 0.1,
        "eval_model_preparation_time": 0.2, "seed": 42, "init_mem_cpu_alloc_delta": 5, "done": True, "note": "x",
    }  # fmt: skip
    assert [(m.type, m.split, m.n_samples) for m in measured(numbers)] == [
        ("accuracy", "test", None), ("loss", "train", 5),
    ]  # fmt: skip


def test_errors_and_intervals_go_with_their_number() -> None:
    (found,) = measured(
        {"bleu": 30.1, "bleu_stderr": 0.2, "bleu_ci_lower": 29.7, "bleu_ci_upper": 30.5, "bleu_n_samples": 7}
    )
    assert (found.standard_error, found.lower, found.upper, found.n_samples) == ("0.2", "29.7", "30.5", 7)


def test_numbers_in_groups_keep_the_keys_above_them() -> None:
    found = measured({"nl": {"wer": {"value": 0.12, "lower": 0.1, "upper": 0.14, "dataset": "cv"}, "cer": 0.03}})
    assert [(m.type, m.value, m.subset, m.source_field) for m in found] == [
        ("wer", "0.12", "nl", "nl.wer.value"),
        ("cer", "0.03", "nl", "nl.cer"),
    ]
    assert (found[0].lower, found[0].upper, found[0].dataset) == ("0.1", "0.14", "cv")


def test_groups_within_groups_are_read_to_a_bounded_depth() -> None:
    value: object = {"f1": 1.0}
    for _ in range(8):
        value = {"a": value}
    assert [m.subset for m in measured(value)] == ["a.a.a.a.a.a.a.a"]
    assert measured({"a": value}) == ()


HARNESS = {
    "results": {
        "mmlu_law": {
            "alias": " - law", "acc,none": 0.5, "acc_stderr,none": "N/A", "exact_match,strict-match": 0.25,
            "exact_match_stderr,strict-match": 0.01, "sample_len": 9,
        },
        "old": {"acc": 0.75, "acc_stderr": 0.02},
        "odd": 5,
    },
    "configs": {
        "mmlu_law": {
            "dataset_path": "cais/mmlu", "dataset_name": "law", "test_split": "test", "num_fewshot": 5,
            "dataset_kwargs": {"revision": "abc", "trust_remote_code": True},
        },
    },
    "n-shot": {"old": 0}, "n-samples": {"mmlu_law": {"original": 100, "effective": 40}},
    "config": {"model": "hf", "model_args": {"pretrained": "o/m", "revision": "main", "dtype": "bf16"}},
    "git_hash": "abc123", "date": 1735689600.5, "lm_eval_version": "0.4.8", "chat_template_sha": "ff",
}  # fmt: skip


def test_a_harness_report_says_where_and_how_it_was_measured() -> None:
    report = parse_evaluation_results(json.dumps(HARNESS).encode(), "r.json")
    none, strict, old = report.measurements
    assert (none.dataset, none.config, none.split, none.revision) == ("cais/mmlu", "law", "test", "abc")
    assert (none.n_samples, none.few_shot, none.standard_error, none.subset) == (40, 5, "", "")
    assert (strict.type, strict.subset, strict.standard_error) == ("exact_match", "strict-match", "0.01")
    assert (old.type, old.value, old.standard_error, old.few_shot, old.dataset) == ("acc", "0.75", "0.02", 0, "")
    assert (report.model, report.model_revision, report.model_arguments) == (
        "o/m", "main", "pretrained=o/m,revision=main,dtype=bf16",
    )  # fmt: skip
    assert (report.tool_version, report.tool_revision, report.date) == ("0.4.8", "abc123", "1735689600.5")
    assert report.chat_template_sha256 == "ff"


def test_an_object_called_results_alone_is_no_harness_report() -> None:
    report = parse_evaluation_results(b'{"results": {"accuracy": 0.5}}', "r.json")
    assert (report.format, report.measurements[0].source_field) == ("plain", "results.accuracy")


def test_endless_results_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation_results, "MAX_MEASUREMENTS", 3)
    assert len(plain_measurements({str(n): n for n in range(3)}, "x")) == 3
    with pytest.raises(InputError, match="more than 3 results"):
        plain_measurements({str(n): n for n in range(4)}, "x")


@pytest.mark.parametrize("text", [b"[1]", b"{", b'{"a": NaN}', b"\xff"])
def test_what_is_not_a_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(InputError):
        parse_evaluation_results(text, "r.json")


HUB = b"""# scores
- dataset: {id: org/bench, task_id: hard, revision: abc}
  value: 20.90
  date: "2026-01-15"
  source: {url: 'https://example.org/run', name: Run}
  notes: no-tools
- dataset: {id: org/other}
  value: 0.5
"""


@pytest.mark.parametrize("start", [b"", b"---\n", b"--- \n"])
def test_results_in_the_form_of_the_hub(start: bytes) -> None:
    first, second = parse_hub_results(start + HUB, ".eval_results/a.yaml").measurements
    assert (first.dataset_id, first.task, first.revision, first.value) == ("org/bench", "hard", "abc", "20.9")
    assert (first.date, first.notes, first.source_url) == ("2026-01-15", "no-tools", "https://example.org/run")
    assert (second.value, second.task, second.source_field) == ("0.5", "", "[1].value")


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        (b"dataset: {id: a}\nvalue: 1\n", "list of results", "e"),
        (b"", "list of results", "e"),
        (b"- {value: 1}\n", "needs dataset.id", "e, [0]"),
        (b"- 5\n", "needs dataset.id", "e, [0]"),
        (b"- {dataset: {id: a}, value: true}\n", "needs dataset.id", "e, [0]"),
        (b"- a\n- [\n", "not YAML", "e, line 3"),
        (b"---\n- a\n- &x b\n- *x\n", "aliases", "e, line 4"),
        (b"- a\n- &x b\n- *x\n", "aliases", "e, line 3"),
    ],
)
def test_other_yaml_is_no_list_of_results(text: bytes, words: str, place: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parse_hub_results(text, "e")
    assert caught.value.where == place


def test_the_example_emissions() -> None:
    report = parse_emissions(TEXTS["emissions.csv"].encode(), "emissions.csv")
    (run,) = report.runs
    assert (report.emissions, report.energy, report.duration) == (1.24, 3.1, 10800)
    assert (run.country, run.gpu_model, run.cpu_model, run.run_id) == ("Netherlands", "A100", "", "r1")


def test_several_runs_are_summed_and_snapshots_of_one_run_are_not() -> None:
    text = (
        b"run_id,duration,emissions,energy_consumed,region,codecarbon_version\r\n"
        b'a,10,0.1,1,"x, y",2.3.4\r\n\r\na,20,0.3,2,"x, y",2.3.4\r\nb,5,2e-1,1,,2.3.4\r\n,1,0.5,,,\r\n'
    )
    report = parse_emissions(text, "e")
    assert report.emissions == pytest.approx(1.0)
    assert report.duration == 26
    assert report.energy is None
    assert [(run.run_id, run.region, run.line) for run in report.runs] == [("a", "x, y", 4), ("b", "", 5), ("", "", 6)]


def test_rows_without_a_run_id_are_runs_of_their_own() -> None:
    report = parse_emissions(b"emissions\n1\n1\n", "e")
    assert (report.emissions, report.energy, len(report.runs)) == (2.0, None, 2)


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        (b"", "expected a column", "line 1"),
        (b"a,b\n1,2\n", "expected a column", "line 1"),
        (b"emissions,emissions\n1,2\n", "none named twice", "line 1"),
        (b"emissions," + b",".join(b"c%d" % n for n in range(200)) + b"\n", "at most 200", "line 1"),
        (b"emissions,a\n1\n", "expected 2 cells, found 1", "line 2"),
        (b"emissions\nnan\n", "expected a number", "line 2, emissions"),
        (b"emissions\n-1\n", "expected a number", "line 2, emissions"),
        (b"emissions\n1e999\n", "expected a number", "line 2, emissions"),
        (b"emissions\n" + b"1" * 31 + b"\n", "expected a number", "line 2, emissions"),
        (b"emissions,a\n1," + b"x" * 4001 + b"\n", "more than 4000", "line 2"),
        (b'emissions\n"1', "not CSV", "line 2"),
        (b"emissions\n\xff\n", "UTF-8", "byte 10"),
    ],
)
def test_emissions_that_cannot_be_read_are_refused(text: bytes, words: str, place: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parse_emissions(text, "e")
    assert caught.value.where == f"e, {place}"


def test_endless_emissions_are_refused() -> None:
    with pytest.raises(InputError, match="more than 20000 runs"):
        parse_emissions(b"emissions\n" + b"1\n" * 20_001, "e")
    with pytest.raises(InputError, match="100000 lines"):
        parse_emissions(b"run_id,emissions\n" + b"a,1\n" * 100_001, "e")
    with pytest.raises(InputError, match="at most"):
        parse_emissions(bytes(emissions.MAX_BYTES + 1), "e")


def test_a_sum_beyond_all_numbers_is_no_sum() -> None:
    assert parse_emissions(b"emissions\n" + b"9e307\n" * 9, "e").emissions is None
