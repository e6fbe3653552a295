"""PyTorch's files: the zip archive, TorchScript, the pickles of before 1.6, and the tar of before 0.1.10.

All hold pickles; none is loaded. The zip archive's pickles are found by name, without regard to case as PyTorch's own
reader finds them, and by their first bytes, because a loader can be pointed at any of them. Layout: `torch.save`, and
PyTorch's `serialization.md` for TorchScript.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.formats.inflated import CHUNK, MAX_INFLATED
from aibom.formats.pickle_globals import worst
from aibom.formats.pickle_stream import PickleScan, Safety, scan_pickle
from aibom.formats.zip_members import Slice, ZipListing, ZipMember, list_zip, member_source, read_member

MAX_PICKLES = 1000
MAX_SCANNED = 1024 * 1024 * 1024
MAX_TAR_MEMBERS = 1000
MAX_ALIKE = 100
_MAX_CHECKED = 64 * 1024 * 1024
_MAX_NOTE = 4096
_MAGIC = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
_TAR_MEMBERS = {"sys_info", "pickle", "tensors", "storages"}
_MAX_CODE = 32 * 1024 * 1024
_FILE_CALLS = (b"torch.save", b"torch.from_file", b"ops.aten.save", b"ops.aten.from_file", b"ops.image.write_file")
_WIDTHS = {
    "Float": 4, "Double": 8, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1,
    "Bool": 1, "ComplexFloat": 8, "ComplexDouble": 16, "QInt8": 1, "QUInt8": 1, "QInt32": 4, "Untyped": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchArchive:
    """What a PyTorch file holds, and what loading it would do."""

    format: str
    """`zip`, `script` (TorchScript), `legacy` (pickles one after another), `tar`, or `pickle` (any other)."""
    safety: Safety
    reasons: tuple[str, ...]
    scans: tuple[tuple[str, PickleScan], ...]
    """Each pickle by its place in the archive; the place is empty for a file that is pickles itself."""
    version: str
    """Of the archive's layout, as written."""
    byteorder: str
    storages: int
    storage_bytes: int
    element_types: tuple[str, ...]
    """PyTorch's storage classes, without `Storage`: Float, Half, Long."""
    tensors: int
    parameters: int
    """Numbers in all tensors; 0 if no tensor is described in a way that can be read."""
    code: tuple[str, ...]
    """TorchScript sources in the archive."""
    extra: tuple[str, ...]
    """Files that whoever saved the archive added."""
    problems: tuple[str, ...]

    @property
    def is_script(self) -> bool:
        """Whether it is TorchScript, whose code runs in PyTorch's own interpreter."""
        return self.format == "script"

    @property
    def globals(self) -> tuple[str, ...]:
        """Everything that any of the pickles names."""
        return tuple(sorted({name for _, scan in self.scans for name in scan.globals}))


def parse_torch(source: ByteSource, where: str) -> TorchArchive:
    """Read a PyTorch file of any generation. Raises InputError if it is none, nor a pickle."""
    head = source.read(0, 262)
    if head[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        return parse_torch_zip(source, where)
    if head[257:262] == b"ustar" or head[:9].rstrip(b"\0") in {name.encode() for name in _TAR_MEMBERS}:
        return _parse_tar(source, where)
    scan = scan_pickle(source, where)
    return _archive("legacy" if _MAGIC in head[:20] else "pickle", [("", scan)])


def parse_torch_zip(source: ByteSource, where: str) -> TorchArchive:
    """Read a zip archive of PyTorch's. Raises InputError if it is no zip archive, or has no pickle."""
    listing = list_zip(source, where)
    problems = [*listing.problems, *_alike(listing)]
    places = [member.name.lower() for member in listing.members]
    is_script = any("/code/" in place or place.endswith("/constants.pkl") for place in places)
    pickles = [member for member in listing.members if _is_pickle(source, member, where)]
    if not pickles:
        raise InputError("a zip archive without a pickle: not PyTorch's", where=where)
    if len(pickles) > MAX_PICKLES:
        raise InputError(f"{len(pickles)} pickles in one archive; at most {MAX_PICKLES} are read", where=where)
    scans, reasons, left = [], [], MAX_SCANNED  # members can overlap: their sizes do not add up to the file's
    for member in pickles:
        try:
            content = member_source(source, member, min(MAX_INFLATED, left), where)
            left -= content.size
            if left < 0:
                reasons.append(f"{member.name[:120]!r} is not scanned: more than {MAX_SCANNED} bytes of pickles")
                break
            scans.append(
                (member.name, scan_pickle(content, f"{where}, member {member.name[:120]!r}", script=is_script))
            )
            problems += _wrong_checksum(content, member)
        except InputError as error:
            reasons.append(f"{member.name[:120]!r} cannot be scanned: {error.message}")
    names = [member.name for member in listing.members]
    dangers = [f"its code {what}" for what in _file_calls(source, listing, where)] if is_script else []
    data = [member for member in listing.members if _is_storage(member.name)]
    return _archive(
        "script" if is_script else "zip",
        scans,
        dangers=dangers,
        reasons=reasons,
        problems=problems,
        version=_note(source, listing, "version", where),
        byteorder=_note(source, listing, "byteorder", where),
        code=[name for name in names if _is_code(name)],
        extra=[name for name in names if "/extra/" in name and not name.endswith("/")],
        sizes=[member.size for member in data],
    )


def _archive(
    format_name: str,
    scans: list[tuple[str, PickleScan]],
    *,
    dangers: Sequence[str] = (),
    reasons: Iterable[str] = (),
    problems: Iterable[str] = (),
    version: str = "",
    byteorder: str = "",
    code: Iterable[str] = (),
    extra: Iterable[str] = (),
    sizes: list[int] | None = None,
) -> TorchArchive:
    stored = [storage for _, scan in scans for storage in scan.storages]
    tensors = [tensor for _, scan in scans for tensor in scan.tensors]
    doubts = [*dangers, *reasons, *problems]
    level = Safety.DANGEROUS if dangers else Safety.UNKNOWN if doubts else Safety.CLEAN
    widths = sum(storage.elements * _WIDTHS.get(storage.kind.removesuffix("Storage"), 0) for storage in stored)
    return TorchArchive(
        format=format_name,
        safety=worst(*(scan.safety for _, scan in scans), level),
        reasons=tuple(dict.fromkeys([*(reason for _, scan in scans for reason in scan.reasons), *doubts])),
        scans=tuple(scans),
        version=version,
        byteorder=byteorder,
        storages=len(sizes) if sizes is not None else len(stored),
        storage_bytes=sum(sizes) if sizes is not None else widths,
        element_types=tuple(sorted({storage.kind.removesuffix("Storage") for storage in stored})),
        tensors=len(tensors),
        parameters=sum(tensor.elements for tensor in tensors),
        code=tuple(sorted(code)),
        extra=tuple(sorted(extra)),
        problems=tuple(problems),
    )


def _alike(listing: ZipListing) -> list[str]:
    """PyTorch looks members up without regard to case, so that it may load another one than was meant."""
    seen: dict[str, str] = {}
    for name in dict.fromkeys(member.name for member in listing.members):
        seen.setdefault(name.lower(), name)
    pairs = ((seen[member.name.lower()], member.name) for member in listing.members)
    return [f"{a[:120]!r} and {b[:120]!r} differ only in case" for a, b in dict.fromkeys(pairs) if a != b][:MAX_ALIKE]


def _is_code(name: str) -> bool:
    return "/code/" in name.lower() and name.lower().endswith(".py")


def _is_storage(name: str) -> bool:
    folders = name.split("/")[:-1]
    return bool({"data", "constants", "tensors"} & set(folders[1:])) and name.rsplit("/", 1)[-1].isdecimal()


def _is_pickle(source: ByteSource, member: ZipMember, where: str) -> bool:
    if member.name.lower().endswith((".pkl", ".pickle")):
        return True
    if _is_storage(member.name):
        return False
    try:
        head = read_member(source, member, 2, where, partial=True)
    except InputError:
        return False
    return head[:1] == b"\x80" and head[1:2] <= b"\x05"


def _note(source: ByteSource, listing: ZipListing, name: str, where: str) -> str:
    """The text of a small member at the archive's root; its version may stand under `.data` (TorchScript)."""
    for member in listing.members:
        if member.name.count("/") <= 1 and member.name.rsplit("/", 1)[-1] == name:
            try:
                return read_member(source, member, _MAX_NOTE, where).decode("ascii").strip()[:40]
            except (InputError, UnicodeDecodeError):
                return ""
    return ""


def _file_calls(source: ByteSource, listing: ZipListing, where: str) -> list[str]:
    """What TorchScript's code does with files: it has no import, but these operators."""
    found, budget = set(), _MAX_CODE
    for member in listing.members:
        if _is_code(member.name):
            try:
                text = read_member(source, member, budget, where)
            except InputError as error:
                found.add(f"cannot be read: {error.message}")
                continue
            budget -= len(text)
            found |= {f"calls {call.decode()}" for call in _FILE_CALLS if call in text}
    return sorted(found)


def _wrong_checksum(content: ByteSource, member: ZipMember) -> list[str]:
    """A wrong checksum stops some readers, scanners among them, and not PyTorch."""
    if content.size > _MAX_CHECKED:
        return []
    found = 0
    for at in range(0, content.size, CHUNK):
        found = crc32(content.read(at, CHUNK), found)
    return [] if found == member.crc else [f"{member.name[:120]!r} does not match its checksum"]


def _parse_tar(source: ByteSource, where: str) -> TorchArchive:
    scans, reasons = [], ["pickles lie between the raw numbers of a tar archive, where not all can be found"]
    for name, start, size in _tar_members(source):
        if name not in _TAR_MEMBERS:
            continue
        try:
            content = Slice(source, min(start, source.size), max(0, min(size, source.size - start)))
            scans.append((name, scan_pickle(content, f"{where}, member {name!r}")))
        except InputError as error:
            reasons.append(f"{name!r} cannot be scanned: {error.message}")
    if not scans:
        raise InputError("a tar archive without PyTorch's pickles", where=where)
    return _archive("tar", scans, reasons=reasons)


def _tar_members(source: ByteSource) -> list[tuple[str, int, int]]:
    """Name, start and size of each member; names are short in this layout."""
    members, at = [], 0
    for _ in range(MAX_TAR_MEMBERS):
        header = source.read(at, 512) if at < source.size else b""
        digits = header[124:136].strip(b" \0")
        if len(header) < 512 or not header[:1].strip(b"\0") or not digits or digits.strip(b"01234567"):
            break
        size = int(digits, 8)
        name = header[:100].split(b"\0", 1)[0].decode("latin-1").removeprefix("./")
        members.append((name, at + 512, size))
        at += 512 + -(-size // 512) * 512
    return members
