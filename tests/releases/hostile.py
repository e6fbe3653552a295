"""Thirteen inputs that must be refused or survived, each in a folder of its own."""

import os
import struct
from pathlib import Path

from tests.releases.files import put, put_link
from tests.releases.writers import safetensors_bytes, zero_tensor

HOSTILE = (
    "trunc_header",
    "huge_header",
    "junk_header",
    "deep_json",
    "trunc_gguf",
    "bad_onnx",
    "nonutf8_readme",
    "bad_yaml",
    "yaml_bomb",
    "symlink_loop",
    "empty_dir",
    "lfs_pointer",
    "nonutf8_name",
)
"""The folders that ``write_hostile`` makes."""

_POINTER = """version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 26843545600
"""


def write_hostile(folder: Path) -> None:
    """Write every hostile input into its sub-folder."""
    _write_weights(folder)
    _write_texts(folder)
    _write_links(folder / "symlink_loop")
    (folder / "empty_dir").mkdir(parents=True, exist_ok=True)


def _write_weights(folder: Path) -> None:
    name = "model.safetensors"
    junk = b"\xff\xfe not json....."
    deep = b'{"__metadata__":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    put(folder / "trunc_header" / name, _header(4096, b'{"a":{"dtype":"F32"'))
    put(folder / "huge_header" / name, _header(2**62, b"{}"))
    put(folder / "junk_header" / name, _header(len(junk), junk))
    put(folder / "deep_json" / name, _header(len(deep), deep))
    put(folder / "lfs_pointer" / name, _POINTER)
    put(folder / "trunc_gguf" / "m.gguf", b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60))
    put(folder / "bad_onnx" / "m.onnx", b"\x00\xff" * 50)
    # Valid but for its name: a folder may hold what no manifest in UTF-8 can say.
    valid = safetensors_bytes({"a": zero_tensor("F32", 4)}, {"format": "pt"})
    put(folder / "nonutf8_name" / os.fsdecode(b"m\xff\xe9.safetensors"), valid)


def _header(length: int, content: bytes) -> bytes:
    """Put before the content the header length that the file claims."""
    return struct.pack("<Q", length) + content


def _write_texts(folder: Path) -> None:
    put(folder / "nonutf8_readme" / "README.md", b"---\nlicense: mit\n---\n# caf\xe9 \xff\xfe\n")
    put(folder / "nonutf8_readme" / "config.json", b'{"model_type": "b\xe9rt"}')
    put(folder / "bad_yaml" / "README.md", "---\nlicense: [mit\nbase_model: {a: b\n---\n# x\n")
    put(folder / "bad_yaml" / "config.json", '{"model_type": "bert"')
    put(folder / "yaml_bomb" / "README.md", _yaml_bomb())


def _yaml_bomb() -> str:
    """Nest nine aliases in nine lists: a few hundred bytes that stand for 387 million items."""
    lines = ["---", "a: &a [x,x,x,x,x,x,x,x,x]"]
    for inner, outer in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{outer}: &{outer} [{','.join([f'*{inner}'] * 9)}]")
    return "\n".join([*lines, "---", "# bomb", ""])


def _write_links(folder: Path) -> None:
    put(folder / "config.json", '{"model_type":"bert"}')
    for name, target in (("self", "."), ("l1", "l2"), ("l2", "l1"), ("up", "..")):
        put_link(folder / name, target)
    # Out of the release: what it points at must never be read as weights.
    put_link(folder / "passwd.safetensors", "/etc/passwd")
