import pytest

from app.core.campaign.handover import Handover, ToolCampaign, handover_document, handover_of, read_handover
from app.core.campaign.request import PlanRefused, parse_plan
from app.core.gate.fields import Fields
from app.core.problem import Problem
from tests.support.builders import NOW


def read(value):
    problems: list[Problem] = []
    found = read_handover(Fields({"sender": value}, "", problems))
    return found, [(problem.pointer, problem.detail) for problem in problems]


@pytest.mark.parametrize(
    "document",
    [
        {"name": "listmonk", "campaigns": ["12"]},
        {"name": "mailman", "campaigns": ["news@example.com/17"]},
        {"name": "keila", "campaigns": [{"id": "nmc_1", "recipients": 100}, {"id": "nmc_2", "recipients": 5}]},
    ],
)
def test_a_document_is_read_and_written_as_it_was(document):
    found, problems = read(document)
    assert problems == []
    assert handover_document(found) == document
    assert handover_of(document) == found


def test_one_campaign_may_say_its_size():
    found, _ = read({"name": "keila", "campaigns": [{"id": "nmc_1", "recipients": 100}]})
    assert found == Handover("keila", (ToolCampaign("nmc_1", 100),))


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ("listmonk", "/sender"),
        ({"campaigns": ["12"]}, "/sender/name"),
        ({"name": "a\nb", "campaigns": ["12"]}, "/sender/name"),
        ({"name": "listmonk"}, "/sender/campaigns"),
        ({"name": "listmonk", "campaigns": []}, "/sender/campaigns"),
        ({"name": "listmonk", "campaigns": [12]}, "/sender/campaigns/0"),
        ({"name": "listmonk", "campaigns": [""]}, "/sender/campaigns/0"),
        ({"name": "listmonk", "campaigns": ["../../users"]}, "/sender/campaigns/0"),
        ({"name": "listmonk", "campaigns": ["12?all=yes"]}, "/sender/campaigns/0"),
        ({"name": "listmonk", "campaigns": ["a", "b"]}, "/sender/campaigns/0"),
        (
            {"name": "listmonk", "campaigns": [{"id": "a", "recipients": 1}, {"id": "b"}]},
            "/sender/campaigns/1/recipients",
        ),
        ({"name": "listmonk", "campaigns": [{"id": "a", "recipients": 0}]}, "/sender/campaigns/0/recipients"),
        ({"name": "listmonk", "campaigns": [{"id": "a", "recipients": 1}] * 2}, "/sender/campaigns/1"),
        ({"name": "listmonk", "campaigns": [{"id": "a", "size": 1}]}, "/sender/campaigns/0/size"),
        ({"name": "listmonk", "campaigns": ["12"], "wave": 1}, "/sender/wave"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(document, pointer):
    found, problems = read(document)
    assert found is None
    assert pointer in [at for at, _ in problems]


def test_a_tool_that_asks_for_its_own_permits_is_not_driven():
    document = {"title": "Spring", "audience": 9, "sender": {"name": "listmonk", "campaigns": ["12"]}}
    with pytest.raises(PlanRefused) as refused:
        parse_plan(document | {"release": {"mode": "by-tool"}}, owner="ann", now=NOW)
    assert [problem.pointer for problem in refused.value.problems] == ["/sender"]


def test_a_campaign_without_a_sender_has_none():
    plan = parse_plan({"title": "Spring", "audience": 9, "sender": None}, owner="ann", now=NOW)
    assert plan.sender is None
