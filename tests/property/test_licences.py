"""Whatever stands in a licence field or file: an answer, never an error, and never an identifier that SPDX lacks."""

from cyclonedx.spdx import is_expression, is_supported_id
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aibom.formats.licence_texts import LICENCE_TEXTS, Exactness, recognise_licence_text
from aibom.formats.licences import (
    LicenceKind,
    LicenceName,
    licence_conflicts,
    licence_of_text,
    parse_licence,
    same_licence,
)

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
WORDS = (
    "MIT", "apache-2.0", "Apache License 2.0", "GPLv3+", "gpl-3.0", "llama3.1", "LLVM-exception", "ours", "BSD",
    "other", "AND", "or", "WITH", "(", ")", "License ::", "+", ",", "/",
    "https://opensource.org/licenses/", "\u2028", "\0",
)  # fmt: skip

fields = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=12).map(" ".join),
)
expressions = st.recursive(
    st.sampled_from(["MIT", "Apache-2.0", "ISC", "GPL-2.0-only WITH Classpath-exception-2.0"]),
    lambda inner: st.builds(lambda a, word, b: f"({a} {word} {b})", inner, st.sampled_from(["AND", "OR"]), inner),
    max_leaves=8,
)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Half: the phrases of a licence with a slice replaced. Half: anything at all."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=400))
    known = draw(st.sampled_from(LICENCE_TEXTS))
    valid = " ".join([*known.opening, "word " * draw(st.integers(0, 300)), *known.later]).encode()
    start = draw(st.integers(0, len(valid)))
    end = draw(st.integers(start, len(valid)))
    return valid[:start] + draw(st.binary(max_size=20)) + valid[end:]


@SETTINGS
@given(fields)
def test_any_field_gives_an_answer_without_a_false_identifier(text: str) -> None:
    found = parse_licence(text)
    assert found == parse_licence(text)
    if found.kind is LicenceKind.SPDX_ID:
        assert is_supported_id(found.identifier)
    elif found.kind is LicenceKind.SPDX_EXPRESSION:
        assert is_expression(found.identifier)
    else:
        assert found.identifier == ""
    assert "licenseref" not in found.identifier.lower()
    assert bool(found.name) is (found.kind is not LicenceKind.NONE)
    assert "\n" not in found.name


@SETTINGS
@given(expressions)
def test_an_expression_is_understood_and_stays_itself(text: str) -> None:
    once = parse_licence(text)
    assert once.identifier
    assert parse_licence(once.identifier) == once
    assert same_licence(once, parse_licence(text.swapcase().replace("cLASSPATH", "Classpath")))


@SETTINGS
@given(st.lists(st.tuples(st.sampled_from(["card", "text", "package"]), fields), max_size=6))
def test_conflicts_are_told_of_any_statements(written: list[tuple[str, str]]) -> None:
    stated: list[tuple[str, LicenceName]] = [(source, parse_licence(text)) for source, text in written]
    said = [licence for _, licence in stated if licence.kind is not LicenceKind.NONE]
    differ = any(not same_licence(said[0], licence) for licence in said)
    assert bool(licence_conflicts(stated)) is differ


@SETTINGS
@given(broken())
def test_any_text_gives_an_answer(data: bytes) -> None:
    found = recognise_licence_text(data)
    assert (found.exactness is Exactness.NONE) is (found.name == "")
    assert not (found.identifier and found.note)
    assert bool(licence_of_text(found).name) is bool(found.name)
