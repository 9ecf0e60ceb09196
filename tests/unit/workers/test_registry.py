import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.errors import Invalid
from app.services.ingest import Ingest
from app.services.retention import Retention
from app.services.sources import Sources
from app.settings import Settings
from tests.support.builders import an_observation
from tests.support.memory import MemoryStream, SteppedClock
from workers.retention import RetentionWorker
from workers.sources import registry
from workers.sources.worker import Surroundings
from workers.supervisor import background_for

NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)


def around():
    clock, sources = SteppedClock(NOW), Sources()
    return Surroundings(Ingest(MemoryStream(clock), clock, sources), sources, clock)


def test_a_table_becomes_a_worker_with_its_name():
    tables: list[dict[str, Any]] = [
        {"type": "queue-log", "path": "/var/log/asterisk/queue_log"},
        {"type": "queue-log", "path": "/srv/b/queue_log", "name": "pbx-b", "queues": ["sales"], "channel": "chat"},
    ]
    workers = [factory(around()) for factory in registry.configured(tables).values()]
    assert [worker.name for worker in workers] == ["queue_log", "pbx-b"]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, r"sources\[0\].type: is missing"),
        ({"type": "fax"}, r"sources\[0\].type: 'fax' is not known; known are "),
        ({"type": "queue-log"}, r"sources\[0\].path: is missing"),
        ({"type": "queue-log", "path": 7}, r"sources\[0\].path: 7 is not text"),
        ({"type": "queue-log", "path": "x", "name": ""}, r"sources\[0\].name: '' is not text"),
        ({"type": "queue-log", "path": "x", "name": "a\nb"}, r"sources\[0\].name: .* unprintable"),
        ({"type": "queue-log", "path": "x", "name": "try"}, r"sources\[0\].name: 'try' would have no page"),
        ({"type": "queue-log", "path": "x", "queues": "sales"}, r"sources\[0\].queues: 'sales' is not a list of texts"),
        ({"type": "queue-log", "path": "x", "queues": []}, r"sources\[0\].queues: \[\] is not a list of texts"),
        ({"type": "queue-log", "path": "x", "color": 1}, r"sources\[0\].color: is not known; known are channel, name"),
    ],
)
def test_a_bad_table_is_refused_naming_the_key(table, sentence):
    with pytest.raises(Invalid, match=sentence):
        registry.configured([table])


def test_two_sources_of_one_name_are_refused():
    table = {"type": "queue-log", "path": "x"}
    with pytest.raises(Invalid, match=r"sources\[1\].name: 'queue_log' is the name of sources\[0\] too"):
        registry.configured([table, table])


def test_bad_sources_stop_the_start_before_anything_is_opened():
    with pytest.raises(Invalid, match=r"sources\[0\].type"):
        background_for(Settings(sources=({"type": "fax"},)))


class Minutes:
    """Tells when it was asked to forget, and with which instants."""

    def __init__(self):
        self.cuts = []

    async def prune_rollups(self, minutes_before):
        self.cuts.append(minutes_before)
        return 2


class Outlooks:
    """Tells with which instant it was asked to forget."""

    def __init__(self):
        self.asked, self.cuts = asyncio.Event(), []

    async def prune_outlooks(self, before):
        self.cuts.append(before)
        self.asked.set()
        return 1


async def pruned(*received_days_ago):
    """Return the days ago of the records left after one round, and those where minutes and outlooks were cut."""
    clock = SteppedClock(NOW - timedelta(days=1000))
    stream, minutes, outlooks = MemoryStream(clock), Minutes(), Outlooks()
    for days in received_days_ago:
        clock.move((NOW - timedelta(days=days) - clock.now()).total_seconds())
        await stream.append([an_observation(observed_at=clock.now())])
    clock.move((NOW - clock.now()).total_seconds())
    stop = asyncio.Event()
    worker = RetentionWorker(Retention(stream, minutes, outlooks, clock, raw_days=30, minutes_days=400))
    running = asyncio.create_task(worker.run(stop))
    await outlooks.asked.wait()
    stop.set()
    await running
    left = [(NOW - record.received_at).days for record in stream.records]
    return left, *([(NOW - cut).days for cut in kept.cuts] for kept in (minutes, outlooks))


async def test_retention_prunes_what_is_older_than_the_settings_say():
    assert await pruned(50, 31, 29, 0.5) == ([29, 0], [400], [30])


async def test_the_last_that_was_heard_stays_however_long_ago():
    assert await pruned(950, 930, 910) == ([930, 910], [1310], [940])


async def test_retention_of_nothing_deletes_nothing():
    assert await pruned() == ([], [400], [30])
