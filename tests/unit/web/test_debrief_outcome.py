from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from app.core.debrief.debrief import Course, Slam, Window
from app.core.debrief.question import Limit, Prediction, QueuePrediction, Spread, WaveFact
from app.core.floor.metric import Metric
from app.core.forecast.learn import GammaRate
from app.web.debrief.learned import learned
from app.web.debrief.outcome import caption, compared, outcome_of, predicted_of, predicted_queues, rows
from app.web.debrief.outcome_chart import figure
from app.web.debrief.sheets import TABLES, sheet
from app.web.format import NONE
from tests.support.debriefing import FIRST, RELEASE
from tests.unit.web.test_debrief_view import DEBRIEF, JOINT

CHICAGO = ZoneInfo("America/Chicago")
STEP = timedelta(minutes=5)
ANSWER = Spread((4.0, 9.0, None), (1.0, 5.0, None), (8.0, 20.0, None))
LEVEL = Spread((0.9, 0.7, None), (0.8, 0.6, None), (1.0, 0.9, None))
BACKLOG = Spread((1.0, 3.0, 2.0), (0.0, 1.0, 0.0), (2.0, 6.0, 5.0))
PREDICTION = Prediction(
    FIRST - timedelta(minutes=1), 300, 50_000, 9.0, 4.0, 15.0, 0.05,
    (QueuePrediction("orders-voice", (50.0, 60.0, 55.0), LEVEL, ANSWER, BACKLOG),),
)  # fmt: skip
COURSE = Course((48.0, 66.0), (0.95, 0.5), (2.0, 31.0), (0.5, 7.0))
LIMIT = Limit(Metric.SPEED_TO_ANSWER_SECONDS, 30.0, is_least=False)
WAVES = tuple(WaveFact(n, FIRST + n * STEP, None, 10, 10, is_probe=False, ending="used") for n in range(2))
SHOWN = replace(
    DEBRIEF,
    predicted=PREDICTION,
    window=Window(FIRST, FIRST + 2 * STEP, 300),
    queues=(replace(DEBRIEF.queues[0], course=COURSE),),
    slam=Slam(5.0, 5.0, 0.0, 0.0, (LIMIT,), ("orders-voice",), ""),
    release=replace(RELEASE, waves=WAVES),
)


def outcome(metric: str = "", queue: str = "", **members: Any) -> Any:
    return outcome_of(replace(SHOWN, **members), queue, metric, CHICAGO, {"orders-voice": "Orders"})


def test_it_shows_first_what_the_policy_limits_of_the_queue_that_got_most():
    shown = outcome()
    assert (shown.predicted.queue, shown.metric, shown.limit) == (
        "orders-voice", Metric.SPEED_TO_ANSWER_SECONDS, LIMIT,
    )  # fmt: skip
    assert outcome("backlog").metric is Metric.BACKLOG
    assert outcome("nonsense", "nowhere").predicted.queue == "orders-voice"
    assert predicted_queues(SHOWN) == ["orders-voice"]


def test_without_a_prediction_or_a_measurement_there_is_nothing_to_compare():
    assert outcome(predicted=None) is None
    assert outcome(queues=DEBRIEF.queues) is None
    assert predicted_of(DEBRIEF, CHICAGO) is None


def test_figures_are_compared_over_the_time_that_was_predicted_and_measured():
    assert [(each.what, each.predicted, each.happened) for each in compared(outcome())] == [
        ("Contacts", "110", "114"),
        ("Speed to answer", "6.7\u202fs", "18\u202fs"),  # weighed by the contacts of each five minutes
        ("Service level", "79.1\u202f%", "68.9\u202f%"),
        ("Backlog, highest", "3", "7"),
    ]


def test_each_interval_stands_beside_the_five_minutes_in_which_its_middle_lies():
    assert [(each.at.text, each.predicted, each.between, each.happened) for each in rows(outcome())] == [
        ("08:59", "4\u202fs", "1\u202fs\u00a0to\u00a08\u202fs", "2\u202fs"),
        ("09:04", "9\u202fs", "5\u202fs\u00a0to\u00a020\u202fs", "31\u202fs"),
        ("09:09", NONE, NONE, NONE),
    ]


def test_the_chart_in_words_has_the_worst_of_both_and_the_limit():
    said = caption(outcome())
    assert said.startswith(
        "Speed to answer of Orders: for 15\u202fmin predicted, 9\u202fs at worst; measured, 31\u202fs at worst"
    )
    assert "the limit is at most 30\u202fs" in said
    assert said.endswith("numbered lines are the waves.")
    assert "70\u202f% at worst; measured, 50\u202f% at worst" in caption(outcome("service_level_ratio"))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("metric", ["speed_to_answer_seconds", "service_level_ratio", "backlog"])
def test_the_chart_has_a_band_both_lines_each_wave_and_says_their_names(metric, theme):
    drawn = figure(outcome(metric), theme)
    assert [trace["name"] for trace in drawn["data"]] == ["8 of 10 cases", "predicted", "measured"]
    texts = [note["text"] for note in drawn["layout"]["annotations"]]
    assert {"1", "2", "predicted", "measured"} <= set(texts)
    assert sum(text.startswith("limit") for text in texts) == (metric == "speed_to_answer_seconds")
    assert msgspec.json.decode(msgspec.json.encode(drawn)) == drawn


def test_what_a_prediction_rests_on_is_told_with_it():
    made = predicted_of(SHOWN, CHICAGO)
    assert made is not None
    assert (made.at.text, made.messages, made.per_1000) == ("Wed 18 Nov 08:59", "50,000", "9")
    assert made.breach == "It saw a 5\u202f% chance that a limit of the outlook would break."
    calm = predicted_of(replace(SHOWN, predicted=replace(PREDICTION, breach_probability=0.0)), CHICAGO)
    assert calm is not None
    assert calm.breach == "It saw no limit break."


def test_what_was_learned_goes_from_what_was_believed_to_what_is_believed_now():
    before, found, now = learned(SHOWN, GammaRate.of_moments(12.0, 9.0), "3 past campaigns")
    assert (before.per_1000, before.between) == ("9", f"4\u00a0{NONE}\u00a015")
    assert (found.per_1000, found.between) == ("11.5", f"8.5\u00a0{NONE}\u00a014.4")
    assert (now.when, now.per_1000, now.rests_on) == ("Now, of the next of kind 'offer'", "12", "3 past campaigns")
    unsure = replace(SHOWN.contacts, headline=replace(JOINT, is_distinguishable=False))
    assert learned(replace(SHOWN, contacts=unsure), GammaRate(1, 1), "")[1].per_1000 == "not distinguishable from zero"


@pytest.mark.parametrize("table", list(TABLES))
def test_every_table_is_a_file_whose_rows_are_as_long_as_its_head(table):
    own, lines = sheet(SHOWN, table)
    found = list(lines)
    assert all(len(row) == len(own.columns) for row in found)
    assert bool(found) == (table != "overrides")
