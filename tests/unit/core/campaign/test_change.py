from dataclasses import replace

import pytest

from app.core.campaign.campaign import CampaignState, Release, ReleaseMode
from app.core.campaign.change import changed, drafted, merged
from app.core.campaign.machine import CampaignStep, StepRefused, step
from app.core.campaign.request import PlanRefused, parse_plan
from app.core.event import Actor
from tests.support.builders import NOW, after

ANN = Actor("key_1", "ann")
DOCUMENT = {
    "title": "Spring",
    "audience": 1_000,
    "earliest_start": "2026-11-21T18:00:00Z",
    "contacts_per_1000": 20,
    "release": {"mode": "waves", "audience_per_wave": 100, "wave_gap_seconds": 60},
}


@pytest.fixture
def draft():
    return drafted(parse_plan(DOCUMENT, owner="ann", now=NOW), NOW)


@pytest.fixture
def announced(draft):
    return step(draft, CampaignStep.SCHEDULE, ANN, now=NOW)[0]


def change(campaign, committed=0, at=60, **members):
    plan = parse_plan(merged(campaign, members), owner="ann", now=after(at))
    return changed(campaign, plan, committed, ANN, after(at))


@pytest.mark.parametrize(
    "members",
    [
        {"earliest_start": "2026-11-21T17:59:59Z"},
        {"earliest_start": None},
        {"audience": 1_001},
        {"contacts_per_1000": 21},
        {"gate": "other"},
        {"audience": 1_100, "holdout_ratio": 0.05},
    ],
)
def test_more_or_sooner_than_was_announced_is_announced_anew(announced, members):
    assert change(announced, **members).announced_at == after(60)


@pytest.mark.parametrize(
    "members",
    [
        {"earliest_start": "2026-11-21T19:00:00Z"},
        {"audience": 999},
        {"contacts_per_1000": 1},
        {"contacts_per_1000": None},
        {"title": "Spring, second try"},
        {"audience": 1_100, "holdout_ratio": 0.1},
        {"queue_mix": {"orders-voice": 1}},
        {"release": {"audience_per_wave": 50}},
    ],
)
def test_later_or_less_needs_no_new_notice(announced, members):
    assert change(announced, **members).announced_at == NOW


def test_a_draft_is_announced_by_no_change(draft):
    assert change(draft, audience=10**6).announced_at is None


def test_members_of_the_release_change_one_by_one(announced):
    release = change(announced, release={"audience_per_wave": 50}).release
    assert release == Release(ReleaseMode.WAVES, 50, 60.0)


def test_another_mode_leaves_nothing_of_the_former_one_behind(announced):
    assert change(announced, release={"mode": "when-ready"}).release == Release(ReleaseMode.WHEN_READY)


def test_whose_time_had_come_is_scheduled_again_for_a_later_time(announced):
    waiting = replace(announced, state=CampaignState.WAITING, earliest_start=NOW)
    assert change(waiting, earliest_start="2026-11-21T16:00:00Z").state is CampaignState.SCHEDULED
    assert change(waiting, title="Other").state is CampaignState.WAITING


@pytest.mark.parametrize("name", ["gate", "earliest_start", "traffic_class"])
def test_what_was_started_keeps_its_gate_its_start_and_its_class(announced, name):
    started = replace(announced, state=CampaignState.RELEASING, started_at=NOW)
    value = {"gate": "other", "earliest_start": None, "traffic_class": "service"}[name]
    with pytest.raises(PlanRefused) as refused:
        change(started, **{name: value})
    assert [problem.pointer for problem in refused.value.problems] == [f"/{name}"]


def test_what_was_started_still_changes_its_waves_its_deadline_and_its_audience(announced):
    started = replace(announced, state=CampaignState.RELEASING, started_at=NOW)
    after_it = change(started, 300, audience=300, give_up_at="2026-11-22T00:00:00Z", release={"wave_gap_seconds": 5})
    assert (after_it.audience, after_it.release.wave_gap_seconds) == (300, 5.0)


def test_an_audience_below_what_is_out_already_is_refused(announced):
    with pytest.raises(PlanRefused, match="299 is too few: 300 were sent"):
        change(announced, 300, audience=299)


def test_the_id_stays(announced):
    with pytest.raises(PlanRefused, match="the id cannot be changed"):
        change(announced, id="summer")


def test_what_has_ended_is_not_changed(announced):
    with pytest.raises(StepRefused, match="has ended"):
        change(replace(announced, state=CampaignState.DONE), title="Again")
