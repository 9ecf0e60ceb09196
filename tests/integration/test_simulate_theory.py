"""The simulator against theory: each estimate within four of its standard errors, and these small enough to tell."""

from math import exp, log, sqrt

import pytest

from app.core.floor.observation import Observation
from app.core.simulation.plan import QueuePlan
from app.core.simulation.randomness import Exponential, LogNormal
from app.core.simulation.rates import Rates
from tests.support.simulated import a_queue, a_simulation, at, stays

BATCHES = 25


def erlang_c(load: float, agents: int) -> float:
    blocked = 1.0
    for k in range(1, agents + 1):
        blocked = load * blocked / (k + load * blocked)
    busy = load / agents
    return blocked / (1 - busy * (1 - blocked))


def erlang_a(per_second: float, service: float, agents: int, patience: float) -> tuple[float, float]:
    """Return (share that abandons, mean number waiting) in the stationary M/M/n+M queue."""
    weights = [1.0]
    for k in range(1, 40 * agents):
        leaving = min(k, agents) / service + max(k - agents, 0) / patience
        weights.append(weights[-1] * per_second / leaving)
    waiting = sum(weight * max(k - agents, 0) for k, weight in enumerate(weights)) / sum(weights)
    return waiting / patience / per_second, waiting


def batch_means(values):
    """Return the mean of a stationary series and the standard error of it, from the means of consecutive batches."""
    size = len(values) // BATCHES
    means = [sum(values[i * size : (i + 1) * size]) / size for i in range(BATCHES)]
    mean = sum(means) / BATCHES
    return mean, sqrt(sum((each - mean) ** 2 for each in means) / (BATCHES - 1) / BATCHES)


def assert_agrees(values, expected, *, resolution):
    mean, error = batch_means(values)
    assert error < resolution * expected, "too few contacts to tell"
    assert abs(mean - expected) < 4 * error


def steady(plan, hours):
    """The stays of a long steady run without its first and last hours."""
    day = stays(a_simulation(plan).advance(at(hours * 3600)))
    return [stay for stay in day if 2 * 3600 <= stay.queued < (hours - 2) * 3600]


@pytest.mark.parametrize(("agents", "per_hour"), [(1, 14.0), (10, 160.0), (40, 700.0)])
def test_waits_and_service_level_agree_with_erlang_c(agents, per_hour):
    service = 180.0
    load = per_hour * service / 3600
    waiting = erlang_c(load, agents)
    day = steady(
        a_queue(per_hour=per_hour, hours=10_000, agents=agents, service=Exponential(service)), 40_000 / per_hour
    )
    assert_agrees([stay.wait for stay in day], waiting * service / (agents - load), resolution=0.12)
    within = 1 - waiting * exp(-(agents - load) * 20 / service)
    assert_agrees([stay.wait <= 20 for stay in day], within, resolution=0.05)


@pytest.mark.parametrize(
    ("agents", "per_hour", "service", "patience"), [(50, 48 * 60.0, 60.0, 120.0), (20, 300.0, 300.0, 180.0)]
)
def test_waits_and_abandonment_agree_with_erlang_a(agents, per_hour, service, patience):
    lost, waiting = erlang_a(per_hour / 3600, service, agents, patience)
    plan = a_queue(per_hour=per_hour, agents=agents, service=Exponential(service), patience_seconds=patience)
    day = steady(plan, 45_000 / per_hour + 4)
    assert_agrees([stay.abandoned is not None for stay in day], lost, resolution=0.10)
    assert_agrees([stay.wait for stay in day], waiting * 3600 / per_hour, resolution=0.08)


def test_the_textbook_center_of_fifty_agents_loses_three_percent():
    """Garnett, Mandelbaum and Reiman (2002): 48 calls a minute of one minute, patience two minutes."""
    assert erlang_a(0.8, 60, 50, 120)[0] == pytest.approx(0.031, abs=0.0005)


def test_the_agents_that_the_acd_saw_busy_obey_littles_law():
    hours, service, wrap_up = 150, 200.0, 30.0
    plan = a_queue(per_hour=150, agents=14, service=LogNormal.of(service, 1.2), wrap_up_seconds=wrap_up)
    day = a_simulation(plan, observe=15).advance(at(hours * 3600))
    busy = [o.agents_busy for o in day if isinstance(o, Observation) and o.observed_at >= at(2 * 3600)]
    assert_agrees(busy, 150 / 3600 * (service + wrap_up), resolution=0.02)


def test_the_time_with_the_customer_has_the_mean_and_spread_asked_for():
    day = steady(a_queue(per_hour=200, agents=80, service=LogNormal.of(300, 1.3)), 150)
    talks = [stay.completed - stay.answered for stay in day]
    assert_agrees(talks, 300, resolution=0.02)
    assert_agrees([log(talk) for talk in talks], log(300) - log(1 + 1.3**2) / 2, resolution=0.01)


def test_patience_is_the_waiting_time_spent_per_contact_lost():
    """Total waiting of all / abandons estimates the mean of an exponential patience (censored maximum likelihood)."""
    day = steady(a_queue(per_hour=300, agents=12, patience_seconds=200), 100)
    waited, lost = sum(stay.wait for stay in day), sum(stay.abandoned is not None for stay in day)
    assert lost > 3000
    assert waited / lost == pytest.approx(200, rel=4 / sqrt(lost))


def test_arrivals_follow_the_profile_and_vary_as_poisson():
    rates = Rates.through(((0, 0), (3600, 120), (7200, 30)), length_seconds=7200, step_seconds=60)
    plan = QueuePlan("orders", rates, Exponential(60), shifts=(), patience_seconds=1.0)
    counts = [len(stays(a_simulation(plan, seed=seed).advance(at(3599)))) for seed in range(200)]
    mean = sum(counts) / 200
    assert mean == pytest.approx(60, abs=4 * sqrt(60 / 200))
    assert sum((count - mean) ** 2 for count in counts) / 199 / mean == pytest.approx(1, abs=4 * sqrt(2 / 199))
    assert sum(rates.per_second) * 60 == pytest.approx(60 + 75)
