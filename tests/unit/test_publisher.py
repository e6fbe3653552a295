"""`aibom.toml` is read strictly: what is wrong with it is named, with the place and the nearest valid word."""

import re
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.build.publisher import FIELDS, LINK_TYPES, MAX_BYTES, parse_publisher
from aibom.build.vocabulary import categories, outcomes
from aibom.core.errors import InputError
from tests.property.test_parsers import SETTINGS

WHOLE = b"""
[release]
name = "N"
version = "1"
date = 2026-03-01
supplier = "S"
manufacturer = "M"
description = "D"
license = "MIT"
outcome = "production"
distribution = "hosted"
tlp = "RED"
copyright = "C"
[model]
name = "n"
version = "2"
hub = "a/b"
developer = "d"
license = "llama3.1"
task = "text-generation"
approach = "supervised"
description = "x"
users = ["u", "v"]
intended-use = "i"
limitations = "l"
base-model = "c/d"
base-revision = "r"
[author]
name = "A"
email = "a@example.com"
role = "r"
[[person]]
name = "P"
[[link]]
type = "vcs"
url = "https://example.com/code"
comment = "c"
[[data]]
name = "data"
version = "1"
license = "CC0-1.0"
owner = "o"
custodian = "c"
steward = "s"
classification = "internal"
description = "d"
url = "https://example.com/data"
sensitive = ["names"]
[categories]
"docs/*.md" = "docs/usage"
[withheld]
"data/training" = "personal data"
[unknown]
energy = "not measured"
"""


def test_everything_that_may_be_stated() -> None:
    said = parse_publisher(WHOLE)
    assert said.date == datetime(2026, 3, 1, tzinfo=UTC)
    assert said.release["distribution"] == "hosted"
    assert said.model["base-model"] == "c/d"
    assert said.users == ("u", "v")
    assert said.data[0].sensitive == ("names",)
    assert said.categories == {"docs/*.md": "docs/usage"}
    assert said.withheld == {"data/training": "personal data"}


def test_nothing_needs_to_be_stated() -> None:
    assert parse_publisher(b"") == parse_publisher(b"[release]\n[model]\n[unknown]\n")


@pytest.mark.parametrize(
    ("text", "message", "where", "hint"),
    [
        ("[relase]\n", "unknown key 'relase'", "aibom.toml", "did you mean 'release'"),
        ('[release]\nsuplier = "x"', "unknown key 'suplier'", "aibom.toml, release", "did you mean 'supplier'"),
        ('[model]\nlicence = "x"', "unknown key 'licence'", "aibom.toml, model", "did you mean 'license'"),
        ("[release]\nversion = 2", "expected a text", "release.version", "leave the key out"),
        ('[release]\nversion = ""', "expected a text", "release.version", "leave the key out"),
        ('[release]\ndate = "2026-01-01"', "expected a date", "release.date", "without quotation marks"),
        ('[release]\noutcome = "prod"', "'prod' is no outcome", "release.outcome", "production"),
        ('[release]\ndistribution = "hosting"', "is no distribution", "release.distribution", "'hosted'"),
        ('[release]\ntlp = "amber"', "is no tlp", "release.tlp", "AMBER"),
        ('[model]\napproach = "supervise"', "is no approach", "model.approach", "'supervised'"),
        ('[model]\nusers = "u"', "expected a list", "model.users", ""),
        ("[model]\nusers = [1]", "expected a text", "model.users[0]", ""),
        ('release = "x"', "expected a table", "aibom.toml, release", "[release]"),
        ("[person]\nname = 'x'", "expected a list of tables", "aibom.toml, person", "[[person]]"),
        ('[[person]]\nemail = "x"', "'name' is missing", "person[0]", ""),
        ('[[link]]\ntype = "vcss"\nurl = "u"', "is no type of link", "link[0].type", "'vcs'"),
        ('[[link]]\nurl = "u"', "'type' is missing", "link[0]", ""),
        ('[[data]]\nname = "d"\nowners = "x"', "unknown key 'owners'", "data[0]", "'owner'"),
        ('[[data]]\nname = "d"\nsensitive = "x"', "expected a list", "data[0].sensitive", ""),
        ('[categories]\n"a" = "docs/usages"', "is no category", "categories", "'docs/usage'"),
        ('[withheld]\n"data/trainin" = "x"', "unknown key 'data/trainin'", "withheld", "'data/training'"),
        ("[unknown]\nenergy = true", "expected a text", "unknown.energy", ""),
        ("[unknown\n", "not TOML", "aibom.toml", "aibom init"),
        ("a = 1\na = 2", "not TOML", "aibom.toml", ""),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str, where: str, hint: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        parse_publisher(text.encode())
    assert where in caught.value.where
    assert hint in caught.value.hint


def test_bounds() -> None:
    with pytest.raises(InputError, match="at most"):
        parse_publisher(b" " * (MAX_BYTES + 1))
    with pytest.raises(InputError, match="not valid UTF-8"):
        parse_publisher(b"\xff")
    with pytest.raises(InputError, match="expected a text"):
        parse_publisher(b'[release]\nname = "' + b"x" * 20_001 + b'"')
    with pytest.raises(InputError, match="not TOML"):
        parse_publisher(b"a = " + b"[" * 100_000)


def test_the_words_that_may_be_used_are_those_of_the_specs() -> None:
    assert "model/weights" in categories()
    assert "production" in outcomes()
    assert len(set(FIELDS)) == len(FIELDS)
    assert len(set(LINK_TYPES)) == len(LINK_TYPES)


@SETTINGS
@given(st.data())
def test_any_bytes_are_a_statement_or_an_input_error(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(WHOLE)))
    end = data.draw(st.integers(start, min(len(WHOLE), start + 40)))
    broken = WHOLE[:start] + data.draw(st.binary(max_size=20)) + WHOLE[end:]
    with suppress(InputError):  # anything else fails the test
        said = parse_publisher(broken)
        assert said.release.keys() <= parse_publisher(WHOLE).release.keys()
