"""Arbitrary bytes give a value or an input error, nothing else, from every parser of untrusted bytes.

Half of the examples start from something valid and break it, because random bytes rarely get past the first check.
"""

import json
import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aibom.core.errors import InputError
from aibom.core.strictjson import dump_compact, parse_json
from aibom.cyclonedx.view import parse_bom
from aibom.formats.detect import classify
from aibom.formats.model_card import parse_model_card
from aibom.formats.model_config import parse_model_config
from aibom.formats.requirements import parse_requirements, parse_wheel_metadata
from aibom.formats.safetensors import parse_safetensors
from aibom.formats.weights_index import parse_weights_index
from aibom.formats.yaml_block import parse_yaml_mapping
from attest.bom_attestation import parse_bom_attestation
from attest.bundle import key_bundle_bytes, parse_bundle
from attest.model_signature import parse_model_signature
from attest.statement import Subject, parse_statement, statement_bytes
from verify.certificate import read_identity
from verify.profile import parse_profile

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
_HEADER = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
_BOM = b'{"bomFormat":"CycloneDX","specVersion":"1.7","components":[{"type":"file","name":"a"}]}'
_STATEMENT = statement_bytes(
    [Subject("a", "0" * 64)], "https://model_signing/signature/v1.0", b'{"resources":[],"serialization":{}}'
)

PARSERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "json": (lambda data: parse_json(data, "x"), b'{"a": [1, "b", {"c": null}]}'),
    "safetensors": (
        lambda data: parse_safetensors(data, len(data), "x"),
        struct.pack("<Q", len(_HEADER)) + _HEADER + bytes(4),
    ),
    "card": (lambda data: parse_model_card(data, "x"), b"---\nlicense: mit\ntags:\n- a\n---\n# T\n## Use\nx\n"),
    "yaml": (lambda data: parse_yaml_mapping(data, "x"), b"a: {b: [1, 2.5, true, null, 'x']}\n"),
    "config": (lambda data: parse_model_config(data, "x"), b'{"model_type": "bert", "auto_map": {"a": "b"}}'),
    "requirements": (lambda data: parse_requirements(data, "x"), b"torch==2.6.0 # note\nx[a]>=1; python_version<'4'\n"),
    "wheel metadata": (
        lambda data: parse_wheel_metadata(data, "x"),
        b"Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: b>1\n\n",
    ),
    "index": (lambda data: parse_weights_index(data, "x"), b'{"weight_map": {"a": "b.safetensors"}}'),
    "bundle": (lambda data: parse_bundle(data, "x"), key_bundle_bytes(_STATEMENT, b"sig", "00")),
    "statement": (lambda data: parse_statement(data, "x"), _STATEMENT),
    "model signature": (lambda data: parse_model_signature(parse_statement(data, "x"), "x"), _STATEMENT),
    "bom attestation": (lambda data: parse_bom_attestation(parse_statement(data, "x"), "x"), _STATEMENT),
    "bom": (
        lambda data: [c.hashes for c in parse_bom(data, "x").components],
        _BOM,
    ),
    "profile": (lambda data: parse_profile(data, "x"), b'schema = "aibom-profile/1"\nid = "x"\n'),
    "file head": (lambda data: classify("x.bin", len(data), data), b"PK\x03\x04"),
    "certificate": (read_identity, b"\x30\x03\x02\x01\x01"),
}


@st.composite
def broken(draw: st.DrawFn, valid: bytes) -> bytes:
    """Something valid with a slice replaced, or anything at all."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=400))
    start = draw(st.integers(0, len(valid)))
    end = draw(st.integers(start, len(valid)))
    return valid[:start] + draw(st.binary(max_size=20)) + valid[end:]


@pytest.mark.parametrize("name", PARSERS, ids=list(PARSERS))
def test_a_value_or_an_input_error(name: str) -> None:
    parse, valid = PARSERS[name]

    @SETTINGS
    @given(broken(valid))
    def check(data: bytes) -> None:
        with suppress(InputError):  # anything else fails the test
            parse(data)

    check()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@SETTINGS
@given(json_values)
def test_strict_json_reads_all_json_that_we_write(value: object) -> None:
    assert parse_json(dump_compact(value), "x") == json.loads(dump_compact(value)) == value


@SETTINGS
@given(json_values.filter(lambda value: isinstance(value, dict)), st.sampled_from([None, 1, 4]))
def test_a_payload_keeps_the_bytes_of_its_predicate(value: object, indent: int | None) -> None:
    # in-toto: "the payload is what was signed"; odd white space and key order must survive.
    predicate = json.dumps(value, indent=indent).encode()
    payload = statement_bytes([Subject("a", "0" * 64)], "urn:x", predicate)
    assert predicate in payload
    assert parse_statement(payload, "x").predicate == value
