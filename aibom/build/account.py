"""The account of a release, independent of any BOM format: what the model is, what belongs to it, what is not known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aibom.build.collect import CollectedFile
from aibom.formats.model_card import Metric
from aibom.formats.requirements import Dependency


@dataclass(frozen=True, slots=True)
class Sourced:
    """A value and the file and field it was read from."""

    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A licence: an SPDX identifier if it is one, else a name, and where it was read."""

    name: str
    is_spdx: bool
    source: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who something is: the release, its model and its code are three things, and may have three answers."""

    name: Sourced
    version: Sourced | None = None
    producer: Sourced | None = None
    description: Sourced | None = None
    licences: tuple[Licence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A data set: a folder of this release, or one that a card names."""

    name: str
    folder: str = ""
    source: str = ""
    files: tuple[CollectedFile, ...] = ()

    @property
    def is_external(self) -> bool:
        """Whether its files are not in this release."""
        return not self.files


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What the headers of the main weights add up to."""

    files: tuple[str, ...]
    tensors: int
    parameters: int
    element_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAccount:
    """The model. Values that nobody states are empty, never guessed."""

    identity: Identity
    family: Sourced | None
    architecture: Sourced | None
    task: Sourced | None
    library: Sourced | None
    base_models: tuple[str, ...]
    metrics: tuple[Metric, ...]
    intended_use: str
    limitations: str
    ethics: str
    weights: Weights | None
    remote_code: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything that the BOM will say."""

    release: Identity
    code: Identity
    model: ModelAccount
    model_files: tuple[CollectedFile, ...]
    code_files: tuple[CollectedFile, ...]
    other_files: tuple[CollectedFile, ...]
    datasets: tuple[Dataset, ...]
    dependencies: Mapping[Dependency, tuple[str, ...]]
    """Dependency → the files that declare it."""
    conflicts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tree_digest: str = ""
    bytes: int = 0
    file_count: int = field(default=0)
