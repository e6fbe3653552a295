"""The account of a release, independent of any BOM format: its models, code, data and documents, and what nobody says.

Every value carries where it was read. A value that nobody states is empty: never guessed, never taken from elsewhere.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from aibom.build.collect import CollectedFile
from aibom.formats.requirements import Dependency


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where a value was read: a file of the release, and the field or line in it."""

    file: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.file}, {self.place}" if self.place else self.file


@dataclass(frozen=True, slots=True)
class Sourced:
    """A value and where it was read."""

    value: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A licence: an SPDX identifier or expression if it is one, else a name, and every place that states it."""

    name: str
    is_spdx: bool
    sources: tuple[Source, ...]
    url: str = ""
    restricts_use: bool = False
    """Whether it limits what the model may be used for, as behavioural-use licences do."""
    text_file: str = ""
    """A file of the release that holds its text, if one was recognised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who something is: the release, its models and its code are different things, and may have different answers."""

    name: Sourced
    version: Sourced | None = None
    producer: Sourced | None = None
    supplier: Sourced | None = None
    description: Sourced | None = None
    copyright: Sourced | None = None
    hub: Sourced | None = None
    """`owner/name` on a model hub."""
    commit: Sourced | None = None
    """Commit of that hub repository."""
    licences: tuple[Licence, ...] = ()


class Relation(StrEnum):
    """How a model came from another."""

    FINETUNE = "finetune"
    ADAPTER = "adapter"
    QUANTIZED = "quantized"
    MERGE = "merge"
    CONVERSION = "conversion"
    UNSTATED = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestor:
    """A model that another was made from. Nothing that is said of the descendant is said of it."""

    name: str
    source: Source
    relation: Relation = Relation.UNSTATED
    revision: Sourced | None = None
    url: str = ""
    within: str = ""
    """The reference of a model of this release, if it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A value as it was written, what it was measured on, and every place that states it."""

    type: str
    value: str
    slice: str = ""
    lower: str = ""
    upper: str = ""
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """What an activity cost; kWh and kilograms of CO2 equivalent as stated."""

    activity: str
    kwh: Decimal | None = None
    co2_kg: Decimal | None = None
    country: str = ""
    region: str = ""
    locality: str = ""
    hardware: str = ""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A named value: of training, of an adapter, of a configuration; and every place that states it."""

    name: str
    value: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What the headers of a model's weights add up to."""

    files: tuple[str, ...]
    tensors: int | None
    parameters: int | None
    element_types: tuple[str, ...]


class ModelKind(StrEnum):
    """What a model of the release is to the release."""

    MAIN = "main"
    PART = "part"
    CONVERSION = "conversion"
    ADAPTER = "adapter"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What people wrote about a model."""

    users: tuple[Sourced, ...] = ()
    use_cases: tuple[Sourced, ...] = ()
    limitations: tuple[Sourced, ...] = ()
    ethics: tuple[Sourced, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model with the files that are it: a set of shards is one model, not one a shard."""

    ref: str
    kind: ModelKind
    identity: Identity
    files: tuple[CollectedFile, ...]
    weights: Weights | None = None
    approach: Sourced | None = None
    task: Sourced | None = None
    family: Sourced | None = None
    architecture: Sourced | None = None
    library: Sourced | None = None
    inputs: tuple[Sourced, ...] = ()
    outputs: tuple[Sourced, ...] = ()
    ancestors: tuple[Ancestor, ...] = ()
    datasets: tuple[str, ...] = ()
    """References of the data sets it was trained or tuned on."""
    metrics: tuple[Result, ...] = ()
    energy: tuple[Energy, ...] = ()
    card: Card = Card()
    settings: tuple[Setting, ...] = ()
    chat_templates: tuple[Setting, ...] = ()
    """Name and SHA-256: a chat template is a program that the serving side runs."""
    remote_code: tuple[Sourced, ...] = ()
    parts: tuple["Model", ...] = ()
    problems: tuple[str, ...] = ()
    """What is missing of its weights, or where an index and its shards disagree."""

    @property
    def all_files(self) -> tuple[CollectedFile, ...]:
        """Its files and those of its parts."""
        return (*self.files, *(file for part in self.parts for file in part.all_files))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A data set: a folder of this release, or one that a card, a configuration or code names."""

    name: str
    ref: str
    folder: str = ""
    files: tuple[CollectedFile, ...] = ()
    declared_in: tuple[Source, ...] = ()
    version: Sourced | None = None
    producer: Sourced | None = None
    description: Sourced | None = None
    licences: tuple[Licence, ...] = ()
    url: Sourced | None = None
    classification: Sourced | None = None
    sensitive: tuple[Sourced, ...] = ()
    owners: tuple[Sourced, ...] = ()
    custodians: tuple[Sourced, ...] = ()
    stewards: tuple[Sourced, ...] = ()
    settings: tuple[Setting, ...] = ()
    """Biases, collection, splits, sizes: name, value and where it stands."""
    used_for: str = ""
    """`training`, `evaluation`, or `other` (by another model, by an example); empty if nothing tells."""
    problems: tuple[str, ...] = ()

    @property
    def is_external(self) -> bool:
        """Whether its files are not in this release."""
        return not self.files


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A declared dependency, what a lock file settles it to, and the files that declare it."""

    dependency: Dependency
    ecosystem: str = "pypi"
    optional: tuple[str, ...] = ()
    """Groups that ask for it, if nothing else does."""
    hashes: tuple[str, ...] = ()
    declared_in: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    """Names of libraries that a lock file says it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A base image that the code is built on."""

    reference: str
    name: str
    tag: str
    digest: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A hosted model service that the code calls; data leaves with the call."""

    provider: str
    name: str
    endpoint: str
    models: tuple[str, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The code of the release."""

    identity: Identity
    files: tuple[CollectedFile, ...] = ()
    libraries: tuple[Library, ...] = ()
    containers: tuple[Container, ...] = ()
    services: tuple[Service, ...] = ()
    undeclared: tuple[Sourced, ...] = ()
    """Imports that no manifest declares, and where they stand."""
    models: tuple[Ancestor, ...] = ()
    """Models that the code loads and that are neither this one nor its ancestors."""
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How the model was made: what went in, with which settings."""

    name: str
    inputs: tuple[str, ...]
    settings: tuple[Setting, ...]
    outputs: tuple[str, ...]
    assumed: bool = False
    """Whether nothing but code published with the model speaks of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An address outside the release, and what is found there (a CycloneDX external reference type)."""

    type: str
    url: str
    source: Source
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the publisher says about the release as such."""

    date: datetime | None = None
    author: str = ""
    author_email: str = ""
    outcome: str = ""
    distribution: str = ""
    tlp: str = ""
    people: tuple[Setting, ...] = ()
    withheld: tuple[tuple[str, str], ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything that the BOM will say."""

    release: Identity
    models: tuple[Model, ...]
    """The main model first; none in a release of data alone."""
    code: Code
    datasets: tuple[Dataset, ...]
    training: Training | None
    documents: tuple[CollectedFile, ...]
    """Files that are part of no model, code or data set."""
    links: tuple[Link, ...] = ()
    statement: Statement = Statement()
    conflicts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    dangers: tuple[str, ...] = ()
    """Files that run code when they are loaded, and what they would do."""
    tree_digest: str = ""
    bytes: int = 0
    file_count: int = 0

    @property
    def model(self) -> Model:
        """The model that the release is about; to be asked for only where `models` has one."""
        return self.models[0]
