"""The dials of a policy, and how a backtest is printed."""

import pytest

from app.core.backtest.backtest import backtest
from app.core.backtest.history import Looks
from app.core.floor.metric import Metric
from app.core.gate.policy import parse_policy
from app.services.backtests import Backtest
from app.web.backtest.form import chosen_days, dials, turned_policy
from app.web.backtest.view import backtest_view
from tests.support.minutes import NOTHING, Cell, ToldQueue, a_history

RULES = [
    {"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 60},
    {"metric": "service_level_ratio", "hold_below": 0.7, "on_missing": "ignore", "window_seconds": 900},
]
DOCUMENT = {
    "queues": ["*"],
    "stale_after_seconds": 60,
    "rules": RULES,
    "send_windows": [{"days": ["mon"], "from": "00:00", "to": "24:00"}],
}
POLICY = parse_policy(DOCUMENT)


def a_backtest(*values):
    cells = [NOTHING if value is None else Cell(value) for value in values]
    history = a_history({"orders": ToldQueue({Metric.BACKLOG: cells})}, len(values))
    return Backtest("default", POLICY, 3, backtest(POLICY, history, Looks(0, len(values))), False, False)


def test_each_rule_has_two_dials_at_its_limits():
    backlog, level = dials(POLICY, {})
    assert [(dial.name, dial.value, dial.text) for dial in (backlog.hold, backlog.resume)] == [
        ("hold-0", 10, "10"),
        ("resume-0", 5, "5"),
    ]
    assert (backlog.hold.least, backlog.hold.most, backlog.hold.step) == (0, 40, 1)
    assert (level.worse, level.detail, level.hold.text) == ("lower", "over 15\u202fmin", "70\u202f%")
    assert (level.hold.least, level.hold.most) == (0.01, 0.99)


def test_dials_that_were_not_turned_make_no_document():
    assert turned_policy(POLICY, dials(POLICY, {})) is None
    assert turned_policy(POLICY, dials(POLICY, {"hold-0": "10.0", "resume-0": "five"})) is None


def test_turned_dials_make_the_same_document_with_other_limits():
    document = turned_policy(POLICY, dials(POLICY, {"hold-0": "20", "resume-1": "0.9"}))
    assert document == DOCUMENT | {
        "rules": [
            RULES[0] | {"hold_above": 20, "resume_below": 5},
            RULES[1] | {"hold_below": 0.7, "resume_above": 0.9},
        ]
    }
    assert parse_policy(document).rules[0].hold_above == 20


@pytest.mark.parametrize(("value", "days"), [("365", 365), ("7", 7), ("8", 28), ("", 28), (None, 28)])
def test_only_offered_spans_can_be_chosen(value, days):
    assert chosen_days(value) == days


def test_the_figures_are_printed_with_their_units():
    view = backtest_view(a_backtest(0, 11, 11, 0, 0))
    facts = dict(view.facts)
    assert view.headline == "In 5 minutes sends could have gone 40\u202f% of the time, with 1 hold."
    assert (facts["Held"], facts["Longest"], facts["Breaches missed"]) == ("60\u202f%", "3\u202fmin", "1 of 1")
    assert [(row.name, row.limits) for row in view.courses][:3] == [
        ("As it is", ""),
        ("Backlog \u221220%", "8 / 4"),
        ("Backlog +20%", "12 / 6"),
    ]


def test_what_is_not_there_is_a_dash_and_never_zero():
    facts = dict(backtest_view(a_backtest(0, 0)).facts)
    assert (facts["Half of them up to"], facts["Holds that a breach followed"]) == ("\u2013", "\u2013")


def test_the_week_shows_held_unknown_and_closed_hours():
    week = backtest_view(a_backtest(*[11] * 60, *[None] * 60, *[0] * 60)).week
    monday, tuesday = week[0].cells, week[1].cells
    assert [cell.kind for cell in monday[6:9]] == ["heat-10", "unknown", "heat-0"]
    assert (monday[6].text, tuesday[6].kind) == ("100", "closed")
    assert "Mon 07:00" in monday[7].title
    assert [row.day for row in week] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def test_what_was_not_known_is_said():
    notes = " ".join(backtest_view(a_backtest(0, None, None, 0)).notes)
    assert "2 of 4 minutes have no data" in notes
    assert "Of 'orders', all that is watched was known in 50.0% of the minutes" in notes
