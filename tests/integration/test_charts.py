import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go  # type: ignore[import-untyped]
import pytest

from app.core.event import Actor
from app.core.floor.metric import DEFINITIONS, Metric, Worse
from app.core.gate.decision import Verdict
from app.core.gate.rule import Rule
from app.core.note import Note, NoteKind
from app.ports.decisions import Turn
from app.ports.history import HistoryPoint
from app.ports.permits import Granted
from app.web.axes import time_ticks, value_ticks
from app.web.drawing import x_of
from app.web.history.captions import caption, meanwhile
from app.web.history.charts import Chart
from app.web.history.choice import RANGES, Behind, Layer
from app.web.history.marks import Mark, gaps, of_grants, of_notes
from app.web.history.traces import figure, millis
from app.web.palettes import THEMES
from app.web.spans import Span, verdict_spans, visible

CHICAGO = ZoneInfo("America/Chicago")
START = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
UNTIL = START + timedelta(hours=2)


def point(minute: int, value: float | None, low: float | None = None, high: float | None = None) -> HistoryPoint:
    return HistoryPoint(START + timedelta(minutes=minute), value, low, high, 1)


def a_rule(metric: Metric) -> Rule:
    if DEFINITIONS[metric].worse is Worse.LOWER:
        return Rule(metric, hold_below=0.75, resume_above=0.85)
    return Rule(metric, hold_above=10, resume_below=5)


def a_chart(metric=Metric.BACKLOG, points=(), rule=None, spans=(), **more) -> Chart:
    return Chart("orders-voice", "orders-voice", metric, START, UNTIL, UNTIL, 60, points, rule, spans, CHICAGO, **more)


def traces(chart: Chart) -> dict[str, dict[str, Any]]:
    """Return a chart's traces by their names."""
    return {trace["name"]: trace for trace in figure(chart, "dark")["data"]}


def a_turn(minute: int, after: str) -> Turn:
    return Turn(START + timedelta(minutes=minute), after)


@pytest.mark.parametrize("theme", sorted(THEMES))
@pytest.mark.parametrize("metric", list(Metric))
def test_plotly_accepts_every_figure(metric, theme):
    spans = [Span(START, START + timedelta(minutes=40), Verdict.HOLD), Span(UNTIL, UNTIL, Verdict.UNKNOWN)]
    marks = [Mark(Layer.SENDS, START, "up to 5", amount=5)]
    chart = a_chart(
        metric, [point(0, 0.4, 0.1, 0.6), point(1, None), point(9, 0.5)], a_rule(metric), spans, marks=marks
    )
    drawn = go.Figure(figure(chart, theme)).to_plotly_json()
    assert len(drawn["data"]) == 3
    assert {shape["type"] for shape in drawn["layout"]["shapes"]} == {"rect", "line"}


def test_a_gap_breaks_the_line_and_a_source_that_reports_seldom_does_not():
    line = traces(a_chart(points=[point(0, 4), point(3, 6), point(9, 5)]))["Backlog"]
    assert line["y"] == [4, 6, None, 5]
    assert line["connectgaps"] is False
    assert line["x"] == [millis(START + timedelta(minutes=minute)) for minute in (0, 3, 4, 9)]


def test_a_few_points_are_dots_and_many_are_a_line():
    few, many = [point(0, 4)], [point(minute, 4) for minute in range(60)]
    assert traces(a_chart(points=few))["Backlog"]["mode"] == "lines+markers"
    assert traces(a_chart(points=many))["Backlog"]["mode"] == "lines"


def test_the_envelope_keeps_lowest_and_highest_in_one_closed_outline_per_run_of_data():
    points = [point(0, 4, 3, 5), point(1, 4, 2, 6), point(9, 6, 6, 7)]
    assert traces(a_chart(points=points))["lowest to highest"]["y"] == [3, 2, 6, 5, None, 6, 7, None]


def test_a_point_says_its_time_in_the_centers_zone_its_value_and_its_spread():
    line = traces(a_chart(points=[point(5, 12, 9, 14), point(6, 3, 3, 3)]))["Backlog"]
    assert line["text"] == ["09:05<br>12<br>9 to 14", "09:06<br>3"]


def test_an_earlier_day_is_a_thin_line_with_a_dash_of_its_own():
    days = {Behind.YESTERDAY: [point(0, 4)], Behind.LAST_WEEK: [point(0, 9)]}
    drawn = traces(a_chart(points=[point(0, 5)], behind=days))
    assert drawn["yesterday"]["line"]["dash"] != drawn["last week"]["line"]["dash"]
    assert drawn["last week"]["y"] == [9]
    assert drawn["last week"]["line"]["width"] < drawn["Backlog"]["line"]["width"]


def a_note(minute: int, text: str, kind=NoteKind.NOTE, queue: str | None = None) -> Note:
    at = START + timedelta(minutes=minute)
    return Note(f"note_{minute}", "default", at, at, Actor("key1", "ann"), kind, text, queue=queue)


def test_what_happened_is_marked_by_a_form_of_its_own_with_its_words_as_mere_text():
    notes = [a_note(5, "<b>hotline</b> & co"), a_note(9, "4.2", NoteKind.DEPLOY), a_note(7, "elsewhere", queue="care")]
    grants = [Granted(START, "spring", 1, 25_000, 2), Granted(START + timedelta(minutes=30), None, 3, 100, None)]
    held = Mark(Layer.CHANGES, START, "hold by Bob: phones are down", UNTIL)
    drawn = traces(a_chart(marks=[*of_notes(notes), *of_grants(grants, {"spring": "Spring sale"}), held]))
    assert drawn["notes"]["text"] == ["09:05:00<br>&lt;b&gt;hotline&lt;/b&gt; &amp; co (ann)"]
    assert drawn["deploys"]["text"] == ["09:09:00<br>deploy: 4.2 (ann)"]
    assert drawn["sends"]["text"][0].endswith("up to 25,000 for Spring sale, wave 2")
    assert drawn["sends"]["text"][1].endswith("up to 100 for no campaign, 3 permits")
    assert drawn["sends"]["marker"]["size"][0] > drawn["sends"]["marker"]["size"][1]
    assert drawn["changes, lasting"]["x"][:2] == [x_of(START), x_of(UNTIL)]
    symbols = [drawn[name]["marker"]["symbol"] for name in ("notes", "deploys", "sends", "changes")]
    assert len(symbols) == len(set(symbols))


@pytest.mark.parametrize("layer", [Layer.NOTES, Layer.DEPLOYS, Layer.SENDS, Layer.CHANGES, Layer.GAPS])
def test_each_kind_of_mark_can_be_left_out(layer):
    marks = [Mark(each, START, "x", UNTIL if each is Layer.GAPS else None) for each in Layer]
    name = "gaps, lasting" if layer is Layer.GAPS else layer.value
    assert name in traces(a_chart(marks=marks))
    assert name not in traces(a_chart(marks=marks, hidden=frozenset({layer})))


def test_a_gap_is_where_nothing_was_heard_for_longer_than_data_is_trusted():
    minute = timedelta(minutes=1)
    backlog = [point(0, 4), point(1, 4), point(10, 5), point(12, 5)]
    levels = [point(4, 0.9)]
    found = gaps([backlog, levels], START, START + 13 * minute, step=minute, trusted=4 * minute)
    assert [(mark.at, mark.until) for mark in found] == [(START + 5 * minute, START + 10 * minute)]
    until_now = gaps([backlog], START, START + 30 * minute, step=minute, trusted=4 * minute)
    assert until_now[-1].until == START + 30 * minute
    assert gaps([[]], START, UNTIL, step=minute, trusted=minute) == []


def test_hold_limit_resume_limit_and_the_band_between_are_drawn_and_named():
    layout = figure(a_chart(points=[point(0, 4)], rule=a_rule(Metric.BACKLOG)), "light")["layout"]
    assert [note["text"] for note in layout["annotations"]] == ["hold above 10", "resume below 5"]
    band = [(shape["y0"], shape["y1"]) for shape in layout["shapes"]]
    assert band == [(10, 10), (5, 10), (5, 5)]
    assert layout["yaxis"]["range"][1] > 10


def test_a_service_level_is_held_below_its_limit_and_reaches_to_one():
    layout = figure(a_chart(Metric.SERVICE_LEVEL_RATIO, [point(0, 0.9)], a_rule(Metric.SERVICE_LEVEL_RATIO)), "dark")[
        "layout"
    ]
    assert [plain(note["text"]) for note in layout["annotations"]] == ["hold below 75 %", "resume above 85 %"]
    assert layout["yaxis"]["range"] == [0, 1.02]


def test_held_spans_are_shaded_with_their_glyph_and_sends_are_not():
    hour = START + timedelta(minutes=60)
    spans = [Span(START, hour, Verdict.SEND), Span(hour, UNTIL, Verdict.HOLD)]
    layout = figure(a_chart(spans=spans), "dark")["layout"]
    assert [note["text"] for note in layout["annotations"]] == ["■"]
    shaded = [shape["x0"] for shape in layout["shapes"] if shape["y1"] == 1]
    assert shaded == ["2026-11-21T16:00:00"]


def test_verdicts_follow_each_other_without_gaps():
    turns = [a_turn(-5, "hold"), a_turn(30, "send"), a_turn(90, "unknown")]
    spans = verdict_spans(turns, START, UNTIL, Verdict.UNKNOWN)
    assert [span.verdict for span in spans] == ["hold", "send", "unknown"]
    assert spans[0].start == START
    assert spans[-1].until == UNTIL
    assert all(before.until == after.start for before, after in pairwise(spans))


def test_without_a_change_in_sight_the_present_verdict_stood_all_along():
    assert verdict_spans([], START, UNTIL, Verdict.HOLD) == [Span(START, UNTIL, Verdict.HOLD)]


def test_time_before_a_gates_first_verdict_is_left_out():
    spans = verdict_spans([a_turn(30, "unknown")], START, UNTIL, Verdict.UNKNOWN)
    assert [span.start for span in spans] == [START + timedelta(minutes=30)]


def test_spans_too_short_to_be_seen_are_drawn_as_one_of_what_lasted_longest():
    second = timedelta(seconds=1)
    crowd = []
    for n in range(6):  # held for one second, unknown for two, again and again
        start = START + 4 * n * second
        crowd.append(Span(start, start + (n % 2 + 1) * second, (Verdict.HOLD, Verdict.UNKNOWN)[n % 2]))
    far = Span(UNTIL - 2 * second, UNTIL - second, Verdict.HOLD)
    seen = visible([*crowd, far], 60 * second)
    assert [(span.start, span.verdict) for span in seen] == [(START, Verdict.UNKNOWN), (far.start, Verdict.HOLD)]
    assert all(span.until - span.start >= 60 * second for span in seen)


def test_the_caption_says_the_newest_the_worst_and_the_limit_in_one_sentence():
    text = plain(caption(a_chart(points=[point(0, 4), point(5, 12, 9, 14)], rule=a_rule(Metric.BACKLOG))))
    assert text == (
        "Backlog of orders-voice over the last 2 h: 12 at the end, worst 14 at 09:05:00; sends are held above 10."
    )


def test_what_is_true_of_all_charts_is_said_once():
    spans = [Span(START, START + timedelta(minutes=40), Verdict.HOLD), Span(START, UNTIL, Verdict.SEND)]
    sends = [Mark(Layer.SENDS, START, "", amount=25_000), Mark(Layer.SENDS, UNTIL, "", amount=1_000)]
    assert plain(meanwhile(spans, sends)) == (
        "The gate was not open in 1 span, 40 min in all; up to 26,000 messages were let go."
    )
    assert meanwhile([], []) == "The gate was open all the time; nothing was let go."


def test_the_caption_of_a_metric_where_lower_is_worse_names_the_lowest():
    points = [point(0, 0.9, 0.7, 0.95), point(5, 0.8, 0.78, 0.82)]
    assert "worst 70 % at 09:00:00" in plain(caption(a_chart(Metric.SERVICE_LEVEL_RATIO, points)))


def test_the_caption_without_data_says_so():
    assert plain(caption(a_chart())) == "Backlog of orders-voice: no data in the last 2 h."


@pytest.mark.parametrize("range_", RANGES.values(), ids=list(RANGES))
@pytest.mark.parametrize("early", [0, 59, 299, 3_599])
def test_the_caption_calls_a_span_as_its_button_does(range_, early):
    start = UNTIL - range_.length - timedelta(seconds=min(early, range_.step_seconds - 1))
    chart = replace(a_chart(), start=start, step_seconds=range_.step_seconds)
    assert caption(chart) == f"Backlog of orders-voice: no data in the last {range_.title}."


def test_ticks_stand_at_round_local_times_across_the_end_of_summer_time():
    night = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)  # 23:00 CDT; at 02:00 CDT clocks go back to 01:00 CST
    labels = [label for _, label in time_ticks(night, night + timedelta(hours=6), CHICAGO)]
    assert labels == ["23:00", "Sun 1", "01:00", "01:00", "02:00", "03:00", "04:00"]


@pytest.mark.parametrize(
    ("days", "first", "most"), [(7, "Mon 16", 9), (30, "26 Oct", 9), (365, "Jan 2026", 13), (3650, "Jan 2017", 12)]
)
def test_ticks_over_days_weeks_months_and_years_stay_few_and_stand_at_midnight(days, first, most):
    ticks = time_ticks(START - timedelta(days=days), START, CHICAGO)
    assert first in [label for _, label in ticks]
    assert 1 < len(ticks) <= most
    assert {f"{at.astimezone(CHICAGO):%H:%M}" for at, _ in ticks} == {"00:00"}


def test_ticks_follow_a_zone_that_is_half_an_hour_off():
    ticks = time_ticks(START, UNTIL, ZoneInfo("Asia/Kolkata"))
    assert [label for _, label in ticks] == [
        "20:30",
        "20:45",
        "21:00",
        "21:15",
        "21:30",
        "21:45",
        "22:00",
        "22:15",
        "22:30",
    ]


@pytest.mark.parametrize("unit", ["contacts", "seconds", "ratio"])
@pytest.mark.parametrize("top", [0.056, 1.0, 4.4, 11.2, 67, 560, 5600, 999_999])
def test_value_ticks_rise_from_zero_and_stay_few(top, unit):
    values = [value for value, _ in value_ticks(top, unit)]
    assert values[0] == 0
    assert values == sorted(set(values))
    assert values[-1] <= top * 1.000001
    if unit != "ratio" or top <= 1:
        assert len(values) <= 12


def plain(text: str) -> str:
    return re.sub("\u202f", " ", text)
