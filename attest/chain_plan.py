"""`supply-chain.toml`: how a model is made, in a publisher's words, and the in-toto rules that follow from it.

Strict: an unknown key is an error that names the nearest valid one. What a step takes `from` an earlier one must be
exactly what that one made; nothing else may be taken or made than what is listed. in-toto has no such promise, only
rules in an order that is easy to get wrong; here they are written once, for every plan.
"""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from aibom.core.errors import InputError
from attest.step_layout import MAX_STEPS, is_literal, require_pattern
from attest.step_metadata import require_step_name

PLAN_NAME = "supply-chain.toml"
MAX_PLAN_BYTES = 1024 * 1024
_MAX_ITEMS = 50
_MAX_NESTING = 100
_MAX_TEXT = 2000
_TOP = ("description", "expires", "step")
_STEP = ("name", "by", "threshold", "command", "takes", "makes")
_TAKES = ("from", "files")

EXAMPLE = """\
# Who may do which step of making this model, and what passes from one to the next. Edit it, then sign it:
#     aibom layout supply-chain.toml --key owner.key
# Each step is recorded as it is done, by somebody who is listed for it:
#     aibom link train --materials data --products model.safetensors --key trainer.key -- python train.py
# Names of files are those in the release. `*` stands for anything, folders included.

description = "How this model is made."
# expires = 2027-12-31        # when left out, a year after signing

[[step]]
name = "preprocess"
by = ["data-team.pub"]        # public keys of those who may do it; paths from this file
takes = [{ files = ["raw/*"] }]
makes = ["data/*"]

[[step]]
name = "train"
by = ["trainer.pub"]
takes = [{ from = "preprocess", files = ["data/*"] }]
makes = ["model.safetensors", "config.json"]

[[step]]
name = "evaluate"
by = ["evaluator-a.pub", "evaluator-b.pub"]
threshold = 1                 # how many of them must do it, with equal results
# command = ["python", "evaluate.py"]
takes = [{ from = "train", files = ["model.safetensors"] }]
makes = ["eval/*"]
"""


@dataclass(frozen=True, slots=True)
class Taking:
    """Files that a step takes, and the earlier step that must have made them; empty for files from elsewhere."""

    source: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of the plan. `keys` are paths of public keys, as written."""

    name: str
    keys: tuple[str, ...]
    threshold: int
    command: tuple[str, ...]
    takes: tuple[Taking, ...]
    makes: tuple[str, ...]

    def material_rules(self) -> list[list[str]]:
        """What in-toto must find of the files taken.

        First that each file named outright is there; then what is taken from a step equals what it made; whatever is
        left of those names is refused before anything is let in from elsewhere.
        """
        linked = [(taking.source, name) for taking in self.takes if taking.source for name in taking.files]
        others = [name for taking in self.takes if not taking.source for name in taking.files]
        named = dict.fromkeys(name for name in [*(name for _, name in linked), *others] if is_literal(name))
        return [
            *(["REQUIRE", name] for name in named),
            *(["MATCH", name, "WITH", "PRODUCTS", "FROM", source] for source, name in linked),
            *(["DISALLOW", name] for name in dict.fromkeys(name for _, name in linked)),
            *(["ALLOW", name] for name in others),
            ["DISALLOW", "*"],
        ]

    def product_rules(self) -> list[list[str]]:
        """What in-toto must find of the files made: those listed, and files taken and left as they were."""
        return [
            *(["REQUIRE", name] for name in self.makes if is_literal(name)),
            *(["ALLOW", name] for name in self.makes),
            ["MATCH", "*", "WITH", "MATERIALS", "FROM", self.name],
            ["DISALLOW", "*"],
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPlan:
    """The whole file. `expires` is a day, or None if it does not say."""

    steps: tuple[PlannedStep, ...]
    description: str
    expires: date | None


def parse_plan(data: bytes, where: str = PLAN_NAME) -> ChainPlan:
    """Read the file. Raises InputError naming the key at fault and the nearest valid one."""
    document = _keys(_toml(data, where), _TOP, where)
    steps: list[PlannedStep] = []
    for index, item in enumerate(_list(document.get("step", []), MAX_STEPS, f"{where}, step")):
        place = f"{where}, step[{index}]"
        steps.append(_step(_keys(item, _STEP, place), tuple(steps), place))
    if not steps:
        raise InputError("there is no step", where=where, hint="write a [[step]] for each; see `aibom layout --init`")
    description = document.get("description", "")
    if not isinstance(description, str) or len(description) > _MAX_TEXT:
        raise InputError(f"expected text of at most {_MAX_TEXT} characters", where=f"{where}, description")
    return ChainPlan(steps=tuple(steps), description=description, expires=_day(document.get("expires"), where))


def _step(item: dict[str, Any], earlier: tuple[PlannedStep, ...], where: str) -> PlannedStep:
    name = require_step_name(item.get("name"), f"{where}, name")
    if any(name == step.name for step in earlier):
        raise InputError(f"there are two steps called {name!r}", where=f"{where}, name")
    keys = _texts(item.get("by", []), f"{where}, by")
    if not keys or len(set(keys)) != len(keys):
        raise InputError("expected the public keys of those who may do this step", where=f"{where}, by")
    threshold = item.get("threshold", 1)
    if not isinstance(threshold, int) or isinstance(threshold, bool) or not 1 <= threshold <= len(keys):
        raise InputError(f"expected a number from 1 to {len(keys)}", where=f"{where}, threshold")
    takes = _list(item.get("takes", []), _MAX_ITEMS, f"{where}, takes")
    makes = _patterns(item.get("makes", []), f"{where}, makes")
    if not makes and not takes:
        raise InputError("a step must take or make something", where=where)
    return PlannedStep(
        name=name,
        keys=keys,
        threshold=threshold,
        command=_texts(item.get("command", []), f"{where}, command"),
        takes=tuple(_taking(each, earlier, f"{where}, takes[{n}]") for n, each in enumerate(takes)),
        makes=makes,
    )


def _taking(value: Any, earlier: tuple[PlannedStep, ...], where: str) -> Taking:
    item = _keys(value, _TAKES, where)
    source, files = item.get("from", ""), _patterns(item.get("files", []), f"{where}, files")
    if not files:
        raise InputError("expected the files that are taken", where=f"{where}, files")
    if "from" in item and source not in {step.name for step in earlier}:
        known = ", ".join(step.name for step in earlier) or "none"
        raise InputError(
            f"{str(source)[:80]!r} is not an earlier step",
            where=f"{where}, from",
            hint=f"a step can only take what one before it made; before this one: {known}",
        )
    return Taking(source, files)


def _toml(data: bytes, where: str) -> dict[str, Any]:
    if len(data) > MAX_PLAN_BYTES:
        raise InputError(f"larger than the {MAX_PLAN_BYTES} bytes that are read", where=where)
    if data.count(b"[") + data.count(b"{") + data.count(b".") > _MAX_NESTING * MAX_STEPS:
        raise InputError("too many tables and lists", where=where)
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError) as error:
        raise InputError(f"not TOML: {str(error)[:200]}", where=where) from error
    except RecursionError as error:
        raise InputError("not TOML that is read: nested too deep", where=where) from error


def _keys(value: Any, known: tuple[str, ...], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError("expected a table", where=where)
    for key in value:
        if key not in known:
            near = get_close_matches(key[:80], known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"use: {', '.join(known)}"
            raise InputError(f"unknown key {key[:80]!r}", where=where, hint=hint)
    return value


def _patterns(value: Any, where: str) -> tuple[str, ...]:
    found = tuple(require_pattern(item, where) for item in _texts(value, where))
    for pattern in found:
        if pattern.startswith(("/", "./", "../")) or "\\" in pattern or "//" in pattern:
            raise InputError(f"{pattern!r} is not the name of a file in the release", where=where)
    return found


def _texts(value: Any, where: str) -> tuple[str, ...]:
    listed = _list(value, _MAX_ITEMS, where)
    if not all(isinstance(item, str) and 0 < len(item) <= _MAX_TEXT for item in listed):
        raise InputError("expected a list of texts", where=where)
    return tuple(listed)


def _list(value: Any, limit: int, where: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > limit:
        raise InputError(f"expected a list of at most {limit}", where=where)
    return value


def _day(value: Any, where: str) -> date | None:
    if value is None:
        return None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise InputError("expected a day such as 2027-12-31, without quotes", where=f"{where}, expires")
    return value
