"""The arrows of the design: data → rules → effects, enforced. The table is the reading."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Unit → the units of ours that it may import.
ARROWS: dict[str, set[str]] = {
    "aibom.core": set(),
    "aibom.cyclonedx": {"aibom.core"},
    "aibom.formats": {"aibom.core"},
    "aibom.sources": {"aibom.core"},
    "aibom.build": {"aibom.core", "aibom.cyclonedx", "aibom.formats", "aibom.sources"},
    "attest": {"aibom.core"},
    "attest.signing": {"aibom.core", "attest"},
    "aibom.registry": {"aibom.core", "attest"},
    "verify.rules": {"aibom.core", "aibom.cyclonedx", "attest", "verify.vocabulary"},
    "verify.vocabulary": {"aibom.core"},
    "verify": {
        "aibom.core",
        "aibom.cyclonedx",
        "aibom.formats",
        "aibom.sources",
        "attest",
        "verify.rules",
        "verify.vocabulary",
    },
    "aibom.cli": {
        "aibom",
        "aibom.core",
        "aibom.cyclonedx",
        "aibom.formats",
        "aibom.sources",
        "aibom.build",
        "aibom.registry",
        "attest",
        "attest.signing",
        "verify",
        "verify.rules",
        "verify.vocabulary",
    },
    "aibom": {"aibom.cli"},
}

# Libraries that only some units may use: effects, terminals and services.
CONFINED = {
    "click": {"aibom.cli"},
    "rich": {"aibom.cli"},
    "sigstore": {"attest.signing", "verify"},
    "requests": {"attest.signing", "aibom.registry"},
    "rfc3161_client": {"attest.signing", "verify"},
    "pkcs11": {"attest.signing"},
    "in_toto": {"attest.signing", "verify"},
    "securesystemslib": {"attest.signing", "verify"},
    "oras": {"aibom.registry"},
    "socket": set(),
    "urllib.request": set(),
    "http": set(),
    "pickle": set(),
    "subprocess": {"aibom.cli"},
    "cyclonedx": {"aibom.build"},
    "spdx_python_model": {"aibom.build"},
    "license_expression": {"aibom.formats"},
}
# Modules outside the command line that may not be reached at all by what decides.
PURE = ("aibom.core", "aibom.cyclonedx", "aibom.formats", "attest", "verify.rules")
NOT_IN_PURE = {"datetime.now", "time.time", "random", "open"}


def unit_of(module: str) -> str | None:
    """The longest unit that a module lies in."""
    fitting = [unit for unit in ARROWS if module == unit or module.startswith(f"{unit}.")]
    return max(fitting, key=len, default=None)


def modules() -> list[tuple[str, Path]]:
    found = []
    for top in ("aibom", "attest", "verify"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forbidden(module: str, path: Path) -> list[str]:
    here = unit_of(module)
    assert here is not None, f"{module} lies in no unit of the table"
    problems = []
    for target in imports(path):
        there = unit_of(target)
        if there and there != here and there not in ARROWS[here]:
            problems.append(f"{module} ({here}) must not import {target} ({there})")
        for name, allowed in CONFINED.items():
            if (target == name or target.startswith(f"{name}.")) and here not in allowed:
                problems.append(f"{module} ({here}) must not import {name}")
    return problems


@pytest.mark.parametrize(("module", "path"), modules(), ids=[name for name, _ in modules()])
def test_arrows(module: str, path: Path) -> None:
    assert forbidden(module, path) == []


def test_the_table_has_no_cycle() -> None:
    def reach(unit: str, seen: tuple[str, ...]) -> None:
        assert unit not in seen, f"cycle: {' → '.join([*seen, unit])}"
        for target in ARROWS[unit]:
            if not (unit == "aibom.cli" and target == "aibom"):  # the package itself holds only its version
                reach(target, (*seen, unit))

    for unit in ARROWS:
        reach(unit, ())


def test_the_verifier_never_reaches_builder_or_signer() -> None:
    pending, seen = {"verify"}, set()
    while pending:
        unit = pending.pop()
        seen.add(unit)
        pending |= ARROWS[unit] - seen
    assert not seen & {"aibom.build", "attest.signing", "aibom.registry", "aibom.cli"}


def test_a_planted_import_is_caught(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(
        "def f():\n    from aibom.build.collect import collect\n    import sigstore.sign\n    return collect\n"
    )
    problems = forbidden("verify.rules.planted", planted)
    assert len(problems) == 2
    assert "aibom.build" in problems[0]


def calls(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


@pytest.mark.parametrize(("module", "path"), modules(), ids=[name for name, _ in modules()])
def test_only_the_command_line_prints_or_exits(module: str, path: Path) -> None:
    if module.startswith("aibom.cli") or module == "aibom.__main__":
        return
    told = [f"{path.name}:{line} {name}" for line, name in calls(path) if name in {"print", "exit", "sys.exit", "quit"}]
    assert told == []


@pytest.mark.parametrize(("module", "path"), modules(), ids=[name for name, _ in modules()])
def test_what_decides_has_no_clock_no_randomness_no_files(module: str, path: Path) -> None:
    unit = unit_of(module)
    if unit not in PURE or module == "aibom.core.specs":
        return
    told = [
        f"{path.name}:{line} {name}" for line, name in calls(path) if name in NOT_IN_PURE or name.startswith("random.")
    ]
    assert told == []


def test_only_one_module_makes_verified_statements() -> None:
    makers = {module for module, path in modules() for _, name in calls(path) if name == "VerifiedStatement"}
    assert makers == {"verify.signature"}


def dataclasses_in(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                if "dataclass" in ast.unparse(decorator):
                    yield node.name, ast.unparse(decorator)


def test_public_dataclasses_are_frozen() -> None:
    open_ones = [
        f"{module}.{name}"
        for module, path in modules()
        for name, decorator in dataclasses_in(path)
        if not name.startswith("_") and "frozen=True" not in decorator
    ]
    assert open_ones == []


@pytest.mark.parametrize(("module", "path"), modules(), ids=[name for name, _ in modules()])
def test_modules_and_functions_stay_small(module: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400, f"{module} is too long to read at once"
    long = [
        f"{node.name} ({(node.end_lineno or 0) - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]
    assert long == []
