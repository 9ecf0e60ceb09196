import numpy as np
import pytest

from app.core.forecast.chain import Drain, Stretch
from app.core.forecast.staffing_change import Moves, Queueing, across, fates
from app.core.forecast.targets import Targets
from tests.unit.core.forecast.tagged import moved

DRAIN, LASTING = Drain(1 / 300, 1 / 180), Drain(1 / 300, 0.0)


@pytest.mark.parametrize("drain", [DRAIN, LASTING], ids=["patience", "none"])
@pytest.mark.parametrize("agents", [0, 3, 40])
@pytest.mark.parametrize("seconds", [2.5, 30.0, 900.0])
def test_moves_are_those_of_the_chain_of_one_contact(drain, agents, seconds):
    queue = Queueing(agents, drain, 40)
    expected = moved(40, queue.per_second, drain.given_up_per_second, seconds)[:, :40]
    np.testing.assert_allclose(Moves(queue, seconds).apply(np.eye(40)), expected, atol=1e-11)


def by_the_chain(agents, cuts, drain, places, target):
    """Return served within the target and still waiting then, for contacts by place at second 0: steps of staffing."""
    theta = drain.given_up_per_second
    place = np.eye(places)
    served = np.zeros(places)
    ends = [*cuts, target]
    for number, (count, end) in enumerate(zip(agents, ends, strict=True)):
        begin = cuts[number - 1] if number else 0.0
        chances = moved(places, count * drain.handled_per_second, theta, end - begin)
        served += place @ chances[:, -2]
        place = place @ chances[:, :places]
        if number + 1 < len(agents) and (risen := agents[number + 1] - count) > 0:
            served += place[:, :risen].sum(axis=1)
            place = np.pad(place[:, risen:], ((0, 0), (0, min(risen, places))))
    return served, place.sum(axis=1)


@pytest.mark.parametrize("agents", [(12, 20), (20, 12), (12, 0), (0, 12), (5, 9, 3)])
@pytest.mark.parametrize("drain", [DRAIN, LASTING], ids=["patience", "none"])
def test_what_an_arrival_gets_before_a_change_is_what_the_chain_of_one_contact_says(agents, drain):
    staffing = [Stretch(minute, minute + 1, count) for minute, count in enumerate(agents)]
    targets = Targets(staffing, drain, states=45, target_seconds=100.0, steps_per_minute=2)
    corrections = list(targets.corrections(0))
    assert sum(correction.seconds for correction in corrections) == pytest.approx(60.0)
    closed = Queueing(agents[0], drain, 45 - agents[0]).within(100.0)
    for correction in corrections:
        left = 60.0 - correction.point * 30.0
        cuts = [left + 60.0 * later for later in range(len(agents) - 1)]
        cuts = [cut for cut in cuts if cut < 100.0]
        served, waiting = by_the_chain(agents[: len(cuts) + 1], cuts, drain, 45 - agents[0], 100.0)
        got = closed + correction.extra
        reach = 15  # further back, the dense chain's own last place counts
        np.testing.assert_allclose(got[:reach, 0], served[:reach], atol=1e-9)
        np.testing.assert_allclose(got[:reach, 1], waiting[:reach], atol=1e-9)


def gone_back(fate, count, drain, seconds, steps):
    """Return served and E[wait; served] so many seconds earlier, by the classical Runge-Kutta method."""
    theta = drain.given_up_per_second
    rates = (count * drain.handled_per_second + np.arange(len(fate)) * theta)[:, None]

    def slope(now):
        nearer = np.vstack([[1.0, 0.0], now[:-1]])
        return rates * (nearer - now) - theta * now + now[:, :1] * [0.0, 1.0]

    step = seconds / steps
    for _ in range(steps):
        first = slope(fate)
        second = slope(fate + step / 2 * first)
        third = slope(fate + step / 2 * second)
        fate = fate + step / 6 * (first + 2 * second + 2 * third + slope(fate + step * third))
    return fate


@pytest.mark.parametrize("agents", [(12, 20), (20, 12), (12, 0, 12)])
def test_the_fate_of_who_waits_across_changes_is_what_going_back_in_small_steps_finds(agents):
    staffing = [Stretch(10 * number, 10 * number + 10, count) for number, count in enumerate(agents)]
    (queue, closed, deviations), *_ = fates(staffing, DRAIN, 60, 2)
    expected = Queueing(agents[-1], DRAIN, 60 - agents[-1]).fate()
    for before, after in zip(agents[-2::-1], agents[:0:-1], strict=True):
        expected = gone_back(across(expected, before, after, 60 - before, (1.0, 0.0)), before, DRAIN, 600.0, 200)
    np.testing.assert_allclose(closed + deviations.first, expected, atol=1e-4)
    assert queue.places == len(expected)


def test_a_rise_serves_at_once_whom_the_new_agents_reach_and_a_fall_leaves_the_queue_as_it_is():
    later = np.arange(10.0)[:, None] * [1.0, 2.0]
    risen = across(later, before=5, after=8, places=13, at_once=(7.0, 9.0))
    assert risen[:4, 0].tolist() == [7.0, 7.0, 7.0, 0.0]
    assert risen[12].tolist() == [9.0, 18.0]
    assert across(later, before=8, after=5, places=7, at_once=(7.0, 9.0)).tolist() == later[:7].tolist()


def test_where_the_head_count_stays_nothing_deviates():
    ((_, _, deviations),) = fates([Stretch(0, 60, 12)], DRAIN, 60, 2)
    assert deviations.since == 120
    assert not deviations.first.any()
    targets = Targets([Stretch(0, 60, 12)], DRAIN, states=60, target_seconds=20.0, steps_per_minute=2)
    assert list(targets.corrections(0)) == []
