"""What time does to overrides: a reminder before the end, and the end, each written down exactly once."""

import asyncio

import pytest

from app.clocks import DataClock
from app.core.event import Actor
from app.core.gate.override import Effect
from app.errors import HoldfireError
from app.services.override_draft import OverrideDraft
from app.services.overrides import Overrides
from app.services.published import Published
from tests.support.builders import NOW, after
from tests.support.databases import a_store
from tests.support.floors import StaticFloor

ANN = Actor("key1", "Ann")
PUBLISHED = Published(1, NOW, 0.0, StaticFloor(NOW), {})


class World:
    """A store with overrides over it, and a clock that a test moves."""

    def __init__(self, store, clock):
        self.store, self.clock = store, clock
        self.overrides = self.started_anew()

    def started_anew(self):
        return Overrides(self.store.overrides, self.clock, lambda: PUBLISHED)

    async def hold(self, minutes):
        draft = OverrideDraft(Effect.HOLD, "phones are down", duration_minutes=minutes)
        return await self.overrides.create("default", draft, ANN)

    async def look_at(self, seconds, overrides=None):
        self.clock.move_to(after(seconds))
        await (overrides or self.overrides).look()

    async def events(self):
        """Return (type, seconds after NOW, actor) of what was written down of overrides, oldest first."""
        query = "SELECT type, at, actor_id FROM events WHERE type LIKE 'override.%' ORDER BY seq"
        rows = await self.store.database.read(lambda connection: connection.exec_driver_sql(query).all())
        return [(kind, at / 1e6 - NOW.timestamp(), actor) for kind, at, actor in rows]


@pytest.fixture
async def world(tmp_path):
    clock = DataClock(NOW)
    async with a_store(tmp_path, clock=clock) as store:
        yield World(store, clock)


@pytest.mark.parametrize(("minutes", "reminded"), [(120, 105 * 60), (60, 45 * 60), (20, 15 * 60), (1, 45)])
async def test_people_are_reminded_before_the_end_sooner_of_a_longer_one(world, minutes, reminded):
    await world.hold(minutes)
    for seconds in (1, reminded - 1, reminded, reminded + 1, minutes * 60 - 1, minutes * 60, minutes * 60 + 9):
        await world.look_at(seconds)
    assert await world.events() == [
        ("override.created", 0, "key1"),
        ("override.expiring", reminded, "holdfire"),
        ("override.expired", minutes * 60, "holdfire"),
    ]


async def test_a_restart_writes_nothing_down_twice_and_forgets_nothing(world):
    await world.hold(60)
    await world.look_at(2700)
    again = world.started_anew()
    await again.load()
    await world.look_at(2701, again)
    assert [kind for kind, *_ in await world.events()] == ["override.created", "override.expiring"]
    third = world.started_anew()
    await third.load()
    await world.look_at(9000, third)
    last = world.started_anew()
    await last.load()
    await world.look_at(9001, last)
    assert [(kind, at) for kind, at, _ in await world.events()][2:] == [("override.expired", 9000)]


async def test_one_that_ended_while_nobody_looked_is_not_announced_to_end_soon(world):
    await world.hold(60)
    await world.look_at(3600)
    assert [kind for kind, *_ in await world.events()] == ["override.created", "override.expired"]


async def test_one_that_somebody_ended_does_not_expire_again(world):
    made = await world.hold(60)
    world.clock.move_to(after(5))
    await world.overrides.end("default", made.id, ANN)
    await world.overrides.end("default", made.id, ANN)
    await world.look_at(4000)
    assert [kind for kind, *_ in await world.events()] == ["override.created", "override.ended"]


async def test_two_that_end_it_at_once_write_it_down_once(world):
    made = await world.hold(60)
    world.clock.move_to(after(5))
    await asyncio.gather(*(world.overrides.end("default", made.id, ANN) for _ in range(5)))
    assert [kind for kind, *_ in await world.events()] == ["override.created", "override.ended"]


async def test_what_could_not_be_written_down_is_the_next_time(world):
    await world.hold(60)
    await world.store.close()
    with pytest.raises(HoldfireError):
        await world.look_at(3600)
    assert [each.closed_at for each in world.overrides.of("default")] == [None]


async def test_the_job_follows_overrides_until_it_is_stopped(world):
    await world.hold(1)
    ended, stop = asyncio.Event(), asyncio.Event()
    overrides = Overrides(world.store.overrides, world.clock, lambda: PUBLISHED, ended.set)
    await overrides.load()
    world.clock.move_to(after(60))
    job = asyncio.create_task(overrides.run(stop))
    await asyncio.wait_for(ended.wait(), 10)
    stop.set()
    await job
    assert (await world.events())[-1][0] == "override.expired"
