"""What the benchmark of predictions asks, and how it counts; its competitors run only under `make bench`."""

import numpy as np
import pytest

from bench import outlook


def test_the_question_is_a_busy_queue_with_a_send():
    scenario = outlook.a_scenario(300)
    load = scenario.arrivals_per_second * scenario.handle_seconds / 300
    assert len(scenario.agents) == 240
    assert 0.75 < load.min() < load.max() < 1.1
    assert load[0] == load.max()
    assert load.mean() == pytest.approx(0.75 * 1.034, abs=1e-3)


def test_the_changing_staffing_changes_every_quarter_of_an_hour():
    agents = outlook.a_scenario(40, changing=True).agents
    assert set(agents.tolist()) == {38, 40, 42}
    assert len(np.flatnonzero(np.diff(agents))) == 15


def test_a_time_is_the_median_and_the_worst_of_a_hundred(monkeypatch):
    now = [0.0]
    durations = iter([0.125] * 29 + [0.9] + [0.125] * 29 + [0.125])

    def work():
        now[0] += next(durations)

    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    found = outlook.timed(work, 6.0)
    assert found.per_second == pytest.approx(8.0)
    assert found.p99_ms == pytest.approx(900.0)
    assert now[0] >= 6.0


def test_the_half_hour_needs_the_agents_that_the_worked_example_says():
    assert outlook.staffed() == 67
