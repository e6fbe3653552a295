"""What the files declare must be in the BOM: dependencies, base images, services, data sets and base models.

A component can be taken out of a BOM together with everything that refers to it, and the BOM be signed again. The files
still tell, because the verifier reads them itself, with the readers that the builder has too but not with its rules.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from aibom.core.errors import InputError
from aibom.core.finding import Finding, contradiction
from aibom.cyclonedx.view import Bom
from aibom.formats.adapter_config import parse_adapter_config
from aibom.formats.conda import parse_conda_environment
from aibom.formats.detect import classify
from aibom.formats.dockerfile import parse_dockerfile
from aibom.formats.hosted_services import hosted_services
from aibom.formats.model_card import ModelCard, is_card_like, parse_model_card
from aibom.formats.pyproject import parse_pyproject
from aibom.formats.python_lock import parse_lock
from aibom.formats.python_source import read_python
from aibom.formats.requirements import (
    is_requirements_file,
    is_wheel_metadata,
    parse_requirements,
    parse_wheel_metadata,
)
from aibom.sources.local import ReadFile

_LIMIT = 16 * 1024 * 1024
_SHOWN = 20
_HINT = "ask the publisher to build and sign the release again"
_REMOTE_SOURCES = frozenset({"registry", "git", "url"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What one file declares. Files that cannot be read declare nothing: that they are odd, the BOM says."""

    file: str
    libraries: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    """Base images: repository, with the registry where one is written."""
    services: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    base_models: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """Models of a hub that code loads."""
    card: ModelCard | None = None


def retain(name: str, size: int) -> int:
    """How many leading bytes of a file `read_declared` needs."""
    return min(size, _LIMIT) if _reader(name) else 0


def read_declared(file: ReadFile) -> Declared | None:
    """Read what a file declares; None if it is not of a kind that does, or cannot be read."""
    name = file.entry.name
    read = _reader(name)
    if read is None or file.entry.size > len(file.kept):
        return None
    try:
        return read(file.kept, name)
    except InputError:
        return None


def check_declared(bom: Bom, declared: Iterable[Declared]) -> tuple[Finding, ...]:
    """Compare the declarations with the components of a bound BOM."""
    listed = sorted(declared, key=lambda item: (item.file.count("/"), item.file))
    models = {component.name for component in bom.models}
    ancestors = {name for model in bom.models for name in _ancestors(model.at("pedigree", "ancestors"))}
    purls = {str(component.at("purl") or "") for component in bom.models}
    known = {
        "dependency": {component.name for component in bom.components if component.type in {"library", "framework"}},
        "base image": {component.name for component in bom.components if component.type == "container"},
        "hosted service": {str(item.get("name")) for item in bom.objects("services")},
        "data set": {component.name for component in bom.components if component.type == "data"},
        "base model": ancestors | models,
        "model": ancestors | models | {_hub_name(purl) for purl in purls},
    }
    cards = [item for item in listed if item.card and is_card_like(item.card) and not item.card.describes_dataset]
    spoken = [*(item for item in listed if item.card is None), *(_of_card(item) for item in cards[:1])]
    findings = [
        _left_out(item.file, kind, name)
        for item in spoken
        for kind, names in _by_kind(item).items()
        for name in names
        if not _is_known(name, known[kind])
    ]
    return tuple(dict.fromkeys(findings))[:_SHOWN]


def _is_known(name: str, known: set[str]) -> bool:
    """Whether a name is there, or one of the two leaves out the owner: `bert` and `google/bert` may be one model."""
    if name in known:
        return True
    base = name.rpartition("/")[2].lower()
    if "/" in name:
        return base in {other.lower() for other in known if "/" not in other}
    return base in {other.rpartition("/")[2].lower() for other in known}


def _by_kind(item: Declared) -> dict[str, tuple[str, ...]]:
    return {
        "dependency": item.libraries,
        "base image": item.images,
        "hosted service": item.services,
        "data set": item.datasets,
        "base model": item.base_models,
        "model": item.models,
    }


def _of_card(item: Declared) -> Declared:
    """The shallowest card speaks for the model, as it does for the builder."""
    card = item.card
    return Declared(
        file=item.file, datasets=card.datasets if card else (), base_models=card.base_models if card else ()
    )


def _hub_name(purl: str) -> str:
    """`owner/name` of a hub's package URL; empty for any other."""
    return purl.removeprefix("pkg:huggingface/").partition("@")[0] if purl.startswith("pkg:huggingface/") else ""


def _ancestors(listed: object) -> list[str]:
    items = listed if isinstance(listed, list) else []
    return [str(item.get("name")) for item in items if isinstance(item, dict)]


def _left_out(file: str, kind: str, name: str) -> Finding:
    return contradiction(
        "bom.left-out",
        f"the BOM leaves out a {kind} that the release declares: {name}",
        where=file,
        hint=_HINT,
    )


_Read = Callable[[bytes, str], Declared | None]


def _reader(name: str) -> _Read | None:
    base = name.rsplit("/", 1)[-1].lower()
    if is_requirements_file(name):
        return _requirements
    if is_wheel_metadata(name):
        return _wheel
    return next((read for pattern, read in _BY_NAME if fnmatchcase(base, pattern)), None)


def _requirements(data: bytes, name: str) -> Declared:
    found, _ = parse_requirements(data, name)
    return Declared(file=name, libraries=tuple(dependency.name for dependency in found))


def _wheel(data: bytes, name: str) -> Declared:
    return Declared(file=name, libraries=tuple(d.name for d in parse_wheel_metadata(data, name).dependencies))


def _readme(data: bytes, name: str) -> Declared | None:
    if classify(name, len(data), data).category != "docs/model-card":
        return None
    return Declared(file=name, card=parse_model_card(data, name))


def _pyproject(data: bytes, name: str) -> Declared:
    project = parse_pyproject(data, name)
    groups = (*project.optional_dependencies.values(), *project.dependency_groups.values())
    found = (*project.dependencies, *project.build_requires, *(item for group in groups for item in group))
    return Declared(file=name, libraries=tuple(dict.fromkeys(dependency.name for dependency in found)))


def _lock(data: bytes, name: str) -> Declared:
    packages = parse_lock(data, name).packages
    return Declared(file=name, libraries=tuple(p.name for p in packages if p.source in _REMOTE_SOURCES))


def _conda(data: bytes, name: str) -> Declared:
    environment = parse_conda_environment(data, name)
    found = (*(item.name for item in environment.pip), *(item.name for item in environment.dependencies))
    return Declared(file=name, libraries=tuple(dict.fromkeys(found)))


def _dockerfile(data: bytes, name: str) -> Declared:
    docker = parse_dockerfile(data, name)
    images = (
        f"{image.registry}/{image.repository}" if image.registry else image.repository
        for image in (*docker.stages, *docker.copied_from)
        if not image.is_stage and image.repository and image.repository.lower() != "scratch"
    )
    libraries = tuple(dict.fromkeys(install.dependency.name for install in docker.installs))
    return Declared(file=name, images=tuple(dict.fromkeys(images)), libraries=libraries)


def _python(data: bytes, name: str) -> Declared:
    """Services that code calls, data sets and models of a hub that it loads."""
    source = read_python(data, name)
    return Declared(
        file=name,
        services=tuple(dict.fromkeys(used.name for used in hosted_services(source, name) if not used.is_local)),
        datasets=tuple(dict.fromkeys(d.name for d in source.datasets if _is_hub_name(d.name))),
        models=tuple(dict.fromkeys(m.name for m in source.models if _is_hub_name(m.name) and not m.is_local)),
    )


def _adapter(data: bytes, name: str) -> Declared:
    base = parse_adapter_config(data, name).base_model
    return Declared(file=name, base_models=(base,) if base else ())


def _is_hub_name(name: str) -> bool:
    return name.count("/") == 1 and not name.startswith((".", "/", "~"))


_BY_NAME: tuple[tuple[str, _Read], ...] = (
    ("readme.md", _readme),
    ("pyproject.toml", _pyproject),
    ("uv.lock", _lock),
    ("poetry.lock", _lock),
    ("pylock*.toml", _lock),
    ("environment*.y*ml", _conda),
    ("conda*.y*ml", _conda),
    ("dockerfile*", _dockerfile),
    ("*.dockerfile", _dockerfile),
    ("containerfile*", _dockerfile),
    ("adapter_config.json", _adapter),
    ("*.py", _python),
    ("*.ipynb", _python),
)
