import math

import pytest

from app.core.forecast.erlang import ErlangC, agents_for_service_level, agents_needed, erlang_b, erlang_c


@pytest.mark.parametrize(
    ("load", "servers", "expected"),
    [(1, 1, 0.5), (10, 14, 0.056819143), (20, 10, 0.5379631686320729), (0, 3, 0), (5, 0, 1)],
)
def test_blocking_is_erlangs_own(load, servers, expected):
    assert erlang_b(load, servers) == pytest.approx(expected, abs=1e-9)


def test_thousands_of_servers_neither_overflow_nor_underflow():
    assert erlang_b(5_000, 5_000) == pytest.approx(math.sqrt(2 / math.pi / 5_000), rel=0.01)  # its heavy-traffic limit
    assert erlang_b(1e-3, 500) == 0
    beta = 100 / math.sqrt(5_000)  # Halfin and Whitt's limit
    density, mass = math.exp(-(beta**2) / 2) / math.sqrt(2 * math.pi), (1 + math.erf(beta / math.sqrt(2))) / 2
    assert erlang_c(4_900, 5_000) == pytest.approx(1 / (1 + beta * mass / density), rel=0.02)


@pytest.mark.parametrize(("load", "agents", "expected"), [(10, 14, 0.1741319), (10, 11, 0.6821182), (20, 25, 0.2091)])
def test_the_probability_of_waiting_is_the_published_one(load, agents, expected):
    assert erlang_c(load, agents) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("agents", [0, 9, 10])
def test_a_load_that_is_not_below_the_agents_lets_everybody_wait_without_end(agents):
    queue = ErlangC(10.0, 1.0, agents)
    assert queue.waiting_ratio == 1
    assert queue.service_level(20) == 0
    assert queue.speed_to_answer == math.inf
    assert queue.backlog == math.inf
    assert queue.occupancy_ratio == 1


def test_the_states_add_up_to_what_is_said_of_them():
    queue = ErlangC(7.0, 1.0, 9)
    states = [queue.state(number) for number in range(600)]
    waiting = [max(number - 9, 0) for number in range(600)]
    mean = sum(state * many for state, many in zip(states, waiting, strict=True))
    squares = sum(state * many**2 for state, many in zip(states, waiting, strict=True))
    assert sum(states) == pytest.approx(1)
    assert sum(states[9:]) == pytest.approx(queue.waiting_ratio)
    assert mean == pytest.approx(queue.backlog) == pytest.approx(1.3473148295486905)
    assert squares - mean**2 == pytest.approx(queue.backlog_variance)


def test_a_queue_without_arrivals_waits_for_nothing():
    queue = ErlangC(0.0, 1.0, 3)
    assert (queue.speed_to_answer, queue.backlog, queue.service_level(0), queue.state(0)) == (0, 0, 1, 1)


def test_a_fraction_of_an_agent_lies_between_its_neighbours():
    between = ErlangC(10.0, 1.0, 13.25).service_level(0.1)
    below, above = (ErlangC(10.0, 1.0, agents).service_level(0.1) for agents in (13, 14))
    assert between == pytest.approx(0.75 * below + 0.25 * above)


@pytest.mark.parametrize(
    ("calls", "interval", "handle", "target", "within", "occupancy", "expected"),
    [
        (100, 1_800, 180, 0.8, 20, 0.85, 14),
        (360, 1_800, 240, 0.8, 20, 1.0, 54),
        (57, 3_600, 1_110, 0.8, 20, 1.0, 23),
        (100, 1_800, 180, 0.8, 20, 0.5, 20),
        (0, 1_800, 180, 0.8, 20, 1.0, 1),
    ],
)
def test_the_fewest_agents_that_reach_the_target(  # noqa: PLR0917 - a table's columns
    calls, interval, handle, target, within, occupancy, expected
):
    assert agents_for_service_level(calls / interval, 1 / handle, target, within, occupancy) == expected


def test_agents_who_are_exactly_as_busy_as_allowed_are_enough():
    assert agents_for_service_level(63 / 1800, 1 / 180, 0.0, 20, 0.9) == 7  # 6.3 erlangs, but for their rounding
    assert agents_for_service_level(63.1 / 1800, 1 / 180, 0.0, 20, 0.9) == 8


def test_the_fewest_for_a_load_of_thousands_is_found_and_more_than_anybody_has_is_refused():
    agents = agents_for_service_level(100.0, 1 / 300, 0.8, 20.0)
    levels = [ErlangC(100.0, 1 / 300, each).service_level(20.0) for each in (agents - 1, agents)]
    assert levels[0] < 0.8 <= levels[1]
    with pytest.raises(ValueError, match=r"not even 100000 agents answer 0\.8 of 150000 erlangs"):
        agents_for_service_level(500.0, 1 / 300, 0.8, 20.0)


def test_the_fewest_is_found_wherever_it_lies():
    for fewest in (0, 1, 2, 63, 64, 65, 1_000):
        assert agents_needed(fewest.__le__) == fewest
    with pytest.raises(ValueError, match="not even 100000 agents"):
        agents_needed(lambda _: False)


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda: erlang_b(math.nan, 3), "load of nan"),
        (lambda: erlang_b(-1.0, 3), "load of -1"),
        (lambda: erlang_c(1.0, -1), "agents=-1"),
        (lambda: erlang_c(1.0, math.nan), "agents=nan"),
        (lambda: ErlangC(1.0, 0.0, 3), "handled=0.0 must be > 0"),
        (lambda: ErlangC(1.0, math.nan, 3), "handled=nan"),
        (lambda: agents_for_service_level(1, 1, 1.0, 20), "target_ratio=1.0"),
        (lambda: agents_for_service_level(1, 1, 0.8, 20, 0.0), "max_occupancy_ratio=0.0"),
    ],
)
def test_nonsense_is_refused_by_name(ask, named):
    with pytest.raises(ValueError, match=named):
        ask()
