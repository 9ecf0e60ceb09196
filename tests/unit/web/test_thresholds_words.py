"""What a policy changes of another, in words; and what limits would have done, in one sentence."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.backtest.comparison import Comparison, Course
from app.core.backtest.report import Gap
from app.core.floor.metric import Metric
from app.core.gate.policy import default_policy_document, parse_policy
from app.core.gate.windows import zone
from app.ports.history import HistoryPoint
from app.web.thresholds.course import MOST_BLOCKS, sentence, told
from app.web.thresholds.curve import POINTS, Curve, drawn
from app.web.thresholds.words import Change, changes

PLAIN = {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10, "resume_below": 5}]}
START = datetime(2026, 11, 16, tzinfo=UTC)
WEEK = timedelta(days=7)


def told_of(**members):
    return changes(parse_policy(PLAIN), parse_policy(PLAIN | members))


def rule(**members):
    return [{"metric": "backlog", "hold_above": 10, "resume_below": 5} | members]


@pytest.mark.parametrize(
    ("members", "change"),
    [
        ({"rules": rule(hold_above=12)}, Change("Backlog: hold above", "10", "12")),
        ({"rules": rule(resume_for_seconds=300)}, Change("Backlog: resume after", "at once", "5\u202fmin")),
        ({"rules": rule(on_missing="ignore")}, Change("Backlog: while never reported", "unknown", "ignored")),
        ({"rules": rule(hold_above=10.04)}, Change("Backlog: hold above", "10", "10.04")),
        ({"stale_after_seconds": 120.5}, Change("Data are too old after", "2\u202fmin", "120.5\u202fs")),
        ({"stale_after_seconds": 3725}, Change("Data are too old after", "2\u202fmin", "3,725\u202fs")),
        ({"stale_after_seconds": 5400}, Change("Data are too old after", "2\u202fmin", "1\u202fh 30\u202fmin")),
        ({"mode": "shadow"}, Change("Mode", "enforce", "shadow")),
        ({"stale_after_seconds": 60}, Change("Data are too old after", "2\u202fmin", "1\u202fmin")),
        ({"max_audience_per_hour": 300000}, Change("Recipients in an hour", "no limit", "300,000")),
        ({"notice_minutes": 240}, Change("Notice", "none", "4\u202fh")),
        ({"exempt_traffic_classes": ["service"]}, Change("Never held by this gate", "nothing", "service")),
        (
            {"send_windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "24:00"}]},
            Change("Send windows", "any hour", "Mon\u2013Fri 09:00\u201324:00"),
        ),
    ],
)
def test_a_change_is_said_with_what_it_was_and_will_be(members, change):
    assert told_of(**members) == [change]


def test_a_default_that_is_written_down_is_no_change():
    written = {"mode": "enforce", "stale_after_seconds": 120, "max_override_minutes": 480, "briefing": "optional"}
    assert told_of(**written, rules=rule(hold_for_seconds=0)) == []


def test_a_rule_that_comes_or_goes_is_one_change():
    level = {"metric": "service_level_ratio", "hold_below": 0.7, "window_seconds": 900}
    (added,) = told_of(rules=[*rule(), level])
    assert (added.label, added.before) == ("Service level over 15\u202fmin", "\u2013")
    assert added.after.startswith("hold below 70\u202f%, resume from 70\u202f%, hold after at once")
    (gone,) = changes(parse_policy(PLAIN | {"rules": [*rule(), level]}), parse_policy(PLAIN))
    assert (gone.before, gone.after) == (added.after, "\u2013")


def test_rules_in_another_order_are_the_same():
    document = default_policy_document()
    turned = document | {"rules": list(reversed(document["rules"]))}  # type: ignore[call-overload]
    assert changes(parse_policy(document), parse_policy(turned)) == []


def test_an_outlook_that_comes_is_told_with_all_it_keeps():
    labels = [change.label for change in told_of(outlook={"service_level_ratio": 0.8})]
    assert labels[:2] == ["The outlook decides, too", "Outlook: service level, at least"]


def test_a_first_policy_is_all_new():
    assert {change.before for change in changes(None, parse_policy(PLAIN))} == {"\u2013"}


# --- in one sentence ---


def holds(*minutes, missed=0, unknown=0):
    held, at = [], START
    for length in minutes:
        held.append(Gap(at, at + timedelta(minutes=length)))
        at += timedelta(hours=24)
    return Course(tuple(held), sum(minutes), 100, unknown, missed)


@pytest.mark.parametrize(
    ("course", "bad", "said"),
    [
        (
            holds(60, 60, 10, missed=1),
            1,
            "would have held 3 times, 2\u202fh 10\u202fmin in all, missed 1 bad hour",
        ),
        (holds(5, 5), 3, "would have held twice, 10\u202fmin in all, missed none of 3 bad hours"),
        (holds(30, missed=2), 5, "would have held once, 30\u202fmin, missed 2 bad hours of 5"),
        (holds(), 0, "would not have held, and no hour was bad"),
        (holds(30), 1, "would have held once, 30\u202fmin, missed no bad hour"),
    ],
)
def test_a_course_is_one_sentence(course, bad, said):
    assert sentence(course, bad) == said


def test_the_saved_limits_are_told_beside_those_that_are_tried():
    found = Comparison(START, START + WEEK, 1, (holds(30), holds(missed=1, unknown=60)))
    shown = told(found, 4, is_tried=True, by_outlook=False)
    assert shown.saved
    assert shown.tried
    assert (shown.saved.who, shown.tried.who) == ("As saved, version 4", "These limits")
    assert shown.tried.sentence == "would not have held, missed 1 bad hour"
    assert shown.notes[1].startswith("For 1\u202fh data are missing")


def test_a_strip_stays_small_and_joins_what_touches():
    close = tuple(Gap(START + timedelta(minutes=at), START + timedelta(minutes=at + 1)) for at in (0, 2, 4))
    apart = tuple(Gap(START + timedelta(minutes=at), START + timedelta(minutes=at + 1)) for at in range(0, 10000, 25))
    courses = (Course(close, 3, 0, 0, 0), Course(apart, 400, 0, 0, 0))
    shown = told(Comparison(START, START + WEEK, 0, courses), 1, is_tried=True, by_outlook=False)
    assert shown.saved
    assert shown.tried
    assert len(shown.saved.blocks) == 1
    assert len(shown.tried.blocks) == MOST_BLOCKS
    assert all(block.width >= 2 for block in shown.tried.blocks)


# --- the curve ---


def a_curve(metric=Metric.BACKLOG, *values, step=1800):
    points = [
        HistoryPoint(START + timedelta(seconds=step * place), value, value, value + 1, 1.0)
        for place, value in enumerate(values)
        if value is not None
    ]
    return Curve("orders", "Orders", metric, START, START + WEEK, step, points, zone("UTC"))


def test_a_week_has_at_most_fifteen_hundred_points():
    assert POINTS == 336
    figure = drawn(a_curve(Metric.BACKLOG, *[1.0] * POINTS), [], "dark")["figure"]
    assert sum(len(trace["x"]) for trace in figure["data"]) <= 1500


def test_the_axis_has_room_for_the_limits():
    assert drawn(a_curve(Metric.BACKLOG, 3.0), [40.0, 20.0], "dark")["top"] == 50
    assert drawn(a_curve(Metric.SERVICE_LEVEL_RATIO, 0.3), [0.2], "dark")["top"] == 1.0


def test_a_gap_is_no_line():
    line = drawn(a_curve(Metric.BACKLOG, 1.0, None, 3.0), [], "light")["figure"]["data"][1]
    assert line["y"] == [1.0, None, 3.0]


def test_its_caption_says_the_worst():
    assert drawn(a_curve(Metric.BACKLOG, 3.0, 9.0, 1.0), [], "dark")["caption"] == (
        "Backlog of Orders, last 7 days by the half hour: 1 at the end, worst 10 at Mon 16 Nov 00:30."
    )
    assert drawn(a_curve(), [], "dark")["caption"] == "Backlog of Orders: no data in the last 7 days."
