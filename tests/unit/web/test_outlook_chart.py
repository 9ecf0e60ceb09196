"""The next hours as a picture, in words and as a table."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.core.floor.metric import Metric
from app.core.forecast.limits import OutlookLimits
from app.core.gate.foresight import Predicted
from app.web.format import NO_BREAK, THIN
from app.web.outlook.captions import caption, table
from app.web.outlook.chart import METRICS, figure
from app.web.outlook.pages import OutlookQuery, choice
from app.web.outlook.words import Reader
from app.web.palettes import THEMES
from tests.support.floors import NOON
from tests.unit.web.outlooks import LIMITS, WITH_SEND, WITHOUT, a_breach, an_ahead, an_outlook

READER = Reader(NOON, ZoneInfo("America/Chicago"), {"orders-voice": "Orders"})
BREAKS = a_breach()


def asked(**changes):
    return an_ahead(an_outlook(WITHOUT, WITH_SEND, BREAKS, shown=50_000.0, **changes), READER, audience=50_000)


def unasked(**changes):
    return an_ahead(an_outlook(**changes), READER)


def traces(drawn):
    return {trace["name"]: trace for trace in drawn["data"]}


def plain(text: str) -> str:
    return text.replace(THIN, " ").replace(NO_BREAK, " ").replace("\u2060", "")


# --- as a picture -----------------------------------------------------------------------------------------------------


def test_without_a_send_there_is_one_line_in_its_band():
    drawn = figure(unasked(), "dark")
    assert list(traces(drawn)) == ["8 of 10 cases", "nothing sent"]
    line = traces(drawn)["nothing sent"]
    assert line["y"] == WITHOUT
    assert line["x"][0] == "2026-11-23T12:02:30"
    assert plain(line["text"][1]) == "06:05–06:10, nothing sent<br>90 %<br>85 % to 95 %"  # noqa: RUF001
    assert len(drawn["data"][0]["x"]) == 2 * len(WITHOUT) + 1


@pytest.mark.parametrize("theme", THEMES)
def test_a_send_is_a_dashed_line_that_says_its_name_and_differs_in_more_than_colour(theme):
    drawn = figure(asked(), theme)
    without, sent = traces(drawn)["nothing sent"], traces(drawn)["50,000 sent now"]
    assert (without["line"].get("dash"), sent["line"]["dash"]) == (None, "7px,4px")
    assert sent["line"]["width"] > without["line"]["width"]
    names = [each for each in drawn["layout"]["annotations"] if each["text"] in traces(drawn)]
    assert [(each["text"], each["y"]) for each in names] == [("50,000 sent now", 0.4), ("nothing sent", 0.93)]
    assert [each["yanchor"] for each in names] == ["top", "bottom"]


def test_the_limit_and_the_window_in_which_it_breaks_are_labelled():
    drawn = figure(asked(), "light")["layout"]
    limit, window = drawn["shapes"]
    assert (limit["y0"], limit["y1"]) == (0.8, 0.8)
    assert (window["x0"], window["x1"]) == ("2026-11-23T12:05:00", "2026-11-23T12:20:00")
    texts = [plain(each["text"]) for each in drawn["annotations"]]
    assert texts[:2] == ["limit 80 %", "may break here: 34 %"]


def test_what_hardly_ever_breaks_is_not_shaded_and_no_limit_is_no_line():
    rare = an_outlook(WITHOUT, WITHOUT, a_breach(probability=0.004))
    assert len(figure(an_ahead(rare, READER, audience=5), "dark")["layout"]["shapes"]) == 1
    speed = an_ahead(rare, READER, Metric.SPEED_TO_ANSWER_SECONDS, audience=5)
    assert figure(speed, "dark")["layout"]["shapes"] == []


def test_intervals_without_anybody_break_the_line_and_the_band():
    gap = an_outlook([0.9, np.nan, 0.8, 0.7])
    drawn = traces(figure(an_ahead(gap, READER), "dark"))
    assert drawn["nothing sent"]["y"] == [0.9, None, 0.8, 0.7]
    assert drawn["8 of 10 cases"]["x"].count(None) == 2
    assert drawn["nothing sent"]["connectgaps"] is False
    nobody = an_outlook([np.nan] * 4, [np.nan] * 4)
    assert figure(an_ahead(nobody, READER, audience=9), "dark")["layout"]["annotations"][1:] == []


@pytest.mark.parametrize("metric", METRICS)
def test_every_value_and_the_limit_are_inside_the_axis(metric):
    ahead = an_ahead(an_outlook(WITHOUT, [0.9, 0.1, 0.0, 0.2], waiting=400.0), READER, metric, audience=9)
    drawn = figure(ahead, "dark")
    low, high = drawn["layout"]["yaxis"]["range"]
    values = [value for trace in drawn["data"] for value in trace["y"] if value is not None]
    assert low <= max(0.0, min(values))
    assert max(values) <= high or metric is Metric.SERVICE_LEVEL_RATIO
    assert high >= max(shape["y1"] for shape in drawn["layout"]["shapes"] or [{"y1": 0}])


def test_a_metric_that_is_not_predicted_is_refused_by_name():
    with pytest.raises(ValueError, match="handle_time_seconds is not predicted"):
        figure(an_ahead(an_outlook(), READER, Metric.HANDLE_TIME_SECONDS), "dark")


# --- in words and numbers ---------------------------------------------------------------------------------------------


def test_the_caption_says_the_worst_without_and_with_the_send_and_the_limit():
    assert plain(caption(unasked())) == (
        "Service level of Orders over the next 20 min: at worst 88 % (06:10) if nothing more is sent. "
        "Limit: at least 80 %."
    )
    assert plain(caption(asked())) == (
        "Service level of Orders over the next 20 min: at worst 88 % (06:10) if nothing more is sent, "
        "40 % (06:10) with 50,000 sent now. Limit: at least 80 %."
    )


def test_the_caption_says_what_the_picture_hides():
    drowned = an_ahead(an_outlook(WITHOUT, WITH_SEND, shown=9_000.0, never_recovers=True), READER, audience=50_000)
    assert "With the send its backlog grows to the end" in caption(drowned)
    assert caption(drowned).endswith("Drawn for 9,000: more than that drowns the floor all the same.")
    nobody = an_ahead(an_outlook([np.nan] * 4), READER)
    assert plain(caption(nobody)) == "Service level of Orders over the next 20 min: nobody is expected."
    unlimited = an_ahead(an_outlook(), READER, limits=OutlookLimits(backlog=4))
    assert caption(unlimited).endswith(" No limit is set on it.")


def test_the_table_has_every_interval_with_and_without():
    heads, rows = table(asked())
    assert heads == [
        "From",
        *("Offered, nothing sent", "Expected, nothing sent", "8 of 10 cases, nothing sent"),
        *("Offered, 50,000 sent now", "Expected, 50,000 sent now", "8 of 10 cases, 50,000 sent now"),
    ]
    assert [plain(text) for text in rows[2]] == ["06:10", "20", "88 %", "83 % to 93 %", "20", "40 %", "35 % to 45 %"]
    assert len(rows) == 4
    gap = table(an_ahead(an_outlook([0.9, np.nan]), READER)).rows[1]
    assert gap[2:] == ["–", "–"]  # noqa: RUF001 -- the dash for nothing


# --- what is drawn at first -------------------------------------------------------------------------------------------

SLOW = Predicted(Metric.SPEED_TO_ANSWER_SECONDS, "care-chat", NOON, NOON, 40.0, 30.0, 0.2)


@pytest.mark.parametrize(
    ("seen", "likeliest", "query", "drawn"),
    [
        (an_outlook(), None, {}, ("orders-voice", Metric.SERVICE_LEVEL_RATIO)),
        (an_outlook(), SLOW, {}, ("care-chat", Metric.SPEED_TO_ANSWER_SECONDS)),
        (an_outlook(WITHOUT, WITH_SEND, BREAKS), SLOW, {}, ("orders-voice", Metric.SERVICE_LEVEL_RATIO)),
        (an_outlook(), SLOW, {"queue": "orders-voice"}, ("orders-voice", Metric.SPEED_TO_ANSWER_SECONDS)),
        (an_outlook(), SLOW, {"metric": "backlog"}, ("care-chat", Metric.BACKLOG)),
        (an_outlook(), SLOW, {"queue": "gone", "metric": "oldest_wait_seconds"}, ("care-chat", SLOW.metric)),
        (
            an_outlook(WITHOUT, WITH_SEND, a_breach(Metric.ABANDONMENT_RATIO)),
            None,
            {},
            ("orders-voice", Metric.SERVICE_LEVEL_RATIO),
        ),
    ],
)
def test_what_is_likeliest_to_break_is_drawn_until_somebody_chooses(seen, likeliest, query, drawn):
    assert choice(seen, LIMITS, likeliest, OutlookQuery(**query)) == drawn


def test_where_nothing_breaks_a_limited_metric_is_drawn():
    limits = OutlookLimits(backlog=10)
    assert choice(an_outlook(), limits, None, OutlookQuery()) == ("orders-voice", Metric.BACKLOG)
