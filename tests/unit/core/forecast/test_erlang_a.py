import math

import numpy as np
import pytest

from app.core.forecast.erlang import ErlangC
from app.core.forecast.erlang_a import ErlangA, agents_for_service_level

WHITT = ErlangA(arrivals=102.0, handled=1.0, given_up=1.0, agents=100)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (WHITT.no_wait_ratio, 0.4083),
        (WHITT.abandonment_ratio, 0.0499),
        (WHITT.speed_to_answer, 0.0490),
        (WHITT.wait_of_abandoned, 0.0666),
        (WHITT.answered_within(0.1), 0.7986),
        (WHITT.abandoned_within(0.1), 0.7671),
        (WHITT.answered_within(0.2), 0.9644),
        (WHITT.abandoned_within(0.2), 0.9702),
    ],
)
def test_the_exact_column_of_whitts_table_is_met_to_its_last_digit(value, expected):
    assert value == pytest.approx(expected, abs=6e-5)


def test_the_moments_of_whitts_table_are_met():
    assert WHITT.backlog == pytest.approx(5.092, abs=1e-3)
    assert WHITT.backlog_variance == pytest.approx(44.6, abs=0.06)
    assert WHITT.number == pytest.approx(102.0)
    assert WHITT.number_variance == pytest.approx(102.0)  # with patience as handling it is Poisson
    assert WHITT.busy == pytest.approx(102 * (1 - WHITT.abandonment_ratio))


@pytest.mark.parametrize("queue", [WHITT, ErlangA(0.5, 1 / 300, 1 / 40, 50), ErlangA(3.0, 1 / 60, 1 / 900, 20)])
def test_everybody_is_served_gives_up_or_waits(queue):
    for within in (0.0, 0.3, 20.0):
        fates = queue.service_level(within) + queue.abandoned_early(within)
        assert 0 <= queue.abandoned_early(within) <= queue.abandonment_ratio + 1e-12
        assert fates <= 1 + 1e-12
    assert queue.service_level(1e6) == pytest.approx(1 - queue.abandonment_ratio)
    total = queue.speed_to_answer * (1 - queue.abandonment_ratio) + queue.wait_of_abandoned * queue.abandonment_ratio
    assert total == pytest.approx(queue.mean_wait)


def test_very_patient_callers_are_those_of_erlang_c():
    patient, lasting = ErlangA(7.0, 1.0, 1e-9, 9), ErlangC(7.0, 1.0, 9)
    assert patient.speed_to_answer == pytest.approx(lasting.speed_to_answer, rel=1e-6)
    assert patient.service_level(0.2) == pytest.approx(lasting.service_level(0.2), rel=1e-6)
    assert patient.patient_service_level(0.2) == pytest.approx(lasting.service_level(0.2), rel=1e-6)


def test_overload_has_a_steady_state_in_which_the_excess_gives_up():
    queue = ErlangA(2.0, 1 / 300, 1 / 60, 40)
    assert queue.abandonment_ratio == pytest.approx(1 - 40 / 300 / 2.0, abs=1e-6)
    assert queue.occupancy_ratio == pytest.approx(1, abs=1e-6)


def test_without_agents_everybody_gives_up_at_the_end_of_their_patience():
    queue = ErlangA(0.5, 1 / 300, 1 / 60, 0)
    assert queue.abandonment_ratio == pytest.approx(1)
    assert queue.mean_wait == pytest.approx(60)
    assert queue.wait_of_abandoned == pytest.approx(60)
    assert queue.service_level(20) == 0
    assert math.isnan(queue.speed_to_answer)
    assert math.isnan(queue.occupancy_ratio)


def test_shares_of_nobody_are_not_numbers():
    queue = ErlangA(0.0, 1.0, 1.0, 5)
    assert queue.state(0) == 1
    assert queue.backlog == 0
    assert math.isnan(queue.abandonment_ratio)
    assert math.isnan(queue.mean_wait)
    assert math.isnan(queue.abandoned_within(1.0))


def test_probabilities_of_states_add_up_and_end():
    assert WHITT.states.sum() == pytest.approx(1)
    assert WHITT.state(-1) == WHITT.state(10**9) == 0
    np.testing.assert_allclose(WHITT.states[1:] * np.arange(1, len(WHITT.states)), 102 * WHITT.states[:-1])


def test_the_fewest_agents_that_reach_the_target_are_fewer_than_with_endless_patience():
    agents = agents_for_service_level(0.2, 1 / 240, 1 / 180, 0.8, 20.0)
    assert agents < 54
    assert ErlangA(0.2, 1 / 240, 1 / 180, agents).service_level(20) >= 0.8
    assert ErlangA(0.2, 1 / 240, 1 / 180, agents - 1).service_level(20) < 0.8


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"arrivals": math.nan}, "arrivals=nan"),
        ({"arrivals": -1.0}, "arrivals=-1.0"),
        ({"handled": 0.0}, "handled=0.0"),
        ({"given_up": 0.0}, "Erlang C"),
        ({"agents": 2.5}, "agents=2.5"),
        ({"agents": -1}, "agents=-1"),
    ],
)
def test_nonsense_is_refused_by_name(change, named):
    with pytest.raises(ValueError, match=named):
        ErlangA(**({"arrivals": 1.0, "handled": 1.0, "given_up": 1.0, "agents": 3} | change))


def test_a_queue_of_millions_is_refused_rather_than_computed():
    with pytest.raises(ValueError, match="would wait in steady state"):
        ErlangA(1_000.0, 1.0, 1e-6, 10).backlog  # noqa: B018
    with pytest.raises(ValueError, match="target_ratio=1"):
        agents_for_service_level(1.0, 1.0, 1.0, 1.0, 20.0)
