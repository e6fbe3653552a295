"""What the files declare: dependencies, base images, services, data sets and base models, read by the verifier itself.

With the readers that the builder has too, but not with its rules: what is declared is compared with the BOM elsewhere.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from aibom.core.errors import InputError
from aibom.core.names import is_hub_name
from aibom.formats.adapter_config import parse_adapter_config
from aibom.formats.conda import parse_conda_environment
from aibom.formats.detect import classify
from aibom.formats.dockerfile import parse_dockerfile
from aibom.formats.hosted_services import hosted_services
from aibom.formats.model_card import ModelCard, parse_model_card
from aibom.formats.pyproject import parse_pyproject
from aibom.formats.python_lock import parse_lock
from aibom.formats.python_source import read_python
from aibom.formats.requirements import (
    Dependency,
    is_requirements_file,
    is_wheel_metadata,
    parse_requirements,
    parse_wheel_metadata,
)
from aibom.sources.local import ReadFile

_HEAD = 4096
_LIMIT = 16 * 1024 * 1024
_REMOTE_SOURCES = frozenset({"registry", "git", "url"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What one file declares. Files that cannot be read declare nothing: that they are odd, the BOM says."""

    file: str
    libraries: tuple[str, ...] = ()
    pins: tuple[tuple[str, str], ...] = ()
    """Name and version of each library that is pinned."""
    images: tuple[str, ...] = ()
    """Base images: repository, with the registry where one is written."""
    image_pins: tuple[tuple[str, str], ...] = ()
    """Image and its tag or digest."""
    services: tuple[str, ...] = ()
    endpoints: tuple[tuple[str, str], ...] = ()
    """Service and the address that it is called at."""
    datasets: tuple[str, ...] = ()
    base_models: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """Models of a hub that code loads."""
    card: ModelCard | None = None
    is_adapter: bool = False


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
    return Declared(file=name, libraries=tuple(dependency.name for dependency in found), pins=_pins(found))


def _wheel(data: bytes, name: str) -> Declared:
    found = parse_wheel_metadata(data, name).dependencies
    return Declared(file=name, libraries=tuple(d.name for d in found), pins=_pins(found))


def _pins(found: Iterable[Dependency]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys((item.name, item.version) for item in found if item.version))


def _readme(data: bytes, name: str) -> Declared | None:
    if classify(name, len(data), data).category != "docs/model-card":
        return None
    return Declared(file=name, card=parse_model_card(data, name))


def _pyproject(data: bytes, name: str) -> Declared:
    project = parse_pyproject(data, name)
    groups = (*project.optional_dependencies.values(), *project.dependency_groups.values())
    found = (*project.dependencies, *project.build_requires, *(item for group in groups for item in group))
    return Declared(file=name, libraries=tuple(dict.fromkeys(d.name for d in found)), pins=_pins(found))


def _lock(data: bytes, name: str) -> Declared:
    packages = [p for p in parse_lock(data, name).packages if p.source in _REMOTE_SOURCES]
    return Declared(
        file=name,
        libraries=tuple(p.name for p in packages),
        pins=tuple((p.name, p.version) for p in packages if p.version),
    )


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
    installed = [install.dependency for install in docker.installs]
    pinned = (
        (f"{image.registry}/{image.repository}" if image.registry else image.repository, image.tag or image.digest)
        for image in (*docker.stages, *docker.copied_from)
        if not image.is_stage and image.repository and (image.tag or image.digest)
    )
    return Declared(
        file=name,
        images=tuple(dict.fromkeys(images)),
        image_pins=tuple(dict.fromkeys(pinned)),
        libraries=tuple(dict.fromkeys(dependency.name for dependency in installed)),
        pins=_pins(installed),
    )


def _python(data: bytes, name: str) -> Declared:
    """Services that code calls, data sets and models of a hub that it loads. What is no text is no code."""
    if not classify(name, len(data), data[:_HEAD]).category.startswith("code/"):
        return Declared(file=name)
    source = read_python(data, name)
    used = [service for service in hosted_services(source, name) if not service.is_local]
    return Declared(
        file=name,
        services=tuple(dict.fromkeys(service.name for service in used)),
        endpoints=tuple(dict.fromkeys((service.name, service.endpoint) for service in used if service.endpoint)),
        datasets=tuple(dict.fromkeys(d.name for d in source.datasets if is_hub_name(d.name))),
        models=tuple(dict.fromkeys(m.name for m in source.models if is_hub_name(m.name) and not m.is_local)),
    )


def _adapter(data: bytes, name: str) -> Declared:
    base = parse_adapter_config(data, name).base_model
    return Declared(file=name, base_models=(base,) if base else (), is_adapter=True)


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
