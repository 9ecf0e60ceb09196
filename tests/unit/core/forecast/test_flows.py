"""Flows that contradict themselves: who is answered came in at some time."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app.core.forecast.flows import FIELDS, FlowSeries, flow_series

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
UNKNOWN = None


def a_series(*steps: tuple[float, float] | None, is_counted: bool = True) -> FlowSeries:
    """Return steps of 5 minutes of (offered, answered), None: nothing is known."""
    known = [place for place, step in enumerate(steps) if step is not None]
    sums = np.zeros((len(known), len(FIELDS)))
    sums[:, :2] = np.array([step for step in steps if step is not None]).reshape(-1, 2)
    seconds = np.full(len(known), 300.0 if is_counted else 0.0)
    return flow_series(START, 300, steps=len(steps), places=np.array(known), counted_seconds=seconds, sums=sums)


def believed(*steps: tuple[float, float] | None, **how: bool) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in a_series(*steps, **how).believed().values]


def test_zeros_while_contacts_are_answered_are_not_known_until_the_last_of_these():
    assert believed((4, 4), (0, 2), (0, 0), (0, 3), (0, 0), (2, 2)) == [4, None, None, None, 0, 2]


@pytest.mark.parametrize("steps", [((4, 2), (0, 2), (0, 0)), ((0, 0), (0, 0)), ((3, 9), (1, 9))])
def test_zeros_in_which_few_are_answered_who_may_have_waited_are_believed(steps):
    assert believed(*steps) == [offered for offered, _ in steps]


def test_contacts_themselves_are_exact_and_a_long_queue_may_empty_when_nobody_comes():
    assert believed((40, 5), (0, 20), (0, 15), is_counted=False) == [40, 0, 0]


@pytest.mark.parametrize(
    ("steps", "minutes"),
    [
        (((4, 4), (0, 0), (0, 0)), (5, 15)),
        (((0, 0), (0, 5)), (0, 10)),
        (((4, 4), UNKNOWN, (0, 0), UNKNOWN), (10, 15)),
        (((0, 0), (1, 1)), None),
        ((UNKNOWN, UNKNOWN), None),
        ((), None),
    ],
)
def test_how_long_nobody_came_is_told_as_far_as_it_is_known(steps, minutes):
    expected = minutes and tuple(START + timedelta(minutes=minute) for minute in minutes)
    assert a_series(*steps).quiet() == expected
