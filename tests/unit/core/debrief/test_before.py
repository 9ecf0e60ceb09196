from dataclasses import replace

import pytest

from app.core.campaign.briefing import Acknowledgement, Briefing
from app.core.campaign.campaign import Campaign, CampaignState, Release, ReleaseMode
from app.core.debrief.before import due_at, is_briefed, limits_of, wanted
from app.core.debrief.question import Limit
from app.core.floor.metric import Metric
from app.core.gate.policy import parse_policy
from tests.support.builders import NOW, after

CAMPAIGN = Campaign(
    "spring", "Spring", "default", 1_000, "Kim", after(-9_000), state=CampaignState.DONE, announced_at=after(-7_200),
    earliest_start=after(-3_600), started_at=after(-1_800), release=Release(ReleaseMode.WHEN_READY),
)  # fmt: skip


def released(mode: ReleaseMode) -> Campaign:
    return replace(CAMPAIGN, release=Release(mode))


def test_its_time_has_come_when_it_is_announced_and_its_start_is_there():
    assert due_at(CAMPAIGN) == after(-3_600)
    assert due_at(replace(CAMPAIGN, announced_at=after(-60))) == after(-60)
    assert due_at(replace(CAMPAIGN, earliest_start=None)) == after(-7_200)
    assert due_at(replace(CAMPAIGN, announced_at=None)) is None


@pytest.mark.parametrize(
    ("mode", "seconds"),
    [
        (ReleaseMode.WHEN_READY, -3_600),
        (ReleaseMode.WAVES, -3_600),
        (ReleaseMode.MANUAL, -1_800),  # somebody started it
        (ReleaseMode.BY_TOOL, -3_000),  # its tool asked first once its time had come
    ],
)
def test_when_it_was_to_go_depends_on_who_lets_it_go(mode, seconds):
    asked = [after(-5_000), after(-3_000), after(-100)]
    assert wanted(released(mode), asked, NOW) == after(seconds)


def test_it_was_never_to_go_later_than_it_went():
    assert wanted(CAMPAIGN, [], after(-4_000)) == after(-4_000)
    assert wanted(released(ReleaseMode.BY_TOOL), [], NOW) == NOW
    assert wanted(released(ReleaseMode.BY_TOOL), [], None) is None
    assert wanted(replace(released(ReleaseMode.MANUAL), started_at=None), [], None) is None


def a_briefing(*read: tuple[str, float, int], by: tuple[str, ...] = ("orders", "care")) -> Briefing:
    done = tuple(Acknowledgement(name, "Dana", after(seconds), version) for name, seconds, version in read)
    return Briefing("spring", "20 %", "all", (), (), by, "Kim", after(-8_000), 2, (), done)


@pytest.mark.parametrize(
    ("briefing", "is_required", "said"),
    [
        (None, False, None),
        (None, True, False),
        (a_briefing(), False, False),
        (a_briefing(("orders", -60, 2)), False, False),
        (a_briefing(("orders", -60, 2), ("care", -50, 2)), False, True),
        (a_briefing(("orders", -60, 2), ("care", 50, 2)), False, False),  # one of them too late
        (a_briefing(("orders", -60, 1), ("care", -50, 2)), False, False),  # each another version
        (a_briefing(("orders", -60, 1), ("care", -50, 1), ("care", 50, 2)), True, True),  # changed after it went
        (a_briefing(("anybody", -60, 2), by=()), True, True),
    ],
)
def test_a_briefing_is_read_in_time_when_all_who_had_to_read_one_version_before(briefing, is_required, said):
    assert is_briefed(briefing, NOW, is_required=is_required) is said


def a_policy(*rules, **members):
    return parse_policy({"queues": ["*"], "rules": list(rules)} | members)


def test_limits_are_those_of_the_rules_the_strictest_of_several():
    policy = a_policy(
        {"metric": "backlog", "hold_above": 10},
        {"metric": "service_level_ratio", "hold_below": 0.7},
        {"metric": "service_level_ratio", "hold_below": 0.8, "window_seconds": 900},
        {"metric": "oldest_wait_seconds", "hold_above": 60},
    )
    assert limits_of(policy) == (
        Limit(Metric.BACKLOG, 10.0, is_least=False),
        Limit(Metric.SERVICE_LEVEL_RATIO, 0.8, is_least=True),
    )


def test_where_no_rule_limits_a_metric_the_outlook_does():
    policy = a_policy({"metric": "backlog", "hold_above": 10}, outlook={"speed_to_answer_seconds": 30, "backlog": 5})
    assert limits_of(policy) == (
        Limit(Metric.BACKLOG, 10.0, is_least=False),
        Limit(Metric.SPEED_TO_ANSWER_SECONDS, 30.0, is_least=False),
    )
    assert limits_of(a_policy({"metric": "oldest_wait_seconds", "hold_above": 60})) == ()
    assert limits_of(None) == ()
