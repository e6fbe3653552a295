"""The shell of `action.yml` and `templates/sign-model.yml`, run as the runners of GitHub and GitLab run it."""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import yaml

from tests.cli import platforms
from tests.sigstore_instance import SigstoreInstance

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action.yml"
COMPONENT = ROOT / "templates" / "sign-model.yml"
COMMIT = "c" * 40
_INPUT = re.compile(r"\$\[\[ inputs\.([a-z-]+) \]\]")
_EXPRESSION = re.compile(r"\$\{\{ (inputs|steps\.[a-z]+\.outputs)\.([a-z-]+) \}\}")

Json = dict[str, Any]


@dataclass(frozen=True)
class JobRan:
    """What a job ended with, what it printed, and what it leaves to those after it."""

    code: int
    log: str
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


def action() -> Json:
    return dict(yaml.safe_load(ACTION.read_text(encoding="utf-8")))


def component() -> tuple[Json, str]:
    """The inputs of the component, and the text below them."""
    header, _, body = COMPONENT.read_text(encoding="utf-8").partition("\n---\n")
    return dict(yaml.safe_load(header)["spec"]["inputs"]), body


def github_environment(sigstore: SigstoreInstance, workspace: Path) -> dict[str, str]:
    """What GitHub sets for a job with `id-token: write`, and the folders that its runner makes."""
    temporary = workspace.parent / "runner-temp"
    temporary.mkdir(exist_ok=True)
    return {
        **platforms.clean_environment(),
        **platforms.github(sigstore),
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "*",
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REPOSITORY": "octo/models",
        "GITHUB_REPOSITORY_ID": "1001",
        "GITHUB_REPOSITORY_OWNER_ID": "2002",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": "3003",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_SHA": COMMIT,
        "GITHUB_WORKFLOW_REF": platforms.WORKFLOW,
        "GITHUB_WORKSPACE": str(workspace),
        "RUNNER_ENVIRONMENT": "github-hosted",
        "RUNNER_TEMP": str(temporary),
    }


def run_action(environment: dict[str, str], **inputs: str) -> JobRan:
    """Run each step until one fails, as a composite action does; without an input, its default counts."""
    document = action()
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    assert given.keys() <= document["inputs"].keys()
    known = {"inputs": {n: given.get(n, i.get("default", "")) for n, i in document["inputs"].items()}}
    files = {name: Path(environment["RUNNER_TEMP"]) / name for name in ("summary", "outputs", "step.sh")}
    log, code = "", 0
    files["summary"].write_text("")
    for step in document["runs"]["steps"]:
        assert step["shell"] == "bash"
        files["step.sh"].write_text(step["run"])
        files["outputs"].write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(files["step.sh"])],
            cwd=environment["GITHUB_WORKSPACE"],
            env={
                **environment,
                **{name: _filled(value, known) for name, value in step["env"].items()},
                "GITHUB_STEP_SUMMARY": str(files["summary"]),
                "GITHUB_OUTPUT": str(files["outputs"]),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        log, code = log + done.stdout, done.returncode
        known[f"steps.{step['id']}.outputs"] = _outputs(files["outputs"].read_text())
        if code:
            break
    outputs = {name: _filled(item["value"], known) for name, item in document["outputs"].items()}
    return JobRan(code, log, files["summary"].read_text(), {name: value for name, value in outputs.items() if value})


def _filled(value: str, known: dict[str, dict[str, str]]) -> str:
    return _EXPRESSION.sub(lambda found: known.get(found[1], {}).get(found[2], ""), value)


def _outputs(text: str) -> dict[str, str]:
    """Read a file of outputs: `name=value`, or `name<<MARK` with lines up to the mark."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, several, mark = line.partition("<<")
        if not several:
            name, _, found[name] = line.partition("=")
            continue
        value = []
        while (item := next(lines)) != mark:
            value.append(item)
        found[name] = "\n".join(value)
    return found


def gitlab_environment(sigstore: SigstoreInstance, project: Path) -> dict[str, str]:
    """What GitLab sets for a job with `id_tokens`, in a pipeline for the branch main."""
    return {
        **platforms.clean_environment(),
        **platforms.gitlab(sigstore),
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "*",
        "CI_COMMIT_BRANCH": "main",
        "CI_COMMIT_REF_NAME": "main",
        "CI_COMMIT_SHA": COMMIT,
        "CI_CONFIG_PATH": ".gitlab-ci.yml",
        "CI_JOB_NAME": "sign-model",
        "CI_JOB_STARTED_AT": "2026-11-21T12:00:00Z",
        "CI_JOB_URL": "https://gitlab.com/octo/models/-/jobs/4004",
        "CI_PIPELINE_SOURCE": "push",
        "CI_PROJECT_DIR": str(project),
        "CI_PROJECT_ID": "1001",
        "CI_PROJECT_URL": "https://gitlab.com/octo/models",
        "CI_RUNNER_ID": "5005",
        "CI_SERVER_URL": "https://gitlab.com",
    }


def component_job(**inputs: str) -> Json:
    """The job with its inputs put in where GitLab puts them: into the text, before it is read."""
    known, body = component()
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    assert given.keys() <= known.keys()

    def value(found: re.Match[str]) -> str:
        item = given.get(found[1], known[found[1]].get("default"))
        assert item is not None, f"{found[1]} is needed"
        text = str(item).lower() if isinstance(item, bool) else item
        assert re.search(known[found[1]].get("regex", ""), text), f"{found[1]} is refused"
        return text

    return dict(yaml.safe_load(_INPUT.sub(value, body))["sign-model"])


def run_component(environment: dict[str, str], **inputs: str) -> JobRan:
    """Run the script as GitLab's runner does, which evaluates it in a shell that reads from a pipe."""
    job = component_job(**inputs)
    script = "\n".join(job["script"])
    done = subprocess.run(
        ["bash", "-c", 'set -eo pipefail; set +o noclobber; : | eval "$JOB_SCRIPT"'],
        cwd=environment["CI_PROJECT_DIR"],
        env={**environment, **job["variables"], "JOB_SCRIPT": script},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return JobRan(done.returncode, done.stdout)


def has_attest() -> bool:
    """Whether this aibom can attest provenance."""
    from aibom.cli import cli

    return "attest" in cli.list_commands(click.Context(cli))


INTERPRETER = {"python": sys.executable, "installed": "true"}
