import pytest

from app.core.floor.contact import problems
from tests.support.builders import NOW, a_contact, after


@pytest.mark.parametrize(
    "event",
    [
        a_contact(),
        a_contact("callback_requested", channel="voice", agent="SIP/100-0001", campaign="spring", reason="menu key 1"),
        a_contact(at=after(300)),
        a_contact(contact_id="917852394.31345"),
        a_contact(contact_id="2026-11-21T15:00:00+01:00"),  # a plus sign alone is no phone number
        a_contact(contact_id="aGVsbG8+12345678"),
        a_contact(agent="A42@night"),
    ],
)
def test_an_event_as_the_contract_wants_it_has_no_problem(event):
    assert problems(event, NOW) == ()


@pytest.mark.parametrize(
    "text",
    [
        "+15550100100",
        "+1 (555) 010-0100",
        "tel:5550100",
        "SIP:anna@pbx",
        "anna@example.com",
        "call from +44 20 7946 0958",
        "from <sips:1001@10.0.0.1>",
    ],
)
@pytest.mark.parametrize("field", ["contact_id", "agent", "campaign", "reason"])
def test_callers_numbers_and_addresses_are_refused_and_the_sentence_says_what_to_send(field, text):
    (problem,) = problems(a_contact(**{field: text}), NOW)
    assert problem.pointer == f"/{field}"
    assert "callers' names and numbers are refused" in problem.detail
    assert "hash" in problem.detail
    assert text not in problem.detail  # an error message is stored and shown too


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"contact_id": ""}, "/contact_id", "empty"),
        ({"contact_id": "c" * 129}, "/contact_id", "129"),
        ({"contact_id": "c\t1"}, "/contact_id", "unprintable"),
        ({"contact_id": 17}, "/contact_id", "not text"),
        ({"queue": "orders "}, "/queue", "space"),
        ({"source": "\x00"}, "/source", "unprintable"),
        ({"agent": {}}, "/agent", "type dict"),
        ({"at": after(301)}, "/at", "301 s ahead"),
        ({"at": NOW.replace(tzinfo=None)}, "/at", "time zone"),
    ],
)
def test_a_fault_is_refused_with_its_pointer_and_a_sentence(fields, pointer, words):
    (problem,) = problems(a_contact(**fields), NOW)
    assert problem.pointer == pointer
    assert words in problem.detail


@pytest.mark.parametrize("kind", ["ringing", None, 3, []])
def test_an_unknown_event_is_refused_and_the_known_ones_are_listed(kind):
    (problem,) = problems(a_contact()._replace(event=kind), NOW)
    assert problem.pointer == "/event"
    assert "queued, answered, abandoned, completed, transferred, callback_requested" in problem.detail
