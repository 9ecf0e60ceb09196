"""The scoreboard's sums: whatever the campaigns, and however they are parted, the parts add up to the whole."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.campaign.value import Figures
from app.core.debrief.score import Score
from app.core.debrief.scoreboard import Line, Totals, line, totals
from tests.support.builders import NOW

COMPLAINTS = ("complaint",)
FEW = settings(max_examples=30)
maybe = st.none() | st.floats(-500, 500)
counts = st.none() | st.integers(0, 10_000)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    """A campaign of which anything may be known, or nothing."""
    rate, wide = draw(maybe), draw(st.floats(0, 50))
    waits = draw(st.none() | st.integers(0, 9_000))
    amounts = st.none() | st.decimals(0, 1_000, places=2)
    score = Score(
        "spring", "Spring", "default", "", NOW, is_final=True,
        messages=draw(st.integers(0, 10**6)),
        per_1000=rate,
        per_1000_low=None if rate is None else rate - wide,
        per_1000_high=None if rate is None else rate + draw(st.floats(0, 50)),
        slam_minutes=draw(maybe), avoided_minutes=draw(maybe),
        wanted_at=NOW, granted_at=None if waits is None else NOW + timedelta(seconds=waits),
        notice_asked_minutes=draw(st.none() | st.sampled_from([0.0, 60.0])), notice_minutes=draw(maybe),
        is_briefed=draw(st.none() | st.booleans()),
        reasons=draw(st.none() | st.just((("complaint", 3), ("", 1))) | st.just((("price", 2), ("Complaint", 4)))),
    )  # fmt: skip
    value = draw(amounts)
    figures = Figures(
        draw(counts), draw(counts), draw(counts), value, None,
        draw(st.sampled_from(["EUR", "USD"])) if value is not None else "",
    )  # fmt: skip
    return line(score, COMPLAINTS, figures)


def plain(found: Totals) -> list[object]:
    """All numbers of a sum, in their order."""
    rate, delays = found.rate, found.delays
    return [
        *(found.campaigns, found.messages, rate.of, rate.messages, rate.weighted, rate.below, rate.above),
        *(delays.of, delays.delayed, delays.seconds, delays.longest_seconds, found.notice.did, found.notice.of),
        *(
            each
            for one in (found.avoided_minutes, found.slam_minutes, found.complaints)
            for each in (one.of, one.total)
        ),
        *(each for one in (found.new, found.lost, found.kept) for each in (one.of, one.total)),
    ]


@FEW
@given(st.lists(lines(), max_size=8), st.lists(lines(), max_size=8))
def test_sums_of_parts_are_sums_of_the_whole(some, others):
    whole, parts = totals([*some, *others]), totals(some) + totals(others)
    assert plain(parts) == pytest.approx(plain(whole))
    assert parts.net == whole.net


@FEW
@given(st.lists(lines(), max_size=8), st.randoms())
def test_the_order_of_campaigns_changes_no_sum(some, dice):
    shuffled = list(some)
    dice.shuffle(shuffled)
    assert plain(totals(shuffled)) == pytest.approx(plain(totals(some)))


@FEW
@given(st.lists(lines(), min_size=1, max_size=8))
def test_a_mean_rate_lies_in_its_interval_and_between_the_rates_it_is_made_of(some):
    rate = totals(some).rate
    known = [each.score.per_1000 for each in some if each.score.per_1000 is not None and each.score.messages]
    assert rate.of == len(known)
    if rate.per_1000 is None or rate.interval is None:
        assert known == []
        return
    low, high = rate.interval
    slack = 1e-6 * max(map(abs, known)) + 1e-9
    assert low - slack <= rate.per_1000 <= high + slack
    assert min(known) - slack <= rate.per_1000 <= max(known) + slack


@FEW
@given(lines())
def test_more_campaigns_that_nobody_knows_anything_of_change_nothing_but_their_number(one):
    unknown = Line(Score("x", "X", "default", "", NOW, is_final=True))
    alone, together = totals([one]), totals([one, unknown, unknown])
    assert together.campaigns == alone.campaigns + 2
    assert plain(together)[1:] == plain(alone)[1:]


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.decimals(0, 10**6, places=6))
def test_the_net_value_is_that_of_won_and_kept_customers_less_that_of_lost_ones(new, lost, kept, value):
    figures = Figures(new, lost, kept, value, None, "EUR")
    assert figures.net == Decimal(new + kept) * value - Decimal(lost) * value
