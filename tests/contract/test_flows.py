import math
from datetime import timedelta

import numpy as np
import pytest

from app.core.floor.flow import FlowDelta
from app.core.forecast.flows import FIELDS
from app.errors import Invalid
from app.ports.evaluation import Checkpoint
from tests.support.builders import NOW, after

NAN = math.nan


@pytest.fixture
def flows(store):
    return store.flows


async def gain(store, *deltas):
    await store.evaluation.flush(Checkpoint(0, NOW, {}), [], [], deltas)


def came(minute, offered, queue="orders", counted_seconds=0.0, **sums):
    zeros = dict.fromkeys(FIELDS, 0.0)
    return FlowDelta(queue, after(60 * minute), counted_seconds, **(zeros | {"offered": offered} | sums))


async def offered(flows, minutes, step=60, queue="orders"):
    return (await flows.flows(queue, NOW, after(60 * minutes), step)).offered.tolist()


def same(values, expected):
    return values == pytest.approx(expected, nan_ok=True)


async def test_what_is_gained_adds_up_and_what_was_taken_back_is_gone(flows, store):
    await gain(store, came(0, 4, answered=3, wait_seconds=31.5), came(1, 2))
    await gain(store, came(0, 2, abandoned=1), came(1, -1, handled=1, handle_seconds=200))
    found = await flows.flows("orders", NOW, after(120), 60)
    assert (found.start, found.step_seconds) == (NOW, 60)
    assert found.offered.tolist() == [6, 1]
    assert found.answered.tolist() == [3, 0]
    assert found.abandoned.tolist() == [1, 0]
    assert found.wait_seconds.tolist() == [31.5, 0]
    assert found.handled.tolist() == [0, 1]
    assert found.handle_seconds.tolist() == [0, 200]
    assert found.series("answered").values.tolist() == [3, 0]


async def test_longer_steps_sum_their_minutes(flows, store):
    await gain(store, *(came(minute, minute) for minute in range(12)))
    assert await offered(flows, 12, 300) == [10, 35, 21]


async def test_a_minute_without_a_word_is_unknown_and_a_quiet_one_between_two_is_zero(flows, store):
    await gain(store, came(1, 3), came(3, 0), came(13, 2), came(24, 1))
    found = await offered(flows, 26)
    assert same(found, [NAN, 3, 0, 0] + [0] * 9 + [2] + [NAN] * 10 + [1, NAN])


async def test_counts_are_known_for_what_they_cover_only(flows, store):
    await gain(
        store,
        *(came(0, 3, counted_seconds=60), came(1, 4, counted_seconds=40), came(2, 1, counted_seconds=20)),
        *(came(4, 5, counted_seconds=60), came(5, 14, counted_seconds=120)),
    )
    assert same(await offered(flows, 6), [3, 6, NAN, NAN, 5, 7])
    assert same(await offered(flows, 6, 300), [13 / 180 * 300, NAN])
    found = await flows.flows("orders", NOW, after(60), 60)
    assert same([found.answered[0], found.wait_seconds[0], found.abandoned_at_once[0]], [0, NAN, NAN])


async def test_other_queues_and_times_are_left_out_and_nothing_is_all_unknown(flows, store):
    await gain(store, came(-1, 9), came(0, 1), came(0, 5, queue="chat"), came(3, 9))
    assert same(await offered(flows, 2), [1, NAN])
    assert same(await offered(flows, 2, queue="nowhere"), [NAN, NAN])
    assert await offered(flows, 0) == []


@pytest.mark.parametrize(("step", "start"), [(0, NOW), (-60, NOW), (90, NOW), (60, NOW + timedelta(seconds=1))])
async def test_odd_steps_and_starts_are_refused(flows, step, start):
    with pytest.raises(Invalid, match=f"step_seconds={step}"):
        await flows.flows("orders", start, after(600), step)


async def test_flows_are_pruned_with_the_minutes_of_history(flows, store, monkeypatch):
    monkeypatch.setattr("app.store.history.PRUNE_ROWS", 7)
    await gain(store, *(came(minute, 1, queue) for minute in range(20) for queue in ("a", "b", "")))
    await store.history.prune_rollups(after(600))
    for queue in ("a", "b", ""):
        assert same(await offered(flows, 20, queue=queue), [NAN] * 10 + [1] * 10)


async def test_any_flushes_give_the_same_sums(flows, store):
    rng = np.random.default_rng(2)
    minutes, amounts = rng.integers(0, 60, 200).tolist(), rng.integers(-2, 9, 200).tolist()
    deltas = [came(minute, amount) for minute, amount in zip(minutes, amounts, strict=True)]
    for first in range(0, 200, 13):
        await gain(store, *deltas[first : first + 13])
    assert await offered(flows, 60, 3600) == [sum(amounts)]
