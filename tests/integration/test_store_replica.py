"""Replicas on one database: what one changes the others read before it is answered, and only one of them leads."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import psycopg
import pytest

from app.core.event import Actor
from app.core.gate.override import Effect
from app.errors import HoldfireError
from app.ports.evaluation import Checkpoint
from app.services.agreement import asking
from app.services.override_draft import OverrideDraft
from app.services.overrides import Overrides
from app.services.published import Published
from app.store.bundle import Store
from app.store.replica import NotLeadingError, Replica
from app.store.sole import sole_evaluator
from tests.support.builders import NOW, an_event
from tests.support.databases import a_database_url, a_store
from tests.support.floors import StaticFloor
from tests.support.memory import SteppedClock

GONE_BY_NOW = "INSERT INTO replicas VALUES ('gone', 0, clock_timestamp() - interval '6.5 s', '1')"
SILENT = "INSERT INTO replicas VALUES ('silent', 0, clock_timestamp(), '1')"
SPOKEN = "UPDATE replicas SET seen = 1000000 WHERE name = 'silent'"
LEASE_OVER = "UPDATE leases SET until = clock_timestamp() - interval '1 ms'"
SOMEBODY = Actor("user/1", "somebody")
PUBLISHED = Published(1, NOW, 0.0, StaticFloor(NOW), {})


@pytest.fixture
async def two(tmp_path) -> AsyncIterator[tuple[Store, Store]]:
    """Two stores open on one database, as two processes have them."""
    async with a_store(tmp_path, "postgresql") as one, a_store(tmp_path, "postgresql") as other:
        yield one, other


@asynccontextmanager
async def at_work(replica: Replica, take_in) -> AsyncIterator[None]:
    """Let a replica follow the others meanwhile."""
    stop = asyncio.Event()
    following = asyncio.create_task(replica.run(stop, take_in))
    try:
        yield
    finally:
        stop.set()
        await following


class Noted:
    """Takes note of what is to be read anew."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.fault: Exception | None = None

    async def __call__(self, names: Collection[str]) -> None:
        if self.fault is not None:
            raise self.fault
        self.names += sorted(names)


async def run_sql(store: Store, statement: str) -> None:
    await store.database.writer.write(lambda connection: connection.exec_driver_sql(statement))


async def until(found) -> None:
    """Return once `found` says so; fail after 20 seconds."""
    async with asyncio.timeout(20):
        while not found():  # noqa: ASYNC110  # a replica tells nobody when it is so far
            await asyncio.sleep(0.005)


async def a_gate(store: Store, name: str) -> None:
    await store.gates.create_gate(name, NOW, an_event())


async def test_what_another_process_changed_is_taken_in_before_that_one_goes_on(two):
    one, other = two
    replica, noted = Replica(one.database), Noted()
    await replica.join()
    async with at_work(replica, noted):
        await until(replica.leads)
        assert noted.names == []
        await a_gate(other, "new")
        assert noted.names == ["gates"]


async def test_only_one_leads_and_another_one_once_its_lease_is_over(two):
    one, other = two
    first, second = Replica(one.database), Replica(other.database)
    await first.join()
    await second.join()
    async with at_work(first, Noted()):
        await until(first.leads)
        async with at_work(second, Noted()):
            await until(lambda: second.confirmed_until() > 0)
            assert not second.leads()
            with pytest.raises(NotLeadingError):
                await other.evaluation.flush(Checkpoint(1, NOW, {}), [], [])
            await one.evaluation.flush(Checkpoint(2, NOW, {}), [], [])
    async with at_work(second, Noted()):
        await until(second.leads)
        with pytest.raises(NotLeadingError):
            await one.evaluation.flush(Checkpoint(3, NOW, {}), [], [])
        assert (await other.evaluation.checkpoint()).position == 2


async def test_a_leader_that_another_one_followed_unnoticed_writes_nothing(two):
    one, other = two
    stopped, next_one = Replica(one.database), Replica(other.database)
    await stopped.join()
    await next_one.join()
    over = asyncio.Event()

    async def stopped_here(_names: Collection[str]) -> None:
        await over.wait()

    async with at_work(stopped, stopped_here):
        await until(stopped.leads)
        await run_sql(other, "UPDATE changes SET revision = revision + 1")  # it goes no further than taking that in
        await run_sql(other, "NOTIFY holdfire_changes")
        await run_sql(other, LEASE_OVER)
        async with at_work(next_one, Noted()):
            await until(next_one.leads)
            with pytest.raises(NotLeadingError):
                await one.evaluation.flush(Checkpoint(1, NOW, {}), [], [])
            over.set()


async def test_who_holds_on_to_a_lease_that_is_over_keeps_others_from_leading_and_not_from_knowing(two, tmp_path):
    one, _ = two
    await run_sql(one, "INSERT INTO leases VALUES ('lead', 'stopped', 7, clock_timestamp() - interval '1 s')")
    replica = Replica(one.database)
    await replica.join()
    with psycopg.connect(a_database_url("postgresql", tmp_path)) as stopped:
        stopped.execute("SELECT FROM leases FOR SHARE")
        async with at_work(replica, Noted()):
            await until(lambda: replica.confirmed_until() > 0)
            first = replica.confirmed_until()
            await until(lambda: replica.confirmed_until() > first)
            assert not replica.leads()
            stopped.rollback()
            await until(replica.leads)


async def test_a_change_waits_for_who_has_not_seen_it_and_not_for_who_is_gone(two):
    one, _ = two
    await run_sql(one, GONE_BY_NOW)
    await a_gate(one, "first")
    await run_sql(one, SILENT)
    waiting = asyncio.create_task(a_gate(one, "second"))
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    await run_sql(one, SPOKEN)
    async with asyncio.timeout(5):
        await waiting


@pytest.mark.parametrize("fault", [HoldfireError("cannot be read"), ValueError("of a newer version")], ids=type)
async def test_one_that_cannot_read_a_change_relies_on_nothing_until_it_can(two, fault):
    one, other = two
    replica, noted = Replica(one.database), Noted()
    await replica.join()
    async with at_work(replica, noted):
        await until(replica.leads)
        noted.fault, before = fault, replica.confirmed_until()
        waiting = asyncio.create_task(a_gate(other, "new"))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
        assert replica.confirmed_until() <= before + 1.5
        noted.fault = None
        async with asyncio.timeout(20):
            await waiting
        assert noted.names == ["gates"]


async def test_what_another_one_ended_meanwhile_does_not_come_back_when_who_made_it_is_answered(two):
    one, other = two
    clock = SteppedClock(NOW)
    here = Overrides(one.overrides, clock, lambda: PUBLISHED)
    there = Overrides(other.overrides, clock, lambda: PUBLISHED)
    replica = Replica(one.database)
    await replica.join()

    async def take_in(names: Collection[str]) -> None:
        if "overrides" in names:
            await here.load()

    async with at_work(replica, take_in):
        await until(replica.leads)
        await run_sql(one, SILENT)
        with asking() as maker:
            made = await here.create("default", OverrideDraft(Effect.ALLOW, "go", duration_minutes=5), SOMEBODY)
            assert here.of("default") == (made,)
            answer = asyncio.create_task(maker.settle())
        with asking():
            await there.end("default", made.id, SOMEBODY)
        await until(lambda: here.of("default") == ())
        await run_sql(one, SPOKEN)
        async with asyncio.timeout(5):
            await answer
        assert here.of("default") == ()


async def test_while_one_is_there_nobody_has_the_database_alone(two, tmp_path):
    replica = Replica(two[0].database)
    await replica.join()
    async with at_work(replica, Noted()):
        await until(replica.leads)
        with (
            pytest.raises(HoldfireError, match="in use by another holdfire"),
            sole_evaluator(a_database_url("postgresql", tmp_path)),
        ):
            pass
