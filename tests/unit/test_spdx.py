"""The SPDX document as a consumer reads it: elements by type, relationships followed, every identifier resolved."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spdx_python_model import v3_0_1 as spdx

from aibom.build.account import (
    Account,
    Ancestor,
    Card,
    Code,
    Container,
    Dataset,
    Energy,
    Identity,
    Library,
    Licence,
    Link,
    Model,
    ModelKind,
    Relation,
    Result,
    Service,
    Setting,
    Source,
    Sourced,
    Statement,
    Training,
    Weights,
)
from aibom.build.collect import CollectedFile
from aibom.build.spdx.document import spdx_document
from aibom.build.spdx.files import content_type, file_values, purpose
from aibom.build.spdx.licences import licence_reference
from aibom.core.errors import InputError
from aibom.core.manifest import FileEntry, tree_digest
from aibom.formats.detect import Classification
from aibom.formats.requirements import Dependency

DATE = datetime(2026, 1, 1, tzinfo=UTC)
TREE = "0123456789abcdef" * 4
CARD = Source("README.md", "front matter")
NO_LICENCE = "expandedlicensing_NoAssertionLicense"
Json = dict[str, Any]


def said(value: str, place: str = "front matter") -> Sourced:
    return Sourced(value, Source("README.md", place))


def make_file(
    name: str, category: str = "", shown: str = "text", *, size: int = 5, problems: tuple[str, ...] = (), **digests: str
) -> CollectedFile:
    found = digests or {"sha256": f"{len(name):02x}" * 32}
    return CollectedFile(
        entry=FileEntry(name=name, size=size, digests=found),
        classification=Classification(category=category, format=shown),
        problems=problems,
    )


def make_model(**changes: Any) -> Model:
    """The main model, with one of everything."""
    model = Model(
        ref="model",
        kind=ModelKind.MAIN,
        identity=Identity(
            name=said("mood"),
            version=said("2.1.0"),
            producer=said("Acme"),
            hub=said("acme/mood"),
            commit=said("c0ffee"),
            licences=(Licence(name="Apache-2.0", is_spdx=True, sources=(Source("README.md", "license"),)),),
        ),
        files=(make_file("model.safetensors", "model/weights", "safetensors"), make_file("config.json")),
        weights=Weights(files=("model.safetensors",), tensors=2, parameters=66, element_types=("F32",)),
        approach=said("supervised"),
        task=said("text-classification"),
        family=said("distilbert"),
        architecture=said("DistilBert"),
        library=said("transformers"),
        inputs=(said("text"),),
        outputs=(said("labels"),),
        ancestors=(
            Ancestor(name="base/bert", source=CARD, relation=Relation.FINETUNE, revision=said("abc")),
            Ancestor(name="other-base", source=CARD),
        ),
        datasets=("data:reviews", "data-named:stanford/imdb", "data-named:nowhere"),
        metrics=(
            Result(type="accuracy", value="0.93", slice="IMDB test", sources=(CARD,)),
            Result(type="acc", value="0.91", lower="0.89", upper="0.92", sources=(CARD,)),
        ),
        energy=(
            Energy(activity="fine-tuning", kwh=Decimal("0.0000031"), co2_kg=Decimal("1.24"), country="NL"),
            Energy(activity="training", kwh=Decimal(7), hardware="A100"),
            Energy(activity="validation", kwh=Decimal("0.5")),
        ),
        card=Card(
            users=(said("analysts"),),
            use_cases=(said("reviews"),),
            limitations=(said("sarcasm"),),
            ethics=(said("sarcasm"), said("dialects")),
            languages=("en", "nl"),
        ),
        settings=(Setting(name="hidden_size", value="128", sources=(Source("config.json", "hidden_size"),)),),
        chat_templates=(Setting(name="default", value="ab" * 32, sources=(CARD,)),),
        remote_code=(said("modeling.Mood"),),
        parts=(Model(ref="model:part", kind=ModelKind.PART, identity=Identity(name=said("part")), files=()),),
    )
    return replace(model, **changes)


def make_conversion(**changes: Any) -> Model:
    model = Model(
        ref="model:onnx/model.onnx",
        kind=ModelKind.CONVERSION,
        identity=Identity(name=said("mood (onnx)")),
        files=(make_file("onnx/model.onnx", "model/weights", "onnx"),),
        ancestors=(Ancestor(name="mood", source=CARD, relation=Relation.CONVERSION, within="model"),),
    )
    return replace(model, **changes)


def make_dataset(**changes: Any) -> Dataset:
    dataset = Dataset(
        name="acme/reviews",
        ref="data:reviews",
        folder="reviews",
        files=(make_file("reviews/train.csv", "data/training", size=7), make_file("reviews/README.md", size=3)),
        declared_in=(CARD,),
        version=said("1.2.0"),
        producer=said("Acme"),
        licences=(Licence(name="Acme Data Terms", is_spdx=False, url="https://a.example/t", sources=(CARD,)),),
        url=said("https://a.example/reviews"),
        classification=said("TLP:AMBER"),
        sensitive=(said("yes"),),
        owners=(said("Acme"),),
        settings=tuple(
            Setting(name=name, value=value, sources=(CARD,))
            for name, value in (
                ("biases", "70% electronics"),
                ("dataCollection", "web shop export"),
                ("intended uses", "research"),
                ("maintenance", "yearly"),
                ("availability", "direct download"),
                ("rows of reviews/bias.csv", "400"),
            )
        ),
    )
    return replace(dataset, **changes)


def make_code(**changes: Any) -> Code:
    code = Code(
        identity=Identity(name=said("mood-code")),
        files=(make_file("train.py", "code/training"), make_file("requirements.txt", "code/libraries")),
        libraries=(
            Library(dependency=Dependency(name="torch", version="2.6.0", range=""), declared_in=("requirements.txt",)),
            Library(
                dependency=Dependency(name="numpy", version="", range=">=1.26"),
                requires=("torch",),
                hashes=("sha256:" + "9" * 64,),
            ),
            Library(dependency=Dependency(name="pytest", version="", range=""), optional=("test",)),
        ),
        containers=(
            Container(
                reference="python:3.11",
                name="python",
                tag="3.11",
                digest="sha256:" + "7" * 64,
                source=Source("Dockerfile"),
            ),
        ),
        services=(
            Service(provider="Example", name="chat", endpoint="https://api.example", models=("m-1",), sources=(CARD,)),
        ),
        undeclared=(Sourced("requests", Source("train.py", "line 3")),),
        models=(Ancestor(name="loaded/one", source=Source("train.py", "line 9")),),
    )
    return replace(code, **changes)


def make_account(**changes: Any) -> Account:
    account = Account(
        release=Identity(
            name=said("mood"), version=said("2.1.0"), producer=said("Acme Labs"), supplier=said("Acme Sales"),
            licences=(Licence(name="Apache-2.0", is_spdx=True, sources=(CARD,)),),
        ),
        models=(make_model(), make_conversion()),
        code=make_code(),
        datasets=(
            make_dataset(),
            Dataset(name="stanford/imdb", ref="data-named:stanford/imdb", declared_in=(CARD,)),
        ),
        training=Training(
            name="fine-tuning",
            inputs=("data:reviews",),
            settings=(Setting(name="epochs", value="3", sources=(CARD, Source("train.py", "line 7"))),),
            outputs=("model",),
        ),
        documents=(
            make_file("README.md", "docs/model-card"),
            make_file("LICENSE", "docs/license"),
            make_file("other.bin", "", ""),
        ),
        links=(
            Link(type="distribution", url="https://a.example/get", source=CARD),
            Link(type="website", url="https://a.example", source=CARD),
            Link(type="vcs", url="https://git.example/mood", source=CARD, comment="code"),
            Link(type="formulation", url="https://a.example/f", source=CARD),
        ),
        statement=Statement(date=datetime(2025, 12, 1, tzinfo=UTC), outcome="research", withheld=(("metrics", "law"),)),
        conflicts=("version: README.md says 2.1.0, setup.cfg says 2.0",),
        warnings=("LICENSE: not recognised",),
        tree_digest=TREE,
        bytes=99,
        file_count=9,
    )  # fmt: skip
    return replace(account, **changes)


def render(account: Account | None = None, *, timestamp: datetime | None = DATE) -> bytes:
    return spdx_document(account or make_account(), tool_version="0.1.0", timestamp=timestamp)


class Read:
    """A document, read as JSON."""

    def __init__(self, account: Account | None = None) -> None:
        self.data: Json = json.loads(render(account))
        self.graph: list[Json] = self.data["@graph"]
        self.by_id = {item["spdxId"]: item for item in self.graph if "spdxId" in item}

    def of(self, kind: str) -> list[Json]:
        return [item for item in self.graph if item["type"] == kind]

    def one(self, kind: str, name: str = "") -> Json:
        (found,) = [item for item in self.of(kind) if not name or item.get("name") == name]
        return found

    def edges(self, kind: str, source: Json) -> list[Json]:
        return [e for e in self.of("Relationship") if (e["relationshipType"], e["from"]) == (kind, source["spdxId"])]

    def follow(self, kind: str, source: Json) -> list[str]:
        """Names of what an element is so related to; identifiers of what has no name."""
        targets = [target for edge in self.edges(kind, source) for target in edge["to"]]
        return sorted(self.by_id.get(target, {}).get("name") or target for target in targets)

    def notes(self, subject: Json) -> list[str]:
        return [note["statement"] for note in self.of("Annotation") if note["subject"] == subject["spdxId"]]

    @property
    def release(self) -> Json:
        (root,) = self.one("software_Sbom")["rootElement"]
        release: Json = self.by_id[root]
        return release

    @property
    def model(self) -> Json:
        return self.one("ai_AIPackage", "mood")


def entries(items: list[Json]) -> dict[str, str]:
    return {item["key"]: item["value"] for item in items}


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def read_back(data: Json) -> spdx.SHACLObjectSet:
    objects = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().deserialize_data(data, objects)
    return objects


def test_the_bindings_read_every_object_back_and_miss_none() -> None:
    read = Read()
    objects = read_back(read.data)
    assert len(objects.objects) == len(read.graph)
    assert objects.missing_ids == set()


def test_the_bindings_write_what_they_read_as_it_was() -> None:
    """They refuse to write an object without a required property, and write each property in its one form."""
    read = Read()
    again = spdx.JSONLDSerializer().serialize_data(read_back(read.data), force_at_graph=True)
    settled = json.loads(
        re.sub(r"_:CreationInfo\d+", "_:creation", json.dumps(again)).replace('"3.1e-06"', '"0.0000031"')
    )
    key = lambda item: item.get("spdxId", "")  # noqa: E731 - one key for two lists
    assert settled["@context"] == read.data["@context"] == "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
    for ours, theirs in zip(read.graph, sorted(settled["@graph"], key=key), strict=True):
        energy = ours.get("ai_energyConsumption")
        assert {**ours, "ai_energyConsumption": energy and float_energy(energy)} == {
            **theirs,
            "ai_energyConsumption": energy and float_energy(theirs["ai_energyConsumption"]),
        }


def float_energy(consumed: Json) -> list[tuple[str, float]]:
    return [
        (name, float(item["ai_energyQuantity"])) for name, items in consumed.items() if name != "type" for item in items
    ]


def test_the_same_account_gives_the_same_bytes() -> None:
    assert render() == render()


def test_the_order_of_equal_things_in_an_account_does_not_show_in_the_bytes() -> None:
    account = make_account()
    code = replace(account.code, libraries=account.code.libraries[::-1])
    turned = replace(account, documents=account.documents[::-1], datasets=account.datasets[::-1], code=code)
    assert render(turned) == render(account)


def test_no_identifier_dangles_and_none_is_used_twice() -> None:
    read = Read()
    ids = [item["spdxId"] for item in read.graph if "spdxId" in item]
    assert len(ids) == len(set(ids))
    used = {text for text in strings(read.graph) if text.startswith(f"urn:aibom:spdx:{TREE[:16]}#")}
    assert used == set(ids)
    assert {text for text in strings(read.graph) if text.startswith("_:")} == {"_:creation"}


def test_every_element_belongs_to_the_bom_or_the_document() -> None:
    read = Read()
    listed = {*read.one("software_Sbom")["element"], *read.one("SpdxDocument")["element"]}
    assert listed == set(read.by_id) - {read.one("SpdxDocument")["spdxId"]}
    assert len(read.one("SpdxDocument")["element"]) == len(set(read.one("SpdxDocument")["element"]))


def test_without_a_date_it_says_that_spdx_wants_one_and_how_to_give_it() -> None:
    with pytest.raises(InputError) as caught:
        render(timestamp=None)
    assert "date" in caught.value.message
    assert "SOURCE_DATE_EPOCH" in caught.value.hint
    assert "aibom.toml" in caught.value.hint


@pytest.mark.parametrize(
    "moment",
    [DATE, datetime(2026, 1, 1), datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))],
)
def test_a_date_is_written_in_utc_whatever_zone_it_came_in(moment: datetime) -> None:
    (creation,) = [item for item in json.loads(render(timestamp=moment))["@graph"] if item["type"] == "CreationInfo"]
    assert creation["created"] == "2026-01-01T00:00:00Z"
    assert creation["specVersion"] == "3.0.1"


def test_a_date_without_a_zone_does_not_depend_on_the_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        statement = Statement(date=datetime(2025, 12, 1))
        read = Read(make_account(statement=statement))
        naive = json.loads(render(timestamp=datetime(2026, 1, 1)))["@graph"]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert read.release["releaseTime"] == "2025-12-01T00:00:00Z"
    assert [item["created"] for item in naive if item["type"] == "CreationInfo"] == ["2026-01-01T00:00:00Z"]


def test_the_document_leads_over_the_bom_to_the_release() -> None:
    read = Read()
    document, bom = read.one("SpdxDocument"), read.one("software_Sbom")
    assert document["rootElement"] == [bom["spdxId"]]
    assert bom["rootElement"] == [read.release["spdxId"]]
    assert bom["software_sbomType"] == ["analyzed"]
    assert document["profileConformance"] == bom["profileConformance"] == ["core", "simpleLicensing", "software"]


def test_the_document_says_which_fields_of_the_profiles_nobody_states() -> None:
    lines = Read().one("SpdxDocument")["comment"].splitlines()
    assert "mood: suppliedBy" in lines
    assert "stanford/imdb: builtTime, originatedBy, releaseTime" in lines


def test_a_document_whose_profiles_are_filled_has_no_such_comment() -> None:
    identity = replace(make_model().identity, supplier=said("Acme"))
    model = make_model(identity=identity, ancestors=(), parts=())
    account = make_account(models=(model,), datasets=(), code=make_code(models=()))
    document = Read(account).one("SpdxDocument")
    assert "comment" not in document
    assert document["profileConformance"] == ["ai", "core", "dataset", "simpleLicensing", "software"]


def test_an_author_is_a_person_with_an_address() -> None:
    account = make_account(statement=Statement(author="Ada", author_email="ada@a.example"))
    read = Read(account)
    person = read.one("Person")
    assert read.one("CreationInfo")["createdBy"] == [person["spdxId"]]
    assert (person["name"], person["externalIdentifier"][0]["identifier"]) == ("Ada", "ada@a.example")
    assert read.by_id[read.one("CreationInfo")["createdUsing"][0]]["name"] == "aibom 0.1.0"


@pytest.mark.parametrize(
    ("producer", "supplier", "kind", "name"),
    [
        ("Labs", "Sales", "Organization", "Labs"),
        ("", "Sales", "Organization", "Sales"),
        ("", "", "Agent", "not stated"),
    ],
)
def test_without_an_author_the_maker_of_the_release_stands_for_it(
    producer: str, supplier: str, kind: str, name: str
) -> None:
    identity = Identity(
        name=said("x"), producer=said(producer) if producer else None, supplier=said(supplier) if supplier else None
    )
    read = Read(make_account(release=identity))
    author = read.by_id[read.one("CreationInfo")["createdBy"][0]]
    assert (author["type"], author["name"]) == (kind, name)


def test_the_release_holds_models_code_local_data_and_documents() -> None:
    read = Read()
    held = read.follow("contains", read.release)
    assert held == ["LICENSE", "README.md", "acme/reviews", "mood", "mood (onnx)", "mood-code", "other.bin"]
    assert [edge["completeness"] for edge in read.edges("contains", read.release)] == ["complete"]
    assert read.follow("hasDocumentation", read.release) == ["LICENSE", "README.md"]


def test_the_release_says_who_when_and_where() -> None:
    read = Read()
    release = read.release
    assert release["releaseTime"] == "2025-12-01T00:00:00Z"
    assert read.by_id[release["suppliedBy"]]["name"] == "Acme Sales"
    assert [read.by_id[made]["name"] for made in release["originatedBy"]] == ["Acme Labs"]
    assert release["software_downloadLocation"] == "https://a.example/get"
    assert release["software_homePage"] == "https://a.example"
    assert [ref["externalRefType"] for ref in release["externalRef"]] == ["vcs", "other"]
    assert [ref["comment"] for ref in release["externalRef"]] == ["code", "formulation"]
    assert release["software_packageUrl"].endswith(TREE)


def test_a_second_address_of_one_kind_does_not_replace_the_first() -> None:
    kinds = ("distribution", "website")
    links = tuple(Link(type=kind, url=f"https://{n}.example/{kind}", source=CARD) for n in (1, 2) for kind in kinds)
    release = Read(make_account(links=links)).release
    assert release["software_downloadLocation"] == "https://1.example/distribution"
    assert release["software_homePage"] == "https://1.example/website"
    others = [(ref["externalRefType"], ref["locator"]) for ref in release["externalRef"]]
    assert others == [
        ("altDownloadLocation", ["https://2.example/distribution"]),
        ("altWebPage", ["https://2.example/website"]),
    ]


def test_the_tree_digest_is_not_passed_off_as_the_digest_of_a_file() -> None:
    (hashed,) = Read().release["verifiedUsing"]
    assert (hashed["algorithm"], hashed["hashValue"]) == ("other", TREE)
    assert "aibom:tree:v1" in hashed["comment"]


def test_what_nobody_states_is_absent() -> None:
    bare = make_account(statement=Statement(), links=(), release=Identity(name=said("x")))
    release = Read(bare).release
    absent = {"releaseTime", "builtTime", "software_downloadLocation", "software_packageVersion", "suppliedBy"}
    assert not absent & set(release)


def test_conflicts_warnings_and_statements_are_annotations_of_the_release() -> None:
    read = Read()
    notes = read.notes(read.release)
    assert "conflict: version: README.md says 2.1.0, setup.cfg says 2.0" in notes
    assert "warning: LICENSE: not recognised" in notes
    assert "outcome: research" in notes
    assert "withheld: metrics: law" in notes
    assert {note["annotationType"] for note in read.of("Annotation")} == {"other"}


def test_one_annotation_of_an_element_says_where_its_values_were_read() -> None:
    read = Read()
    (note,) = [text for text in read.notes(read.model) if text.startswith("Where the values were read")]
    lines = note.splitlines()
    assert "license: README.md, license" in lines
    assert "hyperparameter, epochs: train.py, line 7" in lines
    assert "hyperparameter, hidden_size: config.json, hidden_size" in lines


def test_a_model_says_what_its_card_says() -> None:
    model = Read().model
    assert model["ai_domain"] == ["text-classification"]
    assert model["ai_typeOfModel"] == ["supervised", "distilbert", "DistilBert"]
    assert model["software_primaryPurpose"] == "model"
    assert model["software_packageVersion"] == "2.1.0"
    assert model["software_packageUrl"] == "pkg:huggingface/acme/mood@c0ffee"
    assert model["software_sourceInfo"] == "commit c0ffee of the hub's repository"
    assert model["ai_limitation"] == "sarcasm\nEthical consideration: dialects"
    for words in ("Used for: reviews", "Meant for: analysts", "Loaded with: transformers", "Languages: en, nl"):
        assert words in model["ai_informationAboutApplication"].splitlines()
    assert "2 tensors, 66 parameters, F32" in model["comment"]
    assert f"Chat template default: sha256:{'ab' * 32}" in model["comment"]
    assert "modeling.Mood" in model["comment"]


def test_what_only_a_judgement_could_fill_is_never_filled() -> None:
    judged = {
        "ai_autonomyType",
        "ai_safetyRiskAssessment",
        "ai_standardCompliance",
        "ai_useSensitivePersonalInformation",
    }
    assert not any(judged & set(model) for model in Read().of("ai_AIPackage"))


def test_training_settings_are_hyperparameters_of_the_model_that_came_out() -> None:
    read = Read()
    assert entries(read.model["ai_hyperparameter"]) == {"epochs": "3", "hidden_size": "128"}
    assert read.model["ai_informationAboutTraining"].splitlines()[0] == "fine-tuning: epochs 3"
    assert "ai_hyperparameter" not in read.one("ai_AIPackage", "mood (onnx)")


def test_metrics_keep_what_they_were_measured_on_and_their_bounds() -> None:
    assert entries(Read().model["ai_metric"]) == {"accuracy (IMDB test)": "0.93", "acc": "0.91 (0.89 to 0.92)"}


def test_energy_is_a_plain_decimal_by_activity_and_all_else_is_words() -> None:
    model = Read().model
    found = {
        name: [(cost["ai_energyQuantity"], cost["ai_energyUnit"]) for cost in costs]
        for name, costs in model["ai_energyConsumption"].items()
        if name != "type"
    }
    assert found == {
        "ai_finetuningEnergyConsumption": [("0.0000031", "kilowattHour")],
        "ai_trainingEnergyConsumption": [("7.0", "kilowattHour")],
    }
    words = model["ai_informationAboutTraining"].splitlines()
    assert "fine-tuning: 1.24 kg CO2 equivalent, in NL" in words
    assert "validation: 0.5 kWh" in words


def test_a_model_without_measured_energy_has_none() -> None:
    account = make_account(models=(make_model(energy=(Energy(activity="training", co2_kg=Decimal(2)),)),))
    model = Read(account).model
    assert "ai_energyConsumption" not in model
    assert "training: 2 kg CO2 equivalent" in model["ai_informationAboutTraining"]


@pytest.mark.parametrize("kwh", ["1e999", "1e-999"])
def test_energy_beyond_a_binary_number_is_kept_in_words_and_not_as_another_number(kwh: str) -> None:
    account = make_account(models=(make_model(energy=(Energy(activity="training", kwh=Decimal(kwh)),)),))
    model = Read(account).model
    assert "ai_energyConsumption" not in model
    assert f"training: {Decimal(kwh)} kWh" in model["ai_informationAboutTraining"]


def test_a_pinned_and_an_unpinned_ancestor_of_one_name_are_two_elements() -> None:
    one, other = (Ancestor(name="b", source=CARD, revision=pin) for pin in (None, said("r")))
    odd = Ancestor(name="r:b", source=CARD)
    read = Read(make_account(models=(make_model(ancestors=(one, other, odd)),)))
    assert read.follow("descendantOf", read.model) == ["b", "b", "r:b"]


def test_a_model_holds_its_files_and_parts_and_its_weights_are_data_files() -> None:
    read = Read()
    assert read.follow("contains", read.model) == ["config.json", "model.safetensors", "part"]
    assert read.follow("hasDataFile", read.model) == ["model.safetensors"]


def test_a_model_was_trained_on_its_data_sets_and_on_nothing_that_is_not_here() -> None:
    read = Read()
    assert read.follow("trainedOn", read.model) == ["acme/reviews", "stanford/imdb"]


def test_ancestors_are_names_outside_and_carry_nothing_of_ours() -> None:
    read = Read()
    assert read.follow("descendantOf", read.model) == ["base/bert", "other-base"]
    pinned, named = read.one("ai_AIPackage", "base/bert"), read.one("ai_AIPackage", "other-base")
    assert set(named) == {"type", "spdxId", "creationInfo", "name", "software_primaryPurpose"}
    assert pinned["software_packageVersion"] == "abc"
    assert pinned["software_packageUrl"] == "pkg:huggingface/base/bert@abc"
    (edge,) = [edge for edge in read.edges("descendantOf", read.model) if pinned["spdxId"] in edge["to"]]
    assert (edge["comment"], edge["completeness"]) == ("finetune", "noAssertion")


def test_a_conversion_is_a_variant_of_the_model_it_came_from() -> None:
    read = Read()
    assert read.follow("hasVariant", read.model) == ["mood (onnx)"]
    assert read.follow("hasVariant", read.one("ai_AIPackage", "base/bert")) == []
    assert read.follow("descendantOf", read.one("ai_AIPackage", "mood (onnx)")) == ["mood"]


def test_an_adapter_of_another_model_is_no_variant_of_ours() -> None:
    made_for = (Ancestor(name="base/bert", source=CARD, relation=Relation.ADAPTER),)
    account = make_account(models=(make_model(ancestors=()), make_conversion(ancestors=made_for)))
    read = Read(account)
    assert read.follow("hasVariant", read.model) == []
    assert read.follow("hasVariant", read.one("ai_AIPackage", "base/bert")) == ["mood (onnx)"]


@pytest.mark.parametrize(
    ("changes", "warnings", "expected"),
    [
        ({}, (), "complete"),
        ({"weights": None}, (), "incomplete"),
        ({"problems": ("model.safetensors: truncated",)}, (), "incomplete"),
        ({"files": (make_file("m.bin", "model/weights", "", problems=("broken",)),)}, (), "incomplete"),
    ],
)
def test_a_model_is_complete_only_if_its_weights_could_be_read(
    changes: Json, warnings: tuple[str, ...], expected: str
) -> None:
    read = Read(make_account(models=(make_model(**changes),), warnings=warnings))
    assert [edge["completeness"] for edge in read.edges("contains", read.model)] == [expected]


def test_a_model_is_neither_its_own_ancestor_nor_the_variant_of_one_that_is_not_here() -> None:
    within = ("model", "model:gone")
    ancestors = tuple(Ancestor(name=w, source=CARD, relation=Relation.CONVERSION, within=w) for w in within)
    read = Read(make_account(models=(make_model(ancestors=ancestors),)))
    assert read.edges("descendantOf", read.model) == []
    assert [edge for edge in read.of("Relationship") if edge["relationshipType"] == "hasVariant"] == []


def test_every_model_and_data_set_has_one_declared_and_one_concluded_licence() -> None:
    read = Read()
    for package in (*read.of("ai_AIPackage"), *read.of("dataset_DatasetPackage")):
        assert len(read.edges("hasDeclaredLicense", package)) == 1
        assert read.follow("hasConcludedLicense", package) == [NO_LICENCE]
    assert read.follow("hasDeclaredLicense", read.one("dataset_DatasetPackage", "stanford/imdb")) == [NO_LICENCE]


def test_a_release_without_a_licence_declares_none() -> None:
    read = Read(make_account(release=Identity(name=said("x"))))
    assert read.edges("hasDeclaredLicense", read.release) == []


def test_a_licence_of_spdx_is_an_expression() -> None:
    read = Read()
    ((target,),) = [edge["to"] for edge in read.edges("hasDeclaredLicense", read.model)]
    assert read.by_id[target]["simplelicensing_licenseExpression"] == "Apache-2.0"
    assert read.edges("hasDeclaredLicense", read.release)[0]["to"] == [target]


def test_a_licence_that_spdx_does_not_know_is_a_reference_with_a_text_that_says_where_its_words_are() -> None:
    read = Read()
    ((target,),) = [
        e["to"] for e in read.edges("hasDeclaredLicense", read.one("dataset_DatasetPackage", "acme/reviews"))
    ]
    expression = read.by_id[target]
    reference = expression["simplelicensing_licenseExpression"]
    assert re.fullmatch(r"LicenseRef-Acme-Data-Terms-[0-9a-f]{8}", reference)
    (entry,) = expression["simplelicensing_customIdToUri"]
    text = read.by_id[entry["value"]]
    assert (entry["key"], text["name"]) == (reference, "Acme Data Terms")
    assert "https://a.example/t" in text["simplelicensing_licenseText"]


@pytest.mark.parametrize("name", ["", "许可证", "a/b c", "x" * 500, "..."])
def test_a_licence_reference_has_only_characters_that_spdx_allows(name: str) -> None:
    reference = licence_reference(Licence(name=name, is_spdx=False, sources=()))
    assert re.fullmatch(r"LicenseRef-[A-Za-z0-9.-]{1,80}", reference)


def test_licences_that_differ_only_in_their_address_stay_apart() -> None:
    one, other = (Licence(name="Terms", is_spdx=False, url=url, sources=()) for url in ("https://a", "https://b"))
    assert licence_reference(one) != licence_reference(other)


def test_a_licence_that_limits_use_is_remarked_on_the_model() -> None:
    licence = Licence(name="OpenRAIL", is_spdx=False, restricts_use=True, text_file="LICENSE", sources=(CARD,))
    model = make_model(identity=replace(make_model().identity, licences=(licence,)))
    read = Read(make_account(models=(model,)))
    assert any("use restricted" in note and "OpenRAIL" in note for note in read.notes(read.model))
    text = read.one("simplelicensing_SimpleLicensingText", "OpenRAIL")["simplelicensing_licenseText"]
    assert "the file LICENSE of the release" in text


def test_a_data_set_says_what_is_stated_of_it() -> None:
    read = Read()
    dataset = read.one("dataset_DatasetPackage", "acme/reviews")
    expected = {
        "dataset_datasetType": ["structured", "text"],
        "dataset_datasetSize": 10,
        "dataset_datasetAvailability": "directDownload",
        "dataset_confidentialityLevel": "amber",
        "dataset_hasSensitivePersonalInformation": "yes",
        "dataset_knownBias": ["70% electronics"],
        "dataset_dataCollectionProcess": "web shop export",
        "dataset_intendedUse": "research",
        "dataset_datasetUpdateMechanism": "yearly",
        "software_downloadLocation": "https://a.example/reviews",
        "software_primaryPurpose": "data",
    }
    assert {key: dataset[key] for key in expected} == expected
    assert "rows of reviews/bias.csv: 400" in dataset["comment"]
    assert read.follow("contains", dataset) == ["reviews/README.md", "reviews/train.csv"]


def test_a_data_set_that_is_only_named_asserts_nothing() -> None:
    dataset = Read().one("dataset_DatasetPackage", "stanford/imdb")
    assert dataset["dataset_datasetType"] == ["noAssertion"]
    unstated = {"dataset_datasetSize", "dataset_confidentialityLevel", "dataset_hasSensitivePersonalInformation"}
    assert not unstated & set(dataset)
    assert dataset["comment"] == "Its files are not part of the release."


@pytest.mark.parametrize(
    ("stated", "expected"),
    [("no", "no"), ("None.", "no"), ("yes", "yes"), ("none after scrubbing", "noAssertion"), ("e-mail", "noAssertion")],
)
def test_sensitive_information_is_yes_or_no_only_in_those_words(stated: str, expected: str) -> None:
    dataset = Read(make_account(datasets=(make_dataset(sensitive=(said(stated),)),))).one("dataset_DatasetPackage")
    assert dataset["dataset_hasSensitivePersonalInformation"] == expected
    assert f"Sensitive data: {stated}" in dataset["comment"]


@pytest.mark.parametrize(("stated", "expected"), [("public", None), ("red", "red"), ("TLP:CLEAR", "clear")])
def test_a_classification_is_a_level_only_in_words_of_the_traffic_light_protocol(
    stated: str, expected: str | None
) -> None:
    dataset = Read(make_account(datasets=(make_dataset(classification=said(stated)),))).one("dataset_DatasetPackage")
    assert dataset.get("dataset_confidentialityLevel") == expected
    assert f"Classification: {stated}" in dataset["comment"]


def test_availability_and_size_need_words_and_digits_that_spdx_has() -> None:
    odd = [Setting(name=n, value=v, sources=(CARD,)) for n, v in (("availability", "soon"), ("bytes", "many"))]
    read = Read(make_account(datasets=(make_dataset(files=(), settings=tuple(odd)),)))
    dataset = read.one("dataset_DatasetPackage")
    assert "dataset_datasetAvailability" not in dataset
    assert "dataset_datasetSize" not in dataset
    assert "availability: soon" in dataset["comment"]


def test_a_stated_size_in_bytes_is_the_size_of_a_data_set_that_is_elsewhere() -> None:
    size = Setting(name="download-size", value="1234", sources=(CARD,))
    read = Read(make_account(datasets=(make_dataset(files=(), settings=(size,)),)))
    assert read.one("dataset_DatasetPackage")["dataset_datasetSize"] == 1234


def test_a_data_set_of_many_files_is_counted_and_not_listed() -> None:
    files = tuple(make_file(f"d/{i}.txt", "data/training", size=1) for i in range(1001))
    read = Read(make_account(datasets=(make_dataset(files=files, folder="d"),)))
    dataset = read.one("dataset_DatasetPackage")
    digest = tree_digest((file.name, file.entry.sha256) for file in files)
    assert f"Folder d of the release: 1001 files, 1001 bytes, tree digest sha256:{digest}" in dataset["comment"]
    assert [(h["algorithm"], h["hashValue"]) for h in dataset["verifiedUsing"]] == [("other", digest)]
    assert read.edges("contains", dataset) == []
    assert not any(item["name"].startswith("d/") for item in read.of("software_File"))


def test_a_version_is_written_only_where_it_is_pinned() -> None:
    read = Read()
    pinned, ranged = read.one("software_Package", "torch"), read.one("software_Package", "numpy")
    assert (pinned["software_packageVersion"], pinned["software_packageUrl"]) == ("2.6.0", "pkg:pypi/torch@2.6.0")
    assert "software_packageVersion" not in ranged
    assert ranged["software_packageUrl"] == "pkg:pypi/numpy"
    assert "Version range: >=1.26" in ranged["comment"]
    assert "sha256:" + "9" * 64 in ranged["comment"]


def test_the_code_depends_on_libraries_images_and_models() -> None:
    read = Read()
    code = read.one("software_Package", "mood-code")
    assert read.follow("contains", code) == ["requirements.txt", "train.py"]
    assert read.follow("dependsOn", code) == ["loaded/one", "mood", "numpy", "python", "torch"]
    assert read.follow("hasOptionalDependency", code) == ["pytest"]
    assert read.follow("hasDependencyManifest", code) == ["requirements.txt"]
    assert read.follow("dependsOn", read.one("software_Package", "numpy")) == ["torch"]


def test_a_base_image_is_pinned_by_its_digest() -> None:
    image = Read().one("software_Package", "python")
    assert image["software_packageUrl"] == "pkg:docker/python@sha256:" + "7" * 64
    assert [(h["algorithm"], h["hashValue"]) for h in image["verifiedUsing"]] == [("sha256", "7" * 64)]


@pytest.mark.parametrize("digest", ["", "sha256:77", "md5:" + "7" * 64])
def test_a_base_image_without_a_whole_sha256_has_no_hash(digest: str) -> None:
    image = replace(make_code().containers[0], digest=digest)
    read = Read(make_account(code=make_code(containers=(image,))))
    assert "verifiedUsing" not in read.one("software_Package", "python")


@pytest.mark.parametrize(
    ("locked", "undeclared", "expected"),
    [(True, (), "complete"), (False, (), "incomplete"), (True, (said("requests"),), "incomplete")],
)
def test_dependencies_are_complete_only_by_a_lock_file(
    locked: bool, undeclared: tuple[Sourced, ...], expected: str
) -> None:
    code = make_code(locked=locked, undeclared=undeclared, models=(), containers=())
    read = Read(make_account(code=code))
    edges = read.edges("dependsOn", read.one("software_Package", "mood-code"))
    torch = read.one("software_Package", "torch")["spdxId"]
    assert [edge["completeness"] for edge in edges if torch in edge["to"]] == [expected]


def test_services_and_undeclared_imports_are_remarks_on_the_code() -> None:
    read = Read()
    notes = read.notes(read.one("software_Package", "mood-code"))
    assert "undeclared import: requests (train.py, line 3)" in notes
    assert any("chat (Example)" in note and "https://api.example" in note and "m-1" in note for note in notes)


def test_without_code_the_release_itself_depends_on_the_libraries() -> None:
    read = Read(make_account(code=make_code(files=())))
    assert read.follow("dependsOn", read.release) == ["loaded/one", "numpy", "python", "torch"]


def test_a_file_has_its_digests_its_purpose_and_its_size() -> None:
    file = make_file("a/x.md", "docs/usage", problems=("odd",), sha512="5" * 128, sha256="2" * 64)
    read = Read(make_account(documents=(file,)))
    found = read.one("software_File", "a/x.md")
    assert [(h["algorithm"], h["hashValue"]) for h in found["verifiedUsing"]] == [
        ("sha256", "2" * 64),
        ("sha512", "5" * 128),
    ]
    assert (found["software_fileKind"], found["contentType"]) == ("file", "text/markdown")
    assert found["software_primaryPurpose"] == "documentation"
    assert found["comment"] == "5 bytes; docs/usage; format text; problem: odd"


def test_a_digest_that_spdx_has_no_name_for_keeps_ours_as_its_comment() -> None:
    (known, other) = file_values(make_file("x", sha256="2" * 64, tiger="1" * 48))["verifiedUsing"]
    assert known["algorithm"] == "sha256"
    assert (other["algorithm"], other["comment"]) == ("other", "tiger")


@pytest.mark.parametrize(
    ("category", "shown", "expected"),
    [
        ("model/weights", "safetensors", "model"),
        ("model/architecture", "text", "configuration"),
        ("model/tokenizer", "text", "data"),
        ("code/training", "text", "source"),
        ("code/libraries", "text", "manifest"),
        ("code/other", "elf", "executable"),
        ("data/training", "text", "data"),
        ("docs/license", "text", "documentation"),
        ("supply/provenance", "text", "evidence"),
        ("", "", "other"),
    ],
)
def test_the_purpose_of_a_file_follows_its_category(category: str, shown: str, expected: str) -> None:
    assert purpose(make_file("x", category, shown)) == expected
    assert expected in spdx.software_SoftwarePurpose.NAMED_INDIVIDUALS


@pytest.mark.parametrize(
    ("name", "shown", "expected"),
    [
        ("a.json", "text", "application/json"),
        ("a.json", "zip", "application/zip"),
        ("a.md", "", ""),
        ("LICENSE", "text", ""),
        ("a.dir/LICENSE", "text", ""),
        ("a.png", "png", "image/png"),
    ],
)
def test_a_content_type_is_given_only_where_the_bytes_agree(name: str, shown: str, expected: str) -> None:
    assert content_type(make_file(name, "", shown)) == expected


def test_a_file_written_directly_is_what_the_bindings_would_write() -> None:
    """Files go past the bindings, for speed; this is what they must equal."""
    files = (make_file("a.md", "docs/usage", tiger="1" * 48, sha256="2" * 64), make_file("b", "", "", problems=("p",)))
    creation = spdx.CreationInfo(specVersion="3.0.1", created=DATE)
    creation.createdBy = ["urn:x:y"]
    for file in files:
        ours = file_values(file)
        built = spdx.software_File(
            spdxId="urn:x:file",
            creationInfo=creation,
            name=ours["name"],
            comment=ours["comment"],
            verifiedUsing=[
                spdx.Hash(
                    **{
                        key: getattr(spdx.HashAlgorithm, value) if key == "algorithm" else value
                        for key, value in item.items()
                        if key != "type"
                    }
                )
                for item in ours["verifiedUsing"]
            ],
            software_primaryPurpose=getattr(spdx.software_SoftwarePurpose, ours["software_primaryPurpose"]),
            software_fileKind=spdx.software_FileKindType.file,
            **({"contentType": ours["contentType"]} if "contentType" in ours else {}),
        )
        graph = spdx.JSONLDSerializer().serialize_data(spdx.SHACLObjectSet([built, creation]))["@graph"]
        (theirs,) = [item for item in graph if item["type"] == "software_File"]
        assert {
            "type": "software_File",
            "spdxId": "urn:x:file",
            "creationInfo": theirs["creationInfo"],
            **ours,
        } == theirs


def test_a_release_of_ten_thousand_files_has_them_all() -> None:
    files = tuple(make_file(f"w/{i}.bin", "model/weights", "") for i in range(10_000))
    read = Read(make_account(models=(make_model(files=files),)))
    assert len([item for item in read.of("software_File") if item["name"].startswith("w/")]) == 10_000
    assert len(read.edges("hasDataFile", read.model)) == 1


_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(name=_TEXT, file=_TEXT, licence=_TEXT, library=_TEXT, key=_TEXT)
def test_whatever_things_are_called_the_document_is_read_back_whole(
    name: str, file: str, licence: str, library: str, key: str
) -> None:
    account = Account(
        release=Identity(name=said(name), producer=said(name)),
        models=(
            Model(
                ref=f"model:{name}",
                kind=ModelKind.MAIN,
                identity=Identity(name=said(name), licences=(Licence(name=licence, is_spdx=False, sources=(CARD,)),)),
                files=(make_file(f"m/{file}", "model/weights", ""),),
                ancestors=(Ancestor(name=name, source=CARD),),
                settings=(Setting(name=key, value=name, sources=(CARD,)),),
            ),
        ),
        code=Code(
            identity=Identity(name=said(name)),
            libraries=(Library(dependency=Dependency(name=library, version="", range=key)),),
        ),
        datasets=(
            make_dataset(name=name, ref=f"data:{name}", settings=(Setting(name=key, value=name, sources=(CARD,)),)),
        ),
        training=None,
        documents=(make_file(f"d/{file}"),),
        tree_digest=TREE,
    )
    read = Read(account)
    ids = [item["spdxId"] for item in read.graph if "spdxId" in item]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[!-~]+", spdx_id) for spdx_id in ids)
    objects = read_back(read.data)
    assert (len(objects.objects), objects.missing_ids) == (len(read.graph), set())


def test_a_release_on_disk_becomes_a_document_that_is_read_back_whole(tmp_path: Path) -> None:
    from aibom.build.assemble import assemble
    from aibom.build.collect import collect
    from tests.releases.example import write_example

    release = tmp_path / "release"
    write_example(release)
    account = assemble(collect(release))
    data = json.loads(render(account))
    objects = read_back(data)
    assert (len(objects.objects), objects.missing_ids) == (len(data["@graph"]), set())
    names = {item["name"] for item in data["@graph"] if item["type"] == "software_File"}
    assert {file.name for file in account.model.files} <= names
