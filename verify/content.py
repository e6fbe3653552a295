"""Claims against bytes: what calls itself weights must be weights that can be read without running anything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from aibom.core.bytesource import ByteSource
from aibom.core.errors import InputError
from aibom.core.finding import Finding, contradiction, note
from aibom.formats import detect
from aibom.formats.keras import parse_keras, parse_keras_hdf5
from aibom.formats.pickle_globals import Safety
from aibom.formats.pickle_stream import is_compressed, scan_compressed_pickle, scan_pickle
from aibom.formats.safetensors import header_end, parse_safetensors
from aibom.formats.skops import parse_skops
from aibom.formats.torch_export import parse_torch_export
from aibom.formats.torch_zip import parse_torch
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
    if isinstance(file.seen, Examined):
        yield from _examined(name, file.seen)
    if "safetensors" in (kind.format, *detect.expected_formats(name)):
        try:
            parse_safetensors(file.kept, size, name)
        except InputError as error:
            yield contradiction(
                "content.weights", f"not readable as weights: {error.message}", where=error.where, hint=error.hint
            )


def look(name: str, source: ByteSource) -> Examined | None:
    """Look into weights of a kind that can run code, without running any; None for all other files."""
    head = source.read(0, _HEAD)
    kind = detect.classify(name, source.size, head)
    if not kind.is_weights or kind.format in _NUMBERS_ONLY:
        return None
    if kind.format in detect.PACKED and not (is_compressed(head[:6]) and name.lower().endswith(_PICKLES)):
        return Examined(Safety.UNKNOWN, (f"packed as {kind.format}, which was not opened",))
    read = _reader(name, kind.format, head)
    if read is None:
        return None
    try:
        found = read(source, name)
    except InputError as error:
        # The first bytes of a pickle without a protocol number are any letters: what cannot be read as one is none.
        return Examined(Safety.UNKNOWN, (error.message,)) if kind.format in detect.MAY_EXECUTE else None
    return Examined(found.safety, found.reasons)


def _reader(name: str, shown: str, head: bytes) -> Callable[[ByteSource, str], Any] | None:
    base = name.lower()
    if shown == "hdf5":
        return parse_keras_hdf5
    if base.endswith(_PICKLES) and shown != "zip":
        return scan_compressed_pickle if is_compressed(head[:6]) else scan_pickle
    special = next((read for suffix, read in _BY_SUFFIX if base.endswith(suffix)), None)
    return special or (parse_torch if shown in detect.MAY_EXECUTE or base.endswith(_TORCH) else None)


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


_NUMBERS_ONLY = frozenset({"safetensors", "gguf", "onnx", "tflite"})
_TORCH = (".pt", ".pth", ".bin", ".ckpt", ".ptl", ".jit", ".torchscript")
_PICKLES = (".pkl", ".pickle", ".joblib", ".dill")
_BY_SUFFIX: tuple[tuple[str, Callable[[ByteSource, str], Any]], ...] = (
    (".keras", parse_keras),
    (".skops", parse_skops),
    (".pt2", parse_torch_export),
)
