"""Licences: what people write, what texts say, and where two statements differ. No false identifier ever."""

import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.spdx import is_supported_id

from aibom.formats.licence_texts import (
    LICENCE_TEXTS,
    MAX_BYTES,
    Exactness,
    RecognisedText,
    recognise_licence_text,
)
from aibom.formats.licences import (
    MAX_CONFLICTS,
    MAX_DEPTH,
    MAX_TERMS,
    MAX_TEXT,
    LicenceKind,
    LicenceName,
    key_of,
    licence_conflicts,
    licence_of_text,
    names_no_licence,
    parse_licence,
    recognise_text,
    same_licence,
)
from aibom.formats.model_licences import DEPRECATED, KNOWN, RESTRICTS_USE, SPDX_WORDS

ROOT = Path(__file__).resolve().parents[2]

# The Hub's licence keywords that are SPDX identifiers, or name the one version of a licence that has one.
HUB_IDENTIFIERS = """
    Apache-2.0 MIT AFL-3.0 Artistic-2.0 BSL-1.0 BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear CC0-1.0 CC-BY-2.0
    CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC-BY-NC-2.0 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-ND-4.0
    CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0 CC-BY-NC-SA-4.0 CDLA-Sharing-1.0
    CDLA-Permissive-1.0 CDLA-Permissive-2.0 WTFPL ECL-2.0 EPL-1.0 EPL-2.0 etalab-2.0 EUPL-1.1 EUPL-1.2 ISC
    LPPL-1.3c MS-PL MPL-2.0 OSL-3.0 PostgreSQL OFL-1.1 NCSA Unlicense Zlib OpenMDW-1.0
"""
HUB_SPDX = {
    **{identifier.lower(): identifier for identifier in HUB_IDENTIFIERS.split()},
    "agpl-3.0": "AGPL-3.0-only",
    "gpl-2.0": "GPL-2.0-only",
    "gpl-3.0": "GPL-3.0-only",
    "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "c-uda": "C-UDA-1.0",
    "odc-by": "ODC-By-1.0",
    "odbl": "ODbL-1.0",
    "pddl": "PDDL-1.0",
    "lgpl-lr": "LGPLLR",
}
# The Hub's keywords without an identifier: family, and whether the licence forbids purposes of use.
HUB_NAMED = {
    "openrail": ("openrail", True),
    "openrail++": ("openrail", True),
    "bigscience-openrail-m": ("openrail", True),
    "creativeml-openrail-m": ("openrail", True),
    "bigscience-bloom-rail-1.0": ("openrail", True),
    "bigcode-openrail-m": ("openrail", True),
    "llama2": ("llama", True),
    "llama3": ("llama", True),
    "llama3.1": ("llama", True),
    "llama3.2": ("llama", True),
    "llama3.3": ("llama", True),
    "llama4": ("llama", True),
    "gemma": ("gemma", True),
    "deepfloyd-if-license": ("deepfloyd", True),
    "apple-amlr": ("apple", True),
    "apple-ascl": ("apple", False),
    "fair-noncommercial-research-license": ("fair", True),
    "intel-research": ("intel", True),
    "h-research": ("h-research", True),
    "grok2-community": ("grok", True),
    "open-mdw": ("openmdw", False),
    "openmdw-1.1": ("openmdw", False),
    "bsd": ("bsd", False),
    "cc": ("cc", False),
    "gpl": ("gpl", False),
    "lgpl": ("lgpl", False),
    "gfdl": ("gfdl", False),
}


@pytest.mark.parametrize(("written", "identifier"), HUB_SPDX.items(), ids=list(HUB_SPDX))
def test_a_hub_keyword_with_an_identifier(written: str, identifier: str) -> None:
    found = parse_licence(written)
    assert (found.kind, found.identifier, found.name) == (LicenceKind.SPDX_ID, identifier, identifier)
    assert found.url == f"https://spdx.org/licenses/{identifier}.html"
    assert found.use_restrictions is (identifier == "C-UDA-1.0")


@pytest.mark.parametrize(("written", "said"), HUB_NAMED.items(), ids=list(HUB_NAMED))
def test_a_hub_keyword_without_an_identifier(written: str, said: tuple[str, bool]) -> None:
    found = parse_licence(written)
    assert (found.kind, found.identifier) == (LicenceKind.NAMED, "")
    assert (found.family, found.use_restrictions) == said


@pytest.mark.parametrize(
    ("written", "identifier"),
    [
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("  apache\n license v2.0 ", "Apache-2.0"),
        ("The MIT License (MIT)", "MIT"),
        ("CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0"),
        ("Creative Commons Attribution 4.0 International", "CC-BY-4.0"),
        ("apache2", "Apache-2.0"),
        ("Apachev2", "Apache-2.0"),
        ("gpl3", "GPL-3.0-only"),
        ("GPLv3", "GPL-3.0-only"),
        ("GPLv3+", "GPL-3.0-or-later"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("3-Clause BSD License", "BSD-3-Clause"),
        ("Intel", "Intel"),
        ("((MIT))", "MIT"),
        ("License :: OSI Approved :: MIT License", "MIT"),
        ("License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
        ("License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
        ("https://creativecommons.org/licenses/by-sa/4.0/legalcode", "CC-BY-SA-4.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://www.apache.org/licenses/LICENSE-2.0", "Apache-2.0"),
        ("https://opensource.org/license/mit", "MIT"),
        ("https://spdx.org/licenses/GPL-3.0.html", "GPL-3.0-only"),
    ],
)
def test_a_name_that_is_certain(written: str, identifier: str) -> None:
    assert (parse_licence(written).kind, parse_licence(written).identifier) == (LicenceKind.SPDX_ID, identifier)


@pytest.mark.parametrize(
    ("written", "identifier"),
    [
        ("mit OR apache-2.0", "MIT OR Apache-2.0"),
        ("Apache 2.0 or MIT License", "Apache-2.0 OR MIT"),
        ("Apache-2.0 WITH llvm-exception", "Apache-2.0 WITH LLVM-exception"),
        ("(mit or isc) and gpl-3.0", "(MIT OR ISC) AND GPL-3.0-only"),
    ],
)
def test_an_expression_is_written_as_spdx_writes_it(written: str, identifier: str) -> None:
    found = parse_licence(written)
    assert (found.kind, found.identifier) == (LicenceKind.SPDX_EXPRESSION, identifier)
    assert found.url == ""


@pytest.mark.parametrize(
    "written",
    [
        "MIT AND",
        "(MIT",
        "MIT WITH MIT",
        "LLVM-exception",
        "GPL-2.0-only WITH Assembly-exception",
        "MIT OR my-own",
        "MIT OR llama3.1",
        "MIT/Apache-2.0",
        "MIT, Apache-2.0",
        "modified-mit",
        "Intel License",
        "MIT License (modified)",
        "LicenseRef-MIT-Discord",
        "LicenseRef-scancode-net-snmp",
        "https://example.org/licenses/MIT",
        "https://creativecommons.org/licenses/by/3.0/nl/",
        "https://creativecommons.org/publicdomain/mark/1.0/",
        "Apache-2.0 unless you are a competitor",
        "ours",
    ],
)
def test_a_name_that_is_not_certain_stays_a_name(written: str) -> None:
    assert parse_licence(written) == LicenceName(kind=LicenceKind.UNKNOWN_NAME, name=written)


@pytest.mark.parametrize("written", ["", "other", " Unknown ", "NONE", "NOASSERTION", "see LICENSE file", "\0", "n/a"])
def test_words_that_say_nothing(written: str) -> None:
    assert parse_licence(written) == LicenceName(kind=LicenceKind.NONE)


def test_two_words_for_nothing_and_one_for_something() -> None:
    assert (names_no_licence("Other"), names_no_licence(""), names_no_licence("mit")) == (True, True, False)


@pytest.mark.parametrize(
    ("written", "family"),
    [
        ("License :: OSI Approved :: Apache Software License", "apache"),
        ("License :: OSI Approved :: BSD License", "bsd"),
        ("License :: OSI Approved :: GNU General Public License (GPL)", "gpl"),
        ("CC-BY", "cc"),
    ],
)
def test_a_name_without_its_version_is_a_family(written: str, family: str) -> None:
    assert (parse_licence(written).kind, parse_licence(written).family) == (LicenceKind.NAMED, family)


def test_a_deprecated_identifier_without_one_successor_is_kept_and_flagged() -> None:
    for identifier in DEPRECATED:
        found = parse_licence(identifier.lower())
        assert (found.identifier, found.deprecated) == (identifier, True)
    assert not parse_licence("GPL-3.0").deprecated
    assert (
        parse_licence("MIT OR wxWindows").kind is LicenceKind.UNKNOWN_NAME
        or parse_licence("MIT OR wxWindows").deprecated
    )


def test_a_restriction_inside_an_expression_is_told() -> None:
    assert parse_licence("Hippocratic-2.1 OR MIT").use_restrictions
    assert not parse_licence("ISC OR MIT").use_restrictions


def test_text_of_any_length_and_depth_is_bounded() -> None:
    assert parse_licence("MIT" + " " * (MAX_TEXT - 3)).identifier == "MIT"
    assert parse_licence("MIT" + " " * (MAX_TEXT - 2)).kind is LicenceKind.UNKNOWN_NAME
    assert parse_licence(" OR ".join(["MIT"] * MAX_TERMS)).kind is LicenceKind.SPDX_EXPRESSION
    assert parse_licence(" OR ".join(["MIT"] * (MAX_TERMS + 1))).kind is LicenceKind.UNKNOWN_NAME
    assert parse_licence("(" * MAX_DEPTH + "MIT" + ")" * MAX_DEPTH).identifier == "MIT"
    deep = MAX_DEPTH + 1
    assert parse_licence("(" * deep + "MIT" + ")" * deep).kind is LicenceKind.UNKNOWN_NAME


def test_an_unknown_name_is_one_short_printable_line() -> None:
    assert parse_licence("ours\x1b[31m\nand more").name == "ours [31m"
    assert len(parse_licence("x" * 5000).name) == 200


def test_every_identifier_in_the_tables_is_one_of_spdx() -> None:
    texts = {known.name for known in LICENCE_TEXTS if known.spdx}
    assert not [i for i in {*SPDX_WORDS.values(), *DEPRECATED, *RESTRICTS_USE, *texts} if not is_supported_id(i)]


def test_the_tables_hold_folded_words_and_no_word_twice() -> None:
    keys = [*SPDX_WORDS, *(key for known in KNOWN for key in known.keys)]
    assert sorted(keys) == sorted(set(keys))
    assert [key for key in keys if key_of(key) != key] == []
    assert all(known.url == "" or known.url.startswith("https://") for known in KNOWN)
    assert {known.name for known in LICENCE_TEXTS if not known.spdx} <= {known.name for known in KNOWN}


# Texts. Ours is the licence itself; those of tools that the tests need come from where they are installed.


def installed_licence(package: str) -> bytes:
    files = distribution(package).files or []
    found = next(f for f in files if re.search(r"dist-info/(licenses/)?(LICENSE|COPYING)(\.txt)?$", str(f)))
    return Path(str(found.locate())).read_bytes()


@pytest.mark.parametrize(
    ("package", "identifier"),
    [("pytest", "MIT"), ("click", "BSD-3-Clause"), ("hypothesis", "MPL-2.0"), ("pygments", "BSD-2-Clause")],
)
def test_the_licence_of_an_installed_package(package: str, identifier: str) -> None:
    found = recognise_licence_text(installed_licence(package))
    assert found == RecognisedText(identifier=identifier, name=identifier, exactness=Exactness.FULL)


def test_our_own_licence_whole_and_cut_short() -> None:
    ours = (ROOT / "LICENSE").read_bytes()
    assert recognise_licence_text(ours).exactness is Exactness.FULL
    assert recognise_text(ours) == recognise_text(ours.upper()) == recognise_text(b"# " + ours) == "Apache-2.0"
    cut = recognise_licence_text(ours[:4000])
    assert (cut.identifier, cut.exactness) == ("Apache-2.0", Exactness.HEAD)


def text_of(known: Any, *, extra: int = 0) -> str:
    """A text with the phrases of a licence, in order, and as many words as the licence has."""
    phrases = [*known.opening, *known.later]
    filler = " word" * (known.words + extra - sum(len(phrase.split()) for phrase in phrases))
    return f"{' '.join(known.opening)}{filler} {' '.join(known.later)}"


WITH_BODY = [known for known in LICENCE_TEXTS if known.later and known.telling]


@pytest.mark.parametrize("known", WITH_BODY, ids=[known.name for known in WITH_BODY])
def test_a_licence_is_known_by_its_phrases_and_its_length(known: Any) -> None:
    whole = recognise_licence_text(text_of(known).encode())
    assert (whole.name, whole.exactness, whole.note) == (known.name, Exactness.FULL, "")
    assert whole.identifier == (known.name if known.spdx else "")
    head = recognise_licence_text(" ".join(known.opening).encode())
    assert (head.name, head.exactness) == (known.name, Exactness.HEAD)
    longer = recognise_licence_text(text_of(known, extra=200).encode())
    assert longer.identifier == ""
    assert "words" in longer.note


TITLE_ONLY = [known for known in LICENCE_TEXTS if not known.later and not known.spdx]


@pytest.mark.parametrize("known", TITLE_ONLY, ids=[known.opening[0] for known in TITLE_ONLY])
def test_a_licence_known_by_its_title_alone_is_never_full(known: Any) -> None:
    found = recognise_licence_text(f"# {known.opening[0].title()}\n\n{'word ' * 900}".encode())
    assert (found.name, found.identifier, found.exactness) == (known.name, "", Exactness.HEAD)
    assert recognise_licence_text(f"{'word ' * 90}{known.opening[0]}".encode()) == RecognisedText()


@pytest.mark.parametrize(
    ("addition", "words"),
    [
        ("The Software shall be used for Good, not Evil.", "for good not evil"),
        ("“Commons Clause” License Condition v1.0", "commons clause"),
        ("For non-commercial use only.", "non commercial use only"),
        ("You accept the use-based restrictions.", "use based restrictions"),
        ("These terms were changed by us: pay us " + "a lot " * 10, "words of other text follow"),
        ("未经许可不得用于任何商业用途" * 2, "words of other text follow"),
    ],
)
def test_a_licence_with_an_addition_is_a_name_with_a_note(addition: str, words: str) -> None:
    for licence, name in ((installed_licence("pytest"), "MIT"), ((ROOT / "LICENSE").read_bytes(), "Apache-2.0")):
        found = recognise_licence_text(licence + addition.encode())
        assert (found.identifier, found.name) == ("", name)
        assert words in found.note
        assert licence_of_text(found).kind is LicenceKind.UNKNOWN_NAME


def test_the_three_clauses_without_their_disclaimer() -> None:
    clauses, _, _ = installed_licence("click").partition(b"THIS SOFTWARE IS PROVIDED")
    found = recognise_licence_text(clauses)
    assert (found.identifier, found.exactness) == ("BSD-3-Clause", Exactness.HEAD)
    assert recognise_text(clauses + b"You use this at your own risk and only with what we sell you. " * 3) == ""


def test_a_clause_inside_the_body_is_noticed() -> None:
    changed = installed_licence("pytest").replace(b"subject to", b"if they are not our competitors, and subject to")
    assert "its body has" in recognise_licence_text(changed).note
    assert recognise_text(changed) == ""


def test_a_longer_text_that_opens_like_a_licence_has_no_identifier() -> None:
    known = next(known for known in LICENCE_TEXTS if known.name == "Apache-2.0")
    found = recognise_licence_text((" ".join(known.opening) + " word" * (known.words + 50)).encode())
    assert (found.identifier, found.exactness) == ("", Exactness.HEAD)
    assert "longer than the licence" in found.note


def test_the_phrases_of_a_licence_out_of_order_are_not_the_licence() -> None:
    known = next(known for known in LICENCE_TEXTS if known.name == "Apache-2.0")
    filler = "word " * 700
    mixed = f"{' '.join(known.opening)} {filler}{known.later[1]} {filler}{known.later[0]}"
    assert recognise_licence_text(mixed.encode()) == RecognisedText()


def test_only_its_own_appendix_may_follow_a_licence() -> None:
    body, _, _ = (ROOT / "LICENSE").read_bytes().partition(b"END OF TERMS AND CONDITIONS")
    assert recognise_text(body) == "Apache-2.0"
    assert recognise_licence_text(body + b"Our terms. " + b"word " * 20).note == "22 words of other text follow"


def test_two_licences_in_one_file_have_no_identifier() -> None:
    found = recognise_licence_text(installed_licence("click") + installed_licence("pytest"))
    assert (found.identifier, found.name) == ("", "BSD-3-Clause")
    assert "other text" in found.note


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"MIT",
        b"Our own licence: ask us. This mentions the Apache License, Version 2.0, January 2004.",
        b"word " * 200 + b"Apache License Version 2.0, January 2004 TERMS AND CONDITIONS FOR USE",
        b"Redistribution and use in source and binary forms, with or without modification, are permitted provided that",
        b"\xff\xfe" * 100,
        bytes(MAX_BYTES + 10),
    ],
)
def test_a_text_that_is_no_licence_for_certain(text: bytes) -> None:
    assert recognise_licence_text(text) == RecognisedText()
    assert licence_of_text(RecognisedText()).kind is LicenceKind.NONE


def test_only_the_first_part_of_a_huge_text_is_read() -> None:
    assert recognise_text(installed_licence("pytest").rjust(MAX_BYTES)) == "MIT"
    beyond = installed_licence("pytest").rjust(MAX_BYTES + 900)
    assert recognise_licence_text(beyond).exactness is Exactness.HEAD


# Two statements.


def stated(*written: str) -> list[tuple[str, LicenceName]]:
    return [(f"S{number}", parse_licence(text)) for number, text in enumerate(written)]


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("apache-2.0", "Apache License 2.0", True),
        ("MIT OR Apache-2.0", "apache-2.0 or mit", True),
        ("MIT OR (Apache-2.0 OR ISC)", "ISC OR MIT OR Apache-2.0", True),
        ("MIT OR MIT", "MIT", True),
        ("llama3.1", "Llama 3.1 Community License Agreement", True),
        ("Ours", "ours", True),
        ("GPL-3.0", "GPL-3.0-or-later", False),
        ("MIT OR ISC", "MIT AND ISC", False),
        ("llama3", "llama3.1", False),
        ("MIT OR ISC", "ours", False),
        ("mit", "ours", False),
    ],
)
def test_two_statements_mean_one_licence_or_not(a: str, b: str, same: bool) -> None:
    assert same_licence(parse_licence(a), parse_licence(b)) is same
    assert same_licence(parse_licence(b), parse_licence(a)) is same
    assert bool(licence_conflicts(stated(a, b))) is not same


@pytest.mark.parametrize(
    ("a", "b", "relation"),
    [
        ("MIT OR Apache-2.0", "MIT", ", which is narrower"),
        ("MIT", "MIT OR Apache-2.0", ", which is wider"),
        ("BSD License", "BSD-3-Clause", ", which is narrower"),
        ("creativeml-openrail-m", "openrail", ", which is wider"),
        ("MIT AND ISC", "MIT", ""),
        ("mit", "gpl-3.0", ""),
    ],
)
def test_a_conflict_names_both_sources_and_both_values(a: str, b: str, relation: str) -> None:
    (first, one), (second, other) = stated(a, b)
    expected = [f"licence: {first} says {one.name}, {second} says {other.name}{relation}"]
    assert licence_conflicts([(first, one), (second, other)]) == expected


def test_each_different_value_is_told_once_and_silence_is_no_disagreement() -> None:
    told = licence_conflicts(stated("other", "mit", "gpl-3.0", "MIT License", "GPL-3.0-only", "unknown", "isc"))
    assert told == ["licence: S1 says MIT, S2 says GPL-3.0-only", "licence: S1 says MIT, S6 says ISC"]
    assert licence_conflicts([]) == licence_conflicts(stated("other")) == []
    assert len(licence_conflicts(stated(*(f"name {n}" for n in range(MAX_CONFLICTS * 3))))) == MAX_CONFLICTS


def test_the_text_of_a_gnu_licence_leaves_later_versions_open() -> None:
    known = next(known for known in LICENCE_TEXTS if known.name == "GPL-3.0-only")
    text = licence_of_text(recognise_licence_text(text_of(known).encode()))
    assert text.or_later_unsaid
    assert same_licence(text, parse_licence("GPL-3.0-or-later"))
    assert same_licence(parse_licence("GPL-3.0"), text)
    assert not same_licence(text, parse_licence("GPL-2.0"))
    assert not licence_of_text(recognise_licence_text((ROOT / "LICENSE").read_bytes())).or_later_unsaid


def test_the_text_of_a_licence_without_identifier_agrees_with_its_keyword() -> None:
    known = next(known for known in LICENCE_TEXTS if known.name.startswith("Llama 3.1"))
    found = licence_of_text(recognise_licence_text(text_of(known).encode()))
    assert found == parse_licence("llama3.1")
    assert found.use_restrictions
