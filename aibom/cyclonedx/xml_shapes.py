"""The XML form of every CycloneDX type, as tables: which JSON key becomes which attribute, element or list, in order.

XML Schema fixes the order of elements and has names and wrappers of its own (`dependsOn` is a repeated `dependency`,
`contentType` an attribute `content-type`), so that the form cannot be derived from the JSON. Source: the XSD of
CycloneDX 1.6 and 1.7; 1.7 adds to 1.6 and changes nothing, so that one table serves both.

One field a word, `name` being the XML name: `name` element, `name*` repeated element, `name/item` wrapper with items,
`name/` wrapper whose items name their own element, `@name` attribute, `#name` the text of the element itself. Then
`:shape` for what is not plain text, `=key` where the JSON key differs, `!` if the XSD wants it even where JSON does
not, `~` if the XSD forbids it to be empty. A leading `+` marks what 1.7 added.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from types import MappingProxyType

from aibom.core.errors import SpecError

VERSIONS = ("1.6", "1.7")

_REFERENCES = "externalReferences/reference:reference"
_PROPERTIES = "properties/property:property"
_LICENCES = "licenses/:licence"
_COMPONENTS = "components/component:component"
_SERVICES = "services/service:service"
_PATENTS = "+patentAssertions/patentAssertion:patent_assertion"
_INPUTS = "inputs/input:input outputs/output:output"
_RESOURCES = "resourceReferences/resourceReference:resource"
_ENVIRONMENT = "environmentVars/:environment"
_ASSETS = "+relatedCryptographicAssets/relatedCryptographicAsset:crypto_asset"
_TASK = f"@bom-ref uid name description {_RESOURCES}"
_TASK_REST = (
    f"taskTypes/taskType! trigger:trigger steps/step:step {_INPUTS} timeStart timeEnd "
    f"workspaces/workspace:workspace runtimeTopology/dependency:dependency {_PROPERTIES}"
)

_TABLE: dict[str, str] = {
    # the document
    "bom": f"@serialNumber @version metadata:metadata {_COMPONENTS} {_SERVICES} {_REFERENCES}"
    f" dependencies/dependency:dependency compositions/composition:composition {_PROPERTIES}"
    " vulnerabilities/vulnerability:vulnerability annotations/annotation:annotation formulation/formula:formula"
    " declarations:declarations definitions:definitions +citations/citation:citation~",
    "metadata": "timestamp lifecycles/lifecycle:lifecycle tools:tools authors/author:contact component:component"
    f" manufacturer:entity manufacture:entity supplier:entity {_LICENCES} {_PROPERTIES}"
    " +distributionConstraints:distribution",
    "lifecycle": "phase name description",
    "distribution": "tlp",
    "tools": f"tool*:tool {_COMPONENTS} {_SERVICES}",
    "tool": f"vendor name version hashes/hash:hash {_REFERENCES}",
    "dependency": "@ref dependency*:link=dependsOn provides*:link",
    "composition": "@bom-ref aggregate assemblies/assembly:link dependencies/dependency:link"
    " vulnerabilities/vulnerability:link",
    "annotation": "@bom-ref subjects/subject:link annotator:annotator timestamp text",
    "annotator": "organization:entity individual:contact component:component service:service",
    "citation": "@bom-ref pointers/pointer expressions/expression timestamp attributedTo process note",
    # who, and what everything has
    "entity": "@bom-ref name address:address url* contact*:contact",
    "address": "@bom-ref country region locality postOfficeBoxNumber postalCode streetAddress",
    "contact": "@bom-ref name email phone",
    "party": "organization:entity individual:contact=contact",
    "link": "@ref",
    "hash": "@alg #content",
    "property": "@name #value",
    "attachment": "@content-type=contentType @encoding #content",
    "reference": f"@type url comment hashes/hash:hash +{_PROPERTIES}",
    # licences
    "licence": "license:license expression:expression expression-detailed:expression_detailed",
    "license": f"@bom-ref @acknowledgement id name text:attachment url licensing:licensing {_PROPERTIES}",
    "expression": "@bom-ref @acknowledgement #expression",
    "expression_detailed": "@bom-ref @acknowledgement @expression +details*:licence_detail=expressionDetails"
    f" +licensing:licensing +{_PROPERTIES}",
    "licence_detail": "@license-identifier=licenseIdentifier @bom-ref text:attachment url",
    "licensing": "altIds/altId licensor:licence_party licensee:licence_party purchaser:licence_party purchaseOrder"
    " licenseTypes/licenseType lastRenewal expiration",
    "licence_party": "organization:entity individual:contact",
    # components
    "component": "@type @mime-type +@isExternal @bom-ref supplier:entity manufacturer:entity authors/author:contact"
    " author publisher group name version +versionRange description scope hashes/hash:hash"
    f" {_LICENCES} copyright {_PATENTS} cpe purl omniborId* swhid* swid:swid modified pedigree:pedigree {_REFERENCES}"
    f" {_PROPERTIES} {_COMPONENTS} evidence:evidence releaseNotes:release_notes modelCard:model_card"
    " data*:component_data cryptoProperties:crypto tags/tag",
    "swid": "@tagId @name @version @tagVersion @patch text:attachment url",
    "pedigree": "ancestors/component:component descendants/component:component variants/component:component"
    " commits/commit:commit patches/patch:patch notes",
    "commit": "uid url author:action committer:action message",
    "action": "timestamp name email",
    "patch": "@type diff:diff resolves/issue:issue",
    "diff": "text:attachment url",
    "issue": "@type id name description source:source references/url",
    "source": "name url",
    "evidence": "identity*:identity occurrences/occurrence:occurrence callstack:callstack"
    f" {_LICENCES} copyright/text:copyright",
    "identity": "field confidence concludedValue methods/method:method tools/tool:link",
    "method": "technique confidence value",
    "occurrence": "@bom-ref location line offset symbol additionalContext",
    "callstack": "frames/frame:frame",
    "frame": "package module function parameters/parameter line column fullFilename",
    "copyright": "#text",
    "release_notes": "type title featuredImage socialImage description timestamp aliases/alias tags/tag"
    f" resolves/issue:issue notes/note:note {_PROPERTIES}",
    "note": "locale text:attachment",
    # models and data
    "model_card": "@bom-ref modelParameters:model_parameters quantitativeAnalysis:analysis_of_quality"
    f" considerations:considerations {_PROPERTIES}",
    "model_parameters": "approach:approach task architectureFamily modelArchitecture datasets/:dataset"
    " inputs/input:format outputs/output:format",
    "approach": "type",
    "dataset": "ref dataset:component_data",
    "format": "format!",
    "analysis_of_quality": "performanceMetrics/performanceMetric:metric graphics:graphics",
    "metric": "type value slice confidenceInterval:interval",
    "interval": "lowerBound upperBound",
    "graphics": "description collection/graphic:graphic",
    "graphic": "name image:attachment",
    "considerations": "users/user useCases/useCase technicalLimitations/technicalLimitation"
    " performanceTradeoffs/performanceTradeoff ethicalConsiderations/ethicalConsideration:risk"
    " environmentalConsiderations:environmental fairnessAssessments/fairnessAssessment:fairness",
    "risk": "name mitigationStrategy",
    "fairness": "groupAtRisk benefits harms mitigationStrategy",
    "environmental": f"energyConsumptions/energyConsumption:energy {_PROPERTIES}",
    "energy": "activity energyProviders*:energy_provider activityEnergyCost:measure co2CostEquivalent:measure"
    f" co2CostOffset:measure {_PROPERTIES}",
    "energy_provider": f"@bom-ref description organization:entity energySource energyProvided:measure {_REFERENCES}",
    "measure": "value unit",
    "component_data": "@bom-ref type name contents:contents classification sensitiveData* graphics:graphics"
    " description governance:governance",
    "contents": f"attachment:attachment url {_PROPERTIES}",
    "governance": "custodians/custodian:party stewards/steward:party owners/owner:party",
    # cryptography
    "crypto": "assetType algorithmProperties:crypto_algorithm certificateProperties:crypto_certificate"
    " relatedCryptoMaterialProperties:crypto_material protocolProperties:crypto_protocol oid",
    "crypto_algorithm": "primitive +algorithmFamily parameterSetIdentifier curve +ellipticCurve executionEnvironment"
    " implementationPlatform certificationLevel* mode padding cryptoFunctions/cryptoFunction classicalSecurityLevel"
    " nistQuantumSecurityLevel",
    "crypto_certificate": "+serialNumber subjectName issuerName notValidBefore notValidAfter signatureAlgorithmRef"
    " subjectPublicKeyRef certificateFormat certificateExtension +certificateFileExtension +fingerprint:hash"
    " +certificateState*:certificate_state +creationDate +activationDate +deactivationDate +revocationDate"
    f" +destructionDate +certificateExtensions/certificateExtension:certificate_extension {_ASSETS}",
    "certificate_state": "state name description reason",
    "certificate_extension": "commonExtensionName commonExtensionValue customExtensionName customExtensionValue",
    "crypto_asset": "type ref",
    "crypto_material": "type id state algorithmRef creationDate activationDate updateDate expirationDate value size"
    f" format securedBy:secured +fingerprint:hash {_ASSETS}",
    "secured": "mechanism algorithmRef",
    "crypto_protocol": "type version cipherSuites/cipherSuite:cipher_suite ikev2TransformTypes:ikev2"
    " cryptoRef*=cryptoRefArray",
    "cipher_suite": "name algorithms/algorithm identifiers/identifier +tlsGroups/group"
    " +tlsSignatureSchemes/signatureScheme",
    "ikev2": "encr*:transform prf*:transform integ*:transform ke*:transform esn auth*:transform",
    "transform": "#text=# +name +group +keyLength +algorithm",
    # services
    "service": "@bom-ref provider:entity group name version description endpoints/endpoint authenticated"
    f" x-trust-boundary trustZone data:service_data {_LICENCES} {_PATENTS} {_REFERENCES} {_PROPERTIES} {_SERVICES}"
    " releaseNotes:release_notes tags/tag",
    "service_data": "classification*:classification dataflow*:dataflow",
    "classification": "@flow #classification",
    "dataflow": "@name @description classification:classification governance:governance source/url destination/url",
    # vulnerabilities
    "vulnerability": "@bom-ref id source:source references/reference:vulnerability_reference ratings/rating:rating"
    " cwes/cwe description detail recommendation workaround proofOfConcept:proof advisories/advisory:advisory created"
    f" published updated rejected credits:credits tools:tools analysis:analysis affects/target:target {_PROPERTIES}",
    "vulnerability_reference": "id source:source",
    "rating": "source:source score severity method vector justification",
    "proof": "reproductionSteps environment supportingMaterial/attachment:attachment",
    "advisory": "title url",
    "credits": "organizations/organization:entity individuals/individual:contact",
    "analysis": "state justification responses/response=response detail firstIssued lastUpdated",
    "target": "ref versions/version:affected",
    "affected": "version range status",
    # formulation
    "formula": f"@bom-ref {_COMPONENTS} {_SERVICES} workflows/workflow:workflow {_PROPERTIES}",
    "workflow": f"{_TASK} tasks/task:task taskDependencies/dependency:dependency {_TASK_REST}",
    "task": f"{_TASK} {_TASK_REST}",
    "resource": "ref externalReference:reference",
    "workspace": f"@bom-ref uid name aliases/alias description {_RESOURCES} accessMode mountPath managedDataType"
    f" volumeRequest volume:volume {_PROPERTIES}",
    "volume": f"uid name mode path sizeAllocated persistent remote {_PROPERTIES}",
    "step": f"name description commands/command:command {_PROPERTIES}",
    "command": f"executed {_PROPERTIES}",
    "trigger": f"@bom-ref uid name description {_RESOURCES} type event:event conditions/condition:condition"
    f" timeActivated {_INPUTS} {_PROPERTIES}",
    "event": f"uid description timeReceived data:attachment source:resource target:resource {_PROPERTIES}",
    "condition": f"description expression {_PROPERTIES}",
    "input": f"resource:resource parameters/parameter:parameter {_ENVIRONMENT} data:attachment source:resource"
    f" target:resource {_PROPERTIES}",
    "output": f"resource:resource {_ENVIRONMENT} data:attachment type source:resource target:resource {_PROPERTIES}",
    "environment": "environmentVar:property value",
    "parameter": "name value dataType",
    # declarations
    "declarations": "assessors/assessor:assessor attestations/attestation:attestation claims/claim:claim"
    " evidence/evidence:claim_evidence targets:targets affirmation:affirmation",
    "assessor": "@bom-ref thirdParty organization:entity",
    "attestation": "summary assessor map*:attestation_map",
    "attestation_map": "requirement claims/claim counterClaims/counterClaim conformance:score confidence:confidence",
    "score": "score rationale mitigationStrategies/mitigationStrategy",
    "confidence": "score rationale",
    "claim": "@bom-ref target predicate mitigationStrategies/mitigationStrategy reasoning evidence* counterEvidence*"
    f" {_REFERENCES}",
    "claim_evidence": "@bom-ref propertyName description data*:evidence_data created expires author:contact"
    " reviewer:contact",
    "evidence_data": "name contents:evidence_contents classification sensitiveData* governance:governance",
    "evidence_contents": "attachment:attachment url",
    "targets": f"organizations/organization:entity {_COMPONENTS} {_SERVICES}",
    "affirmation": "statement signatories/signatory:signatory",
    "signatory": "name role organization:entity externalReference:reference",
    # definitions
    "definitions": "standards/standard:standard! +patents/:patent_choice",
    "standard": "@bom-ref name! version! description! owner! requirements/requirement:requirement levels/level:level"
    f" {_REFERENCES}",
    "requirement": f"@bom-ref identifier title text descriptions/description openCre* parent {_PROPERTIES}"
    f" {_REFERENCES}",
    "level": "@bom-ref identifier title description requirements/requirement",
    "patent_choice": "patent:patent patentFamily:patent_family",
    "patent": "@bom-ref patentNumber applicationNumber jurisdiction priorityApplication:priority publicationNumber"
    " title abstract filingDate grantDate patentExpirationDate patentLegalStatus patentAssignee*:assignee"
    f" {_REFERENCES}",
    "patent_family": f"@bom-ref familyId priorityApplication:priority members/ref~ {_REFERENCES}",
    "priority": "applicationNumber jurisdiction filingDate",
    "assignee": "organization:entity individual:contact",
    "patent_assertion": "@bom-ref assertionType patentRefs/bom-ref~ asserter:asserter notes",
    "asserter": "organization:entity contact:contact ref",
}

_WORD = re.compile(
    r"(?P<new>\+?)(?P<mark>[@#]?)(?P<name>[A-Za-z0-9-]+)(?P<list>/[A-Za-z0-9-]*|\*?)"
    r"(?P<shape>(?::\w+)?)(?P<key>(?:=[A-Za-z0-9#-]+)?)(?P<rule>[!~]?)"
)


class Kind(Enum):
    """How a field is written."""

    ATTRIBUTE = auto()
    TEXT = auto()
    ELEMENT = auto()
    REPEATED = auto()
    WRAPPED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One JSON key of a type and the XML that it becomes."""

    kind: Kind
    key: str
    name: str
    item: str = ""
    shape: str = ""
    always: bool = False
    never_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The XML form of one type: its attributes, its own text, and its children in the order of the XSD."""

    attributes: tuple[Field, ...]
    text: Field | None
    children: tuple[Field, ...]
    keys: frozenset[str]


@cache
def shapes(version: str) -> Mapping[str, Shape]:
    """All types of a version, by name."""
    return MappingProxyType({name: _shape(words, version == "1.6") for name, words in _TABLE.items()})


def _shape(words: str, without_new: bool) -> Shape:
    fields = [_field(word) for word in words.split() if not (without_new and word.startswith("+"))]
    return Shape(
        attributes=tuple(field for field in fields if field.kind is Kind.ATTRIBUTE),
        text=next((field for field in fields if field.kind is Kind.TEXT), None),
        children=tuple(field for field in fields if field.kind not in {Kind.ATTRIBUTE, Kind.TEXT}),
        keys=frozenset(field.key for field in fields),
    )


def _field(word: str) -> Field:
    match = _WORD.fullmatch(word)
    if match is None:
        raise SpecError(f"not a field of an XML shape: {word!r}")
    kinds = {"@": Kind.ATTRIBUTE, "#": Kind.TEXT, "": Kind.ELEMENT, "*": Kind.REPEATED, "/": Kind.WRAPPED}
    return Field(
        kind=kinds[match["mark"] or match["list"][:1]],
        key=match["key"][1:] or match["name"],
        name=match["name"],
        item=match["list"][1:],
        shape=match["shape"][1:],
        always=match["rule"] == "!",
        never_empty=match["rule"] == "~",
    )
