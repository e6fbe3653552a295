"""Sign recorded steps and layouts with a private key, through in-toto's own library and in the form its tools read.

in-toto names who did a step by the id of a key, so nothing but a key can sign here: no identity, no certificate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from in_toto.models.layout import Layout, Step  # type: ignore[import-untyped]
from in_toto.models.link import Link  # type: ignore[import-untyped]
from in_toto.models.metadata import Envelope  # type: ignore[import-untyped]
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from aibom.core.digest import SHA256
from aibom.core.errors import InputError, SigningError
from aibom.core.strictjson import dump_compact
from attest.chain_plan import ChainPlan
from attest.keys import PrivateKey, VerificationKey
from attest.step_layout import parse_layout
from attest.step_metadata import MAX_LAYOUT_BYTES, MAX_LINK_BYTES, link_file_name, parse_link, parse_signed


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """What happened in a step: name → sha256 of what was there before and after, and what was run."""

    name: str
    materials: Mapping[str, str]
    products: Mapping[str, str]
    command: tuple[str, ...] = ()
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""


class StepSigner:
    """Signs for one functionary."""

    def __init__(self, key: PrivateKey) -> None:
        """Take a key of an accepted kind."""
        self._signer = CryptoSigner(key)
        self._public = VerificationKey(key.public_key())

    def describe(self) -> str:
        """Kind and fingerprint of the key."""
        return f"the {self._public.kind} key with the SHA-256 fingerprint {self._public.fingerprint}"

    def link_name(self, step: str) -> str:
        """What the link of a step by this key is called."""
        return link_file_name(step, self._signer.public_key.keyid)

    def sign_link(self, step: RecordedStep) -> bytes:
        """Write the link of a step. Raises SigningError if it could not be read again."""
        byproducts: dict[str, Any] = {"stdout": step.stdout, "stderr": step.stderr}
        if step.exit_code is not None:
            byproducts["return-value"] = step.exit_code
        link = Link(
            name=step.name,
            materials=_artifacts(step.materials),
            products=_artifacts(step.products),
            byproducts=byproducts,
            command=list(step.command),
            environment={},
        )
        data = self._sign(link)
        _require_readable(data, is_layout=False)
        return data

    def sign_layout(self, plan: ChainPlan, keys: Mapping[str, VerificationKey], expires: datetime) -> bytes:
        """Write the layout of a plan; `keys` holds those that its steps name. Raises SigningError."""
        raw = {path: _key_dict(key) for path, key in keys.items()}
        steps = [
            Step(
                name=step.name,
                pubkeys=[raw[path]["keyid"] for path in step.keys],
                threshold=step.threshold,
                expected_command=list(step.command),
                expected_materials=step.material_rules(),
                expected_products=step.product_rules(),
            )
            for step in plan.steps
        ]
        layout = Layout(
            steps=steps,
            inspect=[],
            keys={key["keyid"]: key for key in raw.values()},
            expires=expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            readme=plan.description,
        )
        data = self._sign(layout)
        _require_readable(data, is_layout=True)
        return data

    def _sign(self, signable: Any) -> bytes:
        envelope = Envelope.from_signable(signable)
        envelope.create_signature(self._signer)
        return dump_compact(envelope.to_dict())


def _key_dict(key: VerificationKey) -> dict[str, Any]:
    """A public key as in-toto writes it."""
    public = SSlibKey.from_crypto(key.key)
    return {**public.to_dict(), "keyid": public.keyid}


def _artifacts(files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {SHA256: value} for name, value in files.items()}


def _require_readable(data: bytes, *, is_layout: bool) -> None:
    """What we write must be what we read: nothing is handed out that a verifier would refuse as malformed."""
    try:
        if is_layout:
            parse_layout(parse_signed(data, "layout", max_bytes=MAX_LAYOUT_BYTES), "layout")
        else:
            parse_link(parse_signed(data, "link", max_bytes=MAX_LINK_BYTES), "link")
    except InputError as error:
        raise SigningError(
            f"this cannot be recorded: {error.message}", where=error.where, hint=error.hint or "nothing was written"
        ) from error
