"""References, manifests and names: pure parts, exact and strict."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.core.errors import InputError, SourceError, UsageError
from aibom.core.layout import BOM_BUNDLE_NAME, BOM_NAME, SIGNATURE_NAME
from aibom.registry.attachments import BOM_TYPE, BUNDLE_TYPE, CHAIN_TYPE, bundle_attachment, is_attachable
from aibom.registry.authorization import Credentials, is_loopback, require_confidential
from aibom.registry.manifests import (
    MANIFEST,
    Descriptor,
    attachment_manifest,
    describe,
    digest_of,
    parse_descriptor,
    parse_index,
    parse_manifest,
)
from aibom.registry.reference import parse_reference
from attest.bundle import key_bundle_bytes

SUBJECT = Descriptor(media_type=MANIFEST, digest=f"sha256:{'1' * 64}", size=10)


@pytest.mark.parametrize(
    ("text", "registry", "repository", "target"),
    [
        ("registry.example/teller:1.0", "registry.example", "teller", "1.0"),
        ("registry.example/teller", "registry.example", "teller", "latest"),
        ("localhost:5000/a-b__c.d/e", "localhost:5000", "a-b__c.d/e", "latest"),
        ("[::1]:5000/a:T_1.x-y", "[::1]:5000", "a", "T_1.x-y"),
        (f"r.example/a@sha256:{'0' * 64}", "r.example", "a", f"sha256:{'0' * 64}"),
        (f"r.example/a:1@sha256:{'0' * 64}", "r.example", "a", f"sha256:{'0' * 64}"),
    ],
)
def test_references(text: str, registry: str, repository: str, target: str) -> None:
    found = parse_reference(text)
    assert (found.registry, found.repository, found.target) == (registry, repository, target)
    assert parse_reference(str(found)).target == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "teller",
        "example/teller:1.0",  # no registry: it would mean somebody's default
        "https://r.example/a",
        "user:secret@r.example/a",
        "r.example/../v2/a",
        "r.example/A",
        "r.example/a//b",
        "r.example/a/",
        "r.example/a?x=1",
        "r.example/a#x",
        "r.example/a:",
        "r.example/a:1/2",
        "r.example/a:-1",
        "r.example/a@sha512:" + "0" * 128,
        "r.example/a@sha256:" + "A" * 64,
        "r.example/a\n",
        "r.example/" + "a" * 600,
    ],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_reference(text)
    assert "registry/repository:tag" in refused.value.hint


def test_a_bundle_has_the_form_of_cosigns_specification(signed: Path) -> None:
    data = (signed / BOM_BUNDLE_NAME).read_bytes()
    attachment = bundle_attachment(BOM_BUNDLE_NAME, data, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    manifest, entry = attachment_manifest(attachment, SUBJECT)
    digest = digest_of(data)
    annotations = {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": "https://cyclonedx.org/bom",
        "org.opencontainers.image.created": "2026-01-02T03:04:05Z",
        "org.aibom.path": BOM_BUNDLE_NAME,
    }
    assert json.loads(manifest) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "size": 2,
        },
        "layers": [
            {
                "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
                "digest": digest,
                "size": len(data),
                "annotations": {"org.opencontainers.image.title": f"{digest.replace(':', '-')}.sigstore.json"},
            }
        ],
        "subject": {"mediaType": MANIFEST, "digest": SUBJECT.digest, "size": 10},
        "annotations": annotations,
    }
    assert (entry.digest, entry.size) == (digest_of(manifest), len(manifest))
    assert (entry.artifact_type, entry.annotations) == (BUNDLE_TYPE, annotations)
    assert parse_manifest(manifest, "x").annotations == annotations


def test_a_statement_about_something_else_than_files_may_be_attached_too() -> None:
    statement = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://example.com/review/v1",
                 "subject": [{"digest": {"gitCommit": "0" * 40}}], "predicate": {}}  # fmt: skip
    bundle = key_bundle_bytes(json.dumps(statement).encode(), b"signature", "")
    attachment = bundle_attachment("attestations/review.sigstore.json", bundle, None)
    assert attachment.annotations["dev.sigstore.bundle.predicateType"] == "https://example.com/review/v1"


def test_the_time_is_the_logs_else_the_given_else_none(signed: Path) -> None:
    data = (signed / BOM_BUNDLE_NAME).read_bytes()
    created = "org.opencontainers.image.created"
    assert created not in bundle_attachment(BOM_BUNDLE_NAME, data, None).annotations
    document = json.loads(data)
    document["verificationMaterial"]["tlogEntries"] = [{"integratedTime": "1767225600"}]
    logged = bundle_attachment(BOM_BUNDLE_NAME, json.dumps(document).encode(), datetime(2030, 1, 1, tzinfo=UTC))
    assert logged.annotations[created] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("path", "media_type", "taken"),
    [
        (BOM_NAME, BOM_TYPE, True),
        (SIGNATURE_NAME, BUNDLE_TYPE, True),
        ("attestations/review-2.b_c.sigstore.json", BUNDLE_TYPE, True),
        (BOM_NAME, BUNDLE_TYPE, False),
        (SIGNATURE_NAME, BOM_TYPE, False),
        ("model.safetensors", BOM_TYPE, False),
        ("attestations/../model.sigstore.json", BUNDLE_TYPE, False),
        ("attestations/a/b.sigstore.json", BUNDLE_TYPE, False),
        ("attestations/.sigstore.json", BUNDLE_TYPE, False),
        ("attestations/..sigstore.json", BUNDLE_TYPE, False),
        ("attestations/.x.sigstore.json", BUNDLE_TYPE, False),
        ("attestations/x.sigstore.json\n", BUNDLE_TYPE, False),
        ("attestations/x\u202e.sigstore.json", BUNDLE_TYPE, False),
        ("/attestations/x.sigstore.json", BUNDLE_TYPE, False),
        ("../model.sig", BUNDLE_TYPE, False),
        ("attestations/" + "x" * 120 + ".sigstore.json", BUNDLE_TYPE, False),
        ("attestations/root.layout", CHAIN_TYPE, True),
        ("attestations/train-2.b_c.0123abcd.link", CHAIN_TYPE, True),
        ("attestations/root.layout", BUNDLE_TYPE, False),
        ("attestations/other.layout", CHAIN_TYPE, False),
        ("attestations/train.link", CHAIN_TYPE, False),
        ("attestations/train.0123ABCD.link", CHAIN_TYPE, False),
        ("attestations/.train.0123abcd.link", CHAIN_TYPE, False),
        ("attestations/a/train.0123abcd.link", CHAIN_TYPE, False),
        ("attestations/../train.0123abcd.link", CHAIN_TYPE, False),
        ("attestations/train.0123abcd.link\n", CHAIN_TYPE, False),
        ("attestations/x.sigstore.json", CHAIN_TYPE, False),
    ],
)
def test_only_names_that_we_write_are_taken(path: str, media_type: str, taken: bool) -> None:
    assert is_attachable(path, media_type) is taken


KEYS = ["schemaVersion", "mediaType", "config", "layers", "manifests", "digest", "size", "subject"]
DOCUMENTS = st.recursive(
    st.none() | st.just(2) | st.text(max_size=5) | st.just(SUBJECT.digest),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=20,
).map(lambda value: json.dumps(value).encode())


@given(st.binary(max_size=200) | DOCUMENTS)
@settings(max_examples=60)
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    for parse in (parse_manifest, parse_index):
        with suppress(InputError):
            parse(data, "x")


@pytest.mark.parametrize(
    "bent",
    [
        {"digest": "sha256:" + "0" * 63},
        {"digest": "sha512:" + "0" * 128},
        {"digest": "../" + "0" * 64},
        {"size": -1},
        {"size": True},
        {"size": "10"},
        {"size": 2**60},
        {"mediaType": 7},
        {"annotations": {"a": 1}},
    ],
)
def test_descriptors_are_strict(bent: dict[str, object]) -> None:
    whole = describe(b"x", "text/plain", annotations={"a": "b"}).as_json()
    assert parse_descriptor(whole, "x").digest == digest_of(b"x")
    with pytest.raises(InputError):
        parse_descriptor({**whole, **bent}, "x")


def test_a_list_may_hold_entries_by_another_algorithm() -> None:
    ours = SUBJECT.as_json()
    index = {"schemaVersion": 2, "manifests": [{**ours, "digest": "sha512:" + "0" * 128}, ours]}
    document, entries = parse_index(json.dumps(index).encode(), "x")
    assert [entry.digest for entry in entries] == [SUBJECT.digest]
    assert len(document["manifests"]) == 2


def test_a_password_is_not_shown_nor_sent_in_the_clear() -> None:
    assert "s3cret" not in repr(Credentials("me", "s3cret"))
    for address in ("https://r.example/x", "http://localhost:1/x", "http://127.0.0.1/x", "http://[::1]:5/x"):
        require_confidential(address, "a password")
    for address in ("http://r.example", "http://10.0.0.1", "http://localhost.example", "http://127.0.0.1.example"):
        assert not is_loopback(urlsplit(address))
        with pytest.raises(SourceError, match="plain HTTP"):
            require_confidential(address, "a password")
