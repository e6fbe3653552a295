"""The work grows with what a release holds, not with its square: counted in calls, so that no clock is asked."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from aibom.build.assemble import assemble
from aibom.build.collect import collect
from aibom.build.emit import Format, emit
from aibom.build.render.document import bom_document
from aibom.cyclonedx.diff import compare_boms
from aibom.cyclonedx.view import Bom
from tests.factory import BUILT, make_release
from tests.releases.files import put, put_json
from verify.bom_declarations import check_declared
from verify.declared import Declared

MORE = 2.3  # twice as much of one thing, and what is there in any case


def calls(action: Callable[[], object]) -> int:
    """How many Python functions an action calls."""
    count = 0

    def count_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(count_call)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def files(folder: Path, count: int) -> None:
    for number in range(count):
        put(folder / "notes" / f"{number:05}.bin", b"\0%d" % number)


def libraries(folder: Path, count: int) -> None:
    lines = (f"lib{number}=={number}.0" if number % 2 else f"lib{number}>={number}" for number in range(count))
    put(folder / "requirements.txt", "\n".join(lines))


def locked(folder: Path, count: int) -> None:
    entries = (
        f'[[package]]\nname = "lib{number}"\nversion = "1.{number}"\n'
        'source = { registry = "https://packages.example" }\n'
        f'dependencies = [{{ name = "lib{number + 1}" }}]\n'
        for number in range(count)
    )
    put(folder / "uv.lock", 'version = 1\nrequires-python = ">=3.11"\n' + "".join(entries))


def results(folder: Path, count: int) -> None:
    put_json(folder / "eval_results.json", {f"eval_metric_{number}": number / count for number in range(count)})


def slices(folder: Path, count: int) -> None:
    """One metric on many data sets, as a harness reports it."""
    found = {f"task_{number}": {"acc,none": number / count, "acc_stderr,none": 0.1} for number in range(count)}
    put_json(folder / "results_1.json", {"results": found, "versions": {}, "config": {"model": "hf"}})


def datasets(folder: Path, count: int) -> None:
    names = "".join(f"- owner/set-{number}\n" for number in range(count))
    put(folder / "README.md", f"---\nmodel_name: m\nlicense: mit\ndatasets:\n{names}---\n# M\n")


def imports(folder: Path, count: int) -> None:
    put(folder / "many.py", "".join(f"import lib{number}\n" for number in range(count)))


def models(folder: Path, count: int) -> None:
    text = "".join(f'AutoModel.from_pretrained("owner/model-{number}")\n' for number in range(count))
    put(folder / "load.py", f"from transformers import AutoModel\n{text}")


@pytest.mark.parametrize(
    "grow", [files, libraries, locked, results, slices, datasets, imports, models], ids=lambda grow: grow.__name__
)
def test_building_is_linear(tmp_path: Path, grow: Callable[[Path, int], None]) -> None:
    counted = []
    for number in (150, 300):
        release = make_release(tmp_path / str(number))
        grow(release, number)

        def build(release: Path = release) -> object:
            account = assemble(collect(release))
            return [
                emit(account, tool_version="0", timestamp=BUILT),
                emit(account, tool_version="0", timestamp=BUILT, spec_version="1.6", form=Format.CYCLONEDX_XML),
                emit(account, tool_version="0", timestamp=BUILT, form=Format.SPDX3_JSON),
            ]

        build()  # what is imported or cached once is not counted
        counted.append(calls(build))
    assert counted[1] < MORE * counted[0], counted


def test_comparing_is_linear(tmp_path: Path) -> None:
    counted = []
    for number in (150, 300):
        release = make_release(tmp_path / str(number))
        libraries(release, number)
        document = bom_document(assemble(collect(release)), tool_version="0", timestamp=None)
        counted.append(calls(lambda document=document: compare_boms(document, document)))  # type: ignore[misc]
    assert counted[1] < MORE * counted[0], counted


def test_comparing_what_the_files_declare_is_linear() -> None:
    """As many files that pin a library as there are libraries, and as many cards' worth of data sets."""
    counted = []
    for number in (150, 300):
        names = [f"lib{n}" for n in range(number)]
        bom = Bom({"components": [{"type": "library", "name": name, "version": "1"} for name in names]})
        said = [
            Declared(file=f"{name}/requirements.txt", libraries=(name.upper(),), pins=((name, "1"),)) for name in names
        ]
        assert check_declared(bom, said) == ()
        counted.append(calls(lambda bom=bom, said=said: check_declared(bom, said)))  # type: ignore[misc]
    assert counted[1] < MORE * counted[0], counted
