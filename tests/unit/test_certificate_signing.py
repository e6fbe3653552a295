"""What a certificate must be before anything is signed with it. Each test first sees the whole one accepted."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from aibom.core.errors import SigningError
from attest.signing.certificate import CertificateChain, CertificateSigner, certificate_signer, load_chain
from attest.signing.key import KeyInMemory
from tests.authority import HOUR, IDENTITY, Certified, InProcessStamper, Pki, make_pki, make_root, make_signer
from tests.factory import make_key

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return make_pki()


def sign_with(
    signer: Certified, *others: Certified, now: datetime = NOW, stamper: InProcessStamper | None = None
) -> CertificateSigner:
    chain = CertificateChain(tuple(one.certificate for one in (signer, *others)))
    return certificate_signer(KeyInMemory(signer.key), chain, stamper, now=now, where="signer.pem")


def refused(signer: Certified, *others: Certified, now: datetime = NOW) -> SigningError:
    with pytest.raises(SigningError) as caught:
        sign_with(signer, *others, now=now)
    assert caught.value.where == "signer.pem"
    assert caught.value.hint
    return caught.value


def write(path: Path, *certified: Certified) -> Path:
    path.write_bytes(b"".join(one.pem for one in certified))
    return path


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "ed25519", "rsa3072"])
def test_any_accepted_key(kind: str) -> None:
    pki = make_pki(kind=kind)
    bundle = json.loads(sign_with(pki.signer, pki.issuing).sign(b"{}"))
    assert set(bundle["verificationMaterial"]) == {"x509CertificateChain", "tlogEntries"}
    assert len(bundle["verificationMaterial"]["x509CertificateChain"]["certificates"]) == 2


def test_a_key_of_another_certificate(pki: Pki) -> None:
    sign_with(pki.signer, pki.issuing)
    for key in (make_key("p256", 40), make_key("ed25519", 40), make_key("rsa3072", 0)):
        error = refused(Certified(pki.signer.certificate, key), pki.issuing)
        assert "does not belong to the certificate" in error.message


@pytest.mark.parametrize(
    ("bent", "word"),
    [({"usages": (ExtendedKeyUsageOID.SERVER_AUTH,)}, "code signing"), ({"usages": ()}, "code signing"),
     ({"is_authority": True}, "authority"), ({"digital_signature": False}, "digital signatures"),
     ({"names": (), "subject": ""}, "names nobody")],
)  # fmt: skip
def test_certificates_for_something_else(pki: Pki, bent: dict[str, object], word: str) -> None:
    sign_with(pki.issuing.issue(), pki.issuing)
    assert word in refused(pki.issuing.issue(**bent), pki.issuing).message  # type: ignore[arg-type]


def test_not_in_its_lifetime(pki: Pki) -> None:
    sign_with(pki.signer, pki.issuing, now=NOW + 23 * HOUR)
    late = refused(pki.signer, pki.issuing, now=NOW + 25 * HOUR)
    assert "has expired" in late.message
    assert "this computer's clock says" in late.message
    assert "is not valid yet" in refused(pki.signer, pki.issuing, now=NOW - 25 * HOUR).message


def test_an_issuer_that_has_expired(pki: Pki) -> None:
    old = pki.root.authority(end=NOW - HOUR)
    error = refused(old.issue(), old)
    assert "CN=Issuing CA has expired" in error.message


def test_an_issuer_whose_signatures_verifiers_refuse(pki: Pki) -> None:
    edwards = make_root().authority(kind="ed25519")
    assert "verifiers refuse" in refused(edwards.issue(), edwards).message


def test_the_chain_in_any_order_and_without_its_root(pki: Pki, tmp_path: Path) -> None:
    leaf = write(tmp_path / "leaf.pem", pki.signer)
    expected = (pki.signer.certificate, pki.issuing.certificate)
    for parts in ((pki.issuing,), (pki.issuing, pki.root), (pki.root, pki.issuing), (pki.signer, pki.issuing)):
        assert load_chain(leaf, write(tmp_path / "chain.pem", *parts)).certificates == expected
    assert load_chain(write(tmp_path / "all.pem", pki.signer, pki.issuing), None).certificates == expected
    assert load_chain(leaf, None).certificates == expected[:1]


def test_a_chain_of_somebody_else(pki: Pki, tmp_path: Path) -> None:
    leaf, chain = write(tmp_path / "leaf.pem", pki.signer), tmp_path / "chain.pem"
    other = make_root("Other CA", 20)
    for parts in ((other,), (pki.issuing, other), (pki.root,)):
        with pytest.raises(SigningError, match="does not link up") as caught:
            load_chain(leaf, write(chain, *parts))
        assert caught.value.where == str(chain)


def test_a_certificate_that_signed_itself(tmp_path: Path) -> None:
    with pytest.raises(SigningError, match="no authority vouches"):
        load_chain(write(tmp_path / "leaf.pem", make_root(IDENTITY)), None)


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
@pytest.mark.parametrize("which", ["leaf", "chain"])
def test_files_that_hold_no_certificates(pki: Pki, tmp_path: Path, content: bytes, which: str) -> None:
    leaf, chain = write(tmp_path / "leaf", pki.signer), write(tmp_path / "chain", pki.issuing)
    load_chain(leaf, chain)
    (tmp_path / which).write_bytes(content)
    with pytest.raises(SigningError, match="PEM"):
        load_chain(leaf, chain)
    (tmp_path / which).unlink()
    with pytest.raises(SigningError, match="cannot read the certificate"):
        load_chain(leaf, chain)


@pytest.mark.parametrize("hours", [-25, 25])
def test_a_timestamp_outside_the_lifetime_is_not_used(pki: Pki, hours: int) -> None:
    """One of two clocks is wrong; which, only the publisher can find out."""
    make_signer(pki, InProcessStamper.at(lambda: NOW)).sign(b"{}")
    signer = make_signer(pki, InProcessStamper.at(lambda: NOW + hours * HOUR))
    with pytest.raises(SigningError, match="time-stamping authority says") as caught:
        signer.sign(b"{}")
    assert "nothing was written" in caught.value.hint


def test_who_signs_is_said(pki: Pki) -> None:
    said = make_signer(pki, InProcessStamper.at(lambda: NOW)).describe()
    assert IDENTITY in said
    assert "CN=Issuing CA" in said
    assert "timestamped" in said
    assert "timestamped" not in make_signer(pki).describe()
    nameless: Callable[..., Pki] = make_pki
    assert "CN=Release" in make_signer(nameless(names=())).describe()
    by_host = make_signer(make_pki(names=[x509.DNSName("sign.example.com")]))
    assert "sign.example.com" in by_host.describe()


def test_a_chain_that_verifiers_refuse(pki: Pki, tmp_path: Path) -> None:
    """Each links up by its signatures; an authority that is none stands in it."""
    weak = pki.root.issue("Not an authority", 41)
    for issuer, others in ((pki.issuing, (pki.issuing,)), (weak, (weak,))):
        for root in ((), (pki.root,)):
            signer = issuer.issue()
            chain = load_chain(write(tmp_path / "s.pem", signer), write(tmp_path / "c.pem", *others, *root))
            assert (chain.root is None) == (not root)
            if issuer is pki.issuing:
                certificate_signer(KeyInMemory(signer.key), chain, None, now=NOW, where="c.pem")
                continue
            with pytest.raises(SigningError, match="verifiers refuse this chain"):
                certificate_signer(KeyInMemory(signer.key), chain, None, now=NOW, where="c.pem")


def test_who_issued_it_is_named_if_it_is_not_there(pki: Pki, tmp_path: Path) -> None:
    alone = write(tmp_path / "s.pem", pki.signer)
    assert load_chain(alone, None).unknown_issuer == "CN=Issuing CA"
    assert load_chain(alone, write(tmp_path / "c.pem", pki.issuing)).unknown_issuer == ""
