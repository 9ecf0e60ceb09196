from datetime import datetime, timedelta, timezone

import pytest

from app.core.floor.observation import Observation, problems
from tests.support.builders import NOW, after, an_observation

WHOLE = an_observation(
    channel="voice",
    backlog=12,
    oldest_wait_seconds=94,
    contacts_in_progress=36,
    agents_staffed=40,
    agents_available=1,
    agents_busy=36,
    speed_to_answer_seconds=34.0,
    handle_time_seconds=310.0,
    service_level_ratio=0.71,
    abandonment_ratio=0.04,
    occupancy_ratio=0.97,
    window_seconds=300,
    offered=52,
    answered=47,
    abandoned=3,
    answered_within_target=38,
    wait_seconds_sum=1598.0,
    handle_seconds_sum=14570.0,
)


@pytest.mark.parametrize(
    "observation",
    [
        WHOLE,
        an_observation(backlog=0),
        an_observation(speed_to_answer_seconds=30.0),  # ready-made, the window is not known
        an_observation(service_level_ratio=1, occupancy_ratio=0),
        an_observation(backlog=1_000_000_000),
        an_observation(observed_at=after(300), backlog=1),
        an_observation(observed_at=datetime(1999, 2, 1, tzinfo=timezone(timedelta(hours=2))), backlog=1),
        an_observation(window_seconds=86_400, abandoned=0),
        an_observation(queue="Aufträge Süd", backlog=1),
        an_observation(queue="q" * 128, backlog=1),
    ],
)
def test_an_observation_as_the_contract_wants_it_has_no_problem(observation):
    assert problems(observation, NOW) == ()


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"queue": ""}, "/queue", "1 to 128 characters"),
        ({"queue": "q" * 129}, "/queue", "129 characters"),
        ({"queue": " orders"}, "/queue", "space"),
        ({"source": "acd\n"}, "/source", "unprintable"),
        ({"source": None}, "/source", "not text"),
        ({"channel": "voice "}, "/channel", "space"),
        ({"queue": ["orders"]}, "/queue", "type list"),
        ({"backlog": -1}, "/backlog", "-1 is outside 0 to 1000000000"),
        ({"backlog": 1_000_000_001}, "/backlog", "outside"),
        ({"backlog": 1.5}, "/backlog", "whole number"),
        ({"backlog": True}, "/backlog", "whole number"),
        ({"backlog": "12"}, "/backlog", "'12' is not a whole number"),
        ({"agents_busy": 10**5000}, "/agents_busy", "more than 60 digits"),
        ({"oldest_wait_seconds": float("nan")}, "/oldest_wait_seconds", "finite"),
        ({"speed_to_answer_seconds": float("inf")}, "/speed_to_answer_seconds", "finite"),
        ({"handle_time_seconds": -0.1}, "/handle_time_seconds", "outside"),
        ({"service_level_ratio": 71}, "/service_level_ratio", "not a percentage"),
        ({"abandonment_ratio": -0.01}, "/abandonment_ratio", "outside 0 to 1"),
        ({"window_seconds": 0, "backlog": 1}, "/window_seconds", "above 0"),
        ({"window_seconds": 86_401, "backlog": 1}, "/window_seconds", "at most 86400"),
        ({"window_seconds": 300}, "", "no metric"),
        ({"offered": 4}, "/offered", "needs window_seconds"),
        ({"window_seconds": 60, "wait_seconds_sum": 4.0}, "/wait_seconds_sum", "needs answered"),
        ({"window_seconds": 60, "handle_seconds_sum": 4.0}, "/handle_seconds_sum", "needs answered"),
        ({"window_seconds": 60, "answered": 0, "answered_within_target": 1}, "/answered_within_target", "more than"),
    ],
)
def test_a_fault_is_refused_with_its_pointer_and_a_sentence(fields, pointer, words):
    fields = fields if fields.keys() - {"queue", "source", "channel"} else {"backlog": 1, **fields}
    (problem,) = problems(an_observation(**fields), NOW)
    assert problem.pointer == pointer
    assert words in problem.detail


def test_a_time_too_far_ahead_is_refused_and_both_clocks_are_named():
    (problem,) = problems(an_observation(observed_at=after(301)), NOW)
    assert problem.pointer == "/observed_at"
    assert "15:05:01" in problem.detail
    assert "15:00:00" in problem.detail


@pytest.mark.parametrize("observed_at", [NOW.replace(tzinfo=None), None, 0, "2026-11-21T15:00:00Z"])
def test_a_time_without_a_zone_or_of_a_wrong_type_is_refused(observed_at):
    (problem,) = problems(an_observation(observed_at=observed_at), NOW)
    assert problem.pointer == "/observed_at"


def test_every_fault_is_named_not_only_the_first():
    broken = Observation("", NOW, " ", backlog=-1, service_level_ratio=2.0)
    assert [p.pointer for p in problems(broken, NOW)] == ["/queue", "/source", "/backlog", "/service_level_ratio"]


def test_an_observation_without_any_metric_is_refused():
    assert [p.pointer for p in problems(Observation("orders", NOW, "acd-1", "voice"), NOW)] == [""]
