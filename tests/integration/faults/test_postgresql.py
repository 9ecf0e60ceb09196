"""PostgreSQL crashes, restarts and stands still under load: nothing acknowledged is lost or doubled, and all heals."""

import asyncio
import random
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from app.errors import HoldfireError, NotDurable
from app.store import engine, postgresql
from app.stream import sql
from tests.integration.faults.load import a_load, note
from tests.support.builders import NOW, an_event, an_observation
from tests.support.databases import a_store
from tests.support.found import find
from tests.support.postgresql import Cluster, cluster
from tests.support.reference import faults
from tests.support.server import a_server
from tests.support.told import now_us

SEED = 7


@pytest.fixture
def own() -> Iterator[Cluster]:
    """A cluster that a test may break."""
    made = Cluster()
    made.start()
    made.run("CREATE DATABASE holdfire")
    yield made
    made.remove()


def test_what_was_acknowledged_outlives_a_crash_and_a_restart_of_postgresql(own: Cluster, tmp_path):
    note(f"seed {SEED}")
    moments, url = random.Random(SEED), own.url("holdfire")
    with a_server(tmp_path, HOLDFIRE_DATABASE_URL=url) as server, a_load(server.url, SEED) as load:
        for harm, what in ((own.crash, "PostgreSQL crashed"), (own.stop, "PostgreSQL restarted")):
            load.wait_for(moments.randint(20, 60))
            harm()
            own.start()
            load.recovered(what, now_us())
        load.end()
        assert faults(find(url), load.told) == []


async def test_a_database_that_stands_still_is_told_of_and_nothing_happens_behind_anyones_back(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "LONGEST_WAIT_SECONDS", 0.5)
    monkeypatch.setattr(engine, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(sql, "PATIENCE_SECONDS", 0.5)
    async with a_store(tmp_path, "postgresql") as store:
        await store.stream.append([an_observation(source="before")])
        cluster().stand_still()
        try:
            late = asyncio.create_task(store.gates.delete_gate("default", an_event()))
            with pytest.raises(NotDurable, match="send it again"):
                await store.stream.append([an_observation(source="during")])
            with pytest.raises(NotDurable, match="may yet be written"):
                await late
        finally:
            cluster().go_on()
        assert (await store.stream.append([an_observation(source="after")])).accepted == 1
        assert await store.gates.gates() == ["default"]
        assert (await store.stream.append([an_observation(source="during")])).duplicates in {0, 1}
        sources = [record.payload.source for record in await store.stream.read(0)]
        assert sorted(sources) == ["after", "before", "during"]


async def test_a_store_is_closed_though_its_server_stands_still(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "LONGEST_CLOSE_SECONDS", 0.5)
    async with a_store(tmp_path, "postgresql") as store:
        assert await store.gates.gates() == ["default"]
        cluster().stand_still()
        try:
            waiting = asyncio.create_task(store.gates.gates())
            await asyncio.sleep(0.1)
            async with asyncio.timeout(60):
                await store.close()
            with pytest.raises(HoldfireError):
                await waiting
        finally:
            cluster().go_on()


async def test_one_that_is_stopped_in_the_middle_of_writing_keeps_nobody_else_from_it(tmp_path, monkeypatch):
    monkeypatch.setattr(postgresql, "IDLE_SECONDS", 1)
    async with a_store(tmp_path, "postgresql") as stopped, a_store(tmp_path, "postgresql") as other:
        began, goes_on = threading.Event(), threading.Event()

        def stop(_: Connection) -> None:
            began.set()
            goes_on.wait()

        try:
            stuck = asyncio.create_task(stopped.database.write(stop))
            await asyncio.to_thread(began.wait)
            await other.gates.create_gate("second", NOW, an_event())
            assert "second" in await other.gates.gates()
        finally:
            goes_on.set()
        with pytest.raises(NotDurable):
            await stuck
