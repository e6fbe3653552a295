"""Arbitrary bytes give a value or an input error, nothing else, from every reader of data files.

Half of the examples start from something valid and break it, because random bytes rarely get past the first check.
"""

import csv
import io
import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats.arrow import is_arrow_stream, parse_arrow
from aibom.formats.croissant import digest_problems, is_croissant, parse_croissant
from aibom.formats.dataset_card import TOPICS, find_topic, parse_dataset_card
from aibom.formats.delimited import parse_delimited
from aibom.formats.json_lines import parse_json_lines
from aibom.formats.parquet import parse_parquet
from aibom.formats.tar_shard import is_tar, parse_tar_shard
from aibom.formats.thrift import STRUCT, CompactReader
from tests.releases import documents
from tests.releases.writers import parquet_bytes
from tests.unit.test_dataset_card import BODY, FRONT
from tests.unit.test_tables import SHARD, batch, file_bytes, footer_file, simple_footer, stream_bytes, tar_bytes

SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
_CROISSANT = json.dumps(documents.croissant({"train.csv": "00", "train.parquet": "00"})).encode()


def _read_card(data: bytes) -> None:
    card = parse_dataset_card(data, "x")
    for topic in TOPICS:
        find_topic(card, topic)


PARSERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "parquet": (lambda data: parse_parquet(BytesSource(data), "x"), parquet_bytes([("a", 1)])),
    "parquet footer": (lambda data: parse_parquet(BytesSource(footer_file(data)), "x"), simple_footer()),
    "thrift": (lambda data: CompactReader(data, "x").skip(STRUCT), simple_footer()),
    "arrow file": (lambda data: parse_arrow(BytesSource(data), "x"), file_bytes(batch(2))),
    "arrow stream": (lambda data: parse_arrow(BytesSource(data), "x"), stream_bytes(batch(2))),
    "csv": (lambda data: parse_delimited(BytesSource(data), "x.csv"), b'a,b\n"c\n",1\n'),
    "tsv": (lambda data: parse_delimited(BytesSource(data), "x.tsv"), b"a\tb\nc\t1\n"),
    "json lines": (lambda data: parse_json_lines(BytesSource(data), "x"), b'{"a": [1]}\n{"b": null}\n'),
    "tar": (lambda data: parse_tar_shard(BytesSource(data), "x"), tar_bytes(*SHARD)),
    "tar with extensions": (
        lambda data: parse_tar_shard(BytesSource(data), "x"),
        tar_bytes(("\u00e9" * 200 + ".txt", b"x"), form=2),
    ),
    "croissant": (lambda data: digest_problems(parse_croissant(data, "x"), {}), _CROISSANT),
    "data set card": (_read_card, (FRONT + BODY).encode()),
    "first bytes": (lambda data: (is_tar(data), is_arrow_stream(data), is_croissant(data)), tar_bytes(*SHARD)[:512]),
}


@st.composite
def broken(draw: st.DrawFn, valid: bytes) -> bytes:
    """Something valid with a slice replaced, or anything at all."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.binary(max_size=400))
    start = draw(st.integers(0, len(valid)))
    end = draw(st.integers(start, min(len(valid), start + draw(st.sampled_from([2, 20, len(valid)])))))
    return valid[:start] + draw(st.binary(max_size=20)) + valid[end:]


@pytest.mark.parametrize("name", PARSERS, ids=list(PARSERS))
def test_a_value_or_an_input_error(name: str) -> None:
    parse, valid = PARSERS[name]
    parse(valid)

    @SETTINGS
    @given(broken(valid))
    def check(data: bytes) -> None:
        with suppress(InputError):  # anything else fails the test
            parse(data)

    check()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["@id", "@type", "@value", "name", "field", "subField", "url", "sc:name"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
_PROPERTIES = ["name", "license", "creator", "distribution", "recordSet", "rai:dataBiases", "isLiveDataset", "url"]


@SETTINGS
@given(st.dictionaries(st.sampled_from(_PROPERTIES), json_values))
def test_any_shape_of_json_gives_a_description_or_an_input_error(fields: dict[str, object]) -> None:
    with suppress(InputError):
        digest_problems(parse_croissant(json.dumps({"@type": "Dataset"} | fields).encode(), "x"), {"a": "0"})


_cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)


@SETTINGS
@given(st.integers(2, 5).flatmap(lambda width: st.lists(st.lists(_cells, min_size=width, max_size=width), max_size=6)))
def test_rows_are_counted_as_they_were_written(rows: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    header = ["first", "second", "third", "fourth", "fifth"][: len(rows[0]) if rows else 2]
    csv.writer(buffer, delimiter="\t", quoting=csv.QUOTE_ALL).writerows([header, *rows])
    found = parse_delimited(BytesSource(buffer.getvalue().encode()), "x.tsv")
    assert (found.rows, [column.name for column in found.columns], found.problems) == (len(rows), header, ())
