"""The name of the main model on a hub, where somebody states it.

Taken from the publisher, from the hub's own cache, from a link of the card, from code that uses a model of the same
name, or from an evaluation of one. Training starts from a model and evaluation compares with others: what such code
loads may be a namesake. What the model was made from is never the model. Where two owners are named, none is taken.
"""

from collections.abc import Iterator

from aibom.build.account import Source, Sourced
from aibom.build.collect import CollectedFile, Collection
from aibom.build.documents import links_of
from aibom.build.evidence import facts, folded, last_part, sourced
from aibom.build.lineage import stated_bases
from aibom.build.publisher import NAME as PUBLISHER
from aibom.build.publisher import Publisher
from aibom.build.training import trains
from aibom.core.names import is_hub_name
from aibom.formats.evaluation_results import EvaluationReport
from aibom.formats.python_source import PythonSource

_ADDRESS = "https://huggingface.co/"
_USES = "code/inference"


def hub_of(collection: Collection, main: tuple[CollectedFile, ...], name: str) -> Sourced | None:
    """`owner/name` of the model called `name`; `main` are its files."""
    said = collection.publisher or Publisher()
    stated = sourced(said.model.get("hub"), PUBLISHER, "model.hub")
    if stated:
        return stated
    if collection.snapshot and not collection.snapshot.kind:
        return Sourced(collection.snapshot.repository, Source("hub cache", "name of the repository"))
    bases = stated_bases(collection, main)
    for witnesses in (_linked(collection), _loaded(collection), _evaluated(collection)):
        found = [item for item in witnesses if _fits(item.value, name) and item.value.lower() not in bases]
        if found:
            return found[0] if len({item.value.lower() for item in found}) == 1 else None
    return None


def _fits(hub: str, name: str) -> bool:
    return is_hub_name(hub) and folded(last_part(hub)) == folded(name)


def _linked(collection: Collection) -> Iterator[Sourced]:
    for link in links_of(collection):
        if link.url.startswith(_ADDRESS):
            yield Sourced(link.url.removeprefix(_ADDRESS).rstrip("/"), link.source)


def _loaded(collection: Collection) -> Iterator[Sourced]:
    for file, source in facts(collection.files, PythonSource):
        if file.classification.category == _USES and not trains(file, source):
            yield from (Sourced(model.name, Source(file.name, f"line {model.line}")) for model in source.models)


def _evaluated(collection: Collection) -> Iterator[Sourced]:
    for file, report in facts(collection.files, EvaluationReport):
        yield Sourced(report.model, Source(file.name, "model that was evaluated"))
