"""Cards, YAML, configurations, requirements, licences, the index of shards, and what a file is."""

import pytest

from aibom.core.errors import InputError
from aibom.formats.detect import classify, is_lfs_pointer, sniff
from aibom.formats.licences import names_no_licence, recognise_text
from aibom.formats.model_card import find_section, parse_model_card
from aibom.formats.model_config import parse_model_config
from aibom.formats.requirements import parse_requirements, parse_wheel_metadata
from aibom.formats.weights_index import index_problems, parse_weights_index
from aibom.formats.yaml_block import parse_yaml_mapping
from tests.releases.texts import TEXTS


def test_the_example_card() -> None:
    card = parse_model_card(TEXTS["README.md"].encode(), "README.md")
    assert (card.name, card.license, card.task, card.library) == (
        "sentimind-small-v2", "apache-2.0", "text-classification", "transformers",
    )  # fmt: skip
    assert card.base_models == ("distilbert/distilbert-base-uncased",)
    assert card.datasets == ("stanfordnlp/imdb", "acme-ai/internal-reviews")
    assert [(m.type, m.value) for m in card.metrics] == [("accuracy", "0.9312"), ("f1", "0.9309")]
    assert card.metrics[0].slice == "IMDB test (revision e6281661ce1c48d982bc483cf8a173c1bbeb5d31)"
    assert "retail analytics" in find_section(card, "intended use")
    assert "sarcasm" in find_section(card, "limitation", unless=("use",))


def test_a_heading_in_a_code_block_is_no_heading() -> None:
    card = parse_model_card(b"# Title\n```\n# not a heading\n```\n## Use\ntext\n", "README.md")
    assert (card.title, set(card.sections)) == ("Title", {"title", "use"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a: &a [x]\nb: *a\n", "aliases"),
        (b"a: 1\na: 2\n", "twice"),
        (b"a: [1\n", "not YAML"),
        (b"- 1\n- 2\n", "mapping"),
        (b"a: !!python/object/apply:os.system [id]\n", "not YAML"),
        (b"a: \xff\n", "not YAML"),
        (b"[a, b]: 1\n", "not YAML"),
        (b"a: " + b"[" * 100 + b"]" * 100, "deep"),
    ],
)
def test_yaml_refuses(text: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_yaml_mapping(text, "card")


def test_yaml_keeps_dates_as_they_were_written() -> None:
    assert parse_yaml_mapping(b"date: 2026-01-01\nno: 'x'\n", "card") == {
        "date": "2026-01-01",
        "no": "x",
    }


def test_norwegian_is_a_language() -> None:
    assert parse_yaml_mapping(b"language: no\nfast: true\n", "card") == {"language": "no", "fast": True}


def test_a_configuration_never_names_the_model() -> None:
    config = parse_model_config(
        b'{"_name_or_path": "other/base", "architectures": ["A"], "auto_map": {"x": "m.py"}}', "c"
    )
    assert (config.starting_point, config.architectures, config.remote_code) == ("other/base", ("A",), ("m.py",))


def test_pins_are_versions_and_ranges_stay_ranges() -> None:
    text = (
        b"torch==2.6.0 \\\n  --hash=sha256:00\nevaluate>=0.4\naccelerate~=1.3\nnumpy\n# note\n"
        b"x[a,b]==1.*; python_version<'4'\n-r other.txt\n!!\n"
    )
    found, problems = parse_requirements(text, "requirements.txt")
    by_name = {d.name: d for d in found}
    assert (by_name["torch"].version, by_name["torch"].range) == ("2.6.0", "")
    assert (by_name["accelerate"].version, by_name["accelerate"].range) == ("", "~=1.3")
    assert (by_name["numpy"].version, by_name["numpy"].range) == ("", "")
    assert (by_name["x"].version, by_name["x"].range, by_name["x"].extras) == ("", "==1.*", ("a", "b"))
    assert "python_version" in by_name["x"].marker
    assert [p.partition(":")[0] for p in problems] == ["line 8", "line 9"]


def test_wheel_metadata() -> None:
    text = (
        b"Metadata-Version: 2.4\nName: demo\nVersion: 1.2\nAuthor: Ann\nLicense-Expression: MIT\n"
        b"Requires-Dist: torch>=2\n\nText\n"
    )
    wheel = parse_wheel_metadata(text, "METADATA")
    assert (wheel.name, wheel.version, wheel.author, wheel.license) == ("demo", "1.2", "Ann", "MIT")
    assert [(d.name, d.range) for d in wheel.dependencies] == [("torch", ">=2")]
    with pytest.raises(InputError, match="Name and Version"):
        parse_wheel_metadata(b"Name: x\n\n", "METADATA")


def test_licence_texts() -> None:
    mit = (
        b"MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of it\n"
        b'THE SOFTWARE IS PROVIDED "AS IS"'
    )
    assert recognise_text(mit) == "MIT"
    assert (
        recognise_text(
            b"  Apache License\n  Version 2.0, January 2004\n "
            b"TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION"
        )
        == "Apache-2.0"
    )
    assert recognise_text(b"Our own licence: ask us. This mentions the Apache License 2.0.") == ""
    assert names_no_licence("Other")
    assert not names_no_licence("mit")


def test_an_index_and_its_shards() -> None:
    index = parse_weights_index(b'{"weight_map": {"a": "1.st", "b": "2.st", "c": "3.st"}}', "i")
    problems = index_problems(index, {"1.st": frozenset("a"), "2.st": frozenset("bx")})
    assert len(problems) == 2
    assert "does not name" in problems[0] or "3.st" in problems[0]
    with pytest.raises(InputError, match="beside the index"):
        parse_weights_index(b'{"weight_map": {"a": "../../etc/passwd"}}', "i")


@pytest.mark.parametrize(
    ("name", "head", "category", "kind"),
    [
        ("model.safetensors", b"\x02\0\0\0\0\0\0\0{}", "model/weights", "safetensors"),
        ("x/adapter_model.safetensors", b"\x02\0\0\0\0\0\0\0{}", "model/adapter", "safetensors"),
        ("checkpoint-5/model.safetensors", b"\x02\0\0\0\0\0\0\0{}", "model/checkpoints", "safetensors"),
        ("renamed.dat", b"GGUF\x03\0\0\0", "model/weights", "gguf"),
        ("notes.md", b"GGUF is a format", "model/weights", "gguf"),
        ("train.py", b"import torch\n", "code/training", "text"),
        ("eval/run_eval.py", b"x", "code/other", "text"),
        ("LICENSE", b"MIT", "docs/license", "text"),
        ("requirements.txt", b"x", "code/libraries", "text"),
        ("tokenizer.json", b"{}", "model/tokenizer", "text"),
        ("data/x.csv", b"a,b", "data/training", "text"),
        ("table.bin", b"PAR1", "data/training", "parquet"),
        ("unknown.xyz", b"\0\1\2", "", ""),
    ],
)
def test_what_a_file_is(name: str, head: bytes, category: str, kind: str) -> None:
    found = classify(name, len(head), head)
    assert (found.category, found.format) == (category, kind)


def test_an_lfs_pointer_is_seen_under_any_name() -> None:
    head = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    assert is_lfs_pointer(head, len(head))
    assert sniff(head) == "git-lfs-pointer"
    assert not is_lfs_pointer(head, 5000)
