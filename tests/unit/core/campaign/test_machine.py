from dataclasses import replace

import pytest

from app.core.campaign.campaign import ENDED, PAUSED_BY_GATE, Campaign, CampaignState, Release, ReleaseMode
from app.core.campaign.machine import BY_PERSONS, MACHINE, TOLD_AS, CampaignStep, StepRefused, allowed, step
from app.core.event import HOLDFIRE, Actor, EventType
from tests.support.builders import NOW, after

ANN = Actor("key_1", "ann")
S, DO = CampaignState, CampaignStep


def a_campaign(state=S.WAITING, mode=ReleaseMode.WHEN_READY, **members):
    return Campaign("spring", "Spring", "default", 1_000, "ann", NOW, state=state, release=Release(mode), **members)


def test_every_step_out_of_every_state_is_in_the_table_or_refused():
    for state in S:
        for what in DO:
            mode = ReleaseMode.MANUAL if what is DO.START else ReleaseMode.WHEN_READY
            by = "ann" if what in (DO.RESUME, DO.HOLD) else PAUSED_BY_GATE
            campaign = a_campaign(state, mode, paused_by=by if state is S.PAUSED else None)
            if (state, what) in MACHINE:
                moved, told = step(campaign, what, ANN, "because", now=after(5))
                assert moved.state is MACHINE[state, what]
                assert (told.at, told.actor, told.reason, told.subject) == (after(5), ANN, "because", "campaign/spring")
                assert told.before is not None
                assert told.after is not None
                assert (told.before["state"], told.after["state"]) == (state, moved.state)
            else:
                with pytest.raises(StepRefused, match="'spring'"):
                    step(campaign, what, now=NOW)


def test_nothing_leads_out_of_an_end_and_every_other_state_has_a_way_to_one():
    reached = {state: {target for (source, _), target in MACHINE.items() if source is state} for state in S}
    assert all(not reached[state] for state in ENDED)
    for state in set(S) - ENDED:
        seen, open_ = set[CampaignState](), [state]
        while open_:
            seen |= (new := reached[open_.pop()] - seen)
            open_ += new
        assert seen >= ENDED


def test_every_step_has_an_event_to_tell_of_it():
    assert set(TOLD_AS) == set(DO)


def test_scheduling_announces():
    scheduled, told = step(a_campaign(S.DRAFT), DO.SCHEDULE, ANN, now=after(60))
    assert (scheduled.state, scheduled.announced_at) == (S.SCHEDULED, after(60))
    assert told.type is EventType.CAMPAIGN_SCHEDULED


def test_a_hold_of_the_gate_passes_by_itself():
    held, told = step(a_campaign(S.RELEASING, started_at=NOW), DO.HOLD, HOLDFIRE, "backlog", now=after(1))
    assert (held.state, held.paused_by, held.reason) == (S.PAUSED, PAUSED_BY_GATE, "backlog")
    assert told.type is EventType.CAMPAIGN_PAUSED
    on, told = step(held, DO.RELEASE, now=after(2))
    assert (on.state, on.paused_by, on.started_at) == (S.RELEASING, None, NOW)
    assert told.type is EventType.CAMPAIGN_RESUMED


def test_what_a_person_paused_only_a_person_resumes():
    paused, _ = step(a_campaign(S.RELEASING), DO.PAUSE, ANN, "wrong link", now=NOW)
    assert paused.paused_by == "ann"
    with pytest.raises(StepRefused, match="paused by ann; a person has to resume it"):
        step(paused, DO.RELEASE, now=NOW)
    resumed, told = step(paused, DO.RESUME, ANN, now=NOW)
    assert (resumed.state, resumed.paused_by) == (S.SCHEDULED, None)
    assert told.type is EventType.CAMPAIGN_RESUMED


def test_a_person_may_take_over_the_gates_pause_and_then_it_stays():
    held = a_campaign(S.PAUSED, paused_by=PAUSED_BY_GATE)
    with pytest.raises(StepRefused, match="goes on by itself"):
        step(held, DO.RESUME, ANN, now=NOW)
    kept, _ = step(held, DO.PAUSE, ANN, now=NOW)
    assert kept.paused_by == "ann"
    with pytest.raises(StepRefused, match="paused already, by ann"):
        step(kept, DO.PAUSE, Actor("key_2", "bob"), now=NOW)


def test_a_key_that_is_called_gate_pauses_as_a_person():
    paused, _ = step(a_campaign(S.RELEASING), DO.PAUSE, Actor("key_9", "gate"), now=NOW)
    assert paused.paused_by == "key_9"
    with pytest.raises(StepRefused):
        step(paused, DO.RELEASE, now=NOW)


def test_only_a_person_starts_what_is_released_by_hand():
    manual = a_campaign(S.WAITING, ReleaseMode.MANUAL)
    assert manual.awaits_start
    with pytest.raises(StepRefused, match="a person has to start it"):
        step(manual, DO.RELEASE, now=NOW)
    started, told = step(manual, DO.START, ANN, now=NOW)
    assert (started.state, started.started_at, told.type) == (S.RELEASING, NOW, EventType.CAMPAIGN_STARTED)
    assert not started.awaits_start


def test_what_goes_by_itself_is_not_started_by_hand():
    with pytest.raises(StepRefused, match="starts by itself, when its gate lets it"):
        step(a_campaign(S.WAITING), DO.START, ANN, now=NOW)


@pytest.mark.parametrize(
    ("state", "possible"),
    [
        (S.DRAFT, "possible are: schedule, delete"),
        (S.SCHEDULED, "possible are: pause, cancel"),
        (S.DONE, "it has ended"),
    ],
)
def test_a_refusal_names_what_is_possible(state, possible):
    with pytest.raises(StepRefused, match=possible):
        step(a_campaign(state), DO.START, ANN, now=NOW)


@pytest.mark.parametrize("what", [DO.SCHEDULE, DO.RESUME])
def test_past_its_deadline_nobody_can_set_it_going(what):
    state = S.DRAFT if what is DO.SCHEDULE else S.PAUSED
    campaign = a_campaign(state, paused_by="ann", give_up_at=after(10))
    step(campaign, what, ANN, now=after(9))
    with pytest.raises(StepRefused, match="change give_up_at first"):
        step(campaign, what, ANN, now=after(10))


def test_what_is_offered_to_a_person_is_what_is_taken_from_them():
    for state in S:
        for mode in ReleaseMode:
            for by in (None, "ann", PAUSED_BY_GATE):
                campaign = a_campaign(state, mode, paused_by=by)
                offered = allowed(campaign)
                for what in BY_PERSONS:
                    if what in offered:
                        step(campaign, what, ANN, now=NOW)
                    else:
                        with pytest.raises(StepRefused):
                            step(campaign, what, ANN, now=NOW)


def test_a_step_leaves_the_revision_to_the_store():
    assert step(replace(a_campaign(), revision=7), DO.PAUSE, ANN, now=NOW)[0].revision == 7
