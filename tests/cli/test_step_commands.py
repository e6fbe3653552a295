"""`layout`, `link` and `verify --layout-key`: a chain recorded and checked from the command line."""

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jsonschema_rs
import pytest

from aibom.core.specs import read_spec
from aibom.sources.local import read_release
from tests.conftest import Ran
from tests.factory import KeyFiles, write_keys
from tests.reading import Json
from tests.releases.files import put

Aibom = Callable[..., Ran]
PLAN = """
[[step]]
name = "train"
by = ["keys/p256-1.pub"]
takes = [{ files = ["data/*"] }]
makes = ["model.safetensors"]

[[step]]
name = "evaluate"
by = ["keys/p256-2.pub"]
takes = [{ from = "train", files = ["model.safetensors"] }]
makes = ["eval/*"]
"""
SCORE = "from pathlib import Path; Path('eval').mkdir(); Path('eval/scores.json').write_text('{}'); print('done')"


@dataclass(frozen=True)
class Made:
    release: Path
    owner: KeyFiles
    trainer: KeyFiles
    evaluator: KeyFiles
    publisher: KeyFiles

    @property
    def links(self) -> list[Path]:
        return sorted((self.release / "attestations").glob("*.link"))

    def link(self, step: str) -> Json:
        [path] = (self.release / "attestations").glob(f"{step}.*.link")
        document: Json = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
        return document


@pytest.fixture
def made(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    owner, trainer, evaluator, publisher = (write_keys(tmp_path / "keys", number=n) for n in range(4))
    put(tmp_path / "supply-chain.toml", PLAN.encode())
    monkeypatch.chdir(release)
    return Made(release, owner, trainer, evaluator, publisher)


def write_layout(aibom: Aibom, made: Made, *more: object) -> Ran:
    target = made.release / "attestations" / "root.layout"
    return aibom("layout", "../supply-chain.toml", "--key", made.owner.private, "-o", target, *more)


def record_training(aibom: Aibom, made: Made) -> Ran:
    made_here = ("--materials", "data", "--products", "model.safetensors")
    return aibom("link", "train", *made_here, "--key", made.trainer.private, "--no-command")


def record_evaluation(aibom: Aibom, made: Made) -> Ran:
    done = ("--materials", "model.*", "--products", "eval", "--record-output", "--key", made.evaluator.private)
    return aibom("link", "evaluate", *done, "--", sys.executable, "-c", SCORE)


def verify(aibom: Aibom, made: Made, *more: object) -> Ran:
    keys = ("--public-key", made.publisher.public, "--layout-key", made.owner.public)
    return aibom("verify", made.release, *keys, *more)


def test_a_chain_from_the_layout_to_the_verdict(aibom: Aibom, made: Made) -> None:
    laid = write_layout(aibom, made)
    assert laid.code == 0
    assert "train by keys/p256-1.pub; then evaluate by keys/p256-2.pub" in " ".join(laid.out.split())
    trained, evaluated = record_training(aibom, made), record_evaluation(aibom, made)
    assert (trained.code, evaluated.code) == (0, 0)
    assert "took 1 file, made 1" in trained.out
    assert made.link("evaluate")["byproducts"] == {"stdout": "done\n", "stderr": "", "return-value": 0}
    release_signed = aibom("sign", made.release, "--build", "--key", made.publisher.private)
    assert release_signed.code == 0
    assert "not made again" not in release_signed.err
    verified = verify(aibom, made)
    assert verified.code == 0
    assert "2 recorded steps" in verified.out
    report = json.loads(verify(aibom, made, "--json").out)
    jsonschema_rs.Draft202012Validator(json.loads(read_spec("schemas/aibom-report-1.schema.json"))).validate(report)
    assert report["supply_chain"]["outcome"] == "verified"
    assert [step["name"] for step in report["supply_chain"]["steps"]] == ["train", "evaluate"]
    made.links[0].unlink()
    missing = verify(aibom, made)
    assert missing.code == 4
    assert "the step 'evaluate' has no link" in missing.out


def test_a_step_that_the_layout_does_not_know_is_said_before_it_is_run(aibom: Aibom, made: Made) -> None:
    assert record_training(aibom, made).err == ""  # nothing to compare with
    write_layout(aibom, made)
    assert record_training(aibom, made).code == 0
    made_here = ("--materials", "data", "--products", "model.safetensors", "--key", made.trainer.private)
    ran = aibom("link", "trian", *made_here, "--no-command")
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert "root.layout has no step 'trian', so that this link will count for nothing; did you mean 'train'?" in said
    unlike = aibom("link", "quantise", *made_here, "--no-command")
    assert "its steps are: train, evaluate" in " ".join(unlike.err.split())
    put(made.release / "attestations" / "root.layout", b"{}")
    unread = aibom("link", "train", *made_here, "--no-command")
    assert unread.code == 0
    assert "whether the layout has this step is not known" in " ".join(unread.err.split())


def test_a_layout_of_the_readers_own(aibom: Aibom, made: Made, tmp_path: Path) -> None:
    write_layout(aibom, made)
    record_training(aibom, made)
    record_evaluation(aibom, made)
    assert aibom("sign", made.release, "--build", "--key", made.publisher.private).code == 0
    mine = tmp_path / "mine.layout"
    strict = PLAN.replace("p256-2.pub", "p256-3.pub")
    put(tmp_path / "strict.toml", strict.encode())
    assert aibom("layout", tmp_path / "strict.toml", "--key", made.owner.private, "-o", mine).code == 0
    assert verify(aibom, made).code == 0
    ran = verify(aibom, made, "--layout", mine)
    assert ran.code == 1
    assert "recorded by somebody who may not do it" in ran.out
    unnamed = aibom("verify", made.release, "--public-key", made.publisher.public, "--layout", mine)
    assert unnamed.code == 2
    assert "--layout-key" in unnamed.err
    put(mine, b"{}")
    assert verify(aibom, made, "--layout", mine).code == 3
    assert verify(aibom, made, "--layout", tmp_path / "none").code == 3


def test_a_step_that_fails_leaves_no_link(aibom: Aibom, made: Made) -> None:
    taken = ("train", "--materials", "data", "--key", made.trainer.private)
    ran = aibom("link", *taken, "--", sys.executable, "-c", "raise SystemExit(7)")
    assert ran.code == 3
    assert "ended with exit code 7" in ran.err
    assert made.links == []
    ran = aibom("link", *taken, "--", "no-such-program")
    assert (ran.code, made.links) == (2, [])


def test_what_a_command_must_not_see_is_not_there(
    aibom: Aibom, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The passphrase of the key is for us; the command of a step is somebody's program."""
    monkeypatch.setenv("AIBOM_KEY_PASSPHRASE", "open sesame")
    locked = write_keys(tmp_path / "locked", passphrase="open sesame")
    show = "import os; print(sorted(k for k in os.environ if 'AIBOM' in k))"
    done = ("--materials", "data", "--record-output", "--key", locked.private)
    ran = aibom("link", "train", *done, "--", sys.executable, "-c", show)
    assert ran.code == 0
    link = made.link("train")
    assert link["byproducts"]["stdout"] == "[]\n"
    assert link["environment"] == {}
    assert "sesame" not in json.dumps(link) + ran.out + ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["train", "--materials", "data"], 2, "there is no command to run"),
        (["train", "--materials", "data", "--no-command", "--", "true"], 2, "a command and --no-command"),
        (["train", "--no-command"], 2, "takes and makes nothing"),
        (["../train", "--materials", "data", "--no-command"], 2, "cannot be the name of a step"),
        (["train", "--materials", "nothing", "--no-command"], 3, "there is no file"),
        (["train", "--materials", "../keys", "--no-command"], 3, "'..' part"),
        (["train", "--materials", "/etc", "--no-command"], 3, "outside the base"),
        (["train", "--materials", "data", "--no-command", "--output-dir", "train.py"], 2, "cannot write here"),
        (["train", "--materials", "data", "--no-command", "--base", "train.py"], 2, "over a folder"),
    ],
)
def test_what_cannot_be_recorded(aibom: Aibom, made: Made, arguments: list[str], code: int, words: str) -> None:
    step, *rest = arguments
    ran = aibom("link", step, "--key", made.trainer.private, *rest)
    assert (ran.code, made.links) == (code, [])
    assert words in ran.err


def test_a_step_needs_a_key(aibom: Aibom, made: Made) -> None:
    ran = aibom("link", "train", "--materials", "data", "--no-command")
    assert (ran.code, made.links) == (2, [])
    assert "in-toto names who did a step by a key" in " ".join(ran.err.split())


def test_the_example_of_a_plan_is_one(aibom: Aibom, made: Made, tmp_path: Path) -> None:
    from attest.chain_plan import parse_plan

    plan = tmp_path / "fresh" / "plan.toml"
    plan.parent.mkdir()
    assert aibom("layout", "--init", plan).code == 0
    assert [step.name for step in parse_plan(plan.read_bytes()).steps] == ["preprocess", "train", "evaluate"]
    again = aibom("layout", "--init", plan)
    assert again.code == 2
    assert "there is one already" in again.err


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "evaluate"', 'name = "train"', "two steps called"),
        ('from = "train"', 'from = "tain"', "not an earlier step"),
        ('from = "train"', 'frm = "train"', "did you mean 'from'"),
        ('makes = ["eval/*"]', 'makes = ["../eval/*"]', "not the name of a file"),
        ('by = ["keys/p256-2.pub"]', "by = []", "expected the public keys"),
        ('by = ["keys/p256-2.pub"]', 'by = ["keys/p256-2.pub"]\nthreshold = 2', "from 1 to 1"),
        ('by = ["keys/p256-2.pub"]', 'by = ["keys/p256-2.pub", "keys/../keys/p256-2.pub"]', "the same key as"),
        ('by = ["keys/p256-2.pub"]', 'by = ["keys/p256-2.key"]', "p256-2.key"),
        ('name = "evaluate"', 'name = "a/b"', "cannot be the name"),
    ],
)
def test_plans_that_cannot_be_meant(aibom: Aibom, made: Made, tmp_path: Path, old: str, new: str, words: str) -> None:
    assert write_layout(aibom, made).code == 0
    assert old in PLAN
    put(tmp_path / "supply-chain.toml", PLAN.replace(old, new).encode())
    (made.release / "attestations" / "root.layout").unlink()
    ran = write_layout(aibom, made)
    assert ran.code == 3
    assert words in " ".join(ran.err.split())
    assert not (made.release / "attestations" / "root.layout").exists()


def test_a_layout_that_would_have_ended(aibom: Aibom, made: Made) -> None:
    assert write_layout(aibom, made, "--expires", "2020-01-01").code == 2
    assert write_layout(aibom, made, "--expires", "soon").code == 2
    assert write_layout(aibom, made, "--expires", "2090-01-01").code == 0


def test_a_file_that_changes_while_it_is_recorded(aibom: Aibom, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_and_change(*given: object, **named: object) -> object:
        found = list(read_release(*given, **named))  # type: ignore[arg-type]
        if change:
            (made.release / "data" / "train.csv").write_bytes(b"other")
        return found

    monkeypatch.setattr("aibom.cli.recorded_files.read_release", read_and_change)
    change = False
    assert record_training(aibom, made).code == 0
    made.links[0].unlink()
    change = True
    ran = record_training(aibom, made)
    assert (ran.code, made.links) == (3, [])
    assert "changed while it was being recorded" in ran.err
