"""The script of `templates/sign-model.yml`, really run: a GitLab job signs with its own identity, or leaves nothing."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from tests.cli import platforms
from tests.cli.pipelines import INTERPRETER, component, component_job, gitlab_environment, run_component
from tests.cli.test_ambient_identity import everything
from tests.conftest import Ran
from tests.factory import make_release
from tests.sigstore_instance import SigstoreInstance

Aibom = Callable[..., Ran]
IDENTITY = f"https://{platforms.GITLAB_CONFIG}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_release(tmp_path / "project" / "model")
    return tmp_path / "project"


@pytest.fixture
def environment(sigstore: SigstoreInstance, project: Path) -> dict[str, str]:
    return gitlab_environment(sigstore, project)


@pytest.fixture
def inputs(sigstore: SigstoreInstance, tmp_path: Path) -> dict[str, str]:
    config = tmp_path / "trust.json"
    config.write_text(json.dumps(sigstore.trust_config(rekor=2, timestamps=True)))
    given = {"path": "model", "trust_config": str(config), "issuer": sigstore.url, "provenance": "false"}
    return {**INTERPRETER, **given}


def bundles(project: Path) -> list[str]:
    return [path.name for path in project.rglob("*") if path.name.endswith((".sig", ".sigstore.json"))]


def test_a_checkout_that_may_not_be_written_to(
    aibom: Aibom, project: Path, environment: dict[str, str], inputs: dict[str, str]
) -> None:
    for path in [*(project / "model").rglob("*"), project / "model"]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = everything(project / "model")
    ran = run_component(environment, **{**inputs, "provenance": "true"})
    assert ran.code == 0, ran.log
    assert "eyJ" not in ran.log
    assert everything(project / "model") == before
    out = project / "aibom-signatures"
    assert (out / "summary.md").read_text().startswith("## Signed: model\n")
    names = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} - {"summary.md"}
    assert names - {"attestations/provenance.sigstore.json"} == {BOM_NAME, SIGNATURE_NAME, BOM_BUNDLE_NAME}
    assert len(names) == 4
    expect = ["--identity", IDENTITY, "--issuer", inputs["issuer"], "--trust-config", inputs["trust_config"]]
    assert aibom("verify", project / "model", "--attached", out, *expect).code == 0


def test_an_authority_that_is_not_there(project: Path, environment: dict[str, str], inputs: dict[str, str]) -> None:
    config = Path(inputs["trust_config"])
    document = json.loads(config.read_text())
    document["signingConfig"]["caUrls"][0]["url"] = "http://127.0.0.1:9"
    config.write_text(json.dumps(document))
    ran = run_component(environment, **inputs)
    assert ran.code == 3
    assert "(Fulcio)" in ran.log
    assert "No signature of this run is left." in ran.log
    assert bundles(project) == []


def test_a_signature_by_another_pipeline_than_expected_is_taken_back(
    project: Path, environment: dict[str, str], inputs: dict[str, str]
) -> None:
    del environment["CI_COMMIT_BRANCH"]
    environment["CI_COMMIT_TAG"] = "v1"  # but the token says main
    ran = run_component(environment, **inputs)
    assert ran.code == 1, ran.log
    assert "refs/tags/v1" in "".join(ran.log.split())
    assert "No signature of this run is left." in ran.log
    assert bundles(project) == []


def test_a_pipeline_that_belongs_to_no_branch(
    project: Path, environment: dict[str, str], inputs: dict[str, str]
) -> None:
    del environment["CI_COMMIT_BRANCH"]
    ran = run_component(environment, **inputs)
    assert ran.code == 2
    assert "say by the input identity" in ran.log
    assert bundles(project) == []


@pytest.mark.parametrize(
    ("bent", "told"),
    [
        ({"path": "nowhere"}, "the input path is not a folder"),
        ({"installed": "false"}, "the input source is needed"),
        ({"path": "."}, "the output folder lies inside the release"),
    ],
)
def test_inputs_that_make_no_sense(
    project: Path, environment: dict[str, str], inputs: dict[str, str], bent: dict[str, str], told: str
) -> None:
    ran = run_component(environment, **{**inputs, **bent})
    assert ran.code == 2
    assert told in ran.log
    assert bundles(project) == []


def test_no_input_reaches_the_script_or_ends_its_quotes() -> None:
    known, body = component()
    places = re.findall(r"^.*\$\[\[.*$", body, re.MULTILINE)
    assert [line for line in places if not re.fullmatch(r"\s*(- |\w+: )'\$\[\[ inputs\.[a-z-]+ \]\]'", line)] == []
    assert {name for line in places for name in re.findall(r"inputs\.([a-z-]+)", line)} == known.keys()
    assert all(item["description"] for item in known.values())
    words = {name: item for name, item in known.items() if item.get("type") != "boolean"}
    hostile = "x'\nscript: [id] #"
    assert [name for name, item in words.items() if re.search(item["regex"], hostile)] == []
    assert [name for name, item in words.items() if not re.search(item["regex"], str(item.get("default", "x")))] == []


def test_the_job_that_comes_out() -> None:
    harmless = 'a "b" $(c) \\ `d` # e: f'
    job = component_job(path=harmless)
    assert job["variables"]["AIBOM_RELEASE"] == harmless
    assert job["variables"]["AIBOM_TRUST_CONFIG"] == ""
    assert job["variables"]["AIBOM_PROVENANCE"] == "true"
    assert job["id_tokens"] == {"SIGSTORE_ID_TOKEN": {"aud": "sigstore"}}
    assert job["artifacts"] == {"when": "on_success", "paths": ["aibom-signatures"]}
