from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.event import EventType
from app.core.staffing.schedule import Interval, Span
from app.errors import Conflict
from app.ports.staffing import ALL_QUEUES, Replacement, SavedHours, ScheduleState
from tests.support.builders import NOW, after, an_event
from tests.support.databases import a_store

HOUR = timedelta(hours=1)
DOCUMENT = {"time_zone": "UTC", "weekly": [{"days": ["mon"], "from": "08:00", "to": "18:00"}]}


def hours_of(*agents, start=NOW):
    """Return an interval of an hour for each number, one after another."""
    return [Interval(start + n * HOUR, start + (n + 1) * HOUR, each) for n, each in enumerate(agents)]


def whole(intervals):
    return [Span(intervals[0].starts_at, intervals[-1].ends_at)]


def replacing(intervals, queue="orders", spans=None, at=NOW):
    event = an_event(EventType.STAFFING_SAVED, at, subject=f"queue/{queue}")
    return Replacement(queue, spans or whole(intervals), intervals, "America/Chicago", "ann", at, event)


@pytest.fixture
def schedules(store):
    return store.schedules


EARLY, LATE = after(-86_400), after(7 * 86_400)


async def read(schedules, queue="orders", start=EARLY, end=LATE):
    return list(await schedules.intervals(queue, Span(start, end)))


async def test_no_queue_has_a_schedule_at_first(schedules):
    assert await schedules.states() == {}
    assert await read(schedules) == []


async def test_a_schedule_is_read_back_exactly_with_how_it_stands(schedules):
    given = hours_of(12.5, 0.0, 7.25)
    (state,) = (await schedules.replace([replacing(given)])).values()
    assert state == ScheduleState(1, "America/Chicago", "ann", NOW, NOW, after(3 * 3600))
    assert await schedules.states() == {"orders": state}
    assert await read(schedules) == given


async def test_intervals_that_reach_into_a_span_are_found_whole(schedules):
    given = hours_of(1, 2, 3, 4)
    await schedules.replace([replacing(given)])
    assert await read(schedules, start=after(5400), end=after(7201)) == given[1:3]
    assert await read(schedules, start=after(4 * 3600)) == []
    assert await read(schedules, end=NOW) == []


async def test_a_replacement_takes_the_place_of_what_was_in_its_spans_and_of_nothing_else(schedules):
    before = hours_of(1, 1, 1, 1)
    await schedules.replace([replacing(before)])
    await schedules.replace([replacing(hours_of(9, start=after(3600)), at=after(60))])
    assert await read(schedules) == [before[0], Interval(after(3600), after(7200), 9), *before[2:]]
    assert (await schedules.states())["orders"].revision == 2


async def test_an_interval_that_reaches_out_of_a_span_is_cut_there(schedules):
    await schedules.replace([replacing([Interval(NOW, after(4 * 3600), 5)])])
    hole = Span(after(3600), after(7200))
    await schedules.replace([replacing([], spans=[hole], at=after(60))])
    assert await read(schedules) == [Interval(NOW, hole.start, 5), Interval(hole.end, after(4 * 3600), 5)]


async def test_queues_do_not_touch_each_other_and_change_together_or_not_at_all(schedules):
    both = [replacing(hours_of(1, 2), "orders"), replacing(hours_of(3), "billing")]
    states = await schedules.replace(both, {"orders": 0, "billing": 0})
    assert {queue: state.revision for queue, state in states.items()} == {"orders": 1, "billing": 1}
    with pytest.raises(Conflict, match="'billing' is at 1, not 0"):
        await schedules.replace([replacing(hours_of(7), "orders"), replacing(hours_of(7), "billing")], {"billing": 0})
    assert await read(schedules, "orders") == hours_of(1, 2)
    assert await read(schedules, "billing") == hours_of(3)


async def test_a_schedule_that_was_deleted_keeps_its_revision_and_covers_nothing(schedules):
    await schedules.replace([replacing(hours_of(1, 2))])
    await schedules.replace([replacing([], spans=whole(hours_of(1, 2)), at=after(60))])
    state = (await schedules.states())["orders"]
    assert (state.revision, state.starts_at, state.ends_at) == (2, None, None)


async def test_each_change_of_a_schedule_is_an_event(schedules, store):
    await schedules.replace([replacing(hours_of(1))])
    (event,) = await store.events.events(type=EventType.STAFFING_SAVED)
    assert event.event.subject == "queue/orders"


# --- opening hours ---


def hours(**changes):
    return replace(SavedHours("orders", DOCUMENT, 1, "ann", NOW), **changes)


async def save(store, saved):
    await store.hours.save_hours(saved, an_event(EventType.HOURS_SAVED, subject="queue/orders"))


async def test_hours_are_read_back_word_for_word_by_queue_and_of_all_queues(store):
    assert await store.hours.hours() == {}
    await save(store, hours())
    await save(store, hours(queue=ALL_QUEUES))
    assert await store.hours.hours() == {"orders": hours(), ALL_QUEUES: hours(queue=ALL_QUEUES)}
    assert len(await store.events.events(type=EventType.HOURS_SAVED)) == 2


async def test_hours_are_replaced_and_deleted_by_the_next_revision_only(store):
    await save(store, hours())
    deleted = hours(document=None, revision=2, saved_at=after(60))
    await save(store, deleted)
    assert await store.hours.hours() == {"orders": deleted}
    for revision in (1, 2, 4):
        with pytest.raises(Conflict, match="are at 2"):
            await save(store, hours(revision=revision))
    assert await store.hours.hours() == {"orders": deleted}


async def test_everything_is_there_after_reopening(store, kind, tmp_path):
    await store.schedules.replace([replacing(hours_of(1, 2))])
    await save(store, hours())
    await store.close()
    async with a_store(tmp_path, kind) as again:
        assert await read(again.schedules) == hours_of(1, 2)
        assert await again.hours.hours() == {"orders": hours()}
