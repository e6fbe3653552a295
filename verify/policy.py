"""The policy: who may sign, and what the release must be complete for. Frozen; empty means refused."""

import hashlib
from dataclasses import dataclass, field

from aibom.core.errors import UsageError
from aibom.core.strictjson import Json, dump_compact
from attest.keys import VerificationKey


@dataclass(frozen=True, slots=True)
class ExpectedKey:
    """Signatures by this key count."""

    key: VerificationKey

    def __str__(self) -> str:
        return f"the {self.key.kind} key {self.key.fingerprint}"

    def to_json(self) -> Json:
        """Render for the digest of the policy."""
        return {"key": self.key.fingerprint}


@dataclass(frozen=True, slots=True)
class ExpectedIdentity:
    """Signatures by this identity count, if this issuer vouched for it. Both are compared exactly."""

    identity: str
    issuer: str

    def __str__(self) -> str:
        return f"{self.identity}, vouched for by {self.issuer}"

    def to_json(self) -> Json:
        """Render for the digest of the policy."""
        return {"identity": self.identity, "issuer": self.issuer}


Expected = ExpectedKey | ExpectedIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the consumer intends; conditions and waivers of profiles are decided by it."""

    outcome: str = ""
    distribution: str = "local"
    role: str = "acquirer"
    model: str = ""
    """The kind of model, if the consumer says it: it then counts instead of what the BOM says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who may sign, which profiles must be evidenced, in which context."""

    expected: tuple[Expected, ...]
    profiles: tuple[str, ...] = ()
    context: Context = field(default_factory=Context)
    source: str = "command line"
    layout_keys: tuple[VerificationKey, ...] = ()
    """All who must stand behind the layout; if there is one, a release without recorded steps is incomplete."""

    def __post_init__(self) -> None:
        """Refuse a policy that would accept anybody."""
        if not self.expected:
            raise UsageError("a policy must name at least one expected signer", hint="give --public-key or --identity")
        for expected in self.expected:
            if isinstance(expected, ExpectedIdentity) and not (expected.identity and expected.issuer):
                raise UsageError("an expected identity needs an issuer", hint="give both --identity and --issuer")

    def to_json(self) -> Json:
        """Render everything that decides."""
        owners = {"layout_keys": [key.fingerprint for key in self.layout_keys]} if self.layout_keys else {}
        return {
            **owners,
            "expected": [expected.to_json() for expected in self.expected],
            "profiles": list(self.profiles),
            "context": {
                "outcome": self.context.outcome,
                "distribution": self.context.distribution,
                "role": self.context.role,
                "model": self.context.model,
            },
        }

    @property
    def sha256(self) -> str:
        """Digest of the policy, for the record."""
        return hashlib.sha256(dump_compact(self.to_json())).hexdigest()
