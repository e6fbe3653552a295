"""Claims against bytes: what calls itself weights must be weights that can be read without running anything."""

from collections.abc import Iterator
from dataclasses import dataclass

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.core.finding import Finding, contradiction, note
from aibom.formats import detect
from aibom.formats.loading import examiner_of, not_opened, safety_of
from aibom.formats.pickle_globals import Safety
from aibom.formats.safetensors import header_end, parse_safetensors
from aibom.sources.local import ReadFile

_HEAD = 4096
_REASONS = 3


@dataclass(frozen=True, slots=True)
class Examined:
    """What loading a file can do, as far as its bytes tell, and why."""

    safety: Safety
    reasons: tuple[str, ...]


def retain(name: str, size: int, head: bytes) -> int:
    """The leading bytes that `check_content` needs: the header of safetensors, the first bytes of anything else."""
    kind = detect.classify(name, size, head)
    if kind.is_weights and "safetensors" in (kind.format, *detect.expected_formats(name)):
        return header_end(head, size) or _HEAD
    return _HEAD if kind.is_weights or detect.is_lfs_pointer(head, size) else 0


def is_weights(file: ReadFile) -> bool:
    """Whether a file is weights, by its name and first bytes."""
    return detect.classify(file.entry.name, file.entry.size, file.kept).is_weights


def check_content(file: ReadFile) -> Iterator[Finding]:
    """Say what is wrong with one file's content, if it claims to be weights."""
    name, size = file.entry.name, file.entry.size
    if detect.is_lfs_pointer(file.kept, size):
        yield contradiction(
            "content.lfs-pointer",
            f"{name} is a Git LFS pointer, not the file it stands for",
            where=name,
            hint="run `git lfs pull` if this is a checkout; if the stub was signed, ask for the real files",
        )
        return
    if isinstance(file.seen, Examined):
        yield from _examined(name, file.seen)
    kind = detect.classify(name, size, file.kept)
    if not kind.is_weights:
        return
    if "safetensors" in (kind.format, *detect.expected_formats(name)):
        try:
            parse_safetensors(file.kept, size, name)
        except InputError as error:
            yield contradiction(
                "content.weights", f"not readable as weights: {error.message}", where=error.where, hint=error.hint
            )


def look(name: str, source: ByteSource) -> Examined | None:
    """Look into a file of a kind that can run code, without running any; None for all other files.

    A loader goes by the name it is given, not by what we call the file: whatever can be unpickled is looked into.
    """
    kind = detect.classify(name, source.size, source.read(0, _HEAD))
    read = examiner_of(name, kind.format)
    if read is None:
        packed = kind.is_weights and kind.format in detect.PACKED
        return Examined(Safety.UNKNOWN, not_opened(kind.format).reasons) if packed else None
    try:
        found = safety_of(read(source, name))
    except InputError as error:
        # The first bytes of a pickle without a protocol number are any letters: what cannot be read as one is none.
        broken = kind.is_weights and kind.format in detect.MAY_EXECUTE
        return Examined(Safety.UNKNOWN, (error.message,)) if broken else None
    return Examined(*found) if found else None


def _examined(name: str, examined: Examined) -> Iterator[Finding]:
    """What a look inside gave. That nothing known to be harmful is in it is said once for all files, elsewhere."""
    why = "; ".join(examined.reasons[:_REASONS])
    if examined.safety is Safety.DANGEROUS:
        yield contradiction(
            "content.dangerous",
            f"{name} would run code when it is loaded: {why}",
            where=name,
            hint="do not load it; ask the publisher for the weights in a format that holds numbers only",
        )
    elif examined.safety is Safety.UNKNOWN:
        text = f"{name} can run code when it is loaded, and it is not known what it would run: {why or 'not examined'}"
        yield note("content.may-execute", text, where=name)
