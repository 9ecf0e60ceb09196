import asyncio
import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.floor.metric import Metric
from app.core.floor.rollup import RollupDelta
from app.errors import Invalid
from app.ports.evaluation import Checkpoint
from app.ports.history import ContactTotals, HistoryPoint
from tests.support.builders import NOW, a_contact, after

MINUTES = st.integers(0, 300)


@pytest.fixture
def history(store):
    return store.history


async def gain(store, *deltas):
    await store.evaluation.flush(Checkpoint(0, NOW, {}), [], deltas)


def reading(minute, value, queue="orders", metric=Metric.BACKLOG):
    at = after(60 * minute)
    return RollupDelta(queue, metric, at, 1, value, value, value, value, at + timedelta(seconds=30))


def answered(minute, contacts, wait_sum):
    return RollupDelta(
        "orders", Metric.SPEED_TO_ANSWER_SECONDS, after(60 * minute), contacts, wait_sum, None, None, None, None
    )


async def test_a_bucket_is_the_mean_of_its_readings_with_lowest_and_highest(history, store):
    await gain(store, reading(0, 4), reading(0, 10))
    await gain(store, reading(0, 1), reading(2, 7))
    assert await history.history("orders", Metric.BACKLOG, NOW, after(600), 60) == [
        HistoryPoint(NOW, 5, 1, 10, 3),
        HistoryPoint(after(120), 7, 7, 7, 1),
    ]


async def test_longer_steps_weigh_by_contacts_and_never_average_averages(history, store):
    await gain(store, answered(0, 1, 100), answered(1, 9, 9), answered(61, 2, 8))
    points = await history.history("orders", Metric.SPEED_TO_ANSWER_SECONDS, NOW, after(7200), 3600)
    assert points == [HistoryPoint(NOW, 10.9, None, None, 10), HistoryPoint(after(3600), 4, None, None, 2)]


async def test_a_step_whose_contacts_were_all_taken_back_has_no_value(history, store):
    await gain(store, answered(0, 2, 30))
    await gain(store, answered(0, -2, -30))
    assert await history.history("orders", Metric.SPEED_TO_ANSWER_SECONDS, NOW, after(60), 60) == [
        HistoryPoint(NOW, None, None, None, 0)
    ]


async def test_other_queues_metrics_and_times_are_left_out(history, store):
    await gain(
        store,
        *(reading(0, 1, queue="other"), reading(0, 1, metric=Metric.AGENTS_BUSY)),
        *(reading(-1, 1), reading(5, 1), reading(4, 3)),
    )
    assert await history.history("orders", Metric.BACKLOG, NOW, after(300), 300) == [HistoryPoint(NOW, 3, 3, 3, 1)]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    readings=st.lists(st.tuples(MINUTES, st.integers(-50, 50)), min_size=1, max_size=60),
    step=st.sampled_from([1, 7, 60, 120]),
    seed=st.integers(0, 1000),
)
async def test_any_step_any_order_and_any_flushes_give_the_same_sums(history, store, readings, step, seed):
    queue = f"{seed}-{step}-{hash(tuple(readings))}"
    rows = [reading(minute, value, queue) for minute, value in readings]
    random.Random(seed).shuffle(rows)
    await history.prune_rollups(after(1e6))
    await store.database.write(lambda c: c.exec_driver_sql("DELETE FROM rollup_hours"))
    for start in range(0, len(rows), 13):
        await gain(store, *rows[start : start + 13])
    points = await history.history(queue, Metric.BACKLOG, NOW, after(60 * 301), step * 60)
    expected: dict[int, list[int]] = {}
    for minute, value in readings:
        expected.setdefault(minute // step, []).append(value)
    assert points == [
        HistoryPoint(after(60 * step * n), sum(values) / len(values), min(values), max(values), len(values))
        for n, values in sorted(expected.items())
    ]


async def test_many_minutes_are_pruned_in_many_small_steps(history, store, monkeypatch):
    monkeypatch.setattr("app.store.history.PRUNE_ROWS", 7)
    await gain(store, *(reading(minute, 1, queue) for minute in range(20) for queue in ("a", "b", "c", "")))
    assert await history.prune_rollups(after(600)) == 40
    for queue in ("a", "b", "c", ""):
        assert len(await history.history(queue, Metric.BACKLOG, NOW, after(7200), 60)) == 10


async def test_hours_stay_when_minutes_are_pruned(history, store):
    await gain(store, *(reading(minute, minute, queue) for minute in range(120) for queue in ("orders", "chat")))
    assert await history.prune_rollups(after(3600)) == 120
    assert await history.prune_rollups(after(3600)) == 0
    assert len(await history.history("orders", Metric.BACKLOG, NOW, after(7200), 60)) == 60
    hours = await history.history("orders", Metric.BACKLOG, NOW, after(7200), 3600)
    assert hours == [HistoryPoint(NOW, 29.5, 0, 59, 60), HistoryPoint(after(3600), 89.5, 60, 119, 60)]


@pytest.mark.parametrize("step", [0, -60, 61, 30])
async def test_a_step_that_is_no_multiple_of_a_minute_is_refused(history, step):
    with pytest.raises(Invalid, match=str(step)):
        await history.history("orders", Metric.BACKLOG, NOW, after(600), step)


# --- exact totals ---


def life(contact_id, queued, queue="orders", **events):
    """Return a contact's events; each keyword is a kind with its instant in seconds after NOW."""
    start = [] if queued is None else [a_contact("queued", after(queued), contact_id, queue)]
    return start + [a_contact(event, after(at), contact_id, queue) for event, at in events.items()]


async def test_totals_count_each_contact_where_and_when_it_was_queued(history, store):
    events = [
        *life("in-target", 0, answered=20, completed=120.5),
        *life("late", 10, answered=30.000001, transferred=60),
        *life("gave-up", 20, abandoned=50),
        *life("waiting", 30),
        *life("talking", 40, answered=41),
        *life("called-back", 50, callback_requested=55),
        *life("answered-then-marked-abandoned", 55, answered=56, abandoned=58),
        *life("never-queued", None, answered=5, completed=10),
        *life("before", -1, answered=1, completed=2),
        *life("after", 60, answered=61),
        *life("elsewhere", 5, queue="chat", answered=9),
    ]
    random.Random(3).shuffle(events)
    await store.stream.append(events)
    chat, orders = await history.contact_totals(NOW, after(60), 20)
    assert chat == ContactTotals("chat", 1, 1, 0, 1, 4, 0, 0, after(5), after(5))
    assert orders == ContactTotals(
        queue="orders",
        offered=7,
        answered=4,
        abandoned=1,
        answered_within_target=3,
        wait_seconds_sum=20 + 20.000001 + 1 + 1,
        handled=2,
        handle_seconds_sum=100.5 + 29.999999,
        first_at=NOW,
        last_at=after(55),
    )


async def test_totals_of_an_empty_span_are_none(history):
    assert await history.contact_totals(NOW, after(60), 20) == []


async def test_of_two_ends_the_earlier_counts_and_no_time_is_negative(history, store):
    await store.stream.append(
        [*life("twice", 0, answered=10, completed=50, transferred=40), *life("skewed", 5, answered=3, completed=2)]
    )
    (orders,) = await history.contact_totals(NOW, after(60), 20)
    assert (orders.handle_seconds_sum, orders.wait_seconds_sum) == (30, 10)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lives=st.lists(
        st.fixed_dictionaries(
            {"queued": st.integers(0, 100)},
            optional={k: st.integers(0, 200) for k in ("answered", "abandoned", "completed", "transferred")},
        ),
        max_size=25,
    ),
    seed=st.integers(0, 99),
)
async def test_totals_equal_a_plain_count_for_any_lives_in_any_order(history, store, lives, seed):
    await store.stream.prune(after(1))
    events = [event for number, one in enumerate(lives) for event in life(f"c{number}", **one)]
    random.Random(seed).shuffle(events)
    await asyncio.gather(*(store.stream.append(events[start::3]) for start in range(3)))
    inside = [one for one in lives if one["queued"] < 80]
    answered = [one for one in inside if "answered" in one]
    waits = [max(0, one["answered"] - one["queued"]) for one in answered]
    ends = [(one, min(one[k] for k in ("completed", "transferred") if k in one)) for one in answered if _ended(one)]
    found = await history.contact_totals(NOW, after(80), 20)
    assert len(found) == bool(inside)
    for orders in found:
        assert orders.offered == len(inside)
        assert orders.answered == len(answered)
        assert orders.abandoned == sum("abandoned" in one and "answered" not in one for one in inside)
        assert orders.answered_within_target == sum(wait <= 20 for wait in waits)
        assert orders.wait_seconds_sum == sum(waits)
        assert orders.handled == len(ends)
        assert orders.handle_seconds_sum == sum(max(0, end - one["answered"]) for one, end in ends)


def _ended(one):
    return "completed" in one or "transferred" in one


async def test_courses_of_several_metrics_are_those_of_each(history, store):
    await gain(store, reading(0, 4), reading(3, 10), answered(1, 2, 30), answered(3, 1, 7))
    metrics = (Metric.BACKLOG, Metric.SPEED_TO_ANSWER_SECONDS, Metric.HANDLE_TIME_SECONDS)
    courses = await history.histories("orders", metrics, NOW, after(600), 120)
    assert courses == {each: await history.history("orders", each, NOW, after(600), 120) for each in metrics}
    assert [len(courses[each]) for each in metrics] == [2, 2, 0]


async def test_averages_over_many_hours_keep_their_lowest_and_highest_hour(history, store):
    await gain(store, answered(0, 1, 100), answered(61, 9, 9), answered(130, 1, 20), reading(0, 5), reading(61, 9))
    metric = Metric.SPEED_TO_ANSWER_SECONDS
    assert await history.history("orders", metric, NOW, after(86_400), 86_400) == [
        HistoryPoint(NOW, 129 / 11, 1, 100, 11)
    ]
    (hours,) = await history.history("orders", metric, NOW, after(3600), 3600)
    assert (hours.minimum, hours.maximum) == (None, None)
    (day,) = await history.history("orders", Metric.BACKLOG, NOW, after(86_400), 86_400)
    assert (day.minimum, day.maximum) == (5, 9)
