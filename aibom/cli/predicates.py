"""From what is to be attested to a predicate that may be signed: read, or filled in, and checked by its type."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from aibom.build.publisher import NAME as PUBLISHER
from aibom.build.publisher import WantedAttestation, nearest
from aibom.cli.build import warn
from aibom.cli.tree import Tree
from aibom.core.errors import InputError, MismatchError
from aibom.core.layout import BOM_NAME, SPDX_NAME, attestation_name_problem
from aibom.core.strictjson import MAX_DEPTH, dump_json, parse_json_object
from aibom.cyclonedx.inputs import inputs_of
from aibom.cyclonedx.view import parse_bom
from attest.bom_attestation import is_bom_type
from attest.model_signature import PREDICATE_TYPE as MODEL_TYPE
from attest.predicates.ci import find_build
from attest.predicates.documents import SPDX
from attest.predicates.generated import Material, builder_id, provenance, reference_predicate, release_predicate
from attest.predicates.in_toto import REFERENCE, RELEASE, TEST_RESULT
from attest.predicates.kinds import check_predicate, kind_of, type_uri
from attest.predicates.misspelt import misspelt_fields
from attest.predicates.slsa import PROVENANCE
from attest.release_statement import release_tree_digest

MAX_PREDICATE = 64 * 1024 * 1024
GENERATED = frozenset({PROVENANCE, RELEASE, REFERENCE, SPDX})
_SPDX_DIGITS = 16
_ROOT = "predicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One attestation to make: its type, its name, and its predicate or what is needed to fill one in."""

    uri: str
    name: str
    where: str
    predicate: bytes | None = None
    builder_id: str = ""
    download_location: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """A predicate's own bytes, which its type allows to be signed."""

    uri: str
    name: str
    data: bytes


def wanted_uri(word: str) -> str:
    """The predicate type that a short name or URI means. Raises InputError for others, and for what `sign` makes."""
    uri = type_uri(word)
    if uri == MODEL_TYPE or is_bom_type(uri):
        raise InputError(f"{uri} is what `aibom sign` makes", hint="run `aibom sign`")
    return uri


def name_for(uri: str, name: str) -> str:
    """The name that was given, else that of the type. Raises InputError if there is none, or it cannot be."""
    kind = kind_of(uri)
    found = name or (kind.name if kind else "")
    if not found:
        raise InputError(f"{uri} has no short name", hint="give the attestation a name (--name, or name in aibom.toml)")
    problem = attestation_name_problem(found)
    if problem:
        raise InputError(f"{found[:80]!r} {problem}", hint="give it a name of its own")
    return found


def listed_predicates(wanted: Iterable[WantedAttestation], tree: Tree) -> list[Predicate]:
    """The predicates of everything that `aibom.toml` lists. Raises InputError; then nothing was signed yet."""
    found = [checked(item, tree) for item in _listed(wanted, tree)]
    names = [item.name for item in found]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InputError(
                f"two attestations are called {name!r}",
                where=f"{PUBLISHER}, attestation[{index}]",
                hint='give one of them a name of its own: name = "…"',
            )
    return found


def _listed(wanted: Iterable[WantedAttestation], tree: Tree) -> Iterator[Wanted]:
    names = tuple(tree.listing.stamps)
    for index, item in enumerate(wanted):
        place = f"{PUBLISHER}, attestation[{index}]"
        if item.predicate and item.predicate not in names:
            raise InputError(
                f"{item.predicate[:80]!r} is no file of the release that a signature covers",
                where=f"{place}.predicate",
                hint=nearest(item.predicate, names) or "check the path",
            )
        try:
            uri = wanted_uri(item.type)
            name = name_for(uri, item.name)
        except InputError as error:
            raise InputError(error.message, where=place, hint=error.hint) from error
        yield Wanted(
            uri=uri,
            name=name,
            where=item.predicate or place,
            predicate=tree.read_file(item.predicate, MAX_PREDICATE) if item.predicate else None,
            builder_id=item.builder_id,
            download_location=item.download_location,
            environment=os.environ,
        )


def checked(wanted: Wanted, tree: Tree) -> Predicate:
    """Read or fill in the predicate and check it. Raises InputError with the field at fault."""
    return check_given(wanted, _filled_in(wanted, tree) if wanted.predicate is None else wanted.predicate)


def check_given(wanted: Wanted, data: bytes) -> Predicate:
    """Check a predicate's bytes by its type; needs no release. Raises InputError with the field at fault."""
    # One level less than may be read: a statement goes around it.
    document = parse_json_object(data, wanted.where, max_bytes=MAX_PREDICATE, max_depth=MAX_DEPTH - 1)
    misspelt = misspelt_fields(wanted.uri, document, _ROOT)
    try:
        is_known = check_predicate(wanted.uri, document, _ROOT)
    except InputError as error:
        near = [item.field for item in misspelt if f"{item.where}.{item.meant}" == error.where]
        hint = f"the field {near[0]!r} is unknown: is it meant?" if near else f"see {wanted.uri} for what it must hold"
        raise InputError(
            error.message, where=_place(wanted, error.where), hint=f"{hint}; nothing was signed"
        ) from error
    if not is_known:
        warn(f"{wanted.uri} is no type that we know: the content of {wanted.where} was not checked")
    for item in misspelt:
        place, words = _place(wanted, item.where), f"unknown field {item.field}; did you mean {item.meant}?"
        warn(f"{place}: {words} It is signed as it is")
    return Predicate(uri=wanted.uri, name=wanted.name, data=data)


def _place(wanted: Wanted, where: str) -> str:
    """A place in the predicate: `result.json, configuration[0]`, since `result.json.configuration` reads as a file."""
    inside = where.removeprefix(_ROOT).removeprefix(".")
    return f"{wanted.where}, {inside}" if inside else wanted.where


def cannot_fill_in(uri: str) -> str:
    """Why a predicate of this type has to be given."""
    why = ": a score in a card is no verdict" if uri == TEST_RESULT else ""
    return f"a predicate of this type cannot be filled in{why}"


def _filled_in(wanted: Wanted, tree: Tree) -> bytes:
    if wanted.uri == SPDX:
        return _spdx(tree)
    if wanted.uri not in GENERATED:
        raise InputError(
            cannot_fill_in(wanted.uri), where=wanted.where, hint='name the file that holds it: predicate = "…"'
        )
    bom = parse_bom(tree.bom, BOM_NAME)
    root = bom.root
    if wanted.uri == RELEASE:
        purl = root.at("purl") if root else None
        return dump_json(release_predicate(purl if isinstance(purl, str) else ""))
    build = find_build(wanted.environment)
    if wanted.uri == REFERENCE:
        attester = builder_id(build, wanted.builder_id)
        digest = hashlib.sha256(tree.bom).hexdigest()
        return dump_json(reference_predicate(BOM_NAME, digest, location=wanted.download_location, attester=attester))
    materials = [Material(name=item.name, uri=item.uri, digests=item.digests) for item in inputs_of(bom)]
    name = root.name if root and root.name else tree.release.resolve().name
    return dump_json(provenance(build, materials, release=name, builder=wanted.builder_id))


def _spdx(tree: Tree) -> bytes:
    """The SPDX document beside the BOM, if it was made from these files."""
    path = tree.bom_path.with_name(tree.bom_path.name.removesuffix(BOM_NAME) + SPDX_NAME)
    if SPDX_NAME in tree.listing.stamps:
        data = tree.read_file(SPDX_NAME, MAX_PREDICATE)
    else:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_PREDICATE + 1)
        except OSError as error:
            raise InputError(
                "there is no SPDX document to attest",
                where=str(path),
                hint="run `aibom build --format spdx3-json` first, or give --predicate FILE",
            ) from error
    name = f"urn:aibom:spdx:{release_tree_digest(tree.manifest)[:_SPDX_DIGITS]}"
    if name.encode() not in data:
        raise MismatchError(
            "the SPDX document was made from other files",
            where=str(path),
            hint="run `aibom build --format spdx3-json` again; nothing was signed",
        )
    return data
