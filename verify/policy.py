"""The policy: who may sign, and what the release must be complete for. Frozen; empty means refused."""

import hashlib
from dataclasses import dataclass, field

from aibom.core.errors import UsageError
from aibom.core.strictjson import Json, dump_compact
from attest.certificate_chain import Authorities, subject
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCertificate:
    """Signatures by a certificate for this identity count, if it leads to one of these authorities."""

    authorities: Authorities
    identity: str
    """Compared exactly with each e-mail address, URI and DNS name of the certificate; else with its subject."""
    timestamps: Authorities | None = None
    """Time-stamping authorities that may say when it was signed."""
    timestamps_by_trust_root: bool = False
    """If none is given: take those of the Sigstore trust root that was given."""

    def __str__(self) -> str:
        roots = " or ".join(subject(root) or "a root without a name" for root in self.authorities.roots[:3])
        return f"{self.identity}, certified by {roots}"

    def to_json(self) -> Json:
        """Render for the digest of the policy."""
        return {
            "ca": self.authorities.digests,
            "identity": self.identity,
            "timestamp_ca": self.timestamps.digests if self.timestamps else [],
            "timestamps_by_trust_root": self.timestamps_by_trust_root,
        }


Expected = ExpectedKey | ExpectedIdentity | ExpectedCertificate


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
            raise UsageError(
                "a policy must name at least one expected signer",
                hint="give --public-key, or --identity with --issuer or --ca",
            )
        for expected in self.expected:
            if isinstance(expected, ExpectedIdentity) and not (expected.identity and expected.issuer):
                raise UsageError("an expected identity needs an issuer", hint="give both --identity and --issuer")
            if isinstance(expected, ExpectedCertificate) and not (expected.identity and expected.authorities.roots):
                raise UsageError(
                    "an expected certificate needs an identity and an authority", hint="give both --ca and --identity"
                )

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
