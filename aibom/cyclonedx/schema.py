"""Check a BOM against the CycloneDX JSON schema, in linear time.

cyclonedx-python-lib ships the schemas, but its own validator is quadratic in components. The same schema files go into
`jsonschema-rs`; a test shows that the two agree. The files are found through the distribution's public file list.
"""

import json
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import jsonschema_rs

from aibom.core.errors import SpecError
from aibom.core.strictjson import Json

_DISTRIBUTION = "cyclonedx-python-lib"
_COMPANIONS = (
    "spdx.SNAPSHOT.schema.json",
    "jsf-0.82.SNAPSHOT.schema.json",
    "cryptography-defs.SNAPSHOT.schema.json",
)
_MAX_REPORTED = 5


def schema_problems(bom: Json) -> list[str]:
    """Where and how a BOM breaks the schema of the version it claims; at most five sentences. Empty if it is valid."""
    problems = []
    for error in _validator(str(bom.get("specVersion"))).iter_errors(bom):
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
        problems.append(f"{place.lstrip('.') or 'document'}: {error.message[:200]}")
        if len(problems) == _MAX_REPORTED:
            break
    return problems


@cache
def _validator(version: str) -> Any:
    main = _load(f"bom-{version}.SNAPSHOT.schema.json")
    base = main["$id"].rsplit("/", 1)[0]
    companions = [(f"{base}/{name}", _load(name)) for name in _COMPANIONS]
    registry = jsonschema_rs.Registry(companions, draft=jsonschema_rs.Draft7, retriever=_refuse)
    return jsonschema_rs.Draft7Validator(main, registry=registry, retriever=_refuse)


def _refuse(uri: str) -> Any:
    """Never fetch a schema: a check of a hostile document must not open a connection."""
    raise SpecError(f"the schema refers to {uri}, which is not shipped")


def _load(name: str) -> Json:
    try:
        listed = files(_DISTRIBUTION) or []
        path = next(Path(str(file.locate())) for file in listed if file.name == name)
        document: Json = json.loads(path.read_bytes())
    except (PackageNotFoundError, StopIteration, OSError, ValueError) as error:
        raise SpecError(
            f"the CycloneDX schema {name} is not installed", hint=f"install {_DISTRIBUTION} again"
        ) from error
    return document
