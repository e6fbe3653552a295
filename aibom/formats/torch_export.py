"""Exported PyTorch programs (`.pt2`): a zip archive of JSON graphs, weights, and pickles where JSON would not do.

The graph itself is data; code can hide in the pickled parts and in custom operators, which a loader must have
registered. Layout: PyTorch's `torch.export.pt2_archive`; before it, `torch.export.save` put `serialized_*` files at the
root of the archive.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.core.strictjson import Json, parse_json_object
from aibom.formats.pickle_globals import Safety, worst
from aibom.formats.torch_zip import parse_torch
from aibom.formats.zip_members import ZipListing, ZipMember, list_zip, member_source, read_member

MAX_DOCUMENT = 64 * 1024 * 1024
MAX_PROGRAMS = 100
MAX_MEMBER = 128 * 1024 * 1024
MAX_SCANNED = 1024 * 1024 * 1024
MAX_REASONS = 100
_MAX_NOTE = 256
_PLAIN_OPERATORS = ("torch.ops.aten.", "torch.ops.prims.", "torch.ops.higher_order.", "torch.ops.quantized_decomposed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedProgram:
    """One graph in an archive."""

    name: str
    schema_version: str
    """Major and minor, as `8.5`."""
    torch_version: str
    opsets: Mapping[str, int]
    custom_operators: tuple[str, ...]
    """Operators that are not PyTorch's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchExport:
    """What an exported program's archive holds."""

    archive_format: str
    archive_version: str
    programs: tuple[ExportedProgram, ...]
    weights: tuple[str, ...]
    """Members that hold weights and constants."""
    compiled: tuple[str, ...]
    """Machine code in the archive (AOTInductor), which runs when it is loaded."""
    safety: Safety
    reasons: tuple[str, ...]
    problems: tuple[str, ...]


def parse_torch_export(source: ByteSource, where: str) -> TorchExport:
    """Read an archive. Raises InputError if it is no zip archive or has no exported program."""
    listing = list_zip(source, where)
    graphs = [member for member in listing.members if _is_graph(member.name)]
    if not graphs and not any(_base(member.name) == "archive_format" for member in listing.members):
        raise InputError("a zip archive without an exported program", where=where)
    if len(graphs) > MAX_PROGRAMS:
        raise InputError(f"{len(graphs)} programs; at most {MAX_PROGRAMS} are read", where=where)
    found: dict[str, Safety] = dict.fromkeys(listing.problems, Safety.UNKNOWN)
    programs = tuple(_program(source, member, where) for member in graphs)
    for operator in sorted({name for program in programs for name in program.custom_operators}):
        found[f"calls the custom operator {operator}"] = Safety.UNKNOWN
    compiled = tuple(m.name for m in listing.members if m.name.endswith((".so", ".o", ".dll", ".cubin", ".cpp")))
    if compiled:
        found["carries machine code, which runs when it is loaded"] = Safety.DANGEROUS
    left = MAX_SCANNED
    for member in listing.members:
        left -= _scan(source, member, min(MAX_MEMBER, left), where, found)
        if left < 0:
            found[f"not all is scanned: more than {MAX_SCANNED} bytes of pickles"] = Safety.UNKNOWN
            break
    ranked = sorted(found, key=lambda reason: (found[reason] is not Safety.DANGEROUS, reason))
    return TorchExport(
        archive_format=_note(source, listing, "archive_format", where),
        archive_version=_note(source, listing, "archive_version", where) or _note(source, listing, "version", where),
        programs=programs,
        weights=tuple(m.name for m in listing.members if _is_weights(m.name)),
        compiled=compiled,
        safety=worst(*found.values()),
        reasons=tuple(ranked[:MAX_REASONS]),
        problems=listing.problems,
    )


def _base(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _is_graph(name: str) -> bool:
    folders = name.split("/")[:-1]
    return name.endswith(".json") and ("models" in folders or _base(name) == "serialized_exported_program.json")


def _is_weights(name: str) -> bool:
    folders = set(name.split("/")[:-1]) & {"weights", "constants"}
    old = _base(name) in {"serialized_state_dict.pt", "serialized_constants.pt", "serialized_state_dict.json"}
    return old or (bool(folders) and not name.endswith(("/", ".json")))


def _program(source: ByteSource, member: ZipMember, where: str) -> ExportedProgram:
    place = f"{where}, member {member.name[:120]!r}"
    document = parse_json_object(read_member(source, member, MAX_DOCUMENT, where), place)
    version, opsets = document.get("schema_version"), document.get("opset_version")
    numbers = [version.get("major"), version.get("minor")] if isinstance(version, dict) else [version]
    known = opsets.items() if isinstance(opsets, dict) else ()
    torch_version = document.get("torch_version")
    return ExportedProgram(
        name=_base(member.name).removesuffix(".json"),
        schema_version=".".join(str(number) for number in numbers if type(number) is int),
        torch_version=torch_version[:80] if isinstance(torch_version, str) else "",
        opsets={name[:80]: number for name, number in sorted(known) if type(number) is int},
        custom_operators=tuple(sorted(_custom_operators(document))),
    )


def _custom_operators(document: Json) -> set[str]:
    """Targets of graph nodes, in the main graph and in those nested in it."""
    found: set[str] = set()
    pending: list[Any] = [document]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            target = item.get("target")
            if isinstance(target, str) and target.startswith("torch.ops.") and not target.startswith(_PLAIN_OPERATORS):
                found.add(target[:120])
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return found


def _scan(source: ByteSource, member: ZipMember, limit: int, where: str, found: dict[str, Safety]) -> int:
    """Scan what starts as a pickle or as an archive of PyTorch's; weights can be bare numbers. Returns its bytes."""
    shown = repr(member.name[:120])
    try:
        head = read_member(source, member, 4, where, partial=True)
        is_pickle = head[:1] == b"\x80" and head[1:2] <= b"\x05"
        if head != b"PK\x03\x04" and not is_pickle and not member.name.lower().endswith((".pkl", ".pt")):
            return 0
        content = member_source(source, member, limit, where)
        held = parse_torch(content, f"{where}, member {shown}")
    except InputError as error:
        found[f"{shown} cannot be scanned: {error.message}"] = Safety.UNKNOWN
        return member.size
    if held.safety is not Safety.CLEAN:
        found.update((f"{shown}: {reason}", held.safety) for reason in held.reasons)
    return content.size


def _note(source: ByteSource, listing: ZipListing, name: str, where: str) -> str:
    for member in listing.members:
        if member.name.count("/") <= 1 and _base(member.name) == name:
            try:
                return read_member(source, member, _MAX_NOTE, where).decode("ascii").strip()[:40]
            except (InputError, UnicodeDecodeError):
                return ""
    return ""
