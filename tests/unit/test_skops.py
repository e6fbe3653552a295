"""skops files: a schema in a zip archive."""

import io
import json
import zipfile

import pytest

from aibom.core.bytesource import BytesSource
from aibom.core.errors import InputError
from aibom.formats.pickle_globals import Safety
from aibom.formats.skops import SkopsModel, parse_skops


def node(module: str, name: str, loader: str, **more: object) -> dict[str, object]:
    return {"__module__": module, "__class__": name, "__loader__": loader, **more}


def parse(schema: object, name: str = "schema.json") -> SkopsModel:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(name, json.dumps(schema))
    return parse_skops(BytesSource(buffer.getvalue()), "x.skops")


def test_a_model_of_known_classes_is_clean() -> None:
    inner = node("builtins", "dict", "DictNode", content={"C": node("builtins", "str", "JsonNode", content="1.0")})
    schema = node("sklearn.svm._classes", "SVC", "ObjectNode", content=inner, protocol=2, _skops_version="0.11.0")
    result = parse(schema)
    assert (result.version, result.protocol, result.safety, result.reasons) == ("0.11.0", 2, Safety.CLEAN, ())
    assert result.types == ("builtins.dict", "builtins.str", "sklearn.svm._classes.SVC")
    assert result.classes == ("sklearn.svm._classes.SVC",)
    assert result.loaders == ("DictNode", "JsonNode", "ObjectNode")


@pytest.mark.parametrize(
    ("inner", "level", "reason"),
    [
        (node("posix", "system", "FunctionNode"), Safety.DANGEROUS, "names posix.system"),
        (node("mine", "Model", "ObjectNode"), Safety.UNKNOWN, "names mine.Model"),
        (node("builtins", "list", "OperatorFuncNode"), Safety.DANGEROUS, "uses OperatorFuncNode, which reaches"),
        (node("builtins", "list", "MethodNode"), Safety.DANGEROUS, "uses MethodNode, which reaches"),
        (node("builtins", "list", "PartialNode"), Safety.UNKNOWN, "uses PartialNode, which is not"),
        ({"module_path": "os", "function": "system"}, Safety.DANGEROUS, "names os.system"),
    ],
)
def test_what_reaches_further_is_flagged(inner: dict[str, object], level: Safety, reason: str) -> None:
    result = parse(node("builtins", "list", "ListNode", content=[[inner]]))
    assert result.safety is level
    assert result.reasons[0].startswith(reason)


def test_what_is_not_stated_stays_empty() -> None:
    result = parse(node("builtins", "NoneType", "JsonNode", protocol="2"))
    assert (result.version, result.protocol, result.safety) == ("", None, Safety.CLEAN)


def test_what_is_no_skops_file_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"without schema\.json"):
        parse({}, "other.json")
    with pytest.raises(InputError, match="does not start with an object to make"):
        parse({"a": 1})
    with pytest.raises(InputError, match="expected a JSON object"):
        parse([])
