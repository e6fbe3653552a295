"""The platform's part of a CI job's identity: what each system puts into the environment of a job, and no more."""

import os
import stat
import sys
from pathlib import Path
from urllib.parse import urlencode

from tests.sigstore_instance import SigstoreInstance

# What says "a CI job", on any system; a test starts without, also when a CI system runs it.
VARIABLES = (
    "CI",
    "GITHUB_ACTIONS",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "GITLAB_CI",
    "SIGSTORE_ID_TOKEN",
    "BUILDKITE",
    "CIRCLECI",
    "BUILDER_OUTPUT",
    "GOOGLE_SERVICE_ACCOUNT_NAME",
    "SIGSTORE_IDENTITY_TOKEN",
    "AIBOM_LOGIN",
)
WORKFLOW = "octo/models/.github/workflows/release.yml@refs/heads/main"
GITHUB_IDENTITY = f"https://github.com/{WORKFLOW}"
GITLAB_CONFIG = "gitlab.com/octo/models//.gitlab-ci.yml@refs/heads/main"
REQUEST_TOKEN = "runner-secret-that-nobody-may-see"


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in VARIABLES}


def github(sigstore: SigstoreInstance) -> dict[str, str]:
    """A job with `permissions: id-token: write`. The service adds its claims, from the address, to every token."""
    claims = {
        "sub": "repo:octo/models:ref:refs/heads/main",
        "job_workflow_ref": WORKFLOW,
        "workflow_ref": WORKFLOW,
        "job_workflow_sha": "c" * 40,
        "workflow_sha": "c" * 40,
        "repository": "octo/models",
        "repository_id": "1001",
        "repository_owner": "octo",
        "repository_owner_id": "2002",
        "repository_visibility": "public",
        "runner_environment": "github-hosted",
        "event_name": "push",
        "workflow": "release",
        "ref": "refs/heads/main",
        "sha": "c" * 40,
        "run_id": "3003",
    }
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{sigstore.url}/token?{urlencode(claims)}",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
    }


def gitlab(sigstore: SigstoreInstance) -> dict[str, str]:
    """A job with `id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore`."""
    token = sigstore.identity_token(
        sub="project_path:octo/models:ref_type:branch:ref:main",
        ci_config_ref_uri=GITLAB_CONFIG,
        project_path="octo/models",
        ref="main",
    )
    return {"CI": "true", "GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": token}


def buildkite(sigstore: SigstoreInstance, folder: Path) -> dict[str, str]:
    """An agent that answers `oidc request-token --audience sigstore`."""
    token = sigstore.identity_token(
        sub="organization:octo:pipeline:models:ref:refs/heads/main:commit:c:step:sign",
        organization_slug="octo",
        pipeline_slug="models",
    )
    path = _program(folder, "buildkite-agent", ["oidc", "request-token", "--audience", "sigstore"], token)
    return {"CI": "true", "BUILDKITE": "true", "PATH": path}


def circleci(sigstore: SigstoreInstance, folder: Path) -> dict[str, str]:
    """A command line that answers `run oidc get` with claims as it is asked for."""
    token = sigstore.identity_token(sub="https://circleci.example/org/octo/project/models")
    asked = ["run", "oidc", "get", "--claims", '{"aud": "sigstore"}', "--root-issuer"]
    return {"CI": "true", "CIRCLECI": "true", "PATH": _program(folder, "circleci", asked, token)}


def _program(folder: Path, name: str, expected: list[str], token: str) -> str:
    """Put a program in front of the search path that prints the token, and only if it is called as expected."""
    folder.mkdir()
    script = folder / name
    script.write_text(
        f"#!{sys.executable}\nimport sys\nif sys.argv[1:] != {expected!r}:\n    sys.exit('called otherwise')\n"
        f"print({token!r})\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
