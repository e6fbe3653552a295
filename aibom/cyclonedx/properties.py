"""The property names that we write into a BOM, and read from one: the `aibom:` taxonomy (`docs/properties.md`)."""

CATEGORY = "aibom:category"
FORMAT = "aibom:format"
SIZE = "aibom:size"
UNKNOWN = "aibom:unknown"
WITHHELD = "aibom:withheld"
PROBLEM = "aibom:problem"
CONFLICT = "aibom:conflict"
TENSORS = "aibom:tensor-count"
PARAMETERS = "aibom:parameter-count"
ELEMENT_TYPES = "aibom:element-types"
LIBRARY = "aibom:library"
LANGUAGE = "aibom:language"
SPECIFIER = "aibom:specifier"
REMOTE_CODE = "aibom:remote-code"
TREE_DIGEST = "aibom:tree-digest"
FOLDER = "aibom:folder"
FILE_COUNT = "aibom:file-count"
DECLARED_IN = "aibom:declared-in"
EXTRAS = "aibom:extras"
MARKER = "aibom:marker"
RELATION = "aibom:relation"
DISTRIBUTION = "aibom:distribution"
SOURCE_PREFIX = "aibom:source:"
SETTING_PREFIX = "aibom:setting:"
SETTING_SOURCE_PREFIX = "aibom:setting-source:"
CHAT_TEMPLATE_PREFIX = "aibom:chat-template:"
PERSON_PREFIX = "aibom:person:"
MODEL_KIND = "aibom:model-kind"
SAME_AS = "aibom:same-as"
USE_RESTRICTED = "aibom:use-restricted"
GROUP = "aibom:group"
ARCHIVE_DIGEST = "aibom:archive-digest"
SERVED_MODEL = "aibom:served-model"
UNDECLARED_IMPORT = "aibom:undeclared-import"
OUTCOME = "aibom:outcome"
UNKNOWN_REASON = "aibom:unknown-reason"
SAFETY = "aibom:safety"
SAFETY_REASON = "aibom:safety-reason"
GLOBAL = "aibom:global"
ASSUMED = "aibom:assumed"
UNUSABLE = "aibom:unusable"
RISKY_CALL = "aibom:risky-call"
EXTERNAL_DATA = "aibom:external-data"

MEANINGS: dict[str, str] = {
    CATEGORY: "category of the vocabulary that a component belongs to, e.g. `model/weights`",
    FORMAT: "format that the first bytes of the file show",
    SIZE: "size in bytes",
    UNKNOWN: "name of a field that is not known (looked for, not found)",
    WITHHELD: "name of a field that the publisher keeps back, and why",
    PROBLEM: "what was wrong with the file when it was read",
    CONFLICT: "two sources that say different things, with both values",
    TENSORS: "number of tensors in the file or model",
    PARAMETERS: "number of parameters in the file or model",
    ELEMENT_TYPES: "element types of the tensors",
    LIBRARY: "library that loads the model, as its card says",
    LANGUAGE: "natural language of the model, as its card says",
    SPECIFIER: "range of a dependency as it was written",
    REMOTE_CODE: "code that a loader would run if told to trust remote code",
    TREE_DIGEST: "name-binding digest of the files (`specs/tree-digest-v1.md`)",
    FOLDER: "folder of a counted data set",
    FILE_COUNT: "number of files in a counted data set",
    DECLARED_IN: "file that declares the dependency or data set",
    EXTRAS: "extras asked for with a dependency",
    MARKER: "environment marker of a dependency",
    RELATION: "how a model relates to its ancestor",
    DISTRIBUTION: "how the release reaches its users: `local` or `hosted`",
    f"{SOURCE_PREFIX}<path>": "file and field that the value at this path of the component was read from",
    f"{SETTING_PREFIX}<name>": "a named value of a configuration, an adapter or a data set",
    f"{SETTING_SOURCE_PREFIX}<name>": "file and field that the setting was read from",
    f"{CHAT_TEMPLATE_PREFIX}<name>": "SHA-256 of a chat template, which is a program that the serving side runs",
    f"{PERSON_PREFIX}<role>": "who answers for the release, as the publisher says",
    MODEL_KIND: "what a model is to the release, if not its main model: `part`, `conversion`, `adapter`, `checkpoint`",
    SAME_AS: "reference of the model of this BOM that an ancestor is",
    USE_RESTRICTED: "licence that limits what the model may be used for",
    GROUP: "optional group that asks for a dependency",
    ARCHIVE_DIGEST: "digest of a dependency's archive, as a lock file gives it",
    SERVED_MODEL: "model that the code asks a hosted service for",
    UNDECLARED_IMPORT: "import in the code that no manifest declares, and where it stands",
    OUTCOME: "what the publisher means the release to be used for",
    UNKNOWN_REASON: "why the publisher does not know something",
    SAFETY: "what loading the file can do: `clean`, `unknown` or `dangerous`",
    SAFETY_REASON: "why",
    GLOBAL: "name that the file would import when it is loaded",
    ASSUMED: "what is taken for granted here, and why",
    UNUSABLE: "a value that CycloneDX cannot hold: no valid address, too long, no package name",
    RISKY_CALL: "place in a source file that runs code or commands, or unpickles",
    EXTERNAL_DATA: "file that holds part of the weights",
}
