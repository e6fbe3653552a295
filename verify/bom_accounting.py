"""BOM against files: every content file in exactly one component or counted data set, every named file there, equal.

And the BOM against itself: a component that something refers to must be there, so that none can be taken out unseen.
"""

from collections import Counter
from collections.abc import Container, Iterator

from aibom.core.finding import Finding, Outcome, contradiction, note
from aibom.core.layout import is_content
from aibom.core.manifest import FileEntry, Manifest, tree_digest
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties
from aibom.cyclonedx.view import Bom, ComponentView

_HINT = "ask the publisher to build and sign the release again"
_SHOWN = 20


def check_accounting(bom: Bom, manifest: Manifest, *, explained: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """Compare a bound BOM with the files that are there.

    `explained` are files that are known not to be as signed: what follows from that is not said again.
    """
    content = {entry.name: entry for entry in manifest.entries if is_content(entry.name)}
    files = [component for component in bom.components if component.type == "file"]
    named = Counter(component.name for component in files)
    findings = [
        *_twice(named),
        *(problem for c in files if c.name not in explained for problem in _file(c, content)),
        *(problem for problem in _unaccounted(bom, content, named) if problem.where not in explained),
        *_references(bom),
    ]
    if not explained:
        findings += [*_counted_sets(bom, content, named), *_tree(bom, content)]
    findings.sort(key=lambda finding: finding.outcome is Outcome.NOTE)
    return tuple(findings[:_SHOWN]) + _more(findings)


def _more(findings: list[Finding]) -> tuple[Finding, ...]:
    if len(findings) <= _SHOWN or findings[_SHOWN].outcome is Outcome.NOTE:
        return ()
    return (contradiction("bom.accounting", f"and {len(findings) - _SHOWN} more differences between BOM and files"),)


def _twice(named: Counter[str]) -> Iterator[Finding]:
    for name, count in named.items():
        if count > 1:
            yield contradiction("bom.duplicate", f"the BOM lists {name} {count} times", where=name, hint=_HINT)


def _file(component: ComponentView, content: dict[str, FileEntry]) -> Iterator[Finding]:
    entry = content.get(component.name)
    if entry is None:
        yield contradiction(
            "bom.file-absent",
            f"the BOM names {component.name}, which is not in the release",
            where=component.where,
            hint=_HINT,
        )
        return
    if component.repeats_an_algorithm:
        yield contradiction(
            "bom.duplicate",
            f"the BOM gives {component.name} two digests by one algorithm",
            where=component.where,
            hint=_HINT,
        )
    for name in component.unread_algorithms:
        yield note(
            "bom.digest-unchecked", f"the {name} digest of {component.name} was not checked", where=component.where
        )
    for algorithm in sorted({"sha256", *component.hashes}):
        stated, actual = component.hashes.get(algorithm, "none"), entry.digests.get(algorithm, "not computed")
        if stated != actual:
            yield contradiction(
                "bom.file-digest",
                f"the BOM's digest of {component.name} is not that of the file",
                where=component.where,
                expected=f"{algorithm}:{stated}",
                found=f"{algorithm}:{actual}",
                hint=_HINT,
            )


def _unaccounted(bom: Bom, content: dict[str, FileEntry], named: Counter[str]) -> Iterator[Finding]:
    counted = {folder for component in bom.components for folder in component.properties(properties.FOLDER)}
    for name in sorted(content.keys() - named.keys()):
        if _counted_folder(name, counted) is None:
            yield contradiction(
                "bom.file-unaccounted",
                f"no component of the BOM accounts for {name}",
                where=name,
                hint=_HINT,
            )


def _counted_sets(bom: Bom, content: dict[str, FileEntry], named: Counter[str]) -> Iterator[Finding]:
    """A counted data set holds the files below its folder that no component names."""
    counted: dict[str, ComponentView] = {}
    for component in bom.components:
        for folder in component.properties(properties.FOLDER):
            if counted.setdefault(folder, component) is not component:
                yield contradiction(
                    "bom.duplicate", f"two data sets count the folder {folder!r}", where=component.where
                )
    members: dict[str, list[FileEntry]] = {folder: [] for folder in counted}
    for name in content.keys() - named.keys():
        holder = _counted_folder(name, counted)
        if holder is not None:
            members[holder].append(content[name])
    for folder, component in counted.items():
        yield from _counted(component, members[folder])


def _counted_folder(name: str, folders: Container[str]) -> str | None:
    """The deepest counted folder that holds a file."""
    folder = name.rpartition("/")[0]
    while folder:
        if folder in folders:
            return folder
        folder = folder.rpartition("/")[0]
    return "." if "." in folders else None


def _counted(component: ComponentView, members: list[FileEntry]) -> Iterator[Finding]:
    digest = tree_digest((entry.name, entry.sha256) for entry in members)
    expected = (component.properties(properties.FILE_COUNT), component.properties(properties.TREE_DIGEST))
    found = ((str(len(members)),), (f"sha256:{digest}",))
    if expected != found:
        yield contradiction(
            "bom.data-set",
            f"the files of the data set {component.name} are not those that the BOM counts",
            where=component.where,
            expected=f"{', '.join(expected[0])} files, {', '.join(expected[1])}",
            found=f"{len(members)} files, sha256:{digest}",
            hint=_HINT,
        )


def _tree(bom: Bom, content: dict[str, FileEntry]) -> Iterator[Finding]:
    """What the root says about the tree as a whole: its digest, its number of files, its size."""
    actual = {
        properties.TREE_DIGEST: f"sha256:{tree_digest((e.name, e.sha256) for e in content.values())}",
        properties.FILE_COUNT: str(len(content)),
        properties.SIZE: str(sum(entry.size for entry in content.values())),
    }
    for name, value in actual.items():
        stated = bom.root.properties(name) if bom.root else ()
        if stated and stated != (value,):
            yield contradiction(
                "bom.tree-digest",
                f"what the BOM says of the whole tree ({name}) is not true of the files",
                where="metadata.component",
                expected=", ".join(stated),
                found=value,
                hint=_HINT,
            )


def _references(bom: Bom) -> Iterator[Finding]:
    refs = Counter(component.ref for component in bom.components if component.ref)
    refs.update(_pedigree_refs(bom))
    for ref, count in refs.items():
        if count > 1:
            yield contradiction("bom.duplicate", f"the reference {ref!r} stands for {count} components", where=ref)
    for where, ref in _referred(bom):
        if ref not in refs:
            yield contradiction(
                "bom.dangling-reference",
                f"the BOM refers to {ref!r}, which it does not describe",
                where=where,
                hint=_HINT,
            )


def _pedigree_refs(bom: Bom) -> Iterator[str]:
    for component in bom.components:
        ancestors = component.at("pedigree", "ancestors")
        for ancestor in ancestors if isinstance(ancestors, list) else []:
            if isinstance(ancestor, dict) and isinstance(ancestor.get("bom-ref"), str):
                yield ancestor["bom-ref"]


def _referred(bom: Bom) -> Iterator[tuple[str, str]]:
    services = {service.get("bom-ref") for service in bom.objects("services")}
    for index, node in enumerate(bom.objects("dependencies")):
        for key in ("ref", "dependsOn", "provides"):
            for ref in _strings(node, key):
                if ref not in services:
                    yield f"dependencies[{index}].{key}", ref
    for index, node in enumerate(bom.objects("compositions")):
        for key in ("assemblies", "dependencies"):
            yield from ((f"compositions[{index}].{key}", ref) for ref in _strings(node, key))
    yield from _formulated(bom)
    for index, citation in enumerate(bom.objects("citations")):
        yield from ((f"citations[{index}].attributedTo", ref) for ref in _strings(citation, "attributedTo"))
    for model in bom.models:
        datasets = model.at("modelCard", "modelParameters", "datasets")
        for item in datasets if isinstance(datasets, list) else []:
            if isinstance(item, dict) and isinstance(item.get("ref"), str):
                yield f"{model.where}.modelCard.modelParameters.datasets", item["ref"]


def _formulated(bom: Bom) -> Iterator[tuple[str, str]]:
    """What training is said to have taken in and given out."""
    for index, formula in enumerate(bom.objects("formulation")):
        workflows = formula.get("workflows")
        for workflow in workflows if isinstance(workflows, list) else []:
            for key in ("inputs", "outputs"):
                items = workflow.get(key) if isinstance(workflow, dict) else None
                for item in items if isinstance(items, list) else []:
                    resource = item.get("resource") if isinstance(item, dict) else None
                    if isinstance(resource, dict) and isinstance(resource.get("ref"), str):
                        yield f"formulation[{index}].workflows.{key}", resource["ref"]


def _strings(node: Json, key: str) -> list[str]:
    value = node.get(key)
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]
