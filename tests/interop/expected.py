"""What each cell of the tables must be. A cell that no departure covers must be accepted."""

from dataclasses import dataclass

from tests.interop.results import NOT_APPLICABLE, REFUSED
from tests.lab import BOM_ATTESTATION

_ANY = ""


@dataclass(frozen=True, kw_only=True)
class Departure:
    """By design of a tool: which cells, the words that it must say, and why."""

    judge: str
    signed_by: str = _ANY
    how: tuple[str, ...] = (_ANY,)
    """How the name of the way to sign begins."""
    document: str = _ANY
    outcome: str = REFUSED
    says: str
    why: str

    def covers(self, signed_by: str, document: str, how: str, judge: str) -> bool:
        is_named = signed_by.startswith(self.signed_by) and document.startswith(self.document)
        return judge == self.judge and is_named and how.startswith(self.how)


DEPARTURES = (
    Departure(
        judge="model_signing",
        how=("key Ed25519", "key RSA"),
        says="has no attribute 'curve'",
        why="it takes ECDSA keys only",
    ),
    Departure(
        judge="model_signing",
        document=BOM_ATTESTATION,
        says="Predicate type mismatch",
        why="it reads no statement but the model signature",
    ),
    Departure(
        judge="sigstore-python",
        how=("key ", "PKCS#11"),
        says="expected certificate in bundle",
        why="it takes identities only, and no option names a key",
    ),
    Departure(
        judge="sigstore-js",
        how=("key EC P-384", "key EC P-521"),
        says="SIGNATURE_ERROR",
        why="it checks every ECDSA signature by a key with SHA-256; model signing has SHA-384 and SHA-512 there",
    ),
    Departure(
        judge="sigstore-python",
        how=("certificate",),
        says="expected certificate in bundle",
        why="it takes the certificates of a Sigstore instance only, not the chain of another authority",
    ),
    Departure(
        judge="sigstore-js",
        how=("certificate",),
        says="invalid bundle verificationMaterial.content",
        why="it takes no chain of certificates in a bundle of version 0.3, where model signing has one",
    ),
    Departure(
        judge="aibom",
        document="file signature",
        says="dsseEnvelope",
        why="a signature over a single file covers no release",
    ),
    Departure(
        signed_by="sigstore-js",
        how=("keyless v2",),
        judge="aibom",
        outcome=NOT_APPLICABLE,
        says="error creating tlog entry",
        why="it asks for a kind of entry for statements that Rekor v2 has dropped",
    ),
)


def expected_departure(signed_by: str, document: str, how: str, judge: str) -> Departure | None:
    """The first that covers the cell."""
    return next((found for found in DEPARTURES if found.covers(signed_by, document, how, judge)), None)
