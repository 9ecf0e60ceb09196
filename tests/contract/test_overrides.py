import asyncio
from dataclasses import replace

import pytest

from app.core.gate.override import Effect, Matcher, Override
from app.errors import NotFound
from tests.support.builders import NOW, after, an_event

HOLD = Override(
    id="ovr_1",
    gate="default",
    effect=Effect.HOLD,
    starts_at=NOW,
    ends_at=after(3600),
    created_by="Ann",
    comment="phones are down",
    created_at=NOW,
    matchers=(Matcher("campaign", "spring-.*", is_regex=True), Matcher("traffic_class", "service", is_equal=False)),
)
ALLOW = replace(
    HOLD, id="ovr_2", effect=Effect.ALLOW, created_at=after(1), matchers=(), even_without_data=True, ends_at=after(60)
)


@pytest.fixture
def overrides(store):
    return store.overrides


async def test_an_override_is_read_back_whole(overrides):
    await overrides.add_override(HOLD, an_event())
    await overrides.add_override(ALLOW, an_event())
    assert await overrides.override("ovr_1") == HOLD
    assert await overrides.override("ovr_2") == ALLOW


async def test_an_override_of_a_gate_that_does_not_exist_is_not_found_and_not_kept(overrides):
    with pytest.raises(NotFound, match="'nowhere'"):
        await overrides.add_override(replace(HOLD, gate="nowhere"), an_event())
    with pytest.raises(NotFound, match="'ovr_1'"):
        await overrides.override("ovr_1")


async def test_lists_are_newest_first_by_gate_in_pages_and_without_what_has_ended(overrides, store):
    await store.gates.create_gate("spring", NOW, an_event())
    added = [replace(HOLD, id=f"ovr_{n}", created_at=after(n // 2), ends_at=after(60 * n)) for n in range(1, 6)]
    for each in [*added, replace(HOLD, id="ovr_x", gate="spring")]:
        await overrides.add_override(each, an_event())
    newest = sorted(added, key=lambda each: (each.created_at, each.id), reverse=True)
    first = await overrides.overrides("default", limit=3)
    second = await overrides.overrides("default", before=(first[-1].created_at, first[-1].id), limit=3)
    assert [*first, *second] == newest
    assert len(await overrides.overrides()) == 6
    still = await overrides.overrides("default", ends_after=after(180))
    assert {each.id for each in still} == {"ovr_4", "ovr_5"}


async def test_what_has_ended_stays_open_until_its_end_is_written_down(overrides):
    await overrides.add_override(HOLD, an_event())
    await overrides.add_override(ALLOW, an_event())
    assert await overrides.open_overrides() == [HOLD, ALLOW]
    closed = replace(HOLD, ends_at=after(5), closed_at=after(5))
    assert await overrides.change_override("ovr_1", lambda _: (closed, an_event())) == closed
    assert await overrides.open_overrides() == [ALLOW]
    assert await overrides.override("ovr_1") == closed


async def test_a_step_that_does_nothing_leaves_the_override_and_writes_no_event(overrides, store):
    await overrides.add_override(HOLD, an_event())
    before = await events_written(store)
    assert await overrides.change_override("ovr_1", lambda _: None) == HOLD
    assert await events_written(store) == before


async def test_of_changes_at_the_same_time_each_sees_what_the_one_before_made(overrides, store):
    await overrides.add_override(HOLD, an_event())
    before = await events_written(store)

    def remind_once(former):
        return None if former.reminded_at else (replace(former, reminded_at=after(9)), an_event())

    changed = await asyncio.gather(*(overrides.change_override("ovr_1", remind_once) for _ in range(8)))
    assert {each.reminded_at for each in changed} == {after(9)}
    assert await events_written(store) == before + 1


async def test_a_change_whose_step_fails_changes_nothing(overrides):
    await overrides.add_override(HOLD, an_event())

    def fail(_):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        await overrides.change_override("ovr_1", fail)
    assert await overrides.override("ovr_1") == HOLD


async def test_uses_add_up_and_unknown_ids_are_left_out(overrides):
    await overrides.add_override(HOLD, an_event())
    await overrides.count_uses({"ovr_1": (3, after(10)), "ovr_gone": (1, after(10))})
    await overrides.count_uses({"ovr_1": (2, after(20))})
    await overrides.count_uses({})
    assert await overrides.override("ovr_1") == replace(HOLD, used_count=5, last_used_at=after(20))


async def test_a_deleted_gate_takes_its_overrides_with_it(overrides, store):
    await overrides.add_override(HOLD, an_event())
    await store.gates.delete_gate("default", an_event())
    assert await overrides.overrides() == []
    with pytest.raises(NotFound):
        await overrides.change_override("ovr_1", lambda _: None)


async def events_written(store) -> int:
    count: int = await store.database.read(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM events").scalar()
    )
    return count
