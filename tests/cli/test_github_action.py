"""The shell of `action.yml`, really run: a GitHub job signs with its own identity, or fails and leaves nothing."""

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from tests.cli import platforms
from tests.cli.pipelines import INTERPRETER, JobRan, action, github_environment, run_action
from tests.cli.test_ambient_identity import everything
from tests.conftest import Ran
from tests.factory import make_release
from tests.sigstore_instance import SigstoreInstance

Aibom = Callable[..., Ran]
PROVENANCE = "attestations/provenance.sigstore.json"
NAMES = [BOM_NAME, SIGNATURE_NAME, BOM_BUNDLE_NAME]


class Job:
    """A job in a checkout that holds a release, with a private Sigstore instance to sign at."""

    def __init__(self, sigstore: SigstoreInstance, folder: Path) -> None:
        self.workspace = folder / "checkout"
        self.release = make_release(self.workspace / "model")
        self.config = folder / "trust.json"
        self.config.write_text(json.dumps(sigstore.trust_config(rekor=2, timestamps=True)))
        self.environment = github_environment(sigstore, self.workspace)
        self.issuer = sigstore.url
        self.inputs = {
            **INTERPRETER,
            "path": "model",
            "trust_config": str(self.config),
            "issuer": self.issuer,
            "provenance": "false",
        }

    def run(self, **inputs: str) -> JobRan:
        ran = run_action(self.environment, **{**self.inputs, **inputs})
        secrets = [platforms.REQUEST_TOKEN, "eyJ"]
        assert not [secret for secret in secrets if secret in ran.log + ran.summary]
        assert list(Path(self.environment["RUNNER_TEMP"]).glob("aibom.*")) == []
        return ran

    def fails(self, **inputs: str) -> JobRan:
        """The job fails, says so where GitHub shows it, and hands nothing on."""
        ran = self.run(**inputs)
        assert ran.code != 0
        assert ran.summary.startswith("## Not signed\n\nFailed while ")
        assert "## Signed" not in ran.summary
        assert "::error title=Not signed::" in ran.log
        assert ran.outputs == {}
        return ran

    def bundles(self) -> list[str]:
        files = self.workspace.parent.rglob("*")
        return sorted(path.name for path in files if path.name.endswith((".sig", ".sigstore.json")))

    def freeze(self) -> None:
        for path in [*self.release.rglob("*"), self.release]:
            path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.fixture
def job(sigstore: SigstoreInstance, tmp_path: Path) -> Job:
    return Job(sigstore, tmp_path)


@pytest.fixture
def unreachable(job: Job) -> str:
    """Configuration of an instance whose authority is not there."""
    document = json.loads(job.config.read_text())
    document["signingConfig"]["caUrls"][0]["url"] = "http://127.0.0.1:9"
    file = job.config.with_name("unreachable.json")
    file.write_text(json.dumps(document))
    return str(file)


def test_a_checkout_that_may_not_be_written_to(aibom: Aibom, job: Job, request: pytest.FixtureRequest) -> None:
    job.freeze()
    before = everything(job.release)
    ran = job.run(output_dir="out put", provenance="true")
    assert ran.code == 0, ran.log
    assert everything(job.release) == before
    names = [*NAMES, PROVENANCE]
    out = job.workspace / "out put"
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()) == sorted(names)
    assert ran.summary.startswith("## Signed: model\n")
    assert "--attached './out put'" in ran.summary
    request.getfixturevalue("no_network")
    expect = ["--identity", platforms.GITHUB_IDENTITY, "--issuer", job.issuer, "--trust-config", job.config]
    verified = aibom("verify", job.release, "--attached", out, *expect, "--json")
    assert verified.code == 0, verified.out
    assert ran.outputs == {
        "bom": f"out put/{BOM_NAME}",
        "signature": f"out put/{SIGNATURE_NAME}",
        "attestations": "out put/attestations",
        "tree-digest": json.loads(verified.out)["subject"]["tree_digest"],
    }


def test_provenance_is_attested_unless_it_is_declined(job: Job) -> None:
    assert action()["inputs"]["provenance"]["default"] == "true"
    ran = job.run(provenance="true")
    assert ran.code == 0, ran.log
    bundle = json.loads((job.release / PROVENANCE).read_bytes())
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    assert statement["predicate"]["runDetails"]["builder"]["id"] == platforms.GITHUB_IDENTITY


def test_inputs_are_never_taken_for_shell_or_options(job: Job) -> None:
    name = "-x$(touch pwned)`touch pwned`';touch pwned;\" #\n::set-output name=a::b"
    job.release.rename(job.workspace / name)
    ran = job.run(path=name)
    assert ran.code == 0, ran.log
    assert list(job.workspace.parent.rglob("pwned")) == []
    assert ran.outputs["signature"] == f"./{name}/{SIGNATURE_NAME}"
    first, *_, last = ran.log.splitlines()
    assert first.startswith("::stop-commands::")
    assert last == f"::{first.removeprefix('::stop-commands::')}::"


def test_an_authority_that_is_not_there(job: Job, unreachable: str) -> None:
    earlier = b"the signature of an earlier run"
    (job.release / SIGNATURE_NAME).write_bytes(earlier)
    ran = job.fails(trust_config=unreachable)
    assert ran.code == 3
    assert "Failed while building the BOM and signing" in ran.summary
    assert "(Fulcio)" in ran.summary
    assert job.bundles() == [SIGNATURE_NAME]
    assert (job.release / SIGNATURE_NAME).read_bytes() == earlier


def test_a_signature_by_somebody_else_than_expected_is_taken_back(job: Job) -> None:
    ran = job.fails(identity="https://github.com/octo/models/.github/workflows/other.yml@refs/heads/main")
    assert ran.code == 1
    assert "Failed while verifying what was signed" in ran.summary
    assert "verdict: rejected" in ran.summary
    assert job.bundles() == []


def test_without_provenance_that_was_asked_for_nothing_stays_signed(job: Job) -> None:
    del job.environment["GITHUB_RUN_ID"]
    ran = job.fails(provenance="true")
    assert "Failed while attesting the provenance" in ran.summary
    assert job.bundles() == []


def test_a_job_that_is_ended_from_outside_has_failed(job: Job, tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text(
        f'#!/bin/sh\nif [ "$4" = verify ]; then kill -TERM "$PPID"; exit 0; fi\nexec {INTERPRETER["python"]} "$@"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    job.fails(python=str(script), output_dir="out")
    assert job.bundles() == []


@pytest.mark.parametrize("inputs", [{"path": "nowhere"}, {"provenance": "yes"}, {"output_dir": "model/out"}])
def test_inputs_that_make_no_sense(job: Job, inputs: dict[str, str]) -> None:
    (job.release / SIGNATURE_NAME).write_bytes(b"earlier")
    assert job.fails(**inputs).code == 2
    assert job.bundles() == [SIGNATURE_NAME]


def test_an_interpreter_that_is_none(job: Job) -> None:
    ran = run_action(job.environment, **{**job.inputs, "python": "false"})
    assert ran.code != 0
    assert ran.summary.startswith("## Not signed\n")
    assert ran.outputs == {}


def test_no_step_pastes_anything_into_its_script_or_runs_another_s_action() -> None:
    document = action()
    assert document["runs"]["using"] == "composite"
    used = set()
    for step in document["runs"]["steps"]:
        assert step.keys() == {"id", "shell", "env", "run"}
        assert "${{" not in step["run"]
        used |= {value for value in step["env"].values() if value.startswith("${{ inputs.")}
        assert all(f"${name}" in step["run"] or f"${{{name}" in step["run"] for name in step["env"])
    assert used == {f"${{{{ inputs.{name} }}}}" for name in document["inputs"]}
    assert all(item["description"] for item in [*document["inputs"].values(), *document["outputs"].values()])
