"""The code of the release: what it declares, what it imports without declaring it, what it calls and builds on."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from aibom.build.account import Ancestor, Code, Container, Identity, Library, Service, Source, Sourced
from aibom.build.collect import CollectedFile
from aibom.build.evidence import facts
from aibom.build.readers import Requirements
from aibom.build.render.identifiers import library_ref
from aibom.core.names import is_hub_name
from aibom.formats.conda import CondaEnvironment
from aibom.formats.dockerfile import Dockerfile
from aibom.formats.hosted_services import hosted_services
from aibom.formats.import_names import undeclared_imports
from aibom.formats.pyproject import Pyproject
from aibom.formats.python_lock import Lock
from aibom.formats.python_source import PythonSource
from aibom.formats.requirements import Dependency, WheelMetadata

_EXTRA = re.compile(r"""\bextra\s*==\s*["']([^"']{1,100})["']""")


@dataclass(frozen=True, slots=True)
class _Declaration:
    """One declaration of one dependency; `group` is empty for what is always needed."""

    dependency: Dependency
    file: str
    group: str = ""
    ecosystem: str = "pypi"


def code_of(
    files: tuple[CollectedFile, ...], identity: Identity, known_models: Iterable[str]
) -> tuple[Code, list[str]]:
    """(The code, conflicts). `known_models` are the model's own names and those of its ancestors."""
    own = tuple(file for file in files if file.classification.category.startswith("code/"))
    declared = list(_declarations(files))
    locks = list(facts(files, Lock))
    code = Code(
        identity=identity,
        files=own,
        libraries=_libraries(declared, locks),
        containers=tuple(_containers(files)),
        services=_services(files),
        undeclared=tuple(_undeclared(files, declared, locks)),
        models=tuple(_loaded(files, set(known_models))),
        locked=bool(locks),
    )
    return code, list(_conflicts(declared))


def _declarations(files: tuple[CollectedFile, ...]) -> Iterator[_Declaration]:
    for file, requirements in facts(files, Requirements):
        yield from (_Declaration(item, file.name) for item in requirements.dependencies)
    for file, wheel in facts(files, WheelMetadata):
        for item in wheel.dependencies:
            extra = _EXTRA.search(item.marker)
            yield _Declaration(item, file.name, extra.group(1) if extra else "")
    for file, project in facts(files, Pyproject):
        yield from (_Declaration(item, file.name) for item in project.dependencies)
        for groups in (project.optional_dependencies, project.dependency_groups):
            yield from (_Declaration(item, file.name, group) for group, items in groups.items() for item in items)
        yield from (_Declaration(item, file.name, "build-system") for item in project.build_requires)
    for file, environment in facts(files, CondaEnvironment):
        yield from (_Declaration(item, file.name) for item in environment.pip)
        for package in environment.dependencies:
            conda = Dependency(name=package.name, version=package.version, range=package.range)
            yield _Declaration(conda, file.name, ecosystem="conda")
    for file, docker in facts(files, Dockerfile):
        yield from (_Declaration(item.dependency, file.name) for item in docker.installs)


def _libraries(declared: list[_Declaration], locks: list[tuple[CollectedFile, Lock]]) -> tuple[Library, ...]:
    """One library a declaration that differs; a lock file settles a range to a version and adds what that needs."""
    grouped: dict[tuple[str, Dependency], list[_Declaration]] = defaultdict(list)
    for item in declared:
        grouped[item.ecosystem, item.dependency].append(item)
    libraries = [_library(dependency, items) for (_, dependency), items in grouped.items()]
    for file, lock in locks:
        libraries = _settled(libraries, file.name, lock)
    return tuple(sorted(_merged(libraries), key=lambda item: (item.ecosystem, item.dependency)))


def _library(dependency: Dependency, items: list[_Declaration]) -> Library:
    groups = sorted({item.group for item in items})
    digests = {f"sha256:{digest}" for item in items for digest in item.dependency.digests}
    return Library(
        dependency=dependency,
        ecosystem=items[0].ecosystem,
        optional=() if "" in groups else tuple(groups),
        hashes=tuple(sorted(digests)),
        declared_in=tuple(sorted({item.file for item in items})),
    )


def _settled(libraries: list[Library], file: str, lock: Lock) -> list[Library]:
    """What a lock file settles: ranges that are declared beside it or below, and what those need."""
    folder = file.rpartition("/")[0]
    by_name: dict[str, list[int]] = defaultdict(list)
    for number, library in enumerate(libraries):
        if library.ecosystem == "pypi" and all(_lies_in(folder, name) for name in library.declared_in):
            by_name[library.dependency.name].append(number)
    settled = list(libraries)
    for package in lock.packages:
        if package.source not in {"registry", "git", "url"}:
            continue  # the project itself, or what lies beside it
        # The address of a registry is not that of the library.
        url = package.url if package.source in {"git", "url"} else ""
        pinned = Dependency(name=package.name, version=package.version, range="", url=url)
        digests = tuple(f"sha256:{digest}" for digest in package.sha256)
        added = Library(dependency=pinned, hashes=digests, declared_in=(file,), requires=package.dependencies)
        places = [n for n in by_name[package.name] if settled[n].dependency.version in {"", package.version}]
        for number in places:
            settled[number] = _pinned(settled[number], added)
        if not places:
            settled.append(added)
    return settled


def _lies_in(folder: str, name: str) -> bool:
    return not folder or name.startswith(f"{folder}/")


def _merged(libraries: list[Library]) -> Iterator[Library]:
    """One library for each reference: two declarations that a lock settles to one version are one."""
    by_ref: dict[str, list[Library]] = defaultdict(list)
    for library in libraries:
        by_ref[library_ref(library)].append(library)
    for same in by_ref.values():
        ranges = sorted({item.dependency.range for item in same if item.dependency.range})
        yield replace(
            same[0],
            dependency=replace(same[0].dependency, range=", ".join(ranges)) if len(same) > 1 else same[0].dependency,
            optional=() if any(not item.optional for item in same) else _union(item.optional for item in same),
            hashes=_union(item.hashes for item in same),
            declared_in=_union(item.declared_in for item in same),
            requires=_union(item.requires for item in same),
        )


def _union(values: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({value for items in values for value in items}))


def _pinned(library: Library, locked: Library) -> Library:
    dependency = replace(
        library.dependency, version=locked.dependency.version, url=library.dependency.url or locked.dependency.url
    )
    return replace(
        library,
        dependency=dependency,
        hashes=library.hashes or locked.hashes,
        declared_in=tuple(sorted({*library.declared_in, *locked.declared_in})),
        requires=locked.requires,
    )


def _conflicts(declared: list[_Declaration]) -> Iterator[str]:
    """One sentence for each library that two files pin to different versions."""
    pins: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for item in declared:
        if item.dependency.version:
            pins[item.ecosystem, item.dependency.name].setdefault(item.dependency.version, item.file)
    for (_, name), versions in sorted(pins.items()):
        if len(versions) > 1:
            said = ", ".join(f"{file} says {version}" for version, file in versions.items())
            yield f"version of {name}: {said}"


def _containers(files: tuple[CollectedFile, ...]) -> Iterator[Container]:
    seen = set()
    for file, docker in facts(files, Dockerfile):
        for image in (*docker.stages, *docker.copied_from):
            name = f"{image.registry}/{image.repository}" if image.registry else image.repository
            tag, digest = f":{image.tag}" if image.tag else "", f"@{image.digest}" if image.digest else ""
            reference = f"{name}{tag}{digest}"
            if image.is_stage or not image.repository or reference in seen or name.lower() == "scratch":
                continue
            seen.add(reference)
            yield Container(
                reference=reference,
                name=name,
                tag=image.tag,
                digest=image.digest,
                source=Source(file.name, f"line {image.line}, FROM"),
            )


def _services(files: tuple[CollectedFile, ...]) -> tuple[Service, ...]:
    found: dict[tuple[str, str, str], list[tuple[Source, tuple[str, ...]]]] = defaultdict(list)
    for file, source in facts(files, PythonSource):
        for used in hosted_services(source, file.name):
            if not used.is_local:
                place = Source(file.name, f"line {used.line}")
                found[used.provider, used.name, used.endpoint].append((place, used.models))
    return tuple(
        Service(
            provider=provider or "not stated",
            name=name,
            endpoint=endpoint,
            models=tuple(sorted({model for _, models in uses for model in models})),
            sources=tuple(dict.fromkeys(source for source, _ in uses)),
        )
        for (provider, name, endpoint), uses in sorted(found.items())
    )


def _undeclared(
    files: tuple[CollectedFile, ...], declared: list[_Declaration], locks: list[tuple[CollectedFile, Lock]]
) -> Iterator[Sourced]:
    """Imports that no manifest declares; what a `try` or a type check imports need not be there."""
    names = {item.dependency.name for item in declared} | {p.name for _, lock in locks for p in lock.packages}
    local = _local_modules(files)
    for file, source in facts(files, PythonSource):
        for item in source.imports:
            if item.optional:
                continue
            for missing in undeclared_imports(item.paths, names, local):
                yield Sourced(missing, Source(file.name, f"line {item.line}"))


def _local_modules(files: tuple[CollectedFile, ...]) -> set[str]:
    """What the release itself offers to import: its modules, wherever they lie, and the folders above them."""
    found: set[str] = set()
    for file in files:
        if file.name.endswith((".py", ".so", ".pyd")):
            *folders, base = file.name.split("/")
            found.update(folders)
            found.add(base.split(".", 1)[0])
    return found


def _loaded(files: tuple[CollectedFile, ...], known: set[str]) -> Iterator[Ancestor]:
    """Models of a hub that the code loads beside the ones that the account knows already."""
    seen = set()
    for file, source in facts(files, PythonSource):
        for model in source.models:
            if not is_hub_name(model.name) or model.is_local or model.name in known or model.name in seen:
                continue
            seen.add(model.name)
            place = Source(file.name, f"line {model.line}" + (", default of an option" if model.is_default else ""))
            revision = Sourced(model.revision, place) if model.revision else None
            yield Ancestor(name=model.name, source=place, revision=revision)
