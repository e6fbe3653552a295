"""Data and code agree: rules, vocabulary, schemas, generated pages. Sets are compared, not counts."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema_rs

from aibom.core.specs import read_spec
from aibom.formats import detect
from verify.vocabulary import load_vocabulary

ROOT = Path(__file__).resolve().parents[1]
_MAKERS = {"contradiction", "undecided", "missing", "note", "_more"}


def rules_in_code() -> set[str]:
    found = set()
    for path in (ROOT / "verify").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in _MAKERS and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "UNSAFE":
                found.add(ast.literal_eval(node.value))
    return found


def test_every_rule_has_its_words_and_every_word_its_rule() -> None:
    listed = tomllib.loads(read_spec("rules.toml").decode("utf-8"))["rule"]
    assert all(set(rule) == {"id", "title", "why"} for rule in listed)
    identifiers = [rule["id"] for rule in listed]
    assert identifiers == sorted(set(identifiers))
    assert set(identifiers) == rules_in_code()


def test_every_rule_is_seen_in_a_test() -> None:
    text = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("*.py"))
    unseen = {rule for rule in rules_in_code() if f'"{rule}"' not in text}
    assert unseen == set()


def test_every_category_that_we_write_is_in_the_vocabulary() -> None:
    written = set(
        re.findall(r'"((?:code|model|data|docs|security|supply)/[a-z-]+)"', Path(detect.__file__).read_text())
    )
    assert len(written) > 25
    assert written <= set(load_vocabulary().titles)


def test_the_report_schema_is_a_schema() -> None:
    schema = json.loads(read_spec("schemas/aibom-report-1.schema.json"))
    jsonschema_rs.Draft202012Validator(schema)
    assert not jsonschema_rs.Draft202012Validator(schema).is_valid({"schema": "aibom-report/1"})


def test_the_golden_report_fits_the_schema() -> None:
    schema = json.loads(read_spec("schemas/aibom-report-1.schema.json"))
    text = (ROOT / "tests" / "golden" / "example.report.json").read_text(encoding="utf-8")
    jsonschema_rs.Draft202012Validator(schema).validate(json.loads(text.replace("DIGEST", "0" * 64)))


def test_no_profile_speaks_of_compliance_as_a_verdict() -> None:
    for path in [*(ROOT / "aibom").rglob("*.py"), *(ROOT / "verify").rglob("*.py")]:
        assert not re.search(r"\bcompliant\b", path.read_text(encoding="utf-8")), path


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "tools/generate_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
