"""From what code imports to what a project declares: `import yaml` needs the distribution `pyyaml`.

The two names are unrelated in Python; for most libraries they are equal after normalisation, and the others are listed
here. An import whose distribution nobody declared is a dependency that a bill of materials would miss.
"""

import sys
from collections.abc import Iterable, Set

from packaging.utils import canonicalize_name

# Dotted import name → distributions that provide it; any one of them is enough.
DISTRIBUTIONS: dict[str, tuple[str, ...]] = {
    "Crypto": ("pycryptodome", "pycrypto"),
    "Cryptodome": ("pycryptodomex",),
    "IPython": ("ipython",),
    "Levenshtein": ("levenshtein", "python-levenshtein"),
    "MeCab": ("mecab-python3",),
    "OpenSSL": ("pyopenssl",),
    "PIL": ("pillow", "pillow-simd"),
    "apex": ("nvidia-apex",),
    "attr": ("attrs",),
    "azure.ai.inference": ("azure-ai-inference",),
    "bitsandbytes": ("bitsandbytes", "bitsandbytes-windows"),
    "bs4": ("beautifulsoup4",),
    "caffe2": ("torch",),
    "cpuinfo": ("py-cpuinfo",),
    "cupy": ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x"),
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "dateutil": ("python-dateutil",),
    "deepspeed": ("deepspeed", "deepspeed-mii"),
    "discord": ("discord-py",),
    "docx": ("python-docx",),
    "dotenv": ("python-dotenv",),
    "faiss": ("faiss-cpu", "faiss-gpu", "faiss-gpu-cu11", "faiss-gpu-cu12"),
    "fitz": ("pymupdf",),
    "flash_attn": ("flash-attn",),
    "functorch": ("torch",),
    "git": ("gitpython",),
    "bidi": ("python-bidi",),
    "ffmpeg": ("ffmpeg-python", "ffmpeg"),
    "pyopenjtalk": ("pyopenjtalk", "pyopenjtalk-plus"),
    "google.cloud.aiplatform": ("google-cloud-aiplatform",),
    "google.genai": ("google-genai",),
    "google.generativeai": ("google-generativeai",),
    "google.auth": ("google-auth",),
    "google.oauth2": ("google-auth",),
    "google.protobuf": ("protobuf",),
    "googleapiclient": ("google-api-python-client",),
    "grpc": ("grpcio",),
    "hydra": ("hydra-core",),
    "igraph": ("igraph", "python-igraph"),
    "imblearn": ("imbalanced-learn",),
    "intel_extension_for_pytorch": ("intel-extension-for-pytorch",),
    "jose": ("python-jose",),
    "jwt": ("pyjwt",),
    "kornia_rs": ("kornia-rs",),
    "lightning_fabric": ("lightning-fabric", "lightning"),
    "llama_cpp": ("llama-cpp-python",),
    "magic": ("python-magic", "python-magic-bin"),
    "mlflow": ("mlflow", "mlflow-skinny"),
    "mpl_toolkits": ("matplotlib",),
    "multipart": ("python-multipart",),
    "mysql": ("mysql-connector-python",),
    "MySQLdb": ("mysqlclient",),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"),
    "open_clip": ("open-clip-torch",),
    "osgeo": ("gdal",),
    "pkg_resources": ("setuptools",),
    "psycopg2": ("psycopg2", "psycopg2-binary"),
    "pycocotools": ("pycocotools", "pycocotools-windows"),
    "pylab": ("matplotlib",),
    "pptx": ("python-pptx",),
    "pytorch_lightning": ("pytorch-lightning", "lightning"),
    "pytorch_metric_learning": ("pytorch-metric-learning",),
    "pythoncom": ("pywin32",),
    "rouge_score": ("rouge-score",),
    "ruamel.yaml": ("ruamel-yaml",),
    "segment_anything": ("segment-anything",),
    "serial": ("pyserial",),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn", "scikit-learn-intelex"),
    "skopt": ("scikit-optimize",),
    "slugify": ("python-slugify",),
    "socks": ("pysocks",),
    "speech_recognition": ("speechrecognition",),
    "tensorboard": ("tensorboard", "tb-nightly"),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-macos", "tf-nightly"),
    "tflite_runtime": ("tflite-runtime",),
    "torch": ("torch", "pytorch", "intel-extension-for-pytorch"),
    "torch_geometric": ("torch-geometric",),
    "tree": ("dm-tree",),
    "umap": ("umap-learn",),
    "usb": ("pyusb",),
    "vertexai": ("google-cloud-aiplatform", "vertexai"),
    "websocket": ("websocket-client",),
    "whisper": ("openai-whisper",),
    "win32api": ("pywin32",),
    "xgboost": ("xgboost", "xgboost-cpu"),
    "yaml": ("pyyaml",),
    "youtube_dl": ("youtube-dl",),
    "zmq": ("pyzmq",),
}
# Packages that many distributions fill: their own name stands for none of them.
NAMESPACES = frozenset({
    "azure", "backports", "google", "jaraco", "nvidia", "opentelemetry", "ruamel", "sphinxcontrib", "zope",
})  # fmt: skip
_MAX_PARTS = 6


def distributions_of(module: str) -> tuple[str, ...]:
    """The distributions that may provide an imported module (dotted), normalised; none for the standard library."""
    parts = module.split(".")[:_MAX_PARTS]
    if parts[0] in sys.stdlib_module_names or not parts[0]:
        return ()
    prefixes = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    listed = next((DISTRIBUTIONS[prefix] for prefix in prefixes if prefix in DISTRIBUTIONS), ())
    if listed:
        return listed
    if parts[0] in NAMESPACES:
        return tuple(canonicalize_name(prefix.replace(".", "-")) for prefix in prefixes[:-1])
    return (canonicalize_name(parts[0]),)


def undeclared_imports(imports: Iterable[str], declared: Set[str], local: Set[str]) -> tuple[str, ...]:
    """Imported packages that no declared distribution provides, sorted.

    `imports` are dotted module names (`Import.paths`), `declared` normalised distribution names, `local` the top-level
    modules that the release holds itself. What is in a namespace is named by its first two parts.
    """
    missing = set()
    for module in imports:
        top = module.partition(".")[0]
        needed = distributions_of(module)
        is_known = not needed or top in local or not declared.isdisjoint(needed)
        # A distribution may carry the import's own name all the same (a fork, or an old name kept as an alias).
        if is_known or (top not in NAMESPACES and canonicalize_name(top) in declared):
            continue
        missing.add(".".join(module.split(".")[:2]) if top in NAMESPACES else top)
    return tuple(sorted(missing))
