"""Numbers as people read them."""

from datetime import timedelta

import pytest

from app.core.floor.metric import Metric
from app.core.gate import wording
from tests.support.floors import NOON


@pytest.mark.parametrize(
    ("value", "limit", "unit", "said"),
    [
        (14, 10, "contacts", ("14", "10")),
        (12_345, 10, "contacts", ("12,345", "10")),
        (71.4, 60, "seconds", ("71 s", "60 s")),
        (60.2, 60, "seconds", ("60.2 s", "60 s")),
        (0.71, 0.75, "ratio", ("71 %", "75 %")),
        (0.7496, 0.75, "ratio", ("74.96 %", "75 %")),
        (0.5, 0.075, "ratio", ("50 %", "7.5 %")),
        (5, 5, "contacts", ("5", "5")),
        (0.29, 0.29, "ratio", ("29 %", "29 %")),
        (10, 2.5, "contacts", ("10", "2.5")),
        (100, 20, "contacts", ("100", "20")),
    ],
)
def test_a_value_beside_its_limit_is_told_apart_from_it(value: float, limit: float, unit: str, said: tuple[str, str]):
    assert wording.pair(value, limit, unit) == said


@pytest.mark.parametrize(
    ("metric", "window_seconds", "said"),
    [
        (Metric.BACKLOG, None, "14 waiting"),
        (Metric.AGENTS_AVAILABLE, None, "14 agents available"),
        (Metric.SERVICE_LEVEL_RATIO, 900, "service level 14 over 15 min"),
        (Metric.HANDLE_TIME_SECONDS, 90, "handle time 14 over 90 s"),
    ],
)
def test_a_value_in_its_metrics_words(metric: Metric, window_seconds: float | None, said: str):
    assert wording.phrase(metric, "14", window_seconds) == said


@pytest.mark.parametrize(
    ("after", "time_zone", "said"),
    [
        (timedelta(), "UTC", "12:00"),
        (timedelta(seconds=1), "UTC", "12:01"),
        (timedelta(minutes=1), "UTC", "12:01"),
        (timedelta(hours=11, minutes=59, seconds=30), "UTC", "Tue 2026-11-24 00:00"),
        (timedelta(hours=13), "America/Chicago", "19:00"),
    ],
)
def test_an_instant_in_the_policys_zone_is_rounded_up_to_a_minute(after: timedelta, time_zone: str, said: str):
    assert wording.clock_time(NOON + after, NOON, time_zone) == said
