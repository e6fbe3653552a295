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
    f"{SOURCE_PREFIX}<field>": "file and field that a value was read from",
}
