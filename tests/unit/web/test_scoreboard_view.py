from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.core.campaign.value import Figures
from app.core.debrief.score import Score
from app.core.debrief.scoreboard import Line, line, totals
from app.web.format import MINUS, NONE
from app.web.scoreboard.span import BoardQuery, days_of, order_of, ordered
from app.web.scoreboard.view import Cell, money, net_cell, row, tiles
from tests.support.builders import NOW

CHICAGO = ZoneInfo("America/Chicago")
SCORE = Score(
    "spring", "Spring", "default", "offer", NOW, is_final=True, messages=10_000, contacts=100.0,
    per_1000=10.0, per_1000_low=7.0, per_1000_high=14.0, is_distinguishable=True,
    slam_minutes=20.0, avoided_minutes=30.0, wanted_at=NOW - timedelta(minutes=30), granted_at=NOW,
    notice_asked_minutes=240.0, notice_minutes=300.0, is_briefed=True, reasons=(("complaint", 4), ("price", 9)),
)  # fmt: skip
WORTH = Figures(1_240, 310, 95, Decimal("42.5"), None, "EUR")
NOTHING = Score("old", "Old", "default", "", NOW, is_final=True, messages=5)
THIN = "\u202f"


def a_line(figures=None, **members) -> Line:
    return line(replace(SCORE, **members), ("complaint",), figures)


def tile(name: str, *lines: Line):
    return next(each for each in tiles(totals(lines)) if each.id == name)


def shown(each: Line):
    return row(each, CHICAGO)


# --- the sums ---


def test_each_sum_says_of_how_many_campaigns_it_is_known():
    some = [a_line(WORTH), line(NOTHING, ())]
    assert [(each.value, each.beside) for each in tiles(totals(some))] == [
        ("10", f"7.0\u00a0{NONE}\u00a014.0, of 1 of 2 campaigns"),
        ("30", "of 1 of 2 campaigns"),
        ("1 of 1", f"by 30{THIN}min"),
        (f"100{THIN}%", "1 of 1 campaigns"),
        ("4", "4 in all, of 1 of 2 campaigns"),
        ("43,562\u00a0EUR", "of 1 of 2 campaigns"),
    ]


def test_what_nobody_knows_is_said_in_words_and_never_as_nought():
    values = [each.value for each in tiles(totals([line(NOTHING, ())]))]
    assert values == ["not known", "not known", "not known", "not asked for", "not tagged", "not reported"]
    assert all(each.is_words for each in tiles(totals([])))


def test_rates_that_may_as_well_be_none_are_not_a_number():
    caused = tile("caused", a_line(per_1000=0.5, per_1000_low=-2.0))
    assert caused.value == "not distinguishable from zero"
    assert caused.beside.startswith(f"{MINUS}2.0")


def test_delays_name_the_longest_and_those_that_still_wait_or_never_went():
    late = a_line(wanted_at=NOW - timedelta(hours=2))
    waits = Line(replace(NOTHING, messages=0), is_waiting=True)
    never = Line(replace(NOTHING, messages=0), never_went=True)
    delayed = tile("delayed", a_line(), late, waits, never)
    assert (delayed.value, delayed.beside) == (
        "2 of 2",
        f"by 2{THIN}h 30{THIN}min in all, the longest 2{THIN}h",
    )
    assert delayed.more == ("1 send waits now", "1 send never went: the deadline came first")
    assert tile("delayed", a_line(wanted_at=NOW)).beside == "none waited"


def test_two_currencies_stand_beside_each_other():
    net = tile("net", a_line(WORTH), a_line(Figures(net_value=Decimal("-12.5"), currency="USD")))
    assert net.value == "43,562\u00a0EUR"
    assert net.more == (f"{MINUS}12.50\u00a0USD, of 1 of 2 campaigns", "1,240 new, 310 lost, 95 kept")


def test_customers_without_a_value_are_told_though_their_net_is_not_known():
    net = tile("net", a_line(Figures(new=5)))
    assert (net.value, net.more) == ("not known", ("5 new",))


# --- one campaign ---


def test_a_row_has_each_figure_with_what_belongs_to_it():
    found = shown(a_line(WORTH))
    assert found.href == "/campaigns/spring/debrief"
    assert (found.per_1000.text, found.per_1000.beside) == ("10", f"7.0\u00a0{NONE}\u00a014.0")
    assert found.avoided == Cell("30\u00a0min", "20 past a limit")
    assert found.delay == Cell(f"30{THIN}min")
    assert found.notice == Cell("kept", f"5{THIN}h before, briefing read", state="send")
    assert found.complaints == Cell("4")
    assert found.net == Cell("43,562\u00a0EUR", "1,240 new, 310 lost, 95 kept")


def test_a_row_of_which_little_is_known_says_so():
    found = shown(line(NOTHING, ()))
    cells = (found.per_1000, found.avoided, found.delay, found.notice, found.complaints, found.net)
    assert [each.text for each in cells] == [*["not known"] * 4, "not tagged", "not reported"]
    assert not any(each.is_known for each in cells)


@pytest.mark.parametrize(
    ("members", "name", "text"),
    [
        ({"is_distinguishable": False}, "per_1000", "not distinguishable from zero"),
        ({"is_distinguishable": False, "avoided_minutes": None}, "avoided", "not distinguishable from zero"),
        ({"avoided_minutes": None}, "avoided", "not known"),
        ({"avoided_minutes": -10.0}, "avoided", f"{MINUS}10\u00a0min"),
        ({"wanted_at": NOW}, "delay", "no"),
        ({"notice_minutes": 30.0}, "notice", "too short"),
        ({"notice_asked_minutes": 0.0}, "notice", "not asked for"),
    ],
)
def test_each_figure_says_what_is_so(members, name, text):
    assert getattr(shown(a_line(**members)), name).text == text


def test_what_waits_leads_to_its_campaign_and_shows_since_when():
    found = shown(Line(replace(NOTHING, messages=0), is_waiting=True))
    assert (found.href, found.tag, found.since, found.delay.text) == (
        "/campaigns/old", "waits", "2026-11-21T15:00:00Z", "waits",
    )  # fmt: skip
    assert shown(Line(replace(NOTHING, messages=0), never_went=True)).tag == "never went"
    assert shown(a_line(is_final=False)).tag == "so far"


def test_amounts_have_cents_only_where_somebody_reads_them():
    assert money(Decimal("12.5"), "EUR") == "12.50\u00a0EUR"
    assert money(Decimal(40), "EUR") == "40\u00a0EUR"
    assert money(Decimal("-1234.56"), "EUR") == f"{MINUS}1,235\u00a0EUR"
    assert net_cell(Figures(new=3)) == Cell("not known", "3 new", is_known=False)


# --- days and order ---


def days(**members: str):
    return days_of(BoardQuery(**members), datetime(2026, 11, 22, 3, tzinfo=UTC), CHICAGO)


def test_without_days_it_is_the_last_ninety_by_the_clock_of_the_center():
    found = days()
    assert (str(found.first), str(found.last), found.count) == ("2026-08-24", "2026-11-21", 90)
    assert found.start == datetime(2026, 8, 24, 5, tzinfo=UTC)  # midnight, in summer
    assert found.end == datetime(2026, 11, 22, 6, tzinfo=UTC)  # the last day is whole, in winter


def test_both_days_are_included():
    found = days(**{"from": "2026-11-01", "to": "2026-11-01"})
    assert found.end - found.start == timedelta(hours=25)  # clocks went back
    assert days(to="2026-06-30").count == 90


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        ({"from": "2001-01-01"}, "from"),
        ({"to": "0001-01-01"}, "to"),
    ],
)
def test_days_that_mean_nothing_are_named_and_the_last_ninety_are_shown(given, field):
    found = days(**given)
    assert list(found.faults) == [field]
    assert found.count == 90


def test_unknown_comes_last_whichever_way_it_goes():
    lines = [a_line(campaign="b", per_1000=2.0), line(NOTHING, ()), a_line(campaign="a", per_1000=9.0)]
    assert [each.score.campaign for each in ordered(lines, "per_1000")] == ["b", "a", "old"]
    assert [each.score.campaign for each in ordered(lines, "-per_1000")] == ["a", "b", "old"]


@pytest.mark.parametrize(
    "name", ["campaign", "began", "sent", "per_1000", "avoided", "delay", "notice", "complaints", "net"]
)
def test_it_can_be_ordered_by_every_column(name):
    lines = [a_line(WORTH, campaign="a"), a_line(None, campaign="b"), line(NOTHING, ())]
    assert len(ordered(lines, name)) == 3
    assert order_of(f"-{name}") == (name, True)
    assert order_of("nonsense") == ("began", True)
