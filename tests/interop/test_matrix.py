"""Every cell of the tables is a run: our bundles before other people's verifiers, and theirs before ours.

Each cell must be as `expected.py` says, in both directions, and as the committed `results.json` says. Whoever accepts
must refuse the same with a bent payload, from another signer, and (if it looks at them) with a changed file.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.conftest import Ran
from tests.interop.expected import expected_departure
from tests.interop.judges import JUDGES, Answer, Judge
from tests.interop.others import BUNDLES, OTHERS, PROVENANCE, NotSignedError, OtherRow
from tests.interop.results import ACCEPTED, NOT_APPLICABLE, REFUSED, Cell, Results
from tests.lab import ARTIFACT, DOCUMENTS, SIGNERS, Expect, Lab, Signed, SignerRow, bend_payload
from tests.releases.files import put

pytest.importorskip("model_signing", reason="needs the interop group: run `make interop`")
pytestmark = pytest.mark.interop
Aibom = Callable[..., Ran]
Verify = Callable[[Signed], Answer]
Record = Callable[[str, object], None]


@pytest.mark.parametrize("judge", JUDGES, ids=[judge.name for judge in JUDGES])
@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("signer", SIGNERS, ids=lambda signer: signer.name)
def test_our_bundles_before_other_judges(
    lab: Lab,
    tmp_path: Path,
    signer: SignerRow,
    document: str,
    judge: Judge,
    committed: Results | None,
    record_property: Record,
) -> None:
    def verify(signed: Signed) -> Answer:
        return judge.verify(signed.release, document, signed.expect)

    signed = lab.signed(signer)
    answer = verify(signed)
    cell = Cell("aibom", document, signer.name, judge.name, ACCEPTED if answer.accepted else REFUSED)
    cell = require_expected(cell, answer.said)
    if answer.accepted:
        require_refusals(signed, DOCUMENTS[document], verify, tmp_path, reads_files=judge.reads_files)
    record_property("cell", json.dumps(asdict(cell)))
    assert committed is None or cell in committed.cells, "run `make interop-table` and read the difference"


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other.name)
def test_their_bundles_before_us(
    lab: Lab, tmp_path: Path, aibom: Aibom, other: OtherRow, committed: Results | None, record_property: Record
) -> None:
    def verify(signed: Signed) -> Answer:
        ran = aibom("verify", signed.release, *signed.expect.options, "--json")
        counted = other.document != PROVENANCE or _is_counted(ran, BUNDLES[PROVENANCE], signed.expect)
        return Answer(ran.code == 0 and counted, ran.out + ran.err)

    try:
        signed = other.sign(lab, lab.place(other.name))
    except NotSignedError as error:
        cell = require_expected(Cell(other.tool, other.document, other.how, "aibom", NOT_APPLICABLE), str(error))
    else:
        answer = verify(signed)
        outcome = ACCEPTED if answer.accepted else REFUSED
        cell = require_expected(Cell(other.tool, other.document, other.how, "aibom", outcome), answer.said)
        if answer.accepted:
            require_refusals(signed, BUNDLES[other.document], verify, tmp_path, reads_files=True)
    record_property("cell", json.dumps(asdict(cell)))
    assert committed is None or cell in committed.cells, "run `make interop-table` and read the difference"


def test_the_versions_of_the_judges_are_those_in_the_tables(committed: Results | None) -> None:
    assert committed is None or {judge.name: judge.version() for judge in JUDGES} == committed.judges


def require_expected(cell: Cell, said: str) -> Cell:
    """The cell with its reason, if it is what `expected.py` says; a refusal for another reason is none."""
    departure = expected_departure(cell.signed_by, cell.document, cell.how, cell.judge)
    assert cell.outcome == (departure.outcome if departure else ACCEPTED), said
    assert departure is None or departure.says in said, said
    return replace(cell, reason=departure.why if departure else "")


def require_refusals(signed: Signed, bundle: str, verify: Verify, folder: Path, *, reads_files: bool) -> None:
    """The judge must refuse three bent copies of what it accepts, and still accept an unbent one."""
    assert verify(signed.copy(folder / "copy")).accepted
    assert not verify(Signed(signed.release, signed.stranger, signed.expect)).accepted
    bent = signed.copy(folder / "bent")
    bend_payload(bent.release / bundle)
    assert not verify(bent).accepted
    if reads_files:
        changed = signed.copy(folder / "changed")
        put(changed.release / ARTIFACT, b"other weights")
        assert not verify(changed).accepted


def _is_counted(ran: Ran, path: str, expect: Expect) -> bool:
    """Whether our report names the attestation as made by the expected signer."""
    return [r["signer"] for r in json.loads(ran.out)["attestations"] if r["path"] == path] == [expect.identity]
