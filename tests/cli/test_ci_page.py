"""`docs/ci.md` is executed: the recipe as it stands, and its examples against the files that they use."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from attest.bundle import parse_bundle
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


BUILDKITE = {
    "BUILDKITE_BRANCH": "main",
    "BUILDKITE_BUILD_URL": "https://buildkite.com/octo/models/builds/1",
    "BUILDKITE_COMMIT": "c" * 40,
    "BUILDKITE_JOB_ID": "0190-aa",
    "BUILDKITE_ORGANIZATION_SLUG": "octo",
    "BUILDKITE_PIPELINE_SLUG": "models",
    "BUILDKITE_REPO": "git@github.com:octo/models.git",
}


def run_recipe(folder: Path, sigstore: SigstoreInstance, job: dict[str, str]) -> subprocess.CompletedProcess[str]:
    make_release(folder / "my-model")
    config = folder / "trust config.json"
    config.write_text(json.dumps(sigstore.trust_config(rekor=2, timestamps=True)))
    tool = folder / "bin" / "aibom"
    tool.parent.mkdir(exist_ok=True)
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m aibom "$@"\n')
    tool.chmod(0o755)
    ours = {"PYTHONPATH": str(ROOT), "NO_PROXY": "*", "TRUST_CONFIG": str(config), "ISSUER": sigstore.url}
    environment = {**platforms.clean_environment(), **ours, **job}
    environment["PATH"] = f"{tool.parent}:{environment['PATH']}"
    return subprocess.run(
        ["sh", "-c", block("recipe", "sh")], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} & {"signatures", "summary.md"}


@pytest.mark.parametrize("expected", ["https://buildkite.com/octo/models", "https://buildkite.com/octo/other"])
def test_the_recipe_for_any_other_ci(sigstore: SigstoreInstance, tmp_path: Path, expected: str) -> None:
    job = {**platforms.buildkite(sigstore, tmp_path / "bin"), **BUILDKITE, "IDENTITY": expected}
    done = run_recipe(tmp_path, sigstore, job)
    accepted = expected.endswith("/models")
    assert done.returncode == (0 if accepted else 1), done.stdout + done.stderr
    assert left(tmp_path) == ({"signatures", "summary.md"} if accepted else set())


@pytest.mark.parametrize("builder", ["https://ci.example/pool 1", "https://ci.example/pool-1", ""])
def test_the_recipe_where_no_ci_is_known(sigstore: SigstoreInstance, tmp_path: Path, builder: str) -> None:
    identity = "release@example.com"
    token = sigstore.identity_token(identity)
    job = {"SIGSTORE_IDENTITY_TOKEN": token, "IDENTITY": identity, "BUILDER_ID": builder}
    done = run_recipe(tmp_path, sigstore, job)
    if builder.endswith("-1"):
        assert done.returncode == 0, done.stdout + done.stderr
        bundle = parse_bundle((tmp_path / "signatures/attestations/provenance.sigstore.json").read_bytes(), "test")
        assert json.loads(bundle.payload)["predicate"]["runDetails"]["builder"]["id"] == builder
        assert left(tmp_path) == {"signatures", "summary.md"}
    else:
        assert done.returncode == 3, done.stdout + done.stderr
        assert "--builder-id" in done.stderr
        assert left(tmp_path) == set()


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
