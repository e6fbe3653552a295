"""What was not asked of the authorities that vouch for signers: whether they have taken a certificate back."""

from collections.abc import Iterable

from verify.signature import Signer


def unchecked_certificates(signed: Iterable[tuple[str, Signer]]) -> list[str]:
    """Say it for each (path, signer) by a certificate. Sigstore's live for minutes and are never revoked."""
    certified = [(path, signer) for path, signer in signed if signer.kind == "certificate"]
    revoked = [f"whether {s.issuer} has revoked the certificate of {s.identity}" for _, s in certified]
    undated = [f"when {s.identity} signed {path}: no timestamp was checked" for path, s in certified if not s.time]
    return [*dict.fromkeys(revoked), *undated]
