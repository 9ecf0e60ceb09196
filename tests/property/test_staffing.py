"""Staffing never counts on more agents than somebody vouches for, and a schedule survives being written and read."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.core.gate.windows import zone
from app.core.staffing.hours import Open, OpeningHours, open_minutes
from app.core.staffing.refused import StaffingRefused
from app.core.staffing.schedule import Interval, Placed, Span, agents_by_minute, inside, outside, schedule_days
from app.core.staffing.staffing import Asked, Basis, Planned, staffing
from app.core.staffing.upload import Reading, read_schedule
from app.services.staffing_shapes import schedule_csv

NOW = datetime(2026, 10, 31, 12, tzinfo=UTC)
MINUTES = 90
ZONES = st.sampled_from(["UTC", "America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"])
agents = st.one_of(st.none(), st.integers(0, 50), st.floats(0, 50).map(lambda value: round(value, 2)))


def by_minute(pieces):
    """Return an array of stretches of 15 minutes."""
    values = [np.nan if value is None else float(value) for value in pieces]
    return np.repeat(values, 15)[:MINUTES]


arrays = st.lists(agents, min_size=6, max_size=6).map(by_minute)
plans = st.builds(Planned, arrays, arrays, arrays, st.sampled_from([None, NOW, NOW + timedelta(days=1)]))
present = st.one_of(st.none(), st.integers(0, 60))
doors = st.lists(st.booleans(), min_size=MINUTES, max_size=MINUTES).map(lambda each: np.array(each, dtype=np.bool_))


@given(plans, present, doors, st.sampled_from([1.0, 2.0, 2.5]))
def test_no_more_are_counted_than_planned_or_than_are_here_where_nothing_is_planned(plan, here, is_open, concurrency):
    found = staffing(Asked("q", NOW, here, is_open, concurrency), plan)
    best = np.fmax(np.fmax(plan.scheduled, plan.week_before), plan.usual)
    ceiling = np.where(np.isnan(best), 0 if here is None else here, best) * concurrency
    assert (found.agents >= 0).all()
    assert (found.agents <= ceiling + 1e-6).all()
    assert not found.agents[~is_open].any()
    assert found.said


@given(plans, st.integers(0, 60), doors)
def test_one_agent_more_here_never_means_fewer_counted(plan, here, is_open):
    more = staffing(Asked("q", NOW, here + 1, is_open), plan).agents
    assert (more >= staffing(Asked("q", NOW, here, is_open), plan).agents).all()


@given(doors)
def test_what_nobody_knows_is_unknown(is_open):
    nothing = np.full(MINUTES, np.nan)
    found = staffing(Asked("q", NOW, None, is_open), Planned(nothing, nothing, nothing, NOW))
    assert found.basis is Basis.UNKNOWN
    assert not found.agents.any()


def intervals(steps):
    """Return intervals one after another of (quarters of an hour long, agents)."""
    found, at = [], NOW
    for quarters, number in steps:
        found.append(Interval(at, at + timedelta(minutes=15 * quarters), number))
        at = found[-1].ends_at
    return found


schedules = st.lists(
    st.tuples(st.integers(1, 12), st.floats(0, 500).map(lambda n: round(n, 3))), min_size=1, max_size=12
).map(intervals)


def placed(given_intervals):
    return [Placed(each, f"/{number}", f"interval {number}") for number, each in enumerate(given_intervals)]


def whole_days(given_intervals, time_zone):
    return [each for day in schedule_days(placed(given_intervals), time_zone) for each in day.intervals]


@given(schedules, ZONES)
def test_days_are_whole_without_gap_or_overlap_and_keep_every_minute_given(given_intervals, time_zone):
    days = schedule_days(placed(given_intervals), time_zone)
    for day in days:
        edges = [day.span.start, *(each.ends_at for each in day.intervals)]
        assert [each.starts_at for each in day.intervals] == edges[:-1]
        assert edges[-1] == day.span.end
        assert day.span.start.astimezone(zone(time_zone)).date() == day.day
    kept = agents_by_minute(whole_days(given_intervals, time_zone), NOW, 600)
    asked = agents_by_minute(given_intervals, NOW, 600)
    np.testing.assert_array_equal(kept[~np.isnan(asked)], asked[~np.isnan(asked)])


@given(schedules, ZONES)
def test_a_schedule_written_as_a_file_and_read_again_is_the_same(given_intervals, time_zone):
    whole = whole_days(given_intervals, time_zone)
    upload = read_schedule(schedule_csv(whole).encode(), Reading())
    assert [each.interval for each in upload.queues[None]] == whole


@given(schedules, st.integers(0, 2_000), st.integers(1, 2_000))
def test_what_is_inside_and_what_is_outside_of_a_span_make_up_the_whole(given_intervals, start, length):
    begins = NOW + timedelta(minutes=start)
    span = Span(begins, begins + timedelta(minutes=length))
    pieces = sorted([*inside(given_intervals, span), *outside(given_intervals, [span])])
    np.testing.assert_array_equal(
        agents_by_minute(pieces, NOW, 2_200), agents_by_minute(sorted(given_intervals), NOW, 2_200)
    )


def queues_or_problems(content):
    try:
        return read_schedule(content, Reading(time_zone="America/Chicago")).queues
    except StaffingRefused as refused:
        return refused.problems


@given(st.binary(max_size=300))
def test_any_bytes_are_a_schedule_or_are_refused_with_problems(content):
    assert queues_or_problems(b"Date,Time,Agents\n" + content)


cells = st.text(alphabet='0123456789-/.: ,APM+Zé\t"', max_size=14)


@given(st.lists(st.tuples(cells, cells, cells), max_size=6), st.sampled_from([";", "\t"]))
def test_any_cells_are_a_schedule_or_are_refused_with_problems(rows, separator):
    text = "\n".join(separator.join(row) for row in [("Date", "Time", "Agents"), *rows])
    assert queues_or_problems(text.encode())


stretches = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda pair: pair[0] < pair[1])


@given(ZONES, st.lists(stretches, min_size=7, max_size=7), st.integers(0, 365 * 1440), st.sampled_from([0, 31]))
def test_each_minute_is_open_as_its_wall_clock_says(time_zone, week, minute, second):
    hours = OpeningHours(time_zone, tuple((Open(*each),) for each in week))
    start = datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC) + timedelta(minutes=minute)
    found = open_minutes(hours, start, 50)
    for number in (0, 17, 49):
        wall = (start + timedelta(minutes=number)).astimezone(zone(time_zone))
        opens, closes = week[wall.weekday()]
        assert found[number] == (opens <= wall.hour * 60 + wall.minute < closes)
