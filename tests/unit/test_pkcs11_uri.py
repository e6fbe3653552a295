"""Which key in which token: what a URI may say, and what it may not."""

import sys
from pathlib import Path

import pytest

from aibom.core.errors import SigningError, UsageError
from attest.signing.pkcs11 import key_in_device
from attest.signing.pkcs11_uri import DeviceUri, parse_pkcs11_uri


def test_everything_that_a_uri_may_say() -> None:
    text = (
        "pkcs11:token=My%20Token;manufacturer=SoftHSM%20project;serial=12ab;model=SoftHSM%20v2;slot-id=7;"
        "object=signing%3bkey;id=%01%ff;type=private?module-path=/lib/a.so&pin-source=file:/run/pin"
    )
    assert parse_pkcs11_uri(text) == DeviceUri(
        token="My Token",
        manufacturer="SoftHSM project",
        serial="12ab",
        model="SoftHSM v2",
        slot=7,
        object="signing;key",
        id=b"\x01\xff",
        module_path="/lib/a.so",
        pin_file="/run/pin",
    )


def test_what_is_not_said_is_left_open() -> None:
    assert parse_pkcs11_uri("pkcs11:") == DeviceUri()
    assert parse_pkcs11_uri("pkcs11:object=a") == DeviceUri(object="a")


@pytest.mark.parametrize(
    ("source", "path"),
    [("file:/run/pin", "/run/pin"), ("file:///run/pin", "/run/pin"), ("file:pin%20here", "pin here")],
)
def test_where_the_pin_lies(source: str, path: str) -> None:
    assert parse_pkcs11_uri(f"pkcs11:?pin-source={source}").pin_file == path


@pytest.mark.parametrize(
    "text",
    ["", "token=a", "PKCS11:token=a", "https://a", "pkcs11:token", "pkcs11:=a", "pkcs11:token=a;token=b",
     "pkcs11:token=a;", "pkcs11:colour=red", "pkcs11:x-vendor=1", "pkcs11:token=%zz", "pkcs11:token=%4",
     "pkcs11:token=%ff", "pkcs11:token=%00", "pkcs11:slot-id=one", "pkcs11:slot-id=-1", "pkcs11:slot-id=%d9%a1",
     "pkcs11:type=public", "pkcs11:type=cert", "pkcs11:?module-name=a", "pkcs11:?pin-source=https://a/pin",
     "pkcs11:?pin-source=|cat%20pin", "pkcs11:?pin-source=/run/pin", "pkcs11:?module-path=%00",
     f"pkcs11:token={'a' * 5000}"],
)  # fmt: skip
def test_uris_that_are_none(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_pkcs11_uri(text)
    assert caught.value.where.startswith("--pkcs11-uri")


def test_a_pin_in_the_uri_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        parse_pkcs11_uri("pkcs11:token=a?pin-value=9876")
    said = f"{caught.value.message}{caught.value.where}{caught.value.hint}"
    assert "9876" not in said
    assert "AIBOM_PKCS11_PIN" in said
    assert "change the PIN" in said


def never_asked() -> str:
    raise AssertionError("the PIN was asked for before there was a token")


@pytest.mark.parametrize("content", [None, b"not a library"])
def test_a_module_that_cannot_be_loaded(tmp_path: Path, content: bytes | None) -> None:
    pytest.importorskip("pkcs11")
    module = tmp_path / "module.so"
    if content is not None:
        module.write_bytes(content)
    for uri, given in ((DeviceUri(module_path=str(module)), ""), (DeviceUri(), str(module))):
        with pytest.raises(SigningError, match="module cannot be used") as caught:
            key_in_device(uri, module=given, pin=never_asked)
        assert caught.value.where == str(module)


def test_no_module_at_all() -> None:
    pytest.importorskip("pkcs11")
    with pytest.raises(SigningError, match="which PKCS #11 module") as caught:
        key_in_device(DeviceUri(), module="", pin=never_asked)
    assert "AIBOM_PKCS11_MODULE" in caught.value.hint


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(SigningError) as caught:
        key_in_device(DeviceUri(), module="/lib/a.so", pin=never_asked)
    assert "aibom[pkcs11]" in caught.value.hint
