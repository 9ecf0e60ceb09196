import json

import numpy as np
import pytest

from app.core.floor.metric import Metric
from app.core.forecast.breach import hold_windows, judge
from app.core.forecast.extra_agents import extra_agents
from app.core.forecast.predict import predict
from app.core.forecast.safe import Bound, safe_now
from app.core.forecast.uncertainty import MEAN
from app.core.forecast.waves import equal_waves, greedy_waves
from tests.support.cases import a_case, a_queue_case
from tests.support.shared import shared

N_TOLERANCE = 0.015


@pytest.fixture(scope="module")
def example():
    return json.loads(shared("truth/worked_example.json").read_text())


@pytest.fixture(scope="module")
def case(example):
    setup = example["setup"]
    assert (setup["aht_s"], setup["tau_s"], setup["contacts_per_1000"]) == (300.0, 20.0, 10.0)  # what a_queue_case has
    queue = a_queue_case(
        agents=setup["agents"],
        base_per_minute=setup["base_per_min"],
        busy=setup["busy0"],
        waiting=setup["wait0"],
        patience_seconds=setup["patience_s"],
    )
    return a_case(queue)


def values(case, audience):
    held = {one.metric: one.values[0, 0] for one in hold_windows(case, case.sends((0, audience))[None], MEAN)}
    return held[Metric.SERVICE_LEVEL_RATIO], held[Metric.SPEED_TO_ANSWER_SECONDS]


def test_the_largest_safe_send_is_the_one_worked_out(example, case):
    found = safe_now(case, 500_000, MEAN)
    assert found.audience == pytest.approx(example["largest_safe_send_now"], rel=N_TOLERANCE)
    assert found.bound is Bound.LIMIT
    assert found.breach is not None
    assert found.breach.metric is Metric.SERVICE_LEVEL_RATIO


def test_at_that_size_each_window_is_the_one_worked_out(example, case):
    level, speed = values(case, example["largest_safe_send_now"])
    assert level == pytest.approx(example["at_that_size"]["sl"], abs=0.002)
    assert speed == pytest.approx(example["at_that_size"]["asa"], abs=0.1)


@pytest.mark.parametrize("audience", [5_000, 10_000, 20_000, 40_000])
def test_sends_of_other_sizes_come_out_as_worked_out(example, case, audience):
    expected = example[f"send_{audience}"]
    level, speed = values(case, audience)
    assert level.min() == pytest.approx(expected["min_sl"], abs=0.002)
    assert speed.max() == pytest.approx(expected["max_asa"], rel=0.01, abs=0.05)


@pytest.mark.parametrize("audience", [5_000, 10_000, 20_000, 40_000])
def test_the_mean_backlog_of_the_worst_window_comes_out_as_worked_out(example, case, audience):
    queue = case.queues[0]
    rates = queue.scenario.arrivals_per_second + audience * case.contacts_per_1000.mean / 1000 * queue.curves[0]
    course = predict(queue.scenario, rates[None])
    windows = course.backlog[0].reshape(12, 3).mean(axis=1)  # three intervals of 5 minutes each
    assert windows.max() == pytest.approx(example[f"send_{audience}"]["max_q"], rel=0.005, abs=0.01)


def test_equal_waves_are_those_worked_out(example, case):
    waves = equal_waves(case, 500_000, 20, 6, MEAN)
    assert [wave.minute for wave in waves] == [0, 20, 40, 60, 80, 100]
    assert {wave.audience for wave in waves} == {waves[0].audience}
    assert waves[0].audience == pytest.approx(example["waves_6x_every_20min_each"], rel=N_TOLERANCE)


def test_greedy_waves_are_those_worked_out(example, case):
    waves = greedy_waves(case, 500_000, 20, 6, MEAN)
    assert [wave.minute for wave in waves] == [minute for minute, _ in example["greedy_waves"]]
    expected = [size for _, size in example["greedy_waves"]]
    assert np.array([wave.audience for wave in waves]) == pytest.approx(expected, rel=N_TOLERANCE)


@pytest.mark.parametrize("audience", [20_000, 40_000])
def test_as_many_agents_more_are_needed_as_worked_out(example, case, audience):
    found = extra_agents(case, audience, 0, MEAN)
    assert found.by_queue == {"orders-voice": example[f"extra_agents_for_{audience}"]}


def test_what_is_called_safe_keeps_the_limits_and_one_percent_more_does_not(case):
    size = safe_now(case, 500_000, MEAN).audience
    schedules = np.array([case.sends((0, size)), case.sends((0, 1.01 * size))])
    assert [verdict.probability for verdict in judge(case, schedules, MEAN)] == [0.0, 1.0]
