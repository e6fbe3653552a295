"""A signed release in Markdown, for the page of a CI job: what was signed, by whom, and how a buyer verifies it.

Values come from hostile files. Every one is one line, bounded, and has each character that Markdown or HTML could take
for markup written as a character reference, which by CommonMark never is structure.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aibom.cli.render.layout import safe
from aibom.core.layout import BOM_NAME, is_content
from aibom.core.manifest import Manifest
from aibom.cyclonedx import properties
from aibom.cyclonedx.view import Bom, ComponentView, parse_bom
from attest.bundle import Bundle, parse_bundle
from verify.certificate import read_identity

_LONGEST = 300
_SHOWN, _WARNINGS = 5, 20
_MARKUP = re.compile(r"[!-+.:-@\[-`{-~\\]")
"""All ASCII punctuation but the comma, hyphen and slash, which begin nothing within a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRelease:
    """What `aibom sign` has just made, and with which options."""

    release: Path
    manifest: Manifest
    bom: bytes
    signature: bytes
    aside: Path | None = None
    trust_config: Path | None = None


def signed_summary(signed: SignedRelease) -> str:
    """A section of Markdown that ends in a blank line. Raises InputError for a BOM or signature that is none."""
    bom, bundle = parse_bom(signed.bom, BOM_NAME), parse_bundle(signed.signature, "model.sig")
    rows = [*_signing_rows(signed, bundle), *_bom_rows(bom)]
    lines = [
        f"## Signed: {markdown(signed.release.resolve().name)}",
        "",
        "| | |",
        "|---|---|",
        *(f"| {label} | {markdown(value)} |" for label, value in rows),
        "",
        *_warnings(bom),
        "A buyer verifies it, with an identity or key that they have from the publisher by another way than this page:",
        "",
        f"    {_command(signed, bundle)}",
        "",
    ]
    return "\n".join([*lines, ""])


def markdown(value: str) -> str:
    """Text from anywhere as text, on one line, wherever in a line of Markdown it stands."""
    line = safe(value)
    shown = line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
    return _MARKUP.sub(lambda found: f"&#{ord(found.group())};", shown)


def _signing_rows(signed: SignedRelease, bundle: Bundle) -> list[tuple[str, str]]:
    content = Manifest(tuple(entry for entry in signed.manifest.entries if is_content(entry.name)))
    return [
        ("Signed by", _signer(bundle)),
        ("Files", f"{len(signed.manifest.entries):,}, {signed.manifest.size:,} bytes"),
        ("Tree digest", f"sha256:{content.tree_digest}"),
    ]


def _signer(bundle: Bundle) -> str:
    if not bundle.has_certificate:
        return f"the key with the SHA-256 fingerprint {bundle.key_hint}"
    names = read_identity(bundle.certificate)
    return str(names) if names.issuer else f"{names.identity or 'a certificate without a name'}, by its certificate"


def _bom_rows(bom: Bom) -> Iterator[tuple[str, str]]:
    model = bom.model
    if model:
        yield "Model", _named(model)
        yield "Licence", ", ".join(model.licences) or "not stated"
        ancestors = model.at("pedigree", "ancestors")
        found = [ComponentView(item, "") for item in ancestors or [] if isinstance(item, dict)]
        yield "Made from", _first_of([_named(item) for item in found]) or "not stated"
    else:
        yield "Model", "none found"
    data = [component.name for component in bom.components if component.type == "data"]
    yield "Data sets", _first_of(data) or "none named"


def _named(component: ComponentView) -> str:
    version = component.raw.get("version")
    return f"{component.name} {version}" if isinstance(version, str) and version else component.name


def _first_of(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _warnings(bom: Bom) -> list[str]:
    root = bom.root
    found = [*root.properties(properties.CONFLICT), *root.properties(properties.PROBLEM)] if root else []
    if not found:
        return []
    more = [f"- and {len(found) - _WARNINGS} more, in the BOM"] if len(found) > _WARNINGS else []
    items = [f"- {markdown(text)}" for text in found[:_WARNINGS]]
    return ["To look at before this is published:", "", *items, *more, ""]


def _command(signed: SignedRelease, bundle: Bundle) -> str:
    """One line that a shell takes as it stands; a code block shows it as it is."""
    words = ["aibom", "verify", f"./{signed.release.resolve().name}"]
    if signed.aside:
        words += ["--attached", f"./{signed.aside.resolve().name}"]
    if not bundle.has_certificate:
        words += ["--public-key", "PUBLISHER.pub"]
    else:
        names = read_identity(bundle.certificate)
        words += ["--identity", names.identity]
        words += ["--issuer", names.issuer] if names.issuer else ["--ca", "AUTHORITY.pem"]
        words += ["--trust-config", signed.trust_config.name] if signed.trust_config and names.issuer else []
    return " ".join(shlex.quote(safe(word)) for word in words)
