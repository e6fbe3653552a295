"""What was not asked of the authorities that vouch for signers: whether they have taken a certificate back."""

from collections.abc import Iterable

from verify.signature import Signer


def unchecked_certificates(signers: Iterable[Signer]) -> list[str]:
    """Say it for each signer by a certificate. Sigstore's live for minutes and are never revoked."""
    said = []
    for signer in dict.fromkeys(signers):
        if signer.kind == "certificate":
            said.append(f"whether {signer.issuer} has revoked the certificate of {signer.identity}")
            if not signer.time:
                said.append(f"when {signer.identity} signed: no timestamp was checked")
    return list(dict.fromkeys(said))
