"""What code declares: pyproject.toml, lock files, conda environments, Dockerfiles, requirements, and import names."""

import time

import pytest

from aibom.core.errors import InputError
from aibom.formats import conda, dockerfile, pyproject, python_lock
from aibom.formats.conda import parse_conda_environment, parse_match_spec
from aibom.formats.dockerfile import Dockerfile, parse_dockerfile
from aibom.formats.import_names import distributions_of, undeclared_imports
from aibom.formats.pyproject import Pyproject, parse_pyproject
from aibom.formats.python_lock import Lock, parse_lock
from aibom.formats.requirements import parse_dependency, parse_requirements, without_credentials

DIGEST_A, DIGEST_B = "a1" * 32, "b2" * 32


def project(text: str) -> Pyproject:
    return parse_pyproject(text.encode(), "pyproject.toml")


def lock(text: str) -> Lock:
    return parse_lock(text.encode(), "some.lock")


def image(text: str) -> Dockerfile:
    return parse_dockerfile(text.encode(), "Dockerfile")


# --- requirements -----------------------------------------------------------------------------------------------------


def test_digests_of_a_requirement_are_kept_and_do_not_make_it_another_dependency() -> None:
    text = f"Pen==1 \\\n --hash=sha256:{DIGEST_B} \\\n --hash=sha256:{DIGEST_A}\npen==1 --hash sha256:{DIGEST_A}\n"
    found, problems = parse_requirements(text.encode(), "x")
    assert [(d.name, d.digests) for d in found] == [("pen", (DIGEST_A, DIGEST_B))]
    assert problems == ()
    assert found[0] == parse_dependency("pen==1")
    assert hash(found[0]) == hash(parse_dependency("pen==1"))


def test_sixty_digests_on_one_logical_line_are_all_kept() -> None:
    digests = [f"{number:064x}" for number in range(60)]
    found, _ = parse_requirements(("a==1" + "".join(f" \\\n  --hash=sha256:{d}" for d in digests)).encode(), "x")
    assert found[0].digests == tuple(digests)


@pytest.mark.parametrize(
    ("line", "name", "url"),
    [
        ("-e git+https://me:key@h.example/a/b.git@v2#egg=bee", "bee", "git+https://h.example/a/b.git@v2#egg=bee"),
        ("--editable=git+https://h.example/b#subdirectory=x&egg=B.ee", "b-ee",
         "git+https://h.example/b#subdirectory=x&egg=B.ee"),
        ("git+ssh://git@h.example/my-devtools#egg=my-devtools", "my-devtools",
         "git+ssh://h.example/my-devtools#egg=my-devtools"),
        ("cee @ git+https://tok@h.example/c@0badcafe", "cee", "git+https://h.example/c@0badcafe"),
        ("dee @ https://h.example/d.whl?sig=secret", "dee", "https://h.example/d.whl"),
    ],
)  # fmt: skip
def test_a_checkout_is_a_dependency_with_its_address_and_without_credentials(line: str, name: str, url: str) -> None:
    found, problems = parse_requirements(line.encode(), "x")
    assert [(d.name, d.url) for d in found] == [(name, url)]
    assert problems == ()


def test_files_that_a_requirements_file_includes_are_named() -> None:
    text = (
        b"-r more/base.txt\n-ctight.txt\n--requirement=https://u:p@h.example/r.txt\n-e .\n--index-url=https://u:p@h/s\n"
    )
    _, problems = parse_requirements(text, "x")
    assert problems == (
        "line 1: option '-r' is not followed: 'more/base.txt'",
        "line 2: option '-c' is not followed: 'tight.txt'",
        "line 3: option '--requirement' is not followed: 'https://h.example/r.txt'",
        "line 4: option '-e' names no project: '.'",
        "line 5: option '--index-url' is not followed",
    )


def test_a_problem_shows_no_password() -> None:
    _, problems = parse_requirements(b"https://u:hunter2@h.example/x.whl\n-e git+https://u:hunter2@h.example/x\n", "x")
    assert len(problems) == 2
    assert not any("hunter2" in problem for problem in problems)


def test_a_url_keeps_its_revision_and_loses_the_rest_of_its_query() -> None:
    assert without_credentials("https://u:p@h/a@b?rev=1&key=2#c") == "https://h/a@b?rev=1#c"
    assert without_credentials("no address @ all") == "no address @ all"


# --- pyproject --------------------------------------------------------------------------------------------------------


def test_the_project_table() -> None:
    found = project("""
[build-system]
requires = ["setuptools>=70"]
[project]
name = "kiln"
version = "3.1"
description = "Bakes"
license = {text = "BSD"}
license-files = ["LICEN*"]
requires-python = ">=3.9"
authors = [{name = "Ada", email = "ada@k.example"}, {}]
maintainers = [{name = "Bob"}]
dynamic = ["readme"]
dependencies = ["numpy==2.1", "pandas>=2 ; python_version > '3.8'"]
[project.urls]
Home = "https://me:pw@k.example/"
[project.optional-dependencies]
gpu = ["cupy-cuda12x"]
""")
    assert (found.name, found.version, found.description, found.license) == ("kiln", "3.1", "Bakes", "BSD")
    assert (found.license_files, found.requires_python, found.dynamic) == (("LICEN*",), ">=3.9", ("readme",))
    assert [(p.name, p.email) for p in (*found.authors, *found.maintainers)] == [("Ada", "ada@k.example"), ("Bob", "")]
    assert found.urls == {"Home": "https://k.example/"}
    assert [(d.name, d.version, d.range) for d in found.dependencies] == [("numpy", "2.1", ""), ("pandas", "", ">=2")]
    assert [d.name for d in found.optional_dependencies["gpu"]] == ["cupy-cuda12x"]
    assert [(d.name, d.range) for d in found.build_requires] == [("setuptools", ">=70")]
    assert found.problems == ()


def test_a_licence_expression_and_a_licence_file() -> None:
    assert project('[project]\nlicense = "MIT OR Apache-2.0"').license == "MIT OR Apache-2.0"
    table = project('[project]\nlicense = {file = "COPYING"}')
    assert (table.license, table.license_files) == ("", ("COPYING",))


def test_a_group_holds_what_it_includes() -> None:
    found = project("""
[dependency-groups]
all = [{include-group = "Lint"}, {include-group = "test"}, "tox"]
lint = ["ruff"]
test = ["pytest", {include-group = "lint"}]
""")
    assert [d.name for d in found.dependency_groups["all"]] == ["pytest", "ruff", "tox"]
    assert [d.name for d in found.dependency_groups["test"]] == ["pytest", "ruff"]
    assert found.problems == ()


def test_groups_that_include_each_other_or_nothing_are_reported_and_end() -> None:
    found = project("""
[dependency-groups]
a = [{include-group = "b"}]
b = [{include-group = "a"}, "x"]
c = [{include-group = "gone"}]
""")
    assert [d.name for d in found.dependency_groups["a"]] == ["x"]
    assert found.problems == (
        "dependency-groups: 'a' includes itself",
        "dependency-groups: 'b' includes itself",
        "dependency-groups: 'c' includes 'gone', which is not there",
    )


@pytest.mark.parametrize(
    ("constraint", "version", "bounds"),
    [
        ("^1.2.3", "", "<2,>=1.2.3"),
        ("^0.2.3", "", "<0.3,>=0.2.3"),
        ("^0.0.3", "", "<0.0.4,>=0.0.3"),
        ("^0.0", "", "<0.1,>=0.0"),
        ("^0", "", "<1,>=0"),
        ("~1.2.3", "", "<1.3,>=1.2.3"),
        ("~1.2", "", "<1.3,>=1.2"),
        ("~1", "", "<2,>=1"),
        ("1.4.2", "1.4.2", ""),
        ("=1.4.2", "1.4.2", ""),
        ("1.4.*", "", "==1.4.*"),
        (">=1.0 <2.0, !=1.5", "", "!=1.5,<2.0,>=1.0"),
        ("~=1.4", "", "~=1.4"),
        ("*", "", ""),
    ],
)
def test_a_poetry_constraint_becomes_a_range(constraint: str, version: str, bounds: str) -> None:
    found = project(f'[tool.poetry.dependencies]\npaint = "{constraint}"')
    assert [(d.name, d.version, d.range) for d in found.dependencies] == [("paint", version, bounds)]
    assert found.problems == ()


def test_the_poetry_table() -> None:
    found = project("""
[tool.poetry]
name = "loom"
version = "0.4"
license = "MIT"
authors = ["Eve Ning <eve@l.example>"]
homepage = "https://l.example"
[tool.poetry.dependencies]
python = "^3.10"
wool = {version = "^2.0", extras = ["soft"], markers = "sys_platform == 'linux'"}
silk = {version = "1.0", optional = true}
yarn = {git = "https://k:p@l.example/yarn.git", tag = "v3"}
felt = {path = "../felt dir"}
knit = [{version = "1.0", markers = "python_version < '3.11'"}, {version = "2.0", markers = "python_version >= '3.11'"}]
[tool.poetry.extras]
fancy = ["silk"]
[tool.poetry.dev-dependencies]
black = "*"
[tool.poetry.group.docs.dependencies]
sphinx = "^7"
""")
    assert (found.name, found.version, found.license, found.requires_python) == ("loom", "0.4", "MIT", ">=3.10,<4")
    assert [(p.name, p.email) for p in found.authors] == [("Eve Ning", "eve@l.example")]
    assert found.urls == {"homepage": "https://l.example"}
    named = {(d.name, d.version or d.range or d.url) for d in found.dependencies}
    assert named == {
        ("wool", "<3,>=2.0"), ("yarn", "git+https://l.example/yarn.git@v3"), ("felt", "file:../felt%20dir"),
        ("knit", "1.0"), ("knit", "2.0"),
    }  # fmt: skip
    assert [d.name for d in found.optional_dependencies["fancy"]] == ["silk"]
    assert {name: [d.name for d in group] for name, group in found.dependency_groups.items()} == {
        "dev": ["black"],
        "docs": ["sphinx"],
    }
    assert found.problems == ()


@pytest.mark.parametrize("value", ['"^1 || ^2"', '"^x"', "3", '"' + "^1," * 300 + '"', "{version = 3}"])
def test_a_poetry_constraint_that_is_no_single_range_is_a_problem(value: str) -> None:
    found = project(f"[tool.poetry.dependencies]\nx = {value}")
    assert found.dependencies == ()
    assert len(found.problems) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('dependencies = "numpy"', "dependencies: expected a list of requirements"),
        ('dependencies = ["a b c"]', "dependencies: not a requirement: 'a b c'"),
        ("dependencies = [3]", "dependencies: not a requirement: '3'"),
    ],
)
def test_what_is_no_requirement_is_a_problem(text: str, problem: str) -> None:
    assert project(f"[project]\n{text}").problems == (problem,)


@pytest.mark.parametrize(
    "data",
    [
        b"a = ",
        b"\xff",
        b"a = " + b"[" * 100_000,
        b"a = 1" + b"0" * 5000,
        b" " * (pyproject.MAX_BYTES + 1),
        b"a." * 50 + b"a = 1",
        b"x = {" + b'"". ' * 50 + b"a = 1}",
        b'x = [""""a"""", {' + b"a." * 50 + b"a = 1}]",
        b"[" + b"a . " * 50 + b"a]",
    ],
    ids=["syntax", "utf-8", "depth", "digits", "size", "dotted key", "quoted parts", "after quotes", "header"],
)
def test_toml_outside_the_bounds_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"TOML|UTF-8|parts"):
        parse_pyproject(data, "pyproject.toml")


def test_dots_in_texts_are_no_key() -> None:
    dots = "." * 500
    text = f'# {dots}\n[project]\nname = "a"\ndescription = """{dots}"""\nversion = \'{dots}\'\n'
    assert project(text).description == dots


def test_quotes_that_never_end_take_no_quadratic_time() -> None:
    started = time.process_time()
    with pytest.raises(InputError):
        project('a = """' + '\\"""\n' * 50_000)
    assert time.process_time() - started < 1


# --- lock files -------------------------------------------------------------------------------------------------------


def test_a_uv_lock() -> None:
    found = lock(f"""
version = 1
requires-python = ">=3.11"
[[package]]
name = "Big.Lib"
version = "1.5"
source = {{ registry = "https://{".".join(("pypi", "org"))}/simple" }}
dependencies = [{{ name = "small" }}]
sdist = {{ url = "https://f.example/a.tar.gz", hash = "sha256:{DIGEST_B}" }}
wheels = [{{ url = "https://f.example/a.whl", hash = "sha256:{DIGEST_A}" }}]
[[package]]
name = "small"
version = "2"
source = {{ registry = "https://me:pw@index.example/simple" }}
[[package]]
name = "forked"
version = "0.1"
source = {{ git = "https://g.example/f?rev=main&token=x#abc" }}
[[package]]
name = "here"
version = "0"
source = {{ editable = "." }}
""")
    assert (found.kind, found.python) == ("uv", ">=3.11")
    big, small, forked, here = found.packages
    assert (big.name, big.version, big.sha256) == ("big-lib", "1.5", (DIGEST_A, DIGEST_B))
    assert (big.source, big.url, big.dependencies) == ("registry", "", ("small",))
    assert (small.source, small.url) == ("registry", "https://index.example/simple")
    assert (forked.source, forked.url) == ("git", "https://g.example/f?rev=main#abc")
    assert (here.source, here.url) == ("editable", ".")
    assert found.unhashed == ("small",)


def test_a_poetry_lock_of_either_generation() -> None:
    found = lock(f"""
[[package]]
name = "one"
version = "1"
files = [{{file = "one.whl", hash = "sha256:{DIGEST_A}"}}]
[package.dependencies]
two = ">=1"
[[package]]
name = "two"
version = "2"
develop = true
[package.source]
type = "directory"
url = "../two"
[[package]]
name = "three"
version = "3"
[package.source]
type = "git"
url = "https://u:p@g.example/three.git"
reference = "main"
resolved_reference = "cafe"
[metadata]
lock-version = "2.0"
python-versions = "^3.10"
content-hash = "00"
[metadata.files]
three = [{{file = "x", hash = "sha256:{DIGEST_B}"}}]
""")
    assert (found.kind, found.python) == ("poetry", "^3.10")
    assert [(p.name, p.source, p.url, p.sha256, p.dependencies) for p in found.packages] == [
        ("one", "registry", "", (DIGEST_A,), ("two",)),
        ("two", "editable", "../two", (), ()),
        ("three", "git", "https://g.example/three.git@cafe", (DIGEST_B,), ()),
    ]


def test_a_pylock() -> None:
    found = lock(f"""
lock-version = "1.0"
requires-python = "==3.12.*"
created-by = "x"
[[packages]]
name = "one"
version = "1"
index = "https://index.example/simple"
dependencies = [{{name = "two"}}]
[[packages.wheels]]
name = "one.whl"
hashes = {{sha256 = "{DIGEST_A.upper()}", md5 = "00"}}
[[packages]]
name = "two"
vcs = {{type = "git", url = "https://g.example/two", commit-id = "beef"}}
[[packages]]
name = "three"
archive = {{url = "https://f.example/3.zip", hashes = {{sha256 = "short"}}}}
[[packages]]
name = "four"
directory = {{path = "lib/four", editable = true}}
[[packages]]
version = "5"
""")
    assert (found.kind, found.python) == ("pylock", "==3.12.*")
    assert [(p.name, p.source, p.url, p.sha256) for p in found.packages] == [
        ("one", "registry", "https://index.example/simple", (DIGEST_A,)),
        ("two", "git", "https://g.example/two@beef", ()),
        ("three", "url", "https://f.example/3.zip", ()),
        ("four", "editable", "lib/four", ()),
    ]
    assert found.packages[0].dependencies == ("two",)
    assert found.problems == ("packages 5: expected a table with a name",)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a = 1", "not a lock file"), ('version = 1\npackage = "x"', "list of at most"), ("=", "not TOML")],
)
def test_what_is_no_lock_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        lock(text)


def test_a_lock_file_of_too_many_packages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_lock, "MAX_PACKAGES", 2)
    with pytest.raises(InputError, match="at most 2"):
        lock("version = 1\n" + '[[package]]\nname = "a"\n' * 3)


# --- conda ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("numpy", ("numpy", "", "", "", "")),
        ("numpy=1.26", ("numpy", "", "=1.26", "", "")),
        ("numpy==1.26.4", ("numpy", "1.26.4", "", "", "")),
        ("numpy=1.26.4=py311_0", ("numpy", "1.26.4", "", "py311_0", "")),
        ("numpy 1.26.4 py311_0", ("numpy", "1.26.4", "", "py311_0", "")),
        ("numpy >=1.20, <2", ("numpy", "", ">=1.20,<2", "", "")),
        ("numpy>=1.20,<2", ("numpy", "", ">=1.20,<2", "", "")),
        ("numpy 1.8|1.9", ("numpy", "", "1.8|1.9", "", "")),
        ("numpy=1.26.*", ("numpy", "", "=1.26.*", "", "")),
        ("conda-forge::PyTorch=2.3=cuda*", ("pytorch", "2.3", "", "cuda*", "conda-forge")),
        ("numpy[version='>=1.8,<2', build=*mkl]", ("numpy", "", ">=1.8,<2", "*mkl", "")),
        ("python *", ("python", "", "", "", "")),
    ],
)
def test_a_match_specification(spec: str, expected: tuple[str, ...]) -> None:
    found = parse_match_spec(spec)
    assert (found.name, found.version, found.range, found.build, found.channel) == expected


def test_a_conda_environment() -> None:
    text = b"""
name: potters
channels: [conda-forge, "https://u:tok@c.example/x"]
dependencies:
  - python=3.11
  - 3.5
  - "???"
  - pip
  - pip:
    - glaze==2.0
    - -r more.txt
  - npm: [x]
"""
    found = parse_conda_environment(text, "environment.yml")
    assert (found.name, found.channels) == ("potters", ("conda-forge", "https://c.example/x"))
    assert [(d.name, d.range) for d in found.dependencies] == [("pip", ""), ("python", "=3.11")]
    assert [(d.name, d.version) for d in found.pip] == [("glaze", "2.0")]
    assert [p.partition(":")[0] for p in found.problems] == [
        "dependencies 2", "dependencies 3", "dependencies 6", "pip, line 2",
    ]  # fmt: skip


def test_a_conda_environment_outside_the_bounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="must be a list"):
        parse_conda_environment(b"dependencies: numpy", "environment.yml")
    with pytest.raises(InputError, match="not a conda package"):
        parse_match_spec("a" * 501)
    monkeypatch.setattr(conda, "_MAX_ENTRIES", 1)
    with pytest.raises(InputError, match="at most 1"):
        parse_conda_environment(b"dependencies: [a, b]", "environment.yml")


# --- Dockerfile -------------------------------------------------------------------------------------------------------


def test_base_images_and_stages() -> None:
    found = image(f"""# syntax=docker/dockerfile:1
ARG TAG=3.12
ARG BASE=python:${{TAG}}-slim
FROM --platform=linux/arm64 $BASE AS build
FROM reg.example:5000/team/run@sha256:{DIGEST_A} AS run
COPY --from=build /a /a
COPY --from=0 /a /a
COPY --from=ghcr.example/tools/uv:0.5 /uv /bin/
FROM run
""")
    build, run, last = found.stages
    assert (build.reference, build.repository, build.tag, build.platform) == (
        "$BASE",
        "python",
        "3.12-slim",
        "linux/arm64",
    )
    assert (build.stage, build.line, build.is_pinned, build.registry) == ("build", 4, False, "")
    assert (run.registry, run.repository, run.tag) == ("reg.example:5000", "team/run", "")
    assert (run.digest, run.is_pinned) == (f"sha256:{DIGEST_A}", True)
    assert (last.is_stage, last.repository, last.is_pinned) == (True, "run", True)
    assert [(i.registry, i.repository, i.tag) for i in found.copied_from] == [("ghcr.example", "tools/uv", "0.5")]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("head", "reference", "repository", "tag"),
    [
        ("ARG V", "a:$V", "", ""),
        ("ARG V=1", "a:${V:-2}", "a", "1"),
        ("ARG V", "a:${V:-2}", "a", "2"),
        ("ARG V=1", "a${V:+x}", "ax", ""),
        ("ARG V='q'", "a:$V", "a", "q"),
        ("ENV X=1", "a:${W%x}", "", ""),
    ],
)
def test_a_variable_in_from_has_its_default_or_is_a_problem(
    head: str, reference: str, repository: str, tag: str
) -> None:
    found = image(f"{head}\nFROM {reference}\n")
    assert (found.stages[0].repository, found.stages[0].tag) == (repository, tag)
    assert bool(found.problems) is (not repository)


def test_variables_that_grow_without_end_are_left_open() -> None:
    doubling = "".join(f"ARG V{n}=$V{n - 1}$V{n - 1}\n" for n in range(1, 60))
    found = image(f"ARG V0=aaaa\n{doubling}FROM $V59\n")
    assert found.stages[0].repository == ""
    assert len(found.problems) == 1


def test_libraries_that_a_run_instruction_installs() -> None:
    found = image(r"""FROM python:3.12
ARG TORCH=2.5.1
RUN apt-get update && apt-get install -y git \
    # a comment in between
    && pip3 install --no-cache-dir -i https://u:p@i.example/s torch==${TORCH} "numpy>=1.26,<2" \
       -r base.txt --requirement=more.txt . git+https://u:p@g.example/x
RUN ["python", "-m", "pip", "install", "wheel"]
RUN --mount=type=cache,target=/x uv pip install --python 3.12 'uvicorn[standard]' > /dev/null 2>&1; echo pip install no
RUN pip install scipy>=1.10
RUN pip install a==$NOWHERE
RUN pip download thing
""")
    assert [(i.dependency.name, i.dependency.version or i.dependency.range, i.line) for i in found.installs] == [
        ("torch", "2.5.1", 3), ("numpy", "<2,>=1.26", 3), ("wheel", "", 7), ("uvicorn", "", 8), ("scipy", "", 9),
    ]  # fmt: skip
    assert found.unpinned == ("numpy", "scipy", "uvicorn", "wheel")
    assert found.requirement_files == ("base.txt", "more.txt")
    assert found.problems == (
        "line 3: pip installs '.', which names no library",
        "line 3: pip installs 'git+https://g.example/x', which names no library",
        "line 10: 'a==$NOWHERE' cannot be resolved: a variable has no default",
    )


def test_what_the_last_stage_runs() -> None:
    found = image("""FROM a AS one
EXPOSE 80
USER app
ENTRYPOINT ["x"]
FROM b
CMD nothing
FROM one
EXPOSE 8080/tcp 9090
CMD ["serve", "--fast"]
""")
    assert (found.entrypoint, found.command, found.user) == ('["x"]', '["serve", "--fast"]', "app")
    assert found.exposed == ("80", "8080/tcp", "9090")


def test_a_heredoc_is_skipped_and_said_to_be() -> None:
    found = image("FROM a\nRUN <<EOF\nFROM b\npip install c\nEOF\nCOPY <<-'X' /y\nFROM d\n\tX\nUSER e\n")
    assert [stage.repository for stage in found.stages] == ["a"]
    assert found.user == "e"
    assert found.problems == ("line 2: commands in a heredoc are not read",)


def test_another_escape_character_continues_lines() -> None:
    assert image("# escape=`\nFROM a\nRUN pip `\n install b\nUSER c\\\n").dependencies[0].name == "b"


def test_what_is_no_dockerfile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for data, message in ((b"RUN x", "no FROM"), (b"\xff", "UTF-8"), (b" " * (dockerfile.MAX_BYTES + 1), "at most")):
        with pytest.raises(InputError, match=message):
            parse_dockerfile(data, "Dockerfile")
    monkeypatch.setattr(dockerfile, "_MAX_INSTRUCTIONS", 3)
    with pytest.raises(InputError, match="more than 3 instructions"):
        image("FROM a\n" * 4)


# --- import names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("sklearn.svm", ("scikit-learn", "scikit-learn-intelex")),
        ("yaml", ("pyyaml",)),
        ("google.protobuf.message", ("protobuf",)),
        ("google.cloud.storage", ("google-cloud-storage", "google-cloud")),
        ("os.path", ()),
        ("Some_Lib.x", ("some-lib",)),
        ("google", ()),
    ],
)
def test_the_distributions_of_an_import(module: str, expected: tuple[str, ...]) -> None:
    assert distributions_of(module) == expected


def test_imports_that_nothing_declares() -> None:
    imports = [
        "PIL.Image",
        "cv2",
        "torch.nn",
        "json",
        "mine.sub",
        "google.cloud.storage",
        "google.cloud.vision",
        "bs4",
        "dm",
    ]
    declared = {"pillow", "opencv-python-headless", "torch", "google-cloud-storage"}
    assert undeclared_imports(imports, declared, {"mine"}) == ("bs4", "dm", "google.cloud")
    assert undeclared_imports(["cv2"], {"cv2"}, frozenset()) == ()
