"""The Markdown that `aibom sign --summary` adds: true, and only ever text, whatever a release calls itself."""

import json
import re
import shlex
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from aibom.cli.render.summary import SignedRelease, markdown, signed_summary
from aibom.core.layout import BOM_NAME, SIGNATURE_NAME
from tests.conftest import Ran
from tests.factory import KeyFiles, make_key, make_release, public_pem, read_manifest, sign_release
from tests.releases.files import put

Aibom = Callable[..., Ran]
HOSTILE = [
    "a | b",
    "`code` ``` fence",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/pixel.png)",
    "**bold** _it_ ~~gone~~ # heading",
    "https://evil.example www.evil.example someone@evil.example @octocat #123",
    "$x^2$ :smile: &lt;b&gt; &#60;b&#62; \\| \\",
    "one\n\n## Accepted by everybody\n\n| a | b |",
    "\u202egnp.exe\x1b[31m\u2028",
]
INERT = {"h2", "/h2", "table", "/table", "thead", "/thead", "tbody", "/tbody", "tr", "/tr", "th", "/th", "td", "/td"}
INERT |= {"ul", "/ul", "li", "/li", "p", "/p", "pre", "/pre", "code", "/code"}


def rendered(text: str) -> str:
    """As GitHub and GitLab would: tables, strikethrough, and HTML let through, so that any that is there shows."""
    page = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(page.render(text))


def tags(html: str) -> set[str]:
    return {tag.lower() for tag in re.findall(r"<\s*(/?[a-zA-Z!][^\s>/]*)", html)}


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_stays_text_in_a_cell_and_in_a_list(text: str) -> None:
    shown = markdown(text)
    assert "\n" not in shown
    html = rendered(f"| | |\n|---|---|\n| Model | {shown} |\n\n- {shown}\n")
    assert tags(html) <= INERT
    assert html.count("<td>") == 2
    assert html.count("<li>") == 1
    words = " ".join(re.sub(r"[^\x20-\x7e]", " ", text).split())
    if text.isprintable():
        assert [unescape(cell) for cell in re.findall("<td>(.*?)</td>", html)][1] == words


def test_text_is_bounded() -> None:
    assert len(markdown("x" * 100_000)) < 400


@pytest.fixture
def page(aibom: Aibom, release: Path, keys: KeyFiles, tmp_path: Path) -> str:
    file = tmp_path / "summary.md"
    file.write_text("# What another step wrote\n\n")
    ran = aibom("sign", release, "--build", "--key", keys.private, "--summary", file)
    assert ran.code == 0, ran.err
    return file.read_text()


def test_what_was_signed_and_by_whom(aibom: Aibom, release: Path, keys: KeyFiles, page: str) -> None:
    report = json.loads(aibom("verify", release, "--public-key", keys.public, "--json").out)
    html = unescape(rendered(page))
    assert page.startswith("# What another step wrote\n\n## Signed: ")
    assert report["subject"]["tree_digest"] in html
    assert f"{report['subject']['files']:,}" in html
    assert report["signers"][0]["identity"] in html
    bom = json.loads((release / BOM_NAME).read_bytes())
    models = [c for c in [bom["metadata"]["component"], *bom["components"]] if c["type"] == "machine-learning-model"]
    assert models[0]["name"] in html
    assert models[0]["licenses"][0]["license"]["id"] in html


def test_the_command_for_buyers_runs(aibom: Aibom, release: Path, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (command,) = re.findall("^    (aibom verify .*)$", page, re.MULTILINE)
    monkeypatch.chdir(release.parent)
    Path("PUBLISHER.pub").write_bytes(public_pem(make_key()))
    assert aibom(*shlex.split(command)[1:]).code == 0


def test_a_release_that_is_hostile_throughout(tmp_path: Path) -> None:
    release = make_release(tmp_path / "rel`ea|se<b>")
    attack = "<script>x</script> | `` [a](javascript:1)"

    def bend(document: dict[str, object]) -> None:
        text = json.dumps(document)
        bent = json.loads(text)
        root = bent["metadata"]["component"]
        for component in [root, *bent["components"]]:
            if component["type"] in {"machine-learning-model", "data"}:
                component["name"] = component["version"] = attack
                component["licenses"] = [{"license": {"name": attack}}]
                component["pedigree"] = {"ancestors": [{"type": "machine-learning-model", "name": attack}]}
        root["properties"] += [{"name": "aibom:conflict", "value": f"{attack}\n\n# {n}"} for n in range(30)]
        document.clear()
        document.update(bent)

    sign_release(release, edit=bend)
    text = signed_summary(
        SignedRelease(
            release=release,
            manifest=read_manifest(release),
            bom=(release / BOM_NAME).read_bytes(),
            signature=(release / SIGNATURE_NAME).read_bytes(),
        )
    )
    html = rendered(text)
    assert tags(html) <= INERT
    assert html.count("<h2>") == 1
    assert html.count("<tr>") == 1 + 7
    assert html.count("<li>") == 21
    assert "and 10 more, in the BOM" in html
    (command,) = re.findall("<pre><code>(.*?)\n</code></pre>", html)
    assert shlex.split(unescape(command))[2] == f"./{release.name}"


def test_what_is_wrong_with_a_release_stands_there(aibom: Aibom, tmp_path: Path, keys: KeyFiles, release: Path) -> None:
    put(release / "legacy.pkl", b"cposix\nsystem\n(S'true'\ntR.")
    file = tmp_path / "summary.md"
    ran = aibom("sign", release, "--build", "--key", keys.private, "--summary", file)
    assert ran.code == 0, ran.err
    assert "<li>legacy.pkl: dangerous to load: calls posix.system" in rendered(file.read_text())


def test_a_summary_may_not_change_the_release(aibom: Aibom, release: Path, keys: KeyFiles) -> None:
    ran = aibom("sign", release, "--build", "--key", keys.private, "--summary", release / "summary.md")
    assert ran.code == 2
    assert not (release / "summary.md").exists()


def test_a_summary_that_cannot_be_written_is_found_before_anything_is_signed(
    aibom: Aibom, release: Path, keys: KeyFiles, tmp_path: Path
) -> None:
    ran = aibom("sign", release, "--build", "--key", keys.private, "--summary", tmp_path / "nowhere" / "summary.md")
    assert ran.code == 3
    assert not (release / SIGNATURE_NAME).exists()
