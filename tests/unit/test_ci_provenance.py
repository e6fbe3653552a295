"""Provenance from the environments of CI systems: documented variables only, each checked, nothing secret."""

import json
from pathlib import Path

import pytest

from aibom.core.errors import InputError
from aibom.cyclonedx.inputs import inputs_of
from aibom.cyclonedx.view import parse_bom
from attest.predicates.ci import Build, find_build, repository_uri, without_credentials
from attest.predicates.generated import Material, provenance
from attest.predicates.kinds import check_predicate
from tests.factory import build_bom_bytes, make_release
from tests.predicates import Json
from tests.releases.files import put

PROVENANCE = "https://slsa.dev/provenance/v1"
COMMIT = "cd" * 20
SECRET = "s3cr3t-t0ken"

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/model",
    "GITHUB_WORKFLOW_REF": "acme/model/.github/workflows/release.yml@refs/tags/v1.0",
    "GITHUB_REF": "refs/tags/v1.0",
    "GITHUB_RUN_ID": "123",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REPOSITORY_ID": "7",
    "GITHUB_REPOSITORY_OWNER_ID": "8",
    "RUNNER_ENVIRONMENT": "github-hosted",
    "GITHUB_SHA": COMMIT,
    "GITHUB_TOKEN": SECRET,
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": SECRET,
    "ACTIONS_ID_TOKEN_REQUEST_URL": f"https://token.example/{SECRET}",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://gitlab.com/acme/model",
    "CI_COMMIT_REF_NAME": "main",
    "CI_JOB_STARTED_AT": "2026-01-31T12:00:00Z",
    "CI_RUNNER_ID": "42",
    "CI_CONFIG_PATH": ".gitlab-ci.yml",
    "CI_JOB_NAME": "release: sign",
    "CI_PIPELINE_SOURCE": "push",
    "CI_PROJECT_ID": "9",
    "CI_JOB_URL": "https://gitlab.com/acme/model/-/jobs/5",
    "CI_COMMIT_SHA": COMMIT,
    "CI_JOB_TOKEN": SECRET,
    "CI_REPOSITORY_URL": f"https://gitlab-ci-token:{SECRET}@gitlab.com/acme/model.git",
}
BUILDKITE = {
    "BUILDKITE": "true",
    "BUILDKITE_ORGANIZATION_SLUG": "acme",
    "BUILDKITE_PIPELINE_SLUG": "model",
    "BUILDKITE_BRANCH": "main",
    "BUILDKITE_REPO": f"https://robot:{SECRET}@git.example.com/acme/model.git?token={SECRET}",
    "BUILDKITE_SOURCE": "webhook",
    "BUILDKITE_BUILD_URL": "https://buildkite.com/acme/model/builds/3",
    "BUILDKITE_JOB_ID": "0190046e-e199-453b-a302-a21a4d649d31",
    "BUILDKITE_COMMIT": COMMIT,
    "BUILDKITE_AGENT_ACCESS_TOKEN": SECRET,
}
CIRCLECI = {
    "CIRCLECI": "true",
    "CIRCLE_ORGANIZATION_ID": "1b2c",
    "CIRCLE_PROJECT_ID": "3d4e",
    "CIRCLE_BRANCH": "main",
    "CIRCLE_REPOSITORY_URL": "git@github.com:acme/model.git",
    "CIRCLE_JOB": "release",
    "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/model/77",
    "CIRCLE_SHA1": COMMIT,
    "CIRCLE_OIDC_TOKEN": SECRET,
}
CLOUD_BUILD = {
    "BUILDER_OUTPUT": "/builder/outputs",
    "BUILD_ID": "b-1",
    "PROJECT_ID": "acme",
    "LOCATION": "global",
    "REPO_FULL_NAME": "acme/model",
    "REF_NAME": "main",
    "TRIGGER_BUILD_CONFIG_PATH": "cloudbuild.yaml",
    "TRIGGER_NAME": "release",
    "COMMIT_SHA": COMMIT,
    "GOOGLE_APPLICATION_CREDENTIALS": SECRET,
}
SYSTEMS = {"github": GITHUB, "gitlab": GITLAB, "buildkite": BUILDKITE, "circleci": CIRCLECI, "cloud-build": CLOUD_BUILD}
CODE = {
    "github": "git+https://github.com/acme/model@refs/tags/v1.0",
    "gitlab": "git+https://gitlab.com/acme/model@main",
    "buildkite": "git+https://git.example.com/acme/model.git@main",
    "circleci": "git+ssh://github.com/acme/model.git@main",
}
BUILDERS = {
    "github": "https://github.com/acme/model/.github/workflows/release.yml@refs/tags/v1.0",
    "gitlab": "https://gitlab.com/acme/model/-/runners/42",
    "buildkite": "https://buildkite.com/acme/model",
    "circleci": "https://oidc.circleci.com/org/1b2c",
    "cloud-build": "https://cloudbuild.googleapis.com/v1/projects/acme/locations/global",
}


def build_of(environment: dict[str, str]) -> Build:
    build = find_build(environment)
    assert build is not None
    return build


def made(environment: dict[str, str], *materials: Material) -> Json:
    predicate = provenance(build_of(environment), materials, release="model")
    assert check_predicate(PROVENANCE, predicate, "provenance")
    return predicate


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_system_says_who_built_and_nothing_secret(system: str) -> None:
    predicate = made(SYSTEMS[system])
    assert predicate["runDetails"]["builder"]["id"] == BUILDERS[system]
    assert predicate["buildDefinition"]["externalParameters"]
    text = json.dumps(predicate)
    assert SECRET not in text
    assert "robot" not in text
    assert COMMIT in text


@pytest.mark.parametrize("system", CODE)
def test_the_code_is_a_resolved_dependency_by_its_commit(system: str) -> None:
    (dependency,) = made(SYSTEMS[system])["buildDefinition"]["resolvedDependencies"]
    assert dependency == {"uri": CODE[system], "digest": {"gitCommit": COMMIT}}


def test_github_in_the_form_of_its_own_attestations() -> None:
    predicate = made(GITHUB)
    assert predicate["buildDefinition"]["buildType"] == "https://actions.github.io/buildtypes/workflow/v1"
    assert predicate["buildDefinition"]["externalParameters"] == {
        "workflow": {
            "ref": "refs/tags/v1.0",
            "repository": "https://github.com/acme/model",
            "path": ".github/workflows/release.yml",
        }
    }
    assert predicate["runDetails"]["metadata"] == {
        "invocationId": "https://github.com/acme/model/actions/runs/123/attempts/2"
    }


def test_gitlab_says_when_its_job_started() -> None:
    assert made(GITLAB)["runDetails"]["metadata"] == {
        "invocationId": "https://gitlab.com/acme/model/-/jobs/5",
        "startedOn": "2026-01-31T12:00:00Z",
    }


OPTIONAL = {
    "GITHUB_REPOSITORY_ID", "GITHUB_REPOSITORY_OWNER_ID", "RUNNER_ENVIRONMENT", "CI_JOB_STARTED_AT", "CI_CONFIG_PATH",
    "CI_PIPELINE_SOURCE", "CI_PROJECT_ID", "BUILDKITE_SOURCE", "REPO_FULL_NAME", "REF_NAME", "TRIGGER_NAME",
    "TRIGGER_BUILD_CONFIG_PATH", "COMMIT_SHA",
}  # fmt: skip
SWITCHES = {"GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "BUILDER_OUTPUT"}
UNREAD = {name for env in SYSTEMS.values() for name, value in env.items() if SECRET in value} - {"BUILDKITE_REPO"}
READ = [
    (system, name) for system, environment in SYSTEMS.items() for name in environment if name not in SWITCHES | UNREAD
]


@pytest.mark.parametrize(("system", "name"), READ)
@pytest.mark.parametrize(
    "value",
    ["x\ny", "\x1b[2J", "a b\x00", "x" * 5000, "x\u202etxt", "x\udcff"],
    ids=["line", "escape", "nul", "long", "bidi", "no text"],
)
def test_a_hostile_variable_is_refused_by_name_and_not_shown(system: str, name: str, value: str) -> None:
    with pytest.raises(InputError) as caught:
        find_build(SYSTEMS[system] | {name: value})
    assert caught.value.where == f"environment, {name}"
    shown = caught.value.message + caught.value.hint
    assert value not in shown
    assert len(shown) < 400


@pytest.mark.parametrize(("system", "name"), [item for item in READ if item[1] not in OPTIONAL])
def test_a_variable_that_is_not_set_is_named(system: str, name: str) -> None:
    environment = dict(SYSTEMS[system])
    del environment[name]
    if name == "BUILD_ID":  # without it, it is not Cloud Build
        assert find_build(environment) is None
        return
    with pytest.raises(InputError, match=name):
        find_build(environment)


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_optional_variables_may_be_missing(name: str) -> None:
    for environment in SYSTEMS.values():
        if name in environment:
            made({key: value for key, value in environment.items() if key != name})


@pytest.mark.parametrize(
    ("system", "name"),
    [
        ("github", "GITHUB_SERVER_URL"),
        ("gitlab", "CI_PROJECT_URL"),
        ("gitlab", "CI_JOB_URL"),
        ("buildkite", "BUILDKITE_BUILD_URL"),
        ("circleci", "CIRCLE_BUILD_URL"),
    ],
)
@pytest.mark.parametrize(
    "form", ["https://robot:{}@host.example/x", "https://host.example/x?token={}", "https://h.example/#{}"]
)
def test_an_address_with_a_secret_is_refused_and_not_shown(system: str, name: str, form: str) -> None:
    with pytest.raises(InputError, match=name) as caught:
        find_build(SYSTEMS[system] | {name: form.format(SECRET)})
    assert SECRET not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("https://host.example/a/b.git", "git+https://host.example/a/b.git"),
        (f"https://{SECRET}@host.example/a", "git+https://host.example/a"),
        (f"HTTPS://u:{SECRET}@host.example/a", "git+HTTPS://host.example/a"),
        (f"https://host.example/a?private_token={SECRET}#{SECRET}", "git+https://host.example/a"),
        (f"https://u:p/{SECRET}@host.example/a", ""),
        (f"https://u@v:{SECRET}@host.example/a", ""),
        ("git@host.example:a/b.git", "git+ssh://host.example/a/b.git"),
        ("ssh://git@host.example/a/b", "git+ssh://host.example/a/b"),
        ("git+https://host.example/a", "git+https://host.example/a"),
        ("/srv/git/model", ""),
        ("../model", ""),
        ("https://host.example/a b", ""),
        ("https://", ""),
        ("", ""),
    ],
)
def test_repository_addresses_never_hold_credentials(address: str, uri: str) -> None:
    assert repository_uri(address) == uri
    assert SECRET not in without_credentials(address)


def test_outside_of_ci_a_builder_has_to_be_stated() -> None:
    assert find_build({"CI": "true", "GITHUB_ACTIONS": "false"}) is None
    with pytest.raises(InputError, match="in no CI system that we know") as caught:
        provenance(None, [], release="model")
    assert caught.value.where == "--builder-id"
    predicate = provenance(None, [], release="model", builder="https://example.com/lab")
    assert predicate["runDetails"] == {"builder": {"id": "https://example.com/lab"}}
    assert predicate["buildDefinition"]["externalParameters"] == {"release": "model"}
    with pytest.raises(InputError, match="no absolute URI"):
        provenance(None, [], release="model", builder="my laptop")


def test_materials_become_dependencies_once_and_without_credentials() -> None:
    predicate = made(
        GITHUB,
        Material(name="base", uri="pkg:huggingface/acme/base@1", digests={"gitCommit": "ab" * 20}),
        Material(name="base", uri="pkg:huggingface/acme/base@1"),
        Material(name="code", uri="https://github.com/acme/model", digests={"gitCommit": COMMIT}),
        Material(name="data", uri=f"https://robot:{SECRET}@data.example/train.csv", digests={"sha256": "ab" * 32}),
        Material(name="other code", uri=f"https://{SECRET}@git.example/x", digests={"gitCommit": "ef" * 20}),
        Material(name="nowhere", uri="not an address"),
        Material(name="odd", uri=f"https://a@b:{SECRET}@c/d"),
    )
    assert predicate["buildDefinition"]["resolvedDependencies"] == [
        {"uri": CODE["github"], "digest": {"gitCommit": COMMIT}},
        {"uri": "pkg:huggingface/acme/base@1", "name": "base", "digest": {"gitCommit": "ab" * 20}},
        {"uri": "https://data.example/train.csv", "name": "data", "digest": {"sha256": "ab" * 32}},
        {"uri": "git+https://git.example/x", "name": "other code", "digest": {"gitCommit": "ef" * 20}},
    ]


@pytest.mark.parametrize(
    ("given", "signed"),
    [
        ("ci/release.yml", "ci/release.yml"),
        (".gitlab-ci.yml@acme/pipelines", ".gitlab-ci.yml@acme/pipelines"),
        (".gitlab-ci.yml@acme/pipelines:v1", ".gitlab-ci.yml@acme/pipelines:v1"),
        ("https://ci.example.com/release.yml", "https://ci.example.com/release.yml"),
        (f"https://ci.example.com/release.yml?private_token={SECRET}", "https://ci.example.com/release.yml"),
        (f"https://robot:{SECRET}@ci.example.com/release.yml#x", "https://ci.example.com/release.yml"),
    ],
)
def test_where_a_pipeline_is_configured_gives_no_secret_away(given: str, signed: str) -> None:
    predicate = made({**GITLAB, "CI_CONFIG_PATH": given})
    assert predicate["buildDefinition"]["externalParameters"]["config"] == signed


@pytest.mark.parametrize(
    "given", [f"release.yml?token={SECRET}", f"release.yml#{SECRET}", f"robot:{SECRET}@ci.example.com/x.yml", "a@b@c/d"]
)
@pytest.mark.parametrize("system", ["gitlab", "cloud-build"])
def test_a_configuration_that_is_no_file_is_refused_and_not_shown(system: str, given: str) -> None:
    variable = {"gitlab": "CI_CONFIG_PATH", "cloud-build": "TRIGGER_BUILD_CONFIG_PATH"}[system]
    with pytest.raises(InputError) as caught:
        build_of({**SYSTEMS[system], variable: given})
    assert SECRET not in f"{caught.value.message}{caught.value.hint}"


def test_the_code_that_the_bom_names_stays_where_the_job_gives_no_address() -> None:
    code = Material(name="model", uri="git+https://git.example.com/acme/model", digests={"gitCommit": COMMIT})
    predicate = made({**SYSTEMS["buildkite"], "BUILDKITE_REPO": "/srv/git/model.git"}, code)
    (dependency,) = predicate["buildDefinition"]["resolvedDependencies"]
    assert dependency["digest"] == {"gitCommit": COMMIT}


def test_a_data_set_that_a_card_names_by_its_address(tmp_path: Path) -> None:
    release = make_release(tmp_path / "release")
    address = "https://data.example.com/e.csv"
    put(release / "README.md", f"---\ndatasets:\n- {address}?token={SECRET}\n---\n# M\n".encode())
    inputs = inputs_of(parse_bom(build_bom_bytes(release), "bom"))
    materials = [Material(name=item.name, uri=item.uri, digests=item.digests) for item in inputs]
    dependencies = made(GITHUB, *materials)["buildDefinition"]["resolvedDependencies"]
    assert {"uri": address} in dependencies
    assert SECRET not in json.dumps(dependencies)
