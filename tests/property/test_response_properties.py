import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.forecast.in_flight import in_flight
from app.core.forecast.learn import GammaRate
from app.core.forecast.pooling import PastRate, pooled_rate
from app.core.forecast.response import Response, in_flight_curve, response_curves, sent_curve
from app.core.forecast.wanted import night_activity
from app.core.forecast.watch import Watch
from tests.support.responding import response_curve

MINUTES = 600
shares = st.floats(0, 1)
starts = st.integers(0, MINUTES - 1)
sends = st.lists(st.tuples(st.integers(0, MINUTES - 1), st.integers(0, 100_000)), max_size=6)
rates = st.floats(0.01, 1000)


@st.composite
def openings(draw):
    edges = sorted(draw(st.lists(st.integers(0, MINUTES), max_size=6)))
    hours = np.full(MINUTES, draw(st.booleans()))
    for edge in edges:
        hours[edge:] = ~hours[edge:]
    hours[draw(starts)] = True
    return hours


@given(openings(), shares, starts, st.integers(1, 700), st.one_of(st.none(), st.integers(0, 1439)))
def test_a_response_is_never_negative_never_more_than_its_send_and_never_while_closed(
    opening, deferral, start, send_minutes, night
):
    activity = None if night is None else night_activity(night, MINUTES)
    curve = response_curve(Response(deferral_ratio=deferral), opening, start, MINUTES, send_minutes, activity=activity)
    assert np.all(curve >= -1e-15)
    assert 60 * curve.sum() <= 1 + 1e-9
    assert np.all(curve[:start] == 0)
    assert np.all(curve[~opening] == 0)


@given(openings(), st.integers(0, 300))
def test_nobody_is_lost_who_comes_back_once_the_center_is_open_for_long(opening, start):
    """With everyone coming back, those who wanted to come within the span come, as long as it then stays open."""
    long = np.concatenate([opening, np.ones(2000, dtype=np.bool_)])
    always = np.ones(len(long), dtype=np.bool_)
    came, wanted = (response_curve(Response(deferral_ratio=1.0), hours, start, len(long)) for hours in (long, always))
    assert came.sum() == pytest.approx(wanted.sum())
    assert np.all(np.cumsum(came) <= np.cumsum(wanted) + 1e-12)  # and nobody comes before wanting to


@given(openings(), shares, shares, starts)
def test_the_more_come_back_the_more_come(opening, one, two, start):
    few, many = (
        response_curve(Response(deferral_ratio=share), opening, start, MINUTES) for share in sorted((one, two))
    )
    assert np.all(few <= many + 1e-15)


@given(openings(), sends, sends)
def test_sends_add_up(opening, some, more):
    together = sent_curve(Response(), opening, [*some, *more])
    assert together == pytest.approx(sent_curve(Response(), opening, some) + sent_curve(Response(), opening, more))


@given(openings(), sends, starts)
def test_what_is_in_flight_is_the_rest_of_what_was_forecast(opening, sent, now):
    past = [send for send in sent if send[0] <= now]
    whole = sent_curve(Response(), opening, past)
    left = in_flight_curve(
        Response(), opening[now:], [(at - now, many) for at, many in past], MINUTES - now, opened_before=opening[:now]
    )
    assert left == pytest.approx(whole[now:], abs=1e-9)


@given(openings(), st.lists(starts, min_size=1, max_size=5))
def test_starts_do_not_know_each_other(opening, several):
    curves = response_curves(Response(), opening, np.array(several), MINUTES)
    for start, curve in zip(several, curves, strict=True):
        assert curve == pytest.approx(response_curve(Response(), opening, start, MINUTES))


@given(st.lists(st.tuples(st.floats(-50, 200), st.floats(0.01, 100)), max_size=8), rates)
def test_a_pool_is_always_a_belief_and_does_not_depend_on_order(past, mean):
    known = [PastRate(*each) for each in past]
    prior = GammaRate(1.0, 1 / mean)
    pooled, backwards = pooled_rate(known, given=prior), pooled_rate(known[::-1], given=prior)
    assert 0 < pooled.mean < np.inf
    assert [pooled.shape, pooled.rate] == pytest.approx([backwards.shape, backwards.rate])


@given(st.integers(0, 2**32 - 1), rates, st.integers(1, 24))
def test_more_contacts_never_lower_a_rate_and_a_count_always_sharpens_it(seed, mean, seen):
    rng = np.random.default_rng(seed)
    base, per_rate = rng.uniform(1, 100, 24), rng.uniform(0, 5, (1, 24))
    counts = np.where(np.arange(24) < seen, rng.poisson(base), np.nan).astype(np.float64)
    prior = GammaRate(1.0, 1 / mean)
    found = in_flight([Watch(counts, base, per_rate)], [prior])
    assert found.rate_sds[0] <= prior.sd * (1 + 1e-9)
    assert 0 < found.belief(0).mean < np.inf
    more = in_flight([Watch(counts + 100 * per_rate[0], base, per_rate)], [prior])
    assert more.rates[0] > found.rates[0]
