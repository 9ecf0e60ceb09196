from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from app.core.staffing.refused import StaffingRefused
from app.core.staffing.schedule import (
    MOST_AGENTS,
    MOST_DAYS,
    Interval,
    Placed,
    Span,
    agents_by_minute,
    day_span,
    day_total,
    inside,
    outside,
    schedule_days,
    weeks_before,
)

CHICAGO = "America/Chicago"
MIDNIGHT = datetime(2026, 11, 23, 6, tzinfo=UTC)  # in Chicago


def at(hours, minutes=0):
    return MIDNIGHT + timedelta(hours=hours, minutes=minutes)


def placed(*intervals):
    return [
        Placed(Interval(*each), f"/intervals/{number}", f"interval {number}") for number, each in enumerate(intervals)
    ]


def refusals(*intervals, time_zone=CHICAGO):
    with pytest.raises(StaffingRefused) as refused:
        schedule_days(placed(*intervals), time_zone)
    return [(problem.pointer, problem.detail) for problem in refused.value.problems]


def test_a_day_is_whole_with_nobody_before_its_first_interval_and_after_its_last():
    (day,) = schedule_days(placed((at(8), at(9), 5.0), (at(9), at(10), 6.5)), CHICAGO)
    assert day.day == date(2026, 11, 23)
    assert day.intervals == (
        Interval(at(0), at(8), 0.0),
        Interval(at(8), at(9), 5.0),
        Interval(at(9), at(10), 6.5),
        Interval(at(10), at(24), 0.0),
    )


def test_an_interval_over_midnight_belongs_to_both_days():
    first, second = schedule_days(placed((at(22), at(26), 3.0)), CHICAGO)
    assert first.intervals[-1] == Interval(at(22), at(24), 3.0)
    assert second.intervals[0] == Interval(at(24), at(26), 3.0)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 7, 1), 24)])
def test_a_local_day_is_as_long_as_its_clocks_make_it(day, hours):
    span = day_span(day, CHICAGO)
    assert span.end - span.start == timedelta(hours=hours)


def test_a_gap_is_refused_unless_it_is_closed_and_then_nobody_is_there():
    gap = ((at(8), at(12), 5.0), (at(13), at(17), 5.0))
    ((pointer, said),) = refusals(*gap)
    assert pointer == "/intervals/1"
    assert "nothing says who is there on 2026-11-23 from 12:00 to 13:00 (America/Chicago)" in said
    (day,) = schedule_days(placed(*gap), CHICAGO, is_closed=lambda span: span == Span(at(12), at(13)))
    assert Interval(at(12), at(13), 0.0) in day.intervals


def test_an_overlap_is_refused_and_names_both_also_with_a_long_one_further_back():
    found = refusals((at(8), at(12), 5.0), (at(8, 30), at(9), 1.0), (at(11), at(13), 5.0))
    assert [pointer for pointer, _ in found] == ["/intervals/1", "/intervals/2"]
    assert all("overlaps interval 0" in said for _, said in found)


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ((at(8), at(9), -1.0), "-1 agents: a number from 0 to 100,000 is allowed"),
        ((at(8), at(9), float("nan")), "nan agents"),
        ((at(8), at(9), float("inf")), "inf agents"),
        ((at(8), at(9), MOST_AGENTS + 1), "a number from 0 to 100,000 is allowed"),
        ((at(8), at(8), 5.0), "it begins and ends at"),
        ((at(9), at(8), 5.0), "before it begins"),
        ((at(8), at(33), 5.0), "at most 24 hours"),
        ((at(8) + timedelta(seconds=5), at(9), 5.0), "must be a whole minute"),
        ((datetime(1989, 1, 1, tzinfo=UTC), datetime(1989, 1, 1, 1, tzinfo=UTC), 5.0), "the years 1990 to 2199"),
    ],
)
def test_an_interval_of_no_world_is_refused(interval, said):
    found = refusals(interval)
    assert any(said in detail for _, detail in found)
    assert {pointer for pointer, _ in found} == {"/intervals/0"}


def test_nothing_and_too_many_days_are_refused():
    assert refusals() == [("", "there is no interval; send at least one")]
    days = [(at(24 * day + 8), at(24 * day + 9), 5.0) for day in range(MOST_DAYS + 1)]
    assert refusals(*days, time_zone="UTC")[0][1].endswith("days are more than 400; send fewer")


def test_agents_by_minute_are_unknown_where_no_interval_is():
    found = agents_by_minute([Interval(at(0), at(0, 2), 5.5), Interval(at(0, 4), at(0, 5), 7)], at(0, -1), 7)
    np.testing.assert_array_equal(found, [np.nan, 5.5, 5.5, np.nan, np.nan, 7, np.nan])


def test_a_minute_that_straddles_a_change_has_the_lower_side():
    intervals = [Interval(at(0), at(0, 2), 5), Interval(at(0, 2), at(0, 3), 9), Interval(at(0, 3), at(0, 9), 2)]
    found = agents_by_minute(intervals, at(0) + timedelta(seconds=30), 4)
    assert found.tolist() == [5, 5, 2, 2]


def test_what_lies_inside_and_outside_of_a_span_is_cut_at_its_ends():
    intervals, span = [Interval(at(0), at(4), 5), Interval(at(4), at(8), 6)], Span(at(1), at(5))
    assert inside(intervals, span) == [Interval(at(1), at(4), 5), Interval(at(4), at(5), 6)]
    assert outside(intervals, [span]) == [Interval(at(0), at(1), 5), Interval(at(5), at(8), 6)]


def test_a_day_comes_to_agent_hours_and_the_most_at_once():
    assert day_total([]) is None
    total = day_total([Interval(at(0), at(8), 0), Interval(at(8), at(8, 30), 12.5), Interval(at(8, 30), at(9), 10)])
    assert total == (2, 11.25, 12.5)


def test_a_week_before_is_the_same_time_on_the_wall_clock_across_a_change_of_the_clocks():
    start = datetime(2026, 11, 1, 5, tzinfo=UTC)  # midnight in Chicago; at 07:00 UTC clocks go back
    first, second = weeks_before(start, 6 * 60, CHICAGO)
    assert first == (0, 120, datetime(2026, 10, 25, 5, tzinfo=UTC))
    assert second == (120, 360, datetime(2026, 10, 25, 6, tzinfo=UTC))
    inside_a_minute = weeks_before(start + timedelta(seconds=27), 6 * 60, CHICAGO)
    assert [(piece.first, piece.last) for piece in inside_a_minute] == [(0, 120), (120, 360)]
