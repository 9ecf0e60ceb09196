"""How long a prediction takes: alone, in rows, and against the two libraries that answer the same questions."""

import math
import statistics
import time
from collections.abc import Callable

import numpy as np

from app.core.forecast.erlang import agents_for_service_level
from app.core.forecast.predict import predict
from app.core.forecast.scenario import Scenario
from bench.load import Rate
from bench.measuring import interleaved, table

HANDLE_SECONDS, PATIENCE_SECONDS = 300.0, 180.0
HORIZON_MINUTES, ROWS, ROW_MINUTES = 240, 72, 180
SEND_MEDIAN_MINUTES, SEND_SHAPE = 166.0, 0.671
DAYS_FOR_A_POINT = 400
"""Simulated days until the standard error of one interval's service level is about a point, at forty agents."""

HALF_HOUR_CALLS, HALF_HOUR_SECONDS, TARGET_RATIO, TARGET_SECONDS = 360.0, 1_800.0, 0.8, 20.0


def measure(rounds: int, seconds: float) -> str:
    """Return the tables of predictions, of one against simulation, and of staffing against another Erlang C."""
    each = seconds / 3
    return "\n\n".join([_predictions(rounds, each), _simulation(rounds, each), _staffing(rounds, each)])


def a_scenario(agents: int, *, changing: bool = False) -> Scenario:
    """Return a queue at 75 % of its load, with a send at minute 0 that brings 3 % more in four hours, much at once."""
    base = 0.75 * agents / HANDLE_SECONDS
    minutes = np.arange(HORIZON_MINUTES + 1, dtype=np.float64)
    reached = 1 / (1 + (SEND_MEDIAN_MINUTES / np.maximum(minutes, 1e-9)) ** SEND_SHAPE)
    rates = base + 0.06 * base * HORIZON_MINUTES * np.diff(reached)
    counts = np.full(HORIZON_MINUTES, agents)
    if changing:
        counts += np.repeat(np.resize([0, agents // 20, -agents // 20], HORIZON_MINUTES // 15), 15)
    return Scenario(rates, counts, HANDLE_SECONDS, PATIENCE_SECONDS, round(0.75 * agents), 0)


def _predictions(rounds: int, seconds: float) -> str:
    forty, many, changing = a_scenario(40), a_scenario(300), a_scenario(40, changing=True)
    rows = forty.arrivals_per_second[:ROW_MINUTES] * np.linspace(0.9, 1.3, ROWS)[:, None]
    short = Scenario(rows[0], forty.agents[:ROW_MINUTES], HANDLE_SECONDS, PATIENCE_SECONDS, forty.busy, 0)
    found = interleaved(
        rounds,
        {
            "4 hours, 40 agents": lambda: timed(lambda: predict(forty), seconds),
            "4 hours, 40 agents, another number every 15 minutes": lambda: timed(lambda: predict(changing), seconds),
            "4 hours, 300 agents": lambda: timed(lambda: predict(many), seconds),
            f"{ROWS} curves of 3 hours in one call, 40 agents, steps of 60 s": lambda: timed(
                lambda: predict(short, rows, step_seconds=60.0), seconds
            ),
        },
    )
    lines = [(name, f"{1_000 / rate.per_second:.1f}", f"{rate.p99_ms:.1f}") for name, rate in found.items()]
    return table("Outlook", ("predicted", "median ms", "p99 ms"), lines)


def _simulation(rounds: int, seconds: float) -> str:
    scenario = a_scenario(40)
    found = interleaved(
        rounds,
        {
            "predicted": lambda: timed(lambda: predict(scenario), seconds),
            "one day simulated with ciw": lambda: timed(lambda: simulated(scenario), seconds),
        },
    )
    ours, day = (1_000 / rate.per_second for rate in found.values())
    needed = DAYS_FOR_A_POINT * day
    lines = [
        ("**predicted**", f"{ours:.1f}", "1"),
        ("one day simulated with ciw", f"{day:.1f}", f"{day / ours:,.0f}"),
        (f"{DAYS_FOR_A_POINT} days, for a service level to about a point", f"{needed:,.0f}", f"{needed / ours:,.0f}"),
    ]
    return table("Outlook against simulation", ("the same 4 hours, 40 agents", "ms", "to predicted"), lines)


def _staffing(rounds: int, seconds: float) -> str:
    found = interleaved(
        rounds,
        {
            "**holdfire**": lambda: timed(staffed, seconds),
            "pyworkforce": lambda: timed(staffed_by_pyworkforce, seconds),
        },
    )
    assert staffed() == staffed_by_pyworkforce()
    ours, _ = found.values()
    lines = [
        (name, f"{1e6 / rate.per_second:,.0f}", f"{ours.per_second / rate.per_second:.1f}")
        for name, rate in found.items()
    ]
    return table(
        "Staffing by Erlang C", ("360 calls of 300 s in half an hour, 80 % in 20 s", "µs", "to holdfire"), lines
    )


def staffed() -> int:
    """Return the agents that a half-hour needs."""
    rate = HALF_HOUR_CALLS / HALF_HOUR_SECONDS
    return agents_for_service_level(rate, 1 / HANDLE_SECONDS, TARGET_RATIO, TARGET_SECONDS)


def staffed_by_pyworkforce() -> int:
    """Return the same by pyworkforce, which counts in minutes."""
    from pyworkforce.queuing import ErlangC  # noqa: PLC0415 - only `make bench` installs it

    asked = ErlangC(
        transactions=HALF_HOUR_CALLS,
        aht=HANDLE_SECONDS / 60,
        asa=TARGET_SECONDS / 60,
        interval=round(HALF_HOUR_SECONDS / 60),
    )
    return int(asked.required_positions(service_level=TARGET_RATIO)["raw_positions"])


def simulated(scenario: Scenario) -> float:
    """Return the service level of one simulated day of the same rates, agents and patience, from an empty floor."""
    import ciw  # noqa: PLC0415 - only `make bench` installs it

    minutes = len(scenario.agents)
    end = 60.0 * minutes
    assert scenario.patience_seconds is not None
    network = ciw.create_network(
        arrival_distributions=[
            ciw.dists.PoissonIntervals(
                rates=scenario.arrivals_per_second.tolist(),
                endpoints=[60.0 * (minute + 1) for minute in range(minutes)],
                max_sample_date=end,
            )
        ],
        service_distributions=[ciw.dists.Exponential(1 / scenario.handle_seconds)],
        reneging_time_distributions=[ciw.dists.Exponential(1 / scenario.patience_seconds)],
        number_of_servers=[int(scenario.agents[0])],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(end)
    records = simulation.get_all_records(only=["service", "renege"])
    served = [record.waiting_time for record in records if record.record_type == "service"]
    return float(sum(wait <= scenario.target_seconds for wait in served) / max(len(records), 1))


def timed(work: Callable[[], object], seconds: float) -> Rate:
    """Return how often a second, by the median, and how slowly at worst the work is done, for some seconds."""
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while not taken or time.perf_counter() < until:
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return Rate(1 / statistics.median(taken), 1_000 * sorted(taken)[math.ceil(0.99 * len(taken)) - 1])
