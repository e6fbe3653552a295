"""What a file is: its format by its first bytes where they tell, and the category that suggests.

A file name only ever suggests; where the content can be read, the content decides. A file that is nothing we know is
still a file of the release: it is listed and digested as `other`.
"""

import codecs
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

WEIGHTS, ADAPTER, CHECKPOINT = "model/weights", "model/adapter", "model/checkpoints"
WEIGHT_CATEGORIES = frozenset({WEIGHTS, ADAPTER, CHECKPOINT})
LFS_POINTER = "git-lfs-pointer"
_LFS_HEAD = b"version https://git-lfs.github.com/spec/"

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, _LFS_HEAD, LFS_POINTER),
    (0, b"GGUF", "gguf"),
    (4, b"TFL3", "tflite"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (0, b"\x93NUMPY", "numpy"),
    (0, b"PAR1", "parquet"),
    (0, b"ARROW1", "arrow"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"%PDF-", "pdf"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (8, b"WAVE", "wav"),
    (0, b"\x7fELF", "elf"),
    (0, b"MZ\x90\x00", "pe"),
    (257, b"ustar", "tar"),
    (4, b"ET12", "executorch"),
    (0, b"\x80\x02", "pickle"), (0, b"\x80\x03", "pickle"), (0, b"\x80\x04", "pickle"), (0, b"\x80\x05", "pickle"),
)  # fmt: skip

# Suffix → the formats that its first bytes may show. Weights whose bytes show something else are not readable weights.
WEIGHT_FORMATS: dict[str, tuple[str, ...]] = {
    ".safetensors": ("safetensors",),
    ".gguf": ("gguf",),
    ".onnx": ("onnx",),
    ".tflite": ("tflite",),
    ".h5": ("hdf5",),
    ".keras": ("zip", "hdf5"),
    ".skops": ("zip",), ".pt2": ("zip",), ".ptl": ("zip",), ".torchscript": ("zip",),
    ".msgpack": (), ".mlmodel": (), ".ot": ("zip",), ".cbm": (), ".ubj": (), ".eqx": (), ".pte": ("executorch",),
    ".pt": ("zip", "pickle", "tar"), ".pth": ("zip", "pickle", "tar"), ".ckpt": ("zip", "pickle", "hdf5"),
    ".jit": ("zip",), ".nemo": ("tar", "gzip"), ".bin": ("zip", "pickle"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".dill"), ("pickle", "zip", "gzip", "zlib", "bzip2", "xz")),
}  # fmt: skip
# What loaders unpickle, whatever the file holds: PyTorch's names, and those of pickles of any other kind.
TORCH_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".ptl", ".jit", ".torchscript")
PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib", ".dill", ".p", ".pck")
# Behind such a suffix, what tells of a packing, a copy or a number: `model.pth.tar`, `model.pkl.gz`, `model.pkl.1`.
_TAIL = re.compile(r"\.(?:gz|bz2|xz|z|tar|bak|old|orig|tmp|[0-9]{1,6})$")
# The state of a training, which is saved as weights are and is none.
_STATE_NAMES = ("training_args*", "optimizer*", "scheduler*", "rng_state*")
_WEIGHT_NAMES = ("pytorch_model*.bin", "adapter_model*.bin", "model*.bin", "diffusion_pytorch_model*.bin")
_ADAPTER_NAMES = ("adapter_model*", "pytorch_lora_weights*", "learned_embeds*")
MAY_EXECUTE = frozenset({"pickle", "zip", "hdf5"})
PACKED = frozenset({"gzip", "zlib", "bzip2", "xz", "7z", "rar", "zstd"})
"""Containers that no reader looks into; what is inside them is not known."""

_BY_NAME: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("docs/license", ("license*", "licence*", "copying*", "notice*", "*_license*", "*-license*")),
    ("supply/bom", ("*.cdx.json", "*.cyclonedx.json", "*.spdx.json", "*.cdx.xml", "sbom*.json", "bom.json")),
    ("security/contact", ("security.md", "security.txt")),
    ("docs/acceptable-use-policy", ("use_policy*", "aup*", "acceptable-use*", "acceptable_use*")),
    ("docs/impact-assessment", ("impact*.md", "impact*.pdf", "impact*.txt")),
    ("docs/risk-assessment", ("risk*.md", "risk*.pdf", "risk*.txt")),
    ("docs/privacy-review", ("privacy*.md", "privacy*.pdf", "dpia*")),
    ("docs/safety-evaluation", ("redteam*.md", "red-team*.md", "safety-eval*", "safety_eval*", "wmdp*")),
    ("docs/data-card", ("croissant.json", "datasheet*", "data-card*", "data_card*", "datacard*")),
    ("docs/system-card", ("system-card*", "system_card*")),
    ("docs/feedback-channel", ("feedback*.md",)),
    ("docs/release-notes", ("changelog*", "release-notes*", "release_notes*")),
    ("docs/support-policy", ("support*.md",)),
    ("docs/governance", ("governance*", "maintainers*")),
    ("docs/research-paper", ("citation*", "*.bib")),
    (
        "docs/evaluation-results",
        ("eval_results*", "all_results*", "lm_eval*.json", "*eval*results*.json", "metrics.json", "results*.json"),
    ),
    ("docs/end-user-resources", ("end-user*.md", "end_user*.md", "user-guide*", "user_guide*")),
    ("docs/usage", ("usage*.md", "quickstart*", "getting-started*")),
    (
        "code/libraries",
        (
            "requirements*.txt",
            "pyproject.toml",
            "*.lock",
            "pylock*.toml",
            "environment*.y*ml",
            "conda*.y*ml",
            "python_env.y*ml",
            "pipfile*",
            "setup.py",
            "setup.cfg",
            "dockerfile*",
            "*.dockerfile",
            "containerfile*",
        ),
    ),
    (
        "model/tokenizer",
        (
            "tokenizer*",
            "vocab*",
            "merges.txt",
            "special_tokens_map.json",
            "added_tokens.json",
            "spiece.model",
            "chat_template*",
            "*.tiktoken",
        ),
    ),
    (
        "model/architecture",
        (
            "config.json",
            "model_index.json",
            "modules.json",
            "config_sentence_transformers.json",
            "sentence_bert_config.json",
            "preprocessor_config.json",
            "scheduler_config.json",
            "processor_config.json",
            "image_processor_config.json",
        ),
    ),
    (
        "model/metadata",
        (
            *_STATE_NAMES,
            "trainer_state.json",
            "generation_config.json",
            "*.safetensors.index.json",
            "*.bin.index.json",
            "adapter_config.json",
            "emissions.csv",
            "*manifest.json",
            "mlmodel",
            "params.y*ml",
            "input_example.json",
            "serving_input_example.json",
            "fingerprint.pb",
            "keras_metadata.pb",
        ),
    ),
)
_CODE_BY_NAME: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("code/training", ("train*", "finetune*", "fine_tune*", "fine-tune*", "pretrain*")),
    ("code/preprocessing", ("preprocess*", "data_prep*", "prepare_data*", "tokenize*")),
    ("code/evaluation", ("eval*", "lm_eval*", "bench*")),
    ("code/inference", ("infer*", "predict*", "generate*", "serve*", "modeling_*", "handler*", "pipeline*")),
)
_CODE_SUFFIXES = (".py", ".ipynb", ".sh", ".rs", ".cpp", ".cc", ".c", ".h", ".js", ".ts", ".go", ".java")
_DATA_SUFFIXES = (
    ".csv",
    ".tsv",
    ".jsonl",
    ".parquet",
    ".arrow",
    ".npy",
    ".npz",
    ".tar",
    ".txt",
    ".json",
    ".gz",
    ".zip",
)
# What holds rows wherever it lies; a .json in a package's own data folder may be anything.
_SURE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".arrow", ".npy", ".npz", ".tar")
_BINARY_CODE = (".so", ".pyd", ".dll", ".dylib", ".pyc", ".jar", ".wasm", ".exe")
_HELD_OUT = ("test", "eval", "valid", "dev", "benchmark")
DATA_FOLDERS = frozenset({"data", "dataset", "datasets"})
_EVALUATION_FOLDERS = frozenset({"eval_data", "evaluation_data", "benchmark", "benchmarks", "test_data"})
_SAMPLE_FOLDERS = frozenset({"samples", "sample_outputs", "sample-outputs", "outputs", "examples"})
_TRAINING_FOLDERS = frozenset({"train", "training", "train_data", "training_data"})
_DOCUMENT_SUFFIXES = (".md", ".rst", ".pdf", ".txt", ".html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """The category (vocabulary of `specs/vocabulary.toml`, or empty) and the format of one file."""

    category: str
    format: str

    @property
    def is_weights(self) -> bool:
        """Whether the file is, or claims to be, parameters of a model."""
        return self.category in WEIGHT_CATEGORIES


def is_lfs_pointer(head: bytes, size: int) -> bool:
    """Whether this is the stub that Git LFS leaves where a large file was not fetched."""
    return size < 1024 and head.startswith(_LFS_HEAD)


def sniff(head: bytes) -> str:
    """The format that the first bytes show; empty if they show none."""
    for offset, magic, name in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name
    if len(head) >= 9 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") < 2**40:
        return "safetensors"
    if head[:2] in (b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
        return "zlib"
    if re.match(rb"\x08[\x01-\x20][\x0a\x12\x1a\x22\x28\x32\x3a\x42]", head):  # ModelProto: ir_version, then a field
        return "onnx"
    if b"\0" not in head[:4096]:
        return "text"
    return ""


def classify(name: str, size: int, head: bytes) -> Classification:
    """Decide what a file is, from its name in the release and its first bytes."""
    shown = "empty" if size == 0 else sniff(head)
    base = name.rsplit("/", 1)[-1].lower()
    suffix = _suffix(base)
    if base == "saved_model.pb" or _is_variables(name):
        return Classification(category=_weights_category(name, base), format="saved-model")
    if shown == "onnx" and suffix != ".onnx":  # no magic number: any Protocol Buffers message may begin so
        shown = "coreml" if suffix == ".mlmodel" else ""
    if unpickled_suffix(name) and any(fnmatchcase(base, pattern) for pattern in _STATE_NAMES):
        return Classification(category="model/metadata", format=shown)
    if is_weights_name(name):
        return Classification(category=_weights_category(name, base), format=shown)
    if shown in {"gguf", "tflite", "pickle"} or (shown == "safetensors" and suffix not in _DOCUMENT_SUFFIXES):
        return Classification(category=_weights_category(name, base), format=shown)
    return Classification(category=_category(name, base, shown), format=shown)


def is_weights_name(name: str) -> bool:
    """Whether a file calls itself weights; a `.bin` does so only under the names that libraries give it."""
    base = name.rsplit("/", 1)[-1].lower()
    suffix = _suffix(base)
    if suffix not in WEIGHT_FORMATS:
        suffix = unpickled_suffix(name)
    if suffix == ".bin":
        return any(fnmatchcase(base, pattern) for pattern in _WEIGHT_NAMES)
    return suffix in WEIGHT_FORMATS


def unpickled_suffix(name: str) -> str:
    """The suffix by which a loader would take a file for something to unpickle; empty if none would."""
    base = name.rsplit("/", 1)[-1].lower()
    while _suffix(base) not in {*TORCH_SUFFIXES, *PICKLE_SUFFIXES}:
        shorter = _TAIL.sub("", base)
        if shorter == base:
            return ""
        base = shorter
    return _suffix(base)


def expected_formats(name: str) -> tuple[str, ...]:
    """The formats that weights of this name may have."""
    base = name.rsplit("/", 1)[-1].lower()
    return WEIGHT_FORMATS.get(_suffix(base), ("zip", "pickle"))


def contradicts_name(name: str, shown: str) -> bool:
    """Whether the first bytes are of a format that the file's name does not allow; bytes of no known format do not."""
    allowed = WEIGHT_FORMATS.get(_suffix(name.rsplit("/", 1)[-1].lower()))
    return bool(allowed) and shown not in {*(allowed or ()), "", "text", "empty", *PACKED}


def is_plainly_text(head: bytes) -> bool:
    """Whether a file begins as text does, with no character that only a terminal would understand."""
    text = codecs.getincrementaldecoder("utf-8")(errors="replace").decode(head.removeprefix(codecs.BOM_UTF8))
    return "\ufffd" not in text and not any(c < " " and c not in "\t\n\r\f" for c in text)


def _is_variables(name: str) -> bool:
    """Whether a file holds the variables of a TensorFlow SavedModel: `variables/variables.data-00000-of-00001`."""
    return re.fullmatch(r"(?:.*/)?variables/variables\.(?:index|data-\d{5}-of-\d{5})", name) is not None


def _weights_category(name: str, base: str) -> str:
    if any(fnmatchcase(base, pattern) for pattern in _ADAPTER_NAMES):
        return ADAPTER
    return CHECKPOINT if any(part.startswith("checkpoint-") for part in name.split("/")[:-1]) else WEIGHTS


def _category(name: str, base: str, shown: str) -> str:
    folders = [part.lower() for part in name.split("/")[:-1]]
    suffix = _suffix(base)
    if suffix in _CODE_SUFFIXES and shown in {"text", "empty"} and base not in {"setup.py"}:
        return _first(_CODE_BY_NAME, base) or "code/other"
    if suffix in _BINARY_CODE:
        return "code/other"
    named = _first(_BY_NAME, base)
    if named and shown in {"text", "pdf", "empty"}:
        return named
    if base == "readme.md" and shown == "text":
        return "docs/data-card" if DATA_FOLDERS & set(folders) else "docs/model-card"
    return _category_by_folder(folders, base, shown)


def _category_by_folder(folders: list[str], base: str, shown: str) -> str:
    suffix = _suffix(base)
    if _EVALUATION_FOLDERS & set(folders) and suffix in _DATA_SUFFIXES:
        return "data/evaluation"
    is_data = suffix in _DATA_SUFFIXES if folders[:1] and folders[0] in DATA_FOLDERS else suffix in _SURE_SUFFIXES
    if DATA_FOLDERS & set(folders) and is_data:
        return "data/evaluation" if base.startswith(_HELD_OUT) else "data/training"
    if shown in {"parquet", "arrow"} or suffix in {".csv", ".tsv", ".jsonl"}:
        return "data/training"
    if _TRAINING_FOLDERS & set(folders) and (shown == "tar" or suffix in {".npy", ".npz"}):
        return "data/training"
    if _SAMPLE_FOLDERS & set(folders) and shown in {"png", "jpeg", "wav"}:
        return "model/sample-outputs"
    if folders and folders[-1] == ".eval_results" and suffix in {".yaml", ".yml"}:
        return "docs/evaluation-results"
    if "docs" in folders and suffix in _DOCUMENT_SUFFIXES:
        return "docs/usage"
    return ""


def _first(table: tuple[tuple[str, tuple[str, ...]], ...], base: str) -> str:
    for category, patterns in table:
        if any(fnmatchcase(base, pattern) for pattern in patterns):
            return category
    return ""


def _suffix(base: str) -> str:
    return f".{base.rsplit('.', 1)[-1]}" if "." in base else ""
