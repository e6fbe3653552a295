"""Every release in every format and version: judged by the library, the same bytes everywhere, nothing dangling."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.validation.xml import XmlValidator
from packageurl import PackageURL

from aibom.build.assemble import assemble
from aibom.build.collect import collect
from aibom.build.emit import Format, emit
from aibom.cyclonedx.schema import schema_problems
from tests.factory import BUILT, RELEASES, make_release, read_manifest
from tests.reading import bom_of, nested, properties, references, referred

ROOT = Path(__file__).parents[2]
# One script, so that two interpreters with two hash seeds run exactly the same.
_SCRIPT = """
import hashlib, sys
from pathlib import Path
from aibom.build.assemble import assemble
from aibom.build.collect import collect
from aibom.build.emit import Format, emit
from tests.factory import BUILT
for folder in sorted(Path(sys.argv[1]).iterdir()):
    account = assemble(collect(folder))
    for form in Format:
        for version in ("1.6", "1.7"):
            data = emit(account, tool_version="0", timestamp=BUILT, form=form, spec_version=version).data
            assert sys.argv[1].encode() not in data
            print(folder.name, form, version, hashlib.sha256(data).hexdigest())
"""


@pytest.mark.parametrize("version", ["1.6", "1.7"])
@pytest.mark.parametrize("kind", RELEASES)
def test_valid_in_every_version_and_format(tmp_path: Path, kind: str, version: str) -> None:
    account = assemble(collect(make_release(tmp_path / "r", kind)))
    data = emit(account, tool_version="0", timestamp=BUILT, spec_version=version).data
    schema = SchemaVersion.from_version(version)
    assert JsonStrictValidator(schema).validate_str(data.decode()) is None
    assert schema_problems(json.loads(data)) == []
    xml = emit(account, tool_version="0", timestamp=BUILT, spec_version=version, form=Format.CYCLONEDX_XML).data
    assert XmlValidator(schema).validate_str(xml.decode()) is None


def test_the_same_bytes_in_two_folders_and_two_hash_seeds(tmp_path: Path) -> None:
    printed = set()
    for seed, parent in (("1", tmp_path / "first"), ("2", tmp_path / "second" / "deeper")):
        for kind in RELEASES:
            make_release(parent / kind, kind)
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT, str(parent)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        printed.add(done.stdout)
    (lines,) = printed
    assert lines.count("\n") == len(RELEASES) * len(Format) * 2


@pytest.mark.parametrize("kind", RELEASES)
def test_every_file_in_one_place_and_every_place_a_file(tmp_path: Path, kind: str) -> None:
    release = make_release(tmp_path / "r", kind)
    names = [c["name"] for c in nested(bom_of(release)) if c["type"] == "file"]
    assert sorted(names) == sorted(read_manifest(release).by_name())


@pytest.mark.parametrize("kind", RELEASES)
def test_references_resolve_and_package_urls_are_canonical(tmp_path: Path, kind: str) -> None:
    bom = bom_of(make_release(tmp_path / "r", kind))
    assert set(referred(bom)) <= references(bom)
    for component in nested(bom):
        if "purl" in component:
            assert PackageURL.from_string(component["purl"]).to_string() == component["purl"]


@pytest.mark.parametrize("kind", RELEASES)
def test_every_name_has_a_source_or_is_said_to_have_none(tmp_path: Path, kind: str) -> None:
    for component in nested(bom_of(make_release(tmp_path / "r", kind))):
        if component["type"] in {"machine-learning-model", "data", "application"} and "isExternal" not in component:
            assert properties(component, "aibom:source:name"), component["name"]
            unknown = properties(component, "aibom:unknown")
            for field, key in (("licenses", "license"), ("version", "version")):
                assert (field in component) != (key in unknown), (component["name"], field)
