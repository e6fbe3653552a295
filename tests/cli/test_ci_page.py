"""`docs/ci.md` is executed: the recipe as it stands, and its examples against the files that they use."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli import platforms
from tests.cli.pipelines import ROOT, action, component
from tests.factory import make_release
from tests.sigstore_instance import SigstoreInstance

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")


def block(marker: str, language: str) -> str:
    found = re.search(rf"<!-- {marker} -->\n```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found, marker
    return found.group(1)


def example(name: str) -> Any:
    return yaml.safe_load(block(f"example: {name}", "yaml"))


@pytest.mark.parametrize("expected", ["https://buildkite.com/octo/models", "https://buildkite.com/octo/other"])
def test_the_recipe_for_any_other_ci(sigstore: SigstoreInstance, tmp_path: Path, expected: str) -> None:
    make_release(tmp_path / "my-model")
    config = tmp_path / "trust config.json"
    config.write_text(json.dumps(sigstore.trust_config(rekor=2, timestamps=True)))
    job = platforms.buildkite(sigstore, tmp_path / "bin")
    (tmp_path / "bin" / "aibom").write_text(f'#!/bin/sh\nexec {sys.executable} -m aibom "$@"\n')
    (tmp_path / "bin" / "aibom").chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", block("recipe", "sh")],
        cwd=tmp_path,
        env={
            **platforms.clean_environment(),
            **job,
            "BUILDKITE_BRANCH": "main",
            "BUILDKITE_BUILD_URL": "https://buildkite.com/octo/models/builds/1",
            "BUILDKITE_COMMIT": "c" * 40,
            "BUILDKITE_JOB_ID": "0190-aa",
            "BUILDKITE_ORGANIZATION_SLUG": "octo",
            "BUILDKITE_PIPELINE_SLUG": "models",
            "BUILDKITE_REPO": "git@github.com:octo/models.git",
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "*",
            "TRUST_CONFIG": str(config),
            "IDENTITY": expected,
            "ISSUER": sigstore.url,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    accepted = expected.endswith("/models")
    assert done.returncode == (0 if accepted else 1), done.stdout + done.stderr
    assert (tmp_path / "signatures").exists() == accepted


def test_the_example_for_github() -> None:
    (job,) = example("github")["jobs"].values()
    assert job["permissions"] == {"id-token": "write", "contents": "read"}
    step = job["steps"][-1]
    inputs = action()["inputs"]
    assert step["with"].keys() <= inputs.keys()
    assert {name for name, item in inputs.items() if item.get("required")} <= step["with"].keys()
    outputs = re.search(r"`steps\.aibom\.outputs` has (.*?) for", PAGE, re.DOTALL)
    assert outputs
    assert re.findall("`([a-z-]+)`", outputs.group(1)) == list(action()["outputs"])


def test_the_example_for_gitlab() -> None:
    (included,) = example("gitlab")["include"]
    known, body = component()
    assert included["component"].endswith("/sign-model@COMMIT")
    assert included["inputs"].keys() <= known.keys()
    assert {name for name, item in known.items() if "default" not in item} <= included["inputs"].keys()
    assert example("copy").keys() == yaml.safe_load(body).keys()


def test_copying_what_git_tracks(tmp_path: Path) -> None:
    make_release(tmp_path)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    for command in (["git", "init", "-q"], ["git", "add", "."]):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "left-over").write_text("by an earlier job")
    script = "\n".join(example("copy")["sign-model"]["before_script"])
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, check=True)
    copied = tmp_path / "release"
    assert sorted(path.relative_to(copied) for path in copied.rglob("*") if path.is_file()) == files
