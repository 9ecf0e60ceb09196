import json
import re

import pytest

from app.api import openapi, reference
from app.api.input_schemas import contact_schema, observation_schema
from app.api.permits_reference import REPORT, TAKE, TTL
from app.api.problems import KINDS
from app.core.campaign.request import parse_plan
from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.core.permit.request import parse_request, parse_sent, parse_ttl
from tests.support.api import an_api, an_app
from tests.support.builders import NOW

DOCUMENT = an_app().openapi()
OPERATIONS = [
    (method, path, operation) for path, item in DOCUMENT["paths"].items() for method, operation in item.items()
]


def test_it_is_openapi_31_and_every_reference_leads_somewhere():
    assert DOCUMENT["openapi"].startswith("3.1")
    references = set(re.findall(r"#/components/schemas/(\w+)", str(DOCUMENT)))
    assert references <= set(DOCUMENT["components"]["schemas"])
    assert "HTTPValidationError" not in str(DOCUMENT)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_is_described_for_people_and_generators(method, path, operation):
    assert re.fullmatch(r"[a-z][A-Za-z]+", operation["operationId"])
    assert operation["summary"]
    assert operation["description"]
    assert {tag["name"] for tag in DOCUMENT["tags"]} >= set(operation["tags"])
    errors = {status for status in operation["responses"] if status >= "400"}
    for status in errors:
        assert "application/problem+json" in operation["responses"][status]["content"], (method, path, status)
    if operation.get("security"):
        assert errors >= {"401", "403"}
    if "requestBody" in operation:
        assert errors >= {"413", "415", "422"}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_says_what_each_parameter_member_and_outcome_means(method, path, operation):
    every = [each for tag in operation["tags"] for each in reference.operations(DOCUMENT, tag)]
    (shown,) = (each for each in every if (each.path, each.method) == (path, method.upper()))
    assert [field.name for field in (*shown.parameters, *shown.members) if not field.description] == []
    assert "Successful Response" not in [said["description"] for said in operation["responses"].values()]
    if "application/json" in shown.bodies:
        assert shown.examples, (method, path)


@pytest.mark.parametrize("model", openapi.MODELS)
def test_the_examples_of_what_is_sent_are_accepted(model):
    for example in model.model_json_schema().get("examples", ()):
        assert model.model_validate_json(json.dumps(example), strict=True)


@pytest.mark.parametrize(
    ("parse", "schema"),
    [
        (parse_request, TAKE),
        (parse_ttl, TTL),
        (parse_sent, REPORT),
        (lambda plan: parse_plan(plan, owner="ann", now=NOW), DOCUMENT["components"]["schemas"]["CampaignPlan"]),
    ],
)
def test_the_examples_that_the_core_reads_itself_are_accepted(parse, schema):
    for example in schema["examples"]:
        assert parse(example)


def test_operation_ids_are_unique():
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))


def test_readiness_is_documented_with_each_of_its_outcomes():
    operation = DOCUMENT["paths"]["/api/v1/readiness"]["get"]
    assert set(operation["responses"]) == {"200", "401", "403", "404", "405", "422", "429", "503"}
    assert [parameter["name"] for parameter in operation["parameters"]] == [
        "gate",
        "audience",
        "campaign",
        "accept_partial",
    ]
    for status in ("429", "503"):
        assert "Retry-After" in operation["responses"][status]["headers"]


@pytest.mark.parametrize(("schema", "record"), [(observation_schema(), Observation), (contact_schema(), ContactEvent)])
def test_the_schemas_of_what_is_sent_have_the_fields_of_the_core_records(schema, record):
    assert list(schema["properties"]) == list(record._fields)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("path", ["observations", "contacts"])
async def test_the_examples_of_bodies_are_accepted(path):
    api = await an_api()
    api.clock.move(3600)
    content = DOCUMENT["paths"][f"/api/v1/{path}"]["post"]["requestBody"]["content"]
    async with api.client("ingest") as client:
        for example in content["application/json"]["examples"].values():
            answer = await client.post(f"/api/v1/{path}", json=example["value"])
            assert answer.json()["accepted"] == 1


async def test_the_example_of_a_policy_is_accepted():
    api = await an_api()
    await api.services.gates.create("default")
    (example,) = DOCUMENT["components"]["schemas"]["PolicyDocument"]["examples"]
    async with api.client("policies") as client:
        assert (await client.put("/api/v1/gates/default/policy", json=example)).status_code == 200


async def test_the_document_is_served_to_everybody():
    api = await an_api()
    async with api.client() as client:
        assert (await client.get("/openapi.json")).json() == DOCUMENT


async def test_the_page_shows_every_operation_and_every_kind_of_error_and_runs_nothing():
    api = await an_api()
    async with api.client() as client:
        page = await client.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    ids = set(re.findall(r'\bid="([^"]+)"', page.text))
    assert ids >= {operation["operationId"] for _, _, operation in OPERATIONS}
    assert ids >= {kind.type.partition("#")[2] for kind in KINDS}
    assert set(re.findall(r'href="#([^"]+)"', page.text)) <= ids
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://[^<\s]+\.(?:js|css)", page.text)


def test_types_read_as_words():
    words = reference.type_words
    assert words({"type": "integer", "minimum": 1, "maximum": 5000}) == "integer 1 to 5,000"
    assert words({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}) == "RFC 3339 time or null"
    assert words({"enum": ["a", "b"]}) == "one of a, b"
    assert words({"type": ["string", "null"], "minLength": 1}) == "text or null"
    assert words({"$ref": "#/components/schemas/Metric"}) == "Metric"
    assert words({"const": "x"}) == "any"
    assert words({"type": "array", "items": {"type": "string"}}) == "list of text"


def test_descriptions_are_marked_up_and_nothing_in_them_becomes_markup_by_itself():
    assert reference.prose("a `b < c` and **d**") == "<p>a <code>b &lt; c</code> and <strong>d</strong></p>"
    assert reference.prose("first\n\n* one\n* two") == "<p>first</p><ul><li>one</li><li>two</li></ul>"
    assert reference.prose("<script>") == "<p>&lt;script&gt;</p>"
