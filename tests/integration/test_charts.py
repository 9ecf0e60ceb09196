import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import plotly.graph_objects as go  # type: ignore[import-untyped]
import pytest

from app.core.floor.metric import DEFINITIONS, Metric, Worse
from app.core.gate.decision import Verdict
from app.core.gate.rule import Rule
from app.ports.decisions import DecisionRow
from app.ports.history import HistoryPoint
from app.web.axes import time_ticks, value_ticks
from app.web.history.captions import caption
from app.web.history.charts import Chart, figure
from app.web.palettes import THEMES
from app.web.spans import Span, verdict_spans

CHICAGO = ZoneInfo("America/Chicago")
START = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
UNTIL = START + timedelta(hours=2)


def point(minute: int, value: float | None, low: float | None = None, high: float | None = None) -> HistoryPoint:
    return HistoryPoint(START + timedelta(minutes=minute), value, low, high, 1)


def a_rule(metric: Metric) -> Rule:
    if DEFINITIONS[metric].worse is Worse.LOWER:
        return Rule(metric, hold_below=0.75, resume_above=0.85)
    return Rule(metric, hold_above=10, resume_below=5)


def a_chart(metric=Metric.BACKLOG, points=(), rule=None, spans=()) -> Chart:
    return Chart("orders-voice", metric, START, UNTIL, 60, points, rule, spans, CHICAGO)


def a_change(minute: int, before: str | None, after: str) -> DecisionRow:
    at = START + timedelta(minutes=minute)
    return DecisionRow(f"dec_{minute}", "transition", "default", at, after, 1, "", before=before)


@pytest.mark.parametrize("theme", sorted(THEMES))
@pytest.mark.parametrize("metric", list(Metric))
def test_plotly_accepts_every_figure(metric, theme):
    spans = [Span(START, START + timedelta(minutes=40), Verdict.HOLD), Span(UNTIL, UNTIL, Verdict.UNKNOWN)]
    chart = a_chart(metric, [point(0, 0.4, 0.1, 0.6), point(1, None), point(9, 0.5)], a_rule(metric), spans)
    drawn = go.Figure(figure(chart, theme)).to_plotly_json()
    assert len(drawn["data"]) == 2
    assert {shape["type"] for shape in drawn["layout"]["shapes"]} == {"rect", "line"}


def test_a_step_without_data_breaks_the_line():
    line = figure(a_chart(points=[point(0, 4), point(3, 6)]), "dark")["data"][-1]
    assert line["y"] == [4, None, None, 6]
    assert line["connectgaps"] is False
    assert line["text"][1].endswith("no data")


def test_a_few_points_are_dots_and_many_are_a_line():
    few, many = [point(0, 4)], [point(minute, 4) for minute in range(60)]
    assert figure(a_chart(points=few), "dark")["data"][-1]["mode"] == "lines+markers"
    assert figure(a_chart(points=many), "dark")["data"][-1]["mode"] == "lines"


def test_the_envelope_is_one_closed_outline_per_run_of_data():
    points = [point(0, 4, 3, 5), point(1, 4, 2, 6), point(5, 6, 6, 7)]
    assert figure(a_chart(points=points), "dark")["data"][0]["y"] == [3, 2, 6, 5, None, 6, 7, None]


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


def test_held_spans_are_shaded_with_word_and_glyph_and_sends_are_not():
    spans = [
        Span(START, START + timedelta(minutes=60), Verdict.SEND),
        Span(START + timedelta(minutes=60), UNTIL, Verdict.HOLD),
    ]
    layout = figure(a_chart(spans=spans), "dark")["layout"]
    assert [note["text"] for note in layout["annotations"]] == ["● SEND", "■ HOLD"]
    shaded = [shape["x0"] for shape in layout["shapes"] if shape["y1"] == 1]
    assert shaded == ["2026-11-21T16:00:00"]


def test_the_ribbon_of_verdicts_has_no_gaps():
    rows = [a_change(-5, "send", "hold"), a_change(30, "hold", "send"), a_change(90, "send", "unknown")]
    spans = verdict_spans(rows, START, UNTIL, Verdict.UNKNOWN)
    assert [span.verdict for span in spans] == ["hold", "send", "unknown"]
    assert spans[0].start == START
    assert spans[-1].until == UNTIL
    assert all(before.until == after.start for before, after in pairwise(spans))


def test_without_a_change_in_sight_the_present_verdict_stood_all_along():
    assert verdict_spans([], START, UNTIL, Verdict.HOLD) == [Span(START, UNTIL, Verdict.HOLD)]


def test_time_before_a_gates_first_verdict_is_left_out():
    spans = verdict_spans([a_change(30, None, "unknown")], START, UNTIL, Verdict.UNKNOWN)
    assert [span.start for span in spans] == [START + timedelta(minutes=30)]


def test_the_caption_says_the_newest_the_worst_the_limit_and_what_was_held():
    spans = [Span(START, START + timedelta(minutes=40), Verdict.HOLD), Span(START, UNTIL, Verdict.SEND)]
    text = plain(caption(a_chart(points=[point(0, 4), point(5, 12, 9, 14)], rule=a_rule(Metric.BACKLOG), spans=spans)))
    assert text == (
        "Backlog of orders-voice over the last 2 h: 12 at the end, worst 14 at 09:05:00; sends are held above 10. "
        "The gate was not open in 1 span, 40 min in all."
    )


def test_the_caption_of_a_metric_where_lower_is_worse_names_the_lowest():
    points = [point(0, 0.9, 0.7, 0.95), point(5, 0.8, 0.78, 0.82)]
    assert "worst 70 % at 09:00:00" in plain(caption(a_chart(Metric.SERVICE_LEVEL_RATIO, points)))


def test_the_caption_without_data_says_so():
    assert plain(caption(a_chart())) == "Backlog of orders-voice: no data in the last 2 h."


def test_ticks_stand_at_round_local_times_across_the_end_of_summer_time():
    night = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)  # 23:00 CDT; at 02:00 CDT clocks go back to 01:00 CST
    labels = [label for _, label in time_ticks(night, night + timedelta(hours=6), CHICAGO)]
    assert labels == ["23:00", "Sun 1", "01:00", "01:00", "02:00", "03:00", "04:00"]


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
