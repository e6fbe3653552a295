"""Archives written by the standard library, then bent so that readers would disagree about them."""

import io
import zipfile
import zlib

import pytest

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats import zip_members
from aibom.formats.zip_members import ZipListing, list_zip, member_source, read_member

TEXT = b"hello world " * 50
LIMIT = 10_000


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, content in members.items():
            target.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, method)
    return buffer.getvalue()


def listing(data: bytes) -> ZipListing:
    return list_zip(BytesSource(data), "x.zip")


def content(data: bytes, name: str, limit: int = LIMIT) -> bytes:
    member = listing(data).named(name)
    assert member is not None
    return read_member(BytesSource(data), member, limit, "x.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_listed_and_read(method: int) -> None:
    data = archive({"a.txt": TEXT, "é/b": b""}, method)
    result = listing(data)
    assert [member.name for member in result.members] == ["a.txt", "é/b"]
    assert result.problems == ()
    assert (result.members[0].size, result.members[0].crc) == (len(TEXT), zlib.crc32(TEXT))
    assert content(data, "a.txt") == TEXT
    assert content(data, "é/b") == b""
    source = member_source(BytesSource(data), result.members[0], LIMIT, "x")
    assert (source.size, source.read(6, 5), source.read(len(TEXT) - 1, 99)) == (len(TEXT), b"world", b" ")


def test_streamed_members_and_zip64_are_read() -> None:
    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

        def tell(self) -> int:
            raise io.UnsupportedOperation

    buffer = Unseekable()
    with zipfile.ZipFile(buffer, "w") as target, target.open("a", "w", force_zip64=True) as member:
        member.write(TEXT)
    assert listing(buffer.getvalue()).problems == ()
    assert content(buffer.getvalue(), "a") == TEXT


def with_zip64_end(data: bytes, count: int = 1) -> bytes:
    """Add the larger end records that PyTorch's writer always adds."""
    at = data.rfind(b"PK\x05\x06")
    size, offset = (int.from_bytes(data[at + i : at + i + 4], "little") for i in (12, 16))
    record = b"PK\x06\x06" + (44).to_bytes(8, "little") + bytes(12) + count.to_bytes(8, "little") * 2
    record += size.to_bytes(8, "little") + offset.to_bytes(8, "little")
    return data[:at] + record + b"PK\x06\x07" + bytes(4) + at.to_bytes(8, "little") + bytes(4) + data[at:]


def test_the_larger_end_record_is_followed_where_it_stands() -> None:
    data = archive({"a": TEXT})
    assert listing(with_zip64_end(data)).problems == ()
    assert content(with_zip64_end(data), "a") == TEXT
    assert listing(with_zip64_end(data, 0)).problems[0] == "the two end records describe different directories"


def bent(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    at = data.index(signature) + offset
    return data[:at] + value + data[at + len(value) :]


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (bent(archive({"abc": TEXT}), LOCAL, 30, b"x"), "'abc' is called 'xbc' in its local header"),
        (bent(archive({"abc": TEXT}), LOCAL, 6, b"\x01"), "'abc' is encrypted by one header and not by the other"),
        (bent(archive({"abc": TEXT}), CENTRAL, 8, b"\x01"), "'abc' is encrypted"),
        (bent(archive({"abc": TEXT}), LOCAL, 8, b"\x08"), "'abc' has compression method 0 or 8, by header"),
        (bent(archive({"abc": TEXT}), LOCAL, 14, b"\0\0"), "'abc' has two sizes or checksums, by header"),
        (bent(archive({"abc": TEXT}), LOCAL, 0, b"XX"), "'abc' is only in the central directory"),
        (bent(archive({"abc": TEXT}), CENTRAL, 20, b"\xff\xff"), "'abc' reaches beyond the end of the file"),
        (archive({"/etc/passwd": b""}), "'/etc/passwd' is a path out of the archive"),
        (archive({"a/../../b": b""}), "'a/../../b' is a path out of the archive"),
        (archive({"a\\..\\b": b""}), "'a\\\\..\\\\b' is a path out of the archive"),
        (archive({"C:/b": b""}), "'C:/b' is a path out of the archive"),
        (archive({"aXb": b""}).replace(b"aXb", b"a\0b"), "'a\\x00b' is no name: readers cut it differently"),
        (archive({"aX": b"", "aY": b""}).replace(b"aX", b"aY"), "'aY' occurs twice"),
        (b"#!" + archive({"a": b""}), "2 bytes stand before the archive"),
        (archive({"a": b""}) + b"tail", "4 bytes stand behind the archive"),
    ],
)
def test_what_does_not_fit_together_is_a_problem(data: bytes, problem: str) -> None:
    assert problem in listing(data).problems


def test_a_member_that_the_directory_leaves_out_is_listed() -> None:
    first, second = archive({"a": TEXT}), archive({"b": b"second"})
    local = second[: second.index(CENTRAL)]
    at = first.index(CENTRAL)
    end = (at + len(local)).to_bytes(4, "little") + b"\0\0"  # the directory's new place, and no comment
    inside = first[:at] + local + first[at:-6] + end
    behind = first[:-2] + len(local).to_bytes(2, "little") + local  # as the archive's comment
    for data in (local + first, inside, behind):
        result = listing(data)
        assert "'b' is only in a local header" in result.problems
        assert {member.name for member in result.members} == {"a", "b"}
        assert content(data, "b") == b"second"


def test_overlapping_members_are_a_problem() -> None:
    data = archive({"a": TEXT, "b": b"x"})
    at = data.rindex(CENTRAL) + 42
    overlapping = data[:at] + (5).to_bytes(4, "little") + data[at + 4 :]
    assert "'b' overlaps the member before it" in listing(overlapping).problems


def test_bytes_between_members_are_a_problem() -> None:
    data = archive({"a": b"x" * 100, "b": b"y"})
    shorter = bent(bent(data, LOCAL, 18, b"\x0a"), CENTRAL, 20, b"\x0a")
    assert "90 bytes before 'b' belong to no member" in listing(shorter).problems


def test_without_a_directory_the_local_headers_are_followed() -> None:
    data = archive({"a": TEXT, "b": b"x"})
    cut = data[: data.index(CENTRAL)]
    result = listing(cut)
    assert [member.name for member in result.members] == ["a", "b"]
    assert result.problems[0].startswith("only local headers can be read")
    assert content(cut, "a") == TEXT
    broken = data.replace(CENTRAL, b"XXXX")
    assert "breaks after 0 of 2 entries" in listing(broken).problems[0]


@pytest.mark.parametrize("data", [b"", b"PK", b"not an archive", bent(archive({}), b"PK\x05\x06", 16, b"\xff")])
def test_what_is_no_archive_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError, match=r"central directory"):
        listing(data)


def test_members_are_counted_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive({str(number): b"" for number in range(5)})
    monkeypatch.setattr(zip_members, "MAX_MEMBERS", 4)
    with pytest.raises(InputError, match="more than 4 members"):
        listing(data)
    monkeypatch.setattr(zip_members, "MAX_MEMBERS", 5)
    assert len(listing(data).members) == 5
    monkeypatch.setattr(zip_members, "MAX_DIRECTORY", 10)
    assert listing(data).problems[0].startswith("only local headers can be read: 5 members in")


def test_a_zip_bomb_is_not_inflated() -> None:
    data = archive({"bomb": bytes(5_000_000)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="more than 10000 bytes when inflated"):
        content(data, "bomb")
    member = listing(data).members[0]
    assert read_member(BytesSource(data), member, 10, "x", partial=True) == bytes(10)
    with pytest.raises(InputError, match="at most 10 are read"):
        content(archive({"a": TEXT}), "a", 10)


def test_damaged_and_unknown_compression_are_input_errors() -> None:
    data = archive({"a": TEXT}, zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="damaged"):
        content(bent(data, LOCAL, 31, b"\xff\xff\xff"), "a")
    with pytest.raises(InputError, match="compression method 12"):
        content(archive({"a": TEXT}, zipfile.ZIP_BZIP2), "a")
    away = bent(archive({"a": TEXT}), CENTRAL, 42, b"\xff\xff\xff\x00")
    with pytest.raises(InputError, match="outside the file"):
        content(away, "a")


def test_a_wrong_checksum_does_not_stop_the_reading() -> None:
    data = archive({"a": TEXT}).replace(zlib.crc32(TEXT).to_bytes(4, "little"), b"\0\0\0\0")
    assert content(data, "a") == TEXT
