from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.web.debrief.chart import HEIGHT, LEFT, WIDTH, Span, chart

START = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")


def drawn(*values, steps=48, step_seconds=300, start=START):
    span = Span(start, step_seconds, steps, CHICAGO)
    return chart("Backlog", "contacts", [("measured", "measured", values)], span, "what it shows")


def test_what_is_not_known_breaks_the_curve():
    assert drawn(1.0, 2.0, 3.0).curves[0].path.count("M") == 1
    assert drawn(1.0, None, 3.0).curves[0].path.count("M") == 2
    assert drawn(None, None).curves[0].path == ""


@pytest.mark.parametrize(
    ("highest", "top"), [(0.0, "1"), (7.0, "8"), (102.0, "150"), (241.0, "300"), (1_000.0, "1,000")]
)
def test_the_scale_begins_at_nothing_and_ends_at_a_round_number_above_everything(highest, top):
    found = drawn(highest)
    assert (found.heights[0].text, found.heights[-1].text) == ("0", top)
    assert 2 <= len(found.heights) <= 6


def test_everything_lies_inside_the_box():
    found = drawn(*(float(number % 7) for number in range(48)))
    places = [tuple(map(float, each.split())) for each in found.curves[0].path[1:].split("L")]
    assert all(LEFT <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert [x for x, _ in places] == sorted(x for x, _ in places)


@pytest.mark.parametrize(
    ("steps", "times"),
    [
        (12, ["09:00", "09:15", "09:30", "09:45", "10:00"]),
        (48, ["09:00", "10:00", "11:00", "12:00", "13:00"]),
        (288, ["09:00", "12:00", "15:00", "18:00", "21:00", "00:00", "03:00", "06:00", "09:00"]),
    ],
)
def test_times_are_full_hours_of_the_gates_zone(steps, times):
    assert [tick.text for tick in drawn(1.0, steps=steps).times] == times


def test_the_first_time_is_the_first_full_hour_after_the_start():
    found = drawn(1.0, start=START.replace(minute=40))
    assert found.times[0].text == "10:00"
    assert found.times[0].at > LEFT
