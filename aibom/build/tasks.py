"""What goes into a model and what comes out, by its task or its declared signature; how a classifier learned.

The formats follow from what a task *is* (a text classifier takes text); they are only given for tasks of the hub's own
list. That a model with a head for labels learned from labels is said with its reason.
"""

from collections.abc import Mapping

from aibom.build.account import Source, Sourced
from aibom.build.collect import CollectedFile
from aibom.build.evidence import facts, first
from aibom.formats.mlflow_model import MlflowColumn, MlflowModel
from aibom.formats.model_config import ModelConfig
from aibom.formats.onnx import OnnxModel, OnnxPort
from aibom.formats.pickle_stream import PickleScan

_TEXT, _IMAGE, _AUDIO = "text", "image", "audio"
FORMATS: Mapping[str, tuple[str, str]] = {
    "text-classification": (_TEXT, "class labels with scores"),
    "token-classification": (_TEXT, "class labels of tokens with scores"),
    "zero-shot-classification": (_TEXT, "class labels with scores"),
    "question-answering": (_TEXT, _TEXT),
    "summarization": (_TEXT, _TEXT),
    "translation": (_TEXT, _TEXT),
    "text-generation": (_TEXT, _TEXT),
    "text2text-generation": (_TEXT, _TEXT),
    "fill-mask": (_TEXT, "tokens with scores"),
    "sentence-similarity": (_TEXT, "embedding vector"),
    "feature-extraction": (_TEXT, "embedding vector"),
    "text-to-image": (_TEXT, _IMAGE),
    "image-to-image": (_IMAGE, _IMAGE),
    "image-classification": (_IMAGE, "class labels with scores"),
    "object-detection": (_IMAGE, "boxes with class labels and scores"),
    "image-segmentation": (_IMAGE, "masks with class labels"),
    "image-to-text": (_IMAGE, _TEXT),
    "image-text-to-text": ("image and text", _TEXT),
    "automatic-speech-recognition": (_AUDIO, _TEXT),
    "text-to-speech": (_TEXT, _AUDIO),
    "audio-classification": (_AUDIO, "class labels with scores"),
    "voice-activity-detection": (_AUDIO, "time spans"),
    "tabular-classification": ("table rows", "class labels"),
    "tabular-regression": ("table rows", "numbers"),
}
_LABELLED_HEADS = (
    "ForSequenceClassification", "ForTokenClassification", "ForImageClassification", "ForAudioClassification",
    "ForObjectDetection", "ForQuestionAnswering", "ForVideoClassification", "ForSemanticSegmentation",
)  # fmt: skip
_ESTIMATORS = ("Classifier", "Regressor")


def formats_of(
    task: Sourced | None, files: tuple[CollectedFile, ...]
) -> tuple[tuple[Sourced, ...], tuple[Sourced, ...]]:
    """(Inputs, outputs): as a signature states them, else as the task implies."""
    signature = first(files, MlflowModel)
    if signature and (signature[1].inputs or signature[1].outputs):
        file, model = signature
        place = Source(file, "signature")
        return _columns(model.inputs, place), _columns(model.outputs, place)
    if task and task.value in FORMATS:
        taken, given = FORMATS[task.value]
        return (Sourced(taken, task.source),), (Sourced(given, task.source),)
    graphs = list(facts(files, OnnxModel))
    if len({(graph.inputs, graph.outputs) for _, graph in graphs}) != 1:
        return (), ()  # one of several graphs that differ does not speak for the model
    first_file, only = graphs[0][0].name, graphs[0][1]
    inputs, outputs = Source(first_file, "graph inputs"), Source(first_file, "graph outputs")
    return _ports(only.inputs, inputs), _ports(only.outputs, outputs)


def approach_of(files: tuple[CollectedFile, ...]) -> Sourced | None:
    """Supervised, where the model's own form says so: a head for labels, or an estimator of scikit-learn's kind."""
    for file, config in facts(files, ModelConfig):
        if any(name.endswith(_LABELLED_HEADS) for name in config.architectures):
            reason = "architectures: a head for labels learns from labelled examples"
            return Sourced("supervised", Source(file.name, reason))
    for file, scan in facts(files, PickleScan):
        kinds = [name for name in scan.classes if name.endswith(_ESTIMATORS)]
        if kinds:
            return Sourced("supervised", Source(file.name, f"{kinds[0]} learns from labelled examples"))
    return None


def _columns(columns: tuple[MlflowColumn, ...], source: Source) -> tuple[Sourced, ...]:
    shown = (f"{c.name}: {c.type}" if c.name else c.type for c in columns)
    return tuple(Sourced(text, source) for text in dict.fromkeys(shown) if text)


def _ports(ports: tuple[OnnxPort, ...], source: Source) -> tuple[Sourced, ...]:
    return tuple(Sourced(f"{p.name}: {p.element_type}[{', '.join(d or '?' for d in p.shape)}]", source) for p in ports)
