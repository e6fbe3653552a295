"""Claims against bytes: what calls itself weights must be weights that can be read without running anything."""

from collections.abc import Iterator

from aibom.core.errors import InputError
from aibom.core.finding import Finding, contradiction, note
from aibom.formats import detect
from aibom.formats.safetensors import header_end, parse_safetensors
from aibom.sources.local import ReadFile

_HEAD = 4096


def retain(name: str, size: int, head: bytes) -> int:
    """The leading bytes that `check_content` needs: the header of safetensors, the first bytes of anything else."""
    kind = detect.classify(name, size, head)
    if kind.is_weights and "safetensors" in (kind.format, *detect.expected_formats(name)):
        return header_end(head, size) or _HEAD
    return _HEAD if kind.is_weights or detect.is_lfs_pointer(head, size) else 0


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
    kind = detect.classify(name, size, file.kept)
    if not kind.is_weights:
        return
    if kind.format in detect.MAY_EXECUTE:
        yield note(
            "content.may-execute",
            f"{name} can run code when it is loaded ({kind.format}); this version does not look inside",
            where=name,
        )
    if "safetensors" in (kind.format, *detect.expected_formats(name)):
        try:
            parse_safetensors(file.kept, size, name)
        except InputError as error:
            yield contradiction(
                "content.weights", f"not readable as weights: {error.message}", where=error.where, hint=error.hint
            )
