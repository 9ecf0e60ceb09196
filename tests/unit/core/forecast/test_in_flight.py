import numpy as np
import pytest

from app.core.forecast.in_flight import in_flight
from app.core.forecast.learn import GammaRate, prior_rate
from app.core.forecast.refused import ResponseRefused
from app.core.forecast.response import Response
from app.core.forecast.watch import Watch, overdispersion
from tests.support.responding import response_curve

INTERVALS = 48
BASE = np.full(INTERVALS, 100.0)
KERNEL = response_curve(Response(), np.ones(240, dtype=np.bool_), 0, 240).reshape(INTERVALS, 5).sum(axis=1) * 60
PER_RATE = 60 * KERNEL[np.newaxis]  # 60,000 messages
NO_CAMPAIGN = np.zeros((0, INTERVALS))


def a_watch(counts, per_rate=PER_RATE, base=BASE, **more):
    return Watch(counts, base, per_rate, **more)


def test_with_nothing_seen_everything_is_as_it_was_believed():
    found = in_flight([a_watch(np.full(INTERVALS, np.nan), level_sd=0.2)], [prior_rate("offer")])
    assert found.observed == 0
    assert [found.rates[0], found.rate_sds[0]] == pytest.approx([5, 5])
    assert [found.levels[0], found.level_sds[0]] == pytest.approx([1, 0.2])
    assert [found.belief(0).mean, found.belief(0).sd] == pytest.approx([5, 5])


def test_level_and_rate_are_found_where_both_are_off():
    found = in_flight([a_watch(1.1 * BASE + 20 * PER_RATE[0])], [GammaRate.of_moments(10, 1e6)])
    assert found.rates[0] == pytest.approx(20, abs=found.rate_sds[0])
    assert found.levels[0] == pytest.approx(1.1, abs=found.level_sds[0])


def test_the_estimate_is_the_gaussian_posterior_of_a_linear_model():
    counts = np.random.default_rng(1).poisson(1.05 * BASE + 12 * PER_RATE[0]).astype(np.float64)
    found = in_flight([a_watch(counts, level_sd=0.1, dispersion=1.5)], [prior_rate()])
    at = 5.0 * np.arange(INTERVALS)
    level = 0.01 * (0.5 + 0.5 * np.exp(-np.abs(at[:, np.newaxis] - at) / 240))
    joint = np.zeros((INTERVALS + 1, INTERVALS + 1))  # prior of the levels and the rate
    joint[:INTERVALS, :INTERVALS], joint[-1, -1] = level, 100
    design = np.hstack([np.diag(BASE), PER_RATE.T])
    prior = np.append(np.ones(INTERVALS), 10.0)
    posterior = prior
    for _ in range(20):
        noise = np.diag(1.5 * (design @ posterior))
        gain = joint @ design.T @ np.linalg.inv(design @ joint @ design.T + noise)
        posterior = prior + gain @ (counts - design @ prior)
    variance = np.diag(joint - gain @ design @ joint)
    assert found.rates[0] == pytest.approx(posterior[-1], rel=1e-3)
    assert found.levels[0] == pytest.approx(posterior[-2], rel=1e-4)
    assert found.rate_sds[0] == pytest.approx(np.sqrt(variance[-1]), rel=1e-3)
    assert found.level_sds[0] == pytest.approx(np.sqrt(variance[-2]), rel=1e-3)


def test_an_interval_without_a_count_says_nothing():
    counts = 1.1 * BASE + 20 * PER_RATE[0]
    counts[5:20] = np.nan
    found = in_flight([a_watch(counts)], [GammaRate.of_moments(10, 1e6)])
    assert found.observed == INTERVALS - 15
    assert found.rates[0] == pytest.approx(20, abs=found.rate_sds[0])


def test_the_longer_a_campaign_is_watched_the_surer_its_rate():
    counts, sds = BASE + 10 * PER_RATE[0], []
    for watched in (0, 6, 12, 24, 48):
        seen = np.where(np.arange(INTERVALS) < watched, counts, np.nan)
        sds.append(in_flight([a_watch(seen)], [prior_rate()]).rate_sds[0])
    assert np.all(np.diff(sds) < 0)


def test_several_campaigns_are_told_apart_by_when_they_went():
    later = np.concatenate([np.zeros(12), PER_RATE[0, :-12]])
    counts = BASE + 5 * PER_RATE[0] + 15 * later
    found = in_flight([a_watch(counts, np.vstack([PER_RATE[0], later]))], [GammaRate.of_moments(10, 1e6)] * 2)
    assert found.rates == pytest.approx([5, 15], abs=0.5)
    assert found.covariance[0, 1] == found.covariance[1, 0] != 0


def test_several_queues_share_a_rate_and_have_their_own_levels():
    orders = Watch(0.9 * BASE + 8 * 0.7 * PER_RATE[0], BASE, 0.7 * PER_RATE)
    billing = Watch(1.1 * 2 * BASE + 8 * 0.3 * PER_RATE[0], 2 * BASE, 0.3 * PER_RATE)
    both = in_flight([orders, billing], [GammaRate.of_moments(10, 1e6)])
    assert both.rates[0] == pytest.approx(8, abs=both.rate_sds[0])
    assert both.levels == pytest.approx([0.9, 1.1], abs=0.02)
    assert both.rate_sds[0] < in_flight([orders], [GammaRate.of_moments(10, 1e6)]).rate_sds[0]


def test_without_campaigns_the_level_alone_is_estimated():
    found = in_flight([a_watch(1.2 * BASE, NO_CAMPAIGN)], [])
    assert found.levels[0] == pytest.approx(1.2, abs=0.02)
    assert found.rates.shape == (0,)


def test_a_quiet_day_makes_no_campaign_free():
    found = in_flight([a_watch(0.8 * BASE - 3 * PER_RATE[0], level_sd=0.01)], [prior_rate()])
    assert found.rates[0] < 0
    assert found.belief(0).mean == pytest.approx(found.rate_sds[0] / 2)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [({"counts": np.full(INTERVALS, -1.0)}, "/counts"), ({"counts": np.full(INTERVALS, np.inf)}, "/counts"),
     ({"counts": np.ones(3)}, "/base"), ({"base": np.zeros(INTERVALS)}, "/base"),
     ({"base": np.full(INTERVALS, np.nan)}, "/base"), ({"per_rate": -PER_RATE}, "/per_rate"),
     ({"per_rate": PER_RATE[:, :5]}, "/per_rate"), ({"level_sd": 0.0}, "/level_sd"),
     ({"dispersion": 0.5}, "/dispersion"), ({"interval_minutes": 0}, "/interval_minutes")],
)  # fmt: skip
def test_a_watch_that_cannot_be_is_refused(more, pointer):
    with pytest.raises(ResponseRefused) as refused:
        Watch(**{"counts": BASE, "base": BASE, "per_rate": PER_RATE, **more})
    assert pointer in [problem.pointer for problem in refused.value.problems]


def test_rates_and_watches_must_fit():
    with pytest.raises(ResponseRefused, match="has 1 campaigns; 2 have priors"):
        in_flight([a_watch(BASE)], [prior_rate(), prior_rate()])
    with pytest.raises(ResponseRefused, match="/watches"):
        in_flight([], [])


def test_overdispersion_is_that_of_the_counts_around_their_days_level():
    rng = np.random.default_rng(1)
    expected = np.full((60, 48), 80.0)
    level = rng.gamma(100, 0.01, size=(60, 1))
    assert overdispersion(rng.poisson(level * expected).astype(np.float64), expected) == pytest.approx(1, abs=0.06)
    busy = rng.negative_binomial(80, 0.5, size=(60, 48)).astype(np.float64)  # variance is twice the mean
    assert overdispersion(level * busy, level * expected) == pytest.approx(2, abs=0.1)
    busy[:, ::3] = np.nan
    assert overdispersion(busy, expected) == pytest.approx(2, abs=0.15)


def test_counts_smoother_than_chance_have_no_dispersion_below_1():
    assert overdispersion(BASE, BASE) == 1


def test_the_dispersion_of_nothing_is_not_known():
    assert np.isnan(overdispersion(np.array([5.0]), np.array([4.0])))
    assert np.isnan(overdispersion(np.zeros(10), BASE[:10]))
    with pytest.raises(ResponseRefused, match="/counts"):
        overdispersion(np.array([-1.0, 2.0]), np.ones(2))
