"""The simulator against an independent one: transient scenarios, hour by hour, with the error of both stated."""

import csv
import json
from collections import defaultdict
from itertools import groupby
from math import sqrt

import pytest

from app.core.simulation.plan import FloorPlan, QueuePlan, Shift
from app.core.simulation.randomness import Exponential, LogNormal
from app.core.simulation.rates import Rates
from app.core.simulation.simulation import Simulation
from tests.support.shared import shared
from tests.support.simulated import START, at, seeded, stays

RUNS = 60
HOUR_SECONDS = 3600
HORIZON_SECONDS = 4 * 3600

# Only scenarios in which nobody leaves while others stay: there the truth sends idle agents away first, we named ones.
# With each the hour to begin with: the truth's contacts in service at the start are memoryless, ours are lognormal.
SCENARIOS = (
    ("S01_small_nocamp", 0),
    ("S03_mid_backlog_blast", 0),
    ("S06_staff_up", 0),
    ("S10_chat_slots", 0),
    ("S14_start_empty", 0),
    ("S16_outage", 0),
    ("R03_LNservice", 1),
)


def shifts(agents_per_minute):
    """Return one-agent shifts that together staff each minute as given."""
    found = []
    for level in range(1, max(agents_per_minute) + 1):
        minutes = [minute for minute, agents in enumerate(agents_per_minute) if agents >= level]
        for _, run in groupby(enumerate(minutes), key=lambda pair: pair[1] - pair[0]):
            span = [minute for _, minute in run]
            found.append(Shift(1, span[0] * 60, (span[-1] + 1) * 60 if span[-1] < 239 else 1e9))
    return tuple(found)


def plan_of(scenario):
    mean = scenario["aht_s"]
    service = LogNormal.of(mean, scenario["cv"]) if scenario["svc"] == "LN" else Exponential(mean)
    return QueuePlan(
        "orders",
        Rates(tuple(rate / 60 for rate in scenario["lam_per_min"])),
        service,
        shifts(scenario["agents"]),
        patience_seconds=scenario["patience_s"],
        present_at_start=scenario["busy0"] + scenario["wait0"],
    )


def one_run(plan, tau, seed):
    """Return per hour of arrival: (arrivals, abandoned, answered, summed wait of answered, answered within tau)."""
    simulation = Simulation(FloorPlan((plan,)), START, seeded(seed), observe_every_seconds=None)
    sums: dict[int, list[float]] = defaultdict(lambda: [0.0] * 5)
    for stay in stays(simulation.advance(at(HORIZON_SECONDS + 36_000)))[plan.present_at_start :]:
        block = sums[int(stay.queued // HOUR_SECONDS)]
        block[0] += 1
        if stay.answered is None:
            block[1] += 1
        else:
            block[2] += 1
            block[3] += stay.wait
            block[4] += stay.wait <= tau
    return sums


def ratio(numerators, denominators):
    """Return the ratio of two sums over independent runs, and its standard error (linearised)."""
    value, runs = sum(numerators) / sum(denominators), len(numerators)
    spread = sum((n - value * d) ** 2 for n, d in zip(numerators, denominators, strict=True))
    return value, sqrt(spread * runs / (runs - 1)) / sum(denominators)


def truth_of(rows, value, error, weight):
    """Return the weighted mean of a column and an upper bound of its standard error (full correlation)."""
    weights = [float(row[weight]) for row in rows]
    return tuple(
        sum(float(row[column]) * each for row, each in zip(rows, weights, strict=True)) / sum(weights)
        for column in (value, error)
    )


def truth_of_losses(rows):
    """Return abandoned / arrivals and an upper bound of its standard error."""
    arrivals = sum(float(row["arrivals"]) for row in rows)
    return tuple(sum(float(row[column]) for row in rows) / arrivals for column in ("abandoned", "abandoned_se"))


def assert_agrees(what, found, truth):
    (value, error), (true_value, true_error) = found, truth
    assert abs(value - true_value) <= 4 * sqrt(error**2 + true_error**2), f"{what}: {value}, truth {true_value}"


def scenario_and_truth(name):
    scenarios = json.loads(shared("truth/transient_scenarios.json").read_text())
    with shared("truth/transient_truth.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["scenario"] == name]
    return next(scenario for scenario in scenarios if scenario["name"] == name), rows


@pytest.mark.parametrize(("name", "first_hour"), SCENARIOS)
def test_waits_service_level_and_abandonment_agree_with_the_truth(name, first_hour):
    scenario, truth = scenario_and_truth(name)
    plan = plan_of(scenario)
    runs = [one_run(plan, scenario["tau_s"], seed) for seed in range(RUNS)]
    for hour in range(first_hour, HORIZON_SECONDS // HOUR_SECONDS):
        rows = [row for row in truth if float(row["t_start_s"]) // HOUR_SECONDS == hour]
        arrivals, abandoned, answered, waits, within = ([run[hour][i] for run in runs] for i in range(5))
        assert_agrees(
            f"service level of hour {hour}",
            ratio(within, arrivals),
            truth_of(rows, "sl20_offered", "sl20_offered_se", "arrivals"),
        )
        assert_agrees(
            f"speed to answer of hour {hour}",
            ratio(waits, answered),
            truth_of(rows, "asa_answered_s", "asa_se", "answered"),
        )
        assert_agrees(f"abandonment of hour {hour}", ratio(abandoned, arrivals), truth_of_losses(rows))
