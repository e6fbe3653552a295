"""Where things are in a release, and which paths a signature covers: one fixed rule, ours and not the signer's.

covered      everything, unless listed below
outside      `.git` (the version history), `model.sig` and `attestations/` (they cannot cover themselves), and
             `.cache/huggingface/` when it holds nothing but the hub client's own lock and metadata files
git-related  `.gitattributes`, `.gitignore`, `.github/` in the root: covered by the BOM attestation, left out of
             `model.sig` because the `model_signing` verifier drops them whatever was signed
generated    files that we write ourselves: covered, but never described by the BOM
"""

import re
from collections.abc import Iterable

BOM_NAME = "aibom.cdx.json"
XML_NAME = "aibom.cdx.xml"
SPDX_NAME = "aibom.spdx3.json"
SIGNATURE_NAME = "model.sig"
ATTESTATIONS = "attestations"
BUNDLE_SUFFIX = ".sigstore.json"
BOM_BUNDLE_NAME = f"{ATTESTATIONS}/bom{BUNDLE_SUFFIX}"

GENERATED = frozenset({BOM_NAME, XML_NAME, SPDX_NAME})
GIT_HISTORY = ".git"
RESERVED = (SIGNATURE_NAME, ATTESTATIONS, BOM_NAME, GIT_HISTORY)
GIT_RELATED = (".gitattributes", ".gitignore", ".github")
HUB_CACHE = ".cache/huggingface"
_HUB_SUFFIXES = (".metadata", ".lock")
_ATTESTATION = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_HUB_NAMES = frozenset({"CACHEDIR.TAG", ".gitignore"})


def is_outside(name: str) -> bool:
    """Whether a path lies outside every signature by the fixed rule."""
    return _under(name, GIT_HISTORY) or name == SIGNATURE_NAME or name.startswith(f"{ATTESTATIONS}/")


def attestation_name_problem(name: str) -> str:
    """Say why an attestation cannot be called `name`; empty if it can. No two names are one file on any system."""
    if not _ATTESTATION.fullmatch(name):
        return "must be 1 to 63 lower-case letters, digits, dots, dashes and underscores, a letter or digit first"
    return "is the name of the attestation that `aibom sign` makes" if name == "bom" else ""


def is_git_related(name: str) -> bool:
    """Whether `model_signing` drops this path by default."""
    return any(_under(name, path) for path in GIT_RELATED)


def is_content(name: str) -> bool:
    """Whether the BOM must account for this covered path."""
    return name not in GENERATED


def hub_leftovers(names: Iterable[str]) -> tuple[str, ...]:
    """The hub client's download records, if `.cache/huggingface/` holds nothing else; otherwise nothing."""
    inside = tuple(sorted(name for name in names if _under(name, HUB_CACHE)))
    return inside if all(_is_hub_record(name) for name in inside) else ()


def _is_hub_record(name: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    return base in _HUB_NAMES or base.endswith(_HUB_SUFFIXES)


def _under(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}/")
