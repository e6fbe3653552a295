"""An honest private Sigstore instance on the loopback interface, for tests of keyless signing.

Everything a client meets is real: an OpenID Connect issuer, Fulcio with its certificate transparency log, both
generations of Rekor, and a timestamp authority, each with keys of its own and each refusing what the public
services refuse. A lenient stand-in would hide a signer's mistakes: one that signs its request and its artifact
with two different keys gets past any log that does not check signatures.

    with SigstoreInstance() as sigstore:
        config = ClientTrustConfig.from_json(json.dumps(sigstore.trust_config(rekor=2, timestamps=True)))
        token = IdentityToken(sigstore.identity_token("release@modelco.example"))
        with SigningContext.from_trust_config(config).signer(token) as signer:
            bundle = signer.sign_artifact(b"weights")

Bundles verify against ``trusted_root()`` for as long as one likes, also once the instance has stopped.

Left out: the log interface of certificate transparency, witnesses, and delivery of the trusted
root by TUF.
"""

from tests.sigstore_instance.instance import SigstoreInstance

__all__ = ["SigstoreInstance"]
