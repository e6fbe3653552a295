"""A signed release with the recorded steps that made it: a valid whole, of which a test bends one thing."""

import base64
import hashlib
import json
import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from aibom.core.finding import Outcome
from aibom.core.verdict import Verdict
from attest.bundle import PAYLOAD_TYPE
from attest.chain_plan import parse_plan
from attest.keys import VerificationKey
from attest.signing.steps import RecordedStep, StepSigner
from attest.step_metadata import link_file_name
from tests.factory import key_policy, make_key, make_release, read_manifest, rules_of, sign_release, verify_signed
from tests.releases.files import put
from tests.releases.writers import random_tensor, safetensors_bytes
from verify.policy import Policy
from verify.report import Report

Json = dict[str, Any]
EXPIRES = datetime(2027, 6, 1, tzinfo=UTC)
OWNER, STRANGER = 5, 9
# Step → number of the key that does it; 6 and 7 may both do the evaluation.
DOES = {"preprocess": 1, "train": 2, "quantise": 3, "evaluate": 6}
WEIGHTS, QUANTISED = "model.safetensors", "model.int8.safetensors"
PLAN = """
description = "How the teller is made."

[[step]]
name = "preprocess"
by = ["1"]
takes = [{ files = ["raw/*"] }]
makes = ["data/*"]

[[step]]
name = "train"
by = ["2"]
command = ["python", "train.py"]
takes = [{ from = "preprocess", files = ["data/*"] }]
makes = ["model.safetensors", "config.json"]

[[step]]
name = "quantise"
by = ["3"]
takes = [{ from = "train", files = ["model.safetensors"] }]
makes = ["model.int8.safetensors"]

[[step]]
name = "evaluate"
by = ["6", "7"]
threshold = 1
takes = [{ from = "train", files = ["model.safetensors"] }, { from = "quantise", files = ["model.int8*"] }]
makes = ["eval/*"]
"""


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def public(number: int) -> VerificationKey:
    return VerificationKey(make_key("p256", number).public_key())


def key_id(number: int) -> str:
    return str(SSlibKey.from_crypto(public(number).key).keyid)


@cache
def _template(base: Path) -> Path:
    folder = make_release(base / "made", "small")
    put(folder / QUANTISED, safetensors_bytes({"a": random_tensor(random.Random(8), "F32", 4)}, {"format": "pt"}))
    return sign_release(folder)


@dataclass
class Chain:
    """A release, and what its steps recorded; `write` signs and lays all of it down."""

    release: Path
    steps: dict[str, RecordedStep]
    plan: str = PLAN
    does: dict[str, int] = field(default_factory=lambda: dict(DOES))
    owner: int = OWNER
    expires: datetime = EXPIRES

    @property
    def attestations(self) -> Path:
        return self.release / "attestations"

    @property
    def layout(self) -> Path:
        return self.attestations / "root.layout"

    def link(self, step: str, number: int | None = None) -> Path:
        return self.attestations / link_file_name(step, key_id(number or self.does[step]))

    def bend(self, step: str, **changes: object) -> None:
        self.steps[step] = replace(self.steps[step], **changes)  # type: ignore[arg-type]

    def write(self) -> "Chain":
        plan = parse_plan(self.plan.encode())
        keys = {path: public(int(path)) for step in plan.steps for path in step.keys}
        self.layout.write_bytes(signer(self.owner).sign_layout(plan, keys, self.expires))
        for step in self.steps:
            self.write_link(step, self.does[step])
        return self

    def write_link(self, step: str, number: int) -> None:
        self.link(step, number).write_bytes(signer(number).sign_link(self.steps[step]))

    def edit_layout(self, edit: Callable[[Json], object], *, number: int | None = None) -> None:
        """Edit the layout, and have its owner sign it again."""
        document = payload_of(self.layout)
        edit(document)
        self.layout.write_bytes(sign_payload(document, self.owner if number is None else number))

    def verify(self, policy: Policy | None = None) -> Report:
        return verify_signed(self.release, policy or owner_policy())


def signer(number: int) -> StepSigner:
    return StepSigner(make_key("p256", number))


def owner_policy(number: int = OWNER) -> Policy:
    return replace(key_policy(), layout_keys=(public(number),))


def chain_of(folder: Path, base: Path) -> Chain:
    """A copy of a signed release with unsigned records of four steps that made it."""
    shutil.copytree(_template(base), folder)
    there = {entry.name: entry.sha256 for entry in read_manifest(folder).entries}
    some = {name: there[name] for name in ("data/train.csv", WEIGHTS, "config.json", QUANTISED)}
    return Chain(folder, _records(some))


def _records(there: Mapping[str, str]) -> dict[str, RecordedStep]:
    def step(name: str, took: list[str], made: list[str], command: tuple[str, ...]) -> RecordedStep:
        known = dict(there) | {"raw/a.txt": digest("raw"), "eval/scores.json": digest("scores")}
        return RecordedStep(
            name=name,
            materials={file: known[file] for file in took},
            products={file: known[file] for file in made},
            command=command,
            exit_code=0,
        )

    return {
        "preprocess": step("preprocess", ["raw/a.txt"], ["data/train.csv"], ("make", "data")),
        "train": step("train", ["data/train.csv"], [WEIGHTS, "config.json"], ("python", "train.py")),
        "quantise": step("quantise", [WEIGHTS], [QUANTISED], ("quantise",)),
        "evaluate": step("evaluate", [WEIGHTS, QUANTISED], ["eval/scores.json"], ("evaluate",)),
    }


def payload_of(path: Path) -> Json:
    document: Json = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
    return document


def sign_payload(document: object, *numbers: int) -> bytes:
    """An envelope around anything, signed by these keys."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    head = PAYLOAD_TYPE.encode()
    message = b"DSSEv1 %d %s %d %s" % (len(head), head, len(data), data)
    signatures = []
    for number in numbers:
        made = CryptoSigner(make_key("p256", number)).sign(message)
        value = base64.b64encode(bytes.fromhex(made.signature)).decode()
        signatures.append({"keyid": made.keyid, "sig": value})
    envelope = {"payload": base64.b64encode(data).decode(), "payloadType": PAYLOAD_TYPE, "signatures": signatures}
    return json.dumps(envelope).encode()


def refused(report: Report, rule: str, *words: str) -> None:
    """Rejected, for this reason, in these words; and no step is shown as verified."""
    assert report.verdict is Verdict.REJECTED
    _told(report, rule, Outcome.CONTRADICTED, words)


def incomplete(report: Report, rule: str, *words: str) -> None:
    assert report.verdict is Verdict.INCOMPLETE
    _told(report, rule, Outcome.MISSING, words)


def undecided(report: Report, rule: str, *words: str) -> None:
    assert report.verdict is Verdict.UNDECIDED
    _told(report, rule, Outcome.UNDECIDED, words)


def _told(report: Report, rule: str, outcome: Outcome, words: tuple[str, ...]) -> None:
    found = [f for f in report.findings if f.rule == rule]
    assert found, rules_of(report)
    assert found[0].outcome is outcome
    text = " ".join((f.message + f.where + f.expected + f.found) for f in found)
    for word in words:
        assert word in text
    if report.supply_chain:
        assert report.supply_chain.outcome != "verified"
