"""`init`, `inspect`, `diff`, and `build` in every form and from everywhere a release may live."""

import json
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.validation.xml import XmlValidator

from aibom.build.publisher import parse_publisher
from aibom.core.layout import BOM_NAME, SPDX_NAME, XML_NAME
from tests.conftest import Ran
from tests.factory import KeyFiles, make_release
from tests.reading import Json, nested, one, properties
from tests.releases.files import put
from tests.releases.git_checkout import COMMIT_TIME, head_commit, write_git_checkout
from tests.releases.hub_cache import COMMIT, write_hub_cache
from tests.releases.small import write_small
from tests.releases.writers import Tensor, safetensors_bytes

Aibom = Callable[..., Ran]
ONE_TENSOR = safetensors_bytes({"a": Tensor(dtype="F32", shape=(1,), data=bytes(4))}, {"model_name": "dot"})


def bom_at(path: Path) -> Json:
    document: Json = json.loads(path.read_bytes())
    return document


# init


def test_init_writes_what_it_found_as_comments(aibom: Aibom, tmp_path: Path) -> None:
    release = make_release(tmp_path / "r", "example")
    ran = aibom("init", release)
    assert ran.code == 0, ran.err
    text = (release / "aibom.toml").read_text()
    assert '# version = "2.1.0"' in text
    assert "found in CITATION.cff, version" in text
    assert '# name = "stanfordnlp/imdb"' in text
    said = parse_publisher(text.encode())
    assert (said.release, said.model, said.data) == ({}, {}, ())
    assert aibom("build", release).code == 0


def test_every_line_of_it_is_valid_when_it_is_stated(aibom: Aibom, tmp_path: Path) -> None:
    release = make_release(tmp_path / "r", "example")
    assert aibom("init", release).code == 0
    lines = (release / "aibom.toml").read_text().splitlines()
    stated = [line.removeprefix("# ") if re.match(r"# (\[|\S+ = )", line) else line for line in lines]
    said = parse_publisher("\n".join(stated).encode())
    assert said.release["supplier"] == "Acme AI B.V."
    assert said.model["hub"] == "acme-ai/sentimind-small-v2"
    assert said.author is not None
    assert {item.name for item in said.data} == {"acme-ai/internal-reviews", "stanfordnlp/imdb"}
    put(release / "aibom.toml", "\n".join(stated))
    ran = aibom("build", release)
    assert ran.code == 0, ran.err
    bom = bom_at(release / BOM_NAME)
    assert bom["metadata"]["authors"] == [{"name": "Jane Doe"}]
    assert bom["metadata"]["timestamp"] == "2026-01-31T00:00:00Z"


def test_init_never_overwrites(aibom: Aibom, release: Path) -> None:
    put(release / "aibom.toml", "")
    ran = aibom("init", release)
    assert ran.code == 2
    assert "there is one already" in ran.err
    assert (release / "aibom.toml").read_bytes() == b""


def test_a_wrong_statement_ends_the_build_and_names_the_nearest_key(aibom: Aibom, release: Path) -> None:
    put(release / "aibom.toml", '[release]\nsuplier = "Acme"\n')
    ran = aibom("build", release)
    assert ran.code == 3
    assert all(
        words in ran.err for words in ("unknown key 'suplier'", "aibom.toml, release", "did you mean 'supplier'?")
    )
    assert not (release / BOM_NAME).exists()


# inspect


def test_inspect_a_file(aibom: Aibom, tmp_path: Path) -> None:
    release = make_release(tmp_path / "r", "example")
    ran = aibom("inspect", release / "gguf" / "sentimind-small-v2-f16.gguf")
    assert ran.code == 0, ran.err
    assert "MOSTLY_F16" in ran.out
    assert "from  sentimind-small-v2-f16.gguf, general.license" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    ran = aibom("inspect", release / "legacy" / "scaler.pkl")
    assert "dangerous" in ran.out
    assert "posix.system" in ran.out


def test_inspect_as_json(aibom: Aibom, tmp_path: Path) -> None:
    release = make_release(tmp_path / "r", "example")
    found = json.loads(aibom("inspect", release, "--json").out)
    assert {file["name"] for file in found["files"]} >= {"README.md", "train.py"}
    assert {
        "component": "sentimind-small-v2",
        "path": "version",
        "value": "2.1.0",
        "source": "CITATION.cff, version",
    } in (found["values"])
    assert not (release / BOM_NAME).exists()


def test_inspect_a_bom(aibom: Aibom, release: Path) -> None:
    assert aibom("build", release).code == 0
    ran = aibom("inspect", release / BOM_NAME)
    assert ran.code == 0, ran.err
    assert "README.md, front matter" in ran.out


def test_a_broken_file_is_said_to_be(aibom: Aibom, tmp_path: Path) -> None:
    put(tmp_path / "m.gguf", b"GGUF" + bytes(8))
    ran = aibom("inspect", tmp_path / "m.gguf")
    assert ran.code == 3
    assert "m.gguf" in ran.err


# diff


def test_diff_of_two_releases(aibom: Aibom, tmp_path: Path) -> None:
    old, new = make_release(tmp_path / "old"), make_release(tmp_path / "new")
    assert aibom("diff", old, new).out.strip() == "Nothing changed."
    put(new / "model.safetensors", ONE_TENSOR)
    put(new / "requirements.txt", "torch==2.7.0\n")
    ran = aibom("diff", old, new)
    assert ran.code == 0, ran.err
    assert "model.safetensors" in ran.out
    assert "hashes.SHA-256.content" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    changes = json.loads(aibom("diff", old, new, "--json").out)["changes"]
    assert {"added", "removed", "changed"} >= {change["kind"] for change in changes}
    assert any(change["type"] == "library" and change["name"] == "torch" for change in changes)


def test_diff_of_a_bom_and_a_release(aibom: Aibom, release: Path, tmp_path: Path) -> None:
    assert aibom("build", release, "-o", tmp_path / "before.json").code == 0
    (release / "LICENSE").unlink()
    out = aibom("diff", tmp_path / "before.json", release).out
    assert re.search(r"- LICENSE", out)


def test_diff_ignores_what_means_nothing(aibom: Aibom, release: Path, tmp_path: Path) -> None:
    for name, epoch in (("a.json", "0"), ("b.json", "1000000000")):
        os.environ["SOURCE_DATE_EPOCH"] = epoch
        try:
            assert aibom("build", release, "-o", tmp_path / name).code == 0
        finally:
            del os.environ["SOURCE_DATE_EPOCH"]
    assert aibom("diff", tmp_path / "a.json", tmp_path / "b.json").out.strip() == "Nothing changed."


# build: formats, --explain


@pytest.mark.parametrize(
    ("form", "version", "name"),
    [
        ("cyclonedx-json", "1.6", BOM_NAME),
        ("cyclonedx-json", "1.7", BOM_NAME),
        ("cyclonedx-xml", "1.6", XML_NAME),
        ("cyclonedx-xml", "1.7", XML_NAME),
    ],
)
def test_cyclonedx_in_both_versions_and_formats(
    aibom: Aibom, tmp_path: Path, form: str, version: str, name: str
) -> None:
    release = make_release(tmp_path / "r", "example")
    ran = aibom("build", release, "--format", form, "--spec-version", version)
    assert ran.code == 0, ran.err
    text = (release / name).read_text()
    schema = SchemaVersion.from_version(version)
    judge = JsonStrictValidator(schema) if form.endswith("json") else XmlValidator(schema)
    assert judge.validate_str(text) is None
    if version == "1.6":
        assert "citations" in ran.err or "warning" in ran.err


def test_spdx_needs_a_date_and_says_how_to_give_one(aibom: Aibom, release: Path) -> None:
    ran = aibom("build", release, "--format", "spdx3-json")
    assert ran.code == 3
    assert "SOURCE_DATE_EPOCH" in ran.err
    put(release / "aibom.toml", "[release]\ndate = 2026-03-01\n")
    ran = aibom("build", release, "--format", "spdx3-json")
    assert ran.code == 0, ran.err
    graph = json.loads((release / SPDX_NAME).read_bytes())["@graph"]
    assert {"ai_AIPackage", "dataset_DatasetPackage"} <= {element["type"] for element in graph}


def test_explain(aibom: Aibom, tmp_path: Path) -> None:
    release = make_release(tmp_path / "r", "example")
    out = aibom("build", release, "--explain").out
    assert re.search(r"task\s+text-classification\n\s+from\s+README.md, front matter, pipeline_tag", out)
    assert max(map(len, out.splitlines())) <= 80


# Where releases live


def test_a_snapshot_in_a_hub_cache(aibom: Aibom, tmp_path: Path, keys: KeyFiles) -> None:
    snapshot = write_hub_cache(tmp_path, write_small, repository="acme-ai/tiny-teller")
    ran = aibom("build", snapshot, "-o", tmp_path / "bom.json")
    assert ran.code == 0, ran.err
    model = one(bom_at(tmp_path / "bom.json"), "machine-learning-model", "tiny-teller")
    assert model["purl"] == f"pkg:huggingface/acme-ai/tiny-teller@{COMMIT}"
    out = tmp_path / "signatures"
    ran = aibom("sign", snapshot, "--build", "--key", keys.private, "--output-dir", out)
    assert ran.code == 0, ran.err
    assert aibom("verify", snapshot, "--public-key", keys.public, "--attached", out).code == 0
    (snapshot / "README.md").resolve().write_text("changed")
    ran = aibom("verify", snapshot, "--public-key", keys.public, "--attached", out)
    assert ran.code in {1, 3}
    assert "README.md" in ran.out + ran.err


def test_a_link_out_of_the_cache(aibom: Aibom, tmp_path: Path) -> None:
    snapshot = write_hub_cache(tmp_path, write_small, escape=True)
    ran = aibom("build", snapshot, "-o", tmp_path / "bom.json")
    assert ran.code == 3
    assert "does not lead to a blob of this hub cache" in ran.err
    assert not (tmp_path / "bom.json").exists()


def test_a_blob_that_is_not_what_its_name_says(aibom: Aibom, tmp_path: Path) -> None:
    snapshot = write_hub_cache(tmp_path, write_small)
    blob = (snapshot / "model.safetensors").resolve()
    assert len(blob.name) == 64
    blob.write_bytes(ONE_TENSOR)
    ran = aibom("build", snapshot, "-o", tmp_path / "bom.json")
    assert ran.code == 3
    assert "the hub cache is damaged" in ran.err


@pytest.mark.parametrize("form", ["branch", "packed"])
def test_a_git_checkout(aibom: Aibom, tmp_path: Path, form: str) -> None:
    checkout = write_git_checkout(tmp_path, write_small, form=form)  # type: ignore[arg-type]
    ran = aibom("build", checkout, "-o", tmp_path / "bom.json")
    assert ran.code == 0, ran.err
    bom = bom_at(tmp_path / "bom.json")
    (vcs,) = [r for r in bom["metadata"]["component"]["externalReferences"] if r["type"] == "vcs"]
    assert "://" in vcs["url"]
    assert "@" not in vcs["url"]
    assert f"commit {head_commit(checkout)}" in vcs["comment"]
    assert datetime.fromisoformat(bom["metadata"]["timestamp"]).timestamp() == COMMIT_TIME
    assert not [c for c in nested(bom) if c["name"].startswith(".git/")]


def test_the_date_of_a_bom(aibom: Aibom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SOURCE_DATE_EPOCH before aibom.toml before the commit."""
    checkout = write_git_checkout(tmp_path, write_small)

    def stamp() -> str:
        assert aibom("build", checkout, "-o", tmp_path / "bom.json").code == 0
        found: str = bom_at(tmp_path / "bom.json")["metadata"]["timestamp"]
        return found

    by_commit = stamp()
    put(checkout / "aibom.toml", "[release]\ndate = 2020-02-02\n")
    assert stamp() == "2020-02-02T00:00:00Z" != by_commit
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert stamp() == "1970-01-01T00:00:00Z"


def test_a_single_file(aibom: Aibom, tmp_path: Path, keys: KeyFiles) -> None:
    model = tmp_path / "dot.safetensors"
    put(model, ONE_TENSOR)
    assert aibom("build", model).code == 0
    bom = bom_at(tmp_path / "dot.safetensors.aibom.cdx.json")
    assert [c["name"] for c in nested(bom) if c["type"] == "file"] == ["dot.safetensors"]
    assert aibom("sign", model, "--key", keys.private).code == 0
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} >= {
        "dot.safetensors.sig",
        "dot.safetensors.bom.sigstore.json",
    }
    assert aibom("verify", model, "--public-key", keys.public).code == 0
    model.write_bytes(ONE_TENSOR[:-1] + b"x")
    assert aibom("verify", model, "--public-key", keys.public).code == 1
    model.write_bytes(ONE_TENSOR)
    other = tmp_path / "dot.safetensors.aibom.cdx.json"
    other.write_bytes(other.read_bytes().replace(b'"dot"', b'"dab"'))
    assert aibom("verify", model, "--public-key", keys.public).code == 1


def test_a_link_to_a_single_file_is_refused(aibom: Aibom, tmp_path: Path) -> None:
    put(tmp_path / "real.safetensors", ONE_TENSOR)
    (tmp_path / "link.safetensors").symlink_to("real.safetensors")
    ran = aibom("build", tmp_path / "link.safetensors")
    assert ran.code == 3
    assert "neither a folder nor a regular file" in ran.err


def test_the_author_of_the_bom_is_what_a_profile_asks_for(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    def verdict() -> str:
        assert aibom("sign", release, "--build", "--key", keys.private).code == 0
        ran = aibom("verify", release, "--public-key", keys.public, "--profile", "cisa-sbom-2026", "--json")
        (profile,) = json.loads(ran.out)["profiles"]
        (check,) = [check for check in profile["checks"] if check["id"] == "CISA26-M1"]
        found: str = check["verdict"]
        return found

    assert verdict() == "missing"
    put(release / "aibom.toml", '[author]\nname = "Jane Doe"\n')
    assert verdict() == "pass"


def test_what_the_publisher_states_is_told_apart(aibom: Aibom, release: Path) -> None:
    put(
        release / "aibom.toml",
        '[release]\nsupplier = "Acme Distribution"\nversion = "9.0"\noutcome = "production"\ndistribution = "local"\n'
        'tlp = "AMBER"\n[model]\nusers = ["Clerks"]\n[author]\nname = "Jane"\nemail = "jane@acme.example"\n'
        '[[person]]\nname = "Joe"\nrole = "security contact"\n[[link]]\ntype = "documentation"\n'
        'url = "https://acme.example/docs"\n[withheld]\n"data/training" = "personal data"\n'
        '[unknown]\nenergy = "not measured"\n',
    )
    assert aibom("build", release).code == 0
    bom = bom_at(release / BOM_NAME)
    root = bom["metadata"]["component"]
    assert (root["supplier"]["name"], root["version"]) == ("Acme Distribution", "9.0")
    assert properties(root, "aibom:source:supplier") == ["aibom.toml, release.supplier"]
    assert properties(root, "aibom:outcome") == ["production"]
    assert properties(root, "aibom:withheld") == ["data/training: personal data"]
    assert "energy" in properties(root, "aibom:unknown")
    assert properties(root, "aibom:unknown-reason") == ["energy: not measured"]
    assert properties(root, "aibom:person:security contact") == ["Joe"]
    assert bom["metadata"]["authors"] == [{"name": "Jane", "email": "jane@acme.example"}]
    assert bom["metadata"]["distributionConstraints"] == {"tlp": "AMBER"}
    assert one(bom, "machine-learning-model", "tiny-teller")["modelCard"]["considerations"]["users"] == ["Clerks"]
