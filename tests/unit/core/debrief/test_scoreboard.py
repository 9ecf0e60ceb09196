from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.core.campaign.value import Figures
from app.core.debrief.score import Score
from app.core.debrief.scoreboard import Line, line, totals
from tests.support.builders import NOW

SCORE = Score(
    "spring", "Spring", "default", "offer", NOW, is_final=True, messages=10_000, contacts=100.0,
    per_1000=10.0, per_1000_low=7.0, per_1000_high=14.0, is_distinguishable=True,
    slam_minutes=20.0, avoided_minutes=30.0, wanted_at=NOW - timedelta(minutes=30), granted_at=NOW,
    notice_asked_minutes=240.0, notice_minutes=240.0, is_briefed=True, reasons=(("Complaint", 4), ("price", 9)),
)  # fmt: skip
WORTH = Figures(100, 20, 10, Decimal("2.5"), None, "EUR")


def a_line(figures=None, **members) -> Line:
    return line(replace(SCORE, **members), ("complaint",), figures)


def test_the_mean_rate_weighs_by_messages_and_its_interval_adds_squares_of_distances():
    other = a_line(messages=30_000, per_1000=2.0, per_1000_low=-2.0, per_1000_high=6.0)
    rate = totals([a_line(), other]).rate
    assert rate.per_1000 == pytest.approx((10 * 10 + 30 * 2) / 40)
    low, high = rate.interval or (0.0, 0.0)
    assert low == pytest.approx(4 - ((10 * 3) ** 2 + (30 * 4) ** 2) ** 0.5 / 40)
    assert high == pytest.approx(4 + ((10 * 4) ** 2 + (30 * 4) ** 2) ** 0.5 / 40)
    assert rate.is_distinguishable
    assert not totals([other]).rate.is_distinguishable


def test_a_delay_counts_from_when_it_was_to_go_and_only_above_a_minute():
    late, prompt = a_line(), a_line(wanted_at=NOW - timedelta(seconds=60))
    unknown, early = a_line(granted_at=None), a_line(wanted_at=NOW + timedelta(seconds=5))
    delays = totals([late, prompt, unknown, early, a_line(wanted_at=NOW - timedelta(hours=2))]).delays
    assert (delays.of, delays.delayed) == (4, 2)
    assert (delays.seconds, delays.longest_seconds) == (9_000.0, 7_200.0)


def test_what_never_went_and_what_waits_is_counted_apart():
    never = Line(replace(SCORE, granted_at=None), never_went=True)
    waits = Line(replace(SCORE, granted_at=None), is_waiting=True)
    summed = totals([never, waits])
    assert (summed.delays.never, summed.waiting, summed.delays.of) == (1, 1, 0)


@pytest.mark.parametrize(
    ("asked", "given", "kept"),
    [(240.0, 240.0, True), (240.0, 239.0, False), (0.0, 300.0, None), (None, 300.0, None), (240.0, None, None)],
)
def test_notice_is_kept_where_it_was_asked_for_and_given(asked, given, kept):
    score = replace(SCORE, notice_asked_minutes=asked, notice_minutes=given)
    assert score.keeps_notice is kept
    share = totals([Line(score)]).notice
    assert (share.did, share.of) == ((0, 0) if kept is None else (int(kept), 1))


def test_complaints_are_those_reasons_that_the_center_calls_so_and_untagged_is_not_none():
    assert a_line().complaints == 4
    assert line(SCORE, ("price", "complaint")).complaints == 13
    assert line(SCORE, ("refund",)).complaints == 0
    assert a_line(reasons=None).complaints is None
    complaints = totals([a_line(), a_line(reasons=None)]).complaints
    assert (complaints.of, complaints.total) == (1, 4.0)


def test_net_value_is_added_by_currency_and_only_where_it_is_known():
    dollars = Figures(net_value=Decimal(-70), currency="USD")
    half = Figures(new=5, currency="")
    summed = totals([a_line(WORTH), a_line(WORTH), a_line(dollars), a_line(half), a_line()])
    assert summed.net.by_currency == {"EUR": (Decimal(450), 2), "USD": (Decimal(-70), 1)}
    assert (summed.new.of, summed.new.total) == (3, 205.0)
    assert (summed.kept.of, summed.kept.total) == (2, 20.0)


def test_figures_that_say_nothing_are_no_figures():
    assert a_line(Figures()).figures is None
