"""The in-toto layout: which steps there are, who may do each, and what each may take and make.

Pure and bounded, as `attest.step_metadata`. Rules are matched by in-toto with file patterns; how long they are, how
many stars they hold and how many there are is limited here, so that no pattern costs more than the files it is for.
Source: in-toto specification 1.0, sections 4.3 and 4.3.3.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519

from aibom.core.errors import InputError
from aibom.core.strictjson import Json, dump_compact
from attest.keys import VerificationKey, load_public_key
from attest.step_metadata import (
    LAYOUT,
    SignedMetadata,
    key_id_prefix,
    parse_words,
    require_fields,
    require_key_id,
    require_step_name,
)

MAX_STEPS = 100
MAX_PATTERN = 512
_MAX_STARS = 8
_MAX_KEYS = 100
_MAX_RULES = 200
_MAX_README = 100_000
_EXPIRES = "%Y-%m-%dT%H:%M:%SZ"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_RAW_KEY = re.compile(r"[0-9a-f]{64}")
_LAYOUT_FIELDS = {"_type", "steps", "inspect", "keys", "expires", "readme"}
_STEP_FIELDS = {
    "_type", "name", "expected_materials", "expected_products", "pubkeys", "expected_command", "threshold",
}  # fmt: skip
_KEY_FIELDS = {"keyid", "keytype", "scheme", "keyval"}
# Older tools also name the algorithms of the key id, which it then covers, and an empty private half.
_OLD_KEY_FIELD, _OLD_ALGORITHMS = "keyid_hash_algorithms", ["sha256", "sha512"]
_SCHEMES = {
    "ecdsa": {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"},
    "ed25519": {"ed25519"},
    "rsa": {f"{padding}-sha{bits}" for padding in ("rsassa-pss", "rsa-pkcs1v15") for bits in (256, 384, 512)},
}
_CURVE_SCHEMES = {"secp256r1": "256", "secp384r1": "384", "secp521r1": "521"}
_PLAIN_RULES = {"create", "modify", "delete", "allow", "disallow", "require"}
# Where `WITH` stands in a MATCH rule, by its length and the optional `IN`.
_MATCH_FORMS = (
    (6, ((2, "with"), (4, "from"))),
    (8, ((2, "in"), (4, "with"), (6, "from"))),
    (8, ((2, "with"), (4, "in"), (6, "from"))),
    (10, ((2, "in"), (4, "with"), (6, "in"), (8, "from"))),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Functionary:
    """Somebody who may do steps: a public key, the id that the layout gives it, and how in-toto writes it."""

    key_id: str
    key: VerificationKey
    raw: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRule:
    """One rule as it stands; for MATCH, what it is compared with."""

    words: tuple[str, ...]
    kind: str
    pattern: str
    source: str = ""
    """For MATCH: the step whose files are compared."""
    with_products: bool = False
    has_prefix: bool = False

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutStep:
    """One step: who may do it, how many of them must agree, and its rules."""

    name: str
    key_ids: tuple[str, ...]
    threshold: int
    command: tuple[str, ...]
    materials: tuple[ArtifactRule, ...]
    products: tuple[ArtifactRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutRecord:
    """What a layout says. Inspections (commands that a verifier should run) are counted and never looked at."""

    steps: tuple[LayoutStep, ...]
    functionaries: Mapping[str, Functionary]
    expires: datetime
    inspections: int


def parse_layout(signed: SignedMetadata, where: str) -> LayoutRecord:
    """Read a layout. Raises InputError naming the field at fault."""
    if signed.kind != LAYOUT:
        raise InputError(f"expected a layout, found a {signed.kind}", where=where)
    document = require_fields(signed.document, _LAYOUT_FIELDS, where)
    readme = document["readme"]
    if not isinstance(readme, str) or len(readme) > _MAX_README:
        raise InputError(f"expected text of at most {_MAX_README} characters", where=f"{where}, readme")
    functionaries = _functionaries(document["keys"], f"{where}, keys")
    steps = _list(document["steps"], MAX_STEPS, f"{where}, steps")
    parsed = tuple(_step(item, functionaries, f"{where}, steps[{index}]") for index, item in enumerate(steps))
    if not parsed or len({step.name for step in parsed}) != len(parsed):
        raise InputError("expected steps, each with a name of its own", where=f"{where}, steps")
    return LayoutRecord(
        steps=parsed,
        functionaries=functionaries,
        expires=_moment(document["expires"], f"{where}, expires"),
        inspections=len(_list(document["inspect"], MAX_STEPS, f"{where}, inspect")),
    )


def require_pattern(value: Any, where: str) -> str:
    """A file pattern (`*`, `?`, `[…]`; a star also crosses folders) of bounded cost. Raises InputError."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_PATTERN or "\0" in value:
        raise InputError(f"expected a pattern of at most {MAX_PATTERN} characters", where=where)
    if value.count("*") > _MAX_STARS:
        raise InputError(f"a pattern with more than {_MAX_STARS} stars", where=where)
    return value


def is_literal(pattern: str) -> bool:
    """Whether a pattern means one file only."""
    return not set(pattern) & set("*?[")


def _step(value: Any, functionaries: Mapping[str, Functionary], where: str) -> LayoutStep:
    fields = require_fields(value, _STEP_FIELDS, where)
    if fields["_type"] != "step":
        raise InputError("not a step", where=f"{where}, _type")
    listed = _list(fields["pubkeys"], _MAX_KEYS, f"{where}, pubkeys")
    key_ids = tuple(require_key_id(item, f"{where}, pubkeys") for item in listed)
    if len(set(key_ids)) != len(key_ids) or not set(key_ids) <= functionaries.keys():
        raise InputError("names a key twice, or one that the layout does not hold", where=f"{where}, pubkeys")
    threshold = fields["threshold"]
    if not isinstance(threshold, int) or isinstance(threshold, bool) or not 1 <= threshold <= len(key_ids):
        raise InputError(
            f"a threshold of {str(threshold)[:20]} with {len(key_ids)} keys; expected at least 1 and at most all keys",
            where=f"{where}, threshold",
        )
    return LayoutStep(
        name=require_step_name(fields["name"], f"{where}, name"),
        key_ids=key_ids,
        threshold=threshold,
        command=parse_words(fields["expected_command"], f"{where}, expected_command"),
        materials=_rules(fields["expected_materials"], f"{where}, expected_materials"),
        products=_rules(fields["expected_products"], f"{where}, expected_products"),
    )


def _functionaries(value: Any, where: str) -> dict[str, Functionary]:
    if not isinstance(value, dict) or not 0 < len(value) <= _MAX_KEYS:
        raise InputError(f"expected 1 to {_MAX_KEYS} keys", where=where)
    found = {name: _functionary(name, item, f"{where}.{name[:64]}") for name, item in value.items()}
    if len({item.key.fingerprint for item in found.values()}) != len(found):
        # in-toto would count one person as two towards a threshold
        raise InputError("one key stands there under two ids", where=where)
    if len({key_id_prefix(name) for name in found}) != len(found):
        raise InputError("two key ids begin alike, so that one link would stand for both", where=where)
    return found


def _functionary(name: str, value: Any, where: str) -> Functionary:
    item = dict(value) if isinstance(value, dict) else value
    if isinstance(item, dict):
        item.pop(_OLD_KEY_FIELD, None)
    fields = require_fields(item, _KEY_FIELDS, where)
    key_id, keytype, scheme = require_key_id(name, where), fields["keytype"], fields["scheme"]
    if fields["keyid"] != key_id:
        raise InputError("the key gives itself another id", where=f"{where}.keyid")
    if not isinstance(keytype, str) or not isinstance(scheme, str) or scheme not in _SCHEMES.get(keytype, ()):
        raise InputError(f"keys of the kind {str(keytype)[:40]!r}, {str(scheme)[:40]!r} are not accepted", where=where)
    keyval = fields["keyval"]
    public = keyval.get("public") if isinstance(keyval, dict) else None
    if not isinstance(public, str) or {**keyval, "private": ""} != {"public": public, "private": ""}:
        raise InputError("expected a public key and nothing else", where=f"{where}.keyval")
    key = _public_key(keytype, scheme, public, f"{where}.keyval.public")
    if key_id not in _key_ids(keytype, scheme, public):
        raise InputError("the key has another id than it is given", where=f"{where}.keyid")
    raw = {"keyid": key_id, "keytype": keytype, "scheme": scheme, "keyval": {"public": public}}
    return Functionary(key_id=key_id, key=key, raw=raw)


def _public_key(keytype: str, scheme: str, public: str, where: str) -> VerificationKey:
    if keytype == "ed25519":
        try:
            raw = bytes.fromhex(public) if _RAW_KEY.fullmatch(public) else b""
            return VerificationKey(ed25519.Ed25519PublicKey.from_public_bytes(raw))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InputError("not an Ed25519 key of 64 hexadecimal digits", where=where) from error
    key = load_public_key(public.encode("utf-8", "replace"), where)
    curve = getattr(getattr(key.key, "curve", None), "name", "")
    fits = scheme.endswith(_CURVE_SCHEMES[curve]) if curve else key.kind.startswith("RSA")
    if not fits or (keytype == "ecdsa") != bool(curve):
        raise InputError(f"a key of the kind {key.kind} cannot sign as {scheme}", where=where)
    return key


def _key_ids(keytype: str, scheme: str, public: str) -> set[str]:
    """The ids that a key can have: the SHA-256 of it in canonical JSON, which leaves line ends as they are."""
    key = {"keytype": keytype, "scheme": scheme, "keyval": {"public": public}}
    forms = (key, {**key, _OLD_KEY_FIELD: _OLD_ALGORITHMS})
    return {hashlib.sha256(dump_compact(form).replace(b"\\n", b"\n")).hexdigest() for form in forms}


def _rules(value: Any, where: str) -> tuple[ArtifactRule, ...]:
    listed = _list(value, _MAX_RULES, where)
    return tuple(_rule(item, f"{where}[{index}]") for index, item in enumerate(listed))


def _rule(value: Any, where: str) -> ArtifactRule:
    words = parse_words(value, where)
    if any(len(word) > MAX_PATTERN or "\0" in word for word in words) or len(words) < 2:
        raise InputError("not a rule: expected a kind and a pattern", where=where)
    kind, pattern = words[0].lower(), require_pattern(words[1], where)
    if kind in _PLAIN_RULES and len(words) == 2:
        return ArtifactRule(words=words, kind=kind, pattern=pattern)
    lower = [word.lower() for word in words]
    for length, places in _MATCH_FORMS:
        if kind == "match" and len(words) == length and all(lower[at] == word for at, word in places):
            compared = lower[{word: at for at, word in places}["with"] + 1]
            if compared in {"materials", "products"}:
                return ArtifactRule(
                    words=words,
                    kind=kind,
                    pattern=pattern,
                    source=words[-1],
                    with_products=compared == "products",
                    has_prefix=length > _MATCH_FORMS[0][0],
                )
    raise InputError(f"not a rule that in-toto knows: {' '.join(words)[:200]!r}", where=where)


def _moment(value: Any, where: str) -> datetime:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return datetime.strptime(value, _EXPIRES).replace(tzinfo=UTC)
        except ValueError:
            pass  # a day that does not exist
    raise InputError(f"{str(value)[:40]!r} is not a date such as 2027-01-31T00:00:00Z", where=where)


def _list(value: Any, limit: int, where: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > limit:
        raise InputError(f"expected a list of at most {limit}", where=where)
    return value
