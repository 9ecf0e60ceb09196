"""What can become of a permit."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from app.core.event import HOLDFIRE, Actor, EventType
from app.core.permit.permit import LIVE, MACHINE, Permit, PermitState, PermitStep
from app.core.permit.steps import EVENT_OF, StepRefused, expire, granted, is_for, is_over, renew, report, step, take
from tests.support.builders import NOW, after

ANN = Actor("key1", "ann")
PERMIT = Permit("prm_1", "default", "spring", "key1", "dec_1", 500, 400, PermitState.ACTIVE, NOW, after(3600))
SOON = after(60)


def in_state(state: PermitState, **members: Any) -> Permit:
    return replace(PERMIT, state=state, **members)


@pytest.mark.parametrize(("state", "taken"), list(product(PermitState, PermitStep)))
def test_a_step_leads_where_the_table_says_or_is_refused(state, taken):
    permit = in_state(state)
    if (state, taken) in MACHINE:
        moved = step(permit, taken, SOON, "because")
        assert moved == replace(permit, state=MACHINE[state, taken], changed_at=SOON, reason="because")
    else:
        with pytest.raises(StepRefused, match=f"is {state}, so it cannot {taken}"):
            step(permit, taken, SOON)


@pytest.mark.parametrize("state", [state for state in PermitState if state not in LIVE])
def test_nothing_leads_out_of_an_ended_state(state):
    assert not [taken for taken in PermitStep if is_for(in_state(state), taken, SOON)]


def test_every_step_has_its_event():
    for (state, taken), led_to in MACHINE.items():
        permit, (event,) = take(in_state(state), taken, ANN, SOON, "because")
        assert (event.type, event.at, event.actor, event.reason) == (EVENT_OF[taken], SOON, ANN, "because")
        assert (event.subject, event.gate, event.campaign) == ("permit/prm_1", "default", "spring")
        assert event.before is not None
        assert event.after is not None
        assert (event.before["state"], event.after["state"]) == (state, led_to)
        assert permit.state is led_to


def test_a_permit_whose_time_is_over_can_only_expire_or_be_reported_used():
    late = PERMIT.expires_at
    assert is_over(PERMIT, late)
    assert not is_over(PERMIT, after(3599.9))
    assert [each for each in PermitStep if is_for(PERMIT, each, late)] == [PermitStep.REPORT_ALL, PermitStep.EXPIRE]
    with pytest.raises(StepRefused, match="was over at 16:00:00 UTC, so it cannot release"):
        take(PERMIT, PermitStep.RELEASE, ANN, late)


def test_what_has_ended_is_charged_no_longer():
    permit, (event,) = expire(replace(PERMIT, sent=100), PERMIT.expires_at)
    assert (permit.state, permit.outstanding) == (PermitState.EXPIRED, 0)
    assert (event.actor, event.reason) == (HOLDFIRE, "300 of 400 were not reported as sent")


def test_a_report_books_the_total_and_leaves_the_rest_outstanding():
    permit, (event,) = report(PERMIT, 150, ANN, SOON)
    assert (permit.sent, permit.outstanding, permit.state) == (150, 250, PermitState.ACTIVE)
    assert event.type is EventType.PERMIT_REPORTED
    assert (event.before or {})["sent"] == 0
    assert (event.after or {})["sent"] == 150


@pytest.mark.parametrize("total", [0, 149, 150])
def test_a_total_no_higher_than_known_says_nothing_new(total):
    reported, _ = report(PERMIT, 150, ANN, SOON)
    assert report(reported, total, ANN, after(90)) == (reported, ())


@pytest.mark.parametrize("state", sorted(LIVE))
def test_a_report_of_all_that_was_allowed_uses_the_permit(state):
    permit, events = report(in_state(state), 400, ANN, SOON)
    assert (permit.state, permit.outstanding) == (PermitState.USED, 0)
    assert [event.type for event in events] == [EventType.PERMIT_REPORTED, EventType.PERMIT_USED]


def test_more_than_allowed_is_booked_as_it_is_and_said():
    permit, events = report(PERMIT, 450, ANN, SOON)
    assert (permit.sent, permit.outstanding) == (450, 0)
    assert events[0].reason == "50 more than allowed"


@pytest.mark.parametrize("state", [state for state in PermitState if state not in LIVE])
def test_an_ended_permit_takes_reports_and_stays_ended(state):
    permit, (event,) = report(in_state(state), 400, ANN, SOON)
    assert (permit.state, permit.sent) == (state, 400)
    assert event.type is EventType.PERMIT_REPORTED


def test_a_renewed_permit_lives_on_from_now_and_never_shorter():
    longer, (event,) = renew(PERMIT, 3600, ANN, SOON)
    assert longer.expires_at == after(3660)
    assert event.type is EventType.PERMIT_RENEWED
    assert renew(PERMIT, 10, ANN, SOON)[0].expires_at == PERMIT.expires_at


def test_renewing_a_paused_permit_resumes_it():
    permit, events = renew(in_state(PermitState.PAUSED), 3600, ANN, SOON)
    assert permit.state is PermitState.ACTIVE
    assert [event.type for event in events] == [EventType.PERMIT_RENEWED, EventType.PERMIT_RESUMED]


def test_a_paused_permit_of_a_wave_cannot_be_renewed_because_its_wave_is_over():
    with pytest.raises(StepRefused, match="wave 2 of campaign 'spring' with it is over"):
        renew(in_state(PermitState.PAUSED, campaign="spring", wave=2), 3600, ANN, SOON)
    assert renew(in_state(PermitState.ACTIVE, campaign="spring", wave=2), 3600, ANN, SOON)[0].wave == 2


@pytest.mark.parametrize("state", [state for state in PermitState if state not in LIVE])
def test_an_ended_permit_cannot_be_renewed(state):
    with pytest.raises(StepRefused, match=f"is {state}; ask for a new one"):
        renew(in_state(state), 3600, ANN, SOON)


def test_a_permit_whose_time_is_over_cannot_be_renewed():
    with pytest.raises(StepRefused, match="was over at 16:00:00 UTC; ask for a new one"):
        renew(PERMIT, 3600, ANN, PERMIT.expires_at)


def test_a_grant_is_told_with_what_it_allows():
    event = granted(PERMIT, ANN)
    assert (event.type, event.at, event.before) == (EventType.PERMIT_GRANTED, NOW, None)
    assert (event.after or {})["allow"] == 400
