"""The same day twice, as a picture and in words."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from app.core.simulation.daybook import FiveMinutes, Wave
from app.core.simulation.twins import Day, Twins
from app.web.format import THIN
from app.web.twins.drawing import BOX, GROUND, HEIGHT, TOP, drawing
from app.web.twins.words import rows, verdict

START = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)  # 08:00 in Chicago
PLANNED = START + timedelta(minutes=55)
SAME = [0.0, 5.0, 10.0, 8.0, 20.0, 30.0, 60.0, 40.0, 20.0, 10.0, 12.0]
ALL_AT_ONCE = [*SAME, 200.0, 388.0, 300.0, 90.0]
GATED = [*SAME, 15.0, 40.0, 31.0, 9.0]


def minutes(count):
    return START + timedelta(minutes=count)


def a_day(answers, *waves, gave_up=0):
    series = [FiveMinutes(minutes(5 * place), 12, 0, answer, 0.5) for place, answer in enumerate(answers, start=1)]
    center = [each._replace(answered=20, abandoned=gave_up) for each in series]
    return Day(series, center, waves)


def some_twins(at_once=ALL_AT_ONCE, gated=GATED, *waves, audience=400_000, **changes):
    twins = Twins(
        a_day(at_once, gave_up=9),
        a_day(gated, *waves, gave_up=2),
        queue="Orders (voice)",
        audience=audience,
        planned_at=PLANNED,
        start=START,
        until=minutes(5 * len(gated)),
        end=minutes(13 * 60),
        zone=ZoneInfo("America/Chicago"),
    )
    return replace(twins, **changes)


def said(twins):
    return verdict(twins).replace(THIN, " ")


# --- in words ---------------------------------------------------------------------------------------------------------


def test_before_the_send_both_days_are_said_to_be_the_same():
    assert said(some_twins(SAME, SAME)) == (
        "Until 08:55 both days are the same. Then 400,000 emails leave on one of them."
    )


def test_the_verdict_compares_peaks_and_losses_since_the_send_was_planned():
    assert said(some_twins()) == (
        "Speed to answer peaked at 6 min 28 s all at once, at 40 s gated; 36 customers gave up, against 8. "
        "The gate has let nothing out yet."
    )


def test_the_verdict_says_how_much_of_the_gated_send_is_still_to_come():
    sent = Wave(minutes(60), minutes(65), 20_000), Wave(minutes(70), minutes(74), 20_000)
    assert said(some_twins(ALL_AT_ONCE, GATED, *sent)).endswith("Gated, 40,000 of 400,000 emails are out so far.")
    whole = said(some_twins(ALL_AT_ONCE, GATED, *sent, audience=40_000))
    assert whole.endswith("Gated, all emails were out by 09:14, in 2 waves.")


def test_the_table_has_all_numbers_newest_first():
    listed = [tuple(text.replace(THIN, " ") for text in row) for row in rows(some_twins())]
    assert listed[0] == ("09:15", "1 min 30 s", "9 s", "50 %", "50 %", "9", "2")
    assert listed[-1] == ("08:05", "0 s", "0 s", "50 %", "50 %", "9", "2")
    assert len(listed) == len(GATED)


def test_where_nobody_was_answered_the_table_has_a_dash():
    row = rows(some_twins([*ALL_AT_ONCE, None], [*GATED, 3.0]))[0]
    assert (row.at_once_answer, row.gated_answer) == ("–", f"3{THIN}s")  # noqa: RUF001 -- the dash for nothing


# --- as a picture -----------------------------------------------------------------------------------------------------


def points(path):
    """Return the places of a curve's points: across in per cent of the chart, down in pixels."""
    return [(float(x) / BOX * 100, float(y)) for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path)]


def seconds_at(y, top):
    return (GROUND - y) / (GROUND - TOP) * top


def texts(places):
    return [place.text.replace(THIN, " ") for place in places]


def test_both_curves_have_a_point_per_five_minutes_at_its_height():
    drawn = drawing(some_twins())
    top = max(ALL_AT_ONCE) * 1.15
    for path, answers in ((drawn.at_once, ALL_AT_ONCE), (drawn.gated, GATED)):
        assert [round(seconds_at(y, top)) for _, y in points(path)] == [round(answer) for answer in answers]
        assert [round(x / 100 * 240) for x, _ in points(path)] == [5 * place for place in range(1, 16)]
    assert drawn.area.startswith(drawn.at_once)
    assert drawn.area.endswith("Z")
    assert (round(drawn.first / 100 * 240), round(drawn.step / 100 * 240), drawn.steps) == (5, 5, 15)


def test_where_nobody_was_answered_a_curve_is_broken_and_a_lone_point_is_a_dot():
    drawn = drawing(some_twins([5.0, None, 9.0, 10.0], [5.0, 6.0, 7.0, None]))
    assert [part.count("L") for part in drawn.at_once.split("M")[1:]] == [1, 1]
    dot = points(drawn.at_once)[:2]
    assert dot[0] == dot[1]
    assert drawn.area.count("Z") == 2


def test_each_curve_says_its_name_once_they_part_and_neither_before():
    parted = drawing(some_twins())
    assert texts(parted.names) == ["all at once", "gated"]
    assert all(0 < name.y < GROUND for name in parted.names)
    assert parted.names[0].y < parted.names[1].y
    assert drawing(some_twins(SAME, SAME)).names == ()


def test_a_name_near_the_right_edge_ends_where_it_would_begin():
    late = [*[5.0] * 45, 300.0]
    names = drawing(some_twins(late, [5.0] * 46)).names
    assert [name.anchor for name in names] == ["end", "end"]
    assert [name.anchor for name in drawing(some_twins()).names] == ["start", "start"]


def test_what_is_still_to_leave_has_not_left():
    assert drawing(some_twins(SAME[:5], SAME[:5])).planned.text == "08:55, 400,000 emails leave at once"
    planned = drawing(some_twins()).planned
    assert planned.text == "08:55, 400,000 emails left at once"
    assert round(planned.x / 100 * 240) == 55


def test_waves_are_ticks_below_the_curves():
    sent = Wave(minutes(60), minutes(65), 20_000), Wave(minutes(70), minutes(74), 2_000)
    ticks = re.findall(r"M([\d.]+) ([\d.]+)v([\d.]+)", drawing(some_twins(ALL_AT_ONCE, GATED, *sent)).waves)
    assert [round(float(x) / BOX * 240) for x, _, _ in ticks] == [60, 70]
    assert all(GROUND < float(y) < float(y) + float(height) < HEIGHT for _, y, height in ticks)
    assert drawing(some_twins()).waves == ""


def test_the_limit_is_a_line_that_is_always_in_sight():
    for limit in (60.0, 1_000.0):
        line = drawing(some_twins(), limit).limit
        assert line is not None
        assert TOP < line.y < GROUND
    assert texts([line]) == ["hold above 16 min 40 s"]
    assert drawing(some_twins()).limit is None


def test_times_are_those_of_the_zone():
    assert texts(drawing(some_twins()).times)[:2] == ["08:00", "08:30"]
    assert texts(drawing(some_twins(zone=ZoneInfo("UTC"))).times)[:2] == ["14:00", "14:30"]


def test_the_chart_grows_by_the_hour_up_to_the_end_of_the_day():
    hours = [1 / 12 / drawing(some_twins(until=minutes(told))).step * 100 for told in range(5, 13 * 60 + 1, 5)]
    hours = [round(hour) for hour in hours]
    assert hours[0] == 4
    assert hours[-1] == 13
    assert {later - earlier for earlier, later in pairwise(hours)} == {0, 1}
    assert all(hour * 60 >= told for hour, told in zip(hours, range(5, 13 * 60 + 1, 5), strict=True))


def test_a_day_without_a_wait_has_a_chart_too():
    drawn = drawing(some_twins([0.0] * 15, [0.0] * 15))
    assert {y for _, y in points(drawn.gated)} == {GROUND}
    assert len(drawn.values) > 1
    empty = drawing(some_twins([], []))
    assert (empty.at_once, empty.area, empty.gated, empty.steps) == ("", "", "", 0)
