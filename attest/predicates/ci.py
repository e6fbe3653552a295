"""What a CI system says of the job that runs: its documented variables, none of them secret, each checked.

A variable is input like any other: who may start a job may choose the name of its branch. What is not of the form
that its system documents is refused, not written into a signed statement; nor is it shown, since an address may hold a
password and logs are read by many. No address is taken with a user, a query or a fragment. Sources: the lists of
predefined variables of GitHub Actions, GitLab CI, Buildkite, CircleCI and Google Cloud Build.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aibom.core.errors import InputError
from attest.predicates.shapes import is_uri, timestamp

_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)([\w./~+-]+)", re.ASCII)
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*://)(?:[^/@?#]*@)?([^@?#]+)(?:[?#].*)?", re.ASCII | re.IGNORECASE)
COMMIT = r"[0-9a-f]{40}|[0-9a-f]{64}"
NUMBER = r"[0-9]{1,20}"
NAME = r"[A-Za-z0-9_.-]{1,200}"
PATH = r"[A-Za-z0-9_.-]{1,200}(?:/[A-Za-z0-9_.-]{1,200}){1,20}"
# What shows as something else than it is, or is no text at all: controls, invisible and direction marks, surrogates.
_HIDDEN = r"\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
REF = rf"[^{_HIDDEN} ~^:?*\[\\]{{1,1000}}"
LINE = rf"[^{_HIDDEN}]{{1,500}}"
FILE = rf"[^{_HIDDEN} ]{{1,1000}}"
# A file of this project, or of another one at a ref, as GitLab writes it: never an address.
CONFIG = rf"[^{_HIDDEN} ?#@:]{{1,1000}}(?:@{PATH}(?::{REF})?)?"
ANY_WEB = rf"https?://[^{_HIDDEN} ]{{1,1000}}"
WEB = rf"https?://[^{_HIDDEN}\s@?#]{{1,1000}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One job of a CI system, in the terms of SLSA provenance."""

    system: str
    build_type: str
    builder: str
    external: Mapping[str, Any]
    internal: Mapping[str, Any] = field(default_factory=dict)
    invocation: str = ""
    started: str = ""
    source: str = ""
    """Where the code is from: `git+https://…@ref`."""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class _Variables:
    """The environment, read one checked variable at a time."""

    environment: Mapping[str, str]

    def __call__(self, name: str, form: str) -> str:
        value = self.environment.get(name, "")
        if not re.fullmatch(form, value, re.ASCII):
            found = f"{len(value)} characters of another form" if value else "nothing"
            raise InputError(
                f"cannot tell the build from the CI job: {name} has not the form that is taken here",
                where=f"environment, {name}",
                hint=f"found {found}; run this in the job that made the release, or give --predicate",
            )
        return value

    def maybe(self, name: str, form: str) -> str:
        """As a call, but empty if the variable is not set."""
        return self(name, form) if self.environment.get(name) else ""


def find_build(environment: Mapping[str, str]) -> Build | None:
    """The CI job that runs, or None outside of the systems that we know. Raises InputError for odd variables."""
    for is_running, describe in _SYSTEMS:
        if is_running(environment):
            return describe(_Variables(environment))
    return None


def repository_uri(address: str) -> str:
    """A Git address as a URI without credentials; empty if it is none, or if it cannot be told what they are.

    `git@host:owner/name.git` is an SSH address in short. A user, a query and a fragment are dropped from all others.
    """
    short = _SCP.fullmatch(address)
    plain = without_credentials(f"ssh://{short.group(1)}/{short.group(2)}" if short else address)
    return f"git+{plain.removeprefix('git+')}" if plain else ""


def without_credentials(address: str) -> str:
    """An address `scheme://host/path` with nothing else in it; empty if there is an `@` where no user stands."""
    found = _ADDRESS.fullmatch(address)
    plain = f"{found.group(1)}{found.group(2)}" if found else ""
    return plain if is_uri(plain) else ""


def _config(value: str) -> str:
    """Where a pipeline is configured; an address only without its user and query, which may be secrets."""
    return without_credentials(value) if "://" in value else value


def _given(**values: str) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}


def _github(read: _Variables) -> Build:
    """The form in which GitHub's own attestations describe a workflow."""
    server, repository = read("GITHUB_SERVER_URL", WEB), read("GITHUB_REPOSITORY", PATH)
    workflow, ref = read("GITHUB_WORKFLOW_REF", rf"{PATH}@{REF}"), read("GITHUB_REF", REF)
    run, attempt = read("GITHUB_RUN_ID", NUMBER), read("GITHUB_RUN_ATTEMPT", NUMBER)
    address = f"{server}/{repository}"
    file, _, workflow_ref = workflow.removeprefix(f"{repository}/").partition("@")
    return Build(
        system="GitHub Actions",
        build_type="https://actions.github.io/buildtypes/workflow/v1",
        builder=f"{server}/{workflow}",
        external={"workflow": {"ref": workflow_ref, "repository": address, "path": file}},
        internal={
            "github": _given(
                event_name=read("GITHUB_EVENT_NAME", NAME),
                repository_id=read.maybe("GITHUB_REPOSITORY_ID", NUMBER),
                repository_owner_id=read.maybe("GITHUB_REPOSITORY_OWNER_ID", NUMBER),
                runner_environment=read.maybe("RUNNER_ENVIRONMENT", NAME),
            )
        },
        invocation=f"{address}/actions/runs/{run}/attempts/{attempt}",
        source=f"git+{address}@{ref}",
        commit=read("GITHUB_SHA", COMMIT),
    )


def _gitlab(read: _Variables) -> Build:
    project, ref = read("CI_PROJECT_URL", WEB), read("CI_COMMIT_REF_NAME", REF)
    started = read.maybe("CI_JOB_STARTED_AT", r"[0-9TZ:.+-]{1,40}")
    if started:
        timestamp(started, "environment, CI_JOB_STARTED_AT")
    return Build(
        system="GitLab CI",
        build_type="urn:aibom:build:gitlab-ci:v1",
        builder=f"{project}/-/runners/{read('CI_RUNNER_ID', NUMBER)}",
        external=_given(
            project=project,
            ref=ref,
            config=_config(read.maybe("CI_CONFIG_PATH", f"{CONFIG}|{ANY_WEB}")),
            job=read("CI_JOB_NAME", LINE),
        ),
        internal=_given(source=read.maybe("CI_PIPELINE_SOURCE", NAME), project_id=read.maybe("CI_PROJECT_ID", NUMBER)),
        invocation=read("CI_JOB_URL", WEB),
        started=started,
        source=f"git+{project}@{ref}",
        commit=read("CI_COMMIT_SHA", COMMIT),
    )


def _buildkite(read: _Variables) -> Build:
    organisation, pipeline = read("BUILDKITE_ORGANIZATION_SLUG", NAME), read("BUILDKITE_PIPELINE_SLUG", NAME)
    branch = read("BUILDKITE_BRANCH", REF)
    repository = repository_uri(read("BUILDKITE_REPO", FILE))
    return Build(
        system="Buildkite",
        build_type="urn:aibom:build:buildkite:v1",
        builder=f"https://buildkite.com/{organisation}/{pipeline}",
        external=_given(pipeline=f"{organisation}/{pipeline}", repository=repository, branch=branch),
        internal=_given(source=read.maybe("BUILDKITE_SOURCE", NAME)),
        invocation=f"{read('BUILDKITE_BUILD_URL', WEB)}#{read('BUILDKITE_JOB_ID', NAME)}",
        source=f"{repository}@{branch}" if repository else "",
        commit=read("BUILDKITE_COMMIT", COMMIT),
    )


def _circleci(read: _Variables) -> Build:
    organisation, project = read("CIRCLE_ORGANIZATION_ID", NAME), read("CIRCLE_PROJECT_ID", NAME)
    ref = read.maybe("CIRCLE_TAG", REF) or read("CIRCLE_BRANCH", REF)
    repository = repository_uri(read("CIRCLE_REPOSITORY_URL", FILE))
    return Build(
        system="CircleCI",
        build_type="urn:aibom:build:circleci:v1",
        builder=f"https://oidc.circleci.com/org/{organisation}",
        external=_given(project=project, repository=repository, ref=ref, job=read("CIRCLE_JOB", NAME)),
        invocation=read("CIRCLE_BUILD_URL", WEB),
        source=f"{repository}@{ref}" if repository else "",
        commit=read("CIRCLE_SHA1", COMMIT),
    )


def _cloud_build(read: _Variables) -> Build:
    """Its substitutions are variables only with `automapSubstitutions: true` among the options of the build."""
    project, place = read("PROJECT_ID", NAME), read("LOCATION", NAME)
    root = f"https://cloudbuild.googleapis.com/v1/projects/{project}/locations/{place}"
    name, ref = read.maybe("REPO_FULL_NAME", PATH), read.maybe("REF_NAME", REF)
    config = read.maybe("TRIGGER_BUILD_CONFIG_PATH", CONFIG)
    commit = read.maybe("COMMIT_SHA", COMMIT)
    # The full name of a repository does not say which host it is on; only its commit identifies it then.
    return Build(
        system="Google Cloud Build",
        build_type="urn:aibom:build:google-cloud-build:v1",
        builder=root,
        external=_given(repository=name, ref=ref, config=config, commit=commit) or {"project": project},
        internal=_given(trigger=read.maybe("TRIGGER_NAME", NAME)),
        invocation=f"{root}/builds/{read('BUILD_ID', NAME)}",
    )


def _says_true(name: str) -> Callable[[Mapping[str, str]], bool]:
    return lambda environment: environment.get(name) == "true"


def _is_cloud_build(environment: Mapping[str, str]) -> bool:
    return "BUILDER_OUTPUT" in environment and "BUILD_ID" in environment


_SYSTEMS: tuple[tuple[Callable[[Mapping[str, str]], bool], Callable[[_Variables], Build]], ...] = (
    (_says_true("GITHUB_ACTIONS"), _github),
    (_says_true("GITLAB_CI"), _gitlab),
    (_says_true("BUILDKITE"), _buildkite),
    (_says_true("CIRCLECI"), _circleci),
    (_is_cloud_build, _cloud_build),
)
SYSTEMS = ("GitHub Actions", "GitLab CI", "Buildkite", "CircleCI", "Google Cloud Build")
