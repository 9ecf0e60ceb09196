"""The same day twice, as a picture and in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.core.simulation.daybook import FiveMinutes, Wave
from app.core.simulation.twins import Day, Twins
from app.web.format import THIN
from app.web.palettes import THEMES
from app.web.twins.charts import figure
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


def curves(drawn):
    return {trace["name"]: trace for trace in drawn["data"]}


def test_both_curves_are_drawn_by_five_minutes_in_utc():
    drawn = curves(figure(some_twins(), "dark"))
    assert drawn["all at once"]["y"] == ALL_AT_ONCE
    assert drawn["gated"]["y"] == GATED
    assert drawn["gated"]["x"][0] == "2026-11-16T14:05:00"
    assert drawn["gated"]["text"][-1] == f"09:15, gated<br>9{THIN}s"


@pytest.mark.parametrize("theme", THEMES)
def test_the_curves_differ_by_shape_and_not_only_by_colour(theme):
    drawn = curves(figure(some_twins(), theme))
    assert [drawn[name].get("fill") for name in ("all at once", "gated")] == ["tozeroy", None]
    assert drawn["gated"]["line"]["width"] > drawn["all at once"]["line"]["width"]
    assert drawn["gated"]["line"]["color"] != drawn["all at once"]["line"]["color"]


def test_each_curve_says_its_name_once_they_part_and_neither_before():
    parted = figure(some_twins(), "dark")["layout"]["annotations"]
    assert [each["text"] for each in parted] == ["08:55  400,000 emails left at once", "all at once", "gated"]
    assert (parted[1]["y"], parted[2]["y"]) == (388, 40)
    together = figure(some_twins(SAME, SAME), "dark")["layout"]["annotations"]
    assert [each["text"] for each in together] == ["08:55  400,000 emails left at once"]


def test_what_is_still_to_leave_has_not_left():
    early = some_twins(SAME[:5], SAME[:5])
    assert figure(early, "dark")["layout"]["annotations"][0]["text"] == "08:55  400,000 emails leave at once"


def test_the_send_all_at_once_is_a_line_and_waves_are_ticks_below_the_curves():
    sent = Wave(minutes(60), minutes(65), 20_000), Wave(minutes(70), minutes(74), 2_000)
    drawn = figure(some_twins(ALL_AT_ONCE, GATED, *sent), "dark")
    (line,) = drawn["layout"]["shapes"]
    assert line["x0"] == line["x1"] == "2026-11-16T14:55:00"
    waves = curves(drawn)["waves"]
    assert waves["x"] == ["2026-11-16T15:00:00", "2026-11-16T15:10:00"]
    assert max(waves["y"]) < 0
    assert min(waves["y"]) > drawn["layout"]["yaxis"]["range"][0]
    assert waves["text"] == ["09:00, gated<br>20,000 emails", "09:10, gated<br>2,000 emails"]


def test_the_chart_grows_by_the_hour_up_to_the_end_of_the_day():
    ends = [
        datetime.fromisoformat(figure(some_twins(until=minutes(told)), "dark")["layout"]["xaxis"]["range"][1])
        for told in range(5, 13 * 60 + 1, 5)
    ]
    hours = [(end - START.replace(tzinfo=None)) / timedelta(hours=1) for end in ends]
    assert hours[0] == 4
    assert hours[-1] == 13
    assert {later - earlier for earlier, later in pairwise(hours)} == {0, 1}
    assert all(hour * 60 >= told for hour, told in zip(hours, range(5, 13 * 60 + 1, 5), strict=True))


def test_a_day_without_a_wait_has_a_chart_too():
    drawn = figure(some_twins([0.0] * 15, [0.0] * 15), "light")
    assert drawn["layout"]["yaxis"]["range"][1] > 0
    empty = figure(some_twins([], []), "light")
    assert [trace["y"] for trace in empty["data"]] == [[], [], []]
