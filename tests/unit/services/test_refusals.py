import pytest

from app.api.decode import CONTACTS, OBSERVATIONS, decode
from app.core.floor import contact, observation
from app.core.problem import Problem
from app.ports.sources import KEPT_REFUSALS
from app.services.refusals import Faulty, refusal
from tests.support.builders import NOW, a_contact, after, an_observation

AT = "2026-11-21T15:00:00Z"
NUMBER = "+49 170 1234567"
PRIVATE = (NUMBER, "Erika Mustermann", "erika@example.com", "0170 1234567", " 4917012345678", "tel:5551234567")


def kept_of(items, problems):
    """Return what is kept of items that are decoded already, as the service does."""
    faults = [(fault, getattr(item, fault.pointer[1:], None)) for item in items for fault in problems(item, after(0))]
    return [refusal(fault, value, NOW) for fault, value in faults]


async def kept_of_body(form, body):
    """Return what is kept of a body whose items cannot be read."""
    decoded = await decode(form, body.encode(), "application/json", None, "acd")
    (faulty,) = decoded.refused.values()
    return [refusal(fault, value, NOW) for fault, value in faulty.faults]


@pytest.mark.parametrize("value", [-3, -9_999_999, 12.5])
def test_a_number_is_kept_with_the_reason(value):
    (kept,) = kept_of([an_observation(backlog=value)], observation.problems)
    assert (kept.pointer, kept.value) == ("/backlog", str(value))
    assert str(value) in kept.detail


@pytest.mark.parametrize("value", [4917012345678, 15551234567.0, -4917012345678, 10**400])
@pytest.mark.parametrize("field", ["backlog", "oldest_wait_seconds", "observed_at"])
def test_a_number_that_may_be_a_callers_is_not_kept(field, value):
    (kept, *_) = kept_of([an_observation(backlog=1)._replace(**{field: value})], observation.problems)
    assert kept.value is None
    assert "1234567" not in kept.detail


def test_a_time_is_kept_with_the_reason():
    (kept,) = kept_of([an_observation(observed_at=after(900))], observation.problems)
    assert kept.pointer == "/observed_at"
    assert kept.value == "2026-11-21T15:15:00+00:00"


@pytest.mark.parametrize(
    "text", ["12", "-3", "71,5 %", "0.5%", "2026-11-21", "2026-11-21 15:04:05", "2026-11-21T15:04"]
)
async def test_a_text_that_is_nearly_a_number_or_a_time_is_kept(text):
    (kept,) = await kept_of_body(OBSERVATIONS, f'{{"queue":"q","observed_at":"{AT}","backlog":"{text}"}}')
    assert kept.value == f"'{text}'"


@pytest.mark.parametrize("text", PRIVATE)
@pytest.mark.parametrize("field", ["backlog", "observed_at", "queue"])
async def test_nothing_of_a_caller_is_kept_of_an_observation(text, field):
    members = {"queue": '"q"', "observed_at": f'"{AT}"', "backlog": "1"} | {field: f'"{text}"'}
    body = ",".join(f'"{name}":{value}' for name, value in members.items())
    decoded = await decode(OBSERVATIONS, f"{{{body}}}".encode(), "application/json", None, "acd")
    faults = [pair for faulty in decoded.refused.values() for pair in faulty.faults]
    faults += [
        (fault, getattr(item, fault.pointer[1:], None))
        for item in decoded.items
        for fault in observation.problems(item, NOW)
    ]
    for fault, value in faults:
        kept = refusal(fault, value, NOW)
        assert kept.value is None
        assert text.strip() not in kept.detail


@pytest.mark.parametrize("text", PRIVATE)
@pytest.mark.parametrize("field", ["contact_id", "agent", "reason", "campaign", "channel", "event"])
def test_nothing_of_a_caller_is_kept_of_a_contact_event(text, field):
    for kept in kept_of([a_contact()._replace(**{field: text})], contact.problems):
        assert kept.value is None
        assert text.strip() not in kept.detail
        assert kept.pointer == f"/{field}"


@pytest.mark.parametrize(
    "body",
    [
        '{"contact_id":4917012345678,"queue":"q","event":"queued","at":"{AT}","source":"s"}',
        f'{{"contact_id":"c","queue":"q","event":"{NUMBER}","at":"{AT}","source":"s"}}',
        f'{{"contact_id":"c","queue":"q","event":"queued","at":"{NUMBER}","source":"s"}}',
        f'{{"contact_id":"c","queue":"q","event":"queued","at":"{AT}","source":"s","{NUMBER}":1}}',
        f'{{"contact_id":"c","queue":"q","event":"queued","at":"{AT}","source":"s","a/{NUMBER}~":1}}',
        f'{{"contact_id":"c","queue":"q","event":"queued","at":"{AT}","source":"s","caller_id":"{NUMBER}"}}',
        f'["{NUMBER}"]',
    ],
)
async def test_nothing_of_a_caller_is_kept_of_what_cannot_be_read(body):
    for kept in await kept_of_body(CONTACTS, body):
        assert "4567" not in f"{kept.pointer} {kept.detail} {kept.value}"
        assert kept.value is None


async def test_a_field_that_is_refused_by_its_name_is_named():
    body = f'{{"contact_id":"c","queue":"q","event":"queued","at":"{AT}","source":"s","caller_id":"{NUMBER}"}}'
    (kept,) = await kept_of_body(CONTACTS, body)
    assert kept.pointer == "/caller_id"
    assert "names and numbers of callers are never accepted" in kept.detail


def test_of_many_faults_the_last_ones_stay():
    faulty = Faulty()
    for number in range(100):
        faulty.add([(Problem("/backlog", f"fault {number}"), number)])
    assert faulty.count == 100
    assert [problem.detail for problem, _ in faulty.faults] == [f"fault {n}" for n in range(100 - KEPT_REFUSALS, 100)]
