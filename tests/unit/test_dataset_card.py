"""Data set cards: front matter, configurations, splits, and the sections that say what the data is."""

import pytest

from aibom.core.errors import InputError
from aibom.formats import dataset_card
from aibom.formats.dataset_card import TOPICS, Config, DatasetCard, DatasetInfo, Split, find_topic, parse_dataset_card
from aibom.formats.table import Column
from tests.releases.texts import TEXTS

FRONT = """---
pretty_name: Reviews
license: [mit, cc-by-4.0]
license_name: own
license_link: LICENSE
language: no
task_categories: [text-classification]
task_ids: [sentiment-classification]
size_categories: [n<1K]
source_datasets: [extended|imdb]
annotations_creators: [expert-generated]
language_creators: [found]
tags: [a, b, a]
configs:
- config_name: en
  data_files:
  - split: train
    path: en/*.csv
  - split: test
    path: [en/test.csv, en/more.csv]
- config_name: nl
  data_files: nl.csv
dataset_info:
  config_name: en
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': neg
  - name: tags
    sequence: string
  - name: box
    struct:
    - name: x
      dtype: int32
  - name: odd
  splits:
  - name: train
    num_bytes: 9
    num_examples: 25000
  - name: test
---
"""
BODY = """---
# Reviews of things

- **Curated by:** Acme AI

## Direct Use
Research.
## Out-of-Scope Use
<!-- This section addresses misuse. -->

[More Information Needed]
## Bias, Risks, and Limitations
70% electronics.
#### Personal and Sensitive Information
<!-- State whether
the dataset contains personal data. --> None after scrubbing. <!-- open
"""


def read(text: str) -> DatasetCard:
    return parse_dataset_card(text.encode(), "README.md")


def test_the_card_of_the_example_release_is_read() -> None:
    card = read(TEXTS["data/README.md"])
    assert (card.pretty_name, card.title, card.licenses) == ("Internal reviews", "Internal reviews", ("cc-by-4.0",))
    assert (card.languages, card.size_categories, card.source_datasets) == (("en",), ("n<1K",), ("original",))
    assert card.task_categories == ("text-classification",)
    assert card.sections == {"internal reviews": "Anonymised."}
    assert (card.configs, card.info, card.curators) == ((), (), ())


def test_all_fields_of_the_front_matter_are_read() -> None:
    card = read(FRONT + BODY)
    assert card.front_matter
    assert (card.licenses, card.license_name, card.license_link) == (("mit", "cc-by-4.0"), "own", "LICENSE")
    assert (card.languages, card.tags, card.task_ids) == (("no",), ("a", "b"), ("sentiment-classification",))
    assert (card.source_datasets, card.language_creators) == (("extended|imdb",), ("found",))
    assert card.annotations_creators == ("expert-generated",)


def test_configurations_give_their_files() -> None:
    assert read(FRONT + BODY).configs == (
        Config(name="en", data_files=("en/*.csv", "en/test.csv", "en/more.csv")),
        Config(name="nl", data_files=("nl.csv",)),
    )


def test_features_and_splits_are_read() -> None:
    features = (
        Column(name="text", type="string"),
        Column(name="label", type="class_label"),
        Column(name="tags", type="sequence<string>"),
        Column(name="box", type="struct"),
        Column(name="odd", type=""),
    )
    splits = (Split(name="train", examples=25000), Split(name="test", examples=None))
    assert read(FRONT + BODY).info == (DatasetInfo(config="en", features=features, splits=splits),)


@pytest.mark.parametrize("count", ["true", "-1", "'9'", "1.5"])
def test_a_number_of_examples_that_is_none_is_not_stated(count: str) -> None:
    card = read(f"---\ndataset_info:\n- splits:\n  - name: a\n    num_examples: {count}\n---\n")
    assert card.info[0].splits == (Split(name="a", examples=None),)


def test_sections_lose_what_the_template_says() -> None:
    card = read(FRONT + BODY)
    assert card.title == "Reviews of things"
    assert card.curators == ("Acme AI",)
    assert card.sections == {
        "reviews of things": "- **Curated by:** Acme AI",
        "direct use": "Research.",
        "bias, risks, and limitations": "70% electronics.",
        "personal and sensitive information": "None after scrubbing.",
    }


@pytest.mark.parametrize(
    "line", ["- **Curated by [optional]:** A", "* **Curated by**: A", "  - **Creators:** A", "- **curated by:** A"]
)
def test_curators_are_found_in_each_form_of_the_template(line: str) -> None:
    assert read(f"# T\n{line}\n").curators == ("A",)


def test_an_unfilled_template_says_nothing() -> None:
    card = read(
        "---\npretty_name: '[More Information Needed]'\n---\n# T\n- **Curated by:** [More Information Needed]\n"
    )
    assert (card.pretty_name, card.curators, card.sections) == ("", (), {})


def test_topics_are_found_by_the_most_telling_heading() -> None:
    card = read(
        "# T\n## Uses\nu\n## Intended uses\ni\n## Discussion of biases\nb\n## Other bias\no\n## Source data\ns\n"
    )
    found = {topic: find_topic(card, topic) for topic in TOPICS}
    assert {topic: text for topic, text in found.items() if text} == {
        "intended uses": "i",
        "biases": "b",
        "collection": "s",
    }
    assert find_topic(card, "no such topic") == ""


def test_a_card_without_front_matter_states_none() -> None:
    card = read("# T\ntext\n")
    assert (card.front_matter, card.licenses, card.sections) == (False, (), {"t": "text"})


def test_a_front_matter_that_is_not_closed_is_text() -> None:
    assert not read("---\nlicense: mit\n").front_matter


def test_a_rule_after_the_front_matter_is_no_second_one() -> None:
    card = read("---\nlicense: mit\n---\n---\n: [\n---\n# T\nx\n")
    assert (card.licenses, card.title) == (("mit",), "T")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"---\na: [\n---\n", "not YAML"),
        (b"---\nlicense: mit\nlicense: gpl\n---\n", "cannot be used twice"),
        (b"---\n- a\n---\n", "expected a mapping"),
        (b"# T\n\xff\n", "not valid UTF-8"),
        (bytes(4 * 1024 * 1024 + 1), "at most 4194304 are read"),
    ],
)
def test_a_card_that_cannot_be_read_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parse_dataset_card(data, "README.md")
    assert caught.value.where.startswith("README.md")


def test_the_bounds_of_a_card_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_card, "_MAX_CONFIGS", 1)
    assert len(read(FRONT).configs) == 1
    monkeypatch.setattr(dataset_card, "MAX_COLUMNS", 0)
    with pytest.raises(InputError, match="1 features; at most 0"):
        read(FRONT)
