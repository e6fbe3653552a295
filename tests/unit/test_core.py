"""Strict JSON, names, digests, manifests, the fixed rule of coverage."""

import hashlib
import json
from pathlib import Path

import pytest

from aibom.core import layout
from aibom.core.digest import parse_digest
from aibom.core.errors import AibomError, InputError, UnsafeEntryError
from aibom.core.manifest import FileEntry, Manifest, compare, tree_digest
from aibom.core.names import collisions, name_problem, printable, require_name
from aibom.core.strictjson import dump_compact, parse_json, parse_json_object
from aibom.core.verdict import EXIT_MEANINGS, ExitCode, Verdict


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"x": {"a": 1, "a": 1}}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": 1e999}', "out of range"),
        (b'{"a": ' + b"1" * 500 + b"}", "digits"),
        (b"\xef\xbb\xbf{}", "byte-order"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\uD800": 1}', "surrogate"),
        (b'{"a": 1} x', "not JSON"),
        (b"", "not JSON"),
        (b"[" * 300 + b"]" * 300, "deep"),
        (b"[1]", "object"),
    ],
)
def test_strict_json_refuses(text: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parse_json_object(text, "file.json")
    assert "file.json" in caught.value.where


def test_strict_json_accepts_what_is_json() -> None:
    assert parse_json(b'{"a": [1, 2.5, null, true, "\\ud83d\\ude00 [[[["]}', "x") == {
        "a": [1, 2.5, None, True, "😀 [[[["]
    }


def test_brackets_inside_strings_are_not_depth() -> None:
    text = json.dumps({"a": "[" * 1000, "b": '\\"[[' * 100}).encode()
    assert parse_json_object(text, "x")["a"] == "[" * 1000


def test_hostile_strings_are_scanned_once() -> None:
    # An unterminated string of escapes makes a naive pattern quadratic: this would take minutes.
    with pytest.raises(InputError):
        parse_json(b"[" * 300 + b'"' + b'\\"' * 2_000_000, "x")


def test_size_is_bounded_before_parsing() -> None:
    with pytest.raises(InputError, match="at most 10"):
        parse_json(b"[1,2,3,4,5,6]", "x", max_bytes=10)


def test_canonical_bytes_do_not_depend_on_order() -> None:
    assert dump_compact({"b": 1, "a": "é"}) == dump_compact({"a": "é", "b": 1}) == '{"a":"é","b":1}'.encode()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "a/./b",
        "C:/x",
        "a\\b",
        "a\nb",
        "a\x00b",
        "a\u202eb",
        "a.",
        "a /b",
        "caf\udce9",
    ],
)
def test_names_that_no_release_may_hold(name: str) -> None:
    with pytest.raises(UnsafeEntryError) as caught:
        require_name(name)
    assert caught.value.hint
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("name", ["model.safetensors", "data/été.csv", ".gitattributes", "a b.txt", "模型/权重.bin"])
def test_ordinary_names(name: str) -> None:
    assert name_problem(name) == ""


def test_names_that_some_system_takes_for_one() -> None:
    assert collisions(["a", "B", "b", "e\u0301", "\u00e9"]) == [("B", "b"), ("e\u0301", "\u00e9")]


def test_printable_never_moves_the_cursor() -> None:
    assert printable("a\x1b[2J\u202eb\udcff").isprintable()


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [
        ("md5", "0" * 32),
        ("sha1", "0" * 40),
        ("sha256", "0" * 63),
        ("sha256", "A" * 64),
        ("sha256", ""),
        ("sha256", None),
    ],
)
def test_digests_that_are_none(algorithm: str, value: object) -> None:
    with pytest.raises(InputError):
        parse_digest(algorithm, value)
    assert parse_digest("sha256", "0" * 64).value == "0" * 64


def sha(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def test_tree_digest_of_the_written_example() -> None:
    text = (Path(__file__).parents[2] / "specs" / "tree-digest-v1.md").read_text(encoding="utf-8")
    assert f"gives `{tree_digest([('b/c.txt', sha(b'')), ('a.txt', sha(b'abc'))])}`" in text


def test_tree_digest_binds_names() -> None:
    assert tree_digest([("a", sha(b"1")), ("b", sha(b"2"))]) != tree_digest([("a", sha(b"2")), ("b", sha(b"1"))])
    assert tree_digest([("a", sha(b"1"))]) != tree_digest([("c", sha(b"1"))])


def test_difference_of_manifests() -> None:
    actual = Manifest.of(
        FileEntry(name=n, size=1, digests={"sha256": v}) for n, v in (("b", "2"), ("a", "1"), ("c", "3"))
    )
    diff = compare({"a": "1", "b": "x", "d": "4"}, actual)
    assert (diff.extra, diff.missing, diff.changed) == (("c",), ("d",), ("b",))
    assert diff
    assert not compare({"a": "1", "b": "2", "c": "3"}, actual)


def test_the_fixed_rule() -> None:
    assert all(map(layout.is_outside, (".git", ".git/config", "model.sig", "attestations/x")))
    assert not any(
        map(layout.is_outside, (".gitattributes", "sub/.git/x", "model.sig2", "sub/model.sig", "aibom.cdx.json"))
    )
    assert layout.is_git_related(".github/workflows/x.yml")
    assert not layout.is_git_related("sub/.gitignore")


def test_hub_records_hide_nothing_else() -> None:
    records = [".cache/huggingface/download/a.metadata", ".cache/huggingface/download/a.lock"]
    assert layout.hub_leftovers([*records, "model.bin"]) == tuple(sorted(records))
    assert layout.hub_leftovers([*records, ".cache/huggingface/evil.py"]) == ()


def test_every_verdict_and_exit_code_has_words() -> None:
    assert {verdict.exit_code for verdict in Verdict} == {0, 1, 3, 4}
    assert set(EXIT_MEANINGS) == set(ExitCode)
    assert all(verdict.meaning for verdict in Verdict)


def test_errors_say_where_as_they_rise() -> None:
    error = InputError("broken", where="subject[0]", hint="mend it").within("model.sig")
    assert (error.message, error.where, error.hint) == ("broken", "model.sig: subject[0]", "mend it")
    assert isinstance(error, AibomError)
